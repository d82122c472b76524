"""The commands of the phone's shell: functions of the handset, the arguments and the output to be filled."""

from __future__ import annotations

from collections.abc import Callable

from envs.android.simulator.commands.activity import am, monkey
from envs.android.simulator.commands.dumpsys import dumpsys
from envs.android.simulator.commands.gestures import give_input
from envs.android.simulator.commands.packages import pm
from envs.android.simulator.commands.system import getprop, ime, settings
from envs.android.simulator.commands.window import screencap, wm
from envs.android.simulator.control import Output
from envs.android.simulator.handset import Handset

Command = Callable[[Handset, list[str], Output], int]

_SERVICES: dict[str, Command] = {"package": pm, "activity": am, "window": wm, "input": give_input, "settings": settings}


def cmd(handset: Handset, arguments: list[str], output: Output) -> int:
    """`cmd SERVICE ARGUMENT …`, what most of the other commands are short for."""
    if not arguments or arguments[0] not in _SERVICES:
        output.complain(f"cmd: Can't find service: {arguments[0] if arguments else ''}")
        return 20
    return _SERVICES[arguments[0]](handset, arguments[1:], output)


COMMANDS: dict[str, Command] = {
    "am": am,
    "cmd": cmd,
    "dumpsys": dumpsys,
    "getprop": getprop,
    "ime": ime,
    "input": give_input,
    "monkey": monkey,
    "pm": pm,
    "screencap": screencap,
    "settings": settings,
    "wm": wm,
}
