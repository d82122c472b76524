"""The task pages of the `miniwob` package, in the same browser as everything else."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from playwright.async_api import Page as Tab

from envs.base import SetupError, Verdict
from envs.browser import Browser, BrowserOptions
from envs.browser_task import Hosted
from envs.folder_server import FolderServer

AREA = (160, 210)
"""Width and height of the part of a page that belongs to the task, at its top left, in CSS pixels."""

_VIEWPORT = (332, 320)
_LOAD_SECONDS = 60.0
_INSTALL = "pip install --no-deps miniwob"

_START = """([seed, milliseconds]) => {
  Math.seedrandom(String(seed));
  core.EPISODE_MAX_TIME = milliseconds;
  core.startEpisodeReal();
  const told = core.getUtterance();
  return typeof told === "string" ? told : told.utterance;
}"""

_BLANK = """
#reward-display, #click-canvas, #attention-canvas { display: none !important; }
body { background: #fff !important; }
"""
"""What a page shows beside the task area (its counters, a record of the clicks) belongs to no task."""

_STATE = """() => typeof WOB_DONE_GLOBAL === "undefined"
  ? null : { done: WOB_DONE_GLOBAL, reward: WOB_RAW_REWARD_GLOBAL }"""


def pages_folder() -> Path:
    """Folder of the package's pages. Raises SetupError where the package is missing."""
    spec = find_spec("miniwob")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "html"
        if folder.is_dir():
            return folder
    raise SetupError("the package miniwob, whose pages these are, is not installed", _INSTALL)


def task_names() -> tuple[str, ...]:
    """All tasks, in alphabetical order. Raises SetupError where the package is missing."""
    return tuple(sorted(file.stem for file in (pages_folder() / "miniwob").glob("*.html")))


def check_task(task: str) -> None:
    """Raises SetupError where the package or the task is missing."""
    if "/" in task or not (pages_folder() / "miniwob" / f"{task}.html").is_file():
        raise SetupError(f"miniwob has no task {task!r}", f"it has {', '.join(task_names()[:8])} …")


class MiniWob(Hosted):
    """One MiniWoB task at a time; `load` shows another in the same browser.

    Screenshots show the task area only, or a larger screen that is blank around it; `zoom` pixels per CSS pixel.
    """

    name = "miniwob"

    def __init__(self, browser: Browser, server: FolderServer, blank: bool = False) -> None:
        super().__init__(browser)
        self._server = server
        self._blank = blank
        self.task = ""
        self.seed = 0

    @classmethod
    def launch(
        cls,
        task: str,
        seed: int,
        zoom: int = 1,
        episode_seconds: float = 3600.0,
        options: BrowserOptions | None = None,
        viewport: tuple[int, int] | None = None,
    ) -> Self:
        """Start a task. Raises SetupError where the package or the task is missing, or the viewport is too small.

        Of `options`, the address, the viewport and the allow-list are set here. After `episode_seconds` the
        page itself calls the episode failed. `viewport` is a whole screen in CSS pixels, the task at its top left
        and white around it; None is the task area alone.
        """
        check_task(task)
        if viewport is not None and (viewport[0] < AREA[0] or viewport[1] < AREA[1]):
            raise SetupError(f"a viewport of {viewport[0]}x{viewport[1]} cuts the task, {AREA[0]}x{AREA[1]} in size")
        server = FolderServer(pages_folder())
        try:
            base = options or BrowserOptions(wheel_pixels=40)
            size, region = (_VIEWPORT, AREA) if viewport is None else (viewport, None)
            own = replace(base, url=None, viewport=size, region=region, zoom=zoom, allow_hosts=(server.host,))
            episode = cls(Browser.launch(own), server, blank=viewport is not None)
        except BaseException:
            server.close()
            raise
        try:
            episode.load(task, seed, episode_seconds)
        except BaseException:
            episode.close()
            raise
        return episode

    def load(self, task: str, seed: int, episode_seconds: float = 3600.0) -> None:
        """Begin an episode in the same browser.

        Raises SetupError where there is no such task, ActionFailed where its page does not get ready.
        """
        check_task(task)
        url = f"http://{self._server.host}/miniwob/{task}.html"

        async def show(tab: Tab) -> str:
            await tab.goto(url, wait_until="load")
            await tab.wait_for_function("typeof core !== 'undefined' && WOB_TASK_READY")
            if self._blank:
                await tab.add_style_tag(content=_BLANK)
            return str(await tab.evaluate(_START, [seed, episode_seconds * 1000]))

        self.task, self.seed = task, seed
        self.goal = self.browser.with_tab(show, _LOAD_SECONDS)
        self.browser.events()
        self.browser.screenshot()

    @property
    def reward(self) -> float:
        """The page's reward, -1 to 1, not reduced by the time taken; 0 until the episode is over."""
        state = self.browser.evaluate(_STATE)
        return float(state["reward"]) if state else 0.0

    def verdict(self) -> Verdict:
        """Success is a reward above 0."""
        state = self.browser.evaluate(_STATE)
        return Verdict(False) if state is None else Verdict(bool(state["done"]), state["done"] and state["reward"] > 0)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._server.close()


def open_task(task: str = "click-button", seed: int = 0, zoom: int = 1) -> MiniWob:
    """A task of the package in a Chromium of its own; `zoom` in screenshot pixels per CSS pixel. Raises SetupError."""
    return MiniWob.launch(task, seed, zoom)
