"""Ready-made segments: rules with places in braces, filled from what is asked for, the schema, or what is usual.

A place for a name takes what the schema has: of the likely names the first that is there with a fitting type. So a
template is complete wherever the schema speaks for itself, and says what is open where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from headcount_engine.conditions.text.names import quote_name
from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import SchemaView
from headcount_engine.model.values import Kind

_PLACE = re.compile(r"\{([a-z_]+)\}")
_WHOLE = re.compile(r"[1-9][0-9]{0,8}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_NUMBERS = (Kind.INT, Kind.DECIMAL, Kind.FLOAT)
_TIMES = (Kind.INSTANT, Kind.DATE)


@dataclass(frozen=True, slots=True)
class Place:
    """What goes into a rule. `likely`: names, the likeliest first; for a number, `usual` is what stands there unasked.

    `of_event`: the name is that of a property of the event in that other place.
    """

    name: str
    description: str
    kinds: tuple[Kind, ...] = ()
    likely: tuple[str, ...] = ()
    usual: str = ""
    of_event: str = ""

    @property
    def is_number(self) -> bool:
        return bool(self.usual)

    @property
    def is_event(self) -> bool:
        return not (self.is_number or self.kinds)


@dataclass(frozen=True, slots=True)
class Below:
    """The number in one place is to be less than that in another and `slack`, or nobody could ever match."""

    lesser: str
    greater: str
    slack: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """A rule with places. `below`: which numbers go together."""

    id: str
    name: str
    category: str
    description: str
    rule: str
    places: tuple[Place, ...]
    below: Below | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """A place with what stands in it (empty: open) and the names that could."""

    place: Place
    value: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """A template on a schema: its rule with every place filled that can be; `open` are the others."""

    template: Template
    rule: str
    filled: tuple[Filled, ...]

    @property
    def open(self) -> tuple[str, ...]:
        return tuple(f.place.name for f in self.filled if not f.value)


def _days(name: str, usual: int, description: str) -> Place:
    return Place(name, description, usual=str(usual))


_BUY = Place(
    "purchase", "the event of buying",
    likely=("purchase", "order", "order_completed", "buy", "bought", "transaction", "checkout"),
)  # fmt: skip
_CART = Place(
    "cart", "the event of putting something into the cart",
    likely=("add_to_cart", "cart_add", "added_to_cart", "cart", "basket_add"),
)  # fmt: skip
_VIEW = Place(
    "view", "the event of looking at something",
    likely=("product_view", "view", "page_view", "view_item", "visit", "session_start"),
)  # fmt: skip
_RECEIVED = Place(
    "received", "the event of being sent a message",
    likely=("message_sent", "email_sent", "campaign_received", "sent", "delivered"),
)  # fmt: skip
_RESPONDED = Place(
    "responded", "the event of answering one",
    likely=("message_clicked", "email_clicked", "click", "email_opened", "opened", "coupon_redeemed"),
)  # fmt: skip
_AMOUNT = Place(
    "amount", "what a purchase was worth", _NUMBERS,
    ("amount", "revenue", "total", "value", "price", "sales_value"), of_event="purchase",
)  # fmt: skip
_BORN = Place(
    "birthday", "the day of birth", _TIMES, ("birthday", "birth_date", "date_of_birth", "born", "dob")
)
_JOINED = Place(
    "joined", "when the profile came", _TIMES,
    ("joined", "created_at", "registered_at", "signup_date", "signed_up", "customer_since"),
)  # fmt: skip
_RECENT = _days("days", 30, "how many days back")
_BEFORE = _days("days_before", 90, "how many days back before that counts as having been active")
_LONG_BEFORE = _days("days_before", 90, "how many days back, more than `days`, counts as having been active")
_APART = Below("days", "days_before")

TEMPLATES = (
    Template("new", "New", "lifecycle", "Came lately.", "{joined} in last {days} days", (_JOINED, _RECENT)),
    Template("active", "Active", "lifecycle", "Did anything lately.", "did any event in last {days} days", (_RECENT,)),
    Template(
        "lapsing", "Lapsing", "lifecycle", "Bought not long ago, and not lately.",
        "did {purchase} in last {days_before} days and never did {purchase} in last {days} days",
        (_BUY, _LONG_BEFORE, _RECENT), _APART,
    ),
    Template(
        "lapsed", "Lapsed", "lifecycle", "Bought once, and not for long.",
        "did {purchase} and never did {purchase} in last {days_before} days", (_BUY, _BEFORE),
    ),
    Template(
        "won-back", "Won back", "lifecycle", "Bought lately after a long time without.",
        "did {purchase} in last {days} days and did {purchase} more than {days_before} days ago "
        "and never did {purchase} between {days} and {days_before} days ago",
        (_BUY, _RECENT, _LONG_BEFORE), _APART,
    ),
    Template(
        "first-time-buyers", "First-time buyers", "purchases", "Bought for the first time lately.",
        "first did {purchase} in last {days} days", (_BUY, _RECENT),
    ),
    Template(
        "repeat-buyers", "Repeat buyers", "purchases", "Bought several times.",
        "did {purchase} at least {times} times", (_BUY, _days("times", 2, "how often at least")),
    ),
    Template("never-bought", "Never bought", "purchases", "Known, and never bought.",
             "known and never did {purchase}", (_BUY,)),
    Template(
        "looked-not-bought", "Looked and did not buy", "purchases", "Looked often lately, and bought nothing.",
        "did {view} at least {times} times in last {days} days and never did {purchase} in last {days} days",
        (_VIEW, _BUY, _days("times", 3, "how often at least"), _RECENT),
    ),
    Template(
        "big-spenders", "Big spenders", "purchases", "Spent more than so much in a time.",
        "sum({purchase}.{amount}) > {limit} in last {days_before} days",
        (_BUY, _AMOUNT, Place("limit", "more than how much", usual="1000"), _BEFORE),
    ),
    Template(
        "high-value", "High value", "profile", "The best by a number of the profile.",
        "top {percent}% by {value}",
        (
            Place("percent", "how many of a hundred", usual="10"),
            Place("value", "what to rank by", _NUMBERS,
                  ("lifetime_value", "ltv", "clv", "total_spent", "revenue", "score", "points", "value")),
        ),
    ),
    Template(
        "cart-abandoners", "Cart abandoners", "purchases", "Filled a cart lately and bought nothing after.",
        "did {cart} then not {purchase} within {hours} hours in last {cart_days} days",
        (
            _CART, _BUY, Place("hours", "within how many hours", usual="24"),
            _days("cart_days", 7, "carts of how many days back"),
        ),
    ),
    Template(
        "birthday-soon", "Birthday soon", "profile", "Have their birthday in the coming days.",
        "{birthday} anniversary in next {coming} days", (_BORN, _days("coming", 7, "how many days ahead")),
    ),
    Template(
        "unmoved", "Unmoved", "engagement", "Were sent messages lately, and answered none.",
        "did {received} at least {times} times in last {days} days and never did {responded} in last {days} days",
        (_RECEIVED, _RESPONDED, _days("times", 3, "how often at least"), _RECENT),
    ),
    Template(
        "regulars", "Regulars", "engagement", "Were there on many days.",
        "days(any event) >= {active_days} in last {days} days", (_days("active_days", 8, "on how many days"), _RECENT),
        # So many times 24 hours touch one calendar day more, and another one where a clock is put forward.
        Below("active_days", "days", slack=3),
    ),
)  # fmt: skip
CATEGORIES = ("lifecycle", "purchases", "engagement", "profile")


def instantiate(template: Template, schema: SchemaView, arguments: Mapping[str, str]) -> Instance:
    """The template with its places filled. Raises InvalidArgument for a number that is none, or a name too long.

    Numbers with which nobody could match are refused too. A usual one that does not go with what was asked for is left
    open.
    """
    filled: dict[str, Filled] = {}
    for place in template.places:
        filled[place.name] = _filled(place, schema, arguments.get(place.name, ""), filled)
    if template.below is not None:
        _keep_below(template, template.below, filled, arguments)

    def text(match: re.Match[str]) -> str:
        found = filled[match[1]]
        if not found.value:
            return match[0]
        if found.place.is_number:
            return found.value
        return quote_name(found.value)

    return Instance(template, _PLACE.sub(text, template.rule), tuple(filled.values()))


def _keep_below(
    template: Template, below: Below, filled: dict[str, Filled], arguments: Mapping[str, str]
) -> None:
    lesser, greater = int(filled[below.lesser].value), int(filled[below.greater].value)
    if lesser < greater + below.slack:
        return
    usual = [name for name in (below.lesser, below.greater) if not arguments.get(name)]
    if not usual:
        raise InvalidArgument(
            f"template {template.id!r} with {below.lesser} {lesser} and {below.greater} {greater} matches nobody: "
            f"{below.lesser} is to be less than {greater + below.slack}",
            path=f"arguments.{below.lesser}",
        )
    for name in usual:
        filled[name] = replace(filled[name], value="")


def _filled(place: Place, schema: SchemaView, asked: str, before: Mapping[str, Filled]) -> Filled:
    if place.is_number:
        pattern = _NUMBER if place.name == "limit" else _WHOLE
        if asked and not pattern.fullmatch(asked):
            raise InvalidArgument(f"{place.name!r} is a number", path=f"arguments.{place.name}")
        return Filled(place, asked or place.usual, ())
    candidates = _candidates(place, schema, before)
    likely = next((name for name in place.likely if name in candidates), "")
    return Filled(place, asked or likely, tuple(sorted(candidates, key=lambda n: (n != likely, n))))


def _candidates(place: Place, schema: SchemaView, before: Mapping[str, Filled]) -> list[str]:
    """Names of the schema that could stand there."""
    if place.is_event:
        return list(schema.events)
    if place.of_event:
        event = before[place.of_event].value
        return [p.name for p in schema.properties if p.event == event and p.type.kind in place.kinds]
    return [a.name for a in schema.attributes if a.type.kind in place.kinds]
