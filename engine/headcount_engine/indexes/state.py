"""All indexes as plain arrays, and back: what a checkpoint holds. Derived structures are rebuilt.

A captured tree shares arrays with the indexes. Blocks of columns are pinned, so that a writer copies them first; runs,
dictionaries, keys and event ids only ever grow past what was captured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from headcount_engine import bitmaps
from headcount_engine.errors import StoreDamaged
from headcount_engine.indexes import people
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.dictionaries import Dictionary, SetDictionary, TextDictionary
from headcount_engine.indexes.events import Inferred
from headcount_engine.indexes.plain import Plain as Plain
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.runs import Run
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import TextTable
from headcount_engine.indexes.tombstones import Grave, Holder
from headcount_engine.indexes.totals import Retention, Totals
from headcount_engine.limits import BLOCK_IDS
from headcount_engine.model.batches import I64, U8, U32, Texts
from headcount_engine.model.schema import AttributeDefinition
from headcount_engine.model.values import ValueType


def texts_of(table: TextTable, first: int, end: int) -> Plain:
    """Entries first .. end - 1: their bytes and offsets, sharing the table's memory where they begin at 0."""
    data, starts = table.raw
    offsets = starts[first : end + 1]
    return [data[offsets[0] : offsets[-1]], offsets - offsets[0] if first else offsets]


def extend_texts(table: TextTable, first: int, plain: Plain) -> None:
    """Enter texts that must get the numbers from `first` on, some of which may have been entered already.

    Raises StoreDamaged where they would get others.
    """
    data, offsets = cast("list[NDArray[np.generic]]", plain)
    texts = Texts.of_bytes(data.tobytes(), cast("I64", offsets))
    have = len(table) - first
    held = table.slice(first, len(table)) if have >= 0 else Texts.of([])
    there = min(have, len(texts))
    if have < 0 or not (
        np.array_equal(held.offsets[: there + 1], texts.offsets[: there + 1])
        and np.array_equal(held.data[: held.offsets[there]], texts.data[: texts.offsets[there]])
    ):
        raise StoreDamaged("dictionary entries that do not continue the dictionary")
    # Appended as they are: several may have been blanked, and are then alike.
    rest = np.arange(there, len(texts))
    if there == 0:
        table.extend(texts)
    elif len(rest):
        table.extend(texts.take(rest))


def tables_of(dictionary: Dictionary | None) -> list[TextTable]:
    """The tables of a dictionary, always in this order."""
    match dictionary:
        case None:
            return []
        case TextDictionary():
            return [dictionary.table]
        case SetDictionary():
            return [dictionary.elements, dictionary.sets]


def _dictionary(dictionary: Dictionary | None) -> Plain:
    return [texts_of(table, 0, len(table)) for table in tables_of(dictionary)]


def _restore_dictionary(dictionary: Dictionary | None, plain: Plain) -> None:
    for table, texts in zip(tables_of(dictionary), cast("list[Plain]", plain), strict=True):
        extend_texts(table, 0, texts)


def definition_of(definition: AttributeDefinition) -> Plain:
    type_, is_inferred = str(definition.type), definition.is_inferred
    return [definition.name, type_, definition.is_tracked, definition.is_identifier, is_inferred]


def restore_definition(plain: Plain) -> AttributeDefinition:
    """Where nothing says whether it was inferred, as in earlier releases, it counts as declared."""
    name, type_, is_tracked, is_identifier, *later = cast(
        "tuple[str, str, bool, bool, *tuple[bool, ...]]", plain
    )
    is_inferred = bool(later and later[0])
    return AttributeDefinition(name, ValueType.parse(type_), is_tracked, is_identifier, is_inferred)


def _attribute(attribute: Attribute, version: int, releases: list[Callable[[], None]]) -> Plain:
    view = attribute.column.pin(version)
    releases.append(attribute.column.unpin)
    return [
        definition_of(attribute.definition),
        view.dtype.str,
        list(view.blocks),
        _dictionary(attribute.dictionary),
    ]


def _restore_attribute(plain: Plain) -> Attribute:
    definition, dtype, blocks, dictionary = cast("tuple[Plain, str, list[Stored], Plain]", plain)
    attribute = Attribute(restore_definition(definition))
    if any(len(block) != BLOCK_IDS or block.dtype != np.dtype(dtype) for block in blocks):
        raise StoreDamaged("a column block of another size or type than its column")
    attribute.column.restore(blocks, np.dtype(dtype))
    _restore_dictionary(attribute.dictionary, dictionary)
    if attribute.definition.is_identifier:
        _restore_owners(attribute, blocks)
    return attribute


def _restore_owners(attribute: Attribute, blocks: list[Stored]) -> None:
    """Who has an identifier follows from the column, since one identifier names one profile."""
    for number, block in enumerate(blocks):
        at = np.flatnonzero(block)
        if len(at):
            attribute.own(block[at].astype(np.int64), (at + number * BLOCK_IDS + 1).astype(np.uint32))


def run_of(run: Run) -> Plain:
    properties: list[Plain] = [[name, values] for name, values in run.properties.items()]
    return [run.profiles, run.times_us, properties, run.arrival_starts, run.arrival_batches]


def restore_run(plain: Plain) -> Run:
    """A run; raises StoreDamaged where its arrays do not fit together."""
    profiles, times, properties, starts, batches = cast("tuple[U32, I64, list[Plain], I64, I64]", plain)
    named = dict(cast("list[tuple[str, Stored]]", properties))
    lengths = {len(profiles), len(times), *(len(values) for values in named.values())}
    if len(lengths) != 1 or len(starts) != len(batches):
        raise StoreDamaged("events whose columns differ in length")
    return Run(profiles, times, named, starts, batches)


