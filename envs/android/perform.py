"""Each action of a model, done on the device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from envs import actions as a
from envs.android import apps, keycodes, touch
from envs.android.device import Device, check
from envs.android.keyboard import Keyboard
from envs.base import ActionFailed, UnsupportedAction, input_point
from envs.geometry import Viewport

CAPABILITIES = frozenset(
    {
        "click", "drag", "scroll", "type", "keys", "long_press", "swipe", "open_app", "system_button", "navigate",
        "back", "wait",
    }
)  # fmt: skip

LONGEST_ADDRESS = 8000
"""Characters; far above it adb has no room for the command."""


@dataclass(frozen=True)
class Hands:
    """What acting needs. `tell` records an event."""

    device: Device
    keyboard: Keyboard
    viewport: Viewport
    tell: Callable[..., None]


def perform(hands: Hands, action: a.Action) -> None:
    """Do it. Raises UnsupportedAction or ActionFailed, or EnvironmentDied."""
    if action.type not in CAPABILITIES:
        raise UnsupportedAction(f"a phone cannot do {action.type!r}")
    device = hands.device
    match action:
        case a.Wait():
            time.sleep(action.seconds)
        case a.Type():
            hands.keyboard.type_text(action.text, action.submit)
        case a.Keys():
            hands.keyboard.press(action.keys)
        case a.SystemButton():
            hands.keyboard.codes(keycodes.button_code(action))
        case a.Back():
            hands.keyboard.codes(keycodes.BUTTONS["back"])
        case a.OpenApp():
            opened = apps.open_app(device, action.name)
            hands.tell("opened", package=opened.package)
        case a.Navigate():
            url = web_address(action.url)
            check(device.do("am", "start", "-a", "android.intent.action.VIEW", "-d", url), "opening the address")
        case _:
            _touch(hands, action)


def _touch(hands: Hands, action: a.Action) -> None:
    device, size = hands.device, hands.viewport.device
    points = [input_point(hands.viewport, point) for point in a.points_of(action)]
    match action:
        case a.Click() if action.button != "left":
            raise ActionFailed(f"a touch screen has no {action.button} button; long_press opens menus")
        case a.Click():
            check(device.act(touch.taps(points[0], action.count)), "tapping")
        case a.LongPress():
            _stroke(device, touch.swipe(points[0], points[0], action.seconds))
        case a.Swipe():
            _stroke(device, touch.swipe(points[0], points[1], action.seconds))
        case a.Drag():
            line, seconds = touch.drag(points, size)
            check(device.act(line, seconds + device.seconds), "dragging")
        case a.Scroll():
            for stroke in touch.scroll(action.direction, action.amount, points[0] if points else None, size):
                _stroke(device, stroke)


def _stroke(device: Device, stroke: touch.Stroke) -> None:
    check(device.act(f"input swipe {stroke.words}", stroke.milliseconds / 1000 + device.seconds), "swiping")


def web_address(text: str) -> str:
    """An http(s) address; without a scheme it is https. Other kinds can start any app. Raises ActionFailed."""
    text = text.strip()
    if not text or len(text) > LONGEST_ADDRESS or any(c <= " " or c in "\\\x7f" for c in text):
        raise ActionFailed(f"{text[:80]!r} is not a web address")
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise ActionFailed(f"{text[:80]!r} is not a web address: {error}") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise ActionFailed(f"only http and https addresses can be opened, not {parts.scheme[:20]}:")
    if not good:
        raise ActionFailed(f"{text[:80]!r} is not a web address: it names no host")
    return url
