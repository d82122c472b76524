"""A device that may go away for a moment, and come back."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from adbutils import AdbConnection

from envs.android.link import Client, Late, LinkError, NoServer, Output
from envs.base import ActionFailed, EnvironmentDied, ScreenshotError

T = TypeVar("T")

_SERVER_HINT = "adb start-server"
_ADDRESS = re.compile(r"(?:[^\s:/]+|\[[0-9A-Fa-f:.%\w]+\]):(\d{1,5})")


class Refused(ScreenshotError):
    """The device is there but does not do this."""


def is_address(serial: str) -> bool:
    """Is this host:port, a device that adb reaches over TCP?"""
    found = _ADDRESS.fullmatch(serial)
    return found is not None and 0 < int(found[1]) < 65536


class Device:
    """Commands on the device with this serial. Everything raises EnvironmentDied where it is gone for good.

    A device that drops is waited for, and connected again where it is on TCP; then what was asked is done once more.
    A command that changes something is only repeated if it surely had not reached the device.
    """

    def __init__(self, client: Client, serial: str, seconds: float, reconnect: float) -> None:
        self.client, self.serial, self.seconds = client, serial, seconds
        self._reconnect = reconnect
        self.on_return: Callable[[float], None] | None = None
        """Called with the seconds that the device was gone."""

    def ask(self, *argv: str, seconds: float | None = None) -> Output:
        """Output of a command that changes nothing. Raises ScreenshotError if it takes too long."""
        return self.look(lambda: self._shell(argv, seconds))

    def script(self, text: str) -> Output:
        """As `ask`, for a fixed line of shell; nothing from outside may be part of it."""
        return self.look(lambda: self.client.shell(self.serial, text, self.seconds))

    def do(self, *argv: str, seconds: float | None = None) -> Output:
        """Output of a command that acts. Raises ActionFailed if it takes too long or may have been done or not."""
        return self.act(shlex.join(argv), seconds)

    def act(self, line: str, seconds: float | None = None) -> Output:
        """As `do`, for a line of shell made of quoted words."""
        limit = seconds or self.seconds
        try:
            return self.client.shell(self.serial, line, limit)
        except Late as error:
            raise ActionFailed(f"the device did not answer within {limit:g} s; look at what it shows now") from error
        except LinkError as error:
            back = self._recover(error)
            if error.sent:
                lost = "lost during the action and is back" if back else "cut off during the action"
                raise ActionFailed(
                    f"the connection to the device was {lost}; it may be done or not, so look before repeating it"
                ) from error
        try:
            return self.client.shell(self.serial, line, limit)
        except LinkError as error:
            if self._state() == "device":
                raise ActionFailed(f"the device did not take the command: {error.text}") from error
            raise self._dead(error) from error

    def look(self, use: Callable[[], T]) -> T:
        """Result of `use`, which changes nothing and raises LinkError; tried again once.

        Raises Refused where the device is there but does not do it, ScreenshotError where it takes too long.
        """
        try:
            return use()
        except LinkError as error:
            if isinstance(error, Late) and not is_address(self.serial):
                raise ScreenshotError(f"the device did not answer: {error.text}") from error
            if not self._recover(error) and error.text == "closed":
                raise Refused(f"the device refuses it: {error.text}") from error
        try:
            return use()
        except Late as error:
            raise ScreenshotError(f"the device did not answer: {error.text}") from error
        except LinkError as error:
            if self._state() == "device":
                raise Refused(f"the device does not do it: {error.text}") from error
            raise self._dead(error) from error

    def open(self, service: str) -> AdbConnection:
        """A stream to a service, for use inside `look`. Raises LinkError."""
        return self.client.open(self.serial, service, self.seconds)

    def _shell(self, argv: Sequence[str], seconds: float | None) -> Output:
        return self.client.shell(self.serial, shlex.join(argv), seconds or self.seconds)

    def _state(self) -> str:
        try:
            return self.client.states().get(self.serial, "")
        except NoServer as error:
            raise EnvironmentDied(error.text, _SERVER_HINT) from error
        except LinkError:
            return ""

    def _dead(self, error: LinkError) -> EnvironmentDied:
        return EnvironmentDied(f"the device {self.serial} is gone: {error.text}")

    def _recover(self, error: LinkError) -> bool:
        """Wait until the device is there again; was it away at all? Raises EnvironmentDied."""
        start = time.monotonic()
        away = False
        # Over a network a device may be gone without any notice of it.
        stale = isinstance(error, Late)
        while True:
            state = self._state()
            if state == "device" and not stale:
                break
            away = True
            if state == "unauthorized":
                raise EnvironmentDied(f"the device {self.serial} no longer trusts this computer")
            if time.monotonic() - start > self._reconnect:
                gone = f"the device {self.serial} was lost and did not come back within {self._reconnect:g} s"
                raise EnvironmentDied(f"{gone}: {error.text}")
            if is_address(self.serial):
                self._connect_again(known=bool(state))
                stale = False
            time.sleep(0.2)
        if away and self.on_return is not None:
            self.on_return(time.monotonic() - start)
        return away

    def _connect_again(self, known: bool) -> None:
        try:
            if known:
                # A transport that is known but dead makes `connect` say that all is well.
                self.client.ask(f"host:disconnect:{self.serial}")
            self.client.ask(f"host:connect:{self.serial}", self.seconds)
        except NoServer as error:
            raise EnvironmentDied(error.text, _SERVER_HINT) from error
        except LinkError:
            # It is not back yet; the caller asks again until its time is over.
            return


_WRONG = re.compile(r"^(?:Error\b|Exception\b|[\w.$]*(?:Exception|Error): ).*", re.MULTILINE)
_INJECTION = "switch on 'USB debugging (Security settings)' in the developer options, or what it is called there"


def check(output: Output, what: str) -> Output:
    """The output itself. Raises ActionFailed with the device's own words if it was an error."""
    both = f"{output.error}\n{output.text}"
    wrong = _WRONG.search(both)
    if output.status == 0 and wrong is None:
        return output
    if "INJECT_EVENTS" in both:
        raise ActionFailed(f"{what} failed: the device does not let adb press or touch anything", _INJECTION)
    words = wrong[0] if wrong else next((line for line in both.splitlines() if line.strip()), "")
    raise ActionFailed(f"{what} failed: {words.strip()[:200] or f'status {output.status}'}")
