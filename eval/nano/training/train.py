"""Train nano from scratch on two CPU cores: to read, then to click; `episodes` goes on with whole tasks.

guikv nano train see --minutes 80 --read-minutes 25 --out runs/nano [--pages DIR] [--resume]
guikv nano train episodes --help

The reading stage trains the vision tower alone on walls of words that grow harder as it succeeds;
the acting stage trains everything on screens with instructions. A killed run goes on with
`--resume`; its plain checkpoint is always in OUT/weights.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from typing import Any

from eval.nano.training import train_episodes
from eval.nano.training.losses import AuxiliaryHeads, Stepper, Weights
from eval.nano.training.model import new_model
from eval.nano.training.runs import Progress, Run, add_run_options, cosine_fall
from eval.nano.training.samples import DataProcess, make_batches

EPILOG = "The second stage has options of its own: guikv nano train episodes --help"


@dataclass
class SeeProgress(Progress):
    """With what the curriculum has to know: `level` of the walls of words, and the `average` share that is read."""

    act_steps: int = 0
    screens: int = 0
    level: float = 0.0
    average: float = 0.0


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line of the trainer."""
    p = argparse.ArgumentParser(prog="guikv nano train see", description=(__doc__ or "").splitlines()[0], epilog=EPILOG)
    p.add_argument("--minutes", type=float, default=80.0, help="total training time, earlier parts included")
    p.add_argument("--read-minutes", type=float, default=25.0, help="of which only reading")
    p.add_argument("--pages", default="", help="folder of rendered pages (several: colon-separated)")
    p.add_argument("--rendered", type=float, default=0.5, help="share of screens taken from --pages")
    p.add_argument("--long", type=float, default=0.12, help="share of batches with several frames")
    p.add_argument("--rate", type=float, default=6e-3, help="peak learning rate")
    add_run_options(p)
    return p.parse_args(argv)


class SeeRun(Run):
    """The first stage: reads, then acts."""

    heads_name, log_name, log_every = "heads", "train", 15.0
    curves = ("read_ok", "wall_read_ok", "ground_ok", "word_ok", "digit_ok", "reply_ok", "level")
    unshown = ("minutes", "length", "place", "norm", "ground")
    heads: AuxiliaryHeads
    progress: SeeProgress

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args, new_model(args.seed), AuxiliaryHeads(), SeeProgress())
        self.stepper = Stepper(self.forward, self.heads)
        self.whole = False
        self.stage = "read" if self.progress.seconds < 60 * args.read_minutes else "act"
        settings = {
            "stage": self.stage, "level": self.progress.level, "screens": 16, "questions": 3, "full": 0.2,
            "long": args.long, "walls": 0.15, "pages": args.pages, "rendered": args.rendered,
        }  # fmt: skip
        self.feed = DataProcess(make_batches, args.seed * 1000003 + self.progress.step, settings)

    def acted(self) -> float:
        """How much of the acting stage is over, 0..1."""
        whole = max(self.args.minutes - self.args.read_minutes, 1e-6)
        return min(1.0, max(0.0, (self.progress.seconds / 60 - self.args.read_minutes) / whole))

    def rate(self) -> float:
        """Learning rate: warm up at the start of each stage, then fall to a thirtieth over the last 70 %."""
        p, peak = self.progress, self.args.rate
        if self.stage == "read":
            return float(peak * min(1.0, (p.step + 1) / 50))
        return float(0.5 * peak * min(1.0, (p.act_steps + 1) / 50) * cosine_fall(self.acted(), 0.3))

    def weights(self) -> Weights:
        """Attention supervision and pointer read-out fade to zero by 60 % of the acting stage."""
        fade = max(0.0, 1 - self.acted() / 0.6)
        return Weights(attention=0.5 * fade, answer=0.3 * fade, joint=self.acted() > 0.4)

    def step(self) -> None:
        """One batch, and the curriculum: acting after the minutes of reading, harder walls when they are read."""
        p = self.progress
        if self.stage == "read" and p.seconds >= 60 * self.args.read_minutes:
            self.stage = "act"
            self.feed.update(stage="act")
        if not self.whole and self.acted() > 0.7:
            self.whole = True
            self.feed.update(full=0.7)
        batch = self.feed.next()
        if self.stage == "read":
            loss, logged = self.stepper.read(batch)
        else:
            if p.act_steps == 0:
                self.heads.start_answers()
            loss, logged = self.stepper.act(batch, self.weights())
            p.act_steps += 1
        loss.backward()
        logged["norm"] = self.optimisers.step(self.rate(), vision=1.0 if self.stage == "read" else 0.35)
        p.step += 1
        p.screens += len(batch["patches"])
        ok = logged.get("read_ok", logged.get("wall_read_ok"))
        if ok is not None and (self.stage == "read" or "ids" not in batch):
            p.average += 0.05 * (ok - p.average)
            if p.step % 5 == 0 and p.average > 0.6 and p.level < 1:
                p.level = min(1.0, p.level + 0.02)
                self.feed.update(level=p.level)
        for key, value in logged.items():
            self.means.add(key, value)

    def position(self) -> dict[str, Any]:
        """Stage, steps, screens, and how hard walls of words are."""
        p = self.progress
        return {"stage": self.stage, "step": p.step, "screens": p.screens, "level": round(p.level, 2)}

    def train(self) -> None:
        """Run until the minutes are used up; compile time of the first steps is not counted."""
        print("compiling the vision blocks; this can take a minute or two", flush=True)
        self.step()
        super().train()


def main(argv: list[str] | None = None) -> None:
    """Entry point: `see` (the default) trains eyes and clicks, `episodes` the memory."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["episodes"]:
        train_episodes.main(words[1:])
        return
    args = parse_args(words[1:] if words[:1] == ["see"] else words)
    os.nice(5)
    SeeRun(args).train()


if __name__ == "__main__":
    main()
