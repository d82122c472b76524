"""What models are computed with here, as facts: told for every device and type, and true of what runs."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from guikv.errors import ModelError
from guikv.models.device import flash_usable
from guikv.models.kernels import Fact, facts
from guikv.models.random_weights import random_model
from guikv.models.vision_attention import NAME
from guikv.products import bfloat16_units
from tests.patience import PATIENCE


def named(*asked: str) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts(*asked)}


@pytest.mark.parametrize("dtype", ["auto", "float32", "bfloat16", "float16"])
def test_every_type_on_the_cpu_is_told(dtype: str) -> None:
    told = named("cpu", dtype)
    assert {"computed on", "prefill", "decoding", "vision", "bfloat16", "threads", "compiler"} == set(told)
    assert told["computed on"].detail.startswith("cpu (")
    assert told["computed on"].detail.endswith("float32" if dtype == "auto" else dtype)
    assert all(fact.fix for fact in told.values() if not fact.ok)
    assert "one call" in told["vision"].detail
    assert random_model().tower.config._attn_implementation == NAME  # type: ignore[union-attr]


def test_what_is_not_there_is_refused_as_at_loading() -> None:
    for asked in (("tpu", "auto"), ("cpu", "int4"), ("cpu", "float32", "fast"), ("cpu", "float32", "flash")):
        with pytest.raises(ModelError):
            facts(*asked)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cuda_names_flash_attention() -> None:
    told = named("cuda", "bfloat16")
    assert told["flash-attn"].ok == (find_spec("flash_attn") is not None)
    assert told["prefill"].detail.startswith("flash-attn" if told["flash-attn"].ok else "PyTorch")
    assert not named("cuda", "float32")["flash-attn"].ok


def test_flash_attention_needs_cuda_and_half_precision() -> None:
    installed = find_spec("flash_attn") is not None
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        assert not flash_usable(torch.device("cpu"), dtype)
        half = dtype in (torch.float16, torch.bfloat16)
        assert flash_usable(torch.device("cuda"), dtype) == (installed and half)


def test_slow_bfloat16_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def without() -> dict[str, object]:
        return {"avx2": True, "avx512_bf16": False, "cpu_name": "bf16"}

    monkeypatch.setattr(torch.cpu, "get_capabilities", without, raising=False)
    bfloat16_units.cache_clear()
    try:
        assert not bfloat16_units()
        assert named("cpu", "float32")["bfloat16"].ok
        assert not named("cpu", "bfloat16")["bfloat16"].ok
        assert named("cpu", "bfloat16")["vision"].detail.startswith("PyTorch")
    finally:
        bfloat16_units.cache_clear()


def test_a_missing_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    told = named("cpu")["compiler"]
    assert (told.ok, told.fix) == (False, "apt-get install g++")
    monkeypatch.setenv("CXX", sys.executable)
    assert named("cpu")["compiler"] == Fact("compiler", True, sys.executable, told.fix)


def threads(program: str, **environment: str) -> str:
    """What the fact on threads is in a process of its own, with no such setting but those given."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_WAIT", "KMP_", "GOMP_"))}
    program += "\nfrom guikv.models.kernels import facts\nprint({f.name: f.detail for f in facts('cpu')}['threads'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        env={**clean, "PYTHONPATH": os.getcwd(), **environment},
    )  # fmt: skip
    return done.stdout.strip()


def test_threads_of_an_agent_wait_asleep_unless_told_otherwise() -> None:
    assert "asleep while they wait (OMP_WAIT_POLICY=PASSIVE, KMP_BLOCKTIME=0)" in threads("import eval.cli")
    assert "OMP_WAIT_POLICY=ACTIVE" in threads("import eval.cli", OMP_WAIT_POLICY="ACTIVE")
    assert threads("import eval.cli", KMP_BLOCKTIME="200").endswith("KMP_BLOCKTIME=200")
    assert "they may spin" in threads("import torch, agent"), "too late: PyTorch was there already"
    assert "they may spin" in threads("import guikv"), "a library leaves the process as it is"
