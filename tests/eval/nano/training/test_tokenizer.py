"""The tokenizer: special ids, one token per word, and any text comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from envs.playground.words import WORDS
from eval.nano.training import chat
from eval.nano.training.chat import build_tokenizer, word_ids
from guikv.nano import SPECIAL, WEIGHTS


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


def test_special_tokens_have_the_ids_of_the_config(tokenizer) -> None:
    assert [tokenizer.token_to_id(name) for name in SPECIAL] == list(range(len(SPECIAL)))
    config = json.loads((WEIGHTS / "config.json").read_text())
    assert config["image_token_id"] == tokenizer.token_to_id("<|image_pad|>")
    assert config["vision_start_token_id"] == tokenizer.token_to_id("<|vision_start|>")


@pytest.mark.parametrize(
    "text",
    [
        'Click the "Save" button.',
        "Grüße, 世界! \t x=1_000",
        "Thought: Save\nAction: click(start_box='(140,56)')",
        "",
    ],
)
def test_any_text_comes_back(tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_a_word_is_one_token_wherever_it_stands(tokenizer) -> None:
    ids = word_ids(tokenizer)
    for word in WORDS:
        for text in (f"Thought: {word}\n", f'Click the "{word}" link.', f"Press {word}", word):
            assert ids[word] in tokenizer.encode(text).ids


def test_digits_are_one_token_each(tokenizer) -> None:
    reply = tokenizer.encode(chat.click_reply("Save", 140, 56)).tokens
    assert [t for t in reply if t.isdigit()] == list("14056")


def test_transformers_loads_the_saved_tokenizer_unchanged(tokenizer) -> None:
    loaded = AutoTokenizer.from_pretrained(WEIGHTS)
    text = chat.opening("Task: Open Help, then übermut 42") + chat.FRAME.format(image=chat.IMAGE)
    assert loaded(text, add_special_tokens=False).input_ids == tokenizer.encode(text).ids
    assert isinstance(WEIGHTS, Path)
