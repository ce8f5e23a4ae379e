"""CDNOW again: every kind of event condition, over all purchases of all customers, against plain csv and dicts."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from headcount_engine.database import Database
from headcount_engine.model.values import Kind, ValueType
from headcount_server.loading.options import LoadOptions
from tests.real.asking import assert_members
from tests.real.files import database_at, load

pytestmark = pytest.mark.realdata

DAY = 86_400_000_000


def us(day: str) -> int:
    return (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days * DAY


NOW = us("1998-07-01") + 1


@dataclass(frozen=True, slots=True)
class Purchase:
    """`row` is the place in the file: of two purchases at one instant, the one further down came later."""

    us: int
    row: int
    cds: int
    value: Fraction


History = list[Purchase]
"""One customer's purchases, by time and arrival."""


@dataclass(frozen=True, slots=True)
class Store:
    database: Database
    histories: dict[str, History]


@pytest.fixture(scope="module")
def store(shared_data: Callable[[str], Path]) -> Store:
    path = shared_data("cdnow_master.csv")
    database = database_at(NOW)
    money = ValueType(Kind.DECIMAL, 2)
    taken = load(
        database, path, LoadOptions(key="customer_id", time="date", event="purchase", types={"value": money})
    )
    assert taken == 69_659
    histories: dict[str, History] = defaultdict(list)
    with path.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            made = Purchase(us(row["date"]), number, int(row["cds"]), Fraction(row["value"]))
            histories[row["customer_id"]].append(made)
    for history in histories.values():
        history.sort(key=lambda purchase: (purchase.us, purchase.row))
    assert len(histories) == 23_570
    return Store(database, dict(histories))


def last(history: History, days: int, now: int = NOW) -> History:
    return [p for p in history if 0 <= now - p.us < days * DAY]


def total(history: Iterable[Purchase]) -> Fraction:
    return sum((p.value for p in history), Fraction(0))


def average(history: History) -> Fraction:
    """Of something; nobody's average is asked for who bought nothing."""
    return total(history) / len(history)


def month(purchase: Purchase) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=purchase.us // DAY)).isoformat()[:7]


def follows(
    history: History, first: Callable[[Purchase], bool], then: Callable[[Purchase], bool], days: int
) -> bool:
    """Whether one that is `first` is followed by another that is `then`, at most so many days later."""
    return any(
        first(a) and then(b) and b.us - a.us <= days * DAY
        for place, a in enumerate(history)
        for b in history[place + 1 :]
    )


def alone(history: History, days: int, *, matured: bool = False, since: int = -(1 << 60)) -> bool:
    """Whether some purchase since then has no later one at most so many days after it."""
    return any(
        not any(b.us - a.us <= days * DAY for b in history[place + 1 :])
        for place, a in enumerate(history)
        if a.us >= since and (not matured or a.us + days * DAY <= NOW)
    )


