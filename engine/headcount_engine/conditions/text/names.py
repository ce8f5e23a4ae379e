"""Names in a rule's text: which words are keywords, how names and texts are quoted, what a misspelt one may mean."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_SAME_WORD: Final = (
    "accents ago all and anniversary any at been before after between bottom box bucket by calendar case channel "
    "consent did does empty event everyone exactly fewer first for from glob has ignoring in is key km known "
    "last least less m matches matured more most never next none not of once or per present salt same sample "
    "segment semver tag than then this to today tomorrow top when where with within yesterday zone"
)

KEYWORDS: Final[dict[str, str]] = {word: word.upper() for word in _SAME_WORD.split()} | {
    "second": "CLOCK_UNIT",
    "seconds": "CLOCK_UNIT",
    "minute": "CLOCK_UNIT",
    "minutes": "CLOCK_UNIT",
    "hour": "CLOCK_UNIT",
    "hours": "CLOCK_UNIT",
    "day": "DAY_UNIT",
    "days": "DAY_UNIT",
    "week": "DAY_UNIT",
    "weeks": "DAY_UNIT",
    "month": "CALENDAR_UNIT",
    "months": "CALENDAR_UNIT",
    "quarter": "CALENDAR_UNIT",
    "quarters": "CALENDAR_UNIT",
    "year": "CALENDAR_UNIT",
    "years": "CALENDAR_UNIT",
    "time": "TIMES",
    "times": "TIMES",
    "period": "PERIODS",
    "periods": "PERIODS",
    "contain": "CONTAIN",
    "contains": "CONTAINS",
    "start": "START",
    "starts": "STARTS",
    "end": "END",
    "ends": "ENDS",
    "match": "MATCH",
    "exist": "EXIST",
    "exists": "EXISTS",
    "true": "BOOL",
    "false": "BOOL",
}
"""Every keyword in lower case, and the terminal of the grammar that it is."""

FUNCTIONS: Final[dict[str, str]] = {
    "sum": "FUNCTION",
    "avg": "FUNCTION",
    "min": "FUNCTION",
    "max": "FUNCTION",
    "distinct": "FUNCTION",
    "first": "FUNCTION",
    "last": "FUNCTION",
    "count": "COUNT_OF",
    "days": "DAYS_OF",
    "size": "SIZE_OF",
}
"""Words that are functions where an opening parenthesis follows, and nothing special elsewhere."""

RESERVED: Final = frozenset(
    "after all and any at before between bottom bucket channel consent did does everyone exactly false first from "
    "has in is key known last never none not of or same sample tag then top true where within".split()
)
"""Keywords that are never a name without backticks. The others are, wherever the grammar expects a name."""

_PLAIN_START: Final = re.compile(r"[^\W\d]|\$")
_PLAIN_ASCII: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$]*")


def is_plain(name: str) -> bool:
    """Whether the characters of `name` need no backticks: letters, digits, marks, `_`, `.`, `$`, no digit first."""
    if _PLAIN_ASCII.fullmatch(name):
        return True
    if not name or not _PLAIN_START.match(name):
        return False
    return all(c in "_.$" or unicodedata.category(c)[0] in "LMN" for c in name)


def is_keyword(word: str) -> bool:
    """Whether a word means something to the language, in any case."""
    lowered = word.lower()
    return lowered in KEYWORDS or lowered in FUNCTIONS


def quote_text(text: str) -> str:
    """A text literal: double quotes and JSON escapes."""
    quoted = json.dumps(text, ensure_ascii=False)
    if quoted.isascii():
        return quoted.replace("\x7f", "\\u007f")
    return "".join(_escaped(c) for c in quoted)


def _escaped(char: str) -> str:
    """Invisible characters (controls, zero width, direction marks, line separators) are shown as escapes."""
    if char.isascii():
        return "\\u007f" if char == "\x7f" else char
    if unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp"):
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def backticked(name: str) -> str:
    r"""A name in backticks, where `` \` `` stands for a backtick and the other escapes are those of JSON."""
    return "`" + quote_text(name)[1:-1].replace('\\"', '"').replace("`", "\\`") + "`"


def quote_name(name: str) -> str:
    """The name of an attribute or property, in backticks if it needs them."""
    if is_plain(name) and not is_keyword(name) and not name.lower().startswith("context."):
        return name
    return backticked(name)


def suggest(name: str, candidates: Iterable[str], count: int = 3) -> list[str]:
    """The candidates that `name` may be a misspelling of, nearest first; at most `count`.

    Distance counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), ignoring
    case; one is allowed in names up to four characters, two up to eight, else three. One pass over the candidates,
    most of which are dismissed on their length and letters alone; 10,000 take some 20 ms, and 10,000 that differ
    in their last five digits only a fifth of a second.
    """
    wanted = name.casefold()
    bound = 1 if len(wanted) <= 4 else 2 if len(wanted) <= 8 else 3
    letters = frozenset(wanted)
    nearest: list[tuple[int, str]] = []
    for candidate in candidates:
        if abs(len(candidate) - len(wanted)) > bound:
            continue
        folded = candidate.casefold()
        if len(letters.symmetric_difference(folded)) > 2 * bound:
            continue
        distance = edit_distance(wanted, folded, bound)
        # A word that shares nothing is no suggestion, however short both are.
        if distance > bound or distance >= max(len(wanted), len(folded)):
            continue
        nearest.append((distance, candidate))
        if len(nearest) > count:
            # Enough are found: from here on only nearer ones, or as near and earlier in the alphabet, matter.
            nearest = sorted(nearest)[:count]
            bound = nearest[-1][0]
    return [candidate for _, candidate in sorted(nearest)]


def hint(name: str, candidates: Iterable[str]) -> str:
    """What a warning of a name that nobody has says of the nearest ones; empty if there are none."""
    near = suggest(name, candidates)
    return f"; nearest: {', '.join(repr(n) for n in near)}" if near else ""


def edit_distance(a: str, b: str, bound: int) -> int:
    """The optimal string alignment distance of two texts, or any number above `bound` where it exceeds that.

    What both begin and end with is dropped, then the table is filled within `bound` of its diagonal only.
    """
    a, b = _without_common_ends(a, b)
    if abs(len(a) - len(b)) > bound:
        return bound + 1
    far = bound + 1
    before: list[int] = []
    previous = [j if j <= bound else far for j in range(len(b) + 1)]
    for i, char in enumerate(a, 1):
        current = [far] * (len(b) + 1)
        if i <= bound:
            current[0] = i
        for j in range(max(1, i - bound), min(len(b), i + bound) + 1):
            other = b[j - 1]
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (char != other))
            if i > 1 and j > 1 and char == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            current[j] = cost
        # A swap reaches two rows back, so one row past the bound proves nothing yet.
        if min(current) > bound and min(previous) >= bound:
            return far
        before, previous = previous, current
    return previous[-1]


def _without_common_ends(a: str, b: str) -> tuple[str, str]:
    shorter = min(len(a), len(b))
    start = 0
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return a[start : len(a) - end], b[start : len(b) - end]
