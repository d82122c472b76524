"""Every form that models of the family write, and every defect of other parsers."""

from __future__ import annotations

import pytest

from agent.dialects import UiTars
from agent.errors import ParseError
from envs.actions import (
    Action,
    Answer,
    AskUser,
    Back,
    Click,
    Drag,
    Finish,
    Forward,
    KeyDown,
    Keys,
    KeyUp,
    LongPress,
    Move,
    Navigate,
    OpenApp,
    Scroll,
    Select,
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.geometry import Resize, Size

SAME = Resize(Size(1000, 1000), Size(1000, 1000))
FULL_HD = Resize(Size(1920, 1080), Size(1932, 1092))
DIALECT = UiTars("{instruction}")


def read(call: str, capabilities: frozenset[str] | None = None) -> tuple[Action, ...]:
    return DIALECT.parse(f"Thought: t\nAction: {call}", SAME, capabilities).actions


ONE: list[tuple[str, Action]] = [
    # Computer actions.
    ("click(start_box='(10,20)')", Click(x=10, y=20)),
    ("click(point='<point>10 20</point>')", Click(x=10, y=20)),
    ("left_single(start_box='(10,20)')", Click(x=10, y=20)),
    ("left_click(start_box='(10,20)')", Click(x=10, y=20)),
    ("tap(point='<point>10 20</point>')", Click(x=10, y=20)),
    ("left_double(start_box='(10,20)')", Click(x=10, y=20, count=2)),
    ("double_click(start_box='(10,20)')", Click(x=10, y=20, count=2)),
    ("left_triple(start_box='(10,20)')", Click(x=10, y=20, count=3)),
    ("right_single(start_box='(10,20)')", Click(x=10, y=20, button="right")),
    ("right_click(start_box='(10,20)')", Click(x=10, y=20, button="right")),
    ("middle_click(start_box='(10,20)')", Click(x=10, y=20, button="middle")),
    ("drag(start_box='(1,2)', end_box='(3,4)')", Drag(path=((1, 2), (3, 4)))),
    (
        "drag(start_point='<point>1 2</point>', end_point='<point>3 4</point>')",
        Drag(path=((1, 2), (3, 4))),
    ),
    ("select(start_box='(1,2)', end_box='(3,4)')", Drag(path=((1, 2), (3, 4)))),
    ("left_click_drag(start_box='(1,2)', end_box='(3,4)')", Drag(path=((1, 2), (3, 4)))),
    ("hotkey(key='ctrl c')", Keys(keys=("ctrl", "c"))),
    ("hotkey(key='ctrl+c')", Keys(keys=("ctrl", "c"))),
    ("hotkey(key='ctrl shift arrowleft')", Keys(keys=("ctrl", "shift", "left"))),
    ("hotkey(key='ctrl +')", Keys(keys=("ctrl", "+"))),
    ("hotkey(key='ctrl + c')", Keys(keys=("ctrl", "c"))),
    ("hotkey(key='ctrl++')", Keys(keys=("ctrl", "+"))),
    ("hotkey(key='ctrl -')", Keys(keys=("ctrl", "-"))),
    ("hotkey(key='- ctrl')", Keys(keys=("-", "ctrl"))),
    ("hotkey(key='alt left')", Keys(keys=("alt", "left"))),
    ("hotkey(key='+')", Keys(keys=("+",))),
    ("hotkey(key='arrowright')", Keys(keys=("right",))),
    ("hotkey(key='space')", Keys(keys=("space",))),
    ("hotkey(key=' ')", Keys(keys=("space",))),
    ("hotkey(key='Return')", Keys(keys=("enter",))),
    ("hotkey(key='cmd ,')", Keys(keys=("meta", ","))),
    ("hotkey(key='page down')", Keys(keys=("pagedown",))),
    ("hotkey(key='alt f4')", Keys(keys=("alt", "f4"))),
    ("hotkey(hotkey='ctrl v')", Keys(keys=("ctrl", "v"))),
    ("press(key='shift')", KeyDown(key="shift")),
    ("press(press='arrowup')", KeyDown(key="up")),
    ("keydown(key='shift')", KeyDown(key="shift")),
    ("release(key='shift')", KeyUp(key="shift")),
    ("keyup(key='shift')", KeyUp(key="shift")),
    ("type(content='hello')", Type(text="hello")),
    ("type(content='hello\\n')", Type(text="hello", submit=True)),
    ("type(content='a\\nb')", Type(text="a\nb")),
    ("type(content='')", Type(text="")),
    ("type(content='\\n')", Type(text="", submit=True)),
    ("type(content='it\\'s \\\"so\\\"')", Type(text='it\'s "so"')),
    ("type(content='C:\\\\dir')", Type(text="C:\\dir")),
    ("type(content='two\nlines')", Type(text="two\nlines")),
    ("type(content='f(x), g(y)')", Type(text="f(x), g(y)")),
    ("type(content='a, b=c')", Type(text="a, b=c")),
    ("type(content='{instruction} {0} %s')", Type(text="{instruction} {0} %s")),
    ('type(content=\'__import__("os").system("x")\')', Type(text='__import__("os").system("x")')),
    ("type(content='你好 😀')", Type(text="你好 😀")),
    ("type(content='''it's''')", Type(text="it's")),
    ("scroll(start_box='(10,20)', direction='down')", Scroll(direction="down", x=10, y=20)),
    ("scroll(point='<point>10 20</point>', direction='up')", Scroll(direction="up", x=10, y=20)),
    ("scroll(direction='right')", Scroll(direction="right")),
    ("scroll(start_box='', direction='right')", Scroll(direction="right")),
    ("scroll(direction='Up')", Scroll(direction="up")),
    ("wait()", Wait(seconds=5)),
    ("wait(time='2')", Wait(seconds=2)),
    ("wait(time='2000')", Wait(seconds=2)),
    ("finished(content='ok')", Finish(message="ok")),
    ("finished()", Finish()),
    ("finished(content='successful')", Finish(message="successful")),
    ("finished(content='failure')", Finish(status="failure", message="failure")),
    ("finished(content='infeasible')", Finish(status="failure", message="infeasible")),
    ("call_user()", AskUser()),
    ("call_user(content='captcha')", AskUser(question="captcha")),
    # Extra ones that other parsers of the family take.
    ("hover(start_box='(10,20)')", Move(x=10, y=20)),
    ("mouse_move(point='<point>10 20</point>')", Move(x=10, y=20)),
    ("move_to(start_box='(10,20)')", Move(x=10, y=20)),
    ("error_env()", Finish(status="failure", message="error_env")),
    ("navigate(url='https://a.test/')", Navigate(url="https://a.test/")),
    ("navigate(content='a.test')", Navigate(url="a.test")),
    ("navigate_back()", Back()),
    ("navigate_forward()", Forward()),
    ("answer(content='42')", Answer(text="42")),
    ("mouse_down(point='<point>1 2</point>')\nmouse_up(point='<point>3 4</point>')", Drag(path=((1, 2), (3, 4)))),
    # Training data.
    ("select(start_box='(1,2)', content='Red')", Select(x=1, y=2, option="Red")),
    ("select(point='<point>1 2</point>', content='Red')", Select(x=1, y=2, option="Red")),
    # Mobile.
    ("long_press(point='<point>10 20</point>')", LongPress(x=10, y=20)),
    ("long_press(start_box='(10,20)', time='')", LongPress(x=10, y=20)),
    ("long_press(start_box='(10,20)', time='3')", LongPress(x=10, y=20, seconds=3)),
    ("swipe(start_box='(1,2)', end_box='(3,4)')", Swipe(x=1, y=2, x2=3, y2=4)),
    ("scroll(start_box='(1,2)', end_box='(3,4)')", Swipe(x=1, y=2, x2=3, y2=4)),
    ("open_app(app_name='Clock')", OpenApp(name="Clock")),
    ("open_app(app_name=\\'Clock\\')".replace("\\", ""), OpenApp(name="Clock")),
    ("press_home()", SystemButton(button="home")),
    ("press_back()", SystemButton(button="back")),
    ("press_enter()", SystemButton(button="enter")),
    ("hotkey(key='back')", SystemButton(button="back")),
    ("hotkey(key='power')", SystemButton(button="power")),
    ("hotkey(key='lock')", SystemButton(button="power")),
    # Ways to write a place.
    ("click(start_box='<|box_start|>(10,20)<|box_end|>')", Click(x=10, y=20)),
    ("click(start_box='<|box_start|>(10, 20)<|box_end|>')", Click(x=10, y=20)),
    ("click(start_box='[10, 20, 30, 40]')", Click(x=20, y=30)),
    ("click(start_box='(10,20,30,40)')", Click(x=20, y=30)),
    ("click(start_box='<bbox>10 20 30 40</bbox>')", Click(x=20, y=30)),
    ("click(start_box='[[10, 20]]')", Click(x=10, y=20)),
    ("click(start_box='(10.5,20.25)')", Click(x=10.5, y=20.25)),
    ("click(start_box=(10,20))", Click(x=10, y=20)),
    ("click(start_box=[10,20,30,40])", Click(x=20, y=30)),
    ("click(point=<point>10 20</point>)", Click(x=10, y=20)),
    ("click(point='<point>10 20</point>'')", Click(x=10, y=20)),
    ("click('(10,20)')", Click(x=10, y=20)),
    ("click(10, 20)", Click(x=10, y=20)),
    ("click(x=10, y=20)", Click(x=10, y=20)),
    ('click(start_box="(10,20)")', Click(x=10, y=20)),
    ("click( start_box = '(10,20)' , )", Click(x=10, y=20)),
    ("click(start_box='(1000,1000)')", Click(x=1000, y=1000)),
]


@pytest.mark.parametrize(("call", "action"), ONE, ids=[call[:50] for call, _ in ONE])
def test_one_action(call: str, action: Action) -> None:
    assert read(call) == (action,)


DEFECTS: list[tuple[str, Action]] = [
    ('type(content="it\'s")', Type(text="it's")),
    ("type(content='it's')", Type(text="it's")),
    ("type(content='set start_point=1')", Type(text="set start_point=1")),
    ("type(content='run\\\\n')", Type(text="run", submit=True)),
    ("type(content='run\\n')", Type(text="run", submit=True)),
    ("scroll(start_box='(10,20)', direction='left')", Scroll(direction="left", x=10, y=20)),
    ("wait()", Wait(seconds=5)),
    ("call_user()", AskUser()),
    ("long_press(point='<point>1 2</point>')", LongPress(x=1, y=2)),
    ("press_back()", SystemButton(button="back")),
    ("open_app(app_name='Maps')", OpenApp(name="Maps")),
    ("click(start_box='<|box_start|>(197,525)<|box_end|>')", Click(x=197, y=525)),
    ("click(start_box='[100,100,200,200]')", Click(x=150, y=150)),
    ("hotkey(key='ctrl shift arrowleft')", Keys(keys=("ctrl", "shift", "left"))),
    ("hotkey(key='ctrl+c')", Keys(keys=("ctrl", "c"))),
]


@pytest.mark.parametrize(("call", "action"), DEFECTS, ids=[call[:50] for call, _ in DEFECTS])
def test_what_other_parsers_get_wrong(call: str, action: Action) -> None:
    assert read(call) == (action,)


def test_coordinates_are_pixels_of_the_resized_image() -> None:
    (found,) = DIALECT.parse("Thought: t\nAction: click(start_box='(197,525)')", FULL_HD).actions
    assert isinstance(found, Click)
    assert (found.x, found.y) == (pytest.approx(195.776, abs=1e-3), pytest.approx(519.231, abs=1e-3))


def test_relative_coordinates_are_thousandths() -> None:
    relative = UiTars("{instruction}", space="relative")
    (found,) = relative.parse("Action: click(start_box='(500,250)')", FULL_HD).actions
    assert found == Click(x=960, y=270)


CLICK = (Click(x=1, y=2),)
ENVELOPES: list[tuple[str, str]] = [
    ("Thought: go on\nAction: click(start_box='(1,2)')", "go on"),
    ("Thought: two\nlines\nAction: click(start_box='(1,2)')", "two\nlines"),
    ("Action: click(start_box='(1,2)')", ""),
    ("Action:click(start_box='(1,2)')", ""),
    ("Thought：想\nAction：click(start_box='(1,2)')", "想"),
    ("Reflection: bad Action_Summary: better\nAction: click(start_box='(1,2)')", "bad\nbetter"),
    ("Reflection: bad\nAction_Summary: better\nAction: click(start_box='(1,2)')", "bad\nbetter"),
    ("Action_Summary: sum\nAction: click(start_box='(1,2)')", "sum"),
    ("<think>deep</think>\nAction: click(start_box='(1,2)')", "deep"),
    ("<think>deep</think>\nThought: t\nAction: click(start_box='(1,2)')", "deep\nt"),
    ("<Thought>o1</Thought>\nAction_Summary: s\nAction: click(start_box='(1,2)')</Output>", "o1\ns"),
    ("Thought: t\nAction: click(start_box='(1,2)')[EOS]", "t"),
    ("Thought: t\nAction: click(start_box='(1,2)')<|im_end|>", "t"),
    ("click(start_box='(1,2)')", ""),
    ("<think>deep</think>click(start_box='(1,2)')", "deep"),
    ("<think>deep</think>\nThought: t\nclick(start_box='(1,2)')", "deep\nt"),
    ("I will press it.\nclick(start_box='(1,2)')", "I will press it."),
    ("Thought: t click(start_box='(1,2)')", "t"),
    ("Thought: t\nAction: I press it: click(start_box='(1,2)')", "t"),
    ("Thought: the Action: label is inside\nAction: click(start_box='(1,2)')", "the Action: label is inside"),
    ("Thought: t\nAction:\nclick(start_box='(1,2)')", "t"),
    ("Thought: t\nAction: ```\nclick(start_box='(1,2)')\n```", "t"),
    ("Thought: t\nAction: ```python\nclick(start_box='(1,2)')\n```", "t"),
    ("**Thought:** t\n**Action:** click(start_box='(1,2)')", "t"),
    ("Thought: t\nAction: click(start_box='(1,2)') # the button", "t"),
    ("Thought: t\nAction: click(start_box='(1,2)') and then I wait for it", "t"),
    ("Thought: t\nAction: click(start_box='(1,2)')\nThought: next\nAction: wait()", "t"),
]


@pytest.mark.parametrize(("text", "thought"), ENVELOPES, ids=[text[:45] for text, _ in ENVELOPES])
def test_envelopes(text: str, thought: str) -> None:
    parsed = DIALECT.parse(text, SAME)
    assert parsed.actions == CLICK
    assert parsed.thought == thought
    assert parsed.call == "click(start_box='(1,2)')"


@pytest.mark.parametrize("between", ["\n\n", "\n", "\n\nAction: ", " ", "; "])
def test_several_actions(between: str) -> None:
    text = f"Thought: t\nAction: click(start_box='(1,2)'){between}type(content='x')"
    assert DIALECT.parse(text, SAME).actions == (Click(x=1, y=2), Type(text="x"))


def test_type_with_a_place_clicks_first() -> None:
    assert read("type(content='x', start_box='(1,2)')") == (Click(x=1, y=2), Type(text="x"))


def test_capabilities_choose_between_equals() -> None:
    browser, phone = frozenset({"back", "keys"}), frozenset({"system_button", "click"})
    assert read("press_back()", browser) == (Back(),)
    assert read("hotkey(key='back')", browser) == (Back(),)
    assert read("navigate_back()", phone) == (SystemButton(button="back"),)
    assert read("hotkey(key='home')", phone) == (SystemButton(button="home"),)
    assert read("hotkey(key='home')", phone | {"keys", "open_app"}) == (SystemButton(button="home"),)
    assert read("hotkey(key='home')", browser) == (Keys(keys=("home",)),)


def test_a_bare_point_is_a_click_only_for_grounding() -> None:
    grounding = UiTars("{instruction}", space="relative", grounding=True)
    assert grounding.parse("(500,250)", SAME).actions == (Click(x=500, y=250),)
    with pytest.raises(ParseError):
        DIALECT.parse("(500,250)", SAME)


BAD = [
    "",
    "   ",
    "Thought: I do not know",
    "Action:",
    "Action: click",
    "Action: click(",
    "Action: click()",
    "Action: click(start_box='(1,2)'",
    "Action: click(start_box='(1,2)",
    "Action: click(start_box='')",
    "Action: click(start_box='(1)')",
    "Action: click(start_box='(1,2,3)')",
    "Action: click(start_box='(nan,2)')",
    "Action: click(start_box='(inf,2)')",
    "Action: click(start_box='(1e3,2)')",
    "Action: click(start_box='(-50,2)')",
    "Action: click(start_box='(5000,2)')",
    "Action: click(start_box='(99999999999999999999999,2)')",
    "Action: click(start_box='(١,٢)')",
    "Action: click(start_box='(1,2)', start_box='(3,4)')",
    "Action: explode(start_box='(1,2)')",
    "Action: drag(start_box='(1,2)')",
    "Action: scroll(start_box='(1,2)')",
    "Action: scroll(direction='sideways')",
    "Action: type()",
    "Action: type(content='C:\\temp\\x')",
    "Action: hotkey()",
    "Action: hotkey(key='')",
    "Action: hotkey(key='ctrl frobnicate')",
    "Action: hotkey(key='a b c d e f g')",
    "Action: press(key='')",
    "Action: open_app(app_name='')",
    "Action: navigate(url='')",
    "Action: select(start_box='(1,2)')",
    "Action: wait(time='soon')",
    "Action: mouse_down(point='<point>1 2</point>')",
    "Action: mouse_up(point='<point>1 2</point>')",
    "Action: click(start_box='(1,2)')\nexplode(x='1')",
    "Action: " + "wait()\n" * 40,
    "Action: click(start_box=" + "(" * 5000,
    "Action: " + "click(" * 5000,
    "(" * 60_000,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("text", BAD, ids=[text[:45] for text in BAD])
def test_everything_else_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError):
        DIALECT.parse(text, SAME)
