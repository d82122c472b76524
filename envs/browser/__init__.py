"""The browser environment: Chromium through playwright."""

from __future__ import annotations

from envs.base import SetupError

try:
    import playwright
except ModuleNotFoundError as error:
    raise SetupError(
        "a browser is driven through playwright, which is not installed", "pip install playwright"
    ) from error

from envs.browser.driver import Browser
from envs.browser.options import BrowserOptions, DialogPolicy

__all__ = ["Browser", "BrowserOptions", "DialogPolicy", "playwright"]
