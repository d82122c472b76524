"""What the study compares: ways to remember (arms), each at several budgets on several tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent.assemble import LIVE_OPTIONS
from agent.config import CacheConfig
from guikv.policies import POLICIES

TASKS = ("click", "form", "form_many", "scroll", "remember_1", "remember_2", "remember_3", "order", "dialog")
"""Those of the playground, in its order; named here because the study needs no browser."""

BUDGETS = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 100.0)
FEW = (5.0, 10.0, 20.0, 40.0)
PREFILL = (*FEW, 80.0)
"""Under `prefill` the same percentage is fewer bytes: one more point, so that curves overlap."""

MEMORY = ("remember_1", "remember_2", "remember_3", "order")
"""Tasks whose right action depends on a screen that is gone."""
OPTION_TASKS = ("click", "form", *MEMORY)
"""The memory tasks, and two that show what compression does to the screen itself."""
WINDOW_TASKS = ("form_many", "remember_3", "order")
WINDOW_HISTORY = 3
"""Few enough screenshots that the episodes of the playground outgrow them."""

STUDIED = ("basis", "saliency", "reduction", "selection", "protect_text", "once", "kernel", "pooling", "alpha")
"""Options that the CSV always spells out, so that it stays true when a default changes."""

PAPER: dict[str, Any] = {"kernel": 5, "pooling": "avgpool", "alpha": 2.0, "once": False}
"""What the paper and its release agree on, and a run has otherwise by default."""

Options = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Arm:
    """A way to remember: all settings of a session but the budget.

    only_longer: play only episodes with more screenshots than `history`; the others cannot tell windows apart
    """

    policy: str
    options: Options = ()
    moment: str = "next_observation"
    window: str = "shrink"
    history: int = 5
    protect: bool = True
    only_longer: bool = False

    @property
    def text(self) -> str:
        """The options as the CSV has them, `name=value` with blanks between; the studied ones always."""
        values = {**_defaults(self.policy, STUDIED), **dict(self.options)}
        if self.history != CacheConfig().history:
            values["history"] = self.history
        if not self.protect:
            values["protect"] = False
        return " ".join(f"{name}={_text(value)}" for name, value in sorted(values.items()))

    @property
    def series(self) -> Series:
        return Series(self.policy, self.text, self.moment, self.window)


@dataclass(frozen=True, order=True)
class Series:
    """An arm as the CSV names it: the columns policy, options, moment and window."""

    policy: str
    options: str
    moment: str
    window: str

    @property
    def label(self) -> str:
        """For people: only what differs from the defaults."""
        usual = {f"{k}={_text(v)}" for k, v in _defaults(self.policy, STUDIED).items()}
        published = {f"{k}={_text(v)}" for k, v in PAPER.items()}
        options = [o for o in self.options.split() if o not in usual]
        if self.policy == "gui_kv" and published <= set(options):
            options = ["published", *(o for o in options if o not in published)]
        parts = [self.policy, *options]
        parts += [self.moment] if self.moment != CacheConfig().moment else []
        return " ".join(parts + ([self.window] if self.window != CacheConfig().window else []))


@dataclass(frozen=True)
class StudyCell:
    """What one row of the CSV is about: an arm with a budget (percent) on one group of one task's episodes."""

    arm: Arm
    budget: float
    task: str
    group: int

    @property
    def key(self) -> tuple[str, ...]:
        return cell_key(self.task, self.arm.series, self.budget, self.group)

    @property
    def cache(self) -> CacheConfig:
        """Settings of the session. A random choice is drawn anew for every group. Raises a validation error."""
        options = dict(self.arm.options) | ({"seed": self.group} if self.arm.policy == "random" else {})
        own = {name: getattr(self.arm, name) for name in ("policy", "moment", "window", "history", "protect")}
        return CacheConfig.model_validate({**own, "options": options, "budget": f"{self.budget:g}%"})


def cell_key(task: str, series: Series, budget: float, group: int) -> tuple[str, ...]:
    """Tells a row of the CSV from the others."""
    return task, series.policy, series.options, f"{budget:g}", series.moment, series.window, str(group)


