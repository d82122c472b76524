"""An answer as the GUI-KV release reads it: its readers' defects included, so that published tables can be compared.

Written from a description of their behaviour (they are under a non-commercial licence): the release copies the parsers
of bytedance/UI-TARS (`parse_action_to_structure_output`) and of xlang-ai/OpenCUA (`evaluation/agentnetbench`). It knows
UI-TARS and OpenCUA only; an answer in another dialect is written in UI-TARS' first, as exactly as that can say it.

What a benchmark of the release then makes of the calls (ctrl → control, drag → dragto …) is no part of this.
"""

from __future__ import annotations

from eval.metrics.prediction import Prediction
from eval.metrics.release import opencua, ui_tars
from eval.metrics.release.calls import Call, Reading
from eval.metrics.release.translate import ui_tars_image, ui_tars_text

__all__ = ["MAX_TEXT", "Call", "Reading", "read", "read_opencua_official"]

MAX_TEXT = 65_536
"""Longer texts are not read. Models of the release write at most 1,000 tokens."""


def read(prediction: Prediction, grounding: bool = False) -> Reading:
    """The calls of the last text; never raises.

    grounding: as the release's ScreenSpot scripts read: they take the first argument for the place, and do not know
    `computer.triple_click`
    """
    if prediction.dialect == "opencua":
        return opencua.read(_last(prediction), prediction.resize.image, grounding)
    if prediction.dialect == "ui_tars":
        return ui_tars.read(_last(prediction), prediction.resize.image, grounding)
    image = ui_tars_image(prediction.size)
    if image is None or prediction.error:
        return Reading("ui_tars", (), failed=True)
    text = ui_tars_text(prediction.actions, prediction.size, image)
    return ui_tars.read(text, image, grounding) if text else Reading("ui_tars", ())


def read_opencua_official(prediction: Prediction) -> Reading:
    """The calls of the last text as the published evaluation of OpenCUA reads it, in whatever dialect it is.

    Source: xlang-ai/OpenCUA, evaluation/agentnetbench/agent/opencua.py. It differs from the release's reader in that
    commands are looked for anywhere in a line when no line begins with one, and that only places with both numbers
    above 1 are taken for pixels, those of `computer.` calls never.
    """
    return opencua.read_official(_last(prediction), prediction.resize.image)


def _last(prediction: Prediction) -> str | None:
    """The text to read, None for one that is too long."""
    text = prediction.texts[-1] if prediction.texts else ""
    return text if len(text) <= MAX_TEXT else None
