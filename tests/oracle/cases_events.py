"""Rules 23 to 32: counts, filters, names, aggregates, days, periods, sequences and `same`."""

from __future__ import annotations

from decimal import Decimal

from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    AllOf,
    AnyOf,
    BetweenTest,
    Condition,
    CountRange,
    Exists,
    FirstTime,
    Frequency,
    Function,
    HasTag,
    InTest,
    InWindow,
    LastPerformed,
    Not,
    Same,
    Sequence,
)
from headcount_engine.conditions.windows import CalendarUnit, Duration, Window
from headcount_engine.model.values import Instant, Kind, Number, ValueType
from tests.oracle.changes import Change, Schema, Track, Upsert
from tests.oracle.writing import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    Case,
    Row,
    aggregate,
    between,
    case,
    did,
    events,
    last,
    never,
    property_is,
    span,
    which,
    whole,
)

COUNTED: dict[str, list[Row]] = {
    "one": [("buy", -1)],
    "two": [("buy", -2), ("buy", -1)],
    "three": [("buy", -3), ("buy", -3), ("buy", -3)],
    "other": [("view", -1)],
}
COUNTS = [
    events("23", "did is at least once", COUNTED, did("buy"), "one two three"),
    events("23", "never did is everyone else", COUNTED, never("buy"), "nobody other"),
    events("23", "count = 0 takes those who did nothing at all", COUNTED, did("buy", 0, 0), "nobody other"),
    events("23", "fewer than 2 takes 0", COUNTED, did("buy", 0, 1), "nobody other one"),
    events("23", "at least 2", COUNTED, did("buy", 2), "two three"),
    events("23", "exactly 2", COUNTED, did("buy", 2, 2), "two"),
    events("23", "between 1 and 2 takes both ends", COUNTED, did("buy", 1, 2), "one two"),
    events("23", "at least 0 is everyone", COUNTED, did("buy", 0), "nobody other one two three"),
    events("23", "without an id an event counts as given, twins too", COUNTED, did("buy", 3), "three"),
    events("23", "never did in a window forgets what was before", COUNTED | {"old": [("buy", -2 * DAY)]},
           never("buy", last(1)), "nobody other old"),
]  # fmt: skip

TIMES: dict[str, list[Row]] = {
    "late": [("buy", -1), ("buy", -9 * DAY)],
    "early": [("buy", -9 * DAY), ("buy", -9 * DAY)],
}
WINDOWED = [
    events("25", "a late event counts where its time belongs", TIMES, did("buy", window=last(7)), "late"),
    events("25", "a back-dated event is not in the last week", TIMES, did("buy", 2, window=last(7)), ""),
    events("25", "arrival does not matter to a window that holds both", TIMES, did("buy", 2, window=last(10)),
           "late early"),
]  # fmt: skip

ONLINE, DEAR = property_is("kind", "=", "online"), property_is("amount", ">", 50)
FILTERED: dict[str, list[Row]] = {
    "both": [("buy", -1, {"amount": 60, "kind": "online"})],
    "split": [("buy", -2, {"amount": 60, "kind": "shop"}), ("buy", -1, {"amount": 5, "kind": "online"})],
    "bare": [("buy", -1)],
}
FILTERS = [
    events("26", "all of where holds of one event", FILTERED, did("buy", where=AllOf((ONLINE, DEAR))),
           "both"),
    events("26", "two conditions may hold of two events", FILTERED,
           AllOf((did("buy", where=ONLINE), did("buy", where=DEAR))), "both split"),
    events("26", "any of inside where", FILTERED, did("buy", 2, where=AnyOf((ONLINE, DEAR))), "split"),
    events("26", "a property that an event lacks is absent", FILTERED, did("buy", where=Not(Exists("kind"))),
           "bare"),
    events("26", "!= holds of an event that lacks the property", FILTERED,
           did("buy", where=property_is("kind", "!=", "online")), "split bare"),
    events("26", "an event that fails where is not counted by never", FILTERED, never("buy", where=ONLINE),
           "bare nobody"),
    events("26", "a property that nobody has yet matches nothing", FILTERED,
           did("buy", where=property_is("colour", "=", "red")), ""),
    events("26", "an instant property may be asked for a window", {"a": [("book", -1,
           {"for": Instant(NOW + DAY)})]},
           did("book", where=InWindow("for", whole("next", "day"))), "a"),
    events("26", "a condition on the profile has no place in where", FILTERED, did("buy", where=HasTag("a")),
           None),
]  # fmt: skip

