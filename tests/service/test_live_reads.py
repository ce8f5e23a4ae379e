"""Live answers over the wire: exact at their now, brought to a now or a version on demand, moved by the clock."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Iterator

import pytest

from headcount import Client, Event, Identifier, NotFound, OutOfRange, ProfileUpdate, SegmentKind
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from tests.service.conftest import NOW

LATENESS_MAX = dt.timedelta(seconds=5)
"""Ticks are 250 ms apart by default; the rest is for machines that do much else."""


@pytest.fixture
def still() -> Iterator[Client]:
    """A server that never ticks by itself while a test runs."""
    config = ServerConfig(listen="127.0.0.1:0", clock_start=NOW, grace_s=1, tick_ms=3_600_000)
    with build(config) as running, Client(running.address, timeout=60) as client:
        yield client


@pytest.fixture
def client(running: RunningServer) -> Iterator[Client]:
    with Client(running.address, timeout=60) as made:
        yield made


def _bought(client: Client, key: str) -> dt.datetime:
    """Something was bought just now; when."""
    at = client.status().now
    client.track([Event("buy", key, at)])
    return at


def test_min_now_makes_the_server_tick_first(still: Client) -> None:
    still.create_segment("hot", "did buy in last 2 seconds")
    at = _bought(still, "ann")
    assert still.check("ann", "hot")["hot"]
    due = at + dt.timedelta(seconds=2)
    counted = still.count('in segment "hot"', min_now=due)
    assert counted.count == 0 and counted.now >= due
    assert "hot" not in still.memberships("ann", min_now=due)
    again = _bought(still, "ann") + dt.timedelta(seconds=2)
    checked = still.check("ann", "hot", min_now=again)
    assert checked.now >= again and not checked["hot"]
    later = _bought(still, "ann") + dt.timedelta(seconds=2)
    assert still.get_profile("ann").segments == ("hot",)
    assert still.get_profile("ann", min_now=later).segments == ()
    with pytest.raises(OutOfRange):
        still.memberships("ann", min_now=again + dt.timedelta(days=1))


def test_a_live_answer_is_never_more_than_a_tick_behind(still: Client) -> None:
    """Nothing ticks, and still nobody reads an old answer: the read that finds it old brings it up to date."""
    still.create_segment("hot", "did buy in last 1 seconds")
    at = _bought(still, "ann")
    time.sleep(1.5)
    counted = still.count('in segment "hot"')
    assert counted.count == 0 and counted.now >= at + dt.timedelta(seconds=1)


def test_min_version_reads_ones_own_writes_and_refuses_what_is_not_written(client: Client) -> None:
    client.upsert_profiles([{"key": "ann", "n": 1}])
    client.create_segment("big", "n >= 10")
    for n in range(8, 13):
        written = client.upsert_profiles([{"key": "ann", "n": n}])
        answer = client.memberships("ann", min_version=written.version)
        assert answer.version >= written.version and ("big" in answer) is (n >= 10)
        assert client.count('in segment "big"', min_version=written.version).count == (n >= 10)
    with pytest.raises(OutOfRange):
        client.memberships("ann", min_version=written.version + 1_000, timeout=2)


def test_the_clock_takes_people_out_while_nobody_writes_or_asks(client: Client) -> None:
    client.create_segment("hot", "did buy in last 1 seconds")
    with client.watch("hot", start="oldest", timeout=60) as watch:
        at = _bought(client, "ann")
        joined, left = itertools.islice(watch, 2)
    assert (joined.change.value, joined.cause.value) == ("joined", "event")
    assert (left.change.value, left.cause.value, left.profile) == ("left", "clock", "ann")
    late = left.now - (at + dt.timedelta(seconds=1))
    assert dt.timedelta(0) <= late < LATENESS_MAX


def test_retention_goes_on_from_where_the_clock_ended_the_match(client: Client) -> None:
    client.create_segment("warm", "did buy in last 1 seconds", retention=dt.timedelta(seconds=2))
    with client.watch("warm", start="oldest", timeout=60) as watch:
        at = _bought(client, "ann")
        joined, left = itertools.islice(watch, 2)
    assert (joined.change.value, left.change.value, left.cause.value) == ("joined", "left", "clock")
    late = left.now - (at + dt.timedelta(seconds=3))
    assert dt.timedelta(0) <= late < LATENESS_MAX


def test_a_profile_is_asked_for_by_identifier_too(client: Client) -> None:
    email = Identifier("email", "ann@x")
    client.upsert_profiles(
        [ProfileUpdate("ann", {"n": 1}, identifiers=[email]), ProfileUpdate("bo", {"n": 1})]
    )
    client.create_segment("known-ones", "known")
    client.create_segment("ones", "n = 1")
    assert set(client.memberships(email)) == set(client.memberships("ann")) == {"known-ones", "ones"}
    assert set(client.get_profile(email).segments) == {"known-ones", "ones"}
    assert client.get_profile(email, omit_segments=True).segments == ()
    assert set(client.get_profile("bo").segments) == {"ones"}
    with pytest.raises(NotFound):
        client.memberships(Identifier("email", "nobody@x"))


def test_sizes_beside_segments_follow_every_write(client: Client) -> None:
    client.upsert_profiles([{"key": f"p{i}", "n": i} for i in range(10)])
    for bound in (2, 5, 8):
        client.create_segment(f"from-{bound}", f"n >= {bound}")
    written = client.upsert_profiles([{"key": "p0", "n": 6}, {"key": "new", "n": 9}])
    listed = list(client.list_segments())
    assert {s.id: s.size for s in listed} == {"from-2": 10, "from-5": 7, "from-8": 3}
    assert all(client.get_segment(s.id).size == s.size for s in listed)
    assert client.get_segment("from-2").version >= written.version


def test_members_put_on_lists_join_with_the_cause_that_says_so(client: Client) -> None:
    client.upsert_profiles([{"key": key, "n": 1} for key in ("ann", "bo", "cy")])
    client.create_segment("list", kind=SegmentKind.MANUAL)
    client.create_segment("either", "n > 1", kind=SegmentKind.DATA_DRIVEN_WITH_OVERRIDES)
    client.create_segment("on-both", 'in segment "list" and in segment "either"')
    with client.watch(start="oldest", timeout=60) as watch:
        client.add_members("list", ["ann", "bo", "nobody"])
        client.add_members("either", ["ann"])
        client.remove_members("either", ["ann"])
        client.remove_members("list", ["bo"])
        told = [(c.segment, c.change.value, c.profile, c.cause.value) for c in itertools.islice(watch, 7)]
    assert sorted(told[:2]) == [("list", "joined", "ann", "import"), ("list", "joined", "bo", "import")]
    assert sorted(told[2:4]) == [
        ("either", "joined", "ann", "override"),
        ("on-both", "joined", "ann", "override"),
    ]
    assert sorted(told[4:6]) == [
        ("either", "left", "ann", "override"),
        ("on-both", "left", "ann", "override"),
    ]
    assert told[6] == ("list", "left", "bo", "import")
