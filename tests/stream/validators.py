"""What every stream of joins and leaves must be, one function for each promise. Each raises AssertionError.

A stream is what one listener got, in order: `Heard` for a record, `Told` for the end of an item, which says how far
everything has been sent. `truth` is every change that was ever published, in the order of the log.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

JOINED, LEFT, INITIAL = "joined", "left", "initial"


@dataclass(frozen=True, slots=True)
class Heard:
    """One record. `profile` is what profiles are ordered by: the dense id."""

    version: int
    now_us: int
    segment: str
    change: str
    profile: int
    cause: int
    cursor: str = ""

    @property
    def place(self) -> tuple[int, str, bool, int]:
        """Where it stands in the total order."""
        return self.version, self.segment, self.change != LEFT, self.profile


@dataclass(frozen=True, slots=True)
class Told:
    """The end of an item: everything up to `version` has been sent."""

    version: int
    cursor: str


Stream = Sequence[Heard | Told]
Members = Mapping[str, frozenset[int]]


def records(stream: Stream) -> list[Heard]:
    return [item for item in stream if isinstance(item, Heard)]


def changes(stream: Stream) -> list[Heard]:
    return [record for record in records(stream) if record.change != INITIAL]


def bare(found: Iterable[Heard]) -> list[tuple[int, int, str, str, int, int]]:
    """Without cursors, to be compared."""
    return [(r.version, r.now_us, r.segment, r.change, r.profile, r.cause) for r in found]


def ordered(stream: Stream) -> None:
    """Records come in the one total order: initial members first, all of one version, then what changed after it."""
    heard = records(stream)
    initial = [r for r in heard if r.change == INITIAL]
    assert heard[: len(initial)] == initial, "an initial member after a change"
    assert len({r.version for r in initial}) <= 1, "initial members of several versions"
    for before, after in itertools.pairwise(heard):
        assert before.place < after.place or (before.change == INITIAL) > (after.change == INITIAL)
        assert before.change != INITIAL or after.change == INITIAL or before.version < after.version, (
            "overlap"
        )
        assert before.now_us <= after.now_us


def unique(stream: Stream) -> None:
    """Nothing is said twice."""
    said = [(r.version, r.segment, r.change, r.profile) for r in records(stream)]
    assert len(said) == len(set(said))


def alternating(stream: Stream, *, from_nothing: bool) -> None:
    """Nobody joins who is in or leaves who is not; `from_nothing`: the listener knew everyone from the beginning."""
    is_in: dict[tuple[str, int], bool] = {}
    for r in records(stream):
        who = r.segment, r.profile
        was = is_in.get(who, False if from_nothing else None)
        assert was is None or was == (r.change == LEFT), r
        is_in[who] = r.change != LEFT


def atomic(stream: Stream, truth: Sequence[Heard], segments: frozenset[str] | None, after: int) -> None:
    """Once a version is said to be complete, all of it has been heard and nothing of it comes any more."""
    heard: list[Heard] = []
    for item in stream:
        match item:
            case Heard():
                heard.append(item)
            case Told():
                done = [r for r in heard if r.change != INITIAL and r.version <= item.version]
                assert bare(done) == bare(_expected(truth, segments, after, item.version))


def reliable(stream: Stream, truth: Sequence[Heard], segments: frozenset[str] | None, after: int) -> None:
    """No gap: what was heard is, to the last word, what was published after a version."""
    heard = changes(stream)
    until = max((item.version for item in stream), default=after)
    expected = _expected(truth, segments, after, until)
    assert bare(heard) == bare(expected)[: len(heard)]
    assert len(heard) == len(expected) or heard[-1].version == until


def progress_holds(stream: Stream) -> None:
    """What is said to be complete never goes back, and nothing of it comes later."""
    told = -1
    for item in stream:
        if isinstance(item, Told):
            assert item.version >= told
            told = item.version
        elif item.change != INITIAL:
            assert item.version > told


def only_asked(stream: Stream, segments: frozenset[str] | None) -> None:
    """Nothing is heard of segments that were not asked for."""
    assert segments is None or {r.segment for r in records(stream)} <= segments


def resumable(stream: Stream, again: Callable[[str], Stream], at_most: int = 10) -> None:
    """From the cursor of any item and any record, the rest comes as it came before. Tries so many, evenly spread."""
    stride = max(1, len(stream) // at_most)
    for i in range(len(stream) % stride, len(stream), stride):
        rest = records(stream[i + 1 :])
        resumed = records(again(stream[i].cursor))
        assert bare(resumed)[: len(rest)] == bare(rest), f"resumed after item {i}"


def foldable(
    stream: Stream, members_at: Callable[[int], Members], after: int, start: Members | None = None
) -> None:
    """What was heard, applied version by version, is who is in, whenever a version is complete.

    The listener knew nothing before, or (without initial members) who was in at version `after`.
    """
    held: dict[str, set[int]] = {s: set(ids) for s, ids in (start or {}).items()}
    waiting: list[Heard] = []
    for item in stream:
        if isinstance(item, Heard):
            waiting.append(item)
            continue
        for record in [r for r in waiting if r.version <= item.version]:
            members = held.setdefault(record.segment, set())
            if record.change == LEFT:
                members.remove(record.profile)
            else:
                members.add(record.profile)
        waiting = [r for r in waiting if r.version > item.version]
        if item.version >= after:
            whole = {s: set(ids) for s, ids in members_at(item.version).items() if ids}
            assert {s: ids for s, ids in held.items() if ids} == whole


def _expected(truth: Sequence[Heard], segments: frozenset[str] | None, after: int, until: int) -> list[Heard]:
    return [r for r in truth if after < r.version <= until and (segments is None or r.segment in segments)]
