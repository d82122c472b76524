"""System prompt and instruction text, built in or of the user's own.

The built-in ones follow the structure that the family was trained with, in words of their own. v1 (7B, 32B): what the
sections are to hold, then the functions beside PyAutoGUI as JSON. v2 (72B): general rules, the form of an answer with
its headings, the sections one by one, functions and examples. The owners' exact text goes into a prompt file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from agent.errors import DialectError

Level = Literal["L1", "L2", "L3"]
"""Sections of an answer: action; with thought; with observation too. All end with the code."""
Generation = Literal["v1", "v2"]
KINDS = ("computer", "browser", "mobile", "grounding")
SEPARATOR = "---"


@dataclass(frozen=True)
class Prompt:
    """`instruction` holds {instruction}; both may hold {language}."""

    system: str
    instruction: str


def built_in(kind: str, level: Level, generation: Generation) -> Prompt:
    """Raises DialectError when there is no such prompt."""
    for what, value, known in (
        ("prompt", kind, KINDS),
        ("level", level, get_args(Level)),
        ("prompt generation", generation, get_args(Generation)),
    ):
        if value not in known:
            raise DialectError(f"no OpenCUA {what} is called {value!r}", f"there are {', '.join(known)}")
    if kind == "grounding":
        return Prompt(_GROUNDING, "{instruction}")
    text = _first(kind, level) if generation == "v1" else _second(kind, level)
    return Prompt(text, _INSTRUCTION)


def from_file(path: Path, default: Prompt) -> Prompt:
    """A user's own prompt, as `from_text` reads it. Raises DialectError when the file is unreadable."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DialectError(f"the prompt file {path} cannot be read: {error}") from error
    return from_text(text, default, str(path))


def from_text(text: str, default: Prompt, origin: str) -> Prompt:
    """System prompt and instruction text, with a line `---` between them; `default` has what is missing.

    A text without that line is the instruction text when it holds {instruction}, else the system prompt. Raises
    DialectError when it is empty or the instruction text has no {instruction} in it.
    """
    lines = text.removesuffix("\n").split("\n")
    if not text.strip():
        raise DialectError(f"the prompt of {origin} is empty")
    if SEPARATOR not in lines:
        whole = "\n".join(lines)
        return Prompt(default.system, whole) if "{instruction}" in whole else Prompt(whole, default.instruction)
    cut = lines.index(SEPARATOR)
    system, instruction = "\n".join(lines[:cut]).strip(), "\n".join(lines[cut + 1 :])
    if "{instruction}" not in instruction:
        raise DialectError(f"the prompt of {origin} has no {{instruction}} after the line {SEPARATOR}")
    return Prompt(system or default.system, instruction)


_INSTRUCTION = """# Task Instruction:
{instruction}

Now give the next move. Go by the screenshot, the task instruction and the previous steps, if there are any.
"""

_GROUNDING = (
    "You are a GUI agent. From a task and a screenshot you find the place to act on, and answer with one line of "
    "pyautogui code."
)

_DEVICE = {"computer": "computer", "browser": "web page", "mobile": "phone"}

_SECTIONS = {
    "Observation": """  - What the screenshot shows of the present state, in full:
    - The application and the window or page in front, and how it is laid out
    - Menus, toolbars, buttons, text fields, dialogs, messages, signs of loading
    - Everything that may matter for the task, by name and content, or by looks""",
    "Thought": """  - Progress so far:
    - Which parts of the task are done, and what they contribute
    - What may have gone wrong, and how to recover when the last action failed
  - The next action:
    - The actions that are possible now, weighed against each other
    - The one that makes most sense, and what it should bring about
  - Before text is entered:
    - Where the cursor is
    - Repeated keys taken together, with their number
    - The text as it should stand afterwards
  - In the first person""",
    "Action": """  One clear and complete instruction:
  - For an element on the screen:
    - Say exactly which one is meant, and give no coordinates
    - Call it by its name in the language of the screen, or by shape, color and position when it has none
    - Take care with the buttons of a window: minimize, maximize, close
  - For keys and text ('press', 'write', 'hotkey'):
    - Take repeated keys together, with their number
    - Say which text should come about""",
}
_LEVELS = {
    "L1": ("Action",),
    "L2": ("Thought", "Action"),
    "L3": ("Observation", "Thought", "Action"),
}


