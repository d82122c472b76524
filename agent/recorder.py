"""Writes a run down while it happens.

run.json      resolved settings, versions, model, method; at the end how it went (replaced atomically)
steps.jsonl   one line a step, on disk before the next step begins; of what is cached it says what has changed
decided.json  the step that was decided last; a run that was killed may not have more of it
frames/       pictures as PNG, named by content, so that equal ones are stored once
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from PIL import Image

from agent.errors import RecordError
from agent.records import Kept, Result, StepRecord
from guikv.content import digest_of
from guikv.files import appending, make_folder, replace_file, replacing

FORMAT = 2
"""From 2 on a line names only the screenshots of which something else is kept than at the line before."""
RUN_FILE, STEPS_FILE, FRAMES = "run.json", "steps.jsonl", "frames"
DECIDED_FILE, CUT_FILE = "decided.json", "steps.cut"
_PACKAGES = ("torch", "transformers", "guikv", "playwright", "pillow")


class Recorder:
    """One run's folder, open for writing. `finish` closes it; without it the run reads as unfinished."""

    def __init__(self, folder: Path, header: dict[str, Any], steps: IO[bytes]) -> None:
        self.folder = folder
        self._header = header
        self._steps = steps
        self._known: set[str] = set()
        self._kept: Mapping[int, Kept] = {}

    @classmethod
    def create(cls, folder: Path, header: Mapping[str, Any]) -> Recorder:
        """Start a run. Raises RecordError when the folder holds one already or cannot be written."""
        refuse_taken(folder)
        full = {
            "format": FORMAT,
            **header,
            "versions": versions(),
            "started": now(),
            "status": "running",
        }
        try:
            make_folder(make_folder(folder) / FRAMES)
            write_atomically(folder / RUN_FILE, full)
            steps = (folder / STEPS_FILE).open("xb")
            _claim(steps, folder)
        except OSError as error:
            raise _failed(folder, error) from error
        return cls(folder, full, steps)

    @classmethod
    def resume(
        cls, folder: Path, header: Mapping[str, Any], whole: int, facts: Mapping[str, Any], kept: Mapping[int, Kept]
    ) -> Recorder:
        """Go on with a run, in its folder, behind the first `whole` bytes of its steps, after which `kept` was cached.

        What stands behind them, the line that a kill cut off, goes into a file of its own. How the run had ended goes
        with `facts` into the list `resumed` of run.json. Raises RecordError.
        """
        ending = ("status", "reason", "message", "error", "steps", "seconds", "tokens", "finished")
        before = {name: header[name] for name in ending if name in header}
        entry = {"at": now(), "versions": versions(), "before": before, **facts}
        rest = {name: value for name, value in header.items() if name not in ending}
        full = {**rest, "status": "running", "resumed": [*_list(header.get("resumed")), entry]}
        try:
            steps = appending(folder / STEPS_FILE)
            try:
                _claim(steps, folder)
                _cut(steps, whole, folder / CUT_FILE)
                write_atomically(folder / RUN_FILE, full)
            except BaseException:
                steps.close()
                raise
        except OSError as error:
            raise _failed(folder, error) from error
        recorder = cls(folder, full, steps)
        recorder._kept = kept
        return recorder

    def decide(self, record: StepRecord, image: Image.Image | None) -> None:
        """A step that is about to be done, in a file that the next one replaces. Raises RecordError."""
        try:
            frame = None if image is None else self._frame(image)
            line = json.dumps(record.to_dict(frame, self._kept), ensure_ascii=True, allow_nan=False)
            replace_file(self.folder / DECIDED_FILE, line.encode("ascii"))
        except OSError as error:
            raise _failed(self.folder, error) from error
        except (TypeError, ValueError) as error:
            raise RecordError(f"step {record.step} cannot be written as JSON: {error}") from error

    def write(self, record: StepRecord, image: Image.Image | None) -> None:
        """One step, flushed to the disk. Raises RecordError; the steps before stay as they are."""
        try:
            frame = None if image is None else self._frame(image)
            self.write_line(record.to_dict(frame, self._kept))
            self._kept = dict(record.kept) if record.cost else self._kept
        except OSError as error:
            raise _failed(self.folder, error) from error

    def write_line(self, step: Mapping[str, Any]) -> None:
        """One step as it stands in the file, flushed to the disk. Raises RecordError."""
        try:
            line = json.dumps(step, ensure_ascii=True, allow_nan=False)
            self._steps.write(line.encode("ascii") + b"\n")
            self._steps.flush()
            os.fsync(self._steps.fileno())
        except OSError as error:
            raise _failed(self.folder, error) from error
        except (TypeError, ValueError) as error:
            raise RecordError(f"step {step['step']} cannot be written as JSON: {error}") from error

    def finish(self, result: Result) -> None:
        """Write how it ended. Raises RecordError; files are closed in any case."""
        self._header.update(result.to_dict(), finished=now())
        try:
            try:
                # On a full disk close() tries to flush what is left and fails, but does let go of the file.
                self._steps.close()
            finally:
                write_atomically(self.folder / RUN_FILE, self._header)
            (self.folder / DECIDED_FILE).unlink(missing_ok=True)
        except OSError as error:
            raise _failed(self.folder, error) from error

    def _frame(self, image: Image.Image) -> str:
        name = digest_of(image)
        relative = f"{FRAMES}/{name}.png"
        if name not in self._known:
            with replacing(self.folder / relative) as file:
                image.save(file, "PNG", compress_level=3)
            self._known.add(name)
        return relative


def refuse_taken(folder: Path) -> None:
    """Raises RecordError when the folder holds a run already."""
    if (folder / RUN_FILE).exists() or (folder / STEPS_FILE).exists():
        raise RecordError(f"{folder} holds a run already", "choose another name with --out")


def refuse_going(folder: Path) -> None:
    """Raises RecordError when the run in the folder is still going."""
    try:
        with appending(folder / STEPS_FILE) as steps:
            _claim(steps, folder)
    except OSError as error:
        raise _failed(folder, error) from error


def _claim(steps: IO[bytes], folder: Path) -> None:
    """Keep other processes from writing here, as long as the file is open. Raises RecordError and OSError."""
    try:
        fcntl.flock(steps, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RecordError(f"the run in {folder} is still going", "stop it first") from error


def _cut(steps: IO[bytes], whole: int, aside: Path) -> None:
    """Move what stands behind the first `whole` bytes into the file `aside`, at its end."""
    steps.seek(whole)
    rest = steps.read()
    if rest:
        with appending(aside) as file:
            file.write(rest + b"\n")
            file.flush()
            os.fsync(file.fileno())
        steps.truncate(whole)
    steps.seek(max(0, whole - 1))
    if steps.read(1) not in (b"", b"\n"):
        # Only the line break of a whole line was missing.
        steps.write(b"\n")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def write_atomically(path: Path, data: Mapping[str, Any]) -> None:
    """JSON into a file that is complete or the old one. Raises OSError."""
    text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    replace_file(path, f"{text}\n".encode(errors="replace"))


def versions() -> dict[str, str]:
    """Version of Python and of each package that matters for repeating a run.

    `missing` where not installed.
    """
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _failed(folder: Path, error: OSError) -> RecordError:
    place = f"{Path(error.filename).name}: " if error.errno == errno.ELOOP else ""
    return RecordError(f"the run in {folder} cannot be written: {place}{error.strerror or error}", hint_of(error))


def hint_of(error: OSError) -> str:
    """What to do about a file that could not be written."""
    return "is the disk full?" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
