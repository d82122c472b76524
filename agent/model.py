"""What the loop needs of a model: a session and the adapter's picture sizes, behind one small protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from guikv.content import Message

if TYPE_CHECKING:
    from guikv.engine.sampling import Sampling
    from guikv.models.base import Adapter
    from guikv.session import Session


class Generation(Protocol):
    """What was generated: `text` without the end token, `finished` false when it ran into the limit."""

    @property
    def text(self) -> str: ...
    @property
    def ids(self) -> tuple[int, ...]: ...
    @property
    def finished(self) -> bool: ...


class PatchMap(Protocol):
    """Row-major share of (layer, head) pairs that still keep each patch of a frame, 0 to 1."""

    @property
    def rows(self) -> int: ...
    @property
    def cols(self) -> int: ...
    @property
    def kept(self) -> tuple[float, ...]: ...


class Brain(Protocol):
    """A model with its memory of one episode."""

    def image_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height the model resizes a screenshot to. Raises a GuikvError on absurd sizes."""
        ...

    def extend(self, messages: tuple[Message, ...]) -> None: ...

    def compress(self) -> None: ...

    def generate(self, max_new_tokens: int) -> Generation: ...

    def cost(self) -> Mapping[str, Any]:
        """`StepCost.to_dict()` of what happened since the last `extend` began."""
        ...

    def kept_patches(self) -> Mapping[int, PatchMap]:
        """Per frame number of which anything is still in the cache, which patches are kept."""
        ...

    def close(self) -> None: ...


@dataclass
class SessionBrain:
    """A `guikv` session with the adapter it runs on. sampling: None for answers of the most likely tokens"""

    session: Session
    adapter: Adapter
    sampling: Sampling | None = None
    drafts: bool = False

    def image_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return self.adapter.image_size(size)

    def extend(self, messages: tuple[Message, ...]) -> None:
        self.session.extend(messages)

    def compress(self) -> None:
        self.session.compress()

    def generate(self, max_new_tokens: int) -> Generation:
        if self.sampling is None:
            return self.session.generate(max_new_tokens, drafts=self.drafts)
        return self.session.generate(max_new_tokens, sampling=self.sampling, drafts=self.drafts)

    def repeat(self, ids: tuple[int, ...], max_new_tokens: int) -> None:
        """Remember a reply that was generated earlier, as `generate` would have. Raises SessionError."""
        if self.sampling is None:
            self.session.repeat(ids, max_new_tokens, drafts=self.drafts)
        else:
            self.session.repeat(ids, max_new_tokens, sampling=self.sampling, drafts=self.drafts)

    def cost(self) -> Mapping[str, Any]:
        return self.session.cost.to_dict()

    def kept_patches(self) -> Mapping[int, PatchMap]:
        return self.session.kept_patches(every=False)

    def close(self) -> None:
        self.session.close()
