"""Things that lie on a line: "at least so much" for every bound in use, and that more implies less."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from fractions import Fraction

from headcount_engine.logic.circuit import TRUE, Circuit, Literal

Position = int | float | Fraction | tuple[object, ...]
"""Where a bound lies. Those of one line have one type and an order."""


@dataclass(slots=True)
class _Line:
    guard: Literal
    cuts: dict[Position, Literal] = field(default_factory=dict)


class Lines:
    """Lines by key; each has bounds as rules name them. Numbers, texts, counts and nested conditions all lie so."""

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._lines: dict[Hashable, _Line] = {}

    def at_least(self, key: Hashable, position: Position, guard: Literal = TRUE) -> Literal:
        """There is a value on the line and it is at `position` or beyond; implies `guard`."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(guard)
        found = line.cuts.get(position)
        if found is None:
            found = line.cuts[position] = self._circuit.variable()
        return found

    def cuts(self, key: Hashable) -> dict[Position, Literal]:
        """The bounds in use."""
        line = self._lines.get(key)
        return {} if line is None else line.cuts

    def link(self) -> None:
        """Say what holds of the bounds of every line: once all are known."""
        for line in self._lines.values():
            before = line.guard
            for _, cut in sorted(line.cuts.items()):
                self._circuit.implies(cut, before)
                before = cut
