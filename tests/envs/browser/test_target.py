"""What approval rules are told about the element an action touches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envs.actions import Action, Back, Click, Drag, Keys, Scroll, Type, Wait
from envs.browser import Browser

Show = Callable[[str], Browser]
AT = "position:absolute;left:10px;top:10px;width:100px;height:50px"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"<button style='{AT}'>Pay <b>now</b></button>", ['button "Pay now"']),
        (
            f"<form action='https://shop.test/pay'><button style='{AT}'>Pay</button></form>",
            ['"Pay"', "type=submit", "shop.test/pay"],
        ),
        (f"<form><input type=submit value=Send style='{AT}'></form>", ['button "Send"', "type=submit"]),
        (f"<form><button type=button style='{AT}'>Look</button></form>", ['button "Look"']),
        (f"<a href='https://evil.test/x' style='{AT}'>Bank</a>", ['link "Bank"', "to https://evil.test/x"]),
        (f"<button aria-label='Delete all' style='{AT}'>🗑</button>", ['"Delete all"']),
        (f"<span id=l>Wipe</span><button aria-labelledby=l style='{AT}'>x</button>", ['"Wipe"']),
        (f"<label for=i>Card number</label><input id=i style='{AT}'>", ["text field", '"Card number"']),
        (f"<input type=password name=pw value=secret style='{AT}'>", ["password field", '"pw"']),
        (f"<div role=button title='Remove' style='{AT}'><i>x</i></div>", ['button "x" "Remove"']),
        (f"<img alt='A cat' style='{AT}'>", ['picture "A cat"']),
        (f"<label style='{AT}'>Agree<input type=checkbox></label>", ["checkbox field", '"Agree"']),
    ],
)
def test_what_a_click_touches(show: Show, html: str, expected: list[str]) -> None:
    text = show(html).describe_target(Click(x=30, y=30))
    for part in expected:
        assert part in text
    assert "secret" not in text
    if "Look" in html:
        assert "submit" not in text


def test_a_region_is_not_named_by_what_stands_in_it(show: Show) -> None:
    """A click beside the buttons must not look like a click on one of them."""
    page = f"<div style='{AT};width:250px'>Basket<button style='margin-left:150px'>Delete</button></div>"
    text = show(page).describe_target(Click(x=100, y=40))
    assert "Basket" in text
    assert "Delete" not in text


def test_inside_frames_and_shadow_roots(show: Show) -> None:
    browser = show(
        """<iframe style='position:absolute;left:0;top:0;border:0'
        srcdoc="<button style='width:90px;height:90px'>In frame</button>"></iframe>
        <div id=h style='position:absolute;left:0;top:200px'></div>
        <script>h.attachShadow({mode:'open'}).innerHTML =
        "<button style='width:90px;height:40px'><i>In root</i></button>"</script>"""
    )
    browser.settle()
    assert '"In frame"' in browser.describe_target(Click(x=40, y=40))
    assert '"In root"' in browser.describe_target(Click(x=40, y=220))


def test_text_of_strangers_is_cut(show: Show) -> None:
    form = f"<form action='https://shop.test/pay'><button style='{AT}'>{'very ' * 200}</button></form>"
    text = show(form).describe_target(Click(x=30, y=30))
    assert len(text) <= 200
    assert text.endswith("type=submit, submits to https://shop.test/pay")


@pytest.mark.parametrize(
    ("action", "submits"),
    [
        (Type(text="a"), False),
        (Type(text="a", submit=True), True),
        (Type(text="a\n"), True),
        (Keys(keys=("enter",)), True),
        (Keys(keys=("Return",)), True),
        (Keys(keys=("a",)), False),
    ],
)
def test_what_keys_would_do(show: Show, action: Action, submits: bool) -> None:
    browser = show(
        "<form action='https://shop.test/buy'><label>Address <input id=f></label><button>Order</button></form>"
    )
    browser.evaluate("f.focus()")
    text = browser.describe_target(action)
    assert "Address" in text
    assert ('Enter submits the form "Order" to https://shop.test/buy' in text) == submits


def test_enter_presses_a_focused_button(show: Show) -> None:
    browser = show("<button id=b>Delete</button>")
    browser.evaluate("b.focus()")
    assert browser.describe_target(Keys(keys=("enter",))) == 'button "Delete"; Enter presses it'


def test_drags_have_two_ends(show: Show) -> None:
    browser = show(f"<button style='{AT}'>From</button><button style='{AT};left:200px'>To</button>")
    assert browser.describe_target(Drag(path=((30, 30), (220, 30)))) == 'button "From" → button "To"'


@pytest.mark.parametrize("action", [Back(), Wait(), Scroll(direction="down"), Type(text="x"), Click(x=9999, y=9999)])
def test_nothing_in_particular(show: Show, action: Action) -> None:
    assert show("").describe_target(action) in ("", "html", "body")
