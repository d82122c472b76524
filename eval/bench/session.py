"""What memory saves: 30 steps of an episode, stateless against persistent, side by side in one run.

Four runs see the same screenshots and write as many tokens: the stateless protocol (transformers' own `generate`
over the last N screenshots, from nothing, every step), a persistent session that keeps everything, and persistent
GUI-KV at either moment. They take turns at every step, so that whatever else the machine does hits all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from PIL import Image, ImageDraw
from rich.table import Table

from envs.pictures import PictureError, read_picture
from guikv.budget import parse_budget
from guikv.content import Frame, Message, Reply, Text, last_frames
from guikv.errors import GuikvError
from guikv.models.base import Adapter
from guikv.models.device import choose_device, choose_dtype
from guikv.models.images import patches
from guikv.models.packed import can_pack
from guikv.models.random_weights import QWEN3_8B, QWEN25_7B, Sizes, random_model, random_qwen3
from guikv.policies import Full, Policy, make_policy
from guikv.prompt import NO_FRAME, Prompt
from guikv.session import Session
from guikv.settings import Settings

MOMENTS = ("prefill", "next_observation")

SMALL = Sizes(
    hidden=768, layers=12, heads=12, kv_heads=4, intermediate=2304,
    vision_hidden=384, vision_layers=8, vision_intermediate=1024, max_pixels=28 * 28 * 864,
)  # fmt: skip
"""A Qwen2.5-VL of 101 M parameters; a 1024x768 screenshot becomes 851 tokens."""

SHAPES: dict[str, tuple[Callable[..., Adapter], Sizes]] = {
    "small": (random_model, SMALL),
    "qwen2.5-vl-7b": (random_model, QWEN25_7B),
    "qwen3-vl-8b": (random_qwen3, QWEN3_8B),
}
"""Name → what makes the model, and its sizes. The real ones need about 17 GB in bfloat16, so a GPU."""


class BenchError(GuikvError):
    """A benchmark lacks what it should measure on."""


@dataclass
class Track:
    """What one run took: per step, seconds to the first token, of the whole step, of compression, and bytes."""

    prefill: list[float] = field(default_factory=list)
    """Vision and decoder prefill, from the call to the first logits."""
    decoder: list[float] = field(default_factory=list)
    """The decoder's share of it, where it is known."""
    compression: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)
    kv_bytes: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)


Runner = Callable[[tuple[Message, ...], Track], Reply]


def shaped(name: str, device: str = "auto", dtype: str = "auto") -> Adapter:
    """A model of that shape on the device, with random weights: a step's cost does not depend on their values.

    Raises ModelError for a device or dtype that there is not.
    """
    place = choose_device(device)
    make, sizes = SHAPES[name]
    adapter = make(sizes, dtype=choose_dtype(dtype, place), device=str(place))
    if can_pack(place, adapter.dtype):
        adapter.pack()
    return adapter


def screenshots(folder: Path, count: int) -> list[Image.Image]:
    """`count` pictures from the folder, in order and again from the start, each with a clock of its own.

    The clock makes every picture new, as on a real screen: no run may profit from having seen it before.
    Raises BenchError when the folder holds no PNG file, or one that is none.
    """
    files = sorted(folder.glob("*.png"), key=lambda p: (len(p.name), p.name))
    if not files:
        raise BenchError(f"no PNG files in {folder}: give a folder of screenshots with --screenshots")
    pictures = []
    for number in range(count):
        file = files[number % len(files)]
        try:
            picture = read_picture(file)
        except (OSError, PictureError) as error:
            raise BenchError(f"the screenshot {file}: {error}") from error
        pen = ImageDraw.Draw(picture)
        pen.rectangle((picture.width - 60, 0, picture.width, 16), fill="white")
        pen.text((picture.width - 54, 2), f"12:{number:02d}", fill="black")
        pictures.append(picture)
    return pictures


