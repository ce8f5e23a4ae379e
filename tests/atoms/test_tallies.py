"""Counts of events in windows, kept: beyond what a byte holds, coming and going."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.membership.keeping import DAY, NOW, Kept

EDGES = (1, 2, 253, 254, 255, 256, 257, 300, 510, 511)


def watched(kept: Kept, window: str = "in last 2 days") -> None:
    for edge in EDGES:
        kept.save(**{f"s{edge}": f"did buy at least {edge} times {window}"})
        kept.save(**{f"e{edge}": f"did buy exactly {edge} times {window}"})
        kept.save(**{f"f{edge}": f"did buy fewer than {edge} times {window}"})


def look(kept: Kept, counts: dict[str, int]) -> None:
    """Every segment is what the counts say, and what counting anew says."""
    for edge in EDGES:
        assert kept.members(f"s{edge}") == {key for key, n in counts.items() if n >= edge}, edge
        assert kept.members(f"e{edge}") == {key for key, n in counts.items() if n == edge}, edge
        assert kept.members(f"f{edge}") == {key for key, n in counts.items() if n < edge}, edge


def test_more_events_than_a_byte_holds_come_and_go_one_by_one_around_255() -> None:
    kept = Kept()
    watched(kept)
    kept.events(["a"] * 253, "buy", list(range(NOW - 252, NOW + 1)))
    look(kept, {"a": 253})
    for count in range(254, 259):
        kept.events(["a"], "buy", [NOW])
        look(kept, {"a": count})
    for gone in range(1, 8):
        kept.to(NOW - 252 + 2 * DAY + gone - 1)
        look(kept, {"a": 258 - gone})


@given(seed=st.integers(0, 2**32 - 1), is_built_late=st.booleans())
@settings(max_examples=6, deadline=None)
def test_bursts_of_hundreds_of_events_in_any_order(seed: int, is_built_late: bool) -> None:
    random, kept = Random(seed), Kept()
    times: dict[str, list[int]] = {"a": [], "b": []}
    if not is_built_late:
        watched(kept)
    for step in range(10):
        keys = random.choice((["a"], ["b"], ["a", "b"]))
        now_us = kept.clock.now_us()
        burst = {
            key: [now_us + random.randint(-4 * DAY, DAY) for _ in range(random.choice((1, 3, 120, 260)))]
            for key in keys
        }
        for key, own in burst.items():
            times[key] += own
        kept.events([key for key in keys for _ in burst[key]], "buy", [t for key in keys for t in burst[key]])
        if is_built_late and step == 4:
            watched(kept)
        if not is_built_late or step >= 4:
            look(kept, counted(times, kept.clock.now_us()))
        kept.to(kept.clock.now_us() + random.choice((0, 1, DAY // 3, DAY, 3 * DAY)))
        if not is_built_late or step >= 4:
            look(kept, counted(times, kept.clock.now_us()))


def counted(times: dict[str, list[int]], now_us: int) -> dict[str, int]:
    return {key: sum(now_us - 2 * DAY < t <= now_us for t in own) for key, own in times.items() if own}


def test_a_flip_by_the_clock_and_one_by_an_event_are_told_apart_in_one_version() -> None:
    kept = Kept()
    kept.save(s="did buy at least 1 times in last 2 days")
    kept.events(["left", "stays"], "buy", [NOW, NOW])
    kept.clock.advance_to(NOW + 2 * DAY)
    kept.events(["new", "stays"], "buy", [NOW + 2 * DAY, NOW + 2 * DAY])
    assert kept.members("s") == {"new", "stays"}
    assert set(kept.told()[-2:]) == {("left", "s", "left", "CLOCK"), ("joined", "s", "new", "EVENT")}
    assert len(kept.told()) == 4, "who left by the clock and came back by an event in one version never left"


def test_counters_on_the_same_events_share_what_they_hold() -> None:
    kept = Kept()
    for number in range(1, 6):
        kept.save(**{f"s{number}": f"did buy at least {number} times in last 2 days"})
    kept.save(other="did buy at least 1 times in last 3 days", never="never did buy in last 2 days")
    tallies = kept.database.live._atoms._tallies
    assert len(tallies) == 2
    for number in range(1, 6):
        kept.database.delete_segment(f"s{number}")
    assert len(tallies) == 2
    kept.database.delete_segment("never")
    assert len(tallies) == 1
