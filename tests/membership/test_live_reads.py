"""Many profiles checked against live segments at once: read from rows of bits, and the same as asked one by one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from headcount_engine import live_reads
from headcount_engine.conditions.tree import InSegment
from headcount_engine.errors import UnknownName
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Texts
from headcount_engine.model.segments import SegmentState
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, profiles
from tests.membership.keeping import DAY, NOW, Kept

PEOPLE = 40


@pytest.fixture
def kept() -> Kept:
    """Scores 0 to 39; p3 was merged into p4, p5 erased; p10 to p19 bought yesterday."""
    kept = Kept()
    keys = [f"p{i}" for i in range(PEOPLE)]
    kept.database.write_profiles(profiles([*keys, "café"], column("score", Kind.INT, [*range(PEOPLE), 30])))
    kept.events(keys[10:20], "buy", [NOW - DAY] * 10)
    kept.save(high="score >= 20", recent="did buy in last 2 days", both='in segment "high"')
    kept.database.merge_profiles("p4", "p3")
    kept.database.erase_profile("p5")
    return kept


def asked_apart(kept: Kept, keys: list[str], rules: list[InSegment]) -> list[list[bool]]:
    return [list(kept.database.check(key, rules).results) for key in keys]


def test_many_are_answered_as_one_by_one(kept: Kept) -> None:
    keys = ["p39", "nobody", "p3", "p0", "p5", "p10", "p39", "cafe\u0301", *(f"p{i}" for i in range(PEOPLE))]
    rules = [InSegment("recent"), InSegment("high"), InSegment("recent")]
    found = kept.database.check_many(Texts.of(keys), rules)
    assert found.results.tolist() == asked_apart(kept, keys, rules)
    assert found.results[:8, 1].tolist() == [True, False, False, False, False, False, True, True]
    assert found.is_known.tolist() == [key not in ("nobody", "p5") for key in keys]
    assert (found.version, found.now_us) == (kept.database.status().version, NOW)


def test_ids_are_answered_as_keys_are(kept: Kept) -> None:
    keys = [f"p{i}" for i in range(PEOPLE)]
    ids = np.array([39, 3, 5, 0, 2**32 - 1, 20])
    found = kept.database.check_many(ids, [InSegment("high")])
    assert found.is_known.tolist() == [True, True, False, True, False, True]
    assert found.results[:, 0].tolist() == [True, False, False, False, False, True]
    assert keys[3] not in kept.members("high")


def test_the_clock_takes_out_before_an_answer(kept: Kept) -> None:
    keys = Texts.of(["p10", "p25"])
    assert kept.database.check_many(keys, [InSegment("recent")]).results[:, 0].tolist() == [True, False]
    kept.clock.advance_to(NOW + DAY + 1)
    found = kept.database.check_many(keys, [InSegment("recent")])
    assert found.results[:, 0].tolist() == [False, False] and found.now_us == NOW + DAY + 1


def test_drafts_and_unknown_segments(kept: Kept) -> None:
    kept.database.create_segment(SegmentDraft("D", "score < 2", "draft", state=SegmentState.DRAFT))
    rules = [InSegment("high"), InSegment("draft")]
    found = kept.database.check_many(Texts.of(["p1", "p30"]), rules)
    assert found.results.tolist() == [[False, True], [True, False]]
    with pytest.raises(UnknownName):
        kept.database.check_many(Texts.of(["p1"]), [InSegment("nowhere")])


def test_the_overlap_of_live_segments_is_that_of_their_members(kept: Kept) -> None:
    names = ["high", "recent", "both"]
    for now_us in (NOW, NOW + DAY + 1):
        kept.clock.advance_to(now_us)
        found = kept.database.analytics.overlap([f'in segment "{name}"' for name in names])
        held = [kept.members(name) for name in names]
        assert found.intersections.tolist() == [[len(a & b) for b in held] for a in held]
        assert (found.version, found.now_us) == (kept.database.status().version, now_us)
        rules = ["score >= 20", "did buy in last 2 days", 'in segment "high"']
        assert kept.database.analytics.overlap(rules).intersections.tolist() == found.intersections.tolist()
    assert found.intersections.tolist() == [[21, 0, 21], [0, 0, 0], [21, 0, 21]]


def test_an_overlap_with_a_draft_is_evaluated(kept: Kept) -> None:
    kept.database.create_segment(SegmentDraft("D", "score < 30", "draft", state=SegmentState.DRAFT))
    found = kept.database.analytics.overlap([InSegment("high"), InSegment("draft")])
    assert found.intersections.tolist() == [[21, 10], [10, 28]]


def test_more_than_the_gate_is_held_for_are_the_same(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"p{i}" for i in range(PEOPLE)]
    rules = [InSegment("high"), InSegment("recent")]
    few = kept.database.check_many(Texts.of(keys), rules)
    monkeypatch.setattr(live_reads, "_ANSWERS_MAX", 2 * PEOPLE - 1)
    assert kept.database.live_reads.check_many(Texts.of(keys), rules) is None
    many = kept.database.check_many(Texts.of(keys), rules)
    assert many.results.tolist() == few.results.tolist() and many.is_known.tolist() == few.is_known.tolist()


@pytest.fixture
def fast_switching() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("fast_switching")
@pytest.mark.parametrize("lookups", [0, 2])
def test_an_answer_is_of_one_version(lookups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write brings one profile and turns everyone's membership: who knows n of them sees the n-th turn."""
    monkeypatch.setattr(live_reads, "_LOOKUPS_FREE", lookups)
    writes = 150
    kept = Kept()
    kept.database.write_profiles(profiles(["p0"], column("score", Kind.INT, [1])))
    kept.save(odd="score = 1")
    keys = [f"p{i}" for i in range(writes + 1)]
    texts, rules = Texts.of(keys), [InSegment("odd")]
    first, done = kept.database.status().version, threading.Event()
    failures, seen = list[str](), set[int]()

    def read() -> None:
        while not done.is_set():
            found = kept.database.check_many(texts, rules)
            turn = found.version - first
            known = [i <= turn for i in range(writes + 1)]
            expected = [is_known and turn % 2 == 0 for is_known in known]
            if found.is_known.tolist() != known or found.results[:, 0].tolist() != expected:
                failures.append(f"at turn {turn}")
            seen.add(turn)

    readers = [threading.Thread(target=read, daemon=True) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(1, writes + 1):
        score = [1 - turn % 2] * (turn + 1)
        kept.database.write_profiles(profiles(keys[: turn + 1], column("score", Kind.INT, score)))
    done.set()
    for reader in readers:
        reader.join(30)
    assert not failures, failures[:3]
    assert len(seen) > 5
