"""Playground pages as strings: the same for a seed, all different, and silent about the answer."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.playground import TASKS, make_page, words
from envs.playground.layout import text_width
from envs.playground.page import harness_name
from envs.playground.style import MIN_CONTRAST, contrast, make_style
from envs.playground.tasks import chance_of

SEEDS = range(150)


def test_words_are_unique_and_short() -> None:
    assert len(set(words.WORDS)) == len(words.WORDS)
    assert all(re.fullmatch(r"[A-Z][a-z]{1,9}", word) for word in words.WORDS)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_pages_depend_on_the_seed_alone(task: str) -> None:
    pages = [make_page(task, seed) for seed in SEEDS]
    assert pages == [make_page(task, seed) for seed in SEEDS]
    assert len({page.html for page in pages}) == len(SEEDS)
    assert all((page.task, page.seed) == (task, seed) for page, seed in zip(pages, SEEDS, strict=True))


@pytest.mark.parametrize("task", sorted(TASKS))
def test_pages_need_no_network_and_do_not_show_the_goal(task: str) -> None:
    for seed in SEEDS:
        page = make_page(task, seed)
        assert not re.search(r"https?:|src=|url\(|@import", page.html)
        assert page.goal not in page.html
        markup = page.html.partition("<script>")[0]
        assert page.harness not in markup
        assert not re.search("right|wrong|success|target", re.sub(r"<style>.*</style>", "", markup))


GOALS = {
    "click": r'Click the "[A-Z][a-z]+" (button|link|checkbox|field)\.',
    "form": r"Fill [A-Z][a-z]+ with [A-Z][a-z]+, then press [A-Z][a-z]+\.",
    "form_many": r"Fill \w+ with \w+(, \w+ with \w+){0,2} and \w+ with \w+, then press [A-Z][a-z]+\.",
    "scroll": r'Find and click the "[A-Z][a-z]+" button\.',
    "remember_1": r"Press Next until you can choose, then choose the code you saw\.",
    "remember_2": r"Press Next until you can choose, then choose the code you saw\.",
    "remember_3": r"Press Next until you can choose, then choose the code you saw\.",
    "order": r"Press Next, then click the listed words in order\.",
    "dialog": r'(Dismiss|Confirm) the dialog, then click the "[A-Z][a-z]+" (button|link|checkbox|field)\.',
}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_goals(task: str) -> None:
    goals = [make_page(task, seed).goal for seed in SEEDS]
    assert all(re.fullmatch(GOALS[task], goal) for goal in goals)


@pytest.mark.parametrize("task", ["click", "dialog"])
def test_all_kinds_are_asked_for(task: str) -> None:
    asked = {make_page(task, seed).goal.split()[-1].rstrip(".") for seed in SEEDS}
    assert asked == {"button", "link", "checkbox", "field"}


def test_lists_are_regular() -> None:
    for seed in SEEDS:
        page = make_page("order", seed)
        lines = re.findall(r'left:(\d+)px;top:(\d+)px;height:\d+px;"><p>(\d)\. <span', page.html)
        assert [int(number) for _, _, number in lines] == list(range(1, len(lines) + 1))
        assert len(lines) in (2, 3)
        assert len({left for left, _, _ in lines}) == 1
        tops = [int(top) for _, top, _ in lines]
        distances = {below - above for above, below in itertools.pairwise(tops)}
        assert len(distances) == 1
        assert 28 <= distances.pop() <= 40


def test_chances() -> None:
    for seed in SEEDS:
        assert 1 / chance_of("click", seed) in range(3, 9)
        assert round(1 / chance_of("form", seed)) in (20, 40, 60)
        assert round(1 / chance_of("form_many", seed)) in {20**n * b for n in (2, 3, 4) for b in (1, 2, 3)}
        assert round(1 / chance_of("order", seed)) in (3 * 2, 4 * 3, 4 * 3 * 2, 5 * 4 * 3)
        assert round(1 / chance_of("dialog", seed)) in (4, 6, 8, 10)
    with pytest.raises(KeyError):
        chance_of("nothing", 0)


def test_harness_names_differ() -> None:
    names = {harness_name(task, seed) for task in TASKS for seed in SEEDS}
    assert len(names) == len(TASKS) * len(SEEDS)
    assert all(name.isidentifier() for name in names)


def test_unknown_tasks() -> None:
    with pytest.raises(KeyError):
        make_page("nothing", 0)


@given(st.integers(0, 10**9))
def test_text_can_be_read(seed: int) -> None:
    from random import Random

    style = make_style(Random(seed))
    assert 13 <= style.font <= 20
    assert contrast(style.text, style.background) >= MIN_CONTRAST
    assert contrast(style.link, style.background) >= MIN_CONTRAST
    if style.button:
        face, label = re.findall("#[0-9a-f]{6}", style.button)[:2]
        assert contrast(face, label) >= MIN_CONTRAST


@given(st.integers(0, 10**6), st.sampled_from(words.WORDS))
def test_words_fit_beside_a_field(seed: int, word: str) -> None:
    from random import Random

    assert text_width(word, make_style(Random(seed))) < 190
