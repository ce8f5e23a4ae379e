"""Segments that move by themselves, as those see it who write, ask and listen."""

from __future__ import annotations

import itertools

from headcount import Client
from tests.acceptance.asking import ago, did, people, who


def test_the_write_that_fills_a_cart_takes_its_owner_out_in_its_own_version(headcount: Client) -> None:
    """`cart_value < 100` is in; at 100 it is out, for whoever reads at the version of that write."""
    people(headcount, cart_value=[("ann", 99), ("bo", 20), ("cy", 300)])
    small = headcount.create_segment("small", "cart_value < 100")
    assert small.size == 2 and "small" in headcount.memberships("ann")
    with headcount.watch("small", start="oldest", timeout=60) as watch:
        changes = iter(watch)
        assert sorted(change.profile for change in itertools.islice(changes, 2)) == ["ann", "bo"]
        filled = headcount.upsert_profiles([{"key": "ann", "cart_value": 100}])
        answer = headcount.memberships("ann", min_version=filled.version)
        assert answer.version == filled.version and "small" not in answer
        assert headcount.get_segment("small").size == 1
        assert not headcount.check("ann", "small")["small"]
        left = next(changes)
        assert (left.change.value, left.profile, left.segment) == ("left", "ann", "small")
        assert (left.version, left.cause.value) == (filled.version, "attribute")
    emptied = headcount.upsert_profiles([{"key": "ann", "cart_value": 99}])
    assert "small" in headcount.memberships("ann", min_version=emptied.version)
    assert who(headcount, 'in segment "small"') == "ann bo"


def test_one_write_moves_everything_that_hangs_on_it_at_once(headcount: Client) -> None:
    people(headcount, cart_value=[("ann", 50)])
    headcount.create_segment("small", "cart_value < 100")
    headcount.create_segment("buyers", "did buy in last 7 days")
    headcount.create_segment("to-remind", 'in segment "small" and not in segment "buyers"')
    with headcount.watch(start="oldest", timeout=60) as watch:
        assert "to-remind" in headcount.memberships("ann")
        did(headcount, "buy", "ann", ago())
        assert set(headcount.memberships("ann")) == {"small", "buyers"}
        told = [(c.change.value, c.segment) for c in itertools.islice(watch, 4)]
    assert sorted(told[:2]) == [("joined", "small"), ("joined", "to-remind")]
    assert sorted(told[2:]) == [("joined", "buyers"), ("left", "to-remind")]
