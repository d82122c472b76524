"""A training run on disk: the checkpoint, what it needs to go on after a kill, and the picture of its progress."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from eval.nano.training.config import IDS, PROMPT, preprocessor_config
from eval.nano.training.optimiser import Optimisers
from eval.nano.training.tokenizer import save_tokenizer
from guikv.files import make_folder, replace_file, replacing


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """The options of every training run."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` is CUDA where there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def save_checkpoint(model: Qwen2_5_VLForConditionalGeneration, folder: Path) -> None:
    """Write the plain checkpoint folder: configs, tokenizer, prompt, and the weights as fp16."""
    make_folder(folder)
    config = model.config.to_dict()
    config["dtype"] = "float16"
    # Where a checkpoint was trained further from is a path of that machine.
    config["_name_or_path"] = ""
    replace_file(folder / "config.json", (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    generation = {
        "eos_token_id": IDS["<|im_end|>"],
        "pad_token_id": IDS["<|endoftext|>"],
        "do_sample": False,
        "max_new_tokens": 48,
    }
    replace_file(folder / "generation_config.json", (json.dumps(generation, indent=2) + "\n").encode())
    replace_file(folder / "preprocessor_config.json", (json.dumps(preprocessor_config(), indent=2) + "\n").encode())
    replace_file(folder / "prompt.txt", PROMPT.encode())
    save_tokenizer(folder)
    state = {
        n: p.detach().to(torch.float16).contiguous() for n, p in model.state_dict().items() if n != "lm_head.weight"
    }
    with replacing(folder / "model.safetensors") as file:
        save_file(state, file.name, metadata={"format": "pt"})


def save_run(
    out: Path,
    model: Qwen2_5_VLForConditionalGeneration,
    heads: Mapping[str, torch.nn.Module],
    optimisers: Optimisers,
    progress: Mapping[str, Any],
) -> None:
    """Write the plain checkpoint to OUT/weights and all that a resumed run needs to OUT/state.

    `heads` are the modules that train along and do not ship. Every file is replaced at once.
    """
    state = make_folder(out / "state")
    tensors: dict[str, dict[str, Tensor]] = {
        "model": {n: p.detach().clone() for n, p in model.state_dict().items() if n != "lm_head.weight"},
        "optimisers": optimisers.state(),
        **{name: head.state_dict() for name, head in heads.items()},
    }
    for name, values in tensors.items():
        with replacing(state / f"{name}.safetensors") as file:
            save_file(values, file.name)
    replace_file(state / "progress.json", json.dumps(progress).encode())
    save_checkpoint(model, out / "weights")


def load_run(
    out: Path,
    model: Qwen2_5_VLForConditionalGeneration,
    heads: Mapping[str, torch.nn.Module],
    optimisers: Optimisers,
) -> dict[str, Any]:
    """Restore what `save_run` wrote and return the progress."""
    state = out / "state"
    model.load_state_dict(load_file(state / "model.safetensors"), strict=False)
    for name, head in heads.items():
        head.load_state_dict(load_file(state / f"{name}.safetensors"))
    optimisers.load(load_file(state / "optimisers.safetensors"))
    progress: dict[str, Any] = json.loads((state / "progress.json").read_text())
    return progress


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
