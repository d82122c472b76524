"""Pictures of whole right episodes, with what to do at each step, as fast as one Chromium gives them.

python -m envs.playground.episodes --task order --seeds 1000000:1002000 --out DIR
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envs.playground.page import SCROLL_CLICKS, SIDE, WHEEL_PIXELS, Page
from envs.playground.render import COLUMNS, ROWS, Command, Renderer, own, seeds
from envs.playground.solve import Element, Memory, Step, solve
from envs.playground.tasks import TASKS, make_page

MOST_STEPS = 20
"""More steps than any right episode has."""


@dataclass(frozen=True)
class Frame:
    """One screen of an episode: PNG of SIDE x SIDE pixels, what is on it, and the right step from it."""

    png: bytes
    elements: list[Element]
    step: Step


@dataclass(frozen=True)
class Episode:
    """A page and its frames, one for each step that is needed."""

    page: Page
    frames: list[Frame]


@dataclass
class _Run:
    """An episode under way in a frame of the grid."""

    page: Page
    memory: Memory = field(default_factory=Memory)
    frames: list[Frame] = field(default_factory=list)

    def command(self, number: int) -> Command:
        """Load the page, or perform the last step on it, in frame `number` of the grid."""
        if not self.frames:
            return number, self.page.harness, self.page.html, None
        action = action_of(self.frames[-1].step)
        if action["type"] == "scroll":
            action["pixels"] = SCROLL_CLICKS * WHEEL_PIXELS
        return number, self.page.harness, None, action

    def picture(self, png: bytes, elements: list[Element]) -> None:
        """Take down what is on the screen, and what to do there."""
        step, self.memory = solve(self.page.task, self.page.goal, elements, self.memory)
        self.frames.append(Frame(png, elements, step))


def play(pages: Iterable[Page]) -> Iterator[Episode]:
    """Right episodes of the pages, in about their order: a short one may overtake a long one.

    Raises RuntimeError where the right steps do not solve a page.
    """
    waiting = iter(pages)
    runs: dict[int, _Run] = {}
    with Renderer() as renderer:
        while True:
            free = [number for number in range(COLUMNS * ROWS) if number not in runs]
            runs |= {number: _Run(page) for number, page in zip(free, waiting, strict=False)}
            if not runs:
                return
            states = renderer.drive([run.command(number) for number, run in runs.items()])
            shown = {number: elements for number, (_, elements) in zip(runs, states, strict=True)}
            for number, (verdict, _) in zip(list(runs), states, strict=True):
                run = runs[number]
                if verdict["success"]:
                    del runs[number]
                    yield Episode(run.page, run.frames)
                elif verdict["done"] or len(run.frames) == MOST_STEPS:
                    raise RuntimeError(f"the right steps do not solve {run.page.task} {run.page.seed}: a broken page")
            if runs:
                for (number, run), png in zip(runs.items(), renderer.pictures(runs), strict=True):
                    run.picture(png, shown[number])


def action_of(step: Step) -> dict[str, Any]:
    """The step as it stands in the file: with the control's or field's word, and the box to click."""
    if step.element is None:
        return {"type": "scroll"}
    if step.type == "type":
        return {"type": "type", "field": step.element["word"], "text": step.text}
    return {"type": "click", **{key: step.element[key] for key in ("word", "kind", "box")}}


def record_of(episode: Episode, files: Sequence[str]) -> dict[str, Any]:
    """The line of the file for one episode whose frames are in `files`; elements off the screen are left out."""
    page = episode.page
    steps = [
        {"file": file, "elements": [e for e in frame.elements if _visible(e)], "action": action_of(frame.step)}
        for file, frame in zip(files, episode.frames, strict=True)
    ]
    return {"task": page.task, "seed": page.seed, "goal": page.goal, "chance": page.chance, "steps": steps}


def _visible(element: Element) -> bool:
    return bool(element["box"][3] > 0 and element["box"][1] < SIDE)


def done_seeds(path: Path) -> set[int]:
    """Seeds in an episode file; half a line at its end, of a run that was killed, is cut off."""
    if not path.exists():
        return set()
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with open(path, "r+b", opener=own) as file:
            file.truncate(len(whole))
    return {json.loads(line)["seed"] for line in whole.splitlines()}


def write_episodes(task: str, wanted: Iterable[int], out: Path) -> Iterator[Episode]:
    """Write the episodes of those seeds that the folder lacks, and give each when it is written."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{task}.jsonl"
    there = done_seeds(path)
    with open(path, "a", encoding="utf-8", opener=own) as lines:
        for episode in play(make_page(task, seed) for seed in wanted if seed not in there):
            files = [f"{task}-{episode.page.seed}-{number}.png" for number in range(len(episode.frames))]
            for file, frame in zip(files, episode.frames, strict=True):
                with open(out / file, "wb", opener=own) as picture:
                    picture.write(frame.png)
            lines.write(json.dumps(record_of(episode, files)) + "\n")
            lines.flush()
            yield episode


def main(argv: list[str] | None = None) -> int:
    """Write the episodes that the command line names; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m envs.playground.episodes", description=__doc__)
    parser.add_argument("--task", choices=tuple(TASKS), required=True)
    parser.add_argument("--seeds", type=seeds, required=True, help="FIRST:END, the end not included")
    parser.add_argument("--out", type=Path, required=True, help="folder for the PNG files and TASK.jsonl")
    options = parser.parse_args(argv)
    start, frames = time.monotonic(), 0
    for count, episode in enumerate(write_episodes(options.task, options.seeds, options.out), start=1):
        frames += len(episode.frames)
        if count % 25 == 0:
            _progress(count, frames, time.monotonic() - start)
    if frames:
        _progress(count, frames, time.monotonic() - start)
    sys.stderr.write("\n")
    return 0


def _progress(episodes: int, frames: int, seconds: float) -> None:
    speed = frames / max(seconds, 1e-9)
    sys.stderr.write(f"\r{episodes} episodes, {frames} frames, {speed:.1f} frames/s")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
