"""Jobs played on a Ray cluster: one actor a player, each with a model that is loaded once.

The data are shared by path: annotations, images and checkpoints must lie at the same place on every node. Results
need not: rows stream back through Ray's object store one by one, and only the driver writes them.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from agent.interrupts import shielded
from envs import processes
from eval.sweep.events import Event, JobDone, JobFailed, MakePlayer, PlayerDied, going_on, play_job
from guikv.errors import GuikvError

ADDRESS, AUTH = "RAY_ADDRESS", "RAY_AUTH_MODE"
PATIENCE = 10.0
"""Seconds for the head node to answer."""
START_WAIT, NICENESS = "RAY_gcs_server_port_wait_time_s", "RAY_worker_niceness"
"""Ray's variables for the seconds that a cluster of this machine has to start, and for how far its actors step back
behind everything else that runs here (15 by default, which next to other work is a standstill)."""
STARTS = 3
"""How often a start is tried: Ray's other waits, of 30 s each, cannot be set, and are short on a busy machine."""
OBJECTS = 128 * 2**20
"""Bytes of the local object store; only rows go through it, of some kilobytes each."""


class ClusterError(GuikvError):
    """Ray is not installed, cannot be reached, or has not what the players need."""


class Actor:
    """A player somewhere in the cluster."""

    def __init__(self, make: MakePlayer, flag: Any = None) -> None:
        """flag: the actor of a `StopFlag`, for players that ask between their steps."""
        self._flag = flag
        self._player = make(going_on if flag is None else self._stopping)

    def play(self, job: Any) -> Iterator[Event]:
        """What happens, as `play_job` has it; nothing more once it is to stop."""
        with suppress(KeyboardInterrupt):
            yield from play_job(self._player, job)

    def close(self) -> None:
        """Put away what the player holds."""
        self._player.close()

    def _stopping(self) -> bool:
        import ray

        return bool(ray.get(self._flag.is_set.remote()))


