"""Staging of declarations: types may be added and repeated, never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from headcount_engine.errors import AlreadyExists, InvalidValue, LimitExceeded
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.staging import Staged
from headcount_engine.limits import Limits
from headcount_engine.model.schema import (
    AttributeDefinition,
    PropertyDefinition,
    answers_definition,
    checked_name,
    consent_attribute,
    stamp_definition,
)
from headcount_engine.model.values import Kind, ValueType


def stage_attributes(indexes: Indexes, definitions: Sequence[AttributeDefinition], limits: Limits) -> Staged:
    """New attributes; one that exists as declared is left alone. Raises AlreadyExists where it differs."""
    new: dict[str, Attribute] = {}
    for definition in definitions:
        name = checked_name(definition.name, "an attribute", limits)
        if name.startswith("$"):
            raise InvalidValue("names of attributes do not start with $", path=name)
        asked = AttributeDefinition(name, definition.type, definition.is_tracked, definition.is_identifier)
        held = indexes.attributes.get(name) or new.get(name)
        if held is None:
            new[name] = Attribute(asked)
            if asked.is_tracked:
                stamps = stamp_definition(name)
                new[stamps.name] = Attribute(stamps)
        elif held.definition != asked:
            raise AlreadyExists(f"attribute of type {held.definition.type}", name)
    if len(indexes.attributes.all()) + len(new) > limits.attributes:
        raise LimitExceeded("attributes", limits.attributes)
    return Staged(accepted=len(definitions), new_attributes=tuple(new.values()))


def stage_topics(indexes: Indexes, topics: Collection[str], limits: Limits) -> Staged:
    """Consent topics that profiles may answer about, as tracked attributes; those that exist are left alone."""
    new: dict[str, Attribute] = {}
    for topic in topics:
        name = consent_attribute(checked_name(topic, "a topic", limits))
        if indexes.attributes.get(name) is None:
            new[name] = Attribute(AttributeDefinition(name, ValueType(Kind.BOOL), is_tracked=True))
            for made in (stamp_definition(name), answers_definition(name)):
                new[made.name] = Attribute(made)
    if len(indexes.attributes.all()) + len(new) > limits.attributes:
        raise LimitExceeded("attributes", limits.attributes)
    return Staged(accepted=len(topics), new_attributes=tuple(new.values()))


def stage_properties(indexes: Indexes, definitions: Sequence[PropertyDefinition], limits: Limits) -> Staged:
    """New property types of events; raises AlreadyExists where one exists with another type."""
    declared: dict[str, dict[str, ValueType]] = {}
    for definition in definitions:
        event = checked_name(definition.event, "an event", limits)
        name = checked_name(definition.name, "a property", limits)
        of_event = declared.setdefault(event, {})
        held = indexes.events.type_of(event, name) or of_event.get(name)
        if held is not None and held != definition.type:
            raise AlreadyExists(f"property of type {held}", name)
        of_event[name] = definition.type
    return Staged(accepted=len(definitions), declared_events=declared)
