"""A rule for every kind of leaf, over the generated attributes and events and a few attributes that only they need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.columns import Made, Vocabulary, numbered
from bench.generator import EVENT_TYPES, KEY_DIGITS, PROFILE_CHUNK, word
from bench.tiers import DAYS, SEED
from headcount_engine.model.batches import Column, ProfileBatch
from headcount_engine.model.schema import CHANNELS, TAGS, AttributeDefinition, consent_attribute
from headcount_engine.model.values import Kind, ValueType

EXTRA_PROFILES_MAX = 1_000_000
"""The additional attributes are given to the first million at most."""
STAGES = 5


@dataclass(frozen=True, slots=True)
class LeafRule:
    """`events`: which types it reads ("" for all), or None for a leaf on the profile; `days`: how far back.

    `target_ns`: per profile or event, where the table of targets has one for such a question.
    """

    kind: str
    rule: str
    events: tuple[str, ...] | None = None
    days: int = DAYS
    target_ns: float | None = None


def _of_profiles(kind: str, rule: str, target_ns: float | None = None) -> LeafRule:
    return LeafRule(kind, rule, target_ns=target_ns)


def _of_events(
    kind: str, rule: str, *events: str, days: int = DAYS, target_ns: float | None = None
) -> LeafRule:
    return LeafRule(kind, rule, events, days, target_ns)


CODED_NS, RANGE_NS = 0.006, 0.1
"""30 us for five leaves, and 0.1 ms for an indexed range, of a million profiles."""
FILTERED_NS, UNFILTERED_NS, KEYED_NS = 0.77, 1.6, 7.7
"""1.2, 2.5 and 12 ms for the 1.56 million events of a week of twenty million over ninety days."""

_OF_PROFILES = (
    _of_profiles("= text", 'plan = "plan-1"', CODED_NS),
    _of_profiles("!= text, when present", 'device != "device-2" when present'),
    _of_profiles("= text, ignoring case", 'browser = "BROWSER-1" ignoring case'),
    _of_profiles("= text, ignoring accents", 'browser = "bröwser-1" ignoring accents'),
    _of_profiles("= truth value", "has_app = true", CODED_NS),
    _of_profiles("= number", "tickets = 1"),
    _of_profiles(">= number", "points >= 700", RANGE_NS),
    _of_profiles("in", 'language in ("language-0", "language-2", "language-5")', CODED_NS),
    _of_profiles("not in", 'acquisition not in ("acquisition-0", "acquisition-1")'),
    _of_profiles("between, whole numbers", "visits between 10 and 30", RANGE_NS),
    _of_profiles("between, money", "average_basket between 20 and 60", RANGE_NS),
    _of_profiles("between, doubles", "engagement between 0.2 and 0.4", RANGE_NS),
    _of_profiles("exists", "churn_risk exists"),
    _of_profiles("is empty", "email_domain is empty"),
    _of_profiles("contains", 'city contains "-12"'),
    _of_profiles("starts with", 'store starts with "store-7"'),
    _of_profiles("ends with", 'city ends with "7"'),
    _of_profiles("glob", 'email_domain glob "email*-?2"'),
    _of_profiles("matches", 'city matches "-[1-4][05]$"'),
    _of_profiles("semver, order", 'version >= semver "1.10.0"'),
    _of_profiles("semver, range", 'version = semver "^1.2.3"'),
    _of_profiles("any of", 'interests any of ("interest-3", "interest-8")'),
    _of_profiles("all of", 'interests all of ("interest-0", "interest-1")'),
    _of_profiles("none of", 'interests none of ("interest-2", "interest-4")'),
    _of_profiles("exactly", 'interests exactly ("interest-0")'),
    _of_profiles("size", "size(interests) >= 3"),
    _of_profiles("before an instant", "signed_up before 2025-06-01"),
    _of_profiles("from day to day", "signed_up from 2025-03-01 to 2025-06-01"),
    _of_profiles("in last days", "signed_up in last 30 days"),
    _of_profiles("between days ago", "signed_up between 30 and 60 days ago"),
    _of_profiles("more than days ago", "signed_up more than 60 days ago"),
    _of_profiles("in next days", "renewal in next 30 days"),
    _of_profiles("calendar unit", 'signed_up last month in zone "Europe/Stockholm"'),
    _of_profiles("calendar units", "signed_up in last 3 calendar months"),
    _of_profiles("anniversary", "birthday anniversary in next 7 days"),
    _of_profiles("has been", 'stage has been "stage-1" for less than 4 weeks'),
    _of_profiles("within a radius", "location within 400 km of (59.33, 18.07)"),
    _of_profiles("within a box", "location within box (55, 11) to (60, 20)"),
    _of_profiles("tag", 'tag "tag-1"'),
    _of_profiles("channel", 'channel "email"'),
    _of_profiles("consent", 'consent "newsletter"'),
    _of_profiles("known", "known"),
    _of_profiles("key in", 'key in ("c00000017", "c00000123", "c00004711")'),
    _of_profiles("in segment", 'in segment "leaf-kinds"'),
    _of_profiles("sample", 'sample 10% salt "spring"'),
    _of_profiles("bucket", 'bucket 0.2 to 0.4 salt "autumn"'),
    _of_profiles("top", "top 1000 by balance"),
    _of_profiles("bottom percent, of a rule", 'bottom 10% by logins of (plan = "plan-0")'),
)
_WEEK_OF_ALL = "did any event at least 5 times in last 7 days"
_OF_EVENTS = (
    _of_events("did, one type", "did search at least 2 times in last 7 days", "search", days=7,
               target_ns=UNFILTERED_NS),
    _of_events("did, any event", _WEEK_OF_ALL, "", days=7, target_ns=UNFILTERED_NS),
    _of_events("did, any event, filtered", 'did any event where page = "page-0" at least 2 times in last 7 days', "",
               days=7, target_ns=FILTERED_NS),
    _of_events("did, two filters", 'did login where page = "page-1" and quantity > 1 in last 30 days', "login",
               days=30),
    _of_events("did, a numeric filter", "did purchase where amount > 50 in last 30 days", "purchase", days=30),
    _of_events("did, a prefix", "did `product*` at least 2 times in last 7 days", "product_view", days=7),
    _of_events("did, between days ago", "did login between 30 and 60 days ago", "login"),
    _of_events("did, calendar", "did purchase this week", "purchase", days=7),
    _of_events("did, ever", "did purchase at least 2 times", "purchase"),
    _of_events("never did", "never did support in last 30 days", "support", days=30),
    _of_events("sum", "sum(purchase.amount) > 100 in last 30 days", "purchase", days=30),
    _of_events("avg", "avg(purchase.amount) >= 40 in last 30 days", "purchase", days=30),
    _of_events("min", "min(purchase.amount) < 10 in last 30 days", "purchase", days=30),
    _of_events("max", "max(purchase.amount) >= 100 in last 30 days", "purchase", days=30),
    _of_events("distinct", "distinct(purchase.page) >= 2 in last 30 days", "purchase", days=30),
    _of_events("first", 'first(review.page) = "page-1"', "review"),
    _of_events("last", 'last(review.page) in ("page-0", "page-3")', "review"),
    _of_events("days", "days(login) >= 3 in last 30 days", "login", days=30),
    _of_events("frequency", "did search at least 1 times per 7 days in at least 3 of last 4 periods", "search",
               days=28),
    _of_events("first time", "first did refund in last 30 days", "refund"),
    _of_events("last performed", 'last purchase where quantity > 1 has page = "page-0"', "purchase"),
    _of_events("then", "did add_to_cart then purchase within 7 days in last 30 days", "add_to_cart", "purchase",
               days=30),
    _of_events("then not", "did add_to_cart then not purchase within 2 days in last 30 days", "add_to_cart", "purchase",
               days=30),
    _of_events("then not, matured", "did review then not refund within 2 days matured in last 30 days", "review",
               "refund", days=30),
    _of_events("same, once", "same page (did any event at least 3 times in last 7 days)", "", days=7,
               target_ns=KEYED_NS),
    _of_events("same, two conditions", "same page (did product_view in last 7 days and did search in last 7 days)",
               "product_view", "search", days=7),
)  # fmt: skip
RULES: tuple[LeafRule, ...] = _OF_PROFILES + _OF_EVENTS
SEGMENT = ("leaf-kinds", "has_app = true and subscribed = true")


def definitions() -> list[AttributeDefinition]:
    """The additional attributes that have to be declared."""
    return [AttributeDefinition("stage", ValueType(Kind.TEXT), is_tracked=True)]


def extra_batches(profiles: int) -> Iterator[ProfileBatch]:
    """Versions, places, stages, tags, channels, consents and identifiers, half of them absent."""
    for chunk, first in enumerate(range(0, min(profiles, EXTRA_PROFILES_MAX), PROFILE_CHUNK)):
        random = np.random.Generator(np.random.SFC64([SEED, 5, chunk]))
        numbers = np.arange(first, min(first + PROFILE_CHUNK, profiles))
        yield ProfileBatch(numbered("c", numbers, KEY_DIGITS), tuple(_extra_columns(random, numbers)))


def _extra_columns(
    random: np.random.Generator, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Iterator[Column]:
    rows = len(numbers)
    versions = Vocabulary(
        [f"{major}.{minor}.{patch}" for major in range(3) for minor in range(20) for patch in range(5)]
    )
    stages = Vocabulary([word("stage", rank) for rank in range(STAGES)])
    for name, vocabulary in (("version", versions), ("stage", stages)):
        codes = random.integers(0, len(vocabulary.words), rows)
        yield Made(name, ValueType(Kind.TEXT), codes, random.random(rows) < 0.5, vocabulary).to_column()
    places = np.column_stack((random.uniform(45, 70, rows), random.uniform(0, 30, rows)))
    yield Column("location", ValueType(Kind.POINT), places, random.random(rows) < 0.5)
    for name, words in (
        (TAGS, [word("tag", rank) for rank in range(20)]),
        (CHANNELS, ["email", "push", "sms", "post"]),
    ):
        sizes = random.integers(0, 3, rows)
        offsets = np.append(0, np.cumsum(sizes)).astype(np.int64)
        codes = random.integers(0, len(words), int(offsets[-1]))
        yield Made(name, ValueType(Kind.TEXT_SET), codes, None, Vocabulary(words), offsets).to_column()
    agreed = random.random(rows) < 0.6
    yield Column(consent_attribute("newsletter"), ValueType(Kind.BOOL), agreed, random.random(rows) < 0.5)
    there = random.random(rows) < 0.5
    yield Column("email", ValueType(Kind.TEXT), numbered("m", numbers, KEY_DIGITS), there, is_identifier=True)


def types_of(rule: LeafRule) -> tuple[str, ...]:
    """The event types that a rule reads."""
    return EVENT_TYPES if rule.events == ("",) else rule.events or ()
