"""Noticing repetition."""

from __future__ import annotations

from PIL import Image

from agent.loop import StuckDetector
from guikv.content import digest_of


def test_counts_only_equal_neighbours() -> None:
    detector = StuckDetector(note_at=2, stop_at=3)
    seen = [detector.see(*pair) for pair in (("p", "a"), ("p", "a"), ("q", "a"), ("q", "a"), ("q", "a"))]
    assert seen == ["moving", "note", "moving", "note", "stuck"]


def test_hash_is_of_the_content() -> None:
    red = Image.new("RGB", (4, 2), "red")
    assert digest_of(red) == digest_of(red.copy())
    assert len({digest_of(i) for i in (red, Image.new("RGB", (2, 4), "red"), Image.new("RGB", (4, 2)))}) == 3
