"""Conditions on one text, or on the elements of a set, as literals.

Texts lie on a line in the order of their code points: a value is a point of it, a prefix a stretch. Other tests are
decided for every text that the rules name; for all further texts they are free, but for what one pattern says of
another.
"""

from __future__ import annotations

import unicodedata
from typing import Protocol, assert_never

from headcount_engine.conditions import texts
from headcount_engine.conditions.texts import fold_text
from headcount_engine.conditions.tree import Fold, Op, SetOp, TextOp
from headcount_engine.logic.circuit import Circuit, Literal
from headcount_engine.logic.lines import Lines, Position

_LINKS_MAX = 4_000
"""Pairs of a named text and a test that are decided; past that nothing is said of them."""
_COUNTED_MAX = 12
"""Elements named of one set up to which they are counted."""
_LITERAL_OPS = (TextOp.CONTAINS, TextOp.STARTS_WITH, TextOp.ENDS_WITH)


class TextLeaf(Protocol):
    """What a leaf can ask of a text; of a set, of some element of it."""

    def equal(self, text: str, fold: Fold) -> Literal: ...

    def matches(self, op: TextOp, pattern: str, fold: Fold) -> Literal: ...

    def version(self, op: Op, operand: str) -> Literal: ...

    def filled(self) -> Literal:
        """There is a value, and it is not empty."""
        ...

    def link(self) -> None: ...


class _Judged:
    """Tests that are decided for every named text."""

    def __init__(self, circuit: Circuit, guard: Literal) -> None:
        self._circuit = circuit
        self._guard = guard
        self.tests: dict[Literal, texts.Decide] = {}
        self.patterns: dict[tuple[TextOp | None, str, Fold], Literal] = {}
        """Literal patterns, folded; None is equality."""
        self._others: dict[tuple[object, ...], Literal] = {}

    def literal(self, key: tuple[object, ...], decide: texts.Decide) -> Literal:
        found = self._others.get(key)
        if found is None:
            found = self._others[key] = self._circuit.variable()
            self._circuit.implies(found, self._guard)
            self.tests[found] = decide
        return found

    def pattern(self, op: TextOp | None, pattern: str, fold: Fold) -> Literal:
        """Of `contains`, `starts with`, `ends with` or, for None, equality."""
        folded = fold_text(pattern, fold)
        if op is None:
            decide = texts.equals_any(frozenset({folded}), fold)
        else:
            decide = texts.matcher(op, pattern, fold)
        found = self.literal((op, folded, fold), decide)
        self.patterns[op, folded, fold] = found
        return found

    def link_patterns(self) -> None:
        """A longer pattern implies those that it contains."""
        for (op, text, fold), literal in self.patterns.items():
            for (other_op, other, other_fold), implied in self.patterns.items():
                if fold is other_fold and literal != implied and _follows(op, text, other_op, other):
                    self._circuit.implies(literal, implied)


def _follows(op: TextOp | None, text: str, other_op: TextOp | None, other: str) -> bool:
    """Whether a folded text that passes the one pattern passes the other."""
    match other_op:
        case TextOp.CONTAINS:
            return other in text
        case TextOp.STARTS_WITH:
            return op in (TextOp.STARTS_WITH, None) and text.startswith(other)
        case TextOp.ENDS_WITH:
            return op in (TextOp.ENDS_WITH, None) and text.endswith(other)
        case _:
            return False


class TextLeaves:
    """Literals about one text."""

    def __init__(self, circuit: Circuit, lines: Lines, name: str, present: Literal) -> None:
        self._circuit = circuit
        self._lines = lines
        self._key = ("text", name)
        self._present = present
        self._judged = _Judged(circuit, present)
        self._named: dict[str, Literal] = {}
        self._prefixes: list[tuple[str, Literal]] = []

    def equal(self, text: str, fold: Fold) -> Literal:
        if fold is not Fold.NONE:
            return self._judged.pattern(None, text, fold)
        return self._is(fold_text(text, fold))

    def _is(self, text: str) -> Literal:
        found = self._named.get(text)
        if found is None:
            found = self._circuit.all_of((self._from(text, 0), -self._from(text, 1)))
            self._named[text] = found
        return found

    def _from(self, text: str, beyond: int) -> Literal:
        """The value is that text or comes after it; with `beyond` 1 it comes after it."""
        if not text and not beyond:
            return self._present
        return self._lines.at_least(self._key, (text, beyond), self._present)

    def matches(self, op: TextOp, pattern: str, fold: Fold) -> Literal:
        if op not in _LITERAL_OPS:
            return self._judged.literal((op, pattern, fold), texts.matcher(op, pattern, fold))
        needle = fold_text(pattern, fold)
        if not needle:
            return self._present
        if op is TextOp.STARTS_WITH and fold is Fold.NONE and ord(needle[-1]) < 0x10FFFF:
            end = needle[:-1] + chr(ord(needle[-1]) + 1)
            found = self._circuit.all_of((self._from(needle, 0), -self._from(end, 0)))
            self._prefixes.append((needle, found))
            return found
        return self._judged.pattern(op, pattern, fold)

    def version(self, op: Op, operand: str) -> Literal:
        low, high = texts.semver_range(operand, op)
        is_from = self._version_from((low, 0))
        match op:
            case Op.EQ | Op.NE:
                end: Position = (low, 1) if high is None else (high, 0)
                return self._circuit.all_of((is_from, -self._version_from(end)))
            case Op.GE:
                return is_from
            case Op.GT:
                return self._version_from((low, 1))
            case Op.LT:
                return self._circuit.all_of((self._is_version(), -is_from))
            case Op.LE:
                return self._circuit.all_of((self._is_version(), -self._version_from((low, 1))))
            case _:
                assert_never(op)

    def _is_version(self) -> Literal:
        return self._judged.literal(
            ("version",), lambda found: [texts.parse_version(text) is not None for text in found]
        )

    def _version_from(self, position: Position) -> Literal:
        return self._lines.at_least(("version", *self._key), position, self._is_version())

    def filled(self) -> Literal:
        return self._circuit.all_of((self._present, -self._is("")))

    def link(self) -> None:
        judged = self._judged
        judged.link_patterns()
        for prefix, literal in self._prefixes:
            for (op, text, fold), implied in judged.patterns.items():
                if op is TextOp.CONTAINS and fold is Fold.NONE and text in prefix:
                    self._circuit.implies(literal, implied)
        versions = self._lines.cuts(("version", *self._key))
        if len(self._named) * (len(judged.tests) + len(versions)) > _LINKS_MAX:
            return
        for test, decide in judged.tests.items():
            for (_, is_text), passes in zip(self._named.items(), decide(list(self._named)), strict=True):
                self._circuit.implies(is_text, test if passes else -test)
        for text, is_text in self._named.items():
            version = texts.parse_version(text)
            for position, cut in versions.items():
                if version is not None:
                    self._circuit.implies(is_text, cut if (version, 0) >= _pair(position) else -cut)
        self._link_folded()

    def _link_folded(self) -> None:
        """Equality under a fold decides the literal patterns under that fold."""
        patterns = list(self._judged.patterns.items())
        for (op, text, fold), is_text in patterns:
            for (other_op, other, other_fold), test in patterns:
                if op is None and fold is other_fold and is_text != test:
                    follows = other_op is not None and _follows(None, text, other_op, other)
                    self._circuit.implies(is_text, test if follows else -test)


