"""Train nano's decoder on whole episodes, with what the frozen vision tower sees computed beforehand.

guikv nano train episodes --start DIR --episodes DIR --pages DIR --minutes 60 --out runs/nano [--resume]

Plain next-token prediction of the replies, plus one auxiliary loss through a linear head that does not ship: the
last token before a reply also predicts the word that the reply will name (multi-token prediction).
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration

from eval.nano.training.config import HIDDEN
from eval.nano.training.data_process import DataProcess
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.features import load_features, tower_digest
from eval.nano.training.lessons import SHARES, fill_shelf, make_lessons
from eval.nano.training.losses import answer_loss
from eval.nano.training.optimiser import Optimisers, cosine_fall
from eval.nano.training.runs import add_run_options, draw_curve, load_run, pick_device, save_run
from eval.nano.training.threads import ThreadChoice
from eval.nano.training.tokenizer import build_tokenizer, word_ids
from guikv.files import appending, make_folder
from guikv.nano import WEIGHTS

SAVE_EVERY = 60.0
LOG_EVERY = 20.0
PLAN = 0.3
"""Weight of the auxiliary loss."""


class Planner(nn.Module):
    """Reads, off the last token before a reply, the word that the reply names; not part of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = nn.Linear(HIDDEN, HIDDEN, bias=False)
        nn.init.zeros_(self.turn.weight)


@dataclass
class Progress:
    """What a resumed run has to know besides tensors."""

    step: int = 0
    seconds: float = 0.0
    lessons: int = 0


@dataclass
class Means:
    """Running sums between two lines of the log."""

    sums: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, name: str, value: float, count: float = 1.0) -> None:
        """Add a mean of `count` things."""
        self.sums[name] += value * count
        self.counts[name] += count

    def take(self) -> dict[str, float]:
        """All means since the last call."""
        out = {k: round(self.sums[k] / self.counts[k], 4) for k in sorted(self.sums) if self.counts[k]}
        self.sums.clear()
        self.counts.clear()
        return out


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

    def part(self, arrays: dict[str, Any], means: Means) -> Tensor:
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

    def step(self, batch: dict[str, Any], means: Means) -> None:
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


class Run:
    """A training run: model, optimisers, data and where it stands."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.model = Qwen2_5_VLForConditionalGeneration.from_pretrained(args.start, dtype=torch.float32)
        device = pick_device(args.device)
        self.model.to(device)
        self.planner = Planner().to(device)
        self.model.model.visual.requires_grad_(False)
        self.optimisers = Optimisers(self.model, self.planner, args.rate)
        self.progress = Progress()
        forward = FastForward(self.model, compiled=device.type == "cpu")
        shelf = fill_shelf(args.episodes, [Path(p) for p in args.pages.split(":") if p])
        store = args.store or args.out / "features"
        torch.set_num_threads(args.threads)
        features, _ = load_features(forward, shelf.paths, store, tower_digest(self.model.model.visual))
        if args.resume:
            self.progress = Progress(**load_run(args.out, self.model, {"planner": self.planner}, self.optimisers))
        self.teacher = Teacher(forward, self.planner, features)
        settings = {
            "episodes": str(args.episodes), "pages": args.pages, "busy": str(store / "busy.npy"),
            "batch": args.batch, "whole": 0.0, "shares": SHARES,
        }  # fmt: skip
        self.feed = DataProcess(make_lessons, args.seed * 1000003 + self.progress.step, settings)
        self.log_file = TextIOWrapper(appending(args.out / "episodes_log.jsonl"), "utf-8")

    def save(self) -> None:
        """Write the checkpoint and the resume state."""
        save_run(self.args.out, self.model, {"planner": self.planner}, self.optimisers, asdict(self.progress))

    @property
    def done(self) -> float:
        """How much of the run is over, 0..1."""
        return min(1.0, self.progress.seconds / 60 / max(self.args.minutes, 1e-6))

    def rate(self) -> float:
        """Learning rate: 100 steps of warm-up, level, then a cosine to a thirtieth over the last 60 %."""
        return float(self.args.rate * min(1.0, (self.progress.step + 1) / 100) * cosine_fall(self.done, 0.4))

    def whole(self) -> float:
        """Share of batches with every cell of every screen: few at first, most at the end."""
        return 0.35 if self.done < 0.75 else 0.6

    def log(self, means: Means) -> None:
        """One line of means since the last, to the log file and the terminal."""
        p = self.progress
        line: dict[str, Any] = {
            "minutes": round(p.seconds / 60, 2), "step": p.step, "lessons": p.lessons, "rate": round(self.rate(), 6),
            **means.take(),
        }  # fmt: skip
        self.log_file.write(json.dumps(line) + "\n")
        self.log_file.flush()
        left = max(0.0, self.args.minutes - p.seconds / 60)
        shown = " ".join(f"{k} {v}" for k, v in line.items() if k != "minutes")
        print(f"[{'#' * int(20 * self.done):<20}] {left:5.1f} min left  {shown}", flush=True)

    def train(self) -> None:
        """Run until the minutes are used up."""
        p = self.progress
        threads, means = ThreadChoice(self.args.threads), Means()
        logged = saved = clock = time.monotonic()
        share = -1.0
        while self.done < 1:
            if share != self.whole():
                share = self.whole()
                self.feed.update(whole=share)
            batch = self.feed.next()
            self.teacher.step(batch, means)
            means.add("norm", self.optimisers.step(self.rate()))
            p.step += 1
            p.lessons += sum(len(part["ids"]) for part in batch["parts"])
            threads.next()
            now = time.monotonic()
            p.seconds, clock = p.seconds + now - clock, now
            if now - logged > LOG_EVERY:
                self.log(means)
                logged = now
            if now - saved > SAVE_EVERY:
                self.save()
                saved = time.monotonic()
        self.log(means)
        self.save()
        self.feed.close()


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    args = parse_args(argv)
    make_folder(args.out)
    Run(args).train()
    keys = [f"{name}_named" for name in SHARES]
    draw_curve(args.out / "episodes_log.jsonl", args.out / "episodes_curve.png", keys)
