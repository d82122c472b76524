"""`guikv data`: what is there is counted, what is wrong is named."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from agent.cli import main
from eval import benchmarks
from eval.benchmarks.pictures import Picture
from eval.benchmarks.playground.benchmark import PLAYGROUND
from eval.commands.data import data as application
from eval.data.catalogue import CATALOGUE, Entry, entries
from eval.data.images import Images
from eval.data.tally import Problems
from tests.eval.spots import SPOTS

EPISODES = Path(__file__).parents[1] / "data" / "nano_episodes"


SPOTS_ENTRY = Entry("Spots.", "--path FOLDER", "nobody", "none")


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "spots", SPOTS)
    monkeypatch.setitem(CATALOGUE, "spots", SPOTS_ENTRY)
    for variable in SPOTS.environment_variables:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two splits: a trajectory of two steps and one of one; one of one step."""
    (tmp_path / "data").mkdir()
    for name, size in (("a.png", (640, 480)), ("b.png", (640, 480)), ("c.png", (1280, 720))):
        Image.new("RGB", size, (200, 0, 0)).save(tmp_path / "data" / name)
    write(tmp_path / "data", "one", [record("1", "a.png", "b.png"), record("2", "c.png")])
    write(tmp_path / "data", "two", [record("3", "a.png")])
    return tmp_path / "data"


def record(name: str, *images: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "images": images, "point": [10, 10], **more}


def write(folder: Path, split: str, records: object) -> None:
    (folder / f"{split}.json").write_text(json.dumps(records))


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(application, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def found(*arguments: object, code: int = 0) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run("check", "spots", *arguments, "--json", code=code))
    return result


def problems(*arguments: object) -> dict[str, tuple[int, list[str]]]:
    """What is wrong → how often, and the first places; exit code 1."""
    listed = found(*arguments, code=1)["problems"]
    return {each["what"].split(" (")[0]: (each["count"], each["first"]) for each in listed}


def test_what_is_there_is_counted(folder: Path) -> None:
    result = found("--path", folder)
    assert (result["trajectories"], result["steps"]) == (3, 4)
    assert result["steps_per_trajectory"] == {"min": 1, "median": 1.0, "max": 2}
    assert list(result["splits"]) == ["one", "two"]
    assert result["splits"]["one"] == {
        "trajectories": 2,
        "steps": 3,
        "steps_per_trajectory": {"min": 1, "median": 1.5, "max": 2},
    }
    assert result["actions"] == {"click": 4}
    assert result["problems"] == []


def test_images_count_once_and_have_their_price_in_tokens(folder: Path) -> None:
    images = found("--path", folder)["images"]
    assert (images["distinct"], images["of_known_size"], images["missing"], images["damaged"]) == (3, 3, 0, 0)
    assert images["sizes"] == [[640, 480, 2], [1280, 720, 1]]
    assert (images["smallest"], images["largest"]) == ([640, 480], [1280, 720])
    # 640x480 becomes 644x476 of 28x28 patches, 23 x 17; 1280x720 becomes 1288x728, 46 x 26.
    assert images["tokens"]["ui_tars"] == {"min": 391, "median": 391.0, "max": 1196}
    # 20 x 15 of 32x32; 720 / 32 = 22.5 is rounded to the even number: 40 x 22.
    assert images["tokens"]["qwen3"] == {"min": 300, "median": 300.0, "max": 880}
    assert set(images["tokens"]) == {"ui_tars", "opencua", "qwen25", "qwen3"}


def test_the_tables_say_the_same(folder: Path) -> None:
    text = run("check", "spots", "--path", folder)
    for words in ("one", "two", "together", "1 – 1.5 – 2", "100.0%", "640x480", "largest 1280x720", "391 – 391 – 1"):
        assert words in text
    assert "3 distinct, 0 missing, 0 damaged" in text
    assert "no problems" in text


def test_only_some_trajectories_and_splits(folder: Path) -> None:
    assert found("--path", folder, "--limit", 2)["trajectories"] == 2
    assert list(found("--path", folder, "--splits", "two")["splits"]) == ["two"]
    assert list(found("--path", folder, "--split", "two")["splits"]) == ["two"]
    assert "data, the first trajectory" in run("check", "spots", "--path", folder, "--limit", 1)
    assert found("--path", folder, "--splits", "one,two")["trajectories"] == 3
    wrong = problems("--path", folder, "--splits", "three")
    assert wrong == {"nothing to play": (1, [str(folder)])}
    text = run("check", "spots", "--path", folder, "--splits", "three", code=1)
    assert text.splitlines() == [f"spots: {folder}", "problem: nothing to play: 1", f"  {folder}"]


