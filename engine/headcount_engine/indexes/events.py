"""Events by type: for each a list of runs, and the types of their properties.

A batch that is newest goes at the end of an open run; any other becomes a run of its own. Runs of similar size are
merged when there are more than eight, so a file in any order loads at the same order of cost. Views are tuples of
immutable runs: a reader needs no pin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from headcount_engine.indexes import runs
from headcount_engine.indexes.dictionaries import Dictionary, SetDictionary, TextDictionary
from headcount_engine.indexes.plain import Plain
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.runs import SEALED_ROWS, Run, Tail
from headcount_engine.indexes.totals import Retention
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.batches import I64, U32
from headcount_engine.model.values import Kind, ValueType

_MERGE_AT = 8
_SMALL_BITS, _SIZE_BITS = 12, 3
"""Runs of up to 4,095 events are of one size; from there on each eightfold is another."""

ROW = "$row"
"""The hidden property that holds an event's row in its batch (+ 1) where the batch held several event types."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """What of an event type came with events, undeclared: the type itself (None: nothing is known of it yet), and the
    properties of these names.
    """

    is_type: bool | None = None
    properties: frozenset[str] = frozenset()

    def with_events(self, properties: Iterable[str]) -> Inferred:
        """After events that brought these properties."""
        return Inferred(self.is_type is not False, self.properties.union(properties))

    def with_declaration(self) -> Inferred:
        """After a declaration of the type or of properties: what was inferred before stays so."""
        return Inferred(bool(self.is_type), self.properties)

    def dump(self) -> Plain:
        """What `restored` takes."""
        return [self.is_type, *sorted(self.properties)]

    @staticmethod
    def restored(plain: list[Plain]) -> Inferred:
        is_type, *properties = cast("tuple[bool | None, *tuple[str, ...]]", plain)
        return Inferred(is_type, frozenset(properties))


_NOTHING_KNOWN = Inferred()


@dataclass(frozen=True, slots=True, eq=False)
class TypeView:
    """One event type at one version."""

    name: str
    runs: tuple[Run, ...]
    properties: Mapping[str, ValueType]
    retention: Retention | None = None
    """None: raw events are kept for ever."""
    inferred: Inferred = _NOTHING_KNOWN

    def __len__(self) -> int:
        return sum(len(run) for run in self.runs)


@dataclass(frozen=True, slots=True, eq=False)
class TypeEdit:
    """Staged events of one type: the batch as sorted runs, no longer than a sealed run each."""

    name: str
    pieces: tuple[Run, ...]
    new_properties: Mapping[str, ValueType]


@dataclass(frozen=True, slots=True, eq=False)
class RunsEdit:
    """Runs of one type that are replaced by others, or by nothing; `sealed` and `open`: all its runs after that."""

    name: str
    replaced: tuple[tuple[Run, Run | None], ...]
    sealed: tuple[Run, ...]
    open: tuple[Run, ...]
    retention: Retention | None


class EventType:
    """The runs of one event name. Changed by the single writer."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._sealed: list[Run] = []
        self._open: list[Tail] = []
        self.properties: dict[str, ValueType] = {}
        self.retention: Retention | None = None
        self.inferred = _NOTHING_KNOWN
        self._view = TypeView(name, (), {})

    def view(self) -> TypeView:
        return self._view

    def stage(
        self,
        profiles: U32,
        times_us: I64,
        values: Mapping[str, Stored],
        types: Mapping[str, ValueType],
        batch: int,
    ) -> TypeEdit:
        """Sort a batch (rows in arrival order) and narrow its properties; nothing becomes visible."""
        narrow = {name: runs.stored_narrow(v) for name, v in values.items()}
        whole = runs.run_of_batch(profiles, times_us, narrow, batch)
        pieces: tuple[Run, ...] = (whole,)
        if len(whole) > SEALED_ROWS:
            pieces = tuple(runs.cut(whole, i, i + SEALED_ROWS) for i in range(0, len(whole), SEALED_ROWS))
        fresh = {name: t for name, t in types.items() if name not in self.properties}
        return TypeEdit(self.name, pieces, fresh)

    def append(self, edit: TypeEdit) -> None:
        """Add staged events behind what readers hold; nothing becomes visible."""
        self.inferred = self.inferred.with_events(edit.new_properties.keys() - self.properties.keys())
        self.properties |= edit.new_properties
        for piece in edit.pieces:
            self._add(piece)

    def show(self) -> None:
        """Make what was appended visible."""
        ordered = [*self._sealed, *(tail.run for tail in self._open)]
        self._view = TypeView(self.name, tuple(ordered), dict(self.properties), self.retention, self.inferred)

    def declare(self, properties: Mapping[str, ValueType]) -> None:
        """Enter property types that were declared rather than seen."""
        self.inferred = self.inferred.with_declaration()
        self.properties |= properties
        self.show()

    def compact(self) -> None:
        """Merge small runs if there are too many. Changes no answer; readers keep the runs they hold."""
        crowd = self._crowd()
        while crowd:
            self._merge(crowd)
            crowd = self._crowd()
            if not crowd:
                self.show()

    def rewritten(
        self, change: Callable[[Run], Run | None], retention: Retention | None = None
    ) -> RunsEdit | None:
        """What a change of runs makes of this type; None where it gives every run back as it is.

        `retention` takes the place of the type's own.
        """
        retention = retention or self.retention
        replaced: list[tuple[Run, Run | None]] = []

        def changed(held: list[Run]) -> tuple[Run, ...]:
            after = [(run, change(run)) for run in held]
            replaced.extend((old, new) for old, new in after if new is not old)
            return tuple(new for _, new in after if new is not None)

        sealed, still_open = changed(self._sealed), changed([tail.run for tail in self._open])
        if not replaced and retention is self.retention:
            return None
        return RunsEdit(self.name, tuple(replaced), sealed, still_open, retention)

    def replace_runs(self, edit: RunsEdit) -> None:
        """Take what `rewritten` gave, with no other change in between. Readers keep the runs they hold."""
        tails = {id(tail.run): tail for tail in self._open}
        self._sealed = list(edit.sealed)
        self._open = [tails.get(id(run)) or Tail(run) for run in edit.open]
        self.retention = edit.retention
        self.show()

    def retain(self, kept_us: int | None) -> None:
        """Keep raw events that long from now on; None: for ever, as long as none is gone."""
        self.inferred = self.inferred.with_declaration()
        if kept_us is None:
            self.retention = None
        elif self.retention is None:
            self.retention = Retention(kept_us, INSTANT_MIN_US)
        else:
            self.retention = Retention(kept_us, self.retention.floor_us, self.retention.totals)
        self.show()

    @property
    def sealed_count(self) -> int:
        """How many of the view's runs, from the first, take no more events."""
        return len(self._sealed)

    def _add(self, piece: Run) -> None:
        first_us = int(piece.times_us[0])
        if len(piece) >= SEALED_ROWS:
            self._sealed.append(piece)
            return
        fitting = [tail for tail in self._open if tail.accepts(first_us, len(piece))]
        if fitting:
            newest = max(fitting, key=lambda tail: int(tail.run.times_us[-1]))
            newest.append(piece)
        else:
            self._open.append(Tail(piece))
        for tail in [t for t in self._open if len(t.run) >= SEALED_ROWS]:
            self._open.remove(tail)
            self._sealed.append(tail.run)

    def _crowd(self) -> list[Tail]:
        """Open runs of about one size of which there are too many: no large one is merged for the sake of a small."""
        by_size: dict[int, list[Tail]] = {}
        for tail in self._open:
            by_size.setdefault(max(len(tail.run).bit_length() - _SMALL_BITS, 0) // _SIZE_BITS, []).append(
                tail
            )
        return next((tails for tails in by_size.values() if len(tails) > _MERGE_AT), [])

    def _merge(self, tails: list[Tail]) -> None:
        merged = runs.merge([tail.run for tail in tails])
        self._open = [t for t in self._open if t not in tails]
        if len(merged) < SEALED_ROWS:
            self._open.append(Tail(merged))
            return
        for start in range(0, len(merged), SEALED_ROWS):
            piece = runs.cut(merged, start, min(start + SEALED_ROWS, len(merged)))
            if len(piece) >= SEALED_ROWS:
                self._sealed.append(piece)
            else:
                self._open.append(Tail(piece))

    def restore(
        self,
        held: list[Run],
        properties: Mapping[str, ValueType],
        sealed: int | None = None,
        retention: Retention | None = None,
        inferred: Inferred = _NOTHING_KNOWN,
    ) -> None:
        """Take stored runs as the contents; `sealed`: how many of them, from the first (None: the full ones)."""
        if sealed is None:
            sealed = sum(len(run) >= SEALED_ROWS for run in held)
        self._sealed = held[:sealed]
        self._open = [Tail(run) for run in held[sealed:]]
        self.properties = dict(properties)
        self.retention = retention
        self.inferred = inferred
        self._view = TypeView(self.name, tuple(held), dict(properties), retention, inferred)

    @property
    def nbytes(self) -> int:
        totals = 0 if self.retention is None else self.retention.totals.nbytes
        return totals + sum(run.nbytes for run in self._view.runs)


