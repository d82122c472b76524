"""Optimisers of nano, and saving their state without pickle."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from transformers import Qwen2_5_VLForConditionalGeneration

SMALL_RATE = 0.5
"""Rate of AdamW's parameters (biases, norms, filters, read-outs) relative to Muon's."""


def cosine_fall(done: float, start: float) -> float:
    """Factor of the rate when a share `done` of a run is over: 1 up to `start`, then a cosine to a thirtieth."""
    falling = max(0.0, done - start) / (1 - start)
    return 1 / 30 + 29 / 30 * 0.5 * (1 + math.cos(math.pi * falling))


class Optimisers:
    """Muon for the matrices inside blocks and layers, AdamW for everything else; embeddings are frozen.

    Both have the vision tower and the decoder in groups of their own, so that a tower that can
    read already may learn more slowly than the decoder on top of it.
    """

    def __init__(self, model: Qwen2_5_VLForConditionalGeneration, heads: nn.Module, rate: float) -> None:
        model.model.language_model.embed_tokens.weight.requires_grad_(False)
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        named += [(f"heads.{n}", p) for n, p in heads.named_parameters()]
        self.params = [p for _, p in named]
        self.names: list[list[str]] = []
        self.parts: list[torch.optim.Optimizer] = []
        for matrices in (True, False):
            groups, names = [], []
            for vision in (True, False):
                chosen = [
                    (n, p)
                    for n, p in named
                    if (p.ndim == 2 and not n.startswith("heads.")) == matrices and (".visual." in n) == vision
                ]
                groups.append({"params": [p for _, p in chosen], "vision": vision})
                names += [n for n, _ in chosen]
            self.names.append(names)
            if matrices:
                muon = torch.optim.Muon(
                    groups, lr=rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"
                )
                self.parts.append(muon)
            else:
                self.parts.append(torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=0.0))

    def step(self, rate: float, vision: float = 1.0) -> float:
        """Clip the gradients, step, clear; `vision` scales the tower's rate. Returns the gradient norm."""
        norm = float(nn.utils.clip_grad_norm_([p for p in self.params if p.grad is not None], 1.0))
        for part, factor in zip(self.parts, (1.0, SMALL_RATE), strict=True):
            for group in part.param_groups:
                group["lr"] = rate * factor * (vision if group["vision"] else 1.0)
            part.step()
            part.zero_grad(set_to_none=True)
        return norm

    def state(self) -> dict[str, Tensor]:
        """Moments by parameter name, flat."""
        out = {}
        for number, part in enumerate(self.parts):
            for key, values in part.state_dict()["state"].items():
                for field, value in values.items():
                    flat = f"{number}/{self.names[number][key]}/{field}"
                    out[flat] = torch.as_tensor(value).clone().contiguous()
        return out

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        for number, part in enumerate(self.parts):
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                which, name, field = key.split("/")
                if int(which) == number:
                    state.setdefault(self.names[number].index(name), {})[field] = value
            part.load_state_dict({"state": state, "param_groups": part.state_dict()["param_groups"]})
