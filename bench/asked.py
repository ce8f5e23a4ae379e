"""The ad-hoc questions that the engine and its peers are asked alike, in neutral terms and as rules."""

from __future__ import annotations

from dataclasses import dataclass

from bench.tiers import DAY_US, NOW_US

WEEK_FROM_US = NOW_US - 7 * DAY_US
"""Events after this instant, up to now, are in the last 7 days."""


@dataclass(frozen=True, slots=True)
class Leaves:
    """Conditions on five attributes, all of which must hold. `age` is a range or None, `store` a value then."""

    countries: tuple[str, ...]
    plan: str
    tiers: tuple[str, ...]
    not_device: str
    age: tuple[int, int] | None

    @property
    def rule(self) -> str:
        last = (
            f"loyalty_tier in {_listed(self.tiers)}"
            if self.age is None
            else f"age between {self.age[0]} and {self.age[1]}"
        )
        return (
            f'country in {_listed(self.countries)} and plan = "{self.plan}" and subscribed = true'
            f' and device != "{self.not_device}" and {last}'
        )


@dataclass(frozen=True, slots=True)
class MoneyRange:
    """lifetime_value between two whole amounts, ends included."""

    low: int
    high: int

    @property
    def rule(self) -> str:
        return f"lifetime_value between {self.low} and {self.high}"


@dataclass(frozen=True, slots=True)
class Frequent:
    """At least `times` events of any type in the last 7 days; on one `page` if it is given."""

    times: int
    page: str | None = None

    @property
    def rule(self) -> str:
        where = "" if self.page is None else f' where page = "{self.page}"'
        return f"did any event{where} at least {self.times} times in last 7 days"


@dataclass(frozen=True, slots=True)
class SamePage:
    """Some page with at least `times` events in the last 7 days."""

    times: int

    @property
    def rule(self) -> str:
        return f"same page (did any event at least {self.times} times in last 7 days)"


def _listed(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f'"{v}"' for v in values) + ")"


Asked = Leaves | MoneyRange | Frequent | SamePage

_COUNTRIES = ("country-0", "country-3", "country-7")
FIVE_LEAVES = Leaves(_COUNTRIES, "plan-0", ("loyalty_tier-0", "loyalty_tier-1"), "device-0", None)
FIVE_WITH_RANGE = Leaves(_COUNTRIES, "plan-0", (), "device-0", (25, 44))
RANGE = MoneyRange(100, 600)
UNFILTERED = Frequent(5)
FILTERED = Frequent(2, "page-0")
KEYED = SamePage(3)

QUESTIONS: dict[str, Asked] = {
    "five_indexed_leaves/five coded values": FIVE_LEAVES,
    "five_indexed_leaves/five coded values, a rule not asked before": FIVE_LEAVES,
    "five_indexed_leaves/one of the five a range": FIVE_WITH_RANGE,
    "numeric_range/with an index": RANGE,
    "window_counts/unfiltered": UNFILTERED,
    "window_counts/filtered": FILTERED,
    "keyed_window/same page": KEYED,
}
"""By the id of the outcome: every peer answers those that it can."""

RATIO_PEERS = ("duckdb", "polars", "clickhouse")
"""The peers that the target ratios are about."""
PEER_RATIOS = {
    "five_indexed_leaves/five coded values": 40.0,
    "five_indexed_leaves/five coded values, a rule not asked before": 40.0,
    "five_indexed_leaves/one of the five a range": 40.0,
    "numeric_range/with an index": 8.0,
    "window_counts/filtered": 15.0,
    "window_counts/unfiltered": 15.0,
    "keyed_window/same page": 6.0,
}
"""How many times faster than the fastest of them, by the id of the outcome."""
