"""The regression check and the records it reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.check import lost, worse
from bench.outcome import Floor, Kind, Outcome, waits
from bench.record import Micro, Run
from bench.tiers import Tier

SCAN = Outcome("scan", "one", Kind.TIME, 2.0, floor=Floor("a pass", 1.0), peers={"a": 8.0, "b": 4.0})
LOADING = Outcome("load", "one", Kind.RATE, 50.0, floor=Floor("an echo", 100.0))


def test_a_slower_machine_alone_is_no_regression() -> None:
    slow = dataclasses.replace(SCAN, value=20.0, floor=Floor("a pass", 10.0), peers={"a": 80.0, "b": 40.0})
    assert worse([SCAN], [slow], tolerance=1.1) == []


def test_a_ratio_that_grew_beyond_the_tolerance_is_named_for_times_and_for_rates() -> None:
    found = worse(
        [SCAN, LOADING], [dataclasses.replace(SCAN, value=5.0), dataclasses.replace(LOADING, value=20.0)], 2.0
    )
    assert [(w.id, w.to, w.now / w.before) for w in found] == [
        ("scan/one", "floor", 2.5),
        ("scan/one", "fastest peer", 2.5),
        ("load/one", "floor", 2.5),
    ]


def test_a_case_that_no_longer_has_a_value_is_lost_and_one_that_waited_is_not() -> None:
    waiting = waits("later", "one", Kind.TIME, "a part")
    assert lost([SCAN, waiting], [dataclasses.replace(SCAN, value=None), waiting]) == ["scan/one"]


def test_a_run_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    run = Run(
        Tier.S,
        "now",
        "abc",
        {"cores": "2"},
        [0.5],
        12.0,
        {"a": "1"},
        {"a": {}},
        [SCAN, LOADING],
        [Micro("k", 1e-6, 0.1, 10)],
    )
    run.save(tmp_path / "S.json")
    assert Run.read(tmp_path / "S.json") == run


def test_rows_measured_later_take_the_place_of_the_older_and_others_stay() -> None:
    before = Run(Tier.S, "earlier", "abc", {}, [1.0], outcomes=[SCAN, LOADING], peak_bytes=5)
    again = Run(
        Tier.S, "later", "def", {}, [2.0], outcomes=[dataclasses.replace(SCAN, value=1.0)], peak_bytes=4
    )
    merged = before.with_rows_of(again)
    assert {(o.id, o.value) for o in merged.outcomes} == {(SCAN.id, 1.0), (LOADING.id, 50.0)}
    assert (merged.made, merged.commit, merged.load, merged.peak_bytes) == ("later", "def", [1.0, 2.0], 5)
