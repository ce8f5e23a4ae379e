"""What goes wrong is told by code, reason and field; nothing of anybody's data is told with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
import pytest

from headcount.v1 import audience_service_pb2 as audience
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount.v1 import schema_service_pb2 as schema
from headcount.v1 import segment_service_pb2 as segments
from headcount.v1.rule_pb2 import Rule
from headcount.v1.value_pb2 import Identifier, ValueType
from headcount_engine import errors
from headcount_server import logs
from headcount_server.app import build
from headcount_server.config import ServerConfig
from tests.service.calling import Failed, Stubs, decoded, failed
from tests.service.doubles import Constant, Raising, Slow

CODE = grpc.StatusCode
COUNT = audience.CountAudienceRequest(rule=Rule(text="everyone"))
SECRET = "sentinel-5f1c"


@contextmanager
def serving(config: ServerConfig, database: object) -> Iterator[Stubs]:
    with (
        build(config, open_database=lambda: database) as server,
        grpc.insecure_channel(server.address) as channel,
    ):  # type: ignore[arg-type,return-value]
        yield Stubs(channel)


# ------------------------------------------------------------------------------------------------ rules


def refused_rule(stubs: Stubs, text: str) -> Failed:
    return failed(stubs.audiences.CountAudience, audience.CountAudienceRequest(rule=Rule(text=text)))


def test_a_malformed_rule_says_where_and_what_could_stand_there(people: Stubs) -> None:
    refused = refused_rule(people, "age >= 18 and\n  plan = ")
    assert (refused.code, refused.reason, refused.fields) == (
        CODE.INVALID_ARGUMENT,
        "INVALID_RULE",
        ("rule",),
    )
    assert refused.rule is not None
    assert refused.rule.line == 2 and refused.rule.column > 1 and refused.rule.field == "rule"


def test_an_unknown_attribute_comes_with_the_nearest_known_one(people: Stubs) -> None:
    refused = refused_rule(people, 'plam = "pro"')
    assert (refused.code, refused.reason) == (CODE.INVALID_ARGUMENT, "UNKNOWN_NAME")
    assert refused.metadata["name"] == "plam"
    assert refused.rule is not None and "plan" in refused.rule.suggestions


def test_a_comparison_with_another_type_is_refused(people: Stubs) -> None:
    assert refused_rule(people, 'age = "old"').code is CODE.INVALID_ARGUMENT


@pytest.mark.parametrize("depth", [65, 101, 10_000])
def test_a_rule_nested_too_deep_is_refused_without_recursion(people: Stubs, depth: int) -> None:
    refused = refused_rule(people, "not (" * depth + "everyone" + ")" * depth)
    assert refused.code is CODE.INVALID_ARGUMENT


def test_a_rule_with_no_form_is_refused(people: Stubs) -> None:
    refused = failed(people.audiences.CountAudience, audience.CountAudienceRequest())
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, ("rule",))


def test_a_circle_of_segments_is_refused_and_changes_nothing(people: Stubs) -> None:
    def segment(id_: str, text: str) -> segments.CreateSegmentRequest:
        return segments.CreateSegmentRequest(segment_id=id_, segment=segments.Segment(rule=Rule(text=text)))

    people.segments.CreateSegment(segment("a", "age >= 18"))
    people.segments.CreateSegment(segment("b", 'in segment "a"'))
    update = segments.UpdateSegmentRequest(
        segment=segments.Segment(name="segments/a", rule=Rule(text='in segment "b"'))
    )
    refused = failed(people.segments.UpdateSegment, update)
    assert (refused.code, refused.reason) == (CODE.INVALID_ARGUMENT, "REFERENCE_CYCLE")
    assert refused.fields == ("segment.rule",)
    kept = people.segments.GetSegment(segments.GetSegmentRequest(name="segments/a"))
    assert kept.rule.text == "age >= 18"


# ------------------------------------------------------------------------------------------------ requests

BadRequestCase = tuple[str, Callable[[Stubs], Failed], str]


def upsert(**fields: object) -> Callable[[Stubs], Failed]:
    def call(stubs: Stubs) -> Failed:
        request = profiles.BatchUpsertProfilesRequest()
        request.batch.keys.extend(["a", "b"])
        request.batch.attributes.add(**fields)
        return failed(stubs.profiles.BatchUpsertProfiles, request)

    return call


INT, TEXT, TEXT_SET = ValueType.VALUE_TYPE_INT, ValueType.VALUE_TYPE_TEXT, ValueType.VALUE_TYPE_TEXT_SET


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "x", "values": b"\0" * 16}, "type"),
        ({"name": "x", "type": 77, "values": b"\0" * 16}, "type"),
        ({"name": "x", "type": INT, "values": b"\0" * 15}, "values"),
        ({"name": "x", "type": INT, "values": b"\0" * 24}, "values"),
        ({"name": "x", "type": INT, "digits": 2, "values": b"\0" * 16}, "digits"),
        ({"name": "x", "type": ValueType.VALUE_TYPE_DECIMAL, "digits": 7, "values": b"\0" * 16}, "digits"),
        ({"name": "x", "type": INT, "values": b"\0" * 16, "texts": ["a", "b"]}, "texts"),
        ({"name": "x", "type": INT, "values": b"\0" * 16, "offsets": b"\0" * 12}, "offsets"),
        ({"name": "x", "type": INT, "values": b"\0" * 16, "present": b"\1\1"}, "present"),
        ({"name": "x", "type": INT, "values": b"\0" * 16, "nulls": b"\1\1"}, "nulls"),
        ({"name": "x", "type": TEXT, "texts": ["a"]}, "texts"),
        ({"name": "x", "type": TEXT, "texts": ["a", "b"], "values": b"\0"}, "values"),
        ({"name": "x", "type": TEXT_SET, "texts": ["a"]}, "offsets"),
        (
            {
                "name": "x",
                "type": TEXT_SET,
                "texts": ["a"],
                "offsets": b"\0\0\0\0\2\0\0\0\1\0\0\0",
            },
            "offsets",
        ),
        ({"name": "x", "type": ValueType.VALUE_TYPE_POINT, "values": b"\0" * 16}, "values"),
    ],
)
def test_a_column_whose_bytes_do_not_fit_is_refused_by_its_path(
    stubs: Stubs, fields: dict[str, object], path: str
) -> None:
    refused = upsert(**fields)(stubs)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (f"batch.attributes[0].{path}",))


def _event(**time: int) -> events.TrackEventsRequest:
    request = events.TrackEventsRequest()
    event = request.events.add(event_name="x", key="a")
    if time:
        event.time.seconds = time.get("seconds", 0)
        event.time.nanos = time.get("nanos", 0)
    return request


@pytest.mark.parametrize(
    "time_",
    [
        {"seconds": 1 << 62},
        {"seconds": -(1 << 62)},
        {"nanos": 1},
        {"nanos": -1_000},
        {"nanos": 1_000_000_000},
        {},
    ],
    ids=repr,
)
def test_an_instant_that_is_none_is_refused(stubs: Stubs, time_: dict[str, int]) -> None:
    refused = failed(stubs.events.TrackEvents, _event(**time_))
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, ("events[0].time",))


def test_a_value_with_nothing_set_is_not_read_as_null(stubs: Stubs) -> None:
    request = profiles.BatchUpsertProfilesRequest()
    request.profiles.add(key="a").attributes["x"].SetInParent()
    refused = failed(stubs.profiles.BatchUpsertProfiles, request)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, ("profiles[0].attributes.x",))


def test_an_unspecified_type_is_refused(stubs: Stubs) -> None:
    request = schema.DeclareAttributesRequest(attributes=[schema.Attribute(name="x")])
    refused = failed(stubs.schema.DeclareAttributes, request)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, ("attributes[0].type",))


def test_rows_and_columns_in_one_request_are_refused(stubs: Stubs) -> None:
    request = _event(seconds=1)
    request.batch.keys.append("b")
    assert failed(stubs.events.TrackEvents, request).fields == ("batch",)


@pytest.mark.parametrize("name", ["", "vip", "segments/", "segments/a/b", "folders/a"])
def test_a_segment_is_named_by_its_resource_name(stubs: Stubs, name: str) -> None:
    refused = failed(stubs.segments.GetSegment, segments.GetSegmentRequest(name=name))
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, ("name",))


def test_an_unknown_path_in_a_mask_is_refused(stubs: Stubs) -> None:
    request = segments.UpdateSegmentRequest(segment=segments.Segment(name="segments/a"))
    request.update_mask.paths.append("size")
    assert failed(stubs.segments.UpdateSegment, request).fields == ("update_mask",)


def test_a_check_asks_something(stubs: Stubs) -> None:
    refused = failed(stubs.audiences.CheckMembership, audience.CheckMembershipRequest(key="a"))
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, ("segments",))


def test_what_is_not_served_yet_is_refused_and_never_ignored(stubs: Stubs) -> None:
    located = audience.CountAudienceRequest(rule=Rule(text="everyone"))
    located.context["weather"].text_value = "rain"
    by_tag = audience.CompareRulesRequest(
        before=Rule(text="everyone"),
        after=Rule(text="everyone"),
        breakdowns=[segments.BreakdownBy(tags=True)],
    )
    for call, request, path in (
        (stubs.audiences.CountAudience, located, "context"),
        (stubs.audiences.CompareRules, by_tag, "breakdowns[0].tags"),
    ):
        refused = failed(call, request)
        assert (refused.code, refused.reason, refused.metadata["field"]) == (
            CODE.UNIMPLEMENTED,
            "NOT_SERVED",
            path,
        )


def test_a_method_that_is_not_in_the_table_is_unimplemented(stubs: Stubs) -> None:
    unknown = stubs.channel.unary_unary("/headcount.v1.Nothing/AtAll")
    assert failed(unknown, b"").code is CODE.UNIMPLEMENTED


@pytest.mark.parametrize("payload", [b"\xff", b"\x0a\x05ab", b"\x0b" * 200])
def test_bytes_that_are_no_message_are_refused_without_a_trace(stubs: Stubs, payload: bytes) -> None:
    call = stubs.channel.unary_unary("/headcount.v1.AudienceService/CountAudience")
    refused = failed(call, payload)
    assert (refused.code, refused.reason) == (CODE.INTERNAL, "MALFORMED_REQUEST")
    assert "Traceback" not in refused.message and "DecodeError" not in refused.message


# ------------------------------------------------------------------------------------------------ the table

ERRORS: list[tuple[BaseException, grpc.StatusCode, str]] = [
    (errors.InvalidValue("no", path="a.b"), CODE.INVALID_ARGUMENT, "INVALID_VALUE"),
    (errors.NotFound("segment", "x"), CODE.NOT_FOUND, "NOT_FOUND"),
    (errors.AlreadyExists("segment", "x"), CODE.ALREADY_EXISTS, "ALREADY_EXISTS"),
    (errors.FailedPrecondition("no"), CODE.FAILED_PRECONDITION, "FAILED_PRECONDITION"),
    (errors.Aborted("no"), CODE.ABORTED, "ETAG_MISMATCH"),
    (errors.OutOfRange("no"), CODE.OUT_OF_RANGE, "OUT_OF_RANGE"),
    (errors.LimitExceeded("rule_depth", 64, 65), CODE.INVALID_ARGUMENT, "LIMIT_EXCEEDED"),
    (errors.LimitExceeded("profiles", 1_000), CODE.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
    (errors.DeadlineExceeded(), CODE.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
    (errors.Cancelled(), CODE.CANCELLED, "CANCELLED"),
    (MemoryError(SECRET), CODE.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY"),
    (errors.StoreDamaged(f"at {SECRET}", path=SECRET), CODE.INTERNAL, "INTERNAL"),
    (KeyError(SECRET), CODE.INTERNAL, "INTERNAL"),
    (RecursionError(SECRET), CODE.INTERNAL, "INTERNAL"),
    (AssertionError(SECRET), CODE.INTERNAL, "INTERNAL"),
]


@pytest.mark.parametrize(("error", "code", "reason"), ERRORS, ids=lambda x: type(x).__name__)
def test_every_error_of_the_engine_has_its_code_and_reason(
    config: ServerConfig, error: BaseException, code: grpc.StatusCode, reason: str
) -> None:
    with serving(config, Raising(error)) as stubs:
        refused = failed(stubs.audiences.CountAudience, COUNT)
    assert (refused.code, refused.reason) == (code, reason)
    assert SECRET not in repr(refused)


def test_an_unexpected_error_gets_an_incident_that_the_log_has_too_and_no_text_of_its_own(
    config: ServerConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info", "json")
    with serving(config, Raising(RuntimeError(f"profile {SECRET} has no age"))) as stubs:
        refused = failed(stubs.audiences.CountAudience, COUNT)
        again = failed(stubs.audiences.CountAudience, COUNT)
    assert refused.metadata["incident"] != again.metadata["incident"]
    printed = capsys.readouterr().err
    assert SECRET not in printed and SECRET not in repr(refused)
    logged = [json.loads(line) for line in printed.splitlines()]
    first = next(entry for entry in logged if entry.get("incident") == refused.metadata["incident"])
    assert first["error"] == "RuntimeError"
    assert first["method"] == "/headcount.v1.AudienceService/CountAudience"
    assert any("doubles.py" in frame for frame in first["where"])


def test_no_failure_tells_a_key_or_a_value(people: Stubs, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentinel as key, identifier, value and event id through every call that can fail over it."""
    declared = schema.DeclareAttributesRequest(
        attributes=[schema.Attribute(name="score", type=INT)], identifier_types=["email"]
    )
    people.schema.DeclareAttributes(declared)
    row = profiles.BatchUpsertProfilesRequest(create=False)
    row.profiles.add(key=SECRET).attributes["score"].text_value = SECRET
    row.profiles.add(key="p0").attributes["score"].text_value = SECRET
    row.profiles.add(key=SECRET + "\n" * 600).identifiers.add(type="email", value=SECRET)
    clash = profiles.BatchUpsertProfilesRequest(all_or_nothing=True)
    for key in ("p0", "p1"):
        clash.profiles.add(key=key).identifiers.add(type="email", value=SECRET)
    late = events.TrackEventsRequest()
    late.events.add(event_name="x", key=SECRET, event_id=SECRET * 9).time.FromJsonString(
        "2099-01-01T00:00:00Z"
    )
    told: list[str] = []

    def call(method: Callable[..., object], request: object) -> None:
        try:
            told.append(str(getattr(method(request, timeout=60), "rejected_rows", "")))
        except grpc.RpcError as error:
            told.append(repr(decoded(error)))

    call(people.profiles.BatchUpsertProfiles, row)
    call(people.profiles.BatchUpsertProfiles, clash)
    call(people.events.TrackEvents, late)
    identifier = Identifier(type="email", value=SECRET)
    call(people.profiles.GetProfile, profiles.GetProfileRequest(key=SECRET))
    call(people.profiles.GetProfile, profiles.GetProfileRequest(identifier=identifier))
    call(people.audiences.ListMemberships, audience.ListMembershipsRequest(key=SECRET))
    call(people.audiences.CheckMembership, audience.CheckMembershipRequest(key=SECRET))
    assert len(told) == 7 and all(told)
    assert SECRET not in "\n".join(told)
    output = capsys.readouterr()
    assert SECRET not in output.err + output.out


