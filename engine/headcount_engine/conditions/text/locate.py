"""Where in a rule a name stands that binding found wrong.

Binding works on trees, which carry no positions. What it refuses it refuses by name, so the name's first occurrence
where such a name can stand is the place: in the text a line and column, in the tree the way from the root.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

from headcount_engine.conditions import tree as t
from headcount_engine.conditions.text.lexemes import Lexeme, Target
from headcount_engine.conditions.text.lexer import scan
from headcount_engine.conditions.text.parse import parse
from headcount_engine.conditions.tree import Condition, children, event_conditions
from headcount_engine.errors import InvalidRule, LimitExceeded, ReferenceCycle, UnknownName
from headcount_engine.limits import DEFAULT_LIMITS, Limits
from headcount_engine.model.values import Text

_NAMES = frozenset({"NAME", "QUOTED"})
_BEFORE_EVENTS = frozenset({"DID", "THEN", "LAST"})


def locate(error: InvalidRule, rule: str | Condition, limits: Limits = DEFAULT_LIMITS) -> InvalidRule:
    """The same error, told its line and column (of a rule that came as text) and its path, where they can be found.

    For a rule that can be read and was refused while it was bound; one pass over the text. What is known already stays.
    """
    if error.line:
        return error
    try:
        root = parse(rule, limits) if isinstance(rule, str) else rule
        lexemes = scan(rule, limits) if isinstance(rule, str) else []
    except (InvalidRule, LimitExceeded):
        return error
    is_meant = _meaning(error)
    if not error.path:
        error.path = next((path for path, node in _paths(root) if any(map(is_meant, _names(node)))), "")
    place = next((lexeme for lexeme, name in _places(lexemes) if is_meant(name)), None)
    return error if place is None else error.at(place.line, place.column)


_Name = tuple[str, str]
"""What a name is of (`attribute`, `segment` or `text`), and the name in NFC."""


def _meaning(error: InvalidRule) -> Callable[[_Name], bool]:
    """Whether the error is about a name."""
    match error:
        case UnknownName():
            wanted = unicodedata.normalize("NFC", error.name)
            return lambda name: name == (error.kind, wanted)
        case ReferenceCycle():
            cycle = frozenset(error.cycle)
            return lambda name: name[0] == "segment" and name[1] in cycle
        case _:
            # Other refusals quote the name that they are about as Python writes it.
            return lambda name: repr(name[1]) in error.message


# ------------------------------------------------------------------------------------------------ in the text


def _places(lexemes: list[Lexeme]) -> Iterator[tuple[Lexeme, _Name]]:
    """Names where they stand; those of events are never refused and are left out."""
    before, before_that = "", ""
    for lexeme in lexemes:
        is_event = before in _BEFORE_EVENTS or (before == "NOT" and before_that == "THEN")
        match lexeme.value:
            case Text(text):
                yield lexeme, ("segment" if before == "SEGMENT" else "text", text)
            case Target():
                yield lexeme, ("attribute", lexeme.value.property)
            case str() if lexeme.type in _NAMES:
                if not is_event:
                    yield lexeme, ("attribute", lexeme.value)
            case str():
                # A keyword may stand where a name is meant.
                yield lexeme, ("attribute", lexeme.text)
            case _:
                pass
        before_that, before = before, lexeme.type


# ------------------------------------------------------------------------------------------------ in the tree


def _paths(root: Condition) -> Iterator[tuple[str, Condition]]:
    """Every node with the way to it from the root, by position; conditions on events have their leaf's."""
    stack = [("", root)]
    while stack:
        path, node = stack.pop()
        yield path, node
        prefix = f"{path}." if path else ""
        below = [(f"{prefix}{i}", child) for i, child in enumerate(children(node))]
        stack.extend(reversed(below))
        stack.extend((path, inner) for inner in reversed(event_conditions(node)))


def _names(node: Condition) -> Iterator[_Name]:
    """The names that a node itself holds."""
    match node:
        case t.InSegment(segment):
            yield "segment", unicodedata.normalize("NFC", segment)
        case t.Semver(name, _, version):
            yield "attribute", unicodedata.normalize("NFC", name)
            yield "text", version
        case (
            t.Compare() | t.In() | t.Between() | t.Exists() | t.IsEmpty() | t.TextMatch() | t.SetMatch()
            | t.SizeCompare() | t.InWindow() | t.Anniversary() | t.HasBeen() | t.WithinRadius() | t.WithinBox()
            | t.Rank()
        ):  # fmt: skip
            yield "attribute", unicodedata.normalize("NFC", node.attribute)
        case t.Aggregate():
            yield "attribute", unicodedata.normalize("NFC", node.property)
        case _:
            pass
