"""A compression method of one's own: a frozen dataclass that scores every cached entry.

python examples/own_policy.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image
from torch import Tensor

from guikv import Session, Settings, load_model, parse_budget
from guikv.content import Frame, Message, Text
from guikv.policies import LayerView, Policy

SCREENSHOTS = Path(__file__).parents[1] / "tests" / "data" / "nano_pages"


@dataclass(frozen=True)
class LargestKeys(Policy):
    """Keeps the entries whose keys are longest. power: of the norm."""

    name: ClassVar[str] = "largest_keys"

    power: float = 1.0

    def scores(self, view: LayerView, window: int) -> Tensor:
        """[batch, heads, n]: the norm of each entry's key."""
        return view.keys.float().norm(dim=-1) ** self.power


def main() -> None:
    session = Session(load_model("nano"), Settings(policy=LargestKeys(), budget=parse_budget("10%")))
    messages: tuple[Message, ...] = (Message("user", (Text("Look at the pages.", protected=True),)),)
    for number, path in enumerate(sorted(SCREENSHOTS.glob("*.png"))[:3]):
        with Image.open(path, formats=("PNG",)) as image:
            messages += (Message("user", (Frame(image.convert("RGB"), number),)),)
        session.extend(messages)
        session.compress()
    for number, patches in session.kept_patches().items():
        kept = sum(patches.kept) / len(patches.kept)
        print(f"screenshot {number}: {100 * kept:.0f} % of its {patches.rows} x {patches.cols} patches are cached")


if __name__ == "__main__":
    main()