NAMED: dict[str, list[Row]] = {"page": [("page", -1)], "pages": [("page_view", -1)], "upper": [("Page", -1)]}
NAMES = [
    events("27", "an exact name", NAMED, did("page"), "page"),
    events("27", "a prefix takes the name itself too", NAMED, did("page*"), "page pages"),
    events("27", "names are case-sensitive", NAMED, did("Pag*"), "upper"),
    events("27", "any event", NAMED, did("*"), "page pages upper"),
    events("27", "a name that nobody has yet matches nothing", NAMED, did("click"), ""),
    events("27", "and everyone never did it", NAMED, never("click"), "nobody page pages upper"),
]  # fmt: skip

TYPED = Schema(
    property_types={("view", "score"): ValueType(Kind.INT), ("buy", "score"): ValueType(Kind.TEXT)}
)
MIXED: list[Change] = [
    Upsert("nobody"), Track("number", "view", NOW, {"score": 5}), Track("text", "buy", NOW, {"score": "5"}),
    Track("bare", "click", NOW),
]  # fmt: skip
WILDCARDS = [
    case("8", "a wildcard binds a number to the types that have numbers", did("*", where=property_is("score",
         "=", 5)),
         "number", MIXED, TYPED),
    case("8", "and a text to those that have texts", did("*", where=property_is("score", "=", "5")), "text",
         MIXED,
         TYPED),
    case("8", "a wildcard aggregate takes the family it can", aggregate("sum", "*", "score", ">", 0),
         "number", MIXED,
         TYPED),
]  # fmt: skip


def _sums(*amounts: int | float | Decimal) -> list[Row]:
    return [("buy", -1, {"amount": amount}) for amount in amounts]


INTS: dict[str, list[Row]] = {
    "none": [("buy", -1)],
    "zero": _sums(0),
    "ten": _sums(4, 6),
    "minus": _sums(5, -9),
}
CENTS = {"a": _sums(Decimal("0.10"), Decimal("0.20")), "b": _sums(Decimal("0.30"), Decimal("0.01"))}
FLOATS = {"a": _sums(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), "b": _sums(1e16, 1.0, -1e16)}
FIRSTS: dict[str, list[Row]] = {
    "late": [("buy", -1, {"n": 2, "sku": "new"}), ("buy", -5, {"n": 1, "sku": "old"})],
    "tie": [("buy", -3, {"n": 1, "sku": "first"}), ("buy", -3, {"n": 2, "sku": "second"})],
    "gap": [("buy", -9, {"n": None}), ("buy", -8, {"n": 7, "sku": "x"}), ("buy", -7)],
}


def _agg(function: str, op: str, value: int | float | Decimal | str, property_: str = "amount") -> Aggregate:
    return aggregate(function, "buy", property_, op, value)


