r"""What models of the family really write: read whole and done as meant, or refused; nothing is dropped in silence."""

from __future__ import annotations

from itertools import product

import pytest

from agent.dialects import UiTars
from agent.errors import ParseError
from envs.actions import (
    Action,
    Click,
    Drag,
    Finish,
    KeyDown,
    Keys,
    KeyUp,
    LongPress,
    Navigate,
    OpenApp,
    Scroll,
    Swipe,
    Type,
    Wait,
)
from envs.geometry import Resize, Size
from envs.keys import NAMED

SAME = Resize(Size(1000, 1000), Size(1000, 1000))
DIALECT = UiTars("{instruction}")
CALL = "click(start_box='(10,20)')"
CLICK = Click(x=10, y=20)
DRAG = Drag(path=((1, 2), (3, 4)))


def read(text: str) -> tuple[Action, ...] | None:
    """The actions, None where the answer is refused."""
    try:
        return DIALECT.parse(text, SAME).actions
    except ParseError:
        return None


def typed(text: str) -> tuple[Action, ...]:
    return (Type(text=text),)


THINKING: list[tuple[str, tuple[Action, ...] | None]] = [
    (f"<think_abc>maybe\nAction: wait()\n</think_abc>\nAction: {CALL}", (CLICK,)),
    (f"maybe\nAction: wait()\n</think>\nAction: {CALL}", (CLICK,)),
    (f"Action: wait()\n<think>no</think>\nAction: {CALL}", (CLICK,)),
    (f"<think>a</think>wait()<think>b</think>\nAction: {CALL}", (CLICK,)),
    (f"<think>a\n<think>wait()</think>\nAction: {CALL}", (CLICK,)),
    (f"<think>I type(content='x\nAction: wait()</think>\nAction: {CALL}", (CLICK,)),
    (f"<think>type(content='a </think> b')</think>\nAction: {CALL}", (CLICK,)),
    (f"Action: {CALL}\n<think>or\nwait()", (CLICK,)),
    (f"Action: {CALL}</think>", (CLICK,)),
    # Calls inside of thinking count only where none follows.
    ("<think>Action: wait()</think>", (Wait(seconds=5),)),
    ("<think>Action: wait()</think> done.", (Wait(seconds=5),)),
    ("<think>Action: wait()", (Wait(seconds=5),)),
    ("<think>wait()</think>\nexplode(x='1')", None),
    ("<think>wait()</think>\nAction: none", None),
    ("<think>wait()</think>\nAction: click(", None),
    # A tag inside of a text is text.
    ("Action: type(content='</think>')", typed("</think>")),
    ("<think>a</think>\nAction: type(content='b </think> c')", typed("b </think> c")),
    ("Action: type(content='<think>wait()</think>')", typed("<think>wait()</think>")),
    ("Action: type(content='it's</think>wait()')", None),
    ("Action: type(content='')\n<think>')", None),
    ("<think>" * 100 + "</think>" * 100 + CALL, None),
]


@pytest.mark.parametrize(("text", "actions"), THINKING, ids=[text[:40] for text, _ in THINKING])
def test_what_was_thought_is_not_done(text: str, actions: tuple[Action, ...] | None) -> None:
    assert read(text) == actions


def test_tags_of_thinking() -> None:
    tried = 0
    for name, tail, opened in product(
        ("think", "thinking", "thought", "Thought", "THINK", "grounding_think", "seed:think"),
        ("", "_abc", "_1"),
        (True, False),
    ):
        tag = name + tail
        text = f"{f'<{tag}>' if opened else ''}I could wait()\nAction: wait()\n</{tag}>\nThought: b\nAction: {CALL}"
        assert DIALECT.parse(text, SAME).thought.endswith("b")
        assert read(text) == (CLICK,), text
        tried += 1
    assert tried == 42


