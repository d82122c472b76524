"""A session: one episode's KV cache that persists across the steps, with the ledger of what it holds.

    session.extend(messages)   reuse the longest common prefix, prefill only the rest
    session.compress()         evict what the policy does not keep, at the moment that was chosen
    session.generate()         decoding from where the prefill ended, greedy unless asked otherwise

Promises: appending under the full policy gives the logits of a fresh forward; truncating and extending gives what
never having extended would; a saved session continues bit for bit. Removing a screenshot moves no position, unless
positions are `compact` or would run out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from guikv.cache import CompressedCache
from guikv.compression import PatchMap, compress, make_plan, patch_maps
from guikv.content import Message, picture_of, stateless, without_frames
from guikv.costs import Counter, StepCost, bytes_per_entry
from guikv.engine.batch import advance
from guikv.engine.drafts import Lookup
from guikv.engine.lane import Lane
from guikv.engine.prefill import prefilling
from guikv.engine.reply import GREEDY, Generation, Reply
from guikv.engine.sampling import Sampling
from guikv.engine.writing import Writing, WritingBatch, run
from guikv.errors import SessionError
from guikv.forgetting import forget, without
from guikv.ledger import Ledger
from guikv.models.base import Adapter
from guikv.out_of_memory import memory_errors
from guikv.positions import MOVED_TOGETHER, close_up, make_room
from guikv.prompt import Prompt
from guikv.settings import Settings
from guikv.state import State, rollback
from guikv.store import load_session, save_session

LOGGER = logging.getLogger(__name__)


class Session:
    """One episode. Not thread-safe; several sessions may share one adapter, one at a time.

    Raises SessionError for settings that the model's kind of cache cannot follow.
    """

    def __init__(self, adapter: Adapter, settings: Settings | None = None, slots: bool | None = None) -> None:
        """slots: copy what is cached into fixed places to decode there (`guikv.engine.lane`), by default on a GPU"""
        self.adapter = adapter
        self.settings = settings or Settings()
        self.state = State(Ledger(), adapter.new_cache())
        self.counter = Counter(adapter)
        wanted = adapter.device.type == "cuda" if slots is None else slots
        self._lane = Lane(adapter) if wanted and self.cache.forgets else None
        if self.settings.window == "drop" and not self.cache.forgets:
            raise SessionError("this model's states cannot drop a screenshot: use window 'shrink' or 'recompute'")
        self._compacts = self.settings.positions == "compact" and self.settings.window != "recompute"
        if self._compacts and not adapter.rotates:
            raise SessionError("this model's positions depend on the conversation's length: use positions 'keep'")
        self.prompt: Prompt | None = None
        self._told = False

    # What an agent calls.

    def extend(self, content: tuple[Message, ...] | Prompt) -> None:
        """Bring the cache to the given conversation: the whole episode so far, not only what is new.

        Raises ImageError for impossible screenshots, ContextError for more than the model was made for, BudgetError
        for a screenshot that alone exceeds an absolute budget, DeviceMemoryError when memory runs out. The session
        is then as before.
        """
        for _ in self.extending(content):
            pass

    @torch.inference_mode()
    def extending(self, content: tuple[Message, ...] | Prompt) -> Iterator[None]:
        """`extend` in parts of bounded length, with a pause after each: what is closed there was never begun."""
        s = self.settings
        exact = s.window == "recompute"
        content = self.encode(content)
        self._check(content)
        reuse = min(self.ledger.common_prefix(content), len(content) - 1)
        if exact:
            reuse = self.cache.complete_prefix(reuse)
        reuse = self.cache.reachable(reuse)
        while content.rows.inside(reuse):
            reuse -= 1
        before, span = self.ledger, content.position(len(content)) - content.position(reuse)
        crowded = before.next_position + span > self.adapter.context
        with rollback(self, removes=reuse < len(before) or crowded or self._compacts):
            self.truncate(reuse)
            self.counter.begin(before, content, reuse, s.history)
            self._make_room(span)
            self.adapter.check_context(self.ledger.next_position + span)
            self.state = yield from prefilling(self.adapter, s.policy, self.counter, self.state, content, reuse)
            if s.window == "drop":
                self._drop(sorted(self.ledger.screenshots)[: -s.history])
        self.prompt = content

    @torch.inference_mode()
    def compress(self) -> None:
        """Evict what the policy does not keep; does nothing under `full` or where the moment is not yet there.

        Raises SessionError when the cache has changed since `extend`: its last queries are the judges. Raises
        DeviceMemoryError when memory runs out; nothing is evicted then.
        """
        s, state = self.settings, self.state
        if not s.policy.compresses:
            return
        if state.observed != len(state.ledger) or not state.observed:
            raise SessionError("compress follows extend directly: generate, feed and truncate come after it")
        with self.counter.stopwatch.phase("compression"):
            plan = make_plan(
                state.ledger, s.budget, s.moment, s.history, s.protect, bytes_per_entry(self.adapter, s.policy)
            )
            if plan is None:
                return
            with rollback(self, removes=True), memory_errors(self.adapter.device, "compressing the cache"):
                compress(state.cache, state.ledger, state.watch, state.norms, s.policy, plan, self.adapter.shape)
                self._close_up()

    @torch.inference_mode()
    def generate(
        self, max_new_tokens: int = 256, min_new_tokens: int = 0, sampling: Sampling = GREEDY, drafts: bool = False
    ) -> Generation:
        """The model's reply, by default of its most likely tokens.

        min_new_tokens: before them the end-of-turn token is not taken
        drafts: try several tokens at once that followed the same words before; the reply is the same

        Raises SessionError when nothing was prefilled since the last truncation, ContextError at the end of what the
        model was made for, DeviceMemoryError when memory runs out; the session is as before.
        """
        self._enter(max_new_tokens)
        return self._written(self.reply(max_new_tokens, min_new_tokens, sampling, drafts))

    @torch.inference_mode()
    def repeat(
        self, ids: tuple[int, ...], max_new_tokens: int = 256, sampling: Sampling = GREEDY, drafts: bool = False
    ) -> Generation:
        """Append the reply with these `Generation.ids` as `generate` did, with the same options, when it chose them.

        Raises as `generate`, and SessionError for ids that do not begin as a reply does here.
        """
        self._enter(max_new_tokens)
        reply = self.reply(max_new_tokens, 0, sampling, drafts)
        if ids[: len(self.opening)] != self.opening:
            raise SessionError("these are not the ids of a reply to this conversation")
        reply.recorded = ids[len(self.opening) :]
        return self._written(reply)

    def _enter(self, new: int) -> None:
        self._make_room(new)
        if self._lane is not None:
            self.state = self._lane.enter(self.state, new)

    def _written(self, reply: Reply) -> Generation:
        try:
            while not advance(self.adapter, [reply], self._lane):
                pass
        except BaseException:
            reply.writing.undo()
            raise
        return self.finish(reply)

    def reply(
        self, max_new_tokens: int = 256, min_new_tokens: int = 0, sampling: Sampling = GREEDY, drafts: bool = False
    ) -> Reply:
        """A reply that is still to be written, as in `generate`; the session is as before until `finish`.

        Raises SessionError when nothing was prefilled since the last truncation.
        """
        if self.next_logits is None:
            raise SessionError("there is nothing to continue from: call extend first")
        self._make_room(max_new_tokens)
        state = self.state
        lookup = None
        if drafts and sampling.plain and state.cache.forgets:
            lookup = Lookup(state.ledger.text_ids)
        return Reply(self.adapter, state, max_new_tokens, min_new_tokens, sampling, lookup)

    def finish(self, reply: Reply) -> Generation:
        """Make what was written of the reply the session's. Raises the reply's error; the session is then as before."""
        if reply.error is not None:
            reply.writing.undo()
            raise reply.error
        opening = self.opening
        for new, written in reply.runs:
            self.counter.count_decoder(self.cache, new, written)
        self.counter.generated += len(reply.ids)
        self.counter.stopwatch.add("decoding", reply.seconds)
        self._commit(reply.writing, reply.ids, reply.logits)
        generation = self._reply((*opening, *reply.ids), reply.finished)
        if reply.stopped_at is None:
            return generation
        return replace(generation, text=generation.text[: len(self.adapter.opening) * bool(opening) + reply.stopped_at])

    @torch.inference_mode()
    def verify(self, draft: tuple[int, ...]) -> Generation:
        """What greedy decoding would say, as far as one forward pass over a `draft` of the reply shows it.

        As in speculative decoding: the draft's tokens count as long as the model would have chosen them. Where the
        reply goes on differently, the model's own next token follows them and the result is not `finished`; where the
        model ends its turn, the result is the whole reply. The session stays as it is, so that `generate` may follow.

        draft: ids as in `Generation.ids`
        Raises SessionError when nothing was prefilled, ContextError when the draft reaches beyond what the model was
        made for, DeviceMemoryError when memory runs out.
        """
        if self.next_logits is None:
            raise SessionError("there is nothing to continue from: call extend first")
        opening = self.opening
        if draft[: len(opening)] != opening:
            return self._reply(opening, finished=False)
        draft = draft[len(opening) :]
        chosen = [int(self.next_logits.argmax())]
        if draft:
            self._make_room(len(draft))
            with self.counter.stopwatch.phase("decoding"):
                writing = Writing(self.cache, self.ledger.next_position)
                try:
                    chosen += self._run(writing, draft, "verifying a draft").argmax(-1).tolist()
                finally:
                    writing.undo()
        stops = self.adapter.stop_ids
        agreed = next((i for i, token in enumerate(draft) if chosen[i] != token or token in stops), len(draft))
        finished = chosen[agreed] in stops
        own = () if finished else (chosen[agreed],)
        return self._reply((*opening, *draft[:agreed], *own), finished)

    @property
    def cost(self) -> StepCost:
        """Costs since the last `extend`."""
        return self.counter.cost(self.state, self.settings.history)

    def kept_patches(self, every: bool = True) -> dict[int, PatchMap]:
        """Which image tokens of each screenshot are still cached; `every`: also of those of which nothing is left."""
        return patch_maps(self.cache, self.ledger, every)

    # What it is made of.

    @property
    def ledger(self) -> Ledger:
        """All tokens that went through."""
        return self.state.ledger

    @property
    def cache(self) -> CompressedCache:
        """Keys and values of those that are left."""
        return self.state.cache

    @property
    def next_logits(self) -> Tensor | None:
        """[vocabulary] float32: the model's next token, or None until something was prefilled."""
        return self.state.next_logits

    @property
    def tokens(self) -> int:
        """Tokens in the ledger, evicted ones included."""
        return len(self.ledger)

    @property
    def kv_bytes(self) -> int:
        """Bytes of all cached keys and values."""
        return self.cache.nbytes

    @property
    def opening(self) -> tuple[int, ...]:
        """What the chat template wrote of the reply that comes next: () unless the ledger ends with it."""
        opening = self.adapter.opening_ids
        ends = opening and tuple(self.ledger.rows.ids_from(max(0, len(self.ledger) - len(opening))).tolist()) == opening
        return opening if ends else ()

    @torch.inference_mode()
    def feed(self, token: int) -> None:
        """Append one token of the model's own and compute what follows it.

        Raises ContextError and DeviceMemoryError; the session is then as before.
        """
        self._make_room(1)
        writing = Writing(self.cache, self.ledger.next_position, passing=True)
        try:
            logits = self._run(writing, (token,), "decoding")[-1]
        except BaseException:
            writing.undo()
            raise
        writing.keep(1)
        self._commit(writing, (token,), logits)

    def truncate(self, length: int) -> None:
        """Forget everything from token `length` on.

        Raises SessionError inside a screenshot, and where the cache cannot come back to.
        """
        self.state = self.state.truncate(length)

    def drop_frame(self, frame: int) -> None:
        """Remove a screenshot's entries; nobody's position moves unless positions are `compact`.

        Raises SessionError for an unknown number, and for a model whose states cannot forget.
        """
        if frame not in self.ledger.screenshots:
            raise SessionError(f"there is no screenshot {frame} in this session")
        with rollback(self, removes=self._compacts):
            self._drop([frame])

    def forget(self, frame: int, content: tuple[Message, ...] | Prompt | None = None) -> StepCost:
        """Be as if a screenshot had never been seen: text and screenshots after it are computed again without it, and
        it stays out of every later `extend`. Returns what that cost.

        content: the conversation so far with its pictures, where they are not held any more: the session was loaded
        Raises SessionError for an unknown number or missing pictures, else as `extend`. The session is then as before.
        """
        return forget(self, frame, content)

    def fork(self) -> Session:
        """A second session with the same content; both go on independently, sharing memory until they differ."""
        other = Session(self.adapter, self.settings, slots=self._lane is not None)
        other.state, other.prompt = self.state.copy(), self.prompt
        return other

    def save(self, folder: Path) -> None:
        """Write the session into `folder` (made if missing). Raises SessionError when it cannot be written."""
        save_session(self.state, self.settings, self.adapter, folder)

    @classmethod
    def load(cls, folder: Path, adapter: Adapter) -> Session:
        """The session saved in `folder`. Raises SessionError if it is damaged or of another model."""
        state, settings = load_session(folder, adapter)
        session = cls(adapter, settings)
        session.state = state
        return session

    def close(self) -> None:
        """Free the cache."""
        self.state = State(Ledger(), self.adapter.new_cache())

    def _drop(self, frames: list[int]) -> None:
        with memory_errors(self.adapter.device, "dropping screenshots"):
            self.state = self.state.drop(frames)
            self._close_up()

    def _close_up(self) -> None:
        """Under `compact`, move what is left to where nothing is missing between; within a `rollback`."""
        if self._compacts and len(self.ledger):
            self.state = close_up(self.adapter, self.state, self.settings.window)

    def _make_room(self, new: int) -> None:
        """Close gaps where `new` more positions would reach beyond what the model was made for, and tell it once.

        Raises DeviceMemoryError; the session is then as before.
        """
        before = self.ledger.next_position
        if make_room(self, self.adapter, self.settings.window, new) and not self._told:
            self._told = True
            LOGGER.warning("position %d of %d: %s", before, self.adapter.context, MOVED_TOGETHER)

    def encode(self, content: tuple[Message, ...] | Prompt) -> Prompt:
        """What the model is to see of a conversation: nothing that was forgotten, and under the window `recompute`
        only what the stateless protocol would send."""
        s, forgotten = self.settings, self.state.forgotten
        if isinstance(content, Prompt):
            return without(content, {n for n, p in content.images.items() if forgotten.get(n) == picture_of(p.digest)})
        content = without_frames(content, forgotten)
        if s.window == "recompute":
            content = stateless(content, s.history, s.old_pixels)
        return self.adapter.encode(content)

    def _check(self, prompt: Prompt) -> None:
        """Raise BudgetError for what is known to be too much before anything is computed."""
        s = self.settings
        if s.policy.compresses and s.moment == "next_observation" and prompt.images:
            s.budget.check_whole(prompt.images[max(prompt.images)].tokens, bytes_per_entry(self.adapter, s.policy))

    def _reply(self, ids: tuple[int, ...], finished: bool) -> Generation:
        return Generation(self.adapter.decode_text(ids), ids, finished)

    def _run(self, writing: Writing, ids: Sequence[int], doing: str) -> Tensor:
        """[new, vocabulary] float32: what follows each of the next tokens, which are not the session's yet."""
        adapter = self.adapter
        adapter.check_context(writing.next_position + len(ids))
        with memory_errors(adapter.device, doing):
            self.counter.count_decoder(self.cache, len(ids), writing.count)
            hidden = run(adapter, WritingBatch([writing]), torch.tensor([ids], device=adapter.device))
            return adapter.logits(hidden[0]).float()

    def _commit(self, writing: Writing, ids: Sequence[int], logits: Tensor) -> None:
        """The tokens kept become the session's; `logits` [vocabulary] follow the last of them."""
        state = self.state
        writing.commit()
        # The model's own tokens are text; saliency never looks at their norms.
        norms = None if state.norms is None else torch.nn.functional.pad(state.norms, (0, len(ids)))
        self.state = replace(state, ledger=state.ledger.append_generated(ids), next_logits=logits, norms=norms)
