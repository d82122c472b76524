"""Addresses and allow-lists, without a browser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.base import ActionFailed, Blocked, SetupError
from envs.browser import BrowserOptions
from envs.browser.hosts import checked, normalise, reason_blocked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.com", "https://example.com"),
        (" example.com/a?b#c ", "https://example.com/a?b#c"),
        ("//example.com/a", "https://example.com/a"),
        ("http://example.com", "http://example.com"),
        ("HTTPS://Example.com", "HTTPS://Example.com"),
        ("localhost:8000/x", "http://localhost:8000/x"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:80/", "http://[::1]:80/"),
        ("example.com:8443/x", "https://example.com:8443/x"),
        ("about:blank", "about:blank"),
        ("data:text/html,<b>a b</b>", "data:text/html,<b>a b</b>"),
        ("münchen.de", "https://münchen.de"),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "  ", "what is the weather", "http://", "https:///x", "http://a b.com", "http://exa\\mple.com", "http://x:99999",
     "http://-a.com", "http://a..b", "http://[::1", "http://x:port/"],
)  # fmt: skip
def test_no_address(text: str) -> None:
    with pytest.raises(ActionFailed):
        normalise(text)


@given(st.text(max_size=60))
def test_any_text_gives_an_address_or_a_typed_error(text: str) -> None:
    try:
        checked(text, ("example.com",), False)
    except (ActionFailed, Blocked):
        return


ALLOWED = ("example.com", "*.wild.org", "localhost:8000", "bücher.de")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/x",
        "http://example.com:81/",
        "https://a.wild.org",
        "https://a.b.wild.org",
        "http://localhost:8000/",
        "https://xn--bcher-kva.de/",
        "data:text/html,x",
        "about:blank",
    ],
)
def test_allowed(url: str) -> None:
    assert reason_blocked(url, ALLOWED, False) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com.evil.org/",
        "https://evil-example.com/",
        "https://example.com@evil.org/",
        "https://wild.org/",
        "https://evilwild.org/",
        "http://localhost:8001/",
        "http://localhost/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "chrome://settings",
        "ftp://example.com/",
        "view-source:https://example.com/",
    ],
)
def test_not_allowed(url: str) -> None:
    assert reason_blocked(url, ALLOWED, False)


def test_files_only_with_the_option() -> None:
    with pytest.raises(Blocked, match="files"):
        checked("file:///tmp/x.html", (), False)
    assert checked("file:///tmp/x.html", (), True) == "file:///tmp/x.html"


@pytest.mark.parametrize("pattern", ["https://example.com", "example.com/x", "*example.com", "", "a b", "*.", "x:y"])
def test_patterns_that_name_no_host(pattern: str) -> None:
    with pytest.raises(SetupError, match="host names such as"):
        BrowserOptions(allow_hosts=(pattern,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"viewport": (0, 100)}, "viewport"),
        ({"viewport": (100, 99999)}, "viewport"),
        ({"region": (0, 1)}, "region"),
        ({"scale": 0.0}, "scale"),
        ({"zoom": 0}, "zoom"),
        ({"load_seconds": 0}, "load_seconds"),
        ({"cdp": "http://x", "executable": "chrome"}, "cdp"),
    ],
)
def test_impossible_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        BrowserOptions(**options)  # type: ignore[arg-type]
