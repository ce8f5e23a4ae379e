"""Opening, closing, locking, damage, and a clock that never goes back."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from headcount_engine.clock import ManualClock, WallClock
from headcount_engine.database import Database
from headcount_engine.errors import FailedPrecondition, OutOfRange, StoreDamaged, StoreLocked
from headcount_engine.model.answers import Need, SegmentDraft
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles

DAY = 86_400_000_000
NOW = 20_000 * DAY


def filled(path: Path) -> None:
    with Database.open(path, clock=ManualClock(NOW)) as database:
        database.write_profiles(profiles(["a", "b"], column("n", Kind.INT, [1, 300])))
        database.write_events(events(["a"], "buy", [NOW - DAY]))
        database.create_segment(SegmentDraft("Big", "n > 100"))


def test_a_directory_is_open_once_in_this_process_and_in_others(tmp_path: Path) -> None:
    with Database.open(tmp_path), pytest.raises(StoreLocked, match=r"\d+"):
        Database.open(tmp_path)
    script = (
        "import sys; from pathlib import Path; from headcount_engine.database import Database\n"
        "database = Database.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read(); database.close()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=str(other.pid)):
            Database.open(tmp_path)
        other.communicate()
    Database.open(tmp_path).close()


def test_what_was_written_is_there_after_closing(tmp_path: Path) -> None:
    filled(tmp_path)
    with Database.open(tmp_path, clock=ManualClock(NOW)) as database:
        assert database.get_profile("b").attributes == {"n": 300}
        assert database.get_segment("big").size == 1 and database.count("did buy in last 2 days").count == 1
        assert database.write_profiles(profiles(["a", "c"])).created == 1


@pytest.mark.parametrize("place", [0, 9, 13, 40, 200, -1])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, place: int) -> None:
    filled(tmp_path)
    (path,) = tmp_path.glob("*.tree")
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    with pytest.raises(StoreDamaged):
        Database.open(tmp_path)
    with pytest.raises(StoreDamaged):
        Database.open(tmp_path)
    assert path.read_bytes() == data


@pytest.mark.parametrize("size", [0, 7, 19, 20, 100])
def test_a_file_that_was_cut_short_or_grew_is_refused(tmp_path: Path, size: int) -> None:
    filled(tmp_path)
    (path,) = tmp_path.glob("*.tree")
    data = path.read_bytes()
    for damaged in (data[:size], data[:-1], data + b"\0"):
        path.write_bytes(damaged)
        with pytest.raises(StoreDamaged):
            Database.open(tmp_path)


def test_a_closed_database_takes_no_more_and_closing_twice_is_fine(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    database.close()
    database.close()
    for write in (
        lambda: database.write_profiles(profiles(["a"])),
        lambda: database.write_events(events(["a"], "buy", [0])),
        lambda: database.create_segment(SegmentDraft("a", "everyone")),
    ):
        with pytest.raises(FailedPrecondition):
            write()


def test_the_wall_may_go_back_but_the_clock_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [1_000_000_000]
    monkeypatch.setattr(time, "time_ns", lambda: wall[0] * 1_000)
    clock = WallClock(offset_us=5)
    first = clock.now_us()
    wall[0] -= 3_600_000_000
    assert clock.now_us() == first == 1_000_000_005
    wall[0] += 3_600_000_001
    assert clock.now_us() == first + 1


def test_versions_carry_a_now_that_never_decreases() -> None:
    clock = ManualClock(NOW)
    database = Database.open(None, clock=clock)
    seen = []
    for now in (NOW, NOW - DAY, NOW + 5, NOW + 3):
        clock._now_us = now
        seen.append(database.write_profiles(profiles([f"k{now}"])).now_us)
        assert database.count("everyone").now_us == seen[-1]
    assert seen == [NOW, NOW, NOW + 5, NOW + 5]


def test_a_store_begun_in_the_past_goes_on_from_there(tmp_path: Path) -> None:
    start = 15_000 * DAY
    with Database.open(tmp_path, clock_start_us=start) as database:
        assert 0 <= database.status().now_us - start < 60_000_000
        last = database.write_profiles(profiles(["a"])).now_us
    with Database.open(tmp_path, clock_start_us=NOW) as database:
        assert 0 <= database.status().now_us - last < 60_000_000


def test_versions_are_dense_and_a_read_may_demand_one() -> None:
    clock = ManualClock(NOW)
    database = Database.open(None, clock=clock)
    versions = [database.write_profiles(profiles([f"k{i}"])).version for i in range(5)]
    assert versions == list(range(versions[0], versions[0] + 5))
    assert database.count("everyone", need=Need(min_version=versions[-1])).count == 5
    with pytest.raises(OutOfRange):
        database.count("everyone", need=Need(min_version=versions[-1] + 1))
    with pytest.raises(OutOfRange):
        database.count("everyone", need=Need(min_now_us=NOW + 3_600_000_000))
