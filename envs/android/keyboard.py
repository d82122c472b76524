"""Text and keys.

`input text` of Android types what is on its virtual keyboard, which is printable ASCII. Everything else goes through
ADBKeyboard, an input method that takes text from a broadcast. The input method that the user had is noted on the
device itself before it is changed, so that it comes back after a crash, whichever computer drives the device next.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator

from envs.android import keycodes
from envs.android.device import Device, check
from envs.base import ActionFailed, EnvError

ADB_KEYBOARD = "com.android.adbkeyboard/.AdbIME"
INSTALL = "install ADBKeyboard on the device: adb install ADBKeyboard.apk   (its project is senzhk/ADBKeyBoard)"
PREVIOUS = "guikv_previous_ime"
"""Name of the device's global setting that holds the input method to return to."""

_PIECE = 400
_PER_CHARACTER = 0.05
_SHOWN_SECONDS = 2.0
_UNSET = ("", "null")


class Keyboard:
    """`tell` is called with an event's name when the input method changes, or when nothing seems to take text."""

    def __init__(self, device: Device, tell: Callable[[str], None]) -> None:
        self._device, self._tell = device, tell
        self.switched = False

    def type_text(self, text: str, submit: bool) -> None:
        """Exactly `text`; a line break is the Enter key, a tab the Tab key. Raises ActionFailed."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", text):
            raise ActionFailed("the text has control characters, which no keyboard types")
        if not text.isascii():
            self._use_adb_keyboard()
        typed = 0
        try:
            for run in re.findall(r"\n{1,50}|\t{1,50}|[^\n\t]+", text):
                for size in self._run(run, text.isascii()):
                    typed += size
        except ActionFailed as error:
            if typed:
                raise ActionFailed(f"after {typed} of {len(text)} characters: {error.message}", error.hint) from error
            raise
        if submit:
            self.codes(keycodes.ENTER)

    def _run(self, run: str, ascii_only: bool) -> Iterator[int]:
        """Type breaks, tabs or text; yields the number of characters after each command."""
        if run[0] in "\n\t":
            self.codes(*[keycodes.ENTER if run[0] == "\n" else keycodes.TAB] * len(run))
            yield len(run)
            return
        for piece in pieces(run) if ascii_only else [run[i : i + _PIECE] for i in range(0, len(run), _PIECE)]:
            if not ascii_only:
                self._broadcast(piece)
            elif piece.startswith("-"):
                self.codes(*[keycodes.MINUS] * len(piece))
            else:
                seconds = self._device.seconds + _PER_CHARACTER * len(piece)
                check(self._device.do("input", "text", piece.replace(" ", "%s"), seconds=seconds), "typing")
            yield len(piece)

    def codes(self, *codes: int) -> None:
        """Press keys one after the other. Raises ActionFailed."""
        check(self._device.do("input", "keyevent", *map(str, codes)), "pressing a key")

    def press(self, keys: tuple[str, ...]) -> None:
        """All keys together; a single character is typed. Raises ActionFailed."""
        names = keycodes.names_of(keys)
        if len(names) == 1 and len(names[0]) == 1:
            return self.type_text(names[0], submit=False)
        codes = [keycodes.code_of(name) for name in names]
        if len(codes) == 1:
            return self.codes(codes[0])
        output = self._device.do("input", "keycombination", *map(str, codes))
        if "nknown command" not in output.error + output.text:
            check(output, "pressing keys")
            return None
        single = keycodes.EDITING.get(frozenset(name.lower() for name in names))
        if single is None:
            raise ActionFailed("this version of Android cannot press several keys at once")
        return self.codes(single)

    def installed(self) -> bool:
        """Is ADBKeyboard there?"""
        return ADB_KEYBOARD in self._device.ask("ime", "list", "-a", "-s").text.split()

    def current(self) -> str:
        """The input method in use, as package/.Name, or the empty string."""
        found = self._device.ask("settings", "get", "secure", "default_input_method").text.strip()
        return "" if found in _UNSET else found

    def restore(self) -> bool:
        """Return to the input method that was noted, by this run or one that crashed; was there one?"""
        noted = self._device.ask("settings", "get", "global", PREVIOUS).text.strip()
        self.switched = False
        if noted in _UNSET:
            return False
        # If it is no longer ours, the user has chosen another one meanwhile.
        if self.current() == ADB_KEYBOARD:
            self._choose(noted)
        self._device.do("settings", "delete", "global", PREVIOUS)
        return True

    def _choose(self, method: str) -> None:
        try:
            check(self._device.do("ime", "set", method), "the input method")
        except ActionFailed:
            # It may have been removed meanwhile; the system's own choice is better than ours.
            check(self._device.do("ime", "reset"), "the input method")

    def _use_adb_keyboard(self) -> None:
        before = self.current()
        if before == ADB_KEYBOARD:
            return
        if not self.installed():
            raise ActionFailed("only ASCII text can be typed on this device: ADBKeyboard is not installed", INSTALL)
        check(self._device.do("settings", "put", "global", PREVIOUS, before or "none"), "noting the input method")
        self.switched = True
        try:
            check(self._device.do("ime", "enable", ADB_KEYBOARD), "the input method")
            check(self._device.do("ime", "set", ADB_KEYBOARD), "the input method")
            if self.current() != ADB_KEYBOARD:
                raise ActionFailed("the device did not change to ADBKeyboard")
        except EnvError:
            self.restore()
            raise
        self._tell("keyboard")
        self._wait_shown()

    def _wait_shown(self) -> None:
        """Until it is on the screen: what is sent before that is lost."""
        deadline = time.monotonic() + _SHOWN_SECONDS
        while True:
            shown = re.search(r"\bmInputShown=(true|false)", self._device.ask("dumpsys", "input_method").text)
            if shown is None or shown[1] == "true":
                return
            if time.monotonic() > deadline:
                self._tell("no_focus")
                return
            time.sleep(0.1)

    def _broadcast(self, text: str) -> None:
        data = base64.b64encode(text.encode("utf-8")).decode("ascii")
        check(self._device.do("am", "broadcast", "-a", "ADB_INPUT_B64", "--es", "msg", data), "typing")


def pieces(text: str) -> list[str]:
    """Printable ASCII in pieces that `input text` types exactly; those that begin with a minus are nothing else.

    `%s` means a space there, so a percent sign and an s that follows it are put into different pieces; and what begins
    with a minus could be taken for an option.
    """
    parts = re.split(r"(?<=%)(?=s)", text)
    return [piece for part in parts for piece in re.findall(rf"-{{1,50}}|[^-].{{0,{_PIECE - 1}}}", part)]
