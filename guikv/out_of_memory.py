"""Running out of a device's memory: told from other errors, and told to the user with figures and advice."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from guikv.errors import DeviceMemoryError

_SIGNS = ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
_ADVICE = "lower --max-pixels, the budget or the history, or choose a smaller model or --quantization"


def is_out_of_memory(error: BaseException) -> bool:
    """Does `error` say that an allocation failed? PyTorch has its own type for it only on accelerators."""
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in _SIGNS)


@contextmanager
def memory_errors(device: torch.device, doing: str) -> Iterator[None]:
    """Within the block, running out of memory becomes DeviceMemoryError and what the failed work held is freed."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        # Its frames hold the activations; without this they would live as long as the error does.
        traceback.clear_frames(error.__traceback__)
        raise DeviceMemoryError(f"out of memory while {doing} on {device}{_figures(device)}: {_ADVICE}") from error


def _figures(device: torch.device) -> str:
    if device.type != "cuda":
        return ""
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info(device)
    used = torch.cuda.memory_allocated(device)
    return f" ({used / 2**30:.1f} GiB held by PyTorch, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free)"
