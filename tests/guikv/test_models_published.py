"""Published layouts, loaded by the product's path, against transformers: names, tokens, positions, logits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.images import patches
from guikv.models.random_weights import QWEN3_8B, QWEN25_7B, Sizes, random_model, random_qwen3
from guikv.policies import Full
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.plain import Plain, conversation
from tests.guikv.published import QWEN25, write_checkpoint

CLOSE = {"atol": 1e-4, "rtol": 1e-4}
STEPS = 6


def test_published_files_are_understood(checkpoint: Path, published: Adapter) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    text = config.get("text_config", config)
    shape = published.shape
    assert published.family == config["model_type"]
    assert published.context == text["max_position_embeddings"]
    assert (shape.layers, shape.query_heads, shape.kv_heads) == (4, 4, 2)
    assert shape.head_dim == text.get("head_dim", text["hidden_size"] // 4)
    assert published.stop_ids == {151645, 151643}
    assert published.tokenizer.encode("Hello world") == [9707, 1879]
    assert published.dialect == {"qwen2_5_vl": "qwen25", "qwen3_vl": "qwen3"}[published.family]


def test_every_published_weight_arrives(checkpoint: Path, published: Adapter) -> None:
    plain = load_model(str(checkpoint), dtype="float32", device="cpu", pack_weights=False)
    held, stored = plain.model.state_dict(), {}
    assert plain.fingerprint == published.fingerprint
    for shard in checkpoint.glob("*.safetensors"):
        stored |= load_file(shard)
    if published.family == "qwen2_5_vl":
        places = (("visual.", "model.visual."), ("model.", "model.language_model."), ("lm_head.", "lm_head."))
        stored = {new + n.removeprefix(old): w for n, w in stored.items() for old, new in places if n.startswith(old)}
    assert stored.keys() == held.keys()
    assert all(torch.equal(held[name], weight.float()) for name, weight in stored.items())


@pytest.mark.parametrize("checkpoint", ["qwen2_5_vl"], indirect=True)
def test_both_generations_of_names_load(tmp_path: Path, checkpoint: Path, published: Adapter) -> None:
    """Copies saved by later versions of transformers have other weight names and a nested configuration."""
    folder = write_checkpoint("qwen2_5_vl", tmp_path, old_names=False)
    outer = ("architectures", "model_type", "tie_word_embeddings", "torch_dtype", "vision_config")
    nested = {k: v for k, v in QWEN25.items() if k in outer or k.endswith("token_id")}
    nested["text_config"] = {k: v for k, v in QWEN25.items() if k not in nested} | {"model_type": "qwen2_5_vl_text"}
    (folder / "config.json").write_text(json.dumps(nested))
    before, later = (
        load_model(str(f), dtype="float32", device="cpu", pack_weights=False) for f in (checkpoint, folder)
    )
    assert later.shape == published.shape
    for name, weight in before.model.state_dict().items():
        assert torch.equal(later.model.state_dict()[name], weight)


def test_tokens_and_positions_equal_transformers(published: Adapter, plain: Plain) -> None:
    messages = conversation(published.tokenizer, STEPS)
    prompt, inputs = published.encode(messages), plain.inputs(messages)
    assert torch.equal(prompt.ids, inputs["input_ids"][0])
    pixels = torch.cat([patches(prompt.images[n], published.processor) for n in range(STEPS)])
    assert torch.equal(pixels, inputs["pixel_values"])
    expected, _ = plain.model.model.get_rope_index(
        inputs["input_ids"], mm_token_type_ids=inputs["mm_token_type_ids"], image_grid_thw=inputs["image_grid_thw"]
    )
    assert torch.equal(prompt.positions, expected[:, 0])


def test_appending_equals_a_plain_forward(published: Adapter, plain: Plain) -> None:
    """Six steps, screenshots of six sizes: after each, the logits of a forward over the whole conversation."""
    session = Session(published, Settings(Full()))
    computed = 0
    for steps in range(1, STEPS + 1):
        messages = conversation(published.tokenizer, steps)
        session.extend(messages)
        session.ledger.verify(session.cache)
        torch.testing.assert_close(session.next_logits, plain.logits(messages), **CLOSE)
        assert session.cost.tokens_recomputed == 0
        computed += session.cost.tokens_new
    assert computed == session.tokens


@pytest.mark.parametrize("steps", [1, 4])
def test_all_at_once_equals_a_plain_forward(published: Adapter, plain: Plain, steps: int) -> None:
    session = Session(published, Settings(Full()))
    messages = conversation(published.tokenizer, steps)
    session.extend(messages)
    torch.testing.assert_close(session.next_logits, plain.logits(messages), **CLOSE)


def test_text_alone_equals_a_plain_forward(published: Adapter, plain: Plain) -> None:
    session = Session(published, Settings(Full()))
    messages = conversation(published.tokenizer, 0)
    session.extend(messages)
    torch.testing.assert_close(session.next_logits, plain.logits(messages), **CLOSE)


def test_generates_what_transformers_generates(published: Adapter, plain: Plain) -> None:
    session = Session(published, Settings(Full()))
    messages = conversation(published.tokenizer, 3)
    session.extend(messages)
    reply = session.generate(12, min_new_tokens=12)
    assert list(reply.ids) == plain.generate(messages, 12)


def test_image_settings_inside_the_processors_file(tmp_path: Path, small: Path) -> None:
    """Where transformers 5 saved the processor, it nests them."""
    folder = Path(shutil.copytree(small, tmp_path / "nested"))
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    nested = {"processor_class": "Qwen3VLProcessor", "image_processor": {**settings, "patch_size": 16}}
    (folder / "processor_config.json").write_text(json.dumps(nested))
    limits = load_model(str(folder), device="cpu").processor.size
    assert (limits["shortest_edge"], limits["longest_edge"]) == (32 * 32, 32 * 32 * 4096)


@pytest.mark.parametrize(
    ("make", "sizes", "parameters", "per_token"),
    [(random_model, QWEN25_7B, 8_292_166_656, 57_344), (random_qwen3, QWEN3_8B, 8_767_123_696, 147_456)],
)
def test_real_shapes_have_the_published_number_of_parameters(
    make: Any, sizes: Sizes, parameters: int, per_token: int
) -> None:
    adapter = make(sizes, device="meta", dtype=torch.bfloat16)
    assert adapter.parameters == parameters
    assert adapter.shape.bytes_per_token(torch.bfloat16) == per_token


@pytest.mark.parametrize("checkpoint", ["qwen2_5_vl"], indirect=True)
def test_dialect_of_ui_tars_is_known_by_its_name(tmp_path: Path, checkpoint: Path) -> None:
    folder = tmp_path / "ByteDance-Seed" / "UI-TARS-1.5-7B"
    shutil.copytree(checkpoint, folder)
    adapter = load_model(str(folder), device="cpu")
    assert adapter.dialect == "ui_tars"
    sizes = {(1920, 1080): (1932, 1092), (1080, 2400): (1092, 2408), (1280, 720): (1288, 728)}
    assert {size: adapter.image_size(size) for size in sizes} == sizes
