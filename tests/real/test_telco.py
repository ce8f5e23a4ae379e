"""Telco customers: attributes of every plain kind, some absent, some empty."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypedDict, cast

import pytest

from headcount_engine.database import Database
from headcount_engine.errors import InvalidRule
from headcount_engine.model.values import Kind
from headcount_server.loading.options import LoadOptions
from tests.real.asking import assert_members
from tests.real.files import database_at, json_rows, load

pytestmark = pytest.mark.realdata


class Customer(TypedDict, total=False):
    id: str
    gender: str
    senior: int
    partner: bool
    dependents: bool
    tenure: int
    phone: bool
    paperless: bool
    churn: bool
    multiple_lines: str
    contract: str
    payment: str
    monthly: float
    total: float | None
    internet: str
    addons: list[str]


@dataclass(frozen=True, slots=True)
class Store:
    database: Database
    customers: dict[str, Customer]


@pytest.fixture(scope="module")
def store(shared_data: Callable[[str], Path]) -> Store:
    path = shared_data("real/telco/customers.jsonl")
    database = database_at(0)
    assert load(database, path, LoadOptions(key="id")) == 7_043
    customers = {str(row["id"]): cast("Customer", row) for row in json_rows(path)}
    return Store(database, customers)


def test_columns_are_of_the_kinds_that_their_values_show(store: Store) -> None:
    kinds = {a.name: a.type.kind for a in store.database.schema().attributes}
    assert kinds == {
        **dict.fromkeys(("partner", "dependents", "phone", "paperless", "churn"), Kind.BOOL),
        **dict.fromkeys(("senior", "tenure"), Kind.INT),
        **dict.fromkeys(("monthly", "total"), Kind.FLOAT),
        **dict.fromkeys(("gender", "multiple_lines", "contract", "payment", "internet"), Kind.TEXT),
        "addons": Kind.TEXT_SET,
    }


RULES: dict[str, Callable[[Customer], bool]] = {
    "churn = true": lambda c: c["churn"],
    "churn != true": lambda c: not c["churn"],
    "senior = 1": lambda c: c["senior"] == 1,
    "senior in (0, 2)": lambda c: c["senior"] == 0,
    "tenure between 12 and 24": lambda c: 12 <= c["tenure"] <= 24,
    "tenure < 1": lambda c: c["tenure"] < 1,
    "tenure <= 12.5": lambda c: c["tenure"] <= 12,
    "monthly = 29.85": lambda c: c["monthly"] == 29.85,
    "monthly > 100 and total < 5000": lambda c: c["monthly"] > 100 and (c["total"] or 0) < 5000,
    "total does not exist": lambda c: c.get("total") is None,
    "total < 20": lambda c: c.get("total") is not None and (c["total"] or 0) < 20,
    "not total >= 20": lambda c: c.get("total") is None or (c["total"] or 0) < 20,
    "total not between 20 and 8000 and total exists": lambda c: (
        c.get("total") is not None and not 20 <= (c["total"] or 0) <= 8000
    ),
    'contract = "Two year"': lambda c: c["contract"] == "Two year",
    'contract != "Two year"': lambda c: c["contract"] != "Two year",
    'contract glob "* year"': lambda c: c["contract"].endswith(" year"),
    'payment contains "(automatic)"': lambda c: "(automatic)" in c["payment"],
    'payment matches "^(Bank|Credit)"': lambda c: c["payment"].startswith(("Bank", "Credit")),
    'payment = "MAILED check" ignoring case': lambda c: c["payment"] == "Mailed check",
    "internet exists": lambda c: "internet" in c,
    'internet != "DSL"': lambda c: c.get("internet") != "DSL",
    'internet != "DSL" when present': lambda c: c.get("internet", "DSL") != "DSL",
    'internet not in ("DSL", "Fiber optic")': lambda c: "internet" not in c,
    "multiple_lines is empty": lambda c: c["multiple_lines"] == "",
    "multiple_lines exists": lambda _: True,
    'multiple_lines = ""': lambda c: c["multiple_lines"] == "",
    'addons any of ("tv", "movies")': lambda c: bool({"tv", "movies"} & {*c.get("addons", ())}),
    'addons all of ("tv", "movies", "support")': lambda c: (
        {"tv", "movies", "support"} <= {*c.get("addons", ())}
    ),
    'addons none of ("security", "backup")': lambda c: not {"security", "backup"} & {*c.get("addons", ())},
    'addons none of ("security", "backup") and addons exists': lambda c: (
        "addons" in c and not {"security", "backup"} & {*c["addons"]}
    ),
    "size(addons) = 0": lambda c: c.get("addons") == [],
    "size(addons) >= 5": lambda c: len(c.get("addons", ())) >= 5,
    "addons is empty": lambda c: not c.get("addons"),
    "addons exactly ()": lambda c: c.get("addons") == [],
    'addons exactly ("tv", "movies")': lambda c: {*c.get("addons", ())} == {"tv", "movies"},
    'exactly 1 of (partner = true, dependents = true, addons any of ("support"))': lambda c: (
        c["partner"] + c["dependents"] + ("support" in c.get("addons", ())) == 1
    ),
    "none of (phone = true, paperless = true)": lambda c: not (c["phone"] or c["paperless"]),
    'key in ("7590-VHVEG", "5575-GNVDE", "nobody")': lambda c: c["id"] in ("7590-VHVEG", "5575-GNVDE"),
    'sample 25% salt "holdout"': lambda c: (
        int.from_bytes(hashlib.md5(f"{c['id']}holdout".encode()).digest()[:8]) / 2**64 < 0.25
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_customers_are_where_plain_python_has_them(store: Store, rule: str) -> None:
    expected = {key for key, customer in store.customers.items() if RULES[rule](customer)}
    assert expected
    assert_members(store.database, rule, expected, list(store.customers))


@pytest.mark.parametrize(
    ("rule", "is_top", "size"),
    [("top 50 by monthly", True, 50), ("bottom 1% by total", False, 71), ("top 10% by tenure", True, 705)],
)
def test_ranks_with_many_ties_are_exact(store: Store, rule: str, is_top: bool, size: int) -> None:
    name = rule.split()[-1]
    values = {key: cast("dict[str, float | None]", c).get(name) for key, c in store.customers.items()}
    valued = {key: Fraction(value) for key, value in values.items() if value is not None}
    ranked = sorted(valued, key=lambda key: (-valued[key] if is_top else valued[key], key.encode()))
    assert_members(store.database, rule, ranked[:size], list(store.customers))


@pytest.mark.parametrize(
    "rule",
    [
        "tenure = true",
        'tenure = "12"',
        "churn = 1",
        "contract > 5",
        "addons > 1",
        "size(contract) = 1",
        "plan = 1",
    ],
)
def test_a_rule_of_another_kind_than_its_column_is_refused(store: Store, rule: str) -> None:
    with pytest.raises(InvalidRule):
        store.database.count(rule)
