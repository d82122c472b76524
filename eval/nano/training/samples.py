"""Batches for training: walls of words to read, and question-answer episodes on screens.

An episode is one screen or a few, one instruction and one reply a screen, in the chat layout of
`eval.nano.training.chat`. A batch shares each screen's image tokens between several episodes; blank cells
may be left out of the sequences, since every token carries its own M-RoPE position.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from eval.nano.training import chat
from eval.nano.training.config import GRID, TOKENS
from eval.nano.training.labels import BLANK, cell_labels, click_point, to_patches
from eval.nano.training.screens import Element, Screen, control_page, dense_words, done_page
from eval.nano.training.stored import RenderedPage, load_pages
from eval.nano.training.tokenizer import build_tokenizer, word_ids
from guikv.nano import SPECIAL

PROMPT = "Task: {instruction}"


@dataclass(frozen=True)
class Turn:
    """One frame of an episode: which screen of the batch, the reply, and the control it clicks."""

    screen: int
    reply: str
    target: Element | None


@dataclass(frozen=True)
class Episode:
    """An instruction and its turns."""

    instruction: str
    turns: tuple[Turn, ...]


@dataclass
class Encoded:
    """Token arrays of an episode; `cells` are rows of the batch's image tokens, in order."""

    ids: list[int]
    labels: list[int]
    positions: list[tuple[int, int, int]]
    cells: list[int]
    naming: list[tuple[int, int, int, int, int]]
    """Per click: (index of the thought's word, screen, word id, x bin pixel, y pixel)."""


