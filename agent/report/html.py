"""HTML of the pages: templates and other files that lie in a package, and markup that is inserted as it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

STYLE = ("agent.report", "style.css")


@dataclass(frozen=True)
class Raw:
    """Markup that the template must not escape. Only code of this program may make one."""

    text: str = ""

    def __html__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return bool(self.text)


def render(package: str, name: str, *styles: tuple[str, str], **values: Any) -> str:
    """A package's template, filled; every value is escaped, a missing one is an error. styles: beside the usual one."""
    loader = FunctionLoader(partial(_resource, package))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = Raw("".join(_resource(*where) for where in (STYLE, *styles)))
    return environment.get_template(name).render(style=style, **values)


def marks_svg(shapes: str, width: int, height: int) -> Raw:
    """Shapes over a picture, in its own pixels. Empty where there are none."""
    head = f'<svg class="marks" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
    return Raw(f"{head}{shapes}</svg>" if shapes else "")


def _resource(package: str, name: str) -> str:
    return (files(package) / name).read_text(encoding="utf-8")
