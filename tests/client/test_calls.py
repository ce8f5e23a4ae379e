"""What both clients send, and what they make of the answers."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from headcount import (
    Client,
    DeadlineExceeded,
    Event,
    FailedPrecondition,
    HeadcountError,
    Identifier,
    InvalidArgument,
    InvalidRule,
    NotFound,
    Point,
    ProfileUpdate,
    SegmentKind,
    ServerError,
    Unavailable,
    Unimplemented,
    attribute,
)
from headcount.v1 import (
    admin_service_pb2,
    audience_service_pb2,
    errors_pb2,
    event_service_pb2,
    profile_service_pb2,
    schema_service_pb2,
    segment_service_pb2,
    value_pb2,
    write_pb2,
)
from headcount.values import Count, Membership, MembershipTable, Profile, Schema, Segment, WriteReceipt
from tests.client.conftest import Caller
from tests.client.recording_server import RecordingServer, Refusal

NOON = dt.datetime(2024, 1, 1, 12, 0, 0, 123_456, tzinfo=dt.UTC)


STAMP = {"version": 42, "now": Timestamp(seconds=1_704_110_400, nanos=123_456_000), "engine_us": 7}


def test_a_count_carries_the_rule_as_text_and_comes_back_as_a_number(
    server: RecordingServer, call: Caller
) -> None:
    server.answers["AudienceService/CountAudience"] = audience_service_pb2.CountAudienceResponse(
        **STAMP, count=1_234, total=23_570, node_sizes=[{"path": "0", "text": "a = 1", "count": 5}]
    )
    found = call("count", attribute("age") > 18, at=NOON, min_version=41, node_sizes=True)
    assert isinstance(found, Count)
    assert (int(found), found.total, found.version, found.now, found.engine_us) == (
        1_234,
        23_570,
        42,
        NOON,
        7,
    )
    assert str(found) == "1,234 of 23,570"
    assert [(n.path, n.count) for n in found.node_sizes] == [("0", 5)]
    sent = audience_service_pb2.CountAudienceRequest.FromString(
        server.requests["AudienceService/CountAudience"][0]
    )
    assert sent.rule.text == "age > 18"
    assert sent.at.ToMicroseconds() == 1_704_110_400_123_456
    assert (sent.min_version, sent.include_node_sizes) == (41, True)
    assert not sent.HasField("min_now")
    assert server.metadata["authorization"] == "Bearer secret"


def test_checks_come_back_as_bits_in_the_order_asked(server: RecordingServer, call: Caller) -> None:
    server.answers["AudienceService/CheckMembership"] = audience_service_pb2.CheckMembershipResponse(
        member_bits=bytes([0b101]), exists=True
    )
    found = call("check", "p1", "vip", "new", rules=["age > 18"])
    assert isinstance(found, Membership)
    assert (found["vip"], found["new"], found.rules) == (True, False, (True,))
    assert not found
    sent = audience_service_pb2.CheckMembershipRequest.FromString(
        server.requests["AudienceService/CheckMembership"][0]
    )
    assert list(sent.segments) == ["segments/vip", "segments/new"]


def test_a_table_of_checks_has_no_gaps_between_profiles(server: RecordingServer, call: Caller) -> None:
    # Three profiles, three questions: 101 010 111, least significant bit first.
    bits = int("".join(reversed("101010111")), 2).to_bytes(2, "little")
    server.answers["AudienceService/BatchCheckMembership"] = (
        audience_service_pb2.BatchCheckMembershipResponse(member_bits=bits, exists_bits=bytes([0b011]))
    )
    found = call("check_many", ["a", "b", "c"], "vip", "new", rules=["age > 18"])
    assert isinstance(found, MembershipTable)
    rows = [[found.is_member(row, q) for q in range(3)] for row in range(3)]
    assert rows == [[True, False, True], [False, True, False], [True, True, True]]
    assert [found.exists(row) for row in range(3)] == [True, True, False]
    assert found.members(0) == ["a", "c"]
    assert [m.rules for m in found] == [(True,), (False,), (True,)]
    with pytest.raises(IndexError):
        found.is_member(0, 3)


def test_rows_of_profiles_keep_their_types(server: RecordingServer, call: Caller) -> None:
    server.answers["ProfileService/BatchUpsertProfiles"] = profile_service_pb2.BatchUpsertProfilesResponse(
        **STAMP, accepted_rows=1, created_profiles=1,
        rejected_rows=[{"row": 1, "field": "key", "reason": "EMPTY", "message": "no key"}],
    )  # fmt: skip
    receipt = call(
        "upsert_profiles",
        [
            {
                "key": "p1",
                "plan": "pro",
                "age": 3,
                "ratio": 0.5,
                "vip": True,
                "spent": Decimal("1.50"),
                "gone": None,
            },
            ProfileUpdate(
                "p2",
                {
                    "born": dt.date(2000, 2, 29),
                    "seen": NOON,
                    "interests": {"cars"},
                    "home": Point(59.0, 18.0),
                },
                tags_added=["vip"],
                identifiers=[Identifier("email", "a@b.c")],
                consents={"news": False},
            ),
        ],
    )
    assert isinstance(receipt, WriteReceipt)
    assert (receipt.version, receipt.accepted_rows, receipt.created_profiles) == (42, 1, 1)
    assert receipt.rejected_rows[0].row == 1
    sent = profile_service_pb2.BatchUpsertProfilesRequest.FromString(
        server.requests["ProfileService/BatchUpsertProfiles"][0]
    )
    assert sent.create
    assert len(sent.request_id) == 36
    first, second = sent.profiles
    assert {name: value.WhichOneof("kind") for name, value in first.attributes.items()} == {
        "plan": "text_value", "age": "int_value", "ratio": "float_value", "vip": "bool_value",
        "spent": "decimal_value", "gone": "null_value",
    }  # fmt: skip
    assert (
        first.attributes["spent"].decimal_value.unscaled,
        first.attributes["spent"].decimal_value.digits,
    ) == (150, 2)
    assert {name: value.WhichOneof("kind") for name, value in second.attributes.items()} == {
        "born": "date_value", "seen": "instant_value", "interests": "text_set_value", "home": "point_value",
    }  # fmt: skip
    assert list(second.tags_added) == ["vip"]
    assert (second.consents[0].topic, second.consents[0].subscribed) == ("news", False)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**63, Decimal("0.1234567"), dt.datetime(2024, 1, 1), b"x", "\ud800"],
)
def test_what_is_not_a_value_is_refused_before_it_is_sent(
    server: RecordingServer, call: Caller, value: object
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        call("upsert_profiles", [{"key": "p1", "x": value}])
    assert refused.value.field == "attributes.x"
    assert refused.value.message.startswith("row 0 (key 'p1'): attributes.x: ")
    assert "got int" not in refused.value.message
    assert not server.requests


def test_rows_that_the_client_refuses_are_told_among_those_that_the_server_rejects(
    server: RecordingServer, call: Caller
) -> None:
    server.answers["ProfileService/BatchUpsertProfiles"] = profile_service_pb2.BatchUpsertProfilesResponse(
        accepted_rows=1,
        rejected_rows=[write_pb2.RejectedRow(row=1, field="age", reason="WRONG_TYPE", message="age: no")],
        segments_after=write_pb2.SegmentsAfter(
            version=3, rows=[write_pb2.RowSegments(segments=["segments/a"]), write_pb2.RowSegments()]
        ),
        **STAMP,
    )
    rows = [
        {"age": 1},
        {"key": "p1", "age": 1},
        {"key": "p2", "age": float("nan")},
        {"key": "p3", "age": "x"},
        ProfileUpdate("p4", consents={"news": True}, consent_time=dt.datetime(2024, 1, 1)),
    ]
    receipt = call("upsert_profiles", rows, return_segments=True)
    (sent,) = server.requests["ProfileService/BatchUpsertProfiles"]
    request = profile_service_pb2.BatchUpsertProfilesRequest.FromString(sent)
    assert [row.key for row in request.profiles] == ["p1", "p3"]
    assert [(r.row, r.field, r.reason) for r in receipt.rejected_rows] == [
        (0, "key", "BAD_KEY"),
        (2, "age", "BAD_VALUE"),
        (3, "age", "WRONG_TYPE"),
        (4, "consent_time", "BAD_TIME"),
    ]
    assert receipt.rejected_rows[1].message == "age: NaN and infinities are not values"
    assert receipt.segments.rows == ((), ("a",), (), (), ())
    with pytest.raises(InvalidArgument, match=r"^row 0: key: a row needs a key"):
        call("upsert_profiles", rows, all_or_nothing=True)
    server.answers["EventService/TrackEvents"] = event_service_pb2.TrackEventsResponse(
        accepted_rows=1, **STAMP
    )
    receipt = call("track", [{"name": "buy", "key": "p1"}, Event("buy", "p1", NOON)])
    assert [(r.row, r.field, r.reason) for r in receipt.rejected_rows] == [(0, "time", "BAD_TIME")]


def test_events_go_out_with_their_time_to_the_microsecond(server: RecordingServer, call: Caller) -> None:
    server.answers["EventService/TrackEvents"] = event_service_pb2.TrackEventsResponse(
        accepted_rows=2, duplicate_events=1
    )
    rows = [
        Event("buy", "p1", NOON, "e1", {"amount": 2}),
        {"name": "buy", "key": "p2", "time": NOON, "amount": 3},
    ]
    receipt = call("track", rows, create=False)
    assert isinstance(receipt, WriteReceipt)
    assert receipt.duplicate_events == 1
    sent = event_service_pb2.TrackEventsRequest.FromString(server.requests["EventService/TrackEvents"][0])
    assert sent.HasField("create")
    assert not sent.create
    assert [row.time.ToMicroseconds() for row in sent.events] == [1_704_110_400_123_456] * 2
    assert [row.event_id for row in sent.events] == ["e1", ""]
    assert sent.events[1].properties["amount"].int_value == 3


def test_a_profile_comes_back_as_plain_values(server: RecordingServer, call: Caller) -> None:
    answer = profile_service_pb2.Profile(
        key="p1", id=7, tags=["vip"], segments=["segments/new"], is_known=True
    )
    answer.attributes["spent"].decimal_value.CopyFrom(value_pb2.Decimal(unscaled=-1_050, digits=2))
    answer.attributes["born"].date_value.CopyFrom(value_pb2.Date(year=2000, month=2, day=29))
    answer.attributes["interests"].text_set_value.texts.extend(["a", "b"])
    server.answers["ProfileService/GetProfile"] = answer
    found = call("get_profile", Identifier("email", "a@b.c"))
    assert isinstance(found, Profile)
    assert found.attributes == {
        "spent": Decimal("-10.50"), "born": dt.date(2000, 2, 29), "interests": frozenset({"a", "b"}),
    }  # fmt: skip
    assert (found.id, found.tags, found.segments, found.is_known) == (7, frozenset({"vip"}), ("new",), True)
    sent = profile_service_pb2.GetProfileRequest.FromString(server.requests["ProfileService/GetProfile"][0])
    assert sent.identifier.value == "a@b.c"


def test_lists_fetch_page_after_page(server: RecordingServer, call: Caller) -> None:
    def page(request: bytes) -> profile_service_pb2.ListProfilesResponse:
        token = profile_service_pb2.ListProfilesRequest.FromString(request).page_token
        start = int(token or 0)
        return profile_service_pb2.ListProfilesResponse(
            profiles=[{"key": f"p{start + i}"} for i in range(2)],
            next_page_token="" if start == 4 else str(start + 2),
        )

    server.answers["ProfileService/ListProfiles"] = page
    found = call("list_profiles", "age > 18", page_size=2)
    assert isinstance(found, list)
    assert [profile.key for profile in found] == ["p0", "p1", "p2", "p3", "p4", "p5"]
    assert len(server.requests["ProfileService/ListProfiles"]) == 3


def test_an_update_names_exactly_what_it_changes(server: RecordingServer, call: Caller) -> None:
    server.answers["SegmentService/UpdateSegment"] = segment_service_pb2.Segment(
        name="segments/vip", kind=segment_service_pb2.SEGMENT_KIND_DATA_DRIVEN, size=3, rule={"text": "a = 1"}
    )
    found = call("update_segment", "vip", rule="a = 1", description="", retention=dt.timedelta(0), etag="e")
    assert isinstance(found, Segment)
    assert (found.id, found.size, found.rule, found.kind) == ("vip", 3, "a = 1", SegmentKind.DATA_DRIVEN)
    sent = segment_service_pb2.UpdateSegmentRequest.FromString(
        server.requests["SegmentService/UpdateSegment"][0]
    )
    assert sorted(sent.update_mask.paths) == ["description", "retention", "rule"]
    assert not sent.segment.HasField("retention")
    assert sent.segment.etag == "e"
    with pytest.raises(InvalidArgument):
        call("update_segment", "vip")


def test_a_segment_without_a_rule_is_manual(server: RecordingServer, call: Caller) -> None:
    server.answers["SegmentService/CreateSegment"] = segment_service_pb2.Segment(name="segments/list")
    call("create_segment", "list")
    call("create_segment", "rule", attribute("a") == 1)
    kinds = [
        segment_service_pb2.CreateSegmentRequest.FromString(request).segment.kind
        for request in server.requests["SegmentService/CreateSegment"]
    ]
    assert kinds == [segment_service_pb2.SEGMENT_KIND_MANUAL, segment_service_pb2.SEGMENT_KIND_DATA_DRIVEN]


def test_types_are_declared_by_their_names(server: RecordingServer, call: Caller) -> None:
    server.answers["SchemaService/DeclareAttributes"] = schema_service_pb2.Schema(
        attributes=[{"name": "spent", "type": value_pb2.VALUE_TYPE_DECIMAL, "digits": 2, "tracked": True}]
    )
    found = call("declare_attributes", {"spent": "decimal(2)", "interests": "set"}, tracked=["spent"])
    assert isinstance(found, Schema)
    assert (found.attributes["spent"].type, found.attributes["spent"].tracked) == ("decimal(2)", True)
    sent = schema_service_pb2.DeclareAttributesRequest.FromString(
        server.requests["SchemaService/DeclareAttributes"][0]
    )
    assert [(a.name, a.type, a.digits) for a in sent.attributes] == [
        ("spent", value_pb2.VALUE_TYPE_DECIMAL, 2),
        ("interests", value_pb2.VALUE_TYPE_TEXT_SET, 0),
    ]
    with pytest.raises(InvalidArgument, match="unknown type"):
        call("declare_attributes", {"x": "varchar"})


# ------------------------------------------------------------------------------------------------------ failures


def test_a_refused_rule_tells_where_and_what_might_have_been_meant(
    server: RecordingServer, call: Caller
) -> None:
    info = errors_pb2.ErrorInfo(reason="UNKNOWN_NAME", domain="headcount", metadata={"name": "paln"})
    request = errors_pb2.BadRequest(field_violations=[{"field": "rule.text", "description": "no"}])
    problem = errors_pb2.RuleProblem(line=1, column=5, suggestions=["plan"], expected=["a name"])
    server.answers["AudienceService/CountAudience"] = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "unknown attribute 'paln'",
        ("google.rpc.ErrorInfo", info),
        ("google.rpc.BadRequest", request),
        ("headcount.v1.RuleProblem", problem),
    )
    with pytest.raises(ValueError, match="paln") as raised:
        call("count", "paln = 1")
    failure = raised.value
    assert isinstance(failure, InvalidRule)
    assert (failure.line, failure.column, failure.suggestions, failure.expected) == (
        1,
        5,
        ("plan",),
        ("a name",),
    )
    assert (failure.code, failure.reason, failure.metadata["name"]) == (
        "INVALID_ARGUMENT",
        "UNKNOWN_NAME",
        "paln",
    )
    assert failure.field == "rule.text"


def test_what_is_not_there_is_also_a_key_error(server: RecordingServer, call: Caller) -> None:
    server.answers["SegmentService/GetSegment"] = Refusal(grpc.StatusCode.NOT_FOUND, "no such segment: 'vip'")
    with pytest.raises(KeyError) as raised:
        call("get_segment", "vip")
    assert isinstance(raised.value, NotFound)
    assert str(raised.value) == "no such segment: 'vip'"


def test_a_failure_says_when_to_come_back(server: RecordingServer, call: Caller) -> None:
    retry = errors_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1_500)
    server.answers["SegmentService/DeleteSegment"] = Refusal(
        grpc.StatusCode.FAILED_PRECONDITION, "read-only", ("google.rpc.RetryInfo", retry)
    )
    with pytest.raises(FailedPrecondition) as raised:
        call("delete_segment", "vip")
    assert raised.value.retry_after_s == 1.5


def test_details_that_cannot_be_read_do_not_hide_the_failure(server: RecordingServer, call: Caller) -> None:
    refusal = Refusal(grpc.StatusCode.INTERNAL, "error 123")
    refusal.status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")
    server.answers["AdminService/GetStatus"] = refusal
    with pytest.raises(ServerError, match="error 123"):
        call("status")


def test_a_method_that_the_server_lacks_is_told_as_such(call: Caller) -> None:
    with pytest.raises(Unimplemented):
        call("memberships", "p1")


def test_an_answer_that_is_not_one_is_the_servers_fault(server: RecordingServer, call: Caller) -> None:
    # Field 2 announces 255 bytes and there are none.
    server.answers["AudienceService/CountAudience"] = b"\x12\xff\x01"
    with pytest.raises(ServerError, match="cannot be read"):
        call("count", "everyone")


def test_a_server_that_was_away_for_a_moment_is_asked_again(server: RecordingServer, call: Caller) -> None:
    away = Refusal(grpc.StatusCode.UNAVAILABLE, "restarting")
    server.answers["AudienceService/CountAudience"] = [
        away,
        away,
        audience_service_pb2.CountAudienceResponse(count=5),
    ]
    assert int(call("count", "everyone")) == 5  # type: ignore[call-overload]
    assert len(server.requests["AudienceService/CountAudience"]) == 3


def test_a_write_that_is_tried_again_has_the_same_request_id(server: RecordingServer, call: Caller) -> None:
    server.answers["EventService/TrackEvents"] = [
        Refusal(grpc.StatusCode.UNAVAILABLE, "restarting"),
        event_service_pb2.TrackEventsResponse(accepted_rows=1),
    ]
    call("track", [Event("buy", "p1", NOON)])
    sent = [
        event_service_pb2.TrackEventsRequest.FromString(request).request_id
        for request in server.requests["EventService/TrackEvents"]
    ]
    assert len(sent) == 2
    assert sent[0] == sent[1] != ""


def test_a_call_that_takes_too_long_ends(server: RecordingServer, call: Caller) -> None:
    def slow(request: bytes) -> audience_service_pb2.CountAudienceResponse:
        time.sleep(0.5)
        return audience_service_pb2.CountAudienceResponse()

    server.answers["AudienceService/CountAudience"] = slow
    with pytest.raises(TimeoutError) as raised:
        call("count", "everyone", timeout=0.05)
    assert isinstance(raised.value, DeadlineExceeded)


def test_waiting_for_a_server_goes_on_until_it_has_loaded(server: RecordingServer, call: Caller) -> None:
    server.answers["AdminService/GetStatus"] = [
        admin_service_pb2.ServerStatus(state=admin_service_pb2.SERVING_STATE_LOADING),
        admin_service_pb2.ServerStatus(state=admin_service_pb2.SERVING_STATE_SERVING, profiles=9),
    ]
    status = call("wait_ready", timeout=5.0)
    assert status.profiles == 9  # type: ignore[attr-defined]


def test_nobody_at_the_other_end_is_a_connection_error() -> None:
    with Client("127.0.0.1:1", timeout=2.0) as client:
        with pytest.raises(ConnectionError) as raised:
            client.count("everyone")
        assert isinstance(raised.value, Unavailable)
        with pytest.raises(DeadlineExceeded):
            client.wait_ready(timeout=0.2)


def test_a_closed_client_says_so() -> None:
    client = Client("127.0.0.1:1")
    client.close()
    client.close()
    with pytest.raises(HeadcountError, match="closed"):
        client.count("everyone")
