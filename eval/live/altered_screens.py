"""The playground as a site of live evaluations, as it is, or blank, or in a style never trained on."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, ClassVar

from PIL import Image

from agent.errors import ConfigError
from envs.base import Screenshot
from envs.playground import Playground
from envs.playground.tasks import chance_of


def _middle(rng: Random) -> str:
    """A colour neither light nor dark; pages are one or the other."""
    rgb = colorsys.hls_to_rgb(rng.random(), rng.uniform(0.35, 0.65), rng.uniform(0.2, 0.8))
    return "#" + "".join(f"{round(c * 255):02x}" for c in rgb)


_FONTS = (("normal", "DejaVu Sans Mono"), ("italic", "DejaVu Sans"), ("italic", "DejaVu Serif"))
"""CSS `font-style` and `font-family`."""
_SIZES = (11.0, 1.15)
"""Pixels, or a factor where it is below 4: smaller than any page has it, or larger than most; the rows leave room."""

_DRAWN: dict[str, Callable[[Random], Any]] = {
    "font": lambda rng: rng.choice(_FONTS),
    "size": lambda rng: rng.choice(_SIZES),
    "colours": lambda rng: (_middle(rng), _middle(rng)),
}
"""What is laid over a page's own style: the font, its size, the colours of the page and of buttons."""

SHIFTS = {"look": tuple(_DRAWN), "fonts": ("font",), "sizes": ("size",), "colours": ("colours",)}
"""Name → what of a look is drawn from a page's seed; `look` changes everything at once."""


_SCRIPT = """(look) => {
  const rules = [], size = parseFloat(getComputedStyle(document.body).fontSize);
  const text = 'body,button,input,label,a,p';
  const ink = (face) => {
    const lights = [1, 3, 5].map((i) => parseInt(face.slice(i, i + 2), 16) / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * lights[0] + 0.7152 * lights[1] + 0.0722 * lights[2] > 0.179 ? '#000000' : '#ffffff';
  };
  if (look.font) rules.push(`${text}{font-style:${look.font[0]}!important;font-family:'${look.font[1]}'!important}`);
  if (look.size) rules.push(`${text}{font-size:${look.size < 4 ? size * look.size : look.size}px!important}`);
  if (look.colours) {
    const [page, face] = look.colours;
    rules.push(`html,body{background:${page}!important;color:${ink(page)}!important}`);
    rules.push(`.item a,.item label,.item p{color:${ink(page)}!important}`);
    const on = ink(face);
    rules.push(`button{background:${face}!important;color:${on}!important;border:2px dashed ${on}!important}`);
  }
  const style = document.createElement('style');
  style.textContent = rules.join('');
  document.head.append(style);
}"""


class AlteredPlayground(Playground):
    """A playground whose pictures or pages are not what they would be. Set before `load`:

    blank: pictures are white; clicks reach the real page all the same
    shift: one of SHIFTS is laid over each page, or none where empty; the rows and the task stay as they are
    """

    blank = False
    shift = ""

    def load(self, task: str, seed: int) -> None:
        super().load(task, seed)
        if self.shift:
            rng = Random(f"playground look {task} {seed}")
            self.browser.evaluate(_SCRIPT, {name: _DRAWN[name](rng) for name in SHIFTS[self.shift]})
            self.browser.screenshot()

    def screenshot(self) -> Screenshot:
        seen = super().screenshot()
        return replace(seen, image=Image.new("RGB", seen.image.size, "white")) if self.blank else seen


def check_shift(name: str) -> str:
    """The name. Raises ConfigError where there is no such look."""
    if name and name not in SHIFTS:
        raise ConfigError(f"--shift: there is no look {name!r}", f"there are {', '.join(SHIFTS)}")
    return name


@dataclass(frozen=True)
class PlaygroundSite:
    """blank: the model sees white pictures; shift: name of a style that was not trained on, or empty"""

    blank: bool = False
    shift: str = ""
    name: ClassVar[str] = "playground"
    gives_up: ClassVar[bool] = True

    def launch(self, task: str, seed: int) -> AlteredPlayground:
        """A browser with the playground. Raises EnvError."""
        playground = AlteredPlayground.launch(task, seed)
        playground.blank, playground.shift = self.blank, self.shift
        if self.shift:
            try:
                playground.load(task, seed)
            except BaseException:
                playground.close()
                raise
        return playground

    def facts(self, page: AlteredPlayground, task: str, seed: int) -> Mapping[str, float]:
        """How often somebody succeeds who knows the rules and picks blindly."""
        return {"chance": chance_of(task, seed)}
