"""The pieces of training: losses flow, optimiser state survives a file, checkpoints load."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5_VLForConditionalGeneration

from eval.nano.training.chat import Encoder
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.losses import AuxiliaryHeads, Stepper, Weights
from eval.nano.training.model import new_model
from eval.nano.training.runs import Optimisers, save_checkpoint
from eval.nano.training.samples import pack, single_episodes
from eval.nano.training.screens import control_page


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    """A new model, one training step later."""
    rng = random.Random(0)
    screens = [control_page(rng) for _ in range(2)]
    episodes = [e for i, s in enumerate(screens) for e in single_episodes(rng, i, s, 2)]
    batch = pack(Encoder(), screens, episodes, rng, full=0.0)
    model, heads = new_model(0), AuxiliaryHeads()
    optimisers = Optimisers(model, heads, 1e-3)
    loss, logged = Stepper(FastForward(model), heads).act(batch, Weights())
    loss.backward()
    norm = optimisers.step(1e-3)
    return model, heads, optimisers, logged, norm


def test_one_step_reaches_every_trained_parameter(trained) -> None:
    model, _, optimisers, logged, norm = trained
    assert norm > 0
    assert logged["attention"] > 0
    state = optimisers.state()
    touched = {key.split("/")[1] for key in state}
    wanted = {n for n, p in model.named_parameters() if p.requires_grad}
    assert wanted <= touched


def test_optimiser_state_survives_a_file(trained, tmp_path: Path) -> None:
    model, heads, optimisers, _, _ = trained
    save_file(optimisers.state(), tmp_path / "o.safetensors")
    again = Optimisers(model, heads, 1e-3)
    again.load(load_file(tmp_path / "o.safetensors"))
    before, after = optimisers.state(), again.state()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[k], after[k]) for k in before)


def test_checkpoint_is_a_plain_transformers_folder(trained, tmp_path: Path) -> None:
    save_checkpoint(trained[0], tmp_path)
    loaded, info = Qwen2_5_VLForConditionalGeneration.from_pretrained(
        tmp_path, dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    ours = dict(trained[0].named_parameters())
    assert all(torch.allclose(p, ours[n], atol=2e-3) for n, p in loaded.named_parameters())
