"""Boolean functions as gates over variables, and the clauses that the variables always satisfy.

A literal is a variable's number, or minus it for the opposite. Equal gates are one gate, so two rules that are built
alike are one literal; De Morgan's forms are, since "or" is made of "and".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Literal = int

TRUE: Literal = 1
FALSE: Literal = -1


class Circuit:
    """Grows only. `gates`: the inputs of each "and" by its variable; `clauses`: of each, some literal holds."""

    def __init__(self) -> None:
        self.gates: dict[int, tuple[Literal, ...]] = {}
        self.clauses: list[tuple[Literal, ...]] = [(TRUE,)]
        self._made: dict[tuple[Literal, ...], Literal] = {}
        self._last = TRUE

    @property
    def size(self) -> int:
        """How many variables and clauses there are."""
        return self._last + len(self.clauses)

    def variable(self) -> Literal:
        """A new one, about which nothing is known."""
        self._last += 1
        return self._last

    def require(self, *literals: Literal) -> None:
        """Some of the literals holds, always."""
        self.clauses.append(literals)

    def implies(self, one: Literal, other: Literal) -> None:
        """`other` holds wherever `one` does, always."""
        if one != other and one != FALSE and other != TRUE:
            self.clauses.append((-one, other))

    def all_of(self, literals: Iterable[Literal]) -> Literal:
        inputs: set[Literal] = set()
        for literal in literals:
            # An "and" of "and"s is one gate.
            inputs.update(self.gates.get(literal, (literal,)) if literal > 0 else (literal,))
        inputs.discard(TRUE)
        if FALSE in inputs or any(-literal in inputs for literal in inputs):
            return FALSE
        if not inputs:
            return TRUE
        key = tuple(sorted(inputs))
        if len(key) == 1:
            return key[0]
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self.variable()
            self.gates[made] = key
        return made

    def any_of(self, literals: Iterable[Literal]) -> Literal:
        return -self.all_of(-literal for literal in literals)

    def at_least(self, k: int, literals: Sequence[Literal]) -> Literal:
        """At least k of the literals, by position: k times n gates."""
        row = [TRUE] + [FALSE] * k
        for literal in literals:
            row = [TRUE] + [
                self.any_of((row[i], self.all_of((literal, row[i - 1])))) for i in range(1, k + 1)
            ]
        return row[k]

    def differ(self, one: Literal, other: Literal) -> Literal:
        """Exactly one of the two holds."""
        return self.all_of((self.any_of((one, other)), -self.all_of((one, other))))
