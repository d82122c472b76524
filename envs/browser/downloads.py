"""Files that pages make the browser fetch."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Download, Error

from envs.browser.errors import first_line
from envs.browser.events import Log

_LONGEST_NAME = 120


def safe_name(suggested: str) -> str:
    """File name without folders, control characters or a leading dot, whatever a page suggests."""
    name = re.sub(r"[\x00-\x1f\x7f<>:\"|?*]", "_", suggested.replace("\\", "/").rpartition("/")[2])
    name = name.strip().lstrip(".")
    stem, dot, suffix = name.rpartition(".")
    if len(name) > _LONGEST_NAME and dot and len(suffix) < 20:
        name = stem[: _LONGEST_NAME - len(suffix) - 1] + "." + suffix
    return name[:_LONGEST_NAME] or "download"


def free_path(folder: Path, name: str) -> Path:
    """A path in `folder` that no file has: `name`, or `name (2)` and so on."""
    path, number = folder / name, 2
    while path.exists():
        path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
        number += 1
    return path


async def save(download: Download, folder: Path, log: Log) -> None:
    """Wait for the file, put it into `folder`, and record where it is."""
    path = free_path(folder, safe_name(download.suggested_filename))
    # Taken at once, so that two downloads of one name do not meet.
    path.touch()
    try:
        await download.save_as(path)
    except (Error, OSError) as error:
        path.unlink(missing_ok=True)
        log.add("download_failed", name=path.name, url=download.url[:200], reason=first_line(error))
        return
    log.add("download", name=path.name, path=str(path), bytes=path.stat().st_size, url=download.url[:200])
