"""The collections that the cases come from, as far as comparing needs them. They are no part of the project."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from tests.oracle.writing import at


class _Profile(TypedDict):
    id: int | str


class _Line(TypedDict, total=False):
    profiles: list[_Profile]
    now: str | None
    expected_members: list[int | str] | None
    asserted_profiles: list[str] | None


@dataclass(frozen=True, slots=True)
class ForeignCase:
    """`members` None: an error. `asserted`: the profiles of which the source says anything; None for all."""

    profiles: frozenset[str]
    now_us: int | None
    members: frozenset[str] | None
    asserted: frozenset[str] | None


def foreign_cases(path: Path) -> list[ForeignCase]:
    with path.open(encoding="utf-8") as lines:
        return [_case(cast("_Line", json.loads(line))) for line in lines]


def _case(line: _Line) -> ForeignCase:
    members, asserted = line["expected_members"], line.get("asserted_profiles")
    return ForeignCase(
        frozenset(str(profile["id"]) for profile in line["profiles"]),
        None if line["now"] is None else at(line["now"]),
        None if members is None else frozenset(map(str, members)),
        None if asserted is None else frozenset(map(str, asserted)),
    )
