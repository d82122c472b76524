"""The memory check before loading: what is counted, and what is said where it does not fit."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch

from guikv.budget import Budget
from guikv.errors import DeviceMemoryError, ModelError
from guikv.models import Demand, load_model, memory
from guikv.models.base import Adapter, Shape
from guikv.models.checkpoint import Stored, announced_bytes, read_weights
from guikv.models.quantization import quantizable, quantization_config

SEVEN = Shape(28, 28, 4, 128, 3584, 18_944, 152_064)


def test_weights_are_counted_from_the_headers(checkpoint: Path, published: Adapter) -> None:
    weights = read_weights(checkpoint, "tiny")
    assert sum(w.count for w in weights) == published.parameters
    assert sum(w.nbytes for w in weights) == announced_bytes(checkpoint) == 2 * published.parameters
    assert memory.weight_bytes(weights, torch.float32) == 4 * published.parameters
    assert memory.weight_bytes(weights, torch.bfloat16) == 2 * published.parameters


def test_integers_keep_their_size() -> None:
    weights = (Stored("a.weight", (4, 4), "F32", 64), Stored("b", (10,), "I64", 80))
    assert memory.weight_bytes(weights, torch.float16) == 4 * 4 * 2 + 80


def test_quantized_weights_of_a_7b() -> None:
    """The decoder's matrices shrink; embeddings, output head, norms and the vision tower do not."""
    layer, hidden = "model.layers.0.mlp.gate_proj.weight", (18_944, 3584)
    assert quantizable(layer, 2)
    for name in ("lm_head.weight", "model.embed_tokens.weight", "visual.blocks.0.mlp.up_proj.weight", "vision_tower.a"):
        assert not quantizable(name, 2)
    assert not quantizable("model.norm.weight", 1)
    weights = (Stored(layer, hidden, "BF16", 2 * 18_944 * 3584),)
    whole = memory.weight_bytes(weights, torch.bfloat16)
    assert memory.weight_bytes(weights, torch.bfloat16, "8bit") == whole // 2
    assert 0.25 < memory.weight_bytes(weights, torch.bfloat16, "4bit") / whole < 0.26


def test_the_cache_is_counted_at_its_budget() -> None:
    per_token, image = SEVEN.bytes_per_token(torch.bfloat16), 2691
    assert per_token == 56 * 1024
    everything = Demand().cache_tokens(image, per_token)
    assert everything == 4096 + 5 * image + image
    assert Demand(Budget(20, "percent")).cache_tokens(image, per_token) == (4096 + 5 * image) // 5 + image
    assert Demand(Budget(2048, "tokens")).cache_tokens(image, per_token) == 2048 + image
    assert Demand(Budget(100 * 2**20, "bytes")).cache_tokens(image, per_token) == 100 * 2**20 // per_token + image
    many = Demand(Budget(2048, "tokens"), sessions=8)
    assert many.capacity(image, per_token) == 2048 + 2 * image
    assert many.cache_tokens(image, per_token) == 9 * (2048 + 2 * image)


def test_what_does_not_fit_is_told_with_figures(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 64 * 2**20
    monkeypatch.setattr(memory, "free_bytes", lambda device: free)
    with pytest.raises(DeviceMemoryError) as caught:
        load_model(str(small), device="cpu", dtype="float32")
    text = str(caught.value)
    parts = ("weights ", "KV cache ", " tokens", "vision cache ", "working memory ", "0.06 GiB are free", "cpu")
    assert all(part in text for part in (*parts, str(small), "--quantization 4bit", "--max-pixels"))


def test_a_smaller_demand_fits_where_the_usual_does_not(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modest = Demand(Budget(10, "percent"), history=1, screen=(320, 200), text=100)
    weights = sum(w.count for w in read_weights(small, "tiny")) * 4
    monkeypatch.setattr(memory, "free_bytes", lambda device: weights + 4 * 2**20)
    with pytest.raises(DeviceMemoryError):
        load_model(str(small), device="cpu", dtype="float32")
    assert load_model(str(small), device="cpu", dtype="float32", demand=modest).shape.layers == 3


def test_nothing_is_read_of_weights_that_are_not_whole(tmp_path: Path, small: Path) -> None:
    """A header that announces 500 TB stands for a file too large to be read."""
    for file in small.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors.index.json").unlink()
    end = 5 * 10**14
    header = json.dumps({"a": {"dtype": "BF16", "shape": [end // 2], "data_offsets": [0, end]}}).encode()
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 2**20)
    with pytest.raises(ModelError, match=r"cut short or damaged \(1,048,\d+ bytes\), download it again"):
        load_model(str(tmp_path), device="cpu")


def test_free_memory_of_this_machine() -> None:
    free = memory.free_bytes(torch.device("cpu"))
    assert free is None or free > 2**20
    assert memory.free_bytes(torch.device("meta")) is None


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    assert memory._left_in_group(tmp_path) is None
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 150\nfile 200\n")
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory._left_in_group(tmp_path) == 450
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._left_in_group(tmp_path) is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    512 kB\n")
    assert memory._available(tmp_path / "meminfo") == 512 * 1024
    assert memory._available(tmp_path / "nowhere") is None


def test_quantization_says_what_it_lacks(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="unknown quantization '3bit': use 4bit or 8bit"):
        load_model(str(small), quantization="3bit")
    here = {"bitsandbytes": False, "accelerate": False}
    monkeypatch.setattr("guikv.models.quantization.find_spec", lambda name: here[name] or None)
    with pytest.raises(ModelError, match="needs more packages: pip install bitsandbytes accelerate"):
        load_model(str(small), quantization="4bit")
    here.update(bitsandbytes=True, accelerate=True)
    with pytest.raises(ModelError, match="needs a CUDA device, not cpu"):
        load_model(str(small), quantization="8bit", device="cpu")
    assert quantization_config(None, torch.device("cpu"), torch.float32) is None
