"""How rows are cut into batches, in which order a file comes and whether the store was closed changes no answer."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.indexes import events as event_types
from headcount_engine.indexes import runs
from headcount_engine.model.batches import Texts
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events
from tests.agreement.driving import Driven, assert_agree, one_by_one, played, rules
from tests.oracle.changes import Change
from tests.oracle.strategies import SCHEMA


@contextmanager
def small_runs(sealed: int = 16, merge_at: int = 2, chunk: int = 8) -> Iterator[None]:
    """Runs are sealed, merged and indexed by chunk after a few events instead of a million."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "SEALED_ROWS", sealed)
        patch.setattr(event_types, "SEALED_ROWS", sealed)
        patch.setattr(event_types, "_MERGE_AT", merge_at)
        patch.setattr(runs, "_CHUNK", chunk)
        yield


@given(st.data())
@settings(max_examples=8)
def test_any_cut_into_batches_gives_equal_answers(data: st.DataObject) -> None:
    scene = data.draw(played())
    asked = data.draw(st.lists(rules(SCHEMA, scene.now_us), min_size=4, max_size=6))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(scene.scene.changes)), max_size=5)))

    def cut(changes: Sequence[Change]) -> list[Sequence[Change]]:
        return [changes[a:b] for a, b in zip([0, *cuts], [*cuts, len(changes)], strict=True)]

    whole = scene.driven()
    others = [scene.driven(cut), scene.driven(one_by_one)]
    with small_runs():
        others += [scene.driven(one_by_one), scene.driven(cut)]
        for condition in asked:
            expected = whole.members(condition, scene.now_us)
            for other in others:
                assert other.members(condition, scene.now_us) == expected
                checked = other.answers(condition, scene.now_us, sorted(scene.scene.world.profiles))
                assert checked["check"] == expected


@given(st.data())
@settings(max_examples=12)
def test_small_runs_agree_with_the_oracle(data: st.DataObject) -> None:
    scene = data.draw(played())
    with small_runs():
        driven = scene.driven(one_by_one)
        for condition in data.draw(st.lists(rules(SCHEMA, scene.now_us), min_size=4, max_size=6)):
            assert_agree(driven, scene.scene.world, condition, scene.now_us)


@given(st.data())
@settings(max_examples=12)
def test_a_store_that_was_closed_answers_as_before_and_goes_on(data: st.DataObject) -> None:
    scene = data.draw(played())
    changes = scene.scene.changes
    half = data.draw(st.integers(0, len(changes)))
    asked = data.draw(st.lists(rules(SCHEMA, scene.now_us), min_size=3, max_size=5))
    with tempfile.TemporaryDirectory() as folder:
        driven = Driven(scene.scene.schema, Path(folder))
        driven.play(changes[:half])
        before = driven.database.status()
        driven.reopen()
        assert driven.database.status().version == before.version
        assert (driven.database.status().profiles, driven.database.status().events) == (
            before.profiles,
            before.events,
        )
        driven.play(changes[half:])
        driven.reopen()
        for condition in asked:
            assert_agree(driven, scene.scene.world, condition, scene.now_us)
        driven.database.close()


# ------------------------------------------------------------------------------------------------ larger files

