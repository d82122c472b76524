"""Every kept index of every method, against data produced by running GUI-KV's released classes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from guikv.policies import GuiKV, LayerView, Policy, PyramidKV, SnapKV, VLCache
from guikv.policies.base import select
from guikv.prompt import NO_FRAME

GOLDEN = Path(os.environ.get("GUIKV_GOLDEN", Path(__file__).parents[1] / "data" / "golden"))
RANK = 32
"""Of every golden run, whatever its head dimension."""
FILES = sorted(GOLDEN.glob("*.safetensors"))


def test_golden_folder_has_cases() -> None:
    assert FILES, f"no golden file in {GOLDEN}"


def read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["case"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def policy_for(method: str, case: dict[str, Any]) -> tuple[Policy, int, int]:
    """The policy of a golden method, its layer and the number of layers."""
    pooled = {
        "window": case["window"],
        "kernel": case["kernel"],
        "pooling": case["pooling"],
        "selection": "query",
    }
    if method.startswith("gui_kv"):
        return GuiKV(alpha=case["alpha"], temperature=case["temperature"], rank=RANK, **pooled), 0, 1
    if method.startswith("pyramid_kv"):
        layer, layers = method.removeprefix("pyramid_kv_layer").split("of")
        return PyramidKV(**pooled), int(layer), int(layers)
    if method == "snap_kv":
        return SnapKV(**pooled), 0, 1
    return VLCache(layerwise=False, **pooled), 0, 1


def view_of(
    case: dict[str, Any], data: dict[str, Tensor], spans: list[list[int]], layer: int, layers: int
) -> LayerView:
    heads, length = case["query_heads"], case["seq_len"]
    keys = data["key"].repeat_interleave(heads // case["kv_heads"], dim=1)
    frames = torch.full((1, heads, length), NO_FRAME)
    for number, (start, end) in enumerate(spans):
        frames[:, :, start:end] = number
    current = len(spans) - 1
    return LayerView(
        keys=keys,
        queries=data["query_window"],
        frames=frames,
        norms=data["hidden"].norm(dim=-1)[:, None].expand(1, heads, length),
        valid=torch.ones(1, heads, length, dtype=torch.bool),
        forced=torch.zeros(1, heads, length, dtype=torch.bool),
        current=current,
        salient=current,
        earlier_tokens=int(((frames[0, 0] >= 0) & (frames[0, 0] < current)).sum()),
        layer=layer,
        layers=layers,
        share=case["capacity"] / length,
    )


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_golden_kept_indices(path: Path) -> None:
    case, data = read(path)
    methods = [name.removeprefix("kept.") for name in data if name.startswith("kept.")]
    assert methods
    for method in methods:
        policy, layer, layers = policy_for(method, case)
        spans = case["frame_spans"][-1:] if method == "gui_kv_spatial_only" else case["frame_spans"]
        view = view_of(case, data, spans, layer, layers)
        window = case["vl_cache_window"] if method == "vl_cache" else case["window"]
        capacity = policy.capacities([view] * layers, case["capacity"], window)[layer]
        columns = select(policy.scores(view, window), view, capacity, window, window)
        assert columns is not None
        kept = columns[columns < case["seq_len"] - window].view(1, case["query_heads"], -1)
        assert torch.equal(kept.int(), data[f"kept.{method}"]), method
