"""nano's language: its tokens, the chat layout and action dialect it is fed with, and episodes as tokens.

Text is cut into pieces by one regular expression; a piece of the vocabulary is one token and any other piece falls
back to its bytes (`ignore_merges` with an empty merge list), so that every text can be encoded. A UI word never
swallows the space before it: the same word is the same token in an instruction, after `Thought: ` and inside quotes,
which is what lets the model copy it.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from envs.playground.words import STATUS, WORDS
from eval.nano.training.screens import GRID, SIDE, TOKENS, Element, click_point
from guikv.files import make_folder, replace_file
from guikv.nano import SPECIAL

PROMPT = "Task: {instruction}"
IDS: dict[str, int] = {name: i for i, name in enumerate(SPECIAL)}
"""Special token name -> id."""

PHRASES: tuple[str, ...] = (
    "You are a helpful assistant.", "system\n", "user\n", "assistant\n", "Task: ", "Thought: ", "\nAction: ",
    "click(start_box='(", "scroll(start_box='(", ")', direction='", "type(content='", "finished(content='",
    ")')", "')",
)  # fmt: skip
"""Fixed pieces of the chat layout and of the action dialect, one token each."""

VERBS: tuple[str, ...] = (
    "Click", "Press", "Tap", "Select", "Choose", "Go", "Fill", "Type", "Enter", "Scroll", "Find", "Pick",
    "Remember", "Read", "Please", "Tick", "Check", "Write", "Use",
)  # fmt: skip

SMALL: tuple[str, ...] = (
    "the", "button", "link", "checkbox", "field", "box", "on", "to", "in", "with", "into", "and", "then",
    "page", "down", "up", "left", "right", "until", "you", "see", "code", "done", "click", "press", "open",
    "type", "fill", "form", "of", "option", "item", "it", "is", "that", "for", "a", "now", "scroll", "shown",
    "tab", "menu", "icon", "labelled", "named", "called", "word", "remember", "pick", "submit",
)  # fmt: skip

LATER: tuple[str, ...] = (
    " can", " choose", " saw", " dialog", "Dismiss", " listed", " words", " order",
)  # fmt: skip
"""Pieces added after the first training: at the end, so that the ids before them stay what they were."""

MARKS: tuple[str, ...] = (' "', "\n", " ", ".", ",", ":", "'", '"', "(", ")", "-", "?", "!", "/", "=", "_")
DIGITS: tuple[str, ...] = tuple("0123456789")
VOCAB_SIZE = 576


def _pattern() -> str:
    """The cutting regex: phrases first, then words, single digits, and single other characters."""
    phrases = "|".join(p.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.") for p in PHRASES)
    return rf"""{phrases}| ?[a-z]+|[A-Z][a-z]*|[0-9]| "|[\s\S]"""


def _byte_chars() -> dict[int, str]:
    """Byte value -> the printable character that stands for it in byte-level vocabularies."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in plain}
    for n, b in enumerate(b for b in range(256) if b not in table):
        table[b] = chr(256 + n)
    return table


def vocabulary() -> list[str]:
    """All pieces as plain text in id order, the special tokens first, without the byte fallback."""
    pieces = [*SPECIAL, *WORDS, *STATUS, *DIGITS, *PHRASES, *MARKS, *VERBS, *SMALL, *(" " + w for w in SMALL), *LATER]
    return list(dict.fromkeys(pieces))


def build_tokenizer() -> Tokenizer:
    """Build the tokenizer from the word lists; no corpus and no randomness are involved."""
    table = _byte_chars()
    vocab: dict[str, int] = {}
    for piece in vocabulary():
        key = piece if piece in SPECIAL else "".join(table[b] for b in piece.encode())
        vocab[key] = len(vocab)
    for char in table.values():
        vocab.setdefault(char, len(vocab))
    if len(vocab) > VOCAB_SIZE:
        raise ValueError(f"{len(vocab)} pieces do not fit a vocabulary of {VOCAB_SIZE}")
    tokenizer = Tokenizer(BPE(vocab=vocab, merges=[], ignore_merges=True))
    pieces = pre_tokenizers.Split(Regex(_pattern()), "isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pieces, as_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def word_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """UI and status word -> its single token id."""
    vocab = tokenizer.get_vocab()
    return {word: vocab[word] for word in (*WORDS, *STATUS)}


def save_tokenizer(folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json for transformers' `AutoTokenizer`."""
    make_folder(folder)
    replace_file(folder / "tokenizer.json", build_tokenizer().to_str(pretty=True).encode())
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
        "model_max_length": 8192, "clean_up_tokenization_spaces": False, "add_prefix_space": False,
    }  # fmt: skip
    replace_file(folder / "tokenizer_config.json", (json.dumps(config, indent=2) + "\n").encode())


SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
FRAME = "<|im_start|>user\n<|vision_start|>{image}<|vision_end|><|im_end|>\n<|im_start|>assistant\n"
TURN_END = "<|im_end|>\n"
IMAGE = "<|image_pad|>" * TOKENS

TEMPLATES: tuple[str, ...] = (
    'Click "{word}".', "Press {word}", "Click {word}.", 'Press the "{word}" {kind}.', "Click the {word} {kind}.",
    "Open the {word} {kind}.", 'Select "{word}".', "Tap {word}", 'Please click the "{word}" {kind}.', "Choose {word}.",
)  # fmt: skip


def instruction(word: str, kind: str, rng: random.Random, usual: float = 0.7) -> str:
    """A sentence that asks for a click; with probability `usual` the playground's own form."""
    template = 'Click the "{word}" {kind}.' if rng.random() < usual else rng.choice(TEMPLATES)
    return template.format(word=word, kind=kind)


def opening(prompt: str) -> str:
    """The text before the first frame; `prompt` already holds the instruction."""
    return f"{SYSTEM}<|im_start|>user\n{prompt}{TURN_END}"


def click_reply(word: str, x: int, y: int) -> str:
    """Thought and action that click a pixel."""
    return f"Thought: {word}\nAction: click(start_box='({x},{y})')"


def finished_reply() -> str:
    """Thought and action on the page that says Done."""
    return "Thought: Done\nAction: finished(content='done')"


def type_reply(field: str, text: str) -> str:
    """Thought and action that type a word into the field that was clicked before."""
    return f"Thought: {field} {text}\nAction: type(content='{text}')"


def scroll_reply() -> str:
    """Thought and action that look further down the page."""
    middle = SIDE // 2
    return f"Thought: down\nAction: scroll(start_box='({middle},{middle})', direction='down')"


@dataclass(frozen=True)
class Turn:
    """One frame of an episode: which screen of the batch, the reply, and the control it clicks."""

    screen: int
    reply: str
    target: Element | None


@dataclass(frozen=True)
class Episode:
    """An instruction and its turns."""

    instruction: str
    turns: tuple[Turn, ...]


@dataclass
class Encoded:
    """Token arrays of an episode; `cells` are rows of the batch's image tokens, in order."""

    ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    positions: list[tuple[int, int, int]] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    naming: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    """Per click: (index of the thought's word, screen, word id, x bin pixel, y pixel)."""


class Encoder:
    """Turns episodes into token sequences."""

    def __init__(self) -> None:
        self.tokenizer: Tokenizer = build_tokenizer()
        self.words = word_ids(self.tokenizer)
        self._cache: dict[str, list[int]] = {}

    def tokens(self, text: str) -> list[int]:
        """Token ids of a piece of the layout; pieces end at token borders."""
        if text not in self._cache:
            if len(self._cache) > 50000:
                self._cache.clear()
            self._cache[text] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return self._cache[text]

    def sequence(self, episode: Episode, kept: list[NDArray[np.int64]]) -> Encoded:
        """Encode an episode; `kept[s]` lists the cells of screen s that stay in the sequence."""
        s = Encoded()
        place = 0

        def put(text: str, learn: bool) -> None:
            nonlocal place
            for token in self.tokens(text):
                s.ids.append(token)
                s.labels.append(token if learn else -100)
                s.positions.append((place, place, place))
                place += 1

        before, after = FRAME.split("{image}")
        put(opening(PROMPT.replace("{instruction}", episode.instruction)), False)
        for turn in episode.turns:
            put(before, False)
            for cell in kept[turn.screen].tolist():
                s.ids.append(IDS["<|image_pad|>"])
                s.labels.append(-100)
                s.positions.append((place, place + cell // GRID, place + cell % GRID))
                s.cells.append(turn.screen * TOKENS + cell)
            place += GRID
            put(after, False)
            if turn.target is not None:
                x, y = click_point(turn.target)
                s.naming.append((len(s.ids) + 1, turn.screen, self.words[turn.target.word], x, y))
            put(turn.reply + "<|im_end|>", True)
            put("\n", False)
        return s


def click_turn(screen: int, element: Element) -> Turn:
    """The turn that clicks a control."""
    return Turn(screen, click_reply(element.word, *click_point(element)), element)
