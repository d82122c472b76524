"""OpenCUA's tokenizer from its published files, against byte-pair merging written out in plain Python."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.convert_slow_tokenizer import bytes_to_unicode

from guikv.errors import ModelError
from guikv.models.opencua import load_tokenizer
from guikv.models.opencua.tokenizer import KIMI, published_pattern
from tests.guikv import opencua_checkpoint
from tests.guikv.opencua_checkpoint import CODE, NAMES, learned_ranks
from tests.guikv.opencua_reference import Sizes
from tests.guikv.qwen_tokenizer import tokenizer_files

RANKS = learned_ranks()
SMALL = r"[a-z]+|\d|[^a-z]"
TEXTS = st.text(
    st.sampled_from("aAbBeEtTsS'(){}=,.:#\n\t  0123456789xy你好日本语カナéß🙂\u0301") | st.characters(codec="utf-8"),
    max_size=60,
)


def written(folder: Path, code: bool) -> Path:
    folder.mkdir()
    opencua_checkpoint.write(folder, Sizes(), {}, code)
    return folder


@pytest.fixture(scope="module")
def with_code(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_tokenizer(str(written(tmp_path_factory.mktemp("a") / "with", code=True)))


@pytest.fixture(scope="module")
def without_code(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_tokenizer(str(written(tmp_path_factory.mktemp("b") / "without", code=False)))


def merged(piece: bytes, ranks: dict[bytes, int]) -> list[int]:
    """Merge the leftmost pair whose union has the lowest rank, until none has one."""
    if piece in ranks:
        return [ranks[piece]]
    parts = [bytes([b]) for b in piece]
    while True:
        unions = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not unions:
            return [ranks[p] for p in parts]
        _, i = min(unions)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def reference(text: str, pattern: str, ranks: dict[bytes, int] = RANKS) -> list[int]:
    return [i for piece in regex.findall(pattern, text, regex.V1) for i in merged(piece.encode(), ranks)]


def encode(tokenizer: Any, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)  # type: ignore[no-any-return]


@settings(max_examples=300)
@given(TEXTS)
def test_kimis_cuts(without_code: Any, text: str) -> None:
    ids = encode(without_code, text)
    assert ids == reference(text, KIMI)
    assert without_code.decode(ids) == text


@settings(max_examples=200)
@given(TEXTS)
def test_cuts_read_from_the_published_code(with_code: Any, text: str) -> None:
    """The file raises when it is run: only its constant is read."""
    ids = encode(with_code, text)
    assert ids == reference(text, SMALL)
    assert with_code.decode(ids) == text


@pytest.mark.slow
def test_a_vocabulary_of_the_published_size(tmp_path: Path) -> None:
    """The 151,643 ranks of the family's base models, under the published ids of the special tokens."""
    letters = {letter: byte for byte, letter in bytes_to_unicode().items()}
    vocabulary = json.loads((tokenizer_files() / "vocab.json").read_text())
    ranks = {bytes(letters[c] for c in token): rank for token, rank in vocabulary.items()}
    folder = written(tmp_path / "full", code=False)
    (folder / "tiktoken.model").write_bytes(b"".join(line(token, rank) for token, rank in ranks.items()))
    settings_ = json.loads((folder / "tokenizer_config.json").read_text())
    settings_["added_tokens_decoder"] = {str(151643 + i): {"content": name} for i, name in enumerate(NAMES)}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings_))
    tokenizer = load_tokenizer(str(folder))
    assert tokenizer.convert_tokens_to_ids("<|media_placeholder|>") == 151664
    assert encode(tokenizer, "Hello world") == [9707, 1879]
    text = opencua_checkpoint.CORPUS + "点击“确定”按钮。 naïve—CAFÉ's\r\n\t" + "=" * 70 + " 🙂🙂 " + "aaaa" * 30
    for start in range(0, len(text), 53):
        assert encode(tokenizer, text[start : start + 61]) == reference(text[start : start + 61], KIMI, ranks)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("pyautogui.click(x=1443, y=343)", ["pyautogui", ".click", "(x", "=", "144", "3", ",", " y", "=", "343", ")"]),
        ("I'M it's  CamelCase", ["I'M", " it's", " ", " Camel", "Case"]),
        ("点击Button按钮", ["点击", "Button", "按钮"]),
        ("a\n\n  b   ", ["a", "\n\n", " ", " b", "   "]),
    ],
)
def test_examples_of_kimis_cuts(text: str, pieces: list[str]) -> None:
    assert regex.findall(KIMI, text, regex.V1) == pieces


