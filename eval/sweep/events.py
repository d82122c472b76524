"""What plays a job in some process, and what it tells while it does."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from agent.commands.common import error_code
from agent.errors import error_chain


@dataclass(frozen=True)
class RowMade:
    """A row came out; of a trajectory that was begun before, rows that exist come again."""

    row: Any


@dataclass(frozen=True)
class TrajectoryDone:
    """A trajectory of a replay was played to its end."""

    trajectory: str


@dataclass(frozen=True)
class JobDone:
    """The job has all its rows."""


@dataclass(frozen=True)
class JobFailed:
    """An error that has a type ended the job. Playing it again would not help."""

    error: Exception


@dataclass(frozen=True)
class PlayerDied:
    """Whoever played the job is gone."""

    why: str


Event = RowMade | TrajectoryDone | JobDone | JobFailed | PlayerDied


class JobPlayer(Protocol):
    """Plays jobs one after the other and keeps what is slow to get between them: a model, a browser."""

    def play(self, job: Any) -> Iterator[Event]:
        """Rows and trajectories as they come; raises the typed errors that end the job."""
        ...

    def close(self) -> None:
        """Put away what is held."""
        ...


Stopping = Callable[[], bool]
"""Whether a player is to stop where it stands: a long job asks between its steps and raises KeyboardInterrupt."""

MakePlayer = Callable[[Stopping], JobPlayer]
"""Makes a player in the process that it will play in, so it must be possible to pickle; errors belong into `play`."""


def going_on() -> bool:
    """What a player in this process is told: a press of Ctrl-C reaches it by itself."""
    return False


def play_job(player: JobPlayer, job: Any) -> Iterator[Event]:
    """What happens, the last of it JobDone or JobFailed. What nobody foresaw is raised."""
    try:
        yield from player.play(job)
        yield JobDone()
        return
    except Exception as error:
        if error_code(error) is None:
            raise
        failed = JobFailed(error)
    # What the frames of the failed work hold is freed now: the next job begins before the error is gone.
    for one in error_chain(failed.error):
        traceback.clear_frames(one.__traceback__)
    yield failed
