"""Replay equals live, bit for bit, wherever it begins and wherever the power went."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock, WallClock
from headcount_engine.database import Database
from headcount_engine.errors import FailedPrecondition, StoreReadOnly
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles
from tests.agreement.driving import played
from tests.durability.crash_files import CrashFiles, PowerLost
from tests.durability.databases import MANUAL, NOW, Witness, digest, live_through, opened


def crash_a_database(every: int, images: int) -> tuple[int, int]:
    """(calls, images): power lost at every so-manieth call of a whole database's life."""
    files, undisturbed = CrashFiles(), Witness()
    live_through(files, undisturbed, looks=True)
    drawn = 0
    for call in range(1, files.calls + 1, every):
        crashing, witness = CrashFiles(lose_power_at=call), Witness()
        with pytest.raises(PowerLost):
            live_through(crashing, witness, looks=False)
        chance = random.Random(call)
        for _ in range(images):
            drawn += 1
            recovered = opened(CrashFiles(crashing.image(chance)))
            version = recovered.status().version
            assert witness.acknowledged <= version <= max(witness.begun, witness.acknowledged)
            if version:
                assert digest(recovered) == undisturbed.at[version], (
                    f"version {version}, power lost at call {call}"
                )
    return files.calls, drawn


def test_a_whole_database_comes_back_as_it_was_at_a_version() -> None:
    calls, _ = crash_a_database(every=29, images=1)
    assert calls >= 150


@pytest.mark.long
def test_a_whole_database_at_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    calls, drawn = crash_a_database(every=1, images=3)
    with capsys.disabled():
        print(f"\na database at every call: {calls} calls, {drawn} images, 0 lost")  # noqa: T201 - the suite's figures


def _replay_is_live(data: st.DataObject) -> None:
    scene = data.draw(played(profiles_max=15))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store"
        driven = scene.driven(path=path)
        if data.draw(st.booleans()):
            driven.database.checkpoint()
            driven.database.write_profiles(profiles(["later"], column("late", Kind.INT, [7])))
        # Opening tells the clock's own joins and leaves up to now, so the live one tells them first.
        driven.clock.advance_to(scene.now_us)
        driven.database.tick()
        live = digest(driven.database)
        copy = Path(folder) / "copy"
        shutil.copytree(path, copy)
        replayed = Database.open(copy, clock=ManualClock(scene.now_us), durability=MANUAL)
        assert digest(replayed) == live
        replayed.close()
        with Database.open(copy, clock=ManualClock(scene.now_us), durability=MANUAL) as again:
            assert digest(again) == live
        driven.database.close()


@given(st.data())
@settings(max_examples=12, deadline=None)
def test_replay_equals_live_over_random_histories(data: st.DataObject) -> None:
    _replay_is_live(data)


@pytest.mark.long
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_replay_equals_live_over_many_random_histories(data: st.DataObject) -> None:
    _replay_is_live(data)


def test_dictionary_entries_of_a_refused_batch_do_not_shift_codes() -> None:
    """A refused batch leaves its texts in the dictionary; the next commit must carry them, or codes would differ."""
    files = CrashFiles()
    database = opened(files)
    database.write_profiles(profiles(["a"], column("plan", Kind.TEXT, ["free"])))
    database.write_profiles(profiles(["nobody"], column("plan", Kind.TEXT, ["ghost"]), create=False))
    database.write_profiles(profiles(["b"], column("plan", Kind.TEXT, ["pro"])))
    recovered = opened(CrashFiles(files.process_ended()))
    assert digest(recovered) == digest(database)
    assert recovered.get_profile("b").attributes == {"plan": "pro"}


def test_event_ids_are_known_after_a_restart() -> None:
    files = CrashFiles()
    database = opened(files)
    batch = events(["a", "b"], "buy", [NOW, NOW], event_ids=["x", "y"])
    database.write_events(batch)
    for end in (files.process_ended(), None):
        if end is None:
            database.close()
            end = files.process_ended()
        assert opened(CrashFiles(end)).write_events(batch).duplicates == 2


def test_answers_never_go_back_in_time_over_a_restart(tmp_path: Path) -> None:
    with Database.open(tmp_path, clock_start_us=NOW) as database:
        told = database.count("everyone").now_us
        assert NOW <= told < NOW + 60_000_000
    with Database.open(tmp_path) as database:
        assert told <= database.count("everyone").now_us < NOW + 60_000_000


def test_the_clock_of_a_new_store_is_kept_though_nothing_was_ever_written(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    database = Database.open(tmp_path / "store", clock_start_us=NOW)
    shutil.copytree(tmp_path / "store", copy)
    database.close()
    with Database.open(copy) as again:
        assert isinstance(again._clock, WallClock) and again.count("everyone").now_us < NOW + 60_000_000


def test_a_failed_log_refuses_writes_and_answers_reads() -> None:
    files = CrashFiles()
    database = opened(files)
    database.write_profiles(profiles(["a"]))
    files._fault = lambda _, kind: OSError(28, "injected") if kind == "write" else None
    for _ in range(2):
        with pytest.raises(StoreReadOnly):
            database.write_profiles(profiles(["b"]))
    with pytest.raises(StoreReadOnly):
        database.create_segment(SegmentDraft("all", "everyone"))
    assert database.count("everyone").count == 1 and not database.list_segments().segments
    assert database.store_failure is not None
    files._fault = None
    with pytest.raises(StoreReadOnly):
        database.write_profiles(profiles(["b"]))


def test_a_database_in_memory_makes_no_checkpoint() -> None:
    with Database.open(None) as database, pytest.raises(FailedPrecondition):
        database.checkpoint()
