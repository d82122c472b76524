"""The page of a sweep, looked at by a real browser."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from playwright.sync_api import sync_playwright
from typer.testing import CliRunner

from agent.report.pictures import MAX_SIDE
from envs.browser.chromium import find_chromium, launch_args
from eval.commands.report import report
from eval.report.build import Wanted, build_report
from eval.report.cells import ReportError
from eval.rows import RowsError
from guikv.errors import BudgetError
from tests.eval.report import made

NASTY = "</pre></style></script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>{{ 7*7 }}&amp;\x00"
KEPT = {"0": {"rows": 2, "cols": 2, "kept": "0009"}, "1": {"rows": 2, "cols": 2, "kept": "9999"}}


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=launch_args())
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


@pytest.fixture
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longest."""
    monkeypatch.setattr("eval.report.build.draw_all", lambda numbers, budget: [])


def visit(page: Any, path: Path) -> tuple[list[str], list[str]]:
    """Console messages and requests of opening the page, with everything folded out."""
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return messages, [url for url in requests if not url.startswith("data:")]


def pictured(tmp_path: Path, **others: Any) -> Path:
    """A sweep whose pictures are there: two trajectories of two steps; compression loses the last of each."""
    data = made.episodes(tmp_path / "data", ("a", "b"), **others)
    scores = {"a-0": (1.0, 1.0), "b-0": (1.0, 1.0)}
    made.cell(tmp_path, "full", made.settings("full", path=data), made.rows(scores))
    lost = {"a-0": (1.0, 0.0), "b-0": (1.0, 0.5)}
    its = [one.model_copy(update={"kept": KEPT if one.step else {}}) for one in made.rows(lost)]
    made.cell(tmp_path, "gui", made.settings(path=data), its)
    return tmp_path


@pytest.mark.usefixtures("without_plots")
def test_hostile_text_stays_text(tmp_path: Path, page: Any) -> None:
    nasty = {"texts": (NASTY,), "goal": NASTY, "note": NASTY, "kind": NASTY, "where": NASTY, "error": NASTY}
    gold = {"type": "type", "box": None, "text": NASTY}
    made.sweep(tmp_path, Path("/nowhere") / NASTY.replace("\x00", ""), **nasty, gold=gold)
    built = build_report(tmp_path)
    messages, requests = visit(page, built.page)
    assert messages == []
    assert requests == [built.page.as_uri()]
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == 0
    assert page.locator("img[src=x]").count() == 0
    shown = page.locator("article .answer.shown pre").first.inner_text()
    assert shown.startswith("</pre></style></script><script>")
    assert "{{ 7*7 }}&amp;" in shown
    assert page.locator("article .thought").first.inner_text().startswith("</pre>")


def test_the_tables_on_the_page(tmp_path: Path, page: Any) -> None:
    built = build_report(made.sweep(tmp_path))
    visit(page, built.page)
    first = page.locator("#tables table").first
    assert first.locator("thead th").all_inner_texts() == ["", "5%", "20%"]
    row = first.locator("tbody tr", has_text="gui_kv").locator("td").all_inner_texts()
    assert re.sub(r"\s+", " ", row[0]).startswith("▼ −62.5 37.5 ")
    assert page.locator("figure.plot img").count() == 4
    sizes = page.evaluate("[...document.querySelectorAll('figure.plot img')].map(i => [i.naturalWidth, i.complete])")
    assert all(width > 500 and done for width, done in sizes)
    assert page.locator("h1").inner_text() == "playground"
    assert "3\ntrajectories" in page.locator(".cards").inner_text()
    assert page.locator("article").count() == 4
    assert (
        "/nowhere is" in page.locator("#worst .alert").inner_text() or "/nowhere" in page.locator("#worst").inner_text()
    )
    assert page.locator(".shot.none").count() == 4