def _pair(position: Position) -> tuple[object, ...]:
    assert isinstance(position, tuple)
    return position


class SetLeaves:
    """Literals about one set: its elements, some element of it, its size."""

    def __init__(self, circuit: Circuit, lines: Lines, name: str, present: Literal) -> None:
        self._circuit = circuit
        self._lines = lines
        self._key = ("size", name)
        self._present = present
        self._elements: dict[str, Literal] = {}
        self._judged = _Judged(circuit, self._of_size(1))

    def _of_size(self, size: int) -> Literal:
        """It has at least so many elements."""
        return self._present if size <= 0 else self._lines.at_least(self._key, size, self._present)

    def element(self, element: str) -> Literal:
        """In NFC."""
        found = self._elements.get(element)
        if found is None:
            found = self._elements[element] = self._circuit.variable()
            self._circuit.implies(found, self._of_size(1))
        return found

    def equal(self, text: str, fold: Fold) -> Literal:
        if fold is not Fold.NONE:
            return self._judged.pattern(None, text, fold)
        return self.element(fold_text(text, fold))

    def matches(self, op: TextOp, pattern: str, fold: Fold) -> Literal:
        if op not in _LITERAL_OPS:
            return self._judged.literal((op, pattern, fold), texts.matcher(op, pattern, fold))
        return self._judged.pattern(op, pattern, fold) if fold_text(pattern, fold) else self._of_size(1)

    def version(self, op: Op, operand: str) -> Literal:
        return self._judged.literal(("version", op, operand), texts.semver_test(op, operand))

    def filled(self) -> Literal:
        return self._of_size(1)

    def related(self, op: SetOp, values: tuple[str, ...]) -> Literal:
        elements = [self.element(text) for text in sorted({unicodedata.normalize("NFC", v) for v in values})]
        match op:
            case SetOp.ANY_OF:
                return self._circuit.any_of(elements)
            case SetOp.NONE_OF:
                return -self._circuit.any_of(elements)
            case SetOp.ALL_OF:
                return self._circuit.all_of(elements)
            case SetOp.EXACTLY:
                count = len(elements)
                return self._circuit.all_of((*elements, self._of_size(count), -self._of_size(count + 1)))
            case _:
                assert_never(op)

    def sized(self, op: Op, size: int) -> Literal:
        is_from, is_above = self._of_size(size), self._of_size(size + 1)
        match op:
            case Op.EQ:
                return self._circuit.all_of((is_from, -is_above))
            case Op.NE:
                return self._circuit.all_of((self._present, self._circuit.any_of((-is_from, is_above))))
            case Op.LT:
                return self._circuit.all_of((self._present, -is_from))
            case Op.LE:
                return self._circuit.all_of((self._present, -is_above))
            case Op.GT:
                return is_above
            case Op.GE:
                return is_from
            case _:
                assert_never(op)

    def link(self) -> None:
        self._judged.link_patterns()
        named, elements = list(self._elements), list(self._elements.values())
        if len(named) * len(self._judged.tests) <= _LINKS_MAX:
            for test, decide in self._judged.tests.items():
                for element, passes in zip(elements, decide(named), strict=True):
                    if passes:
                        self._circuit.implies(element, test)
        if len(elements) <= _COUNTED_MAX:
            for size, cut in list(self._lines.cuts(self._key).items()):
                assert isinstance(size, int)
                if 2 <= size <= len(elements):
                    self._circuit.implies(self._circuit.at_least(size, elements), cut)
