"""Retention: who ceased to match stays for a while, counted from the microsecond at which the rule ceased to hold."""

from __future__ import annotations

from random import Random

import pytest

from headcount_engine.changes.chunks import ChangeKind
from headcount_engine.changes.cursors import Position
from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.changes import Cause
from headcount_engine.model.segments import SegmentState
from headcount_engine.model.values import Instant, Kind
from tests.agreement.columns import column, events, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import MANUAL

DAY = 86_400_000_000
NOW = 20_000 * DAY


class Keeping:
    """A database with segments that keep people, asked by name."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.files = CrashFiles()
        self.database = self._open()
        self.plan(a="pro", b="free")

    def _open(self) -> Database:
        return Database.open(None, clock=self.clock, files=self.files, durability=MANUAL)

    def end(self, how: str) -> None:
        """Closed, killed, or killed after a checkpoint; then opened again."""
        if how == "closed":
            self.database.close()
        if how == "checkpoint":
            self.database.checkpoint()
        held = self.files.image(Random(1)) if how == "power" else self.files.process_ended()
        self.files = CrashFiles(held)
        self.database = self._open()

    def save(self, name: str, rule: str, days: float | None = None, *, unknown: bool = False) -> None:
        retention_us = None if days is None else round(days * DAY)
        self.database.create_segment(
            SegmentDraft(name, rule, name, retention_us=retention_us, retention_is_for_unknown=unknown)
        )

    def plan(self, **plans: str | None) -> None:
        self.database.write_profiles(profiles(list(plans), column("plan", Kind.TEXT, list(plans.values()))))

    def know(self, key: str) -> None:
        email = column("email", Kind.TEXT, [f"{key}@x"], is_identifier=True)
        self.database.write_profiles(profiles([key], email))

    def buy(self, key: str, time_us: int) -> None:
        self.database.write_events(events([key], "buy", [time_us]))

    def to(self, now_us: int, *, ticks: bool = True) -> None:
        self.clock.advance_to(now_us)
        if ticks:
            self.database.tick()

    def members(self, name: str) -> set[str]:
        """The live ones; asked afresh they must be the same."""
        database = self.database
        database.check_live()
        held = database.live.members(name)
        assert held is not None
        found = set(database.keys_of(database.members(f'in segment "{name}"').ids).to_list())
        again = set(
            database.keys_of(database.members(f'all of (in segment "{name}", everyone)').ids).to_list()
        )
        if database.live_now_us() == self.clock.now_us():
            assert found == again
        return found

    def told(self) -> list[tuple[str, str, str, Cause]]:
        """(segment, joined or left, key, cause) in order."""
        blocks = self.database._changes.log.read(Position(1), None, 1 << 20).blocks
        return [
            (block.segment, "joined" if block.kind is ChangeKind.JOINED else "left", key, Cause(cause))
            for block in blocks
            for key, cause in zip(
                self.database.keys_of(block.ids).to_list(), block.causes.tolist(), strict=True
            )
        ]


def test_who_is_taken_out_by_a_write_stays_from_that_writes_now_on() -> None:
    kept = Keeping()
    kept.save("pro", 'plan = "pro"', 2)
    kept.to(NOW + 5)
    kept.plan(a="free")
    assert kept.members("pro") == {"a"} and kept.told() == [("pro", "joined", "a", Cause.DEFINITION)]
    kept.to(NOW + 5 + 2 * DAY - 1)
    assert kept.members("pro") == {"a"}
    kept.to(NOW + 5 + 2 * DAY)
    assert kept.members("pro") == set()
    assert kept.told()[1:] == [("pro", "left", "a", Cause.CLOCK)]


@pytest.mark.parametrize("late_us", [0, 1, DAY, 2 * DAY - 1])
def test_who_is_taken_out_by_the_clock_stays_from_that_microsecond_on_however_late_the_tick(
    late_us: int,
) -> None:
    kept = Keeping()
    kept.save("recent", "did buy in last 1 days", 2)
    kept.buy("a", NOW)
    kept.to(NOW + DAY + late_us)
    assert kept.members("recent") == {"a"}
    kept.to(NOW + 3 * DAY - 1)
    assert kept.members("recent") == {"a"}
    kept.to(NOW + 3 * DAY)
    assert kept.members("recent") == set()


def test_a_tick_that_comes_after_all_of_it_lets_go_at_once() -> None:
    """Who ceased to match and was over its time within one tick was kept for ever."""
    kept = Keeping()
    kept.save("recent", "did buy in last 1 days", 2)
    kept.buy("a", NOW)
    kept.to(NOW + 90 * DAY)
    assert kept.members("recent") == set()
    assert kept.told() == [("recent", "joined", "a", Cause.EVENT), ("recent", "left", "a", Cause.CLOCK)]


def test_a_write_does_not_change_when_the_clock_had_ended_a_match() -> None:
    """The instant was worked out with the data of the write that brought the clock along."""
    kept = Keeping()
    kept.save("recent", 'did buy in last 1 days and plan = "pro"', 2)
    kept.buy("a", NOW)
    kept.to(NOW + 2 * DAY, ticks=False)
    kept.plan(a="free")
    assert kept.members("recent") == {"a"}
    kept.buy("a", NOW + DAY // 2)
    kept.to(NOW + 3 * DAY - 1)
    assert kept.members("recent") == {"a"}
    kept.to(NOW + 3 * DAY)
    assert kept.members("recent") == set()


def test_matching_again_ends_the_countdown() -> None:
    kept = Keeping()
    kept.save("pro", 'plan = "pro"', 2)
    kept.plan(a="free")
    kept.to(NOW + DAY)
    kept.plan(a="pro")
    kept.to(NOW + 3 * DAY)
    assert kept.members("pro") == {"a"}
    kept.plan(a="free")
    kept.to(NOW + 5 * DAY - 1)
    assert kept.members("pro") == {"a"}
    kept.to(NOW + 5 * DAY)
    assert kept.members("pro") == set()
    assert [t[1] for t in kept.told()] == ["joined", "left"]


def test_only_the_unknown_are_kept_where_it_says_so() -> None:
    kept = Keeping()
    kept.save("pro", 'plan = "pro"', 2, unknown=True)
    kept.plan(b="pro", c="pro")
    kept.know("c")
    kept.plan(a="free", b="free", c="free")
    assert kept.members("pro") == {"a", "b"}
    kept.know("a")
    assert kept.members("pro") == {"b"}
    assert ("pro", "left", "a", Cause.ATTRIBUTE) in kept.told()
    kept.to(NOW + 2 * DAY)
    assert kept.members("pro") == set()


@pytest.mark.parametrize("how", ["defined", "restarted"])
def test_those_who_are_known_already_are_not_kept_either(how: str) -> None:
    """Identifiers were not looked at when a segment was made or found again whose rule reads none."""
    kept = Keeping()
    kept.know("a")
    kept.save("pro", 'plan = "pro"', 2, unknown=True)
    if how == "restarted":
        kept.end("killed")
    kept.plan(a="free")
    assert kept.members("pro") == set()


def test_an_edited_rule_keeps_nobody_by_itself_and_ends_countdowns_of_those_it_matches() -> None:
    kept = Keeping()
    kept.save("s", 'plan = "pro"', 2)
    kept.plan(a="free")
    kept.database.update_segment("s", SegmentChanges(rule='plan = "free"'))
    assert kept.members("s") == {"a", "b"}
    kept.to(NOW + 3 * DAY)
    assert kept.members("s") == {"a", "b"}
    kept.plan(a="pro")
    kept.to(NOW + 5 * DAY - 1)
    assert kept.members("s") == {"a", "b"}
    kept.database.update_segment("s", SegmentChanges(rule='plan = "none"'))
    assert kept.members("s") == {"a"}
    kept.to(NOW + 5 * DAY)
    assert kept.members("s") == set()


def test_an_edited_rule_ends_the_countdown_in_segments_that_refer_to_it() -> None:
    kept = Keeping()
    kept.save("inner", 'plan = "pro"')
    kept.save("outer", 'in segment "inner"', 2)
    kept.plan(a="free")
    kept.to(NOW + DAY)
    kept.database.update_segment("inner", SegmentChanges(rule='plan in ("pro", "free")'))
    assert kept.members("outer") == {"a", "b"}
    kept.to(NOW + 2 * DAY)
    assert kept.members("outer") == {"a", "b"}
    kept.plan(a="none")
    kept.to(NOW + 4 * DAY - 1)
    assert kept.members("outer") == {"a", "b"}
    kept.to(NOW + 4 * DAY)
    assert kept.members("outer") == {"b"}


def test_another_length_counts_from_the_same_instant() -> None:
    kept = Keeping()
    kept.save("pro", 'plan = "pro"', 4)
    kept.plan(a="free")
    kept.to(NOW + 2 * DAY)
    kept.database.update_segment("pro", SegmentChanges(retention_us=3 * DAY))
    assert kept.members("pro") == {"a"}
    kept.database.update_segment("pro", SegmentChanges(retention_us=DAY))
    assert kept.members("pro") == set()
    kept.database.update_segment("pro", SegmentChanges(retention_us=30 * DAY))
    assert kept.members("pro") == set()
    kept.plan(b="pro")
    kept.plan(b="free")
    kept.database.update_segment("pro", SegmentChanges(retention_us=0))
    assert kept.members("pro") == set()
    assert kept.told()[-1] == ("pro", "left", "b", Cause.DEFINITION)


def test_pausing_keeps_those_who_are_in_and_going_on_lets_them_go() -> None:
    kept = Keeping()
    kept.save("recent", "did buy in last 1 days", 2)
    kept.buy("a", NOW)
    kept.to(NOW + DAY + 1, ticks=False)
    kept.database.update_segment("recent", SegmentChanges(state=SegmentState.PAUSED))
    kept.to(NOW + 9 * DAY)
    assert kept.members("recent") == {"a"}
    kept.database.update_segment("recent", SegmentChanges(state=SegmentState.LIVE))
    assert kept.members("recent") == set()
    assert kept.told()[-1] == ("recent", "left", "a", Cause.DEFINITION)


@pytest.mark.parametrize("how", ["closed", "killed", "checkpoint", "power"])
def test_who_is_kept_since_when_survives_a_restart(how: str) -> None:
    kept = Keeping()
    kept.save("recent", "did buy in last 1 days", 4)
    kept.save("pro", 'plan = "pro"', 4)
    kept.buy("a", NOW)
    kept.to(NOW + DAY + 7)
    assert kept.database.live.members("recent")
    kept.plan(a="free")
    kept.plan(b="pro")
    kept.to(NOW + 2 * DAY, ticks=False)
    kept.end(how)
    assert kept.members("recent") == {"a"} and kept.members("pro") == {"a", "b"}
    kept.to(NOW + 5 * DAY - 1)
    assert kept.members("recent") == {"a"}
    kept.to(NOW + 5 * DAY)
    assert kept.members("recent") == set() and kept.members("pro") == {"a", "b"}
    kept.to(NOW + 5 * DAY + 7)
    assert kept.members("pro") == {"b"}


@pytest.mark.parametrize("how", ["closed", "killed", "power"])
def test_a_tick_in_which_somebody_only_comes_to_be_kept_is_in_the_log(how: str) -> None:
    """Nobody joined or left by it, so it was not written down; after the next commit and a crash they were out."""
    kept = Keeping()
    kept.save("recent", "did buy in last 1 days", 4)
    kept.buy("a", NOW)
    kept.to(NOW + DAY + 7)
    kept.to(NOW + DAY + 8)
    kept.plan(b="pro")
    kept.end(how)
    assert kept.members("recent") == {"a"}
    assert [t[:3] for t in kept.told()] == [("recent", "joined", "a")]


def test_an_erased_profile_is_kept_nowhere() -> None:
    kept = Keeping()
    kept.save("pro", 'plan = "pro"', 2)
    kept.plan(a="free")
    kept.database.erase_profile("a")
    assert kept.members("pro") == set()
    assert kept.told()[-1] == ("pro", "left", "", Cause.ERASURE)
    kept.to(NOW + 3 * DAY)
    assert kept.members("pro") == set()


def test_a_merge_leaves_the_survivors_countdown_and_drops_the_losers() -> None:
    kept = Keeping()
    kept.save("pro", 'plan = "pro"', 2)
    kept.plan(b="pro")
    kept.plan(a="free")
    kept.to(NOW + DAY)
    kept.plan(b="free")
    kept.database.merge_profiles("a", "b")
    assert kept.members("pro") == {"a"}
    kept.to(NOW + 2 * DAY)
    assert kept.members("pro") == set()


def test_a_survivor_whom_the_merge_takes_out_is_kept_from_then_on() -> None:
    kept = Keeping()
    kept.save("quiet", "never did buy", 2)
    kept.buy("b", NOW)
    kept.to(NOW + DAY)
    kept.database.merge_profiles("a", "b")
    assert kept.members("quiet") == {"a"}
    kept.to(NOW + 3 * DAY - 1)
    assert kept.members("quiet") == {"a"}
    kept.to(NOW + 3 * DAY)
    assert kept.members("quiet") == set()


@pytest.mark.parametrize("ticks", [True, False])
def test_retentions_add_up_along_references(ticks: bool) -> None:
    """In a late tick the outer one counted from when the inner rule ceased, not from when the inner retention ended."""
    kept = Keeping()
    kept.save("inner", "did buy in last 1 days", 2)
    kept.save("outer", 'in segment "inner"', 3)
    kept.save("others", 'not in segment "inner"')
    kept.buy("a", NOW)
    for days in (1, 3):
        kept.to(NOW + days * DAY, ticks=ticks)
    assert kept.members("outer") == {"a"}
    kept.to(NOW + 6 * DAY - 1)
    assert kept.members("outer") == {"a"} and kept.members("inner") == set()
    assert kept.members("others") == {"a", "b"}
    kept.to(NOW + 6 * DAY)
    assert kept.members("outer") == set()


def test_ranks_and_lists_of_a_rule_are_as_they_were_when_the_clock_ended_it() -> None:
    """Seen through this profile alone, it was at the top of everything."""
    kept = Keeping()
    kept.database.write_profiles(profiles(["a", "b"], column("n", Kind.INT, [1, 2])))
    kept.save("best", "did buy in last 2 days or (did buy in last 3 days and top 1 by n)", 2)
    kept.buy("a", NOW)
    kept.to(NOW + 3 * DAY + 1)
    kept.to(NOW + 4 * DAY - 1)
    assert kept.members("best") == {"a"}
    kept.to(NOW + 4 * DAY)
    assert kept.members("best") == set()


def test_dates_on_events_end_matches_at_their_microsecond_too() -> None:
    kept = Keeping()
    due = column("due", Kind.INSTANT, [Instant(NOW + DAY + 3)])
    kept.database.write_events(events(["a"], "book", [NOW], due))
    kept.save("soon", "did book where due in next 2 days", 2)
    assert kept.members("soon") == {"a"}
    kept.to(NOW + 2 * DAY)
    kept.to(NOW + 3 * DAY + 2)
    assert kept.members("soon") == {"a"}
    kept.to(NOW + 3 * DAY + 3)
    assert kept.members("soon") == set()


def test_a_rule_about_a_segment_counts_those_who_are_kept_between_two_ticks() -> None:
    """Nobody had noted yet that they ceased to match, and the rule did not find them any more."""
    kept = Keeping()
    kept.save("recent", "did buy in last 1 days", 2)
    kept.buy("a", NOW)
    kept.to(NOW + DAY + 1, ticks=False)
    assert kept.database.count('in segment "recent" and everyone').count == 1
    assert kept.database.check("a", ['in segment "recent" and everyone']).results == (True,)
    kept.to(NOW + 3 * DAY, ticks=False)
    assert kept.database.count('in segment "recent" and everyone').count == 0


def test_explain_says_who_is_kept_since_when_and_until_when() -> None:
    keeping = Keeping()
    keeping.save("pros", 'plan = "pro"', 2)
    keeping.clock.advance_to(NOW + 1_000)
    keeping.plan(a="free")
    told = keeping.database.explain("a", 'in segment "pros"').explanation
    assert told is not None and told.holds
    assert told.flips_at_us == NOW + 1_000 + 2 * DAY and told.is_flip_certain
    (kept,) = [part for part in told.tree.children if part.text == "kept by retention"]
    assert kept.holds and kept.actual == Instant(NOW + 1_000) and kept.flips_at_us == told.flips_at_us
    never = keeping.database.explain("b", 'in segment "pros"').explanation
    assert never is not None and "kept by retention" not in [part.text for part in never.tree.children]
    keeping.clock.advance_to(told.flips_at_us)
    over = keeping.database.explain("a", 'in segment "pros"').explanation
    assert over is not None and not over.holds
    assert "kept by retention" not in [part.text for part in over.tree.children]


def test_explain_keeps_only_the_unknown_where_retention_does() -> None:
    keeping = Keeping()
    keeping.know("b")
    keeping.plan(b="pro")
    keeping.save("pros", 'plan = "pro"', 2, unknown=True)
    keeping.clock.advance_to(NOW + 1_000)
    keeping.plan(a="free", b="free")
    for key, is_kept in (("a", True), ("b", False)):
        told = keeping.database.explain(key, 'in segment "pros"').explanation
        assert told is not None and told.holds is is_kept
        assert ("kept by retention" in [part.text for part in told.tree.children]) is is_kept


@pytest.mark.parametrize(
    "rule",
    [
        "did buy between 1 and 2 hours ago",
        "did buy yesterday",
        "did buy in last 5 hours and not did buy in last 3 hours",
        "due in next 2 hours",
        "due between 1 and 2 days ago",
        "due anniversary today",
        "due anniversary in next 2 days",
        "did book where due in next 2 hours",
        'not in segment "first" and did buy in last 30 hours',
        "did buy then not book within 1 hours in last 12 hours",
        "same due (did book in last 2 hours)",
    ],
)
@pytest.mark.parametrize("late_hours", [7, 31, 24 * 9])
def test_who_came_and_went_between_two_ticks_is_kept_as_if_somebody_had_looked(
    rule: str, late_hours: int
) -> None:
    """One database is looked at every half hour, the other once: the same people are kept, and to the microsecond."""
    hour = DAY // 24
    often, once = Keeping(), Keeping()
    for keeping in (often, once):
        due = [Instant(NOW + i * 5 * hour + 1_234_567) for i in range(6)]
        keys = [f"p{i}" for i in range(6)]
        keeping.database.write_profiles(profiles(keys, column("due", Kind.INSTANT, due)))
        times = [NOW + i * 2 * hour + 7 for i in range(6)]
        keeping.database.write_events(events(keys, "buy", times))
        keeping.database.write_events(events(keys[::-1], "book", times, column("due", Kind.INSTANT, due)))
        keeping.save("first", "did buy in last 1 hours", 5 / 24)
        keeping.save("second", rule, 12)
        keeping.save("third", 'in segment "second" and not did buy in last 1 hours', 1.5)
    for half_hours in range(2 * late_hours + 1):
        often.clock.advance_to(NOW + half_hours * hour // 2)
        often.database.tick()
    once.clock.advance_to(NOW + late_hours * hour)
    once.database.tick()
    for name in ("first", "second", "third"):
        kept = [keeping.database._catalogue.retention.of(name) for keeping in (often, once)]
        assert often.database.live.members(name) == once.database.live.members(name), name
        ends_us = NOW + late_hours * hour - {"first": 5 * hour, "second": 12 * DAY, "third": 36 * hour}[name]
        still = [dict(zip(k.ids.tolist(), k.since_us.tolist(), strict=True)) for k in kept]
        assert {i: us for i, us in still[0].items() if us > ends_us} == still[1], name
