"""Templates and rule elements: what a rule editor offers is what a rule can say."""

from __future__ import annotations

import re

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.conditions.text import parse
from headcount_engine.database import Database
from headcount_engine.errors import InvalidArgument, InvalidValue
from headcount_engine.membership.templates import CATEGORIES, TEMPLATES
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.elements import Category
from headcount_engine.model.schema import AttributeDefinition, PropertyDefinition
from headcount_engine.model.segments import SegmentKind, SegmentState
from headcount_engine.model.values import Date, Kind, ValueType
from tests.agreement.columns import MISSING, column, events, profiles

SET = Kind.TEXT_SET
DAY = 86_400_000_000
NOW = 20_000 * DAY


@pytest.fixture(scope="module")
def database() -> Database:
    database = Database.open(None)
    database.declare_attributes(
        [
            AttributeDefinition("joined", ValueType(Kind.INSTANT)),
            AttributeDefinition("order", ValueType(Kind.INT)),
            AttributeDefinition("place", ValueType(Kind.POINT)),
            AttributeDefinition("plan", ValueType(Kind.TEXT), is_tracked=True),
        ]
    )
    keys = ["a", "b", "c"]
    database.write_profiles(
        profiles(
            keys,
            column("birth_date", Kind.DATE, [Date(1), Date(2), Date(3)]),
            column("ltv", Kind.FLOAT, [1.0, 2.0, 3.0]),
            column("city", Kind.TEXT, ["Oslo", "Oslo", "Bergen"]),
            column("is_new", Kind.BOOL, [True, False, True]),
            column("likes", SET, [frozenset({"x"}), frozenset(), frozenset({"y"})]),
            column("$tags", SET, [frozenset({"vip", 'odd "one"'}), frozenset({"vip"}), frozenset()]),
            column("$channels", SET, [frozenset({"email"}), frozenset(), frozenset()]),
            column("$consent.news", Kind.BOOL, [True, False, True]),
        )
    )
    database.write_events(events(keys, ["order", "add_to_cart", "visit"], [1, 2, 3]))
    database.declare_properties(
        [
            PropertyDefinition("order", "revenue", ValueType(Kind.FLOAT)),
            PropertyDefinition("order", "note", ValueType(Kind.TEXT)),
            PropertyDefinition("visit", "odd name", ValueType(Kind.INT)),
        ]
    )
    database.create_segment(SegmentDraft("s", "everyone", description="All of them."))
    database.create_segment(SegmentDraft("gone", "everyone"))
    database.update_segment("gone", SegmentChanges(state=SegmentState.ARCHIVED))
    return database


def test_there_are_ten_templates_and_more_each_with_its_own_name_and_all_its_places() -> None:
    assert len(TEMPLATES) >= 10 and len({t.id for t in TEMPLATES}) == len(TEMPLATES)
    for template in TEMPLATES:
        assert template.category in CATEGORIES
        assert set(re.findall(r"\{(\w+)\}", template.rule)) == {place.name for place in template.places}


def test_a_template_fills_itself_from_the_schema_and_can_be_saved(database: Database) -> None:
    complete = {i.template.id: i for i in database.elements.templates() if not i.open}
    assert set(complete) == {t.id for t in TEMPLATES} - {"unmoved"}, "nobody sends messages here"
    for id_, instance in complete.items():
        would = database.create_segment(SegmentDraft(id_, instance.rule), validate_only=True)
        assert would.kind is SegmentKind.RULE
    assert parse(complete["big-spenders"].rule) == parse("sum(order.revenue) > 1000 in last 90 days")
    assert "birth_date" in complete["birthday-soon"].rule and "ltv" in complete["high-value"].rule


def test_arguments_go_before_what_is_usual_and_open_places_say_so(database: Database) -> None:
    arguments = {"received": "mail `x`", "responded": "click", "days": "5"}
    found = {i.template.id: i for i in database.elements.templates("engagement", arguments)}
    assert set(found) == {"unmoved", "regulars"}
    assert found["unmoved"].open == ()
    parse(found["unmoved"].rule)
    assert "in last 5 days" in found["unmoved"].rule
    without = next(i for i in database.elements.templates() if i.template.id == "unmoved")
    assert without.open == ("received", "responded") and "{received}" in without.rule
    received = next(f for f in without.filled if f.place.name == "received")
    assert set(received.candidates) == {"order", "add_to_cart", "visit"}
    for wrong in ("0", "-1", "1) or everyone", "1e3", "٣"):
        with pytest.raises(InvalidArgument):
            database.elements.templates(arguments={"days": wrong})


def test_an_empty_workspace_leaves_names_open_and_breaks_nothing() -> None:
    empty = Database.open(None)
    instances = empty.elements.templates()
    assert {i.template.id for i in instances if not i.open} == {"active", "regulars"}
    assert {e.category for e in empty.elements.page().elements} == {Category.PROFILE}


def test_every_example_is_a_rule_that_this_workspace_takes(database: Database) -> None:
    page = database.elements.page(page_size=1_000)
    assert {e.category for e in page.elements} == set(Category)
    for element in page.elements:
        database.count(element.example)


def test_elements_carry_what_is_in_use(database: Database) -> None:
    by_name = {(e.category, e.name): e for e in database.elements.page(page_size=1_000).elements}
    city = by_name[Category.ATTRIBUTE, "city"]
    assert (city.values, city.profiles, "contains" in city.operators) == (("Oslo", "Bergen"), 3, True)
    assert by_name[Category.TAG, '"vip"'].profiles == 2
    assert by_name[Category.TAG, '"odd \\"one\\""'].profiles == 1
    assert by_name[Category.EVENT, "order"].profiles == 1
    assert by_name[Category.CONSENT_TOPIC, '"news"'].profiles == 2
    assert by_name[Category.SEGMENT, '"s"'].description == "All of them."
    assert (Category.SEGMENT, '"gone"') not in by_name
    assert by_name[Category.EVENT_PROPERTY, "visit.`odd name`"].type == ValueType(Kind.INT)
    assert "has been" in by_name[Category.ATTRIBUTE, "plan"].operators
    assert by_name[Category.ATTRIBUTE, "place"].values == ()


