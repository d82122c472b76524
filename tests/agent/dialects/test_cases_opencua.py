"""Answers of OpenCUA as models really write them: a text is taken whole or refused, nothing is dropped in silence."""

from __future__ import annotations

import ast
import json
import random
import re
from pathlib import Path

import pytest

from agent.dialects.opencua import OpenCUA
from agent.errors import ParseError
from envs.actions import Action, Answer, Click, Drag, Finish, KeyDown, Keys, LongPress, Swipe, Type, Wait
from envs.geometry import Resize, Size

SAME = Resize(Size(1000, 1000), Size(1000, 1000))
DIALECT = OpenCUA.make()
SAMPLES = Path(__file__).parents[2] / "data" / "opencua" / "answers.json"
SECTIONS = "## Thought:\nt\n\n## Action:\na\n\n## Code:\n```python\n{}\n```\n"
FORMS = (SECTIONS, "## Code:\n{}", "```python\n{}\n```", "{}")
"""What may stand around code."""
CLICK = "pyautogui.click(x=10, y=20)"
CLICKED = Click(x=10, y=20)


def read(text: str) -> tuple[Action, ...]:
    return DIALECT.parse(text, SAME).actions


def text_of(actions: tuple[Action, ...]) -> str | None:
    """The text of an answer with one action that has one."""
    match actions:
        case (Type(text=text, submit=submit),):
            return text + "\n" * submit
        case (Answer(text=text) | Finish(message=text),):
            return text
    return None


WHOLE: list[tuple[str, str]] = [
    ('pyautogui.write(message="say "hi"")', 'say "hi"'),
    ('pyautogui.write("say "hi"")', 'say "hi"'),
    ("pyautogui.write(message='d('k')[0]')", "d('k')[0]"),
    ("pyautogui.write('d('k')[0]')", "d('k')[0]"),
    ("pyautogui.write('d('k')[0]', interval=0.1)", "d('k')[0]"),
    ("pyautogui.write('print('a', 'b')')", "print('a', 'b')"),
    ('pyautogui.typewrite("f("a", x="b")")', 'f("a", x="b")'),
    ("pyautogui.write(message='it's')", "it's"),
    ("pyautogui.write('it's', interval=0.1)", "it's"),
    ("pyautogui.write('say 'a' 'b'')", "say 'a' 'b'"),
    ("pyautogui.write(message='[0] it's')", "[0] it's"),
    ("pyautogui.write(message='['k']')", "['k']"),
    ("answer('Items ('A') # 5 left')", "Items ('A') # 5 left"),
    ("answer('f('x'), g('y')')", "f('x'), g('y')"),
    ("computer.terminate(status='success', answer='Items ('A') # 5 left')", "Items ('A') # 5 left"),
    ("computer.terminate(answer='it's 'so'', status='success')", "it's 'so'"),
    ("computer.terminate(status='success', answer='the 'x' key')", "the 'x' key"),
    ("answer('[EOS]')", "[EOS]"),
    ("pyautogui.write('<|im_end|>')", "<|im_end|>"),
    ("pyautogui.write('<|im_end|>', interval=0.1)", "<|im_end|>"),
    ("answer('</s>')", "</s>"),
    ("pyautogui.write('a </think> b')", "a </think> b"),
    ("pyautogui.write('<think>a</think>')", "<think>a</think>"),
    ('pyautogui.write("""a\n  \n  b""")', "a\n  \n  b"),
    ("pyautogui.write('a' 'b')", "ab"),
    ("pyautogui.write('C:\\\\Users\\\\new')", "C:\\Users\\new"),
    ("pyautogui.write('\\\\alpha\\n')", "\\alpha\n"),
    ("pyautogui.write('C:\\docs')", "C:\\docs"),
    ("pyautogui.write(r'C:\\Users\\new')", "C:\\Users\\new"),
    ("pyautogui.write('\\d+\\.\\d')", "\\d+\\.\\d"),
    ("pyautogui.write('caf\\xe9 \\u2713')", "café ✓"),
    ("pyautogui.write('\\ud83d\\ude00')", "😀"),
    ("pyautogui.write('a\\tb\\nc')", "a\tb\nc"),
    ("pyautogui.write('it\\'s \"so\"')", 'it\'s "so"'),
    ("pyautogui.write('x')  # the button ('OK')", "x"),
    ("pyautogui.write('# no comment')", "# no comment"),
    ("pyautogui.write('12')", "12"),
]


@pytest.mark.parametrize(("code", "text"), WHOLE, ids=[code[:60] for code, _ in WHOLE])
def test_a_text_is_taken_whole(code: str, text: str) -> None:
    for form in FORMS:
        assert text_of(read(form.format(code))) == text, form


