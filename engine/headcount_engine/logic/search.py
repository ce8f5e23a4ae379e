"""Whether a literal of a circuit can hold: exhaustive search with unit propagation, within a number of steps.

Davis, Logemann and Loveland (1962). Only gates that are false without a false input are decided on, so variables that a
question has nothing to do with are never tried. An answer "cannot" is exact; "may" can also mean that the steps ran
out, or that clauses with no part in the question were not looked at.
"""

from __future__ import annotations

from collections import defaultdict

from headcount_engine.logic.circuit import Circuit, Literal


class _OutOfSteps(Exception):
    pass


class Search:
    """Asks one circuit any number of questions; what was added to it in between is taken up. One thread."""

    def __init__(self, circuit: Circuit, steps: int) -> None:
        """`steps`: how many literals are looked at for all questions together; about two million a second."""
        self._circuit = circuit
        self._implied: defaultdict[Literal, list[Literal]] = defaultdict(list)
        self._watched: defaultdict[Literal, list[list[Literal]]] = defaultdict(list)
        """Clauses of three and more by the two literals that stand first in them."""
        self._facts: list[Literal] = []
        self._clauses_read = 0
        self._gates_read = 0
        self._true: set[Literal] = set()
        self._trail: list[Literal] = []
        self._head = 0
        self._steps = steps

    def can_hold(self, literal: Literal) -> bool:
        """False only if no values of the variables make it hold."""
        try:
            self._take_up()
            return self._search(literal)
        except _OutOfSteps:
            return True
        finally:
            self._undo(0)

    def _take_up(self) -> None:
        for clause in self._circuit.clauses[self._clauses_read :]:
            self._enter(list(clause))
        self._clauses_read = len(self._circuit.clauses)
        if self._gates_read < len(self._circuit.gates):
            for gate, inputs in list(self._circuit.gates.items())[self._gates_read :]:
                for literal in inputs:
                    self._enter([-gate, literal])
                self._enter([gate, *(-literal for literal in inputs)])
            self._gates_read = len(self._circuit.gates)

    def _enter(self, clause: list[Literal]) -> None:
        self._spend(1)
        match clause:
            case [only]:
                self._facts.append(only)
            case [one, other]:
                self._implied[-one].append(other)
                self._implied[-other].append(one)
            case _:
                for literal in clause[:2]:
                    self._watched[literal].append(clause)

    def _search(self, literal: Literal) -> bool:
        decided: list[tuple[int, Literal, int]] = []
        """(trail before, what was tried first, how much of the trail needed no decision)."""
        justified = 0
        fits = all(self._assign(fact) for fact in (*self._facts, literal)) and self._propagate()
        while True:
            if fits:
                choice, justified = self._unjustified(justified)
                if choice is None:
                    return True
                decided.append((len(self._trail), choice, justified))
                fits = self._assign(choice) and self._propagate()
                continue
            if not decided:
                return False
            length, choice, justified = decided.pop()
            self._undo(length)
            fits = self._assign(-choice) and self._propagate()

    def _unjustified(self, start: int) -> tuple[Literal | None, int]:
        """What to try next, and how far the trail needs nothing tried."""
        true, gates = self._true, self._circuit.gates
        for at in range(start, len(self._trail)):
            literal = self._trail[at]
            inputs = gates.get(-literal) if literal < 0 else None
            if inputs is None:
                continue
            self._spend(len(inputs))
            if not any(-one in true for one in inputs):
                return next(-one for one in inputs if one not in true), at
        return None, len(self._trail)

    def _assign(self, literal: Literal) -> bool:
        if -literal in self._true:
            return False
        if literal not in self._true:
            self._true.add(literal)
            self._trail.append(literal)
        return True

    def _undo(self, length: int) -> None:
        self._true.difference_update(self._trail[length:])
        del self._trail[length:]
        self._head = length

    def _propagate(self) -> bool:
        """Draw every conclusion that a single clause allows; False where two contradict each other."""
        while self._head < len(self._trail):
            literal = self._trail[self._head]
            self._head += 1
            implied = self._implied.get(literal, ())
            self._spend(len(implied) + 1)
            for other in implied:
                if not self._assign(other):
                    return False
            if -literal in self._watched and not self._watch(-literal):
                return False
        return True

    def _watch(self, gone: Literal) -> bool:
        """Let the clauses that watch a literal that became false watch another, or conclude."""
        true, held, kept = self._true, self._watched[gone], []
        for place, clause in enumerate(held):
            self._spend(1)
            if clause[0] == gone:
                clause[0], clause[1] = clause[1], gone
            if clause[0] in true:
                kept.append(clause)
                continue
            for at in range(2, len(clause)):
                if -clause[at] not in true:
                    self._spend(at)
                    clause[1], clause[at] = clause[at], gone
                    self._watched[clause[1]].append(clause)
                    break
            else:
                kept.append(clause)
                if not self._assign(clause[0]):
                    kept.extend(held[place + 1 :])
                    self._watched[gone] = kept
                    return False
        self._watched[gone] = kept
        return True

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise _OutOfSteps
