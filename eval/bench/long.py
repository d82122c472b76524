"""What a long episode costs late, against early: time, memory, record and entries, through the agent's own loop.

`scripted`: a screen of 1920x1080 that changes with every step, and the smallest random model, whose answers are
written for it; its tokens are its own. `browser`: the same model on a live page. `nano`: the shipped model on one
playground page after the other, in one episode.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

from agent.approval import Allow
from agent.assemble import make_brain
from agent.config import CacheConfig, LoopSettings
from agent.console import Silent
from agent.dialects import DIALECTS, Dialect, Parsed
from agent.history import History, Observation
from agent.loop import run_episode
from agent.model import Generation, SessionBrain
from agent.recorder import Recorder
from agent.records import StepRecord
from agent.report import build_report
from agent.runs import load_run
from envs.actions import Action, Wait
from envs.base import Event, Screenshot, Verdict
from envs.geometry import Resize, Size, Viewport
from eval.bench.reuse_world import TASK, action, screenshot, small_model, thought
from guikv.content import Message

if TYPE_CHECKING:
    from envs.base import Environment
    from envs.playground.live import Playground

SCREEN = Size(1920, 1080)
REPLY = 24
"""Tokens of an answer of the random model."""
WINDOW = 50
"""Steps whose means are compared; a short run compares quarters."""


PAGE = (
    "<title>clock</title><body style='font:40px sans-serif'><p id=c>0</p>"
    "<script>let n=0;setInterval(()=>{c.textContent=++n},50)</script>"
)
"""What the live browser shows: something new in every step."""


@dataclass
class Track:
    """Of every step: CPU and wall seconds, resident bytes of this process and of Chromium, record bytes, entries."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    chromium: list[int] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)


class Meter(Silent):
    """A console that notes what every step took."""

    def __init__(self, steps: Path, entries: Callable[[], int], report: Callable[[int], None]) -> None:
        self.track, self._steps, self._entries, self._report = Track(), steps, entries, report
        self._cpu, self._wall, self._size = time.process_time(), time.perf_counter(), 0

    def step(self, record: StepRecord) -> None:
        cpu, wall, size, track = time.process_time(), time.perf_counter(), self._steps.stat().st_size, self.track
        track.cpu.append(cpu - self._cpu)
        track.wall.append(wall - self._wall)
        track.line.append(size - self._size)
        track.rss.append(resident())
        track.chromium.append(chromium_resident())
        track.entries.append(self._entries())
        self._report(record.step)
        self._cpu, self._wall, self._size = time.process_time(), time.perf_counter(), size


class ScriptedScreen:
    """A window whose marked line moves with every action."""

    name = "scripted"
    capabilities = frozenset({"click", "type", "scroll", "keys", "wait"})

    def __init__(self, size: Size = SCREEN) -> None:
        self.size, self.number = size, 0

    def screenshot(self) -> Screenshot:
        return Screenshot(screenshot(self.number, self.size), Viewport(self.size, self.size))

    def execute(self, action: Action) -> tuple[Event, ...]:
        self.number += 1
        return ()

    def settle(self) -> float:
        return 0.0

    def context(self) -> Mapping[str, str]:
        return {"title": f"Settings - page {self.number + 1}"}

    def describe_target(self, action: Action) -> str:
        return ""

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> ScriptedScreen:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing to close."""


@dataclass
class ScriptedBrain(SessionBrain):
    """A session whose answers are written for it: tokens of its own, under a text that can be done."""

    write: Callable[[int], str] = str
    answers: int = 0

    def generate(self, max_new_tokens: int) -> Generation:
        generation = self.session.generate(REPLY, min_new_tokens=REPLY)
        self.answers += 1
        return replace(generation, text=self.write(self.answers), finished=True)


@dataclass(frozen=True)
class Endless:
    """A dialect in which nothing ends the episode: finishing is waiting."""

    inner: Dialect

    @property
    def name(self) -> str:
        return self.inner.name

    def render(self, task: str, history: History, observation: Observation) -> tuple[Message, ...]:
        return self.inner.render(task, history, observation)

    def parse(self, text: str, resize: Resize, capabilities: frozenset[str] | None = None) -> Parsed:
        parsed = self.inner.parse(text, resize, capabilities)
        actions = tuple(Wait(seconds=0.01) if a.type == "finish" else a for a in parsed.actions)
        return replace(parsed, actions=actions)

    def write(self, thought: str, actions: Any, resize: Resize) -> str:
        return self.inner.write(thought, actions, resize)


class EndlessPlayground:
    """One playground page after the other: what is solved, or was tried for so many steps, makes room for the next."""

    TRIES = 6

    def __init__(self, inner: Playground) -> None:
        self._inner, self._seed, self._tried = inner, 1, 0
        inner.load("form", self._seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def verdict(self) -> Verdict | None:
        self._tried += 1
        if self._inner.verdict().done or self._tried >= self.TRIES:
            self._seed, self._tried = self._seed + 1, 0
            self._inner.load("form", self._seed)
        return None


def resident() -> int:
    """Bytes of this process in memory."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def chromium_resident() -> int:
    """Bytes in memory of the Chromium processes that this one started; shared pages count in each."""
    import psutil

    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            total += process.memory_info().rss if "chrom" in process.name().casefold() else 0
        except psutil.Error:
            continue
    return total


