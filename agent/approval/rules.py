"""Approval by rules: globs and words from a YAML file, never expressions.

The first rule that matches decides; when none does, the action is approved. All conditions of a rule must
hold; a condition that is a list holds when one of its entries does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.approval.base import ActionContext, Decision
from agent.errors import ConfigError
from agent.sources import read_yaml
from envs.actions import ACTION_TYPES, Action, KeyDown, Keys, Navigate, OpenApp, Select, Type

MAX_PATTERN = 200


class Rule(BaseModel):
    """One rule. Text, hosts and packages are compared without regard to case; `*` and `?` are wildcards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    decision: Literal["approve", "reject", "ask", "stop"] = "ask"
    actions: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    text: tuple[str, ...] = Field((), description="words of the target, the option, the app or the typed text")
    keys: tuple[str, ...] = ()
    submit: bool | None = None
    new_host: bool | None = None

    @field_validator("actions")
    @classmethod
    def _known_actions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in ACTION_TYPES]
        if unknown:
            raise ValueError(f"no action type {unknown[0]!r}; there are {', '.join(ACTION_TYPES)}")
        return value

    @field_validator("hosts", "packages", "text", "keys")
    @classmethod
    def _folded(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not word.strip() or len(word) > MAX_PATTERN for word in value):
            raise ValueError(f"entries have 1 to {MAX_PATTERN} characters")
        return tuple(_fold(word) for word in value)


class Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class RuleApprover:
    """Judges by the first matching rule."""

    rules: tuple[Rule, ...]

    def review(self, action: Action, context: ActionContext) -> Decision:
        for rule in self.rules:
            if matches(rule, action, context):
                return Decision(rule.decision, rule.name)
        return Decision("approve")


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Rules of a YAML file. Raises ConfigError naming the file and the key."""
    try:
        return Rules.model_validate(read_yaml(path)).rules
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}") from error


def matches(rule: Rule, action: Action, context: ActionContext) -> bool:
    """Do all conditions of the rule hold?"""
    host = target_host(action) or context.facts.get("host", "").casefold()
    conditions = (
        not rule.actions or action.type in rule.actions,
        not rule.hosts or any(fnmatchcase(host, pattern) for pattern in rule.hosts),
        not rule.packages or _any_glob(_fold(_package(action, context)), rule.packages),
        not rule.keys or any(key in rule.keys for key in _keys(action)),
        rule.submit is None or (isinstance(action, Type) and action.submit is rule.submit),
        rule.new_host is None or _is_new_host(action, context) is rule.new_host,
        not rule.text or any(has_phrase(_words(action, context), phrase) for phrase in rule.text),
    )
    return all(conditions)


def target_host(action: Action, target: str = "") -> str:
    """Host that a navigation leads to, or a click on a link described as `… to https://host/…`.

    Else empty.
    """
    if isinstance(action, Navigate):
        url = action.url
    else:
        url = target[start + 4 :] if (start := target.rfind(" to http")) >= 0 else ""
    if not url:
        return ""
    url = url if "://" in url or url.startswith(("data:", "about:")) else "//" + url
    try:
        return (urlsplit(url).hostname or "").casefold()
    except ValueError:
        return ""


def has_phrase(text: str, phrase: str) -> bool:
    """Is the phrase in the (folded) text as whole words? With wildcards it must cover the whole text."""
    if "*" in phrase or "?" in phrase:
        return fnmatchcase(text, phrase)
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        if not (_joined(text, start - 1, start) or _joined(text, end - 1, end)):
            return True
        start = text.find(phrase, start + 1)
    return False


def _joined(text: str, left: int, right: int) -> bool:
    """Do two neighbouring characters belong to one word? (Scripts without spaces have no such thing.)"""
    if left < 0 or right >= len(text):
        return False
    return all(char.isalnum() and ord(char) < 0x2E80 for char in (text[left], text[right]))


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _any_glob(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _package(action: Action, context: ActionContext) -> str:
    return action.name if isinstance(action, OpenApp) else context.facts.get("package", "")


def _keys(action: Action) -> tuple[str, ...]:
    if isinstance(action, Keys):
        return action.keys
    return (action.key,) if isinstance(action, KeyDown) else ()


def _is_new_host(action: Action, context: ActionContext) -> bool:
    host = target_host(action, context.target)
    return bool(host) and host not in context.hosts


def _words(action: Action, context: ActionContext) -> str:
    own = {Select: "option", OpenApp: "name"}.get(type(action))
    return _fold(f"{context.target} {getattr(action, own) if own else ''}")