def gui_kv(**options: Any) -> Options:
    return tuple(sorted(options.items()))


RELEASED = Arm("gui_kv", gui_kv(basis="leading", saliency="normed", selection="query", **PAPER), moment="prefill")
UNPROTECTED = dataclasses.replace(RELEASED, protect=False)
"""The released code knows no protected text either."""
CORRECTED = Arm("gui_kv", gui_kv(basis="principal", saliency="residual", selection="kv", **PAPER))
CORRECTED_PREFILL = dataclasses.replace(CORRECTED, moment="prefill")

ArmPlan = Iterator[tuple[Arm, Iterable[float], Iterable[str]]]


def _main() -> ArmPlan:
    for policy, made in POLICIES.items():
        # A policy that keeps everything has no budget to vary.
        yield Arm(policy), BUDGETS if made.compresses else BUDGETS[-1:], TASKS


def _moments() -> ArmPlan:
    for policy in ("gui_kv", "snap_kv", "random"):
        yield Arm(policy, moment="prefill"), PREFILL, TASKS
        yield Arm(policy), FEW, TASKS


def _windows() -> ArmPlan:
    arms = [("gui_kv", "shrink"), ("gui_kv", "drop"), ("gui_kv", "recompute")]
    for policy, window in (*arms, ("random", "shrink"), ("recent_frames", "shrink")):
        arm = Arm(policy, window=window, history=WINDOW_HISTORY, only_longer=True)
        yield arm, (10.0, 20.0, 40.0), WINDOW_TASKS


def _options() -> ArmPlan:
    values: dict[str, tuple[Any, ...]] = {
        "basis": ("leading", "principal"),
        "saliency": ("normed", "residual"),
        "reduction": ("mean", "max", "sum"),
        "protect_text": (False, True),
        "once": (False, True),
        "kernel": (1, 3, 5),
        "pooling": ("avgpool", "maxpool"),
        "alpha": (0.0, 2.0, 8.0),
        "selection": ("kv", "query"),
    }
    for name, choices in values.items():
        for choice in choices:
            yield Arm("gui_kv", gui_kv(**{name: choice})), FEW, OPTION_TASKS
    yield Arm("gui_kv", protect=False), FEW, OPTION_TASKS
    yield Arm("gui_kv", gui_kv(basis="leading", **PAPER)), FEW, OPTION_TASKS
    yield CORRECTED, (*FEW, 80.0), OPTION_TASKS
    for arm in (RELEASED, UNPROTECTED, CORRECTED_PREFILL):
        yield arm, PREFILL, OPTION_TASKS
    for policy in ("random", "recent_frames"):
        yield Arm(policy), FEW, OPTION_TASKS


PARTS: dict[str, Callable[[], ArmPlan]]
PARTS = {"main": _main, "moments": _moments, "windows": _windows, "options": _options}


def cells(parts: Iterable[str], tasks: Iterable[str], groups: int) -> list[StudyCell]:
    """All cells of the parts, none twice; part by part, and within a part task by task. KeyError: unknown part."""
    wanted = set(tasks)
    found: dict[tuple[str, ...], StudyCell] = {}
    for part in parts:
        plan = [(arm, tuple(budgets), set(names)) for arm, budgets, names in PARTS[part]()]
        for task in (t for t in TASKS if t in wanted):
            for group in range(groups):
                for arm, budgets, names in plan:
                    if task in names:
                        for budget in budgets:
                            cell = StudyCell(arm, budget, task, group)
                            found.setdefault(cell.key, cell)
    return list(found.values())


def series_of(part: str) -> list[Series]:
    """The arms of a part as the CSV names them, in order, none twice."""
    return list(dict.fromkeys(arm.series for arm, _, _ in PARTS[part]()))


def _defaults(policy: str, names: Iterable[str]) -> dict[str, Any]:
    fields = {f.name: f.default for f in dataclasses.fields(POLICIES[policy])} if policy in POLICIES else {}
    fields.update(LIVE_OPTIONS.get(policy, {}))
    return {name: fields[name] for name in names if name in fields}


def _text(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