REFUSED = [
    # Where does the text end?
    "pyautogui.write('foo')\nbar')",
    "pyautogui.write('foo') + 'b')",
    "pyautogui.write('foo'), 'b')",
    "pyautogui.write('Items (') # 5 left')",
    "pyautogui.write('a') # b', interval=0.1)",
    "answer('f('x') f('y')\nand more')",
    "answer('The 'x') is y",
    "answer('f('x'); pyautogui.press('y')')",
    "pyautogui.write('It''s')",
    'pyautogui.write("say ""hi"" now")',
    "pyautogui.write('It'\"'\"'s')",
    "pyautogui.write('press the ' ' key')",
    'pyautogui.write("""say "hi"""")',
    "pyautogui.write('a', 'b')",
    "pyautogui.write('a', interval='b')",
    "pyautogui.write('abc",
    "pyautogui.write('abc'",
    # What does the backslash stand for?
    "pyautogui.write('C:\\Users\\new')",
    "pyautogui.write('C:\\new')",
    "pyautogui.write('C:\\temp\\docs')",
    "pyautogui.write('C:\\xampp\\htdocs')",
    "pyautogui.write('D:\\reports\\total')",
    "pyautogui.write('cd ..\\new')",
    "pyautogui.write('%APPDATA%\\npm')",
    "pyautogui.write('it's C:\\new')",
    "pyautogui.write('D:\\bin\\a')",
    "pyautogui.write('\\frac{1}{2}')",
    "pyautogui.write('\\d+\\n')",
    "pyautogui.write('a\\q\\\\b')",
    "pyautogui.write('\\N{BULLET}')",
    "pyautogui.write('\\ud83d')",
    "pyautogui.write('''curl \\\n -x''')",
    "answer('C:\\new')",
    "computer.terminate(status='success', answer='C:\\Users\\me')",
    "browser.select_option(x=10, y=20, value='a\\q\\nb')",
    # Arguments that would change the action, and are not known or make no sense.
    "pyautogui.click(x=10, y=20, keys='ctrl')",
    "pyautogui.click(x=10, y=20, modifiers=['ctrl'])",
    "pyautogui.click(x=10, y=20, text='a')",
    "pyautogui.click(x=10, y=20, mouseDownUp=False)",
    "pyautogui.moveTo(x=1, y=2)\npyautogui.dragTo(x=10, y=20, mouseDownUp=False)",
    "pyautogui.click(x=10, y=20, tween='slow')",
    "pyautogui.click(x=10, y=20, duration=[1])",
    "pyautogui.click(x=10, y=20, clicks=4)",
    "pyautogui.click(x=10, y=20, clicks=2.5)",
    "pyautogui.rightClick(x=10, y=20, button='left')",
    "pyautogui.rightClick(x=10, y=20, clicks=2)",
    "pyautogui.press('a', 'b')",
    "pyautogui.press('a', presses='many')",
    "pyautogui.hotkey('ctrl', 'c', presses=2)",
    "pyautogui.keyDown('a', presses=2)",
    "pyautogui.write('a', enter=True)",
    "pyautogui.write('a', clear=True)",
    "pyautogui.scroll(-5, direction='up')",
    "pyautogui.mouseDown(x=10, y=20, button='right')\npyautogui.mouseUp()",
    "browser.clear(x=10, y=20, text='a')",
    "computer.terminate(status='success', reason='x')",
    # Calls that would be left out.
    f"{CLICK} and then pyautogui.press('a')",
    "pyautogui.write('a')pyautogui.press('b')",
    f"with pyautogui.hold('shift'):\n    {CLICK}",
]


@pytest.mark.parametrize("code", REFUSED, ids=[code[:60] for code in REFUSED])
def test_what_can_be_meant_two_ways_is_refused(code: str) -> None:
    for form in FORMS:
        with pytest.raises(ParseError):
            read(form.format(code))


def test_a_refused_backslash_says_what_to_do() -> None:
    for path in ("C:\\Users\\new", "C:\\new", "\\d\\n"):
        with pytest.raises(ParseError, match="double it"):
            read(SECTIONS.format(f"pyautogui.write('{path}')"))


def click(**changed: object) -> Click:
    return CLICKED.model_copy(update=changed)


