"""Folding, globs, regular expressions and versions."""

from __future__ import annotations

import re
import unicodedata
from typing import assert_never

import re2

from headcount_engine.conditions.tree import Fold, Op, TextOp

Version = tuple[int, int, int, tuple[tuple[int, int, str], ...]]
"""Major, minor, patch, pre-release. The last sorts by precedence: no pre-release is above every one."""

_RELEASE: tuple[tuple[int, int, str], ...] = ((2, 0, ""),)
_VERSION = re.compile(
    r"[vV]?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.(0|[1-9]\d*))?"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_WILDCARD = re.compile(r"[vV]?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?\.\*", re.ASCII)


def folded(text: str, fold: Fold) -> str:
    """What is left of a text when the comparison ignores what `fold` says."""
    match fold:
        case Fold.NONE:
            return unicodedata.normalize("NFC", text)
        case Fold.CASE:
            return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
        case Fold.ACCENTS:
            bare = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
            return unicodedata.normalize("NFC", bare.casefold())
        case _:
            assert_never(fold)


def text_matches(text: str, op: TextOp, pattern: str, fold: Fold) -> bool:
    """One text against one pattern. A regular expression ignores case by RE2's own flag."""
    if op is TextOp.MATCHES:
        options = re2.Options()
        options.case_sensitive = fold is Fold.NONE
        options.log_errors = False
        pattern = unicodedata.normalize("NFC", pattern)
        return re2.compile(pattern, options).search(unicodedata.normalize("NFC", text)) is not None
    text, pattern = folded(text, fold), folded(pattern, fold)
    match op:
        case TextOp.CONTAINS:
            return pattern in text
        case TextOp.STARTS_WITH:
            return text.startswith(pattern)
        case TextOp.ENDS_WITH:
            return text.endswith(pattern)
        case TextOp.GLOB:
            return glob_matches(text, pattern)
        case _:
            assert_never(op)


def glob_matches(text: str, pattern: str) -> bool:
    """Whether the whole text fits: `*` any run, `?` one code point, a backslash takes `*`, `?` or itself literally."""
    tokens = re.findall(r"\\[*?\\]|.", pattern, re.DOTALL)
    reached = {0}
    for token in tokens:
        if token == "*":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        elif token == "?":
            reached = {i + 1 for i in reached if i < len(text)}
        else:
            reached = {i + 1 for i in reached if text[i : i + 1] == token[-1]}
    return len(text) in reached


def parse_version(text: str) -> Version | None:
    """A semantic version; minor and patch may be missing (0), build metadata is ignored."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    return int(found[1]), int(found[2] or 0), int(found[3] or 0), _pre_release(found[4])


def _pre_release(text: str | None) -> tuple[tuple[int, int, str], ...]:
    if text is None:
        return _RELEASE
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in text.split("."))


def version_matches(text: str, op: Op, operand: str) -> bool:
    """A positive comparison (not NE) of a version with a version or, for EQ, with a range."""
    version = parse_version(text)
    if version is None:
        return False
    bounds = _range(operand)
    if bounds is not None:
        return bounds[0] <= version < bounds[1]
    other = parse_version(operand)
    assert other is not None, "a malformed version is refused at save"
    return {
        Op.EQ: version == other,
        Op.LT: version < other,
        Op.LE: version <= other,
        Op.GT: version > other,
        Op.GE: version >= other,
    }[op]


def _range(operand: str) -> tuple[Version, Version] | None:
    """`~`, `^` and `.*` as [from, to); None for a plain version."""
    wildcard = _WILDCARD.fullmatch(operand)
    if wildcard is not None:
        major, minor = int(wildcard[1]), wildcard[2]
        if minor is None:
            return (major, 0, 0, _RELEASE), (major + 1, 0, 0, _RELEASE)
        return (major, int(minor), 0, _RELEASE), (major, int(minor) + 1, 0, _RELEASE)
    if operand[:1] not in ("~", "^"):
        return None
    low = parse_version(operand[1:])
    assert low is not None, "a malformed version is refused at save"
    major, minor_number, patch, _ = low
    has_minor = "." in operand.partition("-")[0]
    if operand[0] == "~":
        above = (major, minor_number + 1, 0) if has_minor else (major + 1, 0, 0)
    elif major or not has_minor:
        above = (major + 1, 0, 0)
    else:
        above = (0, minor_number + 1, 0) if minor_number else (0, 0, patch + 1)
    return low, (*above, _RELEASE)
