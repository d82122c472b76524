"""What `guikv bench reuse` runs on: the smallest model that has all its parts, a tokenizer, screenshots, actions."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageDraw
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from agent.dialects import DIALECTS
from agent.history import History, Observation
from envs.actions import Action, Click, Keys, Scroll, Type
from envs.geometry import Resize, Size
from guikv.content import Frame, Text
from guikv.models.base import Adapter
from guikv.models.random_weights import Sizes, random_model
from guikv.nano import SPECIAL

SCREEN = Size(1036, 728)
"""Becomes 962 image tokens."""
TASK = "Open the settings, search for the printer, and write its name into the form."
MODEL = Sizes(
    hidden=32,
    layers=1,
    heads=2,
    kv_heads=1,
    intermediate=32,
    vision_hidden=32,
    vision_layers=1,
    vision_intermediate=32,
    vocabulary=4096,
)


def small_model() -> Adapter:
    """A random Qwen2.5-VL whose tokenizer has learned the dialects' own texts."""
    adapter = random_model(MODEL)
    adapter.tokenizer = word_tokenizer(texts())
    return adapter


def word_tokenizer(learn: Iterable[str]) -> PreTrainedTokenizerFast:
    """Bytes merged into the words that occur more than once, so that a text has about as many tokens as in reality."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=MODEL.vocabulary - len(SPECIAL), min_frequency=2, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(learn, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.add_special_tokens({"additional_special_tokens": list(SPECIAL)})
    return fast


def texts() -> list[str]:
    """What each dialect writes before and in an episode."""
    out: list[str] = []
    seen = Observation(Frame(screenshot(0), 0))
    for make in DIALECTS.values():
        dialect = make()
        messages = dialect.render(TASK, History(), seen)
        out += [part.text for message in messages for part in message.parts if isinstance(part, Text)]
        out += [dialect.write(thought(number), [action(number)], Resize(SCREEN, SCREEN)) for number in range(4)]
    return out


def screenshot(number: int, size: Size = SCREEN) -> Image.Image:
    """A window with a list, of which another line is marked in every step."""
    image = Image.new("RGB", (size.width, size.height), (236, 238, 241))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, size.width, 28), fill=(52, 73, 94))
    pen.text((12, 8), f"Settings - page {number + 1}", fill="white")
    for line in range(max(1, (size.height - 60) // 40)):
        top = 44 + 40 * line
        marked = line == number % 8
        pen.rectangle((20, top, size.width - 20, top + 32), fill=(250, 220, 130) if marked else "white")
        pen.text((32, top + 10), f"Entry {number * 7 + line}", fill="black")
    return image


def thought(number: int) -> str:
    return f"Entry {number} of the list is marked now, so this is the next step."


def action(number: int) -> Action:
    """What the model does in a step: something that every family can say."""
    choices: tuple[Action, ...] = (
        Click(x=20 + 9 * number, y=20 + 4 * (number % 8)),
        Type(text=f"printer {number}"),
        Scroll(direction="down", amount=5, x=50, y=40),
        Keys(keys=("ctrl", "s")),
    )
    return choices[number % len(choices)]
