"""A checkpoint's files: where they are, whether they are all there and whole. Nothing in them is ever executed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from guikv.errors import ModelError

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
SMALL_FILES = ("*.json", "*.txt", "*.jinja", "*.model", "*.tiktoken", "*.py")
"""Everything but the weights. Python files are published beside some tokenizers; they are read as data, if at all."""
WEIGHT_FILES = "*.safetensors"
PROCESSOR_TEMPLATE = "chat_template.json"
"""Where processors of older days keep the chat template that a tokenizer lacks."""
SAMPLE = 16
"""Numbers of each weight that a fingerprint looks at."""


@dataclass(frozen=True)
class Stored:
    """A tensor in a file: its name, shape and type (`BF16`, `F32`, …), and the bytes it takes there."""

    name: str
    shape: tuple[int, ...]
    kind: str
    nbytes: int

    @property
    def count(self) -> int:
        return prod(self.shape)


def locate(name: str, shipped: dict[str, Path]) -> tuple[Path, bool]:
    """The folder with a model's small files, and whether it is a copy from the hub.

    Raises ModelError when there is no such folder, or no such name that could be reached.
    """
    folder = Path(str(shipped.get(name, name))).expanduser()
    looks_local = folder.is_absolute() or name.startswith((".", "~")) or "/" not in name
    if (folder / "config.json").is_file():
        return folder, False
    if looks_local or folder.is_dir():
        known = ", ".join(shipped)
        raise ModelError(f"there is no model at {name!r}: give a folder with a config.json, a hub name, or: {known}")
    return download(name, SMALL_FILES), True


def fingerprint(facts: str, weights: Iterable[tuple[str, Tensor]]) -> str:
    """32 hex digits that tell models apart: of what is known of them, and of each weight's name, shape, type and the
    first numbers in it (all [...], and as many of them as are given)."""
    digest = hashlib.blake2b(facts.encode(), digest_size=16)
    for name, weight in sorted(weights, key=lambda named: named[0]):
        sample = weight.detach().flatten()[:SAMPLE].cpu().view(torch.uint8).numpy().tobytes()
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode() + sample)
    return digest.hexdigest()


def fingerprint_of_files(folder: Path) -> str:
    """`fingerprint` of a checkpoint's configuration and weights before they are loaded, its first eight digits.

    Raises ModelError for damaged weights.
    """
    held: list[Stored] = []
    samples: list[tuple[str, Tensor]] = []
    for path in sorted(folder.glob(WEIGHT_FILES)):
        with _opened(path, str(folder)) as file:
            held += _stored(file)
            samples += ((n, file.get_slice(n)[:1] if s else file.get_tensor(n)) for n, s in _shapes(file))
    shapes = sorted((tensor.name, tensor.shape) for tensor in held)
    return fingerprint(f"{(folder / 'config.json').read_text()} {shapes}", samples)[:8]


def processor_template(folder: Path) -> str | None:
    """The chat template beside the processor, or None where there is none that is a text."""
    try:
        found = json.loads((folder / PROCESSOR_TEMPLATE).read_text())["chat_template"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def download(name: str, patterns: tuple[str, ...]) -> Path:
    """The hub cache's folder of this name with the files that fit. Raises ModelError when they cannot be had."""
    try:
        return Path(snapshot_download(name, allow_patterns=list(patterns)))
    except RepositoryNotFoundError as error:
        raise ModelError(f"there is no model {name!r} on the hub, or it needs a login: check the name") from error
    except HFValidationError as error:
        raise ModelError(f"{name!r} is neither a folder nor a name on the hub") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise ModelError(
            f"{name!r} is no folder here, not in the local cache, and the hub cannot be reached: go online, or give a "
            "folder"
        ) from error


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """config.json as it stands. Raises ModelError."""
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{name} could not be read as a model: config.json: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ModelError(f"{name} could not be read as a model: its config.json names no model_type")
    return config


def announced_bytes(folder: Path) -> int:
    """Bytes of the weights by the index of shards, before any of them is there; 0 where nothing is said."""
    try:
        size = json.loads((folder / INDEX).read_text())["metadata"]["total_size"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return int(size) if isinstance(size, int | float) else 0


def read_weights(folder: Path, name: str) -> tuple[Stored, ...]:
    """What the safetensors files hold, from their headers alone.

    Raises ModelError when a shard is missing, cut short or damaged, or holds not what the index says.
    """
    shards = _shards(folder, name)
    held = {}
    for shard in shards:
        with _opened(folder / shard, name) as file:
            held[shard] = _stored(file)
    for shard, names in shards.items():
        absent = names - {tensor.name for tensor in held[shard]}
        if absent:
            raise ModelError(f"{name} could not be loaded: {shard} lacks {min(absent)}, which the index puts there")
    return tuple(tensor for tensors in held.values() for tensor in tensors)


def _shards(folder: Path, name: str) -> dict[str, set[str]]:
    """File → names of the tensors that have to be in it."""
    if not (folder / INDEX).is_file():
        if not (folder / SINGLE).is_file():
            raise ModelError(f"{name} could not be loaded: there are no weights in safetensors files")
        return {SINGLE: set()}
    try:
        mapping = json.loads((folder / INDEX).read_text())["weight_map"]
        shards: dict[str, set[str]] = {}
        for tensor, shard in mapping.items():
            shards.setdefault(_plain(shard), set()).add(tensor)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{name} could not be loaded: {INDEX} is damaged: {error!r}") from error
    missing = [shard for shard in sorted(shards) if not (folder / shard).is_file()]
    if missing:
        raise ModelError(
            f"{name} could not be loaded: {len(missing)} of {len(shards)} weight files are missing, the first is "
            f"{missing[0]}: download them again"
        )
    return shards


def _plain(shard: str) -> str:
    """A file name without any folder in it. Raises ValueError."""
    if Path(shard).name != shard:
        raise ValueError(f"{shard!r} is not a plain file name")
    return shard


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    """The weight file, its header read and checked against its length. Raises ModelError."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        size = path.stat().st_size if path.is_file() else 0
        raise ModelError(
            f"{name} could not be loaded: {path.name} is cut short or damaged ({size:,} bytes), download it again: "
            f"{str(error).splitlines()[0]}"
        ) from error


def _shapes(file: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(file.get_slice(name).get_shape())) for name in file.keys()]  # noqa: SIM118


def _stored(file: Any) -> list[Stored]:
    """What an open file holds."""
    found = []
    for name, shape in _shapes(file):
        kind = file.get_slice(name).get_dtype()
        bits = 8 if kind == "BOOL" else int(re.sub(r"\D*(\d+).*", r"\1", kind))
        found.append(Stored(name, shape, kind, prod(shape) * bits // 8))
    return found
