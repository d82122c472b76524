"""The shape of the project: imports go one way, files stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "guikv", "envs", "eval")
MAY_IMPORT = {
    "envs": {"envs"},
    "guikv": {"guikv"},
    "agent": {"agent", "guikv", "envs"},
    "eval": {"eval", "agent", "guikv", "envs"},
}
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
ALL = SOURCES + sorted((ROOT / "tests").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, by name, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


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
