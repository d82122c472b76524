"""The dialects of Qwen2.5-VL and Qwen3-VL and what is trained on them: tool calls in JSON."""

from functools import partial

from agent.dialects.base import Eyes, Family
from agent.dialects.qwen.dialect import Qwen

QWEN25 = Family(partial(Qwen.make, "qwen25"), Eyes(14, 2, 4 * 28 * 28, 16384 * 28 * 28))
QWEN3 = Family(partial(Qwen.make, "qwen3"), Eyes(16, 2, 64 * 32 * 32, 16384 * 32 * 32))

__all__ = ["QWEN3", "QWEN25", "Qwen"]
