"""The authors' rules for one step, and those of others who report numbers on this benchmark.

official: Mind2Web (OSU-NLP-Group/Mind2Web, action_prediction/metric.py): the right element, here a point in its place
  in the block that was answered; F1 of the sets of words of "OP value" as they are; a step needs both to be 1. A step
  without a right element counts 0 in all three. strict: typing never counts as SELECT.
uground: UGround (offline_evaluation/Multimodal-Mind2Web, eval.py): F1 in lower case and without punctuation marks that
  stand alone; a value "none" is none. Its planner also stops one block after the last with a target, which a policy
  that is played here cannot know.
seeclick: SeeClick (agent_tasks/mind2web_test.py): steps without a right element are left out, and so are those whose
  value has a double quote, which its reader cannot take; operations are digits, values in lower case; an answer
  without a place is of the wrong format and counts 0 throughout. Its model sees the whole page and its places are
  rounded to 0.001 of it, which is not done here.

The benchmark knows three operations, each on an element: CLICK, TYPE and SELECT with a value. Agents say them in
several actions, so an answer is read like this:

- What only prepares (moving the pointer, waiting, telling the user something) is passed over. The first operation of
  an answer counts: one step of the benchmark is one operation.
- A left click, once or repeated, is a CLICK of the element below it. A click right before typing belongs to the
  typing; keys that empty the field may stand between. A typed text without a click before it has no element.
- Typing is TYPE. Where SELECT is right, typing after a click counts as SELECT too: a list that was clicked takes the
  option whose text is typed, and the published prompts of most agents have no other word for it. `strict` does without
  this. Opening a list with a click alone is a CLICK.
- Everything else (scrolling, keys, right clicks, finishing …) is no operation of the benchmark.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace

from envs.actions import Action, Answer, Click, Keys, Move, Scroll, Select, Type, Wait
from envs.geometry import Point
from eval.benchmarks.mind2web.gold import Mind2WebGold
from eval.metrics.prediction import Prediction
from eval.metrics.words import token_f1

_DIGITS = {"CLICK": "4", "SELECT": "2", "TYPE": "3"}
NONE = "none"
SCROLLED = "SCROLL"
_PREPARES = (Move, Wait, Answer)


@dataclass(frozen=True)
class PredictedOperation:
    """operation: CLICK, TYPE, SELECT or another word in capitals, "" where there is none; value: typed or chosen

    point: of the element, in pixels of the picture; typed: with the keyboard; direction: of a scroll
    hit: whether the point lies in a right element of the block that was answered; 1 or 0
    """

    operation: str
    value: str = ""
    point: Point | None = None
    typed: bool = False
    direction: str = ""
    hit: float = 0.0

    @property
    def text(self) -> str:
        """As the authors write it: the operation and its value."""
        return f"{self.operation} {self.value}".strip()


def operation_of(actions: Sequence[Action]) -> PredictedOperation:
    """The operation of an answer, without regard to what is right."""
    rest = [action for action in actions if not isinstance(action, _PREPARES)]
    if not rest:
        return PredictedOperation("")
    match rest[0]:
        case Select() as chosen:
            return PredictedOperation("SELECT", chosen.option, (chosen.x, chosen.y))
        case Type() as typed:
            return PredictedOperation("TYPE", typed.text, None, True)
        case Click(button="left") as click:
            point = click.x, click.y
            text = _typed_next(rest[1:])
            if text is None:
                return PredictedOperation("CLICK", "", point)
            return PredictedOperation("TYPE", text, point, True)
        case Scroll() as scroll:
            return PredictedOperation(SCROLLED, direction=scroll.direction)
        case Click(button=button):
            return PredictedOperation(f"{button}_click".upper())
        case other:
            return PredictedOperation(other.type.upper())


def _typed_next(actions: Sequence[Action]) -> str | None:
    """The text that follows right away, apart from keys."""
    following = next((action for action in actions if not isinstance(action, Keys)), None)
    return following.text if isinstance(following, Type) else None


def read_answer(gold: Mind2WebGold, prediction: Prediction) -> PredictedOperation:
    """The operation of an answer, and whether it is on a right element."""
    answer = operation_of(prediction.actions)
    if answer.point is None or not prediction.views:
        return answer
    boxes = gold.targets(prediction.views[-1])
    return replace(answer, hit=float(any(box.contains(answer.point) for box in boxes)))


def official(gold: Mind2WebGold, answer: PredictedOperation) -> dict[str, float]:
    """`official`, its parts `element` and `op_f1`, and `strict`; all 0 for an answer that could not be read."""
    wanted = words(f"{gold.operation} {gold.value}")
    exact = token_f1(words(as_chosen(gold, answer).text), wanted) if gold.page else 0.0
    strict = token_f1(words(answer.text), wanted) if gold.page else 0.0
    return {
        "official": both(answer.hit, exact),
        "element": answer.hit,
        "op_f1": exact,
        "strict": both(answer.hit, strict),
    }


def other_rules(gold: Mind2WebGold, answer: PredictedOperation) -> dict[str, float]:
    """UGround's scores, and SeeClick's where it has any."""
    answer = as_chosen(gold, answer)
    told = answer.operation if answer.value.lower() == NONE else answer.text
    loose = token_f1(loose_words(told), loose_words(f"{gold.operation} {gold.value}"))
    return {"uground": both(answer.hit, loose), "uground_op_f1": loose, **_seeclick(gold, answer)}


def as_chosen(gold: Mind2WebGold, answer: PredictedOperation) -> PredictedOperation:
    """Typing into a clicked element, as choosing where that is right."""
    if gold.operation == "SELECT" and answer.typed and answer.point is not None:
        return replace(answer, operation="SELECT")
    return answer


def both(element: float, f1: float) -> float:
    """A step is right when its element and all of its operation are."""
    return float(element == 1.0 and f1 == 1.0)


def words(text: str) -> set[str]:
    """Mind2Web's tokens."""
    return set(text.split())


def loose_words(text: str) -> set[str]:
    """UGround's and the release's tokens: in lower case; what is a part of the row of punctuation marks is none."""
    return {word for word in text.lower().split() if word not in string.punctuation}


def _seeclick(gold: Mind2WebGold, answer: PredictedOperation) -> dict[str, float]:
    if not gold.page or '"' in gold.value:
        return {}
    digit = _DIGITS.get(answer.operation)
    f1 = 0.0
    if digit is not None and answer.point is not None:
        wanted = f"{_DIGITS[gold.operation]} {gold.value.lower() if gold.operation != 'CLICK' else ''}"
        f1 = token_f1(words(f"{digit} {answer.value.lower()}"), words(wanted))
    hit = answer.hit if digit is not None else 0.0
    return {"seeclick": both(hit, f1), "seeclick_element": hit, "seeclick_op_f1": f1}
