"""Calls about what profiles and events may hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from headcount import values
from headcount.v1 import schema_service_pb2 as schemas
from headcount.v1 import value_pb2
from headcount.wire import decode, encode
from headcount.wire.calls import Asked, Unary, request_id_or_new, unary

_TYPES = {name: kind for kind, name in decode.TYPE_NAMES.items()}


def _value_type(text: str, field: str) -> tuple[value_pb2.ValueType, int]:
    """`decimal(2)` as a type and its digits."""
    name = text.strip().lower()
    if name.startswith("decimal(") and name.endswith(")") and name[8:-1].strip().isdigit():
        return value_pb2.VALUE_TYPE_DECIMAL, int(name[8:-1])
    if name not in _TYPES:
        raise encode.refused(field, f"unknown type {text!r}; one of {', '.join(_TYPES)}, decimal(0..6)")
    return _TYPES[name], 0


def get_schema(include_counts: bool, asked: Asked) -> Unary[values.Schema]:
    request = schemas.GetSchemaRequest(
        include_counts=include_counts,
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    return unary("SchemaService", "GetSchema", request, schemas.Schema, decode.schema)


def declare_attributes(
    attributes: Mapping[str, str],
    tracked: Iterable[str],
    identifiers: Iterable[str],
    consent_topics: Mapping[str, bool],
    validate_only: bool,
    request_id: str | None,
) -> Unary[values.Schema]:
    remembered = set(encode.text_list(tracked, "tracked"))
    if unknown := sorted(remembered - attributes.keys()):
        raise encode.refused("tracked", f"{unknown[0]!r} is not among the attributes declared here")
    request = schemas.DeclareAttributesRequest(
        identifier_types=encode.text_list(identifiers, "identifiers"),
        consent_topics=[
            schemas.ConsentTopic(
                name=topic,
                mode=schemas.CONSENT_MODE_OPT_IN if opt_in else schemas.CONSENT_MODE_OPT_OUT,
            )
            for topic, opt_in in consent_topics.items()
        ],
        validate_only=validate_only,
        request_id=request_id_or_new(request_id),
    )
    for name, text in attributes.items():
        kind, digits = _value_type(text, f"attributes.{name}")
        request.attributes.add(name=name, type=kind, digits=digits, tracked=name in remembered)
    return unary("SchemaService", "DeclareAttributes", request, schemas.Schema, decode.schema)


def declare_events(
    event_types: Mapping[str, Mapping[str, str]],
    retention: Mapping[str, dt.timedelta],
    validate_only: bool,
    request_id: str | None,
) -> Unary[values.Schema]:
    request = schemas.DeclareEventsRequest(
        validate_only=validate_only, request_id=request_id_or_new(request_id)
    )
    for name, properties in event_types.items():
        declared = request.event_types.add(name=name)
        if name in retention:
            declared.retention.CopyFrom(encode.duration(retention[name], f"retention.{name}"))
        for prop, text in properties.items():
            kind, digits = _value_type(text, f"event_types.{name}.{prop}")
            declared.properties.add(name=prop, type=kind, digits=digits)
    return unary("SchemaService", "DeclareEvents", request, schemas.Schema, decode.schema)
