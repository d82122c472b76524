"""Positions near the model's limit, in half precision, and with other kinds of RoPE."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from guikv.budget import Budget
from guikv.content import Frame, Message, Text
from guikv.errors import ContextError, SessionError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.random_weights import random_model
from guikv.policies import Full
from guikv.positions import closed_up, held_rows, make_room
from guikv.prompt import NO_FRAME, Prompt
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv import opencua_checkpoint
from tests.guikv.conftest import episode
from tests.guikv.opencua_reference import Sizes, random_weights
from tests.guikv.rotary import at_its_positions, compact, fresh_keys, inputs_of_attention


def test_before_the_limit_it_happens_by_itself(own: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the option: the episode goes on, the model's limit is never passed, and it is told once."""
    long = own.encode(episode(own, 60))
    context = len(episode(own, 12)) * 40
    own.model.config.text_config.max_position_embeddings = context
    assert long.position(len(long)) > 3 * context
    for window in ("shrink", "drop"):
        caplog.clear()
        session = compact(own, window=window, positions="keep", budget=Budget(10, "percent"), protect=False)
        moves, last = 0, 0
        for frames in range(1, 61):
            session.extend(episode(own, frames))
            session.compress()
            assert len(session.generate(8, min_new_tokens=8).ids) == 8
            now = session.ledger.next_position
            moves, last = moves + (now < last), now
            assert now <= context
            assert int(session.ledger.positions.max()) == now - 1
            session.ledger.verify(session.cache)
        assert bool(session.next_logits.isfinite().all())
        assert moves > 1
        assert [r.levelname for r in caplog.records] == ["WARNING"]
        assert "moved together" in caplog.text
    whole = compact(own, policy=Full(), window="shrink")
    with pytest.raises(ContextError, match="reaches position"):
        whole.extend(episode(own, 60))
    assert (whole.tokens, len(caplog.records)) == (0, 1), "where nothing was evicted there is nothing to close"


