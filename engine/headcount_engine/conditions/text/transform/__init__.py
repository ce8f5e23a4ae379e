"""From what the parser recognised to nodes of the tree.

Each alias in grammar.lark is a function of one of these modules, of the same name (`range` is `range_`), that takes
what its pieces became and gives what it becomes. They hold no state, so one parser serves all threads.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace

from headcount_engine.conditions.text.transform import attributes, events, groups, spans


def actions() -> SimpleNamespace:
    """Every function by the name of its alias, as lark wants them: called with the list of pieces."""
    found: dict[str, Callable[[list[object]], object]] = {}
    for module in (groups, attributes, spans, events):
        for name, function in _functions(module).items():
            found[name] = _spread(function)
    return SimpleNamespace(**found)


def _functions(module: ModuleType) -> dict[str, Callable[..., object]]:
    own = {
        name: value for name, value in vars(module).items() if not name.startswith("_") and callable(value)
    }
    return {name.rstrip("_"): f for name, f in own.items() if getattr(f, "__module__", "") == module.__name__}


def _spread(function: Callable[..., object]) -> Callable[[list[object]], object]:
    return lambda pieces: function(*pieces)
