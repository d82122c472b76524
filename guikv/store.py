"""Sessions on disk: tensors as safetensors, the rest as JSON. Nothing in a file is ever executed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from guikv.attention import Watch
from guikv.budget import Budget
from guikv.errors import GuikvError, SessionError
from guikv.files import make_folder, replacing
from guikv.ledger import FrameInfo, Ledger
from guikv.models.base import Adapter
from guikv.policies import make_policy
from guikv.session import Session

_LEDGER = ("ids", "positions", "frames", "turns", "protected", "dropped")
TENSORS, SETTINGS = "session.safetensors", "session.json"


def fingerprint(adapter: Adapter) -> str:
    """Tells models apart by their configuration and a sample of their weights."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps(dataclasses.asdict(adapter.shape), sort_keys=True).encode())
    for name, weight in sorted(adapter.model.state_dict().items()):
        sample = weight.flatten()[:16].float().cpu().numpy().tobytes()
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode() + sample)
    return digest.hexdigest()


def save_session(session: Session, folder: Path) -> None:
    """Write both files; each replaces an older one only when it is complete. Raises SessionError."""
    tensors = {f"ledger.{name}": getattr(session.ledger, name) for name in _LEDGER}
    layers = []
    for number, layer in session.cache.kv:
        layers.append({"seen": layer.seen, "padded": layer.padded, "initialized": layer.is_initialized})
        if layer.is_initialized:
            tensors |= {f"layer.{number}.{part}": getattr(layer, part) for part in ("keys", "values", "index")}
        if number in session.watch.queries:
            tensors[f"watch.{number}"] = session.watch.queries[number]
    tensors |= {f"cache.{name}": tensor for name, tensor in session.cache.extra().items()}
    for name in ("next_logits", "norms"):
        if getattr(session, name) is not None:
            tensors[name] = getattr(session, name)
    s = session.settings
    data = {
        "model": fingerprint(session.adapter),
        "policy": {"name": s.policy.name, **dataclasses.asdict(s.policy)},
        "budget": dataclasses.asdict(s.budget),
        **{k: getattr(s, k) for k in ("moment", "window", "history", "protect", "old_pixels")},
        "watched": session.watch.window,
        "observed": session.observed,
        "screenshots": {str(n): dataclasses.asdict(info) for n, info in session.ledger.screenshots.items()},
        "layers": layers,
    }
    try:
        make_folder(folder)
        # The settings take their place last: only then both are complete.
        with replacing(folder / SETTINGS) as settings, replacing(folder / TENSORS) as file:
            settings.write(json.dumps(data).encode())
            settings.flush()
            save_file({k: v.contiguous().clone() for k, v in tensors.items()}, file.name)
    except (OSError, SafetensorError) as error:
        raise SessionError(f"the session could not be saved in {folder}: {error}") from error


def load_session(folder: Path, adapter: Adapter) -> Session:
    """Read a session. Raises SessionError naming the file that is missing, damaged or of another model."""
    try:
        data = json.loads((folder / SETTINGS).read_text())
        tensors = load_file(folder / TENSORS, device=str(adapter.device))
    except (OSError, ValueError, SafetensorError) as error:
        raise SessionError(f"no usable session in {folder}: {error}") from error
    if data.get("model") != fingerprint(adapter):
        raise SessionError(f"the session in {folder} belongs to another model than {adapter.name or 'this one'}")
    try:
        return _rebuild(data, tensors, adapter)
    except (KeyError, TypeError, ValueError, GuikvError) as error:
        raise SessionError(f"the session in {folder} is damaged: {error}") from error


def _rebuild(data: dict[str, Any], tensors: dict[str, Tensor], adapter: Adapter) -> Session:
    session = Session(
        adapter,
        make_policy(**data["policy"]),
        Budget(**data["budget"]),
        data["moment"],
        data["window"],
        data["history"],
        data["protect"],
        data.get("old_pixels"),
    )
    shots = {int(n): FrameInfo(**info) for n, info in data["screenshots"].items()}
    session.ledger = Ledger(**{name: tensors[f"ledger.{name}"].cpu() for name in _LEDGER}, screenshots=shots)
    for (number, layer), facts in zip(session.cache.kv, data["layers"], strict=True):
        if facts["initialized"]:
            layer.lazy_initialization(tensors[f"layer.{number}.keys"], tensors[f"layer.{number}.values"])
            layer.keys, layer.values = tensors[f"layer.{number}.keys"], tensors[f"layer.{number}.values"]
            layer.index = tensors[f"layer.{number}.index"]
            layer.seen, layer.padded = int(facts["seen"]), bool(facts["padded"])
    extra = {n.removeprefix("cache."): t for n, t in tensors.items() if n.startswith("cache.")}
    session.cache.put_extra(extra)
    session.watch = Watch(cache=session.cache, window=int(data["watched"]))
    session.watch.queries = {
        int(name.removeprefix("watch.")): t for name, t in tensors.items() if name.startswith("watch.")
    }
    session.observed = int(data["observed"])
    session.next_logits, session.norms = tensors.get("next_logits"), tensors.get("norms")
    session.ledger.verify(session.cache)
    return session
