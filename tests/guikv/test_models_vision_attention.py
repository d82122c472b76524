"""The vision tower with tables given beforehand: equal to transformers', in few calls, and waiting for nothing."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.packed import can_pack
from guikv.models.random_weights import Sizes, random_model, random_qwen3
from guikv.models.vision_attention import NAME, SIZES_KEPT, Layout, prepare_tower, see, tables, vision_attention
from guikv.products import bfloat16_units
from tests.guikv import hybrid_checkpoint, opencua_checkpoint, opencua_reference

CLOSE = {"atol": 1e-4, "rtol": 1e-4}
DEEP = Sizes(vision_layers=4, vision_hidden=64, marks=(1, 3))


def opencua(folder: Path) -> Adapter:
    sizes = opencua_reference.Sizes()
    opencua_checkpoint.write(folder, sizes, opencua_reference.random_weights(sizes))
    return load_model(str(folder), device="cpu", dtype="float32", pack_weights=False)


def hybrid(folder: Path, experts: bool = False) -> Adapter:
    hybrid_checkpoint.write(folder, experts=experts)
    return load_model(str(folder), device="cpu", dtype="float32", pack_weights=False)


FAMILIES: dict[str, Callable[[Path], Adapter]] = {
    "qwen2_5_vl": lambda _: random_model(DEEP),
    "qwen3_vl": lambda _: random_qwen3(),
    "opencua": opencua,
    "qwen3_5": hybrid,
    "qwen3_5_moe": lambda folder: hybrid(folder, experts=True),
}


def transformers_own(tower: nn.Module, attention: str = "sdpa") -> Any:
    """The same weights in a tower as transformers makes it."""
    config = copy.deepcopy(tower.config)
    own = type(tower)._from_config(config, attn_implementation=attention)  # type: ignore[attr-defined]
    own.load_state_dict(tower.state_dict())
    return own.to(tower.dtype)


def random_patches(tower: Any, grid: tuple[int, int, int], seed: int = 0) -> Tensor:
    width = tower.patch_embed.proj.weight[0].numel()
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(grid[1] * grid[2], width, generator=noise).to(tower.dtype)


def grids(count: int, largest: int = 26) -> list[tuple[int, int, int]]:
    """Pictures of all shapes: threads, squares, whole windows only, and one window alone."""
    draw = random.Random(0)
    sides = [(1, 1), (1, 20), (20, 1), (4, 4), (8, 8), (5, 4), (3, 9), (16, 12)]
    sides += [(draw.randint(1, largest), draw.randint(1, largest)) for _ in range(count - len(sides))]
    return [(1, 2 * rows, 2 * columns) for rows, columns in sides]


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_to_transformers_at_every_size(family: str, tmp_path: Path) -> None:
    adapter = FAMILIES[family](tmp_path)
    tower = adapter.tower
    assert tower.config._attn_implementation == NAME  # type: ignore[union-attr]
    own = transformers_own(tower)
    for number, grid in enumerate(grids(60)):
        if number == 45 and can_pack(adapter.device, adapter.dtype):
            adapter.pack()
            tower = adapter.tower
        values = random_patches(tower, grid, number)
        with torch.inference_mode():
            expected, found = own(values, grid_thw=torch.tensor([grid])), see(tower, values, grid)
        torch.testing.assert_close(found.pooler_output, expected.pooler_output, **CLOSE, msg=f"{grid}")
        deep, wanted = (getattr(one, "deepstack_features", ()) for one in (found, expected))
        for ours, theirs in zip(deep, wanted, strict=True):
            torch.testing.assert_close(ours, theirs, **CLOSE)
    assert tables.cache_info().currsize <= SIZES_KEPT


def states_after_blocks(tower: Any, run: Callable[[], Any]) -> list[Tensor]:
    states: list[Tensor] = []
    hooks = [block.register_forward_hook(lambda _, __, out: states.append(out)) for block in tower.blocks]
    with torch.inference_mode():
        run()
    for hook in hooks:
        hook.remove()
    return states


def test_hidden_states_after_every_block_are_transformers_in_another_order() -> None:
    tower: Any = random_model(DEEP).tower
    own = transformers_own(tower)
    for number, grid in enumerate(grids(20)):
        values = random_patches(tower, grid, number)
        place = torch.tensor([grid])
        pair = (
            states_after_blocks(tower, lambda v=values, g=grid: see(tower, v, g)),
            states_after_blocks(own, lambda v=values, p=place: own(v, grid_thw=p)),
        )
        orders = [tables(grid, 2, (112, 14), None, values.device, False, ours)[0]["window_index"] for ours in (1, 0)]
        assert [len(states) for states in pair] == [DEEP.vision_layers] * 2
        for both in zip(*pair, strict=True):
            torch.testing.assert_close(
                *(x.unflatten(0, (-1, 4))[order.argsort()] for x, order in zip(both, orders, strict=True)), **CLOSE
            )


class AttentionCalls(TorchFunctionMode):
    """Counts calls of PyTorch's attention, and collects the masks they were given."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []
        self.masks: list[Any] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.scaled_dot_product_attention:
            self.shapes.append(tuple(args[0].shape))
            self.masks.append((kwargs or {}).get("attn_mask"))
        return func(*args, **(kwargs or {}))


def test_one_call_a_window_size_and_no_mask() -> None:
    """1920x1080: 180 windows in each windowed block, of four sizes."""
    tower = random_model(DEEP).tower
    grid = (1, 78, 138)
    with torch.inference_mode(), AttentionCalls() as calls:
        see(tower, random_patches(tower, grid), grid)
    windowed = [shape for shape in calls.shapes if shape[0] > 1 or shape[2] <= 64]
    assert sum(shape[0] for shape in windowed) == 180 * 2
    assert len(windowed) == 4 * 2
    assert len(calls.shapes) - len(windowed) == 2
    assert calls.masks == [None] * len(calls.shapes)


