"""A stretch of equals, against the whole group as a sorted list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_engine.atoms import ties
from headcount_engine.atoms.ties import Stretch, at_most, crossing
from headcount_engine.model.batches import Texts


def key(who: int) -> str:
    return f"{'é' if who % 3 else 'e'}{who * 7 % 11}{'/' * (who % 4)}{who}"


def keys(ids: list[int]) -> Texts:
    return Texts.of([key(who) for who in ids])


def entries(group: set[int]) -> list[tuple[bytes, int]]:
    return sorted((key(who).encode(), who) for who in group)


@given(
    st.sets(st.integers(0, 60), min_size=1),
    st.lists(st.tuples(st.sets(st.integers(0, 60), max_size=25), st.floats(0, 1)), max_size=8),
    st.floats(0, 1),
)
def test_a_stretch_follows_its_group(
    group: set[int], batches: list[tuple[set[int], float]], share: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ties, "_REACH", 2)
        ids = sorted(group)
        place = 1 + int(share * (len(ids) - 1))
        stretch = Stretch.around(keys(ids), np.array(ids, dtype=np.uint32), place)
        stretch._check(entries(group))
        assert len(stretch.entries) <= 4 and stretch.has(place)
        for touched, share in batches:
            rows = sorted(touched)
            gone = np.array([who in group for who in rows], dtype=np.bool_)
            stretch = stretch.changed(keys(rows), np.array(rows, dtype=np.uint32), gone, ~gone)
            group = group ^ touched
            ordered = entries(group)
            stretch._check(ordered)
            assert [stretch.has(place) for place in range(len(ordered) + 2)] == [
                0 < place <= len(ordered) and ordered[place - 1] in stretch.entries
                for place in range(len(ordered) + 2)
            ]
            if not stretch.entries:
                return
            place = stretch.skipped + 1 + int(share * (len(stretch.entries) - 1))
            here = stretch.key_at(place)
            assert here == ordered[place - 1][0]
            bounds = [name for name, _ in stretch.entries] + [None] * (stretch.last is None)
            for one in bounds:
                wanted = [who for name, who in ordered if (one is not None and name > one) != (name > here)]
                assert stretch.across(one, here) == stretch.across(here, one) == wanted
            stretch = stretch.trimmed(place, len(ordered))
            stretch._check(ordered)
            assert stretch.has(place) and len(stretch.entries) <= 8
            assert stretch.last is None or place < len(ordered)


def test_a_stretch_that_has_grown_is_cut_on_both_sides() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ties, "_REACH", 3)
        few = np.arange(4, dtype=np.uint32)
        stretch = Stretch.around(keys(few.tolist()), few, 2)
        more = np.arange(4, 60, dtype=np.uint32)
        come = np.ones(len(more), dtype=np.bool_)
        stretch = stretch.changed(keys(more.tolist()), more, ~come, come)
        assert len(stretch.entries) == 60
        stretch = stretch.trimmed(30, 60)
        assert (len(stretch.entries), stretch.skipped) == (6, 27)
        stretch._check(entries(set(range(60))))


def test_no_key_is_past_every_key() -> None:
    names = sorted(key(who) for who in range(20))
    names.sort(key=str.encode)
    packed = Texts.of(names)
    middle, later = names[5].encode(), names[9].encode()
    assert at_most(packed, middle).sum() == 6
    for one, other, count in ((middle, later, 4), (later, middle, 4), (middle, None, 14), (None, middle, 14)):
        assert crossing(packed, one, other).sum() == count
    assert not crossing(packed, None, None).any()


def test_a_stretch_with_nobody_left_past_it_takes_in_whoever_comes_there() -> None:
    """All of the group are taken then, and stay so however late the keys of newcomers are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ties, "_REACH", 3)
        everyone = np.arange(60, dtype=np.uint32)
        stretch = Stretch.around(keys(everyone.tolist()), everyone, 30)
        past = np.array([who for _, who in entries(set(range(60)))[33:]], dtype=np.uint32)
        is_past = np.ones(len(past), dtype=np.bool_)
        stretch = stretch.changed(keys(past.tolist()), past, is_past, ~is_past)
        stretch = stretch.trimmed(33, 33).changed(keys(past.tolist()), past, ~is_past, is_past)
        assert stretch.last is None and stretch.has(60)
        stretch._check(entries(set(range(60))))
