"""One name per key, whatever dialect a key was named in.

Canonical names are lower case: `ctrl`, `enter`, `pageup`, `f5` …; single characters stand for themselves.
"""

from __future__ import annotations

import difflib
import re
import unicodedata

NAMED = (
    "ctrl", "shift", "alt", "meta", "enter", "escape", "tab", "space", "backspace", "delete",
    "insert", "home", "end",
    "pageup", "pagedown", "left", "right", "up", "down", "capslock", "numlock", "scrolllock",
    "printscreen", "pause",
    "menu", "volumeup", "volumedown", "volumemute", "playpause", "nexttrack", "prevtrack",
    *(f"f{number}" for number in range(1, 25)),
)  # fmt: skip
"""All keys that are not characters."""

MODIFIERS = frozenset({"ctrl", "shift", "alt", "meta"})

_ALIASES = {
    "ctrl": "control controlleft controlright ctrlleft ctrlright controll controlr ctl strg controlormeta",
    "shift": "shiftleft shiftright shiftl shiftr",
    "alt": "altleft altright altl altr altgr altgraph option optionleft optionright opt isolevel3shift",
    "meta": "metaleft metaright metal metar win winleft winright windows cmd command commandleft "
    "commandright super superl superr hyper os",
    "enter": "return ret kpenter numpadenter linefeed",
    "escape": "esc",
    "tab": "tabulator",
    "space": "spacebar",
    "backspace": "back bksp bs",
    "delete": "del kpdelete forwarddelete",
    "insert": "ins kpinsert",
    "home": "kphome pos1",
    "end": "kpend",
    "pageup": "pgup prior kppageup kpprior",
    "pagedown": "pgdn pgdown next kppagedown kpnext",
    "left": "arrowleft leftarrow kpleft",
    "right": "arrowright rightarrow kpright",
    "up": "arrowup uparrow kpup",
    "down": "arrowdown downarrow kpdown",
    "capslock": "caps",
    "numlock": "num",
    "scrolllock": "scroll",
    "printscreen": "prtsc prtscr prntscrn prtscreen print snapshot sysrq",
    "pause": "break",
    "menu": "apps contextmenu application",
    "volumeup": "audiovolumeup xf86audioraisevolume",
    "volumedown": "audiovolumedown xf86audiolowervolume",
    "volumemute": "mute audiovolumemute xf86audiomute",
    "playpause": "mediaplaypause xf86audioplay",
    "nexttrack": "medianexttrack xf86audionext",
    "prevtrack": "mediaprevioustrack xf86audioprev",
}

_CHARACTERS = {
    "+": "plus add kpadd numpadadd",
    "-": "minus hyphen subtract kpsubtract numpadsubtract dash",
    "*": "asterisk multiply star kpmultiply numpadmultiply",
    "/": "slash divide kpdivide numpaddivide",
    ".": "period dot decimal kpdecimal numpaddecimal point",
    ",": "comma separator",
    "=": "equal equals",
    ";": "semicolon",
    ":": "colon",
    "'": "apostrophe quote quoteright singlequote",
    '"': "quotedbl doublequote",
    "`": "grave backquote backtick quoteleft",
    "\\": "backslash",
    "[": "bracketleft leftbracket",
    "]": "bracketright rightbracket",
    "(": "parenleft",
    ")": "parenright",
    "_": "underscore",
    "?": "question questionmark",
    "!": "exclam exclamation",
    "@": "at",
    "#": "numbersign hash",
    "$": "dollar",
    "%": "percent",
    "&": "ampersand",
    "<": "less",
    ">": "greater",
    "|": "bar pipe",
    "~": "asciitilde tilde",
    "^": "asciicircum caret",
    "{": "braceleft",
    "}": "braceright",
    **{str(digit): f"num{digit} kp{digit} numpad{digit} digit{digit}" for digit in range(10)},
    **{letter: f"key{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"},
}

_BY_NAME: dict[str, str] = {name: name for name in NAMED}
for _table in (_ALIASES, _CHARACTERS):
    for _canonical, _others in _table.items():
        _BY_NAME.update(dict.fromkeys(_others.split(), _canonical))

_BLANKS = {" ": "space", "\n": "enter", "\r": "enter", "\t": "tab", "\b": "backspace", "\x1b": "escape"}


class UnknownKey(ValueError):
    """A name that no key has. `nearest` is the most similar known one, or empty."""

    def __init__(self, name: str) -> None:
        close = difflib.get_close_matches(_fold(name), _BY_NAME, n=1, cutoff=0.6)
        self.name, self.nearest = name, _BY_NAME[close[0]] if close else ""
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        super().__init__(f"there is no key {name[:40]!r}{hint}")


def _fold(name: str) -> str:
    return re.sub(r"(?<=[^\W_])[\s_-]+(?=[^\W_])", "", name).lower()


def canonical(name: str) -> str:
    """Canonical name of a key; single characters are kept with their case. Raises UnknownKey."""
    if name in _BLANKS:
        return _BLANKS[name]
    stripped = name.strip()
    if len(stripped) == 1 and unicodedata.category(stripped)[0] != "C":
        return stripped
    found = _BY_NAME.get(_fold(stripped))
    if found is None:
        raise UnknownKey(name)
    return found


def parse_chord(text: str) -> tuple[str, ...]:
    """Keys of `ctrl c`, `ctrl+c`, `Ctrl-Shift-T`, `ctrl++` or a single name such as `page up`.

    `alt left` is a chord of two, `altleft` and `alt_left` are one key. Raises UnknownKey.
    """
    if text in _BLANKS:
        return (_BLANKS[text],)
    # A separator that follows a separator is a key itself, as in ctrl++.
    parts = [part for part in re.split(r"(?<=[^\s+-])(?:\s*[+-]\s*(?=.)|\s+)", text.strip()) if part]
    try:
        return tuple(canonical(part) for part in parts or [text])
    except UnknownKey:
        return (canonical(text),)
