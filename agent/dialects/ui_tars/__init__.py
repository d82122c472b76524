"""UI-TARS and Doubao: `Thought:` and `Action:` lines with calls such as `click(start_box='(1,2)')`."""

from agent.dialects.base import Eyes, Family
from agent.dialects.ui_tars.dialect import UiTars

FAMILY = Family(UiTars.make, Eyes(14, 2, 100 * 28 * 28, 16384 * 28 * 28))

__all__ = ["FAMILY", "UiTars"]
