"""What the editor of a rule asks, over real gRPC: sizes of nodes, why and until when, what an edit changes, plans."""

from __future__ import annotations

import threading
import time

import grpc
import pytest

from headcount.v1 import audience_service_pb2 as audience
from headcount.v1 import condition_pb2
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount.v1 import segment_service_pb2 as segments
from headcount.v1.rule_pb2 import Rule
from headcount_engine.conditions.text import parse
from headcount_server.wire.conditions import condition_message
from tests.service.calling import TIMEOUT_S, Stubs, failed

CODE = grpc.StatusCode


def tree(text: str) -> Rule:
    return Rule(condition=condition_message(parse(text)))


def create(stubs: Stubs, id_: str, rule: Rule, **fields: object) -> segments.Segment:
    request = segments.CreateSegmentRequest(
        segment_id=id_, segment=segments.Segment(rule=rule), validate_only=bool(fields.get("validate_only"))
    )
    return stubs.segments.CreateSegment(request, timeout=TIMEOUT_S)


# ------------------------------------------------------------------------------------------------ trees


def test_a_tree_is_taken_wherever_a_rule_is(people: Stubs) -> None:
    rule = tree('age >= 18 and not (plan = "free" or did purchase)')
    text = Rule(text='age >= 18 and not (plan = "free" or did purchase)')
    counted = [
        people.audiences.CountAudience(audience.CountAudienceRequest(rule=r)).count for r in (rule, text)
    ]
    assert counted[0] == counted[1] == 7
    assert create(people, "quiet", rule).rule == text
    checked = people.audiences.CheckMembership(audience.CheckMembershipRequest(key="p11", rules=[rule, text]))
    assert checked.member_bits == b"\3"
    listed = people.profiles.ListProfiles(profiles.ListProfilesRequest(filter=rule))
    assert listed.total_size == 7
    update = segments.UpdateSegmentRequest(
        segment=segments.Segment(name="segments/quiet", rule=tree("age = 10 or age = 11"))
    )
    assert people.segments.UpdateSegment(update).rule.text == "age = 10 or age = 11"


def test_a_tree_that_cannot_be_is_refused_with_the_path_of_its_field(people: Stubs) -> None:
    rule = tree("age >= 18 and age <= 20")
    rule.condition.children[1].compare.op = condition_pb2.COMPARISON_UNSPECIFIED
    refused = failed(people.audiences.CountAudience, audience.CountAudienceRequest(rule=rule))
    assert (refused.code, refused.reason) == (CODE.INVALID_ARGUMENT, "INVALID_RULE")
    assert refused.fields == ("rule.condition.children[1].compare",)
    assert refused.rule is not None
    assert (refused.rule.path, refused.rule.line) == ("1", 0)
    unknown = failed(
        people.audiences.CountAudience, audience.CountAudienceRequest(rule=tree("age > 1 and colour = 1"))
    )
    assert (unknown.reason, unknown.rule and unknown.rule.path) == ("UNKNOWN_NAME", "1")


