"""A model that says what it is told to, and a screen whose parts can be made to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageDraw

from agent.approval import Allow, Approver
from agent.config import LoopSettings
from agent.console import Silent
from agent.dialects import UiTars
from agent.interrupts import Interrupts
from agent.loop import StepRecorder, run_episode
from agent.records import Result, StepRecord
from envs.actions import Action
from envs.base import Event, Screenshot, Verdict
from envs.geometry import Size, Viewport
from guikv.content import Frame, Message

SIZE = (280, 280)
CUT_OFF = "Thought: on and on"
"""An answer that ran into the limit of tokens."""


@dataclass(frozen=True)
class Said:
    text: str
    ids: tuple[int, ...] = (1, 2, 3)
    finished: bool = True


@dataclass(frozen=True)
class Patches:
    rows: int
    cols: int
    kept: tuple[float, ...]


@dataclass
class ScriptedBrain:
    """Says `answers` in order, then the last one for ever; an exception among them is raised."""

    answers: Sequence[str | Exception]
    before: Callable[[int], None] | None = None
    conversations: list[tuple[Message, ...]] = field(default_factory=list)
    said: int = 0
    closed: bool = False

    def image_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return size

    def extend(self, messages: tuple[Message, ...]) -> None:
        self.conversations.append(messages)

    def compress(self) -> None:
        return

    def generate(self, max_new_tokens: int) -> Said:
        if self.before is not None:
            self.before(self.said)
        answer = self.answers[min(self.said, len(self.answers) - 1)]
        self.said += 1
        if isinstance(answer, Exception):
            raise answer
        return Said(answer, finished=answer != CUT_OFF)

    def cost(self) -> Mapping[str, Any]:
        return {
            "tokens_new": 100,
            "tokens_reused": 40 * self.said,
            "tokens_recomputed": 0,
            "tokens_generated": 20,
            "kv_bytes": 500_000 + 20_000 * self.said,
            "full_kv_bytes": 1_500_000 + 300_000 * self.said,
            "flops": 10**9,
            "flops_stateless": 4 * 10**9,
            "seconds": {"vision": 0.01, "prefill": 0.02, "compression": 0.002, "decoding": 0.03},
        }

    def kept_patches(self) -> Mapping[int, Patches]:
        frames = [part.number for m in self.conversations[-1] for part in m.parts if isinstance(part, Frame)]
        if not frames:
            return {}
        last = frames[-1]
        whole = {last: Patches(10, 10, (1.0,) * 100)}
        old = {n: Patches(10, 10, tuple((i * 7 + n) % 10 / 9 for i in range(100))) for n in frames[-5:-1]}
        return {**old, **whole}

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeScreen:
    """A screen that changes with every action unless `still`; `failing` maps a method to the errors it raises."""

    verdicts: Sequence[Verdict | None] = (None,)
    still: bool = False
    failing: dict[str, list[Exception]] = field(default_factory=dict)
    capabilities: frozenset[str] = frozenset({"click", "type", "scroll", "wait", "keys", "navigate", "back"})
    name: str = "fake"
    url: str = "https://shop.test/"
    targets: Mapping[str, str] = field(default_factory=dict)
    events_of: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    size: tuple[int, int] = SIZE
    done: list[Action] = field(default_factory=list)

    def screenshot(self) -> Screenshot:
        self._fail("screenshot")
        image = Image.new("RGB", self.size, "white")
        draw = ImageDraw.Draw(image)
        draw.rectangle((100, 40, 180, 70), fill="navy")
        if not self.still:
            draw.rectangle((0, 270, 3 * len(self.done), 279), fill="teal")
        return Screenshot(image, Viewport(Size(*self.size), Size(*self.size)))

    def execute(self, action: Action) -> tuple[Event, ...]:
        self._fail("execute")
        self.done.append(action)
        return self.events_of.get(action.type, ())

    def settle(self) -> float:
        self._fail("settle")
        return 0.0

    def context(self) -> Mapping[str, str]:
        self._fail("context")
        return {"url": self.url, "host": "shop.test", "title": "Shop"}

    def describe_target(self, action: Action) -> str:
        self._fail("describe_target")
        return self.targets.get(action.type, "")

    def verdict(self) -> Verdict | None:
        self._fail("verdict")
        return self.verdicts[min(len(self.done), len(self.verdicts) - 1)]

    def close(self) -> None:
        return

    def __enter__(self) -> FakeScreen:
        return self

    def __exit__(self, *exc: object) -> None:
        return

    def _fail(self, method: str) -> None:
        errors = self.failing.get(method)
        if errors:
            raise errors.pop(0)


@dataclass
class Kept:
    """A recorder that keeps everything in memory."""

    steps: list[StepRecord] = field(default_factory=list)
    result: Result | None = None

    def decide(self, record: StepRecord, image: Image.Image | None) -> None:
        return

    def write(self, record: StepRecord, image: Image.Image | None) -> None:
        self.steps.append(record)

    def finish(self, result: Result) -> None:
        self.result = result


@dataclass
class Episode:
    """What a scripted episode left behind."""

    result: Result
    steps: list[StepRecord]
    brain: ScriptedBrain
    screen: FakeScreen

    @property
    def last_text(self) -> str:
        """Everything the model was shown as text in its last conversation."""
        parts = [part for message in self.brain.conversations[-1] for part in message.parts]
        return "\n".join(part.text for part in parts if not isinstance(part, Frame))


def play(
    answers: Sequence[str | Exception],
    screen: FakeScreen | None = None,
    approver: Approver | None = None,
    recorder: StepRecorder | None = None,
    before: Callable[[int], None] | None = None,
    interrupts: Interrupts | None = None,
    console: Silent | None = None,
    **settings: Any,
) -> Episode:
    """Run an episode with a scripted model."""
    screen = screen or FakeScreen()
    brain = ScriptedBrain(answers, before)
    kept = Kept()
    limits = LoopSettings(**{"max_steps": 12, "retry_pause": 0.0, **settings})
    result = run_episode(
        brain,
        screen,
        "Press the blue button",
        UiTars("Task: {instruction}"),
        limits,
        approver or Allow(),
        recorder or kept,
        console or Silent(),
        interrupts,
    )
    return Episode(result, kept.steps, brain, screen)


def click(x: int, y: int) -> str:
    return f"Thought: Blue\nAction: click(start_box='({x},{y})')"


FINISHED = "Thought: done\nAction: finished(content='all done')"
