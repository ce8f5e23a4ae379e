"""The schema, both ways. Identifier types are, to the engine, attributes that identify."""

from __future__ import annotations

from collections.abc import Iterable

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import SchemaCounts, SchemaView
from headcount_engine.model.schema import AttributeDefinition, PropertyDefinition
from headcount_engine.model.values import Kind, ValueType
from headcount_server.errors import NotServed
from headcount_server.wire import messages
from headcount_server.wire.fields import stamp
from headcount_server.wire.values import type_number, value_type

_IS_OPT_IN = {
    messages.ConsentMode.CONSENT_MODE_OPT_IN: True,
    messages.ConsentMode.CONSENT_MODE_OPT_OUT: False,
}


def attribute_definitions(request: messages.DeclareAttributesRequest) -> list[AttributeDefinition]:
    """What to declare."""
    made: list[AttributeDefinition] = []
    for i, attribute in enumerate(request.attributes):
        path = f"attributes[{i}]"
        _refuse_description(attribute.description, path)
        type_ = value_type(attribute.type, attribute.digits, path)
        made.append(AttributeDefinition(_user_name(attribute.name, path), type_, attribute.tracked))
    made.extend(
        AttributeDefinition(
            _user_name(name, f"identifier_types[{i}]"), ValueType(Kind.TEXT), is_identifier=True
        )
        for i, name in enumerate(request.identifier_types)
    )
    return made


def consent_topics(request: messages.DeclareAttributesRequest) -> dict[str, bool]:
    """By topic, whether it is opt-in."""
    found: dict[str, bool] = {}
    for i, topic in enumerate(request.consent_topics):
        path = f"consent_topics[{i}]"
        _refuse_description(topic.description, path)
        if topic.mode not in _IS_OPT_IN:
            raise InvalidArgument("a topic is opt-in or opt-out", path=f"{path}.mode")
        if topic.name in found:
            raise InvalidArgument("a topic twice", path=f"{path}.name")
        found[topic.name] = _IS_OPT_IN[topic.mode]
    return found


def property_definitions(request: messages.DeclareEventsRequest) -> list[PropertyDefinition]:
    """What to declare. An event type is there once a property or an event of it is."""
    made: list[PropertyDefinition] = []
    for i, event in enumerate(request.event_types):
        path = f"event_types[{i}]"
        _refuse_description(event.description, path)
        if not event.properties and not event.HasField("retention"):
            raise InvalidArgument(
                "at least one property, or a retention; events without any need no declaration", path=path
            )
        for j, prop in enumerate(event.properties):
            inner = f"{path}.properties[{j}]"
            _refuse_description(prop.description, inner)
            made.append(PropertyDefinition(event.name, prop.name, value_type(prop.type, prop.digits, inner)))
    return made


def retentions(request: messages.DeclareEventsRequest) -> dict[str, int | None]:
    """How long raw events are kept, in microseconds, where the request says it; None for 0: for ever."""
    found: dict[str, int | None] = {}
    for i, event in enumerate(request.event_types):
        if event.HasField("retention"):
            kept = event.retention
            if kept.seconds < 0 or kept.nanos < 0 or kept.nanos % 1_000:
                path = f"event_types[{i}].retention"
                raise InvalidArgument("a duration in whole microseconds, not negative", path=path)
            found[event.name] = kept.seconds * 1_000_000 + kept.nanos // 1_000 or None
    return found


def _user_name(name: str, path: str) -> str:
    if name.startswith("$"):
        raise InvalidArgument("names that begin with $ are the engine's own", path=path)
    return name


def _refuse_description(description: str, path: str) -> None:
    if description:
        raise NotServed("keeping descriptions is", path=f"{path}.description")


def schema_answer(
    view: SchemaView, version: int, now_us: int, engine_us: int, counts: SchemaCounts | None = None
) -> messages.Schema:
    """Everything that rules can name but for tags and channels; with `counts`, how many profiles have it."""
    answer = messages.Schema(
        attributes=[
            messages.Attribute(
                name=a.name,
                type=type_number(a.type),
                digits=a.type.digits,
                tracked=a.is_tracked,
                is_inferred=a.is_inferred,
                profile_count=0 if counts is None else counts.attributes[a.name],
            )
            for a in view.attributes
            if not a.is_identifier and not a.name.startswith("$")
        ],
        identifier_types=[a.name for a in view.attributes if a.is_identifier],
        event_types=_event_types(view, counts),
        consent_topics=[
            messages.ConsentTopic(
                name=topic,
                mode=messages.ConsentMode.CONSENT_MODE_OPT_IN
                if is_opt_in
                else messages.ConsentMode.CONSENT_MODE_OPT_OUT,
            )
            for topic, is_opt_in in view.consent_topics.items()
        ],
    )
    stamp(answer, version, now_us, engine_us)
    return answer


def _event_types(view: SchemaView, counts: SchemaCounts | None) -> Iterable[messages.EventType]:
    made = {
        name: messages.EventType(name=name, is_inferred=name in view.inferred_events) for name in view.events
    }
    if counts is not None:
        for name, count in view.events.items():
            made[name].event_count = count
            made[name].profile_count = counts.events[name]
    for p in view.properties:
        made[p.event].properties.add(
            name=p.name, type=type_number(p.type), digits=p.type.digits, is_inferred=p.is_inferred
        )
    for name, kept_us in view.retentions.items():
        made[name].retention.FromMicroseconds(kept_us)
    return made.values()