def test_special_tokens_keep_their_ids(without_code: Any) -> None:
    first = len(RANKS)
    assert [without_code.convert_tokens_to_ids(name) for name in NAMES] == list(range(first, first + len(NAMES)))
    text = "<|im_user|>user<|im_middle|>x<|im_end|>"
    ids = without_code.encode(text, add_special_tokens=False)
    assert ids[0] == first + NAMES.index("<|im_user|>")
    assert (len(ids), ids[-1]) == (3 + len(encode(without_code, "user")) + 1, first + 2)
    assert without_code.decode(ids) == text
    plain = encode(without_code, text)
    assert max(plain) < first, "text from outside cannot write control tokens"
    assert without_code.decode(plain) == text
    assert (without_code.bos_token, without_code.eos_token_id) == ("[BOS]", first + 1)


def test_holes_between_added_tokens_are_reserved(tmp_path: Path) -> None:
    folder = written(tmp_path / "holes", code=False)
    data = json.loads((folder / "tokenizer_config.json").read_text())
    data["added_tokens_decoder"][str(len(RANKS) + 30)] = {"content": "[PAD]", "special": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(data))
    tokenizer = load_tokenizer(str(folder))
    assert tokenizer.convert_tokens_to_ids("[PAD]") == len(RANKS) + 30
    assert tokenizer.convert_ids_to_tokens(len(RANKS) + 25) == f"<|reserved_token_{len(RANKS) + 25}|>"


def line(token: bytes, rank: int) -> bytes:
    return base64.b64encode(token) + b" %d\n" % rank


BYTES = b"".join(line(bytes([b]), b) for b in range(256))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "tiktoken.model cannot be read"),
        (b"", "256 of the 256 single bytes"),
        (BYTES + line(b"ab", 300), "without holes"),
        (BYTES + b"YWI= x\n", "line 257"),
        (BYTES + b"!!! 256\n", "line 257"),
        (BYTES + b"YWI=\n", "line 257"),
        (BYTES[:-20], "damaged|line 256"),
    ],
)
def test_damaged_ranks(tmp_path: Path, content: bytes | None, said: str) -> None:
    folder = written(tmp_path / "ranks", code=False)
    (folder / "tiktoken.model").unlink()
    if content is not None:
        (folder / "tiktoken.model").write_bytes(content)
    with pytest.raises(ModelError, match=said):
        load_tokenizer(str(folder))


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "not a JSON object"),
        ("{}", "added_tokens_decoder is missing"),
        ('{"added_tokens_decoder": {"x": {"content": "a"}}}', "damaged"),
        ('{"added_tokens_decoder": {"5": {"content": "[A]"}}}', r"'\[A\]' has the id of a token"),
        ('{"added_tokens_decoder": {"900": {"content": "[A]"}, "901": {"content": "[A]"}}}', "cannot have the id 901"),
    ],
)
def test_damaged_settings(tmp_path: Path, settings_: str, said: str) -> None:
    folder = written(tmp_path / "settings", code=False)
    (folder / "tokenizer_config.json").write_text(settings_)
    with pytest.raises(ModelError, match=said):
        load_tokenizer(str(folder))


def test_a_pattern_that_is_none(tmp_path: Path) -> None:
    folder = written(tmp_path / "pattern", code=True)
    (folder / "tokenization_opencua.py").write_text('class TikTokenV3:\n    pat_str = "(["\n')
    with pytest.raises(ModelError, match="no regular expression"):
        load_tokenizer(str(folder))


@pytest.mark.parametrize(
    ("source", "pattern"),
    [
        (None, KIMI),
        (CODE, r"[a-z]+|\d|[^a-z]"),
        ("class TikTokenV3:\n    pat_str: str = 'a' 'b'", "ab"),
        ("class B:\n    pat_str = '|'.join(('a', 'b'))\nclass TikTokenV3(B):\n    x = 1", "a|b"),
        ("class TikTokenV3(TikTokenV3):\n    x = 1", KIMI),
        ("class TikTokenV3:\n    pat_str = f'{1}'", KIMI),
        ("class TikTokenV3:\n    pat_str = '|'.join([open('x').read()])", KIMI),
        ("class TikTokenV3:\n    pat_str = 7", KIMI),
        ("class Other:\n    pat_str = 'a'", KIMI),
        ("def (", KIMI),
        ("\0", KIMI),
        ("(" * 100_000, KIMI),
        ("x=1\n" * 500_000, KIMI),
    ],
)
def test_what_is_read_from_published_code(source: str | None, pattern: str) -> None:
    assert published_pattern(source, "TikTokenV3") == pattern
