"""The `guikv` command: everything of the agent's, plus the benchmarks, which only this package may know."""

from __future__ import annotations

import typer

from agent.cli import app
from agent.cli import main as run_app
from eval.commands.bench import bench_env, bench_reuse, bench_session
from eval.commands.bench_long import bench_long
from eval.commands.bench_miniwob import bench_miniwob
from eval.commands.bench_peers import bench_decode, bench_drafts, bench_memory, bench_peers
from eval.commands.bench_policies import bench_policies
from eval.commands.data import data
from eval.commands.nano import nano
from eval.commands.replay import replay, rescore
from eval.commands.report import report

bench = typer.Typer(no_args_is_help=True, help="Measure: every number is a ratio of things run side by side.")
app.add_typer(bench, name="bench")
app.add_typer(nano, name="nano")
app.add_typer(data, name="data")
app.command()(replay)
app.command()(rescore)
app.command()(report)
bench.command("policies")(bench_policies)
bench.command("miniwob")(bench_miniwob)
bench.command("env")(bench_env)
bench.command("long")(bench_long)
bench.command("reuse")(bench_reuse)
bench.command("session")(bench_session)
bench.command("peers")(bench_peers)
bench.command("decode")(bench_decode)
bench.command("drafts")(bench_drafts)
bench.command("memory")(bench_memory)


def main() -> None:
    """Entry point: one clear line instead of a traceback."""
    run_app(app)
