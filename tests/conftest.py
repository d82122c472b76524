"""For all tests."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says nothing of it; and everywhere the same ones are tried.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what runs in its background deaf to Ctrl-C, and everything that tests start would be, too.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def home_of_ray(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for clusters: a process writes Ray's key into the first one it sees, and looks for it there ever after."""
    return tmp_path_factory.mktemp("home")
