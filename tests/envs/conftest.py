"""One browser for most tests, and a small site on two host names of this computer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from envs.browser import Browser, BrowserOptions

VIEWPORT = (400, 300)


@dataclass
class Site:
    """`pages` maps a path to a body, or to (status, headers, body). `asked` lists host and path of every request."""

    port: int
    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def hosts_asked(self) -> set[str]:
        return {host for host, path in self.asked if path != "/favicon.ico"}


@pytest.fixture(scope="session")
def web_server() -> Iterator[Site]:
    site = Site(0)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.asked.append((self.headers["Host"].partition(":")[0], path))
            found = site.pages.get(path)
            if callable(found):
                found = found()
            status, headers, body = found if isinstance(found, tuple) else (200 if found else 404, {}, found or "")
            data = body if isinstance(body, bytes) else body.encode()
            self.send_response(status)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    site.port = listener.server_port
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    yield site
    listener.shutdown()
    listener.server_close()


@pytest.fixture
def site(web_server: Site) -> Site:
    web_server.pages.clear()
    web_server.asked.clear()
    return web_server


@pytest.fixture(scope="session")
def shared_browser() -> Iterator[Browser]:
    with Browser.launch(
        BrowserOptions(viewport=VIEWPORT, stable_seconds=20, reply_seconds=60, load_seconds=60)
    ) as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser) -> Browser:
    """The shared browser with one blank tab and no events waiting."""

    async def clean(tab: Any) -> None:
        blank = await tab.context.new_page()
        for other in tab.context.pages:
            if other is not blank:
                await other.close()

    shared_browser.with_tab(clean, 60)
    shared_browser.events()
    return shared_browser


@pytest.fixture
def show(browser: Browser) -> Callable[[str], Browser]:
    """Put HTML into the tab and look at it, as a model would."""

    def put(html: str) -> Browser:
        async def write(tab: Any) -> None:
            await tab.set_content(f"<!DOCTYPE html><body style='margin:0'>{html}")

        browser.with_tab(write, 60)
        browser.screenshot()
        return browser

    return put
