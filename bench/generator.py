"""The data of every benchmark: seeded, skewed, with gaps, late events and repeated ones.

Profiles: thirty attributes (ten texts, four truth values, seven whole numbers, three amounts of money, two doubles, two
dates, an instant, a set). Text values are Zipf distributed; each attribute has its own share of absent values, 30 % on
average. Keys are `c` and eight digits, in order.

Events: ten types with Zipf popularity over 90 days, with three properties each: `page` (text, 1,000 values, Zipf),
`amount` (money, absent in 30 %), `quantity` (1 to 20). Traffic follows the hour of day, activity of profiles is
skewed. Rows are in order of arrival; 1 % happened up to three days before they arrived. With ids, 0.5 % of the rows
are sent twice, at most 1,000 rows apart; without ids nothing could tell a repetition from a second event, and there is
none.

Chunk i of a stream depends on (seed, stream, i) alone, so any part can be made again by itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.columns import Made, Vocabulary, numbered, texts_to_arrow
from bench.tiers import DAY_US, DAYS, SEED, START_US, Tier
from headcount_engine.model.batches import EventBatch, ProfileBatch, Texts
from headcount_engine.model.values import Kind, ValueType

PROFILE_CHUNK = 100_000
EVENT_CHUNK = 1_000_000
LATE_SHARE = 0.01
LATE_DAYS_MAX = 3.0
REPEATED_SHARE = 0.005
REPEATED_WITHIN = 1_000
KEY_DIGITS = 8
FORM = 1
"""Raise it when the same seed would give other data: files of another form are made again."""

EVENT_TYPES = (
    "page_view", "product_view", "search", "email_open", "login",
    "add_to_cart", "purchase", "review", "support", "refund",
)  # fmt: skip
PAGES = 1_000

_MONEY = ValueType(Kind.DECIMAL, 2)
_TEXT = ValueType(Kind.TEXT)
_HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 4, 7, 9, 9, 8, 8, 9, 8, 7, 7, 8, 9, 11, 12, 12, 10, 7, 4], dtype=np.float64
)
"""Relative traffic by hour of the day."""


@dataclass(frozen=True, slots=True)
class TextAttribute:
    name: str
    values: int
    absent: float
    skew: float = 1.0


TEXT_ATTRIBUTES = (
    TextAttribute("country", 200, 0.05),
    TextAttribute("city", 5_000, 0.30),
    TextAttribute("language", 40, 0.10, 1.3),
    TextAttribute("plan", 4, 0.20, 0.8),
    TextAttribute("device", 12, 0.15),
    TextAttribute("browser", 20, 0.15, 1.2),
    TextAttribute("acquisition", 50, 0.40),
    TextAttribute("store", 1_000, 0.55),
    TextAttribute("loyalty_tier", 5, 0.50, 0.7),
    TextAttribute("email_domain", 2_000, 0.35, 1.1),
)
BOOL_ATTRIBUTES = {
    "subscribed": (0.62, 0.1),
    "is_verified": (0.8, 0.3),
    "has_app": (0.35, 0.3),
    "is_business": (0.07, 0.4),
}
ABSENT = {
    "age": 0.25, "orders": 0.3, "visits": 0.0, "points": 0.5, "logins": 0.2, "tickets": 0.6, "referrals": 0.6,
    "lifetime_value": 0.3, "average_basket": 0.3, "balance": 0.45, "churn_risk": 0.2, "engagement": 0.2,
    "birthday": 0.45, "renewal": 0.5, "signed_up": 0.0, "interests": 0.35,
}  # fmt: skip
INTERESTS = 60


def word(name: str, rank: int) -> str:
    """The value of a text attribute or property at a rank, 0 the most frequent."""
    return f"{name}-{rank}"


@cache
def _vocabulary(name: str, values: int) -> Vocabulary:
    return Vocabulary([word(name, rank) for rank in range(values)])


@cache
def _zipf_steps(values: int, skew: float) -> NDArray[np.float64]:
    weights = 1.0 / np.arange(1, values + 1) ** skew
    return np.cumsum(weights / weights.sum())


def _zipf(random: np.random.Generator, values: int, rows: int, skew: float = 1.0) -> NDArray[np.int32]:
    """Ranks from 0, rank r with a probability in proportion to 1 / (r + 1)**skew."""
    ranks = np.searchsorted(_zipf_steps(values, skew), random.random(rows))
    return np.minimum(ranks, values - 1).astype(np.int32)


def _random(seed: int, stream: int, chunk: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64([seed, stream, chunk]))


# ---------------------------------------------------------------------------------------------------- profiles


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """A chunk of profiles."""

    keys: Texts
    columns: tuple[Made, ...]

    def to_batch(self) -> ProfileBatch:
        return ProfileBatch(self.keys, tuple(c.to_column() for c in self.columns))

    def to_arrow(self) -> pa.Table:
        arrays = [texts_to_arrow(self.keys), *(c.to_arrow() for c in self.columns)]
        return pa.Table.from_arrays(arrays, names=["key", *(c.name for c in self.columns)])


def profiles(total: int, seed: int = SEED) -> Iterator[Profiles]:
    """All profiles, in chunks of 100,000."""
    for chunk, first in enumerate(range(0, total, PROFILE_CHUNK)):
        yield _profile_chunk(_random(seed, 1, chunk), first, min(PROFILE_CHUNK, total - first))


def _profile_chunk(random: np.random.Generator, first: int, rows: int) -> Profiles:
    made = []
    for text in TEXT_ATTRIBUTES:
        codes = _zipf(random, text.values, rows, text.skew)
        there = random.random(rows) >= text.absent
        made.append(Made(text.name, _TEXT, codes, there, _vocabulary(text.name, text.values)))
    for name, (share, absent) in BOOL_ATTRIBUTES.items():
        there = random.random(rows) >= absent
        made.append(Made(name, ValueType(Kind.BOOL), random.random(rows) < share, there))
    for name, type_, values in _numbers(random, rows):
        given = None if ABSENT[name] == 0 else random.random(rows) >= ABSENT[name]
        made.append(Made(name, type_, values, given))
    made.append(_interests(random, rows))
    keys = numbered("c", np.arange(first, first + rows), KEY_DIGITS)
    return Profiles(keys, tuple(made))


def _numbers(random: np.random.Generator, rows: int) -> Iterator[tuple[str, ValueType, NDArray[np.generic]]]:
    """Whole numbers, money, doubles, dates and instants, each from its own distribution."""
    whole, double, day = ValueType(Kind.INT), ValueType(Kind.FLOAT), ValueType(Kind.DATE)
    yield "age", whole, np.clip(random.normal(42, 15, rows), 16, 99).astype(np.int64)
    yield "orders", whole, _zipf(random, 500, rows, 1.4).astype(np.int64)
    yield "visits", whole, random.lognormal(3.0, 1.2, rows).astype(np.int64)
    yield "points", whole, random.lognormal(6.0, 1.5, rows).astype(np.int64)
    yield "logins", whole, random.poisson(12, rows).astype(np.int64)
    yield "tickets", whole, _zipf(random, 30, rows, 1.8).astype(np.int64)
    yield "referrals", whole, _zipf(random, 100, rows, 2.0).astype(np.int64)
    yield "lifetime_value", _MONEY, (random.lognormal(5.0, 1.4, rows) * 100).astype(np.int64)
    yield "average_basket", _MONEY, (random.lognormal(3.6, 0.7, rows) * 100).astype(np.int64)
    yield "balance", _MONEY, (random.normal(0, 250, rows) * 100).astype(np.int64)
    yield "churn_risk", double, random.random(rows)
    yield "engagement", double, random.beta(2, 5, rows)
    yield "birthday", day, random.integers(-14_000, 14_000, rows).astype(np.int32)
    today = START_US // DAY_US + DAYS
    yield "renewal", day, (today + random.integers(-30, 365, rows)).astype(np.int32)
    ago = random.exponential(400 * DAY_US, rows).astype(np.int64)
    yield "signed_up", ValueType(Kind.INSTANT), START_US + DAYS * DAY_US - ago


def _interests(random: np.random.Generator, rows: int) -> Made:
    there = random.random(rows) >= ABSENT["interests"]
    sizes = np.where(there, random.integers(1, 6, rows), 0)
    offsets = np.append(0, np.cumsum(sizes)).astype(np.int64)
    codes = _zipf(random, INTERESTS, int(offsets[-1]))
    vocabulary = _vocabulary("interest", INTERESTS)
    return Made("interests", ValueType(Kind.TEXT_SET), codes, there, vocabulary, offsets)


# ------------------------------------------------------------------------------------------------------ events


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """A chunk of events in order of arrival. `profiles`: dense numbers; `ids`: one per event, with repetitions."""

    profiles: NDArray[np.int64]
    types: NDArray[np.int32]
    times_us: NDArray[np.int64]
    columns: tuple[Made, ...]
    ids: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.profiles)

    def part(self, start: int, end: int) -> Events:
        """Rows [start, end)."""
        columns = tuple(
            Made(
                c.name,
                c.type,
                c.values[start:end],
                None if c.present is None else c.present[start:end],
                c.vocabulary,
            )
            for c in self.columns
        )
        ids = None if self.ids is None else self.ids[start:end]
        return Events(self.profiles[start:end], self.types[start:end], self.times_us[start:end], columns, ids)

    def to_batch(self) -> EventBatch:
        names = _vocabulary_of_types().texts.take(self.types)
        ids = None if self.ids is None else numbered("e", self.ids, 10)
        keys = numbered("c", self.profiles, KEY_DIGITS)
        return EventBatch(keys, names, self.times_us, tuple(c.to_column() for c in self.columns), ids)

    def to_arrow(self) -> pa.Table:
        arrays = {
            "name": pa.DictionaryArray.from_arrays(pa.array(self.types), _vocabulary_of_types().arrow),
            "key": texts_to_arrow(numbered("c", self.profiles, KEY_DIGITS)),
            "time": pa.array(self.times_us, pa.timestamp("us", "UTC")),
        }
        if self.ids is not None:
            arrays["id"] = texts_to_arrow(numbered("e", self.ids, 10))
        arrays |= {c.name: c.to_arrow() for c in self.columns}
        return pa.table(arrays)


@cache
def _vocabulary_of_types() -> Vocabulary:
    return Vocabulary(list(EVENT_TYPES))


def events(
    total: int, of_profiles: int, seed: int = SEED, *, with_ids: bool = False, first_chunk: int = 0
) -> Iterator[Events]:
    """All events, in chunks of a million (a few more with ids: the repeated ones)."""
    chunks = -(-total // EVENT_CHUNK)
    for chunk in range(first_chunk, chunks):
        first = chunk * EVENT_CHUNK
        rows = min(EVENT_CHUNK, total - first)
        span = (first / total, (first + rows) / total)
        made = _event_chunk(_random(seed, 2, chunk), rows, of_profiles, span)
        yield _with_ids(made, first, _random(seed, 3, chunk)) if with_ids else made


def _event_chunk(
    random: np.random.Generator, rows: int, of_profiles: int, span: tuple[float, float]
) -> Events:
    arrivals = _arrivals(random, rows, span)
    late = random.random(rows) < LATE_SHARE
    delays = np.minimum(random.exponential(0.25, rows), LATE_DAYS_MAX) * DAY_US
    times = np.maximum(arrivals - np.where(late, delays, 0).astype(np.int64), START_US)
    columns = (
        Made("page", _TEXT, _zipf(random, PAGES, rows), None, _vocabulary("page", PAGES)),
        Made("amount", _MONEY, (random.lognormal(3.0, 1.0, rows) * 100).astype(np.int64), random.random(rows) >= 0.3),
        Made("quantity", ValueType(Kind.INT), 1 + _zipf(random, 20, rows, 1.5).astype(np.int64)),
    )  # fmt: skip
    return Events(_who(random, rows, of_profiles), _zipf(random, len(EVENT_TYPES), rows), times, columns)


def _arrivals(random: np.random.Generator, rows: int, span: tuple[float, float]) -> NDArray[np.int64]:
    """Ascending instants in a part of the history, denser in the busy hours of each day."""
    share = np.sort(random.uniform(span[0], span[1], rows)) * DAYS
    day = np.minimum(share.astype(np.int64), DAYS - 1)
    steps = np.append(0.0, np.cumsum(_HOURS / _HOURS.sum()))
    hour = np.interp(share - day, steps, np.arange(25.0))
    within: NDArray[np.int64] = np.minimum((hour * (DAY_US / 24)).astype(np.int64), DAY_US - 1)
    return START_US + day * DAY_US + within


def _who(random: np.random.Generator, rows: int, of_profiles: int) -> NDArray[np.int64]:
    """Profile numbers, skewed (half the events are from a quarter of the profiles), active ones spread over all."""
    ranks = (random.random(rows) ** 2 * of_profiles).astype(np.int64)
    return (ranks * 7_368_787) % of_profiles


def _with_ids(made: Events, first: int, random: np.random.Generator) -> Events:
    """Number the events, and send some twice."""
    rows = len(made)
    again = np.flatnonzero(random.random(rows) < REPEATED_SHARE)
    places = np.append(np.arange(rows), again + random.integers(1, REPEATED_WITHIN, len(again)) + 0.5)
    order = np.append(np.arange(rows), again)[np.argsort(places, kind="stable")]
    columns = tuple(
        Made(c.name, c.type, c.values[order], None if c.present is None else c.present[order], c.vocabulary)
        for c in made.columns
    )
    return Events(made.profiles[order], made.types[order], made.times_us[order], columns, first + order)


# ------------------------------------------------------------------------------------------------------- files


@dataclass(frozen=True, slots=True)
class Files:
    """Where the data of a tier lies."""

    profiles: Path
    events: Path


def write_parquet(folder: Path, tier: Tier, seed: int = SEED) -> Files:
    """Write a tier's data chunk by chunk; memory stays under a gigabyte. Files that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    size, stem = tier.size, f"{tier}-{seed}-{FORM}"
    files = Files(folder / f"{stem}-profiles.parquet", folder / f"{stem}-events.parquet")
    _write(files.profiles, (p.to_arrow() for p in profiles(size.profiles, seed)))
    _write(files.events, (e.to_arrow() for e in events(size.events, size.profiles, seed)))
    return files


def _write(path: Path, tables: Iterator[pa.Table]) -> None:
    if path.exists():
        return
    unfinished = path.with_suffix(".unfinished")
    writer: pq.ParquetWriter | None = None
    for table in tables:
        if writer is None:
            writer = pq.ParquetWriter(
                unfinished, table.schema, compression="lz4", store_schema=False, store_decimal_as_integer=True
            )
        writer.write_table(table)
    if writer is not None:
        writer.close()
        unfinished.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a tier's profiles and events as Parquet files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tier", type=Tier, choices=list(Tier), default=Tier.S)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    print(
        *(
            f"{path}"
            for path in (lambda f: (f.profiles, f.events))(
                write_parquet(given.folder, given.tier, given.seed)
            )
        ),
        sep="\n",
    )


if __name__ == "__main__":
    main()
