"""What a step shows: the picture, fitted to the observation space, and the facts that go with it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from envs.base import Environment, HiddenScreen, ScreenshotError
from envs.geometry import Resize, Size

Picture = NDArray[np.uint8]

_TRIES = 3
_PAUSE = 0.5


@dataclass(frozen=True)
class Observation:
    """The screen at one moment. `resize` leads from the screenshot to `picture`; `hidden` says why it is black."""

    picture: Picture
    resize: Resize
    context: dict[str, str]
    hidden: str
    seconds: float


def observe(environment: Environment, size: Size | None) -> Observation:
    """The screen now, tried again where a picture may be had next time; None is the screenshot's own size.

    Raises ScreenshotError when all tries failed, and EnvironmentDied.
    """
    begun = time.perf_counter()
    for tried in range(1, _TRIES + 1):
        try:
            image, hidden = _picture(environment, size)
            context = dict(environment.context())
            break
        except ScreenshotError:
            if tried == _TRIES:
                raise
            time.sleep(_PAUSE)
    seconds = time.perf_counter() - begun
    seen = Size(*image.size)
    shown = size or seen
    if seen != shown:
        image = image.resize((shown.width, shown.height), Image.Resampling.BICUBIC)
    return Observation(np.array(image, np.uint8), Resize(seen, shown), context, hidden, seconds)


def _picture(environment: Environment, size: Size | None) -> tuple[Image.Image, str]:
    try:
        return environment.screenshot().image, ""
    except HiddenScreen as error:
        if size is None:
            # How large the screen is cannot be known from a picture that there is not.
            raise
        return Image.new("RGB", (size.width, size.height)), error.message
