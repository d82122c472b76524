"""All settings, with their defaults, limits and meanings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from envs.android.options import AndroidOptions
from envs.base import SetupError
from envs.browser.options import BrowserOptions
from envs.desktop.options import DesktopOptions
from envs.options import Section as EnvironmentSection
from guikv.budget import parse_budget
from guikv.errors import BudgetError

PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelConfig(Section):
    """The model: a name that ships with the package, a hub name or a folder.

    min_pixels, max_pixels: of the image that it sees; empty: the checkpoint's own.
    thinking: whether it thinks before it answers, where its chat template leaves that open; empty: as that does.
    """

    name: str = "nano"
    device: str = "auto"
    dtype: str = "auto"
    attention: str = "auto"
    quantization: Literal["4bit", "8bit"] | None = None
    min_pixels: PositiveInt | None = None
    max_pixels: PositiveInt | None = None
    max_new_tokens: PositiveInt = 256
    thinking: bool | None = None


class SamplingConfig(Section):
    """How the tokens of an answer are chosen. Temperature 0: always the most likely one.

    top_p, top_k, min_p: draw from the likely ones only (1, 0 and 0: from all); seed: of the draws, empty: another one
    each time; repetition_penalty: above 1 makes what was said before less likely
    drafts: try several tokens at once that followed the same words before; the answer is the same
    """

    temperature: Annotated[float, Field(ge=0, le=100)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    min_p: Annotated[float, Field(ge=0, lt=1)] = 0.0
    repetition_penalty: Annotated[float, Field(gt=0, le=100)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    drafts: bool = False


class CacheConfig(Section):
    """What is kept of the past. `options` are the policy's own, e.g. alpha of gui_kv.

    preset: what they are unless said: better ones for live runs, or those that were published with the method
    old_pixels: under the window `recompute`, the most pixels of screenshots before the newest.
    positions: `compact` closes the gaps of what was evicted; `keep` only before the end of what the model was made for.
    """

    policy: str = "gui_kv"
    options: dict[str, Any] = {}
    preset: Literal["live", "published"] = "live"
    budget: str = "20%"
    moment: Literal["next_observation", "prefill"] = "next_observation"
    window: Literal["shrink", "drop", "recompute"] = "shrink"
    history: PositiveInt = 5
    protect: bool = True
    old_pixels: PositiveInt | None = None
    positions: Literal["keep", "compact"] = "keep"

    @model_validator(mode="after")
    def _recomputes(self) -> Self:
        if self.old_pixels is not None and self.window != "recompute":
            raise ValueError("`old_pixels` needs the window `recompute`: under the others a screenshot is encoded once")
        return self

    @field_validator("budget")
    @classmethod
    def _parses(cls, value: str) -> str:
        try:
            parse_budget(value)
        except BudgetError as error:
            raise ValueError(str(error)) from error
        return value


class PromptConfig(Section):
    """How the model is addressed. Empty `dialect`: the one the model names. `file`: a prompt of your own.

    layout: append keeps the cache, owners sends what the family's own agent does, with `images` screenshots.
    options: the dialect's own, e.g. level of opencua.
    """

    dialect: str | None = None
    kind: Literal["auto", "computer", "browser", "mobile", "grounding"] = "auto"
    file: Path | None = None
    language: str = "English"
    coordinates: Literal["auto", "absolute", "relative"] = "auto"
    layout: Literal["append", "owners"] = "append"
    images: PositiveInt | None = None
    options: dict[str, Any] = {}


class LimitConfig(Section):
    """When an episode ends on its own. Seconds of wall time; tokens that went through the model."""

    steps: PositiveInt = 30
    seconds: PositiveFloat | None = None
    tokens: PositiveInt | None = None
    screenshot_retries: Annotated[int, Field(ge=0, le=10)] = 2
    stuck_note: PositiveInt = 3
    stuck_stop: PositiveInt = 5


class ApprovalConfig(Section):
    """never: nothing is asked; risky: what the rules say; always: every action."""

    mode: Literal["never", "risky", "always"] = "risky"
    rules: Path | None = None


class RecordConfig(Section):
    """Where the record goes; empty: a new folder under `runs`.

    keep_session: save the model's memory beside the record after every step, so that --resume need not compute it again
    """

    out: Path | None = None
    runs: Path = Path("runs")
    keep_session: bool = False


def _android() -> AndroidOptions | None:
    try:
        return AndroidOptions()
    except SetupError:
        return None


class Config(Section):
    """Everything a run can be told. The sections of environments are their options classes.

    `android` is empty where its defaults, which are those of the surroundings, cannot be read; starting it says why.
    """

    model: ModelConfig = ModelConfig()
    cache: CacheConfig = CacheConfig()
    sampling: SamplingConfig = SamplingConfig()
    prompt: PromptConfig = PromptConfig()
    limits: LimitConfig = LimitConfig()
    approval: ApprovalConfig = ApprovalConfig()
    browser: Annotated[BrowserOptions, EnvironmentSection] = BrowserOptions()
    desktop: Annotated[DesktopOptions, EnvironmentSection] = DesktopOptions()
    android: Annotated[AndroidOptions | None, EnvironmentSection] = Field(default_factory=_android)
    record: RecordConfig = RecordConfig()


@dataclass(frozen=True)
class LoopSettings:
    """`max_seconds` is wall time; `max_tokens` counts tokens prefilled, computed again and generated.

    pictures: screenshots of which the pixels are kept, the newest; of the others the record has them
    """

    max_steps: int = 30
    max_seconds: float | None = None
    max_tokens: int | None = None
    max_new_tokens: int = 256
    screenshot_retries: int = 2
    retry_pause: float = 0.5
    reasks: int = 1
    stuck_note: int = 3
    stuck_stop: int = 5
    pictures: int = 8
