"""Which device is driven, and how long anything may take."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from envs.base import SetupError

DEFAULT_PORT = 5037

Picture = Literal["auto", "framebuffer", "screencap", "screencap-png"]


def server_port() -> int:
    """Port of the adb server: $ANDROID_ADB_SERVER_PORT, or adb's usual one. Raises SetupError."""
    given = os.environ.get("ANDROID_ADB_SERVER_PORT", "").strip()
    if not given:
        return DEFAULT_PORT
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise SetupError(f"ANDROID_ADB_SERVER_PORT is a port, not {given!r}", "unset ANDROID_ADB_SERVER_PORT")
    return int(given)


def _port(value: Any) -> Any:
    return server_port() if value is None else value


@dataclass(frozen=True)
class AndroidOptions:
    """All options of `Android.launch`. Raises SetupError on values that make no sense.

    serial: as `adb devices` shows it, or host:port, which is connected to first; None is $ANDROID_SERIAL or the only
        device.
    adb_host, adb_port: the adb server, which has to run already.
    unlock: swipe away a lock screen that asks for nothing; without it, and for one with a PIN, starting fails.
    picture: how the screen is read; `auto` tries all ways once and keeps the fastest.
    stable_seconds, reply_seconds: longest wait for a still picture, and for any single answer of the device.
    reconnect_seconds: how long a device that was lost may take to come back.
    """

    SETTINGS: ClassVar[tuple[str, ...]] = ("serial", "adb_host", "adb_port", "unlock")

    serial: str | None = None
    adb_host: str = "127.0.0.1"
    adb_port: Annotated[int, BeforeValidator(_port)] = field(default_factory=server_port)
    unlock: bool = True
    picture: Picture = "auto"
    stable_seconds: float = 3.0
    reply_seconds: float = 10.0
    reconnect_seconds: float = 15.0

    def __post_init__(self) -> None:
        if not 0 < self.adb_port < 65536:
            raise SetupError(f"adb_port is a port, not {self.adb_port}")
        for seconds in ("stable_seconds", "reply_seconds", "reconnect_seconds"):
            if not getattr(self, seconds) > 0:
                raise SetupError(f"{seconds} is above 0, not {getattr(self, seconds)}")
        if self.picture not in ("auto", "framebuffer", "screencap", "screencap-png"):
            raise SetupError(f"picture is auto, framebuffer, screencap or screencap-png, not {self.picture!r}")