class Encoder:
    """Turns episodes into token sequences."""

    def __init__(self) -> None:
        self.tokenizer: Tokenizer = build_tokenizer()
        self.words = word_ids(self.tokenizer)
        self._cache: dict[str, list[int]] = {}
        self.image_pad = SPECIAL.index("<|image_pad|>")

    def tokens(self, text: str) -> list[int]:
        """Token ids of a piece of the layout; pieces end at token borders."""
        if text not in self._cache:
            if len(self._cache) > 50000:
                self._cache.clear()
            self._cache[text] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return self._cache[text]

    def sequence(self, episode: Episode, kept: list[NDArray[np.int64]]) -> Encoded:
        """Encode an episode; `kept[s]` lists the cells of screen s that stay in the sequence."""
        s = Encoded([], [], [], [], [])
        place = 0

        def put(text: str, learn: bool) -> None:
            nonlocal place
            for token in self.tokens(text):
                s.ids.append(token)
                s.labels.append(token if learn else -100)
                s.positions.append((place, place, place))
                place += 1

        before, after = chat.FRAME.split("{image}")
        put(chat.opening(PROMPT.replace("{instruction}", episode.instruction)), False)
        for turn in episode.turns:
            put(before, False)
            for cell in kept[turn.screen].tolist():
                s.ids.append(self.image_pad)
                s.labels.append(-100)
                s.positions.append((place, place + cell // GRID, place + cell % GRID))
                s.cells.append(turn.screen * TOKENS + cell)
            place += GRID
            put(after, False)
            if turn.target is not None:
                x, y = click_point(turn.target)
                s.naming.append((len(s.ids) + 1, turn.screen, self.words[turn.target.word], x, y))
            put(turn.reply + "<|im_end|>", True)
            put("\n", False)
        return s


def click_turn(screen: int, element: Element) -> Turn:
    """The turn that clicks a control."""
    return Turn(screen, chat.click_reply(element.word, *click_point(element)), element)


def single_episodes(rng: random.Random, number: int, screen: Screen, count: int) -> list[Episode]:
    """`count` one-frame click episodes on one screen, over different controls while they last."""
    controls = list(screen.controls)
    rng.shuffle(controls)
    chosen = (controls * count)[:count]
    return [Episode(chat.instruction(e.word, e.kind, rng), (click_turn(number, e),)) for e in chosen]


def longer_episode(rng: random.Random, number: int, screen: Screen, done: int) -> Episode:
    """Click, perhaps again on the unchanged page, and finish on the page that says Done."""
    element = rng.choice(screen.controls)
    turns = [click_turn(number, element)] * rng.choice((1, 1, 2, 3))
    if rng.random() < 0.75:
        turns.append(Turn(done, chat.finished_reply(), None))
    return Episode(chat.instruction(element.word, element.kind, rng), tuple(turns))


def pack(
    encoder: Encoder, screens: list[Screen], episodes: list[Episode], rng: random.Random, full: float
) -> dict[str, Any]:
    """Arrays of a batch; with probability 1 - `full` an episode keeps few of its blank cells."""
    labelled = [cell_labels(s, encoder.words) for s in screens]
    batch: dict[str, Any] = {
        "patches": np.stack([to_patches(s.pixels) for s in screens]),
        "words": np.stack([w for w, _ in labelled]),
        "clicks": np.stack([c for _, c in labelled]),
    }
    if not episodes:
        return batch
    everything = rng.random() < full
    sequences = []
    for episode in episodes:
        kept = []
        for words, _ in labelled:
            blank = np.flatnonzero(words == BLANK).tolist()
            spare = blank if everything else rng.sample(blank, min(len(blank), rng.randint(2, 10)))
            kept.append(np.sort(np.concatenate([np.flatnonzero(words != BLANK), np.array(spare, np.int64)])))
        sequences.append(encoder.sequence(episode, kept))
    length = -(-max(len(s.ids) for s in sequences) // 8) * 8
    ids = np.zeros((len(sequences), length), np.int64)
    labels = np.full((len(sequences), length), -100, np.int64)
    positions = np.zeros((3, len(sequences), length), np.int64)
    naming = []
    for row, s in enumerate(sequences):
        n = len(s.ids)
        ids[row, :n], labels[row, :n], positions[:, row, :n] = s.ids, s.labels, np.array(s.positions).T
        naming += [(row, *item) for item in s.naming]
    batch.update(ids=ids, labels=labels, positions=positions, naming=np.array(naming, np.int64).reshape(-1, 6))
    batch["cells"] = np.concatenate([s.cells for s in sequences]).astype(np.int64)
    return batch


def _folder_pages(folders: str) -> list[RenderedPage]:
    """Rendered pages of a colon-separated list of folders."""
    return [page for folder in folders.split(":") if folder for page in load_pages(Path(folder))]


def make_batches(seed: int, settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Endless batches.

    Settings: `stage` "read" or "act"; `level` 0..1 of the walls of words; `screens` per batch;
    `questions` per screen; `full` probability of keeping all blank cells; `long` share of batches
    with longer episodes; `pages` folders of rendered pages and `rendered` their share of screens.
    """
    rng = random.Random(seed)
    encoder = Encoder()
    pages = _folder_pages(settings.get("pages", ""))

    def page() -> Screen:
        if pages and rng.random() < settings["rendered"]:
            return rng.choice(pages).screen()
        return control_page(rng)

    while True:
        count, level = settings["screens"], settings["level"]
        if settings["stage"] == "read" or rng.random() < settings["walls"]:
            screens = [
                page() if level > 0.3 and rng.random() < 0.35 * level else
                dense_words(rng, level * (1 if rng.random() < 0.7 else rng.random()))
                for _ in range(count)
            ]  # fmt: skip
            yield pack(encoder, screens, [], rng, 1.0)
        elif rng.random() < settings["long"]:
            screens = [page() for _ in range(count // 2)]
            done = [done_page(rng) for _ in screens]
            episodes = [longer_episode(rng, i, s, i + len(screens)) for i, s in enumerate(screens) for _ in range(2)]
            yield pack(encoder, screens + done, episodes, rng, 0.3 * settings["full"])
        else:
            screens = [page() for _ in range(count)]
            episodes = [e for i, s in enumerate(screens) for e in single_episodes(rng, i, s, settings["questions"])]
            yield pack(encoder, screens, episodes, rng, settings["full"])
