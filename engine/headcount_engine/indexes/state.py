"""All indexes as plain arrays, and back: what a store keeps between runs. Derived structures are rebuilt."""

from __future__ import annotations

from typing import cast

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.dictionaries import Dictionary, SetDictionary, TextDictionary
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.runs import Run
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import TextTable
from headcount_engine.model.batches import I64, U8, U32, U64, Texts
from headcount_engine.model.schema import AttributeDefinition
from headcount_engine.model.values import ValueType

Plain = None | bool | int | float | str | bytes | np.ndarray | list["Plain"] | dict[str, "Plain"]
Node = dict[str, Plain]


def _texts(table: TextTable) -> Plain:
    held = table.slice(0, len(table))
    return [held.data, held.offsets]


def _restore_texts(table: TextTable, plain: Plain) -> None:
    data, offsets = cast("list[np.ndarray]", plain)
    table.intern(Texts(data, offsets))


def _dictionary(dictionary: Dictionary | None) -> Plain:
    match dictionary:
        case None:
            return None
        case TextDictionary():
            return _texts(dictionary.table)
        case SetDictionary():
            return [_texts(dictionary.elements), _texts(dictionary.sets)]


def _restore_dictionary(dictionary: Dictionary | None, plain: Plain) -> None:
    match dictionary:
        case None:
            return
        case TextDictionary():
            _restore_texts(dictionary.table, plain)
        case SetDictionary():
            elements, sets = cast("list[Plain]", plain)
            _restore_texts(dictionary.elements, elements)
            _restore_texts(dictionary.sets, sets)


def _attribute(attribute: Attribute) -> Node:
    definition = attribute.definition
    return {
        "name": definition.name,
        "type": str(definition.type),
        "is_tracked": definition.is_tracked,
        "is_identifier": definition.is_identifier,
        "dtype": attribute.column.dtype.str,
        "blocks": list(attribute.column.blocks()),
        "dictionary": _dictionary(attribute.dictionary),
        "owners": attribute.owners,
    }


def _restore_attribute(node: Node) -> Attribute:
    attribute = Attribute(
        AttributeDefinition(
            cast("str", node["name"]),
            ValueType.parse(cast("str", node["type"])),
            bool(node["is_tracked"]),
            bool(node["is_identifier"]),
        )
    )
    attribute.column.restore(cast("list[Stored]", node["blocks"]), np.dtype(cast("str", node["dtype"])))
    _restore_dictionary(attribute.dictionary, node["dictionary"])
    attribute.owners = cast("U32", node["owners"])
    return attribute


def _run(run: Run) -> Node:
    return {
        "profiles": run.profiles,
        "times": run.times_us,
        "properties": dict(run.properties),
        "arrival_starts": run.arrival_starts,
        "arrival_batches": run.arrival_batches,
    }


def _restore_run(node: Node) -> Run:
    return Run(
        cast("U32", node["profiles"]),
        cast("I64", node["times"]),
        cast("dict[str, Stored]", node["properties"]),
        cast("I64", node["arrival_starts"]),
        cast("I64", node["arrival_batches"]),
    )


def dump(indexes: Indexes) -> Node:
    """Everything that cannot be derived. The caller lets no commit happen meanwhile."""
    events = indexes.events
    return {
        "keys": _texts(indexes.identities.keys),
        "existing": indexes.identities.view().existing.serialize(),
        "attributes": [_attribute(a) for a in indexes.attributes.all().values()],
        "batches": events.batches,
        "event_ids": list(indexes.event_ids.dump()),
        "property_texts": {name: _texts(d.table) for name, d in events.texts.items()},
        "property_sets": {name: _dictionary(d) for name, d in events.sets.items()},
        "events": {
            name: {
                "properties": {p: str(t) for p, t in held.properties.items()},
                "runs": [_run(run) for run in held.view().runs],
            }
            for name, held in events.types.items()
        },
    }


def restore(indexes: Indexes, node: Node) -> None:
    """Fill empty indexes with what `dump` gave."""
    keys = cast("list[np.ndarray]", node["keys"])
    indexes.identities.restore(
        Texts(cast("U8", keys[0]), cast("I64", keys[1])), bitmaps.deserialize(cast("bytes", node["existing"]))
    )
    for attribute in cast("list[Node]", node["attributes"]):
        indexes.attributes.put(_restore_attribute(attribute))
    events = indexes.events
    events.batches = cast("int", node["batches"])
    indexes.event_ids.restore(*cast("tuple[U64, U64, I64, U32]", tuple(cast("list[Plain]", node["event_ids"]))))
    for name, texts in cast("Node", node["property_texts"]).items():
        dictionary = events.texts[name] = TextDictionary()
        _restore_texts(dictionary.table, texts)
    for name, sets in cast("Node", node["property_sets"]).items():
        _restore_dictionary(events.sets.setdefault(name, SetDictionary()), sets)
    for name, held in cast("dict[str, Node]", node["events"]).items():
        properties = cast("dict[str, str]", held["properties"])
        events.ensure(name).restore(
            [_restore_run(run) for run in cast("list[Node]", held["runs"])],
            {p: ValueType.parse(t) for p, t in properties.items()},
        )
