"""Random leaves over the attributes of profiles and over events, with operands that fit their types."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from headcount_engine.conditions import tree
from headcount_engine.conditions.tree import (
    Condition,
    CountRange,
    EventName,
    Events,
    Fold,
    Function,
    NameKind,
    Op,
    SetOp,
    TextOp,
    ValueTest,
)
from headcount_engine.conditions.windows import Calendar, CalendarLast, CalendarUnit, Duration, Unit, Window
from headcount_engine.model.values import NUMERIC, TEMPORAL, Instant, Kind, Literal, Number, Point, ValueType
from tests.oracle.changes import Schema
from tests.oracle.pools import DURATIONS, POINTS, WORDS, dates, instants, literals, numbers, windows, zones

GROUP_KINDS: frozenset[type] = frozenset(
    {tree.Not, tree.AllOf, tree.AnyOf, tree.NoneOf, tree.AtLeast, tree.Exactly}
)
ATTRIBUTE_KINDS: frozenset[type] = frozenset(
    {
        tree.Compare, tree.In, tree.Between, tree.Exists, tree.IsEmpty, tree.TextMatch, tree.Semver, tree.SetMatch,
        tree.SizeCompare, tree.InWindow, tree.Anniversary, tree.HasBeen, tree.WithinRadius, tree.WithinBox,
    }
)  # fmt: skip
PROFILE_KINDS: frozenset[type] = frozenset(
    {
        tree.Everyone, tree.HasTag, tree.HasChannel, tree.HasConsent, tree.Known, tree.KeyIn, tree.InSegment,
        tree.Bucket, tree.Rank,
    }
)  # fmt: skip
EVENT_KINDS: frozenset[type] = frozenset(
    {
        tree.Did, tree.Aggregate, tree.ActiveDays, tree.Frequency, tree.FirstTime, tree.LastPerformed, tree.Sequence,
    }
)  # fmt: skip
ALL_KINDS: frozenset[type] = GROUP_KINDS | ATTRIBUTE_KINDS | PROFILE_KINDS | EVENT_KINDS | {tree.Same}

_EQUALITY, _ORDER = (Op.EQ, Op.NE), tuple(Op)
_POSITIVE = tuple(op for op in Op if op is not Op.NE)
_RANGES = ("~1.2.3", "^1.2.3", "1.2.*", "~1.2", "1.*")
_PATTERNS = {
    TextOp.GLOB: ("*", "a*", "*n?", "?", "", "a\\*b", "a\\?b", "caf\u00e9*", "*\n*", "A*A"),
    TextOp.MATCHES: ("", "ann", "^a", "n$", "a.b", "[A-C]", "\\d+", "^.$", "(a|x)\\n?"),
}
_LITERAL_PATTERNS = ("", "a", "AN", "nn", "\u00e9", "e\u0301", "CAFE", "ss", "\u00df", "*", "\u03c3", "car")

Leaf = SearchStrategy[Condition]


@cache
def value_leaves(
    name: str, type_: ValueType, now_us: int, *, is_tracked: bool = False
) -> list[tuple[type, Leaf]]:
    """Leaves that fit an attribute or property of that name and type, each with its class."""
    kind = type_.kind
    attribute, operand = st.just(name), literals(type_, name, now_us)
    found: list[tuple[type, Leaf]] = [
        (tree.Exists, st.builds(tree.Exists, attribute)),
        (tree.IsEmpty, st.builds(tree.IsEmpty, attribute)),
    ]
    if kind is Kind.POINT:
        return found + _place_leaves(attribute)
    is_text, is_ordered = kind in (Kind.TEXT, Kind.TEXT_SET), kind in NUMERIC | TEMPORAL
    folds = st.sampled_from(Fold) if is_text else st.just(Fold.NONE)
    ops = st.sampled_from(_ORDER if is_ordered else _EQUALITY)
    found.append((tree.Compare, st.builds(_compare, attribute, ops, operand, folds, st.booleans())))
    several = st.lists(operand, min_size=1, max_size=3).map(tuple)
    found.append((tree.In, st.builds(_in, attribute, several, st.booleans(), folds, st.booleans())))
    if is_ordered:
        found.append(
            (tree.Between, st.builds(lambda a, ends: tree.Between(a, *ends), attribute, _ends(kind, now_us)))
        )
    if is_text:
        found.append((tree.TextMatch, _text_matches(attribute)))
        found += [(tree.Semver, _versions(attribute))] * (6 if name == "version" else 1)
    if kind is Kind.TEXT_SET:
        sizes = st.integers(0, 3)
        sized = st.builds(tree.SizeCompare, attribute, st.sampled_from(_POSITIVE), sizes)
        found.append((tree.SizeCompare, sized))
        values = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(tuple)
        found.append((tree.SetMatch, st.builds(tree.SetMatch, attribute, st.sampled_from(SetOp), values)))
        found.append(
            (tree.SetMatch, st.builds(tree.SetMatch, attribute, st.just(SetOp.EXACTLY), st.just(())))
        )
    if kind in TEMPORAL:
        shapes = windows(now_us, is_in_days=kind is Kind.DATE)
        found.append((tree.InWindow, st.builds(tree.InWindow, attribute, shapes)))
        days = st.sampled_from((0, 1, 2, 7, 30, 366))
        found.append((tree.Anniversary, st.builds(tree.Anniversary, attribute, days, zones())))
    if is_tracked:
        durations = st.sampled_from(DURATIONS)
        found.append((tree.HasBeen, st.builds(tree.HasBeen, attribute, operand, st.booleans(), durations)))
    return found


def _compare(name: str, op: Op, operand: Literal, fold: Fold, when_present: bool) -> tree.Compare:
    return tree.Compare(name, op, operand, fold, when_present and op is Op.NE)


def _in(name: str, operands: tuple[Literal, ...], negated: bool, fold: Fold, when_present: bool) -> tree.In:
    return tree.In(name, operands, negated, fold, when_present and negated)


def _ends(kind: Kind, now_us: int) -> SearchStrategy[tuple[Literal, Literal]]:
    """Two literals in order."""
    if kind in NUMERIC:
        pair = st.tuples(numbers(), numbers())
        return pair.map(
            lambda ends: (ends[0], ends[1]) if ends[0].value <= ends[1].value else (ends[1], ends[0])
        )
    day = st.sampled_from(dates(now_us))
    days = st.tuples(day, day).map(
        lambda ends: (ends[0], ends[1]) if ends[0].days <= ends[1].days else ends[::-1]
    )
    if kind is Kind.DATE:
        return days
    moment = st.sampled_from(instants(now_us))
    return days | st.tuples(moment, moment).map(lambda ends: (Instant(min(ends)), Instant(max(ends))))


def _text_matches(attribute: SearchStrategy[str]) -> Leaf:
    literal_ops = st.sampled_from((TextOp.CONTAINS, TextOp.STARTS_WITH, TextOp.ENDS_WITH))
    folds = st.sampled_from(Fold)
    globs, searches = (st.sampled_from(_PATTERNS[op]) for op in (TextOp.GLOB, TextOp.MATCHES))
    return st.one_of(
        st.builds(tree.TextMatch, attribute, literal_ops, st.sampled_from(_LITERAL_PATTERNS), folds),
        st.builds(tree.TextMatch, attribute, st.just(TextOp.GLOB), globs, folds),
        st.builds(
            tree.TextMatch,
            attribute,
            st.just(TextOp.MATCHES),
            searches,
            st.sampled_from((Fold.NONE, Fold.CASE)),
        ),
    )


def _versions(attribute: SearchStrategy[str]) -> Leaf:
    plain = st.sampled_from(("1.2.3", "1.9.0", "v1.3", "1.2.3-rc.1", "2"))
    return st.builds(tree.Semver, attribute, st.sampled_from(Op), plain) | st.builds(
        tree.Semver, attribute, st.sampled_from(_EQUALITY), st.sampled_from(_RANGES)
    )


def _place_leaves(attribute: SearchStrategy[str]) -> list[tuple[type, Leaf]]:
    """Radii keep clear of the distances between the points of the pool: two right formulas may round apart."""
    radii = st.sampled_from(
        [Number(0), Number(1_000), Number(Decimal("65000.5")), Number(112_000), Number(30_000_000)]
    )
    corners = st.sampled_from(
        [(Point(-1, -1), Point(1, 1)), (Point(0, 0), Point(60, 18)), (Point(-1, 179), Point(1, -179))]
    )
    return [
        (tree.WithinRadius, st.builds(tree.WithinRadius, attribute, st.sampled_from(POINTS), radii)),
        (tree.WithinBox, st.builds(lambda name, box: tree.WithinBox(name, *box), attribute, corners)),
    ]


# ------------------------------------------------------------------------------------------------ events

_NAMES = (
    EventName("view"), EventName("view item"), EventName("buy"), EventName("click"), EventName("nobody did"),
    EventName("view", NameKind.PREFIX), EventName("", NameKind.ANY),
)  # fmt: skip


def _properties(schema: Schema, name: EventName) -> list[tuple[str, ValueType]]:
    """The properties that events of that name may have."""
    prefix = {NameKind.EXACT: None, NameKind.PREFIX: name.text, NameKind.ANY: ""}[name.kind]
    return [
        (property_, type_)
        for (event, property_), type_ in schema.property_types.items()
        if (event == name.text if prefix is None else event.startswith(prefix))
    ]


@cache
def event_conditions(schema: Schema, name: EventName, now_us: int) -> Leaf:
    """Conditions on one event of that name, for `where` and `has`.

    For an event type without properties they name one that it does not have, and so match nothing there.
    """
    leaves: list[Leaf] = []
    for property_, type_ in _properties(schema, name) or [("offer", ValueType(Kind.TEXT))]:
        leaves += [leaf for _, leaf in value_leaves(property_, type_, now_us)]
    leaf = st.one_of(leaves)
    pair = st.lists(leaf, min_size=1, max_size=2).map(tuple)
    return st.one_of(
        leaf, leaf, st.builds(tree.Not, leaf), st.builds(tree.AllOf, pair), st.builds(tree.AnyOf, pair)
    )


@cache
def _events(schema: Schema, name: EventName, now_us: int) -> SearchStrategy[Events]:
    where = st.none() | st.none() | event_conditions(schema, name, now_us)
    return st.builds(Events, st.just(name), where)


@st.composite
def _aggregates(draw: DrawFn, schema: Schema, now_us: int) -> Condition:
    name = draw(st.sampled_from([name for name in _NAMES if _properties(schema, name)]))
    properties = _properties(schema, name)
    property_, type_ = draw(st.sampled_from([p for p in properties if p[1].kind is not Kind.TEXT_SET]))
    functions = [Function.FIRST, Function.LAST]
    families = {type_.kind in NUMERIC for own, type_ in properties if own == property_}
    if len(families) == 1:
        functions.append(Function.DISTINCT)
    if type_.kind in NUMERIC | TEMPORAL:
        functions += [Function.MIN, Function.MAX]
    if type_.kind in NUMERIC:
        functions += [Function.SUM, Function.AVG]
    function = draw(st.sampled_from(functions))
    test = draw(_tests(ValueType(Kind.INT) if function is Function.DISTINCT else type_, property_, now_us))
    window = draw(st.none() | windows(now_us, is_past_only=True))
    return tree.Aggregate(function, draw(_events(schema, name, now_us)), property_, test, window)


@cache
def _tests(type_: ValueType, name: str, now_us: int) -> SearchStrategy[ValueTest]:
    operand = literals(type_, name, now_us)
    is_ordered = type_.kind in NUMERIC | TEMPORAL
    several = st.lists(operand, min_size=1, max_size=3).map(tuple)
    shapes: list[SearchStrategy[ValueTest]] = [
        st.builds(tree.CompareTest, st.sampled_from(_ORDER if is_ordered else _EQUALITY), operand),
        st.builds(tree.InTest, several, st.booleans()),
    ]
    if is_ordered:
        shapes.append(_ends(type_.kind, now_us).map(lambda ends: tree.BetweenTest(*ends)))
    return st.one_of(shapes)


@cache
def event_leaves(schema: Schema, now_us: int, names: tuple[str, ...]) -> dict[type, Leaf]:
    """One strategy for each kind of event leaf; `names` are the event types of the schema."""
    chosen = [
        name for name in _NAMES if name.kind is not NameKind.EXACT or name.text in (*names, "nobody did")
    ]
    which = st.one_of([_events(schema, name, now_us) for name in chosen])
    past = windows(now_us, is_past_only=True)
    counts = st.sampled_from(
        [CountRange(*ends) for ends in ((1, None), (0, 0), (0, 1), (2, None), (2, 2), (1, 3), (0, None))]
    )
    within = st.sampled_from((*DURATIONS, Duration(0, Unit.SECONDS)))
    shapes = st.sampled_from(((False, False), (True, False), (True, True)))
    return {
        tree.Did: st.builds(tree.Did, which, counts, st.none() | past),
        tree.Aggregate: _aggregates(schema, now_us),
        tree.ActiveDays: st.builds(_active_days, which, counts, st.none() | past, zones()),
        tree.Frequency: _frequencies(which, counts),
        tree.FirstTime: st.builds(tree.FirstTime, which, past),
        tree.LastPerformed: st.one_of([_last_performed(schema, name, now_us) for name in chosen]),
        tree.Sequence: st.builds(_sequence, which, which, within, shapes, st.none() | past),
    }


def _sequence(
    first: Events, then: Events, within: Duration, shape: tuple[bool, bool], window: Window | None
) -> Condition:
    is_negated, is_matured = shape
    return tree.Sequence(first, then, within, is_negated, is_matured, window)


def _active_days(which: Events, count: CountRange, window: Window | None, zone: str | None) -> Condition:
    """A calendar window is of the same zone as the days."""
    own = window.zone if isinstance(window, Calendar | CalendarLast) else zone
    return tree.ActiveDays(which, count, window, own)


def _frequencies(which: SearchStrategy[Events], counts: SearchStrategy[CountRange]) -> Leaf:
    shares = st.sampled_from(((1, 1), (1, 2), (2, 2), (2, 3), (1, 4), (3, 4), (0, 1)))
    spans = st.builds(_frequency, which, counts, st.sampled_from(DURATIONS), shares, st.none())
    return spans | st.builds(_frequency, which, counts, st.sampled_from(CalendarUnit), shares, zones())


def _frequency(
    which: Events,
    count: CountRange,
    period: Duration | CalendarUnit,
    share: tuple[int, int],
    zone: str | None,
) -> Condition:
    return tree.Frequency(which, count, period, *share, zone)


def _last_performed(schema: Schema, name: EventName, now_us: int) -> Leaf:
    return st.builds(
        tree.LastPerformed, _events(schema, name, now_us), event_conditions(schema, name, now_us)
    )
