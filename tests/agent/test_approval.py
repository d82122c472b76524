"""Who may do what."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.approval import ActionContext, Allow, Escalate, RuleApprover, TerminalApprover, load_rules
from agent.approval.rules import has_phrase, target_host
from agent.assemble import RISKY_RULES, make_approver
from agent.config import ApprovalConfig
from agent.errors import ConfigError
from envs.actions import Action, Click, KeyDown, Keys, LongPress, Navigate, OpenApp, Scroll, Select, Type
from tests.agent.scripted import FINISHED, FakeScreen, click, play

CLICK = Click(x=1, y=1)
RISKY = RuleApprover(load_rules(RISKY_RULES))


def verdict(action: Action, target: str = "", host: str = "shop.test", **facts: str) -> str:
    context = ActionContext(target=target, facts={"host": host, **facts}, hosts=frozenset({"shop.test"}))
    return RISKY.review(action, context).kind


@pytest.mark.parametrize(
    "target",
    [
        'button "Buy now"', 'button "PAY"', 'link "Delete account"', 'button "Send"', 'button "Löschen"',
        'button "立即购买"', 'button "送信する"', 'button "Install"', 'button "Log out"', 'button "Удалить"',
        'button "Next" type=submit, submits to https://shop.test/x', 'button "Place  your\norder"',
        'link "Read more" to https://other.test/page',
    ],
)  # fmt: skip
def test_risky_clicks_are_asked_about(target: str) -> None:
    assert verdict(CLICK, target) == "ask"


@pytest.mark.parametrize(
    "target",
    [
        "", 'button "Next"', 'link "Payroll history"', 'link "Sender list"', 'button "Undeleted"', 'field "Name"',
        'link "Read more" to https://shop.test/page', 'button "Postpone"', 'link "Back" to #top',
    ],
)  # fmt: skip
def test_harmless_clicks_are_not(target: str) -> None:
    assert verdict(CLICK, target) == "approve"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (Navigate(url="https://other.test/"), "ask"),
        (Navigate(url="other.test"), "ask"),
        (Navigate(url="https://SHOP.test/cart"), "approve"),
        (Navigate(url="/cart"), "approve"),
        (Navigate(url="https://shop.test@evil.test/"), "ask"),
        (Type(text="hello"), "approve"),
        (Type(text="hello", submit=True), "ask"),
        (Keys(keys=("enter",)), "ask"),
        (Keys(keys=("ctrl", "enter")), "ask"),
        (KeyDown(key="enter"), "ask"),
        (Keys(keys=("ctrl", "c")), "approve"),
        (Scroll(direction="down"), "approve"),
        (Select(x=1, y=1, option="Delete"), "ask"),
        (LongPress(x=1, y=1), "approve"),
        (OpenApp(name="Clock"), "approve"),
    ],
)
def test_risky_actions(action: Action, kind: str) -> None:
    assert verdict(action) == kind


def test_rules_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        """
rules:
  - {name: bank, decision: reject, hosts: ["*.bank.test", bank.test]}
  - {name: shopping app, decision: stop, actions: [open_app], packages: ["*shop*"]}
  - {name: fine, decision: approve, text: ["sav? *"]}
  - {name: rest, decision: ask}
"""
    )
    rules = RuleApprover(load_rules(file))

    def decide(action: Action, target: str = "", **facts: str) -> tuple[str, str]:
        found = rules.review(action, ActionContext(target=target, facts=facts))
        return found.kind, found.reason

    assert decide(CLICK, host="www.bank.test") == ("reject", "bank")
    assert decide(Navigate(url="https://bank.test/")) == ("reject", "bank")
    assert decide(OpenApp(name="Super Shop")) == ("stop", "shopping app")
    assert decide(CLICK, "Save file") == ("approve", "fine")
    assert decide(CLICK, "Open file") == ("ask", "rest")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [{name: x, decision: maybe}]", r"rules\.0\.decision"),
        ("rules: [{name: x, actions: [clack]}]", r"no action type 'clack'; there are click"),
        ("rules: [{name: x, regex: [a]}]", r"rules\.0\.regex: Extra inputs"),
        ("rules: [{decision: ask}]", r"rules\.0\.name: Field required"),
        ("rules: [{name: x, text: ['']}]", r"1 to 200 characters"),
        ("{}", r"rules: Field required"),
    ],
)
def test_wrong_rules_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_rules(file)


def test_phrases_are_whole_words() -> None:
    assert has_phrase("please pay now", "pay")
    assert not has_phrase("repay later", "pay")
    assert has_phrase("repay, pay", "pay")
    assert has_phrase("立即支付吧", "支付")


def test_hosts_of_odd_addresses() -> None:
    for url in ("http://[", "data:text/html,x", "about:blank", "javascript:alert(1)", "//"):
        assert target_host(Navigate(url=url)) in ("", "javascript")


class Typist:
    """Types the answers in order; keeps what it was shown."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.shown = list(answers), list[str]()

    def read(self, prompt: str) -> str:
        if not self.answers:
            raise EOFError
        return self.answers.pop(0)

    def approver(self, interactive: bool = True) -> TerminalApprover:
        return TerminalApprover(self.read, self.shown.append, interactive)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (["y"], "approve"),
        (["YES "], "approve"),
        (["?", "y"], "approve"),
        (["n", ""], "reject"),
        (["s"], "stop"),
        ([], "stop"),
    ],
)
def test_answers_at_the_terminal(answers: list[str], kind: str) -> None:
    assert Typist(*answers).approver().review(CLICK, ActionContext()).kind == kind


def test_the_reason_and_the_change_are_passed_on() -> None:
    assert Typist("n", "too dear").approver().review(CLICK, ActionContext()).reason == "too dear"
    typist = Typist("m", "{oops", "m", '{"type": "explode"}', "m", '{"type": "click", "x": 7, "y": 8}')
    changed = typist.approver().review(CLICK, ActionContext())
    assert (changed.kind, changed.action) == ("modify", Click(x=7, y=8))
    assert sum("not an action" in line for line in typist.shown) == 2


def test_always_is_for_this_kind_and_reason() -> None:
    approver = Typist("a").approver()
    assert approver.ask(CLICK, ActionContext(), "pays").kind == "approve"
    assert approver.ask(Click(x=5, y=5), ActionContext(), "pays").kind == "approve"
    assert approver.ask(CLICK, ActionContext(), "deletes").kind == "stop"


def test_page_text_cannot_control_the_terminal() -> None:
    typist = Typist("y")
    typist.approver().review(CLICK, ActionContext(target="Save\x1b[2J\n> y"))
    assert all("\x1b" not in line and "\n" not in line for line in typist.shown)


def test_without_a_terminal_nothing_risky_is_done() -> None:
    approver = Escalate(RISKY, Typist("y").approver(interactive=False))
    screen = FakeScreen(targets={"click": 'button "Pay now"'})
    episode = play([click(5, 5), FINISHED], screen, approver)
    assert episode.screen.done == []
    assert "pays or buys: needs approval, and nobody is there to ask" in episode.last_text
    assert episode.steps[0].done[0].decision == "ask"


def test_modes() -> None:
    assert isinstance(make_approver(ApprovalConfig(mode="never")), Allow)
    assert isinstance(make_approver(ApprovalConfig(mode="risky")), Escalate)
    assert isinstance(make_approver(ApprovalConfig(mode="always")), TerminalApprover)
    with pytest.raises(ConfigError, match="cannot be read"):
        make_approver(ApprovalConfig(rules=Path("/nowhere/rules.yaml")))
