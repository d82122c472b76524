"""Starting a Chromium of our own, or joining one that runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser as Connection
from playwright.async_api import BrowserContext, Error, Playwright, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeout

from envs import processes
from envs.base import SetupError
from envs.browser.chromium import HINT, find_chromium, launch_args, window_args, write_preferences
from envs.browser.errors import first_line
from envs.browser.options import BrowserOptions
from envs.browser.worker import Worker

LONGEST_FOLDER = 60
"""Characters; Chromium adds some forty, and the path of a socket has room for about a hundred."""
START_SECONDS = 60.0
JOIN_SECONDS = (5.0, 10.0, 25.0)
"""Longest waits for a running browser to answer, one attempt after the other."""
CLOSE_SECONDS = 5.0
"""Longest wait for the browser to start, and to end of itself before it is killed."""


@dataclass
class Running:
    """A browser in use. `owned` is false for one that was there before."""

    playwright: Playwright
    connection: Connection
    context: BrowserContext
    owned: bool


class Starter:
    """Everything that must be gone at the end: temporary folders, the playwright driver, Chromium."""

    def __init__(self, options: BrowserOptions, worker: Worker) -> None:
        self._options = options
        self._worker = worker
        self._folder = Path(tempfile.mkdtemp(prefix="guikv-browser-"))
        self._playwright: Playwright | None = None
        self._running: Running | None = None
        self.downloads = options.downloads or self._folder / "downloads"

    def start(self) -> Running:
        """Raises SetupError; `close` is to be called in any case."""
        try:
            self.downloads.mkdir(parents=True, exist_ok=True)
            self._running = self._worker.run(self._start(), START_SECONDS)
        except TimeoutError as error:
            raise SetupError(f"the browser did not start within {START_SECONDS:g} s", HINT) from error
        except OSError as error:
            raise SetupError(f"the browser could not be started: {error}") from error
        return self._running

    async def _start(self) -> Running:
        self._playwright = await async_playwright().start()
        if self._options.cdp is not None:
            return await self._join(self._playwright, self._options.cdp)
        return await self._launch(self._playwright)

    async def _launch(self, playwright: Playwright) -> Running:
        o = self._options
        executable = find_chromium(o.executable, playwright.chromium.executable_path)
        profile = o.profile or self._folder / "profile"
        write_preferences(profile, framed=o.app, hold=bool(o.allow_hosts))
        try:
            context = await playwright.chromium.launch_persistent_context(
                str(profile),
                executable_path=executable,
                args=[*launch_args(), *(window_args(o) if o.alone else ())],
                env={**os.environ, "DISPLAY": o.display} if o.display else None,
                headless=o.headless,
                **_screen(o),
                has_touch=o.touch,
                locale=o.locale,
                ignore_https_errors=o.ignore_https_errors,
                accept_downloads=True,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
                timeout=START_SECONDS * 1000,
            )
        except Error as error:
            raise _launch_error(error, executable, o) from error
        connection = context.browser
        if connection is None:
            raise SetupError("playwright gave no connection to its browser", "update it: pip install -U playwright")
        return Running(playwright, connection, context, owned=True)

    async def _join(self, playwright: Playwright, address: str) -> Running:
        for seconds in JOIN_SECONDS:
            try:
                connection = await playwright.chromium.connect_over_cdp(address, timeout=seconds * 1000)
                break
            except PlaywrightTimeout as error:
                # A Chrome that is only just starting may never answer a first attempt.
                if seconds == JOIN_SECONDS[-1]:
                    raise _join_error(error, address) from error
            except Error as error:
                raise _join_error(error, address) from error
        context = connection.contexts[0] if connection.contexts else await connection.new_context()
        return Running(playwright, connection, context, owned=False)

    def close(self) -> None:
        """End all that `start` began, politely within CLOSE_SECONDS, else by force. May be called twice."""
        try:
            self._worker.run(self._leave(), CLOSE_SECONDS)
        except (Error, TimeoutError, RuntimeError, OSError):
            # It hangs or is half dead; what follows ends it all the same.
            self._running = None
        finally:
            mark = str(self._folder / "profile")
            processes.end(processes.tree(self._worker.started, mark))
            self._worker.stop()
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _leave(self) -> None:
        running, self._running = self._running, None
        if running is not None and running.owned:
            await running.context.close()
        elif running is not None:
            # Only ends the connection: the browser was not started here.
            await running.connection.close()
        if self._playwright is not None:
            await self._playwright.stop()


def _screen(options: BrowserOptions) -> dict[str, Any]:
    """The emulated screen; none where the page has the size of its window."""
    if options.alone:
        return {"no_viewport": True}
    width, height = options.viewport
    return {"viewport": {"width": width, "height": height}, "device_scale_factor": options.device_scale}


def _join_error(error: Error, address: str) -> SetupError:
    return SetupError(
        f"no Chrome answers at {address}: {first_line(error)}",
        "start one with `chromium --remote-debugging-port=9222 --user-data-dir=DIR`",
    )


def _launch_error(error: Error, executable: str, options: BrowserOptions) -> SetupError:
    text, folder = str(error), tempfile.gettempdir()
    if len(folder) > LONGEST_FOLDER:
        return SetupError(
            f"the folder for temporary files has a path of {len(folder)} characters, too long for Chromium's socket",
            "set $TMPDIR to a folder with a shorter path",
        )
    if "ProcessSingleton" in text or "SingletonLock" in text or "existing browser session" in text:
        return SetupError(
            f"the profile {options.profile} is in use by another browser",
            "close that browser, or name another profile",
        )
    if "Missing X server" in text or "DISPLAY" in text:
        return SetupError("there is no display for a visible browser", "set headless, or run under `xvfb-run`")
    return SetupError(f"{executable} did not start: {first_line(error)}", HINT)
