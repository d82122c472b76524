"""The screen: power, lock, turning, other sizes, and windows that may not be seen."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from envs.android.simulator import Phone
from tests.envs.android.simulator.conftest import Adb
from tests.patience import until

Tell = Callable[[str], tuple[int, str, str]]
Show = Callable[[str], None]

CORNERS = """<body style="margin:0;background:white"><style>i { position:fixed; width:8px; height:8px }</style>
<i style="left:0;top:0;background:red"></i><i style="right:0;top:0;background:lime"></i>
<i style="left:0;bottom:0;background:blue"></i><i style="right:0;bottom:0;background:black"></i>
<script>addEventListener("click", e => window.hit = [e.clientX, e.clientY, innerWidth, innerHeight])</script>"""
BLACK = [(1080 * 2340, (0, 0, 0))]


def shot(adb: Adb) -> Image.Image:
    return Image.open(io.BytesIO(adb("exec-out", "screencap -p").stdout)).convert("RGB")


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    width, height = picture.size
    return [picture.getpixel(at) for at in ((3, 3), (width - 4, 3), (3, height - 4), (width - 4, height - 4))]


def shows_corners(adb: Adb, size: tuple[int, int]) -> bool:
    picture = shot(adb)
    return picture.size == size and corners(picture) == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)]


def test_the_page_fills_the_screen(adb: Adb, show: Show) -> None:
    show(CORNERS)
    assert until(lambda: shows_corners(adb, (1080, 2340)))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning(phone: Phone, adb: Adb, show: Show, turns: int) -> None:
    show(CORNERS)
    adb.shell("settings put system accelerometer_rotation 0")
    adb.shell(f"settings put system user_rotation {turns}")
    size = (2340, 1080) if turns % 2 else (1080, 2340)
    assert until(lambda: shows_corners(adb, size))
    assert f"orientation={turns}" in adb.shell("dumpsys display")
    assert f"cur={size[0]}x{size[1]}" in adb.shell("dumpsys window displays")
    assert f"SurfaceOrientation: {turns}" in adb.shell("dumpsys input")
    assert adb.shell("wm size") == "Physical size: 1080x2340\n"
    adb.shell(f"input tap {size[0] - 5} {size[1] - 5}")
    assert until(lambda: phone.browser.evaluate("window.hit"))
    x, y, width, height = phone.browser.evaluate("hit")
    assert (width - x, height - y) <= (4, 4)
    adb.shell("settings put system accelerometer_rotation 1")
    assert until(lambda: shows_corners(adb, (1080, 2340)))


def test_another_size_and_back(phone: Phone, adb: Adb, show: Show) -> None:
    show(CORNERS)
    adb.shell("wm size 720x1280")
    assert adb.shell("wm size") == "Physical size: 1080x2340\nOverride size: 720x1280\n"
    assert until(lambda: shows_corners(adb, (720, 1280)))
    adb.shell("input tap 715 1275")
    assert until(lambda: phone.browser.evaluate("window.hit"))
    adb.shell("wm user-rotation lock 1")
    assert until(lambda: shows_corners(adb, (1280, 720)))
    adb.shell("wm size reset")
    assert until(lambda: shows_corners(adb, (2340, 1080)))


@pytest.mark.parametrize(
    "line", ["wm size 10x10", "wm size big", "wm size 9000x100", "wm density 3", "wm user-rotation lock 9", "wm fly"]
)
def test_impossible_screens_are_refused(tell: Tell, line: str) -> None:
    assert tell(line)[0] == 255
    assert tell("wm size")[1] == "Physical size: 1080x2340\n"


def test_a_dark_screen_takes_no_input(phone: Phone, adb: Adb, show: Show) -> None:
    show("<body style='height:100vh'><script>n = 0; addEventListener('click', () => n++)</script>")
    adb.shell("input keyevent KEYCODE_POWER")
    assert shot(adb).getcolors() == BLACK
    power = adb.shell("dumpsys power")
    assert "mWakefulness=Asleep" in power
    assert "mHoldingDisplaySuspendBlocker=false" in power
    for line in ("input tap 500 1000", "input keyevent BACK", "input keyevent HOME", "input swipe 500 2000 500 300"):
        adb.shell(line)
    assert phone.browser.evaluate("n") == 0
    adb.shell("input keyevent KEYCODE_WAKEUP")
    assert "mWakefulness=Awake" in adb.shell("dumpsys power")
    assert len(shot(adb).getcolors(1 << 24) or ()) > 1, "the lock screen is shown"


def test_a_swipe_upwards_opens_the_lock_screen(phone: Phone, adb: Adb) -> None:
    adb.shell("am start -n com.example.notes/.NotesActivity; input keyevent POWER WAKEUP")
    window = adb.shell("dumpsys window")
    assert "mDreamingLockscreen=true" in window
    assert "isKeyguardShowing=true" in window
    assert "mCurrentFocus=Window{1a2b3c4 u0 NotificationShade}" in window
    adb.shell("input text lost; input tap 540 800; input swipe 540 500 540 1900; input keyevent HOME")
    assert "mKeyguardShowing=true" in adb.shell("dumpsys activity activities")
    adb.shell("input swipe 540 1900 540 500 200")
    window = adb.shell("dumpsys window policy")
    assert "mDreamingLockscreen=false" in window
    assert "showing=false" in window
    assert phone.handset.foreground.label == "Notes"
    assert phone.browser.evaluate("document.querySelector('textarea').value") == ""


def test_wm_dismisses_an_open_lock_screen(adb: Adb) -> None:
    adb.shell("input keyevent SLEEP WAKEUP; wm dismiss-keyguard")
    assert "isKeyguardShowing=false" in adb.shell("dumpsys window")


def test_only_the_pin_opens_a_locked_phone(phone: Phone, adb: Adb) -> None:
    phone.handset.lock_screen.kind = "pin"
    try:
        adb.shell("input keyevent SLEEP WAKEUP; input swipe 540 1900 540 500; wm dismiss-keyguard")
        policy = adb.shell("dumpsys window policy")
        assert "showing=true" in policy
        assert "secure=true" in policy
        adb.shell("input text 1111; input keyevent ENTER")
        assert "showing=true" in adb.shell("dumpsys window policy")
        adb.shell("input swipe 540 1900 540 500; input text 12; input keyevent 10 4; input keyevent BACK")
        assert "showing=true" in adb.shell("dumpsys window policy")
        adb.shell("input swipe 540 1900 540 500; input text 125; input keyevent DEL; input keyevent 3 4 10; true")
        adb.shell("input swipe 540 1900 540 500; input text 12; input keyevent KEYCODE_3 KEYCODE_4 ENTER")
        assert "showing=false" in adb.shell("dumpsys window policy")
    finally:
        phone.handset.lock_screen.kind = "swipe"


def test_a_secure_window_is_black_in_pictures_only(phone: Phone, adb: Adb) -> None:
    adb.shell("am start -n com.example.bank/.MainActivity")
    assert shot(adb).getcolors() == BLACK
    window = adb.shell("dumpsys window windows")
    focus = next(line for line in window.splitlines() if "mCurrentFocus" in line)
    assert "com.example.bank/com.example.bank.MainActivity" in focus
    assert "fl=SECURE " in window
    assert len(phone.handset.screen.picture().getcolors(1 << 24) or ()) > 10, "a person sees it"
    adb.shell("input keyevent HOME")
    assert "SECURE" not in adb.shell("dumpsys window windows")
    assert shot(adb).getcolors() != BLACK
