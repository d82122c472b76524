"""Run a command while every core is kept busy: `python -m tests.busy [--times N] make test`.

Shows that no test depends on the machine's speed. The busy loops end with this process, however it ends.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))\n"


def main() -> int:
    """Exit code of the first run that failed, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=1, help="runs, one after the other")
    parser.add_argument("--loops", type=int, default=os.cpu_count() or 1, help="busy loops; one a core by default")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(asked.loops)]
    try:
        for run in range(1, asked.times + 1):
            start = time.monotonic()
            code = subprocess.run(asked.command, check=False).returncode
            load = os.getloadavg()[0]
            print(
                f"run {run} of {asked.times}: exit {code}, {time.monotonic() - start:.0f} s, load {load:.1f}",
                flush=True,
            )
            if code:
                return code
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
