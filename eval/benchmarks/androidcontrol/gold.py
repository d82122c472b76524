"""What is right at a step of AndroidControl, the same for all three forms of its data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from envs.actions import Action, Click, Finish, LongPress, OpenApp, Scroll, SystemButton, Type, Wait
from envs.geometry import Point, Size
from eval.benchmarks.base import Gold, Step
from eval.benchmarks.errors import DataError
from eval.metrics.shapes import Box

ActionKind = Literal[
    "click",
    "long_press",
    "type_text",
    "scroll",
    "open_app",
    "navigate_back",
    "navigate_home",
    "wait",
    "status",
]
"""UGround's names (`extract_raw.py` and the processed files of OSU-NLP-Group/UGround)."""
PLACED: frozenset[ActionKind] = frozenset({"click", "long_press", "type_text"})
"""Actions that need a place, in UGround's rule and the release's."""
Direction = Literal["up", "down", "left", "right"]
Status = Literal["successful", "infeasible"]
Corners = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the screenshot; edges belong to it."""
BACK = "back"
"""What an element says that goes back (UGround's eval.py)."""
_CLICK_INSTEAD = frozenset({"open_app", "navigate_back"})


class Element(BaseModel):
    """A node of the accessibility tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    box: Corners
    text: str = ""
    description: str = ""

    @property
    def shape(self) -> Box:
        return Box(*self.box)

    @property
    def labelled(self) -> bool:
        return bool(self.text or self.description)

    def says(self, word: str) -> bool:
        """Whether text or description contain the word, in whatever case; no for an empty word."""
        wanted = word.strip().lower()
        return bool(wanted) and (wanted in self.text.lower() or wanted in self.description.lower())


class AndroidGold(Gold):
    """One step.

    point: of click, long_press, and of a type_text whose record has one; pixels of the screenshot
    text: of type_text; app: of open_app; direction: of scroll, the side on which more is shown; status: of status
    nodes: what of the accessibility tree the rules look at: those that contain the point; all of them where the answer
      may be a click instead of open_app or navigate_back
    candidates: boxes that a record without a tree counts as the target, of open_app those of the app's icon
    screen: width and height that the record states
    """

    action: ActionKind
    point: tuple[float, float] | None = None
    text: str = ""
    app: str = ""
    direction: Direction | None = None
    status: Status | None = None
    nodes: tuple[Element, ...] = ()
    candidates: tuple[Corners, ...] = ()
    screen: tuple[int, int] | None = None

    def screen_size(self, picture: Size) -> Size:
        """The size that the gold's pixels are of: as the record states it, else the picture's."""
        return picture if self.screen is None else Size(*self.screen)

    def labelled_at(self, point: Point) -> Element | None:
        """The smallest node with a text or description there. UGround's trees and the release's hold no others."""
        return _smallest((node for node in self.nodes if node.labelled), point)

    @property
    def labelled_target(self) -> Element | None:
        """The element that is to be touched, by UGround's rule: the smallest labelled node under the gold point.

        Of a record without a tree, the smallest of its candidate boxes.
        """
        if self.point is None:
            return None
        if self.candidates:
            return _smallest((Element(box=box) for box in self.candidates), self.point)
        return self.labelled_at(self.point)

    @property
    def target(self) -> Element | None:
        """`labelled_target`, else the smallest node without a label under the gold point."""
        labelled = self.labelled_target
        return _smallest(self.nodes, self.point) if labelled is None and self.point is not None else labelled

    @property
    def candidate_boxes(self) -> list[Box]:
        return [Box(*box) for box in self.candidates]

    @property
    def boxes(self) -> list[Box]:
        """All boxes that contain the gold point: UI-S1's `candidate_bbox`, or what it would be for the tree."""
        if self.candidates or self.point is None:
            return self.candidate_boxes
        return [node.shape for node in self.nodes if node.labelled and node.shape.contains(self.point)]

    def with_nodes(self, nodes: Iterable[Element]) -> AndroidGold:
        """The same with those of the nodes that some rule may look at."""
        kept: tuple[Element, ...] = ()
        if self.action in _CLICK_INSTEAD:
            kept = tuple(nodes)
        elif self.point is not None:
            point = self.point
            kept = tuple(node for node in nodes if node.shape.contains(point))
        return self.model_copy(update={"nodes": kept})


def oracle(step: Step, size: Size) -> tuple[Action, ...]:
    """What was recorded, in pixels of a picture of that size; a type_text with a place as a tap there and the text.

    Raises DataError where the point is not on the picture.
    """
    gold: AndroidGold = step.gold
    x, y = _place(gold, size, step.where)
    match gold.action:
        case "click":
            return (Click(x=x, y=y),)
        case "long_press":
            return (LongPress(x=x, y=y),)
        case "type_text":
            typed = Type(text=gold.text)
            return (typed,) if gold.point is None else (Click(x=x, y=y), typed)
        case "scroll":
            return (Scroll(direction=gold.direction or "down", x=x, y=y),)
        case "open_app":
            return (OpenApp(name=gold.app),)
        case "navigate_back":
            return (SystemButton(button="back"),)
        case "navigate_home":
            return (SystemButton(button="home"),)
        case "wait":
            return (Wait(),)
        case "status":
            if gold.status == "successful":
                return (Finish(),)
            return (Finish(status="failure", message="infeasible"),)


def _place(gold: AndroidGold, size: Size, where: str) -> Point:
    """The recorded point in pixels of a picture of that size, its middle where there is none. Raises DataError."""
    if gold.point is None:
        return size.width / 2, size.height / 2
    screen = gold.screen_size(size)
    x, y = gold.point[0] * size.width / screen.width, gold.point[1] * size.height / screen.height
    if x > size.width or y > size.height:
        raise DataError(f"{where}: the point {gold.point} is not on the image of {size.width}x{size.height}")
    return x, y


def _smallest(nodes: Iterable[Element], point: Point) -> Element | None:
    """The node of least area that contains the point, the first of equals (UGround's `find_smallest_bbox_node`)."""
    inside = [node for node in nodes if node.shape.contains(point)]
    return min(inside, key=lambda node: node.shape.area) if inside else None
