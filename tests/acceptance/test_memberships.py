"""Who is in what, right now: for a page being shown, for a table of segments, for what is triggered elsewhere."""

from __future__ import annotations

import datetime as dt
import itertools

from headcount import Client, Event
from tests.acceptance.asking import NOW, ago, did, people, who


def test_an_interaction_is_answered_with_the_segments_it_leads_to(headcount: Client) -> None:
    """Features 35 and 38: in the same visit, without asking again."""
    people(headcount, cart_value=[("ann", 20)])
    headcount.create_segment("small-cart", "cart_value < 100")
    headcount.create_segment("looking", 'did view where offer = "lamp" at least 2 times in last 7 days')
    headcount.create_segment("remind", 'in segment "looking" and in segment "small-cart"')
    seen = [
        headcount.track([Event("view", "ann", ago(hours=h), "", {"offer": "lamp"})], return_segments=True)
        for h in (3, 2)
    ]
    led_to = [receipt.segments.rows[0] for receipt in seen if receipt.segments is not None]
    assert led_to == [("small-cart",), ("looking", "remind", "small-cart")]
    filled = headcount.upsert_profiles([{"key": "ann", "cart_value": 100}], return_segments=True)
    assert filled.segments is not None
    assert filled.segments.rows == (("looking",),) and filled.segments.version == filled.version


def test_a_page_asks_whether_this_visitor_is_in(headcount: Client) -> None:
    """Feature 13."""
    people(headcount, plan=[("ann", "pro"), ("bo", "free")])
    headcount.create_segment("pros", 'plan = "pro"')
    assert headcount.check("ann", "pros")["pros"] and not headcount.check("bo", "pros")["pros"]
    assert not headcount.check("nobody yet", "pros")["pros"]


def test_both_directions_take_one_call_each(headcount: Client) -> None:
    """Feature 23: all segments of a profile, all profiles of a segment."""
    people(headcount, n=[(key, i) for i, key in enumerate(("ann", "bo", "cy", "di"))])
    for bound in range(4):
        headcount.create_segment(f"from-{bound}", f"n >= {bound}")
    assert set(headcount.memberships("cy")) == {"from-0", "from-1", "from-2"}
    assert set(headcount.get_profile("cy").segments) == {"from-0", "from-1", "from-2"}
    assert who(headcount, 'in segment "from-2"') == "cy di"


def test_sizes_stand_beside_segments_and_are_of_now(headcount: Client) -> None:
    """Feature 25."""
    people(headcount, n=[(key, 1) for key in ("ann", "bo", "cy")])
    made = headcount.create_segment("ones", "n = 1")
    headcount.create_segment("ones-again", 'in segment "ones"')
    assert made.size == 3
    people(headcount, n=[("ann", 2), ("di", 1), ("ed", 1)])
    assert {segment.size for segment in headcount.list_segments()} == {4}


def test_retention_days_keep_who_ceased_to_match(headcount: Client) -> None:
    """Feature 11; and it can be for those only who are not known."""
    people(headcount, plan=[("ann", "pro"), ("bo", "pro")])
    headcount.create_segment("pros", 'plan = "pro"', retention=dt.timedelta(days=30))
    headcount.create_segment("now", 'plan = "pro"')
    people(headcount, plan=[("ann", "free")])
    assert who(headcount, 'in segment "pros"') == "ann bo" and who(headcount, 'in segment "now"') == "bo"
    headcount.update_segment("pros", retains_unknown_only=True)
    headcount.upsert_profiles([{"key": "bo", "plan": "free"}])
    assert who(headcount, 'in segment "pros"') == "ann bo"
    assert set(headcount.memberships("ann")) == {"pros"}
    headcount.update_segment("pros", retention=dt.timedelta(microseconds=1))
    assert who(headcount, 'in segment "pros"') == ""


def test_joins_and_leaves_come_exactly_once_with_their_cause_wherever_one_goes_on(headcount: Client) -> None:
    """Features 29 and U6: by data, by events and by the clock; a listener resumes at any of them."""
    people(headcount, plan=[("ann", "free")])
    headcount.create_segment("pros", 'plan = "pro"')
    headcount.create_segment("hot", "did buy in last 1 seconds")
    people(headcount, plan=[("ann", "pro")])
    did(headcount, "buy", "ann", headcount.status().now)
    people(headcount, plan=[("ann", "free")])
    with headcount.watch(start="oldest", timeout=60) as watch:
        told = list(itertools.islice(watch, 4))
    assert sorted((c.segment, c.change.value, c.cause.value) for c in told) == [
        ("hot", "joined", "event"),
        ("hot", "left", "clock"),
        ("pros", "joined", "attribute"),
        ("pros", "left", "attribute"),
    ]
    assert [c.version for c in told] == sorted(c.version for c in told)
    assert all(c.now >= NOW and c.profile == "ann" for c in told)
    for place, change in enumerate(told[:-1]):
        with headcount.watch(start=change.cursor, timeout=60) as rest:
            assert list(itertools.islice(rest, len(told) - place - 1)) == told[place + 1 :]