WHOLE: list[tuple[str, str]] = [
    ('type(content="say "hi"")', 'say "hi"'),
    ("type(content='d('k')[0]')", "d('k')[0]"),
    ("type(content='it's')", "it's"),
    ("type(content='don't; can't')", "don't; can't"),
    ("type(content='say 'hi')')", "say 'hi')"),
    ("type(content='f('a','b')')", "f('a','b')"),
    ("type(content='f(a='1', b='2')')", "f(a='1', b='2')"),
    ("type(content='x = {'a': 1, 'b': 2}')", "x = {'a': 1, 'b': 2}"),
    ("type(content='a = b['c'] # d')", "a = b['c'] # d"),
    ("type(content='a') and b')", "a') and b"),
    ('type(content="He said "go"!")', 'He said "go"!'),
    ('type(content=""quoted"")', '"quoted"'),
    ('type(content="<a href="x">y</a>")', '<a href="x">y</a>'),
    ("type(content='f('a') and g('b')')", "f('a') and g('b')"),
    ("type(content='click('x')')", "click('x')"),
    ("type(content='it's\nfine')", "it's\nfine"),
    ("type('it's')", "it's"),
    ("type(content='<Output>1</Output>')", "<Output>1</Output>"),
    ("type(content='[EOS]')", "[EOS]"),
    ("type(content='<|im_end|> and </s>')", "<|im_end|> and </s>"),
    (r"type(content='C:\Program Files\docs')", r"C:\Program Files\docs"),
    (r"type(content='C:\\Users\\new')", r"C:\Users\new"),
    (r"type(content='\d+')", r"\d+"),
    (r"type(content='\u00e9\x41')", "éA"),
    (r"type(content='\ud83d\ude00')", "😀"),
]
REFUSED = [
    "type(content='print('a', end='')')",
    "type(content='f(key='1', text='2')')",
    "type(content='say('hi', enter='1')')",
    "type(content='x'); foo('y')",
    "type(content='print('a')\nprint('b')')",
    "type(content='d('k'); click('x')')",
    "type(content=:) hello)",
    "type(content='a', foo='b')",
    "type(content='a</point>\"",
    r"type(content='C:\Users\new')",
    r"type(content='C:\temp\docs')",
    r"type(content='C:\bin')",
    r"type(content='C:\x')",
    r"type(content='\\server\share')",
    r"type(content='\d+\n')",
    r"type(content='\ud83d')",
    r"type(content='\N{DASH}')",
    r"type(content='C:\dir\')",
    "type(content='two \\\nlines')",
    r"type(content='\UFFFFFFFF')",
]


@pytest.mark.parametrize(("call", "text"), WHOLE, ids=[call[:40] for call, _ in WHOLE])
def test_texts_are_read_whole(call: str, text: str) -> None:
    for answer in (f"Thought: t\nAction: {call}", f"Action: {call}[EOS]", f"<think>it's</think>\n{call}<|im_end|>"):
        assert read(answer) == typed(text)


@pytest.mark.parametrize("call", REFUSED, ids=[call[:40] for call in REFUSED])
def test_texts_that_can_be_read_in_two_ways_are_refused(call: str) -> None:
    assert read(f"Thought: t\nAction: {call}") is None


def test_no_text_is_ever_shortened() -> None:
    """Every text of a few pieces with quotes and brackets, unescaped in quotes: whole, or refused."""
    pieces = ("a", "'", '"', "(", ")", ",", " ", "b='", "')", "#", "\n", "; click('", "</think>")
    tried = whole = 0
    for text in map("".join, product(pieces, repeat=3)):
        for quote in "'\"":
            if text.startswith(quote * 2):
                # Three quotes open a text of another kind.
                continue
            found = read(f"Action: type(content={quote}{text}{quote})")
            tried += 1
            if found is not None:
                bare = text.rstrip("\n")
                assert found == (Type(text=bare, submit=bare != text),), text
                whole += 1
    assert tried == 4_355
    assert whole > tried / 2


def test_a_message_with_quotes_is_whole() -> None:
    assert read("Action: finished(content='Items ('A') # 5 left')") == (Finish(message="Items ('A') # 5 left"),)
    assert read("Action: type(content='it's')\n\nhotkey(key='enter')") == (Type(text="it's"), Keys(keys=("enter",)))
    assert read("Action: type(content='it's', start_box='(10,20)')") == (CLICK, Type(text="it's"))
    assert read(f"Action: {CALL} # it's the button") == (CLICK,)
    assert read(f"Action: {CALL}  (the button 'Save')") == (CLICK,)
    assert read(f"Action: {CALL}\nThat is the 'OK' button ('left').") == (CLICK,)
    assert read(f"Action: {CALL}\nThought: next\nAction: wait(time='1')") == (CLICK,)


