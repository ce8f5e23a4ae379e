"""Rows about who somebody is, and about how rules are put together."""

from __future__ import annotations

from decimal import Decimal

import pytest

from headcount import Client, FailedPrecondition, Identifier, ProfileUpdate
from tests.acceptance.asking import ago, did, people, who


def test_row_02_an_edited_rule_is_in_force_at_once_and_a_copy_is_its_own(headcount: Client) -> None:
    people(headcount, age=[("ann", 20), ("bo", 40), ("cy", 60)])
    assert headcount.create_segment("grown", "age >= 40").size == 2
    headcount.duplicate_segment("grown", "copy")
    assert headcount.update_segment("grown", rule="age >= 60").size == 1
    assert headcount.get_segment("copy").size == 2
    headcount.create_segment("others", 'not in segment "grown"')
    with pytest.raises(FailedPrecondition):
        headcount.delete_segment("grown")
    headcount.delete_segment("others")
    headcount.delete_segment("grown")
    assert [segment.id for segment in headcount.list_segments()] == ["copy"]


def test_row_05_the_members_page_by_page_and_further_rules_narrow_them(headcount: Client) -> None:
    people(
        headcount, age=[(f"p{i}", i) for i in range(25)], country=[(f"p{i}", "SE") for i in range(0, 25, 2)]
    )
    segment = headcount.create_segment("grown", "age >= 10")
    members = list(headcount.list_profiles('in segment "grown"', page_size=4))
    assert {profile.key for profile in members} == {f"p{i}" for i in range(10, 25)}
    assert len(members) == segment.size == 15
    assert {profile.attributes["age"] for profile in members} == set(range(10, 25))
    assert who(headcount, 'in segment "grown" and country = "SE" and age < 15') == "p10 p12 p14"


def test_row_06_known_and_unknown_people(headcount: Client) -> None:
    headcount.declare_attributes(identifiers=["email"])
    headcount.upsert_profiles(
        [
            ProfileUpdate("ann", identifiers=[Identifier("email", "ann@example.com")]),
            ProfileUpdate("bo", {"city": "Oslo"}),
        ]
    )
    did(headcount, "page_view", "cookie-1", ago(hours=1))
    assert who(headcount, "known") == "ann"
    assert who(headcount, "not known") == "bo cookie-1"
    assert who(headcount, "not known and did page_view") == "cookie-1"


def test_row_08_groups_in_groups_each_with_its_own_relation(headcount: Client) -> None:
    people(
        headcount,
        country=[("ann", "SE"), ("bo", "NO"), ("cy", "SE"), ("di", None)],
        plan=[("ann", "pro"), ("bo", "pro"), ("cy", "free")],
        age=[("ann", 30), ("cy", 70), ("di", 30)],
    )
    three = 'country = "SE", plan = "pro", age < 65'
    for rule, expected in {
        f"all of ({three})": "ann",
        f"any of ({three})": "ann bo cy di",
        f"at least 2 of ({three})": "ann",
        f"exactly 1 of ({three})": "bo cy di",
        f"none of ({three})": "",
        'country = "SE" and (plan = "free" or not age >= 65)': "ann cy",
        'any of (all of (country = "SE", age > 65), none of (plan exists, country exists))': "cy di",
        'not (country = "SE" or country = "NO")': "di",
    }.items():
        assert who(headcount, rule) == expected, rule


def test_row_10_the_phase_somebody_is_in_as_given_or_as_rules_derive_it(headcount: Client) -> None:
    people(headcount, phase=[("ann", "interest"), ("bo", "decision"), ("cy", None), ("di", "interest")])
    assert who(headcount, 'phase in ("interest", "desire")') == "ann di"
    did(headcount, "page_view", "ann", ago(1), ago(2))
    did(headcount, "purchase", "bo", ago(5))
    did(headcount, "purchase", "cy", ago(400), ago(3))
    phases = {
        "stranger": "never did any event",
        "visitor": "did page_view and never did purchase",
        "new": "first did purchase in last 30 days",
        "customer": "did purchase and not first did purchase in last 30 days",
    }
    for name, rule in phases.items():
        headcount.create_segment(name, rule)
    assert {name: who(headcount, f'in segment "{name}"') for name in phases} == {
        "stranger": "di",
        "visitor": "ann",
        "new": "bo",
        "customer": "cy",
    }
    assert (
        who(headcount, "exactly 1 of (" + ", ".join(f'in segment "{name}"' for name in phases) + ")")
        == "ann bo cy di"
    )


def test_row_20_attributes_tags_and_channels_of_every_kind(headcount: Client) -> None:
    headcount.declare_attributes(
        {"spent": "decimal(2)", "interests": "set", "born": "date", "signed_up": "instant"}
    )
    headcount.upsert_profiles(
        [
            ProfileUpdate(
                "ann",
                {"spent": 25_000, "interests": ["cars", "golf"], "born": ago(30 * 365).date(), "name": "Åsa"},
                tags_added=["vip", "staff"],
                channels_added=["email", "push"],
            ),
            ProfileUpdate(
                "bo", {"spent": 12, "interests": [], "signed_up": ago(3), "subscribed": False, "name": ""}
            ),
            ProfileUpdate("cy", {"app_version": "1.10.0"}, channels_added=["sms"], tags_added=["vip"]),
        ]
    )
    headcount.upsert_profiles([ProfileUpdate("cy", tags_removed=["vip"])])
    for rule, expected in {
        "spent >= 12.00": "ann bo",
        'interests any of ("golf", "tennis")': "ann",
        "interests is empty": "bo cy",
        "size(interests) = 0": "bo",
        "born before 2000-01-01": "ann",
        "signed_up in last 3 days": "",
        "signed_up in last 4 days": "bo",
        "subscribed = false": "bo",
        "subscribed != true": "ann bo cy",
        'name = "asa" ignoring accents': "ann",
        "name exists": "ann bo",
        "name is empty": "bo cy",
        'app_version > semver "1.9.3"': "cy",
        'tag "vip"': "ann",
        'not tag "staff"': "bo cy",
        'channel "email" or channel "sms"': "ann cy",
        'tag "vip" and channel "push" and spent > 24999.99': "ann",
    }.items():
        assert who(headcount, rule) == expected, rule