def test_the_limit_reads_no_further(folder: Path) -> None:
    (folder / "two.json").write_text("[{")
    assert found("--path", folder, "--limit", 2)["problems"] == []


def test_images_that_are_missing_or_damaged(folder: Path) -> None:
    (folder / "a.png").unlink()
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:200])
    (folder / "c.png").write_text("Not found")
    wrong = problems("--path", folder)
    assert wrong["images missing"] == (1, [f"{folder / 'one.json'} record 0: {folder / 'a.png'}"])
    count, first = wrong["images damaged"]
    assert count == 2
    assert "b.png is damaged" in first[0]
    assert "c.png is not an image" in first[1]
    text = run("check", "spots", "--path", folder, code=1)
    assert "1 missing, 2 damaged" in text
    assert f"problem: images missing: 1\n  {folder / 'one.json'} record 0" in text


def test_without_images_the_stated_sizes_count(folder: Path) -> None:
    write(folder, "one", [record("1", "no.png", size=[1920, 1080]), record("2", "neither.png")])
    images = found("--path", folder, "--no-images")["images"]
    assert (images["distinct"], images["of_known_size"], images["opened"]) == (3, 1, False)
    assert images["largest"] == [1920, 1080]
    assert "not opened" in run("check", "spots", "--path", folder, "--no-images")


def test_the_first_ten_are_named(folder: Path) -> None:
    write(folder, "two", [record(f"x{n}", f"missing{n}.png") for n in range(12)])
    count, first = problems("--path", folder)["images missing"]
    assert (count, len(first)) == (12, 10)
    assert "… and 2 more" in run("check", "spots", "--path", folder, code=1)


def test_parts_of_a_page_within_the_annotations_are_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = io.BytesIO()
    Image.new("RGB", (640, 480)).save(whole, "PNG")
    data, loads = whole.getvalue(), []
    plain = Picture.load
    monkeypatch.setattr(Picture, "load", lambda picture: loads.append(picture.name) or plain(picture))
    problems = Problems()
    images = Images(problems)
    for name, part in (("a#0", data), ("a#1", data), ("b#0", bytes(bytearray(data))), ("c", data[:100])):
        images.see(Picture(name, data=part, where="row 1"))
    assert loads == ["a#0", "b#0", "c"]
    assert images.to_dict()["sizes"] == [[640, 480, 3]]
    assert (images.to_dict()["distinct"], problems.count("images damaged")) == (4, 1)


def test_what_a_model_or_a_scorer_could_not_use(folder: Path) -> None:
    Image.new("RGB", (20, 20)).save(folder / "small.png")
    write(folder, "one", [record("1", "small.png"), record("2", "a.png", size=[320, 240])])
    write(folder, "two", [{**record("3", "b.png"), "point": [641, 5]}])
    wrong = problems("--path", folder)
    assert wrong["images that no model takes"][0] == 1
    assert "20x20 is too small" in wrong["images that no model takes"][1][0]
    (note,) = found("--path", folder, code=1)["notes"]
    assert note["what"].startswith("images of another size")
    assert note["first"] == [f"{folder / 'one.json'} record 1: {folder / 'a.png'}: 640x480, not 320x240"]
    assert "note: images of another size" in run("check", "spots", "--path", folder, code=1)
    assert wrong["right answers outside their image"][1] == [
        f"{folder / 'two.json'} record 0: click at (641, 5) of 640x480"
    ]


def test_ids_and_keys_that_are_not_unique(folder: Path) -> None:
    write(folder, "two", [record("1", "a.png"), record("4", "a.png", "a.png"), record("5")])
    wrong = problems("--path", folder)
    where = f"{folder / 'two.json'} record"
    assert wrong["trajectories with the id of another"] == (1, [f"{where} 0: 1"])
    assert wrong["steps with the key of another"] == (1, [f"{where} 1: a.png"])
    assert wrong["empty trajectories"] == (1, [f"{where} 2: 5"])


