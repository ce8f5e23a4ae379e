"""The rule builder: what it writes, that the server's parser reads it, and that it means what Python said."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount import (
    InvalidArgument,
    Point,
    Rule,
    Window,
    active_days,
    all_of,
    any_of,
    at_least,
    attribute,
    avg_of,
    bottom,
    bucket,
    channel,
    consent,
    count_of,
    did,
    distinct_of,
    everyone,
    exactly,
    first_did,
    first_of,
    key_in,
    known,
    last_event,
    last_of,
    max_of,
    min_of,
    never_did,
    none_of,
    prop,
    raw,
    same,
    sample,
    segment,
    sum_of,
    tag,
    top,
)
from headcount_engine.conditions import tree
from headcount_engine.conditions.text import parse

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
DAY = dt.date(2024, 1, 1)

WRITTEN: list[tuple[Rule, str]] = [
    (attribute("lifetime_value") > 25_000, "lifetime_value > 25000"),
    (attribute("plan") == "pro", 'plan = "pro"'),
    (attribute("plan") != "pro", 'plan != "pro"'),
    (attribute("plan").when_present() != "pro", 'plan != "pro" when present'),
    (attribute("plan").when_present().ignoring_case() != "pro", 'plan != "pro" ignoring case when present'),
    (attribute("name").ignoring_accents() == "Åsa", 'name = "Åsa" ignoring accents'),
    (attribute("price") <= Decimal("0.10"), "price <= 0.10"),
    (attribute("ratio") < 1e-7, "ratio < 1e-07"),
    (attribute("subscribed") == True, "subscribed = true"),  # noqa: E712 - a rule, not a truth value
    (attribute("country").is_in(["SE", "NO"]), 'country in ("SE", "NO")'),
    (attribute("country").is_in({"SE", "NO"}), 'country in ("NO", "SE")'),
    (attribute("country").when_present().not_in(["SE"]), 'country not in ("SE") when present'),
    (attribute("age").between(18, 30), "age between 18 and 30"),
    (attribute("email").exists(), "email exists"),
    (attribute("email").is_empty(), "email is empty"),
    (attribute("name").ignoring_case().contains("ann"), 'name contains "ann" ignoring case'),
    (attribute("name").starts_with("An"), 'name starts with "An"'),
    (attribute("name").ends_with("a"), 'name ends with "a"'),
    (attribute("name").glob("An*a"), 'name glob "An*a"'),
    (attribute("name").matches("^An+a$"), 'name matches "^An+a$"'),
    (attribute("app_version").semver >= "1.10.0", 'app_version >= semver "1.10.0"'),
    (attribute("app_version").semver == "^1.2.3", 'app_version = semver "^1.2.3"'),
    (attribute("context.weather") == "rain", '`context.weather` = "rain"'),
    (attribute("interests").any_of(["cars", "golf"]), 'interests any of ("cars", "golf")'),
    (attribute("interests").all_of(["cars"]), 'interests all of ("cars")'),
    (attribute("interests").none_of(["cars"]), 'interests none of ("cars")'),
    (attribute("interests").exactly([]), "interests exactly ()"),
    (attribute("interests").size >= 3, "size(interests) >= 3"),
    (attribute("signed_up").within_last(days=30), "signed_up in last 30 days"),
    (attribute("signed_up").within_next(hours=12), "signed_up in next 12 hours"),
    (attribute("signed_up").during(Window.ago(30, 60)), "signed_up between 30 and 60 days ago"),
    (attribute("signed_up").during(Window.more_than_ago(days=3)), "signed_up more than 3 days ago"),
    (attribute("signed_up").before(DAY), "signed_up before 2024-01-01"),
    (attribute("signed_up").at_or_after(NOON), "signed_up at or after 2024-01-01T12:00:00Z"),
    (
        attribute("signed_up").during(Window.between(DAY, dt.date(2024, 2, 1))),
        "signed_up from 2024-01-01 to 2024-02-01",
    ),
    (attribute("signed_up").during(Window.today()), "signed_up today"),
    (attribute("signed_up").during(Window.last_unit("month")), "signed_up last month"),
    (
        attribute("signed_up").during(Window.this_unit("week", "Europe/Stockholm")),
        'signed_up this week in zone "Europe/Stockholm"',
    ),
    (attribute("signed_up").during(Window.last_units(3, "month")), "signed_up in last 3 calendar months"),
    (attribute("birthday").anniversary_within_next(7), "birthday anniversary in next 7 days"),
    (attribute("birthday").anniversary_today("UTC"), 'birthday anniversary today in zone "UTC"'),
    (attribute("plan").has_been("trial").for_at_least(days=7), 'plan has been "trial" for at least 7 days'),
    (
        attribute("plan").has_been("trial").for_less_than(hours=2),
        'plan has been "trial" for less than 2 hours',
    ),
    (
        attribute("location").within_radius(Point(59.33, 18.07), km=10),
        "location within 10 km of (59.33, 18.07)",
    ),
    (attribute("location").within_radius(Point(0, 0), m=0), "location within 0 m of (0, 0)"),
    (
        attribute("location").within_box(Point(55.0, 11.0), Point(69.1, 24.2)),
        "location within box (55.0, 11.0) to (69.1, 24.2)",
    ),
    (attribute("first name") == "x", '`first name` = "x"'),
    (attribute("from") == "x", '`from` = "x"'),
    (attribute("a`b") == 'say "hi"\n', '`a\\`b` = "say \\"hi\\"\\n"'),
    (tag("vip"), 'tag "vip"'),
    (channel("email"), 'channel "email"'),
    (consent("newsletter"), 'consent "newsletter"'),
    (known(), "known"),
    (everyone(), "everyone"),
    (key_in("a"), 'key = "a"'),
    (key_in("a", "b"), 'key in ("a", "b")'),
    (segment("vip"), 'in segment "vip"'),
    (sample(10, "spring"), 'sample 10% salt "spring"'),
    (bucket(0.2, 0.4, "spring"), 'bucket 0.2 to 0.4 salt "spring"'),
    (top(100, "lifetime_value"), "top 100 by lifetime_value"),
    (bottom(10, "lifetime_value", percent=True), "bottom 10% by lifetime_value"),
    (top(5, "age", of=attribute("country") == "SE"), 'top 5 by age of (country = "SE")'),
    (did("purchase"), "did purchase"),
    (did(), "did any event"),
    (did("page *").at_least(3), "did `page *` at least 3 times"),
    (never_did("purchase").within(days=7), "never did purchase in last 7 days"),
    (did("purchase").at_most(2), "did purchase at most 2 times"),
    (did("purchase").exactly(2), "did purchase exactly 2 times"),
    (did("purchase").more_than(2), "did purchase more than 2 times"),
    (did("purchase").fewer_than(2), "did purchase fewer than 2 times"),
    (did("purchase").times_between(1, 3), "did purchase between 1 and 3 times"),
    (did("purchase").during(Window.before(DAY)), "did purchase before 2024-01-01"),
    (
        did("page_view", page="/offer").at_least(5).within(days=7),
        'did page_view at least 5 times where page = "/offer" in last 7 days',
    ),
    (
        did("purchase").where(prop("amount") > 50, prop("sku") == "x1").within(days=30),
        'did purchase where (amount > 50 and sku = "x1") in last 30 days',
    ),
    (did("purchase", sku=["x1", "x2"]), 'did purchase where sku in ("x1", "x2")'),
    (
        did("purchase").where(prop("shipped").within_last(days=1)).within(days=7),
        "did purchase where (shipped in last 1 days) in last 7 days",
    ),
    (sum_of("purchase.amount").within(days=90) > 1000, "sum(purchase.amount) > 1000 in last 90 days"),
    ((sum_of("purchase.amount") > 1000).within(days=90), "sum(purchase.amount) > 1000 in last 90 days"),
    (avg_of("purchase.amount", sku="x1") >= 20, 'avg(purchase.amount where sku = "x1") >= 20'),
    (min_of("purchase.amount").between(1, 2), "min(purchase.amount) between 1 and 2"),
    (max_of("purchase.amount").is_in([1, 2]), "max(purchase.amount) in (1, 2)"),
    (first_of("purchase.sku").not_in(["x"]), 'first(purchase.sku) not in ("x")'),
    (last_of("purchase.sku") == "x", 'last(purchase.sku) = "x"'),
    (distinct_of("page.view", "offer") != 2, "distinct(`page.view`.offer) != 2"),
    (sum_of("page *", "amount") > 1, "sum(`page *`.amount) > 1"),
    (sum_of("*", "amount") > 1, "sum(any event.amount) > 1"),
    (count_of("purchase", sku="x1") >= 2, 'count(purchase where sku = "x1") >= 2'),
    (active_days("purchase").within(days=30) >= 3, "days(purchase) >= 3 in last 30 days"),
    (
        active_days("purchase", zone="Europe/Stockholm") >= 3,
        'days(purchase) >= 3 in zone "Europe/Stockholm"',
    ),
    (
        did("page_view").every(days=7, at_least=3, of_last=4),
        "did page_view at least 1 times per 7 days in at least 3 of last 4 periods",
    ),
    (
        did("page_view").at_least(2).every_calendar("month", at_least=3, of_last=4, zone="UTC"),
        'did page_view at least 2 times per calendar month in at least 3 of last 4 periods in zone "UTC"',
    ),
    (first_did("purchase").within(days=30), "first did purchase in last 30 days"),
    (
        last_event("purchase", kind="online").has(prop("sku") == "x1"),
        'last purchase where kind = "online" has sku = "x1"',
    ),
    (
        last_event("purchase").has(prop("a") == 1, prop("b") == 2),
        "last purchase has (a = 1 and b = 2)",
    ),
    (did("page_view").then("purchase", days=7), "did page_view then purchase within 7 days"),
    (
        did("cart").then_not("purchase", hours=1).within(days=30),
        "did cart then not purchase within 1 hours in last 30 days",
    ),
    (
        did("cart").then_not("purchase", hours=1).once_matured(),
        "did cart then not purchase within 1 hours matured",
    ),
    (
        did("cart", sku="x").then(did("purchase", sku="x"), days=1),
        'did cart where sku = "x" then purchase where sku = "x" within 1 days',
    ),
    (
        same("offer", did("page_view").at_least(5).within(days=7) & never_did("purchase")),
        "same offer (did page_view at least 5 times in last 7 days and never did purchase)",
    ),
    (at_least(2, tag("a"), tag("b"), tag("c")), 'at least 2 of (tag "a", tag "b", tag "c")'),
    (exactly(1, tag("a"), tag("b")), 'exactly 1 of (tag "a", tag "b")'),
    (none_of(tag("a"), tag("b")), 'none of (tag "a", tag "b")'),
    (all_of(tag("a"), tag("b")), 'tag "a" and tag "b"'),
    (any_of(tag("a"), tag("b")) & tag("c"), '(tag "a" or tag "b") and tag "c"'),
    (tag("a") & tag("b") | tag("c"), 'tag "a" and tag "b" or tag "c"'),
    (~(tag("a") & tag("b")), 'not (tag "a" and tag "b")'),
    (~tag("a") & tag("b"), 'not tag "a" and tag "b"'),
    (raw("a = 1 or b = 2") & tag("c"), '(a = 1 or b = 2) and tag "c"'),
]


@pytest.mark.parametrize(("rule", "text"), WRITTEN, ids=[text for _, text in WRITTEN])
def test_a_rule_is_written_in_the_rule_language(rule: Rule, text: str) -> None:
    assert str(rule) == text


@pytest.mark.parametrize("rule", [rule for rule, _ in WRITTEN], ids=[text for _, text in WRITTEN])
def test_the_parser_reads_what_the_builder_writes(rule: Rule) -> None:
    parse(str(rule))


@pytest.mark.parametrize("rule", [rule for rule, _ in WRITTEN], ids=[text for _, text in WRITTEN])
def test_a_rule_keeps_its_meaning_inside_every_group(rule: Rule) -> None:
    alone, marker = parse(str(rule)), parse('tag "marker"')
    flags = tag("marker")
    assert parse(str(~rule)) == tree.Not(alone)
    assert parse(str(at_least(1, rule, flags))) == tree.AtLeast(1, (alone, marker))
    for group, kind, combined in (
        (tree.AllOf, tree.AllOf, rule & flags),
        (tree.AnyOf, tree.AnyOf, rule | flags),
    ):
        inner = alone.children if isinstance(alone, kind) else (alone,)
        assert _flat(parse(str(combined))) == group((*inner, marker))
    for group, kind, combined in (
        (tree.AllOf, tree.AllOf, flags & rule),
        (tree.AnyOf, tree.AnyOf, flags | rule),
    ):
        inner = alone.children if isinstance(alone, kind) else (alone,)
        assert _flat(parse(str(combined))) == group((marker, *inner))


def _flat(node: tree.Condition) -> tree.Condition:
    """Groups of one kind directly inside one another, as one group."""
    match node:
        case tree.AllOf(children) | tree.AnyOf(children):
            kind = type(node)
            parts = [_flat(child) for child in children]
            return kind(
                tuple(
                    inner
                    for part in parts
                    for inner in (part.children if isinstance(part, kind) else (part,))
                )
            )
        case _:
            return node


@settings(max_examples=200)
@given(st.text(min_size=1, max_size=40).filter(lambda s: "\x00" not in s and s.isprintable()))
def test_any_printable_text_survives_as_a_value_and_as_a_name(text: str) -> None:
    import unicodedata

    nfc = unicodedata.normalize("NFC", text)
    assert parse(str(tag(text))) == tree.HasTag(nfc)
    assert parse(str(attribute(text).exists())) == tree.Exists(nfc)


@settings(max_examples=200)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_number_survives(number: float) -> None:
    found = parse(str(attribute("x") == number))
    assert isinstance(found, tree.Compare)
    assert float(found.operand.value) == number  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "misuse",
    [
        lambda: tag("a") and tag("b"),
        lambda: not tag("a"),
        lambda: 18 < attribute("age") < 30,
        lambda: bool(did("x")),
    ],
)
def test_asking_a_rule_whether_it_is_true_is_refused(misuse: object) -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        misuse()  # type: ignore[operator]


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: attribute("x") == None,  # noqa: E711 - the mistake in question
        lambda: attribute("x") == float("nan"),
        lambda: attribute("x") < dt.datetime(2024, 1, 1),
        lambda: attribute("x").is_in("text"),
        lambda: attribute("") == 1,
        lambda: attribute("x").within_last(days=1, hours=2),
        lambda: attribute("x").within_last(days=1.5),  # type: ignore[arg-type]
        lambda: all_of(),
        lambda: tag("a") & "tag b",  # type: ignore[operator]
        lambda: sum_of("purchase"),
        lambda: did("a").at_least(2).then("b", days=1),
        lambda: did("a").then("b", days=1).once_matured(),
        lambda: never_did("a").at_least(2),
        lambda: Window.last_unit("fortnight"),  # type: ignore[arg-type]
    ],
)
def test_a_mistake_is_refused_where_it_is_made(mistake: object) -> None:
    with pytest.raises(InvalidArgument):
        mistake()  # type: ignore[operator]


def test_a_comment_in_raw_text_does_not_swallow_what_follows() -> None:
    combined = raw("a = 1 # or so") & tag("b")
    assert parse(str(combined)) == tree.AllOf((parse("a = 1"), tree.HasTag("b")))


def test_rules_are_values() -> None:
    assert tag("a") & tag("b") == all_of(tag("a"), tag("b"))
    assert len({did("x").within(days=1), did("x").within(days=1)}) == 1
