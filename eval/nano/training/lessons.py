"""Episodes to learn from, composed anew for every batch out of stored screens.

A stored screen is good for more than the episode it was made for: any control of a page can be the one
that is asked for, and a code page, fillers and a page of options from three different episodes make a new
episode. What is composed here keeps the rules of the playground's tasks.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.playground.tasks.dialog import DISMISSING
from eval.nano.training import chat
from eval.nano.training.chat import Encoded, Encoder, Episode, Turn, click_turn
from eval.nano.training.samples import Batch, cells_of, padded
from eval.nano.training.screens import SIDE, TOKENS, Element
from eval.nano.training.stored import RenderedPage, StoredEpisode, StoredStep, load_episodes, load_pages, load_screens

TASKS: tuple[str, ...] = ("form", "form_many", "scroll", "remember_1", "remember_2", "remember_3", "order", "dialog")
SHARES: dict[str, float] = {
    "click": 0.07, "form": 0.16, "scroll": 0.3, "remember": 0.14, "order": 0.23, "dialog": 0.1,
}  # fmt: skip
"""How often each kind of lesson is given."""
ORDER = "Press Next, then click the listed words in order."
PARTS = 4
REMEMBER = "Press Next until you can choose, then choose the code you saw."


@dataclass
class Shelf:
    """Stored episodes and screens by what they are good for; screens are numbered in `paths`."""

    paths: list[Path] = field(default_factory=list)
    elements: list[tuple[Element, ...]] = field(default_factory=list)
    numbers: dict[Path, int] = field(default_factory=dict)
    clicks: list[RenderedPage] = field(default_factory=list)
    episodes: dict[str, list[StoredEpisode]] = field(default_factory=dict)
    codes: dict[str, list[StoredStep]] = field(default_factory=lambda: defaultdict(list))
    fillers: list[StoredStep] = field(default_factory=list)
    options: dict[str, list[StoredStep]] = field(default_factory=lambda: defaultdict(list))
    lists: list[StoredStep] = field(default_factory=list)

    def add(self, path: Path, elements: Sequence[Element]) -> None:
        """Give a screen its number."""
        if path not in self.numbers:
            self.numbers[path] = len(self.paths)
            self.paths.append(path)
            self.elements.append(tuple(elements))

    def rows(self, steps: Sequence[StoredStep]) -> list[int]:
        """The numbers of the steps' screens."""
        return [self.numbers[step.path] for step in steps]

    def wordy(self) -> NDArray[np.bool_]:
        """Which cells show a good part of an element's word: (screens, TOKENS)."""
        out = np.zeros((len(self.paths), TOKENS), np.bool_)
        for row, elements in enumerate(self.elements):
            for element in elements:
                out[row, [cell for cell, _, clear in cells_of(element.text) if clear]] = True
        return out


def fill_shelf(folder: Path, pages: Sequence[Path]) -> Shelf:
    """Sort the stored episodes of `folder` and the rendered click pages of `pages`."""
    shelf = Shelf()
    for place in pages:
        shelf.clicks += load_pages(place)
        shelf.lists += load_screens(place, ORDER)
    for page in shelf.clicks:
        shelf.add(page.path, page.elements)
    for screen in shelf.lists:
        shelf.add(screen.path, screen.elements)
    for task in TASKS:
        shelf.episodes[task] = load_episodes(folder, task)
        for episode in shelf.episodes[task]:
            for step in episode.steps:
                shelf.add(step.path, step.elements)
            if task.startswith("remember"):
                _sort_remember(shelf, episode)
            elif task == "order":
                shelf.lists.append(episode.steps[0])
                for step in episode.steps[1:]:
                    for element in step.elements:
                        shelf.options[element.word].append(step)
    return shelf


def _sort_remember(shelf: Shelf, episode: StoredEpisode) -> None:
    first, *between, last = episode.steps
    code = next(e.word for e in first.elements if e.kind == "text")
    shelf.codes[code].append(first)
    shelf.fillers += between
    for element in last.elements:
        shelf.options[element.word].append(last)


Lesson = tuple[Episode, list[int]]
"""An episode and the numbers of its screens, which its turns count from 0."""


def reply_of(action: dict[str, Any], target: Element | None) -> str:
    """What nano is to say for an action. Raises ValueError for one that it has no words for."""
    if action["type"] == "click" and target is not None:
        return click_turn(0, target).reply
    if action["type"] == "type":
        return chat.type_reply(action["field"], action["text"])
    if action["type"] == "scroll":
        return chat.scroll_reply()
    raise ValueError(f"no reply for the action {action}")


