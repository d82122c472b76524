"""The training forward is the transformers forward."""

from __future__ import annotations

import random

import numpy as np
import torch

from eval.nano.training.chat import Encoder
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.model import MEAN, STD, new_model
from eval.nano.training.samples import longer_episode, pack, to_patches
from eval.nano.training.screens import control_page, done_page


def test_logits_equal_transformers() -> None:
    rng = random.Random(3)
    model = new_model(0).eval()
    screens = [control_page(rng), done_page(rng)]
    episode = longer_episode(rng, 0, screens[0], 1)
    batch = pack(Encoder(), screens, [episode], rng, full=1.0)
    forward = FastForward(model, torch.float32)
    ids, positions = torch.from_numpy(batch["ids"]), torch.from_numpy(batch["positions"])
    length = int((positions[0, 0] > 0).sum()) + 1
    with torch.no_grad():
        image = forward.see(torch.from_numpy(batch["patches"])).flatten(0, 1)[torch.from_numpy(batch["cells"])]
        fast = forward.logits(forward.decode(ids, positions, image).hidden)[0, :length]
        frames = [screens[t.screen] for t in episode.turns]
        patches = torch.from_numpy(np.concatenate([to_patches(s.pixels) for s in frames])).float()
        patches = patches.view(-1, 3, 1, 196) / 255
        pixels = (patches - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
        ids = ids[:, :length]
        plain = model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            mm_token_type_ids=(ids == model.config.image_token_id).int(),
            pixel_values=pixels.expand(-1, -1, 2, -1).reshape(len(patches), -1),
            image_grid_thw=torch.tensor([[1, 20, 20]] * len(frames)),
        ).logits[0]
    assert torch.allclose(fast, plain, atol=1e-4)


def test_blank_cells_can_be_left_out() -> None:
    rng = random.Random(4)
    screen = control_page(rng)
    episode = longer_episode(rng, 0, screen, 0)
    whole = pack(Encoder(), [screen], [episode], rng, full=1.0)
    sparse = pack(Encoder(), [screen], [episode], rng, full=0.0)
    assert len(sparse["cells"]) < len(whole["cells"])
    kept, every = sparse["positions"][:, 0].T.tolist(), whole["positions"][:, 0].T.tolist()
    assert {tuple(p) for p in kept} <= {tuple(p) for p in every}
