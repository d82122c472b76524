"""Weights of linear layers in the order in which oneDNN reads them, for models that run on a CPU.

A decoding step reads every weight once, so it is as fast as they can be read: in oneDNN's own blocks about twice as
fast as in rows, in which PyTorch keeps them. The operators are those that torch.compile emits when it freezes a model.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ROWS = 8
"""Rows that the order is chosen for: right for one token as well as for a small batch or a draft."""


class PackedLinear(nn.Module):
    """A `nn.Linear` that cannot be trained: x [..., in] → [..., out]."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = linear.bias
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether this build of PyTorch has the operators, and they serve the device and type."""
    if device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32 and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")


@torch.no_grad()
def pack(model: nn.Module) -> int:
    """Replace every linear layer by a packed one; returns how many. The unpacked weights are let go one by one."""
    found = [name for name, module in model.named_modules() if type(module) is nn.Linear]
    for name in found:
        linear = model.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        model.set_submodule(name, PackedLinear(linear))
    return len(found)
