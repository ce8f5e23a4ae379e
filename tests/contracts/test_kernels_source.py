"""Every compiled function is made by the house's decorators: no GIL, cached on disk, documented.

A kernel that holds the GIL stalls every call being served; one that is not cached compiles again at each start.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.source_tree import Module, imports, modules, within

KERNELS = "headcount_engine.kernels"
JIT = f"{KERNELS}.jit"
MACHINE = f"{KERNELS}.machine"
"""Names for machine instructions, which only numba's own extension can give."""
DECORATORS = {"kernel", "inline_kernel"}


def kernel_modules() -> list[Module]:
    return [module for module in modules() if within(module.name, KERNELS)]


def functions(module: Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef))


def decorators(function: ast.FunctionDef) -> set[str]:
    """The bare names of the decorators: `@kernel("...")` is `kernel`."""
    bare = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return {ast.unparse(node) for node in bare}


def faults(module: Module) -> list[str]:
    """What the file has that no kernel file may have."""
    found = [str(one) for one in imports(module) if within(one.target, "numba")]
    found += [
        f"{module.name} defines a class" for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)
    ]
    for function in functions(module):
        where = f"{module.name}.{function.name}"
        if foreign := decorators(function) - DECORATORS:
            found.append(f"{where} is decorated with {sorted(foreign)}")
        if not function.name.startswith("_") and ast.get_docstring(function) is None:
            found.append(f"{where} has no docstring")
    return found


def compilations(module: Module) -> Iterator[ast.Call]:
    """The calls of numba's compilers."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"njit", "jit"}:
            yield node


def is_free_and_cached(call: ast.Call) -> bool:
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    return given.get("nogil") == "True" and given.get("cache") == "True"


def planted(source: str) -> Module:
    return Module(f"{KERNELS}.planted", Path("planted.py"), ast.parse(source))


def test_the_house_decorators_release_the_gil_and_cache_on_disk() -> None:
    jit = next(module for module in kernel_modules() if module.name == JIT)
    assert {function.name for function in functions(jit)} >= DECORATORS
    calls = list(compilations(jit))
    assert len(calls) == len(DECORATORS)
    assert all(is_free_and_cached(call) for call in calls)


def test_every_kernel_is_compiled_by_the_house_and_documented() -> None:
    files = [module for module in kernel_modules() if module.name not in (JIT, MACHINE)]
    assert sum(bool(decorators(function)) for module in files for function in functions(module)) > 10
    assert [fault for module in files for fault in faults(module)] == []


def test_a_decorator_that_forgets_the_gil_or_the_cache_is_seen() -> None:
    calls = compilations(
        planted("a = numba.njit(cache=True)\nb = njit(nogil=True)\nc = jit(nogil=False, cache=True)")
    )
    assert [is_free_and_cached(call) for call in calls] == [False, False, False]


@pytest.mark.parametrize(
    "source",
    [
        "from numba import njit",
        "import numba",
        'class Kernel:\n    """No classes."""',
        '@njit\ndef f():\n    """Not by the house."""',
        '@kernel("()")\ndef f():\n    return 1',
        "@inline_kernel\ndef f():\n    return 1",
    ],
)
def test_a_planted_fault_is_seen(source: str) -> None:
    assert faults(planted(source))


def test_a_kernel_of_the_house_is_let_through() -> None:
    assert (
        faults(
            planted('@kernel("(int64,)")\ndef double(x: int) -> int:\n    """Twice x."""\n    return 2 * x')
        )
        == []
    )
