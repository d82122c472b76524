"""OpenCUA from a checkpoint in its owners' layout, against a forward pass written in plain torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from guikv.budget import Budget
from guikv.content import Frame, Message, Text
from guikv.errors import ModelError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.images import patches
from guikv.policies import Full, GuiKV, SnapKV
from guikv.prompt import NO_FRAME, Prompt
from guikv.rows import Rows, text_piece
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv import opencua_checkpoint
from tests.guikv.conftest import episode, screenshot
from tests.guikv.opencua_reference import Sizes, logits, random_weights, vision

SIZES = Sizes()
WEIGHTS = random_weights(SIZES)
CLOSE = {"atol": 1e-4, "rtol": 1e-4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("opencua")
    opencua_checkpoint.write(made, SIZES, WEIGHTS)
    return made


@pytest.fixture(scope="module")
def adapter(folder: Path) -> Adapter:
    return load_model(str(folder), device="cpu", dtype="float32")


def expected(adapter: Adapter, prompt: Prompt, visible: list[Tensor] | None = None) -> Tensor:
    """Logits [n, vocabulary] of the whole conversation by the reference."""
    shots = [prompt.images[n] for n in sorted(prompt.images)]
    features = [vision(WEIGHTS, SIZES, patches(p, adapter.processor), p.grid) for p in shots]
    image = adapter.model.config.media_placeholder_token_id
    return logits(WEIGHTS, SIZES, prompt.ids, image, features, visible)


def seen_by(session: Session, prompt: Prompt) -> list[Tensor]:
    """Per layer, what rows after the session's present end may see: the entries it still holds, and each other."""
    n, end = len(prompt), len(session.ledger)
    out = []
    for layer in session.cache.layers:
        heads = layer.index.shape[1]
        held = torch.zeros(heads, n + 1, dtype=torch.bool).scatter(1, layer.index[0] % (n + 1), True)[:, :n]
        held[:, end:] = True
        allowed = torch.ones(heads, n, n, dtype=torch.bool)
        allowed[:, end:] = held.unsqueeze(1)
        out.append(allowed)
    return out