def stateless(adapter: Adapter, history: int, new_tokens: int) -> Runner:
    """The protocol that everyone else uses: all of the prompt, every time."""
    model = adapter.model

    def run(messages: tuple[Message, ...], track: Track) -> Reply:
        prompt = adapter.encode(last_frames(messages, history))
        images = [prompt.images[n] for n in sorted(prompt.images)]
        first = _FirstToken()
        inputs = {
            "input_ids": prompt.ids[None].to(adapter.device),
            "attention_mask": torch.ones_like(prompt.ids[None]).to(adapter.device),
            "mm_token_type_ids": (prompt.frames[None] != NO_FRAME).int().to(adapter.device),
            "pixel_values": torch.cat([patches(p, adapter.processor) for p in images]).to(
                adapter.device, adapter.dtype
            ),
            "image_grid_thw": torch.tensor([p.grid for p in images]).to(adapter.device),
        }
        model.set_attn_implementation({"text_config": "sdpa"})
        start = time.perf_counter()
        out = model.generate(
            **inputs,
            max_new_tokens=new_tokens,
            min_new_tokens=new_tokens,
            do_sample=False,
            streamer=first,
            return_dict_in_generate=True,
        )
        end = time.perf_counter()
        model.set_attn_implementation({"text_config": "guikv"})
        track.prefill.append(first.at - start)
        track.step.append(end - start)
        track.kv_bytes.append(sum(layer.keys.nbytes + layer.values.nbytes for layer in out.past_key_values.layers))
        track.tokens.append(len(prompt))
        ids = tuple(out.sequences[0, len(prompt) :].tolist())
        return Reply(ids, "")

    return run


class _FirstToken:
    """A streamer that only notes when the first generated token arrives."""

    def __init__(self) -> None:
        self.calls, self.at = 0, 0.0

    def put(self, value: torch.Tensor) -> None:
        self.calls += 1
        if self.calls == 2:  # the first call carries the prompt
            self.at = time.perf_counter()

    def end(self) -> None:
        """Nothing to close."""


def persistent(session: Session, new_tokens: int, drafts: bool = True) -> Runner:
    """A session that lives as long as the episode. drafts: as in `Session.generate`"""

    def run(messages: tuple[Message, ...], track: Track) -> Reply:
        prompt = session.adapter.encode(messages)
        start = time.perf_counter()
        session.extend(prompt)
        prefilled = time.perf_counter()
        session.compress()
        reply = session.generate(new_tokens, min_new_tokens=new_tokens, drafts=drafts)
        end = time.perf_counter()
        seconds = session.cost.seconds
        track.prefill.append(prefilled - start)
        track.decoder.append(seconds["prefill"])
        track.compression.append(seconds.get("compression", 0.0))
        track.step.append(end - start)
        track.kv_bytes.append(session.kv_bytes)
        track.tokens.append(max(layer.entries for _, layer in session.cache.kv))
        return Reply(reply.ids, "")

    return run


def run_bench(
    folder: Path,
    steps: int = 30,
    history: int = 5,
    budget: str = "20%",
    policy: str = "gui_kv",
    new_tokens: int = 16,
    adapter: Adapter | None = None,
    report: Callable[[int, dict[str, Track]], None] = lambda step, tracks: None,
) -> dict[str, Any]:
    """Run all four and return the ratios (see `summarise`); `report` is called after every step.

    adapter: None is a random model of the shape `small`.
    """
    pictures = screenshots(folder, steps)
    model = adapter or shaped("small")
    chosen = make_policy(policy)
    runners: dict[str, Runner] = {"stateless": stateless(model, history, new_tokens)}
    kinds: list[tuple[str, Policy, str]] = [("full", Full(), "prefill")] + [(m, chosen, m) for m in MOMENTS]
    for name, kind, moment in kinds:
        kept = Settings(kind, parse_budget(budget), moment, history=history)  # type: ignore[arg-type]
        runners[name] = persistent(Session(model, kept), new_tokens)
    tracks = {name: Track() for name in runners}
    if model.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(model.device)
    episodes = {name: list(opening()) for name in runners}
    model.vision_cache.limit = 0  # every run encodes every picture it needs itself
    for step, picture in enumerate(pictures):
        for name, run in runners.items():
            episodes[name].append(Message("user", (Frame(picture, step),)))
            reply = run(tuple(episodes[name]), tracks[name])
            episodes[name].append(Message("assistant", (reply,)))
        report(step, tracks)
    settings = {
        "parameters": model.parameters,
        "dtype": str(model.dtype).removeprefix("torch."),
        "device": str(model.device),
        "threads": torch.get_num_threads(),
        "steps": steps,
        "history": history,
        "budget": budget,
        "policy": policy,
        "new_tokens": new_tokens,
        "peak_memory": torch.cuda.max_memory_allocated(model.device) if model.device.type == "cuda" else None,
    }
    whole = model.encode(last_frames(tuple(episodes["stateless"][:-1]), history))
    return {**summarise(tracks), "one_shot": one_shot(model, chosen, budget, whole), "settings": settings}


