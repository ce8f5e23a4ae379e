"""What takes more than one lexeme to tell: this is what keeps the grammar LALR(1).

`in zone` becomes one lexeme. `and` and `or` are told apart by what follows: before a condition that only a profile can
satisfy (`did ...`, `tag ...`) they cannot belong to a `where`, so they become other terminals, and end it.
"""

from __future__ import annotations

from dataclasses import replace

from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.errors import InvalidRule

_STARTERS = frozenset({"AND", "OR", "NOT", "LPAR", "COMMA", "HAS", "WHERE"})
_PROFILE_ONLY = frozenset(
    "DID NEVER FIRST LAST FUNCTION COUNT_OF DAYS_OF TAG CHANNEL CONSENT KNOWN EVERYONE KEY SAMPLE BUCKET TOP BOTTOM "
    "SAME".split()
)


def classified(found: list[Lexeme]) -> list[Lexeme]:
    """The lexemes with `in zone` joined, and `and` and `or` told apart; one pass, raises InvalidRule on what is
    reserved for later."""
    lexemes = _joined(found)
    closing = _closing_parentheses(lexemes)
    seen = 0
    profile_only_before = [0]
    for index in range(len(lexemes)):
        seen += _starts_profile_only(lexemes, index)
        profile_only_before.append(seen)
    for index, lexeme in enumerate(lexemes):
        if lexeme.type not in ("AND", "OR"):
            continue
        start = _condition_after(lexemes, index + 1)
        end = closing.get(start, start)
        if profile_only_before[min(end + 1, len(lexemes))] > profile_only_before[start]:
            lexemes[index] = replace(lexeme, type=f"_{lexeme.type}_PROFILE")
    return lexemes


def _joined(found: list[Lexeme]) -> list[Lexeme]:
    joined: list[Lexeme] = []
    for lexeme in found:
        before = joined[-1] if joined else None
        if before is not None and before.type == "IN" and lexeme.type == "ZONE":
            joined[-1] = replace(before, type="IN_ZONE", text="in zone")
            continue
        starts = len(joined) < 2 or joined[-2].type in _STARTERS
        is_quantifier = before is not None and starts and before.type in ("ANY", "ALL", "NONE")
        if before is not None and is_quantifier and lexeme.type in ("NAME", "QUOTED"):
            raise InvalidRule(
                f"`{before.text} {lexeme.text} (...)`, on the elements of one list, is reserved for later",
                line=before.line,
                column=before.column,
            )
        joined.append(lexeme)
    return joined


def _closing_parentheses(lexemes: list[Lexeme]) -> dict[int, int]:
    closing: dict[int, int] = {}
    opened: list[int] = []
    for index, lexeme in enumerate(lexemes):
        if lexeme.type == "LPAR":
            opened.append(index)
        elif lexeme.type == "RPAR" and opened:
            closing[opened.pop()] = index
    return closing


def _starts_profile_only(lexemes: list[Lexeme], index: int) -> bool:
    """Whether a condition begins here that only a profile can satisfy, never an event."""
    if index and lexemes[index - 1].type not in _STARTERS:
        return False
    types = [lexeme.type for lexeme in lexemes[index : index + 3]]
    return types[0] in _PROFILE_ONLY or types[:2] == ["IN", "SEGMENT"] or types[1:] == ["HAS", "BEEN"]


def _condition_after(lexemes: list[Lexeme], index: int) -> int:
    """Where the next condition begins, past its `not`s, and for a group where its parenthesis opens."""
    while index < len(lexemes) and lexemes[index].type == "NOT":
        index += 1
    types = [lexeme.type for lexeme in lexemes[index : index + 5]]
    if types[:3] in (["ALL", "OF", "LPAR"], ["ANY", "OF", "LPAR"], ["NONE", "OF", "LPAR"]):
        return index + 2
    if types[:4] == ["EXACTLY", "NUMBER", "OF", "LPAR"]:
        return index + 3
    if types == ["AT", "LEAST", "NUMBER", "OF", "LPAR"]:
        return index + 4
    return index