def test_six_steps_equal_the_reference(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    assert (adapter.family, adapter.dialect) == ("opencua", "opencua")
    for frames in range(1, 7):
        messages = episode(adapter, frames)
        session.extend(messages)
        prompt = adapter.encode(messages)
        torch.testing.assert_close(session.next_logits, expected(adapter, prompt)[-1], **CLOSE)
        assert session.cost.tokens_recomputed == 0
        assert session.cost.tokens_new + session.cost.tokens_reused == len(prompt)


@pytest.mark.parametrize("size", [(56, 56), (252, 112), (112, 252), (308, 280)])
def test_one_screenshot_of_any_size(adapter: Adapter, size: tuple[int, int]) -> None:
    """Windows of the vision tower that are whole, cut at the edges, or only one."""
    pixels = torch.randint(0, 256, (size[1], size[0], 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    shot = Frame(Image.fromarray(pixels.numpy()), 0)
    session = Session(adapter, Settings(Full()))
    session.extend((Message("user", (Text("Look."), shot, Text("Press it."))),))
    torch.testing.assert_close(session.next_logits, expected(adapter, _prompt(session, adapter, shot))[-1], **CLOSE)


def _prompt(session: Session, adapter: Adapter, shot: Frame) -> Prompt:
    prompt = adapter.encode((Message("user", (Text("Look."), shot, Text("Press it."))),))
    assert torch.equal(prompt.ids, session.ledger.ids)
    return prompt


def test_positions_count_every_token(adapter: Adapter) -> None:
    prompt = adapter.encode(episode(adapter, 3))
    assert torch.equal(prompt.positions, torch.arange(len(prompt)).unsqueeze(0))
    session = Session(adapter, Settings(Full()))
    session.extend(episode(adapter, 3))
    session.feed(3)
    assert session.ledger.positions[0, -1] == len(prompt)


def test_decoding_equals_the_reference(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    session.extend(episode(adapter, 2))
    prompt = adapter.encode(episode(adapter, 2))
    ids = session.generate(7, min_new_tokens=7).ids
    longer = Prompt.of(Rows([text_piece(list(ids), 1, prompt.next_position)], before=prompt.rows), prompt.images)
    torch.testing.assert_close(session.next_logits, expected(adapter, longer)[-1], **CLOSE)


def test_truncate_then_extend(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    session.extend(episode(adapter, 4))
    session.truncate(len(adapter.encode(episode(adapter, 2), generate=False)))
    session.extend(episode(adapter, 3))
    assert session.cost.tokens_reused > 0
    prompt = adapter.encode(episode(adapter, 3))
    torch.testing.assert_close(session.next_logits, expected(adapter, prompt)[-1], **CLOSE)


def test_drop_a_frame(adapter: Adapter) -> None:
    session = Session(adapter, Settings(Full()))
    session.extend(episode(adapter, 3))
    session.drop_frame(1)
    session.ledger.verify(session.cache)
    prompt = adapter.encode(episode(adapter, 4))
    visible = seen_by(session, prompt)
    assert not bool(visible[0][:, -1, session.ledger.turns.eq(1).nonzero().flatten()].any())
    session.extend(episode(adapter, 4))
    torch.testing.assert_close(session.next_logits, expected(adapter, prompt, visible)[-1], **CLOSE)


@pytest.mark.parametrize("policy", [GuiKV(), SnapKV(), GuiKV(selection="query")])
def test_compress(adapter: Adapter, policy: GuiKV | SnapKV) -> None:
    """What was evicted, differently for every layer and head, is what later rows no longer see."""
    session = Session(adapter, Settings(policy, Budget(20, "percent")))
    session.extend(episode(adapter, 3))
    entries = session.cache.entries
    session.compress()
    session.ledger.verify(session.cache)
    assert session.cache.entries < entries
    prompt = adapter.encode(episode(adapter, 4))
    visible = seen_by(session, prompt)
    session.extend(episode(adapter, 4))
    torch.testing.assert_close(session.next_logits, expected(adapter, prompt, visible)[-1], **CLOSE)


def test_save_and_load(adapter: Adapter, tmp_path: Path) -> None:
    session = Session(adapter, Settings(GuiKV(), Budget(20, "percent")))
    session.extend(episode(adapter, 3))
    session.compress()
    session.save(tmp_path)
    loaded = Session.load(tmp_path, adapter)
    for one in (session, loaded):
        one.extend(episode(adapter, 4))
    assert torch.equal(session.next_logits, loaded.next_logits)
    assert session.generate(5).ids == loaded.generate(5).ids


def test_the_chat_is_the_published_templates(adapter: Adapter) -> None:
    messages = (
        Message("system", (Text("S", protected=True),)),
        Message("user", (Frame(screenshot(0), 0), Text("T"))),
        Message("assistant", (Text("# Step 1:\n## Action:\nWait"),)),
        Message("user", (Frame(screenshot(1), 1),)),
    )
    prompt = adapter.encode(messages)
    template = [
        {
            "role": m.role,
            "content": [
                {"type": "text", "text": p.text} if isinstance(p, Text) else {"type": "image", "image": "x"}
                for p in m.parts
            ],
        }
        for m in messages
    ]
    text = adapter.tokenizer.apply_chat_template(template, tokenize=False, add_generation_prompt=True)
    for shot in (prompt.images[0], prompt.images[1]):
        text = text.replace("<|media_placeholder|>", "<|media|>" * shot.tokens, 1)
    written = adapter.decode_text(tuple(prompt.ids.tolist()))
    assert written == text.replace("<|media|>", "<|media_placeholder|>")
    assert int((prompt.frames != NO_FRAME).sum()) == sum(p.tokens for p in prompt.images.values())
    first = adapter.tokenizer.convert_tokens_to_ids("[BOS]")
    assert adapter.stop_ids == {first + 1, first + 2}, "[EOS] and <|im_end|>"


@pytest.mark.parametrize(
    "names",
    [
        {"vision_tower.": "model.visual.", "language_model.model.": "model.language_model.", "language_model.": ""},
        {"vision_tower.": "visual.", "language_model.model.": "model.", "language_model.": ""},
    ],
)
def test_copies_in_other_layouts(folder: Path, adapter: Adapter, tmp_path: Path, names: dict[str, str]) -> None:
    """Copies whose weights carry Qwen2.5-VL's names, new and old, are the same model."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    index = json.loads((copy / "model.safetensors.index.json").read_text())
    weight_map = {}
    for shard in set(index["weight_map"].values()):
        weights = {_renamed(name, names): w for name, w in load_file(copy / shard).items()}
        save_file(weights, copy / shard, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(weights, shard)
    (copy / "model.safetensors.index.json").write_text(json.dumps({**index, "weight_map": weight_map}))
    same, other = (load_model(str(f), dtype="float32", device="cpu", pack_weights=False) for f in (folder, copy))
    loaded = other.model.state_dict()
    for name, weight in same.model.state_dict().items():
        assert torch.equal(loaded[name], weight), name


def _renamed(name: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def changed(folder: Path, tmp_path: Path, file: str, **values: object) -> Path:
    copy = tmp_path / "changed"
    shutil.copytree(folder, copy)
    data = json.loads((copy / file).read_text())
    (copy / file).write_text(json.dumps({**data, **values}))
    return copy


def test_what_does_not_belong_together_is_told(folder: Path, tmp_path: Path) -> None:
    wrong = changed(folder, tmp_path / "id", "config.json", media_placeholder_token_id=7)
    with pytest.raises(ModelError, match="no special token 7"):
        load_model(str(wrong), device="cpu")
    text = {**opencua_checkpoint.config(SIZES, 0)["text_config"], "use_sliding_window": True, "sliding_window": 64}  # type: ignore[dict-item]
    sliding = changed(folder, tmp_path / "sliding", "config.json", text_config={**text, "max_window_layers": 1})
    with pytest.raises(ModelError, match="sliding attention"):
        load_model(str(sliding), device="cpu")
    for number, template in enumerate(("{{ messages[0]['role'] }}", "{% if %}", "{{ messages | length }}{{ 1 / 0 }}")):
        odd = changed(folder, tmp_path / f"template{number}", "tokenizer_config.json", chat_template=template)
        with pytest.raises(ModelError, match="template"):
            load_model(str(odd), device="cpu")


def test_a_lost_template_is_no_loss(folder: Path, adapter: Adapter, tmp_path: Path) -> None:
    bare = changed(folder, tmp_path, "tokenizer_config.json", chat_template=None)
    assert load_model(str(bare), device="cpu").chat == adapter.chat
