"""Changes, histories and cursors outlive the process: with a checkpoint, without one, and after a loss of power."""

from __future__ import annotations

import random

import pytest

from headcount_engine.changes.options import ChangeOptions
from headcount_engine.changes.watch import Start
from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import CursorTooOld, InvalidCursor
from headcount_engine.ingest.staging import Staged
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import DAY, MANUAL, NOW
from tests.stream import validators
from tests.stream.stories import AT_ONCE, Story
from tests.stream.validators import Heard, Stream


class Kept:
    """A database over files in memory, that can be ended and opened again in several ways."""

    def __init__(self, files: CrashFiles | None = None, now_us: int = NOW) -> None:
        self.clock = ManualClock(now_us)
        self.files = files or CrashFiles()
        self.database = self._opened()

    def _opened(self) -> Database:
        return Database.open(None, files=self.files, clock=self.clock, durability=MANUAL, changes=AT_ONCE)

    def again(self, how: str) -> None:
        """End it: in good order, by killing the process, or with the power."""
        if how == "closed":
            self.database.close()
        end = self.files.process_ended() if how != "power" else self.files.image(random.Random(1))
        self.files = CrashFiles(end)
        self.database = self._opened()

    def heard(self, start: str | Start, *segments: str, initial: bool = False) -> Stream:
        watch = self.database.following.watch(segments, start, with_initial_members=initial)
        story = Story(random.Random(0), changes=self.database._changes)
        return story.heard(watch)


def live(kept: Kept, chance: random.Random, steps: int) -> None:
    """Writes, edits and the clock, with two segments that follow them."""
    database = kept.database
    for _ in range(steps):
        keys = [f"p{chance.randrange(20)}" for _ in range(5)]
        match chance.randrange(5):
            case 0 | 1:
                database.write_profiles(
                    profiles(keys, column("n", Kind.INT, [chance.randrange(9) for _ in keys]))
                )
            case 2:
                database.write_events(events(keys, "buy", [kept.clock.now_us()] * len(keys)))
            case 3:
                kept.clock.advance_to(kept.clock.now_us() + chance.randrange(DAY))
                database.tick()
            case _:
                database.update_segment("high", SegmentChanges(rule=f"n > {chance.randrange(8)}"))


def begun() -> Kept:
    kept = Kept()
    kept.database.write_profiles(profiles(["p0"], column("n", Kind.INT, [3])))
    kept.database.create_segment(SegmentDraft("High", "n > 4"))
    kept.database.create_segment(SegmentDraft("Buyers", "did buy in last 1 days"))
    return kept


@pytest.mark.parametrize("how", ["closed", "killed", "power"])
@pytest.mark.parametrize("checkpoints", [0, 1, 3])
def test_a_stream_is_the_same_after_a_restart_whatever_way_it_came_about(how: str, checkpoints: int) -> None:
    kept, chance = begun(), random.Random(checkpoints)
    for _ in range(4):
        live(kept, chance, 12)
        if checkpoints:
            kept.database.checkpoint()
            checkpoints -= 1
    before = kept.heard(Start.OLDEST)
    truth = validators.changes(before)
    assert len(truth) > 60 and {r.cause for r in truth} >= {1, 2, 3, 4}
    sizes = kept.database._changes.sizes()
    shown = kept.database.following.history("high", start_us=NOW - DAY)
    kept.again(how)
    after = kept.heard(Start.OLDEST)
    assert validators.bare(validators.changes(after)) == validators.bare(truth)
    assert kept.database._changes.sizes() == sizes
    again = kept.database.following.history("high", start_us=NOW - DAY)
    assert (again.sizes.tolist(), again.joined.tolist()) == (shown.sizes.tolist(), shown.joined.tolist())
    # Cursors from before mean the same afterwards, those within the initial members included.
    validators.resumable(before, kept.heard)
    live(kept, chance, 10)
    later = kept.heard(before[-1].cursor)
    validators.ordered([*before, *later])
    validators.alternating([*before, *later], from_nothing=True)
    validators.progress_holds([*before, *later])


