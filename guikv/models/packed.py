"""Weights of linear layers in the order in which oneDNN reads them, for models that run on a CPU.

A decoding step reads every weight once, so it is as fast as they can be read: in oneDNN's own blocks about twice as
fast as in rows, in which PyTorch keeps them, and faster again where layers that read the same input are one product.
The operators are those that torch.compile emits when it freezes a model.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROWS = 64
"""Rows that the order is chosen for: right for one token as well as for a batch, a draft or a prefill."""
LEAST_FLOATS = 4
"""Rows in float32: oneDNN reads the same weights slower for one to three rows than for four."""
TOGETHER = (
    ("q_proj", "k_proj", "v_proj"),
    ("gate_proj", "up_proj"),
    ("in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a"),
)
"""Layers of one module that are all given the same input, in transformers' names."""


class PackedLinear(nn.Module):
    """A `nn.Linear` that cannot be trained, or several whose outputs stand side by side: x [..., in] → [..., out]."""

    def __init__(self, *linears: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linears[0].in_features, sum(linear.out_features for linear in linears)
        weights = [linear.weight.detach() for linear in linears]
        biases = [linear.bias.detach() for linear in linears if linear.bias is not None]
        self.bias = nn.Parameter(torch.cat(biases), requires_grad=False) if biases else None
        self.packed = torch.ops.mkldnn._reorder_linear_weight(torch.cat(weights), ROWS)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.numel() // self.in_features
        if x.dtype != torch.float32 or rows >= LEAST_FLOATS:
            return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")
        padded = F.pad(x.reshape(rows, self.in_features), (0, 0, 0, LEAST_FLOATS - rows))
        out = torch.ops.mkldnn._linear_pointwise(padded, self.packed, self.bias, "none", [], "")
        return out[:rows].reshape(*x.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class Shared:
    """One product for several layers: the first that asks computes it, and each takes its part."""

    def __init__(self, linears: Sequence[nn.Linear]) -> None:
        self.linear = PackedLinear(*linears)
        self.sizes = [linear.out_features for linear in linears]
        self._input: Tensor | None = None
        self._parts: dict[int, Tensor] = {}

    def part(self, number: int, x: Tensor) -> Tensor:
        """The output of layer `number` for x [..., in]."""
        if self._input is not x or number not in self._parts:
            self._input, self._parts = x, dict(enumerate(self.linear(x).split(self.sizes, dim=-1)))
        out = self._parts.pop(number)
        if not self._parts:
            self._input = None
        return out


class PackedPart(nn.Module):
    """One of the layers that share a product: x [..., in] → [..., out]."""

    def __init__(self, shared: Shared, number: int) -> None:
        super().__init__()
        self.shared, self.number = shared, number
        self.in_features, self.out_features = shared.linear.in_features, shared.sizes[number]

    def forward(self, x: Tensor) -> Tensor:
        return self.shared.part(self.number, x)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, part {self.number} of {len(self.shared.sizes)}"


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
    count = 0
    for path in [name for name, _ in model.named_modules()]:
        # The list has names, not modules: those would hold on to all the weights.
        module = model.get_submodule(path)
        layers = {name: child for name, child in module.named_children() if type(child) is nn.Linear}
        for names in TOGETHER:
            members = [layers[name] for name in names if name in layers]
            if len(members) == len(names) and len({(m.in_features, m.bias is None) for m in members}) == 1:
                shared = Shared(members)
                for number, name in enumerate(names):
                    module.set_submodule(name, PackedPart(shared, number))
                    del layers[name]
                    count += 1
        for name, linear in layers.items():
            module.set_submodule(name, PackedLinear(linear))
            count += 1
    return count
