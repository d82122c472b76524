"""The shape of the source in numbers, and its import circles: `python -m tests.structure` prints them.

The graph's nodes are modules, a package's `__init__` being a module like others. Every import statement counts,
wherever it stands: at the top, inside a function, under TYPE_CHECKING. `import a.b` is an import of `a.b`;
`from a.b import name` is one of the module `a.b.name` where there is such a module, and of `a.b` where there is not.
That Python runs `a/__init__.py` on the way does not count: only what is taken from a module binds to it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "guikv", "envs", "eval")
MAX_FILES = 15
"""A folder with more source files is hard to take in."""

Graph = Mapping[str, frozenset[str]]
"""Module → the modules that it imports."""


def sources(root: Path = ROOT, packages: Iterable[str] = PACKAGES) -> dict[str, Path]:
    """Module → its file, for all modules of the packages."""
    return {module_of(path, root): path for package in packages for path in sorted((root / package).rglob("*.py"))}


def module_of(path: Path, root: Path = ROOT) -> str:
    """Dotted name of a file's module."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(text: str) -> set[tuple[str, str]]:
    """(module, name taken from it or "") of every absolute import statement in a file's text."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {(node.module, alias.name) for alias in node.names}
    return found


def import_graph(files: Mapping[str, Path]) -> Graph:
    """Who imports whom among the modules of `files`."""
    graph = {}
    for module, path in files.items():
        named = imports(path.read_text(encoding="utf-8"))
        targets = {f"{base}.{name}" if f"{base}.{name}" in files else base for base, name in named}
        graph[module] = frozenset(targets & files.keys() - {module})
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others, each sorted (Tarjan's components)."""
    numbers: dict[str, int] = {}
    lows: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        numbers[module] = lows[module] = len(numbers)
        stack.append(module)
        for other in sorted(graph[module]):
            if other not in numbers:
                visit(other)
                lows[module] = min(lows[module], lows[other])
            elif other in stack:
                lows[module] = min(lows[module], numbers[other])
        if lows[module] == numbers[module]:
            group = [stack.pop()]
            while group[-1] != module:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(graph):
        if module not in numbers:
            visit(module)
    return sorted(found)


def single_importers(graph: Graph) -> list[str]:
    """Modules that exactly one other module imports."""
    counts = Counter(target for targets in graph.values() for target in targets)
    return sorted(module for module, count in counts.items() if count == 1)


def crowded_folders(files: Mapping[str, Path], root: Path = ROOT) -> dict[str, int]:
    """Folder → its source files, where they are more than MAX_FILES."""
    counts = Counter(str(path.parent.relative_to(root)) for path in files.values())
    return {folder: count for folder, count in sorted(counts.items()) if count > MAX_FILES}


def main() -> None:
    """Print the numbers of the four packages."""
    files = sources()
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in files.values()]
    graph = import_graph(files)
    found = circles(graph)
    print(f"source files                    {len(files)}")
    print(f"lines                           {sum(lengths)}")
    print(f"median length                   {median(lengths):g}")
    print(f"modules with one importer       {len(single_importers(graph))}")
    print(f"folders with over {MAX_FILES} files      {len(crowded_folders(files))}")
    for folder, count in crowded_folders(files).items():
        print(f"    {count:3d}  {folder}")
    print(f"import circles                  {len(found)}")
    for group in found:
        print(f"    {', '.join(group)}")


if __name__ == "__main__":
    main()
