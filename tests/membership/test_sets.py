"""Sets derived from flips, however these wait: one by one, joined, or folded away."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from headcount_engine.membership import sets
from headcount_engine.membership.sets import Flipped, MemberSets

SLOTS = 5


def flipped(by_slot: dict[int, list[int]]) -> Flipped:
    slots = sorted(slot for slot, ids in by_slot.items() if ids)
    held = [sorted(by_slot[slot]) for slot in slots]
    starts = np.cumsum([0, *map(len, held)])
    return Flipped(
        np.array(slots, dtype=np.int64), starts, np.array([i for ids in held for i in ids], dtype=np.uint32)
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pending_max", [1 << 22, 300])
def test_every_set_is_what_its_flips_make(
    seed: int, pending_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read at random moments, so that sets have seen part of what is joined later."""
    monkeypatch.setattr(sets, "_SINGLE_MAX", 4)
    monkeypatch.setattr(sets, "_PENDING_MAX", pending_max)
    random, members, expected = Random(seed), MemberSets(), [set[int]() for _ in range(SLOTS)]
    for _ in range(400):
        most = random.choice([1, 1, 1, 30])
        flips = {s: random.sample(range(60), random.randint(0, most)) for s in random.sample(range(SLOTS), 2)}
        members.publish(flipped(flips))
        for slot, ids in flips.items():
            expected[slot] ^= set(ids)
        members.settle()
        assert len(members._pending) <= 4 + 12
        for slot in random.sample(range(SLOTS), random.choice([0, 0, 0, 1, 2])):
            assert set(members.fold(slot)) == expected[slot]
    assert [set(members.fold(slot)) for slot in range(SLOTS)] == expected


def test_many_small_versions_wait_in_few_parts() -> None:
    members = MemberSets()
    for i in range(20_000):
        members.publish(flipped({0: [i]}))
        members.settle()
    assert len(members._pending) < 100
    assert len(members.fold(0)) == 20_000
