"""Apps: starting, stopping, going back, and what `pm`, `dumpsys` and the like say about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adbutils
import pytest

from envs.android.simulator import Phone
from envs.android.simulator.apps import APPS, BROWSER, FOLDER, LAUNCHER, app_at, by_component
from envs.base import ActionFailed
from tests.envs.android.simulator.conftest import Adb
from tests.envs.conftest import Site
from tests.patience import until

Tell = Callable[[str], tuple[int, str, str]]
LAUNCHABLE = "-a android.intent.action.MAIN -c android.intent.category.LAUNCHER"


def front(phone: Phone) -> str:
    return phone.handset.foreground.label


def title(phone: Phone) -> str:
    try:
        return str(phone.browser.evaluate("document.title"))
    except ActionFailed:
        # One page is just making room for the next.
        return ""


def test_an_app_starts_by_its_icon(phone: Phone, tell: Tell) -> None:
    x, y = phone.browser.evaluate(
        "(r => [r.x + r.width / 2, r.y + 20])(document.querySelector('[href=\"notes.html\"]').getBoundingClientRect())"
    )
    assert until(lambda: tell(f"input tap {x * 2.625:.0f} {y * 2.625:.0f}") and front(phone) == "Notes")


@pytest.mark.parametrize(
    "line",
    [
        "am start -n com.example.notes/.NotesActivity",
        f"am start {LAUNCHABLE} -n com.example.notes/com.example.notes.NotesActivity",
        "am start -W com.example.notes",
        "monkey -p com.example.notes -c android.intent.category.LAUNCHER 1",
        "cmd activity start-activity -p com.example.notes",
    ],
)
def test_an_app_starts_by_command(phone: Phone, tell: Tell, line: str) -> None:
    assert tell(line)[0] == 0
    assert front(phone) == "Notes"


def test_an_app_that_is_in_front_is_not_started_again(phone: Phone, tell: Tell) -> None:
    tell("am start -n com.example.notes/.NotesActivity")
    # What is tapped before the app has been drawn is lost.
    assert until(lambda: tell("input tap 500 600") and "mInputShown=true" in tell("dumpsys input_method")[1])
    tell("input text kept")
    assert "currently running top-most" in tell("am start -n com.example.notes/.NotesActivity")[2]
    assert phone.browser.evaluate("document.querySelector('textarea').value") == "kept"


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("am start -n com.none/.Main", 1, "Activity class {com.none/com.none.Main} does not exist"),
        ("am start -n com.example.notes/.Other", 1, "does not exist"),
        ("am start -a android.intent.action.VIEW -d tel:123", 1, "unable to resolve Intent"),
        ("am start -n", 255, 'Argument expected after "-n"'),
        ("am start -q", 255, "Unknown option: -q"),
        ("am sing", 255, "Unknown command: sing"),
        ("am force-stop", 255, "Argument expected"),
        ("monkey -p com.none 1", 252, "No activities found to run"),
        ("cmd nosuch", 20, "Can't find service: nosuch"),
    ],
)
def test_what_cannot_be_started_is_told(phone: Phone, tell: Tell, line: str, status: int, says: str) -> None:
    found, out, err = tell(line)
    assert found == status
    assert says in out + err
    assert front(phone) == "Home"


def test_web_pages_open_in_the_browser(phone: Phone, adb: Adb, site: Site, tell: Tell) -> None:
    site.pages["/page"] = "<title>Page</title><a id=next href=/next>next</a>"
    site.pages["/next"] = "<title>Next</title>"
    said = adb.shell(f"am start -a android.intent.action.VIEW -d '{site.url('/page')}?a=1&b=2'")
    assert said.startswith("Starting: Intent { act=android.intent.action.VIEW dat=http://127.0.0.1:")
    assert until(lambda: title(phone) == "Page")
    assert phone.browser.evaluate("location.search") == "?a=1&b=2"
    assert front(phone) == "Browser"
    phone.browser.evaluate("document.getElementById('next').click()")
    assert until(lambda: title(phone) == "Next")
    tell("input keyevent BACK")
    assert until(lambda: title(phone) == "Page")
    tell("input keyevent BACK")
    assert front(phone) == "Home"


def test_a_page_that_is_not_there_is_the_browsers_own_trouble(phone: Phone, site: Site, tell: Tell) -> None:
    site.pages["/page"] = "<title>Page</title>"
    assert tell("am start -a android.intent.action.VIEW -d http://127.0.0.1:1/")[0] == 0
    assert until(lambda: front(phone) == "Browser")
    assert tell(f"am start -d {site.url('/page')}")[0] == 0
    assert until(lambda: title(phone) == "Page")


def test_a_new_tab_fills_the_screen_and_back_closes_it(phone: Phone, site: Site, tell: Tell) -> None:
    site.pages["/one"] = "<title>One</title><a href=/two target=_blank style='font-size:90px'>two</a>"
    site.pages["/two"] = (
        "<title>Two</title><body style='margin:0;height:100vh;background:lime' ontouchstart='window.touched=1'>"
    )
    tell(f"am start -d {site.url('/one')}")
    assert until(lambda: title(phone) == "One")
    phone.browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    tell("input tap 150 100")
    assert until(lambda: title(phone) == "Two")
    assert until(lambda: set(map(phone.handset.picture().getpixel, ((1, 1), (1078, 2338)))) == {(0, 255, 0)})
    tell("input tap 10 10")
    assert until(lambda: phone.browser.evaluate("window.touched") == 1)
    tell("wm user-rotation lock 1")
    assert until(lambda: phone.handset.picture().getpixel((2338, 1078)) == (0, 255, 0))
    tell("input keyevent BACK")
    assert title(phone) == "One"
    assert until(lambda: phone.handset.picture().getpixel((2338, 1078)) == (255, 255, 255))


def test_apps_are_left_and_found_again_as_they_were(phone: Phone, site: Site, tell: Tell) -> None:
    site.pages["/page"] = "<title>Page</title>"
    tell(f"am start -d {site.url('/page')}")
    tell("am start -n com.example.clock/.ClockActivity")
    tell("input keyevent HOME")
    assert front(phone) == "Home"
    tell("input keyevent KEYCODE_APP_SWITCH")
    labels = phone.browser.evaluate("[...document.querySelectorAll('a')].map(a => a.textContent)")
    assert labels == ["Clock", "Browser"]
    tell(f"monkey -p {BROWSER.package} 1")
    assert until(lambda: title(phone) == "Page")
    tell(f"am force-stop {BROWSER.package}")
    assert front(phone) == "Home"
    tell(f"monkey -p {BROWSER.package} 1")
    assert title(phone) == "Browser"


def test_every_app_has_a_page_of_its_own() -> None:
    assert all((FOLDER / app.page).is_file() for app in APPS)
    for app in APPS:
        assert app_at(app.url) is app
        assert by_component(app.component) is app
    assert app_at("http://127.0.0.1/notes.html") is BROWSER
    assert app_at("file:///elsewhere/notes.html") is BROWSER
    assert by_component("com.example.notes/.Nothing") is None


def test_packages_are_listed(adb: Adb) -> None:
    every = set(adb.shell("pm list packages").split())
    own = set(adb.shell("cmd package list packages -3").split())
    assert {f"package:{app.package}" for app in APPS} < every
    assert own == {f"package:{app.package}" for app in APPS if not app.system} | {"package:com.android.adbkeyboard"}
    assert set(adb.shell("pm list packages -s").split()) == every - own
    assert adb.shell("pm list packages clock").split() == ["package:com.example.clock", "package:com.example.clockplus"]
    assert adb.shell("pm path com.example.notes") == "package:/data/app/com.example.notes-1/base.apk\n"
    assert adb("shell", "pm path com.none").returncode == 1
    assert adb.shell("pm clear com.example.clock") == "Success\n"


def test_activities_are_found(adb: Adb) -> None:
    brief = adb.shell(f"cmd package resolve-activity --brief {LAUNCHABLE} com.example.notes")
    assert brief.splitlines()[-1] == "com.example.notes/.NotesActivity"
    home = adb.shell(f"cmd package resolve-activity --brief {LAUNCHABLE.replace('LAUNCHER', 'HOME')}")
    assert home.splitlines()[-1] == LAUNCHER.component
    assert adb.shell("cmd package resolve-activity --brief com.none") == "No activity found\n"
    listed = adb.shell(f"cmd package query-activities --components {LAUNCHABLE}").split()
    assert set(listed) == {app.component for app in APPS if app is not LAUNCHER}
    full = adb.shell(f"cmd package query-activities {LAUNCHABLE}")
    assert full.startswith("6 activities found:")
    assert full.count("nonLocalizedLabel=Clock Plus ") == 2


def test_adbutils_understands_what_it_is_told(phone: Phone, adb: Adb) -> None:
    device = adbutils.AdbClient("127.0.0.1", adb.server.port).device(adb.serial)
    device.app_start("com.example.clock")
    now: Any = device.app_current()
    assert (now.package, now.activity) == ("com.example.clock", "com.example.clock.ClockActivity")
    assert device.window_size() == (1080, 2340)
    assert device.rotation() == 0
    assert device.is_screen_on()
    assert device.prop.model == phone.options.name
    assert device.getprop("ro.build.version.sdk") == "34"
    info = device.app_info("com.example.clock")
    assert info is not None
    assert info.version_name == "1.0"
    assert device.battery().level == 100
    assert "com.example.bank" in device.list_packages(["-3"])
    device.app_stop("com.example.clock")
    assert device.app_current().package == LAUNCHER.package


def test_properties_and_settings(adb: Adb, phone: Phone) -> None:
    assert adb.shell("getprop ro.serialno").strip() == phone.options.serial
    assert f"[ro.serialno]: [{phone.options.serial}]" in adb.shell("getprop")
    assert adb.shell("getprop no.such instead") == "instead\n"
    assert adb.shell("settings get global guikv_test") == "null\n"
    adb.shell("settings put global guikv_test 'two words'")
    assert adb.shell("settings get global guikv_test") == "two words\n"
    assert "guikv_test=two words" in adb.shell("settings list global")
    assert adb.shell("settings delete global guikv_test") == "Deleted 1 rows\n"
    assert adb.shell("settings delete global guikv_test") == "Deleted 0 rows\n"
    assert b"Invalid namespace" in adb("shell", "settings get nowhere x").stderr
    assert adb("shell", "settings put global x").returncode == 255


def test_dumpsys_of_something_unknown(tell: Tell) -> None:
    assert tell("dumpsys nosuch")[1] == "Can't find service: nosuch\n"
    assert tell("dumpsys package com.none")[1] == "Unable to find package: com.none\n"