def capture(indexes: Indexes, version: int) -> tuple[Plain, Callable[[], None]]:
    """Everything that cannot be derived, and what to call (under the gate) when it has been read.

    The caller holds the writer's turn and the gate. Costs a few references an attribute, run and chunk of event ids,
    and the serialised bitmap of who exists.
    """
    releases: list[Callable[[], None]] = []
    events = indexes.events
    keys = indexes.identities.keys
    types: list[Plain] = []
    for name, held in events.types.items():
        held_runs: list[Plain] = [run_of(run) for run in held.view().runs]
        retained = retention_of(held.retention)
        sealed, inferred = held.sealed_count, held.inferred.dump()
        types.append([name, properties_of(held.properties), held_runs, sealed, retained, inferred])
    tree: Plain = [
        texts_of(keys, 0, indexes.identities.view().ids_end),
        indexes.identities.view().existing.serialize(),
        [_attribute(a, version, releases) for a in indexes.attributes.all().values()],
        events.batches,
        cast("Plain", indexes.event_ids.dump()),
        [[name, _dictionary(d)] for name, d in events.texts.items()],
        [[name, _dictionary(d)] for name, d in events.sets.items()],
        types,
        [["people", people.dump(indexes)]],
    ]

    def release() -> None:
        for each in releases:
            each()

    return tree, release


def retention_of(retention: Retention | None) -> Plain:
    if retention is None:
        return None
    totals = retention.totals
    arrays: list[Plain] = [totals.profiles, totals.counts, totals.firsts_us, totals.lasts_us]
    return [retention.kept_us, retention.floor_us, arrays]


def restore_retention(plain: Plain) -> Retention | None:
    if plain is None:
        return None
    kept_us, floor_us, arrays = cast("tuple[int, int, tuple[U32, I64, I64, I64]]", plain)
    return Retention(kept_us, floor_us, Totals(*arrays))


def properties_of(properties: object) -> Plain:
    return [[name, str(type_)] for name, type_ in cast("dict[str, ValueType]", properties).items()]


def restore_properties(plain: Plain) -> dict[str, ValueType]:
    return {name: ValueType.parse(type_) for name, type_ in cast("list[tuple[str, str]]", plain)}


def restore(indexes: Indexes, plain: Plain) -> None:
    """Fill empty indexes with what `capture` gave. Raises StoreDamaged."""
    keys, existing, attributes, batches, event_ids, texts, sets, types, *later = cast("list[Plain]", plain)
    # By name, so that a release can add some and read checkpoints that do not have them.
    named = dict(cast("list[tuple[str, Plain]]", later[0])) if later else {}
    data, offsets = cast("tuple[U8, I64]", keys)
    merged = people.redirects_of(named.get("people"))
    indexes.identities.restore(Texts(data, offsets), bitmaps.deserialize(cast("bytes", existing)), merged)
    for attribute in cast("list[Plain]", attributes):
        indexes.attributes.put(_restore_attribute(attribute))
    events = indexes.events
    events.batches = cast("int", batches)
    indexes.event_ids.restore(cast("list[object]", event_ids))
    for name, held in cast("list[tuple[str, Plain]]", texts):
        _restore_dictionary(events.texts.setdefault(name, TextDictionary()), held)
    for name, held in cast("list[tuple[str, Plain]]", sets):
        _restore_dictionary(events.sets.setdefault(name, SetDictionary()), held)
    for name, properties, runs, *more in cast("list[tuple[str, Plain, list[Plain], int, Plain]]", types):
        sealed = cast("int", more[0]) if more else None
        retention = restore_retention(more[1]) if len(more) > 1 else None
        inferred = Inferred.restored(cast("list[Plain]", more[2])) if len(more) > 2 else Inferred(False)
        events.ensure(name).restore(
            [restore_run(run) for run in runs], restore_properties(properties), sealed, retention, inferred
        )
    people.restore(indexes, named.get("people"))


# ------------------------------------------------------------------------------------------- looked at, not restored


@dataclass(frozen=True, slots=True, eq=False)
class DictionaryTexts:
    """Entries of a dictionary as they are stored: `place` as in `Released`, the first one's number, the texts."""

    place: tuple[int, str, int]
    first: int
    texts: Texts


def dictionaries_of(plain: Plain) -> Iterator[DictionaryTexts]:
    """The texts of every dictionary in what `capture` gave."""
    _, _, attributes, _, _, texts, sets, *_ = cast("list[Plain]", plain)
    held: list[tuple[Holder, str, Plain]] = []
    for attribute in cast("list[Plain]", attributes):
        definition, _, _, dictionary = cast("tuple[Plain, str, list[Stored], Plain]", attribute)
        held.append((Holder.ATTRIBUTE, restore_definition(definition).name, dictionary))
    for holder, named in ((Holder.PROPERTY_TEXTS, texts), (Holder.PROPERTY_SETS, sets)):
        held.extend((holder, name, plain) for name, plain in cast("list[tuple[str, Plain]]", named))
    for holder, name, dictionary in held:
        for part, table in enumerate(cast("list[tuple[U8, I64]]", dictionary)):
            yield DictionaryTexts((int(holder), name, part), 0, Texts(*table))


def graves_of(plain: Plain) -> tuple[int, list[Grave]]:
    """(the version up to which erasures are completed, all erasures) in what `capture` gave."""
    *_, last = cast("list[Plain]", plain)[:9]
    named = dict(cast("list[tuple[str, Plain]]", last)) if len(cast("list[Plain]", plain)) > 8 else {}
    return people.graves_of(named.get("people"))
