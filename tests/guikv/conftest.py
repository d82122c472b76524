"""A tiny random Qwen2.5-VL (fewer KV heads than query heads, M-RoPE, float32) and episodes for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from guikv.content import Frame, Message, Reply, Text
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model, random_qwen3
from tests.guikv.architectures import ARCHITECTURES, tiny
from tests.guikv.plain import Plain, load_plain
from tests.guikv.published import FAMILIES, write_checkpoint


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


SECOND = "model-00002-of-00003.safetensors"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3-VL of three shards with a byte tokenizer; nobody writes into it."""
    folder = tmp_path_factory.mktemp("small")
    adapter = random_qwen3()
    size = sum(p.numel() * 4 for p in adapter.model.parameters())
    adapter.model.save_pretrained(folder, max_shard_size=int(size / 2.4))
    adapter.tokenizer.save_pretrained(folder)
    adapter.processor.save_pretrained(folder)
    assert (folder / SECOND).is_file()
    return folder


@pytest.fixture(scope="session", params=FAMILIES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint in the family's published layout; nobody writes into it."""
    return write_checkpoint(request.param, tmp_path_factory.mktemp("published") / f"tiny-{request.param}")


@pytest.fixture(scope="session")
def published(checkpoint: Path) -> Adapter:
    """The checkpoint through the product's loader, in float32."""
    return load_model(str(checkpoint), device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def plain(checkpoint: Path) -> Plain:
    """The checkpoint through transformers alone."""
    return load_plain(checkpoint)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    """A tiny model of each architecture in turn."""
    return tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def own() -> Adapter:
    """A model that a test may change."""
    return random_model()
