"""One X server without a screen (Xvfb), started without a race and ended whatever happens."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from typing import Self

from envs.base import SetupError

HINT = "sudo apt-get install xvfb"
START_SECONDS = 60.0
_STOP_SECONDS = 3.0


class Xvfb:
    """An X server of `size` pixels on the first free display number. Use it as a context manager.

    Starting raises SetupError where there is no Xvfb, or it does not come up. Anybody on this machine may connect
    (no access control), nobody from outside (no TCP).
    """

    def __init__(self, size: tuple[int, int] = (1280, 800), depth: int = 24) -> None:
        program = shutil.which("Xvfb")
        if program is None:
            raise SetupError("Xvfb, the X server without a screen, is not installed", HINT)
        self.size = size
        read_end, write_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    program,
                    *("-displayfd", str(write_end)),
                    *("-screen", "0", f"{size[0]}x{size[1]}x{depth}"),
                    *("-nolisten", "tcp", "-noreset", "-ac"),
                ],
                pass_fds=(write_end,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            os.close(read_end)
            raise SetupError(f"Xvfb does not start: {error}", HINT) from error
        finally:
            os.close(write_end)
        try:
            self.number = _read_number(read_end)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(read_end)

    @property
    def display(self) -> str:
        """Name for $DISPLAY, such as ":7"."""
        return f":{self.number}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the server; may be called twice. The socket that a killed one leaves is the next one's to take over."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(_STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _read_number(descriptor: int) -> int:
    """The number that Xvfb writes. Up to the newline: it writes the two apart, and dies where nobody reads both."""
    text, deadline = b"", time.monotonic() + START_SECONDS
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise SetupError(f"Xvfb was not ready after {START_SECONDS:.0f} s", HINT)
        piece = os.read(descriptor, 64)
        if not piece:
            raise SetupError("Xvfb ended at once; is the size of its screen possible?", HINT)
        text += piece
    return int(text)
