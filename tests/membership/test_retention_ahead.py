"""What is said today of the retention of tomorrow is what comes: by explain, and by questions at another instant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import LimitExceeded
from headcount_engine.model.answers import Measured, SegmentChanges, SegmentDraft
from headcount_engine.model.batches import Texts
from headcount_engine.model.segments import SegmentState
from headcount_engine.model.values import Instant, Kind
from tests.agreement.columns import column, events, profiles

SECOND = 1_000_000
NOW = 20_000 * 86_400 * SECOND
KEYS = ("a", "b", "c")


class Scene:
    """Events come and windows end at whole seconds, so that looking at these is looking at every instant."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.database = Database.open(None, clock=self.clock)
        empty = [None] * len(KEYS)
        self.database.write_profiles(
            profiles(KEYS, column("n", Kind.INT, [0] * len(KEYS)), column("due", Kind.INSTANT, empty))
        )
        self.zing("c", -100)

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def save(self, name: str, rule: str, seconds: int | None = None, *, unknown: bool = False) -> None:
        retention_us = None if seconds is None else seconds * SECOND
        self.database.create_segment(
            SegmentDraft(name, rule, name, retention_us=retention_us, retention_is_for_unknown=unknown)
        )

    def zing(self, key: str, ahead: int = 0) -> None:
        self.database.write_events(events([key], "zing", [self.now_us + ahead * SECOND]))

    def put(self, key: str, n: int, due: int | None = None) -> None:
        at = None if due is None else Instant(self.now_us + due * SECOND)
        self.database.write_profiles(
            profiles([key], column("n", Kind.INT, [n]), column("due", Kind.INSTANT, [at]))
        )

    def know(self, key: str) -> None:
        email = column("email", Kind.TEXT, [f"{key}@x"], is_identifier=True)
        self.database.write_profiles(profiles([key], email))

    def step(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.clock.advance_to(self.now_us + SECOND)
            self.database.tick()

    def to(self, now_us: int) -> None:
        self.clock.advance_to(now_us)
        self.database.tick()

    def holds(self, key: str, rule: str, at_us: int | None = None) -> bool:
        return self.database.check(key, [rule], at_us=at_us).results[0]

    def flip_us(self, key: str, rule: str) -> int | None:
        found = self.database.explain(key, rule).explanation
        assert found is not None and found.is_flip_certain
        assert found.holds is self.holds(key, rule)
        return found.flips_at_us

    def members(self, rule: str, at_us: int | None = None) -> set[str]:
        """As a set; one by one they must be the same."""
        database = self.database
        found = set(database.keys_of(database.members(rule, at_us=at_us).ids).to_list())
        assert found == {key for key in KEYS if self.holds(key, rule, at_us)}
        answer = database.check_many(Texts.of(list(KEYS)), [rule], at_us=at_us)
        assert found == {key for key, held in zip(KEYS, answer.results[:, 0].tolist(), strict=True) if held}
        return found


# ------------------------------------------------------------------------------------------------ explain


@pytest.mark.parametrize(
    "form", ["{}", "not {}", "{} and n = 0", "none of ({}, n = 1)", "at least 1 of ({}, n = 1)"]
)
def test_a_member_leaves_a_retention_after_the_rule_ceases(form: str) -> None:
    """It was told for the instant at which the rule ceases, until the countdown ran."""
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20)
    scene.zing("a")
    rule = form.format('in segment "ret"')
    end_us = NOW + 23 * SECOND
    assert scene.flip_us("a", rule) == end_us
    before = scene.holds("a", rule)
    for _ in range(4):
        scene.step()
        assert scene.flip_us("a", rule) == end_us
    scene.to(end_us - 1)
    assert scene.holds("a", rule) is before and scene.flip_us("a", rule) == end_us
    scene.to(end_us)
    assert scene.holds("a", rule) is not before and scene.flip_us("a", rule) is None


def test_who_matches_again_while_kept_stays_for_longer() -> None:
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20)
    scene.zing("a")
    scene.zing("a", 10)
    assert scene.flip_us("a", 'in segment "ret"') == NOW + 33 * SECOND


def test_only_the_unknown_are_told_to_stay_where_it_says_so() -> None:
    """Nobody was kept when the rule was read, so identifiers were not looked at, then nor later."""
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20, unknown=True)
    rule = 'in segment "ret" and n = 0'
    scene.know("b")
    assert scene.members(rule) == set()
    scene.zing("a")
    scene.zing("b")
    assert scene.flip_us("a", rule) == NOW + 23 * SECOND
    assert scene.flip_us("b", rule) == NOW + 3 * SECOND
    scene.step(4)
    assert scene.members(rule) == {"a"}