def test_pictures_marks_and_patches(tmp_path: Path, page: Any) -> None:
    built = build_report(pictured(tmp_path))
    messages, _ = visit(page, built.page)
    assert messages == []
    assert page.locator("#worst .alert").count() == 0
    assert page.locator("article").count() == 2
    article = page.locator("article").first
    assert "a-0 · step 2" in article.locator("h2").inner_text()
    box = article.locator("rect.goal")
    assert [box.get_attribute(name) for name in ("x", "y", "width", "height")] == ["10.0", "10.0", "40.0", "20.0"]
    # The answer's ring is where the click was; the right one is in the middle of the box.
    assert article.locator(".shot > svg circle.mark").get_attribute("cx") == "30.0"
    assert article.locator(".right-place circle.mark").get_attribute("cy") == "20.0"
    assert article.locator("figcaption").all_inner_texts() == ["step 1 · 25 %", "now · 100 %"]
    assert "click (30,20)" in article.locator(".answer.gold").inner_text()
    assert "full" in article.locator("details").nth(1).inner_text()
    pictures = article.locator("img.whole").evaluate_all("all => all.map(one => one.src)")
    colours = [pixel(uri) for uri in pictures]
    assert [abs(colour[1] - green) < 6 for colour, green in zip(colours, (40, 0, 40), strict=True)] == [True] * 3


def pixel(uri: str) -> tuple[int, ...]:
    """The top left one."""
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")
    assert max(image.size) <= MAX_SIDE
    found = image.getpixel((0, 0))
    assert isinstance(found, tuple)
    return found


@pytest.mark.usefixtures("without_plots")
def test_large_pictures_are_scaled_and_few(tmp_path: Path) -> None:
    sweep = pictured(tmp_path, size=(3000, 1500))
    html = build_report(sweep, Wanted(worst=1)).page.read_text(encoding="utf-8")
    assert html.count("<article") == 1
    sizes = [
        Image.open(io.BytesIO(base64.b64decode(data))).size
        for data in re.findall(r'<img class="whole" alt="" src="data:image/\w+;base64,([^"]+)"', html)
    ]
    assert sizes == [(1280, 640), (320, 160), (320, 160)]


@pytest.mark.usefixtures("without_plots")
def test_an_image_that_is_gone_or_damaged_is_told(tmp_path: Path, page: Any) -> None:
    sweep = pictured(tmp_path)
    (tmp_path / "data" / "a-1.png").unlink()
    (tmp_path / "data" / "b-1.png").write_bytes(b"no picture")
    visit(page, build_report(sweep).page)
    told = page.locator("article .where").all_inner_texts()
    assert "a-1.png is missing" in told[0]
    assert "b-1.png is not an image" in told[1]
    assert page.locator(".shot.none").count() == 2
    assert page.locator(".thumb img.whole").count() == 2


@pytest.mark.usefixtures("without_plots")
def test_data_that_moved_are_found_again(tmp_path: Path) -> None:
    sweep = pictured(tmp_path)
    moved = (tmp_path / "data").rename(tmp_path / "elsewhere")
    missing = build_report(sweep)
    assert "Pictures are missing" in missing.page.read_text(encoding="utf-8")
    assert [one["picture"] for one in missing.numbers["worst"]] == [False, False]
    found = build_report(sweep, Wanted(path=moved))
    assert "Pictures are missing" not in found.page.read_text(encoding="utf-8")
    assert [one["picture"] for one in found.numbers["worst"]] == [True, True]


@pytest.mark.usefixtures("without_plots")
def test_damaged_patches_are_named(tmp_path: Path) -> None:
    its = [one.model_copy(update={"kept": {"0": {"rows": 2, "cols": 2, "kept": "1"}}}) for one in made.rows(made.LOW)]
    place = made.cell(tmp_path, "gui", made.settings(), its)
    with pytest.raises(RowsError) as caught:
        build_report(tmp_path)
    assert str(place / "rows.jsonl") in str(caught.value)
    assert "line 1: kept.0: " in str(caught.value)


@pytest.mark.usefixtures("without_plots")
def test_actions_that_are_none_are_named(tmp_path: Path) -> None:
    made.cell(tmp_path, "gui", made.settings(), made.rows(made.LOW, actions=({"type": "fly"},)))
    with pytest.raises(RowsError, match="a 0: the row holds what is no action"):
        build_report(tmp_path)


@pytest.mark.usefixtures("without_plots")
def test_the_full_page_of_few_trajectories_says_so(tmp_path: Path, page: Any) -> None:
    visit(page, build_report(made.sweep(tmp_path)).page)
    assert page.locator("header .alert").inner_text().startswith("Only 3 trajectories: ")
    assert "guikv replay playground --path /nowhere" in page.locator("code.command").inner_text()


@pytest.mark.usefixtures("without_plots")
def test_unfinished_cells_are_told(tmp_path: Path, page: Any) -> None:
    made.cell(tmp_path, "full", made.settings("full"), made.rows(made.FULL))
    made.cell(tmp_path, "gui", made.settings(), made.rows(made.LOW)[:2])
    built = build_report(tmp_path)
    visit(page, built.page)
    assert "all numbers are of the 2 steps that every cell has" in page.locator("header .alert").first.inner_text()
    official = {one["policy"]: one["measures"]["official"]["value"] for one in built.numbers["cells"]}
    assert official == {"full": 1.0, "gui_kv": 0.5}