@torch.inference_mode()
def test_in_half_precision_older_entries_move_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rotation is rounded: few of them keep the keys what they are, and the gaps stay small."""
    from guikv import positions

    monkeypatch.setattr(positions, "LOOSE", 160)
    adapter = random_model(dtype=torch.bfloat16)
    session, hidden, moved, last = compact(adapter, window="shrink"), {}, 0, torch.zeros(3, 0)
    for frames in range(1, 41):
        with inputs_of_attention(adapter, hidden):
            session.extend(episode(adapter, frames))
        session.compress()
        ledger, held = session.ledger, held_rows(session.cache, session.tokens)
        tight = closed_up(ledger.frames, ledger.positions, held)
        assert ledger.next_position - int(tight.max()) - 1 < 160
        moved += int(last.shape[1] > 0 and not torch.equal(ledger.positions[:, 150 : last.shape[1]], last[:, 150:]))
        old = int((ledger.frames == max(0, frames - 2)).nonzero()[0])
        last = ledger.positions[:, :old]
    assert 1 < moved < 30
    for number, layer in session.cache.kv:
        keys = fresh_keys(adapter, number, hidden[number], session.ledger.positions).float()
        keys = keys.gather(2, layer.index.unsqueeze(-1).expand(-1, -1, -1, keys.shape[-1]))
        assert float((layer.keys.float() - keys).norm() / keys.norm()) < 0.02


def with_rope(adapter: Adapter, **parameters: object) -> Adapter:
    """The model with other rotary positions."""
    text, decoder = adapter.model.config.text_config, adapter.model.model.language_model
    text.rope_parameters = {**text.rope_parameters, **parameters}
    decoder.rotary_emb = type(decoder.rotary_emb)(text)
    return adapter


@torch.inference_mode()
def test_scaled_positions_turn_without_being_scaled_again(own: Adapter) -> None:
    adapter = with_rope(own, rope_type="yarn", factor=4.0, original_max_position_embeddings=4096)
    assert adapter.rotary.attention_scaling > 1.1
    session, hidden = compact(adapter, policy=Full()), {}
    with inputs_of_attention(adapter, hidden):
        session.extend(episode(adapter, 4))
    session.drop_frame(1)
    at_its_positions(session, hidden)


def test_positions_that_depend_on_the_length_are_refused(own: Adapter) -> None:
    adapter = with_rope(own, rope_type="dynamic", factor=4.0)
    with pytest.raises(SessionError, match="use positions 'keep'"):
        compact(adapter)
    with pytest.raises(SessionError, match="cannot be moved"):
        adapter.phases(torch.ones(3, 2, dtype=torch.long))
    session = compact(adapter, positions="keep", window="shrink")
    session.extend(episode(adapter, 3))
    session.compress()
    adapter.model.config.text_config.max_position_embeddings = session.ledger.next_position
    with pytest.raises(ContextError):
        session.extend((*episode(adapter, 3), Message("user", (Text("on " * 40),))))


ONE_LAYER = Sizes(
    vocab_size=512, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, depth=2, vision_hidden=16, vision_heads=1, vision_intermediate=16,
)  # fmt: skip


@torch.inference_mode()
def test_a_thousand_full_screenshots_on_one_axis(tmp_path: Path) -> None:
    """OpenCUA's shape: every image token takes a position, 2,691 at 1920x1080, and there are 128,000.

    One layer's keys do not depend on attention, so every entry is the real one though none is computed. Both heads
    keep other tokens, more of the newer ones. At the end keys still are those of where the ledger says they stand.
    """
    opencua_checkpoint.write(tmp_path, ONE_LAYER, random_weights(ONE_LAYER))
    adapter = load_model(str(tmp_path), device="cpu", dtype="float32", pack_weights=False)
    assert adapter.context == 128_000
    layer: Any = adapter.decoder_layers[0]
    noise = torch.Generator().manual_seed(0)
    shot = Frame(Image.new("RGB", (1920, 1080)), 0)
    reply = Message("assistant", (Text("pyautogui.click(x=1443, y=343)"),))
    opening = adapter.encode(episode(adapter, 0), generate=False)
    one = adapter.encode((Message("user", (shot,)), reply), generate=False)
    features = torch.randn(one.images[0].tokens, ONE_LAYER.hidden_size, generator=noise)
    hidden = adapter.embed_text(one.ids)
    hidden[one.frames == 0] = features
    states = layer.input_layernorm(hidden)[None]
    values = layer.self_attn.v_proj(states).view(1, len(one), 2, -1).transpose(1, 2)
    session = Session(adapter, Settings(Full()))
    session.extend(opening)
    most, moves, ended = len(one) + 3000, 0, 0
    entries = session.cache.kv[0][1]
    for step in range(1000):
        natural = len(opening) + step * len(one)
        ended = ended or (step if natural + len(one) > adapter.context else 0)
        moves += make_room(session, adapter, "shrink", len(one))
        # As `prefilling` does it, but for the attention.
        number = torch.full((len(one),), step)
        turn = Prompt(one.ids, one.positions, torch.where(one.frames == 0, number, NO_FRAME),
                      torch.where(one.turns == 0, number, NO_FRAME), one.protected, {step: one.images[0]})  # fmt: skip
        ledger = session.ledger.append(turn, 0)
        assert ledger.next_position <= adapter.context
        keys = fresh_keys(adapter, 0, states, ledger.positions[:, -len(one) :])
        entries = session.cache.kv[0][1]
        entries.update(keys, values)
        session.state = replace(session.state, ledger=ledger)
        age = torch.arange(entries.entries).expand(1, 2, -1)
        scores = torch.rand(1, 2, entries.entries, generator=noise) + age / entries.entries * 0.3
        scores[..., -len(one) :] = 2
        entries.keep(scores.topk(min(entries.entries, most), dim=-1).indices.sort(-1).values)
    ledger = session.ledger
    ledger.verify(session.cache)
    rows = torch.arange(len(ledger)) - len(opening)
    real = entries.index[0] >= len(opening)
    for head in range(2):
        held = entries.index[0, head][real[head]]
        token, where = rows[held] % len(one), ledger.positions[:, held]
        expected = fresh_keys(adapter, 0, states[:, token], where)[0, head]
        difference = float((entries.keys[0, head][real[head]] - expected).abs().max())
        # Angles near position 100,000 are known to 0.004 in float32, the model's own too.
        assert difference < 4e-3 * float(expected.abs().max())
        assert bool((where.diff() > 0).all())
    assert ended == 46
    assert 10 < moves < 100
    print(f"\nwould have ended before at step {ended + 1}; {moves} moves in 1,000; at {ledger.next_position:,} of "
          f"{adapter.context:,}; keys differ by {difference:.1e}")  # fmt: skip
