"""Looking and acting on a real screen: what is seen, where it is, and what each action does to a program."""

from __future__ import annotations

import dataclasses
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from Xlib import X
from Xlib.display import Display

from envs import processes
from envs.actions import (
    Action,
    Answer,
    Click,
    Drag,
    KeyDown,
    Keys,
    KeyUp,
    LongPress,
    Move,
    Navigate,
    Scroll,
    Swipe,
    SystemButton,
    Type,
    load_action,
)
from envs.base import ActionFailed, Environment, ScreenshotError, SetupError, UnsupportedAction
from envs.browser import Browser, BrowserOptions
from envs.desktop import Desktop, DesktopOptions, Sandbox, SandboxOptions
from envs.desktop.checks import findings
from envs.geometry import Size, Viewport
from tests.envs.desktop.conftest import SIZE
from tests.patience import PATIENCE, until

_PAGE = """() => {
    document.title = 'recorder';
    document.body.style.cssText = 'margin:0;width:4000px;height:4000px;background:#fff';
    document.body.innerHTML = '<input id=field style="position:fixed;left:300px;top:300px;width:200px">';
    window.seen = [];
    window.moves = 0;
    if (window.ready) return;
    window.ready = true;
    const note = e => seen.push([e.type, e.button ?? e.key, e.clientX, e.clientY, e.detail]);
    for (const kind of ['mousedown', 'mouseup', 'dblclick', 'contextmenu', 'keydown', 'keyup'])
        addEventListener(kind, e => { note(e); if (kind === 'contextmenu') e.preventDefault(); });
    addEventListener('mousedown', () => { window.down = performance.now(); });
    addEventListener('mouseup', () => { window.lasted = performance.now() - down; });
    addEventListener('mousemove', () => { moves++; });
}"""

_AT_REST = """() => {
    scrollTo(1000, 1000);
    return new Promise(done => setTimeout(() => done(scrollX === 1000 && scrollY === 1000), 150));
}"""


@pytest.fixture(scope="module")
def page(sandbox: Sandbox) -> Iterator[Browser]:
    with Browser.launch(BrowserOptions(display=sandbox.display, headless=False, kiosk=True)) as browser:
        yield browser


@pytest.fixture
def screen(page: Browser, desktop: Desktop) -> Desktop:
    """The desktop with a fresh page on it that writes down what it is given."""
    page.evaluate(_PAGE)
    # A scroll of the test before may still be gliding on.
    assert until(lambda: bool(page.evaluate(_AT_REST)))
    desktop.settle()
    desktop.screenshot()
    return desktop


def seen(page: Browser, kind: str) -> list[list[object]]:
    return [event[1:] for event in page.evaluate("seen") if event[0] == kind]


def expect(page: Browser, kind: str, *wanted: list[object]) -> None:
    until(lambda: len(seen(page, kind)) >= len(wanted))
    assert [event[: len(first)] for event, first in zip(seen(page, kind), wanted, strict=True)] == list(wanted)


def test_it_is_an_environment(desktop: Desktop) -> None:
    assert isinstance(desktop, Environment)
    assert desktop.verdict() is None
    shot = desktop.screenshot()
    assert shot.image.mode == "RGB"
    assert shot.image.size == SIZE
    assert shot.viewport == Viewport(Size(*SIZE), Size(*SIZE))


@pytest.mark.parametrize(("button", "number"), [("left", 0), ("middle", 1), ("right", 2)])
def test_buttons(screen: Desktop, page: Browser, button: str, number: int) -> None:
    screen.execute(load_action({"type": "click", "x": 100.9, "y": 50, "button": button}))
    expect(page, "mousedown", [number, 100, 50, 1])
    expect(page, "mouseup", [number, 100, 50])
    assert len(seen(page, "contextmenu")) == (number == 2)


def test_double_and_triple_click_and_a_corner(screen: Desktop, page: Browser) -> None:
    screen.execute(Click(x=100, y=50, count=2))
    expect(page, "dblclick", [0, 100, 50])
    screen.execute(Click(x=0, y=0, count=3))
    expect(page, "mousedown", [0, 100, 50, 1], [0, 100, 50, 2], [0, 0, 0, 1], [0, 0, 0, 2], [0, 0, 0, 3])


