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
    "enter": "return ret kpenter numenter numpadenter linefeed",
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
    "pause": "break pausebreak",
    "menu": "apps contextmenu application",
    "volumeup": "audiovolumeup xf86audioraisevolume",
    "volumedown": "audiovolumedown xf86audiolowervolume",
    "volumemute": "mute audiovolumemute xf86audiomute",
    "playpause": "mediaplaypause xf86audioplay",
    "nexttrack": "medianexttrack xf86audionext",
    "prevtrack": "previoustrack mediaprevioustrack xf86audioprev",
}

_CHARACTERS = {
    "+": "plus add numplus numadd numpadplus kpadd numpadadd",
    "-": "minus numminus numsubtract numpadminus hyphen subtract kpsubtract numpadsubtract dash",
    "*": "asterisk multiply nummultiply numstar numasterisk numpadstar numpadasterisk star kpmultiply numpadmultiply",
    "/": "slash numslash numdivide numpadslash forwardslash divide kpdivide numpaddivide",
    ".": "period numdot numdecimal numperiod numpaddot numpadperiod dot decimal kpdecimal numpaddecimal point",
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

_SIDES = ("left", "right")
_MODIFIER_NAMES = "ctrl control shift alt option opt meta win windows cmd command super"
for _name in _MODIFIER_NAMES.split():
    # As people write them; keyboards' own names have the side behind (`ctrlleft`).
    _BY_NAME.update({f"{_side}{_name}": _BY_NAME[_name] for _side in _SIDES})

_GOES_ON = frozenset({"key", "gr", "graph"})
"""What may follow a modifier as a part of its name; a side that follows is a key of its own."""
_MAX_WORDS = 4
"""Words of the longest name, as in `media play pause key`."""

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
    """Keys of `ctrl c`, `ctrl+c`, `Ctrl-Shift-T`, `ctrl++` or a single name such as `page up`. Raises UnknownKey.

    A name of several words is one key wherever it stands, and the longest known name wins: `ctrl page down`,
    `alt left arrow`, `right alt`, `num 1`. A modifier before a side is a key of its own: `alt left` is a chord of two,
    while `altleft` and `alt_left` are one key.
    """
    if text in _BLANKS:
        return (_BLANKS[text],)
    words = _words(text)
    if not words:
        raise UnknownKey(text)
    keys: list[str] = []
    index = 0
    while index < len(words):
        key, index = _longest(words, index)
        keys += key
    return tuple(keys)


def _words(text: str) -> list[tuple[str, bool]]:
    """Names in a chord, each with whether it may go on in a name with the word before: no plus stands between."""
    words: list[tuple[str, bool]] = []
    pieces = re.findall(r"[+-]|[^\s+-]+", text)
    joined, separated = True, True
    for number, piece in enumerate(pieces):
        # A separator that follows a separator, or stands at either end, is a key itself, as in ctrl++.
        if piece in "+-" and not separated and number + 1 < len(pieces):
            joined, separated = piece != "+", True
            continue
        words.append((piece, joined and piece not in "+-"))
        joined, separated = piece not in "+-", False
    return words


def _longest(words: list[tuple[str, bool]], index: int) -> tuple[tuple[str, ...], int]:
    """The keys of the longest name that starts at `index`, and the index after it. Raises UnknownKey."""
    first = words[index][0]
    modifier = _BY_NAME.get(_fold(first)) in MODIFIERS
    if len(first) > 1:
        for count in range(min(_MAX_WORDS, len(words) - index), 1, -1):
            parts = words[index : index + count]
            if all(may for _, may in parts[1:]) and not (modifier and _fold(parts[1][0]) not in _GOES_ON):
                name = "".join(_fold(word) for word, _ in parts)
                found = _BY_NAME.get(name) or _BY_NAME.get(name.removesuffix("key"))
                if found is not None:
                    return (found,), index + count
    return _single(first), index + 1


def _single(word: str) -> tuple[str, ...]:
    """One word: a key, or several with underscores between (`ctrl_c`)."""
    try:
        return (canonical(word),)
    except UnknownKey:
        parts = [part for part in word.split("_") if part]
        if len(parts) < 2:
            raise
        try:
            return parse_chord(" ".join(parts))
        except UnknownKey:
            raise UnknownKey(word) from None
