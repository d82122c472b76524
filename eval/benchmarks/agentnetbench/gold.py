"""What is right at a step, as the annotations of AgentNetBench say it, and as typed actions."""

from __future__ import annotations

from typing import Literal, get_args

from envs.actions import Action, Click, Drag, Finish, Keys, Move, Scroll, Type, Wait
from envs.geometry import Point, Size
from envs.keys import UnknownKey, canonical
from eval.benchmarks.base import Gold, Step

Name = Literal[
    "click", "doubleClick", "tripleClick", "rightClick", "middleClick", "moveTo", "dragTo", "scroll", "hscroll",
    "write", "press", "hotkey", "wait", "terminate",
]  # fmt: skip
"""Types of actions. The published steps use all but middleClick, hscroll and wait, which AgentNet, the set that the
benchmark was held out of, has as well."""

NAMES: dict[str, Name] = {name.lower(): name for name in get_args(Name)}
"""Lower case → as the annotations spell it."""
NEED_PLACE = frozenset({"click", "doubleClick", "tripleClick", "rightClick", "middleClick", "moveTo", "dragTo"})

CLICKS: dict[str, tuple[Literal["left", "middle", "right"], int]] = {
    "click": ("left", 1),
    "doubleClick": ("left", 2),
    "tripleClick": ("left", 3),
    "rightClick": ("right", 1),
    "middleClick": ("middle", 1),
}
MESSAGES: dict[Literal["success", "failure"], str] = {"success": "successful", "failure": "failure"}
"""The release's prompt for UI-TARS asks for these words at the end of a task, and its reader looks for them."""
ENTER = frozenset({"enter", "return"})
_TAKE_MOVE = frozenset({"scroll", "hscroll", "dragTo"})
_AMOUNT = 5
_MAX_AMOUNT = 100


class Target(Gold):
    """One action.

    x, y: fractions of the picture; boxes: [x, y, width, height] in fractions, a point in any of which is right
    text: of write; keys: of press and hotkey, as annotated; amount: wheel clicks of a scroll, negative is down or left
    status: of terminate
    """

    type: Name
    x: float | None = None
    y: float | None = None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    text: str = ""
    keys: tuple[str, ...] = ()
    amount: float | None = None
    status: str = ""

    @property
    def kind(self) -> str:
        """The type as scorers compare it."""
        return self.type.lower()

    @property
    def point(self) -> tuple[float, float] | None:
        return None if self.x is None or self.y is None else (self.x, self.y)


class NetGold(Gold):
    """actions: to do one after the other; alternatives: other such sequences that are as good."""

    actions: tuple[Target, ...]
    alternatives: tuple[tuple[Target, ...], ...] = ()
    milestone: bool = False


def kind_of(actions: tuple[Target, ...]) -> str:
    """The type that a step is listed under: of its first action, but scrolls and drags begin with a moveTo."""
    first = next((action for action in actions if action.type != "moveTo"), actions[0])
    return first.type


def oracle(step: Step, size: Size) -> tuple[Action, ...]:
    """The annotated actions, points in pixels of a picture of that size.

    A moveTo belongs to the scroll or drag that follows it, and a lone Enter to the text before it, as in typed actions.
    """
    made: list[Action] = []
    at: Point | None = None
    gold: NetGold = step.gold
    for target in gold.actions:
        place = _pixels(target, size)
        before = made[-1] if made else None
        moved = target.type in _TAKE_MOVE and isinstance(before, Move)
        if moved:
            made.pop()
        if isinstance(before, Type) and not before.submit and is_enter(target):
            made[-1] = Type(text=before.text, submit=True)
        elif target.type == "dragTo":
            start = at or (size.width / 2, size.height / 2)
            made.append(Drag(path=(start, place or start)))
        elif target.type in ("scroll", "hscroll"):
            made.append(_scroll(target, at if moved else place))
        else:
            made += _plain(target, place or (0.0, 0.0))
        at = place or at
    return tuple(made)


def is_enter(target: Target) -> bool:
    """A lone Enter, pressed as a key or a chord."""
    return target.type in ("press", "hotkey") and len(target.keys) == 1 and target.keys[0].lower() in ENTER


def key_name(name: str) -> str:
    """The project's name of a key, in lower case; an unknown one as it is."""
    try:
        return canonical(name).lower()
    except UnknownKey:
        return name.strip().lower()


def outcome(status: str) -> Literal["success", "failure"]:
    """Whatever is not a success is a failure."""
    return "success" if status.strip().lower() == "success" else "failure"


def _plain(target: Target, place: Point) -> list[Action]:
    match target.type:
        case "moveTo":
            return [Move(x=place[0], y=place[1])]
        case "write":
            text = target.text.rstrip("\n")
            return [Type(text=text, submit=text != target.text)]
        case "press":
            return [Keys(keys=(key_name(key),)) for key in target.keys]
        case "hotkey":
            return [Keys(keys=tuple(map(key_name, target.keys)))]
        case "wait":
            return [Wait()]
        case "terminate":
            status = outcome(target.status)
            return [Finish(status=status, message=MESSAGES[status])]
        case _:
            button, count = CLICKS[target.type]
            return [Click(x=place[0], y=place[1], button=button, count=count)]


def _scroll(target: Target, place: Point | None) -> Scroll:
    amount = target.amount or -_AMOUNT
    x, y = place or (None, None)
    clicks = min(max(round(abs(amount)), 1), _MAX_AMOUNT)
    if target.type == "scroll":
        return Scroll(direction="up" if amount > 0 else "down", amount=clicks, x=x, y=y)
    return Scroll(direction="right" if amount > 0 else "left", amount=clicks, x=x, y=y)


def _pixels(target: Target, size: Size) -> Point | None:
    if target.x is None or target.y is None:
        return None
    # The annotations may lie a little outside of the picture.
    x, y = min(max(target.x, 0.0), 1.0), min(max(target.y, 0.0), 1.0)
    return x * size.width, y * size.height
