"""How options of segments are written on the command line."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING

from headcount_server.commands.exits import CommandError, Exit

if TYPE_CHECKING:
    from headcount import SegmentKind, SegmentState


def places_of(said: list[str] | None) -> dict[str, str]:
    """`days=30` as a place and what goes there."""
    made = {}
    for one in said or ():
        place, mark, value = one.partition("=")
        if not mark or not place:
            raise CommandError(f"--set takes PLACE=VALUE, not {one!r}", Exit.USAGE)
        made[place] = value
    return made


_SPAN = re.compile(r"([0-9]{1,9})\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span_of(text: str, option: str) -> dt.timedelta:
    """`30m`, `12h`, `30d`, `2w`; `0` is none. Ends the command for anything else, with the option's name."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        if text.strip() == "0":
            return dt.timedelta()
        raise CommandError(f"{option} is a number and a unit, s, m, h, d or w: 12h; not {text!r}", Exit.USAGE)
    try:
        return dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise CommandError(f"{option}: {text} is longer than time goes back", Exit.USAGE) from None


def retention_text(retention: dt.timedelta) -> str:
    """As `span_of` reads it, in the largest unit that fits."""
    seconds = retention // dt.timedelta(seconds=1)
    for unit, size in (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{retention.total_seconds():g}s"


def kind_of(text: str | None) -> SegmentKind | None:
    from headcount import SegmentKind

    kinds = {
        "rule": SegmentKind.DATA_DRIVEN,
        "manual": SegmentKind.MANUAL,
        "overrides": SegmentKind.DATA_DRIVEN_WITH_OVERRIDES,
    }
    if text is None:
        return None
    if text not in kinds:
        raise CommandError("--kind is rule, manual or overrides", Exit.USAGE)
    return kinds[text]


def state_of(text: str | None) -> SegmentState | None:
    from headcount import SegmentState

    if text is None:
        return None
    try:
        return SegmentState(text)
    except ValueError:
        raise CommandError("--state is draft, live, paused or archived", Exit.USAGE) from None


def union_of(segments: list[str]) -> str:
    """The rule of everyone who is in some of these."""
    return " or ".join(f"in segment {json.dumps(name, ensure_ascii=False)}" for name in segments)
