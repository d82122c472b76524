"""Reads a run back, also one that was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import RunError
from agent.recorder import RUN_FILE, STEPS_FILE
from agent.records import read_patches


@dataclass(frozen=True)
class Run:
    """`header` is run.json, `steps` the lines of steps.jsonl; `warnings` tell what is missing at the end.

    whole: bytes of steps.jsonl without a last line that was cut off
    """

    folder: Path
    header: dict[str, Any]
    steps: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...] = ()
    whole: int = 0


def load_run(folder: Path) -> Run:
    """The run in a folder. A cut last line is a warning; anything else that is damaged raises RunError."""
    header = _header(folder / RUN_FILE)
    steps, warnings, whole = _steps(folder / STEPS_FILE)
    if header.get("format") != 1:
        steps = tuple(_whole(steps, folder / STEPS_FILE))
    if header.get("status") == "running":
        warnings = (*warnings, f"{folder / RUN_FILE}: the run has no end; it is still going or was killed")
    return Run(folder, header, steps, warnings, whole)


def _whole(steps: Iterable[dict[str, Any]], path: Path) -> Iterator[dict[str, Any]]:
    """The steps with all that was cached at each of them. Raises RunError on a damaged one."""
    held: dict[str, Any] = {}
    for step in steps:
        try:
            held = read_patches(held, step.get("kept_patches") or {})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} step {step['step']} is damaged: kept_patches: {error}") from error
        yield {**step, "kept_patches": held}


def _header(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path.parent} holds no run: {path.name} is missing") from error
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged: {error}") from error
    if not isinstance(data, dict):
        raise RunError(f"{path} is damaged: not an object")
    return data


def _steps(path: Path) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...], int]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return (), (f"{path} is missing: no step was recorded",), 0
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    lines = content.split(b"\n")
    steps: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            step = json.loads(line)
            if not isinstance(step, dict) or not isinstance(step.get("step"), int):
                raise ValueError("not a step")
        except (ValueError, RecursionError) as error:
            # Only the very last line can be cut off; without its line break it surely was.
            if number == len(lines):
                warning = f"{path} line {number}: cut off, {len(steps)} steps before it are whole"
                return tuple(steps), (warning,), len(content) - len(line)
            raise RunError(f"{path} line {number} is damaged: {error}") from error
        steps.append(step)
    return tuple(steps), (), len(content)
