"""The process that sees and drives one desktop: requests come as JSON lines, answers leave as JSON and bytes.

A process of its own because pyautogui knows one display for its whole life, and because an X server that dies or
hangs takes this one with it and nothing else. It ends when its input ends, and lets go of all keys first.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Iterable
from typing import Any, BinaryIO

from envs.base import EnvError
from envs.desktop.control import Control, Interrupted

Request = dict[str, Any]


def _read(lines: Iterable[str], inbox: queue.Queue[Request | None], control: Control) -> None:
    """On a thread of its own, so that an action can be broken off while it is done."""
    for line in lines:
        request = json.loads(line)
        if request["do"] == "cancel":
            control.cancel()
        else:
            inbox.put(request)
    control.leave()
    inbox.put(None)


def _send(out: BinaryIO, answer: dict[str, Any], data: bytes = b"") -> None:
    out.write(json.dumps({**answer, "bytes": len(data)}).encode() + b"\n")
    out.write(data)
    out.flush()


def _failure(error: BaseException) -> dict[str, Any]:
    if isinstance(error, EnvError):
        return {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    if isinstance(error, Interrupted):
        return {"error": "Interrupted", "message": error.what, "hint": ""}
    # Xlib and mss say in many ways that the server is no longer there; whatever it is, nothing can go on.
    said = f"{type(error).__name__}: {error}".strip(": ")[:200]
    return {"error": "EnvironmentDied", "message": f"the display is gone, or cannot be used ({said})", "hint": ""}


def main() -> int:
    """Serve until the input ends."""
    out = os.fdopen(os.dup(1), "wb")
    # Libraries print as they like; the pipe is for answers alone.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    config = json.loads(sys.stdin.readline())
    control = Control(config["on_user_input"])
    try:
        from envs.desktop.worker_state import Desk

        desk = Desk(config, control)
    except EnvError as error:
        _send(out, _failure(error))
        return 1
    _send(out, {"ok": {}})
    inbox: queue.Queue[Request | None] = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin, inbox, control), daemon=True).start()
    control.on_stop = lambda: inbox.put({"do": "rest"})
    while (request := inbox.get()) is not None:
        if request["do"] == "rest":
            desk.rest()
            continue
        control.begin()
        try:
            answer, data = desk.do(request)
            _send(out, {"id": request["id"], "ok": answer}, data)
        except Exception as error:  # noqa: BLE001 - every failure is an answer: the other side tells it to the user
            _send(out, {"id": request["id"], **_failure(error)})
    desk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
