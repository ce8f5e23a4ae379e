"""Overlaps, breakdowns and traits, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from headcount_engine.audiences.affinity import Looking
from headcount_engine.audiences.preview import Shown
from headcount_engine.errors import InvalidArgument
from headcount_engine.model.analytics import (
    GROUPS_DEFAULT,
    AffinityAnswer,
    Belonging,
    Bins,
    Breakdown,
    BreakdownAnswer,
    By,
    ByAttribute,
    ByBelonging,
    ByEventCount,
    CalendarSteps,
    EachValue,
    Edges,
    EqualWidth,
    OverlapAnswer,
    Quantiles,
    Step,
)
from headcount_engine.model.values import Cell
from headcount_server.wire import messages
from headcount_server.wire.fields import checked_count, stamp
from headcount_server.wire.profiles import profile_message
from headcount_server.wire.rules import Asked, put_warnings, rule_of, segment_id
from headcount_server.wire.values import cell_of, put_value

BREAKDOWNS_MAX: Final = 20
OVERLAPS_MAX: Final = 1_000
_DEFAULT = Looking()
_UNIT = messages.CalendarUnit
_STEPS: Final = {
    _UNIT.CALENDAR_UNIT_DAY: Step.DAY,
    _UNIT.CALENDAR_UNIT_WEEK: Step.WEEK,
    _UNIT.CALENDAR_UNIT_MONTH: Step.MONTH,
    _UNIT.CALENDAR_UNIT_QUARTER: Step.QUARTER,
    _UNIT.CALENDAR_UNIT_YEAR: Step.YEAR,
}
_UNITS: Final = {step: unit for unit, step in _STEPS.items()}


# ------------------------------------------------------------------------------------------------ overlaps


def overlap_rules(request: messages.GetOverlapRequest) -> list[Asked]:
    if not request.rules:
        raise InvalidArgument("at least one rule", path="rules")
    checked_count(len(request.rules), OVERLAPS_MAX, "rules")
    return [Asked(rule_of(rule, f"rules[{i}]"), f"rules[{i}]") for i, rule in enumerate(request.rules)]


def overlap_answer(answer: OverlapAnswer) -> messages.Overlap:
    made = messages.Overlap(
        total=answer.total,
        rule_count=len(answer.rules),
        intersections=answer.intersections.reshape(-1).tolist(),
        rule_texts=answer.rules,
        warnings=put_warnings(answer.warnings),
    )
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


# -------------------------------------------------------------------------------------------- what to divide by


def asked_by(breakdowns: Iterable[messages.BreakdownBy]) -> list[By]:
    """What to break an audience down by; raises InvalidArgument with the path of the one at fault."""
    asked = list(breakdowns)
    checked_count(len(asked), BREAKDOWNS_MAX, "breakdowns")
    return [_by(by, f"breakdowns[{i}]") for i, by in enumerate(asked)]


def _by(by: messages.BreakdownBy, path: str) -> By:
    kind, limit = by.WhichOneof("kind"), by.limit or GROUPS_DEFAULT
    bins = _bins(by.bins, f"{path}.bins") if by.HasField("bins") else None
    match kind:
        case "attribute":
            return ByAttribute(by.attribute, bins, limit)
        case "event_name":
            if not by.event_name:
                raise InvalidArgument("an event has a name", path=f"{path}.event_name")
            return ByEventCount(by.event_name, bins, limit)
        case None:
            raise InvalidArgument("a breakdown needs one of its kinds", path=path)
        case _:
            pass
    if bins is not None:
        raise InvalidArgument("ranges go with an attribute or an event name", path=f"{path}.bins")
    if not getattr(by, kind):
        raise InvalidArgument("true, or another kind of breakdown", path=f"{path}.{kind}")
    return ByBelonging(Belonging(kind), limit)


def _bins(bins: messages.BreakdownBins, path: str) -> Bins:
    match bins.WhichOneof("kind"):
        case "equal_width":
            return EqualWidth(bins.equal_width)
        case "quantiles":
            return Quantiles(bins.quantiles)
        case "edges":
            return Edges(
                tuple(_edge(v, f"{path}.edges.values[{i}]") for i, v in enumerate(bins.edges.values))
            )
        case "steps":
            step = _STEPS.get(bins.steps.unit)
            if step is None:
                raise InvalidArgument(
                    "one of the values of CalendarUnit is needed", path=f"{path}.steps.unit"
                )
            return CalendarSteps(step, bins.steps.zone or None)
        case "each_value":
            if not bins.each_value:
                raise InvalidArgument("true, or another kind of range", path=f"{path}.each_value")
            return EachValue()
        case _:
            raise InvalidArgument("ranges need one of their kinds", path=path)


def _edge(value: messages.Value, path: str) -> Cell:
    cell = cell_of(value, path)
    if cell is None:
        raise InvalidArgument("an edge is a value", path=path)
    return cell


def _put_by(into: messages.BreakdownBy, by: By) -> None:
    into.limit = by.limit
    match by:
        case ByAttribute(name, bins):
            into.attribute = name
        case ByEventCount(event, bins):
            into.event_name = event
        case ByBelonging(what):
            setattr(into, what.value, True)
            bins = None
        case _:
            assert_never(by)
    if bins is not None:
        _put_bins(into.bins, bins)


def _put_bins(into: messages.BreakdownBins, bins: Bins) -> None:
    match bins:
        case EqualWidth(count):
            into.equal_width = count
        case Quantiles(count):
            into.quantiles = count
        case Edges(edges):
            into.edges.SetInParent()
            for edge in edges:
                put_value(into.edges.values.add(), edge)
        case CalendarSteps(step, zone):
            into.steps.unit = _UNITS[step]
            into.steps.zone = zone or ""
        case EachValue():
            into.each_value = True
        case _:
            assert_never(bins)


# ------------------------------------------------------------------------------------------------ how they divide


def breakdown_message(found: Breakdown) -> messages.Breakdown:
    made = messages.Breakdown(
        other_count=found.other[0],
        absent_count=found.absent[0],
        total_other_count=found.other[1],
        total_absent_count=found.absent[1],
    )
    _put_by(made.by, found.by)
    for group in found.groups:
        into = made.groups.add(count=group.count, total_count=group.total_count, is_range=group.is_range)
        if group.value is not None:
            put_value(into.value, group.value)
        if group.high is not None:
            put_value(into.upper_value, group.high)
    return made


def breakdown_answer(answer: BreakdownAnswer) -> messages.GetBreakdownResponse:
    made = messages.GetBreakdownResponse(
        size=answer.size,
        total=answer.total,
        breakdowns=map(breakdown_message, answer.breakdowns),
        warnings=put_warnings(answer.warnings),
    )
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def compared_segments(request: messages.GetStatisticsRequest) -> list[str]:
    """Ids of the segments that the one asked about is compared with."""
    checked_count(len(request.overlap_with), OVERLAPS_MAX, "overlap_with")
    return [segment_id(name, f"overlap_with[{i}]") for i, name in enumerate(request.overlap_with)]


def shown_members(request: messages.GetStatisticsRequest) -> Shown:
    """The members to give beside the numbers."""
    if request.member_count < 0:
        raise InvalidArgument("at least 0 members", path="member_count")
    return Shown(request.member_count, tuple(request.member_attributes))


def statistics_answer(
    answer: BreakdownAnswer, overlap_with: Iterable[str], history: Iterable[messages.SizePoint]
) -> messages.SegmentStatistics:
    """`overlap_with`: the resource names as asked."""
    made = messages.SegmentStatistics(
        size=answer.size,
        total=answer.total,
        history=history,
        breakdowns=map(breakdown_message, answer.breakdowns),
        overlaps=[
            messages.SegmentOverlap(segment=name, size=size, intersection=shared)
            for name, (size, shared) in zip(overlap_with, answer.beside, strict=True)
        ],
        warnings=put_warnings(answer.warnings),
        members=[profile_message(profile) for profile in answer.page],
    )
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


# ------------------------------------------------------------------------------------------ what they have in common


def looking(request: messages.GetAffinityRequest) -> Looking:
    return Looking(
        request.limit or _DEFAULT.traits,
        request.min_support if request.HasField("min_support") else _DEFAULT.support_min,
        request.min_lift if request.HasField("min_lift") else _DEFAULT.lift_min,
        request.look_alike_count,
    )


def affinity_answer(answer: AffinityAnswer) -> messages.Affinity:
    made = messages.Affinity(
        size=answer.size,
        total=answer.total,
        traits=[
            messages.Trait(rule_text=t.rule, count=t.count, total_count=t.total_count, weight=t.weight)
            for t in answer.traits
        ],
        look_alikes=[messages.LookAlike(key=a.key, score=a.score) for a in answer.look_alikes],
        warnings=put_warnings(answer.warnings),
    )
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made
