"""Looks at what a run in a browser needs. Every check names the command that mends it."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from agent.config import ModelConfig
from envs.base import Finding, SetupError

FREE_BYTES = 2**30
"""Space a few long runs take."""
_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/Library/Fonts",
)


def examine(folder: Path | None = None) -> Iterator[Finding]:
    """All checks, quick ones first. `folder` is where runs are written (the current one)."""
    yield _python()
    for name, command in (
        ("torch", "pip install torch"),
        ("transformers", "pip install 'transformers>=5.17,<6'"),
        ("playwright", "pip install 'guikv[browser]'"),
        ("ui-tars", "pip install ui-tars"),
    ):
        yield _package(name, command)
    yield _chromium()
    yield _fonts()
    yield _nano()
    yield _disk(folder or Path.cwd())
    yield _display()
    yield _cuda()


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer")


def _package(name: str, command: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", command)


def _chromium() -> Finding:
    fix = "apt-get install chromium   (or: playwright install chromium)"
    if find_spec("playwright") is None:
        return Finding("chromium", False, "cannot be driven without playwright", "pip install 'guikv[browser]'")
    from envs.browser.chromium import find_chromium

    try:
        program = find_chromium(bundled=_bundled())
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except SetupError as error:
        return Finding("chromium", False, error.message, fix)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("chromium", False, f"does not start: {error}", fix)
    said = (done.stdout or done.stderr).strip().splitlines()
    return Finding("chromium", done.returncode == 0, f"{said[0] if said else '?'}  {program}", fix)


def _bundled() -> str | None:
    """Playwright's own Chromium, where it was installed."""
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(root.glob("chromium-*/chrome-linux*/chrome"))
    return str(found[-1]) if found else None


def _fonts() -> Finding:
    folders = [Path(name).expanduser() for name in _FONT_FOLDERS]
    count = sum(1 for folder in folders if folder.is_dir() for path in folder.rglob("*.[to]tf"))
    detail = f"{count} files" if count else "none: pages would show no text"
    return Finding("fonts", count > 0, detail, "apt-get install fonts-dejavu-core fonts-noto-cjk")


def _nano() -> Finding:
    from guikv.nano import WEIGHTS

    needed = ("config.json", "model.safetensors", "tokenizer.json")
    missing = [name for name in needed if not (WEIGHTS / name).is_file()]
    detail = f"{WEIGHTS} lacks {', '.join(missing)}" if missing else str(WEIGHTS)
    return Finding("nano weights", not missing, detail, "git checkout -- guikv/nano/weights   (or reinstall guikv)")


def _disk(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("disk", False, f"{folder}: {error.strerror}", "choose another folder with --out")
    fix = "free some space, or choose another folder with --out"
    return Finding("disk", free >= FREE_BYTES, f"{free / 2**30:.1f} GiB free in {folder}", fix)


def _display() -> Finding:
    found = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    fix = "only --headed needs one: apt-get install xvfb && xvfb-run guikv run browser --headed …"
    return Finding("display", bool(found) or sys.platform == "darwin", found or "none", fix, required=False)


def _cuda() -> Finding:
    fix = "without a GPU everything runs on the CPU"
    if find_spec("torch") is None:
        return Finding("cuda", False, "torch is not installed", "pip install torch", required=False)
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        return Finding("cuda", False, "PyTorch sees no GPU", fix, required=False)
    return Finding("cuda", True, str(torch.cuda.get_device_name(0)), required=False)


def kernels(config: ModelConfig) -> Iterator[Finding]:
    """What the model would be computed with, and what would make it faster. Nothing of it is required."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        return
    from guikv.errors import ModelError
    from guikv.models.kernels import facts

    try:
        for fact in facts(config.device, config.dtype, config.attention):
            yield Finding(fact.name, fact.ok, fact.detail, fact.fix, required=False)
    except ModelError as error:
        yield Finding("model", False, str(error), "choose another with --device, --dtype or --set model.attention=auto")
