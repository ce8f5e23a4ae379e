"""Binding of leaves on who a profile is: identifiers, consent, samples, ranks, how long a value has held."""

from __future__ import annotations

import math
import unicodedata
from fractions import Fraction
from typing import TYPE_CHECKING

from headcount_engine import bitmaps
from headcount_engine.conditions import fields
from headcount_engine.conditions.bound import (
    AboutProfile,
    All,
    And,
    Bound,
    ColumnTest,
    Complement,
    Given,
    Or,
    Ranked,
    Sampled,
)
from headcount_engine.conditions.text.names import hint
from headcount_engine.conditions.tree import Bucket, Compare, HasBeen, HasConsent, Op, Rank
from headcount_engine.errors import InvalidRule
from headcount_engine.indexes.predicates import Present, Range
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.schema import changed_attribute, consent_attribute, topics_of
from headcount_engine.model.values import NUMERIC, TEMPORAL, Bool

if TYPE_CHECKING:
    from headcount_engine.conditions.bind import Binder


def bind_known(binder: Binder) -> Bound:
    """Has at least one declared identifier."""
    tests: tuple[Bound, ...] = tuple(ColumnTest(a, Present()) for a in binder.view.identifiers())
    return Or(tests) if tests else Given(bitmaps.EMPTY)


def bind_consent(binder: Binder, node: HasConsent) -> Bound:
    """Opt-in: the last change was subscribe. Opt-out: it was not unsubscribe; no record counts as subscribed."""
    topic = unicodedata.normalize("NFC", node.topic)
    attribute = binder.view.attribute(consent_attribute(topic))
    is_opt_out = topic in binder.moment.opt_out_topics
    if attribute is None:
        if not is_opt_out:
            near = hint(topic, topics_of(binder.view.attribute_names(), binder.moment.opt_out_topics))
            binder.warnings.append(f"nobody has said anything about the topic {topic!r} so far{near}")
        return All() if is_opt_out else Given(bitmaps.EMPTY)
    field = fields.Field(attribute.definition.name, attribute.definition.type, None, 0)
    leaf = Compare(attribute.definition.name, Op.EQ, Bool(not is_opt_out))
    found = fields.bind_field(leaf, field, binder.moment)
    test = ColumnTest(attribute, found.any_of[0])
    return Complement(test) if is_opt_out else test


def bind_has_been(binder: Binder, node: HasBeen) -> Bound:
    """The value is that now, and last changed at least (or less than) so long ago; unknown before tracking began."""
    attribute = binder.attribute(node.attribute)
    definition = attribute.definition
    changed = binder.view.attribute(changed_attribute(definition.name))
    if not definition.is_tracked or changed is None:
        raise InvalidRule(
            f"{node.attribute!r} is not tracked: declare it so to ask how long a value has held"
        )
    value = binder.bind(Compare(node.attribute, Op.EQ, node.operand))
    edge = binder.moment.now_us - node.duration.us
    age = Range(INSTANT_MIN_US, edge) if node.at_least else Range(edge + 1, binder.moment.now_us)
    return And((value, ColumnTest(changed, age)))


def bind_bucket(binder: Binder, node: Bucket) -> Bound:
    """low <= bucket < high over the whole hash, exactly; hi = 1 takes all."""
    low, high = (math.ceil(Fraction(edge) * 2**64) for edge in (node.low, node.high))
    return Sampled(binder.view.sample_buckets(node.salt), low, high)


def bind_rank(binder: Binder, node: Rank) -> Bound:
    """Top or bottom over everyone who has the attribute, or over those of an inner rule who have it."""
    attribute = binder.attribute(node.attribute)
    type_ = attribute.definition.type
    if type_.kind not in NUMERIC | TEMPORAL:
        raise InvalidRule(f"a rank takes numbers, instants and dates; {node.attribute!r} is {type_}")
    within = None if node.within is None else binder.bind_apart(node.within)
    ranked = Ranked(attribute, node.end, node.amount, node.is_percent, within)
    return AboutProfile(ranked) if binder.is_keyed else ranked
