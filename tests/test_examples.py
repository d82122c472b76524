"""Every example runs as it stands, and says what it promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SAYS = {
    "persistent_session.py": r"step 4: \d+ tokens computed, [1-9]\d* reused, KV 0\.\d\d of \d\.\d\d MiB",
    "plain_transformers.py": r"\d+ tokens of prompt, [1-9]\d* written over the compressed cache",
    "own_policy.py": r"screenshot 0: [1-9]\d? % of its \d+ x \d+ patches are cached",
    "agent_in_code.py": r"success after 2 steps; report: \S+\.html",
}


def test_every_example_is_run_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_example(name: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, EXAMPLES / name, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS[name], done.stdout), done.stdout
