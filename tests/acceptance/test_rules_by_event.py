"""Rows about what somebody did, and about when."""

from __future__ import annotations

import datetime as dt

from headcount import Client
from tests.acceptance.asking import ago, did, people, who, who_at


def test_row_09_conversions_yes_or_no_each_with_its_own_period(headcount: Client) -> None:
    did(headcount, "conversion", "lately", ago(10))
    did(headcount, "conversion", "before", ago(300))
    did(headcount, "conversion", "both", ago(300), ago(2))
    did(headcount, "page_view", "never", ago(1))
    for rule, expected in {
        "did conversion in last 6 calendar months": "both lately",
        "did conversion at least 1 times in last 183 days": "both lately",
        "never did conversion in last 183 days": "before never",
        "never did conversion": "never",
        "did conversion between 200 and 365 days ago and never did conversion in last 30 days": "before",
        "did conversion between 200 and 365 days ago and did conversion in last 30 days": "both",
    }.items():
        assert who(headcount, rule) == expected, rule


def test_row_13_whether_somebody_is_in_at_this_moment(headcount: Client) -> None:
    people(headcount, age=[(f"p{i}", i) for i in range(200)])
    did(headcount, "page_view", "p150", ago(hours=1), offer="a")
    headcount.create_segment("grown", "age >= 100")
    headcount.create_segment("keen", 'in segment "grown" and did page_view in last 2 hours')
    answer = headcount.check("p150", "grown", "keen")
    assert (answer.exists, answer["grown"], answer["keen"]) == (True, True, True)
    did(headcount, "page_view", "p151", ago())
    assert headcount.check("p151", "keen")["keen"]
    assert not headcount.check("p99", "keen", rules=["age < 99"])
    stranger = headcount.check("nobody", "grown", rules=["everyone", "not age > 1"])
    assert (stranger.exists, stranger["grown"], stranger.rules) == (False, False, (False, False))


def test_row_14_saw_or_clicked_a_touchpoint_in_a_period_and_converted_or_not(headcount: Client) -> None:
    def touch(key: str, action: str, days: float, name: str = "banner") -> None:
        did(headcount, "touchpoint", key, ago(days), name=name, action=action)

    touch("saw", "view", 3)
    touch("clicked", "view", 3)
    touch("clicked", "click", 2)
    touch("bought", "click", 2)
    did(headcount, "conversion", "bought", ago(1.5))
    touch("bought-first", "click", 2)
    did(headcount, "conversion", "bought-first", ago(2.5))
    touch("long-ago", "click", 40)
    touch("elsewhere", "click", 2, "popup")
    click = 'touchpoint where name = "banner" and action = "click"'
    for rule, expected in {
        'did touchpoint where name = "banner" in last 7 days': "bought bought-first clicked saw",
        f"did {click} in last 7 days": "bought bought-first clicked",
        f"did {click}": "bought bought-first clicked long-ago",
        f"did {click} in last 7 days and did conversion in last 7 days": "bought bought-first",
        f"did {click} in last 7 days and never did conversion": "clicked",
        f"did {click} then conversion within 1 days": "bought",
        f"did {click} then not conversion within 1 days matured in last 7 days": "bought-first clicked",
    }.items():
        assert who(headcount, rule) == expected, rule


def test_row_15_by_a_property_of_what_was_interacted_with(headcount: Client) -> None:
    did(headcount, "click", "ann", ago(1), offer="o1", collections=["summer", "sale"], price=80)
    did(headcount, "click", "bo", ago(1), offer="o2", collections=["summer"], price=20)
    did(headcount, "click", "bo", ago(1), offer="o3", collections=["winter"], price=90)
    did(headcount, "click", "cy", ago(1), offer="o1")
    for rule, expected in {
        'did click where offer = "o1"': "ann cy",
        'did click where collections any of ("summer")': "ann bo",
        'did click where collections all of ("summer", "sale")': "ann",
        'did click where collections any of ("summer") and price > 50': "ann",
        'did click where (price > 50) and did click at least 2 times where offer glob "o?"': "bo",
        "did click where collections does not exist": "cy",
    }.items():
        assert who(headcount, rule) == expected, rule


def test_row_16_a_gallery_of_rules_ready_made(headcount: Client) -> None:
    headcount.declare_attributes({"birthday": "date", "signed_up": "instant", "city": "text"})
    people(
        headcount,
        birthday=[("ann", dt.date(1990, 6, 18)), ("bo", dt.date(1985, 12, 1))],
        signed_up=[("ann", ago(2)), ("bo", ago(200)), ("cy", ago(900))],
    )
    did(headcount, "purchase", "bo", ago(100), ago(50), ago(20), amount=400.0)
    did(headcount, "purchase", "cy", ago(700), ago(500), amount=20.0)
    did(headcount, "cart", "ann", ago(hours=5))
    did(headcount, "open", "ann", ago(1))
    gallery = {
        "joined lately": ("signed_up in last 7 days", "ann"),
        "birthday soon": ("birthday anniversary in next 7 days", "ann"),
        "repeat buyers": ("did purchase at least 2 times", "bo cy"),
        "big spenders": ("sum(purchase.amount) > 1000", "bo"),
        "small baskets": ("avg(purchase.amount) < 50", "cy"),
        "lapsed": ("did purchase and never did purchase in last 365 days", "cy"),
        "win back": ("did purchase more than 365 days ago and never did purchase in last 365 days", "cy"),
        "abandoned cart": ("did cart then not purchase within 1 hours matured in last 7 days", "ann"),
        "never bought": ("never did purchase", "ann"),
        "reads the mail": ("did open in last 30 days", "ann"),
        "regulars": ("did purchase at least 1 times per 60 days in at least 2 of last 2 periods", "bo"),
        "without a city": ("city is empty", "ann bo cy"),
        "best customer": ("top 1 by signed_up", "ann"),
    }
    for name, (rule, expected) in gallery.items():
        assert who(headcount, rule) == expected, name
        assert headcount.create_segment(name.replace(" ", "-"), rule).size == len(expected.split())


