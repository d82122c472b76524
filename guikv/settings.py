"""How a session remembers: its settings, spelled here once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from guikv.budget import Budget
from guikv.compression import Moment
from guikv.errors import SessionError
from guikv.policies import GuiKV, Policy, make_policy

HistoryWindow = Literal["shrink", "drop", "recompute"]
Positions = Literal["keep", "compact"]


@dataclass(frozen=True)
class Settings:
    """How a session remembers.

    moment: `prefill` compresses before decoding, as in the paper; `next_observation` keeps the current screenshot
        whole while it is acted on and compresses it when its successor has arrived
    window: what happens to screenshots older than the last `history`: `shrink` keeps their survivors, `drop`
        removes their entries, `recompute` is the stateless protocol: nothing that was evicted is built upon
    protect: entries of protected text (system prompt, instruction) are never evicted
    old_pixels: under `recompute`, the most pixels of screenshots before the newest; None for the model's own limit
    positions: `keep` leaves everybody where it was computed; `compact` closes the gaps of what was evicted. Under
        `recompute` there are none. Before the end of what the model was made for gaps are closed in any case
    """

    policy: Policy = field(default_factory=GuiKV)
    budget: Budget = field(default_factory=lambda: Budget(20, "percent"))
    moment: Moment = "next_observation"
    window: HistoryWindow = "shrink"
    history: int = 5
    protect: bool = True
    old_pixels: int | None = None
    positions: Positions = "keep"

    def __post_init__(self) -> None:
        for option, allowed in (("moment", Moment), ("window", HistoryWindow), ("positions", Positions)):
            value = getattr(self, option)
            if value not in get_args(allowed):
                raise SessionError(f"{option} must be one of {', '.join(get_args(allowed))}, not {value!r}")
        if self.history < 1:
            raise SessionError(f"history must be at least 1 screenshot, not {self.history}")
        if self.old_pixels is not None and (self.window != "recompute" or self.old_pixels < 1):
            raise SessionError("old_pixels is a number of pixels, and needs window 'recompute': others encode once")

    def to_dict(self) -> dict[str, Any]:
        """JSON form, by name."""
        data = dataclasses.asdict(self)
        return {**data, "policy": {"name": self.policy.name, **data["policy"]}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """What `to_dict` gave; names that are no settings are passed over.

        Raises KeyError and TypeError for missing or impossible values, PolicyError and SessionError for wrong ones.
        """
        data = {"positions": "keep", **data}  # sessions from before there was a choice
        named: dict[str, Any] = {
            f.name: data.get(f.name) if f.default is None else data[f.name]  # what may be empty may also be missing
            for f in dataclasses.fields(cls)
        }
        named["policy"], named["budget"] = make_policy(**named["policy"]), Budget(**named["budget"])
        return cls(**named)
