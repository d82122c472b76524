"""What both stages of training share: options, threads, optimisers, the loop with its log, and the run on disk."""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from io import TextIOWrapper
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import Qwen2_5_VLForConditionalGeneration

from eval.nano.training.chat import IDS, PROMPT, save_tokenizer
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.model import preprocessor_config
from eval.nano.training.samples import DataProcess
from guikv.files import appending, make_folder, replace_file, replacing

SAVE_EVERY = 60.0
SMALL_RATE = 0.5
"""Rate of AdamW's parameters (biases, norms, filters, read-outs) relative to Muon's."""


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of every training run."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")


def _busy_seconds() -> float:
    """Seconds of processor time that the whole machine has spent, idle and waiting time left out."""
    columns = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    ticks = [int(c) for c in columns[:8]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


class ThreadChoice:
    """Sets torch's thread count before each step to the cores that others left free; without /proc it stays at `most`.

    With a core taken by other work, a parallel loop waits for its preempted half: two threads are then several times
    slower than one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.watching = most > 1 and Path("/proc/stat").exists()
        torch.set_num_threads(most)
        self._mark()

    def _mark(self) -> None:
        self.clock, self.own = time.monotonic(), time.process_time()
        self.busy = _busy_seconds() if self.watching else 0.0

    def next(self) -> None:
        """Choose the threads of the next step from what others used since the last call."""
        if not self.watching:
            return
        wall = max(time.monotonic() - self.clock, 1e-3)
        others = (_busy_seconds() - self.busy - (time.process_time() - self.own)) / wall
        cores = os.cpu_count() or 1
        torch.set_num_threads(max(1, min(self.most, int(cores - others + 0.6))))
        self._mark()


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
        named = {n: p for n, p in model.named_parameters() if p.requires_grad}
        named |= {f"heads.{n}": p for n, p in heads.named_parameters()}
        self.params = list(named.values())
        self.names: list[list[str]] = []
        groups = []
        for matrices in (True, False):
            members = [n for n, p in named.items() if (p.ndim == 2 and not n.startswith("heads.")) == matrices]
            tower, others = ([n for n in members if (".visual." in n) == vision] for vision in (True, False))
            self.names.append(tower + others)
            groups.append([{"params": [named[n] for n in g], "vision": g is tower} for g in (tower, others)])
        self.parts: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(groups[0], lr=rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(groups[1], lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
        )

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
                for moment, value in values.items():
                    flat = f"{number}/{self.names[number][key]}/{moment}"
                    out[flat] = torch.as_tensor(value).clone().contiguous()
        return out

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `state` gave."""
        for number, part in enumerate(self.parts):
            state: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                which, name, moment = key.split("/")
                if int(which) == number:
                    state.setdefault(self.names[number].index(name), {})[moment] = value
            part.load_state_dict({"state": state, "param_groups": part.state_dict()["param_groups"]})


def save_checkpoint(model: Qwen2_5_VLForConditionalGeneration, folder: Path) -> None:
    """Write the plain checkpoint folder: configs, tokenizer, prompt, and the weights as fp16."""
    make_folder(folder)
    # Where a checkpoint was trained further from is a path of that machine.
    config = model.config.to_dict() | {"dtype": "float16", "_name_or_path": ""}
    generation = {
        "eos_token_id": IDS["<|im_end|>"], "pad_token_id": IDS["<|endoftext|>"],
        "do_sample": False, "max_new_tokens": 48,
    }  # fmt: skip
    replace_file(folder / "config.json", (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    replace_file(folder / "generation_config.json", (json.dumps(generation, indent=2) + "\n").encode())
    replace_file(folder / "preprocessor_config.json", (json.dumps(preprocessor_config(), indent=2) + "\n").encode())
    replace_file(folder / "prompt.txt", PROMPT.encode())
    save_tokenizer(folder)
    weights = {n: p.to(torch.float16).contiguous() for n, p in _shipped(model).items()}
    with replacing(folder / "model.safetensors") as file:
        save_file(weights, file.name, metadata={"format": "pt"})


def _shipped(model: Qwen2_5_VLForConditionalGeneration) -> dict[str, Tensor]:
    """The model's tensors, tied ones once."""
    return {n: p.detach() for n, p in model.state_dict().items() if n != "lm_head.weight"}


def draw_curve(log: Path, picture: Path, keys: Sequence[str]) -> None:
    """Plot accuracies of a log over minutes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for key in keys:
        points = [(line["minutes"], line[key]) for line in lines if key in line]
        if points:
            axes.plot(*zip(*points, strict=True), label=key)
    axes.set_xlabel("minutes")
    axes.set_ylim(0, 1.02)
    axes.legend()
    figure.tight_layout()
    with replacing(picture) as file:
        figure.savefig(file, format="png", dpi=110)
    pyplot.close(figure)


@dataclass
class Progress:
    """What a resumed run has to know besides tensors."""

    step: int = 0
    seconds: float = 0.0


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


class Run:
    """A run of one stage: the model, `heads` that train along and do not ship, optimisers, and where it stands.

    Of the class, a stage gives the fields; it makes `feed`, says what a `step` does, at which `rate`, and what a line
    of its log holds besides means (`position`). With --resume it goes on from what `save` wrote.
    """

    heads_name: ClassVar[str]
    """The heads' file in OUT/state."""
    log_name: ClassVar[str]
    """What OUT/NAME_log.jsonl and OUT/NAME_curve.png begin with."""
    log_every: ClassVar[float]
    curves: ClassVar[Sequence[str]]
    """Means that the picture shows."""
    unshown: ClassVar[Sequence[str]] = ("minutes",)
    """What is in the log, but not on the terminal."""
    feed: DataProcess

    def __init__(
        self, args: argparse.Namespace, model: Qwen2_5_VLForConditionalGeneration, heads: nn.Module, progress: Progress
    ) -> None:
        auto = "cuda" if torch.cuda.is_available() else "cpu"
        device = torch.device(auto if args.device == "auto" else args.device)
        self.args, self.progress, self.means = args, progress, Means()
        self.model, self.heads = model.to(device), heads.to(device)
        self.optimisers = Optimisers(self.model, self.heads, args.rate)
        self.forward = FastForward(self.model, compiled=device.type == "cpu")
        make_folder(args.out)
        self.state = args.out / "state"
        if args.resume:
            self.model.load_state_dict(self._load("model"), strict=False)
            self.heads.load_state_dict(self._load(self.heads_name))
            self.optimisers.load(self._load("optimisers"))
            stored = json.loads((self.state / "progress.json").read_text())
            for known in fields(progress):
                setattr(progress, known.name, stored[known.name])
        self.log_path = args.out / f"{self.log_name}_log.jsonl"
        self.log_file = TextIOWrapper(appending(self.log_path), "utf-8")
        self.threads = ThreadChoice(args.threads)

    def _load(self, name: str) -> dict[str, Tensor]:
        return load_file(self.state / f"{name}.safetensors")

    def save(self) -> None:
        """Write the plain checkpoint to OUT/weights, all that a resumed run needs to OUT/state; each file at once."""
        make_folder(self.state)
        tensors = {
            "model": {n: p.clone() for n, p in _shipped(self.model).items()},
            "optimisers": self.optimisers.state(),
            self.heads_name: self.heads.state_dict(),
        }
        for name, values in tensors.items():
            with replacing(self.state / f"{name}.safetensors") as file:
                save_file(values, file.name)
        replace_file(self.state / "progress.json", json.dumps(asdict(self.progress)).encode())
        save_checkpoint(self.model, self.args.out / "weights")

    @property
    def done(self) -> float:
        """How much of the run is over, 0..1."""
        return float(min(1.0, self.progress.seconds / 60 / max(self.args.minutes, 1e-6)))

    def rate(self) -> float:
        """The learning rate of the next step."""
        raise NotImplementedError

    def step(self) -> None:
        """One batch: forward, backward, update, and where the run stands."""
        raise NotImplementedError

    def position(self) -> dict[str, Any]:
        """Where the run stands, for the log."""
        raise NotImplementedError

    def log(self) -> None:
        """One line of means since the last, to the log file and the terminal."""
        minutes = self.progress.seconds / 60
        line = {"minutes": round(minutes, 2), **self.position(), "rate": round(self.rate(), 6), **self.means.take()}
        self.log_file.write(json.dumps(line) + "\n")
        self.log_file.flush()
        shown = " ".join(f"{k} {v}" for k, v in line.items() if k not in self.unshown)
        left = max(0.0, self.args.minutes - minutes)
        print(f"[{'#' * int(20 * self.done):<20}] {left:5.1f} min left  {shown}", flush=True)

    def train(self) -> None:
        """Run until the minutes are used up, and draw what was logged."""
        logged = saved = clock = time.monotonic()
        while self.done < 1:
            self.step()
            self.threads.next()
            now = time.monotonic()
            self.progress.seconds, clock = self.progress.seconds + now - clock, now
            if now - logged > self.log_every:
                self.log()
                logged = now
            if now - saved > SAVE_EVERY:
                self.save()
                saved = time.monotonic()
        self.log()
        self.save()
        self.feed.close()
        draw_curve(self.log_path, self.args.out / f"{self.log_name}_curve.png", self.curves)
