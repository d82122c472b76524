"""The shape of the project: imports go one way, files stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.structure import PACKAGES, ROOT, circles, import_graph, imports, module_of, sources

MAY_IMPORT = {
    "envs": {"envs"},
    "guikv": {"guikv"},
    "agent": {"agent", "guikv", "envs"},
    "eval": {"eval", "agent", "guikv", "envs"},
}
SOURCES = sorted(sources().values())
ALL = SOURCES + sorted((ROOT / "tests").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, by name, wherever in the file."""
    return {module.split(".")[0] for module, _ in imports(path.read_text())}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        foreign = (imported(path) & set(PACKAGES)) - MAY_IMPORT[package]
        assert not foreign, f"{path.relative_to(ROOT)} imports {', '.join(foreign)}"


def test_no_relative_imports() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path.relative_to(ROOT)


def test_no_file_over_400_lines() -> None:
    lengths = {p.relative_to(ROOT): len(p.read_text().splitlines()) for p in ALL}
    assert lengths
    assert not {p: n for p, n in lengths.items() if n > 400}


def test_nothing_from_outside_is_ever_run() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), path.relative_to(ROOT)
        assert not imported(path) & {"pickle", "shelve", "marshal"}, path.relative_to(ROOT)


def test_no_import_circles() -> None:
    assert circles(import_graph(sources())) == []


def test_circles_are_found_wherever_the_imports_stand(tmp_path: Path) -> None:
    texts = {
        "a/__init__.py": "from a.one import x",
        "a/one.py": "import os\nfrom a import two, three\n",
        "a/two.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.one import Thing",
        "a/three.py": "def f():\n    from a.b.four import g",
        "a/b/__init__.py": "",
        "a/b/four.py": "import a.b.five",
        "a/b/five.py": "from a.b import name",
        "a/b/six.py": "from a import x\nimport a.b.seven",
        "a/b/seven.py": "from a.b.six import y",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    files = {module_of(path, tmp_path): path for path in tmp_path.rglob("*.py")}
    graph = import_graph(files)
    assert graph["a.one"] == {"a.two", "a.three"}, "a submodule is meant where there is one"
    assert graph["a.b.six"] == {"a", "a.b.seven"}, "otherwise what the package itself holds"
    assert graph["a.b.five"] == {"a.b"}
    assert circles(graph) == [["a.b.seven", "a.b.six"], ["a.one", "a.two"]]


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Every call of a file, with the dotted name of what is called; the last part only where it has no plain name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            parts, place = [], node.func
            while isinstance(place, ast.Attribute):
                parts.append(place.attr)
                place = place.value
            if isinstance(place, ast.Name):
                parts.append(place.id)
            found.append((".".join(reversed(parts)), node))
    return found


def test_pictures_are_opened_in_one_place_and_of_named_formats() -> None:
    found = {}
    for path in SOURCES:
        for name, node in calls(path):
            if name in ("Image.open", "PIL.Image.open"):
                found[str(path.relative_to(ROOT))] = {keyword.arg for keyword in node.keywords}
            assert name.split(".")[-1] not in ("imread", "load_image", "decode_image"), path.relative_to(ROOT)
    assert set(found) == {"envs/pictures.py"}
    assert all("formats" in keywords for keywords in found.values())


PRIVATE = {
    "envs/files.py",
    "guikv/files.py",
    # Folders that only this user and this process may look into.
    "envs/android/server.py",
    "envs/android/simulator/commands/window.py",
    "envs/android/simulator/files.py",
    "envs/android/simulator/home.py",
    "envs/desktop/sandbox.py",
}


def test_files_are_written_in_one_way() -> None:
    """Anything else would follow a link that somebody laid there. "x" opens nothing that is there."""
    for path in SOURCES:
        if str(path.relative_to(ROOT)) in PRIVATE:
            continue
        for name, node in calls(path):
            last = name.split(".")[-1]
            assert last not in ("write_text", "write_bytes", "rename"), f"{path.relative_to(ROOT)}:{node.lineno}"
            if last == "open":
                modes = [
                    a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)
                ]
                writes = any(isinstance(mode, str) and len(mode) < 4 and set(mode) & set("wa+") for mode in modes)
                own = any(keyword.arg == "opener" for keyword in node.keywords)
                assert own or not writes, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_no_test_is_decided_by_the_speed_of_the_machine() -> None:
    """`tests.patience` waits for what is to happen, and one profile of Hypothesis has no deadline."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        names = [name.split(".")[-1] for name, _ in calls(path)]
        assert "perf_counter" not in names, path.relative_to(ROOT)
        for name, node in calls(path):
            given = {keyword.arg for keyword in node.keywords}
            assert name != "settings" or "deadline" not in given, path.relative_to(ROOT)
