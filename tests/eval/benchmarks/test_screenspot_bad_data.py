"""Damaged annotations of ScreenSpot: every message names file, record and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks.base import Source
from eval.benchmarks.errors import DataError
from eval.benchmarks.screenspot.benchmark import SCREENSPOT_PRO, SCREENSPOT_V2, ScreenSpot

V2 = {
    "img_filename": "a.png",
    "bbox": [10, 20, 30, 40],
    "instruction": "open it",
    "data_type": "text",
    "data_source": "shop",
}
SIZED = {
    "img_filename": "a.png",
    "bbox": [10, 20, 30, 40],
    "instruction": "open it",
    "img_size": [100, 50],
    "platform": "shop",
    "ui_type": "text",
    "group": "web",
}
PRO = {
    "id": "word_macos_0",
    "img_filename": "word_mac/a.png",
    "bbox": [10, 20, 30, 40],
    "instruction": "open it",
    "instruction_cn": None,
    "application": "word",
    "platform": "macos",
    "img_size": None,
    "ui_type": "text",
    "group": "Office",
}
NAMES = {SCREENSPOT_V2.name: "screenspot_web_v2.json", SCREENSPOT_PRO.name: "word_macos.json"}


def load(benchmark: ScreenSpot, folder: Path, text: str | bytes, **options: str) -> int:
    file = folder / NAMES[benchmark.name]
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return len(list(benchmark.trajectories(Source(file, options=options))))


def test_the_records_themselves_are_good(tmp_path: Path) -> None:
    assert load(SCREENSPOT_V2, tmp_path, json.dumps([V2, SIZED])) == 2
    assert load(SCREENSPOT_PRO, tmp_path, json.dumps([PRO])) == 1


@pytest.mark.parametrize(
    ("benchmark", "record", "change", "message"),
    [
        (SCREENSPOT_V2, V2, {"bbox": None}, r"record 1: bbox"),
        (SCREENSPOT_V2, V2, {"bbox": [1, 2, 3]}, r"record 1: bbox"),
        (SCREENSPOT_V2, V2, {"bbox": ["1", 2, 3, 4]}, r"record 1: bbox\.0"),
        (SCREENSPOT_V2, V2, {"bbox": [True, 2, 3, 4]}, r"record 1: bbox\.0"),
        (SCREENSPOT_V2, V2, {"bbox": [10, 20, 1e300, 40]}, r"record 1: bbox\.2"),
        (SCREENSPOT_V2, V2, {"bbox": [10, 20, 0, 40]}, r"record 1: bbox: .* has no area"),
        (SCREENSPOT_V2, V2, {"bbox": [10, 20, 30, -40]}, r"record 1: bbox: .* has no area"),
        (SCREENSPOT_V2, V2, {"bbox": [-3, 20, 30, 40]}, r"record 1: bbox: .* lies outside the picture$"),
        (SCREENSPOT_V2, V2, {"img_filename": "../a.png"}, r"record 1: .*leads out of"),
        (SCREENSPOT_V2, V2, {"img_filename": "/etc/passwd"}, r"record 1: .*leads out of"),
        (SCREENSPOT_V2, V2, {"img_filename": ""}, r"record 1: img_filename"),
        (SCREENSPOT_V2, V2, {"instruction": ""}, r"record 1: instruction"),
        (SCREENSPOT_V2, V2, {"data_type": "image"}, r"record 1: data_type"),
        (SCREENSPOT_V2, SIZED, {"bbox": [10, 20, 103, 40]}, r"record 1: bbox: .* lies outside the picture of 100x50"),
        (SCREENSPOT_V2, SIZED, {"bbox": [10, 20, 30, 53]}, r"record 1: bbox: .* lies outside the picture of 100x50"),
        (SCREENSPOT_V2, SIZED, {"bbox": [-2, 20, -1, 40]}, r"record 1: bbox: .* lies outside"),
        (SCREENSPOT_V2, SIZED, {"bbox": [30, 20, 10, 40]}, r"record 1: bbox: .* has no area"),
        (SCREENSPOT_V2, SIZED, {"img_size": [100, 0]}, r"record 1: img_size\.1"),
        (SCREENSPOT_V2, SIZED, {"img_size": None}, r"record 1: img_size"),
        (SCREENSPOT_PRO, PRO, {"bbox": None}, r"record 1: bbox"),
        (SCREENSPOT_PRO, PRO, {"bbox": [30, 20, 30, 40]}, r"record 1: bbox: .* has no area"),
        (SCREENSPOT_PRO, PRO, {"img_size": [20, 30]}, r"record 1: bbox: .* lies outside the picture of 20x30"),
        (SCREENSPOT_PRO, PRO, {"id": ""}, r"record 1: id"),
        (SCREENSPOT_PRO, PRO, {"ui_type": "Text"}, r"record 1: ui_type"),
        (SCREENSPOT_PRO, PRO, {"group": 3}, r"record 1: group"),
        (SCREENSPOT_PRO, PRO, {"img_filename": "..\\..\\a.png"}, r"record 1: .*leads out of"),
    ],
)
def test_bad_field(
    benchmark: ScreenSpot, record: dict[str, Any], change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"{NAMES[benchmark.name]} {message}"):
        load(benchmark, tmp_path, json.dumps([record, {**record, **change}]))


@pytest.mark.parametrize("benchmark", [SCREENSPOT_V2, SCREENSPOT_PRO], ids=lambda benchmark: benchmark.name)
@pytest.mark.parametrize("field", ["bbox", "instruction", "img_filename"])
def test_missing_field(benchmark: ScreenSpot, field: str, tmp_path: Path) -> None:
    record = V2 if benchmark is SCREENSPOT_V2 else PRO
    with pytest.raises(DataError, match=rf"record 0: {field}: Field required"):
        load(benchmark, tmp_path, json.dumps([{k: v for k, v in record.items() if k != field}]))


@pytest.mark.parametrize("benchmark", [SCREENSPOT_V2, SCREENSPOT_PRO], ids=lambda benchmark: benchmark.name)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"img_filename": "a.png", "bb', "is not whole JSON"),
        ("{}", "no list"),
        ("[3]", "record 0"),
        ('[{"bbox": [NaN, 1, 2, 3]}]', "NaN is not a number"),
        ('[{"bbox": [1e999, 1, 2, 3]}]', "larger than any number"),
        (b'[{"instruction": "\xff\xfe"}]', "is not UTF-8"),
    ],
)
def test_bad_file(benchmark: ScreenSpot, text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(benchmark, tmp_path, text)
    assert NAMES[benchmark.name] in str(caught.value)


def test_good_records_before_a_bad_one_come_first(tmp_path: Path) -> None:
    file = tmp_path / "word_macos.json"
    file.write_text(json.dumps([PRO, {}]), "utf-8")
    found = SCREENSPOT_PRO.trajectories(Source(file))
    assert next(found).goal == "open it"
    with pytest.raises(DataError, match="record 1"):
        next(found)


def test_missing_platform(tmp_path: Path) -> None:
    (tmp_path / "screenspot_mobile_v2.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match=r"screenspot_desktop_v2\.json is missing"):
        list(SCREENSPOT_V2.trajectories(Source(tmp_path)))
    (tmp_path / "all.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match="must say the platform"):
        list(SCREENSPOT_V2.trajectories(Source(tmp_path / "all.json")))


def test_missing_chinese(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"word_macos\.json record 0: instruction_cn"):
        load(SCREENSPOT_PRO, tmp_path, json.dumps([PRO]), language="cn")


def test_empty_folder_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \*\.json"):
        list(SCREENSPOT_PRO.trajectories(Source(tmp_path)))
    with pytest.raises(DataError, match="is missing"):
        list(SCREENSPOT_PRO.trajectories(Source(tmp_path / "nowhere.json")))