class EventStore:
    """All event types, and the dictionaries of their text properties.

    A property name has one dictionary over all types, so that the same text has the same code in each.
    """

    def __init__(self) -> None:
        self.types: dict[str, EventType] = {}
        self.texts: dict[str, TextDictionary] = {}
        self.sets: dict[str, SetDictionary] = {}
        self.batches = 0
        """Batches taken so far; the next one's arrival number."""

    def type_of(self, event: str, name: str) -> ValueType | None:
        held = self.types.get(event)
        return None if held is None else held.properties.get(name)

    def dictionary(self, name: str, kind: Kind) -> Dictionary | None:
        """The dictionary of a text or set property, made when first needed; None for other kinds."""
        if kind is Kind.TEXT:
            return self.texts.setdefault(name, TextDictionary())
        if kind is Kind.TEXT_SET:
            return self.sets.setdefault(name, SetDictionary())
        return None

    def ensure(self, name: str) -> EventType:
        """The event type of that name, made if new. A type without events matches nothing."""
        held = self.types.get(name)
        if held is None:
            held = EventType(name)
            # A new mapping, so that a reader who iterates over the old one is not disturbed.
            self.types = {**self.types, name: held}
        return held

    def views(self) -> Mapping[str, TypeView]:
        """Every type as last published."""
        return {name: held.view() for name, held in self.types.items()}

    @property
    def nbytes(self) -> int:
        texts = sum(d.nbytes for d in self.texts.values())
        return sum(t.nbytes for t in self.types.values()) + texts + sum(d.nbytes for d in self.sets.values())
