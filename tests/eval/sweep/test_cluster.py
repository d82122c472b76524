"""Cells on a Ray cluster of this machine: the same rows, and nothing left behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from envs import processes
from eval.sweep.cell_player import CellPlayer
from eval.sweep.plan import Cell
from eval.sweep.ray_pool import START_WAIT, Cluster, ClusterError, gpu_share
from tests.eval.sweep.conftest import Whole
from tests.eval.sweep.tools import Log, comparable, drive
from tests.leftovers import running, since
from tests.patience import until


class Murderer(Log):
    """Kills an actor when the first row comes."""

    def step(self, cell: Cell, official: float | None) -> None:
        super().step(cell, official)
        if len(self.steps) == 1:
            (actor, *_) = sorted(row.pid for row in processes.table() if row.command.startswith("ray::Actor"))
            processes.end([actor])


@pytest.mark.slow
def test_two_actors_write_what_one_process_writes_though_one_is_killed(
    whole: Whole, tmp_path: Path, home_of_ray: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home_of_ray))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    before, terminated = running(), signal.getsignal(signal.SIGTERM)
    with Cluster(CellPlayer, 2, len(whole.cells)) as pool:
        assert pool.size == 2
        folder = Path(pool._folder or "")
        assert folder.is_dir()
        log = drive(tmp_path / "out", whole.cells, pool, Murderer())
    assert comparable(tmp_path / "out", whole.cells) == whole.rows
    assert len(log.repeats) == 1
    assert sorted(log.ended) == sorted((cell.name, "") for cell in whole.cells)
    until(lambda: not since(before))
    assert not since(before)
    assert not folder.exists()
    assert signal.getsignal(signal.SIGTERM) == terminated


@pytest.mark.slow
def test_a_cluster_that_does_not_come_up(home_of_ray: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home_of_ray))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # Ray gives the first of its processes no time at all.
    monkeypatch.setenv(START_WAIT, "0")
    before = running()
    with pytest.raises(ClusterError, match="could not start a cluster on this machine: Timed out"):
        Cluster(CellPlayer, 1, 1).__enter__()
    until(lambda: not since(before))
    assert not since(before)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:1", r"the cluster at 127\.0\.0\.1:1: .*refused"),
        ("ray://127.0.0.1:10001", "is not HOST:PORT"),
        ("nonesuch", "is not HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch, address: str, why: str) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ClusterError, match=why), Cluster(CellPlayer, 1, 1):
        pass


@pytest.mark.parametrize(("players", "gpus"), [(1, 1), (2, 1), (3, 2), (5, 2), (7, 3), (8, 8), (2, 8), (33, 8)])
def test_all_players_fit_on_the_gpus(players: int, gpus: int) -> None:
    """A part lies on one GPU alone: players that fit in sum only would wait for ever."""
    share = gpu_share(players, gpus)
    assert 0 < share <= 1
    assert gpus * int(1 / share + 1e-9) >= players


def test_without_gpus_none_are_asked_for() -> None:
    assert gpu_share(3, 0) == 0.0
