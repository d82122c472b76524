"""Who says whether an action may be done: rules, and a person at the terminal."""

from agent.approval.base import ActionContext, Allow, Approver, Decision, Escalate
from agent.approval.rules import RuleApprover, load_rules
from agent.approval.terminal import TerminalApprover

__all__ = [
    "ActionContext",
    "Allow",
    "Approver",
    "Decision",
    "Escalate",
    "RuleApprover",
    "TerminalApprover",
    "load_rules",
]
