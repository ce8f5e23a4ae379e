"""Every served method over real gRPC: what goes in comes out."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from headcount.v1 import admin_service_pb2 as admin
from headcount.v1 import audience_service_pb2 as audience
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount.v1 import schema_service_pb2 as schema
from headcount.v1 import segment_service_pb2 as segments
from headcount.v1.rule_pb2 import Rule
from headcount.v1.value_pb2 import Identifier, ValueType
from tests.service.calling import Stubs, bit, failed

INT, TEXT, FLOAT = ValueType.VALUE_TYPE_INT, ValueType.VALUE_TYPE_TEXT, ValueType.VALUE_TYPE_FLOAT


def count(stubs: Stubs, text: str) -> int:
    return stubs.audiences.CountAudience(
        audience.CountAudienceRequest(rule=Rule(text=text)), timeout=60
    ).count


def create(stubs: Stubs, id_: str, rule: str, **fields: object) -> segments.Segment:
    request = segments.CreateSegmentRequest(
        segment_id=id_, segment=segments.Segment(rule=Rule(text=rule), **fields)
    )
    return stubs.segments.CreateSegment(request, timeout=60)


# ------------------------------------------------------------------------------------------------ schema


def test_a_declared_attribute_is_in_the_schema_with_its_type(stubs: Stubs) -> None:
    declared = stubs.schema.DeclareAttributes(
        schema.DeclareAttributesRequest(
            attributes=[
                schema.Attribute(name="spent", type=ValueType.VALUE_TYPE_DECIMAL, digits=2),
                schema.Attribute(name="plan", type=TEXT),
            ],
            identifier_types=["email"],
        )
    )
    shown = stubs.schema.GetSchema(schema.GetSchemaRequest(min_version=declared.version))
    assert {a.name: (a.type, a.digits) for a in shown.attributes} == {
        "spent": (ValueType.VALUE_TYPE_DECIMAL, 2),
        "plan": (TEXT, 0),
    }
    assert list(shown.identifier_types) == ["email"]
    assert shown.version >= declared.version >= 1


def test_declaring_the_same_again_changes_nothing_and_another_type_is_refused(stubs: Stubs) -> None:
    request = schema.DeclareAttributesRequest(attributes=[schema.Attribute(name="age", type=INT)])
    stubs.schema.DeclareAttributes(request)
    again = stubs.schema.DeclareAttributes(request)
    assert [a.name for a in again.attributes] == ["age"]
    other = schema.DeclareAttributesRequest(attributes=[schema.Attribute(name="age", type=TEXT)])
    assert failed(stubs.schema.DeclareAttributes, other).code is grpc.StatusCode.FAILED_PRECONDITION


def test_a_declared_event_property_is_in_the_schema(stubs: Stubs) -> None:
    request = schema.DeclareEventsRequest()
    request.event_types.add(name="purchase").properties.add(name="amount", type=FLOAT)
    stubs.schema.DeclareEvents(request)
    shown = stubs.schema.GetSchema(schema.GetSchemaRequest())
    assert [(e.name, [(p.name, p.type) for p in e.properties]) for e in shown.event_types] == [
        ("purchase", [("amount", FLOAT)])
    ]


def test_the_schema_counts_events_if_asked(people: Stubs) -> None:
    shown = people.schema.GetSchema(schema.GetSchemaRequest(include_counts=True))
    assert [(e.name, e.event_count, e.profile_count) for e in shown.event_types] == [("purchase", 15, 15)]
    assert {a.name: a.profile_count for a in shown.attributes} == {"age": 30, "plan": 30}
    assert (list(shown.tags), list(shown.channels)) == (["vip"], [])
    assert shown.version > 0 and shown.now.seconds > 0
    without = people.schema.GetSchema(schema.GetSchemaRequest())
    assert [(e.name, e.event_count, e.profile_count) for e in without.event_types] == [("purchase", 0, 0)]
    assert all(a.is_inferred and a.profile_count == 0 for a in without.attributes)
    (purchase,) = without.event_types
    assert purchase.is_inferred and purchase.properties[0].is_inferred
    declare = schema.DeclareAttributesRequest()
    declare.attributes.add(name="city", type=ValueType.VALUE_TYPE_TEXT)
    city = next(a for a in people.schema.DeclareAttributes(declare).attributes if a.name == "city")
    assert not city.is_inferred


# ------------------------------------------------------------------------------------------------ profiles


def test_a_profile_comes_back_as_it_was_written(stubs: Stubs) -> None:
    stubs.schema.DeclareAttributes(schema.DeclareAttributesRequest(identifier_types=["email"]))
    upsert = profiles.BatchUpsertProfilesRequest()
    row = upsert.profiles.add(key="ann")
    row.attributes["is_member"].bool_value = True
    row.attributes["age"].int_value = 41
    row.attributes["spent"].decimal_value.unscaled = 1250
    row.attributes["spent"].decimal_value.digits = 2
    row.attributes["score"].float_value = 0.5
    row.attributes["plan"].text_value = "pro"
    row.attributes["interests"].text_set_value.texts.extend(["golf", "cars"])
    row.attributes["seen"].instant_value.FromJsonString("2024-01-02T03:04:05.000006Z")
    birthday = row.attributes["born"].date_value
    birthday.year, birthday.month, birthday.day = 1983, 2, 28
    row.attributes["home"].point_value.latitude = 59.33
    row.attributes["home"].point_value.longitude = 18.07
    row.tags_added.extend(["vip", "beta"])
    row.channels_added.append("email")
    row.identifiers.add(type="email", value="ann@example.org")
    receipt = stubs.profiles.BatchUpsertProfiles(upsert)
    assert (receipt.accepted_rows, receipt.created_profiles) == (1, 1), receipt

    got = stubs.profiles.GetProfile(profiles.GetProfileRequest(key="ann", min_version=receipt.version))
    assert dict(got.attributes.items()) == dict(row.attributes.items()) | {
        "interests": _text_set("cars", "golf")
    }
    assert (list(got.tags), list(got.channels)) == (["beta", "vip"], ["email"])
    assert [(i.type, i.value) for i in got.identifiers] == [("email", "ann@example.org")]
    assert got.is_known and got.version >= receipt.version


def _text_set(*texts: str) -> object:
    value = profiles.ProfileRow().attributes["x"]
    value.text_set_value.texts.extend(texts)
    return value


def test_a_profile_is_found_by_its_identifier(stubs: Stubs) -> None:
    stubs.schema.DeclareAttributes(schema.DeclareAttributesRequest(identifier_types=["email"]))
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="ann").identifiers.add(type="email", value="ann@example.org")
    stubs.profiles.BatchUpsertProfiles(upsert)
    ann, nobody = (
        Identifier(type="email", value="ann@example.org"),
        Identifier(type="email", value="nobody@example.org"),
    )
    assert stubs.profiles.GetProfile(profiles.GetProfileRequest(identifier=ann)).key == "ann"
    looked_up = stubs.profiles.LookupProfiles(profiles.LookupProfilesRequest(identifiers=[nobody, ann]))
    assert list(looked_up.keys) == ["", "ann"]
    refused = failed(stubs.profiles.GetProfile, profiles.GetProfileRequest(identifier=nobody))
    assert refused.code is grpc.StatusCode.NOT_FOUND


def test_null_unsets_an_attribute_and_what_is_not_mentioned_stays(people: Stubs) -> None:
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="p0").attributes["plan"].null_value = 0
    upsert.profiles.add(key="p1", unset_attributes=["age"])
    assert people.profiles.BatchUpsertProfiles(upsert).accepted_rows == 2
    first = people.profiles.GetProfile(profiles.GetProfileRequest(key="p0"))
    second = people.profiles.GetProfile(profiles.GetProfileRequest(key="p1"))
    assert set(first.attributes) == {"age"} and set(second.attributes) == {"plan"}


def test_tags_are_taken_away_before_others_are_added_in_one_row(people: Stubs) -> None:
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="p0", tags_removed=["vip"], tags_added=["old"])
    people.profiles.BatchUpsertProfiles(upsert)
    assert list(people.profiles.GetProfile(profiles.GetProfileRequest(key="p0")).tags) == ["old"]
    assert count(people, 'tag "vip"') == 5


def test_answers_about_consent_topics_are_kept_and_given_back(people: Stubs) -> None:
    by_row = profiles.BatchUpsertProfilesRequest()
    by_row.profiles.add(key="p0").consents.add(topic="news", subscribed=True)
    by_row.profiles.add(key="p1").consents.add(topic="news", subscribed=False)
    assert people.profiles.BatchUpsertProfiles(by_row).accepted_rows == 2
    by_column = profiles.BatchUpsertProfilesRequest()
    by_column.batch.keys.extend(["p1", "p2", "p3"])
    by_column.batch.consents.add(topic="news", subscribed=b"\1\0\1", present=b"\5")
    assert people.profiles.BatchUpsertProfiles(by_column).accepted_rows == 3
    assert count(people, 'consent "news"') == 3
    (answer,) = people.profiles.GetProfile(profiles.GetProfileRequest(key="p1")).consents
    assert (answer.topic, answer.subscribed) == ("news", True)
    assert answer.time.ToJsonString().startswith("2024-06-15T12:")
    assert not people.profiles.GetProfile(profiles.GetProfileRequest(key="p2")).consents


def test_the_newest_answer_by_its_own_instant_stands_however_it_is_sent(people: Stubs) -> None:
    by_row = profiles.BatchUpsertProfilesRequest()
    for key, subscribed, time in (
        ("p0", True, "2024-06-10T00:00:00Z"),
        ("p0", False, "2024-06-09T00:00:00Z"),
        ("p1", True, "2024-06-10T00:00:00Z"),
        ("p2", True, "2024-06-15T13:00:00Z"),
    ):
        answer = by_row.profiles.add(key=key).consents.add(topic="news", subscribed=subscribed)
        answer.time.FromJsonString(time)
    by_row.profiles.add(key="p3").consents.add(topic="news", subscribed=True)
    taken = people.profiles.BatchUpsertProfiles(by_row)
    assert taken.accepted_rows == 4
    assert [(r.row, r.reason) for r in taken.rejected_rows] == [(3, "OUTSIDE_WINDOW")]
    assert count(people, 'consent "news"') == 3
    by_column = profiles.BatchUpsertProfilesRequest()
    by_column.batch.keys.extend(["p0", "p1", "p3"])
    june = [1_718_064_000_000_000, 1_717_900_000_000_000, -(1 << 63)]
    by_column.batch.consents.add(topic="news", subscribed=b"\0\0\0", times_us=struct.pack("<3q", *june))
    assert people.profiles.BatchUpsertProfiles(by_column).accepted_rows == 3
    assert count(people, 'consent "news"') == 1
    (said,) = people.profiles.GetProfile(profiles.GetProfileRequest(key="p0")).consents
    assert (said.subscribed, said.time.ToJsonString()) == (False, "2024-06-11T00:00:00Z")
    (said,) = people.profiles.GetProfile(profiles.GetProfileRequest(key="p1")).consents
    assert (said.subscribed, said.time.ToJsonString()) == (True, "2024-06-10T00:00:00Z")
    by_column.batch.consents[0].times_us = b"123"
    assert failed(people.profiles.BatchUpsertProfiles, by_column).fields == ("batch.consents[0].times_us",)


def test_a_topic_is_declared_opt_in_or_opt_out_and_that_decides_where_nobody_answered(people: Stubs) -> None:
    declared = schema.DeclareAttributesRequest()
    declared.consent_topics.add(name="news", mode=schema.CONSENT_MODE_OPT_OUT)
    declared.consent_topics.add(name="sms", mode=schema.CONSENT_MODE_OPT_IN)
    declared.validate_only = True
    assert not people.schema.DeclareAttributes(declared).consent_topics
    declared.validate_only = False
    found = people.schema.DeclareAttributes(declared)
    assert [(t.name, t.mode) for t in found.consent_topics] == [("news", 2), ("sms", 1)]
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="p0").consents.add(topic="news", subscribed=False)
    upsert.profiles.add(key="p1").consents.add(topic="sms", subscribed=True)
    people.profiles.BatchUpsertProfiles(upsert)
    assert count(people, 'consent "news"') == 29 and count(people, 'consent "sms"') == 1
    declared.consent_topics[0].mode = schema.CONSENT_MODE_OPT_IN
    people.schema.DeclareAttributes(declared)
    assert count(people, 'consent "news"') == 0
    declared.consent_topics[1].mode = schema.CONSENT_MODE_UNSPECIFIED
    assert failed(people.schema.DeclareAttributes, declared).fields == ("consent_topics[1].mode",)


def test_a_tracked_attribute_tells_for_how_long_it_has_been_so(stubs: Stubs) -> None:
    declared = schema.DeclareAttributesRequest(
        attributes=[schema.Attribute(name="plan", type=TEXT, tracked=True)]
    )
    assert stubs.schema.DeclareAttributes(declared).attributes[0].tracked
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="a").attributes["plan"].text_value = "pro"
    stubs.profiles.BatchUpsertProfiles(upsert)
    assert count(stubs, 'plan has been "pro" for less than 1 days') == 1
    assert count(stubs, 'plan has been "pro" for at least 1 days') == 0


def test_profiles_come_in_as_columns_of_raw_bytes(stubs: Stubs) -> None:
    rows = 1_000
    request = profiles.BatchUpsertProfilesRequest()
    batch = request.batch
    batch.keys.extend(f"k{i}" for i in range(rows))
    batch.attributes.add(name="age", type=INT, values=np.arange(rows, dtype="<i8").tobytes())
    batch.attributes.add(
        name="plan",
        type=TEXT,
        texts=["pro"] * rows,
        present=np.packbits(np.arange(rows) % 2 == 0, bitorder="little").tobytes(),
    )
    batch.attributes.add(
        name="born",
        type=ValueType.VALUE_TYPE_DATE,
        values=np.zeros(rows, dtype="<i4").tobytes(),
        nulls=np.packbits(np.arange(rows) < 10, bitorder="little").tobytes(),
    )
    batch.tags_added.type = ValueType.VALUE_TYPE_TEXT_SET
    batch.tags_added.texts.extend(["vip"] * 3)
    batch.tags_added.offsets = np.minimum(np.arange(rows + 1), 3).astype("<u4").tobytes()
    answer = stubs.profiles.BatchUpsertProfiles(request)
    assert (answer.accepted_rows, answer.created_profiles) == (rows, rows), answer.rejected_rows[:3]
    assert count(stubs, "age >= 990") == 10
    assert count(stubs, 'plan = "pro"') == 500
    assert count(stubs, "born exists") == 990
    assert count(stubs, 'tag "vip"') == 3


def test_a_bad_row_is_reported_by_position_and_the_rest_is_written(stubs: Stubs) -> None:
    request = profiles.BatchUpsertProfilesRequest()
    for key in ("a", "", "c"):
        request.profiles.add(key=key).attributes["age"].int_value = 1
    answer = stubs.profiles.BatchUpsertProfiles(request)
    assert answer.accepted_rows == 2
    assert [(r.row, r.reason) for r in answer.rejected_rows] == [(1, "BAD_KEY")]


def test_with_create_off_an_unknown_key_is_rejected(people: Stubs) -> None:
    request = profiles.BatchUpsertProfilesRequest(create=False)
    request.profiles.add(key="p0").attributes["age"].int_value = 99
    request.profiles.add(key="stranger").attributes["age"].int_value = 99
    answer = people.profiles.BatchUpsertProfiles(request)
    assert [(r.row, r.reason) for r in answer.rejected_rows] == [(1, "UNKNOWN_PROFILE")]
    assert count(people, "everyone") == 30


def test_profiles_of_a_rule_are_listed_page_by_page_without_gap_or_repetition(people: Stubs) -> None:
    keys: list[str] = []
    token = ""
    while True:
        page = people.profiles.ListProfiles(
            profiles.ListProfilesRequest(
                filter=Rule(text='plan = "pro"'), page_size=3, page_token=token, attributes=["age"]
            )
        )
        assert page.total_size == 10
        assert all(set(p.attributes) == {"age"} for p in page.profiles)
        keys.extend(p.key for p in page.profiles)
        token = page.next_page_token
        if not token:
            break
    assert sorted(keys) == sorted(f"p{i}" for i in range(1, 30, 3))


def test_without_a_filter_everyone_is_listed(people: Stubs) -> None:
    page = people.profiles.ListProfiles(profiles.ListProfilesRequest())
    assert len(page.profiles) == page.total_size == 30
    assert [p.id for p in page.profiles] == list(range(30))


@pytest.mark.parametrize("token", ["x", "AAAA", "é"])
def test_a_forged_page_token_is_refused(people: Stubs, token: str) -> None:
    refused = failed(people.profiles.ListProfiles, profiles.ListProfilesRequest(page_token=token))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT and refused.fields == ("page_token",)


def test_a_page_token_goes_with_its_own_filter(people: Stubs) -> None:
    page = people.profiles.ListProfiles(profiles.ListProfilesRequest(page_size=1))
    other = profiles.ListProfilesRequest(filter=Rule(text="age > 1"), page_token=page.next_page_token)
    assert failed(people.profiles.ListProfiles, other).fields == ("page_token",)


# ------------------------------------------------------------------------------------------------ events


def event_columns(batch: object, rows: int) -> None:
    batch.event_names.append("view")
    batch.keys.extend(f"p{i % 30}" for i in range(rows))
    start_us = 1_718_000_000_000_000
    batch.times_us = (start_us + np.arange(rows, dtype="<i8")).tobytes()
    batch.properties.add(name="amount", type=INT, values=np.arange(rows, dtype="<i8").tobytes())


def test_events_come_in_as_columns(people: Stubs) -> None:
    request = events.TrackEventsRequest()
    event_columns(request.batch, 900)
    answer = people.events.TrackEvents(request)
    assert answer.accepted_rows == 900, answer.rejected_rows[:3]
    assert count(people, "did view at least 30 times") == 30
    assert count(people, "did view where amount >= 890") == 10


def test_tags_are_added_and_taken_away(people: Stubs) -> None:
    upsert = profiles.BatchUpsertProfilesRequest()
    upsert.profiles.add(key="p0", tags_removed=["vip"])
    upsert.profiles.add(key="p1", tags_added=["vip", "old"])
    people.profiles.BatchUpsertProfiles(upsert)
    assert list(people.profiles.GetProfile(profiles.GetProfileRequest(key="p0")).tags) == []
    assert list(people.profiles.GetProfile(profiles.GetProfileRequest(key="p1")).tags) == ["old", "vip"]


def test_an_event_sent_again_under_its_id_is_counted_once(people: Stubs) -> None:
    request = events.TrackEventsRequest()
    event = request.events.add(event_name="login", key="p0", event_id="e-1")
    event.time.FromJsonString("2024-06-15T11:00:00Z")
    assert people.events.TrackEvents(request).duplicate_events == 0
    again = people.events.TrackEvents(request)
    assert (again.accepted_rows, again.duplicate_events) == (1, 1)
    assert count(people, "did login at least 2 times") == 0


def test_a_stream_of_batches_is_answered_batch_by_batch_in_order(people: Stubs) -> None:
    def requests() -> object:
        for number in range(5):
            request = events.IngestStreamRequest(batch_number=number + 100)
            event_columns(request.events, 60)
            yield request
        last = events.IngestStreamRequest(batch_number=7)
        last.profiles.keys.append("newcomer")
        yield last

    answers = list(people.events.IngestStream(requests(), timeout=60))
    assert [a.batch_number for a in answers] == [100, 101, 102, 103, 104, 7]
    assert [a.total_accepted_rows for a in answers] == [60, 120, 180, 240, 300, 301]
    versions = [a.version for a in answers]
    assert versions == sorted(set(versions))
    assert answers[-1].created_profiles == 1
    assert count(people, "did view at least 10 times") == 30


def test_an_unreadable_batch_ends_the_stream_and_those_before_stay(people: Stubs) -> None:
    good = events.IngestStreamRequest()
    event_columns(good.events, 30)
    bad = events.IngestStreamRequest()
    event_columns(bad.events, 30)
    bad.events.times_us = bad.events.times_us[:-1]
    answers = people.events.IngestStream(iter([good, bad]), timeout=60)
    assert next(answers).accepted_rows == 30
    refused = failed(lambda timeout: answers)
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT and refused.fields == ("events.times_us",)
    assert count(people, "did view") == 30


# ------------------------------------------------------------------------------------------------ segments


def test_a_segment_comes_back_with_its_exact_size(people: Stubs) -> None:
    made = create(
        people, "adults", "age >= 18", display_name="Adults", folder="people", labels=["core", "team=crm"]
    )
    assert (made.name, made.display_name, made.size) == ("segments/adults", "Adults", 22)
    got = people.segments.GetSegment(segments.GetSegmentRequest(name="segments/adults"))
    assert (got.rule.text, list(got.labels), got.folder) == ("age >= 18", ["core", "team=crm"], "people")
    assert got.kind == segments.SEGMENT_KIND_DATA_DRIVEN and got.state == segments.SEGMENT_STATE_LIVE
    assert got.etag and got.create_time.seconds > 0


def test_segments_refer_to_one_another_by_rule(people: Stubs) -> None:
    create(people, "adults", "age >= 18")
    create(people, "paying-adults", 'in segment "adults" and plan != "free"')
    by_name = audience.CountAudienceRequest(rule=Rule(segment="segments/paying-adults"))
    direct = count(people, 'age >= 18 and plan != "free"')
    assert people.audiences.CountAudience(by_name).count == direct == 15
    refused = failed(people.segments.DeleteSegment, segments.DeleteSegmentRequest(name="segments/adults"))
    assert refused.code is grpc.StatusCode.FAILED_PRECONDITION
    assert (refused.reason, refused.metadata["dependents"]) == ("HAS_DEPENDENTS", "paying-adults")


def test_segments_are_listed_filtered_ordered_and_in_pages(people: Stubs) -> None:
    create(people, "a", "age >= 35", folder="x", display_name="Alpha")
    create(people, "b", "age >= 20", folder="x", display_name="Beta")
    create(people, "c", "age >= 30", labels=["core"], display_name="Gamma")
    everything = people.segments.ListSegments(segments.ListSegmentsRequest(order_by="size desc"))
    assert [(s.name, s.size) for s in everything.segments] == [
        ("segments/b", 20),
        ("segments/c", 10),
        ("segments/a", 5),
    ]
    listed = people.segments.ListSegments

    def names(**fields: object) -> list[str]:
        return [s.name for s in listed(segments.ListSegmentsRequest(**fields)).segments]

    assert names() == ["segments/a", "segments/b", "segments/c"]
    assert names(folder="x", order_by="display_name desc") == ["segments/b", "segments/a"]
    assert names(label="core") == ["segments/c"]
    assert names(text="BET") == ["segments/b"]
    assert names(kind=segments.SEGMENT_KIND_MANUAL) == []
    first = listed(segments.ListSegmentsRequest(page_size=2))
    second = listed(segments.ListSegmentsRequest(page_size=2, page_token=first.next_page_token))
    assert [s.name for s in (*first.segments, *second.segments)] == ["segments/a", "segments/b", "segments/c"]
    assert (first.total_size, second.next_page_token) == (3, "")


def test_an_update_changes_what_its_mask_names(people: Stubs) -> None:
    made = create(people, "s", "age >= 18", description="first")
    request = segments.UpdateSegmentRequest(
        segment=segments.Segment(
            name="segments/s", rule=Rule(text="age >= 30"), description="ignored", etag=made.etag
        )
    )
    request.update_mask.paths.append("rule")
    changed = people.segments.UpdateSegment(request)
    assert (changed.size, changed.description) == (10, "first")
    assert changed.etag != made.etag
    stale = failed(people.segments.UpdateSegment, request)
    assert (stale.code, stale.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


def test_a_copy_has_its_own_id_and_the_same_rule(people: Stubs) -> None:
    create(people, "s", "age >= 18")
    copy = people.segments.DuplicateSegment(
        segments.DuplicateSegmentRequest(name="segments/s", segment_id="t", display_name="T")
    )
    assert (copy.name, copy.rule.text, copy.size) == ("segments/t", "age >= 18", 22)


def test_a_deleted_segment_is_gone(people: Stubs) -> None:
    create(people, "s", "age >= 18")
    people.segments.DeleteSegment(segments.DeleteSegmentRequest(name="segments/s"))
    refused = failed(people.segments.GetSegment, segments.GetSegmentRequest(name="segments/s"))
    assert (refused.code, refused.metadata["kind"]) == (grpc.StatusCode.NOT_FOUND, "segment")
    create(people, "s", "age >= 19")


def test_an_id_is_given_once(people: Stubs) -> None:
    create(people, "s", "age >= 18")
    request = segments.CreateSegmentRequest(
        segment_id="s", segment=segments.Segment(rule=Rule(text="everyone"))
    )
    assert failed(people.segments.CreateSegment, request).code is grpc.StatusCode.ALREADY_EXISTS


# ------------------------------------------------------------------------------------------------ audiences


def test_a_count_says_of_how_many_and_when(people: Stubs) -> None:
    answer = people.audiences.CountAudience(
        audience.CountAudienceRequest(rule=Rule(text="did purchase where amount > 10 in last 7 days"))
    )
    assert (answer.count, answer.total) == (9, 30)
    assert answer.version >= 2 and answer.now.ToJsonString().startswith("2024-06-15T12:")


def test_a_count_at_another_instant_sees_the_events_of_then(people: Stubs) -> None:
    request = audience.CountAudienceRequest(rule=Rule(text="did purchase"))
    request.at.FromJsonString("2024-06-01T00:00:00Z")
    assert people.audiences.CountAudience(request).count == 0


def test_one_profile_is_checked_against_segments_and_then_rules(people: Stubs) -> None:
    create(people, "adults", "age >= 18")
    create(people, "payers", "did purchase")
    request = audience.CheckMembershipRequest(
        key="p9",
        segments=["segments/payers", "segments/adults"],
        rules=[Rule(text='plan = "free"'), Rule(segment="segments/payers")],
    )
    answer = people.audiences.CheckMembership(request)
    assert answer.exists
    assert [bit(answer.member_bits, i) for i in range(4)] == [False, True, True, False]
    request.key = "stranger"
    unknown = people.audiences.CheckMembership(request)
    assert not unknown.exists and unknown.member_bits == b"\0"


def test_many_profiles_are_checked_in_one_matrix(people: Stubs) -> None:
    create(people, "adults", "age >= 18")
    request = audience.BatchCheckMembershipRequest(
        keys=[f"p{i}" for i in range(30)], segments=["segments/adults"], rules=[Rule(text="did purchase")] * 2
    )
    answer = people.audiences.BatchCheckMembership(request)
    assert answer.exists_bits == b""
    matrix = [[bit(answer.member_bits, p * 3 + q) for q in range(3)] for p in range(30)]
    assert matrix == [[i >= 8, i % 2 == 0, i % 2 == 0] for i in range(30)]
    request.keys.append("stranger")
    with_stranger = people.audiences.BatchCheckMembership(request)
    assert [bit(with_stranger.exists_bits, p) for p in range(31)] == [True] * 30 + [False]
    request.ids.append(3)
    assert failed(people.audiences.BatchCheckMembership, request).fields == ("ids",)
    request.ClearField("keys")
    request.ids.append(77)
    by_id = people.audiences.BatchCheckMembership(request)
    assert [bit(by_id.member_bits, i) for i in range(6)] == [False] * 6
    request.ids[:] = [8, 8, 9]
    by_id = people.audiences.BatchCheckMembership(request)
    assert [bit(by_id.member_bits, i) for i in range(9)] == [True, True, True] * 2 + [True, False, False]


def test_checks_on_a_stream_are_answered_one_by_one(people: Stubs) -> None:
    def questions() -> object:
        for number in range(20):
            yield audience.StreamCheckMembershipRequest(
                check_number=number,
                check=audience.BatchCheckMembershipRequest(
                    keys=[f"p{number}"], rules=[Rule(text="age >= 18")]
                ),
            )

    answers = list(people.audiences.StreamCheckMembership(questions(), timeout=60))
    assert [(a.check_number, a.answer.member_bits) for a in answers] == [
        (n, b"\1" if n >= 8 else b"\0") for n in range(20)
    ]


def test_all_segments_of_a_profile_are_listed_by_id(people: Stubs) -> None:
    create(people, "payers", "did purchase")
    create(people, "adults", "age >= 18")
    create(people, "nobody", "age > 1000")
    answer = people.audiences.ListMemberships(audience.ListMembershipsRequest(key="p10"))
    assert list(answer.segments) == ["segments/adults", "segments/payers"]
    got = people.profiles.GetProfile(profiles.GetProfileRequest(key="p10"))
    assert list(got.segments) == ["segments/adults", "segments/payers"]
    refused = failed(people.audiences.ListMemberships, audience.ListMembershipsRequest(key="stranger"))
    assert refused.code is grpc.StatusCode.NOT_FOUND


def test_reads_show_the_writes_that_they_ask_for(stubs: Stubs) -> None:
    for i in range(20):
        request = profiles.BatchUpsertProfilesRequest()
        request.profiles.add(key=f"k{i}").attributes["age"].int_value = i
        version = stubs.profiles.BatchUpsertProfiles(request).version
        asked = audience.CountAudienceRequest(rule=Rule(text="age exists"), min_version=version)
        assert stubs.audiences.CountAudience(asked).count == i + 1


# ------------------------------------------------------------------------------------------------ repetition


def test_a_write_sent_again_under_its_request_id_gets_the_first_answer(people: Stubs) -> None:
    request = events.TrackEventsRequest(request_id="r-1")
    request.events.add(event_name="login", key="p0").time.FromJsonString("2024-06-15T11:00:00Z")
    first = people.events.TrackEvents(request)
    assert people.events.TrackEvents(request) == first
    assert count(people, "did login at least 2 times") == 0
    request.events[0].key = "p1"
    refused = failed(people.events.TrackEvents, request)
    assert (refused.code, refused.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ("request_id",))


# ------------------------------------------------------------------------------------------------ administration


def test_the_status_counts_what_is_there(people: Stubs) -> None:
    create(people, "s", "everyone")
    status = people.admin.GetStatus(admin.GetStatusRequest())
    assert (status.profiles, status.events, status.segments) == (30, 15, 1)
    assert status.state == admin.SERVING_STATE_SERVING
    assert status.event_types == 1 and status.attributes >= 2
    by_method = {m.method: m for m in status.latencies}
    assert by_method["SegmentService/CreateSegment"].calls == 1
    assert 0 < by_method["EventService/TrackEvents"].p50_us <= by_method["EventService/TrackEvents"].max_us


def test_many_callers_at_once_all_get_exact_answers(people: Stubs) -> None:
    def ask(i: int) -> int:
        return count(people, f"age >= {10 + i % 30}")

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(300))) == [30 - i % 30 for i in range(300)]


def test_a_bool_is_a_byte_of_zero_or_one(stubs: Stubs) -> None:
    request = profiles.BatchUpsertProfilesRequest()
    request.batch.keys.extend(["a", "b"])
    request.batch.attributes.add(name="x", type=ValueType.VALUE_TYPE_BOOL, values=struct.pack("BB", 1, 2))
    refused = failed(stubs.profiles.BatchUpsertProfiles, request)
    assert refused.fields == ("batch.attributes[0].values",)
