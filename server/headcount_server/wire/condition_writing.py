"""Conditions as messages: one message a node, children on the node itself.

The recursion is bounded by `Limits.rule_depth`, which holds for every tree that the engine takes.
"""

from __future__ import annotations

from typing import assert_never

from headcount.v1.condition_pb2 import Condition as Wire
from headcount.v1.condition_pb2 import EventPattern
from headcount.v1.condition_pb2 import ValueTest as WireTest
from headcount_engine.conditions import tree as t
from headcount_engine.conditions.tree import Condition
from headcount_engine.conditions.windows import CalendarUnit, Duration
from headcount_server.wire import choices
from headcount_server.wire.condition_parts import (
    count_range_message,
    decimal_text,
    duration_message,
    fits_i64,
    fits_u64,
    literal_message,
    literal_messages,
    number_message,
    optional_window_message,
    point_message,
    window_message,
)


def condition_message(node: Condition) -> Wire:
    """The message of a tree within the limits; raises InvalidRule for a count beyond 64 bits, which text can hold."""
    match node:
        case t.Everyone():
            return Wire(everyone=Wire.Everyone())
        case t.Not() | t.AllOf() | t.AnyOf() | t.NoneOf() | t.AtLeast() | t.Exactly() | t.Same():
            made = _group(node)
            made.children.extend(condition_message(child) for child in t.children(node))
            return made
        case (
            t.Compare() | t.In() | t.Between() | t.Exists() | t.IsEmpty() | t.TextMatch() | t.Semver() | t.SetMatch()
            | t.SizeCompare() | t.InWindow() | t.Anniversary() | t.HasBeen() | t.WithinRadius() | t.WithinBox()
        ):  # fmt: skip
            return _attribute_leaf(node)
        case (
            t.HasTag() | t.HasChannel() | t.HasConsent() | t.Known() | t.KeyIn() | t.InSegment() | t.Bucket() | t.Rank()
        ):  # fmt: skip
            return _profile_leaf(node)
        case (
            t.Did() | t.Aggregate() | t.ActiveDays() | t.Frequency() | t.FirstTime() | t.LastPerformed() | t.Sequence()
        ):  # fmt: skip
            return _event_leaf(node)
        case _:
            assert_never(node)


def _group(node: t.Group) -> Wire:
    """The group without its children."""
    match node:
        case t.Not():
            return Wire(not_of=Wire.Not())
        case t.AllOf():
            return Wire(all_of=Wire.AllOf())
        case t.AnyOf():
            return Wire(any_of=Wire.AnyOf())
        case t.NoneOf():
            return Wire(none_of=Wire.NoneOf())
        case t.AtLeast(k):
            return Wire(at_least=Wire.AtLeast(k=k))
        case t.Exactly(k):
            return Wire(exactly=Wire.Exactly(k=k))
        case t.Same(name):
            return Wire(same=Wire.Same(property=name))
        case _:
            assert_never(node)


def _attribute_leaf(node: t.AttributeLeaf) -> Wire:
    match node:
        case t.Compare(name, op, operand, fold, when_present):
            compare = Wire.Compare(
                attribute=name, op=choices.OPS.name(op), operand=literal_message(operand),
                fold=choices.FOLDS.name(fold), when_present=when_present,
            )  # fmt: skip
            return Wire(compare=compare)
        case t.In(name, operands, negated, fold, when_present):
            value_in = Wire.In(
                attribute=name, operands=literal_messages(operands), negated=negated,
                fold=choices.FOLDS.name(fold), when_present=when_present,
            )  # fmt: skip
            return Wire(value_in=value_in)
        case t.Between(name, low, high):
            between = Wire.Between(attribute=name, low=literal_message(low), high=literal_message(high))
            return Wire(between=between)
        case t.Exists(name):
            return Wire(exists=Wire.Exists(attribute=name))
        case t.IsEmpty(name):
            return Wire(is_empty=Wire.IsEmpty(attribute=name))
        case t.TextMatch(name, text_op, pattern, fold):
            text_match = Wire.TextMatch(
                attribute=name, op=choices.TEXT_OPS.name(text_op), pattern=pattern, fold=choices.FOLDS.name(fold)
            )  # fmt: skip
            return Wire(text_match=text_match)
        case t.Semver(name, op, version):
            return Wire(semver=Wire.Semver(attribute=name, op=choices.OPS.name(op), version=version))
        case t.SetMatch(name, set_op, values):
            return Wire(
                set_match=Wire.SetMatch(attribute=name, op=choices.SET_OPS.name(set_op), values=values)
            )
        case t.SizeCompare(name, op, size):
            size_compare = Wire.SizeCompare(attribute=name, op=choices.OPS.name(op), size=fits_i64(size))
            return Wire(size_compare=size_compare)
        case t.InWindow(name, window):
            return Wire(in_window=Wire.InWindow(attribute=name, window=window_message(window)))
        case t.Anniversary(name, days, zone):
            return Wire(anniversary=Wire.Anniversary(attribute=name, in_next_days=days, zone=zone))
        case t.HasBeen(name, operand, at_least, duration):
            has_been = Wire.HasBeen(
                attribute=name, operand=literal_message(operand), at_least=at_least, duration=duration_message(duration)
            )  # fmt: skip
            return Wire(has_been=has_been)
        case t.WithinRadius(name, center, radius):
            within = Wire.WithinRadius(
                attribute=name, center=point_message(center), radius_m=number_message(radius)
            )
            return Wire(within_radius=within)
        case t.WithinBox(name, south_west, north_east):
            box = Wire.WithinBox(
                attribute=name, south_west=point_message(south_west), north_east=point_message(north_east)
            )
            return Wire(within_box=box)
        case _:
            assert_never(node)


