"""The waterfall: its sums telescope, unique contributions are those of leaving one element out, exclusion wins."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine import bitmaps
from headcount_engine.audiences.request import (
    AudienceRequest,
    ByAttribute,
    BySample,
    FrequencyCap,
    Holdout,
    StageKind,
)
from headcount_engine.audiences.waterfall import Stage, Step, fall
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import (
    Bucket,
    Condition,
    CountRange,
    Did,
    EventName,
    Events,
    HasChannel,
    HasConsent,
    Known,
)
from headcount_engine.conditions.windows import Duration, Unit, WithinLast
from headcount_engine.database import Database
from headcount_engine.errors import DeadlineExceeded, InvalidArgument, InvalidRule, LimitExceeded
from headcount_engine.model.answers import NO_DEADLINE, Deadline
from headcount_engine.model.values import Date, Instant
from headcount_engine.sending import AudienceAnswer
from tests.agreement.driving import Driven, played, rules
from tests.audiences.crowds import crowd, database_of
from tests.oracle.evaluate import members
from tests.oracle.strategies import SCHEMA
from tests.oracle.world import Refused, World

KINDS = [
    StageKind.EXCLUDE, StageKind.KNOWN, StageKind.CHANNEL, StageKind.CONSENT, StageKind.SUPPRESSION,
    StageKind.FREQUENCY_CAP, StageKind.HOLDOUT,
]  # fmt: skip


def telescoped(stages: tuple[Stage, ...]) -> int:
    """What adding and taking away stage by stage comes to; every line's remainder is checked on the way."""
    left = 0
    for stage in stages:
        left += stage.changed if stage.kind is StageKind.INCLUDE else -stage.changed
        assert left == stage.remaining
    return left


# ------------------------------------------------------------------------------------------- the arithmetic alone


@dataclass(frozen=True)
class Plain:
    """A step over a plain set."""

    kind: StageKind
    members: frozenset[int]
    is_kept: bool


def by_hand(steps: list[Plain]) -> set[int]:
    """Who is left before the limit."""
    left = {i for step in steps if step.kind is StageKind.INCLUDE for i in step.members}
    for step in steps:
        if step.kind is not StageKind.INCLUDE:
            left = {i for i in left if (i in step.members) == step.is_kept}
    return left


SETS = st.frozensets(st.sampled_from([*range(12), 65_535, 65_536, 200_000]))
STEPS = st.tuples(
    st.lists(st.builds(Plain, st.just(StageKind.INCLUDE), SETS, st.just(False)), min_size=1, max_size=5),
    st.lists(st.builds(Plain, st.sampled_from(KINDS), SETS, st.booleans()), max_size=6),
).map(lambda parts: [*parts[0], *parts[1]])


@given(STEPS, st.integers(0, 12))
@settings(max_examples=150)
def test_each_line_is_what_leaving_its_element_out_changes(steps: list[Plain], limit: int) -> None:
    sets = [
        Step(s.kind, "", bitmaps.from_ids(np.array(sorted(s.members), dtype=np.int64)), s.is_kept)
        for s in steps
    ]
    left, stages = fall(sets, limit, "the limit", NO_DEADLINE)

    def whole(part: list[Plain], cap: int = limit) -> int:
        size = len(by_hand(part))
        return min(size, cap) if cap else size

    assert set(left) == by_hand(steps)
    assert telescoped(stages) == whole(steps)
    for place, step in enumerate(steps):
        without = whole(steps[:place] + steps[place + 1 :])
        expected = whole(steps) - without if step.kind is StageKind.INCLUDE else without - whole(steps)
        assert stages[place].unique == expected
        before = [] if place == 0 else by_hand(steps[:place])
        assert stages[place].changed == abs(len(by_hand(steps[: place + 1])) - len(before))
    assert len(stages) == len(steps) + (limit > 0)
    if limit:
        assert stages[-1] == Stage(
            StageKind.LIMIT,
            "the limit",
            whole(steps),
            whole(steps, 0) - whole(steps),
            whole(steps, 0) - whole(steps),
        )


