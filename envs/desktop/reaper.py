"""Waits beside a sandbox, and ends it when the agent's process is killed and can do so no more.

Started with the sandbox's folder; reads "server PID" and "done" from its input.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from envs.desktop.cleanup import clear_up


def main() -> int:
    """0 when the sandbox was closed in order, 1 when it had to be ended here."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder, server = Path(sys.argv[1]), None
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "done":
            return 0
        if word == "server":
            server = int(rest)
    clear_up(folder, (), server)
    return 1


if __name__ == "__main__":
    sys.exit(main())
