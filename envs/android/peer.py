"""Which user is at the other end of a loopback connection."""

from __future__ import annotations

import os
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_LOCAL, _REMOTE, _USER, _INODE = 1, 2, 7, 9


def same_user(here: tuple[str, int], there: tuple[str, int]) -> bool:
    """Does the IPv4 connection from `there` to `here` (host, port) come from a process of this user?

    No for one that is closed already: the kernel no longer knows whose it was, and names root. True where the system
    has no such table (other than Linux).
    """
    if not _TABLE.exists():
        return True
    wanted = [_packed(there), _packed(here)]
    for line in _TABLE.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if [fields[_LOCAL], fields[_REMOTE]] == wanted:
            return fields[_INODE] != "0" and int(fields[_USER]) == os.getuid()
    return False


def _packed(address: tuple[str, int]) -> str:
    """As the kernel writes an address: 127.0.0.1:80 is 0100007F:0050 (on little-endian machines)."""
    host = bytes(int(part) for part in address[0].split("."))
    return f"{int.from_bytes(host, 'little'):08X}:{address[1]:04X}"
