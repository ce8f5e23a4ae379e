"""Overlaps, breakdowns, traits and statistics over real gRPC."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.json_format import ParseDict

from headcount.v1 import audience_service_pb2 as audience
from headcount.v1 import segment_service_pb2 as segments
from headcount.v1 import value_pb2
from headcount.v1.rule_pb2 import Rule
from tests.service.calling import TIMEOUT_S, Stubs, failed

CODE = grpc.StatusCode
PRO, BUYERS = Rule(text='plan = "pro"'), Rule(text="did purchase")


def create(stubs: Stubs, id_: str, rule: Rule) -> None:
    request = segments.CreateSegmentRequest(segment_id=id_, segment=segments.Segment(rule=rule))
    stubs.segments.CreateSegment(request, timeout=TIMEOUT_S)


def broken_down(stubs: Stubs, rule: Rule, by: dict[str, object]) -> segments.Breakdown:
    asked = ParseDict(by, segments.BreakdownBy())
    answer = stubs.audiences.GetBreakdown(audience.GetBreakdownRequest(rule=rule, breakdowns=[asked]))
    assert answer.breakdowns[0].by.WhichOneof("kind") == asked.WhichOneof("kind")
    assert answer.breakdowns[0].by.bins == asked.bins
    return answer.breakdowns[0]


def shown(found: segments.Breakdown) -> list[tuple[object, object, int, int]]:
    """(value, upper end, members, everyone) of each group."""
    return [(plain(g.value), plain(g.upper_value), g.count, g.total_count) for g in found.groups]


def plain(value: value_pb2.Value) -> object:
    kind = value.WhichOneof("kind")
    if kind in ("date_value", "instant_value"):
        return str(getattr(value, kind).year if kind == "date_value" else value.instant_value.ToJsonString())
    return getattr(value, kind) if kind else None


def test_an_overlap_gives_the_whole_matrix_and_the_rules_behind_it(people: Stubs) -> None:
    create(people, "buyers", BUYERS)
    rules = [PRO, Rule(segment="segments/buyers"), Rule(text="age   >= 30")]
    found = people.audiences.GetOverlap(audience.GetOverlapRequest(rules=rules))
    assert (found.total, found.rule_count) == (30, 3)
    assert list(found.intersections) == [10, 5, 3, 5, 15, 5, 3, 5, 10]
    assert list(found.rule_texts) == ['plan = "pro"', 'in segment "buyers"', "age >= 30"]
    assert found.version and found.HasField("now")
    cell = Rule(text=f"({found.rule_texts[0]}) and ({found.rule_texts[1]})")
    assert people.audiences.CountAudience(audience.CountAudienceRequest(rule=cell)).count == 5


def test_an_overlap_that_cannot_be_is_refused_with_its_field(people: Stubs) -> None:
    call = people.audiences.GetOverlap
    unknown = failed(call, audience.GetOverlapRequest(rules=[PRO, Rule(text="colour = 1")]))
    assert (unknown.code, unknown.reason) == (CODE.INVALID_ARGUMENT, "UNKNOWN_NAME")
    assert unknown.fields == ("rules[1]",)
    many = failed(call, audience.GetOverlapRequest(rules=[PRO] * 1_001))
    assert (many.code, many.fields) == (CODE.INVALID_ARGUMENT, ("rules",))
    assert failed(call, audience.GetOverlapRequest()).fields == ("rules",)


def test_members_are_broken_down_by_what_was_asked_in_that_order(people: Stubs) -> None:
    by = [{"attribute": "plan"}, {"event_name": "purchase"}, {"tags": True}, {"events": True}]
    request = ParseDict({"breakdowns": by}, audience.GetBreakdownRequest(rule=BUYERS))
    answer = people.audiences.GetBreakdown(request)
    assert (answer.size, answer.total) == (15, 30)
    plans, times, tags, events = answer.breakdowns
    assert shown(plans) == [("free", None, 5, 10), ("pro", None, 5, 10), ("team", None, 5, 10)]
    assert shown(times) == [(1, None, 15, 15)]
    assert (times.total_other_count, times.absent_count) == (15, 0)
    assert shown(tags) == [("vip", None, 3, 6)]
    assert (tags.absent_count, tags.total_absent_count) == (12, 24)
    assert shown(events) == [("purchase", None, 15, 15)]


@pytest.mark.parametrize(
    ("bins", "groups"),
    [
        ({"equalWidth": 2}, [(10, 24, 7, 14), (24, 38, 7, 14), (38, None, 0, 0)][:2]),
        ({"quantiles": 3}, [(10, 20, 5, 10), (20, 30, 5, 10), (30, 39, 5, 9)]),
        (
            {"edges": {"values": [{"intValue": "20"}, {"floatValue": 30.5}]}},
            [(None, 20, 5, 10), (20, 30.5, 6, 11), (30.5, None, 4, 9)],
        ),
        ({"eachValue": True}, [(10, None, 1, 1), (12, None, 1, 1)]),
    ],
)
def test_numbers_come_in_the_ranges_asked_for(
    people: Stubs, bins: dict[str, object], groups: list[tuple[object, ...]]
) -> None:
    found = broken_down(people, BUYERS, {"attribute": "age", "bins": bins, "limit": 2})
    if "equalWidth" in bins:
        # The greatest age of a buyer is 38, of anyone 39.
        groups = [(10, 25, 8, 15), (25, 40, 7, 15)]
    assert shown(found) == groups
    assert all(group.is_range == ("eachValue" not in bins) for group in found.groups)


@pytest.mark.parametrize(
    ("by", "field"),
    [
        ({}, "breakdowns[0]"),
        ({"tags": False}, "breakdowns[0].tags"),
        ({"eventName": ""}, "breakdowns[0].event_name"),
        ({"tags": True, "bins": {"quantiles": 2}}, "breakdowns[0].bins"),
        ({"attribute": "age", "bins": {}}, "breakdowns[0].bins"),
        ({"attribute": "age", "bins": {"steps": {}}}, "breakdowns[0].bins.steps.unit"),
        ({"attribute": "age", "bins": {"eachValue": False}}, "breakdowns[0].bins.each_value"),
        ({"attribute": "age", "bins": {"edges": {"values": [{}]}}}, "breakdowns[0].bins.edges.values[0]"),
        (
            {"attribute": "age", "bins": {"edges": {"values": [{"nullValue": None}]}}},
            "breakdowns[0].bins.edges.values[0]",
        ),
        ({"attribute": "age", "bins": {"equalWidth": 0}}, "bins"),
        ({"attribute": "age", "limit": 10_001}, "limit"),
    ],
)
def test_a_breakdown_that_cannot_be_is_refused_with_its_field(
    people: Stubs, by: dict[str, object], field: str
) -> None:
    request = audience.GetBreakdownRequest(rule=PRO)
    if by.get("bins") == {}:
        request.breakdowns.add(attribute="age").bins.SetInParent()
    elif "edges" in str(by) and "nullValue" in str(by):
        edges = request.breakdowns.add(attribute="age").bins.edges
        edges.values.add(null_value=0)
    else:
        ParseDict({"breakdowns": [by]}, request)
        if by.get("tags") is False:
            request.breakdowns[0].tags = False
    refused = failed(people.audiences.GetBreakdown, request)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))


def test_an_unknown_attribute_of_a_breakdown_is_named(people: Stubs) -> None:
    request = audience.GetBreakdownRequest(rule=PRO, breakdowns=[segments.BreakdownBy(attribute="agee")])
    refused = failed(people.audiences.GetBreakdown, request)
    assert (refused.code, refused.reason) == (CODE.INVALID_ARGUMENT, "UNKNOWN_NAME")
    assert "agee" in refused.message
    assert refused.fields == ("breakdowns[0].attribute",)


@pytest.mark.parametrize("others", [[], ["segments/buyers"]])
def test_an_unknown_attribute_is_blamed_on_the_breakdown_whatever_else_was_asked(
    people: Stubs, others: list[str]
) -> None:
    # Beside no other segment this was an internal error; beside one it was blamed on a rule that was not sent.
    create(people, "pros", PRO)
    create(people, "buyers", BUYERS)
    request = segments.GetStatisticsRequest(
        name="segments/pros",
        breakdowns=[segments.BreakdownBy(attribute="plan"), segments.BreakdownBy(attribute="agee")],
        overlap_with=others,
    )
    refused = failed(people.segments.GetStatistics, request)
    assert (refused.code, refused.reason) == (CODE.INVALID_ARGUMENT, "UNKNOWN_NAME")
    assert refused.fields == ("breakdowns[1].attribute",)


@pytest.mark.parametrize("event", ["purchaze", "purchase where amont > 3"])
def test_an_event_that_nobody_did_is_noted_beside_the_zeros(people: Stubs, event: str) -> None:
    # A misspelt event counted everybody as never having done it, and nobody was told.
    by = segments.BreakdownBy(event_name=event)
    found = people.audiences.GetBreakdown(audience.GetBreakdownRequest(rule=PRO, breakdowns=[by]))
    assert shown(found.breakdowns[0]) == [(0, None, 10, 30)]
    assert next(w.message for w in found.warnings).startswith(f"nobody has done {event!r} so far")
    create(people, "pros", PRO)
    request = segments.GetStatisticsRequest(name="segments/pros", breakdowns=[by])
    assert len(people.segments.GetStatistics(request).warnings) == 1


def test_a_channel_and_a_tag_that_nobody_has_are_noted(people: Stubs) -> None:
    made = people.audiences.CreateAudience(
        audience.CreateAudienceRequest(includes=[Rule(text='tag "vip"')], channel="nope", validate_only=True)
    )
    assert [w.message for w in made.warnings] == ["nobody has the channel 'nope' so far"]
    counted = people.audiences.CountAudience(audience.CountAudienceRequest(rule=Rule(text='tag "vib"')))
    assert [w.message for w in counted.warnings] == ["nobody has the tag 'vib' so far; nearest: 'vip'"]


def test_statistics_give_the_first_members_that_are_asked_for(people: Stubs) -> None:
    create(people, "pros", PRO)
    ask = segments.GetStatisticsRequest
    assert not people.segments.GetStatistics(ask(name="segments/pros")).members
    found = people.segments.GetStatistics(
        ask(name="segments/pros", member_count=3, member_attributes=["age"])
    )
    preview = people.audiences.PreviewAudience(
        audience.PreviewAudienceRequest(rule=Rule(segment="segments/pros"), page_size=3, attributes=["age"])
    )
    assert list(found.members) == list(preview.profiles)
    assert [dict(m.attributes).keys() for m in found.members] == [{"age"}] * 3
    everything = people.segments.GetStatistics(ask(name="segments/pros", member_count=1_000))
    assert len(everything.members) == 10 and {"age", "plan"} <= set(everything.members[0].attributes)
    for wrong, field in (
        ({"member_count": -1}, "member_count"),
        ({"member_count": 1_001}, "preview_rows"),
        ({"member_count": 1, "member_attributes": ["age", "agee"]}, "member_attributes[1]"),
    ):
        refused = failed(people.segments.GetStatistics, ask(name="segments/pros", **wrong))
        assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))


@pytest.mark.parametrize("minutes", [1, 7, 45, 59, 60, 90, 120, 1_440, 10_080])
def test_a_history_can_be_had_at_any_step_without_saying_from_when(people: Stubs, minutes: int) -> None:
    # A step of a minute always failed: thirty days have more than ten thousand of them.
    create(people, "pros", PRO)
    request = segments.GetStatisticsRequest(name="segments/pros")
    request.interval.FromSeconds(60 * minutes)
    found = people.segments.GetStatistics(request)
    days = (found.now.ToSeconds() - found.history[0].start_time.ToSeconds()) / 86_400
    assert found.history[-1].size == found.size == 10
    assert 29 <= days <= 37 if minutes % 60 == 0 else 1.9 <= days <= 2


def test_traits_and_look_alikes_come_with_exact_counts(people: Stubs) -> None:
    request = audience.GetAffinityRequest(rule=Rule(text="age <= 14"), min_support=0.1, look_alike_count=3)
    found = people.audiences.GetAffinity(request)
    assert (found.size, found.total) == (5, 30)
    rules = {trait.rule_text: (trait.count, trait.total_count) for trait in found.traits}
    assert rules["age < 16"] == (5, 6)
    for trait in found.traits:
        rule = Rule(text=trait.rule_text)
        counted = people.audiences.CountAudience(audience.CountAudienceRequest(rule=rule))
        assert counted.count == trait.total_count
    assert found.look_alikes[0].key == "p5"
    scores = [alike.score for alike in found.look_alikes]
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)
    request = audience.GetAffinityRequest(rule=PRO, min_lift=0.5)
    assert failed(people.audiences.GetAffinity, request).fields == ("lift_min",)


def test_the_statistics_of_a_segment_are_there_right_after_saving(people: Stubs) -> None:
    create(people, "pros", PRO)
    create(people, "buyers", BUYERS)
    request = segments.GetStatisticsRequest(
        name="segments/pros",
        breakdowns=[segments.BreakdownBy(attribute="plan"), segments.BreakdownBy(segments=True)],
        overlap_with=["segments/buyers", "segments/pros"],
    )
    found = people.segments.GetStatistics(request)
    assert (found.size, found.total) == (10, 30)
    assert shown(found.breakdowns[0]) == [("pro", None, 10, 10)]
    assert shown(found.breakdowns[1]) == [("pros", None, 10, 10), ("buyers", None, 5, 15)]
    assert [(o.segment, o.size, o.intersection) for o in found.overlaps] == [
        ("segments/buyers", 15, 5), ("segments/pros", 10, 10),
    ]  # fmt: skip
    gone = failed(people.segments.GetStatistics, segments.GetStatisticsRequest(name="segments/gone"))
    assert gone.code is CODE.NOT_FOUND
    request.overlap_with[1] = "segments/gone"
    refused = failed(people.segments.GetStatistics, request)
    assert refused.fields == ("overlap_with[1]",)


def test_comparisons_count_everyone_of_a_group_and_nodes_say_when_time_changes_them(people: Stubs) -> None:
    compared = people.audiences.CompareRules(
        audience.CompareRulesRequest(
            before=PRO, after=BUYERS, breakdowns=[segments.BreakdownBy(attribute="plan")]
        )
    )
    for side in (compared.joined_breakdowns[0], compared.left_breakdowns[0]):
        assert [group.total_count for group in side.groups] == [10] * len(side.groups)
    explained = people.audiences.ExplainMembership(
        audience.ExplainMembershipRequest(
            key="p0", rule=Rule(text="age = 10 and did purchase in last 7 days and did purchase")
        )
    )
    changing = {
        n.text: n.next_change_time.ToJsonString() for n in explained.nodes if n.HasField("next_change_time")
    }
    assert changing.pop("did purchase in last 7 days") == "2024-06-21T12:00:00Z"
    assert list(changing.values()) == ["2024-06-21T12:00:00Z"]
