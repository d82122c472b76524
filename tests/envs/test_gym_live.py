"""Gymnasium's own check on the environments that are no pages: live screens of their own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from envs.actions import Click, Type
from envs.android import AdbServer
from envs.android.simulator import Phone, PhoneOptions
from envs.desktop import Sandbox, SandboxOptions
from envs.gym import ENVIRONMENT_ID, Seconds


@contextmanager
def android() -> Iterator[dict[str, Any]]:
    """Options for a simulated phone, under a real adb server of its own."""
    with Phone.start(PhoneOptions(size=(540, 960), density=210)) as phone, AdbServer.start() as server:
        yield {"serial": phone.address, "adb_port": server.port}


@contextmanager
def desktop() -> Iterator[dict[str, Any]]:
    """Options for an X server of its own with a calculator on it."""
    with Sandbox.start(SandboxOptions(size=(480, 640), command=("galculator",))) as sandbox:
        yield {"display": sandbox.display}


LIVE = {"desktop": desktop, "android": android}


@pytest.mark.parametrize("name", list(LIVE))
def test_gymnasiums_own_check_finds_nothing(name: str) -> None:
    with LIVE[name]() as options, warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        made = gymnasium.make(
            ENVIRONMENT_ID, name=name, options=options, size=(270, 480), longest_seconds=0.2, render_mode="rgb_array"
        )
        try:
            seen, info = made.reset(seed=1)
            assert seen.shape == (480, 270, 3)
            assert int(np.ptp(seen)) > 0, "the picture shows something"
            _, reward, terminated, truncated, info = made.step(Click(x=135, y=240))
            assert (reward, terminated, truncated, info["success"]) == (0.0, False, False, None)
            assert info["last_action_error"] == ""
            assert isinstance(info["seconds"], Seconds)
            assert info["seconds"].execute > 0
            *_, info = made.step(Type(text="hello"))
            assert info["steps"] == 2
            # Last, and always the same: its random keys and clicks can close what is on the screen.
            made.unwrapped.action_space.seed(0)
            check_env(made.unwrapped, skip_close_check=True)
        finally:
            made.close()