def test_a_draft_keeps_nobody() -> None:
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20)
    scene.database.update_segment("ret", SegmentChanges(state=SegmentState.DRAFT))
    scene.zing("a")
    assert scene.flip_us("a", 'in segment "ret"') == NOW + 3 * SECOND


def test_what_others_do_first_is_not_told_for_certain() -> None:
    """A rank inside a rule turns with the events of everybody in it; only the profile's own were looked at."""
    scene = Scene()
    scene.zing("a")
    rule = "top 1 by n of (did zing in last 3 seconds)"
    found = scene.database.explain("a", rule).explanation
    assert found is not None and found.holds
    assert (found.flips_at_us, found.is_flip_certain) == (None, False)
    assert scene.flip_us("a", "top 1 by n of (n = 0)") is None


def nodes(tree: Measured) -> dict[str, Measured]:
    found = {tree.text: tree}
    for child in tree.children:
        found |= nodes(child)
    return found


def test_a_segment_without_a_list_says_nothing_of_lists() -> None:
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20)
    scene.zing("a")

    def parts() -> dict[str, Measured]:
        found = scene.database.explain("a", 'in segment "ret"').explanation
        assert found is not None
        return nodes(found.tree)

    assert list(parts()) == ['in segment "ret"', "did zing in last 3 seconds"]
    assert parts()['in segment "ret"'].flips_at_us == NOW + 23 * SECOND
    assert parts()["did zing in last 3 seconds"].flips_at_us == NOW + 3 * SECOND
    scene.step(5)
    kept = parts()["kept by retention"]
    assert (kept.actual, kept.flips_at_us) == (Instant(NOW + 3 * SECOND), NOW + 23 * SECOND)


RULES = [
    "did zing in last 3 seconds",
    "did zing at least 2 times in last 5 seconds",
    "never did zing in last 4 seconds",
    "did zing between 2 and 6 seconds ago",
    "due in last 4 seconds",
    "due in next 6 seconds",
    "n = 1",
    "n = 0 and did zing in last 6 seconds",
    "did zing then not zing within 3 seconds in last 8 seconds",
]
ASKED = [
    'in segment "s{0}"',
    'not in segment "s{0}"',
    'in segment "s{0}" and not in segment "s{1}"',
    'exactly 1 of (in segment "s{0}", in segment "s{1}", n = 1)',
]


def play(data: st.DataObject) -> Scene:
    """Three segments, of which later ones may refer to earlier ones, and some seconds in which things happen."""
    scene = Scene()
    for number in range(3):
        earlier = [f'in segment "s{i}"' for i in range(number)]
        parts = data.draw(st.lists(st.sampled_from([*RULES, *earlier]), min_size=1, max_size=2))
        joiner = data.draw(st.sampled_from([" and ", " or ", " and not "]))
        rule = joiner.join(f"({part})" for part in parts)
        scene.save(
            f"s{number}", rule, data.draw(st.none() | st.integers(1, 9)), unknown=data.draw(st.booleans())
        )
    for _ in range(data.draw(st.integers(0, 5))):
        key = data.draw(st.sampled_from(KEYS))
        match data.draw(st.integers(0, 4)):
            case 0 | 1:
                scene.zing(key, data.draw(st.integers(-6, 6)))
            case 2:
                scene.put(key, data.draw(st.integers(0, 1)), data.draw(st.none() | st.integers(-6, 8)))
            case 3:
                scene.know(key)
            case _:
                scene.step(data.draw(st.integers(1, 8)))
    return scene


def asked(data: st.DataObject) -> str:
    numbers = data.draw(st.lists(st.integers(0, 2), min_size=2, max_size=2))
    return data.draw(st.sampled_from(ASKED)).format(*numbers)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_answer_flips_exactly_at_the_instant_told_and_not_before(data: st.DataObject) -> None:
    """Brute force: the clock goes on through every instant at which anything can happen."""
    scene = play(data)
    told = [
        (key, rule, scene.holds(key, rule), scene.flip_us(key, rule))
        for key in KEYS
        for rule in (asked(data),)
    ]
    for _ in range(60):
        scene.step()
        for key, rule, holds, flips_at_us in told:
            if flips_at_us is None or scene.now_us <= flips_at_us:
                assert scene.holds(key, rule) is (holds is not (scene.now_us == flips_at_us)), (
                    rule,
                    flips_at_us,
                )


