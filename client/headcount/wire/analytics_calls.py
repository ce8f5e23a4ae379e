"""Calls about many members at once: overlaps, breakdowns, statistics, what members have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from headcount import analytics
from headcount.analytics import By, Group
from headcount.v1 import audience_service_pb2 as audiences
from headcount.v1 import rule_pb2, window_pb2
from headcount.v1 import segment_service_pb2 as segments
from headcount.values import Cell
from headcount.wire import decode, encode
from headcount.wire.calls import Asked, Unary, unary
from headcount.wire.encode import RuleLike

_UNITS = {
    "day": window_pb2.CALENDAR_UNIT_DAY,
    "week": window_pb2.CALENDAR_UNIT_WEEK,
    "month": window_pb2.CALENDAR_UNIT_MONTH,
    "quarter": window_pb2.CALENDAR_UNIT_QUARTER,
    "year": window_pb2.CALENDAR_UNIT_YEAR,
}


def overlap(
    segment_ids: Sequence[str], rules: Iterable[RuleLike], at: dt.datetime | None, asked: Asked
) -> Unary[analytics.Overlap]:
    texts = [str(rule) for rule in rules]
    request = audiences.GetOverlapRequest(
        rules=[
            *(rule_pb2.Rule(segment=encode.segment_name(segment)) for segment in segment_ids),
            *(encode.rule(text) for text in texts),
        ],
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def read(answer: audiences.Overlap) -> analytics.Overlap:
        return analytics.Overlap(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            total=answer.total,
            labels=(*segment_ids, *texts),
            rules=tuple(answer.rule_texts),
            matrix=_rows(answer.intersections, answer.rule_count),
            warnings=decode.warnings(answer.warnings),
        )

    return unary("AudienceService", "GetOverlap", request, audiences.Overlap, read)


def _rows(cells: Sequence[int], count: int) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(cells[i * count : (i + 1) * count]) for i in range(count))


def breakdown(
    rule: RuleLike, by: Sequence[str | By], at: dt.datetime | None, asked: Asked
) -> Unary[analytics.Breakdowns]:
    ways = [analytics.by_attribute(one) if isinstance(one, str) else one for one in by]
    request = audiences.GetBreakdownRequest(
        rule=encode.rule(rule),
        breakdowns=map(_by, ways),
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def read(answer: audiences.GetBreakdownResponse) -> analytics.Breakdowns:
        return analytics.Breakdowns(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            size=answer.size,
            total=answer.total,
            breakdowns=_breakdowns(ways, answer.breakdowns, answer.size, answer.total),
            warnings=decode.warnings(answer.warnings),
        )

    return unary("AudienceService", "GetBreakdown", request, audiences.GetBreakdownResponse, read)


def statistics(
    segment_id: str,
    by: Sequence[str | By],
    overlap_with: Iterable[str],
    start: dt.datetime | None,
    end: dt.datetime | None,
    interval: dt.timedelta | None,
    asked: Asked,
) -> Unary[analytics.SegmentStatistics]:
    ways = [analytics.by_attribute(one) if isinstance(one, str) else one for one in by]
    request = segments.GetStatisticsRequest(
        name=encode.segment_name(segment_id),
        start_time=encode.optional_timestamp(start, "start"),
        end_time=encode.optional_timestamp(end, "end"),
        interval=None if interval is None else encode.duration(interval, "interval"),
        breakdowns=map(_by, ways),
        overlap_with=[encode.segment_name(other) for other in overlap_with],
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def read(answer: segments.SegmentStatistics) -> analytics.SegmentStatistics:
        return analytics.SegmentStatistics(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            size=answer.size,
            total=answer.total,
            history=tuple(
                analytics.HistoryPoint(decode.instant(p.start_time), p.size, p.joined, p.left)
                for p in answer.history
            ),
            breakdowns=_breakdowns(ways, answer.breakdowns, answer.size, answer.total),
            overlaps=tuple(
                analytics.Beside(decode.segment_id(o.segment), o.size, o.intersection)
                for o in answer.overlaps
            ),
        )

    return unary("SegmentService", "GetStatistics", request, segments.SegmentStatistics, read)


def affinity(
    rule: RuleLike,
    limit: int,
    min_support: float | None,
    min_lift: float | None,
    look_alikes: int,
    at: dt.datetime | None,
    asked: Asked,
) -> Unary[analytics.Affinity]:
    request = audiences.GetAffinityRequest(
        rule=encode.rule(rule),
        limit=encode.whole(limit, "limit"),
        min_support=min_support,
        min_lift=min_lift,
        look_alike_count=encode.whole(look_alikes, "look_alikes"),
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def read(answer: audiences.Affinity) -> analytics.Affinity:
        size, total = answer.size, answer.total
        return analytics.Affinity(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            size=size,
            total=total,
            traits=tuple(
                analytics.Trait(
                    t.rule_text,
                    t.count,
                    t.total_count,
                    t.count / size,
                    t.count * total / (size * t.total_count),
                    t.weight,
                )
                for t in answer.traits
            ),
            look_alikes=tuple((alike.key, alike.score) for alike in answer.look_alikes),
            warnings=decode.warnings(answer.warnings),
        )

    return unary("AudienceService", "GetAffinity", request, audiences.Affinity, read)


# ------------------------------------------------------------------------------------------------ parts of them


def _by(by: By) -> segments.BreakdownBy:
    made = segments.BreakdownBy(limit=encode.whole(by.limit, "limit"), bins=_bins(by))
    match by.kind:
        case "attribute":
            made.attribute = encode.text(by.name, "attribute")
        case "event_name":
            made.event_name = encode.text(by.name, "event")
        case "tags":
            made.tags = True
        case "channels":
            made.channels = True
        case "segments":
            made.segments = True
        case "events":
            made.events = True
    return made


def _bins(by: By) -> segments.BreakdownBins | None:
    if by.equal_width is not None:
        return segments.BreakdownBins(equal_width=encode.whole(by.equal_width, "equal_width"))
    if by.quantiles is not None:
        return segments.BreakdownBins(quantiles=encode.whole(by.quantiles, "quantiles"))
    if by.edges is not None:
        edges = [encode.cell(edge, f"edges[{i}]") for i, edge in enumerate(by.edges)]
        return segments.BreakdownBins(edges=segments.BreakdownEdges(values=edges))
    if by.step is not None:
        unit = _UNITS.get(by.step)
        if unit is None:
            raise encode.refused("step", f"one of {', '.join(_UNITS)}")
        return segments.BreakdownBins(steps=segments.BreakdownSteps(unit=unit, zone=by.zone))
    return segments.BreakdownBins(each_value=True) if by.each_value else None


def _breakdowns(
    asked: Sequence[By], found: Iterable[segments.Breakdown], size: int, total: int
) -> tuple[analytics.Breakdown, ...]:
    def group(one: segments.BreakdownGroup) -> Group:
        value = decode.cell(one.value) if one.HasField("value") else None
        upper = decode.cell(one.upper_value) if one.HasField("upper_value") else None
        return _group(value, upper, one.is_range, one.count, one.total_count, size, total)

    return tuple(
        analytics.Breakdown(
            by,
            tuple(map(group, one.groups)),
            _group(None, None, False, one.other_count, one.total_other_count, size, total),
            _group(None, None, False, one.absent_count, one.total_absent_count, size, total),
        )
        for by, one in zip(asked, found, strict=False)
    )


def _group(
    value: Cell,
    upper: Cell,
    is_range: bool,
    count: int,
    total_count: int,
    size: int,
    total: int,
) -> Group:
    share = count / size if size else None
    lift = count * total / (size * total_count) if size and total_count else None
    return Group(value, upper, is_range, count, total_count, share, lift)
