"""The playground on three screens: a tab, a window on a desktop, and a phone.

The same page each time, in the same Chromium. What differs is who takes the picture and who presses: playwright in
the tab; mss and pyautogui on an X desktop, which see nothing of the browser but its window; adb on a simulated phone.
Only the harness talks to the page itself, to load it and to read how it went.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack

from envs.base import SetupError
from envs.browser import Browser, BrowserOptions
from envs.playground.live import HOST, Playground
from envs.playground.page import SIDE

DESKTOP = (640, 480)
"""Size of the sandboxed desktop, in pixels."""
_PLACE = (300, 160)
"""Where the window opens. Away from the middle, where the pointer of a fresh X server waits."""
_ADB_SECONDS = 120.0


def in_tab(options: BrowserOptions | None = None) -> Playground:
    """In a tab, headless unless `options` say otherwise."""
    return Playground.launch("click", 0, options=options)


def on_desktop(options: BrowserOptions | None = None) -> Playground:
    """In a framed window on a desktop of its own, seen and driven from outside. Raises SetupError.

    Of `options`, only the program to start is used.
    """
    from envs.desktop import Desktop, DesktopOptions, Sandbox, SandboxOptions

    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox.start(SandboxOptions(size=DESKTOP)))
        window = BrowserOptions(
            executable=options.executable if options else None,
            display=sandbox.display,
            headless=False,
            app=True,
            viewport=(SIDE, SIDE),
            position=_PLACE,
            allow_hosts=(HOST,),
        )
        browser = stack.enter_context(Browser.launch(window))
        # The window has its title from the first page on.
        Playground(browser, owns_browser=False).load("click", 0)
        seen = DesktopOptions(display=sandbox.display, window="Page", on_user_input="ignore")
        desktop = stack.enter_context(Desktop.launch(seen))
        return Playground(browser, owns_browser=False, screen=desktop, resources=stack.pop_all())


def on_phone(options: BrowserOptions | None = None) -> Playground:
    """On a simulated phone, through a real adb server of its own. Raises SetupError.

    The phone is told by `wm size` and `wm density` to be a screen of one playground page, which is what the small
    model is made for.
    """
    from envs.android import AdbServer, Android, AndroidOptions
    from envs.android.simulator import Phone, PhoneOptions

    with ExitStack() as stack:
        phone = stack.enter_context(Phone.start(PhoneOptions()))
        server = stack.enter_context(AdbServer.start())
        for arguments in (
            ["connect", phone.address],
            ["-s", phone.address, "shell", "wm", "size", f"{SIDE}x{SIDE}"],
            ["-s", phone.address, "shell", "wm", "density", "160"],
        ):
            _adb(server.program, arguments, server.environment)
        seen = AndroidOptions(serial=phone.address, adb_port=server.port)
        android = stack.enter_context(Android.launch(seen))
        return Playground(phone.browser, owns_browser=False, screen=android, resources=stack.pop_all())


SCREENS: dict[str, Callable[[BrowserOptions | None], Playground]] = {
    "browser": in_tab,
    "desktop": on_desktop,
    "android": on_phone,
}
"""Kind of screen → what opens the playground on it. `load` then shows the page that is wanted."""


def _adb(program: str, arguments: list[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=_ADB_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"`adb {' '.join(arguments)}` did not end within {_ADB_SECONDS:g} s") from error
    if done.returncode != 0:
        raise SetupError(f"`adb {' '.join(arguments)}` failed: {(done.stderr or done.stdout).strip()[-200:]}")
