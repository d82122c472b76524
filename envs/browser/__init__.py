"""The browser environment: Chromium through playwright."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envs.browser.options import BrowserOptions, DialogPolicy
from envs.options import Needs, on_demand

if TYPE_CHECKING:
    from envs.browser.driver import Browser

__getattr__ = on_demand(
    __name__,
    {"Browser": "driver"},
    Needs("playwright", "a browser is driven through playwright, which is not installed", "pip install playwright"),
)

__all__ = ["Browser", "BrowserOptions", "DialogPolicy"]
