"""Dialects without a model, for oracles and scorers: each with the image sizes of the models that speak it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.config import PromptConfig
from agent.dialects import Dialect, Options, find_family, make_dialect
from agent.dialects.base import COMMON
from agent.errors import ParseError
from envs.geometry import Resize, Size
from eval.benchmarks.base import Benchmark, Kind
from eval.metrics.prediction import Prediction
from guikv.models.images import resized


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
    """The dialect of that name as its family's published models speak it; options: common ones and the family's own.

    Raises ConfigError and DialectError.
    """
    eyes = find_family(name).eyes

    def image_size(size: tuple[int, int]) -> tuple[int, int]:
        return resized(size, eyes)

    common = {key: value for key, value in options.items() if key in COMMON}
    own = {key: value for key, value in options.items() if key not in COMMON}
    made = Options(kind=kind, capabilities=capabilities, image_size=image_size, **common)
    return Speaker(make_dialect(name, made, own), image_size)


def as_set(name: str, prompt: PromptConfig, benchmark: Benchmark) -> Speaker:
    """The dialect of that name as the settings want it for a benchmark. Raises ConfigError and DialectError."""
    kind = benchmark.kind if prompt.kind == "auto" else prompt.kind
    space = None if prompt.coordinates == "auto" else prompt.coordinates
    return speaker(name, kind, benchmark.capabilities, space=space, **prompt.options)
