"""The same episodes in several processes, each with a model and a browser of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from agent.commands.common import error_code
from agent.interrupts import Interrupts, Stopped, shielded
from envs import processes
from eval.live.episodes import EvalError, Outcome, run_all
from eval.live.plan import Episode, Plan

PATIENCE = 30.0
"""Seconds that a worker has for finishing its step and closing its browser."""


class Told(Interrupts):
    """A worker stops when the other end of its pipe says anything or is gone; Ctrl-C is its parent's business."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__(interactive=False)
        self._pipe = pipe

    def __enter__(self) -> Told:
        return self

    def __exit__(self, *exc: object) -> None:
        return

    def check(self) -> None:
        if self._pipe.poll():
            raise Stopped("the evaluation was stopped")


def run_split(plan: Plan, tell: Callable[[Outcome], None]) -> None:
    """Run the plan's episodes in `plan.workers` processes; with one worker, in this one.

    Raises what `run_all` raises, and EvalError when a worker fails. No process is left in any case.
    """
    episodes = plan.episodes
    count = min(plan.workers, len(episodes))
    if count <= 1:
        run_all(plan, episodes, tell)
        return
    running: dict[Connection, BaseProcess] = {}
    begun: set[Connection] = set()
    context = multiprocessing.get_context("spawn")
    try:
        for number in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(plan, episodes[number::count], there), daemon=True)
            running[here] = process
            # What is ignored now stays ignored in the child: a press of Ctrl-C reaches the parent alone.
            with shielded():
                process.start()
            there.close()
        _listen(running, begun, tell)
    finally:
        with shielded():
            _end(running, begun)


def _listen(running: dict[Connection, BaseProcess], begun: set[Connection], tell: Callable[[Outcome], None]) -> None:
    """Pass on what the workers say until each has said that it is done; note which have begun."""
    waiting = list(running)
    while waiting:
        ready = wait(waiting)
        for pipe in [one for one in waiting if one in ready]:
            try:
                kind, content = pipe.recv()
            except EOFError:
                running[pipe].join(PATIENCE)
                raise EvalError(f"a worker ended by itself (exit code {running[pipe].exitcode})") from None
            if kind == "begun":
                begun.add(pipe)
            elif kind == "outcome":
                tell(content)
            elif kind == "error":
                raise EvalError(str(content))
            else:
                waiting.remove(pipe)


def _end(running: dict[Connection, BaseProcess], begun: set[Connection]) -> None:
    """Stop what still runs: asked first, then with everything it started. Who has not begun has nothing to close."""
    for pipe in running:
        pipe.close()
    for pipe, process in running.items():
        if process.pid is None:
            continue
        process.join(PATIENCE if pipe in begun else 0)
        if process.is_alive():
            processes.end(processes.tree([process.pid]))
            process.join(PATIENCE)


def _work(plan: Plan, episodes: Sequence[Episode], pipe: Connection) -> None:
    """A worker's whole life. What it has to say goes through the pipe; a closed pipe ends it."""
    import torch

    torch.set_num_threads(1)

    def say(kind: str, content: Any = None) -> None:
        pipe.send((kind, content))

    def tell(outcome: Outcome) -> None:
        try:
            say("outcome", outcome)
        except BrokenPipeError:
            raise KeyboardInterrupt from None

    with suppress(KeyboardInterrupt, BrokenPipeError):
        try:
            say("begun")
            run_all(plan, episodes, tell, lambda: Told(pipe))
        except Exception as error:
            if error_code(error) is None:
                # Nobody foresaw it: the trace is what helps, and it goes where the process writes.
                raise
            say("error", str(error))
        else:
            say("done")
