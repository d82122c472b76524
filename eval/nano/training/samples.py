"""Batches for the first stage: walls of words to read, and question-answer episodes on screens, built beside training.

An episode is one screen or a few, one instruction and one reply a screen. A batch shares each screen's image tokens
between several episodes; blank cells may be left out of the sequences, since every token carries its own M-RoPE
position.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import queue
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.nano.training import chat
from eval.nano.training.chat import Encoded, Encoder, Episode, Turn, click_turn
from eval.nano.training.screens import (
    CELL,
    GRID,
    PATCH,
    SIDE,
    STEP,
    TOKENS,
    Box,
    Screen,
    click_point,
    control_page,
    dense_words,
    done_page,
)
from eval.nano.training.stored import load_pages

BLANK = -1
"""Word label of a cell without a word."""
IGNORE = -100
"""Label of a cell that shows too little of a word to be asked for, and of a token that is not learnt."""

Batch = dict[str, Any]
Maker = Callable[[int, dict[str, Any]], Iterator[Batch]]
"""(seed, settings) -> endless batches; `settings` is updated in place while the maker runs."""


def cells_of(text: Box) -> list[tuple[int, int, bool]]:
    """(cell, pixels, whether it shows enough of the word to be asked for it) of every cell that a word touches."""
    x0, y0, x1, y1 = text
    out = []
    for row in range(max(0, y0 // CELL), min(GRID - 1, (y1 - 1) // CELL) + 1):
        high = min(y1, (row + 1) * CELL) - max(y0, row * CELL)
        for col in range(max(0, x0 // CELL), min(GRID - 1, (x1 - 1) // CELL) + 1):
            wide = min(x1, (col + 1) * CELL) - max(x0, col * CELL)
            out.append((row * GRID + col, wide * high, wide >= 8 and high >= 0.4 * (y1 - y0)))
    return out


def cell_labels(screen: Screen, word_ids: dict[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Word token id per cell (TOKENS,) with BLANK and IGNORE, and click bins (TOKENS, 2) or -1."""
    words = np.full(TOKENS, BLANK, np.int64)
    clicks = np.full((TOKENS, 2), -1, np.int64)
    best = np.zeros(TOKENS, np.int64)
    for element in screen.elements:
        if element.word not in word_ids:
            continue
        x, y = click_point(element)
        for cell, pixels, clear in cells_of(element.text):
            if pixels > best[cell]:
                best[cell] = pixels
                words[cell] = word_ids[element.word] if clear else IGNORE
                clicks[cell] = (x // STEP, y // STEP) if clear and element.kind != "text" else -1
    return words, clicks


def to_patches(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels (SIDE, SIDE, 3) -> patches (400, 588) in the processor's order, one temporal slice."""
    g = SIDE // PATCH
    x = pixels.reshape(g // 2, 2, PATCH, g // 2, 2, PATCH, 3).transpose(0, 3, 1, 4, 6, 2, 5)
    return np.ascontiguousarray(x).reshape(g * g, 3 * PATCH * PATCH)


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


def padded(sequences: Sequence[Encoded], multiple: int) -> Batch:
    """ids, labels (batch, length) and positions (3, batch, length), the length rounded up to `multiple`."""
    length = -(-max(len(s.ids) for s in sequences) // multiple) * multiple
    ids = np.zeros((len(sequences), length), np.int64)
    labels = np.full((len(sequences), length), IGNORE, np.int64)
    positions = np.zeros((3, len(sequences), length), np.int64)
    for row, s in enumerate(sequences):
        n = len(s.ids)
        ids[row, :n], labels[row, :n], positions[:, row, :n] = s.ids, s.labels, np.array(s.positions).T
    return {"ids": ids, "labels": labels, "positions": positions}


def pack(encoder: Encoder, screens: list[Screen], episodes: list[Episode], rng: random.Random, full: float) -> Batch:
    """Arrays of a batch; with probability 1 - `full` an episode keeps few of its blank cells."""
    labelled = [cell_labels(s, encoder.words) for s in screens]
    batch: Batch = {
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
    naming = [(row, *item) for row, s in enumerate(sequences) for item in s.naming]
    batch["naming"] = np.array(naming, np.int64).reshape(-1, 6)
    batch["cells"] = np.concatenate([s.cells for s in sequences]).astype(np.int64)
    return batch | padded(sequences, 8)


def make_batches(seed: int, settings: dict[str, Any]) -> Iterator[Batch]:
    """Endless batches.

    Settings: `stage` "read" or "act"; `level` 0..1 of the walls of words; `screens` per batch;
    `questions` per screen; `full` probability of keeping all blank cells; `long` share of batches
    with longer episodes; `pages` folders of rendered pages and `rendered` their share of screens.
    """
    rng = random.Random(seed)
    encoder = Encoder()
    pages = [page for folder in settings["pages"].split(":") if folder for page in load_pages(Path(folder))]

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


def _produce(maker: Maker, seed: int, settings: dict[str, Any], batches: Any, orders: Any, parent: int) -> None:
    """Body of a data process: fill the queue until the trainer is gone."""
    os.nice(5)
    for batch in maker(seed, settings):
        while not orders.empty():
            settings.update(orders.get())
        while True:
            if os.getppid() != parent:
                batches.cancel_join_thread()
                return
            try:
                batches.put(batch, timeout=1)
                break
            except queue.Full:
                continue


class DataProcess:
    """A process with a short queue that builds batches beside the trainer and dies with it."""

    def __init__(self, maker: Maker, seed: int, settings: dict[str, Any], depth: int = 6) -> None:
        context = mp.get_context("spawn")
        self._batches, self._orders = context.Queue(depth), context.Queue()
        arguments = (maker, seed, settings, self._batches, self._orders, os.getpid())
        self._process = context.Process(target=_produce, args=arguments, daemon=True)
        self._process.start()

    def next(self) -> Batch:
        """The next batch; raises RuntimeError if the data process has died."""
        while True:
            try:
                batch: Batch = self._batches.get(timeout=5)
                return batch
            except queue.Empty:
                if not self._process.is_alive():
                    raise RuntimeError("the data process died") from None

    def update(self, **settings: Any) -> None:
        """Change settings of batches to come."""
        self._orders.put(settings)

    def close(self) -> None:
        """Stop the data process."""
        self._process.terminate()
        self._process.join(5)
