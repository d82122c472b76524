"""The options and the simulated phone can be had without adbutils; what needs it says how to get it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
sys.modules["adbutils"] = sys.modules["playwright"] = None
import agent.config
import envs.android.options, envs.android.peer, envs.options
from envs.base import SetupError
for package, name in (("envs.android", "Android"), ("envs.android", "AdbServer"), ("envs.browser", "Browser")):
    try:
        getattr(__import__(package, fromlist=["x"]), name)
    except SetupError as error:
        print(error)
try:
    envs.android.Nothing
except AttributeError as error:
    print(error)
"""


def test_what_is_missing_is_told_when_it_is_needed() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=True)
    phone = "a phone is driven through adbutils, which is not installed (pip install adbutils)"
    page = "a browser is driven through playwright, which is not installed (pip install playwright)"
    assert done.stdout.splitlines() == [phone, phone, page, "module 'envs.android' has no attribute 'Nothing'"]


def test_the_simulated_phone_needs_no_adbutils() -> None:
    script = (
        'import sys; sys.modules["adbutils"] = None; from envs.android.simulator import Phone; print(Phone.__name__)'
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "Phone\n"
