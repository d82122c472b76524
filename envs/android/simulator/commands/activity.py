"""`am` and `monkey`: starting and stopping apps, and broadcasts."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from itertools import pairwise

from envs.android.simulator import apps
from envs.android.simulator.apps import App
from envs.android.simulator.commands.failure import EXIT, missing, thrown
from envs.android.simulator.control import Output
from envs.android.simulator.handset import Handset
from envs.android.simulator.keycodes import Key, find_key
from envs.android.simulator.settings import ADB_KEYBOARD

VIEW, MAIN = "android.intent.action.VIEW", "android.intent.action.MAIN"
HOME_CATEGORY = "android.intent.category.HOME"
_WITH_VALUE = {"--user": 1, "-f": 1, "-t": 1, "--display": 1, "--es": 2, "--ei": 2, "--ez": 2, "--el": 2, "--esa": 2}
_ENTER = Key(66, "ENTER", "Enter")
_NO_ACTIVITY = 252
"""Exit status of monkey when it finds nothing to start (-4)."""


@dataclass
class Intent:
    """What `am` is told to start or to send."""

    action: str = ""
    data: str = ""
    category: str = ""
    component: str = ""
    package: str = ""
    extras: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        parts = (("act", self.action), ("cat", self.category and f"[{self.category}]"), ("dat", self.data))
        named = [f"{name}={value}" for name, value in (*parts, ("pkg", self.package), ("cmp", self.component)) if value]
        return f"Intent {{ {' '.join(named)} {'(has extras) ' if self.extras else ''}}}"


def am(handset: Handset, arguments: list[str], output: Output) -> int:
    """`am start|broadcast INTENT`, `am force-stop PACKAGE`, `am get-current-user`."""
    command, *rest = arguments or [""]
    if command in ("start", "start-activity", "broadcast"):
        try:
            intent = parse(rest)
        except ValueError as error:
            return thrown(output, command, f"java.lang.IllegalArgumentException: {error}")
        return (_broadcast if command == "broadcast" else _start)(handset, intent, output)
    if command in ("force-stop", "kill"):
        if not rest:
            return missing(output, command, command)
        handset.stop(rest[-1])
        return 0
    if command == "get-current-user":
        output.say("0")
        return 0
    output.complain(f"Unknown command: {command}")
    return EXIT


def parse(arguments: list[str]) -> Intent:
    """Raises ValueError on an option that there is not, or that lacks its value."""
    intent, rest = Intent(), list(arguments)
    names = {"-a": "action", "-d": "data", "-c": "category", "-n": "component", "-p": "package"}
    while rest:
        option = rest.pop(0)
        wanted = 1 if option in names else _WITH_VALUE.get(option, 0)
        if len(rest) < wanted:
            raise ValueError(f'Argument expected after "{option}"')
        values = [rest.pop(0) for _ in range(wanted)]
        if option in names:
            setattr(intent, names[option], values[0])
        elif option in ("--es", "--ei", "--ez", "--el", "--esa"):
            intent.extras[values[0]] = values[1]
        elif option.startswith("-"):
            if not wanted and option not in ("-W", "-S", "-N", "-D") and not option.startswith("--"):
                raise ValueError(f"Unknown option: {option}")
            intent.flags.add(option)
        elif "://" in option or option.startswith(("about:", "data:", "file:")):
            intent.data = option
        elif "/" in option:
            intent.component = option
        else:
            intent.package = option
    if intent.data and not intent.action:
        intent.action = VIEW
    return intent


def _start(handset: Handset, intent: Intent, output: Output) -> int:
    if "-S" in intent.flags:
        handset.stop(intent.package or intent.component.partition("/")[0])
    output.say(f"Starting: {intent}")
    app = _target(intent)
    if app is None and intent.component:
        package, _, activity = intent.component.partition("/")
        name = package + activity if activity.startswith(".") else activity
        output.complain(f"Error type 3\nError: Activity class {{{package}/{name}}} does not exist.")
        return 1
    if app is None:
        output.complain(f"Error: Activity not started, unable to resolve {intent}")
        return 1
    if intent.data and app is apps.BROWSER:
        handset.view(intent.data)
    elif handset.foreground is app:
        output.complain(
            "Warning: Activity not started, intent has been delivered to currently running top-most instance."
        )
    else:
        handset.launch(app)
    if "-W" in intent.flags:
        output.say(f"Status: ok\nLaunchState: WARM\nActivity: {app.component}\nTotalTime: 200\nWaitTime: 210\nComplete")
    return 0


def _target(intent: Intent) -> App | None:
    if intent.component:
        return apps.by_component(intent.component)
    if intent.action == VIEW:
        opens = intent.data.lower().startswith(("http://", "https://")) and intent.package in ("", apps.BROWSER.package)
        return apps.BROWSER if opens else None
    if intent.category == HOME_CATEGORY:
        return apps.LAUNCHER
    return apps.app_of(intent.package) if intent.package else None


def _broadcast(handset: Handset, intent: Intent, output: Output) -> int:
    # Only receivers that run hear it, as Android tells.
    output.say(f"Broadcasting: {intent}".replace("act=" + intent.action, f"act={intent.action} flg=0x400000"))
    # The keyboard hears broadcasts only while it is in use; that nobody heard one looks no different from here.
    if handset.settings.method == ADB_KEYBOARD and handset.usable:
        _keyboard(handset, intent)
    output.say("Broadcast completed: result=0")
    return 0


def _keyboard(handset: Handset, intent: Intent) -> None:
    """What ADBKeyboard does with a broadcast."""
    message = intent.extras.get("msg", "")
    if intent.action == "ADB_INPUT_TEXT":
        handset.insert_text(message)
    elif intent.action == "ADB_INPUT_B64":
        try:
            handset.insert_text(base64.b64decode(message).decode("utf-8"))
        except (binascii.Error, UnicodeDecodeError):
            # The real one logs it, where nobody who sends broadcasts can see it.
            return
    elif intent.action == "ADB_CLEAR_TEXT":
        handset.clear_text()
    elif intent.action == "ADB_EDITOR_CODE":
        handset.press((_ENTER,))
    elif intent.action == "ADB_INPUT_CODE":
        handset.press((find_key(intent.extras.get("code", "0")),))


def monkey(handset: Handset, arguments: list[str], output: Output) -> int:
    """`monkey -p PACKAGE [-c android.intent.category.LAUNCHER] 1`: start an app whose activity nobody knows."""
    output.complain(f"  bash arg: {'  '.join(arguments)}")
    package = next((value for option, value in pairwise(arguments) if option == "-p"), "")
    app = apps.app_of(package)
    if app is None or app is apps.LAUNCHER:
        output.say("** No activities found to run, monkey aborted.")
        return _NO_ACTIVITY
    handset.launch(app)
    output.say("Events injected: 1\n## Network stats: elapsed time=12ms (0ms mobile, 0ms wifi, 12ms not connected)")
    return 0
