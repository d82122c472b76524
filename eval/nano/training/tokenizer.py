"""nano's tokenizer: byte-level, with whole pieces for the words and phrases that its world uses.

Text is cut into pieces by one regular expression; a piece of the vocabulary is one token and any
other piece falls back to its bytes (`ignore_merges` with an empty merge list), so that every text
can be encoded. A UI word never swallows the space before it: the same word is the same token in
an instruction, after `Thought: ` and inside quotes, which is what lets the model copy it.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from envs.playground.words import STATUS, WORDS
from guikv.files import make_folder, replace_file
from guikv.nano import SPECIAL

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
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_pattern()), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
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
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 8192,
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
    }
    replace_file(folder / "tokenizer_config.json", (json.dumps(config, indent=2) + "\n").encode())