def _first(kind: str, level: str) -> str:
    """System prompt of the first generation."""
    sections = "\n\n".join(f"{name}:\n{_SECTIONS[name]}" for name in _LEVELS[level])
    functions = _functions(kind, ("triple_click", "terminate"))
    return (
        f"You are a GUI agent. You get a task and a screenshot of a {_DEVICE[kind]}, and solve the task by a series "
        "of pyautogui actions.\n\nAnswer each step in this form:\n\n"
        f"{sections}\n\nIn the end, write the action as PyAutoGUI code or as one of these functions:\n{functions}"
    )


def _second(kind: str, level: str) -> str:
    """System prompt of the second generation."""
    names = _LEVELS[level]
    form = "\n".join(f"## {name}:\n{{{name.lower()}}}" for name in (*names, "Code"))
    sections = "\n\n".join(f"The section {name} holds:\n{_SECTIONS[name]}" for name in names)
    return (
        f"You are a GUI agent. You get a task, a screenshot of a {_DEVICE[kind]} and what you did before, and carry "
        "out the actions that complete the task. Wait explicitly while something is installed, loaded or run. "
        "Terminate only when you are sure that the task is done. Report failure when it cannot be done, or is not "
        "done exactly as it was asked for.\n\nAnswer each step in this form:\n"
        f"# Step {{step number}}:\n{form}\n\n{sections}\n\n"
        "The section Code holds the code of the action in a fenced block: PyAutoGUI code or one of these functions:\n"
        f"{_functions(kind, ('wait', 'answering_terminate'))}\n"
        "Examples:\n```python\npyautogui.click(x=123, y=456)\n```\n"
        '```code\ncomputer.terminate(status="success")\n```\n'
        "```code\ncomputer.terminate(status=\"success\", answer='''text''')\n```"
    )


def _functions(kind: str, names: tuple[str, ...]) -> str:
    described = [_COMPUTER[name] for name in names] + list(_MORE.get(kind, ()))
    return "\n".join(f"- {json.dumps(function)}" for function in described)


def _function(name: str, description: str, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "parameters": {"type": "object", "properties": properties, "required": list(required)},
    }


def _number(description: str) -> dict[str, str]:
    return {"type": "number", "description": description}


def _string(description: str) -> dict[str, str]:
    return {"type": "string", "description": description}


_X, _Y = _number("Horizontal coordinate"), _number("Vertical coordinate")
_PLACE: dict[str, Any] = {"x": _X, "y": _Y}
_STATUS = {"type": "string", "enum": ["success", "failure"], "description": "How the task went"}
_PAIR = {"type": "array", "items": {"type": "number"}, "description": "Coordinates x and y"}
_END = "End the task and report how it went"

_COMPUTER: dict[str, dict[str, Any]] = {
    "triple_click": _function("computer.triple_click", "Click three times", ("x", "y"), **_PLACE),
    "wait": _function("computer.wait", "Wait 20 seconds, for an installation, running code and the like"),
    "terminate": _function("computer.terminate", _END, ("status",), status=_STATUS),
    "answering_terminate": _function(
        "computer.terminate", _END, ("status",), status=_STATUS, answer=_string("Answer that the task asks for")
    ),
}
_MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "browser": (
        _function("browser.goto", "Open an address", ("url",), url=_string("The address")),
        _function("browser.back", "Go back to the page before"),
        _function("browser.forward", "Go forward again"),
        _function(
            "browser.select_option",
            "Choose an option of a list",
            ("x", "y", "value"),
            **_PLACE,
            value=_string("Text of the option"),
        ),
        _function("browser.clear", "Empty a text field", ("x", "y"), **_PLACE),
    ),
    "mobile": (
        _function("mobile.swipe", "Swipe", ("from_coord", "to_coord"), from_coord=_PAIR, to_coord=_PAIR),
        _function("mobile.long_press", "Press and hold", ("x", "y"), **_PLACE),
        _function("mobile.open_app", "Open an app", ("app_name",), app_name=_string("Name of the app")),
        _function("mobile.home", "Go to the home screen"),
        _function("mobile.back", "Go back"),
        _function("mobile.wait", "Wait 5 seconds"),
    ),
}
