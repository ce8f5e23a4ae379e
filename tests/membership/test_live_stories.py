"""What live segments got wrong once, or easily would, told one by one."""

from __future__ import annotations

import pytest

from headcount_engine.changes.chunks import ChangeKind
from headcount_engine.changes.cursors import Position
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.schema import AttributeDefinition
from headcount_engine.model.segments import SegmentState
from headcount_engine.model.values import Date, Instant, Kind, ValueType
from tests.agreement.columns import MISSING, column, profiles
from tests.durability.crash_files import CrashFiles
from tests.membership.keeping import DAY, NOW, Kept


def test_a_window_that_nobody_used_for_a_while_is_where_it_should_be() -> None:
    """The ends of a window stood still while no segment counted in it; the next one to do so began there."""
    kept = Kept()
    kept.events(["a", "b", "b"], "buy", [NOW, NOW, NOW + 3 * DAY])
    kept.save(first="did buy at least 1 times in last 2 days")
    kept.database.delete_segment("first")
    kept.to(NOW + 4 * DAY)
    kept.save(second="did buy at least 1 times in last 2 days")
    assert kept.members("second") == {"b"}
    kept.to(NOW + 5 * DAY)
    assert kept.members("second") == set()


def test_two_windows_on_one_property_both_move() -> None:
    """Of two timed conditions on one property only the later one was followed."""
    kept = Kept()
    due = [Instant(NOW + 1 * DAY), Instant(NOW + 10 * DAY)]
    kept.events(["a", "b"], "book", [NOW, NOW], column("due", Kind.INSTANT, due))
    kept.save(
        either="did book where due in next 2 days or due between 3 and 4 days ago",
        other="did book where due between 3 and 4 days ago or due in next 2 days",
    )
    assert kept.members("either") == kept.members("other") == {"a"}
    for day in range(1, 18):
        kept.to(NOW + day * DAY)
        kept.members("either")
        kept.members("other")


def test_two_windows_on_one_attribute_inside_same_both_move() -> None:
    kept = Kept()
    due = [Instant(NOW + 1 * DAY), Instant(NOW + 10 * DAY)]
    kept.database.write_profiles(profiles(["a", "b"], column("due", Kind.INSTANT, due)))
    kept.events(["a", "b"], "view", [NOW, NOW], column("offer", Kind.TEXT, ["x", "y"]))
    kept.save(
        either="same offer (did view and (due in next 2 days or due between 3 and 4 days ago))",
        other="same offer (did view and (due between 3 and 4 days ago or due in next 2 days))",
    )
    for day in range(1, 18):
        kept.to(NOW + day * DAY)
        kept.members("either")
        kept.members("other")


def test_the_clock_finds_the_events_of_a_merged_profile_with_the_survivor() -> None:
    """Instants on events were kept with the profile that had the event first."""
    kept = Kept()
    due = [Instant(NOW + 5 * DAY)]
    kept.events(["loser"], "book", [NOW], column("due", Kind.INSTANT, due))
    kept.database.write_profiles(profiles(["survivor"]))
    soon = "did book where due in next 2 days"
    kept.save(soon=soon, none="days(book) = 0", not_soon=f"not ({soon})")
    kept.database.merge_profiles("survivor", "loser")
    kept.to(NOW + 4 * DAY)
    assert kept.members("soon") == {"survivor"}
    kept.to(NOW + 6 * DAY)
    assert kept.members("soon") == set()
    assert kept.members("none") == set() and kept.members("not_soon") == {"survivor"}


def test_an_erased_profile_is_not_found_again_by_the_instants_of_its_events() -> None:
    kept = Kept()
    due = [Instant(NOW + 5 * DAY)] * 2
    kept.events(["gone", "b"], "book", [NOW, NOW], column("due", Kind.INSTANT, due))
    kept.save(
        soon="did book where due in next 2 days", few="distinct(book.due where due in next 2 days) <= 3"
    )
    kept.database.erase_profile("gone")
    kept.to(NOW + 4 * DAY)
    assert kept.members("soon") == {"b"} and kept.members("few") == {"b"}


def test_a_merged_key_leads_to_its_survivor_in_rules_about_keys() -> None:
    """The survivor was asked before the loser's key led to it."""
    kept = Kept()
    kept.database.write_profiles(profiles(["a", "b", "c"]))
    kept.save(named='key in ("b", "c")')
    assert kept.members("named") == {"b", "c"}
    kept.database.merge_profiles("a", "b")
    assert kept.members("named") == {"a", "c"}


def test_time_that_a_killed_process_had_seen_is_gone_through_again() -> None:
    """The last now in the log was taken for the one that live segments had been brought to."""
    kept = Kept(CrashFiles())
    kept.events(["a"], "buy", [NOW])
    kept.save(recent="did buy in last 1 days")
    kept.clock.advance_to(NOW + 2 * DAY)
    kept.database._tell_now(kept.database._keeper.store)  # type: ignore[union-attr]
    assert kept.files is not None
    again = Kept(CrashFiles(kept.files.process_ended()), NOW + 2 * DAY)
    again.database.tick()
    assert again.members("recent") == set()


