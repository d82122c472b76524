"""How many agents a device's memory holds: KV bytes of one episode in the shape of a 7B model, by arithmetic alone.

Nothing is computed by a model. A conversation of full-size screenshots goes through the real chat layout into the real
ledger, and the real plan of each compression says what a session of ours may keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, get_args

import torch
from PIL import Image
from rich.table import Table

from agent.dialects import DIALECTS
from agent.history import History, Observation, Turn
from envs.geometry import Resize, Size
from eval.bench.reuse_world import TASK, action, small_model, thought
from guikv.budget import parse_budget
from guikv.compression import Moment, Plan, make_plan, tokens_after
from guikv.content import Frame, Reply, last_frames
from guikv.ledger import Ledger
from guikv.models.base import Adapter, Shape
from guikv.models.random_weights import QWEN25_7B, Sizes
from guikv.policies import make_policy
from guikv.prompt import Prompt

SCREEN = Size(1920, 1080)
"""Becomes 2,691 image tokens."""
MOMENTS: tuple[Moment, ...] = get_args(Moment)


@dataclass(frozen=True)
class MemoryPlan:
    """What `run_memory` counts.

    new: tokens that the model writes in each step; size: of a screenshot; sizes, dtype: of the model that would run
    """

    steps: int = 30
    history: int = 5
    budget: str = "20%"
    new: int = 100
    size: Size = SCREEN
    dialect: str = "ui_tars"
    sizes: Sizes = QWEN25_7B
    dtype: torch.dtype = torch.bfloat16


@dataclass(frozen=True)
class Held:
    """Entries of every layer and head: when a step is over, and at most while it was made."""

    after: int
    most: int


class KeptBySession:
    """What a session keeps, step by step, without keeping it: the ledger, and the plans that it would follow."""

    def __init__(self, moment: Moment, history: int, budget: str, bytes_per_entry: int) -> None:
        self.moment, self.history, self.budget = moment, history, parse_budget(budget)
        self.policy, self.bytes_per_entry = make_policy("gui_kv"), bytes_per_entry
        self.ledger = Ledger()
        self.entries = 0

    def step(self, prompt: Prompt, reply: tuple[int, ...]) -> Held:
        """Extended by the prompt, compressed, and a reply written.

        Raises ValueError for a prompt that does more than append.
        """
        known = self.ledger.common_prefix(prompt)
        if known < len(self.ledger):
            raise ValueError("the prompt rewrites what came before it")
        self.ledger = self.ledger.append(prompt, known)
        most = self.entries + len(prompt) - known
        plan = make_plan(self.ledger, self.budget, self.moment, self.history, True, self.bytes_per_entry)
        kept = most if plan is None else min(most, max(plan.capacity + plan.whole, self._never_evicted(plan)))
        self.entries = kept + len(reply)
        self.ledger = self.ledger.append_generated(reply)
        return Held(self.entries, max(most, self.entries))

    def _never_evicted(self, plan: Plan) -> int:
        window = self.policy.observation_window(plan.capacity, tokens_after(self.ledger, plan.current))
        forced = plan.forced.clone()
        forced[len(forced) - window :] = True
        return int(forced.sum())


def episode(adapter: Adapter, plan: MemoryPlan) -> Iterator[tuple[Prompt, Prompt, tuple[int, ...]]]:
    """Per step: the whole conversation, that of the stateless protocol, and the reply."""
    dialect, history = DIALECTS[plan.dialect](layout="append"), History()
    for number in range(plan.steps):
        picture = Image.new("RGB", (plan.size.width, plan.size.height), (number % 256, 90, 90))
        observation = Observation(Frame(picture, number))
        messages = dialect.render(TASK, history, observation)
        width, height = adapter.image_size(picture.size)
        text = dialect.write(thought(number), [action(number)], Resize(plan.size, Size(width, height)))
        ids = adapter.tokenizer.encode(text, add_special_tokens=False)
        # As long as real ones, which a drawn world has no thoughts for.
        reply = tuple((ids * (plan.new // len(ids) + 1))[: plan.new])
        yield adapter.encode(messages), adapter.encode(last_frames(messages, plan.history)), reply
        history = history.add(Turn(observation, Reply(reply, text)))


def run_memory(plan: MemoryPlan, adapter: Adapter | None = None) -> dict[str, Any]:
    """Bytes and sessions per GiB at the last step, and how many times more agents ours are than the others."""
    model = adapter or small_model()
    per_token = shape_of_sizes(plan.sizes).bytes_per_token(plan.dtype)
    ours = {moment: KeptBySession(moment, plan.history, plan.budget, per_token) for moment in MOMENTS}
    steps: list[dict[str, Any]] = []
    for number, (whole, sent, reply) in enumerate(episode(model, plan), start=1):
        held: dict[str, Held] = {
            "stateless": Held(len(sent) + len(reply), len(sent) + len(reply)),
            "append_only": Held(len(whole) + len(reply), len(whole) + len(reply)),
            **{moment: kept.step(whole, reply) for moment, kept in ours.items()},
        }
        steps.append({"step": number, "entries": {name: asdict(h) for name, h in held.items()}})
    last = steps[-1]["entries"]
    bytes_of = {name: {when: count * per_token for when, count in h.items()} for name, h in last.items()}
    return {
        "kv_bytes": bytes_of,
        "sessions_per_gib": {n: {w: round(2**30 / b, 2) for w, b in h.items()} for n, h in bytes_of.items()},
        **{f"agents_over_{peer}": _more(last, peer) for peer in ("append_only", "stateless")},
        "steps": steps,
        "settings": {
            "steps": plan.steps,
            "history": plan.history,
            "budget": plan.budget,
            "new": plan.new,
            "screenshot": [plan.size.width, plan.size.height],
            "screenshot_tokens": int((whole.frames == plan.steps - 1).sum()),
            "dialect": plan.dialect,
            "bytes_per_token": per_token,
            "dtype": str(plan.dtype).removeprefix("torch."),
        },
    }


def shape_of_sizes(sizes: Sizes) -> Shape:
    """The decoder's numbers of a model that is not made."""
    return Shape(
        layers=sizes.layers,
        query_heads=sizes.heads,
        kv_heads=sizes.kv_heads,
        head_dim=sizes.head_dim or sizes.hidden // sizes.heads,
        hidden=sizes.hidden,
        intermediate=sizes.intermediate,
        vocabulary=sizes.vocabulary,
    )


