"""Playing a stored episode: the live agent's prompt, memory and parser, with the next screen known beforehand.

This is exact, not an approximation with forced history. At each step the session gets the task and the history
through the same dialect code as live, and the model's answer is judged against the right action. While its actions
are right, the next live screen is the next stored one, so the episode goes on with the model's *own* reply in the
history. The first wrong action ends the episode as a failure. That is stricter than live in one way: an answer
that cannot be read, or a click that hits nothing, could be repaired there.

Two things are computed once for all ways to remember, neither changing what is said: under `next_observation`
nothing has been evicted when the first action is chosen, so its reply is kept; and a reply that was given before in
the same place is checked in one forward pass instead of being generated token by token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.assemble import make_brain
from agent.config import CacheConfig
from agent.dialects import Dialect
from agent.errors import ParseError
from agent.history import History, Observation, Turn
from agent.model import SessionBrain
from envs.geometry import Resize, Size
from eval.benchmarks.playground.gold import PlaygroundGold
from eval.benchmarks.playground.official import matches
from eval.study.episodes import Episode
from guikv.cache import PADDING
from guikv.compression import stateless_rows
from guikv.content import Reply
from guikv.models.base import Adapter
from guikv.session import Generation, Session

MAX_NEW_TOKENS = 48
"""Twice what a right answer takes; one that goes on is wrong."""
KNOWN_REPLIES = 8
"""Remembered per screen: different memories lead to few different answers."""

Say = Callable[[Session], Generation]
"""Chooses the reply; it need not feed it to the session."""


@dataclass(frozen=True)
class Held:
    """KV bytes when a reply is complete: all, and of what stands before the newest screenshot; `full_…` is what
    the stateless protocol's full cache holds of the same."""

    kv: int
    full_kv: int
    past: int
    full_past: int


@dataclass(frozen=True)
class Played:
    """One step: what was said, whether it was right, what was held."""

    reply: Reply
    right: bool
    held: Held


@dataclass
class StoredPlayer:
    """Plays episodes with one model. `say` replaces the model's own greedy choice, for tests; `brain` makes what
    remembers, another one in ablations."""

    adapter: Adapter
    dialect: Dialect
    say: Say | None = None
    brain: Callable[[CacheConfig, Adapter], SessionBrain] = make_brain
    openings: dict[tuple[str, int], Played] = field(default_factory=dict)
    replies: dict[tuple[str, int, int], list[tuple[int, ...]]] = field(default_factory=dict)

    def play(self, episode: Episode, cache: CacheConfig) -> list[Played]:
        """The steps up to the first wrong one; a success when there are as many as the episode has, all right."""
        brain = self.brain(cache, self.adapter)
        history = History()
        played: list[Played] = []
        shared = cache.moment == "next_observation" and self.say is None
        for number, step in enumerate(episode.steps):
            observation = Observation(step.frame)
            opening = self.openings.get((episode.task, episode.seed)) if shared and not number else None
            if opening is None:
                brain.extend(self.dialect.render(episode.goal, history, observation))
                opening = self._answer(brain.session, episode, number)
                if shared and not number:
                    self.openings[(episode.task, episode.seed)] = opening
            played.append(opening)
            if not opening.right:
                break
            history = history.add(Turn(observation, opening.reply))
        brain.close()
        return played

    def _answer(self, session: Session, episode: Episode, number: int) -> Played:
        prompt = session.tokens - len(session.opening)
        session.compress()
        known = self.replies.setdefault((episode.task, episode.seed, number), [])
        said = recall(session, known) if self.say is None else None
        if said is None:
            said = self.say(session) if self.say else session.generate(MAX_NEW_TOKENS)
        ids, text, finished = said.ids, said.text, said.finished
        if finished:
            known[:] = [ids, *(k for k in known if k != ids)][:KNOWN_REPLIES]
        step = episode.steps[number]
        size = Size(*step.frame.image.size)
        resize = Resize(size, Size(*self.adapter.image_size(step.frame.image.size)))
        right = finished and judge(text, step.gold, self.dialect, resize)
        return Played(Reply(ids, text), right, held_bytes(session, prompt + len(ids)))


def judge(text: str, gold: PlaygroundGold, dialect: Dialect, resize: Resize) -> bool:
    """Is the answer exactly one action, and the right one?"""
    try:
        actions = dialect.parse(text, resize).actions
    except ParseError:
        return False
    return len(actions) == 1 and matches(actions[0], gold)


def recall(session: Session, known: list[tuple[int, ...]]) -> Generation | None:
    """The reply that greedy decoding would give, if it is one of the `known`; the session stays as it is."""
    while known:
        draft, *known = known
        said = session.verify(draft)
        if said.finished:
            return said
        # What the model says up to here is certain now; other drafts count only if they go on like that.
        known = [other for other in known if other[: len(said.ids)] == said.ids]
    return None


def held_bytes(session: Session, tokens: int) -> Held:
    """KV bytes once the ledger has `tokens` tokens; those it still lacks are the reply's, kept by everyone."""
    ledger = session.ledger
    missing = tokens - len(ledger)
    newest = ledger.newest_frame
    # The turn of the newest screenshot begins with its markers.
    first = int((ledger.turns == newest).nonzero()[0]) if newest is not None else 0
    kv = past = 0.0
    for _, layer in session.cache.kv:
        column = layer.nbytes / max(1, layer.index.numel())
        kv += layer.nbytes + missing * column * layer.index.shape[1]
        past += column * int(((layer.index != PADDING) & (layer.index < first)).sum())
    rows = stateless_rows(ledger, session.settings.history)
    each = session.adapter.shape.bytes_per_token(session.adapter.dtype)
    return Held(int(kv), (int(rows.sum()) + missing) * each, int(past), int(rows[:first].sum()) * each)
