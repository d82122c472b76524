"""The dataset paper's rule (Li et al., On the Effects of Data Scale on UI Control Agents, arXiv 2406.03679).

The action must be the recorded one: a tap or a long press inside the target element's box, the same text, app,
direction or status. Opening an app and tapping its icon count as equal, and so do going back and tapping what goes
back on the screen. The paper has no code. What it leaves open is settled here:

- the target is the smallest labelled element under the recorded point, as in UGround; where there is none, the
  smallest without a label; where there is none either, the place itself, to 0.04 of the screen's longer side
  (the distance of UI-S1's rule)
- a text is compared without blanks at its ends, a name of an app without regard to case
- typing is judged on its text, and on the place too where record and answer have one: the recorded screen of a
  `type_text` already shows the field with the focus, and models type without a place
- the recorded point itself is right wherever the target's edges are, to the model's own pixel
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from envs.actions import (
    Action,
    Back,
    Click,
    Drag,
    Finish,
    LongPress,
    OpenApp,
    Scroll,
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.geometry import Point, Resize, Size
from eval.benchmarks.androidcontrol.gold import BACK, ActionKind, AndroidGold, Direction, Status
from eval.metrics.prediction import Prediction
from eval.metrics.shapes import Box, distance

NEAR = 0.04
"""Of the screen's longer side."""


@dataclass(frozen=True)
class PredictedAction:
    """An answer as the one action that the rules compare.

    screen: the size that the gold's pixels are of; pixel: width and height there of one pixel that the model saw
    action: "" where there is none, or none that the dataset has; point: pixels of `screen`
    """

    screen: Size
    pixel: tuple[float, float]
    action: ActionKind | Literal[""] = ""
    point: Point | None = None
    text: str = ""
    app: str = ""
    direction: Direction | None = None
    status: Status | None = None


def read_answer(gold: AndroidGold, prediction: Prediction) -> PredictedAction:
    """The first action; a tap and the text that is typed after it are one, with a place."""
    screen, image = gold.screen_size(prediction.size), prediction.resize.image
    none = PredictedAction(screen, (screen.width / image.width, screen.height / image.height))
    place = Resize(screen, prediction.size).to_screenshot
    match prediction.actions:
        case (Click() as click, Type() as typed, *_) if _tap(click):
            return replace(none, action="type_text", point=place((click.x, click.y)), text=typed.text)
        case (Click() as click, *_):
            return replace(none, action="click", point=place((click.x, click.y))) if _tap(click) else none
        case (LongPress(x=x, y=y), *_):
            return replace(none, action="long_press", point=place((x, y)))
        case (first, *_):
            return _without_place(first, none)
        case _:
            return none


def _without_place(action: Action, none: PredictedAction) -> PredictedAction:
    match action:
        case Type():
            return replace(none, action="type_text", text=action.text)
        case Scroll():
            return replace(none, action="scroll", direction=action.direction)
        case Swipe() | Drag():
            return replace(none, action="scroll", direction=swiped(action))
        case OpenApp():
            return replace(none, action="open_app", app=action.name)
        case SystemButton(button="back") | Back():
            return replace(none, action="navigate_back")
        case SystemButton(button="home"):
            return replace(none, action="navigate_home")
        case Wait():
            return replace(none, action="wait")
        case Finish():
            return replace(none, action="status", status="successful" if action.status == "success" else "infeasible")
        case _:
            return none


def swiped(action: Swipe | Drag) -> Direction | None:
    """The side on which a finger's way shows more, which is where it comes from; None where it stays."""
    if isinstance(action, Swipe):
        start, end = (action.x, action.y), (action.x2, action.y2)
    else:
        start, end = action.path[0], action.path[-1]
    right, down = end[0] - start[0], end[1] - start[1]
    if right == down == 0:
        return None
    if abs(right) > abs(down):
        return "left" if right > 0 else "right"
    return "up" if down > 0 else "down"


def official(gold: AndroidGold, answer: PredictedAction) -> dict[str, float]:
    """`official`, 1 or 0."""
    right = _same(gold, answer) if answer.action == gold.action else equivalent(gold, answer)
    return {"official": float(right)}


def equivalent(gold: AndroidGold, answer: PredictedAction) -> bool:
    """Whether the answer does by other means what was recorded: open_app ~ its icon, back ~ what says so.

    As UGround's eval.py has it, but for gold taps the name of the app that the answer opens is compared, where that
    compares an empty one.
    """
    point = answer.point
    match (gold.action, answer.action):
        case ("open_app", "click"):
            on_icon = point is not None and any(box.contains(point) for box in gold.candidate_boxes)
            return on_icon or _shows(gold, point, gold.app)
        case ("navigate_back", "click"):
            return _shows(gold, point, BACK)
        case ("click", "open_app" | "navigate_back"):
            target = gold.labelled_target
            return target is not None and target.says(answer.app if answer.action == "open_app" else BACK)
        case _:
            return False


def _same(gold: AndroidGold, answer: PredictedAction) -> bool:
    match gold.action:
        case "click" | "long_press":
            return _hit(gold, answer)
        case "type_text":
            placed = gold.point is None or answer.point is None or _hit(gold, answer)
            return placed and answer.text.strip() == gold.text.strip()
        case "open_app":
            return answer.app.strip().casefold() == gold.app.strip().casefold()
        case _:
            return answer.direction == gold.direction and answer.status == gold.status


def _hit(gold: AndroidGold, answer: PredictedAction) -> bool:
    if answer.point is None or gold.point is None:
        return False
    (across, down), (x, y) = answer.pixel, gold.point
    if Box(x - across, y - down, x + across, y + down).contains(answer.point):
        return True
    target = gold.target
    if target is not None:
        return target.shape.contains(answer.point)
    return distance(answer.point, gold.point) <= NEAR * max(answer.screen.width, answer.screen.height)


def _shows(gold: AndroidGold, point: Point | None, word: str) -> bool:
    element = None if point is None else gold.labelled_at(point)
    return element is not None and element.says(word)


def _tap(click: Click) -> bool:
    return click.button == "left" and click.count == 1