def test_row_23_all_segments_of_somebody_and_everybody_of_a_segment(headcount: Client) -> None:
    people(headcount, age=[("ann", 20), ("bo", 40), ("cy", 60)], country=[("ann", "SE"), ("cy", "SE")])
    rules = {
        "grown": "age >= 40",
        "swedes": 'country = "SE"',
        "both": 'in segment "grown" and in segment "swedes"',
    }
    for name, rule in rules.items():
        headcount.create_segment(name, rule)
    of = {key: set(headcount.memberships(key)) for key in ("ann", "bo", "cy")}
    assert of == {"ann": {"swedes"}, "bo": {"grown"}, "cy": {"grown", "swedes", "both"}}
    for name in rules:
        assert who(headcount, f'in segment "{name}"').split() == [key for key in of if name in of[key]]


def test_row_25_a_size_is_of_this_moment_wherever_a_segment_is_named(headcount: Client) -> None:
    headcount.declare_attributes({"age": "int"})
    headcount.create_segment("grown", "age >= 40")
    headcount.create_segment("others", 'not in segment "grown"')
    for i in range(5):
        people(headcount, age=[(f"p{i}", 30 + 5 * i)])
        sizes = {segment.id: segment.size for segment in headcount.list_segments()}
        assert sizes == {"grown": max(0, i - 1), "others": min(2, i + 1)}
        assert (
            headcount.get_segment("grown").size
            == headcount.count('in segment "grown"').count
            == sizes["grown"]
        )


def test_row_28_a_threshold_is_strict_where_it_says_so(headcount: Client) -> None:
    headcount.declare_attributes({"value": "decimal(2)", "weight": "float", "points": "int"})
    people(headcount, value=[("below", Decimal("24999.99")), ("at", 25_000), ("above", Decimal("25000.01"))])
    people(headcount, points=[("below", 24_999), ("at", 25_000), ("above", 25_001), ("none", None)])
    people(headcount, weight=[("below", 24_999.999), ("at", 25_000.0), ("above", 25_000.001)])
    for name in ("value", "points", "weight"):
        assert who(headcount, f"{name} > 25000") == "above"
        assert who(headcount, f"{name} >= 25000") == "above at"
        assert who(headcount, f"{name} < 25000") == "below"
        assert who(headcount, f"not {name} > 25000") == "at below none"
    assert who(headcount, "value > 24999.99 and not value > 25000") == "at"


def test_row_34_groups_that_another_system_defined(headcount: Client) -> None:
    headcount.declare_attributes({"crm_groups": "set"})
    people(headcount, crm_groups=[("ann", ["gold", "press"]), ("bo", ["silver"]), ("cy", [])])
    did(headcount, "purchase", "bo", ago(1))
    assert who(headcount, 'crm_groups any of ("gold", "silver")') == "ann bo"
    assert who(headcount, 'crm_groups none of ("press") and did purchase') == "bo"
    headcount.upsert_profiles([ProfileUpdate("cy", elements_added={"crm_groups": ["gold"]})])
    headcount.upsert_profiles([ProfileUpdate("ann", elements_removed={"crm_groups": ["gold"]})])
    assert who(headcount, 'crm_groups any of ("gold")') == "cy"


def test_row_38_out_the_moment_the_cart_reaches_a_hundred(headcount: Client) -> None:
    headcount.declare_attributes({"cart": "decimal(2)"})
    people(headcount, cart=[("ann", 0), ("bo", 150)])
    headcount.create_segment("small-cart", "cart < 100 and cart > 0")
    seen = []
    for amount in (40, 59, 1, 50, -75):
        receipt = headcount.upsert_profiles([ProfileUpdate("ann", increments={"cart": amount})])
        seen.append(headcount.check("ann", "small-cart", min_version=receipt.version)["small-cart"])
    assert seen == [True, True, False, False, True]


def test_row_39_one_view_of_what_is_known_with_its_segments(headcount: Client) -> None:
    headcount.declare_attributes({"age": "int"}, identifiers=["email"])
    headcount.upsert_profiles(
        [
            ProfileUpdate(
                "ann",
                {"age": 42},
                tags_added=["vip"],
                channels_added=["email"],
                identifiers=[Identifier("email", "ann@example.com")],
            )
        ]
    )
    headcount.create_segment("grown", "age >= 40")
    headcount.create_segment("young", "age < 40")
    profile = headcount.get_profile(Identifier("email", "ann@example.com"))
    assert (profile.key, profile.attributes["age"], profile.segments) == ("ann", 42, ("grown",))
    assert (*profile.tags, *profile.channels) == ("vip", "email")
    assert profile.identifiers == (Identifier("email", "ann@example.com"),)
