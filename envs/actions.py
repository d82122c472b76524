"""The closed union of everything an agent can do.

Every action is a frozen pydantic value; points are in the pixels of the screenshot that the model saw
(x to the right, y downwards, fractions allowed). Model output becomes one of these by parsing, and nothing a
model writes is ever run. An environment names the actions it can do; the others raise `UnsupportedAction`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Coordinate = Annotated[float, Field(allow_inf_nan=False)]
Direction = Literal["up", "down", "left", "right"]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Click(_Action):
    """Press and release a button `count` times at (x, y)."""

    type: Literal["click"] = "click"
    x: Coordinate
    y: Coordinate
    button: Literal["left", "middle", "right"] = "left"
    count: int = Field(default=1, ge=1, le=3)


class Drag(_Action):
    """Hold the left button along `path` (at least two points)."""

    type: Literal["drag"] = "drag"
    path: tuple[tuple[Coordinate, Coordinate], ...] = Field(min_length=2)


class Move(_Action):
    type: Literal["move"] = "move"
    x: Coordinate
    y: Coordinate


class Scroll(_Action):
    """Show more on the `direction` side; `amount` in wheel clicks, at (x, y) or the middle of the screen."""

    type: Literal["scroll"] = "scroll"
    direction: Direction
    amount: int = Field(default=5, ge=1, le=100)
    x: Coordinate | None = None
    y: Coordinate | None = None


class Type(_Action):
    """Type `text` into what has the focus; `submit` presses Enter afterwards."""

    type: Literal["type"] = "type"
    text: str
    submit: bool = False


class Keys(_Action):
    """Press a chord: all `keys` down in order, then up in reverse (names as in `envs.keys`)."""

    type: Literal["keys"] = "keys"
    keys: tuple[str, ...] = Field(min_length=1, max_length=5)


class KeyDown(_Action):
    type: Literal["key_down"] = "key_down"
    key: str


class KeyUp(_Action):
    type: Literal["key_up"] = "key_up"
    key: str


class LongPress(_Action):
    type: Literal["long_press"] = "long_press"
    x: Coordinate
    y: Coordinate
    seconds: float = Field(default=1.0, gt=0, le=30)


class Swipe(_Action):
    """One finger from (x, y) to (x2, y2)."""

    type: Literal["swipe"] = "swipe"
    x: Coordinate
    y: Coordinate
    x2: Coordinate
    y2: Coordinate
    seconds: float = Field(default=0.3, gt=0, le=30)


class OpenApp(_Action):
    type: Literal["open_app"] = "open_app"
    name: str


class SystemButton(_Action):
    type: Literal["system_button"] = "system_button"
    button: Literal["home", "back", "recents", "menu", "enter", "power", "volume_up", "volume_down", "mute"]


class Navigate(_Action):
    type: Literal["navigate"] = "navigate"
    url: str


class Back(_Action):
    type: Literal["back"] = "back"


class Forward(_Action):
    type: Literal["forward"] = "forward"


class Select(_Action):
    """Choose `option` (its visible text) in the list at (x, y)."""

    type: Literal["select"] = "select"
    x: Coordinate
    y: Coordinate
    option: str


class Wait(_Action):
    type: Literal["wait"] = "wait"
    seconds: float = Field(default=1.0, ge=0, le=60)


class Answer(_Action):
    """Tell the user something; the episode goes on."""

    type: Literal["answer"] = "answer"
    text: str


class AskUser(_Action):
    """Hand over to the user until they answer."""

    type: Literal["ask_user"] = "ask_user"
    question: str = ""


class Finish(_Action):
    """The model ends the episode and says how it went."""

    type: Literal["finish"] = "finish"
    status: Literal["success", "failure"] = "success"
    message: str = ""


Action = (
    Click
    | Drag
    | Move
    | Scroll
    | Type
    | Keys
    | KeyDown
    | KeyUp
    | LongPress
    | Swipe
    | OpenApp
    | SystemButton
    | Navigate
    | Back
    | Forward
    | Select
    | Wait
    | Answer
    | AskUser
    | Finish
)

_ADAPTER: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="type")])

ACTION_TYPES: dict[str, type[_Action]] = {cls.model_fields["type"].default: cls for cls in _Action.__subclasses__()}

# Handled by the loop, never by an environment.
LOOP_ACTIONS = frozenset({"answer", "ask_user", "finish"})


def load_action(data: dict[str, Any]) -> Action:
    """Action from its JSON form; raises pydantic.ValidationError on anything else."""
    return _ADAPTER.validate_python(data)


def dump_action(action: Action) -> dict[str, Any]:
    """JSON form of an action, with its `type`."""
    return action.model_dump(mode="json")


def points_of(action: Action) -> tuple[tuple[float, float], ...]:
    """The points that an action touches, in screenshot pixels, in order."""
    if isinstance(action, Drag):
        return action.path
    if isinstance(action, Swipe):
        return (action.x, action.y), (action.x2, action.y2)
    x, y = getattr(action, "x", None), getattr(action, "y", None)
    return () if x is None or y is None else ((x, y),)
