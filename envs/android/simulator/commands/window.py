"""`wm` and `screencap`."""

from __future__ import annotations

import io
import re

from envs.android.simulator.commands.failure import EXIT
from envs.android.simulator.control import Output
from envs.android.simulator.framebuffer import raw
from envs.android.simulator.handset import Handset

_SMALLEST_SIDE, _SMALLEST_DENSITY, _LARGEST_DENSITY = 200, 72, 1000
_FAST = 1
"""Of PNG's levels of compression."""


def wm(handset: Handset, arguments: list[str], output: Output) -> int:
    """`wm size|density [VALUE|reset]`, `wm user-rotation [free|lock [N]]`, `wm dismiss-keyguard`."""
    command, *rest = arguments or [""]
    if rest[:1] == ["-d"]:
        del rest[:2]
    if command == "size":
        return _size(handset, rest, output)
    if command == "density":
        return _density(handset, rest, output)
    if command == "user-rotation":
        return _rotation(handset, rest, output)
    if command == "dismiss-keyguard":
        handset.dismiss_lock()
        return 0
    output.complain(f"Unknown command: {command}")
    return EXIT


def _size(handset: Handset, rest: list[str], output: Output) -> int:
    if not rest:
        output.say("Physical size: {}x{}".format(*handset.options.size))
        if handset.size_override:
            output.say("Override size: {}x{}".format(*handset.size_override))
        return 0
    wanted = None
    if rest[0] != "reset":
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", rest[0])
        if match is None:
            output.complain(f"Error: bad size {rest[0]}")
            return EXIT
        largest = handset.screen.x_screen.side
        wanted = (int(match[1]), int(match[2]))
        if not all(_SMALLEST_SIDE <= side <= largest for side in wanted):
            output.complain(f"Error: this phone's screen has {_SMALLEST_SIDE} to {largest} pixels each way")
            return EXIT
    with handset.lock:
        handset.size_override = None if wanted == handset.options.size else wanted
        handset.refit()
    return 0


def _density(handset: Handset, rest: list[str], output: Output) -> int:
    if not rest:
        output.say(f"Physical density: {handset.options.density}")
        if handset.density_override:
            output.say(f"Override density: {handset.density_override}")
        return 0
    wanted = None
    if rest[0] != "reset":
        if not rest[0].isdecimal() or int(rest[0]) < _SMALLEST_DENSITY:
            output.complain(f"Error: density must be >= {_SMALLEST_DENSITY}")
            return EXIT
        wanted = min(int(rest[0]), _LARGEST_DENSITY)
    with handset.lock:
        handset.density_override = None if wanted == handset.options.density else wanted
        handset.refit()
    return 0


def _rotation(handset: Handset, rest: list[str], output: Output) -> int:
    settings = handset.settings
    if not rest:
        fixed = settings.get("system", "accelerometer_rotation") == "0"
        output.say(f"lock {handset.rotation}" if fixed else "free")
        return 0
    if rest[0] not in ("free", "lock") or (len(rest) > 1 and rest[1] not in ("0", "1", "2", "3")):
        output.complain("Error: expecting 'free' or 'lock [0-3]'")
        return EXIT
    with handset.lock:
        if rest[0] == "lock":
            settings.put("system", "user_rotation", rest[1] if len(rest) > 1 else str(handset.rotation))
        settings.put("system", "accelerometer_rotation", "1" if rest[0] == "free" else "0")
        handset.refit()
    return 0


def screencap(handset: Handset, arguments: list[str], output: Output) -> int:
    """`screencap [-p] [-d DISPLAY] [FILE]`: a picture, as PNG or raw."""
    rest, png = list(arguments), False
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "-p":
            png = True
        elif option == "-d" and rest:
            rest.pop(0)
        else:
            output.complain("usage: screencap [-hp] [-d display-id] [FILENAME]")
            return 1
    picture = handset.picture()
    data = raw(picture)
    if png or (rest and rest[0].endswith(".png")):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", compress_level=_FAST)
        data = buffer.getvalue()
    if not rest:
        output.out += data
        return 0
    try:
        handset.resolve(rest[0]).write_bytes(data)
    except OSError as error:
        output.complain(f"Error opening file: {rest[0]} ({error.strerror})")
        return 1
    return 0
