"""From actions to an answer that the family's models would give."""

from __future__ import annotations

from collections.abc import Sequence

from agent.dialects.coordinates import Coordinates
from agent.dialects.escapes import no_path
from agent.dialects.opencua.functions import PROMPT_WAIT, SWIPE_SECONDS
from agent.dialects.verbs import MAX_SCROLL, PRESS_SECONDS
from agent.errors import DialectError
from envs.actions import (
    Action,
    Answer,
    Back,
    Click,
    Drag,
    Finish,
    Forward,
    KeyDown,
    Keys,
    KeyUp,
    LongPress,
    Move,
    Navigate,
    OpenApp,
    Scroll,
    Select,
    Swipe,
    SystemButton,
    Type,
    Wait,
    points_of,
)
from envs.geometry import Point

_CLICKS = {
    ("left", 1): "pyautogui.click",
    ("left", 2): "pyautogui.doubleClick",
    ("left", 3): "computer.triple_click",
    ("right", 1): "pyautogui.rightClick",
    ("middle", 1): "pyautogui.middleClick",
}
_NOT_PYTHON = ("computer.terminate", "computer.wait", "browser.", "mobile.", "answer(")
"""Calls that the family fences as `code`."""
_VERBS = {
    "drag": "drag with the left button",
    "move": "move the pointer",
    "long_press": "press long",
    "swipe": "swipe",
    "back": "go back",
    "forward": "go forward",
    "wait": "wait",
}
_TIMES = {1: "", 2: "double-", 3: "triple-"}
_MAX_TEXT = 80


def write_answer(thought: str, actions: Sequence[Action], coordinates: Coordinates, level: str = "L2") -> str:
    """A whole answer with the sections of `level`; only the code when there is no thought.

    At level L1 the thought is the sentence of the action. Raises DialectError for what the family cannot say.
    """
    code = write_code(actions, coordinates)
    fence = "code" if any(mark in code for mark in _NOT_PYTHON) else "python"
    block = f"## Code:\n```{fence}\n{code}\n```\n"
    if not thought:
        return block
    # A line of a thought must not look like a heading.
    safe = "\n".join(" " + line if line.startswith(("#", "*")) else line for line in thought.split("\n"))
    if level == "L1":
        return f"## Action:\n{safe}\n\n{block}"
    return f"## Thought:\n{safe}\n\n## Action:\n{_sentence(actions)}\n\n{block}"


def write_code(actions: Sequence[Action], coordinates: Coordinates) -> str:
    """The lines of code of some actions. Raises DialectError."""
    lines: list[str] = []
    placed = False
    last: Action | None = None
    for action in actions:
        if isinstance(action, Keys) and isinstance(last, Type) and not last.submit:
            # A lone Enter after a text would be read as its end.
            lines.append(f"pyautogui.hotkey(keys={_list(action.keys)})")
        elif isinstance(action, Scroll) and action.x is None and placed:
            # Without a place it would be read as one where the pointer is.
            size = coordinates.resize.screenshot
            middle = action.model_copy(update={"x": size.width / 2, "y": size.height / 2})
            lines.append(write_action(middle, coordinates))
        else:
            lines.append(write_action(action, coordinates))
        placed = placed or bool(points_of(action))
        last = action
    return "\n".join(lines)


def write_action(action: Action, coordinates: Coordinates) -> str:
    """The line or lines of one action. Raises DialectError where there are none."""
    match action:
        case Click():
            name = _CLICKS.get((action.button, action.count))
            if name is None:
                extra = f", clicks={action.count}, button={_text(action.button)}"
                return f"pyautogui.click({_at((action.x, action.y), coordinates)}{extra})"
            return f"{name}({_at((action.x, action.y), coordinates)})"
        case Move():
            return f"pyautogui.moveTo({_at((action.x, action.y), coordinates)})"
        case Drag():
            return "\n".join(_drag(action, coordinates))
        case Scroll():
            return _scroll(action, coordinates)
        case LongPress():
            seconds = "" if action.seconds == PRESS_SECONDS else f", seconds={action.seconds!r}"
            return f"mobile.long_press({_at((action.x, action.y), coordinates)}{seconds})"
        case Swipe():
            start, end = coordinates.numbers((action.x, action.y)), coordinates.numbers((action.x2, action.y2))
            seconds = "" if action.seconds == SWIPE_SECONDS else f", seconds={action.seconds!r}"
            return f"mobile.swipe(from_coord={list(start)}, to_coord={list(end)}{seconds})"
        case Select():
            return f"browser.select_option({_at((action.x, action.y), coordinates)}, value={_text(action.option)})"
        case _:
            return _without_place(action)


