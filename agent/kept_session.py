"""The session of a run, saved beside its record after every step, so that the run resumes without computing it again.

session/000012/   the session as it was after step 12; the one before goes when this one is complete
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from agent.errors import RecordError
from agent.recorder import Recorder
from agent.records import Result, StepRecord
from guikv.errors import SessionError
from guikv.files import make_folder

if TYPE_CHECKING:
    from agent.model import SessionBrain

FOLDER = "session"


@dataclass(frozen=True)
class KeepingRecorder:
    """A recorder that saves the model's session after every step that it answered in."""

    recorder: Recorder
    brain: SessionBrain

    def decide(self, record: StepRecord, image: Image.Image | None) -> None:
        self.recorder.decide(record, image)

    def write(self, record: StepRecord, image: Image.Image | None) -> None:
        """The step, then the session, which is never ahead of the record. Raises RecordError."""
        self.recorder.write(record, image)
        if record.raw and (record.error is None or record.error.stage != "model"):
            _keep(self.brain, self.recorder.folder, record.step)

    def finish(self, result: Result) -> None:
        self.recorder.finish(result)


def _keep(brain: SessionBrain, run: Path, step: int) -> None:
    try:
        folder = make_folder(run / FOLDER)
        # It holds what was seen.
        folder.chmod(0o700)
        brain.session.save(folder / f"{step:06d}")
        for other, old in _saved(run):
            if other != step:
                shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise RecordError(f"the session in {run} cannot be kept: {error.strerror or error}") from error
    except SessionError as error:
        raise RecordError(str(error), "is the disk full? --no-keep-session goes on without") from error


def kept_sessions(run: Path, steps: int) -> list[tuple[int, Path]]:
    """Step and folder of the sessions saved after at most so many steps, the last first."""
    return sorted((one for one in _saved(run) if one[0] <= steps), reverse=True)


def _saved(run: Path) -> Iterator[tuple[int, Path]]:
    for folder in (run / FOLDER).glob("[0-9]" * 6):
        if folder.is_dir() and not folder.is_symlink():
            yield int(folder.name), folder
