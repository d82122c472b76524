"""OpenCUA: answers are sections of reasoning and lines of pyautogui code, which are read and never run."""

from agent.dialects.base import Eyes, Family
from agent.dialects.opencua.dialect import OpenCUA

FAMILY = Family(OpenCUA.make, Eyes(14, 2, 4 * 28 * 28, 16384 * 28 * 28))

__all__ = ["FAMILY", "OpenCUA"]
