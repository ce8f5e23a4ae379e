"""An erased profile leaves every file of the store, a search of every byte says so, and a crash changes neither."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.durability.store import Store
from headcount_engine.errors import NotFound
from headcount_engine.indexes.texts import TextTable
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Reason, Texts
from headcount_engine.model.durability import DurabilityOptions
from headcount_engine.model.values import Kind, ValueType
from headcount_engine.proof import prove_erased, search
from tests.agreement.columns import MISSING, column, events, profiles
from tests.durability.crash_files import CrashFiles, PowerLost
from tests.durability.databases import DAY, MANUAL, NOW, digest, opened

SET = ValueType(Kind.TEXT_SET)
KEY = "SENTINEL-key-of-ann"
OLD_KEY = "SENTINEL-key-before"
SENTINELS = [
    KEY, OLD_KEY, "SENTINEL-mail@x", "SENTINEL-old-mail@x", "SENTINEL-note", "SENTINEL-tag", "SENTINEL-page",
    "SENTINEL-seen",
]  # fmt: skip


def write_person(database: Database) -> None:
    """Somebody whose every text says SENTINEL, among others, merged from two profiles, with a value of long ago."""
    mail = column("email", Kind.TEXT, ["SENTINEL-old-mail@x", "bob@x"], is_identifier=True)
    database.write_profiles(
        profiles([OLD_KEY, "bob"], mail, column("note", Kind.TEXT, ["SENTINEL-note", "plain"]))
    )
    database.write_profiles(
        profiles(
            [KEY, "cid"],
            column("email", Kind.TEXT, ["SENTINEL-mail@x", MISSING], is_identifier=True),
            column("$tags", SET, [frozenset({"SENTINEL-tag", "vip"}), frozenset({"vip"})]),
            column("age", Kind.INT, [4_444_444_444_444, 5]),
        )
    )
    for step in range(3):
        page = column("page", Kind.TEXT, ["SENTINEL-page", f"page {step}"])
        seen = column("seen", SET, [frozenset({"SENTINEL-seen"}), frozenset({"all"})])
        ids = [f"{step}-0", f"{step}-1"]
        database.write_events(events([KEY, "bob"], "buy", [NOW - step * DAY] * 2, page, seen, event_ids=ids))
    database.write_events(events([OLD_KEY], "view", [NOW]))
    database.write_profiles(profiles([KEY + "-the-second"]))
    database.create_segment(SegmentDraft("buyers", "did buy"))


def found_in(files: dict[str, bytes]) -> set[str]:
    """The sentinels that lie in the bytes of some file, but for the key of somebody else that begins like one."""
    whole = b"\0".join(files.values()).replace(f"{KEY}-the-second".encode(), b"")
    return {sentinel for sentinel in SENTINELS if sentinel.encode() in whole}


def test_no_byte_of_any_file_tells_of_an_erased_profile_once_its_erasure_is_completed() -> None:
    files = CrashFiles()
    database = opened(files)
    write_person(database)
    database.checkpoint()
    database.merge_profiles(KEY, OLD_KEY, force=True)
    database.checkpoint()
    database.write_profiles(profiles([KEY], column("note", Kind.TEXT, ["SENTINEL-note"])))
    assert found_in(files.process_ended()) == set(SENTINELS)
    assert search(CrashFiles(files.process_ended()), KEY).traces
    database.erase_profile(KEY)
    before = search(CrashFiles(files.process_ended()), KEY)
    assert before.is_erased and not before.is_completed and not before.holds
    assert database.complete_erasures() == 1
    for _ in range(2):
        assert found_in(files.process_ended()) == set()
        for sentinel in (KEY, OLD_KEY):
            proof = search(CrashFiles(files.process_ended()), sentinel, SENTINELS)
            assert proof.holds and proof.is_erased and proof.is_completed and proof.texts >= 3
        database.write_profiles(profiles(["later"], column("note", Kind.TEXT, ["something else"])))
        database.checkpoint()
    assert database.count("did buy").count == 1 and database.get_profile(f"{KEY}-the-second")
    again = search(CrashFiles(files.process_ended()), f"{KEY}-the-second")
    assert not again.holds and not again.is_erased


def test_the_record_of_an_erasure_does_not_hold_the_key() -> None:
    files = CrashFiles()
    database = opened(files)
    write_person(database)
    before = files.process_ended()
    database.erase_profile(KEY)
    after = files.process_ended()
    (grown,) = (name for name in after if after[name] != before.get(name))
    record = after[grown][len(before[grown]) :]
    assert len(record) > 64
    assert not [sentinel for sentinel in SENTINELS if sentinel.encode() in record]


def test_a_proof_finds_what_an_erasure_forgot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of an erasure left out: the search must say that something is left."""

    def searched() -> tuple[bool, set[str]]:
        files = CrashFiles()
        database = opened(files)
        write_person(database)
        database.checkpoint()
        for step in range(40):
            database.write_profiles(profiles([f"p{step}"]))
        database.checkpoint()
        database.erase_profile(KEY)
        database.complete_erasures()
        return search(CrashFiles(files.process_ended()), KEY).holds, found_in(files.process_ended())

    holds, left = searched()
    assert holds and left == {OLD_KEY, "SENTINEL-old-mail@x", "SENTINEL-note"}
    with monkeypatch.context() as patch:
        patch.setattr(TextTable, "blanked", lambda self, numbers: self._arena.copy())
        assert not searched()[0]
    with monkeypatch.context() as patch:
        patch.setattr("headcount_engine.durability.keeper.Keeper.sweep", lambda self, commit: None)
        assert not searched()[0]
    with monkeypatch.context() as patch:
        patch.setattr("headcount_engine.durability.store._GENERATIONS", 3)
        assert not searched()[0]
    with monkeypatch.context() as patch:
        # A pack that is mostly in use is kept, and what is dead in it with it.
        write = Store.write_checkpoint
        patch.setattr(Store, "write_checkpoint", lambda self, v, c, *, reuses: write(self, v, c))
        assert not searched()[0]