def test_the_deadline_is_looked_at_between_steps() -> None:
    step = Step(StageKind.INCLUDE, "", bitmaps.from_range(0, 10))
    with pytest.raises(DeadlineExceeded):
        fall([step], 0, "", Deadline(at_monotonic=0.0))


# ------------------------------------------------------------------------------------------ against the oracle


@st.composite
def requests(draw: st.DrawFn, now_us: int) -> AudienceRequest:
    """Everything that a request can hold, each part there or not."""

    def some(low: int, high: int) -> tuple[Condition, ...]:
        return tuple(draw(st.lists(rules(SCHEMA, now_us, 3), min_size=low, max_size=high)))

    cap = st.builds(
        FrequencyCap,
        st.sampled_from(["view", "buy", "`view *`", "any event", "buy where n > 0"]),
        st.integers(1, 2),
        st.sampled_from([86_400_000_000, 7 * 86_400_000_000, 3_600_000_000]),
    )
    holdout = st.builds(
        Holdout, st.sampled_from([Decimal("0.5"), Decimal("0.1")]), st.sampled_from(["", "spring"])
    )
    order = st.one_of(
        st.builds(BySample, st.sampled_from(["", "x"])),
        st.builds(ByAttribute, st.sampled_from(["n", "ratio", "money", "joined", "born"]), st.booleans()),
    )
    return AudienceRequest(
        includes=some(1, 3),
        excludes=some(0, 2),
        known=draw(st.sampled_from([None, None, True, False])),
        channel=draw(st.sampled_from(["", "email", "sms", "nobody has it"])),
        topic=draw(st.sampled_from(["", "in", "out", "nobody has heard of it"])),
        suppressions=some(0, 2),
        frequency_cap=draw(st.none() | cap),
        holdout=draw(st.none() | holdout),
        limit=draw(st.integers(0, 8)),
        order=draw(order),
    )


def lines(request: AudienceRequest) -> list[tuple[StageKind, Condition, bool]]:
    """The request as the specification's formula: (kind, rule, whether those in it stay)."""
    found: list[tuple[StageKind, Condition, bool]] = []
    for rule in request.includes:
        assert not isinstance(rule, str)
        found.append((StageKind.INCLUDE, rule, True))
    for rule in request.excludes:
        assert not isinstance(rule, str)
        found.append((StageKind.EXCLUDE, rule, False))
    if request.known is not None:
        found.append((StageKind.KNOWN, Known(), request.known))
    if request.channel:
        found.append((StageKind.CHANNEL, HasChannel(request.channel), True))
    if request.topic:
        found.append((StageKind.CONSENT, HasConsent(request.topic), True))
    for rule in request.suppressions:
        assert not isinstance(rule, str)
        found.append((StageKind.SUPPRESSION, rule, False))
    if request.frequency_cap is not None:
        found.append((StageKind.FREQUENCY_CAP, _cap(request.frequency_cap), False))
    if request.holdout is not None:
        held = Bucket(Decimal(0), request.holdout.fraction, request.holdout.salt)
        found.append((StageKind.HOLDOUT, held, False))
    return found


