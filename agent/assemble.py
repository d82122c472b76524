"""From settings to the parts of a run."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agent import dialects
from agent.approval import Allow, Approver, Escalate, RuleApprover, TerminalApprover, load_rules
from agent.config import ApprovalConfig, CacheConfig, Config, LoopSettings, SamplingConfig
from agent.dialects import Dialect, Options
from agent.model import SessionBrain

if TYPE_CHECKING:
    from envs.browser import BrowserOptions
    from guikv.models import Adapter
    from guikv.policies import Policy
    from guikv.settings import Settings

SMALL = 20_000_000
"""Parameters of a model that one thread runs best."""
RISKY_RULES = Path(__file__).resolve().parent / "approval" / "risky.yaml"
"""What `--approve risky` asks about unless approval.rules names another file."""


def load_adapter(config: Config) -> Adapter:
    """The model. Raises ModelError, and DeviceMemoryError where it and its cache do not fit."""
    from transformers.utils import logging

    from guikv.budget import parse_budget
    from guikv.models import load_model
    from guikv.models.memory import Demand

    # Progress bars of transformers would stand between our own lines.
    logging.disable_progress_bar()
    model, cache = config.model, config.cache
    adapter = load_model(
        model.name,
        device=model.device,
        dtype=model.dtype,
        attention=model.attention,
        quantization=model.quantization,
        min_pixels=model.min_pixels,
        max_pixels=model.max_pixels,
        demand=Demand(parse_budget(cache.budget), cache.history),
        thinking=model.thinking,
    )
    if adapter.device.type == "cpu" and adapter.parameters < SMALL:
        import torch

        # Its products are so small that threads wait for each other longer than they work.
        torch.set_num_threads(1)
    return adapter


LIVE_OPTIONS: dict[str, dict[str, Any]] = {
    "gui_kv": {"kernel": 3, "pooling": "maxpool", "basis": "principal", "alpha": 8.0, "once": True},
    "snap_kv": {"kernel": 3, "pooling": "maxpool"},
    "pyramid_kv": {"kernel": 3, "pooling": "maxpool"},
}
"""What a policy's options are under the preset `live`: better there than the papers' values, which the policies have by
themselves."""


def policy_options(config: CacheConfig) -> dict[str, Any]:
    """The policy's options as they are used."""
    preset = LIVE_OPTIONS.get(config.policy, {}) if config.preset == "live" else {}
    return {**preset, **config.options}


def cache_policy(config: CacheConfig) -> Policy:
    """The compression method with its options. Raises PolicyError."""
    from guikv.policies import make_policy

    return make_policy(config.policy, **policy_options(config))


def session_settings(config: CacheConfig) -> Settings:
    """How a session remembers, by the section `cache`. Raises PolicyError and BudgetError."""
    from guikv.budget import parse_budget
    from guikv.settings import Settings

    own: dict[str, Any] = {"policy": cache_policy(config), "budget": parse_budget(config.budget)}
    return Settings(**{f.name: own.get(f.name, getattr(config, f.name)) for f in fields(Settings)})


def make_brain(config: CacheConfig, adapter: Adapter, sampling: SamplingConfig | None = None) -> SessionBrain:
    """A fresh session on a loaded model; without `sampling`, answers of the most likely tokens.

    Raises PolicyError and BudgetError.
    """
    from guikv.engine.sampling import Sampling
    from guikv.session import Session

    how = sampling or SamplingConfig()
    chosen = Sampling(**how.model_dump(exclude={"drafts"}))
    return SessionBrain(Session(adapter, session_settings(config)), adapter, chosen, how.drafts)


Device = Literal["computer", "browser", "mobile", "grounding"]
"""What a prompt is written for: a kind of screen, or only finding a place on any."""


def make_dialect(
    config: Config, adapter: Adapter, device: Device = "computer", capabilities: frozenset[str] | None = None
) -> Dialect:
    """What the model speaks, unless the settings say otherwise. Raises ConfigError and DialectError.

    Some families tell the model what the environment can do (`capabilities`) and how large it sees the screen.
    """
    prompt = config.prompt
    options = Options(
        kind=device if prompt.kind == "auto" else prompt.kind,
        prompt_file=prompt.file,
        own_template=adapter.prompt_template if prompt.kind == "auto" else None,
        language=prompt.language,
        space=None if prompt.coordinates == "auto" else prompt.coordinates,
        layout=prompt.layout,
        images=prompt.images,
        capabilities=capabilities,
        image_size=adapter.image_size,
    )
    return dialects.make_dialect(prompt.dialect or adapter.dialect, options, prompt.options, "prompt.dialect")


def make_approver(config: ApprovalConfig) -> Approver:
    """Raises ConfigError when the rules cannot be read."""
    if config.mode == "never":
        return Allow()
    terminal = TerminalApprover()
    if config.mode == "always":
        return terminal
    return Escalate(RuleApprover(load_rules(config.rules or RISKY_RULES)), terminal)


def loop_settings(config: Config) -> LoopSettings:
    """The limits of an episode as its loop takes them."""
    limits = config.limits
    # The window `recompute` and the owners' layouts show so many screenshots again.
    shown = max(config.cache.history, config.prompt.images or 1)
    return LoopSettings(
        pictures=max(LoopSettings.pictures, shown),
        max_steps=limits.steps,
        max_seconds=limits.seconds,
        max_tokens=limits.tokens,
        max_new_tokens=config.model.max_new_tokens,
        screenshot_retries=limits.screenshot_retries,
        stuck_note=limits.stuck_note,
        stuck_stop=limits.stuck_stop,
    )


def browser_options(config: Config) -> BrowserOptions:
    """As configured; a first page that is a file may be opened, as its user asked for it."""
    first_page = config.browser.url or ""
    return replace(config.browser, allow_files=config.browser.allow_files or first_page.startswith("file:"))


def run_header(config: Config, adapter: Adapter, task: str, environment: str) -> dict[str, Any]:
    """What run.json says of a run before it begins."""
    cache = config.cache
    return {
        "task": task,
        "environment": environment,
        "model": {
            "name": adapter.name,
            "path": str(adapter.path),
            "family": adapter.family,
            "device": str(adapter.device),
            "dtype": str(adapter.dtype),
            "fingerprint": adapter.fingerprint,
        },
        "cache": {**cache.model_dump(mode="json"), "options": policy_options(cache)},
        "config": config.model_dump(mode="json"),
    }


def new_folder(config: Config, task: str) -> Path:
    """Where the record goes: as asked for, or a new name under `record.runs` from the time and the task."""
    if config.record.out is not None:
        return config.record.out
    words = re.sub(r"[^a-z0-9]+", "-", task.casefold()).strip("-")[:40].strip("-")
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    return config.record.runs / (f"{stamp}-{words}" if words else stamp)
