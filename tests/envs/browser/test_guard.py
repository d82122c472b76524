"""An allow-list holds, whatever way a page takes to leave it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from envs.actions import Click, Navigate
from envs.base import Blocked, SetupError
from envs.browser import Browser, BrowserOptions
from tests.envs.conftest import Site

BIG = "position:absolute;left:0;top:0;width:200px;height:200px"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Browser]:
    with Browser.launch(BrowserOptions(viewport=(200, 200), allow_hosts=("127.0.0.1",))) as browser:
        yield browser


def home(browser: Browser, site: Site, body: str) -> None:
    site.pages["/"] = f"<title>home</title>{body}"
    browser.execute(Navigate(url=site.url()))
    browser.settle()
    browser.events()
    site.asked.clear()


def after(browser: Browser) -> list[str]:
    events = browser.execute(Click(x=10, y=10))
    browser.settle()
    return [event.kind for event in (*events, *browser.events())]


def test_navigating_elsewhere_is_refused(guarded: Browser, site: Site) -> None:
    home(guarded, site, "")
    with pytest.raises(Blocked, match="localhost is not on the list"):
        guarded.execute(Navigate(url=site.url(host="localhost")))
    assert guarded.context()["title"] == "home"
    assert site.asked == []


def test_navigating_to_a_redirect_is_refused(guarded: Browser, site: Site) -> None:
    home(guarded, site, "")
    site.pages["/redirect"] = (302, {"Location": site.url("/x", "localhost")}, "")
    with pytest.raises(Blocked, match="localhost is not on the list"):
        guarded.execute(Navigate(url=site.url("/redirect")))
    assert guarded.context()["title"] == "home"
    assert "localhost" not in site.hosts_asked()


WAYS = {
    "link": "<a href='{evil}' style='{big}'>x</a>",
    "script": "<button style='{big}' onclick=\"location.href = '{evil}'\">x</button>",
    "form": "<form action='{evil}'><button style='{big}'>x</button></form>",
    "redirect": "<a href='/redirect' style='{big}'>x</a>",
    "new tab": "<a target=_blank href='{evil}' style='{big}'>x</a>",
    "popup": "<button style='{big}' onclick=\"window.open('{evil}')\">x</button>",
    "redirected popup": "<button style='{big}' onclick=\"window.open('/redirect')\">x</button>",
    "frame": "<button style='{big}' onclick=\"document.body.innerHTML += '<iframe src={evil}>'\">x</button>",
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_pages_cannot_lead_elsewhere(guarded: Browser, site: Site, way: str) -> None:
    evil = site.url("/evil", "localhost")
    site.pages.update({"/redirect": (302, {"Location": evil}, ""), "/evil": "<title>evil</title>"})
    home(guarded, site, WAYS[way].format(evil=evil, big=BIG))
    assert "blocked" in after(guarded)
    assert "localhost" not in site.hosts_asked()
    assert guarded.context()["title"] == "home"
    assert guarded.screenshot().image.size == (200, 200)


def test_allowed_pages_work_as_ever(guarded: Browser, site: Site) -> None:
    site.pages["/next"] = "<title>next</title>"
    home(guarded, site, f"<a target=_blank href=/next style='{BIG}'>x</a>")
    assert "blocked" not in after(guarded)
    assert guarded.context()["title"] == "next"
    guarded.execute(Navigate(url="data:text/html,<title>data</title>"))
    assert guarded.context()["title"] == "data"


def test_a_first_page_elsewhere() -> None:
    with pytest.raises(SetupError, match="not on the list"):
        Browser.launch(BrowserOptions(url="http://localhost:1/", allow_hosts=("example.com",)))
