"""Where the calls of an answer stand, and what they are called with.

    <tool_call>
    {"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [10, 20]}}
    </tool_call>

or the same without tags, in a code fence, with the arguments beside the name or as a string of JSON, with the action
as the name or as an object of its own (Holo), in the tags of the newer templates
(`<function=computer_use><parameter=action>left_click</parameter>`), or as a last line `Click(10, 20)` (Holo).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from agent.dialects import scanner
from agent.dialects.arguments import Call
from agent.dialects.envelope import join
from agent.dialects.qwen.actions import STEP
from agent.dialects.qwen.jsonish import read_json, skip_blank
from agent.dialects.reading import MAX_CALLS, CallError, check_count

OPEN, CLOSE = "<tool_call>", "</tool_call>"
FUNCTION, PARAMETER = "<function=", "<parameter="
_MAX_TRIES = 32
"""Braces of an answer that are tried as the start of a call, and are none."""
_FENCES = ("```json", "```")
_AFTER_CALL = " \t\r\n}]`,;"
_WRITTEN = frozenset(
    {"click", "click_absolute", "left_click", "right_click", "middle_click", "double_click", "triple_click"}
)
"""Actions that are also called as `Click(10, 20)`."""
_THOUGHTS = ("thought", "thoughts", "thinking", "reasoning", "note", "notes", "observation")
"""What stands beside an action and tells what the model thinks."""
_ABOUT = frozenset({"id", "type", "index"})
"""What stands beside the name of a call and says nothing of what is done."""


_THINKING = re.compile(r"</[a-z0-9_]{0,40}(?:think|thought|reasoning)", re.IGNORECASE)


def find_calls(text: str) -> tuple[Call, ...]:
    """All calls in order; none where nothing looks like one. Raises CallError where a tag's content is no call."""
    calls: list[Call] = []
    index = text.find(OPEN)
    while index >= 0:
        found, end = _tagged(text, index)
        calls += found
        check_count(len(calls))
        index = text.find(OPEN, end)
    return tuple(calls) or _functions(text) or _bare(text) or _written(text)


def call_spans(text: str) -> list[tuple[int, int]]:
    """Where objects and functions stand, in which a tag is text, as in a call that types it.

    One that had to be mended is none when another one begins in it behind an end of thinking: it was never closed.
    """
    spans: list[tuple[int, int]] = []
    start, tries = _next(text, 0), 0
    while start >= 0 and tries < _MAX_TRIES:
        end = _end_of(text, start)
        tries += end == 0
        spans += [(start, end)] if end else []
        start = _next(text, end or start + 1)
    return spans


def _next(text: str, index: int) -> int:
    """Where the next object or function begins, or -1."""
    return min((at for at in (text.find("{", index), text.find(FUNCTION, index)) if at >= 0), default=-1)


def _end_of(text: str, start: int) -> int:
    """Index after the object or function at `start`; 0 when it cannot be read."""
    try:
        if text.startswith(FUNCTION, start):
            return _function(text, start).end
        found = read_json(text, start)
    except CallError:
        return 0
    inside = None if found.strict else _THINKING.search(text, start, found.end)
    return 0 if inside and 0 <= _next(text, inside.end()) < found.end else found.end


def _tagged(text: str, start: int) -> tuple[list[Call], int]:
    """The calls after the tag at `start`, and the index after them. Raises CallError.

    None where prose only speaks of the tag, which another one follows.
    """
    index = skip_blank(text, start + len(OPEN))
    for fence in _FENCES:
        if text.startswith(fence, index):
            index = skip_blank(text, index + len(fence))
            break
    if text.startswith(FUNCTION, index):
        call = _function(text, index)
        end, _ = _close(text, call.end)
        return [replace(call, start=start, end=end)], end
    if not text.startswith(("{", "["), index):
        again, close = text.find(OPEN, index), text.find(CLOSE, index)
        if again >= 0 and (close < 0 or again < close):
            return [], again
        raise CallError("a <tool_call> holds no JSON object")
    calls: list[Call] = []
    end = index
    while text.startswith(("{", "["), index):
        try:
            found = read_json(text, index)
        except CallError as error:
            raise CallError(f"the JSON of a <tool_call> cannot be read: {error}") from error
        values = found.value if isinstance(found.value, list) and found.value else [found.value]
        end, closed = _close(text, found.end)
        calls += [_call(item, start, end) for item in values[: MAX_CALLS + 1]]
        check_count(len(calls))
        if closed:
            return calls, end
        index = skip_blank(text, end)
        index = skip_blank(text, index + text.startswith(",", index))
    _check_rest(text, end)
    return calls, end


def _close(text: str, end: int) -> tuple[int, bool]:
    """Index after what may follow a call: brackets too many, a fence, and the closing tag; is the tag there?"""
    index = end
    while index < len(text) and text[index] in _AFTER_CALL:
        index += 1
    closed = text.startswith(CLOSE, index)
    return (index + len(CLOSE) if closed else end), closed


def _check_rest(text: str, end: int) -> None:
    """Raises CallError where something stands behind a call that may belong to it.

    That is what its closing tag follows, and what is on the same line.
    """
    close, again, line = text.find(CLOSE, end), text.find(OPEN, end), text.find("\n", end)
    rest = text[end : line if line >= 0 else len(text)].strip(_AFTER_CALL)
    if (close >= 0 and (again < 0 or close < again)) or (rest and not rest.startswith("<")):
        raise CallError(f"something stands behind the JSON of a <tool_call>: {text[end : end + 20].strip()!r}")


