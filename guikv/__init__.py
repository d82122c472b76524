"""The model side: a KV cache that persists across the steps of an episode and is compressed by GUI-KV.

It knows nothing of agents, screens or benchmarks. Heavy modules load when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guikv.budget import Budget, parse_budget
    from guikv.engine.engine import Engine
    from guikv.engine.sampling import Sampling
    from guikv.generate_hook import compress
    from guikv.models import load_model
    from guikv.policies import POLICIES, GuiKV, make_policy
    from guikv.session import Session
    from guikv.settings import Settings

__all__ = [
    "POLICIES",
    "Budget",
    "Engine",
    "GuiKV",
    "Sampling",
    "Session",
    "Settings",
    "compress",
    "load_model",
    "make_policy",
    "parse_budget",
]

_HOMES = {
    "Budget": "guikv.budget",
    "Engine": "guikv.engine.engine",
    "Sampling": "guikv.engine.sampling",
    "parse_budget": "guikv.budget",
    "load_model": "guikv.models",
    "compress": "guikv.generate_hook",
    "POLICIES": "guikv.policies",
    "GuiKV": "guikv.policies",
    "make_policy": "guikv.policies",
    "Session": "guikv.session",
    "Settings": "guikv.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