def _more(entries: dict[str, dict[str, int]], peer: str) -> dict[str, dict[str, float]]:
    """How many times more sessions of ours fit than of the peer's."""
    return {m: {w: round(entries[peer][w] / entries[m][w], 2) for w in ("after", "most")} for m in MOMENTS}


def memory_table(result: dict[str, Any]) -> Table:
    """One row per way to remember."""
    s = result["settings"]
    table = Table(
        title=f"one episode's KV at step {s['steps']}, 7B, {s['dtype']}, {s['bytes_per_token']:,} bytes a token",
        caption=(
            f"screenshots of {s['screenshot'][0]}x{s['screenshot'][1]} are {s['screenshot_tokens']:,} tokens, replies "
            f"{s['new']}; ours at {s['budget']}, {s['history']} screenshots\nat most: while the next screenshot is "
            "prefilled, before what is old goes"
        ),
    )
    table.add_column("", no_wrap=True, min_width=len("next_observation"))
    for head in ("MiB", "at most", "agents a GiB", "× append-only", "at most", "× stateless"):
        table.add_column(head, justify="right")
    for name, held in result["kv_bytes"].items():
        append, stateless = (result[f"agents_over_{peer}"].get(name) for peer in ("append_only", "stateless"))
        table.add_row(
            name,
            f"{held['after'] / 2**20:.0f}",
            f"{held['most'] / 2**20:.0f}",
            f"{result['sessions_per_gib'][name]['after']:.2f}",
            *(f"{append[when]:.1f} ×" if append else "" for when in ("after", "most")),
            f"{stateless['after']:.1f} ×" if stateless else "",
        )
    return table