def test_an_oracle_has_a_table_and_no_plots(tmp_path: Path, page: Any) -> None:
    made.cell(tmp_path, "o", made.settings(model="oracle"), made.rows(made.FULL, None))
    built = build_report(tmp_path)
    visit(page, built.page)
    assert built.plots == ()
    assert page.locator("#tables tbody tr").first.inner_text().split()[:2] == ["oracle", "100.0"]
    assert "none scored less than 1" in page.locator("main > .alert").inner_text()


def test_single_images_have_no_costs_by_step(tmp_path: Path) -> None:
    made.cell(tmp_path, "full", made.settings("full"), made.rows({"a": (1.0,), "b": (1.0,)}))
    made.cell(tmp_path, "gui", made.settings(), made.rows({"a": (1.0,), "b": (0.0,)}))
    built = build_report(tmp_path)
    assert [path.name for path in built.plots] == ["score_bytes.png", "score_share.png", "score_budget.png"]


def test_the_command(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(report)
    sweep = made.sweep(tmp_path / "sweep")
    out = tmp_path / "there" / "page.html"
    result = CliRunner().invoke(app, [str(sweep), "--json", "--out", str(out), "--worst", "2", "--budget", "5"])
    assert result.exit_code == 0, result.output
    numbers = json.loads(result.stdout)
    assert numbers["page"] == str(out)
    assert [Path(plot).parent for plot in numbers["plots"]] == [tmp_path / "there" / "plots"] * 4
    assert all(Image.open(plot).format == "PNG" for plot in numbers["plots"])
    cells = {(one["policy"], one["budget"]): one for one in numbers["cells"]}
    assert list(cells) == [("full", None), ("gui_kv", "5%"), ("gui_kv", "20%"), ("random", "20%")]
    assert cells["gui_kv", "5%"]["measures"]["official"]["value"] == pytest.approx(0.375)
    assert cells["gui_kv", "5%"]["to_full"]["official"]["value"] == pytest.approx(-0.625)
    assert cells["random", "20%"]["seeds"] == [0, 1]
    assert cells["gui_kv", "5%"]["costs"]["share"]["value"] == pytest.approx(0.05)
    assert len(numbers["worst"]) == 2
    assert not (sweep / "report.html").exists()
    plain = CliRunner().invoke(app, [str(sweep)])
    assert plain.stdout.strip() == str(sweep / "report.html")


@pytest.mark.usefixtures("without_plots")
def test_a_budget_that_is_not_there(tmp_path: Path) -> None:
    sweep = made.sweep(tmp_path)
    with pytest.raises(ReportError, match="no budget 7%; there are 5%, 20%"):
        build_report(sweep, Wanted("7"))
    with pytest.raises(BudgetError):
        build_report(sweep, Wanted("much"))


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ReportError, match=r"pip install 'guikv\[report\]'"):
        build_report(made.sweep(tmp_path))


def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    sweep = made.sweep(tmp_path)
    (sweep / "plots").write_text("a file")
    with pytest.raises(ReportError, match="cannot be written"):
        build_report(sweep)
    assert not (sweep / "report.html").exists()
    (tmp_path / "taken").mkdir()
    (sweep / "plots").unlink()
    with pytest.raises(ReportError, match="taken cannot be written"):
        build_report(sweep, out=tmp_path / "taken")
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.usefixtures("without_plots")
@pytest.mark.parametrize(("name", "rule"), [("aitz", "official"), ("webvoyager", "type_match")])
def test_benchmarks_that_the_release_does_not_know(tmp_path: Path, name: str, rule: str) -> None:
    its = [one.model_copy(update={"benchmark": name, "scores": {rule: 0.5}}) for one in made.rows({"a": (0.0, 0.0)})]
    made.cell(tmp_path, "gui", made.settings().model_copy(update={"benchmark": name}), its)
    built = build_report(tmp_path)
    assert built.numbers["headline"] == [rule]
    page = built.page.read_text()
    assert f"Score, {rule}" in page
    assert f"{rule} 0.50" in page
    assert "the published GUI-KV evaluation" not in page
    assert ("rule of the benchmark's authors" in page) == (rule == "official")
