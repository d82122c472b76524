"""A session that remembers: each step computes only what is new, and what is old is compressed.

python examples/persistent_session.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from guikv import GuiKV, Session, Settings, load_model, parse_budget
from guikv.content import Frame, Message, Reply, Text

SCREENSHOTS = Path(__file__).parents[1] / "tests" / "data" / "nano_pages"


def main() -> None:
    adapter = load_model("nano")
    session = Session(adapter, Settings(policy=GuiKV(), budget=parse_budget("20%")))
    messages: tuple[Message, ...] = (Message("user", (Text("Click the button that is named.", protected=True),)),)
    for number, path in enumerate(sorted(SCREENSHOTS.glob("*.png"))[:4]):
        with Image.open(path, formats=("PNG",)) as image:
            messages += (Message("user", (Frame(image.convert("RGB"), number),)),)
        session.extend(messages)  # the whole conversation; what the cache holds of it is not computed again
        session.compress()
        reply = session.generate(max_new_tokens=24)
        messages += (Message("assistant", (Reply(reply.ids, reply.text),)),)
        cost = session.cost
        print(
            f"step {number + 1}: {cost.tokens_new} tokens computed, {cost.tokens_reused} reused, "
            f"KV {cost.kv_bytes / 2**20:.2f} of {cost.full_kv_bytes / 2**20:.2f} MiB"
        )


if __name__ == "__main__":
    main()
