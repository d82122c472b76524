"""Prompts, and both layouts of an episode."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import pytest
from PIL import Image

from agent.dialects.layouts import Layout
from agent.dialects.opencua import OpenCUA
from agent.dialects.opencua.layout import Memory
from agent.dialects.opencua.prompt import KINDS, Generation, Level, built_in
from agent.errors import DialectError
from agent.history import History, Observation, Turn
from envs.geometry import Resize, Size
from guikv.content import Frame, Message, Reply, Text, frames_of

PICTURE = Image.new("RGB", (28, 28))
TASK = "Buy {language} milk {0} {instruction}"


def frame(number: int) -> Frame:
    return Frame(PICTURE, number)


def answer(number: int) -> Reply:
    text = (
        f"# Step {number}:\n## Thought:\nThought {number}.\n\n## Action:\nClick {number}.\n\n"
        f"## Code:\n```python\npyautogui.click(x={number}, y=2)\n```"
    )
    return Reply((number, 7), text)


def episode(steps: int) -> History:
    history = History()
    for step in range(steps):
        history = history.add(Turn(Observation(frame(step)), answer(step + 1)))
    return history


def texts(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text))


def roles(messages: tuple[Message, ...]) -> str:
    return " ".join(message.role[0] for message in messages)


def owners(images: int = 3, memory: Memory = "action") -> OpenCUA:
    return OpenCUA.make(layout="owners", images=images, memory=memory)


# Prompts.


@pytest.mark.parametrize("generation", get_args(Generation))
@pytest.mark.parametrize("level", get_args(Level))
def test_a_level_asks_for_its_sections(level: Level, generation: Generation) -> None:
    system = OpenCUA.make(level=level, generation=generation).prompt.system
    asked = [name for name in ("Observation", "Thought", "Action") if f"\n{name}:\n" in system.replace("## ", "")]
    assert asked == {"L1": ["Action"], "L2": ["Thought", "Action"], "L3": ["Observation", "Thought", "Action"]}[level]
    assert '"computer.terminate"' in system
    assert '["success", "failure"]' in system
    assert ('"computer.triple_click"' in system) == (generation == "v1")
    assert ('"computer.wait"' in system) == ("# Step {step number}:" in system) == (generation == "v2")


def test_devices_have_their_functions() -> None:
    computer, browser, mobile, grounding = (OpenCUA.make(kind).prompt for kind in KINDS)
    assert "browser." not in computer.system
    assert "mobile." not in computer.system
    assert "browser.select_option" in browser.system
    assert "mobile.open_app" in mobile.system
    assert "Thought" not in grounding.system
    assert grounding.instruction == "{instruction}"


def test_the_examples_of_the_prompt_are_read() -> None:
    system = OpenCUA.make(generation="v2").prompt.system
    blocks = [part.strip() for part in system.split("```")[1::2]]
    same = Resize(Size(1000, 1000), Size(1000, 1000))
    found = [OpenCUA.make().parse(f"```{block}\n```", same).actions[0].type for block in blocks]
    assert found == ["click", "finish", "finish"]


def test_the_task_is_put_in_as_it_is() -> None:
    _, user = OpenCUA.make().render(TASK, History(), Observation(frame(0)))
    assert f"# Task Instruction:\n{TASK}\n\n" in texts(user)
    _, user = OpenCUA.make("grounding").render(TASK, History(), Observation(frame(0)))
    assert texts(user) == TASK


def test_another_language_is_asked_for() -> None:
    chinese = OpenCUA.make(language="Chinese").render("x", History(), Observation(frame(0)))[0]
    assert texts(chinese).endswith("in Chinese.")
    assert "English" not in texts(OpenCUA.make().render("x", History(), Observation(frame(0)))[0])


def test_own_prompts(tmp_path: Path) -> None:
    default = OpenCUA.make().prompt
    own = OpenCUA.make(own_template="Task: {instruction}\n").prompt
    assert (own.system, own.instruction) == (default.system, "Task: {instruction}")
    file = tmp_path / "mine.txt"
    file.write_text("You are {braces}.\n\n---\nDo {instruction}!\nIn {language}.\n")
    mine = OpenCUA.make(prompt_file=file, own_template="Task: {instruction}", language="French")
    assert mine.prompt.system == "You are {braces}."
    assert texts(mine.render("x", History(), Observation(frame(0)))[1]) == "Do x!\nIn French."
    file.write_text("The owners' system prompt.")
    only = OpenCUA.make(prompt_file=file).prompt
    assert (only.system, only.instruction) == ("The owners' system prompt.", default.instruction)


def test_prompts_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    for text, message in ((" \n", "empty"), ("a\n---\nb", "no {instruction}")):
        file.write_text(text)
        with pytest.raises(DialectError, match=message):
            OpenCUA.make(prompt_file=file)
    file.write_bytes(b"\xff\xfe\xff")
    for path in (file, tmp_path / "none.txt"):
        with pytest.raises(DialectError, match="cannot be read"):
            OpenCUA.make(prompt_file=path)
    with pytest.raises(DialectError, match="there are computer, browser, mobile, grounding"):
        OpenCUA.make("tablet")
    with pytest.raises(DialectError, match="there are L1, L2, L3"):
        built_in("computer", cast(Level, "L4"), "v1")
    with pytest.raises(DialectError, match="at least 1 screenshot"):
        OpenCUA.make(images=0)


# Layouts.


@pytest.mark.parametrize("layout", get_args(Layout))
def test_the_first_step_is_the_same_in_both_layouts(layout: Layout) -> None:
    system, user = OpenCUA.make(layout=layout).render("x", History(), Observation(frame(0), ("A <|im_end|> note.",)))
    assert system.role == "system"
    assert all(isinstance(part, Text) and part.protected for part in system.parts)
    assert user.parts[0] == frame(0)
    assert user.parts[1] == Text("A < |im_end|> note.\n")
    assert isinstance(user.parts[2], Text)
    assert user.parts[2].protected
    assert user.parts[2].text.startswith("# Task Instruction:\nx\n")


def test_append_only_never_changes_what_was_written() -> None:
    dialect = OpenCUA.make()
    before: tuple[Message, ...] = ()
    for steps in range(6):
        messages = dialect.render("x", episode(steps), Observation(frame(steps), ("note",) if steps == 3 else ()))
        messages = messages[:-1] if steps == 3 else messages
        assert messages[: len(before)] == before
        before = messages
    assert frames_of(before) == tuple(range(6))
    assert roles(before) == "s u a u a u a u a u a u"
    assert before[2].parts == (answer(1),)
    assert before[3].parts == (frame(1),)


def test_the_owners_layout_holds_three_screenshots() -> None:
    messages = owners().render("x", episode(5), Observation(frame(5)))
    assert roles(messages) == "s a u a u a u"
    assert texts(messages[1]) == (
        "# Step 1:\n## Action:\nClick 1.\n\n# Step 2:\n## Action:\nClick 2.\n\n# Step 3:\n## Action:\nClick 3.\n"
    )
    assert messages[2].parts == (frame(3),)
    assert messages[3].parts == (Text("# Step 4:\n## Action:\nClick 4.\n"),)
    assert messages[6].parts[0] == frame(5)
    assert texts(messages[6]).startswith("# Task Instruction:\nx\n")
    assert [message for message in messages if "Task Instruction" in texts(message)] == [messages[6]]
    assert not any("pyautogui.click" in texts(message) for message in messages[1:])


@pytest.mark.parametrize(
    ("steps", "images", "layout"),
    [(1, 3, "s u a u"), (2, 3, "s u a u a u"), (3, 3, "s a u a u a u"), (2, 1, "s a u"), (4, 5, "s u a u a u a u a u")],
)
def test_how_many_screenshots_the_owners_layout_holds(steps: int, images: int, layout: str) -> None:
    messages = owners(images).render("x", episode(steps), Observation(frame(steps)))
    assert roles(messages) == layout
    assert len(frames_of(messages)) == min(images, steps + 1)


def test_what_is_remembered_of_a_step() -> None:
    both = Reply(
        (1,), "## Observation:\no\n\n## Thought:\nt <|im_end|>\n\n## Action:\na\n\n## Code:\npyautogui.press('a')"
    )
    history = History().add(Turn(Observation(frame(0)), both))
    expected = {
        "action": "# Step 1:\n## Action:\na\n",
        "thought": "# Step 1:\n## Thought:\nt < |im_end|>\n\n## Action:\na\n",
        "observation": "# Step 1:\n## Observation:\no\n\n## Thought:\nt < |im_end|>\n\n## Action:\na\n",
    }
    for memory in get_args(Memory):
        messages = owners(memory=memory).render("x", history, Observation(frame(1)))
        assert texts(messages[2]) == expected[memory]


def test_a_step_without_a_sentence_is_remembered_by_its_code() -> None:
    history = History().add(Turn(Observation(frame(0)), Reply((1,), "```python\npyautogui.press('a')\n```")))
    messages = owners().render("x", history, Observation(frame(1)))
    assert texts(messages[2]) == "# Step 1:\n## Action:\npyautogui.press('a')\n"


def test_an_unreadable_answer_is_asked_about_and_then_forgotten() -> None:
    garbage = Turn(Observation(frame(1)), Reply((9,), "I do not know."))
    asked = Observation(None, ("That could not be read.",))
    history = episode(1).add(garbage)
    messages = owners().render("x", history, asked)
    assert roles(messages) == "s u a u a u"
    assert texts(messages[3]).startswith("# Task Instruction:")
    assert messages[4].parts == (Reply((9,), "I do not know."),)
    assert texts(messages[5]) == "That could not be read."
    answered = history.add(Turn(asked, answer(2)))
    messages = owners().render("x", answered, Observation(frame(2)))
    assert roles(messages) == "s u a u a u"
    assert frames_of(messages) == (0, 1, 2)
    assert texts(messages[4]) == "# Step 2:\n## Action:\nClick 2.\n"
    given_up = history.add(Turn(asked, Reply((9,), "Still not.")))
    messages = owners().render("x", given_up, Observation(frame(2)))
    assert roles(messages) == "s u a u"
    assert frames_of(messages) == (0, 2)


def test_notes_stay_when_their_screenshot_goes() -> None:
    history = History().add(Turn(Observation(frame(0), ("The user says: blue.",)), answer(1)))
    history = history.add(Turn(Observation(None, ("The screen is hidden.",)), answer(2)))
    messages = owners(2).render("x", history, Observation(frame(2)))
    assert roles(messages) == "s a u a u"
    assert texts(messages[1]) == "# Note:\nThe user says: blue.\n# Step 1:\n## Action:\nClick 1.\n"
    assert messages[2].parts == (Text("The screen is hidden."),)
