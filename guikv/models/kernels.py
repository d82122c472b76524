"""What models are computed with on this machine, and what it lacks: facts for `guikv doctor`."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec

import torch

from guikv.models.device import choose_device, choose_dtype, flash_usable, vision_attention
from guikv.products import bfloat16_units, faster_for

FLASH = "pip install 'guikv[flash]'   (PyTorch's own attention is used without it)"
COMPILERS = ("g++", "clang++", "c++")
WAITING = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT")
"""Settings of the OpenMP libraries that say how threads wait for each other."""


@dataclass(frozen=True)
class Fact:
    """One thing that models are computed with; ok: nothing better is to be had by `fix`."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def facts(device: str = "auto", dtype: str = "auto", attention: str = "auto") -> tuple[Fact, ...]:
    """What a model asked for with these would be computed with here; nothing is loaded.

    Raises ModelError as `load_model` does for a device, type or attention that there is not.
    """
    place = choose_device(device)
    kind = choose_dtype(dtype, place)
    vision = vision_attention(attention, place, kind)
    flash = flash_usable(place, kind)
    found = [
        Fact("computed on", True, f"{_name(place)} in {str(kind).removeprefix('torch.')}"),
        Fact("prefill", True, _prefill(place, kind, flash)),
        Fact("decoding", True, "flash-attn over slots; PyTorch alone" if flash else "PyTorch"),
        Fact("vision", True, _vision(vision, place, kind)),
    ]
    if place.type == "cuda":
        if find_spec("flash_attn") is None:
            found.append(Fact("flash-attn", False, "not installed", FLASH))
        elif not flash:
            found.append(Fact("flash-attn", False, "not for float32", "--dtype bfloat16"))
        else:
            found.append(Fact("flash-attn", True, "installed"))
    else:
        found += [_bfloat16(kind), _threads()]
    return (*found, _compiler(place))


def _name(place: torch.device) -> str:
    if place.type == "cuda":
        return f"{place} ({torch.cuda.get_device_name(place)})"
    return f"{place} ({torch.backends.cpu.get_cpu_capability()})" if place.type == "cpu" else str(place)


def _vision(attention: str, place: torch.device, kind: torch.dtype) -> str:
    if "flash" in attention:
        return "flash-attn, windows by their edges"
    return f"{_products(place, kind)}, all windows of a size in one call"


def _prefill(place: torch.device, kind: torch.dtype, flash: bool) -> str:
    how = "flash-attn" if flash else _products(place, kind)
    return how if how == "PyTorch" else f"{how}; PyTorch where heads keep different entries"


def _products(place: torch.device, kind: torch.dtype) -> str:
    return "matrix products" if faster_for(place, kind) else "PyTorch"


def _bfloat16(kind: torch.dtype) -> Fact:
    if bfloat16_units():
        return Fact("bfloat16", True, "multiplied in hardware" + ("" if kind == torch.bfloat16 else ", not in use"))
    detail = "this CPU has no units for it"
    if kind == torch.float32:
        return Fact("bfloat16", True, f"{detail}; float32 is right here")
    return Fact("bfloat16", False, f"{detail}: {str(kind).removeprefix('torch.')} is slow", "--dtype float32")


def _threads() -> Fact:
    given = [f"{name}={os.environ[name]}" for name in WAITING if name in os.environ]
    count = torch.get_num_threads()
    if os.environ.get("OMP_WAIT_POLICY", "").strip().upper() == "PASSIVE":
        return Fact("threads", True, f"{count}, asleep while they wait ({', '.join(given)})")
    how = ", ".join(given) if given else "as the OpenMP library has it: they may spin while they wait"
    return Fact("threads", False, f"{count}, {how}", "set OMP_WAIT_POLICY=PASSIVE before Python starts")


def _compiler(place: torch.device) -> Fact:
    """What torch.compile needs: Triton on CUDA, a C++ compiler on a CPU."""
    if place.type == "cuda":
        there = find_spec("triton") is not None
        return Fact("compiler", there, "triton" if there else "torch.compile has no triton", "pip install triton")
    path = next(filter(None, (shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS) if name)), None)
    detail = path or "torch.compile has no C++ compiler: decoding runs uncompiled"
    return Fact("compiler", path is not None, detail, "apt-get install g++")