def often(history: History, least: int, days: int, periods: int) -> int:
    """In how many of the last periods of so many days there were at least so many purchases."""
    counts = Counter((NOW - p.us) // (days * DAY) for p in history)
    return sum(counts[period] >= least for period in range(periods))


def by_cds(history: History) -> dict[int, History]:
    parts: dict[int, History] = defaultdict(list)
    for purchase in history:
        parts[purchase.cds].append(purchase)
    return parts


PART_OF_1998 = ("1998-01", "1998-02", "1998-03", "1998-04", "1998-05", "1998-06")

RULES: dict[str, Callable[[History], bool]] = {
    # counts
    "did purchase at least 5 times": lambda h: len(h) >= 5,
    "did purchase once": lambda h: len(h) == 1,
    "did purchase between 3 and 4 times in last 365 days": lambda h: 3 <= len(last(h, 365)) <= 4,
    "did purchase fewer than 2 times in last 90 days": lambda h: len(last(h, 90)) < 2,
    "never did purchase in last 180 days": lambda h: not last(h, 180),
    "did purchase where value > 100 and cds >= 5": lambda h: any(p.value > 100 and p.cds >= 5 for p in h),
    "did purchase where cds = 1 at least 3 times from 1997-06-01 to 1998-01-01": lambda h: (
        sum(p.cds == 1 and us("1997-06-01") <= p.us < us("1998-01-01") for p in h) >= 3
    ),
    "did purchase between 30 and 60 days ago": lambda h: any(30 * DAY <= NOW - p.us < 60 * DAY for p in h),
    "did purchase more than 480 days ago": lambda h: any(NOW - p.us >= 480 * DAY for p in h),
    "did purchase at least 2 times last month": lambda h: sum(month(p) == "1998-06" for p in h) >= 2,
    "did purchase where cds >= 3 last year": lambda h: any(p.cds >= 3 and month(p)[:4] == "1997" for p in h),
    "never did purchase in last 7 calendar months": lambda h: not any(month(p) >= "1998-01" for p in h),
    # sums and averages
    "sum(purchase.value) > 500": lambda h: total(h) > 500,
    "sum(purchase.value) = 29.33": lambda h: total(h) == Fraction("29.33"),
    "sum(purchase.value) < 20 in last 90 days": lambda h: total(last(h, 90)) < 20,
    "sum(purchase.cds where value <= 15) between 2 and 4": lambda h: (
        2 <= sum(p.cds for p in h if p.value <= 15) <= 4
    ),
    "avg(purchase.value) >= 50": lambda h: average(h) >= 50,
    "avg(purchase.cds) = 2.5": lambda h: Fraction(sum(p.cds for p in h), len(h)) == Fraction("2.5"),
    "avg(purchase.value where cds >= 2) < 20": lambda h: (
        any(p.cds >= 2 for p in h) and average([p for p in h if p.cds >= 2]) < 20
    ),
    # least and greatest
    "min(purchase.value) < 10": lambda h: min(p.value for p in h) < 10,
    "min(purchase.value) between 11.77 and 12 in last 365 days": lambda h: (
        bool(last(h, 365)) and Fraction("11.77") <= min(p.value for p in last(h, 365)) <= 12
    ),
    "max(purchase.value) > 200": lambda h: max(p.value for p in h) > 200,
    "max(purchase.cds where value < 15) = 2": lambda h: (
        max((p.cds for p in h if p.value < 15), default=0) == 2
    ),
    # first and last, by time and then arrival
    "first(purchase.cds) = 1": lambda h: h[0].cds == 1,
    "first(purchase.value) > 60 from 1998-01-01 to 1998-04-01": lambda h: next(
        (p.value > 60 for p in h if us("1998-01-01") <= p.us < us("1998-04-01")), False
    ),
    "last(purchase.value) >= 60": lambda h: h[-1].value >= 60,
    "last(purchase.cds where value < 30) in (2, 3)": lambda h: next(
        (p.cds in (2, 3) for p in reversed(h) if p.value < 30), False
    ),
    "last purchase has value > 100": lambda h: h[-1].value > 100,
    "last purchase where cds >= 2 has (value < 20 or cds >= 10)": lambda h: next(
        (p.value < 20 or p.cds >= 10 for p in reversed(h) if p.cds >= 2), False
    ),
    # different values, days
    "distinct(purchase.cds) >= 4": lambda h: len({p.cds for p in h}) >= 4,
    "distinct(purchase.value) = 1 in last 365 days": lambda h: len({p.value for p in last(h, 365)}) == 1,
    "days(purchase) >= 3 in last 180 days": lambda h: len({p.us for p in last(h, 180)}) >= 3,
    "days(purchase where cds >= 2) = 2": lambda h: len({p.us for p in h if p.cds >= 2}) == 2,
    # how often
    "did purchase at least 1 times per 30 days in at least 3 of last 6 periods": lambda h: (
        often(h, 1, 30, 6) >= 3
    ),
    "did purchase at least 2 times per 7 days in at least 2 of last 52 periods": lambda h: (
        often(h, 2, 7, 52) >= 2
    ),
    "did purchase at least 1 times per calendar month in at least 4 of last 6 periods": lambda h: (
        len({month(p) for p in h} & set(PART_OF_1998)) >= 4
    ),
    # the first ever
    "first did purchase from 1997-03-01 to 1997-04-01": lambda h: month(h[0]) == "1997-03",
    "first did purchase where value > 100 in last 365 days": lambda h: next(
        (NOW - p.us < 365 * DAY for p in h if p.value > 100), False
    ),
    # one after the other
    "did purchase then purchase within 7 days": lambda h: follows(h, lambda _: True, lambda _: True, 7),
    "did purchase where cds = 1 then purchase where cds >= 5 within 30 days": lambda h: follows(
        h, lambda p: p.cds == 1, lambda p: p.cds >= 5, 30
    ),
    "did purchase then purchase where value > 100 within 60 days in last 180 days": lambda h: follows(
        last(h, 180), lambda _: True, lambda p: p.value > 100, 60
    ),
    "did purchase where cds = 1 then not purchase where cds = 1 within 90 days": lambda h: alone(
        [p for p in h if p.cds == 1], 90
    ),
    "did purchase then not purchase within 90 days matured": lambda h: alone(h, 90, matured=True),
    "did purchase then not purchase within 30 days matured in last 120 days": lambda h: alone(
        h, 30, matured=True, since=NOW - 120 * DAY + 1
    ),
    # the same value
    "same cds (did purchase at least 3 times)": lambda h: any(len(part) >= 3 for part in by_cds(h).values()),
    "same cds (did purchase at least 2 times where value < 20 and never did purchase where value > 15)": lambda h: (
        any(
            sum(p.value < 20 for p in part) >= 2 and not any(p.value > 15 for p in part)
            for part in by_cds(h).values()
        )
    ),
    "same cds (did purchase in last 90 days and sum(purchase.value) > 100)": lambda h: any(
        bool(last(part, 90)) and total(part) > 100 for part in by_cds(h).values()
    ),
    # together
    "did purchase at least 2 times and not (sum(purchase.value) > 50 or did purchase in last 365 days)": lambda h: (
        len(h) >= 2 and not (total(h) > 50 or bool(last(h, 365)))
    ),
    "at least 2 of (max(purchase.value) > 100, days(purchase) >= 5, did purchase in last 30 days)": lambda h: (
        (max(p.value for p in h) > 100) + (len({p.us for p in h}) >= 5) + bool(last(h, 30)) >= 2
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_all_customers_are_where_plain_python_has_them(store: Store, rule: str) -> None:
    holds = RULES[rule]
    expected = {customer for customer, history in store.histories.items() if holds(history)}
    assert 0 < len(expected) < len(store.histories), "a rule that tells customers apart"
    assert_members(store.database, rule, expected, list(store.histories))


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("did purchase at least 2 times in last 30 days", lambda h, now: len(last(h, 30, now)) >= 2),
        ("sum(purchase.value) > 100", lambda h, now: total(p for p in h if p.us <= now) > 100),
        (
            "did purchase and never did purchase in last 90 days",
            lambda h, now: any(p.us <= now for p in h) and not last(h, 90, now),
        ),
    ],
)
def test_all_customers_were_where_plain_python_has_them(
    store: Store, rule: str, holds: Callable[[History, int], bool]
) -> None:
    """At instants in the past: what came later has not happened. Purchases are at midnight, where windows end too."""
    for now in (us("1997-02-10") - 1, us("1997-02-10"), us("1997-10-01"), us("1998-02-28") + 1):
        expected = {customer for customer, history in store.histories.items() if holds(history, now)}
        assert_members(store.database, rule, expected, list(store.histories), now)
