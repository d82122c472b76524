"""Every policy under the same contract, on random layers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from guikv.errors import PolicyError
from guikv.policies import POLICIES, GuiKV, LayerView, PyramidKV, VLCache, make_policy
from guikv.policies.base import most_forced, scores_of, select
from guikv.policies.gui_kv import leading_basis, principal_basis, redundant, spatial_saliency
from guikv.policies.pyramid_kv import ladder
from guikv.prompt import NO_FRAME

METHODS = [n for n in POLICIES if n != "full"]


def random_view(entries: int = 90, heads: int = 2, groups: int = 3, batch: int = 2, layer: int = 0) -> LayerView:
    torch.manual_seed(layer)
    frames = torch.full((batch, heads, entries), NO_FRAME)
    frames[:, :, 5:35], frames[:, :, 40:70] = 0, 1
    return LayerView(
        keys=torch.randn(batch, heads, entries, 16),
        queries=torch.randn(batch, heads * groups, 12, 16),
        frames=frames,
        norms=torch.rand(batch, 1, entries).expand(batch, heads, entries),
        valid=torch.ones(batch, heads, entries, dtype=torch.bool),
        forced=torch.zeros(batch, heads, entries, dtype=torch.bool),
        current=1,
        salient=1,
        earlier_tokens=30,
        layer=layer,
        layers=4,
        share=0.3,
    )


@pytest.mark.parametrize("name", METHODS)
def test_keeps_as_many_as_asked_sorted_and_the_window(name: str) -> None:
    policy, view = make_policy(name), random_view()
    for capacity in (10, 27, 89):
        window = min(policy.observation_window(capacity, 20), 12)
        columns = select(policy.scores(view, window), view, capacity, window, most_forced([view], window)[0])
        assert columns is not None
        assert columns.shape == (2, 2, capacity)
        assert bool((columns.diff(dim=-1) > 0).all())
        assert columns[..., capacity - window :].tolist() == [[list(range(90 - window, 90))] * 2] * 2
    assert select(policy.scores(view, window), view, 90, window, 0) is None


@pytest.mark.parametrize("name", METHODS)
def test_forced_entries_stay_and_padding_goes_first(name: str) -> None:
    policy = make_policy(name)
    view = random_view()
    valid, forced = view.valid.clone(), view.forced.clone()
    valid[:, 1, :20] = False
    forced[:, :, 50:60] = True
    view = replace(view, valid=valid, forced=forced)
    window = min(policy.observation_window(22, 12), 12)
    columns = select(policy.scores(view, window), view, 22, window, most_forced([view], window)[0])
    assert columns is not None
    assert all(set(range(50, 60)) <= set(head.tolist()) for batch in columns for head in batch)
    assert bool((columns[:, 1] >= 20).all())


@pytest.mark.parametrize("name", [n for n in METHODS if n != "random"])
def test_a_batch_is_its_rows(name: str) -> None:
    policy, view = make_policy(name), random_view()
    scores = policy.scores(view, 8)
    parts = ("keys", "queries", "frames", "norms", "valid", "forced")
    for row in range(2):
        one = replace(view, **{p: getattr(view, p)[row : row + 1] for p in parts})
        torch.testing.assert_close(policy.scores(one, 8), scores[row : row + 1])


@pytest.mark.parametrize("reduction", ["mean", "max", "sum"])
@pytest.mark.parametrize("basis", ["leading", "principal"])
def test_options_of_gui_kv_change_the_choice(reduction: str, basis: str) -> None:
    view = random_view()
    policy = make_policy("gui_kv", reduction=reduction, basis=basis, rank=4)
    plain = make_policy("snap_kv", reduction=reduction)
    assert not torch.equal(policy.scores(view, 8), plain.scores(view, 8))
    none = make_policy("gui_kv", reduction=reduction, basis=basis, alpha=0.0)
    unlimited = replace(view, share=1.0)
    torch.testing.assert_close(none.scores(unlimited, 8), plain.scores(unlimited, 8))


def test_protect_text_keeps_all_text() -> None:
    view, policy = random_view(), GuiKV(protect_text=True)
    columns = select(policy.scores(view, 8), view, 40, 8, most_forced([view], 8)[0])
    assert columns is not None
    text = set((view.frames[0, 0] == NO_FRAME).nonzero().flatten().tolist())
    assert text <= set(columns[0, 0].tolist())


def test_a_turn_is_compressed_once() -> None:
    view = random_view()
    plain, once = GuiKV(), GuiKV(once=True)
    view = replace(view, share=0.5)
    scores = once.scores(view, 8)
    new, old = torch.arange(90) >= 40, torch.arange(90) < 40
    # 50 entries of the new turn: 25 of them come first, then everything that survived earlier, then the others.
    order = scores[0, 0].argsort(descending=True)
    assert bool(new[order[:25]].all())
    assert bool(old[order[25:65]].all())
    assert bool(new[order[65:]].all())
    assert torch.equal(order[:25].sort().values, plain.scores(view, 8)[0, 0, 40:].topk(25).indices.sort().values + 40)
    assert torch.equal(once.scores(replace(view, salient=None), 8), plain.scores(replace(view, salient=None), 8))


def test_leading_basis_is_that_of_a_whole_qr() -> None:
    view = random_view()
    now = view.frames == 1
    axes = leading_basis(view.keys, now, 8)
    whole = torch.linalg.qr(view.keys[:, :, 40:70].transpose(-1, -2)).Q[..., :8]
    torch.testing.assert_close(axes @ axes.mT, whole @ whole.mT, atol=1e-5, rtol=1e-5)


def test_principal_basis_carries_most_energy() -> None:
    view = random_view()
    keys, now = view.keys, view.frames == 1
    mine = keys[:, :, 40:70]
    axes = principal_basis(keys, now, 4)
    _, _, right = torch.linalg.svd(mine)
    expected = right[..., :4, :].mT
    torch.testing.assert_close(axes @ axes.mT, expected @ expected.mT, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("basis", [leading_basis, principal_basis])
def test_basis_of_fewer_tokens_than_rank_spans_only_them(basis: object) -> None:
    view = random_view()
    now = torch.zeros_like(view.valid)
    now[:, :, 40:43] = True
    axes = basis(view.keys, now, 8)  # type: ignore[operator]
    rank = torch.linalg.matrix_rank(axes @ axes.mT, rtol=1e-4)
    assert rank.unique().tolist() == [3]


def test_redundancy_counts_what_was_evicted_before() -> None:
    """A second compression at the same share does not empty the earlier screenshots again."""
    view = random_view()
    first = redundant(view, 4, "leading")
    assert first.sum(-1).unique().tolist() == [30 - (30 - int(0.7 * 30))]
    left = view.valid & ~first
    again = redundant(replace(view, valid=left), 4, "leading")
    assert not bool(again.any())


def test_saliency_sums_to_one_over_its_screenshot() -> None:
    view = random_view()
    weights = spatial_saliency(view, 3.5)
    torch.testing.assert_close(weights[:, :, 40:70].sum(-1), torch.ones(2, 2))
    assert float(weights[:, :, :40].sum()) == 0


def test_pyramid_decreases_and_keeps_the_mean() -> None:
    rungs = [ladder(60, 1000, 8, 20, layer, 6) for layer in range(6)]
    assert rungs == sorted(rungs, reverse=True)
    assert abs(sum(rungs) / 6 - 60) <= 3
    assert PyramidKV().capacities([random_view()] * 2, 60, 8) == [60, 60], "short prompts get no pyramid"


def test_vl_cache_gives_dense_layers_more() -> None:
    dense, sparse = random_view(), random_view()
    dense = replace(dense, queries=dense.queries * 1e-3)
    sparse = replace(sparse, queries=sparse.queries * 50)
    many, few = VLCache().capacities([dense, sparse], 40, 8)
    assert many > few
    assert many + few <= 80 + 2


def test_unknown_names_and_options_are_named() -> None:
    with pytest.raises(PolicyError, match="did you mean 'gui_kv'"):
        make_policy("guikv")
    with pytest.raises(PolicyError, match="did you mean 'alpha'"):
        make_policy("gui_kv", alhpa=1)
    for option, value in [
        ("kernel", 4),
        ("pooling", "median"),
        ("basis", "x"),
        ("rank", 0),
        ("selection", "q"),
    ]:
        with pytest.raises(PolicyError, match=option):
            make_policy("gui_kv", **{option: value})


@pytest.mark.parametrize("name", [n for n, p in POLICIES.items() if p.stacks])
def test_all_layers_at_once_score_as_one_by_one(name: str) -> None:
    policy = make_policy(name)
    views = [random_view(layer=number) for number in range(4)]
    window = policy.observation_window(40, 10)
    for mine, view in zip(scores_of(policy, views, window), views, strict=True):
        torch.testing.assert_close(mine, policy.scores(view, window))