CHORDS: dict[str, tuple[str, ...]] = {
    "ctrl page down": ("ctrl", "pagedown"),
    "alt left arrow": ("alt", "left"),
    "right alt": ("alt",),
    "back space": ("backspace",),
    "num 1": ("1",),
    "left ctrl c": ("ctrl", "c"),
    "alt left": ("alt", "left"),
    "win left": ("meta", "left"),
    "Ctrl+Page Up": ("ctrl", "pageup"),
    "ctrl-page-down": ("ctrl", "pagedown"),
    "ctrl_page_down": ("ctrl", "pagedown"),
    "shift arrow left": ("shift", "left"),
    "alt print screen": ("alt", "printscreen"),
    "ctrl caps lock": ("ctrl", "capslock"),
    "num lock": ("numlock",),
    "num pad 5": ("5",),
    "ctrl numpad plus": ("ctrl", "+"),
    "windows key e": ("meta", "e"),
    "enter key": ("enter",),
    "left shift right arrow": ("shift", "right"),
    "right+alt": ("right", "alt"),
    "ctrl right": ("ctrl", "right"),
    "page up page down": ("pageup", "pagedown"),
    "alt gr e": ("alt", "e"),
    "control left": ("ctrl", "left"),
    "volume up": ("volumeup",),
    "space bar": ("space",),
    "ctrl - c": ("ctrl", "c"),
    "ctrl + +": ("ctrl", "+"),
}


@pytest.mark.parametrize("text", CHORDS)
def test_keys_of_several_words(text: str) -> None:
    assert read(f"Action: hotkey(key='{text}')") == (Keys(keys=CHORDS[text]),)


def test_every_key_in_a_chord_is_that_key() -> None:
    tried = 0
    for first, key, between in product(("ctrl", "alt", "shift", "meta"), NAMED, (" ", "+", "-", " + ")):
        assert read(f"Action: hotkey(key='{first}{between}{key}')") == (Keys(keys=(first, key)),)
        tried += 1
    assert tried == 16 * len(NAMED)


def test_one_key_is_one_key() -> None:
    assert read("Action: press(key='back space')") == (KeyDown(key="backspace"),)
    assert read("Action: release(key='left ctrl')") == (KeyUp(key="ctrl"),)
    assert read("Action: press(key='alt left')") is None
    assert read("Action: hotkey(key='ctrl frobnicate')") is None


CUT: list[tuple[str, tuple[Action, ...] | None]] = [
    ("click(point='<point>450 565</point>\"", (Click(x=450, y=565),)),
    ("click(point='<point>450 565</point>'", (Click(x=450, y=565),)),
    ("click(point='<point>450 565</point>", (Click(x=450, y=565),)),
    ("click(point=<point>450 565</point>", (Click(x=450, y=565),)),
    ("click(point='<point>450 565</point>\")", (Click(x=450, y=565),)),
    ("click(point='<point>450 565</point>'\n```", (Click(x=450, y=565),)),
    ("left_double(start_box='<|box_start|>(450,565)<|box_end|>'", (Click(x=450, y=565, count=2),)),
    ("click(start_box='<bbox>10 20 30 40</bbox>", (Click(x=20, y=30),)),
    ("drag(start_point='<point>1 2</point>', end_point='<point>3 4</point>\"", (Drag(path=((1, 2), (3, 4))),)),
    ("long_press(point='<point>1 2</point>", (LongPress(x=1, y=2),)),
    ("drag(start_point='<point>1 2</point>'", None),
    ("scroll(point='<point>1 2</point>'", None),
    ("click(point='<point>450 56", None),
    ("click(point='<point>450 565</poi", None),
    ("click(point='<point>450</point>", None),
    ("type(content='half a te", None),
    ("type(content='whole'", None),
]


@pytest.mark.parametrize(("call", "actions"), CUT, ids=[call[:50] for call, _ in CUT])
def test_an_answer_that_stops_behind_a_whole_place(call: str, actions: tuple[Action, ...] | None) -> None:
    assert read(f"Thought: t\nAction: {call}") == actions


