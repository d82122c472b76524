"""Everything that determines the rows of a replay."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent.assemble import policy_options
from agent.config import Config
from eval.benchmarks.base import Missing, Source
from eval.benchmarks.errors import DataError

ORACLE = "oracle"
"""The model that knows the right answer and says it in a dialect's own words."""

DRAWS = "random"
"""The policy that seeds make a difference to."""

History = Literal["gold", "own"]
"""What stands in the history as the model's earlier answers: the recorded right ones (teacher-forced), or its own."""


class ReplaySettings(BaseModel):
    """One cell of a sweep.

    path, images, splits, options: the data, as in `Source`
    model: a model's name, or `oracle`; version: of its checkpoint, empty for an oracle; dialect: what it speaks
    config: all that a live run is set by
    skip_bad: what cannot be used of the data is left out; otherwise the first such record ends the replay
    seed: of policies that draw (random)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    path: Path
    images: Path | None = None
    splits: tuple[str, ...] = ()
    options: dict[str, str] = {}
    missing: Missing = "error"
    skip_bad: bool = False
    history: History = "gold"
    seed: int = 0
    model: str = "nano"
    version: str = ""
    dialect: str = "ui_tars"
    config: Config = Config()

    @property
    def source(self) -> Source:
        on_bad = _say_nothing if self.skip_bad else None
        return Source(self.path, self.images, self.splits, self.options, on_bad)

    @property
    def is_oracle(self) -> bool:
        return self.model == ORACLE

    def identity(self) -> dict[str, Any]:
        """JSON of what rows of one cell must agree in. An oracle has no cache, so none of its settings count."""
        # A setting that came later is no difference to folders from before.
        data = self.model_dump(mode="json", exclude={"config"} if self.skip_bad else {"config", "skip_bad"})
        shown = self.config.model_dump(mode="json", include={"model", "cache", "prompt"})
        if self.is_oracle:
            return {**data, "config": {"prompt": shown["prompt"]}}
        shown["cache"]["options"] = policy_options(self.config.cache)
        if shown["cache"]["positions"] == "keep":
            del shown["cache"]["positions"]
        return {**data, "config": shown}


def _say_nothing(error: DataError) -> None:
    """What is bad was told when the data were looked at before the replay."""
