"""Reads a recorded step back: its picture, where it lay on the screen, and the sizes it was shown in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from agent.errors import RunError
from envs.geometry import Resize, Size, Viewport
from envs.pictures import PictureError, read_picture
from guikv.content import digest_of

_FRAME = re.compile(r"frames/([0-9a-f]{8,64})\.png")


def recorded_digest(step: Mapping[str, Any]) -> str | None:
    """`digest_of` the step's picture; None where the screen was hidden. Raises ValueError for no name of ours."""
    if step["frame_file"] is None:
        return None
    name = str(step["frame_file"])
    known = _FRAME.fullmatch(name)
    if known is None:
        raise ValueError(f"{name[:80]!r} is no picture of this run")
    return known[1]


def recorded_picture(folder: Path, step: Mapping[str, Any]) -> Image.Image | None:
    """The step's picture; None where the screen was hidden.

    Raises RunError where it is missing, damaged or not what was seen, KeyError and ValueError for a damaged step.
    """
    digest = recorded_digest(step)
    if digest is None:
        return None
    name, cause = str(step["frame_file"]), None
    try:
        image = read_picture(folder / name)
        if digest_of(image) == digest:
            return image
        why = "is not the picture that was seen"
    except PictureError as error:
        why, cause = str(error), error
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
    raise RunError(
        f"the picture {folder / name} of step {step['step']} {why}", "put it back, or record a new run"
    ) from cause


def recorded_viewport(data: Mapping[str, Any]) -> Viewport:
    """As `StepRecord.to_dict` wrote it. Raises KeyError, TypeError and ValueError for anything else."""
    origin = data["origin"]
    return Viewport(Size(*data["screenshot"]), Size(*data["device"]), (float(origin[0]), float(origin[1])))


def recorded_resize(data: Mapping[str, Any]) -> Resize:
    """As `recorded_viewport`."""
    return Resize(Size(*data["screenshot"]), Size(*data["image"]))
