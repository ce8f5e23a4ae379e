"""The project's own source as syntax trees: who imports what, read without importing anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "headcount": ROOT / "client" / "headcount",
    "headcount_engine": ROOT / "engine" / "headcount_engine",
    "headcount_server": ROOT / "server" / "headcount_server",
}
GENERATED = PACKAGES["headcount"] / "v1"


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: its dotted name, where it lies and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """What a relative import starts from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Import:
    """`importer` names `target` at `line`; for `from a import b` both `a` and `a.b` are told."""

    importer: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def modules() -> Iterator[Module]:
    """Every hand-written module of the three packages."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            if not path.is_relative_to(GENERATED):
                parts = path.relative_to(folder).with_suffix("").parts
                name = ".".join([package, *(part for part in parts if part != "__init__")])
                yield Module(name, path, ast.parse(path.read_text(), str(path)))


def imports(module: Module) -> Iterator[Import]:
    """Every import in the file, also those inside functions and for type checkers only."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module.name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            yield Import(module.name, base, node.lineno)
            for alias in node.names:
                yield Import(module.name, f"{base}.{alias.name}", node.lineno)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = module.package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def within(name: str, *owners: str) -> bool:
    """Whether the dotted `name` is one of `owners` or lies inside one."""
    return any(name == owner or name.startswith(f"{owner}.") for owner in owners)