def test_an_emptied_counter_keeps_its_place_in_a_row_clean() -> None:
    """A counter's column is given to the next one, which must not find what the last one counted."""
    kept = Kept()
    kept.events(["a"] * 400 + ["b"], "buy", [NOW] * 401)
    kept.save(many="did buy at least 300 times")
    assert kept.members("many") == {"a"}
    kept.database.delete_segment("many")
    kept.save(clicks="did click at least 1 times")
    assert kept.members("clicks") == set()
    kept.events(["a", "b"], "click", [NOW, NOW])
    assert kept.members("clicks") == {"a", "b"}


def test_a_bit_of_an_atom_that_is_gone_is_not_taken_over() -> None:
    kept = Kept()
    kept.database.write_profiles(profiles(["a", "b", "c"], column("n", Kind.INT, [1, 2, 3])))
    for low in range(70):
        kept.save(s=f"n > {low % 4}")
        assert len(kept.members("s")) == max(0, 3 - low % 4)
        kept.database.update_segment("s", SegmentChanges(rule=f"n < {low % 4}"))
        assert len(kept.members("s")) == max(0, min(3, low % 4 - 1))
        kept.database.delete_segment("s")
    kept.save(s="n > 1", t="not n > 1")
    assert kept.members("s") == {"b", "c"} and kept.members("t") == {"a"}


def test_a_draft_has_no_members_in_the_stream_and_gets_them_when_it_goes_live() -> None:
    kept = Kept()
    kept.database.write_profiles(profiles(["a", "b"], column("n", Kind.INT, [1, 2])))
    kept.database.create_segment(SegmentDraft("s", "n > 1", "s", state=SegmentState.DRAFT))
    assert kept.database.live.members("s") is None and kept.database.live.size("s") is None
    kept.database.update_segment("s", SegmentChanges(state=SegmentState.LIVE))
    assert kept.members("s") == {"b"}
    kept.database.update_segment("s", SegmentChanges(state=SegmentState.DRAFT))
    assert kept.database.live.members("s") is None
    told = [(b.kind, len(b.ids)) for b in kept.database._changes.log.read(Position(1), None, 99).blocks]
    assert told == [(ChangeKind.JOINED, 1), (ChangeKind.LEFT, 1)]


def test_a_value_that_changed_before_its_segment_was_saved_ripens_all_the_same() -> None:
    kept = Kept()
    plan = AttributeDefinition("plan", ValueType(Kind.TEXT), is_tracked=True)
    kept.database.declare_attributes([plan])
    kept.save(early='plan has been "pro" for at least 2 days')
    kept.database.write_profiles(profiles(["a", "b"], column("plan", Kind.TEXT, ["pro", "free"])))
    kept.save(
        late='plan has been "pro" for at least 2 days', short='plan has been "pro" for less than 2 days'
    )
    assert kept.members("early") == kept.members("late") == set() and kept.members("short") == {"a"}
    kept.to(NOW + 2 * DAY - 1)
    assert kept.members("early") == set() and kept.members("short") == {"a"}
    kept.to(NOW + 2 * DAY)
    assert kept.members("early") == kept.members("late") == {"a"} and kept.members("short") == set()


@pytest.mark.parametrize("day", ["28 February", "29 February", "1 March"])
def test_who_was_born_on_29_february_has_a_birthday_every_year(day: str) -> None:
    """2023: on 1 March; 2024: on the day itself."""
    kept = Kept()
    born = {"28 February": -671, "29 February": -670, "1 March": -669}[day]  # of 1968
    kept.database.write_profiles(profiles(["a"], column("born", Kind.DATE, [Date(born)])))
    kept.save(today="born anniversary today", week="born anniversary in next 7 days")
    for ahead in range(30, 530, 1):
        kept.to(NOW + ahead * DAY)
        kept.members("today")
        kept.members("week")


def test_missing_values_never_come_due() -> None:
    kept = Kept()
    kept.database.write_profiles(
        profiles(["a", "b"], column("due", Kind.INSTANT, [Instant(NOW + DAY), MISSING]))
    )
    kept.save(soon="due in next 1 days", later="not due in next 1 days")
    assert kept.members("soon") == {"a"} and kept.members("later") == {"b"}
    kept.database.write_profiles(profiles(["a"], column("due", Kind.INSTANT, [None])))
    assert kept.members("soon") == set() and kept.members("later") == {"a", "b"}
    kept.to(NOW + 3 * DAY)
    assert kept.members("soon") == set() and kept.members("later") == {"a", "b"}


def test_a_counter_that_fills_while_its_profile_is_merged_away_leaves_nothing() -> None:
    """Events dated ahead come due in the very commit that merges; a full cell of the loser would have stayed."""
    kept = Kept()
    kept.events(["loser"] * 300, "buy", [NOW + DAY] * 300)
    kept.database.write_profiles(profiles(["survivor"]))
    kept.save(many="did buy at least 280 times", some="did buy at least 1 times in last 2 days")
    kept.clock.advance_to(NOW + 2 * DAY)
    kept.database.merge_profiles("survivor", "loser")
    assert kept.members("many") == kept.members("some") == {"survivor"}
    kept.events(["survivor"] * 10, "buy", [NOW + 4 * DAY] * 10)
    kept.clock.advance_to(NOW + 4 * DAY)
    kept.database.erase_profile("survivor")
    assert kept.members("many") == kept.members("some") == set()
