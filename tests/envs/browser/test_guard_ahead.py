"""An allow-list holds for pages that the browser fetched, drew or kept before they were asked for."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from envs import processes
from envs.actions import Back, Keys, Navigate
from envs.base import Blocked
from envs.browser import Browser, BrowserOptions
from envs.browser.chromium import find_chromium, launch_args, write_preferences
from tests.envs.conftest import Site
from tests.patience import PATIENCE

RED = (255, 0, 0)
KEPT = {"Cache-Control": "public, max-age=600", "Supports-Loading-Mode": "credentialed-prerender"}
EVIL = (200, KEPT, "<title>evil</title><body style='background:#f00'>")


@pytest.fixture(scope="module")
def other_port(web_server: Site) -> Iterator[int]:
    """A port of the same host, which is the same site to a browser and is not allowed."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            web_server.asked.append(("other port", self.path))
            _, headers, body = EVIL
            self.send_response(200)
            for name, value in {"Content-Type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    Thread(target=listener.serve_forever, daemon=True).start()
    yield listener.server_port
    listener.shutdown()
    listener.server_close()


def _chrome(profile: Path) -> tuple[subprocess.Popen[bytes], str]:
    process = subprocess.Popen(
        [find_chromium(), *launch_args(), "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}",
         "--window-size=420,340", "about:blank"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    port = profile / "DevToolsActivePort"
    while not (port.exists() and port.read_text().strip()):
        assert process.poll() is None
        time.sleep(0.05)
    return process, f"http://127.0.0.1:{port.read_text().splitlines()[0]}"


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Chromium that fetches ahead what pages ask it to; gives its CDP address."""
    process, address = _chrome(tmp_path_factory.mktemp("profile"))
    yield address
    processes.end(processes.tree([process.pid]))
    process.wait(PATIENCE)


@pytest.fixture(scope="module", params=["started", "joined"])
def guarded(request: pytest.FixtureRequest, web_server: Site) -> Iterator[Browser]:
    cdp = request.getfixturevalue("chrome") if request.param == "joined" else None
    options = BrowserOptions(
        viewport=(200, 200), allow_hosts=(f"127.0.0.1:{web_server.port}",), cdp=cdp, stable_seconds=1
    )
    with Browser.launch(options) as browser:
        yield browser


def _rules(kind: str, url: str) -> str:
    return json.dumps({kind: [{"source": "list", "urls": [url], "eagerness": "immediate"}]})


def _page(head: str, **headers: str) -> tuple[int, dict[str, str], str]:
    return 200, {name.replace("_", "-"): value for name, value in headers.items()}, f"<title>home</title>{head}"


AHEAD: dict[str, Callable[[str], tuple[int, dict[str, str], str]]] = {
    "rules prefetch": lambda url: _page(f"<script type=speculationrules>{_rules('prefetch', url)}</script>"),
    "rules prerender": lambda url: _page(f"<script type=speculationrules>{_rules('prerender', url)}</script>"),
    "rules in a header": lambda url: _page("", Speculation_Rules='"/rules.json"'),
    "rules by script": lambda url: _page(
        "<script>const s = document.createElement('script'); s.type = 'speculationrules';"
        f"s.textContent = {json.dumps(_rules('prefetch', url))}; document.head.append(s)</script>"
    ),
    "link prefetch": lambda url: _page(f"<link rel=prefetch as=document href='{url}'>"),
    "link prerender": lambda url: _page(f"<link rel=prerender href='{url}'>"),
    "link preload": lambda url: _page(f"<link rel=preload as=fetch crossorigin href='{url}'>"),
    "link in a header": lambda url: _page("", Link=f"<{url}>; rel=prefetch"),
    "nothing ahead": lambda url: _page(""),
}
WAYS = {
    "location": "location.href = URL",
    "replace": "location.replace(URL)",
    "link": "Object.assign(document.createElement('a'), {href: URL}).click()",
    "popup": "window.open(URL)",
    "popup without an opener": "window.open(URL, '_blank', 'noopener')",
    "frame": "document.body.append(Object.assign(document.createElement('iframe'), {src: URL}))",
    "object": "document.body.append(Object.assign(document.createElement('object'), {data: URL, type: 'text/html'}))",
    "embed": "document.body.append(Object.assign(document.createElement('embed'), {src: URL, type: 'text/html'}))",
}


def _red(browser: Browser) -> bool:
    colours = browser.screenshot().image.getcolors(2**24) or []
    return any(colour == RED for _, colour in colours)


def _led_elsewhere(browser: Browser, site: Site, ahead: str, url: str, way: str) -> list[str]:
    """Show a page, wait until what it has fetched ahead is asked for, go to `url`; what was recorded."""
    site.asked.clear()
    rules = (200, {"Content-Type": "application/speculationrules+json"}, _rules("prefetch", url))
    site.pages.update({"/": AHEAD[ahead](url), "/rules.json": rules, "/evil": EVIL})
    browser.execute(Navigate(url=site.url()))
    browser.settle()
    if browser.options.cdp is not None and "rules" in ahead:
        while not any(path.startswith("/evil") for _, path in site.asked):
            time.sleep(0.02)
    browser.events()
    browser.evaluate(f"void setTimeout(() => {{ {WAYS[way].replace('URL', json.dumps(url))} }}, 0)")
    kinds: list[str] = []
    while "blocked" not in kinds:
        browser.settle()
        assert not _red(browser)
        kinds += [event.kind for event in browser.events()]
    browser.settle()
    assert not _red(browser)
    assert "127.0.0.1" in browser.context()["host"] or browser.context()["host"] == ""
    return kinds


@pytest.mark.parametrize("ahead", sorted(AHEAD))
def test_what_was_fetched_ahead_is_not_shown(guarded: Browser, site: Site, other_port: int, ahead: str) -> None:
    for number, host in enumerate((site.url("/evil", "localhost"), f"http://127.0.0.1:{other_port}/evil")):
        url = f"{host}?{ahead}{number}".replace(" ", "-")
        assert _led_elsewhere(guarded, site, ahead, url, "location").count("blocked") == 1
        if guarded.options.cdp is None and ahead.startswith("rules"):
            assert site.hosts_asked() == {"127.0.0.1"}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_every_way_to_a_page_fetched_ahead(guarded: Browser, site: Site, way: str) -> None:
    url = site.url(f"/evil?{way}", "localhost").replace(" ", "-")
    assert "blocked" in _led_elsewhere(guarded, site, "rules prefetch", url, way)


def test_a_person_s_own_tabs_are_neither_used_nor_changed(tmp_path: Path, site: Site) -> None:
    site.pages.update({"/evil": EVIL, "/": "<title>home</title>"})
    process, address = _chrome(tmp_path)
    joined = partial(BrowserOptions, cdp=address)
    try:
        with Browser.launch(joined(url=site.url("/evil", "localhost"))) as person:
            assert person.context()["title"] == "evil"
            with Browser.launch(joined(allow_hosts=("127.0.0.1",))) as guarded:
                for action in (Keys(keys=("ctrl", "tab")), Navigate(url=site.url()), Keys(keys=("ctrl", "tab"))):
                    guarded.execute(action)
                    guarded.settle()
                    assert not _red(guarded)
                    assert "blocked" not in [event.kind for event in guarded.events()]
            assert person.context()["title"] == "evil"
        # The tab in use itself has been elsewhere before: its history may not lead back there.
        with Browser.launch(joined()) as person:
            person.execute(Navigate(url=site.url("/evil", "localhost")))
            person.execute(Navigate(url=site.url()))
            # A tab in the background gives its picture only when the first way to take one has been given up.
            person.with_tab(lambda tab: tab.bring_to_front(), 10)
        with Browser.launch(joined(allow_hosts=("127.0.0.1",))) as guarded:
            assert guarded.context()["title"] == "home"
            with pytest.raises(Blocked, match="localhost is not on the list"):
                guarded.execute(Back())
            assert guarded.context()["title"] == "home"
            assert not _red(guarded)
            # And the page itself goes back.
            guarded.evaluate("void setTimeout(() => history.back(), 0)")
            kinds: list[str] = []
            while "blocked" not in kinds:
                guarded.settle()
                kinds += [event.kind for event in guarded.events()]
            assert not _red(guarded)
    finally:
        processes.end(processes.tree([process.pid]))
        process.wait(PATIENCE)


def test_the_preferences_of_a_profile_keep_what_else_is_in_them(tmp_path: Path) -> None:
    file = tmp_path / "Default" / "Preferences"
    write_preferences(tmp_path, framed=True, hold=False)
    assert json.loads(file.read_text()) == {
        "net": {"network_prediction_options": 2},
        "browser": {"custom_chrome_frame": False},
    }
    for before, after in (
        ('{"a": 1, "net": {"b": 2, "network_prediction_options": 0}}', {"a": 1, "net": {"b": 2}}),
        ("not JSON", {"net": {}}),
        ("[]", {"net": {}}),
        ('{"net": 3}', {"net": {}}),
    ):
        file.write_text(before)
        write_preferences(tmp_path, framed=True, hold=False)
        assert file.read_text() == before
        write_preferences(tmp_path, framed=True, hold=True)
        after["net"]["network_prediction_options"] = 2  # type: ignore[index]
        assert json.loads(file.read_text()) == after
    assert [path.name for path in file.parent.iterdir()] == ["Preferences"]