@pytest.mark.parametrize("make", [lambda: random_model(DEEP), random_qwen3], ids=["qwen2_5_vl", "qwen3_vl"])
def test_nothing_is_read_back_from_the_device(make: Callable[[], Adapter]) -> None:
    """On the meta device values do not exist: whoever asks for one fails, as transformers' own way does."""
    tower = make().tower
    own = transformers_own(tower).to("meta")
    tower.to("meta")
    grid = (1, 18, 26)
    values = random_patches(tower, grid).to("meta")
    found = see(tower, values, grid)
    assert found.pooler_output.shape == (9 * 13, 128)
    assert found.pooler_output.is_meta
    with pytest.raises((RuntimeError, NotImplementedError)):
        own(values, grid_thw=torch.tensor([grid], device="meta"))


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_towers_with_another_attention_work_too(attention: str) -> None:
    adapter = random_model(DEEP)
    own = transformers_own(adapter.tower, attention)
    for number, grid in enumerate(grids(12)):
        values = random_patches(adapter.tower, grid, number)
        with torch.inference_mode():
            torch.testing.assert_close(
                see(own, values, grid).pooler_output, see(adapter.tower, values, grid).pooler_output, **CLOSE
            )
    assert prepare_tower(own) == (NAME if attention == "sdpa" else attention)


def test_several_pictures_in_transformers_own_way() -> None:
    """The model's own forward gives pictures of several sizes at once, and no layout."""
    adapter = random_model(DEEP)
    sizes = [(1, 10, 22), (1, 16, 16), (1, 6, 4)]
    values = [random_patches(adapter.tower, grid, n) for n, grid in enumerate(sizes)]
    with torch.inference_mode():
        together = adapter.model.model.get_image_features(torch.cat(values), torch.tensor(sizes)).pooler_output
        for one, patches, grid in zip(together, values, sizes, strict=True):
            torch.testing.assert_close(one, see(adapter.tower, patches, grid).pooler_output, **CLOSE)


def test_a_flash_attention_gets_the_edges_that_transformers_computes() -> None:
    tower = transformers_own(random_model(DEEP).tower)
    for grid in grids(30):
        given, groups = tables(grid, 2, (112, 14), None, torch.device("cpu"), True, False)
        assert groups == ()
        assert given["max_window_seqlen"] == int(given["cu_window_seqlens"].diff().max())
        assert given["max_seqlen"] == grid[1] * grid[2] == int(given["cu_seqlens"][-1])
        assert given["cu_window_seqlens"].dtype == given["cu_seqlens"].dtype == torch.int32
        values = random_patches(tower, grid)
        with torch.inference_mode():
            expected = tower(values, grid_thw=torch.tensor([grid])).pooler_output
            assert torch.equal(tower(values, grid_thw=None, **given).pooler_output, expected)


def test_window_groups_hold_every_patch_once() -> None:
    for grid in grids(300, largest=60):
        given, groups = tables(grid, 2, (112, 14), None, torch.device("cpu"), False, True)
        assert sorted(given["window_index"].tolist()) == list(range(grid[1] * grid[2] // 4))
        assert sum(count * size for count, size in groups) == grid[1] * grid[2]
        assert len(groups) <= 4
        assert [size for _, size in groups] == sorted({size for _, size in groups}, reverse=True)
        assert max(size for _, size in groups) <= 64


@pytest.mark.parametrize("patches", [(7, 64), (40, 500)], ids=["windows", "everything"])
def test_half_precision_errs_no_more_than_transformers(patches: tuple[int, int]) -> None:
    """bfloat16 products against float32, beside what PyTorch's attention in bfloat16 makes of it."""
    count, size = patches
    noise = torch.Generator().manual_seed(1)
    query, key, value = torch.randn(3, 1, 6, count * size, 64, generator=noise).unbind(0)
    module = nn.Identity()
    layout = Layout(((count, size),), frozenset()) if size == 64 else None
    exact, _ = vision_attention(module, query, key, value, None, guikv_layout=layout)
    halves = [t.bfloat16() for t in (query, key, value)]
    ours, _ = vision_attention(module, *halves, None, guikv_layout=layout)
    rows = [t[:, :, :size] if layout else t for t in halves]
    theirs = torch.nn.functional.scaled_dot_product_attention(*rows).transpose(1, 2)
    error = (ours.float() - exact).abs()[:, : rows[0].shape[2]]
    usual = (theirs.float() - exact[:, : rows[0].shape[2]]).abs()
    assert ours.dtype == torch.bfloat16
    assert float(error.mean()) <= 2 * float(usual.mean()), bfloat16_units()
    assert float(error.max()) <= 0.02


def test_weights_keep_their_names_and_train() -> None:
    adapter = random_model(DEEP)
    own = transformers_own(adapter.tower)
    assert adapter.tower.state_dict().keys() == own.state_dict().keys()
    values = random_patches(adapter.tower, (1, 8, 12))
    with torch.inference_mode():  # tables that an inference made serve a training too
        see(adapter.tower, values, (1, 8, 12))
    see(adapter.tower, values, (1, 8, 12)).pooler_output.sum().backward()
    own(values, grid_thw=torch.tensor([(1, 8, 12)])).pooler_output.sum().backward()
    torch.testing.assert_close(adapter.tower.patch_embed.proj.weight.grad, own.patch_embed.proj.weight.grad, **CLOSE)  # type: ignore[union-attr]
