"""The engine: one thread owns a model, and many sessions take turns on it.

Replies of all sessions are decoded in one batch. Prefills go in parts of bounded length, in turns, and between two of
them every reply gets a token, so that nobody waits for another's long prompt.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import torch

from guikv.content import Message
from guikv.costs import StepCost
from guikv.engine.batch import advance
from guikv.engine.graphs import GraphDecoder
from guikv.engine.reply import GREEDY, Generation, Reply
from guikv.engine.sampling import Sampling
from guikv.engine.slots import Slots
from guikv.engine.tiers import HOST_BYTES, Tiers
from guikv.errors import SessionError
from guikv.models.base import Adapter
from guikv.prompt import Prompt
from guikv.session import Session
from guikv.settings import Settings


@dataclass(eq=False)
class Job:
    """Something to be done with one session: in parts, or as a reply.

    start: what is called when its turn comes; it gives the parts, or a reply, or has done it all
    told: called with every new token's id, in the engine's thread; anywhere: the session need not be on the device
    """

    session: Session
    start: Callable[[], Iterator[None] | Reply | Any]
    told: Callable[[int], None] | None = None
    anywhere: bool = False
    done: Future[Any] = field(default_factory=Future)
    cancelled: bool = False
    parts: Iterator[None] | None = None
    reply: Reply | None = None
    shown: int = 0


class Engine:
    """Owns an adapter's model. Use as a context manager, and leave the adapter alone meanwhile."""

    def __init__(
        self,
        adapter: Adapter,
        resident: int = 8,
        capacity: int | None = None,
        host_bytes: int = HOST_BYTES,
        folder: Path | None = None,
    ) -> None:
        """resident: sessions on the device at a time; capacity: entries of a slot, without it there are no slots and
        every session has memory of its own; host_bytes, folder: as in `Tiers`

        Raises SessionError for a model whose sessions cannot share slots, DeviceMemoryError where they do not fit.
        """
        self.adapter = adapter
        self.slots: Slots | None = None
        self._decoder: GraphDecoder | None = None
        if capacity is not None:
            cache = adapter.new_cache()
            numbers = [number for number, _ in cache.kv]
            if not cache.forgets:
                raise SessionError("sessions with recurrent states have no slots: leave the capacity out")
            # A compression gathers in a free slot, one session at a time.
            self.slots = Slots(adapter.shape, numbers, resident + 1, capacity, adapter.dtype, adapter.device)
            self._decoder = GraphDecoder(adapter, self.slots)
        self.tiers = Tiers(resident, host_bytes, folder, self.slots)
        self.passes = 0
        """Decoding steps so far; each was one for all replies that were written then."""
        self._inbox: SimpleQueue[Job | None] = SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._parts: deque[Job] = deque()
        self._replies: list[Job] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="guikv-engine", daemon=True)
        self._thread.start()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def open(self, settings: Settings | None = None) -> Handle:
        """A new session. Raises SessionError as `Session` does."""
        return Handle(self, Session(self.adapter, settings, slots=False))

    def close(self) -> None:
        """Cancel what is not done, and free everything."""
        if not self._closing:
            self._closing = True
            self._inbox.put(None)
            self._thread.join()
            self.tiers.close()

    def submit(self, job: Job) -> Job:
        """Have it done. Raises SessionError when the engine is closed."""
        if self._closing:
            raise SessionError("the engine is closed")
        self._inbox.put(job)
        return job

    # What follows runs in the engine's thread.

    @torch.inference_mode()
    def _run(self) -> None:
        while self._take_in():
            self._begin()
            if self._replies:
                self._write()
            if self._parts:
                self._part(self._parts.popleft())
        for job in (*self._waiting, *self._parts, *self._replies):
            job.cancelled = True
            self._drop(job)

    def _take_in(self) -> bool:
        """New jobs; waits for one where there is nothing else to do. False when the engine is to end."""
        idle = not (self._waiting or self._parts or self._replies)
        while True:
            try:
                job = self._inbox.get(block=idle)
            except Empty:
                return not self._closing
            if job is None:
                return False
            self._waiting.append(job)
            idle = False

    def _begin(self) -> None:
        """Start what can be started: one job a session, in order, as long as the device has room."""
        working = {job.session for job in (*self._parts, *self._replies)}
        held: set[Session] = set()
        for job in list(self._waiting):
            if job.cancelled:
                self._waiting.remove(job)
                self._drop(job)
            elif job.session not in working and job.session not in held:
                if self._start(job, working):
                    self._waiting.remove(job)
                    working |= {other.session for other in (*self._parts, *self._replies)}
                else:
                    held.add(job.session)
            else:
                held.add(job.session)

    def _start(self, job: Job, working: set[Session]) -> bool:
        try:
            if not job.anywhere and not self.tiers.bring(job.session, working):
                return False
            begun = job.start()
        except BaseException as error:  # noqa: BLE001  # whoever asked hears of it
            job.done.set_exception(error)
            return True
        if isinstance(begun, Reply):
            job.reply = begun
            self._replies.append(job)
        elif isinstance(begun, Iterator):
            job.parts = begun
            self._parts.append(job)
        else:
            if not job.anywhere:
                self._settle(job.session)
            job.done.set_result(begun)
        return True

    def _settle(self, session: Session) -> None:
        """Bring entries into slots that found none free while others' prefills held theirs to come back to."""
        if self.slots is not None:
            session.state = self.slots.bring(session.state)

    def _part(self, job: Job) -> None:
        """One part of a prefill; what has more of them goes to the end of the queue."""
        assert job.parts is not None
        if job.cancelled:
            self._drop(job)
            return
        try:
            next(job.parts)
        except StopIteration as end:
            self._settle(job.session)
            job.done.set_result(end.value)
        except BaseException as error:  # noqa: BLE001  # whoever asked hears of it
            job.done.set_exception(error)
        else:
            self._parts.append(job)

    def _write(self) -> None:
        """One token of every reply."""
        for job in [job for job in self._replies if job.cancelled]:
            self._replies.remove(job)
            self._drop(job)
        jobs = {job.reply: job for job in self._replies if job.reply is not None}
        if not jobs:
            return
        self.passes += 1
        over = advance(self.adapter, list(jobs), self._decoder)
        for reply, job in jobs.items():
            for token in reply.ids[job.shown :]:
                if job.told is not None:
                    job.told(token)
            job.shown = len(reply.ids)
        for reply in over:
            job = jobs[reply]
            self._replies.remove(job)
            try:
                job.done.set_result(job.session.finish(reply))
            except BaseException as error:  # noqa: BLE001  # whoever asked hears of it
                job.done.set_exception(error)

    def _drop(self, job: Job) -> None:
        """Give it up; its session is as it was before."""
        if job.parts is not None:
            job.parts.close()  # type: ignore[attr-defined]  # they are generators
        if job.reply is not None:
            job.reply.writing.undo()
        job.done.set_exception(CancelledError("cancelled"))