@contextmanager
def world(kind: str, size: Size) -> Iterator[tuple[Environment, SessionBrain, Dialect]]:
    """Screen, model and dialect of a track."""
    if kind == "nano":
        from envs.playground.screens import SCREENS
        from guikv.models import load_model

        with SCREENS["browser"](None) as playground:
            adapter = load_model("nano")
            yield EndlessPlayground(playground), make_brain(CacheConfig(), adapter), Endless(DIALECTS["ui_tars"]())
        return
    adapter, dialect = small_model(), DIALECTS["ui_tars"]()
    session = make_brain(CacheConfig(), adapter).session

    def write(number: int) -> str:
        doing = action(number % 8) if kind == "scripted" else Wait(seconds=0.01)
        return dialect.write(thought(number), [doing], Resize(size, size))

    brain = ScriptedBrain(session, adapter, write=write)
    if kind == "scripted":
        yield ScriptedScreen(size), brain, dialect
        return
    from envs.browser import Browser, BrowserOptions

    with Browser.launch(BrowserOptions(viewport=(size.width, size.height))) as browser:
        browser.evaluate("(html) => {document.open();document.write(html);document.close()}", PAGE)
        yield browser, brain, dialect


def run_long(
    kind: str, steps: int, folder: Path, size: Size = SCREEN, report: Callable[[int], None] = lambda step: None
) -> dict[str, Any]:
    """An episode of so many steps, recorded into `folder`, and its figures. Raises the errors of what cannot begin."""
    with world(kind, size) as (environment, brain, dialect), closing(brain):
        recorder = Recorder.create(folder, {"task": TASK, "environment": environment.name})
        meter = Meter(folder / "steps.jsonl", lambda: brain.session.cache.entries, report)
        settings = LoopSettings(max_steps=steps, stuck_note=steps + 1, stuck_stop=steps + 1, max_new_tokens=64)
        result = run_episode(brain, environment, TASK, dialect, settings, Allow(), recorder, meter)
    figures = summarise(meter.track) | {"ended": result.reason}
    pictures = sum(file.stat().st_size for file in (folder / "frames").iterdir())
    record = (folder / "steps.jsonl").stat().st_size
    start = time.perf_counter()
    page = build_report(load_run(folder))
    figures |= {
        "record_bytes": record,
        "picture_bytes": pictures,
        "record_to_pictures": record / max(1, pictures),
        "report_seconds": time.perf_counter() - start,
        "report_bytes": page.stat().st_size,
        "report_open_seconds": open_seconds(page),
    }
    return figures


def summarise(track: Track) -> dict[str, Any]:
    """Late steps ÷ early ones: the last 50 and 51 to 100 of a long run, quarters of a short one."""
    count = len(track.cpu)
    window = max(1, min(WINDOW, count // 4))
    early, late = slice(window, 2 * window), slice(count - window, count)

    def ratio(values: list[Any]) -> float:
        return float(mean(values[late]) / max(1e-9, mean(values[early])))

    start = min(2 * window, count - 1)
    places = [place for place in (50, 100, 200, 300, 500, 1000) if place <= count]
    return {
        "steps": count,
        "time_ratio": ratio(track.cpu),
        "wall_ratio": ratio(track.wall),
        "rss_growth_mb": (track.rss[-1] - track.rss[start]) / 1e6,
        "chromium_growth_mb": (track.chromium[-1] - track.chromium[start]) / 1e6,
        "record_line_ratio": ratio(track.line),
        "entries_ratio": ratio(track.entries),
        "at": {
            str(place): {
                "cpu": mean(track.cpu[max(0, place - 10) : place]),
                "wall": mean(track.wall[max(0, place - 10) : place]),
                "rss_mb": track.rss[place - 1] / 1e6,
                "chromium_mb": track.chromium[place - 1] / 1e6,
                "line_bytes": mean(track.line[max(0, place - 10) : place]),
                "entries": track.entries[place - 1],
            }
            for place in places
        },
    }


def open_seconds(page: Path) -> float | None:
    """Seconds until a browser has opened the page; None where there is no browser."""
    from envs.base import EnvError
    from envs.browser import Browser, BrowserOptions

    try:
        with Browser.launch(BrowserOptions(allow_files=True)) as browser:
            start = time.perf_counter()
            browser.with_tab(lambda tab: tab.goto(page.resolve().as_uri(), wait_until="load"), 120.0)
            return time.perf_counter() - start
    except EnvError:
        return None


def run_bench(kinds: tuple[str, ...], steps: int, report: Callable[[str, int], None]) -> dict[str, Any]:
    """Every kind in turn; the keys of the first stand at the top too."""
    runs: dict[str, Any] = {}
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            runs[kind] = run_long(kind, steps, Path(folder) / "run", report=partial(report, kind))
    first = next(iter(runs.values()))
    keys = ("time_ratio", "rss_growth_mb", "record_line_ratio", "entries_ratio")
    return {"steps": steps, "load": round(os.getloadavg()[0], 2), **{key: first[key] for key in keys}, "runs": runs}
