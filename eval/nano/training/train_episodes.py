"""Train nano's decoder on whole episodes, with what the frozen vision tower sees computed beforehand.

guikv nano train episodes --start DIR --episodes DIR --pages DIR --minutes 60 --out runs/nano [--resume]

Plain next-token prediction of the replies, plus one auxiliary loss through a linear head that does not ship: the
last token before a reply also predicts the word that the reply will name (multi-token prediction).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration

from eval.nano.training.chat import build_tokenizer, word_ids
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.features import load_features, tower_digest
from eval.nano.training.lessons import SHARES, fill_shelf, make_lessons
from eval.nano.training.losses import answer_loss
from eval.nano.training.model import HIDDEN
from eval.nano.training.runs import Means, Progress, Run, add_run_options, cosine_fall
from eval.nano.training.samples import Batch, DataProcess
from guikv.nano import WEIGHTS

PLAN = 0.3
"""Weight of the auxiliary loss."""


class Planner(nn.Module):
    """Reads, off the last token before a reply, the word that the reply names; not part of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = nn.Linear(HIDDEN, HIDDEN, bias=False)
        nn.init.zeros_(self.turn.weight)


@dataclass
class EpisodesProgress(Progress):
    """With the lessons that were given."""

    lessons: int = 0


class Teacher:
    """One optimisation step: batch arrays -> gradients."""

    def __init__(self, forward: FastForward, planner: Planner, features: Tensor) -> None:
        self.forward, self.planner = forward, planner
        self.rows = features.view(-1, features.shape[-1])
        tokenizer = build_tokenizer()
        vocab = torch.tensor(list(word_ids(tokenizer).values()))
        size = forward.model.config.text_config.vocab_size
        is_word = torch.zeros(size, dtype=torch.bool).scatter(0, vocab, True).to(forward.device)
        self.weight = torch.full((size,), 0.5, device=forward.device).masked_fill(is_word, 4.0)
        self.weight[[tokenizer.token_to_id(d) for d in "0123456789"]] = 2.5
        # What is said instead of a control's name.
        self.weight[tokenizer.token_to_id("down")] = 4.0
        self.named = self.weight == 4.0

    def part(self, arrays: Batch, means: Means) -> Tensor:
        """Loss of lessons of like length."""
        device = self.forward.device
        ids, labels, positions = (torch.from_numpy(arrays[k]).to(device) for k in ("ids", "labels", "positions"))
        image = self.rows[torch.from_numpy(arrays["cells"])].to(device).float()
        hidden = self.forward.decode(ids, positions, image).hidden[:, :-1]
        targets = labels[:, 1:]
        asked = targets >= 0
        loss, right = answer_loss(self.forward.logits(hidden[asked]), targets[asked], self.weight)
        exact = torch.ones_like(asked).masked_scatter(asked, right)
        named = exact | ~self.named[targets.clamp(min=0)]
        for name, one, other in zip(arrays["names"], named.all(-1).tolist(), exact.all(-1).tolist(), strict=True):
            means.add(f"{name}_named", float(one))
            means.add("exact", float(other))
        # A reply begins with "Thought: "; the word it names is the token after that.
        begins = asked & ~functional.pad(asked, (1, -1))
        planned = self.forward.logits(self.planner.turn(hidden[begins]))
        plan = functional.cross_entropy(planned, targets[functional.pad(begins, (1, -1))])
        means.add("answer", float(loss.detach()), len(ids))
        means.add("plan", float(plan.detach()), len(ids))
        return loss + PLAN * plan

    def step(self, batch: Batch, means: Means) -> None:
        """Accumulate the gradients of a batch."""
        total = sum(len(p["ids"]) for p in batch["parts"])
        for arrays in batch["parts"]:
            (self.part(arrays, means) * (len(arrays["ids"]) / total)).backward()


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    p = argparse.ArgumentParser(prog="guikv nano train episodes", description=(__doc__ or "").splitlines()[0])
    p.add_argument("--start", type=Path, default=WEIGHTS, help="checkpoint whose vision tower can read")
    p.add_argument("--episodes", type=Path, required=True, help="folder made by envs.playground.episodes")
    p.add_argument("--pages", default="", help="folders of rendered click pages, colon-separated")
    p.add_argument("--store", type=Path, help="folder for the screens' features (default: OUT/features)")
    p.add_argument("--minutes", type=float, default=60.0, help="training time, earlier parts included")
    p.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    p.add_argument("--batch", type=int, default=64, help="lessons in a step")
    add_run_options(p)
    return p.parse_args(argv)


class EpisodesRun(Run):
    """The second stage: whole episodes, on screens that the tower has seen beforehand."""

    heads_name, log_name, log_every = "planner", "episodes", 20.0
    curves = tuple(f"{name}_named" for name in SHARES)
    heads: Planner
    progress: EpisodesProgress

    def __init__(self, args: argparse.Namespace) -> None:
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(args.start, dtype=torch.float32)
        model.model.visual.requires_grad_(False)
        super().__init__(args, model, Planner(), EpisodesProgress())
        shelf = fill_shelf(args.episodes, [Path(p) for p in args.pages.split(":") if p])
        store = args.store or args.out / "features"
        features, _ = load_features(self.forward, shelf.paths, store, tower_digest(model.model.visual))
        self.teacher = Teacher(self.forward, self.heads, features)
        self.whole = 0.0
        settings = {
            "episodes": str(args.episodes), "pages": args.pages, "busy": str(store / "busy.npy"),
            "batch": args.batch, "whole": self.whole, "shares": SHARES,
        }  # fmt: skip
        self.feed = DataProcess(make_lessons, args.seed * 1000003 + self.progress.step, settings)

    def rate(self) -> float:
        """Learning rate: 100 steps of warm-up, level, then a cosine to a thirtieth over the last 60 %."""
        return float(self.args.rate * min(1.0, (self.progress.step + 1) / 100) * cosine_fall(self.done, 0.4))

    def step(self) -> None:
        """One batch; the share of batches with every cell of every screen is greater in the last quarter."""
        whole = 0.35 if self.done < 0.75 else 0.6
        if self.whole != whole:
            self.whole = whole
            self.feed.update(whole=whole)
        batch = self.feed.next()
        self.teacher.step(batch, self.means)
        self.means.add("norm", self.optimisers.step(self.rate()))
        self.progress.step += 1
        self.progress.lessons += sum(len(part["ids"]) for part in batch["parts"])

    def position(self) -> dict[str, Any]:
        """Steps and lessons."""
        return {"step": self.progress.step, "lessons": self.progress.lessons}


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    EpisodesRun(parse_args(argv)).train()
