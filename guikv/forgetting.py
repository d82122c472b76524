"""Forgetting a screenshot: what came after it is computed again without it, as if it had never been seen.

Tokens behind a screenshot carry what they read there, so taking its entries out would not be enough. What stood before
it cannot know of it and stays as it is; of that, what was evicted in its sight stays evicted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

import torch

from guikv.content import Message, picture_of
from guikv.costs import StepCost, total
from guikv.errors import SessionError
from guikv.ledger import Ledger
from guikv.models.base import Adapter
from guikv.positions import closed_up
from guikv.prompt import NO_FRAME, Prompt
from guikv.settings import Settings
from guikv.state import Holder, rollback

Content = tuple[Message, ...] | Prompt


class Remembering(Holder, Protocol):
    """A session.

    prompt: what it was last extended with
    """

    adapter: Adapter
    settings: Settings
    prompt: Prompt | None

    @property
    def cost(self) -> StepCost: ...
    def encode(self, content: Content) -> Prompt: ...
    def extend(self, content: Content) -> None: ...
    def compress(self) -> None: ...


def without(prompt: Prompt, frames: Collection[int]) -> Prompt:
    """The prompt as if the screenshots and the turns that are nothing else had never been there."""
    stays = ~torch.isin(prompt.turns, torch.tensor(sorted(frames), dtype=torch.long))
    if bool(stays.all()):
        return prompt
    return Prompt(
        ids=prompt.ids[stays],
        positions=closed_up(prompt.frames, prompt.positions, stays)[:, stays],
        frames=prompt.frames[stays],
        turns=prompt.turns[stays],
        protected=prompt.protected[stays],
        images={number: pixels for number, pixels in prompt.images.items() if number not in frames},
    )


def remembered(ledger: Ledger, prompt: Prompt | None) -> Prompt:
    """All tokens of the ledger as a prompt, with the pictures of the one that it was last extended with.

    Raises SessionError where there is none, as in a session that was loaded.
    """
    shared = 0 if prompt is None else ledger.common_prefix(prompt)
    if prompt is None or bool((ledger.frames[shared:] != NO_FRAME).any()):
        raise SessionError("the session does not hold its pictures: give the conversation to forget in")
    text = prompt.position(shared) + torch.arange(len(ledger) - shared)
    return Prompt(
        ids=ledger.ids,
        positions=torch.cat([prompt.positions[:, :shared], text.expand(len(prompt.positions), -1)], dim=1),
        frames=ledger.frames,
        turns=ledger.turns,
        protected=ledger.protected,
        images={number: prompt.images[number] for number in ledger.screenshots},
    )


def step_ends(prompt: Prompt, start: int) -> list[int]:
    """Where the steps of an episode end that goes on at row `start`: before each next screenshot, and at the end."""
    numbers = list(dict.fromkeys(prompt.frames[start:].tolist()))
    shots = [number for number in numbers if number != NO_FRAME]
    return [*(int((prompt.turns == number).nonzero()[0]) for number in shots[1:]), len(prompt)]


def forget(session: Remembering, frame: int, content: Content | None) -> StepCost:
    """As `Session.forget`."""
    before, held = session.state, session.prompt
    if frame not in before.ledger.screenshots:
        raise SessionError(f"there is no screenshot {frame} in this session")
    digest = picture_of(before.ledger.screenshots[frame].digest)
    try:
        with rollback(session, removes=True):
            session.state = replace(before, forgotten={**before.forgotten, frame: digest})
            whole = remembered(before.ledger, held) if content is None else session.encode(content)
            first = int((before.ledger.turns == frame).nonzero()[0])
            session.state = session.state.truncate(before.cache.reachable(first))
            return _again(session, without(whole, {frame}))
    except BaseException:
        session.prompt = held
        raise


def _again(session: Remembering, prompt: Prompt) -> StepCost:
    """Bring the session from where it is to the prompt, as the steps of an episode would have."""
    settings, start, costs = session.settings, len(session.state.ledger), []
    _check_pictures(session.adapter, prompt, start)
    stepwise = settings.policy.compresses or settings.window == "drop"
    for end in step_ends(prompt, start) if stepwise else [len(prompt)]:
        session.extend(prompt.first(end))
        session.compress()
        costs.append(session.cost)
    return replace(total(costs), tokens_recomputed=sum(cost.tokens_new for cost in costs))


def _check_pictures(adapter: Adapter, prompt: Prompt, start: int) -> None:
    """Raise SessionError for a screenshot behind `start` that cannot be encoded again."""
    for number in sorted(set(prompt.frames[start:].tolist()) - {NO_FRAME}):
        pixels = prompt.images[number]
        if pixels.image is None and pixels.values is None and pixels not in adapter.vision_cache:
            raise SessionError(
                f"screenshot {number} has to be computed again, but its picture was let go of: give the conversation "
                "with its pictures to forget in"
            )
