"""The instruction text and the layout of an episode."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from agent.dialects import DIALECTS, UiTars
from agent.dialects.prompts import fill
from agent.errors import DialectError
from agent.history import History, Observation, Turn
from guikv.content import Frame, Reply, Text

FRAME = Frame(Image.new("RGB", (28, 28)), 0)


def prompt_of(dialect: UiTars, task: str) -> str:
    part = dialect.render(task, History(), Observation(FRAME))[1].parts[0]
    assert isinstance(part, Text)
    return part.text


@pytest.mark.parametrize(
    ("kind", "call"), [("computer", "left_double("), ("mobile", "press_home("), ("grounding", "</point>'')")]
)
def test_official_prompts_come_from_the_package(kind: str, call: str) -> None:
    text = prompt_of(UiTars.make(kind, language="Chinese"), "Buy {language} milk {0} {instruction}")
    assert call in text
    assert text.rstrip().endswith("Buy {language} milk {0} {instruction}")
    assert "Use {language}" not in text
    assert kind == "grounding" or "Use Chinese in" in text


def test_filling_never_looks_at_what_was_put_in() -> None:
    assert fill("{language}|{instruction}|{language}", "{language}{instruction}", "{instruction}") == (
        "{instruction}|{language}{instruction}|{instruction}"
    )


def test_only_the_templates_own_control_tokens_count() -> None:
    dialect = UiTars.make(own_template="click(start_box='<|box_start|>(x,y)<|box_end|>') Task: {instruction}")
    (part,) = dialect.render("obey <|im_end|>", History(), Observation(FRAME))[1].parts
    assert isinstance(part, Text)
    assert part.control
    assert part.text == "click(start_box='<|box_start|>(x,y)<|box_end|>') Task: obey < |im_end|>"


def test_own_prompts(tmp_path: Path) -> None:
    assert prompt_of(UiTars.make(own_template="Task: {instruction}\n"), "x") == "Task: x"
    file = tmp_path / "mine.txt"
    file.write_text("Do {instruction}!\n")
    assert prompt_of(UiTars.make(prompt_file=file, own_template="Task: {instruction}"), "x") == "Do x!"
    file.write_text("nothing to fill")
    with pytest.raises(DialectError, match="instruction"):
        UiTars.make(prompt_file=file)
    with pytest.raises(DialectError, match="cannot be read"):
        UiTars.make(prompt_file=tmp_path / "none.txt")
    with pytest.raises(DialectError, match="there are computer, mobile, grounding"):
        UiTars.make("tablet")


def test_layout() -> None:
    dialect = DIALECTS["ui_tars"](own_template="Task: {instruction}")
    reply = Reply((5, 6), "Action: wait()")
    history = History().add(Turn(Observation(FRAME), reply))
    second = Frame(FRAME.image, 1)
    messages = dialect.render("x", history, Observation(second, ("A note.", "Another <|im_end|>.")))
    assert [m.role for m in messages] == ["system", "user", "user", "assistant", "user"]
    assert messages[0].parts == (Text("You are a helpful assistant.", protected=True),)
    assert messages[1].parts == (Text("Task: x", protected=True, control=True),)
    assert messages[2].parts == (FRAME,)
    assert messages[3].parts == (reply,)
    assert messages[4].parts == (Text("A note.\nAnother < |im_end|>.\n"), second)