def _stored_turns(steps: Sequence[StoredStep]) -> list[Turn]:
    return [Turn(i, reply_of(s.action, s.target), s.target) for i, s in enumerate(steps)]


def _word(step: StoredStep, word: str) -> Element:
    """The element with that word."""
    return next(e for e in step.elements if e.word == word)


def _click(shelf: Shelf, rng: random.Random) -> Lesson:
    page = rng.choice(shelf.clicks)
    controls = [e for e in page.elements if e.kind != "text"]
    target = rng.choice(controls)
    turns = (click_turn(0, target),) * rng.choice((1, 1, 1, 1, 2, 3))
    return Episode(chat.instruction(target.word, target.kind, rng), turns), [shelf.numbers[page.path]]


def _form(shelf: Shelf, rng: random.Random) -> Lesson:
    """The first fields of a stored form, then any of its buttons."""
    episode = rng.choice(shelf.episodes[rng.choice(("form", "form_many", "form_many", "form_many"))])
    entries = [(s.action["field"], s.action["text"]) for s in episode.steps if s.action["type"] == "type"]
    count = rng.randint(1, len(entries))
    if rng.random() < 0.5:
        count = len(entries)
    filled, last = episode.steps[: 2 * count], episode.steps[2 * count]
    button = rng.choice([e for e in last.elements if e.kind == "button"])
    turns = [*_stored_turns(filled), click_turn(len(filled), button)]
    goal = form_goal(entries[:count], button.word)
    return Episode(goal, tuple(turns)), shelf.rows((*filled, last))


def form_goal(entries: Sequence[tuple[str, str]], button: str) -> str:
    """How the playground asks for fields and values."""
    parts = [f"{name} with {value}" for name, value in entries]
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Fill {listed}, then press {button}."


def gold(episode: StoredEpisode, shelf: Shelf) -> Lesson:
    """A stored episode as it is."""
    return Episode(episode.goal, tuple(_stored_turns(episode.steps))), shelf.rows(episode.steps)


def _scroll(shelf: Shelf, rng: random.Random) -> Lesson:
    """Look for any control of the page's pictures; a quarter of the time one that is seen at once."""
    episode = rng.choice(shelf.episodes["scroll"])
    firsts: dict[tuple[str, str], tuple[int, Element]] = {}
    for place, step in enumerate(episode.steps):
        for element in step.elements:
            if element.box[1] >= 0 and element.box[3] <= SIDE:
                firsts.setdefault((element.kind, element.word), (place, element))
    late = [f for f in firsts.values() if f[0] > 0]
    place, target = rng.choice(late if late and rng.random() < 0.8 else list(firsts.values()))
    turns = (*(Turn(i, chat.scroll_reply(), None) for i in range(place)), click_turn(place, target))
    goal = f'Find and click the "{target.word}" {target.kind}.'
    return Episode(goal, turns), shelf.rows(episode.steps[: place + 1])


def _remember(shelf: Shelf, rng: random.Random) -> Lesson:
    """Code page, up to two fillers, and options that hold the code; mostly not from one episode."""
    if rng.random() < 0.2:
        return gold(rng.choice(shelf.episodes[f"remember_{rng.randint(1, 3)}"]), shelf)
    code = rng.choice(list(shelf.codes))
    steps = [rng.choice(shelf.codes[code]), *rng.sample(shelf.fillers, rng.choice((0, 0, 1, 1, 2)))]
    last = rng.choice(shelf.options[code])
    turns = [click_turn(place, _word(step, "Next")) for place, step in enumerate(steps)]
    turns.append(click_turn(len(steps), _word(last, code)))
    return Episode(REMEMBER, tuple(turns)), shelf.rows((*steps, last))


