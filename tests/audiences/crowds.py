"""Random people, as plain dicts and in a database, so that answers can be worked out by looking at everyone."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.batches import Column, EventBatch, ProfileBatch, Texts
from headcount_engine.model.instants import parse_instant
from headcount_engine.model.values import Cell, Date, Instant, Kind, ValueType

NOW = parse_instant("2024-03-10T12:00:00Z").us
DAY = 86_400_000_000

TYPES = {
    "city": ValueType(Kind.TEXT),
    "pro": ValueType(Kind.BOOL),
    "age": ValueType(Kind.INT),
    "spent": ValueType(Kind.DECIMAL, 2),
    "score": ValueType(Kind.FLOAT),
    "joined": ValueType(Kind.INSTANT),
    "born": ValueType(Kind.DATE),
    "likes": ValueType(Kind.TEXT_SET),
    "$tags": ValueType(Kind.TEXT_SET),
}
EVENTS = ("view", "buy", "leave")


@dataclass(slots=True)
class Person:
    key: str
    cells: dict[str, Cell] = field(default_factory=dict)
    done: list[tuple[str, int]] = field(default_factory=list)
    """(event, time)."""

    def times(self, event: str) -> int:
        """How often it happened, up to now."""
        return sum(name == event and at <= NOW for name, at in self.done)


def crowd(seed: int, count: int) -> list[Person]:
    """People with few values of each attribute, skewed, about a fifth of them absent, and a few events."""
    chance = random.Random(seed)
    people = []
    for number in range(count):
        person = Person(f"p{number}")
        for name in TYPES:
            if chance.random() < 0.8:
                person.cells[name] = _cell(chance, name)
        for _ in range(int(chance.random() ** 3 * 8)):
            person.done.append((chance.choice(EVENTS), NOW - chance.randrange(-5, 40) * DAY))
        people.append(person)
    return people


def _cell(chance: random.Random, name: str) -> Cell:
    few = int(chance.random() ** 2 * 30)
    match name:
        case "city":
            return f"city-{few}"
        case "pro":
            return few < 9
        case "age":
            return few - 7
        case "spent":
            return Decimal(few * few - 20).scaleb(-2)
        case "score":
            return chance.choice([few / 7, -0.5, 1e300, 0.0])
        case "joined":
            return Instant(NOW - few * DAY * 9 + chance.randrange(3))
        case "born":
            return Date((dt.date(1990, 1, 1) - dt.date(1970, 1, 1)).days + few * 17)
        case _:
            return frozenset(f"e{chance.randrange(9)}" for _ in range(chance.randrange(4)))


def database_of(people: list[Person]) -> Database:
    """A database in memory with these people in it, at NOW."""
    database = Database.open(None, clock=ManualClock(NOW))
    keys = Texts.of([person.key for person in people])
    columns = tuple(_column(name, type_, people) for name, type_ in TYPES.items())
    database.write_profiles(ProfileBatch(keys, columns))
    done = [(person.key, name, at) for person in people for name, at in person.done]
    if done:
        owners, names, times = zip(*done, strict=True)
        database.write_events(EventBatch(Texts.of(owners), Texts.of(names), np.array(times)))
    return database


def _column(name: str, type_: ValueType, people: list[Person]) -> Column:
    cells = [person.cells.get(name) for person in people]
    present = np.array([cell is not None for cell in cells])
    match type_.kind:
        case Kind.TEXT:
            return Column(name, type_, Texts.of([str(c or "") for c in cells]), present)
        case Kind.TEXT_SET:
            rows = [sorted(c) if isinstance(c, frozenset) else [] for c in cells]
            offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
            return Column(
                name, type_, Texts.of([e for row in rows for e in row]), present, element_offsets=offsets
            )
        case Kind.BOOL:
            return Column(name, type_, np.array([bool(c) for c in cells]), present)
        case Kind.FLOAT:
            return Column(name, type_, np.array([c or 0.0 for c in cells], dtype=np.float64), present)
        case _:
            return Column(name, type_, np.array([_whole(c) for c in cells], dtype=np.int64), present)


def _whole(cell: Cell | None) -> int:
    match cell:
        case Decimal():
            return int(cell.scaleb(2))
        case Instant(us):
            return us
        case Date(days):
            return days
        case int():
            return cell
        case _:
            return 0
