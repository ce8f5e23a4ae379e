"""Settings over real gRPC: what a mask may name, and what it may not."""

from __future__ import annotations

import grpc
import pytest

from headcount.v1 import admin_service_pb2 as admin
from headcount.v1 import schema_service_pb2 as schemas
from headcount.v1 import value_pb2
from tests.service.calling import TIMEOUT_S, Stubs, failed

CODE = grpc.StatusCode


def update(stubs: Stubs, *paths: str, **fields: object) -> admin.Settings:
    request = admin.UpdateSettingsRequest(settings=admin.Settings(**fields), update_mask={"paths": paths})  # type: ignore[arg-type]
    return stubs.admin.UpdateSettings(request, timeout=TIMEOUT_S)


def test_only_what_the_mask_names_changes(stubs: Stubs) -> None:
    before = stubs.admin.GetSettings(admin.GetSettingsRequest())
    assert (before.default_zone, before.first_day_of_week) == ("UTC", admin.DAY_OF_WEEK_MONDAY)
    assert before.deduplication_horizon.seconds == 7 * 86_400 and before.limits["rule_leaves"] == 1_000
    made = update(
        stubs, "first_day_of_week", first_day_of_week=admin.DAY_OF_WEEK_SUNDAY, default_zone="Asia/Tokyo"
    )
    assert (made.default_zone, made.first_day_of_week) == ("UTC", admin.DAY_OF_WEEK_SUNDAY)
    assert made.version == before.version + 1
    assert stubs.admin.GetSettings(admin.GetSettingsRequest()).etag == made.etag != before.etag


@pytest.mark.parametrize(
    ("paths", "fields", "code", "at_fault"),
    [
        ((), {}, CODE.INVALID_ARGUMENT, "update_mask"),
        (("colour",), {}, CODE.INVALID_ARGUMENT, "update_mask"),
        (("first_day_of_week",), {}, CODE.INVALID_ARGUMENT, "settings.first_day_of_week"),
        (("infers_events",), {}, CODE.INVALID_ARGUMENT, "settings.infers_events"),
        (
            ("infers_attributes", "infers_events"), {"infers_events": True},
            CODE.INVALID_ARGUMENT, "settings.infers_attributes",
        ),
        (("limits.profiles",), {}, CODE.UNIMPLEMENTED, None),
        (("change_retention",), {}, CODE.UNIMPLEMENTED, None),
        (("infers_attributes",), {"etag": "old"}, CODE.INVALID_ARGUMENT, "settings.infers_attributes"),
    ],
)  # fmt: skip
def test_a_mask_that_cannot_be_is_refused_with_its_field(
    stubs: Stubs, paths: tuple[str, ...], fields: dict[str, object], code: CODE, at_fault: str | None
) -> None:
    refused = failed(lambda **_: update(stubs, *paths, **fields))
    assert refused.code is code
    if at_fault is not None:
        assert refused.fields == (at_fault,)


def test_a_declaration_can_be_tried_without_being_made(stubs: Stubs) -> None:
    attribute = schemas.Attribute(name="age", type=value_pb2.VALUE_TYPE_INT)
    tried = stubs.schema.DeclareAttributes(
        schemas.DeclareAttributesRequest(attributes=[attribute], validate_only=True)
    )
    assert [a.name for a in tried.attributes] == []
    assert stubs.schema.GetSchema(schemas.GetSchemaRequest()).version == tried.version
    stubs.schema.DeclareAttributes(schemas.DeclareAttributesRequest(attributes=[attribute]))
    attribute.type = value_pb2.VALUE_TYPE_TEXT
    request = schemas.DeclareAttributesRequest(attributes=[attribute], validate_only=True)
    assert failed(stubs.schema.DeclareAttributes, request).code is CODE.FAILED_PRECONDITION

    def event(type_: value_pb2.ValueType) -> schemas.DeclareEventsRequest:
        prop = schemas.EventProperty(name="amount", type=type_)
        kinds = [schemas.EventType(name="buy", properties=[prop])]
        return schemas.DeclareEventsRequest(event_types=kinds, validate_only=True)

    assert not stubs.schema.DeclareEvents(event(value_pb2.VALUE_TYPE_INT)).event_types
    made = event(value_pb2.VALUE_TYPE_INT)
    made.validate_only = False
    stubs.schema.DeclareEvents(made)
    refused = failed(stubs.schema.DeclareEvents, event(value_pb2.VALUE_TYPE_TEXT))
    assert refused.code is CODE.FAILED_PRECONDITION