@pytest.mark.parametrize("depth", [64, 65, 101, 10_000])
def test_a_tree_nested_too_deep_is_refused_as_a_rule_and_not_as_broken_bytes(
    people: Stubs, depth: int
) -> None:
    raw = condition_pb2.Condition(everyone={}).SerializeToString()
    for _ in range(depth):
        raw = b"\x12\x00\xb2\x02" + varint(len(raw)) + raw
    rule = b"\x12" + varint(len(raw)) + raw
    call = people.channel.unary_unary("/headcount.v1.AudienceService/CountAudience")
    refused = failed(call, b"\x0a" + varint(len(rule)) + rule)
    assert (refused.code, refused.reason) == (CODE.INVALID_ARGUMENT, "LIMIT_EXCEEDED")
    assert (refused.metadata["limit"], refused.metadata["bound"]) == ("rule_depth", "64")


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def test_both_forms_of_a_rule_are_one_call_apart(people: Stubs) -> None:
    written = 'AGE>=18 or ( plan in ("free","pro") and never did purchase )'.replace("AGE", "age")
    first = people.audiences.ParseRule(audience.ParseRuleRequest(rule=Rule(text=written)))
    assert first.text == 'age >= 18 or (plan in ("free", "pro") and never did purchase)'
    again = people.audiences.ParseRule(audience.ParseRuleRequest(rule=Rule(condition=first.condition)))
    assert (again.text, again.condition) == (first.text, first.condition)
    assert first.version >= 2 and not first.warnings
    warned = people.audiences.ParseRule(audience.ParseRuleRequest(rule=Rule(text="did purchas")))
    assert "purchase" in warned.warnings[0].message
    for form in ("text", "condition"):
        empty = audience.ParseRuleRequest(rule=Rule(text="age > 5 and age < 3"))
        if form == "condition":
            empty.rule.condition.CopyFrom(people.audiences.ParseRule(empty).condition)
        (warning,) = people.audiences.ParseRule(empty).warnings
        assert warning.message == "this rule can never match: `age > 5` and `age < 3` exclude each other"
    unknown = audience.ParseRuleRequest(rule=Rule(text="colour = 1"))
    assert failed(people.audiences.ParseRule, unknown).reason == "UNKNOWN_NAME"
    unknown.syntax_only = True
    assert people.audiences.ParseRule(unknown).condition.compare.attribute == "colour"
    huge = audience.ParseRuleRequest(rule=Rule(text=f"size(x) > {1 << 70}"), syntax_only=True)
    assert failed(people.audiences.ParseRule, huge).code is CODE.INVALID_ARGUMENT


# ------------------------------------------------------------------------------------------------ places


def test_a_name_that_is_unknown_is_shown_in_the_text(people: Stubs) -> None:
    request = audience.CountAudienceRequest(rule=Rule(text='age > 1 and\n plam = "pro"'))
    refused = failed(people.audiences.CountAudience, request)
    assert refused.rule is not None
    assert (refused.rule.line, refused.rule.column, refused.rule.path) == (2, 2, "1")
    made = segments.CreateSegmentRequest(
        segment_id="s", segment=segments.Segment(rule=Rule(text='age = "old"'))
    )
    refused = failed(people.segments.CreateSegment, made)
    assert refused.rule is not None
    assert (refused.fields, refused.rule.line, refused.rule.column) == (("segment.rule",), 1, 1)


@pytest.mark.parametrize("at_fault", [0, 1, 2, 3, 4])
def test_of_several_rules_the_one_at_fault_is_named(people: Stubs, at_fault: int) -> None:
    create(people, "adults", Rule(text="age >= 18"))
    names = ["segments/adults", "segments/adults"]
    rules = [Rule(text="everyone"), tree("age > 1"), Rule(text="did purchase")]
    field = f"segments[{at_fault}]" if at_fault < 2 else f"rules[{at_fault - 2}]"
    if at_fault < 2:
        names[at_fault] = "segments/nobody"
    else:
        rules[at_fault - 2] = Rule(text="everyone and colour = 1")
    one = audience.CheckMembershipRequest(key="p1", segments=names, rules=rules)
    many = audience.BatchCheckMembershipRequest(keys=["p1", "p2"], segments=names, rules=rules)
    for refused in (
        failed(people.audiences.CheckMembership, one),
        failed(people.audiences.BatchCheckMembership, many),
    ):
        assert (refused.reason, refused.fields) == ("UNKNOWN_NAME", (field,))
        assert refused.rule is not None and refused.rule.column == (14 if at_fault >= 2 else 0)


# ------------------------------------------------------------------------------------------------ sizes


def test_every_node_of_a_rule_has_its_exact_size(people: Stubs) -> None:
    request = audience.CountAudienceRequest(
        rule=Rule(text='age >= 20 and not (plan = "pro" or did purchase)'), include_node_sizes=True
    )
    answer = people.audiences.CountAudience(request)
    assert [(n.path, n.text, n.count) for n in answer.node_sizes] == [
        ("", 'age >= 20 and not (plan = "pro" or did purchase)', 7),
        ("0", "age >= 20", 20),
        ("1", 'not (plan = "pro" or did purchase)', 10),
        ("1.0", 'plan = "pro" or did purchase', 20),
        ("1.0.0", 'plan = "pro"', 10),
        ("1.0.1", "did purchase", 15),
    ]
    assert (answer.count, answer.total) == (7, 30)


