"""What a step costs beside the model: screenshot, encoding, action, settling, environment beside environment.

All of them show the same page and are given the same actions. They take turns at every step, so that whatever else
the machine does hits all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from agent.recorder import Recorder
from agent.records import StepRecord
from envs.actions import Action, Click, Scroll, Type
from envs.base import Environment, SetupError
from eval.options import chosen

if TYPE_CHECKING:
    from envs.browser import Browser

PHASES = ("screenshot", "encode", "action", "settle")
BASE = "browser"
"""The environment that the others are compared with, where it takes part."""

_ABOVE, _BELOW = 0.25, 0.75
"""Heights of the page's text area and of what scrolls below it, as shares of the picture."""


SCREEN = (1280, 800)
"""Pixels of the browser's page and of the desktop."""

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Bench</title>
<meta name="viewport" content="width=device-width">
<style>
html { font: 16px sans-serif; }
body { margin: 0; height: 100vh; display: flex; flex-direction: column; }
textarea { flex: 1; margin: 0; border: 0; font: inherit; background: #eef; }
div { flex: 1; overflow: auto; }
p { margin: 8px; }
p:nth-child(odd) { background: #fe8; }
</style></head><body><textarea autofocus></textarea><output>0</output><div></div><script>
const lines = document.querySelector("div"), count = document.querySelector("output");
for (let n = 1; n <= 200; n++) lines.append(Object.assign(document.createElement("p"), {textContent: `line ${n}`}));
// Every picture is new, or it would not be encoded again.
for (const kind of ["pointerdown", "keydown", "input", "scroll"])
  addEventListener(kind, () => { count.textContent = Number(count.textContent) + 1; }, {capture: true});
</script></body></html>"""

_AREA = (0xEE, 0xEE, 0xFF)
"""The text area's colour."""
_LOAD_SECONDS = 60.0
_DRAWN_SECONDS = 120.0
_POLL_SECONDS = 0.05


@dataclass
class Track:
    """What one environment took: seconds by phase, and the whole step by kind of action, one entry per step."""

    size: tuple[int, int] = (0, 0)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {phase: [] for phase in PHASES})
    kinds: list[str] = field(default_factory=list)

    @property
    def totals(self) -> list[float]:
        return [sum(parts) for parts in zip(*self.seconds.values(), strict=True)]


Report = Callable[[int, Mapping[str, Track]], None]


def actions(step: int, size: tuple[int, int]) -> Action:
    """The action of a step on a picture of `size`: a click, some typing, a scroll down, a scroll up, in turns."""
    width, height = size
    x, low = width * 0.5, height * _BELOW
    match step % 4:
        case 0:
            return Click(x=width * (0.2 + 0.1 * (step // 4 % 6)), y=height * _ABOVE)
        case 1:
            return Type(text=f"step {step} ")
        case 2:
            return Scroll(direction="down", amount=3, x=x, y=low)
        case _:
            return Scroll(direction="up", amount=3, x=x, y=low)


def one_step(environment: Environment, action: Action, recorder: Recorder, number: int) -> dict[str, float]:
    """Seconds of the phases of one step, in the order in which the loop goes through them."""
    marks = [time.perf_counter()]
    shot = environment.screenshot()
    marks.append(time.perf_counter())
    recorder.write(StepRecord(step=number, frame=number, viewport=shot.viewport), shot.image)
    marks.append(time.perf_counter())
    environment.execute(action)
    marks.append(time.perf_counter())
    environment.settle()
    marks.append(time.perf_counter())
    return {phase: end - start for phase, start, end in zip(PHASES, marks, marks[1:], strict=False)}


def run_bench(
    environments: Mapping[str, Environment],
    steps: int = 40,
    warm_up: int = 4,
    report: Report = lambda step, tracks: None,
) -> dict[str, Any]:
    """Medians, 95th percentiles and ratios (see `summarise`) of open environments, after `warm_up` steps of each.

    Raises an EnvError and RecordError. The pictures are written as in a run, to a folder that is deleted afterwards.
    """
    tracks = {name: Track() for name in environments}
    with TemporaryDirectory(prefix="guikv-bench-") as folder:
        recorders = {name: Recorder.create(Path(folder) / name, {}) for name in environments}
        for name, environment in environments.items():
            tracks[name].size = environment.screenshot().image.size
        for step in range(warm_up + steps):
            for name, environment in environments.items():
                track = tracks[name]
                action = actions(step, track.size)
                taken = one_step(environment, action, recorders[name], step + 1)
                if step >= warm_up:
                    track.kinds.append(action.type)
                    for phase, seconds in taken.items():
                        track.seconds[phase].append(seconds)
            report(step, tracks)
    return summarise(tracks)


def summarise(tracks: Mapping[str, Track]) -> dict[str, Any]:
    """Per environment: the picture's size, each phase and the whole step, the ratio to the browser's whole step."""
    medians = {name: median(track.totals) for name, track in tracks.items()}
    base = medians.get(BASE)
    return {
        "steps": max(len(track.kinds) for track in tracks.values()),
        "environments": {
            name: {
                "size": list(track.size),
                "phases": {phase: spread(track.seconds[phase]) for phase in PHASES},
                "step": spread(track.totals),
                "actions": {
                    kind: spread([s for s, k in zip(track.totals, track.kinds, strict=True) if k == kind])
                    for kind in dict.fromkeys(track.kinds)
                },
                "ratio": None if base is None else round(medians[name] / base, 3),
            }
            for name, track in tracks.items()
        },
    }


def spread(seconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile in seconds."""
    p95 = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return {"median": round(median(seconds), 5), "p95": round(p95, 5)}


def show(browser: Browser) -> None:
    """Put the page into the browser's tab."""
    from playwright.async_api import Page

    async def put(tab: Page) -> None:
        await tab.set_content(PAGE)

    browser.with_tab(put, _LOAD_SECONDS)


def wait_shown(place: Environment) -> None:
    """Until the picture is of the page: a window is there before it has drawn itself. Raises SetupError."""
    end = time.monotonic() + _DRAWN_SECONDS
    while time.monotonic() < end:
        image = place.screenshot().image
        if image.getpixel((image.width // 2, image.height // 4)) == _AREA:
            place.settle()
            return
        time.sleep(_POLL_SECONDS)
    raise SetupError(f"the page was not on the screen within {_DRAWN_SECONDS:g} s")


@contextmanager
def browser() -> Iterator[Environment]:
    """A tab of a Chromium."""
    from envs.browser import Browser, BrowserOptions

    with Browser.launch(BrowserOptions(viewport=SCREEN)) as page:
        show(page)
        wait_shown(page)
        yield page


@contextmanager
def desktop() -> Iterator[Environment]:
    """A Chromium window that fills a desktop of its own."""
    from envs.browser import Browser, BrowserOptions
    from envs.desktop import Desktop, DesktopOptions, Sandbox, SandboxOptions

    with Sandbox.start(SandboxOptions(size=SCREEN)) as sandbox:
        window = BrowserOptions(viewport=SCREEN, display=sandbox.display, kiosk=True, headless=False)
        with Browser.launch(window) as page, Desktop.launch(DesktopOptions(display=sandbox.display)) as screen:
            show(page)
            wait_shown(screen)
            yield screen


@contextmanager
def android() -> Iterator[Environment]:
    """The simulated phone, under an adb server of its own."""
    from envs.android import AdbServer, Android, AndroidOptions
    from envs.android.simulator import Phone

    with Phone.start() as phone, AdbServer.start() as server:
        show(phone.browser)
        with Android.launch(AndroidOptions(serial=phone.address, adb_port=server.port)) as device:
            wait_shown(device)
            yield device


PLACES: dict[str, Callable[[], AbstractContextManager[Environment]]] = {
    "browser": browser,
    "desktop": desktop,
    "android": android,
}


def choose(text: str) -> tuple[str, ...]:
    """The places of a list with commas, all for an empty one. Raises ConfigError."""
    return chosen(text, PLACES, "there is nothing to measure in") or tuple(PLACES)


@contextmanager
def opened(names: tuple[str, ...]) -> Iterator[dict[str, Environment]]:
    """All of them at once; raises the EnvError of one that cannot be started, with the others closed."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(PLACES[name]()) for name in names}
