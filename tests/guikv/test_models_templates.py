"""What a checkpoint says beside its weights: how a reply begins, and how large a picture may be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from guikv.content import Message, Reply
from guikv.errors import ModelError
from guikv.models import load_model
from guikv.models.base import Adapter
from guikv.models.checkpoint import PROCESSOR_TEMPLATE
from guikv.models.images import PREPROCESSOR
from guikv.policies import Full
from guikv.session import Session
from guikv.settings import Settings
from tests.guikv.conftest import episode
from tests.guikv.test_session_promises import CLOSE

TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
HEADER = "<|im_start|>assistant\n"
OPEN, EMPTY = "<think>\n", "<think>\n\n</think>\n\n"


def opened(tail: str) -> str:
    """A template whose generation prompt is `tail`, which may be a program of its own."""
    return TURNS + "{% if add_generation_prompt %}" + tail + "{% endif %}"


INSTRUCT = opened(HEADER)
THINKING = opened(HEADER + "{{ '<think>\\n' }}")
# The lines of Qwen3.5's that matter here, in our words.
CHOICE = opened(
    HEADER + "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}"
    "{% else %}{{ '<think>\\n' }}{% endif %}"
)
BY_ITSELF = opened(HEADER + "{% if enable_thinking is defined and enable_thinking %}{{ '<think>\\n' }}{% endif %}")


def with_template(small: Path, folder: Path, template: str, where: str = "tokenizer_config.json") -> Path:
    """A copy of the checkpoint that has this template in that file."""
    shutil.copytree(small, folder)
    if where.endswith(".jinja"):
        (folder / where).write_text(template)
    else:
        data = json.loads((folder / where).read_text()) if (folder / where).is_file() else {}
        (folder / where).write_text(json.dumps({**data, "chat_template": template}))
    return folder


@pytest.mark.parametrize("where", ["tokenizer_config.json", "chat_template.jinja", PROCESSOR_TEMPLATE])
@pytest.mark.parametrize(
    ("template", "thinking", "opening"),
    [
        (INSTRUCT, None, ""),
        (THINKING, None, OPEN),
        (THINKING, False, OPEN),
        (CHOICE, None, OPEN),
        (CHOICE, True, OPEN),
        (CHOICE, False, EMPTY),
        (BY_ITSELF, None, ""),
        (BY_ITSELF, True, OPEN),
    ],
)
def test_the_reply_is_opened_as_the_template_opens_it(
    small: Path, tmp_path: Path, where: str, template: str, thinking: bool | None, opening: str
) -> None:
    folder = with_template(small, tmp_path / "copy", template, where)
    adapter = load_model(str(folder), device="cpu", thinking=thinking)
    assert adapter.opening == opening
    prompt = adapter.encode(episode(adapter, 1))
    assert adapter.decode_text(tuple(prompt.ids.tolist())).endswith(HEADER + opening)
    assert adapter.encode(episode(adapter, 1), generate=False).ids.tolist()[-1] == adapter.tokenizer.encode("\n")[0]


FAILING = {
    "no jinja": "{% if %}",
    "refuses": "{{ raise_exception('no system text') }}",
    "divides by nothing": opened("{{ 1 // 0 }}"),
    "reaches for what is not there": opened("{{ messages[0].content.no.such.thing }}"),
    "reaches for what it may not": opened("{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    "never ends": opened("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}" + HEADER),
    "calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "is endless text": opened(HEADER + "x" * 2**20),
    "has other headers": opened("<assistant>") + OPEN,
    "puts in too much": opened(HEADER + "<think>" * 100),
    "changes the turns": "{{ messages|length if add_generation_prompt else 'no' }}" + HEADER + OPEN,
}


@pytest.mark.parametrize("template", FAILING.values(), ids=FAILING)
def test_a_template_that_fails_says_nothing(small: Path, tmp_path: Path, template: str) -> None:
    folder = with_template(small, tmp_path / "copy", template)
    assert load_model(str(folder), device="cpu").opening == ""


@pytest.fixture(scope="module", params=[CHOICE, THINKING], ids=["closed empty", "opened"])
def thinker(small: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Adapter:
    folder = with_template(small, tmp_path_factory.mktemp("thinker") / "copy", request.param)
    return load_model(str(folder), device="cpu", dtype="float32", thinking=False)


def said(messages: tuple[Message, ...], replies: list[Reply]) -> tuple[Message, ...]:
    """The episode with these replies in the place of its own."""
    left = iter(replies)
    return tuple(Message("assistant", (next(left),)) if m.role == "assistant" else m for m in messages)


def test_what_was_opened_stays_before_the_reply(thinker: Adapter) -> None:
    """Append-only: nothing of an earlier prompt changes, and the logits are those of a fresh forward."""
    session, replies = Session(thinker, Settings(Full())), []
    for frames in range(1, 4):
        before = session.ledger.ids
        session.extend(said(episode(thinker, frames), replies))
        assert torch.equal(session.ledger.ids[: len(before)], before)
        assert session.cost.tokens_reused == len(before)
        reply = session.generate(5, min_new_tokens=5)
        assert reply.text.startswith(thinker.opening)
        assert reply.ids[: -5 or None] == thinker.opening_ids
        assert session.cost.tokens_generated == 5
        replies.append(Reply(reply.ids, reply.text))
    fresh = Session(thinker, Settings(Full()))
    fresh.extend(said(episode(thinker, 3), replies))
    session.extend(said(episode(thinker, 3), replies))
    torch.testing.assert_close(session.next_logits, fresh.next_logits, **CLOSE)
    text = thinker.decode_text(tuple(session.ledger.ids.tolist()))
    assert text.count(HEADER + thinker.opening) == 3


def test_replies_that_nobody_opened_are_left_alone(thinker: Adapter) -> None:
    """Gold answers and those of another model hold no thoughts, so none are opened before them."""
    text = thinker.decode_text(tuple(thinker.encode(episode(thinker, 2)).ids.tolist()))
    assert text.count(HEADER + thinker.opening) == 1
    assert HEADER + "Thought: 0" in text


def test_a_reply_goes_on_where_it_was_cut_off(thinker: Adapter) -> None:
    session, whole = Session(thinker, Settings(Full())), Session(thinker, Settings(Full()))
    for one in (session, whole):
        one.extend(episode(thinker, 1))
    parts = [session.generate(3, min_new_tokens=3), session.generate(3, min_new_tokens=3)]
    assert len(parts[1].ids) == 3, "what was opened is only told once"
    assert parts[0].ids + parts[1].ids == whole.generate(6, min_new_tokens=6).ids


def test_drafts_are_verified_behind_what_was_opened(thinker: Adapter) -> None:
    session = Session(thinker, Settings(Full()))
    session.extend(episode(thinker, 1))
    ids = session.fork().generate(6, min_new_tokens=6).ids
    assert session.verify(ids).ids[: len(ids)] == ids
    assert session.verify((*ids[:-2], 3, 3)).ids[: len(ids) - 1] == ids[:-1]
    if thinker.opening_ids:
        assert session.verify((3, 3)).ids == thinker.opening_ids, "a draft without it says nothing"


LIMITS: list[tuple[dict[str, Any], tuple[int, int]]] = [
    ({"size": {"max_pixels": 90_000, "min_pixels": 4096}}, (4096, 90_000)),
    ({"size": {"longest_edge": 90_000, "shortest_edge": 4096}}, (4096, 90_000)),
    ({"size": {"longest_edge": 90_000, "min_pixels": 4096}}, (4096, 90_000)),
    ({"min_pixels": 4096, "max_pixels": 90_000}, (4096, 90_000)),
    ({"min_pixels": 4096, "max_pixels": 90_000, "size": {"longest_edge": 7, "shortest_edge": 7}}, (4096, 90_000)),
    ({"min_pixels": None, "max_pixels": None, "size": {"longest_edge": 90_000, "shortest_edge": 4096}}, (4096, 90_000)),
    ({"size": {"longest_edge": 90_000, "shortest_edge": None}}, (3136, 90_000)),
    ({"size": {"max_pixels": 90_000.0, "min_pixels": 4096.0}}, (4096, 90_000)),
    ({"size": None, "min_pixels": None}, (3136, 1_003_520)),
    ({"size": {}}, (3136, 1_003_520)),
    ({}, (3136, 1_003_520)),
    ({"patch_size": None, "merge_size": None}, (3136, 1_003_520)),
]


def rewrite(small: Path, folder: Path, written: dict[str, Any]) -> Path:
    """A copy of the checkpoint whose preprocessor_config.json has these keys instead of its own limits."""
    shutil.copytree(small, folder)
    data = json.loads((folder / PREPROCESSOR).read_text())
    rest = {key: value for key, value in data.items() if key not in ("size", "min_pixels", "max_pixels")}
    (folder / PREPROCESSOR).write_text(json.dumps({**rest, **written}))
    return folder


@pytest.mark.parametrize(("written", "limits"), LIMITS, ids=[json.dumps(w) for w, _ in LIMITS])
def test_limits_of_pictures_are_taken_however_they_are_spelled(
    small: Path, tmp_path: Path, written: dict[str, Any], limits: tuple[int, int]
) -> None:
    adapter = load_model(str(rewrite(small, tmp_path / "copy", written)), device="cpu")
    assert (adapter.processor.size["shortest_edge"], adapter.processor.size["longest_edge"]) == limits
    width, height = adapter.image_size((1920, 1080))
    assert width * height <= limits[1]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ({"size": {"height": 3, "width": 4}}, "size"),
        ({"size": 300}, "size"),
        ({"size": [1, 2]}, "size"),
        ({"size": {"max_pixels": "many"}}, "size.max_pixels"),
        ({"size": {"longest_edge": -4}}, "size.longest_edge"),
        ({"size": {"longest_edge": True}}, "size.longest_edge"),
        ({"size": {"longest_edge": 1e300}}, "size.longest_edge"),
        ({"size": {"longest_edge": float("nan")}}, "size.longest_edge"),
        ({"min_pixels": 0}, "min_pixels"),
        ({"max_pixels": [90_000]}, "max_pixels"),
        ({"max_pixels": 90_000.5}, "max_pixels"),
        ({"patch_size": "14"}, "patch_size"),
        ({"merge_size": 0}, "merge_size"),
    ],
)
def test_what_is_no_limit_is_told_with_file_and_key(
    small: Path, tmp_path: Path, written: dict[str, Any], key: str
) -> None:
    with pytest.raises(ModelError, match=f"{PREPROCESSOR}: {key}: expected"):
        load_model(str(rewrite(small, tmp_path / "copy", written)), device="cpu")
