"""ScreenSpot-v2 and -Pro: files as published, oracles, and what a user may choose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.errors import ConfigError
from envs.geometry import Size
from eval.benchmarks.base import Source, Trajectory
from eval.benchmarks.screenspot.benchmark import SCREENSPOT_PRO, SCREENSPOT_V2, ScreenSpot
from eval.benchmarks.screenspot.gold import Target
from eval.replay.offline_dialect import speaker

DATA = Path(__file__).parents[2] / "data" / "screenspot"
DIALECTS = ("ui_tars", "opencua", "qwen25", "qwen3")
SCREEN = Size(3840, 2160)
"""Taken for records whose size is not stated."""


def load(
    benchmark: ScreenSpot,
    path: Path,
    images: Path | None = None,
    splits: tuple[str, ...] = (),
    options: Mapping[str, str] | None = None,
) -> list[Trajectory]:
    return list(benchmark.trajectories(Source(path, images, splits, options or {})))


def test_published_v2() -> None:
    found = load(SCREENSPOT_V2, DATA / "v2", splits=("web",))
    assert [trajectory.id for trajectory in found] == ["web-0", "web-1", "web-2", "web-3"]
    first = found[0]
    (step,) = first.steps
    assert first.goal == "input word to search in wikidata"
    assert (first.split, step.kind) == ("web", "icon")
    assert step.gold == Target(box=(485, 29, 593, 46))
    assert step.facts == {"platform": "web", "type": "icon", "source": "tool"}
    (picture,) = step.views
    assert picture.stated is None
    assert picture.size() == Size(640, 360)


def test_v2_with_sizes() -> None:
    found = load(SCREENSPOT_V2, DATA / "v2_sized")
    assert [t.split for t in found] == ["mobile"] * 7 + ["desktop"] * 6 + ["web"] * 6
    assert len({t.id for t in found}) == 19
    over = next(t.steps[0] for t in found if t.steps[0].gold.box[2] == 2361)
    assert over.gold.size == (2360, 1640)
    assert over.views[0].stated == Size(2360, 1640)
    assert over.facts["source"] == "shop"


def test_one_file_of_v2_names_its_platform() -> None:
    assert {t.split for t in load(SCREENSPOT_V2, DATA / "v2_sized" / "screenspot_desktop_v2.json")} == {"desktop"}
    assert load(SCREENSPOT_V2, DATA / "v2_sized" / "screenspot_desktop_v2.json", splits=("web",)) == []


def test_published_pro() -> None:
    found = load(SCREENSPOT_PRO, DATA / "pro")
    assert len(found) == 12
    assert found[0].id == "android_studio_macos-0"
    step = found[0].steps[0]
    assert step.views[0].path == DATA / "pro" / "images" / step.views[0].name
    assert step.gold.size == (3840, 2160)
    assert set(step.facts) == {"group", "application", "platform", "type", "language"}
    assert [t.id for t in load(SCREENSPOT_PRO, DATA / "pro" / "annotations")] == [t.id for t in found]
    alone = load(SCREENSPOT_PRO, DATA / "pro" / "annotations" / "word_macos.json")
    assert [t.steps[0].facts["application"] for t in alone] == ["word"] * 3


def test_groups_of_pro_are_its_splits() -> None:
    assert {t.split for t in load(SCREENSPOT_PRO, DATA / "pro", splits=("CAD", "OS"))} == {"CAD", "OS"}


def test_chinese_instructions(tmp_path: Path) -> None:
    record = json.loads((DATA / "pro" / "annotations" / "word_macos.json").read_text("utf-8"))[0]
    (tmp_path / "word.json").write_text(json.dumps([{**record, "instruction_cn": "打开"}]), "utf-8")
    assert [t.goal for t in load(SCREENSPOT_PRO, tmp_path, options={"language": "cn"})] == ["打开"]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("benchmark", "path", "splits"),
    [
        (SCREENSPOT_V2, DATA / "v2", ("web",)),
        (SCREENSPOT_V2, DATA / "v2_sized", ()),
        (SCREENSPOT_PRO, DATA / "pro", ()),
    ],
    ids=["v2", "v2 with sizes", "pro"],
)
def test_oracle(benchmark: ScreenSpot, path: Path, splits: tuple[str, ...], dialect: str) -> None:
    said = speaker(dialect, benchmark.kind, benchmark.capabilities)
    for trajectory in load(benchmark, path, splits=splits):
        (step,) = trajectory.steps
        (picture,) = step.views
        size = picture.stated or (picture.size() if picture.exists else SCREEN)
        text = said.dialect.write("", benchmark.oracle(step, size), said.resize(size))
        prediction = said.predict((text,), size, can=benchmark.capabilities)
        # A row keeps the gold as JSON.
        gold = benchmark.gold_type.model_validate(json.loads(step.gold.model_dump_json()))
        scores = benchmark.score(gold, step.kind, prediction)
        assert (trajectory.id, scores["official"], scores["release"]) == (trajectory.id, 1.0, 1.0)


def test_the_oracle_stays_on_the_picture() -> None:
    assert Target(box=(-2, -2, 2, 4)).centre(Size(100, 100)) == (1.0, 2.0)
    assert Target(box=(190, 90, 202, 100), size=(200, 100)).centre(Size(100, 50)) == (97.5, 47.5)


def test_single_steps_are_over_at_once() -> None:
    step = load(SCREENSPOT_PRO, DATA / "pro")[0].steps[0]
    assert SCREENSPOT_PRO.oracle_view(step) == 0
    assert SCREENSPOT_PRO.follow(step, 0, SCREENSPOT_PRO.oracle(step, SCREEN)) is None


def test_names_of_the_release() -> None:
    assert SCREENSPOT_V2.environment_variables == ("SCREENSPOT_TEST", "SCREENSPOT_IMGS")
    assert SCREENSPOT_PRO.environment_variables == ("SCREENSPOTPRO_TEST", "SCREENSPOTPRO_IMGS")


@pytest.mark.parametrize(
    ("benchmark", "path", "splits", "options", "message"),
    [
        (SCREENSPOT_V2, "v2", ("tv",), {}, "there is no platform 'tv'"),
        (SCREENSPOT_V2, "v2", ("web",), {"language": "cn"}, "screenspot_v2 has no option 'language'"),
        (SCREENSPOT_PRO, "pro", ("Games",), {}, "there is no group 'Games'"),
        (SCREENSPOT_PRO, "pro", (), {"level": "high"}, "screenspot_pro has no option 'level'"),
        (SCREENSPOT_PRO, "pro", (), {"language": "fr"}, "screenspot_pro: language cannot be 'fr'"),
    ],
)
def test_impossible_settings(
    benchmark: ScreenSpot, path: str, splits: tuple[str, ...], options: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load(benchmark, DATA / path, splits=splits, options=options)
