"""A line of a case file as changes that can be played, and as questions.

foreign     which case of the source's collection, from 1
name        what it shows
types       attributes and their types; `tracked` are those whose changes are kept
properties  by event, its properties and their types
writes      in order of arrival: a profile's `set`, `tags` and `untag`, or an `event` that `has` properties,
            `at` an instant; one that `is_refused` must not be taken
now, rule, expected    the question, and the keys of the members; null where the rule is refused
is_same     whether the source gives the same answer; if not, `decided_by` is the number of our rule that decides
beside      other questions of the same people, where a reader might expect another answer
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from headcount_engine.model.values import Cell, Instant, Kind, ValueType
from tests.oracle.changes import Schema, Track, Upsert
from tests.oracle.writing import at

Json = bool | int | float | str | list[str]


class _Write(TypedDict):
    at: str
    key: str
    set: NotRequired[dict[str, Json]]
    tags: NotRequired[list[str]]
    untag: NotRequired[list[str]]
    event: NotRequired[str]
    has: NotRequired[dict[str, Json]]
    is_refused: NotRequired[bool]


class _Question(TypedDict):
    rule: str
    expected: list[str] | None
    decided_by: NotRequired[str]
    note: NotRequired[str]


class _Line(_Question):
    foreign: int
    name: str
    types: NotRequired[dict[str, str]]
    tracked: NotRequired[list[str]]
    properties: NotRequired[dict[str, dict[str, str]]]
    writes: list[_Write]
    now: str
    is_same: bool
    beside: NotRequired[list[_Question]]


@dataclass(frozen=True, slots=True)
class Question:
    """A rule and who is in it; None where it is refused. `decided_by`: the number of the rule that decides, or ""."""

    rule: str
    expected: frozenset[str] | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class PeerCase:
    """One case of another system. The questions are the source's own, then those beside it."""

    foreign: int
    name: str
    schema: Schema
    writes: tuple[Upsert | Track, ...]
    refused_writes: tuple[Upsert, ...]
    now_us: int
    questions: tuple[Question, ...]
    is_same: bool

    @property
    def question(self) -> Question:
        return self.questions[0]


def cases(name: str) -> list[PeerCase]:
    """The cases of one file beside this one."""
    with (Path(__file__).parent / name).open(encoding="utf-8") as lines:
        return [_case(cast("_Line", json.loads(line))) for line in lines]


def _case(line: _Line) -> PeerCase:
    types = {name: ValueType.parse(text) for name, text in line.get("types", {}).items()}
    properties = {
        (event, name): ValueType.parse(text)
        for event, declared in line.get("properties", {}).items()
        for name, text in declared.items()
    }
    schema = Schema(types, properties, frozenset(line.get("tracked", ())))
    taken = [_change(write, schema) for write in line["writes"] if not write.get("is_refused")]
    refused = [_refused(write) for write in line["writes"] if write.get("is_refused")]
    questions = [_question(line), *map(_question, line.get("beside", ()))]
    return PeerCase(
        line["foreign"], line["name"], schema, tuple(taken), tuple(refused), at(line["now"]), tuple(questions),
        line["is_same"],
    )  # fmt: skip


def _question(line: _Question) -> Question:
    expected = line["expected"]
    return Question(
        line["rule"], None if expected is None else frozenset(expected), line.get("decided_by", "")
    )


def _change(write: _Write, schema: Schema) -> Upsert | Track:
    now_us = at(write["at"])
    if "event" in write:
        event = write["event"]
        types = {name: type_ for (of, name), type_ in schema.property_types.items() if of == event}
        return Track(write["key"], event, now_us, _cells(write.get("has", {}), types), now_us=now_us)
    return Upsert(
        write["key"],
        _cells(write.get("set", {}), schema.attribute_types),
        now_us,
        frozenset(write.get("tags", ())),
        frozenset(write.get("untag", ())),
    )


def _refused(write: _Write) -> Upsert:
    """A write as it would travel if it were taken: by what its values look like."""
    return Upsert(
        write["key"], {name: _cell(value, None) for name, value in write["set"].items()}, at(write["at"])
    )


def _cells(given: Mapping[str, Json], types: Mapping[str, ValueType]) -> dict[str, Cell | None]:
    return {name: _cell(value, types[name]) for name, value in given.items()}


def _cell(value: Json, type_: ValueType | None) -> Cell:
    match value:
        case str() if type_ is not None and type_.kind is Kind.INSTANT:
            return Instant(at(value))
        case bool() | int() | float() | str():
            return value
        case _:
            return frozenset(value)
