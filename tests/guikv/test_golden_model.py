"""A whole tiny Qwen2.5-VL, loaded and run through the product's own path, against the released code's run."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors import safe_open
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from guikv.budget import Budget
from guikv.cache import PADDING
from guikv.models import Qwen25VL
from guikv.policies import Full, GuiKV
from guikv.prompt import NO_FRAME, Pixels, Prompt
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.test_golden_policies import GOLDEN, RANK

FOLDER = GOLDEN / "model_end_to_end"


@pytest.fixture(scope="module")
def data() -> dict[str, Tensor]:
    with safe_open(FOLDER / "case.safetensors", "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def case() -> dict:
    with safe_open(FOLDER / "case.safetensors", "pt") as file:
        return json.loads(file.metadata()["case"])


@pytest.fixture(scope="module")
def adapter() -> Qwen25VL:
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(FOLDER / "model", dtype=torch.float32)
    return Qwen25VL(model, tokenizer=None, processor=None)


def prompt_of(adapter: Qwen25VL, data: dict[str, Tensor], case: dict) -> Prompt:
    """The golden tokens as a prompt; positions come from the adapter, as in a live run."""
    ids = data["input_ids"][0]
    frames = torch.full_like(ids, NO_FRAME)
    images, positions, done, patch = {}, [], 0, 0
    for number, (start, end) in enumerate(case["frame_spans"]):
        frames[start:end] = number
        grid = tuple(data["image_grid_thw"][number].tolist())
        count = grid[0] * grid[1] * grid[2]
        images[number] = Pixels(
            grid, f"golden{number}", grid[1] // 2, grid[2] // 2, values=data["pixel_values"][patch : patch + count]
        )
        patch += count
        here = int(torch.cat(positions, 1).max()) + 1 if positions else 0
        positions.append(adapter.positions_of_text(here, start - done))
        here += start - done
        positions.append(adapter.positions_of_image(here, images[number]))
        done = end
    positions.append(adapter.positions_of_text(int(torch.cat(positions, 1).max()) + 1, len(ids) - done))
    unprotected = torch.zeros(len(ids), dtype=torch.bool)
    return Prompt(ids, torch.cat(positions, dim=1), frames, frames, unprotected, images)


@pytest.mark.parametrize("run", ["full", "gui_kv_10", "gui_kv_20", "gui_kv_40"])
def test_golden_logits_tokens_and_indices(run: str, adapter: Qwen25VL, data: dict[str, Tensor], case: dict) -> None:
    names = ("alpha", "temperature", "window", "kernel", "pooling")
    policy = Full() if run == "full" else GuiKV(selection="query", rank=RANK, **{n: case[n] for n in names})
    budget = Budget(100 if run == "full" else float(run.removeprefix("gui_kv_")), "percent")
    session = Session(adapter, Settings(policy, budget, moment="prefill", protect=False))
    prompt = prompt_of(adapter, data, case)
    session.extend(prompt)
    session.compress()
    session.ledger.verify(session.cache)
    if run != "full":
        for layer, kept in zip(session.cache.layers, data[f"{run}.kept"], strict=True):
            index = layer.index[0]
            assert not bool((index == PADDING).any())
            past = index[index < len(prompt) - case["window"]].view(index.shape[0], -1)
            assert torch.equal(past.int(), kept.int())
    for step in range(case["new_tokens"]):
        torch.testing.assert_close(session.next_logits, data[f"{run}.logits"][step], atol=1e-4, rtol=1e-4)
        token = int(session.next_logits.argmax())
        assert token == int(data[f"{run}.tokens"][step])
        session.feed(token)


def test_positions_equal_those_of_transformers(adapter: Qwen25VL, data: dict[str, Tensor], case: dict) -> None:
    ids = data["input_ids"]
    expected, _ = adapter.model.model.get_rope_index(
        ids, mm_token_type_ids=(ids == case["image_token_id"]).int(), image_grid_thw=data["image_grid_thw"]
    )
    assert torch.equal(prompt_of(adapter, data, case).positions, expected[:, 0])
