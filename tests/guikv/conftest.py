"""A tiny random Qwen2.5-VL (fewer KV heads than query heads, M-RoPE, float32) and episodes for it."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from guikv.content import Frame, Message, Reply, Text
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model


@pytest.fixture(scope="session")
def adapter() -> Adapter:
    return random_model()


SIZES = ((168, 112), (140, 140), (112, 196), (168, 140), (112, 112), (196, 112), (140, 112), (112, 140))


def screenshot(number: int) -> Image.Image:
    """A picture of its own for every number, sizes differing."""
    noise = torch.Generator().manual_seed(number)
    width, height = SIZES[number % len(SIZES)]
    pixels = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=noise)
    pixels[: height // 2] = 40 * (number % 6)
    return Image.fromarray(pixels.numpy())


def episode(adapter: Adapter, frames: int, first: int = 0) -> tuple[Message, ...]:
    """System, instruction, then `frames` screenshots with replies between them, ending at a screenshot."""
    messages = [
        Message("system", (Text("You are a helpful assistant.", protected=True),)),
        Message("user", (Text("Press the button that was named first.", protected=True),)),
    ]
    for number in range(first, first + frames):
        messages.append(Message("user", (Frame(screenshot(number), number),)))
        if number < first + frames - 1:
            text = f"Thought: {number}\nAction: click(start_box='({number},7)')"
            ids = tuple(adapter.tokenizer.encode(text, add_special_tokens=False))
            messages.append(Message("assistant", (Reply(ids, text),)))
    return tuple(messages)