def test_a_text_that_somebody_was_given_later_is_no_trace() -> None:
    files = CrashFiles()
    database = opened(files)
    write_person(database)
    database.erase_profile(KEY)
    database.complete_erasures()
    mail = column("email", Kind.TEXT, ["SENTINEL-mail@x"], is_identifier=True)
    database.write_profiles(profiles(["new"], mail))
    database.close()
    proof = search(CrashFiles(files.process_ended()), KEY)
    assert proof.holds and proof.is_completed
    assert not search(CrashFiles(files.process_ended()), KEY, ["SENTINEL-mail@x"]).holds


def test_a_saved_rule_that_names_the_key_is_found() -> None:
    files = CrashFiles()
    database = opened(files)
    write_person(database)
    database.create_segment(SegmentDraft("her", f'key in ("{KEY}")'))
    database.erase_profile(KEY)
    database.complete_erasures()
    proof = search(CrashFiles(files.process_ended()), KEY)
    assert {trace.place for trace in proof.traces} == {"a name, a rule or a description"}


def test_erasures_and_merges_survive_a_restart_from_the_log_and_from_a_checkpoint() -> None:
    files = CrashFiles()
    database = opened(files)
    write_person(database)
    database.merge_profiles(KEY, OLD_KEY, force=True)
    database.merge_profiles("bob", "cid")
    database.erase_profile(OLD_KEY)
    from_log = opened(CrashFiles(files.process_ended()))
    assert digest(from_log) == digest(database)
    database.checkpoint()
    from_checkpoint = opened(CrashFiles(files.process_ended()))
    assert digest(from_checkpoint) == digest(database)
    for each in (database, from_log, from_checkpoint):
        (row,) = each.write_profiles(profiles([KEY, "cid"])).rejected
        assert (row.row, row.reason) == (0, Reason.ERASED_PROFILE)
        assert each.get_profile("cid").key == "bob"
        assert each.write_events(events([KEY], "buy", [NOW], event_ids=["0-0"])).rejected
        made = each.write_profiles(profiles([KEY], recreate=True))
        assert made.created == 1 and each.count("everyone").count == 3
        repeat = each.write_events(
            events(["bob"], "buy", [NOW], column("page", Kind.TEXT, ["page 0"]), event_ids=["0-1"])
        )
        assert repeat.duplicates == 1
    assert digest(from_log) == digest(database) == digest(from_checkpoint)


