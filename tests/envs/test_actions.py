"""Actions are frozen values that survive JSON, and nothing else becomes one."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from envs.actions import ACTION_TYPES, Action, dump_action, load_action, points_of

EXAMPLES: dict[str, dict[str, object]] = {
    "click": {"x": 3, "y": 4.5, "button": "right", "count": 2},
    "drag": {"path": [[1, 2], [3, 4], [5, 6]]},
    "move": {"x": 0, "y": 0},
    "scroll": {"direction": "left", "amount": 2, "x": 9, "y": 8},
    "type": {"text": "Grüße 😀\n", "submit": True},
    "keys": {"keys": ["ctrl", "c"]},
    "key_down": {"key": "shift"},
    "key_up": {"key": "shift"},
    "long_press": {"x": 1, "y": 1, "seconds": 2},
    "swipe": {"x": 1, "y": 2, "x2": 3, "y2": 4},
    "open_app": {"name": "Files"},
    "system_button": {"button": "back"},
    "navigate": {"url": "example.com"},
    "back": {},
    "forward": {},
    "select": {"x": 1, "y": 2, "option": "Two"},
    "wait": {"seconds": 0},
    "answer": {"text": "42"},
    "ask_user": {"question": "Which?"},
    "finish": {"status": "failure", "message": "no"},
}


def example(name: str) -> Action:
    return load_action({"type": name, **EXAMPLES[name]})


def test_every_action_has_an_example() -> None:
    assert set(EXAMPLES) == set(ACTION_TYPES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_round_trip_through_json(name: str) -> None:
    action = example(name)
    assert type(action) is ACTION_TYPES[name]
    assert load_action(json.loads(json.dumps(dump_action(action)))) == action


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_actions_are_frozen_and_hashable(name: str) -> None:
    action = example(name)
    assert hash(action) == hash(example(name))
    with pytest.raises(ValidationError):
        action.type = "click"  # type: ignore[assignment]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": "nothing"},
        {"type": "click", "x": 1},
        {"type": "click", "x": 1, "y": 2, "count": 4},
        {"type": "click", "x": float("nan"), "y": 2},
        {"type": "click", "x": float("inf"), "y": 2},
        {"type": "click", "x": 1, "y": 2, "extra": 1},
        {"type": "drag", "path": [[1, 2]]},
        {"type": "keys", "keys": []},
        {"type": "scroll", "direction": "inwards"},
        {"type": "wait", "seconds": -1},
    ],
)
def test_anything_else_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        load_action(data)


def test_points_in_order() -> None:
    assert points_of(example("drag")) == ((1, 2), (3, 4), (5, 6))
    assert points_of(example("swipe")) == ((1, 2), (3, 4))
    assert points_of(example("click")) == ((3, 4.5),)
    assert points_of(load_action({"type": "scroll", "direction": "up"})) == ()
    assert points_of(example("back")) == ()
