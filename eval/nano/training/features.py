"""What the vision tower sees on stored screens, computed once: the decoder then trains without it.

The tower is frozen while the decoder learns episodes, so every screen's image tokens are constants:
(screens, TOKENS, HIDDEN) float16 in memory, about 51 kB a screen.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from eval.nano.training.fast_forward import FastForward
from eval.nano.training.model import HIDDEN
from eval.nano.training.runs import ThreadChoice
from eval.nano.training.samples import to_patches
from eval.nano.training.screens import CELL, GRID, TOKENS
from eval.nano.training.stored import load_pixels
from guikv.files import make_folder, replace_file, replacing

BATCH = 16
CONTRAST = 12
"""A cell whose channels vary by less than this (of 255) shows nothing."""


def busy_cells(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which cells show anything but one colour: (TOKENS,) bool."""
    cells = pixels.reshape(GRID, CELL, GRID, CELL, 3).transpose(0, 2, 1, 3, 4).reshape(TOKENS, -1, 3).astype(np.int16)
    spread: NDArray[np.bool_] = (cells.max(1) - cells.min(1)).max(-1) >= CONTRAST
    return spread


@torch.no_grad()
def compute_features(forward: FastForward, paths: Sequence[Path]) -> tuple[torch.Tensor, NDArray[np.bool_]]:
    """Image tokens (screens, TOKENS, HIDDEN) float16 and busy cells (screens, TOKENS) of PNG files."""
    features = torch.empty(len(paths), TOKENS, HIDDEN, dtype=torch.float16)
    busy = np.zeros((len(paths), TOKENS), np.bool_)
    started = time.monotonic()
    threads = ThreadChoice(torch.get_num_threads())
    for start in range(0, len(paths), BATCH):
        pixels = [load_pixels(p) for p in paths[start : start + BATCH]]
        count = len(pixels)
        # The compiled tower knows one batch size.
        padded = pixels + [pixels[-1]] * (BATCH - count)
        patches = torch.from_numpy(np.stack([to_patches(p) for p in padded]))
        features[start : start + count] = forward.see(patches)[:count].half().cpu()
        busy[start : start + count] = [busy_cells(p) for p in pixels]
        threads.next()
        if start // BATCH % 20 == 0:
            rate = (start + count) / (time.monotonic() - started)
            left = (len(paths) - start - count) / rate / 60
            print(f"\rseen {start + count}/{len(paths)} screens, {rate:.0f}/s, {left:.1f} min left", end="", flush=True)
    print(file=sys.stdout)
    return features, busy


def tower_digest(tower: nn.Module) -> str:
    """A name for a vision tower by its weights, as they are after being shipped in half precision."""
    found = sha256()
    for name, values in sorted(tower.state_dict().items()):
        found.update(name.encode() + values.half().cpu().numpy().tobytes())
    return found.hexdigest()


def load_features(
    forward: FastForward, paths: Sequence[Path], store: Path, tag: str
) -> tuple[torch.Tensor, NDArray[np.bool_]]:
    """`compute_features`, kept in the folder `store`; only screens that it lacks are computed.

    `tag` names the vision tower: another one starts the store anew.
    """
    wanted = [f"{p.parent.name}/{p.name}" for p in paths]
    index = store / "screens.txt"
    known = index.read_text(encoding="utf-8").splitlines() if index.exists() else []
    if not known or known[0] != tag:
        known = [tag]
    if known[1:] == wanted:
        return _stored(store, len(wanted)), np.load(store / "busy.npy", allow_pickle=False)
    rows = {name: row for row, name in enumerate(known[1:])}
    have = [i for i, name in enumerate(wanted) if name in rows]
    lack = [i for i, name in enumerate(wanted) if name not in rows]
    features = torch.empty(len(paths), TOKENS, HIDDEN, dtype=torch.float16)
    busy = np.zeros((len(paths), TOKENS), np.bool_)
    if have:
        taken = [rows[wanted[i]] for i in have]
        features[have] = _stored(store, len(rows))[taken]
        busy[have] = np.load(store / "busy.npy", allow_pickle=False)[taken]
    if lack:
        features[lack], busy[lack] = compute_features(forward, [paths[i] for i in lack])
    make_folder(store)
    index.unlink(missing_ok=True)
    with replacing(store / "features.f16") as file:
        features.numpy().tofile(file)
    with replacing(store / "busy.npy") as file:
        np.save(file, busy, allow_pickle=False)
    replace_file(index, ("\n".join([tag, *wanted]) + "\n").encode())
    return features, busy


def _stored(store: Path, count: int) -> torch.Tensor:
    return torch.from_numpy(np.fromfile(store / "features.f16", np.float16)).view(count, TOKENS, HIDDEN)
