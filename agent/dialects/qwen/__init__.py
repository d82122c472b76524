"""The dialects of Qwen2.5-VL and Qwen3-VL and what is trained on them: tool calls in JSON.

Places are what the owners of a checkpoint publish:

- pixels of the resized image (`qwen25`): Qwen2.5-VL, GUI-Owl, Holo1.5, Fara-7B
- 0 to 999 on both axes (`qwen3`): Qwen3-VL, EvoCUA, MAI-UI
- 0 to 1000 (`qwen3` with the option `scale: 1000`): GUI-Owl 1.5, Fara 1.5
"""

from functools import partial

from agent.dialects.base import Eyes, Family
from agent.dialects.qwen.dialect import Qwen

QWEN25 = Family(partial(Qwen.make, "qwen25"), Eyes(14, 2, 4 * 28 * 28, 16384 * 28 * 28))
QWEN3 = Family(partial(Qwen.make, "qwen3"), Eyes(16, 2, 64 * 32 * 32, 16384 * 32 * 32))

__all__ = ["QWEN3", "QWEN25", "Qwen"]
