"""CDNOW (Fader and Hardie): purchases of music in 1997 and 1998, counted here with csv and dict."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.values import Kind, ValueType
from tests.agreement.columns import column, events

pytestmark = pytest.mark.realdata

DAY = 86_400_000_000
MONEY = ValueType(Kind.DECIMAL, 2)
ORDERS = ("as written", "reversed", "shuffled")


def us(day: str) -> int:
    return int(dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC).timestamp()) * 1_000_000


NOW = us("1998-07-01")


@dataclass(frozen=True)
class Purchase:
    customer: str
    time_us: int
    cds: int
    value: Decimal


def load(purchases: list[Purchase], batch: int = 10_000) -> Database:
    database = Database.open(None, clock=ManualClock(NOW))
    for start in range(0, len(purchases), batch):
        rows = purchases[start : start + batch]
        receipt = database.write_events(
            events(
                [row.customer for row in rows],
                "purchase",
                [row.time_us for row in rows],
                column("cds", Kind.INT, [row.cds for row in rows]),
                column("value", MONEY, [row.value for row in rows]),
            )
        )
        assert receipt.accepted == len(rows) and not receipt.rejected
    return database


@pytest.fixture(scope="module")
def purchases(shared_data: Callable[[str], Path]) -> list[Purchase]:
    with shared_data("cdnow_master.csv").open(newline="") as file:
        return [
            Purchase(row["customer_id"], us(row["date"]), int(row["cds"]), Decimal(row["value"]))
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def databases(purchases: list[Purchase]) -> dict[str, Database]:
    shuffled = [purchases[i] for i in np.random.default_rng(1).permutation(len(purchases))]
    return {
        "as written": load(purchases),
        "reversed": load(purchases[::-1]),
        "shuffled": load(shuffled),
    }


def test_all_customers_and_purchases_are_there(databases: dict[str, Database]) -> None:
    for database in databases.values():
        status = database.status()
        assert (status.profiles, status.events) == (23_570, 69_659)
        assert database.count("did purchase").count == 23_570


@pytest.mark.parametrize("order", ORDERS)
def test_counts_in_windows_are_those_of_a_dict(
    order: str, databases: dict[str, Database], purchases: list[Purchase]
) -> None:
    """At each instant: how many bought so often in so many days, to the microsecond of the window's end."""
    for now in (NOW, us("1997-10-01"), us("1997-03-25"), us("1997-03-25") - 1, us("1997-01-01")):
        for days in (1, 30, 180):
            bought = Counter(p.customer for p in purchases if 0 <= now - p.time_us < days * DAY)
            for times in (1, 2, 5):
                rule = f"did purchase at least {times} times in last {days} days"
                expected = sum(count >= times for count in bought.values())
                assert databases[order].count(rule, at_us=now).count == expected, (rule, now)
            never = databases[order].count(f"never did purchase in last {days} days", at_us=now).count
            assert never == 23_570 - len(bought)


@pytest.mark.parametrize("order", ORDERS)
def test_sums_are_exact(order: str, databases: dict[str, Database], purchases: list[Purchase]) -> None:
    spent: dict[str, Decimal] = defaultdict(Decimal)
    cds: Counter[str] = Counter()
    dear: Counter[str] = Counter()
    for p in purchases:
        spent[p.customer] += p.value
        cds[p.customer] += p.cds
        dear[p.customer] += p.value > 50
    database = databases[order]
    for limit in ("0", "11.77", "100", "499.99", "1000"):
        expected = {key for key, value in spent.items() if value > Decimal(limit)}
        found = database.members(f"sum(purchase.value) > {limit}")
        assert set(database.keys_of(found.ids).to_list()) == expected
        equal = sum(value == Decimal(limit) for value in spent.values())
        assert database.count(f"sum(purchase.value) = {limit}").count == equal
    several = sum(count >= 10 for count in cds.values())
    assert database.count("sum(purchase.cds) >= 10").count == several
    often = sum(count >= 3 for count in dear.values())
    assert database.count("did purchase at least 3 times where value > 50").count == often
    average = Counter(p.customer for p in purchases)
    above = sum(spent[key] / average[key] >= 35 for key in spent)
    assert database.count("avg(purchase.value) >= 35").count == above


@pytest.mark.parametrize("order", ORDERS)
def test_days_first_and_last_are_those_of_a_dict(
    order: str, databases: dict[str, Database], purchases: list[Purchase]
) -> None:
    days: dict[str, set[int]] = defaultdict(set)
    for p in purchases:
        days[p.customer].add(p.time_us // DAY)
    database = databases[order]
    for least in (1, 2, 5, 20):
        expected = sum(len(own) >= least for own in days.values())
        assert database.count(f"days(purchase) >= {least}").count == expected
    march = {us("1997-03-01") // DAY + i for i in range(31)}
    expected = sum(min(own) in march for own in days.values())
    assert database.count("first did purchase from 1997-03-01 to 1997-04-01").count == expected
    lapsed = sum(max(own) < us("1998-01-01") // DAY for own in days.values())
    assert database.count("never did purchase at or after 1998-01-01").count == lapsed


def test_one_customer_asked_alone_is_where_the_set_has_them(databases: dict[str, Database]) -> None:
    rules = [
        "did purchase at least 3 times", "sum(purchase.value) > 100", "days(purchase) >= 2",
        "did purchase at least 2 times in last 180 days", "avg(purchase.cds) > 2",
    ]  # fmt: skip
    for database in databases.values():
        for rule in rules:
            found = set(database.keys_of(database.members(rule).ids).to_list())
            for key in map(str, range(1, 23_570, 1_571)):
                assert database.check(key, [rule]).results[0] == (key in found), (key, rule)


def test_repeat_purchase_days_of_the_sample_are_as_published(shared_data: Callable[[str], Path]) -> None:
    """Customers by number of days, after the first, on which they bought in the 39 weeks until 30 September 1997.

    The purchases carry dates only and are read as midnight, so those of 1 October happen at the very instant at which
    the weeks end, and an event at now counts: the table is that of the microsecond before, or of a window that ends.
    """
    rows = [line.split() for line in shared_data("cdnow_sample.txt").read_text().splitlines() if line.strip()]
    sample = [
        Purchase(key, us(f"{day[:4]}-{day[4:6]}-{day[6:]}"), int(cds), Decimal(value))
        for _, key, day, cds, value in rows
    ]
    database = load(sample)
    assert database.status().profiles == 2_357
    now = us("1997-10-01")
    tests = ["= 1", "= 2", "= 3", "= 4", "= 5", "= 6", "= 7", ">= 8"]
    published = [1411, 439, 214, 100, 62, 38, 29, 64]
    assert [database.count(f"days(purchase) {test}", at_us=now - 1).count for test in tests] == published
    ended = [database.count(f"days(purchase) {test} before 1997-10-01", at_us=now).count for test in tests]
    assert ended == published
    assert [database.count(f"days(purchase) {test}", at_us=now).count for test in tests] != published
    assert database.count("did purchase from 1997-10-01 to 1997-10-02", at_us=now).count == 5
