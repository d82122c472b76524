"""Reading annotations: every record is checked against a schema, and a bad one is named."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.benchmarks.errors import DataError
from eval.benchmarks.strict_json import NoListError, decode, items

R = TypeVar("R", bound=BaseModel)
Around = Callable[[], AbstractContextManager[None]]
"""What DataErrors are raised within: `Source.skipping_bad`, or nothing."""

_SHOWN = 200
_DRIVE = re.compile(r"[A-Za-z]:")
_NO_FILE = re.compile("[\0\ud800-\udfff]")


class Record(BaseModel):
    """Base of all schemas. Fields that nobody reads are allowed, since releases of the data differ in them."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises DataError where it is missing, cut off, not UTF-8 or no JSON.

    A byte order mark is read over. Of equal keys in one object the last counts, as in the authors' own readers. Half
    a surrogate pair, which no tokenizer takes, becomes U+FFFD. No number may be infinite or NaN.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    return _parsed(data, str(path))


def read_items(path: Path, around: Around = nullcontext) -> Iterator[Any]:
    """The items of a JSON file that holds a list, one at a time: the file may be larger than the memory.

    Raises DataError as `read_json` does, when the item is reached, within `around`: nothing is known of what follows.
    """
    with around():
        yield from _items(path)


def _items(path: Path) -> Iterator[Any]:
    count = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for item in items(file):
                yield item
                count += 1
    except NoListError:
        raise DataError(f"{path} holds no list of records, but {_kind(read_json(path))}") from None
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} record {count} or later is not UTF-8 text: {error.reason}") from error
    except RecursionError as error:
        raise DataError(f"{path} record {count} is nested too deeply") from error
    except ValueError as error:
        # Places in what was read last would say nothing.
        reason = error.msg if isinstance(error, json.JSONDecodeError) else error
        raise DataError(f"{path} record {count} is not whole JSON: {reason}") from error


def read_lines(path: Path, around: Around = nullcontext) -> Iterator[tuple[int, Any]]:
    """Line number (from 1) and content of each line of a JSON Lines file, one at a time; empty lines are left out.

    Raises DataError as `read_json` does, when the line is reached, within `around`.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    with around():
                        yield number, _parsed(line, f"{path} line {number}")
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def check(schema: type[R], data: Any, where: str) -> R:
    """The record. Raises DataError with `where` (file and record) and the first field that is wrong."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        others = error.error_count() - 1
        more = f" (and {others} more)" if others else ""
        raise DataError(f"{where}: {first_problem(error)}{more}") from error


def first_problem(error: ValidationError, *above: str) -> str:
    """The first field that is wrong, below those `above` it, and what is wrong with it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in (*above, *first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def json_files(folder: Path) -> list[Path]:
    """The folder's *.json files by name, without hidden ones (archives made on a Mac hold `._name.json`).

    Raises DataError where there is none.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError as error:
        raise DataError(f"{folder} is missing") from error
    except NotADirectoryError as error:
        raise DataError(f"{folder} is not a folder") from error
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from error
    found = [folder / name for name in names if name.endswith(".json") and not name.startswith(".")]
    if not found:
        raise DataError(f"{folder} holds no *.json")
    return found


def inside(folder: Path, name: str, where: str) -> Path:
    """The file of that name in the folder, or below it. The name comes from a dataset and is not trusted.

    Both separators count, so that data written on Windows is read. Symbolic links are the user's own and are followed.
    Raises DataError, with `where` (file and record), for a name that leads out of the folder or can name no file.
    """
    shown = ascii(name[:_SHOWN])
    if not name or _NO_FILE.search(name):
        raise DataError(f"{where}: {shown} is no name of a file")
    plain = name.replace("\\", "/")
    inner = posixpath.normpath(plain)
    if plain.startswith("/") or _DRIVE.match(plain) or inner == ".." or inner.startswith("../"):
        raise DataError(f"{where}: the name {shown} leads out of {folder}")
    if inner == ".":
        raise DataError(f"{where}: {shown} names the folder {folder} itself")
    return folder / inner


def _parsed(data: bytes, what: str) -> Any:
    try:
        return decode(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{what} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise DataError(f"{what} is nested too deeply") from error
    except ValueError as error:
        raise DataError(f"{what} is not whole JSON: {error}") from error


def _kind(data: Any) -> str:
    names = {dict: "an object", str: "a text", bool: "a truth value", type(None): "nothing"}
    return names.get(type(data), "a number")
