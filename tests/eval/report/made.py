"""Sweeps made by hand, with the numbers that they must lead to in plain sight."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from agent.config import CacheConfig, Config
from eval.replay.settings import ReplaySettings
from eval.rows import Row

CLICK = {"type": "click", "x": 30.0, "y": 20.0, "button": "left", "count": 1}
SIZE = (100, 80)
BOX = (10.0, 10.0, 50.0, 30.0)


def settings(
    policy: str = "gui_kv", budget: str = "20%", seed: int = 0, path: Path = Path("/nowhere"), **others: Any
) -> ReplaySettings:
    """Settings of a cell; of `others`, those that the cache has (options among them) go there."""
    cache = {name: others.pop(name) for name in list(others) if name in CacheConfig.model_fields}
    config = Config(cache=CacheConfig(policy=policy, budget=budget, **cache))
    return ReplaySettings(benchmark="playground", path=path, seed=seed, config=config, **others)


def cost(kv: float, full: float = 1000.0, **others: float) -> dict[str, Any]:
    figures = {"kv_bytes": kv, "full_kv_bytes": full, "tokens_new": 10, "flops": 50, "flops_stateless": 200}
    return {**figures, "tokens_reused": 5, "tokens_recomputed": 0, "tokens_generated": 3, **others}


def row(trajectory: str, step: int, score: float, kv: float | None = 100.0, **others: Any) -> Row:
    """A click, right by as much as `score` says; the release gives half of it."""
    given: dict[str, Any] = {
        "benchmark": "playground",
        "trajectory": trajectory,
        "step": step,
        "key": str(step),
        "split": "0",
        "kind": "click",
        "goal": f"goal of {trajectory}",
        "size": SIZE,
        "image": SIZE,
        "dialect": "ui_tars",
        "texts": (f"answer of {trajectory} {step}",),
        "views": (0,),
        "actions": (CLICK,),
        "gold": {"type": "click", "box": BOX, "text": ""},
        "scores": {"official": score, "release": score / 2},
        "cost": {} if kv is None else cost(kv),
        "seconds": {} if kv is None else {"vision": 0.5, "prefill": 0.25},
    }
    return Row(**{**given, **others})


def rows(scores: Mapping[str, Sequence[float]], kv: float | None = 100.0, **others: Any) -> list[Row]:
    """Trajectory → scores of its steps."""
    return [row(name, step, score, kv, **others) for name, given in scores.items() for step, score in enumerate(given)]


def cell(folder: Path, name: str, of: ReplaySettings, its: Iterable[Row], tail: str = "") -> Path:
    """Write a cell as a sweep does; `tail` comes after the rows."""
    place = folder / "cells" / name
    place.mkdir(parents=True)
    (place / "settings.json").write_text(json.dumps(of.identity()))
    lines = [json.dumps(one.model_dump(mode="json")) + "\n" for one in its]
    (place / "rows.jsonl").write_text("".join(lines) + tail)
    return place


FULL = {"a": (1.0, 1.0), "b": (1.0,), "c": (1.0,)}
LOW = {"a": (0.0, 1.0), "b": (0.0,), "c": (0.5,)}
HIGH = {"a": (1.0, 1.0), "b": (0.0,), "c": (1.0,)}


def sweep(folder: Path, path: Path = Path("/nowhere"), **others: Any) -> Path:
    """Full cache, one policy at two budgets, and random choice with two seeds."""
    cell(folder, "full", settings("full", "100%", path=path), rows(FULL, 1100.0, **others))
    cell(folder, "gui-5", settings(budget="5%", path=path), rows(LOW, 50.0, **others))
    cell(folder, "gui-20", settings(path=path), rows(HIGH, 200.0, **others))
    for seed, score in enumerate((0.0, 1.0)):
        wrong = {name: [score] * len(given) for name, given in FULL.items()}
        cell(folder, f"random-{seed}", settings("random", "20%", seed, path), rows(wrong, 200.0 + 20 * seed, **others))
    return folder


def episodes(
    folder: Path, names: Sequence[str] = ("a", "b", "c"), size: tuple[int, int] = SIZE, steps: int = 2
) -> Path:
    """The playground's data behind such rows: trajectories `a-0`, `b-0` …"""
    folder.mkdir(parents=True)
    lines = []
    for name in names:
        for step in range(steps):
            Image.new("RGB", size, (200, 40 * step, 90)).save(folder / f"{name}-{step}.png")
        action = {"type": "click", "box": BOX}
        its = [{"file": f"{name}-{step}.png", "action": action} for step in range(steps)]
        lines.append(json.dumps({"task": name, "seed": 0, "goal": "g", "chance": 0.5, "steps": its}) + "\n")
    (folder / "e.jsonl").write_text("".join(lines))
    return folder
