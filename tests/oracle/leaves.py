"""Leaves that read one value: an attribute of a profile, or a property of an event."""

from __future__ import annotations

import math
from typing import assert_never

from headcount_engine.conditions.tree import (
    Anniversary,
    AttributeLeaf,
    Between,
    Compare,
    Exists,
    Fold,
    HasBeen,
    In,
    InWindow,
    IsEmpty,
    Op,
    Semver,
    SetMatch,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
)
from headcount_engine.model.values import NUMERIC, TEMPORAL, Cell, Date, Instant, Kind, Point
from tests.oracle.calendars import date_in, date_of, has_anniversary, instant_in, local_day, takes_dates
from tests.oracle.comparing import compare, equals, literal_fits, op_holds, order, order_number, set_matches
from tests.oracle.texts import text_matches, version_matches
from tests.oracle.world import World, nfc

EARTH_RADIUS_M = 6_371_008.8


def fits(kind: Kind, leaf: AttributeLeaf) -> bool:
    """Whether the leaf can be asked of values of that kind."""
    match leaf:
        case Exists() | IsEmpty():
            return True
        case Compare(op=op, operand=operand):
            is_ordered = kind in NUMERIC or kind in TEMPORAL
            return literal_fits(kind, operand) and (op in (Op.EQ, Op.NE) or is_ordered)
        case In(operands=operands):
            return all(literal_fits(kind, operand) for operand in operands)
        case Between(low=low, high=high):
            return (
                (kind in NUMERIC or kind in TEMPORAL) and literal_fits(kind, low) and literal_fits(kind, high)
            )
        case TextMatch() | Semver():
            return kind in (Kind.TEXT, Kind.TEXT_SET)
        case SetMatch() | SizeCompare():
            return kind is Kind.TEXT_SET
        case InWindow(window=window):
            return kind is Kind.INSTANT or (kind is Kind.DATE and takes_dates(window))
        case Anniversary():
            return kind in TEMPORAL
        case HasBeen(operand=operand):
            return kind is not Kind.TEXT_SET and literal_fits(kind, operand)
        case WithinRadius() | WithinBox():
            return kind is Kind.POINT
        case _:
            assert_never(leaf)


def value_holds(
    cell: Cell | None, leaf: AttributeLeaf, world: World, now_us: int, changed_us: int | None
) -> bool:
    """Whether the leaf holds of a value that fits it, or of none."""
    zone = world.default_zone
    match leaf:
        case Exists():
            return cell is not None
        case IsEmpty():
            return cell is None or cell == "" or cell == frozenset()
        case Compare(op=op, operand=operand, fold=fold, when_present=when_present):
            return compare(cell, op, operand, fold, zone) and not (when_present and cell is None)
        case In(operands=operands, negated=negated, fold=fold, when_present=when_present):
            is_in = any(equals(cell, operand, fold, zone) for operand in operands)
            return is_in is not negated and not (when_present and cell is None)
        case Between(low=low, high=high):
            return compare(cell, Op.GE, low, Fold.NONE, zone) and compare(cell, Op.LE, high, Fold.NONE, zone)
        case TextMatch(op=text_op, pattern=pattern, fold=fold):
            return any(text_matches(text, text_op, pattern, fold) for text in texts_of(cell))
        case Semver(op=op, version=version):
            if op is Op.NE:
                return not any(version_matches(text, Op.EQ, version) for text in texts_of(cell))
            return any(version_matches(text, op, version) for text in texts_of(cell))
        case SetMatch(op=set_op, values=values):
            return set_matches(cell, set_op, frozenset(nfc(value) for value in values))
        case SizeCompare(op=op, size=size):
            return isinstance(cell, frozenset) and op_holds(op, order(len(cell), size))
        case InWindow(window=window):
            match cell:
                case Instant(us):
                    return instant_in(window, us, now_us, zone, world.week_start)
                case Date(days):
                    return date_in(window, date_of(days), now_us, zone, world.week_start)
                case _:
                    return False
        case Anniversary(in_next_days=in_next_days, zone=own_zone):
            own_zone = own_zone or zone
            today = local_day(now_us, own_zone)
            match cell:
                case Instant(us):
                    return has_anniversary(local_day(us, own_zone), today, in_next_days)
                case Date(days):
                    return has_anniversary(date_of(days), today, in_next_days)
                case _:
                    return False
        case HasBeen(operand=operand, at_least=at_least, duration=duration):
            if changed_us is None or changed_us > now_us or not equals(cell, operand, Fold.NONE, zone):
                return False
            return (now_us - changed_us >= duration.us) is at_least
        case WithinRadius(center=center, radius_m=radius_m):
            return isinstance(cell, Point) and order_number(distance_m(cell, center), radius_m) <= 0
        case WithinBox(south_west=south_west, north_east=north_east):
            return isinstance(cell, Point) and _in_box(cell, south_west, north_east)
        case _:
            assert_never(leaf)


def texts_of(cell: Cell | None) -> list[str]:
    """The text itself, the elements of a set, nothing where absent."""
    match cell:
        case str():
            return [cell]
        case frozenset():
            return list(cell)
        case _:
            return []


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance by the haversine formula on the mean Earth radius."""
    north, east = math.radians(b.latitude - a.latitude), math.radians(b.longitude - a.longitude)
    straight = math.cos(math.radians(a.latitude)) * math.cos(math.radians(b.latitude))
    chord = math.sin(north / 2) ** 2 + straight * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord)))


def _in_box(point: Point, south_west: Point, north_east: Point) -> bool:
    if not south_west.latitude <= point.latitude <= north_east.latitude:
        return False
    west, east = south_west.longitude, north_east.longitude
    if west <= east:
        return west <= point.longitude <= east
    return point.longitude >= west or point.longitude <= east
