"""Addresses: what a model wrote → a URL, and whether a URL may be opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from envs.base import ActionFailed, Blocked, SetupError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d+(?:[/?#]|$))", re.IGNORECASE)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def to_ascii(host: str) -> str:
    """Lower-case host as browsers write it (punycode, no final dot). Raises ValueError for no host."""
    host = host.rstrip(".").lower()
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _is_host(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
        return True
    except ValueError:
        labels = host.split(".")
        return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def check_pattern(pattern: str) -> None:
    """Raises SetupError unless `pattern` is a host name, `*.name`, `name:port` or `*`."""
    name, _, port = pattern.removeprefix("*.").partition(":") if "[" not in pattern else (pattern, "", "")
    try:
        good = pattern == "*" or (_is_host(to_ascii(name)) and (not port or port.isdigit()))
    except ValueError:
        good = False
    if not good:
        raise SetupError(f"allow_hosts takes host names such as example.com or *.example.com, not {pattern!r}")


def host_allowed(host: str, port: int | None, patterns: Sequence[str]) -> bool:
    """Does a pattern name this host? `*.example.com` names what is below example.com, not itself."""
    for pattern in patterns:
        if pattern == "*":
            return True
        name, separator, number = pattern.rpartition(":")
        if separator and number.isdigit() and not name.endswith(":"):
            if port != int(number):
                continue
            pattern = name
        if pattern.startswith("*."):
            if host.endswith("." + to_ascii(pattern[2:])):
                return True
        elif host == to_ascii(pattern.strip("[]")):
            return True
    return False


def reason_blocked(url: str, patterns: Sequence[str], allow_files: bool) -> str:
    """Why `url` (as the browser itself writes it) may not be opened, or the empty string where it may."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme in ("data", "blob", "about"):
        return ""
    if scheme == "file":
        return "" if allow_files else "files of this computer may not be opened"
    if scheme not in _DEFAULT_PORTS:
        return f"addresses that begin with {scheme}: may not be opened"
    host = parts.hostname or ""
    if not patterns or host_allowed(host, parts.port or _DEFAULT_PORTS[scheme], patterns):
        return ""
    return f"the host {host} is not on the list of allowed hosts"


def normalise(text: str) -> str:
    """URL for what a model or a user gave as an address; a missing scheme is https, or http on this computer.

    Raises ActionFailed where it is no address. Does not judge whether it is allowed.
    """
    text = text.strip()
    if not text:
        raise ActionFailed("an empty address cannot be opened")
    if any(c <= " " or c in "\\\x7f" for c in text) and not text.lower().startswith("data:"):
        raise ActionFailed(f"{text[:80]!r} is not a web address: it has spaces, backslashes or control characters")
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() not in _DEFAULT_PORTS:
        return text
    try:
        if scheme is None:
            text = f"{_scheme_for(text)}://{text.removeprefix('//')}"
        parts = urlsplit(text)
        host = _host_of(parts)
    except ValueError as error:
        raise ActionFailed(f"{text[:80]!r} is not a web address: {error}") from error
    if not _is_host(host):
        raise ActionFailed(f"{text[:80]!r} is not a web address: it names no host")
    return text


def _scheme_for(text: str) -> str:
    host = urlsplit("//" + text.removeprefix("//")).netloc.rpartition("@")[2]
    name = host.partition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
    try:
        return "http" if ip_address(name).is_private else "https"
    except ValueError:
        return "http" if name == "localhost" or name.endswith(".localhost") else "https"


def _host_of(parts: SplitResult) -> str:
    # Reading the port is what makes urlsplit check it.
    if parts.port is not None and not 0 < parts.port < 65536:
        raise ValueError("its port is out of range")
    return to_ascii(parts.hostname or "")


def checked(text: str, patterns: Sequence[str], allow_files: bool) -> str:
    """`normalise`, then raise Blocked where a rule forbids it."""
    url = normalise(text)
    reason = reason_blocked(url, patterns, allow_files)
    if reason:
        raise Blocked(f"{url[:120]} was not opened: {reason}")
    return url
