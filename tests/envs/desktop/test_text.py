"""Text arrives exactly: every string of the corpus, two toolkits, two layouts of the keyboard."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

from envs import processes
from envs.actions import KeyDown, Keys, KeyUp, Type
from envs.base import ActionFailed
from envs.desktop import Desktop, Sandbox
from envs.desktop.x11.keymap import KeyMap
from tests.envs import corpus
from tests.patience import PATIENCE, until

EDITORS = {"gtk": "mousepad", "qt": "featherpad"}
LATIN = tuple(text for text in corpus.CORPUS if max(text) < "\u0250")
"""What keyboards of two countries differ in, and no more."""
_FEATHERPAD = "[text]\nautoIndentation=false\nautoBracket=false\nappendEmptyLine=false\nremoveTrailingSpaces=false\n"


def layout(sandbox: Sandbox, *words: str) -> None:
    subprocess.run(["setxkbmap", "-display", sandbox.display, *words], check=True, timeout=PATIENCE)


@pytest.fixture
def us(sandbox: Sandbox) -> Iterator[None]:
    """Whatever layout the test sets, the next one has the usual one."""
    yield
    layout(sandbox, "us", "-option", "")


def mapping(sandbox: Sandbox) -> list[list[int]]:
    display = Display(sandbox.display)
    try:
        return [list(row) for row in display.get_keyboard_mapping(8, 248)]
    finally:
        display.close()


def saved(desktop: Desktop, file: Path) -> list[str]:
    """The lines of the file, once the editor has saved what it was given."""
    old = file.stat().st_mtime_ns
    desktop.execute(Keys(keys=("ctrl", "s")))
    assert until(lambda: file.stat().st_mtime_ns != old and file.stat().st_size > 0)
    return file.read_text(encoding="utf-8").splitlines()


def test_the_corpus_is_what_it_says() -> None:
    corpus.check()


@pytest.mark.parametrize(
    ("toolkit", "keys", "strings"),
    [("gtk", "us", corpus.CORPUS), ("qt", "de", corpus.CORPUS), ("gtk", "de", LATIN), ("qt", "us", LATIN)],
    ids=["gtk-us", "qt-de", "gtk-de-latin", "qt-us-latin"],
)
def test_corpus(
    desktop: Desktop, sandbox: Sandbox, tmp_path: Path, us: None, toolkit: str, keys: str, strings: tuple[str, ...]
) -> None:
    settings = Path(sandbox.environment["XDG_CONFIG_HOME"]) / "featherpad" / "fp.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(_FEATHERPAD)
    layout(sandbox, keys)
    before = mapping(sandbox)
    file = tmp_path / f"{toolkit}-{keys}.txt"
    file.write_text("")
    process = sandbox.run([EDITORS[toolkit], str(file)])
    try:
        sandbox.wait_window(file.name)
        assert until(lambda: file.name in desktop.context()["title"])
        desktop.execute(Type(text="\n".join(strings), submit=True))
        lines = saved(desktop, file)
    finally:
        processes.end(processes.tree([process.pid]))
        process.wait()
    wrong = [(wanted, line) for wanted, line in zip(strings, lines, strict=False) if wanted != line]
    assert wrong == []
    assert len(lines) == len(strings)
    assert mapping(sandbox) == before


def test_the_map_is_restored_when_typing_fails(desktop: Desktop, sandbox: Sandbox, editor: Path) -> None:
    before = mapping(sandbox)
    with pytest.raises(ActionFailed, match="control character 0x07"):
        desktop.execute(Type(text="好\x07"))
    with pytest.raises(ActionFailed, match="half a character"):
        desktop.execute(Type(text="\ud83d"))
    assert mapping(sandbox) == before
    desktop.execute(Type(text="好"))
    assert mapping(sandbox) == before
    assert saved(desktop, editor) == ["好"]


def test_held_modifiers_and_capitals_lock_spoil_nothing(desktop: Desktop, sandbox: Sandbox, editor: Path) -> None:
    display = Display(sandbox.display)
    lock = KeyMap(display).find(0xFFE5)
    right_shift = KeyMap(display).find(0xFFE2)
    assert lock is not None
    assert right_shift is not None
    try:
        # One key that the agent holds, one that somebody left pressed, and the lock.
        desktop.execute(KeyDown(key="ctrl"))
        for kind, code in ((X.KeyPress, lock.code), (X.KeyRelease, lock.code), (X.KeyPress, right_shift.code)):
            xtest.fake_input(display, kind, code)
        display.sync()
        desktop.execute(Type(text="aBc <好É"))
        mask = display.screen().root.query_pointer().mask
        assert mask & X.LockMask
        assert mask & X.ControlMask
        assert not mask & X.ShiftMask
    finally:
        desktop.execute(KeyUp(key="ctrl"))
        for kind in (X.KeyPress, X.KeyRelease):
            xtest.fake_input(display, kind, lock.code)
        display.sync()
        display.close()
    assert saved(desktop, editor) == ["aBc <好É"]


def test_second_layout_in_use(desktop: Desktop, sandbox: Sandbox, editor: Path, us: None) -> None:
    layout(sandbox, "us,ru", "-option", "grp:menu_toggle")
    display = Display(sandbox.display)
    for kind in (X.KeyPress, X.KeyRelease):
        xtest.fake_input(display, kind, 135)
    display.sync()
    assert display.screen().root.query_pointer().mask >> 13 & 3 == 1
    display.close()
    desktop.execute(Type(text="Latin and Кириллица"))
    assert saved(desktop, editor) == ["Latin and Кириллица"]


def test_line_ends_and_tabs(desktop: Desktop, editor: Path) -> None:
    desktop.execute(Type(text="a\r\nb\rc\n\td", submit=True))
    assert saved(desktop, editor) == ["a", "b", "c", "\td"]


def test_what_a_killed_worker_left_is_used_again(sandbox: Sandbox) -> None:
    display = Display(sandbox.display)
    try:
        room = KeyMap(display).room
        killed = KeyMap(display)
        killed.lend([0x0100597D, 0x01004F60])
        # A reading of its own, as the next worker's: it finds the keys as they were left.
        after = KeyMap(display)
        assert after.room == room
        killed.take_back()
    finally:
        display.close()
    assert room > 10
