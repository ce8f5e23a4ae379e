"""The data of the benchmarks: the same whoever makes it, and of the shape that the documentation promises."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bench import generator
from bench.generator import EVENT_TYPES, Events, Profiles
from bench.loading import event_batch, profile_batch
from bench.tiers import DAY_US, DAYS, NOW_US, START_US
from headcount_engine.model.batches import Texts
from headcount_engine.model.values import Kind

PEOPLE = 100_000


@pytest.fixture(scope="module")
def people() -> Profiles:
    return next(generator.profiles(PEOPLE))


@pytest.fixture(scope="module")
def happened() -> Events:
    return next(generator.events(200_000, PEOPLE))


@pytest.fixture(scope="module")
def with_ids() -> Events:
    return next(generator.events(200_000, PEOPLE, with_ids=True))


def test_the_same_seed_makes_the_same_bytes_and_another_seed_others() -> None:
    first, second, other = (next(generator.profiles(5_000, seed)).to_arrow() for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)
    events = [next(generator.events(5_000, 1_000, seed)).to_arrow() for seed in (1, 1, 2)]
    assert events[0].equals(events[1])
    assert not events[0].equals(events[2])


def test_a_chunk_of_events_is_the_same_when_made_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "EVENT_CHUNK", 1_000)
    third = list(generator.events(4_000, 100))[2]
    alone = next(generator.events(4_000, 100, first_chunk=2))
    assert third.to_arrow().equals(alone.to_arrow())


def test_profiles_have_thirty_attributes_of_mixed_types_of_which_thirty_percent_are_absent(
    people: Profiles,
) -> None:
    assert len(people.columns) == 30
    assert len({c.type.kind for c in people.columns}) >= 7
    present = [1.0 if c.present is None else float(c.present.mean()) for c in people.columns]
    assert 0.67 < np.mean(present) < 0.73
    assert min(present) < 0.5 and max(present) == 1.0


def test_text_values_are_zipf_distributed(people: Profiles) -> None:
    cities = next(c for c in people.columns if c.name == "city")
    counts = np.bincount(cities.values.astype(np.int64), minlength=10)
    assert 1.8 < counts[0] / counts[1] < 2.2
    assert 4.0 < counts[0] / counts[4] < 6.0


def test_events_come_in_order_of_arrival_but_for_one_percent_that_are_late(happened: Events) -> None:
    times = happened.times_us
    behind = times < np.maximum.accumulate(times)
    assert 0.008 < behind.mean() < 0.012
    assert int((np.maximum.accumulate(times) - times).max()) <= 3 * DAY_US
    assert times.min() >= START_US
    assert times.max() < NOW_US
    assert len(np.unique((times - START_US) // DAY_US)) == DAYS


def test_traffic_follows_the_hour_of_the_day(happened: Events) -> None:
    hours = np.bincount((happened.times_us % DAY_US) // (DAY_US // 24), minlength=24)
    assert hours[20] > 5 * hours[3]


def test_ten_event_types_have_zipf_popularity_and_three_properties(happened: Events) -> None:
    counts = np.bincount(happened.types, minlength=len(EVENT_TYPES))
    assert len(counts) == 10
    assert 1.9 < counts[0] / counts[1] < 2.1
    assert len(happened.columns) == 3


def test_half_the_events_are_from_a_quarter_of_the_profiles(happened: Events) -> None:
    counts = np.sort(np.bincount(happened.profiles, minlength=PEOPLE))[::-1]
    assert 0.5 < counts[: PEOPLE // 4].sum() / len(happened) < 0.75


def test_only_rows_with_ids_are_repeated_and_a_repetition_says_the_same_soon_after(
    with_ids: Events, happened: Events
) -> None:
    assert happened.ids is None and with_ids.ids is not None
    first_rows: dict[int, int] = {}
    gaps = []
    for row, id_ in enumerate(with_ids.ids.tolist()):
        if id_ in first_rows:
            gaps.append(row - first_rows[id_])
            again = first_rows[id_]
            assert with_ids.times_us[row] == with_ids.times_us[again]
            assert with_ids.profiles[row] == with_ids.profiles[again]
        else:
            first_rows[id_] = row
    assert len(first_rows) == len(happened)
    assert 0.004 < len(gaps) / len(happened) < 0.006
    assert min(gaps) > 0 and max(gaps) < 1_100


def test_a_batch_read_back_from_arrow_is_the_batch_that_was_made(people: Profiles, happened: Events) -> None:
    made, read = people.to_batch(), profile_batch(people.to_arrow().combine_chunks().to_batches()[0])
    assert _texts(made.keys) == _texts(read.keys)
    for one, other in zip(made.columns, read.columns, strict=True):
        assert (one.name, one.type) == (other.name, other.type)
        present = np.ones(PEOPLE, dtype=np.bool_) if one.present is None else one.present
        assert (
            present == (np.ones(PEOPLE, dtype=np.bool_) if other.present is None else other.present)
        ).all()
        if one.type.kind is Kind.TEXT:
            rows = np.flatnonzero(present)[:1_000]
            assert _texts(one.values.take(rows)) == _texts(other.values.take(rows))
        elif one.type.kind is Kind.TEXT_SET:
            assert one.element_offsets is not None and other.element_offsets is not None
            assert (one.element_offsets == other.element_offsets).all()
            assert _texts(one.values) == _texts(other.values)
        else:
            assert isinstance(one.values, np.ndarray) and isinstance(other.values, np.ndarray)
            assert np.array_equal(one.values[present], other.values[present])
    events, read_events = (
        happened.to_batch(),
        event_batch(happened.to_arrow().combine_chunks().to_batches()[0]),
    )
    assert _texts(events.keys) == _texts(read_events.keys)
    assert _texts(events.names) == _texts(read_events.names)
    assert (events.times_us == read_events.times_us).all()


def _texts(texts: object) -> bytes:
    assert isinstance(texts, Texts)
    return texts.data.tobytes() + texts.offsets.tobytes()


def test_the_money_of_a_file_is_decimal(happened: Events) -> None:
    assert happened.to_arrow().schema.field("amount").type == pa.decimal128(12, 2)
