"""Lessons out of stored episodes keep the rules of the tasks, and the decoder learns from them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.nano.training import train_episodes
from eval.nano.training.chat import Encoder
from eval.nano.training.fast_forward import FastForward
from eval.nano.training.features import busy_cells, compute_features, load_features
from eval.nano.training.lessons import LESSONS, SHARES, TASKS, Shelf, encode, fill_shelf, form_goal, reply_of, stack
from eval.nano.training.stored import load_episodes, load_pixels
from guikv.nano import WEIGHTS

DATA = Path(__file__).resolve().parents[3] / "data"
EPISODES, PAGES = DATA / "nano_episodes", DATA / "nano_pages"


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return fill_shelf(EPISODES, [PAGES])


@pytest.mark.parametrize("task", TASKS)
def test_every_stored_action_has_a_reply(task: str) -> None:
    episodes = load_episodes(EPISODES, task)
    assert episodes
    for episode in episodes:
        for step in episode.steps:
            reply = reply_of(step.action, step.target)
            assert reply.startswith("Thought: ")
            assert ("type(" in reply) == (step.action["type"] == "type")
            assert ("scroll(" in reply) == (step.action["type"] == "scroll")


def test_a_reply_needs_a_known_action() -> None:
    with pytest.raises(ValueError, match="no reply"):
        reply_of({"type": "drag"}, None)


@pytest.mark.parametrize("kind", list(LESSONS))
def test_lessons_click_what_they_name(kind: str, shelf: Shelf) -> None:
    rng = random.Random(5)
    for _ in range(20):
        episode, screens = LESSONS[kind](shelf, rng)
        assert max(t.screen for t in episode.turns) < len(screens)
        for turn in episode.turns:
            if turn.target is not None:
                assert turn.target in shelf.elements[screens[turn.screen]]
                assert turn.reply.startswith(f"Thought: {turn.target.word}\n")


def test_what_is_remembered_was_shown_before_and_is_not_said_before(shelf: Shelf) -> None:
    rng = random.Random(6)
    for _ in range(30):
        episode, screens = LESSONS["remember"](shelf, rng)
        *before, last = episode.turns
        assert last.target is not None
        code = last.target.word
        assert code in {e.word for e in shelf.elements[screens[0]] if e.kind == "text"}
        assert code not in episode.instruction
        assert all(code not in turn.reply for turn in before)


def test_the_form_goal_is_the_playgrounds(shelf: Shelf) -> None:
    for episode in load_episodes(EPISODES, "form_many"):
        entries = [(s.action["field"], s.action["text"]) for s in episode.steps if s.action["type"] == "type"]
        assert form_goal(entries, episode.steps[-1].action["word"]) == episode.goal


def test_cells_with_words_are_never_left_out(shelf: Shelf) -> None:
    rng, encoder = random.Random(7), Encoder()
    wordy = shelf.wordy()
    busy = np.stack([busy_cells(load_pixels(p)) for p in shelf.paths])
    assert bool((busy | ~wordy).all())
    for kind in LESSONS:
        episode, screens = LESSONS[kind](shelf, rng)
        cells = (busy[screens], wordy[screens])
        some, every = (encode(encoder, episode, cells, rng, whole) for whole in (False, True))
        turns = len(episode.turns)
        assert len(every.cells) == 100 * turns
        assert sum(int(wordy[screens[t.screen]].sum()) for t in episode.turns) <= len(some.cells) < len(every.cells)
        assert set(some.positions) <= set(every.positions)
        batch = stack([(kind, some, screens)])
        assert int((batch["labels"] >= 0).sum()) == int((np.array(every.labels) >= 0).sum())


def test_features_are_those_of_the_tower_and_are_kept(shelf: Shelf, tmp_path: Path) -> None:
    from eval.nano.training.model import new_model

    forward = FastForward(new_model(0), torch.float32)
    paths = shelf.paths[:5]
    first, _ = load_features(forward, paths[:3], tmp_path, "one")
    more, busy = load_features(forward, paths, tmp_path, "one")
    whole, _ = compute_features(forward, paths)
    assert torch.equal(more[:3], first)
    assert torch.allclose(more.float(), whole.float(), atol=1e-2)
    assert busy.shape == (5, 100)
    assert len((tmp_path / "screens.txt").read_text().splitlines()) == 6
    other, _ = load_features(FastForward(new_model(1), torch.float32), paths, tmp_path, "two")
    assert not torch.allclose(other.float(), whole.float(), atol=1e-2)


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    common = ["--out", str(tmp_path), "--start", str(WEIGHTS), "--episodes", str(EPISODES), "--pages", str(PAGES)]
    common += ["--threads", "1", "--batch", "8"]
    train_episodes.main([*common, "--minutes", "0.05"])
    before = json.loads((tmp_path / "state" / "progress.json").read_text())
    assert before["step"] >= 1
    # The minutes count what was trained before, however long its last step took.
    train_episodes.main([*common, "--minutes", str(before["seconds"] / 60 + 0.05), "--resume"])
    after = json.loads((tmp_path / "state" / "progress.json").read_text())
    assert after["step"] > before["step"]
    assert after["seconds"] > before["seconds"]
    lines = [json.loads(line) for line in (tmp_path / "episodes_log.jsonl").read_text().splitlines()]
    assert {f"{name}_named" for name in SHARES} & set().union(*lines)
    assert (tmp_path / "weights" / "model.safetensors").stat().st_size < 25e6
    assert (tmp_path / "episodes_curve.png").exists()
