"""Calls for keys, system buttons, apps and the browser."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote_plus

from agent.dialects.qwen.arguments import ArgumentError, Arguments
from agent.dialects.qwen.jsonish import JsonError, read_object
from agent.dialects.qwen.keys_old import MAX_KEYS, KeyNameError, read_chord, read_key
from envs.actions import Action, Back, Forward, KeyDown, Keys, KeyUp, Navigate, OpenApp, SystemButton

Button = Literal["home", "back", "recents", "menu", "enter", "power", "volume_up", "volume_down", "mute"]

SEARCH = "https://www.bing.com/search?q="
"""Where the family's browser agent searches."""

_BUTTONS: dict[str, Button] = {
    "home": "home",
    "back": "back",
    "menu": "menu",
    "enter": "enter",
    "recents": "recents",
    "recent": "recents",
    "app_switch": "recents",
    "power": "power",
    "lock": "power",
    "volume_up": "volume_up",
    "volume_down": "volume_down",
    "volume_mute": "mute",
    "mute": "mute",
}


def key(args: Arguments) -> tuple[Action, ...]:
    """A chord as a list or as text; on a phone the button of that name."""
    names = _names(args)
    if args.phone and len(names) == 1:
        found = _button(names[0])
        if found is not None:
            return press(args, found)
    try:
        keys = tuple(name for given in names for name in read_chord(given))
    except KeyNameError as error:
        raise ArgumentError(f"key: {error}") from error
    if len(keys) > MAX_KEYS:
        raise ArgumentError(f"key: a chord has at most {MAX_KEYS} keys, not {len(keys)}")
    return (Keys(keys=keys),)


def key_down(args: Arguments) -> tuple[Action, ...]:
    return (KeyDown(key=_one_key(args)),)


def key_up(args: Arguments) -> tuple[Action, ...]:
    return (KeyUp(key=_one_key(args)),)


def system_button(args: Arguments) -> tuple[Action, ...]:
    given = args.text("button", "text", "key") or ""
    found = _button(given)
    if found is None:
        raise ArgumentError(f"there is no button {given[:20]!r}: use Back, Home, Menu or Enter")
    return press(args, found)


def press(args: Arguments, button: Button) -> tuple[Action, ...]:
    """The phone's button; back and enter have another way where there are no such buttons."""
    if not args.can("system_button"):
        if button == "back" and args.can("back"):
            return (Back(),)
        if button == "enter" and args.can("keys"):
            return (Keys(keys=("enter",)),)
    return (SystemButton(button=button),)


def open_app(args: Arguments) -> tuple[Action, ...]:
    name = (args.text("text", "app_name", "app", "name") or "").strip()
    if not name:
        raise ArgumentError("open needs the app's name as text")
    return (OpenApp(name=name),)


def visit_url(args: Arguments) -> tuple[Action, ...]:
    url = (args.text("url", "text") or "").strip()
    if not url:
        raise ArgumentError("visit_url needs a url")
    return (Navigate(url=url),)


def web_search(args: Arguments) -> tuple[Action, ...]:
    query = (args.text("query", "text") or "").strip()
    if not query:
        raise ArgumentError("web_search needs a query")
    return (Navigate(url=SEARCH + quote_plus(query, errors="replace")),)


def history_back(args: Arguments) -> tuple[Action, ...]:
    """The browser's back; the phone's button where that is all there is."""
    return (Back(),) if args.can("back") or not args.can("system_button") else (SystemButton(button="back"),)


def history_forward(args: Arguments) -> tuple[Action, ...]:
    return (Forward(),)


def _button(name: str) -> Button | None:
    return _BUTTONS.get(name.strip().casefold().removeprefix("keycode_").replace(" ", "_"))


def _names(args: Arguments) -> list[str]:
    """Names of keys, one or more to an item. Raises ArgumentError."""
    given: Any = args.find("keys", "key", "text")
    if isinstance(given, str) and given.lstrip().startswith("[") and len(given.strip()) > 1:
        try:
            given, _ = read_object(given.strip(), 0)
        except JsonError as error:
            raise ArgumentError(f"key: {error}") from error
    names = given if isinstance(given, list) else [given]
    if not names or not all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in names):
        raise ArgumentError("key needs a list of key names")
    return [str(name) for name in names[: MAX_KEYS + 1]]


def _one_key(args: Arguments) -> str:
    names = _names(args)
    if len(names) != 1:
        raise ArgumentError(f"{args.call.action} needs one key")
    try:
        return read_key(names[0])
    except KeyNameError as error:
        raise ArgumentError(f"{args.call.action}: {error}") from error
