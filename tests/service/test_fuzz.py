"""Bytes that nobody sane would send: every one gets an answer or a known refusal, never an unexpected error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import assert_never

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine import Database
from headcount_engine.conditions.text import parse
from headcount_engine.model.answers import Deadline
from headcount_server.calls import BidirectionalStream, ClientStream, ServerStream, Unary
from headcount_server.context import Context
from headcount_server.guards.access import LOCAL
from headcount_server.guards.metrics import Metrics
from headcount_server.methods import method_table
from headcount_server.phase import PhaseHolder
from headcount_server.statuses import failure_of
from headcount_server.wire.conditions import condition_message
from headcount_server.wire.status import ProcessFacts

TREES: list[dict[str, object]] = [
    MessageToDict(condition_message(parse(text)))
    for text in (
        'age >= 18 and (plan in ("a", "b") or not born in last 3 days)',
        'at least 1 of (did x where a = 1 in last 2 days, home within 1 km of (1, 2), bucket 0 to 0.5 salt "s")',
        "same offer (did a then not b within 1 hours matured) and top 3 by age of (age > 1)",
    )
]

VALID: dict[str, list[dict[str, object]]] = {
    "AudienceService/CountAudience": [{"rule": {"text": 'age >= 18 and plan = "pro"'}, "minVersion": 1}],
    "AudienceService/ExplainMembership": [{"key": "a", "rule": {"text": "age > 1"}}],
    "AudienceService/CompareRules": [
        {
            "before": {"text": "everyone"},
            "after": {"text": "age > 1"},
            "breakdowns": [{"attribute": "age"}],
            "sampleSize": 3,
        }
    ],
    "AudienceService/ParseRule": [{"rule": {"condition": condition}} for condition in TREES],
    "AudienceService/ExplainPlan": [{"rule": {"text": "everyone and age > 1"}}],
    "AudienceService/CheckMembership": [
        {"key": "a", "segments": ["segments/s"], "rules": [{"text": "everyone"}]}
    ],
    "AudienceService/BatchCheckMembership": [{"keys": ["a", "b"], "rules": [{"text": "age > 1"}]}],
    "AudienceService/StreamCheckMembership": [{"checkNumber": 1, "check": {"keys": ["a"]}}],
    "AudienceService/CreateAudience": [
        {
            "includes": [{"text": "everyone"}],
            "excludes": [{"text": "age > 1"}],
            "frequencyCap": {"eventName": "e", "maxCount": 1, "window": "60s"},
            "holdout": {"fraction": 0.1},
            "limit": 3,
            "limitOrder": {"sampleSalt": "s"},
        }
    ],
    "AudienceService/ReadAudience": [{"name": "audiences/a", "form": "MEMBER_FORM_IDS", "offset": 1}],
    "AudienceService/PreviewAudience": [{"rule": {"text": "everyone"}, "attributes": ["age"], "pageSize": 3}],
    "AudienceService/ExportAudience": [
        {"rule": {"text": "everyone"}, "format": "EXPORT_FORMAT_PARQUET", "attributes": ["age"]}
    ],
    "ProfileService/BatchUpsertProfiles": [
        {
            "profiles": [
                {"key": "a", "attributes": {"age": {"intValue": 5}, "d": {"decimalValue": {"unscaled": 5}}}},
                {"key": "b", "tagsAdded": ["x"], "increments": {"age": {"intValue": 1}}},
            ]
        },
        {
            "batch": {
                "keys": ["a", "b"],
                "attributes": [
                    {"name": "age", "type": "VALUE_TYPE_INT", "values": "AAAAAAAAAAABAAAAAAAAAA=="},
                    {"name": "n", "type": "VALUE_TYPE_TEXT", "texts": ["x", "y"], "present": "AQ=="},
                ],
                "tagsAdded": {"type": "VALUE_TYPE_TEXT_SET", "texts": ["v"], "offsets": "AAAAAAEAAAABAAAA"},
            }
        },
    ],
    "EventService/TrackEvents": [
        {"events": [{"eventName": "e", "key": "a", "time": "2024-01-01T00:00:00Z"}]},
        {"batch": {"eventNames": ["e"], "keys": ["a"], "timesUs": "AAAAAAAAAAA="}},
    ],
    "EventService/IngestStream": [{"profiles": {"keys": ["a"]}}, {"events": {"keys": ["a"]}}],
    "SegmentService/CreateSegment": [{"segmentId": "s", "segment": {"rule": {"text": "age > 3"}}}],
    "SegmentService/UpdateSegment": [
        {"segment": {"name": "segments/s", "rule": {"segment": "segments/t"}}, "updateMask": "rule"}
    ],
    "SegmentService/ListSegments": [{"pageSize": 5, "orderBy": "size desc", "text": "s"}],
    "SchemaService/DeclareAttributes": [
        {"attributes": [{"name": "z", "type": "VALUE_TYPE_DECIMAL", "digits": 2}]}
    ],
    "ProfileService/ListProfiles": [{"filter": {"text": "everyone"}, "pageToken": "AAAA"}],
    "ProfileService/GetProfile": [{"identifier": {"type": "email", "value": "a"}}],
}

DATABASE = Database.open(None)
TABLE = method_table(DATABASE, PhaseHolder(), Metrics(), ProcessFacts(0, "", "", ""))


def send(name: str, payload: bytes) -> None:
    """Call a method and look at how it fails."""
    # Damaged bytes may ask for a version that never comes: that is waited for until the deadline.
    context = Context(Deadline(time.monotonic() + 0.3), LOCAL)
    method = TABLE[name]
    try:
        match method:
            case Unary():
                method.call(payload, context)
            case ServerStream():
                list(method.call(payload, context))
            case ClientStream():
                method.call(iter([payload]), context)
            case BidirectionalStream():
                list(method.call(iter([payload]), context))
            case other:
                assert_never(other)
    except Exception as error:
        if failure_of(error).incident:
            raise


def valid(name: str) -> Iterator[bytes]:
    request = TABLE[name].signature.request
    for fields in VALID.get(name.removeprefix("/headcount.v1."), [{}]):
        yield ParseDict(fields, request()).SerializeToString()


@pytest.mark.parametrize("name", sorted(TABLE))
@given(data=st.data())
@settings(max_examples=60)
def test_random_and_damaged_bytes_fail_in_known_ways_only(name: str, data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(list(valid(name)))))
    for _ in range(data.draw(st.integers(0, 4))):
        if raw:
            at = data.draw(st.integers(0, len(raw) - 1))
            if data.draw(st.booleans()):
                raw[at] = data.draw(st.integers(0, 255))
            else:
                raw[at:at] = data.draw(st.binary(max_size=6))
    send(name, bytes(raw))


@pytest.mark.parametrize("name", sorted(TABLE))
def test_an_empty_message_and_each_valid_one_cut_short_fail_in_known_ways_only(name: str) -> None:
    send(name, b"")
    for raw in valid(name):
        for end in range(len(raw) + 1):
            send(name, raw[:end])
