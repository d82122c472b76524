"""Dialects without a model, for oracles and scorers: each with the image sizes of the models that speak it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.config import PromptConfig
from agent.dialects import DIALECTS, Dialect
from agent.errors import ConfigError, ParseError
from envs.geometry import Resize, Size
from eval.benchmarks.base import Benchmark, Kind
from eval.metrics.prediction import Prediction
from guikv.models.images import resized


@dataclass(frozen=True)
class Eyes:
    """What `resized` needs of an image processor: patch and merge size, least and most pixels."""

    patch_size: int
    merge_size: int
    least: int
    most: int

    @property
    def size(self) -> dict[str, int]:
        return {"shortest_edge": self.least, "longest_edge": self.most}


EYES: dict[str, Eyes] = {
    "ui_tars": Eyes(14, 2, 100 * 28 * 28, 16384 * 28 * 28),
    "opencua": Eyes(14, 2, 4 * 28 * 28, 16384 * 28 * 28),
    "qwen25": Eyes(14, 2, 4 * 28 * 28, 16384 * 28 * 28),
    "qwen3": Eyes(16, 2, 64 * 32 * 32, 16384 * 32 * 32),
}
"""As the checkpoints of UI-TARS-1.5, OpenCUA, Qwen2.5-VL and Qwen3-VL state them."""


@dataclass(frozen=True)
class Speaker:
    """A dialect with eyes."""

    dialect: Dialect
    image_size: Callable[[tuple[int, int]], tuple[int, int]]

    def resize(self, size: Size) -> Resize:
        """From a screenshot of `size` to what the model sees. Raises ImageError on absurd sizes."""
        return Resize(size, Size(*self.image_size((size.width, size.height))))

    def predict(
        self, texts: tuple[str, ...], size: Size, views: tuple[int, ...] = (0,), can: frozenset[str] | None = None
    ) -> Prediction:
        """The last text, parsed: never raises for what is in it. size: of the last view."""
        return predict(self.dialect, texts, self.resize(size), views, can)


def predict(
    dialect: Dialect, texts: tuple[str, ...], resize: Resize, views: tuple[int, ...], can: frozenset[str] | None
) -> Prediction:
    """The last of the texts, parsed by the dialect."""
    try:
        actions, why = dialect.parse(texts[-1], resize, can).actions, ""
    except ParseError as error:
        actions, why = (), error.message
    return Prediction(texts, actions, resize, dialect.name, views, why)


def speaker(name: str, kind: Kind = "computer", capabilities: frozenset[str] | None = None, **options: Any) -> Speaker:
    """The dialect of that name as its family's published models speak it. Raises ConfigError and DialectError."""
    if name not in DIALECTS:
        raise ConfigError(f"there is no dialect {name!r}", f"there are {', '.join(DIALECTS)}")
    make, eyes = DIALECTS[name], EYES[name]

    def image_size(size: tuple[int, int]) -> tuple[int, int]:
        return resized(size, eyes)

    facts = {"capabilities": capabilities, "image_size": image_size}
    taken = inspect.signature(make).parameters
    wrong = sorted(set(options) - set(taken))
    if wrong:
        raise ConfigError(f"prompt.options: the dialect {name} has no option {wrong[0]!r}")
    return Speaker(make(kind, **{k: v for k, v in facts.items() if k in taken}, **options), image_size)


def as_set(name: str, prompt: PromptConfig, benchmark: Benchmark) -> Speaker:
    """The dialect of that name as the settings want it for a benchmark. Raises ConfigError and DialectError."""
    kind = benchmark.kind if prompt.kind == "auto" else prompt.kind
    space = None if prompt.coordinates == "auto" else prompt.coordinates
    return speaker(name, kind, benchmark.capabilities, space=space, **prompt.options)
