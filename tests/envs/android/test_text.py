"""Text arrives exactly, and the user's keyboard comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envs.actions import Type
from envs.android import Android
from envs.android.keyboard import ADB_KEYBOARD, PREVIOUS
from envs.android.simulator import Phone
from envs.base import ActionFailed
from tests.envs.android.conftest import Options
from tests.envs.corpus import CORPUS

Field = Callable[[], str]
MARK, TOGETHER = "␞", 30
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


@pytest.fixture
def usual(phone: Phone) -> str:
    """The keyboard of the phone's user, which is in use at the beginning."""
    phone.handset.settings.reset_methods()
    return phone.handset.settings.method


@pytest.mark.parametrize(
    "text",
    [
        PRINTABLE,
        PRINTABLE[::-1],
        "%s %%s %%%s s% %S 100%sure %",
        "--help",
        "-",
        "- item\n-- item",
        " blanks  before, within and after  ",
        "$(reboot) `id` && exit; a | b > /sdcard/c < d & # $HOME ~ * ? [x] {y,z} !! \\ \\n '\" \"'",
        "one\n\nthree\r\nfour\rfive",
        "x" * 399 + "%s" + "-" * 60 + "y" * 60,
        "",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_ascii(text: str, android: Android, field: Field, usual: str, phone: Phone) -> None:
    android.execute(Type(text=text))
    assert field() == text.replace("\r\n", "\n").replace("\r", "\n")
    # Nothing but the usual keyboard was needed.
    assert phone.handset.settings.method == usual


def test_submit_presses_enter(android: Android, field: Field) -> None:
    android.execute(Type(text="done", submit=True))
    assert field() == "done\n"


def test_a_tab_is_the_tab_key(android: Android, show: Callable[[str], None], phone: Phone) -> None:
    show("<input id=a autofocus><input id=b>")
    phone.browser.evaluate("document.getElementById('a').focus()")
    android.execute(Type(text="left\tright"))
    assert phone.browser.evaluate("[a.value, b.value]") == ["left", "right"]


def test_the_corpus(android: Android, field: Field, phone: Phone) -> None:
    """Many at once between signs that none of them holds; each has to be found again as it was."""
    assert len(CORPUS) >= 300
    assert not any(MARK in text for text in CORPUS)
    wrong = []
    for begin in range(0, len(CORPUS), TOGETHER):
        texts = CORPUS[begin : begin + TOGETHER]
        phone.browser.evaluate("document.getElementById('t').value = ''")
        android.execute(Type(text=MARK.join(["", *texts, ""])))
        assert field().count(MARK) == len(texts) + 1
        found = field().split(MARK)[1:-1]
        wrong += [pair for pair in zip(texts, found, strict=True) if pair[0] != pair[1]]
    assert not wrong
    assert phone.handset.settings.method == ADB_KEYBOARD


def test_long_text_of_any_language(android: Android, field: Field) -> None:
    text = "Grüße, 你好 👩‍👩‍👧 שלום! " * 60 + "\n" + "end é"
    android.execute(Type(text=text))
    assert field() == text


def test_the_usual_keyboard_comes_back(options: Options, field: Field, phone: Phone, usual: str) -> None:
    with Android.launch(options()) as android:
        android.screenshot()
        (*_, event) = android.execute(Type(text="ü"))
        assert event.kind == "keyboard"
        assert field() == "ü"
        assert phone.handset.settings.method == ADB_KEYBOARD
        assert phone.handset.settings.get("global", PREVIOUS) == usual
    assert phone.handset.settings.method == usual
    assert not phone.handset.settings.get("global", PREVIOUS)


def test_it_comes_back_after_a_crash(options: Options, field: Field, phone: Phone, usual: str) -> None:
    crashed = Android.launch(options())
    crashed.screenshot()
    crashed.execute(Type(text="ü"))
    assert phone.handset.settings.method == ADB_KEYBOARD
    # Nothing is closed; somebody else begins.
    with Android.launch(options()):
        assert phone.handset.settings.method == usual
        assert not phone.handset.settings.get("global", PREVIOUS)


def test_a_keyboard_that_the_user_chose_meanwhile_is_left(
    options: Options, field: Field, phone: Phone, usual: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "com.example.keys/.Other"
    monkeypatch.setattr(phone.handset.settings, "methods", (usual, ADB_KEYBOARD, other))
    phone.handset.settings.enable(other)
    with Android.launch(options()) as android:
        android.screenshot()
        android.execute(Type(text="ü"))
        phone.handset.settings.select(other)
    assert phone.handset.settings.method == other
    phone.handset.settings.reset_methods()
    assert not phone.handset.settings.get("global", PREVIOUS)


def test_a_device_that_is_away_at_the_end(options: Options, field: Field, phone: Phone, usual: str) -> None:
    android = Android.launch(options())
    android.screenshot()
    android.execute(Type(text="ü"))
    phone.drop()
    try:
        android.close()
        assert [event.kind for event in android.events()] == ["keyboard_left"]
    finally:
        phone.reconnect()
    Android.launch(options()).close()
    assert phone.handset.settings.method == usual


def test_a_keyboard_that_was_removed_meanwhile(options: Options, phone: Phone, usual: str) -> None:
    tables = phone.handset.settings.tables
    phone.handset.settings.enable(ADB_KEYBOARD)
    phone.handset.settings.select(ADB_KEYBOARD)
    tables["global"][PREVIOUS] = "com.gone/.Ime"
    Android.launch(options()).close()
    assert phone.handset.settings.method == usual
    assert PREVIOUS not in tables["global"]


@pytest.mark.parametrize("text", ["bell\a", "nul\0", "half \ud83d", "del\x7f"])
def test_control_characters(text: str, android: Android, field: Field) -> None:
    with pytest.raises(ActionFailed, match="control characters"):
        android.execute(Type(text=text))
    assert field() == ""


def test_without_the_keyboard_only_ascii(options: Options, plain_phone: Phone) -> None:
    usual = plain_phone.handset.settings.method
    with Android.launch(options(serial=plain_phone.address)) as android:
        with pytest.raises(ActionFailed, match="ADBKeyboard is not installed") as raised:
            android.execute(Type(text="naïve"))
        assert "adb install" in raised.value.hint
        android.execute(Type(text="naive"))
    assert plain_phone.handset.settings.method == usual


def test_how_far_it_came_is_told(android: Android, field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    send = android._keyboard._device.do
    calls = []

    def failing(*argv: str, seconds: float | None = None) -> object:
        calls.append(argv)
        if len(calls) == 3:
            raise ActionFailed("the device is busy")
        return send(*argv, seconds=seconds)

    monkeypatch.setattr(android._keyboard._device, "do", failing)
    with pytest.raises(ActionFailed, match="after 6 of 9 characters: the device is busy"):
        android.execute(Type(text="first\nend"))
    assert field() == "first\n"
