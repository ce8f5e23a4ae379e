"""Two conditions about one thing, in worlds that are full of what lies at their edges: what is proved holds there.

Random scenes rarely have the one profile that gives a wrong proof away. Here every value of the pools is somebody's,
and somebody did something at every instant of them.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headcount_engine.conditions import tree
from headcount_engine.conditions.tree import (
    Condition,
    EventName,
    Events,
    Fold,
    Function,
    NameKind,
    Op,
    SetOp,
    TextOp,
)
from headcount_engine.conditions.windows import (
    Calendar,
    CalendarLast,
    CalendarUnit,
    Duration,
    Shift,
    Unit,
    WithinLast,
)
from headcount_engine.logic.relations import Proofs, Relation
from headcount_engine.model.values import Cell, Kind, Number, Text, ValueType
from tests.agreement.evaluated import LEAST_INT64
from tests.agreement.test_random_rules import ASIDE
from tests.logic.schemas import proofs
from tests.oracle.changes import Schema, Track, Upsert
from tests.oracle.condition_strategies import event_conditions, event_leaves, value_leaves
from tests.oracle.evaluate import members
from tests.oracle.leaves import value_holds
from tests.oracle.pools import NOWS, TEXTS, VERSIONS, cells, instants, windows
from tests.oracle.strategies import MIXED_SCHEMA, SCHEMA
from tests.oracle.world import Refused, World

EVENTS = ("view", "view item", "buy")
NAMES = (
    EventName("buy"), EventName("view"), EventName("view", NameKind.PREFIX), EventName("", NameKind.ANY),
)  # fmt: skip
SCHEMAS = pytest.mark.parametrize(
    "schema", [SCHEMA, MIXED_SCHEMA], ids=["one type a property", "mixed types"]
)


def taken(type_: ValueType, name: str, now_us: int) -> list[Cell]:
    """The pool without what the engine refuses as a value."""
    return [cell for cell in cells(type_, name, now_us) if cell != LEAST_INT64]


@cache
def of_values(schema: Schema, now_us: int) -> World:
    """Every value of every attribute's pool, and nobody's: changed at instants of the pool too."""
    pools = {name: taken(type_, name, now_us) for name, type_ in schema.attribute_types.items()}
    past = [us for us in instants(now_us) if us <= now_us]
    changes = [
        Upsert(
            f"p{i}",
            {name: pool[i] for name, pool in pools.items() if i < len(pool)},
            now_us=past[i % len(past)],
        )
        for i in range(max(map(len, pools.values())) + 1)
    ]
    return schema.world(changes)


@cache
def of_events(schema: Schema, now_us: int) -> World:
    """Someone with an event at each instant of the pool; others with two or three at any."""
    chance, pool = Random(now_us), instants(now_us)
    changes = []
    for i, us in enumerate(pool):
        name = EVENTS[i % 3]
        times = [us] if i % 3 < 2 else [us, *chance.choices(pool, k=chance.randint(0, 2))]
        for time_us in times:
            own = [(p, type_) for (event, p), type_ in schema.property_types.items() if event == name]
            properties = {
                p: chance.choice(taken(type_, p, now_us)) for p, type_ in own if chance.random() < 0.8
            }
            changes.append(Track(f"p{i}", name, time_us, properties, now_us=now_us))
    return schema.world(changes)


@SCHEMAS
@given(st.data())
@settings(max_examples=100)
def test_two_conditions_on_one_attribute(schema: Schema, data: st.DataObject) -> None:
    now_us = data.draw(st.sampled_from(NOWS))
    name = data.draw(st.sampled_from(sorted(schema.attribute_types)))
    is_tracked = name in schema.tracked
    leaves = value_leaves(name, schema.attribute_types[name], now_us, is_tracked=is_tracked)
    by_kind = {kind: st.one_of([leaf for own, leaf in leaves if own is kind]) for kind, _ in leaves}
    kinds = data.draw(st.lists(st.sampled_from(sorted(by_kind, key=str)), min_size=1, max_size=2))
    one, other = (data.draw(by_kind[kinds[i % len(kinds)]]) for i in range(2))
    aside = data.draw(st.sampled_from(ASIDE))
    assert_twins_hold(schema, of_values(schema, now_us), one, other, now_us + aside)


@st.composite
def counts(draw: DrawFn, schema: Schema, now_us: int) -> Condition:
    """Counts, days and different values of a few kinds of events; amounts and other leaves of them now and then."""
    name = draw(st.sampled_from(NAMES))
    where = draw(st.none() | event_conditions(schema, name, now_us))
    window = draw(st.none() | windows(now_us, is_past_only=True) | windows(now_us, is_past_only=True))
    count = draw(st.builds(tree.CountRange, st.integers(1, 2), st.none() | st.integers(2, 3)))
    return draw(
        st.sampled_from(
            (
                tree.Did(Events(name, where), count, window),
                tree.Did(Events(name), tree.AT_LEAST_ONCE, window),
                tree.ActiveDays(Events(name), count, window, getattr(window, "zone", None)),
            )
        )
    )


@SCHEMAS
@given(st.data())
@settings(max_examples=60)
def test_two_counts_of_events(schema: Schema, data: st.DataObject) -> None:
    now_us = data.draw(st.sampled_from(NOWS))
    others = event_leaves(schema, now_us, EVENTS)
    leaf = counts(schema, now_us)
    one = data.draw(leaf)
    other = data.draw(leaf | st.one_of(list(others.values())))
    assert_twins_hold(schema, of_events(schema, now_us), one, other, now_us)


@st.composite
def amounts(draw: DrawFn, schema: Schema, now_us: int) -> tuple[Condition, Condition]:
    """Two tests of one amount, or of how many different values there are."""
    aggregates = event_leaves(schema, now_us, EVENTS)[tree.Aggregate]
    one, other = draw(aggregates), draw(aggregates)
    assert isinstance(one, tree.Aggregate) and isinstance(other, tree.Aggregate)
    fits = one.property == other.property
    return one, tree.Aggregate(
        one.function, one.events, one.property, other.test if fits else one.test, one.window
    )


@SCHEMAS
@given(st.data())
@settings(max_examples=30)
def test_two_tests_of_one_amount(schema: Schema, data: st.DataObject) -> None:
    now_us = data.draw(st.sampled_from(NOWS))
    one, other = data.draw(amounts(schema, now_us))
    try:
        assert_twins_hold(schema, of_events(schema, now_us), one, other, now_us)
    except Refused:
        return


SAID = ("", "a", "ann", "Ann", "anna", "caf\u00e9", "CAFE", "1.2.3", "v1.3")
"""Texts that conditions name; the pool has these and others."""


def _text_leaves(name: str, kind: Kind) -> list[Condition]:
    pairs = [(text, fold) for text in SAID for fold in Fold]
    found: list[Condition] = [tree.Exists(name), tree.IsEmpty(name)]
    found += [tree.Compare(name, op, Text(text), fold) for text, fold in pairs for op in (Op.EQ, Op.NE)][::3]
    literal_ops = (TextOp.CONTAINS, TextOp.STARTS_WITH, TextOp.ENDS_WITH)
    patterns = [tree.TextMatch(name, op, text, fold) for text, fold in pairs for op in literal_ops]
    found += patterns[::2]
    found += [tree.TextMatch(name, TextOp.GLOB, "a*"), tree.TextMatch(name, TextOp.MATCHES, "n$", Fold.CASE)]
    found += [tree.Semver(name, op, version) for op in Op for version in ("1.2.3", "1.3.0")]
    found += [tree.Semver(name, Op.EQ, "~1.2.0"), tree.Semver(name, Op.NE, "^1.2.3")]
    if kind is Kind.TEXT_SET:
        wanted = [("a",), ("a", "ann"), ("ann", "a", "anna")]
        found += [tree.SetMatch(name, op, values) for op in SetOp for values in wanted]
        found += [tree.SizeCompare(name, op, size) for op in Op for size in (0, 1, 2)]
        found.append(tree.SetMatch(name, SetOp.EXACTLY, ()))
    return found


@pytest.mark.parametrize("name", ["name", "interests"])
def test_every_two_conditions_on_texts(name: str) -> None:
    """All pairs, not some: patterns and folds have too much to do with each other for chance."""
    kind = SCHEMA.attribute_types[name].kind
    texts = sorted({*SAID, *TEXTS, *VERSIONS, "annan", "xann", "cafe"})
    held: list[Cell | None] = [None, *texts]
    if kind is Kind.TEXT_SET:
        some = [frozenset(pair) for pair in combinations((*SAID, "annan", "xann"), 2)]
        held = [
            None,
            frozenset(),
            *(frozenset({text}) for text in texts),
            *some,
            frozenset({"a", "ann", "anna"}),
        ]
    leaves, world = _text_leaves(name, kind), SCHEMA.world([])
    members_of = [
        {str(i) for i, cell in enumerate(held) if value_holds(cell, leaf, world, 0, None)} for leaf in leaves
    ]
    proved = 0
    for (one, first), (other, second) in combinations(zip(leaves, members_of, strict=True), 2):
        found = proofs(SCHEMA, one, other)
        assert_related(found, first, second)
        proved += found.relation() is not None
    assert proved > 600, "a prover that proves nothing is never wrong"


def _event_leaves() -> list[Condition]:
    month, week = WithinLast(Duration(30, Unit.DAYS)), WithinLast(Duration(1, Unit.WEEKS))
    today, quarter = Calendar(Shift.THIS, CalendarUnit.DAY), CalendarLast(3, CalendarUnit.MONTH)
    above = [tree.Compare("amount", Op.GT, Number(limit)) for limit in (0, 5)]
    bought = [
        Events(NAMES[0], where) for where in (None, *above, tree.AllOf((above[1], tree.Exists("offer"))))
    ]
    counts = (tree.AT_LEAST_ONCE, tree.CountRange(2, None), tree.NEVER)
    found: list[Condition] = [
        tree.Did(Events(name), count, window)
        for name, count, window in product(NAMES, counts[:2], (None, month, week, today, quarter))
    ]
    found += [
        tree.Did(events, count, window) for events, count, window in product(bought, counts, (None, month))
    ]
    found += [tree.ActiveDays(events, count) for events, count in product(bought[:2], counts)]
    for function, limit in product(Function, (0, 1, 2)):
        if function in (Function.DISTINCT, Function.SUM, Function.MIN, Function.MAX, Function.LAST):
            for op in (Op.GE, Op.NE):
                found.append(
                    tree.Aggregate(function, bought[0], "n", tree.CompareTest(op, Number(limit)), month)
                )
    found += [tree.FirstTime(bought[0], month), tree.FirstTime(bought[0], week)]
    found.append(tree.LastPerformed(bought[1], above[1]))
    found += [
        tree.Sequence(bought[0], Events(NAMES[1]), Duration(1, Unit.DAYS), is_negated)
        for is_negated in (False, True)
    ]
    return list(dict.fromkeys(found))


def test_every_two_conditions_on_events() -> None:
    now_us, chance = NOWS[0], Random(5)
    pool = [us for us in instants(now_us) if us <= now_us]
    changes = []
    for i, us in enumerate(pool):
        for time_us in (us, *pool[i + 1 : i + 1 + i % 3]):
            name = chance.choice(("buy", "buy", *EVENTS))
            cells_of = {"amount": Decimal(chance.choice((-1, 0, 3, 7))), "n": chance.choice((-1, 0, 1, 2))}
            given = {"offer": "tea", **cells_of} if name == "buy" and chance.random() < 0.7 else {}
            changes.append(Track(f"p{i}", name, time_us, given, now_us=now_us))
    world, leaves = SCHEMA.world(changes), _event_leaves()
    members_of = [members(world, leaf, now_us) for leaf in leaves]
    proved = 0
    for (one, first), (other, second) in combinations(zip(leaves, members_of, strict=True), 2):
        found = proofs(SCHEMA, one, other)
        assert_related(found, first, second)
        proved += found.relation() is not None
    assert proved > 600, "a prover that proves nothing is never wrong"


def assert_twins_hold(schema: Schema, world: World, one: Condition, other: Condition, now_us: int) -> None:
    first, second = members(world, one, now_us), members(world, other, now_us)
    others = set(world.profiles) - second
    assert_related(proofs(schema, one, other), first, second)
    assert_related(proofs(schema, one, tree.Not(other)), first, others)
    assert_related(
        proofs(schema, tree.AnyOf((one, other)), tree.Not(one)), first | second, set(world.profiles) - first
    )


def assert_related(found: Proofs, first: set[str], second: set[str]) -> None:
    match found.relation():
        case Relation.EQUAL:
            assert first == second
        case Relation.CONTAINS:
            assert first >= second
        case Relation.CONTAINED:
            assert first <= second
        case Relation.DISJOINT:
            assert not first & second