def _cap(cap: FrequencyCap) -> Condition:
    from headcount_engine.conditions.text import parse

    did = parse(f"did {cap.event}")
    assert isinstance(did, Did)
    return Did(
        did.events,
        CountRange(cap.max_count, None),
        WithinLast(Duration(cap.window_us // 1_000_000, Unit.SECONDS)),
    )


@dataclass(frozen=True)
class Line:
    """A line of the formula with those who are in its rule."""

    kind: StageKind
    members: set[str]
    stays: bool


def evaluated(world: World, request: AudienceRequest, now_us: int) -> list[Line]:
    """Raises Refused."""
    return [Line(kind, members(world, rule, now_us), stays) for kind, rule, stays in lines(request)]


def expected_keys(world: World, request: AudienceRequest, formula: list[Line]) -> set[str]:
    """Whom the formula gives."""
    left: set[str] = set()
    for line in formula:
        if line.kind is StageKind.INCLUDE:
            left |= line.members
        else:
            left = left & line.members if line.stays else left - line.members
    if request.limit:
        left = set(sorted(left, key=lambda key: _place(world, request, key))[: request.limit])
    return left


def _place(world: World, request: AudienceRequest, key: str) -> tuple[bool, float | Decimal, bytes]:
    """Where a limit takes a key."""
    raw = key.encode()
    match request.order:
        case BySample(salt):
            return False, int.from_bytes(hashlib.md5(raw + salt.encode()).digest()[:8], "big"), raw
        case ByAttribute(name, highest):
            cell = world.profiles[key].attributes.get(name)
            if cell is None:
                return True, 0, raw
            number = cell.us if isinstance(cell, Instant) else cell.days if isinstance(cell, Date) else cell
            assert isinstance(number, int | float | Decimal)
            return False, -number if highest else number, raw
        case other:
            assert_never(other)


def resolved(driven: Driven, request: AudienceRequest, now_us: int) -> tuple[set[str], AudienceAnswer]:
    sending = driven.database.sending
    answer = sending.resolve(request, at_us=now_us)
    keys = sending.keys(sending.handle(answer.name), 0, 1 << 20).to_list()
    assert len(keys) == len(set(keys)) == answer.size
    return set(keys), answer


def _agree(data: st.DataObject) -> None:
    scene = data.draw(played(profiles_max=25))
    driven, world = scene.driven(), scene.scene.world
    for request in data.draw(st.lists(requests(scene.now_us), min_size=3, max_size=3)):
        try:
            formula = evaluated(world, request, scene.now_us)
        except Refused:
            with pytest.raises(InvalidRule):
                driven.database.sending.resolve(request, at_us=scene.now_us)
            continue
        expected = expected_keys(world, request, formula)
        found, answer = resolved(driven, request, scene.now_us)
        assert found == expected
        assert telescoped(answer.waterfall) == len(expected)
        for place, line in enumerate(formula):
            without = expected_keys(world, request, formula[:place] + formula[place + 1 :])
            lost = len(expected) - len(without)
            assert answer.waterfall[place].unique == (lost if line.kind is StageKind.INCLUDE else -lost)
            assert line.kind is not StageKind.EXCLUDE or not found & line.members


@given(st.data())
@settings(max_examples=15)
def test_an_audience_is_what_the_oracle_says(data: st.DataObject) -> None:
    _agree(data)


@pytest.mark.long
@given(st.data())
@settings(max_examples=600)
def test_an_audience_is_what_the_oracle_says_of_many_more(data: st.DataObject) -> None:
    _agree(data)


# ------------------------------------------------------------------------------------------------ single promises


@pytest.fixture(scope="module")
def database() -> Database:
    return database_of(crowd(7, 400))


def test_exclusion_wins_over_any_number_of_includes(database: Database) -> None:
    request = AudienceRequest(["everyone", "pro = true", 'key = "p1"'], ['key = "p1"'])
    answer = database.sending.resolve(request)
    assert "p1" not in database.sending.keys(database.sending.handle(answer.name), 0, 1_000).to_list()
    assert answer.size == 399 == answer.waterfall[-1].remaining
    assert answer.waterfall[-1].unique == 1


def test_lines_say_what_they_stand_for(database: Database) -> None:
    request = AudienceRequest(
        ["pro   =   true"], ["age>40"], False, "email", "news", ['city = "x"'],
        FrequencyCap("view", 2, 7 * 86_400_000_000), Holdout(Decimal("0.1"), "s"), 10, ByAttribute("spent"),
    )  # fmt: skip
    answer = database.sending.resolve(request, validate_only=True)
    assert [(stage.kind.value, stage.text) for stage in answer.waterfall] == [
        ("include", "pro = true"),
        ("exclude", "age > 40"),
        ("known", "not known"),
        ("channel", "email"),
        ("consent", "news"),
        ("suppression", 'city = "x"'),
        ("frequency cap", "did view at least 2 times in last 7 days"),
        ("holdout", 'sample 10% salt "s"'),
        ("limit", "top 10 by spent"),
    ]
    assert answer.warnings


def test_looking_only_gives_the_waterfall_and_keeps_nothing(database: Database) -> None:
    before = database.sending.nbytes
    answer = database.sending.resolve(AudienceRequest(["everyone"]), validate_only=True)
    assert (answer.name, answer.expires_us, answer.size) == ("", 0, 400)
    assert database.sending.nbytes == before


def test_a_limit_takes_those_without_the_attribute_last(database: Database) -> None:
    ranked = database.count("spent exists").count
    answer = database.sending.resolve(
        AudienceRequest(["everyone"], limit=ranked + 5, order=ByAttribute("spent"))
    )
    handle = database.sending.handle(answer.name)
    taken = database.sending.keys(handle, 0, 1_000).to_list()
    without = sorted(
        (key for key in taken if not database.check(key, ["spent exists"]).results[0]), key=str.encode
    )
    everyone = database.keys_of(database.members("spent does not exist").ids).to_list()
    assert len(taken) == ranked + 5
    assert without == sorted(everyone, key=str.encode)[:5]


def test_the_same_salt_holds_out_the_same_people_whatever_stands_beside(database: Database) -> None:
    held = set(database.members('sample 30% salt "s"').ids.tolist())
    for rule in ("everyone", "pro = true", "age > 30"):
        answer = database.sending.resolve(AudienceRequest([rule], holdout=Holdout(Decimal("0.3"), "s")))
        ids = set(database.sending.ids(database.sending.handle(answer.name), 0, 1_000).tolist())
        assert ids == set(database.members(rule).ids.tolist()) - held


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (AudienceRequest([]), "includes"),
        (AudienceRequest(["everyone"], limit=-1), "limit"),
        (AudienceRequest(["everyone"], limit=1, order=ByAttribute("nope")), "limit_order"),
        (AudienceRequest(["everyone"], limit=1, order=ByAttribute("city")), "limit_order"),
        (AudienceRequest(["everyone"], holdout=Holdout(Decimal(0))), "holdout.fraction"),
        (AudienceRequest(["everyone"], holdout=Holdout(Decimal(1))), "holdout.fraction"),
        (AudienceRequest(["everyone"], frequency_cap=FrequencyCap("view", 0, 1_000_000)), "frequency_cap.max_count"),
        (AudienceRequest(["everyone"], frequency_cap=FrequencyCap("view", 1, 0)), "frequency_cap"),
        (AudienceRequest(["everyone"], frequency_cap=FrequencyCap("view", 1, -1_000_000)), "frequency_cap"),
        (AudienceRequest(["everyone"], frequency_cap=FrequencyCap("view", 1, 1)), "frequency_cap.window"),
        (AudienceRequest(["everyone"], frequency_cap=FrequencyCap("", 1, 1_000_000)), "frequency_cap"),
        (
            AudienceRequest(["everyone"], frequency_cap=FrequencyCap("view or everyone", 1, 1_000_000)),
            "frequency_cap.event_name",
        ),
        (
            AudienceRequest(["everyone"], frequency_cap=FrequencyCap("view in last 2 days", 1, 1_000_000)),
            "frequency_cap.event_name",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_field(
    database: Database, request_: AudienceRequest, path: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        database.sending.resolve(request_)
    assert refused.value.path == path


def test_too_many_rules_are_refused(database: Database) -> None:
    many = ["everyone"] * 100
    with pytest.raises(LimitExceeded, match="audience_rules"):
        database.sending.resolve(AudienceRequest(many, many, suppressions=["everyone"]))
    assert database.sending.resolve(AudienceRequest(many, many), validate_only=True).size == 0


def test_a_rule_that_is_wrong_is_refused_wherever_it_stands(database: Database) -> None:
    good = AudienceRequest(["everyone"])
    for bad in (
        replace(good, includes=["everyone", "nope = 1"]),
        replace(good, excludes=["nope = 1"]),
        replace(good, suppressions=['in segment "nope"']),
    ):
        with pytest.raises(InvalidRule):
            database.sending.resolve(bad)


def test_the_cap_counts_what_the_rule_language_counts(database: Database) -> None:
    cap = FrequencyCap("view", 2, 10 * 86_400_000_000)
    answer = database.sending.resolve(AudienceRequest(["everyone"], frequency_cap=cap), validate_only=True)
    rule = Did(Events(EventName("view")), CountRange(2, None), WithinLast(Duration(10, Unit.DAYS)))
    assert answer.waterfall[-1].text == to_text(rule)
    assert answer.size == 400 - database.count(rule).count > 0