def _without_place(action: Action) -> str:
    match action:
        case Type():
            return _type(action)
        case Keys(keys=(key,)):
            return f"pyautogui.press(keys={_list((key,))})"
        case Keys():
            return f"pyautogui.hotkey(keys={_list(action.keys)})"
        case KeyDown():
            return f"pyautogui.keyDown({_text(action.key)})"
        case KeyUp():
            return f"pyautogui.keyUp({_text(action.key)})"
        case OpenApp():
            return f"mobile.open_app(app_name={_text(action.name)})"
        case SystemButton(button="home" | "back" as name):
            return f"mobile.{name}()"
        case Navigate():
            return f"browser.goto(url={_text(action.url)})"
        case Back():
            return "browser.back()"
        case Forward():
            return "browser.forward()"
        case Wait():
            return "computer.wait()" if action.seconds == PROMPT_WAIT else f"computer.wait(seconds={action.seconds!r})"
        case Answer():
            return f"answer({_text(action.text)})"
        case Finish():
            message = f", answer={_text(action.message)}" if action.message else ""
            return f"computer.terminate(status={_text(action.status)}{message})"
        case _:
            raise DialectError(f"OpenCUA has no call for {action.type}")


def _type(action: Type) -> str:
    """A text, and Enter where it submits: as a newline where the text is empty or ends with one itself.

    A text that ends with a newline and does not submit is read back as one that does: the keys are the same.
    """
    if not action.submit:
        return f"pyautogui.write(message={_text(action.text)})"
    if not action.text or action.text.endswith("\n"):
        return f"pyautogui.write(message={_text(action.text + chr(10))})"
    return f"pyautogui.write(message={_text(action.text)})\npyautogui.press(keys=['enter'])"


def _scroll(action: Scroll, coordinates: Coordinates) -> str:
    name = "scroll" if action.direction in ("up", "down") else "hscroll"
    amount = min(action.amount, MAX_SCROLL) * (1 if action.direction in ("up", "right") else -1)
    if action.x is None or action.y is None:
        return f"pyautogui.{name}({amount})"
    # Two lines, as in the family's data: its published readers know no scroll with a place.
    return f"pyautogui.moveTo({_at((action.x, action.y), coordinates)})\npyautogui.{name}({amount})"


def _drag(action: Drag, coordinates: Coordinates) -> list[str]:
    first, *others = action.path
    if len(others) == 1:
        end = _at(others[0], coordinates)
        return [f"pyautogui.moveTo({_at(first, coordinates)})", f"pyautogui.dragTo({end}, button='left')"]
    moves = [f"pyautogui.moveTo({_at(point, coordinates)})" for point in others]
    return [f"pyautogui.mouseDown({_at(first, coordinates)})", *moves, "pyautogui.mouseUp()"]


def _at(point: Point, coordinates: Coordinates) -> str:
    x, y = coordinates.numbers(point)
    return f"x={x}, y={y}"


def _list(keys: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, keys))}]"


def _text(text: str) -> str:
    """A Python literal on one line, which no fence can end."""
    return no_path(repr(text).replace("```", "\\x60\\x60\\x60"))


def _sentence(actions: Sequence[Action]) -> str:
    """`Click, then type "milk" and press Enter.`"""
    parts = ", then ".join(map(_phrase, actions)) or "do nothing"
    return f"{parts[0].upper()}{parts[1:]}."


def _phrase(action: Action) -> str:
    match action:
        case Click(button="left"):
            return f"{_TIMES[action.count]}click"
        case Click():
            return f"{_TIMES[action.count]}click with the {action.button} button"
        case Scroll():
            return f"scroll {action.direction}"
        case Type():
            return f"type {_quoted(action.text)}" + (" and press Enter" if action.submit else "")
        case Keys():
            return f"press {'+'.join(action.keys)}"
        case KeyDown():
            return f"hold {action.key}"
        case KeyUp():
            return f"let go of {action.key}"
        case Select():
            return f"choose {_quoted(action.option)}"
        case OpenApp():
            return f"open {_quoted(action.name)}"
        case SystemButton():
            return f"press the {action.button} button"
        case Navigate():
            return f"open {_quoted(action.url)}"
        case Answer():
            return "answer"
        case Finish():
            return f"end the task with {action.status}"
        case _:
            return _VERBS.get(action.type, action.type)


def _quoted(text: str) -> str:
    """On one line and not too long; a fence in it would look like code."""
    line = " ".join(text.replace("`", "'").split())
    return f'"{line[:_MAX_TEXT]}…"' if len(line) > _MAX_TEXT else f'"{line}"'
