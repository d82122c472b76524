"""Where the caches of many sessions are: on the device, in the host's memory, or on disk; used last, moved last.

Moving changes no bit of a session. A session that is at work is never moved.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import torch

from guikv.errors import SessionError
from guikv.files import make_folder
from guikv.ledger import Ledger
from guikv.places import Places
from guikv.session import Session
from guikv.state import State

Tier = Literal["device", "host", "disk"]
HOST_BYTES = 8 * 2**30
"""Bytes of sessions in the host's memory unless something else is asked for."""


class Tiers:
    """Keeps at most `resident` sessions on the device and `host_bytes` of others in memory; the rest is on disk."""

    def __init__(
        self, resident: int, host_bytes: int = HOST_BYTES, folder: Path | None = None, places: Places | None = None
    ) -> None:
        """folder: for sessions on disk, by default one that is removed by `close`; places: on the device

        Raises SessionError for a folder that cannot be made.
        """
        self.resident, self.host_bytes, self.places = resident, host_bytes, places
        self._own_folder = folder is None
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="guikv-sessions-")) if folder is None else folder
            make_folder(self.folder)
        except OSError as error:
            raise SessionError(f"no folder for sessions: {error}") from error
        self._where: OrderedDict[Session, Tier] = OrderedDict()
        self._names = 0
        self._files: dict[Session, Path] = {}

    @property
    def sessions(self) -> list[Session]:
        """All of them, the one used last at the end."""
        return list(self._where)

    def where(self, session: Session) -> Tier:
        """Where it is now."""
        return self._where[session]

    def counts(self) -> dict[Tier, int]:
        """Sessions by tier."""
        found: list[Tier] = list(self._where.values())
        return {tier: found.count(tier) for tier in ("device", "host", "disk")}

    def bring(self, session: Session, working: Collection[Session] = ()) -> bool:
        """Have it on the device; false where that is full of sessions that are `working`. A new one is taken in."""
        on_device = [s for s, tier in self._where.items() if tier == "device" and s is not session]
        idle = [s for s in on_device if s not in working]
        while len(on_device) >= self.resident:
            if not idle:
                return False
            on_device.remove(idle[0])
            self._to_host(idle.pop(0))
        if self._where.get(session) != "device":
            self._to_device(session)
        self._where[session] = "device"
        self._where.move_to_end(session)
        self._spill()
        return True

    def forget(self, session: Session) -> None:
        """Free what it has, wherever it is."""
        self._where.pop(session, None)
        session.close()
        path = self._files.pop(session, None)
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Forget all sessions; a folder that was made here is removed."""
        for session in list(self._where):
            self.forget(session)
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _to_device(self, session: Session) -> None:
        if self._where.get(session) == "disk":
            session.state = Session.load(self._files[session], session.adapter).state
            shutil.rmtree(self._files.pop(session), ignore_errors=True)
        session.state = session.state.moved(session.adapter.device, self.places)

    def _to_host(self, session: Session) -> None:
        session.state = session.state.moved(torch.device("cpu"))
        self._where[session] = "host"

    def _spill(self) -> None:
        """Write those used longest ago to disk until the others fit in the host's memory."""
        held = {s: s.kv_bytes for s, tier in self._where.items() if tier == "host"}
        for session in list(held):
            if sum(held.values()) <= self.host_bytes:
                return
            self._names += 1
            path = self.folder / f"{self._names}"
            session.save(path)
            self._files[session] = path
            session.state = State(Ledger(), session.adapter.new_cache())
            self._where[session] = "disk"
            del held[session]
