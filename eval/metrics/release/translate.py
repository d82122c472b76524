"""Actions in UI-TARS' words, for answers in dialects that the release does not know."""

from __future__ import annotations

from collections.abc import Iterable

from agent.dialects.coordinates import Coordinates
from agent.dialects.ui_tars import FAMILY as UI_TARS
from agent.dialects.ui_tars.serialize import write_action
from agent.errors import DialectError
from envs.actions import Action
from envs.geometry import Resize, Size
from guikv.errors import GuikvError
from guikv.models.images import resized


def ui_tars_image(screenshot: Size) -> Size | None:
    """What UI-TARS-1.5 would see of it; None for sizes that no model takes."""
    try:
        return Size(*resized((screenshot.width, screenshot.height), UI_TARS.eyes))
    except GuikvError:
        return None


def ui_tars_text(actions: Iterable[Action], screenshot: Size, image: Size) -> str:
    """An answer without a thought, places rounded to whole pixels of the image; "" where nothing can be said.

    Actions that UI-TARS cannot express are left out.
    """
    coordinates = Coordinates(Resize(screenshot, image))
    calls = []
    for action in actions:
        try:
            calls.append(write_action(action, coordinates))
        except DialectError:
            continue
    return "Action: " + "\n\n".join(calls) if calls else ""
