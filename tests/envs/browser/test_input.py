"""Every action, done to real pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envs.actions import (
    Action,
    Click,
    Drag,
    KeyDown,
    Keys,
    KeyUp,
    LongPress,
    Move,
    OpenApp,
    Scroll,
    Select,
    Swipe,
    SystemButton,
    Type,
    Wait,
)
from envs.base import ActionFailed, UnsupportedAction
from envs.browser import Browser, BrowserOptions

Show = Callable[[str], Browser]

RECORD = "<script>window.got = []; const note = (x) => got.push(x);</script>"
INSIDE = "(() => {{ const r = {}.getBoundingClientRect(); return [r.x + 5, r.y + 5]; }})()"
FIELD = "<input id=f autofocus style='width:300px'>"


def test_clicks_reach_the_point_with_button_and_count(show: Show) -> None:
    browser = show(
        RECORD
        + """<div style="width:400px;height:300px"
        onmousedown="note(['down', event.clientX, event.clientY, event.button])"
        ondblclick="note('double')" oncontextmenu="note('menu'); return false"></div>"""
    )
    browser.execute(Click(x=10, y=20))
    browser.execute(Click(x=399, y=299, button="right"))
    browser.execute(Click(x=50, y=60, count=2))
    assert browser.evaluate("got") == [
        ["down", 10, 20, 0],
        ["down", 399, 299, 2],
        "menu",
        ["down", 50, 60, 0],
        ["down", 50, 60, 0],
        "double",
    ]


@pytest.mark.parametrize("point", [(-1.0, 5.0), (5.0, 301.0), (4000.0, 5.0)])
def test_points_outside_the_screen(show: Show, point: tuple[float, float]) -> None:
    with pytest.raises(ActionFailed, match="outside the screen of 400x300"):
        show("").execute(Click(x=point[0], y=point[1]))


def test_the_far_edge_is_clamped(show: Show) -> None:
    browser = show(RECORD + "<div style='width:400px;height:300px' onclick='note(event.clientX)'></div>")
    browser.execute(Click(x=400, y=300))
    assert browser.evaluate("got") == [399]


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Grüße <>{}|\"~'\\`^",
        "你好，世界 日本語 한국어",
        "😀🚀👩‍👩‍👧 €",
        "é vs é",
        "שלום مرحبا",
        "x" * 1000,
        "  two  blanks ",
    ],
)
def test_typing_is_exact(show: Show, text: str) -> None:
    browser = show(FIELD)
    browser.evaluate("f.focus()")
    assert browser.execute(Type(text=text)) == ()
    assert browser.evaluate("f.value") == text


def test_typing_lines_into_a_text_area(show: Show) -> None:
    browser = show("<textarea id=f></textarea>")
    browser.execute(Click(x=20, y=10))
    browser.execute(Type(text="one\ntwo\r\n\nfour"))
    assert browser.evaluate("f.value") == "one\ntwo\n\nfour"


@pytest.mark.parametrize("action", [Type(text="hi", submit=True), Type(text="hi\n")])
def test_submitting(show: Show, action: Action) -> None:
    browser = show(f"{RECORD}<form onsubmit='note(f.value); return false'>{FIELD}</form>")
    browser.evaluate("f.focus()")
    browser.execute(action)
    assert browser.evaluate("got") == ["hi"]


def test_typing_without_focus_is_told(show: Show) -> None:
    browser = show(RECORD + "<body onkeydown='note(event.key)'>")
    events = browser.execute(Type(text="ab"))
    assert [event.kind for event in events] == ["no_focus"]
    assert browser.evaluate("got") == ["a", "b"]


def test_chords_edit_text(show: Show) -> None:
    browser = show(FIELD)
    browser.evaluate("f.value = 'hello world'; f.focus()")
    browser.execute(Keys(keys=("ctrl", "a")))
    browser.execute(Keys(keys=("ctrl", "C")))
    browser.execute(Keys(keys=("end",)))
    browser.execute(Keys(keys=("Control", "v")))
    assert browser.evaluate("f.value") == "hello worldhello world"
    browser.execute(Keys(keys=("ctrl", "shift", "Left")))
    browser.execute(Keys(keys=("BackSpace",)))
    assert browser.evaluate("f.value") == "hello worldhello "


@pytest.mark.parametrize(
    ("name", "expected"),
    [("enter", "Enter"), ("pgdn", "PageDown"), ("f2", "F2"), ("A", "A"), ("ß", None), ("esc", "Escape")],
)
def test_single_keys(show: Show, name: str, expected: str | None) -> None:
    browser = show(RECORD + FIELD)
    browser.evaluate("f.focus(); f.onkeydown = (event) => note(event.key); 0")
    browser.execute(Keys(keys=(name,)))
    assert browser.evaluate("got") == ([expected] if expected else [])
    if expected is None:
        assert browser.evaluate("f.value") == name


def test_a_failed_chord_leaves_no_key_down(show: Show) -> None:
    browser = show(FIELD)
    browser.evaluate("f.focus()")
    with pytest.raises(ActionFailed, match="did you mean"):
        browser.execute(Keys(keys=("shift", "entr")))
    browser.execute(Type(text="low"))
    browser.execute(Keys(keys=("a",)))
    assert browser.evaluate("f.value") == "lowa"


def test_held_keys(show: Show) -> None:
    browser = show(RECORD + "<div style='width:400px;height:300px' onclick='note(event.shiftKey)'></div>")
    browser.execute(KeyDown(key="shift"))
    browser.execute(Click(x=5, y=5))
    browser.execute(KeyUp(key="shift"))
    browser.execute(Click(x=5, y=5))
    assert browser.evaluate("got") == [True, False]


def test_address_bar_keys_point_to_navigate(show: Show) -> None:
    with pytest.raises(ActionFailed, match="navigate"):
        show("").execute(Keys(keys=("ctrl", "l")))


@pytest.mark.parametrize(
    ("direction", "before", "after"),
    [
        ("down", (500, 500), (500, 800)),
        ("up", (500, 500), (500, 200)),
        ("right", (500, 500), (800, 500)),
        ("left", (500, 500), (200, 500)),
    ],
)
def test_scroll(show: Show, direction: str, before: tuple[int, int], after: tuple[int, int]) -> None:
    browser = show("<div style='width:3000px;height:3000px'></div>")
    browser.evaluate("([x, y]) => scrollTo(x, y)", list(before))
    browser.execute(Scroll(direction=direction, amount=3))
    browser.settle()
    assert tuple(browser.evaluate("[scrollX, scrollY]")) == after


def test_scroll_inside_a_box(show: Show) -> None:
    box = "<div id=b style='position:absolute;left:200px;top:100px;width:100px;height:100px;overflow:auto'>"
    browser = show(f"{box}<div style='height:2000px'></div></div><div style='height:2000px'></div>")
    browser.execute(Scroll(direction="down", amount=1, x=250, y=150))
    browser.settle()
    assert browser.evaluate("[b.scrollTop, scrollY]") == [100, 0]


def test_drag_a_slider(show: Show) -> None:
    browser = show("<input id=s type=range min=0 max=100 value=0 style='width:300px;margin:0'>")
    y = browser.evaluate("s.getBoundingClientRect().top + 8")
    browser.execute(Drag(path=((8, y), (150, y), (292, y))))
    assert browser.evaluate("Number(s.value)") > 95


def test_drag_and_drop(show: Show) -> None:
    browser = show(
        """<div id=a draggable=true style='width:50px;height:50px;background:red'></div>
        <div id=b style='position:absolute;left:200px;top:150px;width:80px;height:80px;background:blue'
        ondragover='event.preventDefault()' ondrop='b.append(a)'></div>"""
    )
    browser.execute(Drag(path=((25, 25), (240, 190))))
    assert browser.evaluate("a.parentNode === b")


def test_move_hovers(show: Show) -> None:
    browser = show(RECORD + "<div style='width:50px;height:50px' onmouseenter='note(1)'></div>")
    browser.execute(Move(x=200, y=200))
    browser.execute(Move(x=20, y=20))
    assert browser.evaluate("got") == [1]


def test_long_press_and_swipe_with_a_mouse(show: Show) -> None:
    browser = show(
        RECORD
        + """<div style='width:400px;height:300px' onmousedown='window.t = performance.now()'
        onmouseup='note([event.clientX, performance.now() - t])'></div>"""
    )
    browser.execute(LongPress(x=9, y=9, seconds=0.3))
    browser.execute(Swipe(x=10, y=10, x2=200, y2=100, seconds=0.2))
    (pressed, held), (ended, _) = browser.evaluate("got")
    assert (pressed, ended) == (9, 200)
    assert held >= 290


def test_fingers_on_a_touch_screen() -> None:
    with Browser.launch(BrowserOptions(viewport=(300, 400), touch=True)) as browser:
        browser.evaluate("document.body.innerHTML = '<div style=height:3000px></div>'")
        browser.evaluate("window.got = []; addEventListener('touchend', () => got.push(1))")
        browser.execute(Swipe(x=150, y=300, x2=150, y2=100))
        browser.settle()
        assert browser.evaluate("scrollY") > 100
        browser.execute(LongPress(x=100, y=100, seconds=0.1))
        assert browser.evaluate("got.length") >= 1


LIST = """<label style='position:absolute;left:200px;top:0'>Colour <select id=s onchange='note(s.value)'>
<option value=r>Red</option><option value=b>Dark   blue</option><option disabled>Gone</option></select></label>"""


@pytest.mark.parametrize("option", ["Dark blue", "dark BLUE", "  Dark blue "])
def test_select_by_text(show: Show, option: str) -> None:
    browser = show(RECORD + LIST)
    x, y = browser.evaluate(INSIDE.format("s"))
    browser.execute(Select(x=x, y=y, option=option))
    browser.execute(Select(x=205, y=10, option="Red"))
    assert browser.evaluate("got") == ["b", "r"]


def test_select_says_what_there_is(show: Show) -> None:
    browser = show(RECORD + LIST)
    with pytest.raises(ActionFailed, match="no option 'Green'; it has 'Red', 'Dark blue'"):
        browser.execute(Select(x=205, y=10, option="Green"))
    with pytest.raises(ActionFailed, match="disabled"):
        browser.execute(Select(x=205, y=10, option="Gone"))
    with pytest.raises(ActionFailed, match="no drop-down list"):
        browser.execute(Select(x=5, y=200, option="Red"))


def test_clicking_a_list_tells_its_options(show: Show) -> None:
    browser = show(RECORD + LIST)
    x, y = browser.evaluate(INSIDE.format("s"))
    (event,) = browser.execute(Click(x=x, y=y))
    assert event.kind == "list"
    assert event.detail["options"] == ["Red", "Dark blue", "Gone"]


def test_select_inside_frames_and_shadow_roots(show: Show) -> None:
    inner = "<select id=s><option>One<option>Two</select>"
    browser = show(
        f"""<iframe id=i style='margin:20px;border:3px solid;padding:4px' srcdoc="{inner}"></iframe><div id=h></div>
        <script>h.attachShadow({{mode: 'open'}}).innerHTML = "{inner}"</script>"""
    )
    browser.settle()
    browser.execute(Select(x=45, y=45, option="Two"))
    assert browser.evaluate("i.contentDocument.querySelector('select').value") == "Two"
    x, y = browser.evaluate(INSIDE.format("h.shadowRoot.querySelector('select')"))
    browser.execute(Select(x=x, y=y, option="Two"))
    assert browser.evaluate("h.shadowRoot.querySelector('select').value") == "Two"


@pytest.mark.parametrize("action", [OpenApp(name="x"), SystemButton(button="power")])
def test_actions_that_a_browser_lacks(show: Show, action: Action) -> None:
    with pytest.raises(UnsupportedAction):
        show("").execute(action)


def test_waiting(show: Show) -> None:
    browser = show("<script>window.t = performance.now()</script>")
    browser.execute(Wait(seconds=0.3))
    assert browser.evaluate("performance.now() - t") >= 290