# ------------------------------------------------------------------------------------------------ another instant


def test_who_is_kept_is_counted_for_as_long_as_the_countdown_runs() -> None:
    """Whoever was kept now was counted at any instant, long before and long after."""
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20)
    scene.step(10)
    scene.zing("a")
    joined_us = scene.now_us
    scene.step(5)
    rule = 'in segment "ret"'

    def count(at_us: int) -> int:
        return scene.database.count(rule, at_us=at_us).count

    assert count(joined_us - 5 * SECOND) == 0
    assert count(joined_us + 2 * SECOND) == 1 and count(joined_us + 4 * SECOND) == 1
    assert count(joined_us + 23 * SECOND - 1) == 1
    assert count(joined_us + 23 * SECOND) == 0
    assert count(joined_us + 500 * SECOND) == 0


def test_who_ceases_to_match_by_the_clock_is_kept_at_an_instant_ahead() -> None:
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20)
    scene.zing("a")
    rule = 'in segment "ret"'
    for seconds, expected in ((2, 1), (3, 1), (22, 1), (23, 0), (500, 0)):
        answer = scene.database.count(rule, at_us=NOW + seconds * SECOND)
        assert answer.count == expected and not answer.warnings


def test_what_is_not_known_of_a_retention_is_said() -> None:
    scene = Scene()
    scene.save("ret", "did zing in last 3 seconds", 20)
    scene.zing("a")
    rule = 'in segment "ret"'
    past = scene.database.count(rule, at_us=NOW - SECOND)
    assert any("kept at the instant asked is known only" in warning for warning in past.warnings)
    scene.zing("b", 5)
    ahead = scene.database.count(rule, at_us=NOW + 15 * SECOND)
    assert any("not counted as staying" in warning for warning in ahead.warnings)
    assert not scene.database.count(rule, at_us=scene.now_us).warnings
    explained = scene.database.explain("a", rule, at_us=NOW - SECOND)
    assert explained.warnings == past.warnings
    assert explained.explanation is not None and not explained.explanation.is_flip_certain


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_an_instant_ahead_is_as_it_comes(data: st.DataObject) -> None:
    """Brute force, as above; where the answer says that somebody may be missing, nobody is too many."""
    scene = play(data)
    rules = [f'in segment "s{i}"' for i in range(3)] + [asked(data)]
    start_us = scene.now_us
    seconds = data.draw(st.lists(st.integers(0, 30), min_size=4, max_size=4))
    told = {}
    for rule in rules:
        for second in seconds:
            at_us = start_us + second * SECOND
            answer = scene.database.members(rule, at_us=at_us)
            told[rule, at_us] = scene.members(rule, at_us), bool(answer.warnings)
    for _ in range(31):
        for rule in rules:
            if (rule, scene.now_us) in told:
                found, is_partial = told[rule, scene.now_us]
                if not is_partial:
                    assert found == scene.members(rule), (rule, scene.now_us - start_us)
        scene.step()


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_explained_at_an_instant_ahead_an_answer_flips_when_it_will(data: st.DataObject) -> None:
    scene = play(data)
    rule, key = asked(data), data.draw(st.sampled_from(KEYS))
    at_us = scene.now_us + data.draw(st.integers(1, 12)) * SECOND
    answer = scene.database.explain(key, rule, at_us=at_us)
    found = answer.explanation
    assert found is not None
    if answer.warnings or not found.is_flip_certain:
        return
    while scene.now_us < at_us + 30 * SECOND:
        scene.step()
        if at_us <= scene.now_us and (found.flips_at_us is None or scene.now_us <= found.flips_at_us):
            assert scene.holds(key, rule) is (found.holds is not (scene.now_us == found.flips_at_us))


def test_segments_that_keep_one_after_another_are_refused_past_a_bound() -> None:
    """Every retention on the way asks for instants of its own."""
    scene = Scene()
    scene.save("s0", "did zing in last 3 seconds", 1)
    for number in range(1, 9):
        scene.save(f"s{number}", f'in segment "s{number - 1}"', 2**number)
    scene.zing("a")
    assert scene.members('in segment "s7"', NOW + 250 * SECOND) == {"a"}
    with pytest.raises(LimitExceeded):
        scene.members('in segment "s8"', NOW + 2_000 * SECOND)
