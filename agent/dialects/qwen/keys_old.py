"""Key names as the family writes them, in a chord separated by spaces or plus signs."""

from __future__ import annotations

from envs.keys import UnknownKey, canonical, parse_chord

MAX_KEYS = 5
_MAX_TEXT = 100


class KeyNameError(ValueError):
    """A key that no keyboard has, or too many of them."""


def read_chord(text: str) -> tuple[str, ...]:
    """`ctrl c`, `ctrl+c`, `ctrl shift arrowleft`, `page down` → canonical names. Raises KeyNameError."""
    _check(text)
    words = text.split()
    # A plus sign between two names only joins them; at either end it is the key itself.
    words = [word for i, word in enumerate(words) if word != "+" or i in (0, len(words) - 1)]
    try:
        keys = tuple(map(canonical, words)) or (canonical(text),)
    except UnknownKey:
        keys = _joined(text, words)
    if len(keys) > MAX_KEYS:
        raise KeyNameError(f"a chord has at most {MAX_KEYS} keys, not {len(keys)}")
    return keys


def _joined(text: str, words: list[str]) -> tuple[str, ...]:
    """One name of several words (`page down`), or chords without blanks (`ctrl+c`). Raises KeyNameError."""
    try:
        return (canonical(text),)
    except UnknownKey:
        try:
            return tuple(key for word in words for key in parse_chord(word))
        except UnknownKey as error:
            raise KeyNameError(str(error)) from error


def read_key(name: str) -> str:
    """Canonical name of one key. Raises KeyNameError."""
    _check(name)
    try:
        return canonical(name)
    except UnknownKey as error:
        raise KeyNameError(str(error)) from error


def _check(text: str) -> None:
    if not text:
        raise KeyNameError("a key is needed")
    if len(text) > _MAX_TEXT:
        raise KeyNameError("a key name has too many characters")