DONE: list[tuple[str, tuple[Action, ...]]] = [
    ("type(content='hi', enter=True)", (Type(text="hi", submit=True),)),
    ("type(content='hi', enter='1', clear=1)", (Keys(keys=("ctrl", "a")), Type(text="hi", submit=True))),
    ("type(content='hi', enter='no', clear='0')", (Type(text="hi"),)),
    ("type(content='hi', press_enter='yes', point='<point>10 20</point>')", (CLICK, Type(text="hi", submit=True))),
    ("click(start_box='(10,20)', key='ctrl')", (KeyDown(key="ctrl"), CLICK, KeyUp(key="ctrl"))),
    (
        "click(start_box='(10,20)', text='left ctrl+shift')",
        (KeyDown(key="ctrl"), KeyDown(key="shift"), CLICK, KeyUp(key="shift"), KeyUp(key="ctrl")),
    ),
    ("click(start_box='(10,20)', button='right')", (Click(x=10, y=20, button="right"),)),
    ("click(start_box='(10,20)', clicks='2')", (Click(x=10, y=20, count=2),)),
    ("click(start_box='(10,20)', content='', duration='0.5')", (CLICK,)),
    ("hotkey('ctrl', 'c')", (Keys(keys=("ctrl", "c")),)),
    ("hotkey(keys=[\"ctrl\", 'page down'])", (Keys(keys=("ctrl", "pagedown")),)),
    ("drag(start_box='(1,2)', end_box='(3,4)', key='shift')", (KeyDown(key="shift"), DRAG, KeyUp(key="shift"))),
    ("scroll(direction='down', amount='3')", (Scroll(direction="down", amount=3),)),
    ("scroll('(10,20)', 'down')", (Scroll(direction="down", x=10, y=20),)),
    ("swipe(start_box='(1,2)', end_box='(3,4)', duration='500ms')", (Swipe(x=1, y=2, x2=3, y2=4, seconds=0.5),)),
    ("drag('(1,2)', '(3,4)')", (Drag(path=((1, 2), (3, 4))),)),
    ("open_app('Maps')", (OpenApp(name="Maps"),)),
    ("navigate('a.test')", (Navigate(url="a.test"),)),
    ("wait(2)", (Wait(seconds=2),)),
    ("finished(content='x', status='failed')", (Finish(status="failure", message="x"),)),
    ("hover(point='(1,2)')\nmouse_down()\nhover(point='(3,4)')\nmouse_up()", (Drag(path=((1, 2), (3, 4))),)),
    ("click(start_box='(10,20)') # or wait()", (CLICK,)),
]


@pytest.mark.parametrize(("call", "actions"), DONE, ids=[call[:50] for call, _ in DONE])
def test_arguments_that_change_an_action_are_done(call: str, actions: tuple[Action, ...]) -> None:
    assert read(f"Thought: t\nAction: {call}") == actions


NOT_UNDERSTOOD = [
    "click(start_box='(1,2)', text='hello')",
    "click(start_box='(1,2)', key='ctrl a')",
    "click(start_box='(1,2)', content='x')",
    "click(start_box='(1,2)', end_box='(3,4)')",
    "click(start_box='(1,2)', point='(3,4)')",
    "click(start_box='(1,2)', clicks='7')",
    "click(start_box='(1,2)', button='fourth')",
    "click(10, 20, 30, 40)",
    "type(content='a', text='b')",
    "type(content='a', clear='maybe')",
    "scroll(direction='down', distance='300')",
    "scroll(direction='down', amount='1000')",
    "wait(foo='1')",
    "wait(time='-1')",
    "press_home(x='1')",
    "hotkey(key='enter', times='3')",
    "finished(content='x', status='partial')",
    "drag(start_box='(1,2)', end_box='(3,4)', button='right')",
    "click(start_box='(1,2)') and then type(content='x')",
    "click(start_box='(1,2)')\nthen\nwait()",
]


@pytest.mark.parametrize("call", NOT_UNDERSTOOD, ids=[call[:50] for call in NOT_UNDERSTOOD])
def test_nothing_is_dropped_in_silence(call: str) -> None:
    assert read(f"Thought: t\nAction: {call}") is None


def test_keys_are_held_only_where_they_can_be() -> None:
    call = "Action: click(start_box='(10,20)', key='ctrl')"
    with pytest.raises(ParseError, match="cannot be held here"):
        DIALECT.parse(call, SAME, frozenset({"click", "system_button"}))
    with pytest.raises(ParseError, match="cannot be selected away here"):
        DIALECT.parse("Action: type(content='x', clear=1)", SAME, frozenset({"click", "type"}))
