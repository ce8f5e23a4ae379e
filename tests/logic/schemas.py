"""What provers need to know, from the schemas and worlds of the oracle."""

from __future__ import annotations

from dataclasses import dataclass

from headcount_engine.bitmaps import EMPTY
from headcount_engine.conditions.needs import Meaning
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition
from headcount_engine.errors import UnknownName
from headcount_engine.logic.relations import Proofs
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Kind, ValueType
from tests.oracle.changes import Schema
from tests.oracle.world import Overridden, Segment, World

SET = ValueType(Kind.TEXT_SET)


@dataclass(frozen=True)
class Declared:
    """The types of a schema."""

    schema: Schema

    def attribute(self, name: str) -> ValueType | None:
        return SET if name in (TAGS, CHANNELS) else self.schema.attribute_types.get(name)

    def event_property(self, event: str, name: str) -> ValueType | None:
        return self.schema.property_types.get((event, name))


@dataclass(frozen=True)
class Saved:
    """Segments as the oracle defines them."""

    segments: dict[str, Segment]

    def meaning(self, segment: str) -> Meaning:
        match self.segments.get(segment):
            case None:
                raise UnknownName("segment", segment, ())
            case set():
                return Meaning(segment, None, EMPTY, EMPTY, True)
            case Overridden(rule):
                return Meaning(segment, rule, EMPTY, EMPTY, True)
            case rule:
                return Meaning(segment, rule, EMPTY, EMPTY, False)


def calendar(schema: Schema) -> Moment:
    """A moment with the schema's calendar; its now plays no part in proofs."""
    return Moment(0, schema.default_zone, schema.week_start)


def proofs(schema: Schema, *rules: Condition, world: World | None = None) -> Proofs:
    segments = {} if world is None else world.segments
    return Proofs(rules, Declared(schema), Saved(segments), calendar(schema))
