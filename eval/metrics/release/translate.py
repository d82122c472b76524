"""Actions in UI-TARS' words, for answers in dialects that the release does not know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.dialects.coordinates import Coordinates
from agent.dialects.ui_tars.serialize import write_action
from agent.errors import DialectError
from envs.actions import Action
from envs.geometry import Resize, Size
from guikv.errors import GuikvError
from guikv.models.images import resized


@dataclass(frozen=True)
class _Processor:
    """UI-TARS-1.5's image processor as the release has it, whatever later checkpoints state."""

    patch_size: int = 14
    merge_size: int = 2
    size: dict[str, int] = field(
        default_factory=lambda: {"shortest_edge": 100 * 28 * 28, "longest_edge": 16384 * 28 * 28}
    )


_UI_TARS = _Processor()


def ui_tars_image(screenshot: Size) -> Size | None:
    """What UI-TARS-1.5 would see of it; None for sizes that no model takes."""
    try:
        return Size(*resized((screenshot.width, screenshot.height), _UI_TARS))
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
