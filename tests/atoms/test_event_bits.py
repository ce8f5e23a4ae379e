"""The conditions on one event as bits: an event passes by its bits exactly if it passes the test."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.atoms.event_bits import EventBits, packed
from headcount_engine.conditions.bound import Always, CountEvent, EventTest, NotEvent, PropertyTest
from headcount_engine.evaluation.slices import event_mask
from headcount_engine.indexes.predicates import Listed, Nothing, Present, Range
from headcount_engine.indexes.runs import Run

CODES = 6
RANDOM = np.random.default_rng(41)
N = 200
RUN = Run(
    RANDOM.integers(0, 9, N).astype(np.uint32),
    np.sort(RANDOM.integers(0, 99, N)).astype(np.int64),
    {
        "offer": RANDOM.integers(0, CODES, N).astype(np.uint8),
        "price": RANDOM.integers(-128, 9, N).astype(np.int8),
    },
    np.zeros(1, dtype=np.int64),
    np.zeros(1, dtype=np.int64),
)
"""`offer` is coded, 0 being absent; `price` is not, and -128 is; nobody has `gift`."""
PREDICATES = st.sampled_from(
    [Present(), Nothing(), Range(1, 2), Range(2, 5), Range(3, 3), Listed((1, 4)), Listed((2, 3, 5))]
)
LEAVES = st.builds(PropertyTest, st.sampled_from(("offer", "price", "gift")), PREDICATES)


def groups(inner: st.SearchStrategy[EventTest]) -> st.SearchStrategy[EventTest]:
    several = st.lists(inner, min_size=1, max_size=4).map(tuple)
    return st.one_of(
        inner.map(NotEvent),
        several.map(lambda c: CountEvent(len(c), len(c), c)),
        several.map(lambda c: CountEvent(1, len(c), c)),
        several.map(lambda c: CountEvent(0, 0, c)),
        several.map(lambda c: NotEvent(CountEvent(1, len(c), c))),
        st.tuples(several, st.integers(0, 4)).map(
            lambda t: CountEvent(min(t[1], len(t[0])), len(t[0]), t[0])
        ),
    )


TESTS = st.recursive(LEAVES | st.sampled_from([Always(True), Always(False)]), groups, max_leaves=8)


@given(st.lists(st.none() | TESTS, min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_an_event_passes_by_its_bits_as_it_passes_the_test(tests: list[EventTest | None]) -> None:
    bits = EventBits({"offer": CODES, "gift": 3})
    wanted = [bits.wanted(test) for test in tests]
    bits.seal()
    held = bits.of(RUN, 0, len(RUN))
    for test, want in zip(tests, wanted, strict=True):
        expected = np.ones(N, dtype=np.bool_) if test is None else event_mask(test, RUN, 0, N) != 0
        if want is None:
            assert not expected.any(), test
            continue
        need, deny = packed([want.need], bits.words)[0], packed([want.deny], bits.words)[0]
        found = ((held & need) == need).all(axis=1) & ((held & deny) == 0).all(axis=1)
        assert (found == expected).all(), test


def test_many_conditions_on_one_property_cost_one_look_up() -> None:
    """The bits of 100 values of a coded property come out of one table of two words."""
    bits = EventBits({"offer": 101})
    wanted = [bits.wanted(PropertyTest("offer", Range(code, code))) for code in range(1, 101)]
    bits.seal()
    assert bits.words == 2 and list(bits._tables) == ["offer"]
    run = Run(
        np.zeros(101, dtype=np.uint32), np.arange(101, dtype=np.int64), {"offer": np.arange(101, dtype=np.uint8)},
        np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    held = bits.of(run, 0, len(run))
    for code, want in enumerate(wanted, start=1):
        assert want is not None
        need = packed([want.need], 2)[0]
        assert np.flatnonzero(((held & need) == need).all(axis=1)).tolist() == [code]


def test_a_test_and_its_opposite_pass_nobody() -> None:
    bits = EventBits({"offer": CODES})
    leaf = PropertyTest("offer", Range(1, 2))
    assert bits.wanted(CountEvent(2, 2, (leaf, NotEvent(leaf)))) is None
