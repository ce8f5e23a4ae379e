"""Tests on one text, decided once per distinct value: folding, glob, RE2, semantic versions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import re2

from headcount_engine.conditions.tree import Fold, Op, TextOp
from headcount_engine.errors import InvalidRule

Decide = Callable[[list[str]], list[bool]]


def fold_text(text: str, fold: Fold) -> str:
    """The form in which texts are compared, in NFC.

    CASE is Unicode case folding; ACCENTS also drops combining marks (canonical decomposition, category Mn).
    """
    text = unicodedata.normalize("NFC", text)
    if fold is Fold.NONE:
        return text
    if fold is Fold.ACCENTS:
        decomposed = unicodedata.normalize("NFD", text)
        text = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def equals_any(operands: frozenset[str], fold: Fold) -> Decide:
    """Whether a text, folded, is one of the operands, which are folded already."""
    if fold is Fold.NONE:
        return lambda texts: [t in operands for t in texts]
    return lambda texts: [fold_text(t, fold) in operands for t in texts]


def matcher(op: TextOp, pattern: str, fold: Fold) -> Decide:
    """The test of `contains`, `starts with`, `ends with`, `glob` and `matches`; raises InvalidRule."""
    if op is TextOp.MATCHES:
        return _searcher(pattern, fold)
    if op is TextOp.GLOB:
        compiled = glob_regex(pattern if fold is Fold.NONE else fold_text(pattern, fold))
        return lambda texts: [compiled.fullmatch(fold_text(t, fold)) is not None for t in texts]
    needle = fold_text(pattern, fold)
    match op:
        case TextOp.CONTAINS:
            return lambda texts: [needle in fold_text(t, fold) for t in texts]
        case TextOp.STARTS_WITH:
            return lambda texts: [fold_text(t, fold).startswith(needle) for t in texts]
        case _:
            return lambda texts: [fold_text(t, fold).endswith(needle) for t in texts]


def _searcher(pattern: str, fold: Fold) -> Decide:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    options.case_sensitive = fold is Fold.NONE
    try:
        compiled = re2.compile(unicodedata.normalize("NFC", pattern), options)
    except re2.error as error:
        raise InvalidRule(f"not a valid RE2 pattern: {_reason(error)}") from error
    return lambda texts: [compiled.search(t) is not None for t in texts]


def _reason(error: Exception) -> str:
    detail = error.args[0] if error.args else "malformed"
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)


@lru_cache(maxsize=1024)
def glob_regex(pattern: str) -> re.Pattern[str]:
    r"""A glob over the whole value: `*` any text, `?` one code point, `\*` `\?` `\\` themselves; raises InvalidRule.

    Runs of stars collapse and each star is lazy up to the next literal (an atomic group), so matching never
    backtracks over an earlier star: linear in text times pattern.
    """
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            if pattern[at + 1 : at + 2] in ("*", "?", "\\"):
                at += 1
            parts[-1].append(re.escape(pattern[at]))
        elif c == "*":
            if parts[-1] or len(parts) == 1:
                parts.append([])
        else:
            parts[-1].append("." if c == "?" else re.escape(c))
        at += 1
    joined = ["".join(p) for p in parts]
    if len(joined) == 1:
        return re.compile(joined[0], re.DOTALL)
    middle = "".join(f"(?>.*?{p})" for p in joined[1:-1] if p)
    return re.compile(f"{joined[0]}{middle}.*{joined[-1]}", re.DOTALL)


Version = tuple[int, int, int, tuple[tuple[int, int, str], ...]]
"""(major, minor, patch, pre-release key); a release sorts after its pre-releases."""

_SEMVER = re.compile(
    r"[vV]?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.(0|[1-9]\d*))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z.-]+)?",
    re.ASCII,
)
_RELEASE = ((2, 0, ""),)
_WILDCARD = re.compile(r"[vV]?(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?\.\*", re.ASCII)


def parse_version(text: str) -> Version | None:
    """A semantic version as a sortable tuple (semver.org, precedence); None if unparsable.

    A leading v is ignored and missing parts are 0.
    """
    match = _SEMVER.fullmatch(text)
    if match is None:
        return None
    pre = match[4]
    key = _RELEASE if pre is None else tuple(_identifier(part) for part in pre.split("."))
    return int(match[1]), int(match[2] or 0), int(match[3] or 0), key


def _identifier(part: str) -> tuple[int, int, str]:
    return (0, int(part), "") if part.isdigit() else (1, 0, part)


def semver_test(op: Op, operand: str) -> Decide:
    """`= != < <= > >=` against a version; `=` and `!=` also against `~1.2.3`, `^1.2.3`, `1.2.*`; raises InvalidRule."""
    low, high = semver_range(operand, op)

    def holds(text: str) -> bool:
        version = parse_version(text)
        if version is None:
            return False
        match op:
            case Op.EQ | Op.NE:
                return low <= version and (version < high if high is not None else version == low)
            case Op.LT:
                return version < low
            case Op.LE:
                return version <= low
            case Op.GT:
                return version > low
            case Op.GE:
                return version >= low

    return lambda texts: [holds(t) for t in texts]


def semver_range(operand: str, op: Op) -> tuple[Version, Version | None]:
    """(from, to) of a range, compared by plain precedence; (version, None) of one version. Raises InvalidRule."""
    ranged = operand[:1] in ("~", "^") or operand.endswith("*")
    if ranged and op not in (Op.EQ, Op.NE):
        raise InvalidRule("a range of versions goes with = or !=")
    if operand.endswith("*"):
        return _wildcard(operand)
    base = parse_version(operand[1:] if ranged else operand)
    if base is None:
        raise InvalidRule(f"not a semantic version: {operand!r}")
    if not ranged:
        return base, None
    major, minor, patch, _ = base
    has_minor = "." in operand.partition("-")[0]
    if operand[0] == "~":
        return base, _release(major, minor + 1, 0) if has_minor else _release(major + 1, 0, 0)
    if major or not has_minor:
        return base, _release(major + 1, 0, 0)
    return base, _release(0, minor + 1, 0) if minor else _release(0, 0, patch + 1)


def _release(major: int, minor: int, patch: int) -> Version:
    return major, minor, patch, _RELEASE


def _wildcard(operand: str) -> tuple[Version, Version | None]:
    """`1.2.*` and `1.*`."""
    match = _WILDCARD.fullmatch(operand)
    if match is None:
        raise InvalidRule(f"not a range of versions: {operand!r}")
    major = int(match[1])
    if match[2] is None:
        return _release(major, 0, 0), _release(major + 1, 0, 0)
    return _release(major, int(match[2]), 0), _release(major, int(match[2]) + 1, 0)
