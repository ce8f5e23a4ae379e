"""What the demo defines and asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoSegment:
    id: str
    name: str
    rule: str


SEGMENTS = (
    DemoSegment("spent-over-5000", "Spent more than 5,000", "sum(purchase.amount) > 5000"),
    DemoSegment("bought-recently", "Bought in the last 30 days", "did purchase in last 30 days"),
    DemoSegment(
        "big-spenders-gone",
        "Big spenders, gone for two weeks",
        'in segment "spent-over-5000" and never did purchase in last 14 days',
    ),
    DemoSegment("campaign-18", "Received campaign 18", "did campaign_received where campaign = 18"),
    DemoSegment(
        "campaign-18-redeemed", "Redeemed a coupon of campaign 18", "did coupon_redeemed where campaign = 18"
    ),
    DemoSegment(
        "campaign-18-unmoved",
        "Received campaign 18, redeemed nothing of it",
        "did campaign_received where campaign = 18 and never did coupon_redeemed where campaign = 18",
    ),
    DemoSegment("coupon-fans", "Redeemed at least 10 coupons", "did coupon_redeemed at least 10 times"),
    DemoSegment(
        "meat-lapsed",
        "Heavy buyers of meat who stopped",
        'sum(purchase.amount where department = "MEAT") > 200 '
        'and never did purchase where department = "MEAT" in last 60 days',
    ),
    DemoSegment(
        "never-seafood",
        "Never bought seafood",
        'never did purchase where department in ("SEAFOOD", "SEAFOOD-PCKGD")',
    ),
    DemoSegment(
        "often-here",
        "At least 100 lines in the last 30 days",
        "did purchase at least 100 times in last 30 days",
    ),
    DemoSegment(
        "own-brand",
        "Over 1,000 on the store's own brand, of at most 2,000 in all",
        'sum(purchase.amount where brand = "Private") > 1000 and sum(purchase.amount) <= 2000',
    ),
    DemoSegment(
        "young-families",
        "Under 35, with children",
        'age in ("19-24", "25-34") and kids_count in ("1", "2", "3+")',
    ),
    DemoSegment(
        "well-off-owners",
        "Own their home, earn 100,000 or more",
        'home_ownership = "Homeowner" and income in ("100-124K", "125-149K", "150-174K", "175-199K", "200-249K", '
        '"250K+")',
    ),
    DemoSegment(
        "every-kind-of-campaign",
        "Received campaigns of types A, B and C",
        'campaign_types all of ("Type A", "Type B", "Type C")',
    ),
)
"""In an order in which each refers only to those before it."""

EXAMPLES = (
    ("count", "did purchase at least 50 times in last 30 days and never did coupon_redeemed"),
    ("count", "sum(purchase.amount) > 5000", "--at", "2017-07-01T00:00:00Z", "--json"),
    ("check", "1", 'marital_status = "Married"', "--segment", "bought-recently"),
    ("segments", "show", "campaign-18-unmoved"),
)
"""Command lines without the program's name."""