DONE: list[tuple[str, tuple[Action, ...]]] = [
    ("pyautogui.press('page down')", (Keys(keys=("pagedown",)),)),
    ("pyautogui.press(['page up', 'caps lock'])", (Keys(keys=("pageup",)), Keys(keys=("capslock",)))),
    ("pyautogui.hotkey('ctrl', 'left arrow')", (Keys(keys=("ctrl", "left")),)),
    ("pyautogui.hotkey('ctrl left arrow')", (Keys(keys=("ctrl", "left")),)),
    ("pyautogui.hotkey('ctrl page down')", (Keys(keys=("ctrl", "pagedown")),)),
    ("pyautogui.hotkey(['alt', 'print screen'])", (Keys(keys=("alt", "printscreen")),)),
    ("pyautogui.hotkey('left ctrl', 'c')", (Keys(keys=("ctrl", "c")),)),
    ("pyautogui.press('ctrl+page down')", (Keys(keys=("ctrl", "pagedown")),)),
    ("pyautogui.press('right alt')", (Keys(keys=("alt",)),)),
    ("pyautogui.press('num 1')", (Keys(keys=("1",)),)),
    ("pyautogui.press('back space')", (Keys(keys=("backspace",)),)),
    ("pyautogui.hotkey('alt', 'left')", (Keys(keys=("alt", "left")),)),
    ("pyautogui.keyDown('left shift')", (KeyDown(key="shift"),)),
    ("pyautogui.click(10, 20, clicks=2, interval=0.1)", (click(count=2),)),
    ("pyautogui.click(10, 20, clicks=2, interval=1)", (CLICKED, CLICKED)),
    ("pyautogui.click(10, 20, 3, 1.0, 'right')", (click(button="right"),) * 3),
    ("pyautogui.doubleClick(10, 20, button='right')", (click(button="right", count=2),)),
    ("pyautogui.click(10, 20, tween=pyautogui.easeInOutQuad, mouseDownUp=True)", (CLICKED,)),
    ("pyautogui.click(10, 20, duration=0.2, _pause=False, logScreenshot=None)", (CLICKED,)),
    ("pyautogui.moveTo(1, 2, 0.5, pyautogui.linear)\npyautogui.dragTo(3, 4)", (Drag(path=((1, 2), (3, 4))),)),
    (
        "pyautogui.mouseDown(1, 2)\npyautogui.moveTo(3, 4)\npyautogui.mouseUp(3, 4)",
        (Drag(path=((1, 2), (3, 4))),),
    ),
    ("computer.wait(duration=3)", (Wait(seconds=3),)),
    ("time.sleep(secs=3)", (Wait(seconds=3),)),
    ("mobile.long_press(x=10, y=20, duration=3)", (LongPress(x=10, y=20, seconds=3),)),
    ("mobile.swipe([1, 2], [3, 4], duration=2)", (Swipe(x=1, y=2, x2=3, y2=4, seconds=2),)),
    ("pyautogui.write('it's'); pyautogui.press('a')", (Type(text="it's"), Keys(keys=("a",)))),
    (f"{CLICK}; pyautogui.press('a')", (CLICKED, Keys(keys=("a",)))),
    (f"{CLICK}  # then pyautogui.press('a')", (CLICKED,)),
    ("    pyautogui.press('a')\n    pyautogui.press('b')", (Keys(keys=("a",)), Keys(keys=("b",)))),
    ("computer.terminate(answer='it's', status='success')", (Finish(message="it's"),)),
]


@pytest.mark.parametrize(("code", "actions"), DONE, ids=[code[:60] for code, _ in DONE])
def test_an_action_is_done_as_meant(code: str, actions: tuple[Action, ...]) -> None:
    for form in FORMS[:3]:
        assert read(form.format(code)) == actions, form


OTHER = "pyautogui.press('a')"
THINKING = [
    f"<think>Plan: {OTHER} no.</think>\n{SECTIONS.format(CLICK)}",
    f"<think>\n{OTHER}\n</think>\n{CLICK}",
    f"Plan:\n{OTHER}\n</think>\n\n{SECTIONS.format(CLICK)}",
    f"```python\n{OTHER}\n```\n</think>\n```python\n{CLICK}\n```",
    f"<think_abc>maybe\n{OTHER}\n</think_abc>\n{CLICK}",
    f"<thinking>{SECTIONS.format(OTHER)}</thinking>{SECTIONS.format(CLICK)}",
    f"<think>a</think>\n<think>\n{OTHER}\n</think>\n{CLICK}",
    f"{SECTIONS.format(OTHER)}\n</think>\n{SECTIONS.format(CLICK)}<|im_end|>",
    f"<think>\n{CLICK}\n</think>",
    f"<think>\nI press it.\n{CLICK}\n</think>\nI did.",
]


@pytest.mark.parametrize("text", THINKING, ids=[repr(text[:60]) for text in THINKING])
def test_what_stands_before_the_end_of_thinking_is_not_done(text: str) -> None:
    assert read(text) == (CLICKED,)


def test_a_call_that_cannot_be_read_does_not_bring_back_the_thinking() -> None:
    with pytest.raises(ParseError):
        read(f"<think>\n{OTHER}\n</think>\npyautogui.write('C:\\new')")
    with pytest.raises(ParseError):
        read(f"<think>I could {OTHER} here.</think>\nI do not.")


