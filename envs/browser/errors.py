"""What playwright reports, in words for a model or a user."""

from __future__ import annotations

import re

_NET = {
    "ERR_NAME_NOT_RESOLVED": "no such host is known",
    "ERR_CONNECTION_REFUSED": "the host refused the connection",
    "ERR_CONNECTION_RESET": "the connection was cut",
    "ERR_CONNECTION_CLOSED": "the connection was cut",
    "ERR_CONNECTION_TIMED_OUT": "the host did not answer",
    "ERR_INTERNET_DISCONNECTED": "there is no network",
    "ERR_ADDRESS_UNREACHABLE": "the host cannot be reached",
    "ERR_UNSAFE_PORT": "browsers refuse this port",
    "ERR_INVALID_URL": "the address is not valid",
    "ERR_FILE_NOT_FOUND": "there is no such file",
    "ERR_EMPTY_RESPONSE": "the host sent nothing",
    "ERR_TOO_MANY_REDIRECTS": "it redirects without end",
    "ERR_CERT_AUTHORITY_INVALID": "its certificate is not trusted",
    "ERR_CERT_DATE_INVALID": "its certificate has expired",
    "ERR_CERT_COMMON_NAME_INVALID": "its certificate is for another host",
    "ERR_SSL_PROTOCOL_ERROR": "it does not speak https",
}


def first_line(error: Exception) -> str:
    """The error's own sentence, without call logs and method names."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return re.sub(r"^[A-Za-z]+\.[a-z_]+: ", "", line)[:300]


def net_reason(error: Exception) -> str:
    """Why a page could not be opened."""
    code = re.search(r"net::(ERR_\w+)", str(error))
    if code is None:
        return first_line(error)
    return f"{_NET.get(code[1], 'the browser reports')} ({code[1]})"


def is_gone(error: Exception) -> bool:
    """Does the error say that a tab, or the whole browser, is no longer there?"""
    text = str(error)
    return any(
        sign in text
        for sign in (
            "Target crashed",
            "has been closed",
            "Target closed",
            "Connection closed",
            "Page crashed",
        )
    )
