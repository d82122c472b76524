"""A simulated phone under the real adb: support for tests and for `guikv demo --env android`.

adb's own server and client speak to a daemon of ours; its shell commands act on Chromium in an X server without a
monitor. Simulated device, real adb: no Android is involved. Loopback only.
"""

from __future__ import annotations

from envs.android.simulator.options import PhoneOptions
from envs.android.simulator.phone import Phone

__all__ = ["Phone", "PhoneOptions"]
