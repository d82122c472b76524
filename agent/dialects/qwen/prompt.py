"""The texts that open an episode: the system prompt with the functions, and the user's request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.dialects.prompts import check_template, template_from_file
from agent.dialects.qwen.tools import Generation, Kind

NOTHING = "None"
"""What stands for the earlier steps when there are none."""

_TOOLS = """You are a helpful assistant.

# Tools

You act by calling a function. The functions are described here as JSON:
<tools>
{tools}
</tools>

To call one, write its name and its arguments as JSON between tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>"""
_FORMAT = """

# Response format

Answer every step with these three parts and nothing else:
1) Thought: one short sentence in {language} on why the next move is right.
2) Action: one short sentence in {language} on what you do.
3) One <tool_call> that does it.
When the task is over, or cannot be done, call terminate."""
_POINT = """

Answer with one <tool_call>: a left_click on what the user describes."""
SYSTEM: dict[tuple[Generation, bool], str] = {
    ("qwen25", False): _TOOLS,
    ("qwen3", False): _TOOLS + _FORMAT,
    ("qwen25", True): _TOOLS + _POINT,
    ("qwen3", True): _TOOLS + _POINT,
}
"""By generation, and whether it is for grounding."""
REQUEST: dict[Generation, str] = {
    "qwen25": "The user query: {instruction}\n"
    "Task progress (You have done the following operation on the current device): {previous}",
    "qwen3": "Choose the next move from the screenshot, the instruction and the previous actions.\n\n"
    "Instruction: {instruction}\n\nPrevious actions:\n{previous}",
}
SEPARATOR = "\n---\n"
"""In a prompt of one's own: what stands above such a line is the system prompt."""


@dataclass(frozen=True)
class Template:
    """system may hold {tools} and {language}; request holds {instruction}, perhaps {previous} and {language}."""

    system: str
    request: str


def official(generation: Generation, kind: Kind) -> Template:
    """The browser agent of 2.5 is told the task alone, as its past is in the conversation; so is grounding."""
    bare = kind == "grounding" or (generation == "qwen25" and kind == "browser")
    return Template(SYSTEM[generation, kind == "grounding"], "{instruction}" if bare else REQUEST[generation])


def own(text: str, generation: Generation, kind: Kind) -> Template:
    """A prompt of one's own: the request, or the system prompt, a line of three dashes, and the request."""
    system, line, request = text.partition(SEPARATOR)
    return Template(system, request) if line else Template(official(generation, kind).system, text)


def make_template(generation: Generation, kind: Kind, file: Path | None, checkpoint: str | None) -> Template:
    """The user's file, else the checkpoint's own template, else the family's. Raises DialectError."""
    if file is not None:
        return own(template_from_file(file), generation, kind)
    if checkpoint is not None:
        return own(check_template(checkpoint, "the checkpoint"), generation, kind)
    return official(generation, kind)


def fill(template: str, **values: str) -> str:
    """The template with {name} replaced. What is put in is never looked at again, whatever braces it holds."""
    out: list[str] = []
    rest = template
    while rest:
        before, brace, rest = rest.partition("{")
        out.append(before)
        name, closing, after = rest.partition("}")
        if brace and closing and name in values:
            out.append(values[name])
            rest = after
        else:
            out.append(brace)
    return "".join(out)
