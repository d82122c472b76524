"""Plug-and-play: `with compress(model, …): model.generate(…)` on a plain transformers model."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM, Qwen2_5_VLForConditionalGeneration

import guikv
from guikv.errors import BudgetError, ModelError, SessionError
from guikv.policies import POLICIES, Full, GuiKV, make_policy
from tests.guikv.test_golden_policies import GOLDEN, RANK

FOLDER = GOLDEN / "model_end_to_end"
with safe_open(FOLDER / "case.safetensors", "pt") as _file:
    CASE = json.loads(_file.metadata()["case"])
IMAGE_TOKEN, NEW = CASE["image_token_id"], CASE["new_tokens"]


@pytest.fixture(scope="module")
def model() -> Qwen2_5_VLForConditionalGeneration:
    return Qwen2_5_VLForConditionalGeneration.from_pretrained(FOLDER / "model", dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def data() -> dict[str, torch.Tensor]:
    with safe_open(FOLDER / "case.safetensors", "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def inputs(data: dict[str, torch.Tensor]) -> dict[str, Any]:
    ids = data["input_ids"]
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == IMAGE_TOKEN).int(),
        "pixel_values": data["pixel_values"],
        "image_grid_thw": data["image_grid_thw"],
    }


GENERATE: dict[str, Any] = {
    "max_new_tokens": NEW,
    "do_sample": False,
    "output_logits": True,
    "return_dict_in_generate": True,
    "eos_token_id": None,
}


@pytest.mark.parametrize("percent", [10, 20, 40])
def test_golden_through_generate(percent: int, model: Any, data: dict[str, torch.Tensor]) -> None:
    with guikv.compress(model, GuiKV(selection="query", rank=RANK), budget=f"{percent}%"):
        out = model.generate(**inputs(data), **GENERATE)
    logits = torch.cat(out.logits)
    torch.testing.assert_close(logits, data[f"gui_kv_{percent}.logits"], atol=1e-4, rtol=1e-4)
    assert torch.equal(out.sequences[0, -NEW:].int(), data[f"gui_kv_{percent}.tokens"].int())


@pytest.mark.parametrize("name", list(POLICIES))
def test_every_policy_generates(name: str, model: Any, data: dict[str, torch.Tensor]) -> None:
    with guikv.compress(model, make_policy(name), budget="20%"):
        out = model.generate(**inputs(data), **GENERATE)
    entries, prompt = out.past_key_values.layers[0].entries - (NEW - 1), data["input_ids"].shape[1]
    assert (entries == prompt) if name == "full" else (entries < prompt * 0.45)


def test_batches_equal_single_sequences(model: Any, data: dict[str, torch.Tensor]) -> None:
    one = inputs(data)
    two = {k: v.repeat(2, *[1] * (v.ndim - 1)) for k, v in one.items()}
    two["input_ids"][1, 1:4] = torch.tensor([7, 8, 9])
    with guikv.compress(model, GuiKV(), budget="20%"):
        batch = model.generate(**two, **GENERATE)
        single = model.generate(**one, **GENERATE)
        other = model.generate(**{**one, "input_ids": two["input_ids"][1:]}, **GENERATE)
    for step, row in enumerate(batch.logits):
        torch.testing.assert_close(row[:1], single.logits[step], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(row[1:], other.logits[step], atol=1e-4, rtol=1e-4)


def test_nothing_stays_behind(model: Any, data: dict[str, torch.Tensor]) -> None:
    before = model.generate(**inputs(data), **GENERATE)
    state = model.config.text_config._attn_implementation
    with guikv.compress(model, GuiKV(), budget="20%"):
        model.generate(**inputs(data), **GENERATE)
    with pytest.raises(RuntimeError, match="stop here"), guikv.compress(model, GuiKV(), budget="20%"):
        raise RuntimeError("stop here")
    after = model.generate(**inputs(data), **GENERATE)
    assert torch.equal(torch.cat(before.logits), torch.cat(after.logits))
    assert isinstance(after.past_key_values, DynamicCache)
    assert model.config.text_config._attn_implementation == state
    assert not model._forward_hooks
    assert not model._forward_pre_hooks
    assert all(not m._forward_pre_hooks for m in model.modules())


def test_unknown_architecture_and_bad_input(model: Any, data: dict[str, torch.Tensor]) -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=10, **sizes))
    with pytest.raises(ModelError, match="llama"), guikv.compress(llama, GuiKV()):
        pass
    with pytest.raises(BudgetError), guikv.compress(model, GuiKV(), budget="300%"):
        pass
    padded = inputs(data)
    padded["attention_mask"] = padded["attention_mask"].clone()
    padded["attention_mask"][0, 0] = 0
    with pytest.raises(SessionError, match="padded"), guikv.compress(model, Full(), budget="20%"):
        model.generate(**padded, **GENERATE)
    assert not model._forward_hooks
