"""Everything that can die dies here: the promised error comes soon, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from envs import processes
from envs.actions import Click, KeyDown, Type, Wait
from envs.base import ActionFailed, EnvironmentDied, SetupError
from envs.desktop import Desktop, DesktopOptions, Sandbox, SandboxOptions
from envs.desktop.link import Link
from envs.xvfb import Xvfb
from tests.leftovers import running, since
from tests.patience import until

SMALL = SandboxOptions(size=(320, 240))


def gone(pids: set[int] | frozenset[int]) -> bool:
    return until(lambda: not pids & {row.pid for row in processes.table()})


def server_of(sandbox: Sandbox) -> int:
    """Id of the X server."""
    (pid,) = [row.pid for row in processes.table() if row.pid in sandbox.pids and "Xvfb" in row.command]
    return pid


def groups(pids: frozenset[int]) -> set[int]:
    """Process groups of these processes."""
    return {os.getpgid(pid) for pid in pids}


def members(of: set[int]) -> set[int]:
    """All processes of these groups."""
    found = set()
    for row in processes.table():
        try:
            if os.getpgid(row.pid) in of:
                found.add(row.pid)
        except ProcessLookupError:
            continue
    return found


def test_closing_leaves_nothing(before: set[int]) -> None:
    with Sandbox.start(SMALL) as sandbox:
        sandbox.run(["l3afpad"])
        sandbox.wait_window("Untitled")
        # Its own session, a shell that is gone, a parent that is no longer ours.
        sandbox.run(["setsid", "sh", "-c", "sleep 1000 & exec sleep 0.1"])
        assert until(lambda: any("sleep 1000" in row.command for row in processes.table() if row.pid in sandbox.pids))
        with Desktop.launch(sandbox=sandbox) as desktop:
            desktop.screenshot()
            everything, folder = sandbox.pids, sandbox.folder
            of = groups(everything)
            assert len(everything) >= 5
        assert gone(everything)
        assert members(of) == set()
        assert not folder.exists()
    assert gone(since(before))
    desktop.close()
    sandbox.close()
    with pytest.raises(EnvironmentDied, match="has been closed"):
        desktop.screenshot()


def test_a_killed_x_server(before: set[int]) -> None:
    sandbox = Sandbox.start(SMALL)
    with Desktop.launch(sandbox=sandbox) as desktop:
        desktop.screenshot()
        everything = sandbox.pids
        os.kill(server_of(sandbox), signal.SIGKILL)
        for do in (
            desktop.screenshot,
            desktop.settle,
            desktop.context,
            lambda: desktop.execute(Click(x=5, y=5)),
            lambda: desktop.execute(Type(text="x")),
        ):
            with pytest.raises(EnvironmentDied):
                do()
    assert gone(everything | since(before))


def execute_and_look(desktop: Desktop, action: Wait | Type, killer: threading.Timer) -> None:
    """Nobody notices while waiting, so the next look does."""
    desktop.execute(action)
    killer.join()
    desktop.screenshot()


@pytest.mark.parametrize("action", [Wait(seconds=1), Type(text="好" * 3000)], ids=lambda action: action.type)
def test_an_x_server_killed_in_the_middle_of_an_action(before: set[int], action: Wait | Type) -> None:
    sandbox = Sandbox.start(SMALL)
    with Desktop.launch(sandbox=sandbox) as desktop:
        sandbox.run(["l3afpad"])
        sandbox.wait_window("Untitled")
        desktop.screenshot()
        killer = threading.Timer(0.3, os.kill, (server_of(sandbox), signal.SIGKILL))
        killer.start()
        with pytest.raises(EnvironmentDied):
            execute_and_look(desktop, action, killer)
    assert gone(since(before))


def test_an_x_server_that_hangs(before: set[int]) -> None:
    sandbox = Sandbox.start(SMALL)
    with Desktop.launch(DesktopOptions(reply_seconds=60.0), sandbox) as desktop:
        desktop.screenshot()
        desktop.options = replace(desktop.options, reply_seconds=1.0)
        os.kill(server_of(sandbox), signal.SIGSTOP)
        with pytest.raises(EnvironmentDied, match="did not answer within 1 s"):
            desktop.screenshot()
        with pytest.raises(EnvironmentDied, match="did not answer"):
            desktop.execute(Click(x=5, y=5))
    assert gone(since(before))


def test_a_program_that_takes_nothing_in(before: set[int], tmp_path: Path) -> None:
    """Text for a window that hangs is no end: the model is told, and what follows works."""
    with Sandbox.start(SMALL) as sandbox, Desktop.launch(DesktopOptions(display=sandbox.display)) as desktop:
        process = sandbox.run(["l3afpad"])
        sandbox.wait_window("Untitled")
        assert until(lambda: "Untitled" in desktop.context()["title"])
        desktop.screenshot()
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(ActionFailed, match="did not take in the text within 5 s"):
            desktop.execute(Type(text="lost"))
        os.kill(process.pid, signal.SIGCONT)
        desktop.execute(Type(text="kept 好"))
    assert gone(since(before))


def test_what_takes_too_long_is_broken_off() -> None:
    config = {"monitor": 1, "on_user_input": "ignore", "stop_chord": [], "stop_hold_seconds": 1.0}
    with Xvfb((320, 240)) as server:
        link = Link(config, {**os.environ, "DISPLAY": server.display})
        try:
            with pytest.raises(ActionFailed, match=r"took longer than 0.2 s"):
                link.ask("wait", 0.2, seconds=30.0)
            assert link.ask("shot", 60)[0]["size"] == [320, 240]
        finally:
            link.close()


def test_a_killed_worker(before: set[int]) -> None:
    with Xvfb((320, 240)) as server, Desktop.launch(DesktopOptions(display=server.display)) as desktop:
        (worker,) = [row.pid for row in processes.table() if row.pid in running() and "desktop.worker" in row.command]
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(EnvironmentDied):
            desktop.screenshot()
    assert gone(since(before))


def test_a_killed_application_is_no_end() -> None:
    with Sandbox.start(SMALL) as sandbox, Desktop.launch(DesktopOptions(display=sandbox.display)) as desktop:
        process = sandbox.run(["l3afpad"])
        sandbox.wait_window("Untitled")
        desktop.screenshot()
        process.kill()
        process.wait()
        assert until(lambda: sandbox.titles() == [])
        desktop.execute(Click(x=100, y=100))
        desktop.settle()
        assert desktop.screenshot().image.size == (320, 240)


def test_an_agent_that_is_killed(tmp_path: Path) -> None:
    """The one end that it cannot see coming: all of the sandbox ends with it all the same."""
    script = textwrap.dedent(
        """
        import sys, time
        from envs.actions import KeyDown
        from envs.desktop import Desktop, Sandbox, SandboxOptions
        sandbox = Sandbox.start(SandboxOptions(size=(320, 240)))
        sandbox.run(["l3afpad"])
        sandbox.wait_window("Untitled")
        desktop = Desktop.launch(sandbox=sandbox)
        desktop.execute(KeyDown(key="shift"))
        print(sandbox.folder, *sandbox.pids, flush=True)
        time.sleep(1000)
        """
    )
    root = Path(__file__).parents[3]
    agent = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert agent.stdout is not None
    folder, *numbers = agent.stdout.readline().decode().split()
    below = processes.tree([agent.pid])
    assert len(numbers) >= 4
    agent.kill()
    agent.wait()
    agent.stdout.close()
    assert gone(below | {int(number) for number in numbers})
    assert until(lambda: not Path(folder).exists())


def test_held_keys_go_up_at_the_end() -> None:
    with Xvfb((320, 240)) as server:
        with Desktop.launch(DesktopOptions(display=server.display)) as desktop:
            desktop.execute(KeyDown(key="ctrl"))
            desktop.execute(KeyDown(key="a"))
            assert len(_pressed(server)) == 2
        assert _pressed(server) == set()


def _pressed(server: Xvfb) -> set[int]:
    from Xlib.display import Display

    display = Display(server.display)
    try:
        states = display.query_keymap()
    finally:
        display.close()
    return {code for code in range(256) if states[code // 8] >> code % 8 & 1}


def test_no_display(monkeypatch: pytest.MonkeyPatch, before: set[int]) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SetupError, match=r"no display.*--sandbox"):
        Desktop.launch()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(SetupError, match="Wayland without X"):
        Desktop.launch()
    with pytest.raises(SetupError, match="no X server answers at :987"):
        Desktop.launch(DesktopOptions(display=":987"))
    with pytest.raises(SetupError, match="no X server answers"):
        Desktop.launch(DesktopOptions(display="nonsense"))
    assert gone(since(before))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("/nowhere/program",), "does not start"),
        (("sh", "-c", "echo it is broken >&2; exit 3"), "ended at once with 3: it is broken"),
    ],
)
def test_commands_that_show_nothing(before: set[int], command: tuple[str, ...], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        Sandbox.start(replace(SMALL, command=command))
    assert gone(since(before))


def test_a_command_that_ends_and_shows_nothing(before: set[int]) -> None:
    with Sandbox.start(SMALL) as sandbox:
        sandbox.options = replace(SMALL, command=("true",), start_seconds=1)
        with pytest.raises(SetupError, match="showed no window within 1 s"):
            sandbox._first_window(sandbox.run(["true"]))
    assert gone(since(before))


_SLOW = """
import sys, time
from Xlib import X
from Xlib.display import Display
display = Display()
screen = display.screen()
window = screen.root.create_window(0, 0, 200, 100, 0, screen.root_depth, background_pixel=screen.white_pixel)
window.set_wm_name("slow")
window.map()
display.sync()
time.sleep(float(sys.argv[1]))
context = window.create_gc(foreground=0xff0000)
for _ in range(1000):
    window.fill_rectangle(context, 10, 10, 50, 50)
    display.sync()
    time.sleep(1)
"""


def test_a_window_is_waited_for_until_it_has_drawn() -> None:
    command = (sys.executable, "-c", _SLOW, "1.5")
    with (
        Sandbox.start(replace(SMALL, command=command)) as sandbox,
        Desktop.launch(DesktopOptions(display=sandbox.display, window="slow")) as desktop,
    ):
        assert desktop.screenshot().image.getpixel((20, 20)) == (255, 0, 0)


def test_a_window_that_stays_of_one_colour_is_there_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envs.desktop.sandbox._BLANK_SECONDS", 0.5)
    with Sandbox.start(replace(SMALL, command=(sys.executable, "-c", _SLOW, "1000"))) as sandbox:
        assert sandbox.titles() == ["slow"]


@pytest.mark.parametrize("program", ["Xvfb", "openbox", "dbus-daemon", "x11vnc"])
def test_missing_programs(program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for other in {"Xvfb", "openbox", "dbus-daemon", "x11vnc"} - {program}:
        (tmp_path / other).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=f"needs {program}") as caught:
        Sandbox.start(SandboxOptions(watch=True))
    assert "apt-get install" in caught.value.hint