STEP = st.tuples(
    st.sampled_from(["write", "write", "events", "merge", "erase", "recreate", "complete", "checkpoint"]),
    st.integers(0, 7),
    st.integers(0, 7),
)


def _step(database: Database, step: tuple[str, int, int], at: int) -> None:
    kind, one, other = step
    keys = [f"person {one}", f"person {other}"]
    with contextlib.suppress(NotFound):
        match kind:
            case "write" | "recreate":
                mail = column("email", Kind.TEXT, [f"mail {one}", MISSING], is_identifier=True)
                tags = column("$tags", SET, [frozenset({f"t{at % 3}", f"own {one}"}), frozenset({"all"})])
                plan = column("plan", Kind.TEXT, [f"plan {at % 4}", f"of {other}"])
                is_new = kind == "recreate"
                database.write_profiles(profiles(keys, mail, tags, plan, recreate=is_new))
            case "events":
                page = column("page", Kind.TEXT, [f"page of {one}", "/"])
                database.write_events(events(keys, ["buy", "view"], [NOW - at, NOW - 3 * at], page))
            case "merge" if one != other:
                with contextlib.suppress(Exception):
                    database.merge_profiles(keys[0], keys[1], force=at % 2 == 0)
            case "erase":
                database.erase_profile(keys[0])
            case "complete":
                database.complete_erasures()
            case "checkpoint":
                database.checkpoint()


@given(st.lists(STEP, min_size=6, max_size=30))
@settings(max_examples=25, deadline=None)
def test_replay_equals_live_over_merges_and_erasures(steps: list[tuple[str, int, int]]) -> None:
    files = CrashFiles()
    database = opened(files)
    for at, step in enumerate(steps):
        _step(database, step, at)
    assert digest(opened(CrashFiles(files.process_ended()))) == digest(database)
    database.close()
    assert digest(opened(CrashFiles(files.process_ended()))) == digest(database)


def test_power_lost_at_any_call_of_an_erasure_and_its_completion_loses_neither() -> None:
    """After a restart the erasure is there if it was acknowledged, and completing it (again) proves out."""
    undisturbed = CrashFiles()
    _erase_under(undisturbed, told := [])
    assert told == ["erased", "completed"]
    chance = random.Random(7)
    for call in range(undisturbed.calls // 3, undisturbed.calls + 1, 3):
        files, told = CrashFiles(lose_power_at=call), []
        with contextlib.suppress(PowerLost):
            _erase_under(files, told)
        after = CrashFiles(files.image(chance))
        database = opened(after)
        if "erased" in told:
            assert database.people.pending or KEY not in found_in(after.process_ended())
            with pytest.raises(NotFound):
                database.get_profile(KEY)
            database.complete_erasures()
            assert KEY not in found_in(after.process_ended())
            assert search(CrashFiles(after.process_ended()), KEY).holds
        if "completed" in told:
            assert not database.people.pending


def _erase_under(files: CrashFiles, told: list[str]) -> None:
    database = opened(files)
    write_person(database)
    database.checkpoint()
    database.erase_profile(KEY)
    told.append("erased")
    database.complete_erasures()
    told.append("completed")
    database.close()


def test_the_upkeep_completes_an_erasure_in_time(tmp_path: Path) -> None:
    options = DurabilityOptions(erasure_within_s=0.0, now_every_s=0.05)
    with Database.open(tmp_path, clock=ManualClock(NOW), durability=options) as database:
        write_person(database)
        database.erase_profile(KEY)
        ends_at = time.monotonic() + 20
        while database.people.pending and time.monotonic() < ends_at:
            time.sleep(0.05)
        assert not database.people.pending
    proof = prove_erased(tmp_path, KEY)
    assert proof.holds and proof.is_erased and proof.is_completed
    assert proof.bytes_read >= sum(p.stat().st_size for p in tmp_path.iterdir() if p.suffix == ".pack")
    with Database.open(tmp_path, clock=ManualClock(NOW), durability=MANUAL) as database:
        assert database.write_profiles(profiles([KEY])).rejected
        assert database.lookup("email", Texts.of(["bob@x"])) == ["bob"]