AGGREGATES = [
    events("28", "the sum of none is 0", INTS, _agg("sum", "=", 0), "none zero nobody"),
    events("28", "a sum of ints", INTS, _agg("sum", ">=", 10), "ten"),
    events("28", "a sum may be negative", INTS, _agg("sum", "<", 0), "minus"),
    events("28", "a sum past int64 is exact", {"a": _sums(2**62, 2**62, 1)}, _agg("sum", "=", 2**63 + 1),
           "a"),
    events("28", "avg of none matches nothing", INTS, _agg("avg", "<=", 99), "zero ten minus"),
    events("28", "avg of none is not unequal to anything either", INTS, _agg("avg", "!=", 0), "ten minus"),
    events("28", "an avg of ints is exact", {"a": _sums(1, 1, 2)}, _agg("avg", "=",
           Decimal("1.3333333333333333")), ""),
    events("28", "min", INTS, _agg("min", "<", 1), "zero minus"),
    events("28", "max", INTS, _agg("max", ">", 4), "ten minus"),
    events("28", "min of none matches nothing", INTS, _agg("min", "!=", 77), "zero ten minus"),
    events("28", "an aggregate between takes both ends", INTS,
           Aggregate(Function.SUM, which("buy"), "amount", BetweenTest(Number(-4), Number(0))),
           "none zero minus nobody"),
    events("28", "an aggregate not in", INTS,
           Aggregate(Function.MAX, which("buy"), "amount", InTest((Number(0), Number(6)), negated=True)),
           "minus"),
    events("28", "a sum of decimals is exact", CENTS, _agg("sum", "=", Decimal("0.3")), "a"),
    events("28", "a decimal sum is just above", CENTS, _agg("sum", ">", Decimal("0.3")), "b"),
    events("28", "ten tenths sum to 1, rounded once", FLOATS, _agg("sum", "=", 1), "a b"),
    events("28", "the order of the doubles does not matter", {"a": _sums(1e16, 1.0, -1e16), "b": _sums(1.0,
           1e16, -1e16)},
           _agg("sum", "=", 1), "a b"),
    events("28", "an aggregate keeps to its window", {"a": [("buy", -2 * DAY, {"amount": 5}), ("buy", -1,
           {"amount": 1})]},
           aggregate("sum", "buy", "amount", "=", 1, last(1)), "a"),
    events("28", "an aggregate keeps to its filter", FILTERED, aggregate("max", "buy", "amount", "<", 50,
           where=ONLINE),
           "split"),
    events("28", "distinct of none is 0", INTS, _agg("distinct", "=", 0), "none nobody"),
    events("28", "distinct counts equal values once", {"a": _sums(1, 1, 2)}, _agg("distinct", "=", 2), "a"),
    events("28", "first is by time, then arrival", FIRSTS, _agg("first", "=", 1, "n"), "late tie"),
    events("28", "last is by time, then arrival", FIRSTS, _agg("last", "=", 2, "n"), "late tie"),
    events("28", "first of a text", FIRSTS, _agg("first", "=", "old", "sku"), "late"),
    events("28", "last != holds only where there is a last", FIRSTS, _agg("last", "!=", "new", "sku"),
           "tie gap"),
    events("30", "events that lack the property take no part", FIRSTS, _agg("first", "=", 7, "n"), "gap"),
    events("30", "nor in an average", FIRSTS, _agg("avg", "=", 7, "n"), "gap"),
]  # fmt: skip


def _days(low: int, window: Window | None = None, zone: str | None = None) -> ActiveDays:
    return ActiveDays(which("e"), CountRange(low, None), window, zone)


def _each(period: str | int, at_least: int, of_last: int, low: int = 1, zone: str | None = None) -> Frequency:
    unit: Duration | CalendarUnit = span(period) if isinstance(period, int) else CalendarUnit(period)
    return Frequency(which("e"), CountRange(low, None), unit, at_least, of_last, zone)


MIDNIGHT: dict[str, list[Row]] = {"a": [("e", "2024-06-14T23:30:00Z"), ("e", "2024-06-15T00:30:00Z")]}
WEEKS: dict[str, list[Row]] = {
    "edge": [("e", -7 * DAY)], "inside": [("e", -7 * DAY + 1)], "three": [("e", 0), ("e", -8 * DAY), ("e",
    -15 * DAY)],
    "crowd": [("e", 0), ("e", -1), ("e", -2)],
}  # fmt: skip
MONTHS: dict[str, list[Row]] = {
    "this": [("e", "2024-06-01T00:00:00Z")], "last": [("e", "2024-05-31T23:59:59.999999Z")],
    "start": [("e", "2024-05-01T00:00:00Z")], "both": [("e", "2024-05-09T00:00:00Z"), ("e",
    "2024-04-01T00:00:00Z")],
}  # fmt: skip
DAYS = [
    events("29", "active days are calendar days", MIDNIGHT, _days(2), "a"),
    events("29", "in the leaf's zone", MIDNIGHT, _days(2, zone="Europe/Stockholm"), ""),
    events("29", "else the workspace's", MIDNIGHT, _days(2), "", zone="America/New_York"),
    events("29", "many events on one day are one day", {"a": [("e", -1), ("e", -2)]}, _days(2), ""),
    events("29", "active days keep to the window", MIDNIGHT, _days(1, last(12, "hours")), "a"),
    events("29", "0 active days takes those without events", MIDNIGHT, ActiveDays(which("e"), CountRange(0,
           0)), "nobody"),
    events("29", "the last period ends at now and leaves its far end", WEEKS, _each(7, 1, 1),
           "inside three crowd"),
    events("29", "the period before takes the edge", WEEKS, _each(7, 1, 2), "edge inside three crowd"),
    events("29", "at least m of n periods", WEEKS, _each(7, 3, 3), "three"),
    events("29", "many in one period are one period", WEEKS, _each(7, 2, 4), "three"),
    events("29", "at least k in each period", WEEKS, _each(7, 1, 3, low=3), "crowd"),
    events("29", "m = 0 is everyone", WEEKS, _each(7, 0, 3), "edge inside three crowd nobody"),
    events("29", "a calendar period is full: the current one does not count", MONTHS, _each("month", 1, 1),
           "last start both"),
    events("29", "the last n full months", MONTHS, _each("month", 2, 2), "both"),
    events("29", "calendar periods follow the zone", MONTHS, _each("month", 1, 1, zone="Europe/Stockholm"),
           "start both"),
]  # fmt: skip

