"""Noticing repetition."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

from agent.approval import ActionContext, Allow, Decision
from agent.loop import MAX_HOSTS, MAX_NOTES, StuckDetector
from envs.actions import Action
from envs.base import Event
from guikv.content import digest_of
from tests.agent.scripted import FakeScreen, click, play


def test_counts_only_equal_neighbours() -> None:
    detector = StuckDetector(note_at=2, stop_at=3)
    seen = [detector.see(*pair) for pair in (("p", "a"), ("p", "a"), ("q", "a"), ("q", "a"), ("q", "a"))]
    assert seen == ["moving", "note", "moving", "note", "stuck"]


def test_hash_is_of_the_content() -> None:
    red = Image.new("RGB", (4, 2), "red")
    assert digest_of(red) == digest_of(red.copy())
    assert len({digest_of(i) for i in (red, Image.new("RGB", (2, 4), "red"), Image.new("RGB", (4, 2)))}) == 3


def test_remarks_and_hosts_are_bounded() -> None:
    """A page that asks for a file a hundred times a step, and an episode that leads over more hosts than are kept."""
    screen = HoppingScreen(events_of={"click": (Event("tab_crashed", {}),) * 100})
    approver = Noting()
    episode = play([click(9, 9)], screen, approver, max_steps=MAX_HOSTS + 50, stuck_note=9**9, stuck_stop=9**9)
    assert len(episode.steps) == MAX_HOSTS + 50
    last = episode.steps[-1].notes
    assert len(last) == MAX_NOTES + 1
    assert last[-1] == "There were 80 more remarks like these."
    assert len(approver.hosts) == MAX_HOSTS
    assert {"host50.test", f"host{MAX_HOSTS + 49}.test"} <= approver.hosts
    assert "host49.test" not in approver.hosts


class HoppingScreen(FakeScreen):
    """On another host in every step."""

    def context(self) -> Mapping[str, str]:
        return {"host": f"host{len(self.done)}.test"}


class Noting(Allow):
    """Lets everything pass, and remembers the hosts that it was told of last."""

    hosts: frozenset[str] = frozenset()

    def review(self, action: Action, context: ActionContext) -> Decision:
        self.hosts = context.hosts
        return super().review(action, context)