# ------------------------------------------------------------------------------------------------ explanations


def explain(stubs: Stubs, key: str, text: str) -> audience.ExplainMembershipResponse:
    request = audience.ExplainMembershipRequest(key=key, rule=Rule(text=text))
    return stubs.audiences.ExplainMembership(request, timeout=TIMEOUT_S)


def test_an_explanation_shows_every_node_what_was_found_and_what_would_change_it(people: Stubs) -> None:
    answer = explain(
        people, "p2", 'age >= 18 and (plan = "team" or did purchase at least 2 times) and not tag "x"'
    )
    assert answer.exists and not answer.is_member
    shown = [(n.path, n.holds, n.found) for n in answer.nodes]
    assert shown[:1] == [("", False, "")]
    assert ("0", False, "12") in shown
    assert ("1", True, "") in shown
    assert ("1.0", True, "team") in shown
    assert ("1.1", False, "1") in shown
    by_path = {n.path: n for n in answer.nodes}
    assert by_path["0"].actual.int_value == 12
    assert by_path["1.0"].actual.text_value == "team"
    assert not by_path["1"].HasField("actual")


def test_the_smallest_set_of_leaves_to_change_is_told(people: Stubs) -> None:
    out = explain(people, "p2", 'age >= 18 and plan = "pro" and did purchase')
    assert list(out.decisive_leaves) == ["age >= 18", 'plan = "pro"']
    into = explain(people, "p2", "age >= 12 and did purchase")
    assert into.is_member and len(into.decisive_leaves) == 1


def test_the_instant_at_which_the_clock_changes_the_answer_is_exact(people: Stubs) -> None:
    answer = explain(people, "p0", "did purchase in last 7 days")
    assert answer.is_member
    assert answer.next_change_time.ToJsonString() == "2024-06-21T12:00:00Z"
    assert not answer.is_next_change_unknown
    at = audience.CountAudienceRequest(rule=Rule(text='key = "p0" and did purchase in last 7 days'))
    at.at.CopyFrom(answer.next_change_time)
    assert people.audiences.CountAudience(at).count == 0
    at.at.FromMicroseconds(answer.next_change_time.ToMicroseconds() - 1)
    assert people.audiences.CountAudience(at).count == 1
    assert not explain(people, "p0", "age = 10").HasField("next_change_time")


def test_what_is_absent_is_told_apart_from_what_has_no_value(people: Stubs) -> None:
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="blank")
    people.profiles.BatchUpsertProfiles(upsert)
    answer = explain(people, "blank", "age > 1 or known")
    assert [(n.path, n.found) for n in answer.nodes] == [("", ""), ("0", "absent"), ("1", "")]


def test_below_a_segment_its_rule_is_explained(people: Stubs) -> None:
    create(people, "adults", Rule(text="age >= 18"))
    request = audience.ExplainMembershipRequest(key="p1", rule=Rule(segment="segments/adults"))
    answer = people.audiences.ExplainMembership(request)
    assert [(n.path, n.text, n.holds) for n in answer.nodes] == [
        ("", 'in segment "adults"', False),
        ("0", "age >= 18", False),
    ]


def test_below_a_segment_what_its_lists_and_its_retention_do_is_explained(people: Stubs) -> None:
    stays = segments.Segment(rule=Rule(text="age >= 18"))
    stays.retention.FromSeconds(86_400)
    by_hand = segments.Segment(
        rule=Rule(text="age >= 18"), kind=segments.SEGMENT_KIND_DATA_DRIVEN_WITH_OVERRIDES
    )
    for id_, segment in (("stays", stays), ("by_hand", by_hand)):
        people.segments.CreateSegment(segments.CreateSegmentRequest(segment_id=id_, segment=segment))
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="was").attributes["age"].int_value = 20
    people.profiles.BatchUpsertProfiles(upsert)
    upsert.profiles[0].attributes["age"].int_value = 3
    people.profiles.BatchUpsertProfiles(upsert)
    answer = explain(people, "was", 'in segment "stays"')
    assert [(n.text, n.holds) for n in answer.nodes] == [
        ('in segment "stays"', True), ("age >= 18", False), ("kept by retention", True),
    ]  # fmt: skip
    assert answer.next_change_time == answer.nodes[2].next_change_time
    answer = explain(people, "was", 'in segment "by_hand"')
    assert [(n.text, n.found) for n in answer.nodes] == [
        ('in segment "by_hand"', ""), ("age >= 18", "3"), ("on the list", ""),
    ]  # fmt: skip
    assert not answer.warnings
    request = audience.ExplainMembershipRequest(key="was", rule=Rule(segment="segments/by_hand"))
    request.at.FromSeconds(1_000)
    warnings = people.audiences.ExplainMembership(request).warnings
    assert [w.message for w in warnings] == [
        "the lists of segment 'by_hand' are as now, not as at the instant asked"
    ]


