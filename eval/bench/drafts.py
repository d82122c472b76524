"""What drafts from the episode itself are worth: replies repeat each other, and name what stands in the prompt.

Two measurements. Recorded trajectories, their right answers written in a dialect: how many tokens of a reply one
forward pass gives, if the model wrote exactly that. And nano on stored pages: tokens a CPU second, drafting and not,
in turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rich.table import Table
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from agent.config import PromptConfig
from agent.history import History, Observation, Turn
from envs.geometry import Size
from eval.benchmarks.base import Benchmark, Trajectory
from eval.replay.offline_dialect import Speaker, as_set
from eval.replay.oracle import gold_answer
from guikv.budget import parse_budget
from guikv.content import Frame, Message, Reply, Text
from guikv.engine.drafts import Lookup
from guikv.models.base import Adapter
from guikv.policies import make_policy
from guikv.session import Session
from guikv.settings import Settings

VOCABULARY = 4000
"""Of the tokenizer that is made from the replies themselves where none is given."""
Encode = Callable[[str], Sequence[int]]


def passes(lookup: Lookup, reply: Sequence[int]) -> int:
    """Forward passes that a reply takes, each of which verifies a draft behind its token; `lookup` learns the reply."""
    done = count = 0
    while done < len(reply):
        draft = lookup.draft_after(reply[done])
        count += 1
        lookup.add(reply[done])
        done += 1
        for token in draft:
            if done == len(reply) or reply[done] != token:
                break
            lookup.add(token)
            done += 1
    return count


def episode(
    benchmark: Benchmark, trajectory: Trajectory, voice: Speaker, encode: Encode
) -> Iterator[tuple[tuple[Message, ...], str]]:
    """Per step the conversation, with the right answers before it, and the right answer to it."""
    history = History()
    for number, step in enumerate(trajectory.steps):
        image = step.views[benchmark.oracle_view(step)].load()
        observation = Observation(Frame(image, number), (step.note,) if step.note else ())
        messages = voice.dialect.render(trajectory.goal, history, observation)
        text = gold_answer(benchmark, step, voice.dialect, voice.resize(Size(*image.size)))
        yield messages, text
        history = history.add(Turn(observation, Reply(tuple(encode(text)), text)))


def words(messages: Iterable[Message]) -> str:
    """The text of a conversation, screenshots left out."""
    return "".join(part.text for message in messages for part in message.parts if isinstance(part, Text | Reply))


def own_tokenizer(texts: Iterable[str]) -> Encode:
    """Byte pairs learned from the texts: coarser than a model's own on them, so that drafts have less to gain."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return lambda text: tokenizer.encode(text).ids


def recorded(
    trajectories: Sequence[Trajectory], benchmark: Benchmark, dialect: str, encode: Encode | None = None
) -> dict[str, Any]:
    """Tokens a forward pass over all replies of the trajectories.

    encode: text → token ids; without it a tokenizer is made from the conversations
    Raises DataError for a missing picture, ImageError for one that no model takes.
    """
    voice = as_set(dialect, PromptConfig(), benchmark)
    told = [
        [(words(messages), text) for messages, text in episode(benchmark, t, voice, str.encode)] for t in trajectories
    ]
    encode = encode or own_tokenizer(part for steps in told for pair in steps for part in pair)
    replies = tokens = forwards = 0
    for steps in told:
        for before, text in steps:
            ids = encode(text)
            replies += 1
            tokens += len(ids)
            forwards += passes(Lookup(encode(before)), ids)
    return {
        "dialect": dialect,
        "replies": replies,
        "tokens": tokens,
        "forwards": forwards,
        "tokens_per_forward": round(tokens / forwards, 3),
    }


def speeds(
    trajectories: Sequence[Trajectory], benchmark: Benchmark, adapter: Adapter, rounds: int = 3
) -> dict[str, Any]:
    """The model's own replies to the trajectories' screens: tokens a CPU second with drafts and without, in turns.

    Raises ValueError when the two replies differ, which they never may.
    """
    voice = as_set(adapter.dialect, PromptConfig(), benchmark)
    seconds, tokens = {True: 0.0, False: 0.0}, 0

    def encode(text: str) -> Sequence[int]:
        ids: list[int] = adapter.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        return ids

    settings = Settings(make_policy("gui_kv"), parse_budget("20%"))
    for number in range(rounds):
        for trajectory in trajectories:
            sessions = {drafts: Session(adapter, settings) for drafts in (True, False)}
            for messages, _ in episode(benchmark, trajectory, voice, encode):
                written = {}
                for drafts in (True, False) if number % 2 else (False, True):
                    session = sessions[drafts]
                    session.extend(messages)
                    session.compress()
                    start = time.process_time()
                    written[drafts] = session.generate(drafts=drafts).ids
                    seconds[drafts] += time.process_time() - start
                if written[True] != written[False]:
                    raise ValueError(f"drafts changed a reply: {written}")
                tokens += len(written[True])
    rates = {("drafts" if drafts else "plain"): round(tokens / taken, 1) for drafts, taken in seconds.items()}
    return {
        "model": adapter.name,
        "tokens": tokens,
        "tokens_per_second": rates,
        "gain": round(seconds[False] / seconds[True], 3),
    }


def drafts_table(result: dict[str, Any]) -> Iterator[Table]:
    """Recorded replies by dialect, then the model's own."""
    table = Table(title=f"recorded replies of {result['trajectories']} trajectories of {result['benchmark']}")
    for head in ("dialect", "replies", "tokens", "forward passes", "tokens a pass"):
        table.add_column(head, justify="left" if head == "dialect" else "right")
    for row in result["recorded"]:
        numbers = (str(row[key]) for key in ("replies", "tokens", "forwards"))
        table.add_row(row["dialect"], *numbers, f"{row['tokens_per_forward']:.2f}")
    yield table
    own = result["own"]
    table = Table(title=f"{own['model']}'s own replies to stored pages, {own['tokens']} tokens")
    for head in ("drafts", "tokens a CPU second", "gain"):
        table.add_column(head, justify="left" if head == "drafts" else "right")
    table.add_row("on", f"{own['tokens_per_second']['drafts']:.0f}", f"{own['gain']:.2f} ×")
    table.add_row("off", f"{own['tokens_per_second']['plain']:.0f}", "")
    yield table
