"""Pictures of playground pages, as fast as one Chromium gives them, with where every control is.

python -m envs.playground.render --task click --seeds 0:1000 --out DIR
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from envs.browser.chromium import find_chromium, launch_args
from envs.pictures import read_picture
from envs.playground.page import SIDE, Page
from envs.playground.tasks import TASKS, make_page

COLUMNS, ROWS = 4, 4
"""Pages that are pictured at once, each in a frame of its own."""

# document.write keeps a frame and its renderer, and runs the page's script at once. What the window holds of the
# page before would be kept with it.
_DRIVE = """(commands) => commands.map(([number, name, html, action]) => {
  const frame = frames[number];
  if (html !== null) {
    if (frame.frameElement.name !== "") delete frame[frame.frameElement.name];
    frame.frameElement.name = name;
    frame.document.open(); frame.document.write(html); frame.document.close();
    frame.scrollTo(0, 0);
  }
  if (action !== null) frame[name].perform(action);
  return [frame[name].verdict(), frame[name].elements()];
})"""

Command = tuple[int, str, str | None, dict[str, Any] | None]
"""Place in the grid, name of the harness, HTML to load first or None, action to perform then or None."""

_GRID = (
    "<style>body{margin:0;line-height:0}"
    f"iframe{{border:0;width:{SIDE}px;height:{SIDE}px}}</style>" + "<iframe></iframe>" * (COLUMNS * ROWS)
)


@dataclass(frozen=True)
class Rendered:
    """A page's first screen: PNG of SIDE x SIDE pixels, and controls as `Playground.elements` has them."""

    page: Page
    png: bytes
    elements: list[dict[str, Any]]


class Renderer:
    """A headless Chromium that shows a grid of pages and takes one picture of all. A context manager."""

    def __init__(self, executable: str | None = None) -> None:
        self._playwright = sync_playwright().start()
        try:
            self._browser = self._playwright.chromium.launch(
                executable_path=find_chromium(executable), args=launch_args()
            )
            tab = self._browser.new_page(
                viewport={"width": SIDE * COLUMNS, "height": SIDE * ROWS}, device_scale_factor=1
            )
            tab.set_content(_GRID)
            self._tab, self._cdp = tab, tab.context.new_cdp_session(tab)
        except BaseException:
            self._playwright.stop()
            raise

    def render(self, pages: Sequence[Page]) -> list[Rendered]:
        """Pictures of at most COLUMNS * ROWS pages."""
        states = self.drive([(number, page.harness, page.html, None) for number, page in enumerate(pages)])
        pictures = self.pictures(range(len(pages)))
        return [Rendered(page, png, state[1]) for page, png, state in zip(pages, pictures, states, strict=True)]

    def drive(self, commands: Sequence[Command]) -> list[tuple[dict[str, bool], list[dict[str, Any]]]]:
        """Load pages and perform actions of a harness: click, type, scroll. Gives verdicts and elements after that."""
        return [(verdict, elements) for verdict, elements in self._tab.evaluate(_DRIVE, list(commands))]

    def pictures(self, numbers: Iterable[int]) -> list[bytes]:
        """PNG files of what is shown at those places of the grid."""
        shot = self._cdp.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
        sheet = read_picture(base64.b64decode(shot["data"]))
        return [_cut(sheet, number) for number in numbers]

    def close(self) -> None:
        try:
            self._browser.close()
        finally:
            self._playwright.stop()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _cut(sheet: Image.Image, number: int) -> bytes:
    left, top = number % COLUMNS * SIDE, number // COLUMNS * SIDE
    file = io.BytesIO()
    sheet.crop((left, top, left + SIDE, top + SIDE)).save(file, "png", compress_level=1)
    return file.getvalue()


def target_of(page: Page, elements: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The control that the goal names in quotes, if it is on this screen."""
    named = re.search(r'"([^"]+)" (button|link|checkbox|field)\.$', page.goal)
    if named is None:
        return None
    return next((e for e in elements if (e["word"], e["kind"]) == named.groups()), None)


def record_of(rendered: Rendered, file: str) -> dict[str, Any]:
    """The line of pages.jsonl for one page; word, kind and box are null when the goal names nothing on screen."""
    target = target_of(rendered.page, rendered.elements) or {}
    return {
        "seed": rendered.page.seed,
        "file": file,
        "goal": rendered.page.goal,
        "word": target.get("word"),
        "kind": target.get("kind"),
        "box": target.get("box"),
        "elements": rendered.elements,
    }


def render_all(task: str, seeds: range) -> Iterator[Rendered]:
    """First screens of a task, in the order of the seeds."""
    with Renderer() as renderer:
        for start in range(seeds.start, seeds.stop, COLUMNS * ROWS):
            batch = range(start, min(start + COLUMNS * ROWS, seeds.stop))
            yield from renderer.render([make_page(task, seed) for seed in batch])


def own(path: str, flags: int) -> int:
    """The `opener` for `open` that never writes through a link that somebody laid in the way.

    Raises OSError for a link, and for a pipe that nobody reads instead of waiting.
    """
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)


def seeds(text: str) -> range:
    """An argument such as 0:1000. Raises argparse.ArgumentTypeError."""
    first, separator, end = text.partition(":")
    if not separator or not first.isdigit() or not end.isdigit() or int(first) >= int(end):
        raise argparse.ArgumentTypeError(f"seeds are FIRST:END, such as 0:1000, not {text!r}")
    return range(int(first), int(end))


def main(argv: list[str] | None = None) -> int:
    """Write the pages that the command line names; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m envs.playground.render", description=__doc__)
    parser.add_argument("--task", choices=sorted(TASKS), default="click")
    parser.add_argument("--seeds", type=seeds, required=True, help="FIRST:END, the end not included")
    parser.add_argument("--out", type=Path, required=True, help="folder for the PNG files and pages.jsonl")
    options = parser.parse_args(argv)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with open(out / "pages.jsonl", "a", encoding="utf-8", opener=own) as lines:
        for count, rendered in enumerate(render_all(options.task, options.seeds), start=1):
            file = f"{options.task}-{rendered.page.seed:07d}.png"
            with open(out / file, "wb", opener=own) as picture:
                picture.write(rendered.png)
            lines.write(json.dumps(record_of(rendered, file)) + "\n")
            if count % 25 == 0 or count == len(options.seeds):
                _progress(count, len(options.seeds), time.monotonic() - start)
    sys.stderr.write("\n")
    return 0


def _progress(count: int, total: int, seconds: float) -> None:
    bar = "#" * (30 * count // total)
    sys.stderr.write(f"\r[{bar:<30}] {count}/{total} {count / max(seconds, 1e-9):.1f} pages/s")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