def test_the_note_of_an_answer_is_a_warning(config: ServerConfig) -> None:
    with serving(config, Constant(3, ("nobody did `logn` yet",))) as stubs:
        answer = stubs.audiences.CountAudience(COUNT)
    assert [w.message for w in answer.warnings] == ["nobody did `logn` yet"]


# ------------------------------------------------------------------------------------------------ time


def test_a_millisecond_is_too_little_and_the_work_stops(config: ServerConfig) -> None:
    slow = Slow()
    with serving(config, slow) as stubs:
        stubs.channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10)
        refused = failed(stubs.audiences.CountAudience, COUNT, timeout=0.001)
        assert refused.code is CODE.DEADLINE_EXCEEDED
        assert not slow.started.is_set() or slow.ended.wait(1)


def test_work_stops_within_50_ms_of_its_deadline(config: ServerConfig) -> None:
    slow = Slow()
    with serving(config, slow) as stubs:
        until = time.monotonic() + 0.3
        assert failed(stubs.audiences.CountAudience, COUNT, timeout=0.3).code is CODE.DEADLINE_EXCEEDED
        assert slow.ended.wait(2)
        assert slow.ended_at_s - until < 0.05


def test_work_stops_within_50_ms_of_its_callers_leave(config: ServerConfig) -> None:
    slow = Slow()
    with serving(config, slow) as stubs:
        call = stubs.audiences.CountAudience.future(COUNT, timeout=30)
        assert slow.started.wait(10)
        cancelled = time.monotonic()
        call.cancel()
        assert slow.ended.wait(2)
        assert slow.ended_at_s - cancelled < 0.05


def test_a_call_without_a_deadline_gets_one() -> None:
    slow = Slow()
    with serving(ServerConfig(listen="127.0.0.1:0", deadline_s=0.2, grace_s=1), slow) as stubs:
        refused = failed(stubs.audiences.CountAudience, COUNT, timeout=None)
    assert (refused.code, refused.reason) == (CODE.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
