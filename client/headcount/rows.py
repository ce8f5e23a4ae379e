"""What callers send: rows and columns of profiles and events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal

from headcount.values import Identifier, Point

CellInput = (
    bool | int | Decimal | float | str | Set[str] | Sequence[str] | dt.datetime | dt.date | Point | None
)
"""A value as it may be given: sets of text also as lists and tuples; datetimes must be aware. None is null."""

NumberInput = int | Decimal | float


@dataclass(frozen=True, slots=True)
class ProfileUpdate:
    """One profile to create or change. What is not mentioned stays as it is; removals come before additions.

    `attributes` with the value None become null; `unset` makes attributes absent. `consents` maps a topic to
    whether the profile subscribes; `consent_time` is when it said so, else the instant of the write. A plain mapping
    may stand in for this: `{"key": "p1", "plan": "pro"}`.
    """

    key: str
    attributes: Mapping[str, CellInput] = field(default_factory=dict)
    unset: Sequence[str] = ()
    increments: Mapping[str, NumberInput] = field(default_factory=dict)
    elements_added: Mapping[str, Sequence[str] | Set[str]] = field(default_factory=dict)
    elements_removed: Mapping[str, Sequence[str] | Set[str]] = field(default_factory=dict)
    tags_added: Sequence[str] | Set[str] = ()
    tags_removed: Sequence[str] | Set[str] = ()
    channels_added: Sequence[str] | Set[str] = ()
    channels_removed: Sequence[str] | Set[str] = ()
    identifiers: Sequence[Identifier] = ()
    identifiers_removed: Sequence[str] = ()
    consents: Mapping[str, bool] = field(default_factory=dict)
    consent_time: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that one profile did, at an aware instant.

    One `id` (at most 32 bytes) is one event, however often it is sent; without an id an event counts as given. A
    plain mapping may stand in for this: `{"name": "purchase", "key": "p1", "time": t, "id": "o1", "amount": 20}`.
    """

    name: str
    key: str
    time: dt.datetime
    id: str = ""
    properties: Mapping[str, CellInput] = field(default_factory=dict)


ColumnInput = Sequence[CellInput] | memoryview
"""The values of one column, a row each. Objects with the buffer protocol (an array, a numpy array) of bool, int64 or
float64 are taken as they are, when wrapped in a memoryview."""

SetColumnInput = Sequence[Sequence[str] | Set[str] | None]
"""A set of texts for each row; None says nothing about the row."""


@dataclass(frozen=True, slots=True)
class ProfileColumns:
    """Profiles to create or change, a row each. An attribute's None is null; use several batches to leave it out.

    `consent_times` says when the answers in `consents` were given, by topic; None is the instant of the write.
    """

    keys: Sequence[str]
    attributes: Mapping[str, ColumnInput] = field(default_factory=dict)
    increments: Mapping[str, ColumnInput] = field(default_factory=dict)
    elements_added: Mapping[str, SetColumnInput] = field(default_factory=dict)
    elements_removed: Mapping[str, SetColumnInput] = field(default_factory=dict)
    tags_added: SetColumnInput = ()
    tags_removed: SetColumnInput = ()
    channels_added: SetColumnInput = ()
    channels_removed: SetColumnInput = ()
    identifiers: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    consents: Mapping[str, Sequence[bool | None]] = field(default_factory=dict)
    consent_times: Mapping[str, Sequence[dt.datetime | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Events, a row each.

    `names` is one name for all rows or a name a row; `times` are aware datetimes, or a memoryview of int64
    microseconds since the Unix epoch. A property's None says that the event does not have it.
    """

    names: str | Sequence[str]
    keys: Sequence[str]
    times: Sequence[dt.datetime] | memoryview
    ids: Sequence[str] = ()
    properties: Mapping[str, ColumnInput] = field(default_factory=dict)
