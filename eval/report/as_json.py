"""The report's numbers for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.report.joined import Estimate
from eval.report.numbers import Entry, Numbers
from eval.report.step_view import Look


def numbers_as_json(numbers: Numbers, looks: Sequence[Look]) -> dict[str, Any]:
    """Everything that the tables show; scores are 0 to 1, costs means over steps."""
    sweep = numbers.sweep
    return {
        "benchmark": sweep.benchmark,
        "trajectories": numbers.trajectories,
        "steps": len(sweep.played),
        "skipped": len(sweep.skipped),
        "warnings": list(sweep.warnings),
        "settings": dict(sweep.shared),
        "headline": list(numbers.headline),
        "cells": [_entry(entry) for entry in numbers.entries],
        "worst": [_worst(look) for look in looks],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    joined = entry.joined
    return {
        "policy": joined.series.policy,
        "others": dict(joined.series.others),
        "budget": joined.budget or None,
        "seeds": list(joined.seeds),
        "steps": entry.steps,
        "unreadable": entry.unreadable,
        "measures": _all(entry.measures),
        "to_full": _all(entry.to_full),
        "kinds": {rule: _all(found) for rule, found in entry.kinds.items()},
        "splits": {rule: _all(found) for rule, found in entry.splits.items()},
        "costs": _all(entry.costs),
        "by_step": {str(number): costs for number, costs in entry.by_step.items()},
    }


def _worst(look: Look) -> dict[str, Any]:
    worst = look.worst
    split, trajectory, key = worst.step
    scores = [{"cell": joined.label, "score": score} for joined, score in worst.scores.items()]
    return {
        "split": split,
        "trajectory": trajectory,
        "key": key,
        "loss": worst.loss,
        "shown": worst.cell.name,
        "picture": bool(look.picture),
        "scores": scores,
    }


def _all(found: Mapping[str, Estimate]) -> dict[str, dict[str, float]]:
    return {name: estimate.numbers for name, estimate in found.items()}
