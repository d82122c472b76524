"""How a browser is started, and what it may do."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from envs.base import SetupError
from envs.browser.hosts import check_pattern

MAX_SIDE = 8192
"""Largest width or height of a viewport, in CSS pixels."""

DialogAnswer = Literal["accept", "dismiss"]


@dataclass(frozen=True)
class DialogPolicy:
    """What is answered to JavaScript dialogs; they never wait, and each is recorded.

    A confirm or prompt is declined by default: they guard what cannot be undone. Leaving a page is not held up.
    """

    alert: DialogAnswer = "accept"
    beforeunload: DialogAnswer = "accept"
    confirm: DialogAnswer = "dismiss"
    prompt: DialogAnswer = "dismiss"
    prompt_text: str = ""


@dataclass(frozen=True)
class BrowserOptions:
    """All options of `Browser.launch`. Raises SetupError on values that no browser could have.

    url: first page, also what the system button `home` returns to; None is about:blank.
    viewport: CSS pixels; not used with `cdp`, where the window stays as it is.
    scale: device pixels per CSS pixel; screenshots are in CSS pixels whatever it is.
    headless: no window is shown; `headed` says the opposite.
    executable: program to start; None looks in $GUIKV_CHROMIUM, playwright's own folder, PATH.
    profile: folder of a persistent profile; None is a fresh one, deleted at the end.
    cdp: address of a running Chrome (http://127.0.0.1:9222), which is left running at the end. An allow-list
        then holds for all of its tabs.
    allow_hosts: host names, `*.example.com` for what is below one, `host:port` for one port; empty allows
        all.
    allow_files: may file: pages be opened.
    downloads: folder for downloaded files; None is a temporary one, deleted at the end.
    touch: the page sees a touch screen; swipes and long presses are fingers then.
    display: X display of a visible browser, such as ":7"; None is $DISPLAY.
    app, kiosk: the page alone in a visible window of its own, without tabs and address bar: framed by the window
        manager, or without a frame (and the whole screen where there is a window manager). The page has the size of
        the window then, and a pixel of the page is `scale` pixels of the screen.
    position: where such a window opens: its top left corner on the display, in CSS pixels.
    wheel_pixels: how far one wheel click scrolls, in CSS pixels.
    region: width and height of the part of the page, at its top left, that screenshots show; None is all.
    zoom: screenshot pixels per CSS pixel (whole number; replaces `scale` where above 1).
    stable_seconds, load_seconds, reply_seconds: longest wait for a still picture, a page, any single answer.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = (
        "url", "viewport", "scale", "headed", "executable", "profile", "cdp", "allow_hosts", "downloads",
    )  # fmt: skip

    url: str | None = None
    viewport: tuple[int, int] = (1280, 720)
    scale: float = 1.0
    headless: bool = True
    executable: str | None = None
    profile: Path | None = None
    cdp: str | None = None
    allow_hosts: tuple[str, ...] = ()
    allow_files: bool = False
    downloads: Path | None = None
    touch: bool = False
    display: str | None = None
    app: bool = False
    kiosk: bool = False
    position: tuple[int, int] = (0, 0)
    wheel_pixels: int = 100
    region: tuple[int, int] | None = None
    zoom: int = 1
    dialogs: DialogPolicy = field(default_factory=DialogPolicy)
    stable_seconds: float = 3.0
    load_seconds: float = 30.0
    reply_seconds: float = 10.0
    locale: str | None = None
    ignore_https_errors: bool = False
    headed: InitVar[bool | None] = None

    def __post_init__(self, headed: bool | None) -> None:
        if headed is not None:
            object.__setattr__(self, "headless", not headed)
        for name, size in (("viewport", self.viewport), ("region", self.region)):
            if size is not None and not all(1 <= side <= MAX_SIDE for side in size):
                raise SetupError(f"{name} is 1 to {MAX_SIDE} pixels each way, not {size[0]}x{size[1]}")
        if not 0.1 <= self.scale <= 10:
            raise SetupError(f"scale is 0.1 to 10 device pixels per CSS pixel, not {self.scale}")
        if self.zoom not in range(1, 9):
            raise SetupError(f"zoom is a whole number from 1 to 8, not {self.zoom}")
        for seconds in ("stable_seconds", "load_seconds", "reply_seconds"):
            if getattr(self, seconds) <= 0:
                raise SetupError(f"{seconds} is above 0, not {getattr(self, seconds)}")
        if self.cdp is not None and (self.profile is not None or self.executable is not None):
            raise SetupError("`cdp` joins a running browser, so `profile` and `executable` have no meaning with it")
        if self.app and self.kiosk:
            raise SetupError("a window is an `app` or a `kiosk`, not both")
        if self.alone and (self.headless or self.cdp is not None or self.zoom > 1):
            raise SetupError("`app` and `kiosk` are windows of a visible browser, so not headless, and without zoom")
        for pattern in self.allow_hosts:
            check_pattern(pattern)

    @property
    def alone(self) -> bool:
        """Does the page have a window of its own, whose size is the page's?"""
        return self.app or self.kiosk

    @property
    def device_scale(self) -> float:
        return float(self.zoom) if self.zoom > 1 else self.scale