def test_row_17_membership_follows_what_happens_and_the_clock(headcount: Client) -> None:
    did(headcount, "page_view", "ann", ago(2))
    headcount.create_segment("keen", "did page_view at least 2 times in last 7 days")
    assert not headcount.check("ann", "keen")["keen"]
    did(headcount, "page_view", "ann", ago(1))
    assert headcount.check("ann", "keen")["keen"]
    keen = 'in segment "keen"'
    leaves = ago(2) + dt.timedelta(days=7)
    moment = dt.timedelta(microseconds=1)
    assert who_at(headcount, keen, leaves - moment) == "ann"
    assert who_at(headcount, keen, leaves) == ""
    assert who_at(headcount, keen, ago(1)) == "ann"
    assert who_at(headcount, keen, ago(1) - moment) == ""


def test_row_21_opens_clicks_and_bounces_of_a_given_mailing_or_product(headcount: Client) -> None:
    for key in ("ann", "bo", "cy"):
        did(headcount, "email_sent", key, ago(3), mailing="spring")
    did(headcount, "email_open", "ann", ago(2), ago(2.5), mailing="spring")
    did(headcount, "email_click", "ann", ago(2), mailing="spring", product="shoes")
    did(headcount, "email_open", "bo", ago(2), mailing="spring")
    did(headcount, "email_click", "bo", ago(40), mailing="winter", product="shoes")
    did(headcount, "email_bounce", "cy", ago(3), mailing="spring")
    spring = 'where mailing = "spring"'
    for rule, expected in {
        f"did email_open {spring}": "ann bo",
        f"did email_open at least 2 times {spring}": "ann",
        f"did email_open {spring} and never did email_click {spring}": "bo",
        'did email_click where product = "shoes" in last 30 days': "ann",
        f"did email_sent {spring} and never did email_open {spring}": "cy",
        "did email_bounce in last 7 days": "cy",
        "same mailing (did email_sent and did email_click)": "ann",
        "same mailing (did email_sent and never did `email_c*`)": "bo cy",
        "did email_open then email_click within 0 seconds": "ann",
    }.items():
        assert who(headcount, rule) == expected, rule


def test_row_27_page_views_devices_and_what_was_sent_before(headcount: Client) -> None:
    people(headcount, device_os=[("ann", "iOS"), ("bo", "Android"), ("cy", "iOS")])
    people(headcount, app_version=[("ann", "3.16.1"), ("bo", "3.20.0"), ("cy", "v3.9.9")])
    did(headcount, "page /offer", "ann", ago(1), ago(2), seconds=30)
    did(headcount, "page /price", "ann", ago(1), seconds=5)
    did(headcount, "page /offer", "bo", ago(1), seconds=300)
    did(headcount, "message_sent", "cy", ago(1), campaign="c1", via="push")
    did(headcount, "message_sent", "ann", ago(5), campaign="c1", via="push")
    for rule, expected in {
        "did `page *` at least 3 times": "ann",
        "max(`page *`.seconds) >= 60": "bo",
        "sum(`page *`.seconds) = 65": "ann",
        'device_os = "iOS" and app_version >= semver "3.16"': "ann",
        'device_os = "iOS" and app_version < semver "3.10.0"': "cy",
        'never did message_sent where via = "push" in last 3 days': "ann bo",
        'did message_sent where (campaign = "c1") and never did any event in last 12 hours': "ann cy",
    }.items():
        assert who(headcount, rule) == expected, rule


def test_row_30_the_same_offer_five_times_in_a_week_and_not_bought(headcount: Client) -> None:
    def view(key: str, offer: str, count: int, days: float = 1) -> None:
        did(headcount, "page_view", key, *(ago(days, hours=i) for i in range(count)), offer=offer)

    view("keen", "o1", 5)
    view("four", "o1", 4)
    view("spread", "o1", 3)
    view("spread", "o2", 3)
    view("bought", "o1", 6)
    did(headcount, "purchase", "bought", ago(hours=1), offer="o1")
    view("bought-other", "o1", 5)
    did(headcount, "purchase", "bought-other", ago(hours=1), offer="o2")
    view("long-ago", "o1", 5, 9)
    rule = "same offer (did page_view at least 5 times in last 7 days and never did purchase)"
    assert who(headcount, rule) == "bought-other keen"
    assert (
        who(headcount, "did page_view at least 5 times in last 7 days and never did purchase")
        == "keen spread"
    )


def test_row_36_nothing_is_too_long_ago(headcount: Client) -> None:
    first = dt.datetime(1994, 3, 1, 9, tzinfo=dt.UTC)
    did(
        headcount,
        "purchase",
        "ann",
        first,
        *(first + dt.timedelta(days=365 * i) for i in range(1, 31)),
        amount=10,
    )
    did(headcount, "purchase", "bo", ago(10), amount=500)
    for rule, expected in {
        "did purchase more than 10000 days ago": "ann",
        "did purchase at least 31 times": "ann",
        "sum(purchase.amount) = 310": "ann",
        "first did purchase before 1995-01-01": "ann",
        "did purchase from 1994-03-01 to 1994-03-02": "ann",
        "did purchase at least 1 times per calendar year in at least 29 of last 30 periods": "ann",
        "did purchase in last 15000 days": "ann bo",
    }.items():
        assert who(headcount, rule) == expected, rule
    assert who_at(headcount, "did purchase", first) == "ann"
    assert who_at(headcount, "did purchase", first - dt.timedelta(microseconds=1)) == ""