class StopFlag:
    """What all players ask whether they are to stop: an actor that is busy hears nothing by itself."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        """From now on, they are."""
        self._set = True

    def is_set(self) -> bool:
        """Whether they are."""
        return self._set


class Cluster:
    """Players in a Ray cluster; entered, it is connected, and left, nothing of it is left behind."""

    def __init__(
        self,
        make: MakePlayer,
        count: int | None,
        jobs: int,
        address: str | None = None,
        gpu: bool = False,
        patience: float = 0.0,
    ) -> None:
        """count: of actors, None for as many as the cluster bears; never more than jobs.

        address: of a running cluster; without it $RAY_ADDRESS, and without that one is started on this machine alone
        gpu: give every actor a GPU, or an equal part of one, where the cluster has any
        patience: seconds that an actor has for putting away what its player holds
        """
        self._make, self._count, self._jobs, self._gpu, self._patience = make, count, jobs, gpu, patience
        self._address = address or os.environ.get(ADDRESS) or None
        self.size = 0
        self._actors: dict[int, Any] = {}
        self._streams: dict[Any, int] = {}
        self._folder: str | None = None
        self._flag: Any = None

    def __enter__(self) -> Cluster:
        # Nothing about this program is to be sent anywhere.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise ClusterError("--workers ray needs the extra: pip install 'guikv[cluster]'") from error
        self._ray = ray
        # Both are changed by Ray for good.
        self._before = os.environ.get(AUTH), _sigterm()
        try:
            if self._address is None:
                self._start()
            else:
                self._connect(self._address)
            # Ray's own handler would abort this process with a dump, and leave everything behind.
            _sigterm(_terminated)
            self._size()
            if self._patience:
                self._flag = self._ray.remote(num_cpus=0)(StopFlag).remote()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._leave()

    def give(self, player: int, job: Any) -> None:
        if player not in self._actors:
            actor = self._ray.remote(num_cpus=1, num_gpus=self._share, max_restarts=0)(Actor)
            self._actors[player] = actor.remote(self._make, self._flag)
        self._streams[self._actors[player].play.options(num_returns="streaming").remote(job)] = player

    def wait(self) -> tuple[int, Event]:
        """The next event of any player, and whose it is; a player that died is one, too."""
        errors = self._ray.exceptions
        ready, _ = self._ray.wait(list(self._streams), num_returns=1)
        stream = ready[0]
        player = self._streams[stream]
        try:
            event: Event = self._ray.get(next(stream))
        except (errors.RayError, StopIteration) as error:
            self._dismiss(player)
            event = PlayerDied(f"its actor ended: {_first_line(error)}")
        if isinstance(event, JobDone | JobFailed | PlayerDied):
            del self._streams[stream]
        return player, event

    def _connect(self, address: str) -> None:
        _check_reachable(address)
        with _ray_errors(f"the cluster at {address}", f"; where it asks for a token, set {AUTH}=token"):
            self._ray.init(address=address, log_to_driver=False, logging_level="error")

    def _start(self) -> None:
        os.environ.setdefault(START_WAIT, "300")
        os.environ.setdefault(NICENESS, "0")
        # What Ray starts would otherwise get a press of Ctrl-C, too.
        with shielded():
            for left in reversed(range(STARTS)):
                # Paths of sockets are limited to 107 characters.
                self._folder = tempfile.mkdtemp(prefix="guikv-ray-", dir="/tmp")
                try:
                    self._ray.init(
                        address="local",
                        num_cpus=min(self._count or os.cpu_count() or 1, self._jobs),
                        include_dashboard=False,
                        object_store_memory=OBJECTS,
                        log_to_driver=False,
                        logging_level="error",
                        _node_ip_address="127.0.0.1",
                        _temp_dir=self._folder,
                    )
                    return
                # Ray says that something did not come up in time by an error of no kind of its own.
                except Exception as error:
                    log = _last_words(Path(self._folder))
                    self._sweep_up()
                    if not left:
                        what = "Ray could not start a cluster on this machine"
                        raise ClusterError(f"{what}: {_first_line(error)}{log}") from error

    def _sweep_up(self) -> None:
        """End what Ray started here; it forgets the processes of a start that failed."""
        self._ray.shutdown()
        if self._folder is not None:
            processes.end(processes.tree((), self._folder))
            shutil.rmtree(self._folder, ignore_errors=True)

    def _size(self) -> None:
        """How many players, and what each gets of the GPUs. Raises ClusterError."""
        resources = self._ray.cluster_resources()
        cpus, gpus = int(resources.get("CPU", 0)), resources.get("GPU", 0.0) if self._gpu else 0.0
        if cpus < 1:
            raise ClusterError("the cluster has no CPU to give: its nodes have none, or it is stopped")
        self.size = max(1, min(self._count or int(gpus) or cpus, self._jobs, cpus))
        self._share = gpu_share(self.size, int(gpus))

    def _dismiss(self, player: int) -> None:
        actor = self._actors.pop(player, None)
        if actor is not None:
            self._ray.kill(actor)

    def _leave(self) -> None:
        with shielded():
            if self._patience and self._actors:
                self._ray.get(self._flag.set.remote())
                ends = [actor.close.remote() for actor in self._actors.values()]
                self._ray.wait(ends, num_returns=len(ends), timeout=self._patience)
            for player in list(self._actors):
                self._dismiss(player)
            self._streams.clear()
            self._sweep_up()
            mode, handler = self._before
            _sigterm(handler)
            if mode is None:
                os.environ.pop(AUTH, None)


def gpu_share(players: int, gpus: int) -> float:
    """What each player asks for of a GPU, so that all of them fit; never more than one.

    A part has to lie on one GPU: three players on two GPUs get half of one each, since two thirds would fit only twice.
    """
    if not gpus:
        return 0.0
    beside = math.ceil(players / gpus)
    return int(10_000 / beside) / 10_000  # Ray counts to four decimals


def _terminated(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _sigterm(handler: Any = None) -> Any:
    """Sets what is done on SIGTERM, if anything is given, and returns what was. Off the main thread there is none."""
    before = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
    return before


@contextmanager
def _ray_errors(what: str, hint: str = "") -> Iterator[None]:
    """Ray's errors as ClusterError."""
    try:
        yield
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ClusterError(f"Ray could not reach or start {what}: {_first_line(error)}{hint}") from error


def _check_reachable(address: str) -> None:
    """Raises ClusterError where nobody listens: Ray would try for minutes, deaf to Ctrl-C."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise ClusterError(f"the cluster's address {address!r} is not HOST:PORT of its head node, nor auto")
    with _ray_errors(f"the cluster at {address}"), socket.create_connection((host.strip("[]"), int(port)), PATIENCE):
        pass


def _last_words(folder: Path) -> str:
    """What the head of a cluster said last, as Ray's own errors do not have it."""
    for path in sorted(folder.glob("session_2*/logs/gcs_server.*")):
        with suppress(OSError):
            # Without the stack trace that may follow.
            said = [line for line in path.read_text(errors="replace").splitlines() if line.startswith("[")]
            if said:
                return f"; it said: {said[-1][:300]}"
    return ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