DAY = 86_400_000_000
NOW = 100 * DAY
ROWS, PEOPLE = 6_000, 300
RANDOM = np.random.default_rng(5)
WHO = RANDOM.integers(0, PEOPLE, ROWS)
WHEN = RANDOM.permutation(ROWS) * (NOW // ROWS) + 1
"""No two at one instant: the order of a file is arrival, which decides between such."""
OFFERS = RANDOM.choice(["tea", "cars", "golf"], ROWS)
AMOUNTS = RANDOM.integers(-500, 100_000, ROWS)
ORDERS = {
    "by time": np.argsort(WHEN),
    "latest first": np.argsort(-WHEN),
    "shuffled": RANDOM.permutation(ROWS),
    "by customer": np.lexsort((WHEN, WHO)),
}
ASKED = [
    "did buy", "never did buy in last 3 days", "did buy at least 5 times in last 20 days",
    'did buy at least 2 times where offer = "tea" and amount > 300 in last 60 days', "sum(buy.amount) > 9000",
    "avg(buy.amount where offer != \"golf\") between 40000 and 60000", "min(buy.amount) < 0 in last 50 days",
    "distinct(buy.offer) = 3 in last 10 days", 'first(buy.offer) = "cars"', 'last(buy.offer) = "cars"',
    "days(buy) >= 18", "first did buy in last 97 days", 'last buy has amount > 500',
    'did buy where offer = "tea" then buy where offer = "golf" within 1 days',
    'did buy where offer = "tea" then not buy within 3 days', "same offer (did buy at least 9 times)",
]  # fmt: skip


def loaded(order: np.ndarray, batch: int) -> Database:
    database = Database.open(None, clock=ManualClock(NOW))
    for start in range(0, ROWS, batch):
        rows = order[start : start + batch]
        database.write_events(
            events(
                [f"p{p}" for p in WHO[rows]],
                "buy",
                WHEN[rows].tolist(),
                column("offer", Kind.TEXT, OFFERS[rows].tolist()),
                column("amount", Kind.INT, AMOUNTS[rows].tolist()),
            )
        )
    return database


def everybody(database: Database, rule: str) -> list[str]:
    return sorted(database.keys_of(database.members(rule, at_us=NOW).ids).to_list())


@pytest.mark.parametrize("batch", [ROWS, 500, 37], ids=["one batch", "12 batches", "163 batches"])
def test_a_file_in_any_order_gives_equal_answers(batch: int) -> None:
    with small_runs(sealed=1024, merge_at=3, chunk=128):
        databases = {name: loaded(order, batch) for name, order in ORDERS.items()}
        for rule in ASKED:
            expected = everybody(databases["by time"], rule)
            for name, database in databases.items():
                assert everybody(database, rule) == expected, f"{rule}, {name}"
                some = database.check_many(
                    Texts.of([f"p{i}" for i in range(0, PEOPLE, 30)]), [rule], at_us=NOW
                )
                checked = [
                    f"p{i}"
                    for i, is_in in zip(range(0, PEOPLE, 30), some.results[:, 0], strict=True)
                    if is_in
                ]
                assert sorted(checked) == [key for key in expected if int(key[1:]) % 30 == 0], (
                    f"{rule}, {name}"
                )


def test_many_batches_in_any_order_are_counted_as_a_counter_counts_them() -> None:
    recent = Counter(f"p{p}" for p in WHO[WHEN > NOW - 20 * DAY])
    amounts: Counter[str] = Counter()
    for who, amount in zip(WHO, AMOUNTS, strict=True):
        amounts[f"p{who}"] += int(amount)
    with small_runs(sealed=1024, merge_at=3, chunk=128):
        for order in ORDERS.values():
            database = loaded(order, 100)
            found = everybody(database, "did buy at least 5 times in last 20 days")
            assert found == sorted(key for key, count in recent.items() if count >= 5)
            found = everybody(database, "sum(buy.amount) > 1000000")
            assert found == sorted(key for key, amount in amounts.items() if amount > 1_000_000)


def test_merged_runs_are_in_order_of_time_batch_and_place() -> None:
    """Runs whose batches interleave, and that have other properties in other widths."""
    for _ in range(20):
        batches, times = np.repeat(np.arange(12), 5), RANDOM.integers(0, 3, 60)
        serial = np.arange(60, dtype=np.int64)
        owners = RANDOM.integers(0, 3, 12)[batches]
        parts = []
        for owner in np.unique(owners):
            rows = np.flatnonzero(owners == owner)
            rows = rows[np.argsort(times[rows], kind="stable")]
            name = "narrow" if owner else "wide"
            held = {
                "serial": serial[rows].astype(np.int8),
                name: serial[rows].astype("int16" if owner else "int64"),
            }
            starts, numbers = runs.encode_arrival(batches[rows])
            parts.append(runs.Run(rows.astype(np.uint32), times[rows], held, starts, numbers))
        merged = runs.merge(parts[::-1])
        order = np.lexsort((serial, batches, times))
        assert merged.properties["serial"].tolist() == order.tolist() == merged.profiles.tolist()
        assert merged.times_us.tolist() == times[order].tolist()
        assert merged.batches().tolist() == batches[order].tolist()
        for name, values in merged.properties.items():
            there = (owners[order] > 0) == (name == "narrow") if name != "serial" else np.ones(60, dtype=bool)
            expected = np.where(there, order, np.iinfo(values.dtype).min)
            assert values.tolist() == expected.tolist()


def test_runs_hold_their_events_by_time_then_arrival_however_they_were_merged() -> None:
    """Many events at few instants: their order in every run is that of arrival."""
    times = RANDOM.integers(0, 6, 800) * DAY
    with small_runs(sealed=64, merge_at=2):
        database = Database.open(None, clock=ManualClock(NOW))
        for start in range(0, 800, 16):
            rows = slice(start, start + 16)
            serial = column("serial", Kind.INT, list(range(start, start + 16)))
            database.write_events(events(["p"] * 16, "buy", times[rows].tolist(), serial))
        held = database._indexes.events.types["buy"].view().runs
    assert len(held) > 3 and sum(map(len, held)) == 800
    assert sorted(s for run in held for s in run.properties["serial"].tolist()) == list(range(800))
    for run in held:
        order = list(zip(run.times_us.tolist(), run.properties["serial"].tolist(), strict=True))
        assert order == sorted(order)
        assert run.batches().tolist() == [serial // 16 for _, serial in order]
        assert all(times[serial] == time for time, serial in order)