def one_shot(adapter: Adapter, policy: Policy, budget: str, prompt: Prompt, repeats: int = 2) -> dict[str, float]:
    """The paper's setting: a whole prompt prefilled at once and then compressed. Share of scoring and eviction."""
    prefill, compression = [], []
    for _ in range(repeats):
        session = Session(adapter, Settings(policy, parse_budget(budget), "prefill", protect=False))
        session.extend(prompt)
        session.compress()
        prefill.append(session.cost.seconds["prefill"])
        compression.append(session.cost.seconds.get("compression", 0.0))
        session.close()
    return {"tokens": len(prompt), "compression_share": round(sum(compression) / sum(prefill), 4)}


def opening() -> Iterator[Message]:
    """System prompt and a task of common length."""
    yield Message("system", (Text("You are a helpful assistant.", protected=True),))
    task = "You are a GUI agent. Perform the next action.\n" + "click(point) type(content) scroll(direction)\n" * 12
    yield Message("user", (Text(task, protected=True),))


def summarise(tracks: dict[str, Track]) -> dict[str, Any]:
    """Ratios from step 5 on (the history is full then); the top level shows the live default's moment."""
    base = tracks["stateless"]
    late = slice(4, None)

    def ratios(track: Track) -> dict[str, float]:
        out = {
            "prefill_ratio": mean(base.prefill[late]) / mean(track.prefill[late]),
            "step_ratio": mean(base.step[late]) / mean(track.step[late]),
            "kv_bytes_ratio": mean(track.kv_bytes[late]) / mean(base.kv_bytes[late]),
            "compression_share": mean(track.compression[late]) / mean(track.decoder[late]),
            "entries": mean(track.tokens[late]),
        }
        if len(track.step) >= 30:
            out["growth"] = mean(track.step[25:30]) / mean(track.step[5:10])
        return {name: round(value, 4) for name, value in out.items()}

    moments = {m: ratios(tracks[m]) for m in MOMENTS}
    seconds = {name: {"prefill": mean(t.prefill[late]), "step": mean(t.step[late])} for name, t in tracks.items()}
    return {
        **moments["next_observation"],
        "moments": moments,
        "persistent_full": ratios(tracks["full"]),
        "stateless_tokens": round(mean(base.tokens[late]), 1),
        "seconds": {n: {k: round(v, 4) for k, v in s.items()} for n, s in seconds.items()},
    }


_ROWS = (
    ("prefill_ratio", "prefill, stateless ÷ persistent", "{:.2f} ×"),
    ("step_ratio", "whole step, stateless ÷ persistent", "{:.2f} ×"),
    ("kv_bytes_ratio", "KV bytes, persistent ÷ stateless full cache", "{:.3f}"),
    ("growth", "steps 26–30 ÷ steps 6–10", "{:.3f}"),
    ("compression_share", "scoring and eviction ÷ decoder prefill", "{:.3f}"),
)


def session_table(result: dict[str, Any]) -> Table:
    """The ratios of `guikv bench session` for people, one column per run."""
    s = result["settings"]
    title = f"{s['policy']} at {s['budget']}, {s['history']} screenshots, {s['steps']} steps"
    one = result["one_shot"]
    caption = (
        f"{s['parameters'] / 1e6:.0f} M parameters, {s['dtype']}, {s['device']}; compressing a prompt of "
        f"{one['tokens']} tokens at once takes {one['compression_share']:.3f} of its prefill"
    )
    if s["peak_memory"] is not None:
        caption += f"; at most {s['peak_memory'] / 2**30:.1f} GiB of the device's memory, all four runs together"
    table = Table(title=title, caption=caption)
    columns = {"persistent, full": result["persistent_full"], **result["moments"]}
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for key, label, form in _ROWS:
        table.add_row(label, *(form.format(c[key]) if key in c else "–" for c in columns.values()))
    return table
