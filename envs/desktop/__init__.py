"""The desktop environment: any screen, seen through mss and driven through pyautogui and X11's own means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envs.desktop.options import DesktopOptions, SandboxOptions
from envs.options import on_demand

if TYPE_CHECKING:
    from envs.desktop.driver import Desktop
    from envs.desktop.sandbox import Sandbox

__getattr__ = on_demand(__name__, {"Desktop": "driver", "Sandbox": "sandbox"})

__all__ = ["Desktop", "DesktopOptions", "Sandbox", "SandboxOptions"]