def test_properties_carry_how_many_profiles_have_them_and_what_is_in_use(database: Database) -> None:
    clock = ManualClock(NOW)
    made = Database.open(None, clock=clock)
    keys = ["a", "a", "b", "c", "d", "e"]
    times = [NOW, NOW - DAY, NOW - 2 * DAY, NOW - 20 * DAY, NOW - 3 * DAY, NOW + DAY]
    for name, kept_us in (("view", None), ("seen", 10 * DAY)):
        clock.advance_to(max(clock.now_us(), NOW))
        made.write_events(
            events(
                keys,
                name,
                times,
                column("page", Kind.TEXT, ["/b", "/b", "/a", "/c", MISSING, "/later"]),
                column("is_new", Kind.BOOL, [True, False, False, False, MISSING, True]),
                column(
                    "on", SET, [frozenset("xy"), frozenset("y"), frozenset(), frozenset("z"), MISSING, frozenset("l")]
                ),
                column("n", Kind.INT, [1, 2, MISSING, MISSING, MISSING, 3]),
            )
        )  # fmt: skip
        if kept_us is not None:
            made.declare_retention({name: kept_us})
    found = {e.name: e for e in made.elements.page(Category.EVENT_PROPERTY).elements}
    assert (found["view.page"].profiles, found["view.page"].values) == (3, ("/b", "/a", "/c"))
    assert (found["view.is_new"].profiles, found["view.is_new"].values) == (3, (False, True))
    assert (found["view.on"].profiles, found["view.on"].values) == (3, ("y", "x", "z"))
    assert (found["view.n"].profiles, found["view.n"].values) == (1, ())
    assert found["seen.page"].profiles == 2
    made.expire_events()
    found = {e.name: e for e in made.elements.page(Category.EVENT_PROPERTY).elements}
    assert (found["seen.page"].profiles, found["seen.page"].values) == (2, ("/b", "/a"))
    for element in made.elements.page(page_size=1_000).elements:
        made.count(element.example)
    for kept_us, window in ((DAY * 5 // 2, "2 days"), (DAY // 3, "8 hours"), (DAY // 48, "30 minutes")):
        made.declare_retention({"brief": kept_us})
        (brief,) = made.elements.page(Category.EVENT, "brief").elements
        assert brief.example == f"did brief in last {window}"
        made.count(brief.example)


def test_what_concerns_all_profiles_counts_them(database: Database) -> None:
    by_name = {e.name: e.profiles for e in database.elements.page(Category.PROFILE).elements}
    assert by_name["key"] == by_name["everyone"] == by_name["top by ltv"] == 3
    assert by_name["known"] == by_name["top by order"] == 0


def test_sets_carry_the_elements_in_use(database: Database) -> None:
    (likes,) = database.elements.page(Category.ATTRIBUTE, "likes").elements
    assert (likes.values, likes.profiles) == (("x", "y"), 3)


def test_elements_come_in_pages_and_by_text(database: Database) -> None:
    whole = [e.name for e in database.elements.page(page_size=1_000).elements]
    token, gathered = "", []
    while True:
        page = database.elements.page(page_size=4, page_token=token)
        gathered += [e.name for e in page.elements]
        assert page.total_size == len(whole)
        if not (token := page.next_page_token):
            break
    assert gathered == whole
    assert [e.name for e in database.elements.page(Category.ATTRIBUTE, "CIT").elements] == ["city"]
    with pytest.raises(InvalidValue):
        database.elements.page(page_token="x")


def test_an_argument_that_no_template_has_a_place_for_is_refused_with_the_places_that_are(
    database: Database,
) -> None:
    """It was left out without a word, so that a segment was made of the usual numbers instead of those asked for."""
    with pytest.raises(InvalidArgument, match=r"place 'dayz'; did you mean 'days'\?") as error:
        database.elements.templates(arguments={"dayz": "4"})
    assert "days_before" in str(error.value) and error.value.path == "arguments"
    with pytest.raises(InvalidArgument, match="place 'percent'"):
        database.elements.templates("lifecycle", {"percent": "4"})


def test_numbers_with_which_nobody_could_match_are_refused_and_usual_ones_left_open(
    database: Database,
) -> None:
    """Lapsing with 120 days beside the usual 90 before was a rule that nobody can satisfy, and was saved as such."""
    found = {i.template.id: i for i in database.elements.templates(arguments={"days": "120"})}
    assert found["lapsing"].open == found["won-back"].open == ("days_before",)
    assert "{days_before}" in found["lapsing"].rule and not found["active"].open
    wide = database.elements.templates(arguments={"days": "120", "days_before": "121"})
    assert next(i for i in wide if i.template.id == "lapsing").open == ()
    for days in ("90", "91"):
        with pytest.raises(InvalidArgument, match=r"'lapsing' with days .* matches nobody") as error:
            database.elements.templates(arguments={"days": days, "days_before": "90"})
        assert error.value.path == "arguments.days"
    regulars = {"days": "5", "active_days": "8"}
    with pytest.raises(InvalidArgument, match="'regulars'"):
        database.elements.templates(arguments=regulars)
    assert database.elements.templates(arguments={**regulars, "active_days": "7"})
