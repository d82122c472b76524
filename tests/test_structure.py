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