def _order(shelf: Shelf, rng: random.Random) -> Lesson:
    """Any list, then for every word of it a page that has the word and not those before it.

    Layouts change between the pages, which they do not live: only the list tells what comes next.
    """
    if rng.random() < 0.3:
        return gold(rng.choice(shelf.episodes["order"]), shelf)
    first = rng.choice(shelf.lists)
    words = [e.word for e in first.elements if e.kind == "text"]
    steps = [first]
    turns = [click_turn(0, _word(first, "Next"))]
    for place, word in enumerate(words):
        done, later = set(words[:place]), set(words[place + 1 :])
        best, most = None, -1
        for step in rng.choices(shelf.options[word], k=40):
            shown = {e.word for e in step.elements}
            if not shown & done and len(shown & later) > most:
                best, most = step, len(shown & later)
        if best is None:
            break
        steps.append(best)
        turns.append(click_turn(place + 1, _word(best, word)))
    return Episode(ORDER, tuple(turns)), shelf.rows(steps)


def _dialog(shelf: Shelf, rng: random.Random) -> Lesson:
    """The dialog as stored or answered otherwise, then any control of the page behind it."""
    first, second = rng.choice(shelf.episodes["dialog"]).steps
    answer = first.target
    assert answer is not None
    target = rng.choice([e for e in second.elements if e.kind != "text"])
    if rng.random() < 0.5:
        answer = next(e for e in first.elements if e.kind == "button" and e.word != answer.word)
    verb = "Dismiss" if answer.word in DISMISSING else "Confirm"
    goal = f'{verb} the dialog, then click the "{target.word}" {target.kind}.'
    return Episode(goal, (click_turn(0, answer), click_turn(1, target))), shelf.rows((first, second))


LESSONS: dict[str, Callable[[Shelf, random.Random], Lesson]] = {
    "click": _click, "form": _form, "scroll": _scroll, "remember": _remember, "order": _order, "dialog": _dialog,
}  # fmt: skip


def encode(
    encoder: Encoder,
    episode: Episode,
    cells: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    rng: random.Random,
    whole: bool,
) -> Encoded:
    """Tokens of a lesson; unless `whole`, many cells without a word are left out.

    cells: which of the lesson's screens' cells show anything, and which show a word, (screens, TOKENS) each.
    """
    rate = rng.random()
    kept = []
    for busy, word in zip(*cells, strict=True):
        if whole:
            kept.append(np.arange(TOKENS))
            continue
        blank = np.flatnonzero(~busy & ~word).tolist()
        edges = [cell for cell in np.flatnonzero(busy & ~word).tolist() if rng.random() < rate]
        spare = rng.sample(blank, min(len(blank), rng.randint(1, 8 if rng.random() < 0.8 else 60)))
        kept.append(np.array(sorted(np.flatnonzero(word).tolist() + edges + spare), np.int64))
    return encoder.sequence(episode, kept)


def stack(lessons: Sequence[tuple[str, Encoded, Sequence[int]]]) -> Batch:
    """Arrays of (kind, tokens, screens' numbers) of lessons.

    ids, labels (batch, length), positions (3, batch, length); cells (images,), rows of all screens' features.
    """
    cells = []
    for _, encoded, screens in lessons:
        local = np.array(encoded.cells, np.int64)
        cells.append(np.array(screens, np.int64)[local // TOKENS] * TOKENS + local % TOKENS)
    arrays = padded([encoded for _, encoded, _ in lessons], 16)
    return arrays | {"cells": np.concatenate(cells), "names": [name for name, *_ in lessons]}


def make_lessons(seed: int, settings: dict[str, Any]) -> Iterator[Batch]:
    """Endless batches: {"parts": arrays of lessons of like length}.

    Settings: `episodes` folder, `pages` colon-separated folders, `busy` file with the busy cells of all
    screens in the shelf's order, `batch` lessons, `whole` share of batches that keep every cell,
    `shares` of the kinds of lessons.
    """
    rng = random.Random(seed)
    encoder = Encoder()
    shelf = fill_shelf(Path(settings["episodes"]), [Path(p) for p in settings["pages"].split(":") if p])
    busy, wordy = np.load(settings["busy"], allow_pickle=False), shelf.wordy()
    while True:
        whole = rng.random() < settings["whole"]
        count = settings["batch"] // 4 if whole else settings["batch"]
        names = rng.choices(list(settings["shares"]), list(settings["shares"].values()), k=count)
        made = []
        for name in names:
            episode, screens = LESSONS[name](shelf, rng)
            made.append((name, encode(encoder, episode, (busy[screens], wordy[screens]), rng, whole), screens))
        # Lessons of like length share a part, so that little is padded.
        made.sort(key=lambda lesson: len(lesson[1].ids))
        size = -(-count // PARTS)
        yield {"parts": [stack(made[i : i + size]) for i in range(0, count, size)]}
