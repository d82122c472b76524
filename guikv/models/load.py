"""From a name to a loaded model. What can be told to be wrong is told before the weights are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from guikv.errors import DeviceMemoryError, GuikvError, ModelError
from guikv.models import images, memory
from guikv.models.base import PROMPT, Adapter
from guikv.models.checkpoint import (
    SMALL_FILES,
    WEIGHT_FILES,
    announced_bytes,
    download,
    fingerprint_of_files,
    locate,
    read_config,
    read_weights,
)
from guikv.models.device import choose_device, choose_dtype, vision_attention
from guikv.models.opencua import OpenCUA
from guikv.models.packed import can_pack
from guikv.models.quantization import quantization_config
from guikv.models.qwen2_5_vl import Qwen25VL
from guikv.models.qwen3_5 import Qwen35, Qwen35Moe
from guikv.models.qwen3_vl import Qwen3VL
from guikv.nano import WEIGHTS
from guikv.out_of_memory import is_out_of_memory

ARCHITECTURES: dict[str, type[Adapter]] = {
    "qwen2_5_vl": Qwen25VL,
    "qwen3_vl": Qwen3VL,
    "opencua": OpenCUA,
    "qwen3_5": Qwen35,
    "qwen3_5_moe": Qwen35Moe,
}
"""Model type in config.json → what knows it."""
SHIPPED: dict[str, Path] = {"nano": WEIGHTS}
"""Name → folder of the checkpoints that come with the package."""


def load_model(
    name_or_path: str,
    device: str = "auto",
    dtype: str = "auto",
    attention: str = "auto",
    quantization: str | None = None,
    *,
    min_pixels: int | None = None,
    max_pixels: int | None = None,
    demand: memory.Demand | None = None,
    thinking: bool | None = None,
    pack_weights: bool = True,
) -> Adapter:
    """Load a checkpoint: `nano`, a folder, or a name on the model hub.

    device: auto takes CUDA when there is one. dtype: auto takes bfloat16 on CUDA and float32 on a CPU.
    attention: sdpa (PyTorch's own), flash (flash-attn), or auto: flash-attn on CUDA where it can be imported.
    quantization: 4bit or 8bit (bitsandbytes). min_pixels, max_pixels: limits of the image that the model sees, where
    the checkpoint's own are not wanted. demand: what the caches will have to hold beside the weights. thinking: whether
    it is to think before it answers, where its chat template leaves that open. pack_weights: on a CPU, put the linear
    layers' weights into the order that is read fastest; they cannot be read as weights then.
    Raises ModelError when it does not exist, is damaged, or has an architecture without an adapter, and
    DeviceMemoryError when weights and caches are more than the device has free.
    """
    place = choose_device(device)
    kind = choose_dtype(dtype, place)
    asked = _Asked(
        place,
        kind,
        vision_attention(attention, place, kind),
        quantization,
        quantization_config(quantization, place, kind),
        min_pixels,
        max_pixels,
        demand or memory.Demand(),
        thinking,
        pack_weights and quantization is None and can_pack(place, kind),
    )
    folder, from_hub = locate(name_or_path, SHIPPED)
    raw = read_config(folder, name_or_path)
    found = ARCHITECTURES.get(raw["model_type"])
    if found is None:
        raise _unknown(name_or_path, raw["model_type"])
    try:
        return _load(found, name_or_path, folder, from_hub, asked)
    except ModelError as error:
        raise error if name_or_path in str(error) else ModelError(f"{name_or_path}: {error}") from error
    except GuikvError:
        raise
    except Exception as error:
        # Libraries raise anything over files that are not what they should be.
        if is_out_of_memory(error):
            raise DeviceMemoryError(f"{name_or_path} does not fit on {place}: {_first_line(error)}") from error
        raise ModelError(f"{name_or_path} could not be loaded: {_first_line(error)}") from error


@dataclass(frozen=True)
class _Asked:
    """What the user asked for, in PyTorch's and transformers' terms."""

    device: torch.device
    dtype: torch.dtype
    vision_attention: str
    quantization: str | None
    bits: Any
    min_pixels: int | None
    max_pixels: int | None
    demand: memory.Demand
    thinking: bool | None
    pack: bool


def _load(adapter: type[Adapter], name: str, folder: Path, from_hub: bool, asked: _Asked) -> Adapter:
    """Small files first, then whether it fits, then the weights."""
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    processor = _processor(folder, asked.min_pixels, asked.max_pixels)
    tokenizer = adapter.load_tokenizer(str(folder))
    adapter.check_tokenizer(tokenizer, config)
    _check_vocabulary(tokenizer, config.get_text_config().vocab_size)

    def check(nbytes: int) -> None:
        wanted = memory.need(nbytes, config, processor, asked.dtype, asked.demand)
        memory.check(name, wanted, asked.device)

    if from_hub:
        if asked.bits is None:
            check(announced_bytes(folder))
        folder = download(name, (*SMALL_FILES, WEIGHT_FILES))
    weights = read_weights(folder, name)
    if getattr(config, "quantization_config", None) is not None:
        check(sum(w.nbytes for w in weights))
    else:
        check(memory.weight_bytes(weights, asked.dtype, asked.quantization))
    model = _model(adapter, folder, config, asked)
    loaded = adapter(model, tokenizer, processor, name, str(folder), asked.thinking)
    loaded.dialect = _dialect(adapter.dialect, name, folder, loaded.prompt_template is not None)
    if asked.pack:
        loaded.pack()
    return loaded


def _model(adapter: type[Adapter], folder: Path, config: Any, asked: _Asked) -> Any:
    """The model on its device. Raises ModelError when the files lack weights or have them in other shapes."""
    options: dict[str, Any] = {} if asked.bits is None else {"quantization_config": asked.bits}
    # Weights then go to the device one by one, instead of all through the machine's memory.
    direct = asked.device.type != "cpu" and find_spec("accelerate") is not None
    if direct:
        options["device_map"] = {"": asked.device}
    model, facts = adapter.model_class.from_pretrained(
        folder,
        config=config,
        dtype=asked.dtype,
        attn_implementation={"vision_config": asked.vision_attention, "text_config": "sdpa"},
        use_safetensors=True,
        output_loading_info=True,
        **options,
    )
    for what, names in (("lacks", facts["missing_keys"]), ("has another shape of", facts["mismatched_keys"])):
        if names:
            first = sorted(str(n[0] if isinstance(n, tuple) else n) for n in names)[0]
            raise ModelError(f"the checkpoint {what} {len(names)} of the model's weights, the first is {first}")
    return model if direct else model.to(asked.device)


def _processor(folder: Path, min_pixels: int | None, max_pixels: int | None) -> Any:
    """The family's image processor with the limits wanted.

    Raises ModelError for limits that leave nothing, naming the file and its key where they are the checkpoint's own.
    """
    written, _ = Qwen2VLImageProcessorPil.get_image_processor_dict(folder)
    own_low, own_high = images.written_limits(written)
    processor = Qwen2VLImageProcessorPil.from_dict(images.without_limits(written))
    side = processor.patch_size * processor.merge_size
    low = own_low if min_pixels is None else min_pixels
    high = own_high if max_pixels is None else max_pixels
    if max_pixels is not None and min_pixels is None:
        low = min(low, high)
    if not 0 < low <= high or high < side**2:
        raise ModelError(
            f"the model's images have {low:,} to {high:,} pixels: at least {side**2:,} must be allowed, and the "
            "minimum may not be above the maximum"
        )
    processor.size = type(processor.size)(shortest_edge=low, longest_edge=high)
    return processor


def _check_vocabulary(tokenizer: Any, rows: int) -> None:
    """A token without an embedding would end a CUDA process. Raises ModelError."""
    highest = max(tokenizer.get_vocab().values())
    if highest >= rows:
        raise ModelError(f"its tokenizer has token {highest}, but the model has only {rows} embeddings")


def dialect_of(name_or_path: str) -> str:
    """What `load_model(name_or_path)` will speak, from its small files alone. Raises ModelError as that does."""
    folder, _ = locate(name_or_path, SHIPPED)
    kind = read_config(folder, name_or_path)["model_type"]
    if kind not in ARCHITECTURES:
        raise _unknown(name_or_path, kind)
    return _dialect(ARCHITECTURES[kind].dialect, name_or_path, folder, (folder / PROMPT).is_file())


def version_of(name_or_path: str) -> str:
    """What tells this checkpoint from others of its name: the hub's revision, or a folder's fingerprint.

    Raises ModelError where there is none.
    """
    folder, from_hub = locate(name_or_path, SHIPPED)
    return folder.name if from_hub else fingerprint_of_files(folder)


def _unknown(name: str, kind: str) -> ModelError:
    return ModelError(f"{name}: no adapter for the architecture {kind!r} (there is: {', '.join(ARCHITECTURES)})")


def _dialect(family: str, name: str, folder: Path, own_prompt: bool) -> str:
    """UI-TARS is Qwen2.5-VL by architecture and known by its name, or by a prompt of its own beside the checkpoint."""
    names = re.sub(r"[^a-z0-9/]", "", "/".join((name, *folder.parts[-2:])).lower())
    return "ui_tars" if "uitars" in names or own_prompt else family


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