def test_nobody_is_explained_as_not_there(people: Stubs) -> None:
    answer = explain(people, "stranger", "everyone")
    assert (answer.exists, answer.is_member, list(answer.nodes)) == (False, False, [])
    refused = failed(
        people.audiences.ExplainMembership,
        audience.ExplainMembershipRequest(key="stranger", rule=Rule(text="colour = 1")),
    )
    assert refused.reason == "UNKNOWN_NAME"
    empty = audience.ExplainMembershipRequest(rule=Rule(text="everyone"))
    assert failed(people.audiences.ExplainMembership, empty).fields == ("key",)


# ------------------------------------------------------------------------------------------------ comparisons


def compare(stubs: Stubs, before: str, after: str, **fields: object) -> audience.CompareRulesResponse:
    request = audience.CompareRulesRequest(before=Rule(text=before), after=Rule(text=after), **fields)
    return stubs.audiences.CompareRules(request, timeout=TIMEOUT_S)


def test_a_comparison_says_who_joins_and_who_leaves_by_value(people: Stubs) -> None:
    answer = compare(
        people, "age >= 20 and age < 25", "age >= 23 and age < 31",
        breakdowns=[segments.BreakdownBy(attribute="plan"), segments.BreakdownBy(attribute="age", limit=2)],
        sample_size=2,
    )  # fmt: skip
    assert (answer.before_size, answer.after_size, answer.joined, answer.left) == (5, 8, 6, 3)
    assert answer.relation == audience.RULE_RELATION_OVERLAPPING
    assert list(answer.joined_keys) == ["p15", "p16"]
    assert list(answer.left_keys) == ["p10", "p11"]
    plans, ages = answer.joined_breakdowns
    assert [(g.value.text_value, g.count) for g in plans.groups] == [("free", 2), ("pro", 2), ("team", 2)]
    assert (len(ages.groups), ages.other_count, ages.absent_count) == (2, 4, 0)
    assert ages.groups[0].value.WhichOneof("kind") == "int_value"
    assert [(g.value.text_value, g.count) for g in answer.left_breakdowns[0].groups] == [
        ("free", 1),
        ("pro", 1),
        ("team", 1),
    ]


@pytest.mark.parametrize(
    ("before", "after", "relation"),
    [
        ("age >= 18", "not age < 18", audience.RULE_RELATION_EQUAL),
        ("age >= 18", "age >= 19", audience.RULE_RELATION_CONTAINS),
        ("age >= 19", "age >= 18", audience.RULE_RELATION_CONTAINED),
        ("age >= 19", "age < 19", audience.RULE_RELATION_DISJOINT),
        ("age >= 19", "age < 20", audience.RULE_RELATION_OVERLAPPING),
    ],
)
def test_the_relation_of_two_rules_is_named(people: Stubs, before: str, after: str, relation: int) -> None:
    assert compare(people, before, after).relation == relation


@pytest.mark.parametrize(
    ("before", "after", "relation"),
    [
        ("age >= 18", "age > 17", audience.RULE_RELATION_EQUAL),
        ("age >= 18", "age >= 19", audience.RULE_RELATION_CONTAINS),
        ("did purchase in last 7 days", "did purchase in last 30 days", audience.RULE_RELATION_CONTAINED),
        ("age >= 19", "age < 19", audience.RULE_RELATION_DISJOINT),
        ("age >= 19", "age < 20", audience.RULE_RELATION_UNSPECIFIED),
        ("age >= 18", "not age < 18", audience.RULE_RELATION_CONTAINED),
    ],
)
def test_what_is_proved_of_two_rules_is_told_apart(
    people: Stubs, before: str, after: str, relation: int
) -> None:
    assert compare(people, before, after).proved_relation == relation


