"""Rules as Python: every object here knows its text in the rule language; the server parses it.

offer = (attribute("lifetime_value") > 25_000) & did("page_view", page="/offer").at_least(5).within(days=7)
str(offer)  # lifetime_value > 25000 and (did page_view at least 5 times where page = "/offer" in last 7 days)
"""

from headcount.rules.attributes import Attribute, attribute, prop
from headcount.rules.events import (
    active_days,
    avg_of,
    count_of,
    did,
    distinct_of,
    first_did,
    first_of,
    last_event,
    last_of,
    max_of,
    min_of,
    never_did,
    sum_of,
)
from headcount.rules.people import (
    all_of,
    any_of,
    at_least,
    bottom,
    bucket,
    channel,
    consent,
    everyone,
    exactly,
    key_in,
    known,
    none_of,
    same,
    sample,
    segment,
    tag,
    top,
)
from headcount.rules.text import Rule, raw
from headcount.rules.windows import Window

__all__ = [
    "Attribute", "Rule", "Window", "active_days", "all_of", "any_of", "at_least", "attribute", "avg_of", "bottom",
    "bucket", "channel", "consent", "count_of", "did", "distinct_of", "everyone", "exactly", "first_did",
    "first_of", "key_in", "known", "last_event", "last_of", "max_of", "min_of", "never_did", "none_of", "prop",
    "raw", "same", "sample", "segment", "sum_of", "tag", "top",
]  # fmt: skip
