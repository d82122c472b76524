"""Navigation, tabs, dialogs, downloads, and waiting for pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envs.actions import Back, Click, Forward, Keys, Navigate, SystemButton
from envs.base import ActionFailed, Blocked, SetupError
from envs.browser import Browser, BrowserOptions, DialogPolicy
from envs.browser.downloads import free_path, safe_name
from tests.envs.conftest import Site
from tests.patience import until

Show = Callable[[str], Browser]
BIG = "position:absolute;left:0;top:0;width:400px;height:300px"


def kinds(events: tuple[Any, ...]) -> list[str]:
    return [event.kind for event in events]


def test_context_after_navigating(browser: Browser, site: Site) -> None:
    site.pages["/"] = "<title>Here &amp; now</title>"
    browser.execute(Navigate(url=f"127.0.0.1:{site.port}/"))
    assert browser.context() == {"url": site.url(), "host": "127.0.0.1", "title": "Here & now"}


def test_back_and_forward(browser: Browser, site: Site) -> None:
    site.pages.update({"/a": "<title>a</title>", "/b": "<title>b</title>"})
    with pytest.raises(ActionFailed, match="no page before"):
        browser.execute(SystemButton(button="back"))
    browser.execute(Navigate(url=site.url("/a")))
    browser.execute(Navigate(url=site.url("/b")))
    browser.execute(Back())
    assert browser.context()["title"] == "a"
    browser.execute(Keys(keys=("alt", "right")))
    assert browser.context()["title"] == "b"
    browser.execute(SystemButton(button="back"))
    browser.execute(Forward())
    assert browser.context()["title"] == "b"
    with pytest.raises(ActionFailed, match="no page after"):
        browser.execute(Forward())


def test_home_is_the_first_page(site: Site) -> None:
    site.pages.update({"/": "<title>first</title>", "/b": "<title>b</title>"})
    with Browser.launch(BrowserOptions(url=site.url(), viewport=(200, 200))) as browser:
        assert browser.context()["title"] == "first"
        browser.execute(Navigate(url=site.url("/b")))
        browser.execute(SystemButton(button="home"))
        assert browser.context()["title"] == "first"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "empty"),
        ("buy milk", "not a web address"),
        ("http://no-such-host.invalid/", "could not be opened"),
        ("http://127.0.0.1:9/", "could not be opened"),
    ],
)
def test_bad_addresses(browser: Browser, url: str, message: str) -> None:
    with pytest.raises(ActionFailed, match=message):
        browser.execute(Navigate(url=url))


@pytest.mark.parametrize("url", ["file:///etc/hostname", "javascript:alert(1)", "chrome://version", "view-source:x"])
def test_forbidden_schemes(browser: Browser, url: str) -> None:
    with pytest.raises(Blocked):
        browser.execute(Navigate(url=url))


def test_a_page_that_never_answers(site: Site) -> None:
    def slow() -> str:
        time.sleep(1.5)
        return "late"

    site.pages["/slow"] = slow
    with Browser.launch(BrowserOptions(viewport=(200, 200), load_seconds=0.5)) as browser:
        with pytest.raises(ActionFailed, match="did not load within"):
            browser.execute(Navigate(url=site.url("/slow")))
        assert browser.screenshot().image.size == (200, 200)


def test_settling_waits_for_the_page_that_a_click_opens(browser: Browser, site: Site) -> None:
    def slow() -> str:
        time.sleep(0.6)
        return "<title>late</title>"

    site.pages.update({"/": f"<a href=/slow style='{BIG}'>x</a>", "/slow": slow})
    browser.execute(Navigate(url=site.url()))
    browser.settle()
    browser.execute(Click(x=10, y=10))
    browser.settle()
    assert browser.context()["title"] == "late"


def test_settling_is_bounded_and_quick_on_still_pages(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    still = show("<p>still</p>")
    assert still.settle() < still.options.stable_seconds
    moving = show("<p id=p></p><script>setInterval(() => p.textContent = Math.random(), 5)</script>")
    monkeypatch.setattr(moving, "options", replace(moving.options, stable_seconds=1.5))
    assert moving.settle() > 1.3


def test_new_tabs_are_followed_and_closed_ones_fall_back(browser: Browser, site: Site) -> None:
    site.pages["/"] = f"<title>one</title><a target=_blank href=/two style='{BIG}'>x</a>"
    site.pages["/two"] = f"<title>two</title><button onclick='window.close()' style='{BIG}'>x</button>"
    browser.execute(Navigate(url=site.url()))
    seen = list(browser.execute(Click(x=10, y=10)))
    browser.settle()
    assert "new_tab" in kinds((*seen, *browser.events()))
    assert browser.context()["title"] == "two"
    browser.screenshot()
    browser.execute(Keys(keys=("ctrl", "tab")))
    assert browser.context()["title"] == "one"
    browser.execute(Keys(keys=("ctrl", "shift", "tab")))
    assert browser.context()["title"] == "two"
    browser.execute(Keys(keys=("ctrl", "w")))
    assert browser.context()["title"] == "one"


def test_a_tab_that_closes_itself(show: Show) -> None:
    browser = show(f"<button style='{BIG}' onclick=\"window.open('about:blank')\">x</button>")
    browser.execute(Click(x=10, y=10))
    browser.settle()
    browser.evaluate(f"document.body.innerHTML = `<button style='{BIG}' onclick='window.close()'>y</button>`")
    browser.screenshot()
    events = list(browser.execute(Click(x=10, y=10)))
    browser.settle()
    assert "tab_closed" in kinds((*events, *browser.events()))
    assert browser.evaluate("document.querySelector('button').textContent") == "x"


def test_the_last_tab_may_be_closed(browser: Browser) -> None:
    browser.execute(Keys(keys=("ctrl", "w")))
    assert browser.screenshot().image.size == (400, 300)
    assert browser.context()["url"] == "about:blank"


def test_popups_with_a_size_of_their_own(show: Show) -> None:
    browser = show(
        f"<button style='{BIG}' onclick=\"window.open('about:blank', '', 'width=220,height=170')\">x</button>"
    )
    browser.execute(Click(x=10, y=10))
    browser.settle()
    picture = browser.screenshot()
    width, height = browser.evaluate("[innerWidth, innerHeight]")
    assert picture.image.size == (width, height)


@pytest.mark.parametrize(
    ("script", "answer", "result"),
    [
        ("alert('A!')", "accept", None),
        ("confirm('A!')", "dismiss", False),
        ("prompt('A!', 'd')", "dismiss", None),
    ],
)
def test_dialogs_are_answered_and_recorded(show: Show, script: str, answer: str, result: object) -> None:
    browser = show(f"<button style='{BIG}' onclick=\"window.r = {script}\">x</button>")
    (event,) = browser.execute(Click(x=10, y=10))
    assert event.kind == "dialog"
    assert event.detail == {"type": script.partition("(")[0], "message": "A!", "answer": answer}
    assert browser.evaluate("window.r") == result


def test_dialogs_by_policy() -> None:
    policy = DialogPolicy(confirm="accept", prompt="accept", prompt_text="typed")
    with Browser.launch(BrowserOptions(viewport=(200, 200), dialogs=policy)) as browser:
        assert browser.evaluate("confirm('x')") is True
        assert browser.evaluate("prompt('x')") == "typed"


def test_a_dialog_while_nobody_calls_does_not_hang(show: Show) -> None:
    browser = show("<script>setTimeout(() => { alert('late'); window.went = 1; }, 50)</script>")
    assert until(lambda: browser.evaluate("window.went") == 1)
    assert kinds(browser.events()) == ["dialog"]


def test_leaving_a_page_is_not_held_up(show: Show, site: Site) -> None:
    site.pages["/"] = "<title>next</title>"
    browser = show("<script>onbeforeunload = (event) => { event.preventDefault(); return 'stay'; }</script><input>")
    browser.execute(Click(x=10, y=10))
    events = browser.execute(Navigate(url=site.url()))
    assert browser.context()["title"] == "next"
    assert [event.detail["type"] for event in events] == ["beforeunload"]


def test_downloads_are_saved_and_recorded(tmp_path: Path, site: Site) -> None:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": 'attachment; filename="../a b.bin"',
    }
    site.pages.update({"/": f"<a href=/file style='{BIG}'>x</a>", "/file": (200, headers, b"\0\1\2")})
    with Browser.launch(BrowserOptions(url=site.url(), viewport=(200, 200), downloads=tmp_path / "d")) as browser:
        events = []
        for _ in range(2):
            events += browser.execute(Click(x=10, y=10))
            browser.settle()
            events += browser.events()
        events += browser.execute(Navigate(url=site.url("/file")))
        browser.settle()
        events += browser.events()
        assert browser.context()["url"] == site.url()
    saved = [event.detail for event in events if event.kind == "download"]
    assert len(saved) == 3
    assert {Path(str(d["path"])).read_bytes() for d in saved} == {b"\0\1\2"}
    assert {Path(str(d["path"])).parent for d in saved} == {tmp_path / "d"}
    assert len({d["path"] for d in saved}) == 3


@pytest.mark.parametrize(
    ("suggested", "expected"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\x.exe", "x.exe"),
        (".bashrc", "bashrc"),
        ("", "download"),
        ("..", "download"),
        ("a\n:b", "a__b"),
        ("y" * 300 + ".pdf", "y" * 116 + ".pdf"),
    ],
)
def test_file_names(suggested: str, expected: str) -> None:
    assert safe_name(suggested) == expected


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    for expected in ("a.txt", "a (2).txt", "a (3).txt"):
        path = free_path(tmp_path, "a.txt")
        assert path.name == expected
        path.touch()


def test_file_choosers_are_recorded(show: Show) -> None:
    browser = show("<input type=file id=f>")
    x, y = browser.evaluate("(() => { const r = f.getBoundingClientRect(); return [r.x + 10, r.y + 10]; })()")
    events = list(browser.execute(Click(x=x, y=y)))
    browser.settle()
    assert "file_chooser" in kinds((*events, *browser.events()))


@pytest.mark.parametrize("url", ["not an address", "http://127.0.0.1:9/", "file:///etc/hostname"])
def test_a_first_page_that_cannot_be_opened(url: str) -> None:
    with pytest.raises(SetupError, match="first page"):
        Browser.launch(BrowserOptions(url=url))