def _profile_leaf(node: t.ProfileLeaf) -> Wire:
    match node:
        case t.HasTag(tag):
            return Wire(has_tag=Wire.HasTag(tag=tag))
        case t.HasChannel(channel):
            return Wire(has_channel=Wire.HasChannel(channel=channel))
        case t.HasConsent(topic):
            return Wire(has_consent=Wire.HasConsent(topic=topic))
        case t.Known():
            return Wire(known=Wire.Known())
        case t.KeyIn(keys):
            return Wire(key_in=Wire.KeyIn(keys=keys))
        case t.InSegment(segment):
            return Wire(in_segment=Wire.InSegment(segment=segment))
        case t.Bucket(low, high, salt):
            return Wire(bucket=Wire.Bucket(low=decimal_text(low), high=decimal_text(high), salt=salt))
        case t.Rank(end, amount, is_percent, name, within):
            rank = Wire.Rank(
                end=choices.ENDS.name(end), amount=decimal_text(amount), is_percent=is_percent, attribute=name
            )
            return Wire(rank=rank, children=[] if within is None else [condition_message(within)])
        case _:
            assert_never(node)


def _event_leaf(node: t.EventLeaf) -> Wire:
    match node:
        case t.Did(events, count, window):
            did = Wire.Did(
                events=_pattern(events), count=count_range_message(count), window=optional_window_message(window)
            )  # fmt: skip
            return Wire(did=did)
        case t.Aggregate(function, events, name, test, window):
            aggregate = Wire.Aggregate(
                function=choices.FUNCTIONS.name(function), events=_pattern(events), property=name, test=_test(test),
                window=optional_window_message(window),
            )  # fmt: skip
            return Wire(aggregate=aggregate)
        case t.ActiveDays(events, count, window, zone):
            days = Wire.ActiveDays(
                events=_pattern(events), count=count_range_message(count), window=optional_window_message(window),
                zone=zone,
            )  # fmt: skip
            return Wire(active_days=days)
        case t.Frequency():
            return Wire(frequency=_frequency(node))
        case t.FirstTime(events, first_window):
            first = Wire.FirstTime(events=_pattern(events), window=window_message(first_window))
            return Wire(first_time=first)
        case t.LastPerformed(events, has):
            last = Wire.LastPerformed(events=_pattern(events), has=condition_message(has))
            return Wire(last_performed=last)
        case t.Sequence(first_events, then, within, negated, matured, window):
            sequence = Wire.Sequence(
                first=_pattern(first_events), then=_pattern(then), within=duration_message(within), negated=negated,
                matured=matured, window=optional_window_message(window),
            )  # fmt: skip
            return Wire(sequence=sequence)
        case _:
            assert_never(node)


def _frequency(node: t.Frequency) -> Wire.Frequency:
    made = Wire.Frequency(
        events=_pattern(node.events), count=count_range_message(node.count), at_least=fits_u64(node.at_least),
        of_last=node.of_last, zone=node.zone,
    )  # fmt: skip
    match node.period:
        case Duration():
            made.span.CopyFrom(duration_message(node.period))
        case CalendarUnit():
            made.MergeFrom(Wire.Frequency(calendar_unit=choices.CALENDAR_UNITS.name(node.period)))
        case _:
            assert_never(node.period)
    return made


def _pattern(events: t.Events) -> EventPattern:
    return EventPattern(
        name_kind=choices.NAME_KINDS.name(events.name.kind),
        name=events.name.text,
        where=None if events.where is None else condition_message(events.where),
    )


def _test(test: t.ValueTest) -> WireTest:
    match test:
        case t.CompareTest(op, operand):
            compare = WireTest.Compare(op=choices.OPS.name(op), operand=literal_message(operand))
            return WireTest(compare=compare)
        case t.BetweenTest(low, high):
            return WireTest(between=WireTest.Between(low=literal_message(low), high=literal_message(high)))
        case t.InTest(operands, negated):
            return WireTest(value_in=WireTest.In(operands=literal_messages(operands), negated=negated))
        case _:
            assert_never(test)
