"""The baselines that every comparison needs, and the policy that keeps everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from guikv.policies.base import LayerView, Policy, check_at_least
from guikv.prompt import NO_FRAME


@dataclass(frozen=True)
class Full(Policy):
    """Keeps everything; the budget is ignored."""

    name: ClassVar[str] = "full"
    compresses: ClassVar[bool] = False


@dataclass(frozen=True)
class StreamingLLM(Policy):
    """The first `sinks` entries and the most recent ones (arXiv 2309.17453); positions are kept as they are."""

    name: ClassVar[str] = "streaming_llm"
    stacks: ClassVar[bool] = True
    sinks: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("sinks", self.sinks, 0)

    def scores(self, view: LayerView, window: int) -> Tensor:
        age = torch.arange(view.entries, dtype=torch.float32, device=view.keys.device)
        age = age.expand(view.valid.shape).clone()
        first = view.valid.long().cumsum(-1) <= self.sinks
        return age.masked_fill(first & view.valid, float("inf"))


@dataclass(frozen=True)
class RecentFrames(Policy):
    """All text, then whole screenshots, the newest first, each from its end, as far as the budget goes."""

    name: ClassVar[str] = "recent_frames"
    stacks: ClassVar[bool] = True

    def scores(self, view: LayerView, window: int) -> Tensor:
        age = torch.arange(view.entries, dtype=torch.float32, device=view.keys.device).expand(view.valid.shape)
        above_all = view.frames.max() + 1
        return torch.where(view.frames == NO_FRAME, above_all, view.frames).float() * (view.entries + 1) + age


@dataclass(frozen=True)
class Random(Policy):
    """A random choice: the floor that any designed score must beat. The same seed chooses the same entries."""

    name: ClassVar[str] = "random"
    seed: int = 0
    window: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("window", self.window, 1)

    def observation_window(self, capacity: int, after_last_frame: int) -> int:
        return max(1, min(self.window, capacity - 2))

    def scores(self, view: LayerView, window: int) -> Tensor:
        # Drawn on the CPU, so that a GPU run and a CPU run choose alike.
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + view.layer)
        return torch.rand(view.valid.shape, generator=draw).to(view.keys.device)
