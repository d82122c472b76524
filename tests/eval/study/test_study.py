"""The study of policies: judging stored episodes, its shortcuts, and resuming."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from agent.assemble import make_dialect
from agent.config import CacheConfig, Config
from agent.dialects.coordinates import Coordinates
from agent.dialects.ui_tars.serialize import write_answer
from agent.errors import ConfigError
from agent.history import History, Observation, Turn
from agent.model import SessionBrain
from envs.actions import Action, Click, Scroll, Type
from envs.geometry import Resize, Size
from envs.playground import TASKS as PLAYGROUND_TASKS
from eval.benchmarks.playground.gold import PlaygroundGold
from eval.benchmarks.playground.official import matches
from eval.commands.bench_policies import CSV, JSON, bench_policies
from eval.rows import RowsError, read_rows
from eval.study.episodes import Episode, EpisodesError, load_groups
from eval.study.play import MAX_NEW_TOKENS, StoredPlayer, held_bytes, judge, recall
from eval.study.presets import CORRECTED, PARTS, RELEASED, TASKS, Arm, StudyCell, cells, series_of
from eval.study.run import ROWS, StudyRow, mean_of_steps, run_cells
from eval.sweep.workers import Workers
from guikv import load_model
from guikv.content import Reply
from guikv.models.base import Adapter
from guikv.policies import POLICIES
from guikv.session import Generation, Session

EPISODES = Path(__file__).parents[2] / "data" / "nano_episodes"
RESIZE = Resize(Size(280, 280), Size(280, 280))


@pytest.fixture(scope="module")
def adapter() -> Iterator[Adapter]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_model("nano")
    torch.set_num_threads(before)


@pytest.fixture
def player(adapter: Adapter) -> StoredPlayer:
    return StoredPlayer(adapter, make_dialect(Config(), adapter))


def only(task: str) -> Episode:
    return load_groups(EPISODES, task, 1, 1)[0][0]


def right_answer(gold: PlaygroundGold) -> str:
    action: Action = Scroll(direction="down", x=140, y=140)
    if gold.box is not None:
        action = Click(x=(gold.box[0] + gold.box[2]) / 2, y=(gold.box[1] + gold.box[3]) / 2)
    elif gold.type == "type":
        action = Type(text=gold.text)
    return write_answer("Next", [action], Coordinates(RESIZE))


def told(player: StoredPlayer, texts: list[str]) -> StoredPlayer:
    """A player that says the texts, whatever its model thinks."""
    left = iter(texts)

    def say(session: Session) -> Generation:
        text = next(left)
        ids = tuple(session.adapter.tokenizer.encode(text, add_special_tokens=False))
        return Generation(text, ids, True)

    return dataclasses.replace(player, say=say)


# Episodes and judging.


@pytest.mark.parametrize("task", TASKS)
def test_right_answers_win_every_task(player: StoredPlayer, task: str) -> None:
    episode = only(task)
    plays = told(player, [right_answer(s.gold) for s in episode.steps]).play(episode, CacheConfig())
    assert [p.right for p in plays] == [True] * len(episode.steps)
    assert all(p.held.kv <= p.held.full_kv for p in plays), "20 % of short episodes is never more than everything"
    assert len(plays) == 1 or plays[-1].held.past < 0.6 * plays[-1].held.full_past


def test_the_first_wrong_action_ends_an_episode(player: StoredPlayer) -> None:
    episode = only("remember_3")
    texts = [right_answer(episode.steps[0].gold), "Action: click(start_box='(1,1)')"]
    plays = told(player, texts).play(episode, CacheConfig())
    assert [p.right for p in plays] == [True, False]


@pytest.mark.parametrize(
    ("action", "gold", "right"),
    [
        (Click(x=10, y=20), PlaygroundGold(type="click", box=(10, 20, 30, 40)), True),
        (Click(x=30, y=20), PlaygroundGold(type="click", box=(10, 20, 30, 40)), False),
        (Click(x=15, y=25, count=2), PlaygroundGold(type="click", box=(10, 20, 30, 40)), False),
        (Click(x=15, y=25, button="right"), PlaygroundGold(type="click", box=(10, 20, 30, 40)), False),
        (Click(x=15, y=25), PlaygroundGold(type="type", text="Red"), False),
        (Type(text="Red"), PlaygroundGold(type="type", text="Red"), True),
        (Type(text="red"), PlaygroundGold(type="type", text="Red"), False),
        (Type(text="Red", submit=True), PlaygroundGold(type="type", text="Red"), False),
        (Type(text=""), PlaygroundGold(type="scroll"), False),
        (Scroll(direction="down"), PlaygroundGold(type="scroll"), True),
        (Scroll(direction="up"), PlaygroundGold(type="scroll"), False),
        (Scroll(direction="down"), PlaygroundGold(type="click", box=(0, 0, 280, 280)), False),
    ],
)
def test_matches(action: Action, gold: PlaygroundGold, right: bool) -> None:
    assert matches(action, gold) is right


def test_unreadable_and_double_answers_are_wrong(player: StoredPlayer) -> None:
    gold = PlaygroundGold(type="scroll")
    once = "scroll(start_box='(140,140)', direction='down')"
    assert judge(f"Action: {once}", gold, player.dialect, RESIZE)
    assert not judge(f"Action: {once}\n\n{once}", gold, player.dialect, RESIZE)
    assert not judge("I do not know", gold, player.dialect, RESIZE)


def test_groups_share_nothing_and_damage_is_named(tmp_path: Path) -> None:
    groups = load_groups(EPISODES, "click", 3, 5)
    assert [[e.seed for e in g] for g in groups] == [[95000], [95001], [95002]]
    assert load_groups(EPISODES, "click", 3, 5, longer_than=1) == [[], [], []]
    with pytest.raises(EpisodesError, match="render more"):
        load_groups(EPISODES, "click", 4, 5)
    with pytest.raises(EpisodesError, match=r"envs\.playground\.episodes --task click"):
        load_groups(tmp_path, "click", 1, 1)
    line = json.loads((EPISODES / "click.jsonl").read_text().splitlines()[0])
    (tmp_path / "click.jsonl").write_text(json.dumps({**line, "seed": 1_000_000}))
    with pytest.raises(EpisodesError, match="training"):
        load_groups(tmp_path, "click", 1, 1)
    (tmp_path / "click.jsonl").write_text(json.dumps(line))
    with pytest.raises(EpisodesError, match="render it again"):
        load_groups(tmp_path, "click", 1, 1)
    (tmp_path / "click.jsonl").write_text("{}\n")
    with pytest.raises(EpisodesError, match="damaged"):
        load_groups(tmp_path, "click", 1, 1)


# Shortcuts change nothing.


def brain_at(player: StoredPlayer, episode: Episode, steps: int, fed: bool) -> SessionBrain:
    """A compressed session at step `steps`, gone there step by step or prefilled at once."""
    from agent.assemble import make_brain

    brain = make_brain(CacheConfig(), player.adapter)
    history = History()
    for step in episode.steps[:steps]:
        observation = Observation(step.frame)
        text = right_answer(step.gold)
        ids = tuple(player.adapter.tokenizer.encode(text, add_special_tokens=False))
        if fed:
            brain.extend(player.dialect.render(episode.goal, history, observation))
            brain.compress()
            for token in ids:
                brain.session.feed(token)
        history = history.add(Turn(observation, Reply(ids, text)))
    brain.extend(player.dialect.render(episode.goal, history, Observation(episode.steps[steps].frame)))
    brain.compress()
    return brain


def test_a_first_step_that_is_not_played_again_leaves_the_same_memory(player: StoredPlayer) -> None:
    episode = only("remember_1")
    walked, jumped = (brain_at(player, episode, 1, fed).session for fed in (True, False))
    for a, b in zip(walked.cache.layers, jumped.cache.layers, strict=True):
        assert torch.equal(a.index, b.index)
        assert torch.allclose(a.keys, b.keys, atol=1e-4)
    assert walked.next_logits is not None
    assert jumped.next_logits is not None
    assert torch.allclose(walked.next_logits, jumped.next_logits, atol=1e-3)


def test_recall_finds_exactly_what_generate_says(player: StoredPlayer) -> None:
    session = brain_at(player, only("remember_3"), 2, True).session
    whole = session.fork().generate(MAX_NEW_TOKENS)
    said = whole.ids
    wrong = (*said[:3], 5, 5, 5, 5)
    other = (7, 7, 7)
    assert recall(session, [other, wrong, said]) == whole
    assert recall(session, [(*said, 7, 7)]) == whole, "a draft that goes on too long is cut where the model stops"
    assert recall(session, [other, wrong]) is None
    assert recall(session, []) is None
    assert session.fork().generate(MAX_NEW_TOKENS).ids == said, "looking changes nothing"


def test_openings_and_known_replies_give_the_same_play(player: StoredPlayer) -> None:
    episode = load_groups(EPISODES, "click", 1, 3)[0][1]
    cold = player.play(episode, CacheConfig())
    assert (episode.task, episode.seed) in player.openings
    assert player.play(episode, CacheConfig(budget="5%")) == cold, "nothing is evicted before the first action"
    warm = player.play(episode, CacheConfig(moment="prefill", policy="full"))
    assert warm == cold
    blind = player.play(episode, CacheConfig(moment="prefill", budget="2%", policy="random"))
    assert blind[0].held.kv < 0.6 * cold[0].held.kv


@pytest.mark.parametrize("selection", ["kv", "query"])
def test_held_bytes_are_those_of_the_cache_after_the_reply(player: StoredPlayer, selection: str) -> None:
    from agent.assemble import make_brain

    cache = CacheConfig(options={"selection": selection}, moment="prefill")
    brain = make_brain(cache, player.adapter)
    step = only("click").steps[0]
    brain.extend(player.dialect.render("Click it.", History(), Observation(step.frame)))
    brain.compress()
    early = held_bytes(brain.session, brain.session.tokens + 3)
    for token in (7, 8, 9):
        brain.session.feed(token)
    late = held_bytes(brain.session, brain.session.tokens)
    assert early == late
    assert late.kv == brain.session.kv_bytes
    assert late.full_kv == brain.session.cost.full_kv_bytes
    assert 0 < late.past < late.kv


# The design, and running it.


def test_the_design_covers_what_the_study_asks() -> None:
    assert tuple(PLAYGROUND_TASKS) == TASKS
    plan = cells(PARTS, TASKS, 3)
    assert len({c.key for c in plan}) == len(plan)
    assert {c.arm.policy for c in plan} == set(POLICIES)
    main = cells(["main"], TASKS, 3)
    assert len(main) == 9 * 3 * (7 * (len(POLICIES) - 1) + 1)
    assert len(cells(["main", "moments"], TASKS, 3)) - len(main) == 9 * 3 * 3 * 5, "next_observation is there already"
    assert {c.arm.window for c in cells(["windows"], TASKS, 1)} == {"shrink", "drop", "recompute"}
    assert {RELEASED.series, CORRECTED.series, Arm("random").series} <= set(series_of("options"))
    assert cells(["options"], ["dialog"], 3) == []
    for cell in plan:
        assert cell.cache.budget == f"{cell.budget:g}%"


def test_names_spell_out_what_is_studied() -> None:
    text = "alpha=2.0 basis=principal kernel=5 once=off pooling=avgpool protect_text=off reduction=mean"
    text += " saliency=residual selection=kv"
    assert CORRECTED.text == text
    assert CORRECTED.series.label == "gui_kv published saliency=residual"
    assert RELEASED.series.label == "gui_kv published basis=leading selection=query prefill"
    arm = Arm("gui_kv", window="drop", history=3, protect=False)
    assert arm.series.label == "gui_kv history=3 protect=off drop"
    assert StudyCell(Arm("random"), 5.0, "click", 2).cache.options == {"seed": 2}


def played(
    plan: list[StudyCell], out: Path, groups: int, workers: int = 1
) -> tuple[dict[tuple[object, ...], StudyRow], list[bool]]:
    fresh: list[bool] = []
    rows = run_cells(plan, Config(), EPISODES, out, groups, 5, Workers(workers), 1, lambda row, new: fresh.append(new))
    return rows, fresh


def small_plan() -> list[StudyCell]:
    return [
        StudyCell(Arm(policy, moment=moment), 10.0, "click", group)
        for group in range(3)
        for policy in ("gui_kv", "random")
        for moment in ("prefill", "next_observation")
    ]


def test_a_study_resumes_where_it_was(tmp_path: Path) -> None:
    plan = small_plan()
    rows, fresh = played(plan[:5], tmp_path, 3)
    assert fresh == [True] * 5
    before = (tmp_path / ROWS).read_bytes()
    with (tmp_path / ROWS).open("a") as file:
        file.write('{"task": "click", "policy": "gui_k')
    again, fresh = played(plan, tmp_path, 3)
    assert fresh == [False] * 5 + [True] * 7
    assert (tmp_path / ROWS).read_bytes().startswith(before)
    assert list(again) == [cell.key for cell in plan]
    assert {key: again[key] for key in rows} == rows
    assert {row.key for row in read_rows(tmp_path / ROWS, StudyRow)} == {c.key for c in plan}
    whole = again[plan[1].key]
    assert whole.kv_bytes == whole.kv_bytes_full, "a first screen is kept whole until the next one is there"
    assert again[plan[0].key].kv_bytes < 0.6 * whole.kv_bytes
    for groups, key in ((2, "groups is 3 there and 2 now"),):
        with pytest.raises(RowsError, match=key):
            played(plan[:1], tmp_path, groups)
    (tmp_path / ROWS).write_text("a,b\n1,2\n")
    with pytest.raises(RowsError, match="--out"):
        played(plan, tmp_path, 3)


@pytest.mark.slow
def test_two_processes_play_what_one_plays(tmp_path: Path) -> None:
    plan = small_plan()
    assert played(plan, tmp_path / "two", 3, workers=2)[0] == played(plan, tmp_path / "one", 3)[0]


def test_windows_play_only_episodes_that_outgrow_the_history(tmp_path: Path) -> None:
    plan = [c for c in cells(["windows"], TASKS, 1) if c.budget == 10 and c.arm.policy == "gui_kv"]
    rows, _ = played(plan, tmp_path, 1)
    assert {r.task for r in rows.values()} == {"form_many", "remember_3"}, "the order episode here has three screens"


def test_bytes_count_every_step_as_often_as_it_is_due() -> None:
    from eval.study.play import Held, Played

    def steps(*kv: int) -> list[Played]:
        return [Played(Reply((), ""), True, Held(k, k, k, k)) for k in kv]

    plays = [steps(10, 20), steps(10, 40), steps(10)]
    assert mean_of_steps(plays, [2, 2, 2], lambda h: h.kv) == pytest.approx((10 + 30) / 2)
    assert mean_of_steps(plays, [2, 2, 1], lambda h: h.kv) == pytest.approx((3 * 10 + 2 * 30) / 5)
    assert mean_of_steps(plays, [3, 3, 3], lambda h: h.kv, first=1) == pytest.approx(30)
    assert mean_of_steps([steps(10)], [1], lambda h: h.kv, first=1) == 0


def test_the_command(tmp_path: Path) -> None:
    import typer

    app = typer.Typer()
    app.command()(bench_policies)
    folder = tmp_path / "episodes"
    shutil.copytree(EPISODES, folder)
    call = ["--episodes", str(folder), "--cells", "moments", "--tasks", "click", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*call, "--json", "--limit", "1", "--groups", "1"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["settings"]["tasks"] == ["click"]
    assert {c["policy"] for c in result["curves"]} == {"gui_kv", "snap_kv", "random"}
    assert json.loads((tmp_path / "out" / JSON).read_text()) == result
    assert (tmp_path / "out" / "moments.png").is_file()
    header, *lines = (tmp_path / "out" / CSV).read_text().splitlines()
    assert header.split(",") == list(StudyRow.model_fields)
    assert len(lines) == len(list(read_rows(tmp_path / "out" / ROWS, StudyRow)))
    shown = CliRunner().invoke(app, [*call, "--limit", "1", "--groups", "1"])
    assert shown.exit_code == 0, shown.output
    assert "moments: success" in shown.stdout
    (tmp_path / "out" / ROWS).unlink()
    old = CliRunner().invoke(app, [*call, "--limit", "1", "--groups", "1"])
    assert isinstance(old.exception, RowsError), "what an earlier version measured is not replaced"
    wrong = CliRunner().invoke(app, [*call[:2], "--cells", "all"])
    assert isinstance(wrong.exception, ConfigError)
    assert "main" in str(wrong.exception)
