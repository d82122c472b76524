"""`input` and the keyboards: fingers, keys and text arrive in the page as a phone's would."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable

import pytest

from envs.android.simulator import Phone
from envs.android.simulator.commands.gestures import unescape
from envs.android.simulator.keycodes import UNKNOWN, find_key
from tests.envs.android.simulator.conftest import Adb
from tests.patience import until

Tell = Callable[[str], tuple[int, str, str]]
Show = Callable[[str], None]

PAD = """<body style="margin:0;height:4000px;background:linear-gradient(white,gray)"><script>
window.log = [];
for (const name of ["touchstart", "touchend", "touchcancel", "click", "contextmenu", "keydown"])
  addEventListener(name, e => log.push([name, Math.round(e.clientX ?? e.touches[0]?.clientX ?? -1),
    Math.round(e.clientY ?? e.touches[0]?.clientY ?? -1), e.pointerType ?? e.key ?? ""]), true);
</script>"""
FIELD = '<textarea id="t" autofocus style="width:90%;height:400px"></textarea><script>t.focus()</script>'
ASCII = "".join(chr(code) for code in range(32, 127))
SCALE = 420 / 160


def names(phone: Phone) -> list[str]:
    return [row[0] for row in phone.browser.evaluate("log")]


def value(phone: Phone) -> str:
    return str(phone.browser.evaluate("document.querySelector('textarea').value"))


def test_a_tap_is_a_touch_where_it_should_be(phone: Phone, adb: Adb, show: Show) -> None:
    show(PAD)
    for x, y in ((0, 0), (540, 1170), (1079, 2339), (263, 1050)):
        phone.browser.evaluate("log.length = 0")
        adb.shell(f"input tap {x} {y}")
        assert until(lambda: "click" in names(phone))
        rows = phone.browser.evaluate("log")
        assert [row[0] for row in rows] == ["touchstart", "touchend", "click"]
        assert abs(rows[0][1] - x / SCALE) <= 1
        assert abs(rows[0][2] - y / SCALE) <= 1
        assert rows[2][3] == "touch"


def test_a_swipe_scrolls_the_page_after_the_finger(phone: Phone, adb: Adb, show: Show) -> None:
    show(PAD)
    adb.shell("input swipe 540 2000 540 950 1500")
    assert until(lambda: phone.browser.evaluate("scrollY") >= 350)
    assert phone.browser.evaluate("scrollY") <= 600, "a slow finger does not throw the page"
    assert "click" not in names(phone)


def test_a_resting_finger_is_a_long_press(phone: Phone, tell: Tell, show: Show) -> None:
    show(PAD)
    tell("input swipe 500 1000 500 1000 1000")
    assert until(lambda: "contextmenu" in names(phone))
    assert "click" not in names(phone)


def test_drag_and_drop_holds_before_it_moves(phone: Phone, tell: Tell, show: Show) -> None:
    show(PAD)
    tell("input draganddrop 500 1000 500 600 300")
    assert until(lambda: "contextmenu" in names(phone))


def test_a_finger_in_single_steps(phone: Phone, tell: Tell, show: Show) -> None:
    def stroke() -> bool:
        tell("input motionevent DOWN 500 2000")
        for y in range(1950, 1000, -50):
            tell(f"input motionevent MOVE 500 {y}")
        tell("input motionevent UP 500 1000")
        return until(lambda: phone.browser.evaluate("scrollY") > 100, 5)

    show(PAD)
    # On a busy machine the finger may rest too long before it moves, which is a long press.
    assert any(stroke() for _ in range(60))
    assert until(lambda: {"touchend", "touchcancel"} & set(names(phone)))


def test_all_printable_ascii_through_input_text(phone: Phone, adb: Adb, show: Show) -> None:
    show(FIELD)
    quoted = ASCII.replace("'", "'\\''")
    adb.shell(f"input text '{quoted}'")
    assert value(phone) == ASCII


def test_input_text_knows_lines_and_tabs(phone: Phone, adb: Adb, show: Show) -> None:
    show(FIELD)
    adb.shell("input text 'one\ntwo'")
    assert value(phone) == "one\ntwo"


def test_input_text_takes_the_first_word_only(phone: Phone, adb: Adb, show: Show) -> None:
    show(FIELD)
    adb.shell("input text one two")
    adb.shell("input text -three")
    assert value(phone) == "one-three"


@pytest.mark.parametrize(
    ("given", "typed"),
    [("a%sb", "a b"), ("100%", "100%"), ("%%s", "% "), ("%S", "%S"), ("%s%s", "  "), ("%", "%"), ("%ss", " s")],
)
def test_percent_s_is_a_space(given: str, typed: str) -> None:
    assert unescape(given) == typed


@pytest.mark.parametrize("text", ["é", "你好", "😀", "abc\u00a0"])
def test_input_text_refuses_what_has_no_key(phone: Phone, adb: Adb, show: Show, text: str) -> None:
    show(FIELD)
    done = adb("shell", f"input text '{text}'")
    assert done.returncode == 255
    assert b"NullPointerException: Attempt to get length of null array" in done.stderr
    assert value(phone) == ""


def test_keys_by_name_and_number(phone: Phone, tell: Tell, show: Show) -> None:
    show(FIELD)
    for line in ("keyevent 29 KEYCODE_B C KEYCODE_5 66", "keyevent KEYCODE_D 67 KEYCODE_E", "keyevent 122 14"):
        assert tell(f"input {line}") == (0, "", "")
    assert value(phone) == "abc5\n7e"


def test_keys_pressed_together(phone: Phone, tell: Tell, show: Show) -> None:
    show(FIELD)
    tell("input text remove")
    tell("input keycombination 113 29")
    tell("input keycombination KEYCODE_SHIFT_LEFT KEYCODE_X")
    assert value(phone) == "X"


def test_cut_and_paste_keys(phone: Phone, tell: Tell, show: Show) -> None:
    show(FIELD)
    tell("input text word")
    tell("input keycombination 113 29")
    tell("input keyevent 277")
    assert value(phone) == ""
    tell("input keyevent 279 279")
    assert value(phone) == "wordword"


def test_unknown_keys_do_nothing(tell: Tell) -> None:
    assert tell("input keyevent KEYCODE_NOSUCH") == (0, "", "")
    assert tell("input keyevent 9999") == (0, "", "")
    assert find_key("NOSUCH") is UNKNOWN
    assert {find_key(letter).name for letter in string.ascii_uppercase} == set(string.ascii_uppercase)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("input tap 5", 'Argument expected after "5"'),
        ("input tap a 5", "NumberFormatException"),
        ("input tap nan 5", "NumberFormatException"),
        ("input swipe 1 2 3", 'Argument expected after "3"'),
        ("input text", 'Argument expected after "text"'),
        ("input keyevent", 'Argument expected after "keyevent"'),
        ("input keyevent --odd 3", "Unknown option --odd"),
        ("input motionevent FLY 1 2", "Unknown action: FLY"),
        ("input fly", "Unknown command: fly"),
        ("input", "Usage: input"),
    ],
)
def test_wrong_input_is_told(tell: Tell, line: str, says: str) -> None:
    status, out, err = tell(line)
    assert status == 255
    assert says in out + err


def _send(tell: Tell, text: str, action: str = "ADB_INPUT_B64") -> None:
    data = base64.b64encode(text.encode()).decode() if action == "ADB_INPUT_B64" else text
    status, out, _ = tell(f"am broadcast -a {action} --es msg {data}")
    assert status == 0
    assert out.endswith("Broadcast completed: result=0\n")


def test_the_adb_keyboard_types_anything(phone: Phone, tell: Tell, show: Show) -> None:
    show(FIELD)
    assert tell("ime enable com.android.adbkeyboard/.AdbIME")[0] == 0
    assert tell("ime set com.android.adbkeyboard/.AdbIME")[0] == 0
    text = 'Grüße\n你好 👩‍👩‍👧 🇩🇪 שלום e\u0301 "quoted" $HOME'
    _send(tell, text)
    assert value(phone) == text
    tell("am broadcast -a ADB_CLEAR_TEXT")
    assert value(phone) == ""
    _send(tell, "plain", "ADB_INPUT_TEXT")
    tell("am broadcast -a ADB_INPUT_CODE --ei code 67")
    _send(tell, "not base64 é", "ADB_INPUT_B64x")
    tell("am broadcast -a ADB_INPUT_B64 --es msg %%%")
    assert value(phone) == "plai"


def test_the_adb_keyboard_is_deaf_while_it_is_not_in_use(phone: Phone, tell: Tell, show: Show) -> None:
    show(FIELD)
    _send(tell, "lost")
    tell("ime enable com.android.adbkeyboard/.AdbIME")
    _send(tell, "lost")
    assert value(phone) == ""
    tell("ime set com.android.adbkeyboard/.AdbIME")
    show("<p>no field here</p>")
    assert "mInputShown=false" in tell("dumpsys input_method")[1]
    _send(tell, "lost")
    assert phone.browser.evaluate("document.body.innerText.trim()") == "no field here"
    show(FIELD)
    assert "mInputShown=true" in tell("dumpsys input_method")[1]


def test_keyboards_are_chosen_by_ime_and_by_settings(tell: Tell) -> None:
    adb_keyboard, latin = "com.android.adbkeyboard/.AdbIME", "com.android.inputmethod.latin/.LatinIME"
    assert tell("ime list -s")[1].split() == [latin]
    assert set(tell("ime list -a -s")[1].split()) == {adb_keyboard, latin}
    assert "mId=" + latin in tell("ime list")[1]
    status, _, err = tell(f"ime set {adb_keyboard}")
    assert status == 255
    assert "Unknown input method" in err
    assert "now enabled" in tell(f"ime enable {adb_keyboard}")[1]
    assert "already enabled" in tell("ime enable com.android.adbkeyboard/com.android.adbkeyboard.AdbIME")[1]
    assert f"Input method {adb_keyboard} selected" in tell(f"ime set {adb_keyboard}")[1]
    assert tell("settings get secure default_input_method")[1].strip() == adb_keyboard
    assert f"mCurMethodId={adb_keyboard}" in tell("dumpsys input_method")[1]
    assert "now disabled" in tell(f"ime disable {adb_keyboard}")[1]
    assert tell("settings get secure default_input_method")[1].strip() == latin
    tell(f"ime enable {adb_keyboard}")
    tell(f"ime set {adb_keyboard}")
    assert tell("ime reset")[0] == 0
    assert tell("ime list -s")[1].split() == [latin]
    assert tell("ime enable com.none/.Ime")[0] == 255
    assert tell("ime set")[0] == 255
    assert tell("ime sing")[0] == 255


def test_volume_keys(tell: Tell) -> None:
    before = int(tell("settings get system volume_music_speaker")[1])
    tell("input keyevent KEYCODE_VOLUME_UP VOLUME_UP VOLUME_DOWN")
    assert int(tell("settings get system volume_music_speaker")[1]) == before + 1
    tell("input keyevent 164")
    assert tell("settings get system volume_music_speaker")[1].strip() == "0"
    tell(f"settings put system volume_music_speaker {before}")
