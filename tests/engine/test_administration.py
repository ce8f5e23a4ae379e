"""The workspace's settings change by commits, outlive restarts, and never move live segments behind their backs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import Aborted, EngineError, FailedPrecondition, InvalidValue
from headcount_engine.model.answers import SegmentChanges, SegmentDraft, Settings
from headcount_engine.model.batches import ProfileBatch, Texts
from headcount_engine.model.segments import SegmentState
from headcount_engine.model.workspace import SettingsChanges, etag_of
from tests.audiences.crowds import NOW, crowd, database_of

ALL = SettingsChanges("Asia/Tokyo", 6, False, frozenset({"news", "offers"}), 1_700_000_000_000_000)
CHANGED = Settings("Asia/Tokyo", 6, False, frozenset({"news", "offers"}), 1_700_000_000_000_000)


@pytest.mark.parametrize("is_closed", [False, True])
def test_settings_outlive_a_restart_by_the_log_and_by_a_checkpoint(tmp_path: Path, is_closed: bool) -> None:
    database = Database.open(tmp_path / "store")
    before = database.status().version
    assert database.administration.update(ALL) == CHANGED
    assert database.status().version == before + 1
    etag = etag_of(database.administration.settings())
    if is_closed:
        database.close()
    # As after a kill, unless it was closed, which makes a checkpoint: the log alone has it.
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    database.close()
    with Database.open(tmp_path / "copy", settings=Settings("Europe/Oslo")) as again:
        assert again.recovery is not None and (again.recovery.replayed == 0) is is_closed
        assert again.administration.settings() == CHANGED
        assert etag_of(again.administration.settings()) == etag


def test_only_what_is_named_changes_and_what_is_so_already_is_no_commit() -> None:
    with Database.open(None) as database:
        administration = database.administration
        administration.update(SettingsChanges(week_starts_on=6))
        assert administration.settings() == Settings(week_starts_on=6)
        administration.update(SettingsChanges(legacy_before_us=5))
        version = database.status().version
        administration.update(SettingsChanges(week_starts_on=6))
        assert database.status().version == version
        assert administration.update(SettingsChanges(clears_legacy=True)) == Settings(week_starts_on=6)


def test_a_changed_setting_is_in_force_at_once() -> None:
    with database_of(crowd(2, 30)) as database:
        day = "joined from 2024-03-01 to 2024-03-02"
        counts = []
        for zone in ("UTC", "Asia/Tokyo"):
            database.administration.update(SettingsChanges(default_zone=zone))
            ids = set(database.members(day).ids.tolist())
            hours = {"UTC": "00:00:00Z", "Asia/Tokyo": "00:00:00+09:00"}[zone]
            exact = f"joined from 2024-03-01T{hours} to 2024-03-02T{hours}"
            assert ids == set(database.members(exact).ids.tolist())
            counts.append(len(ids))
        database.administration.update(SettingsChanges(infers_schema=False))
        keys = Texts.of(["x"])
        assert database.write_profiles(ProfileBatch(keys)).accepted == 1


def test_an_etag_that_is_not_current_is_refused() -> None:
    with Database.open(None) as database:
        etag = etag_of(database.administration.settings())
        database.administration.update(SettingsChanges(week_starts_on=1), etag=etag)
        with pytest.raises(Aborted):
            database.administration.update(SettingsChanges(week_starts_on=2), etag=etag)


@pytest.mark.parametrize(
    "changes",
    [
        SettingsChanges(default_zone="Mars/Olympus"),
        SettingsChanges(week_starts_on=7),
        SettingsChanges(week_starts_on=-1),
        SettingsChanges(opt_out_topics=frozenset({""})),
        SettingsChanges(legacy_before_us=1 << 62),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: SettingsChanges) -> None:
    with Database.open(None) as database:
        with pytest.raises(InvalidValue):
            database.administration.update(changes)
        assert database.administration.settings() == Settings()


@pytest.mark.parametrize(
    ("rule", "is_bound"),
    [
        ("joined this month", True),
        ("joined in last 3 days", True),
        ("joined before 2024-03-01", True),
        ("born anniversary in next 7 days", True),
        ("did buy this week", True),
        ("did buy from 2024-01-01 to 2024-02-01", True),
        ("days(buy) >= 2", True),
        ("not (pro = true or did buy today)", True),
        ("same sku (did buy today)", True),
        ("did buy in last 7 days", False),
        ("pro = true and age > 3", False),
        ("joined from 2024-03-01T00:00:00Z to 2024-04-01T00:00:00Z and pro = true", None),
    ],
)
def test_what_live_segments_are_kept_by_stays_until_they_are_paused(rule: str, is_bound: bool | None) -> None:
    with database_of(crowd(3, 20)) as database:
        database.create_segment(SegmentDraft("kept", rule, "kept"))
        zone = SettingsChanges(default_zone="Asia/Tokyo")
        if is_bound is False:
            database.administration.update(zone)
        else:
            with pytest.raises(FailedPrecondition, match="kept"):
                database.administration.update(zone)
            with pytest.raises(FailedPrecondition):
                database.administration.update(SettingsChanges(week_starts_on=6))
            database.administration.update(SettingsChanges(opt_out_topics=frozenset({"news"})))
            database.update_segment("kept", SegmentChanges(state=SegmentState.PAUSED))
            database.administration.update(zone)
            database.update_segment("kept", SegmentChanges(state=SegmentState.LIVE))
            assert database.get_segment("kept").size == database.count(rule).count
        assert database.administration.settings().default_zone == "Asia/Tokyo"


def test_a_topic_stays_as_it_is_while_a_live_segment_asks_for_its_consent() -> None:
    with Database.open(None, clock=ManualClock(NOW)) as database:
        database.write_profiles(ProfileBatch(Texts.of(["a"])))
        database.create_segment(SegmentDraft("mail", 'consent "news"', "mail"))
        with pytest.raises(FailedPrecondition, match="mail"):
            database.administration.update(SettingsChanges(opt_out_topics=frozenset({"news"})))
        database.administration.update(SettingsChanges(opt_out_topics=frozenset({"offers"})))
        database.delete_segment("mail")
        database.administration.update(SettingsChanges(opt_out_topics=frozenset({"news"})))
        assert database.count('consent "news"').count == 1


def test_a_closed_database_takes_no_settings() -> None:
    database = Database.open(None)
    database.close()
    with pytest.raises(EngineError):
        database.administration.update(SettingsChanges(week_starts_on=1))