def test_a_comparison_names_the_rule_or_breakdown_at_fault(people: Stubs) -> None:
    def fields(before: str, after: str, attribute: str = "plan") -> tuple[str, ...]:
        request = audience.CompareRulesRequest(
            before=Rule(text=before), after=Rule(text=after), sample_size=1,
            breakdowns=[segments.BreakdownBy(attribute=attribute)],
        )  # fmt: skip
        return failed(people.audiences.CompareRules, request).fields

    assert fields("colour = 1", "everyone") == ("before",)
    assert fields("everyone", "colour = 1") == ("after",)
    assert fields("everyone", "everyone", "colour") == ("breakdowns[0].attribute",)


# ------------------------------------------------------------------------------------------------ plans


def test_a_plan_shows_its_steps_with_sizes_and_times(people: Stubs) -> None:
    request = audience.ExplainPlanRequest(rule=Rule(text='age >= 20 and plan = "pro"'))
    answer = people.audiences.ExplainPlan(request)
    root = answer.steps[0]
    assert (root.path, root.size) == ("", 7)
    assert root.took_us > 0
    assert {step.path for step in answer.steps} >= {"", "0", "1"}
    assert answer.version >= 2


# ------------------------------------------------------------------------------------------------ trying


def test_a_segment_may_be_tried_without_being_made(people: Stubs) -> None:
    tried = create(people, "adults", Rule(text="age >= 18"), validate_only=True)
    assert (tried.name, tried.size, tried.rule.text) == ("segments/adults", 22, "age >= 18")
    gone = failed(people.segments.GetSegment, segments.GetSegmentRequest(name="segments/adults"))
    assert gone.code is CODE.NOT_FOUND
    create(people, "adults", Rule(text="age >= 18"))
    update = segments.UpdateSegmentRequest(
        segment=segments.Segment(name="segments/adults", rule=Rule(text="age >= 30")), validate_only=True
    )
    assert people.segments.UpdateSegment(update).size == 10
    kept = people.segments.GetSegment(segments.GetSegmentRequest(name="segments/adults"))
    assert (kept.rule.text, kept.size) == ("age >= 18", 22)
    update.segment.rule.text = 'in segment "adults"'
    assert failed(people.segments.UpdateSegment, update).reason == "REFERENCE_CYCLE"


# ------------------------------------------------------------------------------------------------ waiting


def test_a_read_waits_for_a_version_that_a_write_brings(people: Stubs) -> None:
    now = people.audiences.CountAudience(audience.CountAudienceRequest(rule=Rule(text="everyone"))).version
    write = events.TrackEventsRequest()
    write.events.add(event_name="login", key="p0").time.FromJsonString("2024-06-15T11:00:00Z")
    later = threading.Timer(0.1, people.events.TrackEvents, (write,))
    later.start()
    request = audience.ExplainMembershipRequest(key="p0", rule=Rule(text="did login"), min_version=now + 1)
    answer = people.audiences.ExplainMembership(request, timeout=20)
    later.join()
    assert answer.is_member and answer.version >= now + 1


def test_a_version_that_does_not_come_is_told_before_the_deadline(people: Stubs) -> None:
    started = time.monotonic()
    for call, request in (
        (
            people.audiences.CountAudience,
            audience.CountAudienceRequest(rule=Rule(text="everyone"), min_version=1_000),
        ),
        (
            people.audiences.ParseRule,
            audience.ParseRuleRequest(rule=Rule(text="everyone"), syntax_only=True, min_version=1_000),
        ),
    ):
        refused = failed(call, request, timeout=1.0)
        assert (refused.code, refused.reason) == (CODE.OUT_OF_RANGE, "OUT_OF_RANGE")
    assert time.monotonic() - started < 2.0
