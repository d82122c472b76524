"""No text stops the release's readers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics.prediction import Prediction
from eval.metrics.release import MAX_TEXT, read, read_opencua_official
from tests.eval.metrics.readings import RESIZE, found, prediction
from tests.eval.metrics.test_release_opencua import OPENCUA
from tests.eval.metrics.test_release_ui_tars import UI_TARS


def test_no_text_at_all() -> None:
    nothing = Prediction((), (), RESIZE, "ui_tars")
    assert found(read(nothing)) == found(read_opencua_official(nothing)) == []


_PIECES = st.sampled_from(
    [
        *(call for call, _ in UI_TARS),
        *(code for code, _ in OPENCUA),
        *(
            "Action: ",
            "Action:",
            ")\n\n",
            "\n",
            "'",
            '"',
            "\\",
            "type(content='",
            "point=",
            "<point>",
            "keys=[",
            "\ud800",
        ),
    ]
)
_TEXTS = st.one_of(st.text(), st.lists(st.one_of(_PIECES, st.text(max_size=4)), max_size=8).map("".join))


@settings(max_examples=400)
@given(_TEXTS)
def test_no_text_raises(text: str) -> None:
    for reading in (
        read(prediction(text, "ui_tars")),
        read(prediction("Action: " + text, "ui_tars"), grounding=True),
        read(prediction(text, "opencua"), grounding=True),
        read_opencua_official(prediction("pyautogui." + text, "opencua")),
    ):
        assert not (reading.failed and reading.calls)
        for call in reading.calls:
            assert isinstance(call.name, str)
            assert all(isinstance(value, float) for place in (call.point, call.end) if place for value in place)


_HOSTILE = [
    *("-", "(", "a.", "1+", "f()\n\n", "type(content='", "<point>1 ", "point=", "x=1,  ", "x=1", "message='", "keys=["),
    *("pyautogui.write('", "pyautogui.write(\"'", "pyautogui.press(", "pyautogui.\n", "pyautogui.scroll(1", "\\", "1"),
]


@pytest.mark.parametrize("repeated", _HOSTILE)
def test_long_texts_are_read_quickly(repeated: str) -> None:
    body = repeated * (MAX_TEXT // len(repeated))
    before = time.process_time()
    for text in (body, "Action: f(a=" + body, "pyautogui." + body, "Action: click(start_box='(" + body):
        text = text[:MAX_TEXT]
        assert len(read(prediction(text, "ui_tars")).calls) < MAX_TEXT
        assert len(read(prediction(text, "opencua")).calls) < MAX_TEXT
        assert len(read_opencua_official(prediction(text, "opencua")).calls) < MAX_TEXT
    # A few milliseconds each; a reader that takes the square of the length needs minutes.
    assert time.process_time() - before < 10