class Handle:
    """A session of an engine, with a session's calls: each waits for its turn and its end."""

    def __init__(self, engine: Engine, session: Session) -> None:
        self.engine, self.session = engine, session
        self._last: Job | None = None

    def extend(self, content: tuple[Message, ...] | Prompt) -> None:
        """As `Session.extend`."""
        self._do(lambda: self.session.extending(content))

    def compress(self) -> None:
        """As `Session.compress`."""
        self._do(self.session.compress)

    def generate(
        self,
        max_new_tokens: int = 256,
        min_new_tokens: int = 0,
        sampling: Sampling = GREEDY,
        told: Callable[[int], None] | None = None,
    ) -> Generation:
        """As `Session.generate`; `told` hears of every token at once, in the engine's thread.

        Raises CancelledError after `cancel`; the session is then as before.
        """
        generation: Generation = self._do(lambda: self.session.reply(max_new_tokens, min_new_tokens, sampling), told)
        return generation

    def call(self, what: Callable[[Session], Any]) -> Any:
        """Something else to be done with the session in the engine's thread (fork, save, drop_frame …)."""
        return self._do(lambda: what(self.session))

    @property
    def cost(self) -> StepCost:
        """As `Session.cost`."""
        cost: StepCost = self.call(lambda session: session.cost)
        return cost

    def cancel(self) -> None:
        """Give up what is being done, from any thread: at the next token, or the next part of a prefill."""
        if self._last is not None:
            self._last.cancelled = True

    def close(self) -> None:
        """Free the session."""
        self.cancel()
        self._do(lambda: self.engine.tiers.forget(self.session), anywhere=True)

    def _do(self, start: Callable[[], Any], told: Callable[[int], None] | None = None, anywhere: bool = False) -> Any:
        self._last = self.engine.submit(Job(self.session, start, told, anywhere))
        return self._last.done.result()
