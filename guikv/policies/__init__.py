"""Compression methods: which cached entries to keep. One file per method, one registry."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

from guikv.errors import PolicyError
from guikv.policies.base import LayerView, Policy
from guikv.policies.baselines import Full, Random, RecentFrames, StreamingLLM
from guikv.policies.gui_kv import GuiKV
from guikv.policies.pyramid_kv import PyramidKV
from guikv.policies.snap_kv import SnapKV
from guikv.policies.vl_cache import VLCache

POLICIES: dict[str, type[Policy]] = {
    "gui_kv": GuiKV,
    "snap_kv": SnapKV,
    "pyramid_kv": PyramidKV,
    "vl_cache": VLCache,
    "streaming_llm": StreamingLLM,
    "recent_frames": RecentFrames,
    "random": Random,
    "full": Full,
}


def make_policy(name: str, **options: Any) -> Policy:
    """The policy of that name. Raises PolicyError for an unknown name or option, naming the nearest known one."""
    if name not in POLICIES:
        raise PolicyError(f"there is no policy {name!r}{_nearest(name, POLICIES)}; known: {', '.join(POLICIES)}")
    known = {f.name for f in dataclasses.fields(POLICIES[name])}
    for option in options:
        if option not in known:
            raise PolicyError(f"the policy {name!r} has no option {option!r}{_nearest(option, known)}")
    return POLICIES[name](**options)


def _nearest(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


__all__ = [
    "POLICIES",
    "Full",
    "GuiKV",
    "LayerView",
    "Policy",
    "PyramidKV",
    "Random",
    "RecentFrames",
    "SnapKV",
    "StreamingLLM",
    "VLCache",
    "make_policy",
]
