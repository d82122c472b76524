"""A brain that keeps nothing of the past: the ablation that shows what needs memory."""

from __future__ import annotations

import torch

from agent.model import SessionBrain
from guikv.content import Frame, Message
from guikv.session import Session


class ForgetfulBrain(SessionBrain):
    """Removes all earlier turns, screenshots and replies, when a new screenshot comes, before it is prefilled.

    It must happen before: a token that was prefilled over old entries carries what it read there. For the same
    reason the replies go too: they were written with the old screenshots in sight. The opening (system text and
    task) stays; it is older than every screenshot. Being asked again about the same screenshot removes nothing.
    """

    def extend(self, messages: tuple[Message, ...]) -> None:
        seen = self.session.ledger.newest_frame
        numbers = [part.number for message in messages for part in message.parts if isinstance(part, Frame)]
        if seen is not None and numbers and max(numbers) > seen:
            forget(self.session)
        self.session.extend(messages)


@torch.inference_mode()
def forget(session: Session) -> None:
    """Remove every entry but those of protected text. The ledger keeps its rows, so prefixes are still shared."""
    ledger = session.ledger
    session.state = session.state.remove(~ledger.protected & ~ledger.dropped)
