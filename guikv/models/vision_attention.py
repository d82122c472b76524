"""The vision tower of a picture whose size is known: one layout a size, one attention call a block, no waiting.

transformers cuts queries, keys and values at every window's edge and calls the attention once a window, with lengths
that it reads back from the device in each block. Everything it asks for may be given to the tower beforehand. So here
windows of one size follow one another (at most four sizes, for the picture's right and lower edges have smaller ones),
the tower is told of a single segment, and the attention function takes all windows of a size in one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.vision_utils import (
    get_vision_attention_seqlens,
    get_vision_interpolation_indices_and_weights,
    get_vision_position_ids,
    get_vision_window_index,
)

from guikv.products import ROWS, attend_in_products, faster_for

NAME = "guikv_vision"
LAYOUT = "guikv_layout"
"""The argument of the tower's forward that carries a `Layout` down to the attention function."""
SIZES_KEPT = 8
"""Picture sizes whose tables are kept, each of up to 4 MB."""


@dataclass(frozen=True)
class Layout:
    """How the patches of one picture lie in the blocks with windows.

    groups: (windows, patches of each), in the order of the patches
    unwindowed: attention modules of the blocks where every patch sees every other
    """

    groups: tuple[tuple[int, int], ...]
    unwindowed: frozenset[nn.Module]


class PatchEmbedding(nn.Module):
    """A tower's patch embedding as one matrix product: its convolution meets every patch exactly once.

    Weights keep their names and places.
    """

    def __init__(self, convolution: nn.Conv3d) -> None:
        super().__init__()
        self.proj = convolution

    def forward(self, patches: Tensor) -> Tensor:
        """[patches, channels·temporal·patch²] → [patches, hidden]."""
        weight = self.proj.weight
        return F.linear(patches.to(weight.dtype), weight.flatten(1), self.proj.bias)


def prepare_tower(tower: nn.Module) -> str:
    """Ready a tower of transformers' for `see`; returns the name of the attention it should be given.

    That is this file's where PyTorch's own was asked for, otherwise what the tower has.
    """
    tower.patch_embed = PatchEmbedding(tower.patch_embed.proj)  # type: ignore[union-attr, arg-type]
    asked = str(tower.config._attn_implementation)  # type: ignore[union-attr]
    return NAME if asked == "sdpa" else asked


def see(tower: Any, patches: Tensor, grid: tuple[int, int, int]) -> Any:
    """transformers' output of the vision tower for one picture.

    patches: [patches, channels·temporal·patch²] on the tower's device; grid: (1, rows, columns) of patches
    """
    asked = str(tower.config._attn_implementation)
    windows = (tower.window_size, tower.patch_size) if hasattr(tower, "fullatt_block_indexes") else None
    table = None
    if hasattr(tower, "pos_embed"):
        table = (tower.num_grid_per_side, tower.interpolation_mode, tower.interpolation_align_corners)
    arguments, groups = tables(
        grid, tower.spatial_merge_size, windows, table, patches.device, "flash" in asked, asked == NAME
    )
    given = dict(arguments)
    if groups:
        full = frozenset(tower.blocks[i].attn for i in tower.fullatt_block_indexes if i < len(tower.blocks))
        given[LAYOUT] = Layout(groups, full)
    # The tower only looks into the grid for what it was not given.
    return tower(patches, grid_thw=torch.tensor([grid]), return_dict=True, **given)


@lru_cache(SIZES_KEPT)
def tables(
    grid: tuple[int, int, int],
    merge: int,
    windows: tuple[int, int] | None,
    table: tuple[int, str, bool] | None,
    device: torch.device,
    flash: bool,
    grouped: bool,
) -> tuple[dict[str, Any], tuple[tuple[int, int], ...]]:
    """What a tower needs to know of a picture of this grid, by the names of its arguments, and its window groups.

    windows: pixels a side of a window and of a patch, in towers with windows; table: patches a side of learned
    positions, how they are resampled, and whether corners meet, in towers with them; flash: whether windows are for a
    flash attention to part, which wants their edges on the device; grouped: whether they are for `vision_attention`
    """
    with torch.inference_mode(False):  # So that a training may use them too.
        place = torch.tensor([grid])
        segments, _ = get_vision_attention_seqlens(place, None, kwargs={"max_seqlen": grid[1] * grid[2]})
        given: dict[str, Any] = {"position_ids": get_vision_position_ids(place, merge).to(device)}
        groups: tuple[tuple[int, int], ...] = ()
        if windows is not None:
            order, edges = get_vision_window_index(place, merge, *windows)
            if grouped:
                order, groups = _by_size(order, edges, merge * merge)
                edges = segments
            given |= {"window_index": order.to(device), "cu_window_seqlens": edges.to(device) if flash else edges}
            if flash:
                given["max_window_seqlen"] = int(edges.diff().max())
        if table is not None:
            side, mode, corners = table
            taps, weights = get_vision_interpolation_indices_and_weights(
                place, side, mode=mode, align_corners=corners, spatial_merge_size=merge
            )
            given |= {"interp_indices": taps.to(device), "interp_weights": weights.to(device)}
        given["cu_seqlens"] = segments.to(device) if flash else segments
        if flash:
            given["max_seqlen"] = grid[1] * grid[2]
    return given, groups


def _by_size(order: Tensor, edges: Tensor, unit: int) -> tuple[Tensor, tuple[tuple[int, int], ...]]:
    """Windows of one size next to one another, the largest first.

    order: [merged patches], those of each window in a row; edges: [windows + 1] in patches; unit: patches in a merged
    one. Returns the new order and the groups (windows, patches of each).
    """
    sizes = edges.diff().tolist()
    ranked = sorted(zip(sizes, order.split([size // unit for size in sizes]), strict=True), key=lambda pair: -pair[0])
    groups = tuple((len(list(same)), size) for size, same in groupby(size for size, _ in ranked))
    return torch.cat([window for _, window in ranked]), groups


def vision_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    guikv_layout: Layout | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """query, key, value [1, heads, patches, d] → [1, patches, heads, d]; every patch sees its window, or all."""
    if guikv_layout is None or module in guikv_layout.unwindowed:
        return _attend(query, key, value, scaling).transpose(1, 2).contiguous(), None
    outs, start = [], 0
    for count, size in guikv_layout.groups:
        rows = slice(start, start + count * size)
        # [1, heads, patches, d] → [windows, heads, patches of each, d], without a copy.
        q, k, v = (t[0, :, rows].unflatten(1, (count, size)).transpose(0, 1) for t in (query, key, value))
        outs.append(_attend(q, k, v, scaling).transpose(1, 2).flatten(0, 1))
        start += count * size
    return torch.cat(outs).unsqueeze(0), None


def _attend(query: Tensor, key: Tensor, value: Tensor, scaling: float | None) -> Tensor:
    """Attention without a mask over [batch, heads, n, d]."""
    if not faster_for(query.device, query.dtype):
        return F.scaled_dot_product_attention(query, key, value, scale=scaling)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    if query.shape[2] <= ROWS:
        # Many small windows in one product each.
        return (query @ (key * scaling).transpose(2, 3)).softmax(-1) @ value
    return attend_in_products(query, key, value, scaling, causal=False)


AttentionInterface.register(NAME, vision_attention)