def test_every_bad_record_is_counted_and_so_is_what_follows(folder: Path) -> None:
    write(folder, "one", [record("1", "a.png"), {"id": "2"}, record("9", "a.png")])
    write(folder, "three", [{"id": "3"}, record("4", "a.png"), record("5", "../../x.png")])
    (folder / "four.json").write_text('[{"id": ')
    (folder / "list.json").write_text("{}")
    (folder / "._two.json").write_bytes(b"\0\5\x16\7")
    result = found("--path", folder, code=1)
    (bad,) = (each for each in result["problems"] if each["what"].startswith("annotations that"))
    assert bad["count"] == 5
    texts = sorted(bad["first"])
    assert "four.json record 0 is not whole JSON" in texts[0]
    assert "list.json holds no list of records" in texts[1]
    assert "one.json record 1: images: Field required (and 1 more)" in texts[2]
    assert "three.json record 0: images: Field required (and 1 more)" in texts[3]
    assert "three.json record 2: the name '../../x.png' leads out of" in texts[4]
    assert {name: split["trajectories"] for name, split in result["splits"].items()} == {"one": 2, "three": 1, "two": 1}


def test_a_single_bad_file(folder: Path) -> None:
    (folder / "one.json").write_bytes(b'[{"id": "\xff"}]')
    count, first = problems("--path", folder / "one.json")["annotations that cannot be used"]
    assert count == 1
    assert "one.json record 0 or later is not UTF-8 text" in first[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["check", "no"], 2, "error: there is no benchmark 'no' (there are "),
        (["check", "spots"], 2, "error: spots needs to know where its annotations are"),
        (["check", "spots", "--path", "/no"], 1, "error: /no (--path) is missing"),
        (["check", "spots", "--path", "/", "--option", "x"], 2, "error: --option 'x' is not KEY=VALUE"),
        (["check", "spots", "--path", "/", "--option", "x=1"], 2, "error: spots has no such option"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str], code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["guikv", *arguments])
    with pytest.raises(SystemExit) as raised:
        main(application)
    assert raised.value.code == code
    printed = capsys.readouterr()
    assert printed.err.strip().startswith(message)
    assert printed.err.strip().count("\n") == 0
    assert not printed.out


def test_places_from_the_environment(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for image in folder.glob("*.png"):
        shutil.move(image, images)
    monkeypatch.setenv("SPOTS_TEST", str(folder))
    monkeypatch.setenv("SPOTS_IMGS", str(images))
    assert found()["images"]["missing"] == 0
    assert found("--images", folder, code=1)["images"]["missing"] == 3


def test_the_playground(tmp_path: Path) -> None:
    result = json.loads(run("check", "playground", "--path", EPISODES, "--json"))
    assert (result["trajectories"], result["steps"], result["images"]["distinct"]) == (13, 35, 35)
    assert result["images"]["sizes"] == [[280, 280, 35]]
    broken = tmp_path / "episodes"
    shutil.copytree(EPISODES, broken)
    with (broken / "click.jsonl").open("a") as file:
        file.write('{"task": "click"}\n')
    result = json.loads(run("check", "playground", "--path", broken, "--json", code=1))
    assert result["trajectories"] == 13
    assert [each["count"] for each in result["problems"]] == [1]


FOLDERS = {
    "playground": "nano_episodes",
    "agentnetbench": "agentnetbench",
    "androidcontrol": "androidcontrol/ui_s1",
    "screenspot_v2": "screenspot/v2_sized",
    "screenspot_pro": "screenspot/pro",
    "aitz": "aitz",
    "webvoyager": "webvoyager",
}


def test_every_benchmark_is_gone_through_by_the_same_command() -> None:
    for name in FOLDERS.keys() & benchmarks.BENCHMARKS.keys():
        path = EPISODES.parent / FOLDERS[name]
        result = json.loads(run("check", name, "--path", path, "--no-images", "--limit", 3, "--json"))
        assert 1 <= result["trajectories"] <= 3, name
        assert result["steps"] == sum(result["actions"].values()) >= 1, name


def test_every_benchmark_is_listed_with_what_a_user_needs() -> None:
    text = run("list")
    listed = json.loads(run("list", "--json"))
    known = [name for name in benchmarks.BENCHMARKS if name != "spots"]
    for name in known:
        assert f"\n{name}\n" in f"\n{text}"
        assert {"what", "layout", "published", "licence"} <= set(listed[name])
        assert "--path" in listed[name]["layout"]
    assert listed["spots"]["variables"] == "SPOTS_TEST (annotations), SPOTS_IMGS (images)"


def test_the_catalogue_says_each_benchmark_once() -> None:
    assert set(CATALOGUE) >= {"agentnetbench", "androidcontrol", "mind2web", "screenspot_v2", "screenspot_pro"}
    assert all(entry.what.endswith(".") and entry.licence for entry in CATALOGUE.values())
    assert "variables" not in entries({"playground": PLAYGROUND})["playground"]