def _functions(text: str) -> tuple[Call, ...]:
    """Calls in function tags of their own."""
    calls: list[Call] = []
    index = text.find(FUNCTION)
    while index >= 0:
        calls.append(_function(text, index))
        check_count(len(calls))
        index = text.find(FUNCTION, calls[-1].end)
    return tuple(calls)


def _bare(text: str) -> tuple[Call, ...]:
    """Objects without tags that have an action."""
    calls: list[Call] = []
    index = text.find("{")
    for _ in range(_MAX_TRIES):
        if index < 0:
            break
        end = index + 1
        try:
            found = read_json(text, index)
            if looks_like_call(found.value):
                calls.append(_call(found.value, index, found.end))
                end = found.end
        except CallError:
            # Braces of prose; a later one may open the call.
            end = index + 1
        index = text.find("{", end)
    return tuple(calls)


def _written(text: str) -> tuple[Call, ...]:
    """`Click(10, 20)` as the last line."""
    until = text.rstrip(" \t\r\n`").removesuffix("</answer>").rstrip(" \t\r\n`.")
    start = max(until.rfind("\n"), until.rfind(">")) + 1
    label, colon, _ = until[start:].partition(":")
    if colon and label.strip(" *#").casefold() in ("action", "answer"):
        start += len(label) + 1
    while until[start : start + 1] and until[start] in " \t*`":
        start += 1
    try:
        call = scanner.scan_call(until, start)
    except CallError:
        return ()
    if call.name.casefold() not in _WRITTEN or call.end != len(until):
        return ()
    return (replace(call, name=call.name.casefold(), shown=call.name, start=start),)


def looks_like_call(value: Any) -> bool:
    """Is it an object with an action, or with a name and arguments?"""
    if not isinstance(value, dict):
        return False
    action = value.get("action")
    if isinstance(action, dict):
        return looks_like_call(action)
    return isinstance(action, str) or ("name" in value and ("arguments" in value or "parameters" in value))


def _call(value: Any, start: int, end: int) -> Call:
    """An object as a call. Raises CallError."""
    if not isinstance(value, dict):
        raise CallError("a call is a JSON object with a name and arguments")
    value = dict(value)
    if isinstance(value.get("action"), dict):
        thought, action = _take_thoughts(value), value.pop("action")
        if value:
            raise CallError(f"{next(iter(value))[:40]!r} beside an action is not understood")
        call = _call(action, start, end)
        thought = join(thought, call.values.get("thought", ""))
        return replace(call, values={**call.values, "thought": thought}, scope=STEP)
    name = value.pop("name", None)
    key = "arguments" if "arguments" in value else "parameters"
    values = value.pop(key, None)
    if isinstance(values, str):
        try:
            found = read_json(values, skip_blank(values, 0))
        except CallError as error:
            raise CallError(f"the arguments cannot be read: {error}") from error
        if values[found.end :].strip(" \t\r\n}]"):
            raise CallError("something stands behind the JSON of the arguments")
        values = found.value
    if values is None:
        values = {}
    elif isinstance(values, dict):
        value = {key: item for key, item in value.items() if key not in _ABOUT}
    if not isinstance(values, dict):
        raise CallError("the arguments of a call are a JSON object")
    twice = sorted(set(values) & set(value))
    if twice:
        raise CallError(f"{twice[0][:40]!r} is there twice")
    return _make(name if isinstance(name, str) else "", {**values, **value}, start, end)


def _take_thoughts(values: dict[str, Any]) -> str:
    """Takes what the model thinks out of an action's arguments."""
    return join(*(values.pop(name) for name in _THOUGHTS if isinstance(values.get(name), str)))


def _make(name: str, values: dict[str, Any], start: int, end: int) -> Call:
    """Without an `action` among the arguments, the name is the action. Raises CallError where there is neither."""
    values = dict(values)
    thought, action = _take_thoughts(values), values.pop("action", None)
    if action is None:
        name, action = "", name
    if not isinstance(action, str) or not action.strip():
        raise CallError("a call needs an action")
    verb = "_".join(action.casefold().replace("_", " ").split())
    if thought:
        values["thought"] = thought
    return Call(verb, values, scope=name.strip().casefold(), shown=action.strip(), start=start, end=end)


def _function(text: str, start: int) -> Call:
    """`<function=name>` with its parameters, all of them text. Raises CallError."""
    name, index = _tag_name(text, start + len(FUNCTION))
    values: dict[str, Any] = {}
    while True:
        index = skip_blank(text, index)
        if not text.startswith(PARAMETER, index):
            break
        key, index = _tag_name(text, index + len(PARAMETER))
        end = text.find("</parameter>", index)
        if end < 0:
            raise CallError(f"the parameter {key} is not closed")
        if key in values:
            raise CallError(f"the parameter {key} is there twice")
        values[key] = text[index:end].removeprefix("\n").removesuffix("\n")
        index = end + len("</parameter>")
    close = text.find("</function>", index)
    if close >= 0 and not 0 <= text.find(FUNCTION, index) < close:
        if text[index:close].strip():
            raise CallError(f"something stands behind a parameter: {text[index : index + 20].strip()!r}")
        index = close + len("</function>")
    return _make(name, values, start, index)


def _tag_name(text: str, index: int) -> tuple[str, int]:
    end = text.find(">", index, index + 60)
    if end < 0:
        raise CallError("a tag of a call is not closed")
    return text[index:end].strip(), end + 1
