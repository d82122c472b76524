"""HTML that is made here and inserted as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Raw:
    """Markup that the template must not escape. Only code of this package may make one."""

    text: str = ""

    def __html__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text)
