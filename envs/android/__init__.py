"""The Android environment: a device on adb, through adbutils.

Written for real devices (Android 8 to 15), but tested on a simulated one under the real adb.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envs.android.options import AndroidOptions
from envs.options import Needs, on_demand

if TYPE_CHECKING:
    from envs.android.driver import Android
    from envs.android.server import AdbServer

__getattr__ = on_demand(
    __name__,
    {"Android": "driver", "AdbServer": "server"},
    Needs("adbutils", "a phone is driven through adbutils, which is not installed", "pip install adbutils"),
)

__all__ = ["AdbServer", "Android", "AndroidOptions"]
