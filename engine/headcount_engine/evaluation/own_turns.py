"""When the clock alone may change an answer about one profile: the instants of its own events and dates.

Between two of these nothing changes, so to follow an answer through time it is enough to look at each of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from headcount_engine.conditions import turning
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    Anniversary,
    Condition,
    Did,
    FirstTime,
    Frequency,
    HasBeen,
    InSegment,
    InWindow,
    LastPerformed,
    Same,
    Sequence,
    children,
    event_conditions,
    walk,
)
from headcount_engine.conditions.windows import Window
from headcount_engine.indexes.predicates import absent_value
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.instants import days_to_date, local_date
from headcount_engine.model.schema import changed_attribute
from headcount_engine.model.values import Cell, Date, Instant, Kind


class OwnTurns:
    """Of one profile, as seen from one moment. Who ceases to match a segment with retention only later on, and so when
    that is over, is not told: see `ahead`.
    """

    def __init__(self, view: ReadView, profile: int, moment: Moment, definitions: Definitions) -> None:
        self._view = view
        self._profile = profile
        self._moment = moment
        self._definitions = definitions

    def of_rule(self, rule: Condition) -> Iterator[int]:
        """Every instant at which a leaf under the rule may change, past ones included. In no order, some repeated."""
        return self._turns(rule, set())

    def _turns(self, node: Condition, seen: set[str]) -> Iterator[int]:
        moment = self._moment
        match node:
            case InSegment(segment):
                meaning = self._definitions.meaning(segment)
                since_us = None if meaning.kept is None else meaning.kept.since_us_of(self._profile)
                if since_us is not None:
                    yield since_us + meaning.retention_us
                if meaning.rule is not None and meaning.id not in seen:
                    seen.add(meaning.id)
                    yield from self._turns(meaning.rule, seen)
            case InWindow(name, window):
                yield from self._cell_turns(name, window)
            case Anniversary(name, ahead, zone):
                yield from self._anniversary_turns(self._cell(name), ahead, zone)
            case HasBeen(name, _, _, duration):
                changed = self._view.attribute(changed_attribute(name))
                at = None if changed is None else changed.cell(self._profile)
                if isinstance(at, Instant):
                    yield at.us + duration.us
            case Did(_, _, window) | Aggregate(_, _, _, _, window) | ActiveDays(_, _, window):
                yield from self._event_turns(window)
            case FirstTime(_, first_window):
                yield from self._event_turns(first_window)
            case Frequency(_, _, period, _, of_last, zone):
                for t_us in self._event_times():
                    yield from turning.period_turns(period, of_last, zone, t_us, moment)
            case Sequence(within=within, window=window):
                yield from self._event_turns(window)
                for t_us in self._event_times():
                    yield t_us + within.us
                    yield t_us + within.us + 1
            case LastPerformed():
                yield from self._event_times()
            case Same():
                yield from self._event_times()
            case _:
                pass  # groups turn with what is inside them, other leaves not with the clock
        for child in children(node):
            yield from self._turns(child, seen)
        for condition in event_conditions(node):
            yield from self._property_turns(condition)

    def _property_turns(self, condition: Condition) -> Iterator[int]:
        """Of windows on properties of the profile's events, whatever these events are."""
        for leaf in walk(condition):
            match leaf:
                case InWindow(name, window):
                    for cell in self._property_cells(name):
                        yield from self._turns_of_cell(cell, window)
                case Anniversary(name, ahead, zone):
                    for cell in self._property_cells(name):
                        yield from self._anniversary_turns(cell, ahead, zone)
                case _:
                    pass

    def _property_cells(self, name: str) -> set[Instant | Date]:
        """The instants and dates that the profile's events have under a name."""
        name = unicodedata.normalize("NFC", name)
        found: set[Instant | Date] = set()
        for held in self._view.event_types.values():
            type_ = held.properties.get(name)
            if type_ is None or type_.kind not in (Kind.INSTANT, Kind.DATE):
                continue
            for run in held.runs:
                values = run.properties.get(name)
                if values is None:
                    continue
                own = values[run.permutations.rows_of(run.profiles, self._profile)]
                present = own[own != absent_value(own.dtype)].tolist()
                found.update(Instant(v) if type_.kind is Kind.INSTANT else Date(v) for v in present)
        return found

    def _anniversary_turns(self, cell: Cell | None, ahead: int, zone: str | None) -> Iterator[int]:
        name = zone or self._moment.zone
        born = self._day_of(cell, name)
        if born is not None:
            yield from turning.anniversary_turns(ahead, days_to_date(born.days), name, self._moment.now_us)

    def _event_turns(self, window: Window | None) -> Iterator[int]:
        for t_us in self._event_times():
            yield from turning.turns(window, t_us, self._moment)

    def _event_times(self) -> list[int]:
        """Times of all events of the profile, those ahead included."""
        times: set[int] = set()
        for held in self._view.event_types.values():
            for run in held.runs:
                rows = run.permutations.rows_of(run.profiles, self._profile)
                times.update(run.times_us[rows].tolist())
        return sorted(times)

    def _cell(self, name: str) -> Cell | None:
        attribute = self._view.attribute(name)
        return None if attribute is None else attribute.cell(self._profile)

    def _cell_turns(self, name: str, window: Window) -> Iterator[int]:
        yield from self._turns_of_cell(self._cell(name), window)

    def _turns_of_cell(self, cell: Cell | None, window: Window) -> Iterator[int]:
        if isinstance(cell, Instant):
            yield from turning.turns(window, cell.us, self._moment)
        elif isinstance(cell, Date):
            yield from turning.date_turns(window, cell.days, self._moment)

    @staticmethod
    def _day_of(cell: Cell | None, zone: str) -> Date | None:
        match cell:
            case Date():
                return cell
            case Instant(us):
                day = local_date(us, zone)
                return Date(day.toordinal() - 719_163)
            case _:
                return None
