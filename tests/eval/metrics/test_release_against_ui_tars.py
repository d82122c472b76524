"""The reader of UI-TARS' answers beside the parser that the GUI-KV release copies, which ui-tars installs."""

from __future__ import annotations

import ast
import random
from typing import Any

import pytest
from ui_tars.action_parser import parse_action_to_structure_output

from envs.geometry import Resize, Size
from eval.metrics.prediction import Prediction
from eval.metrics.release import Call, read
from tests.eval.metrics.readings import FAILED, found
from tests.eval.metrics.test_release_ui_tars import LATE, UI_TARS

SCREEN, IMAGE = Size(1920, 1080), Size(1932, 1092)
CALLS = [call for call, _ in UI_TARS if call not in LATE]
_PIECES = [
    "\n\n",
    "\n",
    " ",
    ")\n\n",
    "'",
    '"',
    ")",
    "(",
    "\\",
    "Action: ",
    "<point>",
    "point=",
    "type(content='",
    "')",
]


def owners(text: str) -> Any:
    """What the package makes of a text, as calls."""
    try:
        parsed = parse_action_to_structure_output(text, 1000, SCREEN.height, SCREEN.width, model_type="qwen25vl")
        return [_call(one["action_type"] or "", one["action_inputs"]) for one in parsed]
    except AssertionError:
        return []
    except (ValueError, AttributeError, TypeError):
        return FAILED


def _call(name: str, inputs: dict[str, Any]) -> Call:
    places = {}
    for key, value in inputs.items():
        if "start_box" in key or "end_box" in key:
            x, y, x2, y2 = ast.literal_eval(value)
            places[key] = (x + x2) / 2, (y + y2) / 2
        elif not isinstance(value, str):
            raise TypeError(key)
    return Call(
        name,
        places.get("start_box"),
        places.get("end_box"),
        inputs.get("content", inputs.get("app_name")),
        tuple(inputs.get("key", inputs.get("hotkey", inputs.get("press", ""))).split()),
        inputs.get("direction"),
    )


def ours(text: str) -> Any:
    return found(read(Prediction((text,), (), Resize(SCREEN, IMAGE), "ui_tars")))


def rounded(calls: Any) -> Any:
    """Without the last digits, which depend on the order of operations."""
    if calls == FAILED:
        return calls
    return [
        (
            call.name,
            *(tuple(f"{value:.9g}" for value in place or ()) for place in (call.point, call.end)),
            *(call.text, call.keys, call.direction),
        )
        for call in calls
    ]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("before", ["Thought: I look.\nAction: ", "Thought: I look.\n", "Action:"])
def test_the_same_calls(call: str, before: str) -> None:
    assert rounded(ours(before + call)) == rounded(owners(before + call))


def test_the_same_calls_of_damaged_answers() -> None:
    dice = random.Random(0)
    kinds = set()
    for _ in range(1500):
        text = "Action: "
        for call in dice.choices(CALLS, k=dice.randint(1, 3)):
            cut = dice.randint(0, len(call))
            damage = dice.choice(_PIECES) if dice.random() < 0.3 else ""
            text += call[:cut] + damage + call[cut:] + dice.choice(_PIECES[:2])
        theirs = rounded(owners(text))
        assert rounded(ours(text)) == theirs, text
        kinds.add("failed" if theirs == FAILED else "calls")
    assert kinds == {"failed", "calls"}
