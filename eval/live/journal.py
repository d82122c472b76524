"""Results on disk while they come in, so that a stopped evaluation has not been for nothing.

episodes.jsonl   one line an episode, as it ends
result.json      the result, at the end
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from agent.errors import RecordError
from agent.recorder import hint_of, write_atomically
from eval.live.episodes import Outcome
from guikv.files import make_folder

EPISODES, RESULT = "episodes.jsonl", "result.json"


class Journal(AbstractContextManager["Journal"]):
    """Writes into `folder`, or nowhere where it is None. Raises RecordError when it cannot, or holds one already."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lines: IO[str] | None = None
        if folder is None:
            return
        try:
            make_folder(folder)
            self._lines = (folder / EPISODES).open("x", encoding="utf-8")
        except FileExistsError as error:
            raise RecordError(f"{folder} holds an evaluation already", "choose another name with --out") from error
        except OSError as error:
            raise _failed(folder, error) from error

    def write(self, outcome: Outcome) -> None:
        if self._lines is not None and self._folder is not None:
            try:
                self._lines.write(json.dumps(asdict(outcome)) + "\n")
                self._lines.flush()
            except OSError as error:
                raise _failed(self._folder, error) from error

    def finish(self, result: dict[str, Any]) -> None:
        if self._folder is not None:
            try:
                write_atomically(self._folder / RESULT, result)
            except OSError as error:
                raise _failed(self._folder, error) from error

    def __exit__(self, *exc: object) -> None:
        if self._lines is not None:
            self._lines.close()


def _failed(folder: Path, error: OSError) -> RecordError:
    return RecordError(f"the evaluation in {folder} cannot be written: {error.strerror or error}", hint_of(error))