LEFT_OUT = [
    f"## Code:\n```python\n{CLICK}\n```\n## Code:\n```python\n{OTHER}\n```",
    f"## Code:\n{OTHER}\n```python\n{CLICK}\n```",
    f"## Code:\n```python\n{CLICK}\n```\n{OTHER}",
    f"```python\n{CLICK}\n```\nor\n```python\n{OTHER}\n```",
    f"{OTHER}\n```python\n{CLICK}\n```",
    f"I do {CLICK} and {OTHER}",
    # A fence inside of a text.
    "## Code:\n```code\ncomputer.terminate(status='success', answer='''Here:\n```python\nx\n```\n''')\n```",
    "## Code:\n```python\npyautogui.write('''\n```\na\n```\n''')\n```",
]


@pytest.mark.parametrize("text", LEFT_OUT, ids=[repr(text[:60]) for text in LEFT_OUT])
def test_code_is_not_left_out(text: str) -> None:
    with pytest.raises(ParseError):
        read(text)


def test_the_same_code_twice_is_one() -> None:
    for text in (SECTIONS.format(CLICK) * 2, f"```python\n{CLICK}\n```\n" * 3):
        assert read(text) == (CLICKED,)


PUBLISHED: list[tuple[Action, ...]] = [
    (Drag(path=((328.0, 469.7), (0.5025 * 1000, 603.9))),),
    (Type(text="help me polish this: '"),),
    (Keys(keys=("ctrl", "c")),),
    (Type(text="SPOTIFY", submit=True),),
]


def test_published_answers_are_read_and_written_back() -> None:
    dialect = OpenCUA.make(space="relative")
    parsed = [dialect.parse(entry["answer"], SAME) for entry in json.loads(SAMPLES.read_text())]
    assert [one.actions for one in parsed[:4]] == PUBLISHED
    for one in parsed:
        assert dialect.parse(dialect.write(one.thought, one.actions, SAME), SAME).actions == one.actions


PIECES = (
    *("'", '"', "(", ")", "')", "('", "a", "it's", " ", " # ", ", ", "=", "[0]", "; ", "x=", "interval=", "."),
    *("\n", "pyautogui.press('", "answer(", "hi", "[EOS]"),
)
CALLS = (
    *("pyautogui.write(message='{}')", "pyautogui.write('{}')", 'pyautogui.write("{}")', "answer('{}')"),
    *("pyautogui.write('{}', interval=0.1)", "computer.terminate(status='success', answer='{}')"),
)
TEXTS = 12_000


def is_python(code: str) -> bool:
    """Does it mean something else by itself?"""
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def test_texts_with_quotes_that_are_not_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole or refused; a closed text with other words on the lines below cannot be told from one that goes on."""
    dice = random.Random(7)
    whole = refused = other = 0
    for _ in range(TEXTS):
        text = "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 7)))
        code = dice.choice(CALLS).format(text)
        try:
            found = text_of(read(dice.choice(FORMS).format(code)))
        except ParseError:
            refused += 1
            continue
        if found == text:
            whole += 1
        else:
            other += 1

            assert "\n" in text or "(" in text or is_python(code), code
    with capsys.disabled():
        print(f"\nopencua: {TEXTS} texts with quotes, {whole} whole, {refused} refused, {other} other code")
    assert whole > 0.6 * TEXTS
    assert other < 0.01 * TEXTS


SLASHED = ("\\", "\\\\", "\\n", "\\t", "\\U", "\\d", "\\x41", "\\'", "C:", "a", " ", "..", "new", "\\\\n", "%A%")


def test_texts_with_backslashes(capsys: pytest.CaptureFixture[str]) -> None:
    """Read as Python reads them, or refused; never one backslash by one rule and the next by another."""
    dice = random.Random(8)
    taken = refused = 0
    for _ in range(TEXTS):
        text = "".join(dice.choice(SLASHED) for _ in range(dice.randint(1, 6)))
        code = f"pyautogui.write('{text}')"
        try:
            found = text_of(read(dice.choice(FORMS).format(code)))
        except ParseError:
            refused += 1
            continue
        if not is_python(code):
            # An unescaped quote among them, as in `\\\\'`: whole or refused.
            continue
        taken += 1
        assert found == ast.literal_eval(f"'{text}'"), code
        assert not re.match(r"C:\\[ntx][a-z0-9_.\\-]", text), code
    with capsys.disabled():
        print(f"\nopencua: {TEXTS} texts with backslashes, {taken} read as Python does, {refused} refused")
    assert 0.1 < taken / TEXTS < 0.9
