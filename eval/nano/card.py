"""What the shipped weights are: facts measured from the files, beside the card that was written about them."""

from __future__ import annotations

import json
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from guikv.errors import ModelError

CARD = "README.md"


def facts(folder: Path) -> dict[str, Any]:
    """Sizes of a checkpoint folder; parameters are counted once where they are shared. Raises ModelError."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        files = sorted(folder.glob("*.safetensors"))
        parameters, kinds = _count(files)
        text, vision = config["text_config"], config["vision_config"]
        heads = text["num_attention_heads"]
        return {
            "folder": str(folder),
            "parameters": parameters,
            "parameters_vision": _count(files, "visual.")[0],
            "weights_bytes": sum(file.stat().st_size for file in files),
            "weights_dtype": ", ".join(sorted(kinds)),
            "layers": text["num_hidden_layers"],
            "query_heads": heads,
            "kv_heads": text["num_key_value_heads"],
            "head_dim": text.get("head_dim") or text["hidden_size"] // heads,
            "hidden": text["hidden_size"],
            "vision_layers": vision["depth"],
            "vision_hidden": vision["hidden_size"],
            "vocabulary": len({*tokenizer["model"]["vocab"], *(t["content"] for t in tokenizer["added_tokens"])}),
        }
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError(f"{folder} is no complete checkpoint: {error!r}") from error


def _count(files: list[Path], part: str = "") -> tuple[int, Counter[str]]:
    """Numbers in all tensors whose name holds `part`, and how many tensors have which type."""
    total, kinds = 0, Counter[str]()
    if not files:
        raise FileNotFoundError("no .safetensors file")
    for file in files:
        with safe_open(file, framework="np") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - the file handle is no mapping
                if part in name:
                    total += prod(tensors.get_slice(name).get_shape())
                    kinds[tensors.get_slice(name).get_dtype()] += 1
    return total, kinds


def card_text(folder: Path) -> str:
    """The written card, or a line that says there is none."""
    path = folder / CARD
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return f"*{folder} has no {CARD}.*"
