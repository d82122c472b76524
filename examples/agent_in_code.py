"""The agent's loop from Python: the model that ships does one task in a real browser, and leaves a report.

python examples/agent_in_code.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import mkdtemp

from agent.assemble import load_adapter
from agent.config import Config
from agent.console import Silent
from agent.recorded_episode import run_recorded
from agent.report import build_report
from agent.runs import load_run
from envs.playground.live import Playground


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp()) / "run"
    config = Config.model_validate({"cache": {"policy": "gui_kv", "budget": "20%"}, "limits": {"steps": 6}})
    adapter = load_adapter(config)
    with Playground.launch("remember_1", seed=0) as page:
        result = run_recorded(config, adapter, page, page.goal, folder, Silent())
    print(f"{result.status} after {result.steps} steps; report: {build_report(load_run(folder))}")


if __name__ == "__main__":
    main()