SEEN: dict[str, list[Row]] = {
    "new": [("buy", -DAY)], "old": [("buy", -9 * DAY), ("buy", -DAY)], "edge": [("buy", -7 * DAY)],
    "filtered": [("buy", -9 * DAY, {"kind": "shop"}), ("buy", -DAY, {"kind": "online"})], "future": [("buy",
    DAY)],
}  # fmt: skip
LATEST: dict[str, list[Row]] = {
    "x1": [("buy", -2, {"kind": "online", "sku": "x2"}), ("buy", -1, {"kind": "online", "sku": "x1"})],
    "x2": [("buy", -1, {"kind": "online", "sku": "x2"}), ("buy", -2, {"kind": "online", "sku": "x1"})],
    "shop": [("buy", -2, {"kind": "online", "sku": "x1"}), ("buy", -1, {"kind": "shop", "sku": "x2"})],
    "tie": [("buy", -1, {"kind": "online", "sku": "x2"}), ("buy", -1, {"kind": "online", "sku": "x1"})],
    "soon": [("buy", -1, {"kind": "online", "sku": "x2"}), ("buy", 1, {"kind": "online", "sku": "x1"})],
}
X1 = property_is("sku", "=", "x1")
FIRST_LAST = [
    events("30", "first did is about the first ever", SEEN, FirstTime(which("buy"), last(7)), "new"),
    events("30", "first ever of what passes where", SEEN, FirstTime(which("buy", ONLINE), last(7)),
           "filtered"),
    events("30", "the first ever may lie in an older window", SEEN, FirstTime(which("buy"),
           between("2024-06-06",
           "2024-06-07")), "old filtered"),
    events("30", "last performed takes the latest and then tests it", LATEST, LastPerformed(which("buy",
           ONLINE), X1),
           "x1 shop tie"),
    events("30", "without where the latest is another", LATEST, LastPerformed(which("buy"), X1), "x1 tie"),
    events("30", "who never did it has no last", LATEST, LastPerformed(which("buy"), Not(X1)),
           "x2 shop soon"),
]  # fmt: skip


def _then(
    within: int,
    negated: bool = False,
    matured: bool = False,
    window: Window | None = None,
    unit: str = "days",
) -> Sequence:
    return Sequence(which("cart"), which("buy"), span(within, unit), negated, matured, window)


PAIRS: dict[str, list[Row]] = {
    "edge": [("cart", -3 * DAY), ("buy", -2 * DAY)],
    "slow": [("cart", -3 * DAY), ("buy", -2 * DAY + 1)],
    "tie": [("cart", -2 * DAY), ("buy", -2 * DAY)],
    "reversed": [("buy", -2 * DAY), ("cart", -2 * DAY)],
    "alone": [("cart", -2 * DAY)],
    "again": [("cart", -9 * DAY), ("cart", -2 * DAY), ("buy", -DAY)],
    "fresh": [("cart", -HOUR)],
    "future": [("cart", -MINUTE), ("buy", MINUTE)],
}
ROWS_NOT = "slow reversed alone again fresh future"
SEQUENCES = [
    events("31", "then takes its bound", PAIRS, _then(1), "edge tie again"),
    events("31", "a gap of 0 takes the same instant in order of arrival", PAIRS, _then(0), "tie"),
    events("31", "one event is not two", {"a": [("e", -1)], "b": [("e", -1), ("e", -1)]},
           Sequence(which("e"), which("e"), span(1)), "b"),
    events("31", "both lie in the outer window", PAIRS, _then(1, window=last(3)), "tie again"),
    events("31", "then not wants some A that no B follows", PAIRS, _then(1, True), ROWS_NOT),
    events("31", "a B at the same instant that arrived later counts against it", PAIRS, _then(0, True),
           "edge slow reversed alone again fresh future"),
    events("31", "the outer window of then not is about A", PAIRS, _then(1, True, window=last(7)),
           "slow reversed alone fresh future"),
    events("31", "the B of then not may lie outside the outer window", {"a": [("cart", -2 * DAY), ("buy",
           -DAY)]},
           _then(1, True, window=between(None, "2024-06-14")), ""),
    events("31", "matured wants the time to be over", PAIRS, _then(1, True, True),
           "slow reversed alone again"),
    events("31", "matured takes its edge", PAIRS, _then(1, True, True, unit="hours"),
           "edge slow reversed alone again fresh"),
    events("31", "matured a microsecond early", PAIRS, _then(3601, True, True, unit="seconds"),
           "edge slow reversed alone again"),
    events("31", "a B after now never counts", PAIRS, _then(1, window=last(1, "hours")), ""),
]  # fmt: skip