def test_initial_members_begun_before_a_restart_are_finished_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("headcount_engine.changes.watch.ITEM_RECORDS", 3)
    kept = begun()
    live(kept, random.Random(3), 20)
    watch = kept.database.following.watch([], Start.NOW, with_initial_members=True)
    story = Story(random.Random(0), changes=kept.database._changes)
    first = watch.take(0)
    assert first is not None
    stream = story.of_item(first)
    whole = kept.heard(Start.NOW, initial=True)
    live(kept, random.Random(4), 20)
    kept.again("killed")
    rest = kept.heard(stream[-1].cursor)
    initial = [r for r in validators.records([*stream, *rest]) if r.change == validators.INITIAL]
    assert validators.bare(initial) == validators.bare(validators.records(whole))
    validators.ordered([*stream, *rest])
    validators.alternating([*stream, *rest], from_nothing=True)


def test_sizes_by_the_changes_are_those_of_the_members() -> None:
    kept = begun()
    for seed in range(3):
        live(kept, random.Random(seed), 15)
        kept.database.tick()
        held = kept.database.following.members_now(None)
        assert kept.database._changes.sizes() == {s: len(m) for s, m in held.of.items()}
        kept.again("killed")


def test_what_was_dropped_stays_dropped_after_a_restart() -> None:
    """Else a listener with an old cursor would go on over a gap."""
    kept = begun()
    cursor = kept.heard(Start.OLDEST)[0].cursor
    log = kept.database._changes.log
    live(kept, random.Random(1), 20)
    kept.database.checkpoint()
    log._options = ChangeOptions(kept_us=DAY)
    kept.clock.advance_to(kept.clock.now_us() + 3 * DAY)
    live(kept, random.Random(2), 20)
    kept.database.checkpoint()
    oldest = log.oldest
    assert oldest[0].version > 10
    for how in ("killed", "closed"):
        kept.again(how)
        assert kept.database._changes.log.oldest == oldest
        with pytest.raises(CursorTooOld):
            kept.heard(cursor)


def test_a_checkpoint_does_not_write_old_changes_again() -> None:
    kept = begun()
    kept.database._writer._live = None  # what is staged here is what is logged
    ids = list(range(0, 3_000_000, 3))
    story = Story(random.Random(1), profiles=3)
    for half in (ids[:500_000], ids[500_000:]):
        flips = story._flips("big", frozenset(), frozenset(half))
        assert flips is not None
        kept.database._commit(lambda _, flips=flips: Staged(accepted=1, flips=(flips,)))
    kept.database.checkpoint()
    live(kept, random.Random(2), 3)
    second = kept.database.checkpoint()
    assert second.total_bytes > 1_000_000 and second.new_bytes < second.total_bytes / 4


def test_a_cursor_of_another_store_is_refused_and_one_of_a_copy_is_not() -> None:
    kept, other = begun(), begun()
    cursor = kept.heard(Start.OLDEST)[-1].cursor
    with pytest.raises(InvalidCursor, match="another store"):
        other.heard(cursor)
    assert kept.heard(cursor)


def test_a_store_that_kept_no_changes_yet_begins_to() -> None:
    """A checkpoint of the release before: its tree has four parts."""
    kept = begun()
    live(kept, random.Random(5), 10)
    capture = kept.database._capture

    def as_before(rotate: object) -> object:
        captured = capture(rotate)  # type: ignore[arg-type]
        object.__setattr__(captured, "content", captured.content[:4])  # type: ignore[index]
        return captured

    assert kept.database._keeper is not None
    kept.database._keeper._capture = as_before  # type: ignore[assignment]
    kept.again("closed")
    stream = kept.heard(Start.OLDEST, initial=True)
    held = kept.database.following.members_now(None)
    assert {(r.segment, r.profile) for r in stream if isinstance(r, Heard)} == {
        (s, p) for s, members in held.of.items() for p in members
    }
    cursor = stream[-1].cursor
    live(kept, random.Random(6), 10)
    validators.ordered([*stream, *kept.heard(cursor)])
    with pytest.raises(CursorTooOld):
        kept.database._changes.log.read(
            kept.database._changes.cursors.decode(cursor).__class__(1),
            None,
            1,  # type: ignore[call-arg]
        )
