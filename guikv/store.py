"""Sessions on disk: tensors as safetensors, the rest as JSON. Nothing in a file is ever executed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from guikv.attention import Watch
from guikv.errors import GuikvError, SessionError
from guikv.files import make_folder, replacing
from guikv.ledger import FrameInfo, Ledger
from guikv.models.base import Adapter
from guikv.settings import Settings
from guikv.state import State

_LEDGER = ("ids", "positions", "frames", "turns", "protected", "dropped")
TENSORS, SETTINGS = "session.safetensors", "session.json"


def save_session(state: State, settings: Settings, adapter: Adapter, folder: Path) -> None:
    """Write both files; each replaces an older one only when it is complete. Raises SessionError."""
    tensors = {f"ledger.{name}": getattr(state.ledger, name) for name in _LEDGER}
    layers = []
    for number, layer in state.cache.kv:
        layers.append({"seen": layer.seen, "padded": layer.padded, "initialized": layer.is_initialized})
        if layer.is_initialized:
            tensors |= {f"layer.{number}.{part}": getattr(layer, part) for part in ("keys", "values", "index")}
        if number in state.watch.queries:
            tensors[f"watch.{number}"] = state.watch.queries[number]
    tensors |= {f"cache.{name}": tensor for name, tensor in state.cache.extra().items()}
    tensors |= {n: t for n, t in (("next_logits", state.next_logits), ("norms", state.norms)) if t is not None}
    data = {
        "model": adapter.fingerprint,
        **settings.to_dict(),
        "watched": state.watch.observation_window,
        "observed": state.observed,
        "screenshots": {str(n): dataclasses.asdict(info) for n, info in state.ledger.screenshots.items()},
        "forgotten": {str(n): digest for n, digest in state.forgotten.items()},
        "layers": layers,
    }
    try:
        make_folder(folder)
        # The JSON file takes its place last: only then both are complete.
        with replacing(folder / SETTINGS) as rest, replacing(folder / TENSORS) as file:
            rest.write(json.dumps(data).encode())
            rest.flush()
            save_file({k: v.contiguous().clone() for k, v in tensors.items()}, file.name)
    except (OSError, SafetensorError) as error:
        raise SessionError(f"the session could not be saved in {folder}: {error}") from error


def load_session(folder: Path, adapter: Adapter) -> tuple[State, Settings]:
    """Read a session. Raises SessionError naming the file that is missing, damaged or of another model."""
    try:
        data = json.loads((folder / SETTINGS).read_text())
        tensors = load_file(folder / TENSORS, device=str(adapter.device))
    except (OSError, ValueError, SafetensorError) as error:
        raise SessionError(f"no usable session in {folder}: {error}") from error
    if data.get("model") != adapter.fingerprint:
        raise SessionError(f"the session in {folder} belongs to another model than {adapter.name or 'this one'}")
    try:
        return _state(data, tensors, adapter), Settings.from_dict(data)
    except (KeyError, TypeError, ValueError, GuikvError) as error:
        raise SessionError(f"the session in {folder} is damaged: {error}") from error


def _state(data: dict[str, Any], tensors: dict[str, Tensor], adapter: Adapter) -> State:
    shots = {int(n): FrameInfo(**info) for n, info in data["screenshots"].items()}
    ledger = Ledger(**{name: tensors[f"ledger.{name}"].cpu() for name in _LEDGER}, screenshots=shots)
    cache = adapter.new_cache()
    for (number, layer), facts in zip(cache.kv, data["layers"], strict=True):
        if facts["initialized"]:
            layer.put(*(tensors[f"layer.{number}.{part}"] for part in ("keys", "values", "index")))
            layer.seen, layer.padded = int(facts["seen"]), bool(facts["padded"])
    cache.put_extra({n.removeprefix("cache."): t for n, t in tensors.items() if n.startswith("cache.")})
    queries = {int(n.removeprefix("watch.")): t for n, t in tensors.items() if n.startswith("watch.")}
    watch = Watch(cache=cache, observation_window=int(data["watched"]), queries=queries)
    ledger.verify(cache)
    logits, norms = tensors.get("next_logits"), tensors.get("norms")
    forgotten = {int(n): str(digest) for n, digest in data.get("forgotten", {}).items()}
    return State(ledger, cache, watch, int(data["observed"]), logits, norms, forgotten)