@pytest.mark.parametrize(
    ("action", "last"),
    [
        (Drag(path=((10, 10), (200, 20), (50, 90))), [0, 50, 90]),
        (Swipe(x=10, y=10, x2=300, y2=200, seconds=0.2), [0, 300, 200]),
    ],
    ids=["drag", "swipe"],
)
def test_drags(screen: Desktop, page: Browser, action: Action, last: list[object]) -> None:
    screen.execute(action)
    expect(page, "mousedown", [0, 10, 10])
    expect(page, "mouseup", last)
    assert page.evaluate("moves") >= 10


def test_long_press_and_move(screen: Desktop, page: Browser) -> None:
    screen.execute(Move(x=700, y=400))
    screen.execute(LongPress(x=60, y=70, seconds=0.5))
    expect(page, "mouseup", [0, 60, 70])
    assert page.evaluate("lasted") >= 450


@pytest.mark.parametrize(
    ("direction", "axis", "sign"), [("down", 1, 1), ("up", 1, -1), ("right", 0, 1), ("left", 0, -1)]
)
def test_scroll(screen: Desktop, page: Browser, direction: str, axis: int, sign: int) -> None:
    screen.execute(load_action({"type": "scroll", "direction": direction, "amount": 3}))
    assert until(lambda: sign * (page.evaluate("[scrollX, scrollY]")[axis] - 1000) > 50)
    assert page.evaluate("[scrollX, scrollY]")[1 - axis] == 1000


def test_keys(screen: Desktop, page: Browser) -> None:
    screen.execute(Click(x=400, y=305))
    screen.execute(Type(text="one two"))
    screen.execute(Keys(keys=("Control", "A")))
    screen.execute(Keys(keys=("ctrl", "c")))
    screen.execute(Keys(keys=("end",)))
    screen.execute(Keys(keys=("ctrl", "v")))
    screen.execute(Keys(keys=("A",)))
    screen.execute(Keys(keys=("<",)))
    screen.execute(Keys(keys=("é",)))
    screen.execute(KeyDown(key="shift"))
    screen.execute(Keys(keys=("left",)))
    screen.execute(KeyUp(key="shift"))
    screen.execute(Keys(keys=("delete",)))
    assert until(lambda: page.evaluate("field.value") == "one twoone twoA<")
    screen.execute(SystemButton(button="enter"))
    screen.execute(Keys(keys=("F9",)))
    until(lambda: [event[0] for event in seen(page, "keydown")][-2:] == ["Enter", "F9"])
    assert [event[0] for event in seen(page, "keydown")][-2:] == ["Enter", "F9"]
    down = sorted(str(event[0]) for event in seen(page, "keydown"))
    assert until(lambda: sorted(str(event[0]) for event in seen(page, "keyup")) == down)


