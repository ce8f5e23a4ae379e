"""A resolved audience reads the same from any offset, whatever is written meanwhile, until it expires."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine import bitmaps
from headcount_engine.audiences.export import CSV
from headcount_engine.audiences.handles import Handle, Handles
from headcount_engine.audiences.request import AudienceRequest
from headcount_engine.bitmaps import Bitmap
from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import AlreadyExists, InvalidArgument, LimitExceeded, NotFound, OutOfRange
from headcount_engine.limits import DEFAULT_LIMITS, Limits
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Column, ProfileBatch, Texts
from headcount_engine.model.segments import SegmentKind
from headcount_engine.model.values import Kind, ValueType
from headcount_engine.sending import AudienceName

NOW = 1_700_000_000_000_000
SECOND = 1_000_000


def people(database: Database, first: int, end: int, flag: bool = True) -> None:
    keys = Texts.of([f"p{i}" for i in range(first, end)])
    column = Column("flag", ValueType(Kind.BOOL), np.full(end - first, flag))
    assert not database.write_profiles(ProfileBatch(keys, (column,))).rejected


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def database(clock: ManualClock) -> Database:
    database = Database.open(None, clock=clock)
    people(database, 0, 200)
    people(database, 0, 200, flag=True)
    return database


def audience(database: Database, rule: str = "flag = true") -> Handle:
    return database.sending.handle(database.sending.resolve(AudienceRequest([rule])).name)


def test_reading_resumes_exactly_from_every_offset(database: Database) -> None:
    handle = audience(database)
    sending = database.sending
    keys = sending.keys(handle, 0, 1_000).to_list()
    ids = sending.ids(handle, 0, 1_000).tolist()
    assert len(keys) == handle.size == 200 and ids == sorted(ids)
    for offset in range(handle.size + 1):
        for count in (1, 7, 1_000):
            assert sending.keys(handle, offset, count).to_list() == keys[offset : offset + count]
            assert sending.ids(handle, offset, count).tolist() == ids[offset : offset + count]
            data, after = sending.roaring(handle, offset, count)
            assert list(Bitmap.deserialize(data)) == ids[offset : offset + count]
            assert after == min(offset + count, handle.size)


def test_what_is_written_meanwhile_changes_nothing(database: Database) -> None:
    handle = audience(database)
    sending = database.sending
    expected = [f"p{i}" for i in range(200)]
    read = sending.keys(handle, 0, 50).to_list()
    people(database, 0, 100, flag=False)
    people(database, 200, 400)
    assert database.count("flag = true").count == 300
    read += sending.keys(handle, 50, 1_000).to_list()
    assert read == expected
    assert sending.handle(handle.name).version < database.status().version


def test_a_reader_beside_a_writer_sees_one_version(database: Database) -> None:
    handle = audience(database)
    is_done = threading.Event()

    def write() -> None:
        first = 1_000
        while not is_done.is_set():
            people(database, first, first + 50)
            people(database, 0, 200, flag=first % 100 == 0)
            first += 50

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(40):
            read = [k for at in range(0, 200, 33) for k in database.sending.keys(handle, at, 33).to_list()]
            assert read == [f"p{i}" for i in range(200)]
    finally:
        is_done.set()
        writer.join()


def test_a_name_ends_when_its_time_is_up_but_not_for_who_reads_already(
    database: Database, clock: ManualClock
) -> None:
    answer = database.sending.resolve(AudienceRequest(["everyone"]), life_us=10 * SECOND)
    assert answer.expires_us == NOW + 10 * SECOND
    handle = database.sending.handle(answer.name)
    clock.advance_to(NOW + 10 * SECOND - 1)
    assert database.sending.handle(answer.name) is handle
    clock.advance_to(NOW + 10 * SECOND)
    with pytest.raises(NotFound):
        database.sending.handle(answer.name)
    assert len(database.sending.ids(handle, 0, 1_000)) == 200
    assert database.sending.nbytes == 0


@pytest.mark.parametrize("name", ["", "x", "../..", "\0", "A" * 22, "segments/a"])
def test_a_name_that_was_never_given_is_not_found(database: Database, name: str) -> None:
    audience(database)
    with pytest.raises(NotFound):
        database.sending.handle(name)


def test_an_audience_of_another_database_is_not_found(database: Database) -> None:
    other = Database.open(None, clock=ManualClock(NOW))
    with pytest.raises(NotFound):
        other.sending.handle(audience(database).name)


@pytest.mark.parametrize("life_us", [0, -1, 7 * 86_400 * SECOND + 1])
def test_a_life_that_is_none_or_too_long_is_refused(database: Database, life_us: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        database.sending.resolve(AudienceRequest(["everyone"]), life_us=life_us)
    assert refused.value.path == "time_to_live"


def test_past_the_end_is_out_of_range(database: Database) -> None:
    handle = audience(database)
    assert len(database.sending.ids(handle, 200, 10)) == 0
    for offset in (201, 1 << 40, -1):
        with pytest.raises(OutOfRange):
            database.sending.ids(handle, offset, 10)
        with pytest.raises(OutOfRange):
            database.sending.roaring(handle, offset, 10)


def test_the_number_and_the_memory_of_audiences_are_bounded() -> None:
    handles = Handles(Limits(audiences=3, audience_bytes=20_000))
    for _ in range(3):
        handles.put(bitmaps.from_range(0, 10), 10, 1, NOW, 5 * SECOND, NOW)
    with pytest.raises(LimitExceeded, match="audiences"):
        handles.put(bitmaps.EMPTY, 10, 1, NOW, SECOND, NOW)
    later = NOW + 5 * SECOND
    big = bitmaps.from_ids(np.arange(0, 65_536, 2))
    handles.put(big, 10, 1, NOW, 5 * SECOND, later)
    assert len(handles) == 1 and 8_192 < handles.nbytes < 10_000
    handles.put(big, 10, 1, NOW, 5 * SECOND, later)
    with pytest.raises(LimitExceeded, match="audience_bytes"):
        handles.put(big, 10, 1, NOW, 5 * SECOND, later)
    handles.put(bitmaps.EMPTY, 10, 1, NOW, SECOND, later + 5 * SECOND)
    assert len(handles) == 1


def test_those_read_to_the_end_give_way_and_those_unread_stay() -> None:
    # At a thousand everybody was turned away for an hour, by audiences that had long been sent to.
    with Database.open(None, clock=ManualClock(NOW), limits=Limits(audiences=3)) as small:
        people(small, 0, 100)
        first, second, third = (audience(small) for _ in range(3))
        with pytest.raises(LimitExceeded, match=r"audiences is limited to 3: .* delete"):
            audience(small)
        sending = small.sending
        sending.keys(second, 0, 100)
        sending.ids(first, 50, 100)
        sending.ids(third, 0, 99)
        fourth = audience(small)
        with pytest.raises(NotFound):
            sending.handle(second.name)
        audience(small)
        with pytest.raises(NotFound):
            sending.handle(first.name)
        with pytest.raises(LimitExceeded):
            audience(small)
        assert sending.handle(third.name) is third and sending.handle(fourth.name) is fourth
        sending.delete(fourth.name)
        sending.delete(fourth.name)
        with pytest.raises(NotFound):
            sending.handle(fourth.name)
        audience(small)


def test_memory_is_made_by_those_read_to_the_end_and_never_in_vain() -> None:
    handles = Handles(Limits(audience_bytes=20_000))
    big = bitmaps.from_ids(np.arange(0, 65_536, 2))
    kept = [handles.put(big, 10, 1, NOW, SECOND, NOW) for _ in range(2)]
    for handle in kept:
        handles.finish(handle)
    with pytest.raises(LimitExceeded, match="audience_bytes"):
        handles.put(bitmaps.from_ids(np.arange(0, 1 << 18, 2)), 10, 1, NOW, SECOND, NOW)
    assert len(handles) == 2
    handles.put(big, 10, 1, NOW, SECOND, NOW)
    assert len(handles) == 2
    with pytest.raises(NotFound):
        handles.get(kept[0].name, NOW)


def test_names_say_nothing_and_do_not_repeat() -> None:
    handles = Handles(DEFAULT_LIMITS)
    names = {handles.put(bitmaps.EMPTY, 0, 1, NOW, SECOND, NOW).name for _ in range(200)}
    assert len(names) == 200 and all(len(name) >= 22 and name.isascii() for name in names)


@given(st.data())
@settings(max_examples=50)
def test_pieces_of_roaring_are_bounded_and_lose_nobody(data: st.DataObject) -> None:
    seeds = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    parts = [
        seeds.integers(0, 1 << 32, 50),
        np.arange(1 << 16, (1 << 16) + 3_000),
        np.array([0, (1 << 32) - 1]),
    ]
    members = bitmaps.from_ids(np.unique(np.concatenate(parts)))
    handle = Handle("x", members, len(members), 0, 1, NOW, NOW, 0)
    offset, read = 0, bitmaps.EMPTY
    count = data.draw(st.sampled_from([1 << 20, 700]))
    while offset < handle.size:
        part, length = handle.slice_by_blocks(offset, count, 3)
        assert 0 < length <= count
        assert len({i >> 16 for i in part}) <= 4
        assert max(part) - min(part) < 3 * 65_536
        read, offset = read | part, offset + length
    assert read == members


def test_whoever_was_erased_since_is_given_no_more_and_offsets_stay(database: Database) -> None:
    handle = audience(database)
    sending = database.sending
    database.erase_profile("p7")
    database.erase_profile("p120")
    assert sending.keys(handle, 0, 10).to_list() == [f"p{i}" for i in range(10) if i != 7]
    assert sending.keys(handle, 7, 1).to_list() == []
    assert sending.ids(handle, 119, 3).tolist() == [119, 121]
    data, after = sending.roaring(handle, 5, 5)
    assert (list(Bitmap.deserialize(data)), after) == ([5, 6, 8, 9], 10)
    with sending.export(AudienceName(handle.name), CSV, attributes=["flag"]) as export:
        lines = b"".join(piece.data for piece in export).decode().splitlines()
    assert len(lines) == 1 + 198 and "p7,true" not in lines and "p8,true" in lines
    assert sending.preview(AudienceName(handle.name), size=200).total == 198


def everywhere(database: Database, handle: Handle) -> set[str]:
    """Who the audience is to every reader; the test fails where two disagree or one gives somebody twice."""
    sending, who = database.sending, AudienceName(handle.name)
    keys = sending.keys(handle, 0, 1_000).to_list()
    ids = sending.ids(handle, 0, 1_000)
    assert ids.tolist() == sorted(ids.tolist())
    assert database.keys_of(ids).to_list() == keys
    assert list(Bitmap.deserialize(sending.roaring(handle, 0, 1_000)[0])) == ids.tolist()
    with sending.export(who, CSV) as export:
        assert b"".join(piece.data for piece in export).decode().splitlines()[1:] == keys
    shown = sending.preview(who, size=1_000)
    assert ([profile.key for profile in shown.profiles], shown.total) == (keys, len(keys))
    kept = sending.keep(handle.name, SegmentDraft(f"kept at {database.status().version}"))
    assert set(database.keys_of(database.members(f'in segment "{kept.id}"').ids).to_list()) == set(keys)
    assert len(set(keys)) == len(keys) == kept.size
    return set(keys)


def test_whoever_was_merged_since_comes_once_to_every_reader(database: Database) -> None:
    # Keys gave both of two profiles that had become one, where files, previews and what was kept gave one.
    handle = audience(database)
    database.merge_profiles("p9", "p3")
    database.merge_profiles("p20", "p30")
    expected = [f"p{i}" for i in range(200) if i not in (3, 9, 30)]
    assert everywhere(database, handle) == {*expected, "p9"}
    # The first of a person's places is the one that counts, so a reader who had passed it meets nobody again.
    assert database.sending.keys(handle, 2, 3).to_list() == ["p2", "p4", "p9"]
    assert database.sending.keys(handle, 3, 1).to_list() == ["p9"]
    assert database.sending.keys(handle, 9, 1).to_list() == []
    assert database.sending.keys(handle, 30, 1).to_list() == []


def test_whoever_was_merged_into_somebody_outside_leaves_him_the_place(database: Database) -> None:
    # Keys gave the old key, files and previews nobody; a list would have given the other.
    people(database, 200, 210, flag=False)
    handle = audience(database)
    database.merge_profiles("p205", ["p150", "p160"])
    assert everywhere(database, handle) == {f"p{i}" for i in range(200) if i not in (150, 160)} | {"p205"}
    assert database.sending.keys(handle, 150, 1).to_list() == ["p205"]
    assert database.sending.keys(handle, 160, 1).to_list() == []
    database.erase_profile("p205")
    assert everywhere(database, handle) == {f"p{i}" for i in range(200) if i not in (150, 160)}


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_whatever_is_merged_and_erased_while_it_is_read_nobody_is_met_twice_or_missed(
    data: st.DataObject,
) -> None:
    with Database.open(None, clock=ManualClock(NOW)) as database:
        people(database, 0, 12)
        people(database, 12, 18, flag=False)
        handle = audience(database)
        parent = {f"p{i}": f"p{i}" for i in range(18)}
        erased: set[str] = set()
        read: list[str] = []
        offset = 0
        while offset < handle.size:
            for _ in range(data.draw(st.integers(0, 2))):
                living = [key for key, person in parent.items() if key == person and key not in erased]
                if len(living) < 2:
                    break
                survivor, loser = data.draw(st.permutations(living))[:2]
                if data.draw(st.integers(0, 5)) == 0:
                    database.erase_profile(loser)
                    erased.add(loser)
                else:
                    database.merge_profiles(survivor, loser)
                    parent = {key: survivor if one == loser else one for key, one in parent.items()}
            count = data.draw(st.integers(1, 4))
            met = {parent[key] for key in read}
            piece = database.sending.keys(handle, offset, count).to_list()
            assert not met & set(piece) and len(piece) == len(set(piece))
            read += piece
            offset += count
        persons = {parent[key] for key in read} - erased
        assert persons == {parent[f"p{i}"] for i in range(12)} - erased
        assert everywhere(database, handle) == persons


def test_what_was_sent_is_kept_as_a_segment_that_stays_as_it_is(database: Database) -> None:
    answer = database.sending.resolve(AudienceRequest(["flag = true"], limit=50))
    people(database, 0, 200, flag=False)
    database.erase_profile(database.sending.keys(database.sending.handle(answer.name), 0, 1).to_list()[0])
    kept = database.sending.keep(answer.name, SegmentDraft("Spring mail", id="spring", labels={"sent": ""}))
    assert (kept.id, kept.kind, kept.size) == ("spring", SegmentKind.MANUAL, 49)
    ids = database.sending.ids(database.sending.handle(answer.name), 0, 1_000)
    assert database.members('in segment "spring"').ids.tolist() == ids.tolist()
    assert database.sending.resolve(AudienceRequest(['in segment "spring"'], ["flag = true"])).size == 49
    with pytest.raises(AlreadyExists):
        database.sending.keep(answer.name, SegmentDraft("Other", id="spring"))
    with pytest.raises(NotFound):
        database.sending.keep("nope", SegmentDraft("Other"))
