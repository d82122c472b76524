"""All settings, with their defaults, limits and meanings."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

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


class CacheConfig(Section):
    """What is kept of the past. `options` are the policy's own, e.g. alpha of gui_kv.

    preset: what they are unless said: better ones for live runs, or those that were published with the method
    old_pixels: under the window `recompute`, the most pixels of screenshots before the newest.
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


class BrowserConfig(Section):
    """The browser. An empty `allow_hosts` allows all. `scale` is the device pixel ratio."""

    url: str | None = None
    viewport: tuple[PositiveInt, PositiveInt] = (1280, 720)
    scale: Annotated[float, Field(gt=0, le=8)] = 1.0
    headed: bool = False
    executable: Path | None = None
    profile: Path | None = None
    cdp: str | None = None
    allow_hosts: tuple[str, ...] = ()
    downloads: Path | None = None


class DesktopConfig(Section):
    """The desktop. `sandbox`: size of a screen of its own, where `exec` is started; `region` is x, y, width, height."""

    sandbox: tuple[PositiveInt, PositiveInt] | None = None
    exec: str | None = None
    watch: bool = False
    display: str | None = None
    monitor: Annotated[int, Field(ge=0)] = 1
    region: tuple[int, int, PositiveInt, PositiveInt] | None = None
    window: str | None = None
    on_user_input: Literal["pause", "ignore", "stop"] = "pause"
    stop_key: str = "escape"

    @field_validator("sandbox", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        return value.lower().split("x") if isinstance(value, str) else value

    @field_validator("region", mode="before")
    @classmethod
    def _place(cls, value: Any) -> Any:
        return value.split(",") if isinstance(value, str) else value

    @field_validator("exec")
    @classmethod
    def _splits(cls, value: str | None) -> str | None:
        if value is not None and not shlex.split(value):
            raise ValueError("names no program")
        return value

    @model_validator(mode="after")
    def _belong(self) -> Self:
        if self.sandbox is None and (self.exec is not None or self.watch):
            raise ValueError("`exec` and `watch` belong to a sandbox; give its size too, e.g. 1280x800")
        if self.sandbox is not None and self.display is not None:
            raise ValueError("a sandbox has a display of its own, so `display` has no meaning with it")
        return self


class AndroidConfig(Section):
    """The device. Empty `serial`: the only one; empty `adb_port`: $ANDROID_ADB_SERVER_PORT or 5037."""

    serial: str | None = None
    adb_host: str = "127.0.0.1"
    adb_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    unlock: bool = True


class RecordConfig(Section):
    """Where the record goes; empty: a new folder under `runs`."""

    out: Path | None = None
    runs: Path = Path("runs")


class Config(Section):
    """Everything a run can be told."""

    model: ModelConfig = ModelConfig()
    cache: CacheConfig = CacheConfig()
    prompt: PromptConfig = PromptConfig()
    limits: LimitConfig = LimitConfig()
    approval: ApprovalConfig = ApprovalConfig()
    browser: BrowserConfig = BrowserConfig()
    desktop: DesktopConfig = DesktopConfig()
    android: AndroidConfig = AndroidConfig()
    record: RecordConfig = RecordConfig()