def _viewed(count: int) -> Condition:
    return did("view", count, window=last(7))


def _offers(name: str, *offers: str) -> list[Row]:
    return [(name, -DAY, {"offer": offer}) for offer in offers]


OFFERS: dict[str, list[Row]] = {
    "five": _offers("view", "a", "a", "a", "a", "a"),
    "spread": _offers("view", "a", "b", "c", "d", "e"),
    "bought": _offers("view", "a", "a", "a", "a", "a") + _offers("buy", "a"),
    "other": _offers("view", "a", "a", "a", "a", "a") + _offers("buy", "b"),
    "second": _offers("view", "a", "b", "b", "b", "b", "b", "a", "a", "a", "a") + _offers("buy", "a"),
    "bare": [("view", -1)],
}
BASKETS: dict[str, list[Row]] = {
    "set": [("view", -2, {"offers": frozenset({"a", "b"})}), ("view", -1, {"offers": frozenset({"b", "c"})})],
    "apart": [("view", -2, {"offers": frozenset({"a"})}), ("view", -1, {"offers": frozenset({"b"})})],
}
SAME = [
    events("32", "the same offer five times and never bought", OFFERS, Same("offer", AllOf((_viewed(5),
           never("buy")))),
           "five other second"),
    events("32", "without same, anything bought counts", OFFERS, AllOf((_viewed(5), never("buy"))),
           "five spread"),
    events("32", "a purely negative group needs an event that carries the value", OFFERS, Same("offer",
           never("view")),
           "other"),
    events("32", "each element of a set is a value", BASKETS, Same("offers", did("view", 2)), "set"),
    events("32", "a sequence about one value", {"a": [("view", -2, {"offer": "x"}), ("buy", -1,
           {"offer": "x"})],
           "b": [("view", -2, {"offer": "x"}), ("buy", -1, {"offer": "y"})]},
           Same("offer", Sequence(which("view"), which("buy"), span(1))), "a"),
    events("32", "an aggregate about one value", {"a": [("buy", -1, {"offer": "x", "n": 3}), ("buy", -1,
           {"offer": "x",
           "n": 3})], "b": [("buy", -1, {"offer": "x", "n": 3}), ("buy", -1, {"offer": "y", "n": 3})]},
           Same("offer", aggregate("sum", "buy", "n", ">", 5)), "a"),
    events("32", "first about one value", {"a": [("view", -9 * DAY, {"offer": "x"}), ("view", -1,
           {"offer": "y"})],
           "b": [("view", -9 * DAY, {"offer": "x"}), ("view", -1, {"offer": "x"})]},
           Same("offer", FirstTime(which("view"), last(7))), "a"),
    events("32", "values come from events up to now only", {"a": [("view", 1, {"offer": "x"})]},
           Same("offer", never("buy")), ""),
    case("32", "conditions on the profile ignore the value", Same("offer", AllOf((HasTag("vip"),
         did("view")))), "a",
         [Upsert("a", tags=frozenset({"vip"})), Upsert("c", tags=frozenset({"vip"})),
          Track("a", "view", NOW, {"offer": "x"}), Track("b", "view", NOW, {"offer": "x"})],
         Schema(property_types={("view", "offer"): ValueType(Kind.TEXT)})),
    events("32", "same does not nest", OFFERS, Same("offer", Same("offer", did("view"))), None),
]  # fmt: skip

CASES: list[Case] = [
    *COUNTS, *WINDOWED, *FILTERS, *NAMES, *WILDCARDS, *AGGREGATES, *DAYS, *FIRST_LAST, *SEQUENCES, *SAME,
]  # fmt: skip
