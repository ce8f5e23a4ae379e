"""The log of changes: what is packed reads as it was published, what is dropped says so, who waits is woken."""

from __future__ import annotations

import random
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.changes.chunks import Chunk, Entry, merged, pack
from headcount_engine.changes.cursors import CursorCodec, Position, Within
from headcount_engine.changes.feed import Changes
from headcount_engine.changes.options import ChangeOptions
from headcount_engine.changes.watch import Start, Watch
from headcount_engine.errors import (
    Cancelled,
    CursorTooOld,
    DeadlineExceeded,
    EngineError,
    InvalidCursor,
    OutOfRange,
    ReaderTooSlow,
    StoreDamaged,
)
from headcount_engine.model.answers import Deadline
from headcount_engine.model.changes import SegmentFlips
from tests.stream.stories import AT_ONCE, NOW, STORE, Story, u32

DAY = 86_400_000_000


def many(chance: random.Random, segment: str, count: int, top: int = 1 << 20) -> SegmentFlips:
    """So many who join and half as many who leave."""
    ids = np.array(sorted(chance.sample(range(top), count + count // 2)), dtype=np.uint32)
    is_left = np.zeros(len(ids), dtype=np.bool_)
    is_left[chance.sample(range(len(ids)), count // 2)] = True
    causes = np.array([chance.choice([1, 1, 1, 3]) for _ in ids], dtype=np.uint8)
    return SegmentFlips(segment, ids[~is_left], causes[~is_left], ids[is_left], causes[is_left])


def said(blocks: object) -> list[tuple[object, ...]]:
    return [
        (b.version, b.now_us, b.segment, int(b.kind), b.first, b.ids.tolist(), b.causes.tolist())
        for b in blocks  # type: ignore[attr-defined]
    ]


@given(seed=st.integers(0, 2**32), asked=st.sampled_from([None, frozenset({"b"}), frozenset({"x", "c"})]))
@settings(max_examples=40, deadline=None)
def test_packed_merged_and_stored_changes_read_as_they_were_published(
    seed: int, asked: frozenset[str] | None
) -> None:
    """Also those of many at once, which are held as bitmaps."""
    chance = random.Random(seed)
    entries = [
        Entry(
            version,
            NOW + version,
            tuple(
                many(chance, s, chance.choice([0, 1, 2, 40, 5_000]), 40_000)
                for s in chance.sample("abcd", chance.randrange(4))
            ),
        )
        for version in sorted(chance.sample(range(1, 40), 6))
    ]
    parts = [c for c in (pack(entries[:1]), pack(entries[1:4]), pack(entries[4:])) if c is not None]
    if not parts:
        return
    whole = merged(parts)
    again = Chunk.restore([array.copy() for array in whole.plain()])
    assert again.records == sum(len(f.joined) + len(f.left) for e in entries for f in e.flips)
    from_version, index = chance.randrange(1, 42), chance.choice([0, 1, 3, 4_999])
    expected = [
        b
        for e in entries
        if e.version >= from_version
        for b in said(e.blocks(index if e.version == from_version else 0, asked))
    ]
    for chunk in (whole, again):
        assert said(chunk.blocks(from_version, index, asked)) == expected
    one = pack(entries[:1])
    if one is not None:
        back = Entry(entries[0].version, entries[0].now_us, Chunk.restore(one.plain()).flips())
        assert said(back.blocks(0, None)) == said(entries[0].blocks(0, None))


def test_many_who_join_at_once_take_little_room() -> None:
    ids = np.arange(1_000_000, dtype=np.uint32)
    everyone = SegmentFlips(
        "a", ids, np.full(len(ids), 4, dtype=np.uint8), u32(()), np.zeros(0, dtype=np.uint8)
    )
    chunk = pack([Entry(1, NOW, (everyone,))])
    assert chunk is not None and chunk.nbytes < 200_000


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_chunk_of_arrays_that_do_not_fit_is_damage(data: st.DataObject) -> None:
    chance = random.Random(5)
    chunk = pack([Entry(v, NOW, (many(chance, "a", 5), many(chance, "b", 5_000))) for v in (1, 2)])
    assert chunk is not None
    arrays = [array.copy() for array in chunk.plain()]
    which = data.draw(st.integers(0, len(arrays) - 1))
    match data.draw(st.sampled_from(["short", "long", "gone", "bytes"])):
        case "short":
            arrays[which] = arrays[which][:-1]
        case "long":
            arrays[which] = np.append(arrays[which], arrays[which][-1:])
        case "gone":
            del arrays[which]
        case _ if len(arrays[which]):
            raw = arrays[which].view(np.uint8)
            raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        restored = Chunk.restore(arrays)
        list(restored.blocks(0, 0, None))
    except (StoreDamaged, EngineError):
        pass


def test_an_old_cursor_is_told_how_to_start_again() -> None:
    story = Story(random.Random(3), changes=Changes(STORE, "UTC", ChangeOptions(kept_us=DAY)))
    for _ in range(300):
        story.happens(step_us=1_000)
    cursor = story.changes.cursors.encode(Position(2, 1))
    story.watch(cursor)
    story.now_us += 2 * DAY
    story.happens()
    for start in (cursor, Position(1), Within(3, NOW, "a", 4)):
        with pytest.raises(CursorTooOld, match="start again from now with the initial members"):
            story.watch(start)
    oldest = story.heard(story.watch(Start.OLDEST))
    assert oldest[0].version > 250


def test_the_log_stays_within_its_bytes_and_readers_begin_where_it_does() -> None:
    chance = random.Random(4)
    changes = Changes(STORE, "UTC", ChangeOptions(kept_bytes=1_500_000))
    for version in range(1, 1_500):
        changes.publish(version, NOW + version, (many(chance, "a", 300),))
        changes.settle()
        assert changes.log.nbytes <= 1_500_000
    position, now_us = changes.log.oldest
    assert 100 < position.version < 1_500 and now_us == NOW + position.version - 1
    assert changes.log.read(position, None, 10**9).blocks[0].version == position.version
    with pytest.raises(CursorTooOld):
        changes.log.read(Position(position.version - 1), None, 1)


def test_a_reader_that_is_overtaken_is_told_so() -> None:
    story = Story(random.Random(6), changes=Changes(STORE, "UTC", ChangeOptions(kept_us=DAY)))
    story.happens()
    watch = story.watch(Start.OLDEST)
    assert watch.take(0) is not None
    for _ in range(600):
        story.happens(step_us=DAY // 50)
    with pytest.raises(CursorTooOld):
        watch.take(0)


def test_a_reader_that_is_away_while_much_happens_is_cut_off_and_goes_on_from_its_cursor() -> None:
    story = Story(
        random.Random(6), changes=Changes(STORE, "UTC", ChangeOptions(away_s=0.05, missed_records=20))
    )
    story.happens()
    watch = story.watch(Start.OLDEST)
    first = watch.take(0)
    assert first is not None
    time.sleep(0.1)
    assert watch.take(0) is None, "away, but nothing was missed"
    while story.changes.log.records < 60:
        story.happens()
    time.sleep(0.1)
    with pytest.raises(ReaderTooSlow) as cut_off:
        watch.take(0)
    rest = story.heard(story.watch(cut_off.value.cursor))
    assert len(story.of_item(first)) > 1 and rest[0].version == 2
    assert sum(type(r).__name__ == "Heard" for r in rest) == sum(r.version > 1 for r in story.truth)


def test_a_far_behind_reader_that_reads_is_not_cut_off() -> None:
    story = Story(
        random.Random(6), changes=Changes(STORE, "UTC", ChangeOptions(away_s=0.0, missed_records=20))
    )
    for _ in range(40):
        story.happens()
    assert sum(type(r).__name__ == "Heard" for r in story.heard(story.watch(Start.OLDEST))) == len(
        story.truth
    )


def test_a_position_that_was_never_reached_is_refused() -> None:
    story = Story(random.Random(1))
    story.happens()
    story.watch(Position(2))
    with pytest.raises(OutOfRange, match="at version 5 and the store at 1"):
        story.watch(Position(5))


def test_who_waits_is_woken_by_the_next_change_and_by_nothing_else() -> None:
    changes = Changes(STORE, "UTC", ChangeOptions(progress_every_s=30))
    watch = Watch(changes, Story(random.Random(1)), None, Start.NOW)
    assert watch.take(0) is not None, "where it stands"
    got: list[tuple[int, float]] = []

    def listen() -> None:
        item = watch.take(20)
        assert item is not None
        got.append((item.version, time.monotonic()))

    thread = threading.Thread(target=listen)
    thread.start()
    changes.publish(1, NOW, ())
    time.sleep(0.4)
    assert not got
    at = time.monotonic()
    changes.publish(2, NOW, (many(random.Random(1), "a", 3),))
    thread.join(10)
    assert got[0][0] == 2 and got[0][1] - at < 0.2


def test_progress_is_told_while_nothing_that_was_asked_for_happens() -> None:
    story = Story(random.Random(1), changes=Changes(STORE, "UTC", ChangeOptions(progress_every_s=0.05)))
    watch = story.watch(Start.NOW, frozenset({"nobody"}))
    assert watch.take(0) is not None
    story.happens()
    mark = watch.take(5)
    assert mark is not None and not mark.blocks and mark.version == 1
    at = time.monotonic()
    assert watch.take(0.3) is None and time.monotonic() - at >= 0.3, "nothing new, nothing told"


def test_waiting_ends_with_the_deadline_the_caller_and_the_database() -> None:
    story = Story(random.Random(1))
    watch = story.watch(Start.NOW)
    watch.take(0)
    with pytest.raises(DeadlineExceeded):
        watch.take(10, Deadline(time.monotonic() + 0.1))
    with pytest.raises(Cancelled):
        watch.take(10, Deadline(None, lambda: True))
    threading.Timer(0.1, story.changes.close).start()
    with pytest.raises(Cancelled):
        watch.take(10)


def test_readers_and_the_writer_do_not_disturb_one_another() -> None:
    """Four readers at their own pace while 400 versions are published: each hears all, in order."""
    story = Story(random.Random(8), changes=Changes(STORE, "UTC", AT_ONCE))
    done = threading.Event()
    heard: list[list[tuple[int, str, bool, int]]] = [[] for _ in range(4)]

    def read(which: int) -> None:
        watch = story.watch(Start.OLDEST)
        chance = random.Random(which)
        while not done.is_set() or watch.position.version <= story.version:
            item = watch.take(0.01)
            if item is not None:
                heard[which] += [r.place for r in story.of_item(item) if hasattr(r, "place")]
            time.sleep(chance.choice([0, 0, 0.003]))

    threads = [threading.Thread(target=read, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(400):
        story.happens()
    done.set()
    for thread in threads:
        thread.join(30)
    assert all(each == [r.place for r in story.truth] for each in heard)


# ---------------------------------------------------------------------------------------------------- cursors

CURSORS = st.one_of(
    st.builds(Position, st.integers(0, 2**63), st.integers(0, 2**63)),
    st.builds(
        Within,
        st.integers(0, 2**63),
        st.integers(-(2**62), 2**62),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
        st.integers(-1, 2**32 - 1),
    ),
)


@given(cursor=CURSORS)
def test_a_cursor_comes_back_from_its_token(cursor: Position | Within) -> None:
    codec = CursorCodec(STORE)
    token = codec.encode(cursor)
    assert codec.decode(token) == cursor
    assert token.isascii() and not set(token) & set("+/= \n")


@given(cursor=CURSORS, at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_no_changed_token_is_taken(cursor: Position | Within, at: int, flip: int) -> None:
    codec = CursorCodec(STORE)
    token = codec.encode(cursor)
    place = at % len(token)
    changed = token[:place] + chr((ord(token[place]) ^ flip) & 0x7F) + token[place + 1 :]
    for bad in (changed, token[:-1], token[1:], token + "A", token + token):
        if bad != token:
            with pytest.raises(InvalidCursor):
                codec.decode(bad)


@given(token=st.one_of(st.text(max_size=80), st.binary(max_size=60).map(lambda b: b.hex())))
def test_no_text_that_was_not_given_out_is_a_cursor(token: str) -> None:
    with pytest.raises(InvalidCursor):
        CursorCodec(STORE).decode(token)


def test_a_foreign_cursor_is_told_apart_from_a_made_up_one() -> None:
    token = CursorCodec(STORE).encode(Position(4, 2))
    for foreign in (CursorCodec(b"another"), CursorCodec(STORE, "another")):
        with pytest.raises(InvalidCursor, match="another store or workspace"):
            foreign.decode(token)
    with pytest.raises(InvalidCursor, match="not a cursor"):
        CursorCodec(STORE).decode(token[:-4] + "AAAA")
    with pytest.raises(InvalidCursor, match="longer than any"):
        CursorCodec(STORE).decode("A" * 5_000)