@pytest.mark.parametrize(
    ("action", "error", "said"),
    [
        (Click(x=1281, y=5), ActionFailed, r"\(1281, 5\) is outside the screen of 1280x800"),
        (Drag(path=((5, 5), (-3, 5))), ActionFailed, "outside"),
        (Keys(keys=("ctrl", "entr")), ActionFailed, "there is no key 'entr'; did you mean 'enter'"),
        (KeyDown(key="hyperdrive"), ActionFailed, "there is no key"),
        (Navigate(url="https://example.com"), UnsupportedAction, "a desktop cannot do 'navigate'"),
        (SystemButton(button="home"), UnsupportedAction, "no home button"),
        (Answer(text="x"), UnsupportedAction, "cannot do 'answer'"),
    ],
)
def test_what_cannot_be_done(screen: Desktop, page: Browser, action: Action, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        screen.execute(action)
    assert page.evaluate("seen") == []


def test_facts_for_approval(screen: Desktop) -> None:
    assert until(lambda: "recorder" in screen.context()["title"])
    assert "hrom" in screen.context()["window_class"]
    assert "recorder" in screen.describe_target(Click(x=100, y=100))
    assert "recorder" in screen.describe_target(Type(text="x"))
    assert screen.describe_target(Scroll(direction="down")) == ""


def test_settle_ends_though_the_picture_never_rests(sandbox: Sandbox, desktop: Desktop) -> None:
    display = Display(sandbox.display)
    window = display.screen().root.create_window(0, 0, 40, 40, 0, X.CopyFromParent, override_redirect=True)
    window.map()
    resting = threading.Event()

    def flicker() -> None:
        colour = 0
        while not resting.wait(0.003):
            colour = (colour + 0x010305) & 0xFFFFFF
            window.change_attributes(background_pixel=colour)
            window.clear_area()
            display.sync()

    thread = threading.Thread(target=flicker)
    thread.start()
    try:
        with Desktop.launch(dataclasses.replace(desktop.options, stable_seconds=2.0)) as short:
            assert short.settle() >= 2.0
    finally:
        resting.set()
        thread.join()
        window.destroy()
        display.close()


def test_no_such_monitor_region_or_window(sandbox: Sandbox) -> None:
    def launch(**options: object) -> None:
        Desktop.launch(dataclasses.replace(DesktopOptions(display=sandbox.display), **options))  # type: ignore[arg-type]

    with pytest.raises(SetupError, match=r"no monitor 3 \(monitors here: 1: 1280x800 at \(0, 0\)"):
        launch(monitor=3)
    with pytest.raises(SetupError, match="not all on the screen"):
        launch(region=(-5, 0, 100, 100))
    with pytest.raises(SetupError, match="not all on the screen"):
        launch(region=(1200, 0, 100, 100))
    with pytest.raises(SetupError, match=r"no window has 'no such title'.*windows here"):
        launch(window="no such title")


def test_a_window_that_goes(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "goes.txt"
    file.write_text("")
    process = sandbox.run(["l3afpad", str(file)])
    sandbox.wait_window("goes.txt")
    with Desktop.launch(DesktopOptions(display=sandbox.display, window="goes.txt")) as desktop:
        whole = desktop.screenshot().image.size
        subprocess.run(
            ["xdotool", "search", "--name", "goes.txt", "windowminimize"], env=sandbox.environment, check=True
        )

        def refused(said: str) -> bool:
            try:
                desktop.screenshot()
            except ScreenshotError as error:
                return said in str(error)
            return False

        assert until(lambda: refused("minimised"))
        subprocess.run(["wmctrl", "-a", "goes.txt"], env=sandbox.environment, check=True)
        assert until(lambda: not refused("minimised"))
        assert desktop.screenshot().image.size == whole
        processes.end(processes.tree([process.pid]))
        process.wait()
        assert until(lambda: refused("no window has 'goes.txt'"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"monitor": -1}, "monitor"),
        ({"region": (0, 0, 0, 5)}, "region"),
        ({"region": (0, 0, 5, 5), "window": "x"}, "not both"),
        ({"window": " "}, "part of a title"),
        ({"on_user_input": "laugh"}, "pause, ignore or stop"),
        ({"stop_key": "hyperdrive"}, "stop key: there is no key"),
        ({"quiet_seconds": -1}, "quiet_seconds"),
        ({"stable_seconds": 0}, "stable_seconds"),
    ],
)
def test_options_that_no_desktop_has(options: dict[str, object], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        DesktopOptions(**options)  # type: ignore[arg-type]


def test_people_can_look_on_and_do_nothing_more() -> None:
    import socket

    with Sandbox.start(SandboxOptions(size=(320, 240), watch=True)) as sandbox:
        assert sandbox.watch_port is not None
        with socket.create_connection(("127.0.0.1", sandbox.watch_port), timeout=PATIENCE) as viewer:
            assert viewer.recv(12).startswith(b"RFB 003")
        outside = socket.gethostbyname(socket.gethostname())
        if not outside.startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((outside, sandbox.watch_port), timeout=PATIENCE)
        watcher = next(row for row in processes.table() if row.pid in sandbox.pids and "x11vnc" in row.command)
        assert "-viewonly" in watcher.command


def test_programs_get_nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    monkeypatch.setenv("LANG", "C")
    options = SandboxOptions(size=(320, 240), environment={"GIVEN": "yes"})
    with Sandbox.start(options) as sandbox:
        assert sandbox.run(["sh", "-c", "env > $HOME/env.txt"]).wait(PATIENCE) == 0
        text = (sandbox.folder / "home" / "env.txt").read_text()
        assert "hidden" not in text
        assert "GIVEN=yes" in text
        assert "LC_ALL=C.UTF-8" in text
        assert f"HOME={sandbox.folder}/home" in text


def test_doctor(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    found = {finding.name: finding for finding in findings(DesktopOptions(display=sandbox.display))}
    assert all(finding.ok for finding in found.values())
    assert "1280x800 pixels" in found["display"].detail
    absent = {finding.name: finding for finding in findings(DesktopOptions())}
    assert not absent["display"].ok
    assert not absent["display"].required
    monkeypatch.setenv("PATH", "/nowhere")
    nothing = {finding.name: finding for finding in findings(DesktopOptions())}
    assert nothing["display"].required
    assert nothing["Xvfb"].fix == "sudo apt-get install xvfb"
