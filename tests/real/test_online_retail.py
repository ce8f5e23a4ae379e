"""Online Retail (UCI): customers with sets, dates and money, and every line that they bought or returned."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypedDict, cast

import pytest

from headcount_engine.database import Database
from headcount_engine.model.values import ValueType
from headcount_server.loading.options import LoadOptions
from tests.real.asking import assert_members
from tests.real.files import database_at, json_rows, load, parquet_columns

pytestmark = pytest.mark.realdata

NOW = dt.datetime(2011, 12, 10, tzinfo=dt.UTC)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000


def us(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


NOW_US = us(NOW)


class Customer(TypedDict, total=False):
    id: str
    country: str
    countries: list[str]
    orders: int
    lifetime_value: float
    repeat: bool
    first_order_at: str
    last_order_at: str | None
    first_order_date: str
    top_item: str
    cancelled_value: float | None
    active_months: list[str]


@dataclass(frozen=True, slots=True)
class Line:
    us: int
    event: str
    invoice: str
    stock_code: str
    description: str
    quantity: int
    unit_price: float
    amount: float


Lines = list[Line]


@dataclass(frozen=True, slots=True)
class Store:
    database: Database
    customers: dict[str, Customer]
    lines: dict[str, Lines]
    """By customer, in the order of the file, which is that of time."""


@pytest.fixture(scope="module")
def store(shared_data: Callable[[str], Path]) -> Store:
    people, path = (
        shared_data("real/online_retail/customers.jsonl"),
        shared_data("real/online_retail/events.parquet"),
    )
    database = database_at(NOW_US)
    money, price = ValueType.parse("decimal(2)"), ValueType.parse("decimal(3)")
    assert load(database, people, LoadOptions(key="id", types={"lifetime_value": money})) == 4_372
    options = LoadOptions(key="customer_id", time="ts", name_column="event", types={"unit_price": price})
    assert load(database, path, options) == 406_829
    customers = {row["id"]: row for row in map(_customer, json_rows(people))}
    columns = parquet_columns(path)
    keys = cast("list[str]", columns.pop("customer_id"))
    lines: dict[str, Lines] = defaultdict(list)
    for key, *cells in zip(keys, *(columns[name] for name in ("ts", *Line.__slots__[1:])), strict=True):
        lines[key].append(Line(*cells))
    assert set(lines) == set(customers)
    return Store(database, customers, dict(lines))


def _customer(row: dict[str, object]) -> Customer:
    return cast("Customer", row)


def instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def ago(text: str | None) -> dt.timedelta | None:
    moment = instant(text)
    return None if moment is None else NOW - moment


def within(text: str | None, days: int) -> bool:
    age = ago(text)
    return age is not None and dt.timedelta(0) <= age < dt.timedelta(days=days)


ATTRIBUTES: dict[str, Callable[[Customer], bool]] = {
    'country = "Germany"': lambda c: c["country"] == "Germany",
    'country not in ("United Kingdom", "Germany", "France")': lambda c: (
        c["country"] not in ("United Kingdom", "Germany", "France")
    ),
    'countries any of ("Cyprus", "Greece")': lambda c: bool({"Cyprus", "Greece"} & {*c["countries"]}),
    "size(countries) >= 2": lambda c: len({*c["countries"]}) >= 2,
    'active_months all of ("2011-01", "2011-02", "2011-03")': lambda c: (
        {"2011-01", "2011-02", "2011-03"} <= {*c["active_months"]}
    ),
    'active_months none of ("2011-11", "2011-12")': lambda c: not {"2011-11", "2011-12"} & {*c["active_months"]},
    'active_months exactly ("2011-10")': lambda c: c["active_months"] == ["2011-10"],
    'active_months ends with "-06"': lambda c: any(m.endswith("-06") for m in c["active_months"]),
    "size(active_months) > 11": lambda c: len(c["active_months"]) > 11,
    "orders between 5 and 10": lambda c: 5 <= c["orders"] <= 10,
    "lifetime_value > 5000": lambda c: c["lifetime_value"] > 5000,
    "lifetime_value <= 164.23": lambda c: (
        Decimal(str(c["lifetime_value"])) <= Decimal("164.23")
    ),
    "lifetime_value = 0": lambda c: c["lifetime_value"] == 0,
    "top_item does not exist": lambda c: "top_item" not in c,
    "cancelled_value >= -20 or cancelled_value is empty": lambda c: (c["cancelled_value"] or 0) >= -20,
    "cancelled_value does not exist": lambda c: c.get("cancelled_value") is None,
    "cancelled_value < -99.5": lambda c: (c.get("cancelled_value") or 0) < -99.5,
    "repeat = true and not cancelled_value exists": lambda c: c["repeat"] and c["cancelled_value"] is None,
    'top_item contains "HEART"': lambda c: "HEART" in c.get("top_item", ""),
    'top_item contains "heart" ignoring case and not top_item starts with "WHITE"': lambda c: (
        "HEART" in c.get("top_item", "") and not c["top_item"].startswith("WHITE")
    ),
    'top_item matches "^(SET|PACK) OF [0-9]+ "': lambda c: (
        re.match("(SET|PACK) OF [0-9]+ ", c.get("top_item", "")) is not None
    ),
    'top_item not glob "*?BAG*"': lambda c: "BAG" not in c.get("top_item", "")[1:],
    "first_order_at in last 90 days": lambda c: within(c.get("first_order_at"), 90),
    "last_order_at more than 180 days ago": lambda c: (
        (ago(c.get("last_order_at")) or dt.timedelta(0)) >= dt.timedelta(days=180)
    ),
    "last_order_at does not exist": lambda c: c.get("last_order_at") is None,
    "last_order_at from 2011-11-01 to 2011-12-01": lambda c: (c.get("last_order_at") or "")[:7] == "2011-11",
    "first_order_date from 2011-03-10 to 2011-03-12": lambda c: (
        c.get("first_order_date") in ("2011-03-10", "2011-03-11")
    ),
    "first_order_date last quarter": lambda c: c.get("first_order_date", "")[:7] in ("2011-07", "2011-08", "2011-09"),
    "first_order_date in last 3 calendar months": lambda c: (
        c.get("first_order_date", "")[:7] in ("2011-10", "2011-11", "2011-12")
    ),
    "first_order_date in last 30 days": lambda c: "2011-11-11" <= c.get("first_order_date", "") <= "2011-12-10",
    "first_order_date anniversary in next 7 days": lambda c: (
        "12-11" <= c.get("first_order_date", "0000-00-00")[5:] <= "12-17"
    ),
    "at least 3 of (orders >= 10, lifetime_value > 3000, size(countries) > 1, repeat = false)": lambda c: (
        (c["orders"] >= 10) + (c["lifetime_value"] > 3000) + (len(c["countries"]) > 1) + (not c["repeat"]) >= 3
    ),
    'sample 10% salt "spring"': lambda c: bucket(c["id"], "spring") < 0.1,
    'bucket 0.25 to 0.5 salt "a"': lambda c: 0.25 <= bucket(c["id"], "a") < 0.5,
}  # fmt: skip


def bucket(key: str, salt: str) -> float:
    return int.from_bytes(hashlib.md5(f"{key}{salt}".encode()).digest()[:8]) / 2**64


def of(lines: Lines, event: str) -> Lines:
    return [line for line in lines if line.event == event]


def amounts(lines: Lines) -> float:
    return math.fsum(line.amount for line in lines)


def by(lines: Lines, name: str) -> dict[str, Lines]:
    parts: dict[str, Lines] = defaultdict(list)
    for line in lines:
        parts[getattr(line, name)].append(line)
    return parts


def returned(lines: Lines, within_us: int) -> bool:
    """Whether a cancellation follows a purchase soon."""
    bought = None
    for line in lines:
        if line.event == "purchase":
            bought = line.us
        elif bought is not None and line.us - bought <= within_us:
            return True
    return False


def left_after_return(lines: Lines, days: int) -> bool:
    """Whether, after some cancellation, nothing was bought for so many days, which are over."""
    following: int | None = None
    for line in reversed(lines):
        if line.event == "purchase":
            following = line.us
        elif line.us + days * DAY <= NOW_US and (following is None or following - line.us > days * DAY):
            return True
    return False


def months(lines: Lines) -> set[str]:
    days = {line.us // DAY for line in lines}
    return {(EPOCH + dt.timedelta(days=day)).strftime("%Y-%m") for day in days}


EVENTS: dict[str, Callable[[Lines], bool]] = {
    "did cancellation at least 5 times": lambda h: len(of(h, "cancellation")) >= 5,
    "never did purchase": lambda h: not of(h, "purchase"),
    "did any event at most 2 times": lambda h: len(h) <= 2,
    "did purchase where quantity >= 100 and unit_price < 1": lambda h: any(
        line.quantity >= 100 and line.unit_price < 1 for line in of(h, "purchase")
    ),
    "did purchase where unit_price = 0.001": lambda h: any(line.unit_price == 0.001 for line in of(h, "purchase")),
    'did purchase at least 10 times where description contains "CHRISTMAS" in last 30 days': lambda h: (
        sum("CHRISTMAS" in n.description and NOW_US - n.us < 30 * DAY for n in of(h, "purchase")) >= 10
    ),
    "sum(purchase.amount) > 5000": lambda h: amounts(of(h, "purchase")) > 5000,
    "sum(any event.amount) <= 0": lambda h: amounts(h) <= 0,
    "sum(any event.quantity) < 0": lambda h: sum(line.quantity for line in h) < 0,
    "avg(purchase.unit_price) < 1.95": lambda h: bool(of(h, "purchase")) and (
        sum((Decimal(repr(n.unit_price)) for n in of(h, "purchase")), Decimal(0))
        < Decimal("1.95") * len(of(h, "purchase"))
    ),
    "avg(purchase.amount) >= 100": lambda h: (
        bool(of(h, "purchase")) and amounts(of(h, "purchase")) / len(of(h, "purchase")) >= 100
    ),
    "min(cancellation.amount) < -500": lambda h: min((n.amount for n in of(h, "cancellation")), default=0) < -500,
    "max(purchase.quantity) between 1000 and 5000": lambda h: (
        1000 <= max((n.quantity for n in of(h, "purchase")), default=0) <= 5000
    ),
    "distinct(purchase.stock_code) >= 200": lambda h: len({n.stock_code for n in of(h, "purchase")}) >= 200,
    "distinct(purchase.invoice) = 1 in last 60 days": lambda h: (
        len({n.invoice for n in of(h, "purchase") if NOW_US - n.us < 60 * DAY}) == 1
    ),
    'first(purchase.stock_code) = "85123A"': lambda h: any(n.stock_code == "85123A" for n in of(h, "purchase")[:1]),
    'last(any event.description) = "Manual"': lambda h: h[-1].description == "Manual",
    "last purchase has quantity >= 48": lambda h: any(n.quantity >= 48 for n in of(h, "purchase")[-1:]),
    'last cancellation where amount < -10 has not stock_code matches "^[0-9]"': lambda h: any(
        not n.stock_code[:1].isdigit() for n in [m for m in of(h, "cancellation") if m.amount < -10][-1:]
    ),
    "days(purchase) >= 20": lambda h: len({n.us // DAY for n in of(h, "purchase")}) >= 20,
    "did purchase at least 1 times per calendar month in at least 10 of last 11 periods": lambda h: (
        len(months(of(h, "purchase")) & {f"2011-{month:02}" for month in range(1, 12)}) >= 10
    ),
    "first did purchase in last 30 days": lambda h: any(NOW_US - n.us < 30 * DAY for n in of(h, "purchase")[:1]),
    "did purchase then cancellation within 30 minutes": lambda h: returned(h, 30 * MINUTE),
    "did purchase then cancellation within 2 days": lambda h: returned(h, 2 * DAY),
    "did cancellation then not purchase within 60 days matured": lambda h: left_after_return(h, 60),
    "same stock_code (did purchase and did cancellation)": lambda h: any(
        of(part, "purchase") and of(part, "cancellation") for part in by(h, "stock_code").values()
    ),
    "same stock_code (did purchase at least 10 times and never did cancellation)": lambda h: any(
        len(of(part, "purchase")) >= 10 and not of(part, "cancellation") for part in by(h, "stock_code").values()
    ),
    "same invoice (did purchase at least 100 times)": lambda h: any(
        len(part) >= 100 for part in by(of(h, "purchase"), "invoice").values()
    ),
    "same stock_code (sum(any event.quantity) < 0)": lambda h: any(
        sum(n.quantity for n in part) < 0 for part in by(h, "stock_code").values()
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", ATTRIBUTES)
def test_customers_are_found_by_what_they_are(store: Store, rule: str) -> None:
    expected = {key for key, customer in store.customers.items() if ATTRIBUTES[rule](customer)}
    assert 0 < len(expected) < len(store.customers), "a rule that tells customers apart"
    assert_members(store.database, rule, expected, list(store.customers))


@pytest.mark.parametrize("rule", EVENTS)
def test_customers_are_found_by_what_they_did(store: Store, rule: str) -> None:
    expected = {key for key, lines in store.lines.items() if EVENTS[rule](lines)}
    assert 0 < len(expected) < len(store.lines), "a rule that tells customers apart"
    assert_members(store.database, rule, expected, list(store.customers))


@pytest.mark.parametrize(
    ("rule", "is_top", "size"),
    [("top 100 by lifetime_value", True, 100), ("bottom 5% by lifetime_value", False, 219)],
)
def test_ranks_have_their_exact_size_and_ties_go_by_the_key(
    store: Store, rule: str, is_top: bool, size: int
) -> None:
    valued = [(key, Decimal(str(c["lifetime_value"]))) for key, c in store.customers.items()]
    ranked = sorted(valued, key=lambda pair: (-pair[1] if is_top else pair[1], pair[0].encode()))
    assert_members(store.database, rule, {key for key, _ in ranked[:size]}, list(store.customers))


def test_what_customers_are_and_did_combine(store: Store) -> None:
    rule = 'country != "United Kingdom" and did cancellation in last 90 days and not lifetime_value > 2000'
    expected = {
        key
        for key, customer in store.customers.items()
        if customer["country"] != "United Kingdom"
        and any(NOW_US - line.us < 90 * DAY for line in of(store.lines[key], "cancellation"))
        and not customer["lifetime_value"] > 2000
    }
    assert expected
    assert_members(store.database, rule, expected, list(store.customers))
