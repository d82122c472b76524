"""Places: written in place by whoever is alone, left alone where another still reads."""

from __future__ import annotations

import random

import torch

from guikv.cache import CompressedLayer
from guikv.places import STEP


def filled(new: int, seed: int = 0) -> CompressedLayer:
    layer = CompressedLayer()
    grow(layer, new, seed)
    return layer


def grow(layer: CompressedLayer, new: int, seed: int) -> None:
    noise = torch.Generator().manual_seed(seed)
    layer.update(torch.randn(1, 2, new, 8, generator=noise), torch.randn(1, 2, new, 8, generator=noise))


def content(layer: CompressedLayer) -> tuple[torch.Tensor, ...]:
    return layer.keys.clone(), layer.values.clone(), layer.index.clone()


def test_appending_copies_nothing_until_the_place_is_full() -> None:
    layer = filled(3)
    place = layer.place
    for seed in range(STEP - 3):
        grow(layer, 1, seed)
    assert layer.place is place
    assert layer.keys.data_ptr() == place.keys.data_ptr()  # type: ignore[union-attr]
    before = content(layer)
    grow(layer, 1, 999)
    assert layer.place is not place
    assert layer.entries == layer.seen == STEP + 1
    for old, new in zip(before, (layer.keys, layer.values, layer.index), strict=True):
        assert torch.equal(old, new[:, :, :STEP])


def test_alone_a_compression_stays_in_its_place() -> None:
    layer = filled(40)
    place, columns = layer.place, torch.arange(0, 40, 3).expand(1, 2, -1)
    kept = layer.keys[:, :, ::3].clone()
    layer.keep(columns)
    assert layer.place is place
    assert torch.equal(layer.keys, kept)


def test_what_is_written_behind_is_nobodys_until_it_is_taken_over() -> None:
    layer = filled(10)
    before = content(layer)
    for behind in (0, 1, 0, 300):
        layer.write(torch.ones(1, 2, 1, 8), torch.ones(1, 2, 1, 8), behind)
        assert all(torch.equal(a, b) for a, b in zip(before, content(layer), strict=True))
    assert layer.seen == 10
    layer.write(torch.full((1, 2, 2, 8), 5.0), torch.full((1, 2, 2, 8), 6.0))
    layer.take_over(2)
    assert layer.index[0, 0].tolist() == list(range(12))
    assert bool((layer.keys[:, :, 10:] == 5).all())
    assert bool((layer.values[:, :, 10:] == 6).all())


def test_copies_never_see_each_other() -> None:
    """Random operations on layers that began as copies of one, against layers that never shared anything."""
    chance = random.Random(0)
    moved = 0
    for trial in range(60):
        first = filled(chance.randrange(1, 60), trial)
        shared, apart = [first], [filled(first.entries, trial)]
        for seed in range(40):
            pick = chance.randrange(len(shared))
            one, other = shared[pick], apart[pick]
            match chance.choice(["grow", "keep", "remove", "truncate", "copy", "write"]):
                case "grow":
                    new = chance.randrange(1, 30)
                    for layer in (one, other):
                        grow(layer, new, seed)
                case "keep" if one.entries:
                    count = chance.randrange(1, one.entries + 1)
                    columns = torch.tensor([sorted(chance.sample(range(one.entries), count)) for _ in range(2)])[None]
                    for layer in (one, other):
                        layer.keep(columns)
                case "remove" if one.entries:
                    gone = torch.rand(1, 2, one.entries, generator=torch.Generator().manual_seed(seed)) < 0.3
                    for layer in (one, other):
                        layer.remove(gone)
                case "truncate":
                    length = chance.randrange(one.seen + 1)
                    for layer in (one, other):
                        layer.truncate(length)
                case "copy" if len(shared) < 5:
                    twin = filled(1)
                    twin.put(*content(other))
                    twin.seen, twin.padded = other.seen, other.padded
                    shared.append(one.copy())
                    apart.append(twin)
                case "write":
                    one.write(torch.full((1, 2, 2, 8), 9.0), torch.full((1, 2, 2, 8), 9.0), chance.randrange(3))
            moved += len({id(layer.place) for layer in shared}) > 1
            for mine, theirs in zip(shared, apart, strict=True):
                assert (mine.seen, mine.padded) == (theirs.seen, theirs.padded)
                assert all(torch.equal(a, b) for a, b in zip(content(mine), content(theirs), strict=True))
    assert moved > 100
