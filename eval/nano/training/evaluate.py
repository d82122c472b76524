"""Success of a checkpoint on rendered pages, through the plain transformers forward.

python -m eval.nano.training.evaluate --pages DIR [--weights DIR] [--limit N] [--blank]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoTokenizer, Qwen2_5_VLForConditionalGeneration

from eval.metrics.measures import interval
from eval.nano.training import chat
from eval.nano.training.stored import RenderedPage, load_pages
from guikv.nano import WEIGHTS

BATCH = 16
CLICK = re.compile(r"Thought: (.*)\nAction: click\(start_box='\((\d+),(\d+)\)'\)")


@dataclass(frozen=True)
class Clicker:
    """A checkpoint with its tokenizer and image processor."""

    model: Qwen2_5_VLForConditionalGeneration
    tokenizer: Any
    processor: Any
    prompt: str

    @classmethod
    def load(cls, folder: Path) -> Clicker:
        """Load a checkpoint folder in float32."""
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        prompt = (folder / "prompt.txt").read_text(encoding="utf-8").strip()
        return cls(model, AutoTokenizer.from_pretrained(folder), AutoImageProcessor.from_pretrained(folder), prompt)

    def _ids(self, goal: str) -> torch.Tensor:
        """Token ids of a goal and one frame (length,)."""
        prompt = self.prompt.replace("{instruction}", goal)
        text = chat.opening(prompt) + chat.FRAME.format(image=chat.IMAGE)
        ids: torch.Tensor = self.tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids[0]
        return ids

    @torch.no_grad()
    def replies(self, goals: list[str], screens: list[np.ndarray]) -> list[str]:
        """Greedy replies to goals on screens (height, width, 3).

        Prompts of equal length share a batch, so that no padding is needed.
        """
        prompts = [self._ids(goal) for goal in goals]
        out = [""] * len(goals)
        for length in sorted({len(p) for p in prompts}):
            same = [i for i, p in enumerate(prompts) if len(p) == length]
            for start in range(0, len(same), BATCH):
                chosen = same[start : start + BATCH]
                ids = torch.stack([prompts[i] for i in chosen])
                pictures = [Image.fromarray(screens[i]) for i in chosen]
                vision = self.processor(images=pictures, return_tensors="pt")
                new = self.model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    mm_token_type_ids=(ids == self.model.config.image_token_id).int(),
                    pixel_values=vision["pixel_values"],
                    image_grid_thw=vision["image_grid_thw"],
                    do_sample=False,
                    max_new_tokens=24,
                )[:, length:]
                for i, tokens in zip(chosen, new, strict=True):
                    out[i] = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return out


def hits(page: RenderedPage, reply: str) -> tuple[bool, bool]:
    """(names the right element, clicks inside its box)."""
    match = CLICK.match(reply)
    if match is None:
        return False, False
    x0, y0, x1, y1 = page.box
    x, y = int(match[2]), int(match[3])
    return match[1] == page.word, x0 <= x < x1 and y0 <= y < y1


def main(argv: list[str] | None = None) -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m eval.nano.training.evaluate")
    parser.add_argument("--pages", type=Path, required=True, help="folder with PNG files and pages.jsonl")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--limit", type=int, default=None)
    parser.add_argument("--blank", action="store_true", help="show white screens instead (chance level)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--misses", type=int, default=0, help="print this many failures")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    clicker = Clicker.load(args.weights)
    counts: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    pages = load_pages(args.pages, args.limit)
    missed = 0
    for start in range(0, len(pages), BATCH):
        part = pages[start : start + BATCH]
        screens = [page.screen().pixels for page in part]
        if args.blank:
            screens = [np.full_like(pixels, 255) for pixels in screens]
        for page, reply in zip(part, clicker.replies([p.goal for p in part], screens), strict=True):
            result = hits(page, reply)
            counts[page.kind].append(result)
            counts["all"].append(result)
            if not result[1] and missed < args.misses:
                missed += 1
                print(f"{page.path.name} {page.goal} {page.box} -> {reply!r}")
        print(f"\r{start + len(part)}/{len(pages)} pages", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for kind, results in sorted(counts.items()):
        n, good = len(results), sum(r[1] for r in results)
        named = sum(r[0] for r in results)
        print(f"{kind:9s} n={n:4d}  clicked {good / n:6.1%} ± {interval(good, n):.1%}  named {named / n:6.1%}")


if __name__ == "__main__":
    main()
