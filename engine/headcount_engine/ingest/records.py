"""Commits as records of the log: a staged commit to plain values, and back into what publishing applies.

A record is `[now_us, sections]`; a section is `[number, content]`, present only where it says something, so a later
release can add one and an earlier one refuses what it does not know. Reading a record decides nothing: ids, codes and
dtypes are those that staging chose.

Dictionaries get their new entries while a commit is staged, also where the commit is then refused. The recorder knows
how far each dictionary has been logged; a commit carries whatever its dictionaries hold beyond that, so codes are the
same after a replay.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from headcount_engine.changes.chunks import Chunk, Entry, pack
from headcount_engine.errors import StoreDamaged, StoreError
from headcount_engine.indexes import people, state
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit, cuts_by_block
from headcount_engine.indexes.deduplication import IdsEdit
from headcount_engine.indexes.dictionaries import Dictionary
from headcount_engine.indexes.events import TypeEdit
from headcount_engine.indexes.identities import MergeEdit
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.requests import Mark, plain_of, receipt_of
from headcount_engine.indexes.state import Plain
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.tombstones import EraseEdit, Holder
from headcount_engine.ingest.relinking import dictionary_of, expiry, relinking
from headcount_engine.ingest.settings import plain_settings, restore_settings
from headcount_engine.ingest.staging import OwnerEdit, Staged
from headcount_engine.limits import Limits
from headcount_engine.membership import pages
from headcount_engine.membership.lists import ListEdit
from headcount_engine.membership.retention import RetentionEdit
from headcount_engine.model.batches import I64, U8, U32, U64, Texts
from headcount_engine.model.requests import RequestId
from headcount_engine.model.segments import ListName
from headcount_engine.model.values import Kind

_NO_CHANGES: U32 = np.zeros(0, dtype=np.uint32)


class Section(enum.IntEnum):
    """Parts of a record, in the order in which they are applied."""

    KEYS = 1
    ATTRIBUTES = 2
    DICTIONARIES = 3
    COLUMNS = 4
    OWNERS = 5
    DECLARED_EVENTS = 6
    EVENTS = 7
    EVENT_IDS = 8
    BATCH = 9
    SEGMENTS = 10
    REMOVED_SEGMENTS = 11
    LISTS = 12
    SETTINGS = 14
    MERGES = 20
    ERASURES = 21
    RELEASED = 22
    COMPLETED = 23
    RETENTIONS = 24
    FLOORS = 25
    REQUESTS = 30
    FLIPS = 13
    RETAINED = 15


class Recorder:
    """Encodes commits in the order in which they are appended. Used under the writer's turn."""

    def __init__(self, indexes: Indexes) -> None:
        """Take everything that the dictionaries hold as logged."""
        self._indexes = indexes
        self._logged: dict[tuple[Holder, str, int], int] = {}
        named: list[tuple[Holder, str, Dictionary | None]] = [
            *((Holder.ATTRIBUTE, name, a.dictionary) for name, a in indexes.attributes.all().items()),
            *((Holder.PROPERTY_TEXTS, name, d) for name, d in indexes.events.texts.items()),
            *((Holder.PROPERTY_SETS, name, d) for name, d in indexes.events.sets.items()),
        ]
        for scope, name, dictionary in named:
            for part, table in enumerate(state.tables_of(dictionary)):
                self._logged[scope, name, part] = len(table)

    def encode(self, now_us: int, staged: Staged) -> Plain:
        """The record of a commit. Its arrays are those of the staged commit, not copies."""
        held: list[tuple[Section, Plain]] = [
            (Section.KEYS, [staged.new_keys.data, staged.new_keys.offsets] if len(staged.new_keys) else []),
            (Section.ATTRIBUTES, [state.definition_of(a.definition) for a in staged.new_attributes]),
            (Section.DICTIONARIES, self._new_entries(staged)),
            (Section.COLUMNS, [_column(attribute, edit) for attribute, edit in staged.columns]),
            (
                Section.OWNERS,
                [[o.attribute.definition.name, o.codes, o.profile_plus_one] for o in staged.owners],
            ),
            (
                Section.DECLARED_EVENTS,
                [[n, state.properties_of(p)] for n, p in staged.declared_events.items()],
            ),
            (Section.EVENTS, [_type_edit(edit) for edit in staged.events]),
            (Section.EVENT_IDS, _ids(staged.event_ids)),
            (Section.BATCH, [1] if staged.takes_batch else []),
            (Section.SEGMENTS, [list(pages.dump_definition(d).items()) for d in staged.segments]),
            (Section.REMOVED_SEGMENTS, list(staged.removed_segments)),
            (Section.RETAINED, [[e.segment, e.ids, e.since_us] for e in staged.retained]),
            (Section.LISTS, [[e.segment, e.which.value, e.entered, e.gone] for e in staged.lists]),
            (Section.SETTINGS, [] if staged.settings is None else [plain_settings(staged.settings)]),
            (Section.MERGES, _merges(staged)),
            (Section.ERASURES, [people.erasure_of(e) for e in staged.erasures]),
            (Section.RELEASED, [people.released_of(r) for r in staged.released]),
            (Section.RETENTIONS, [[name, kept_us] for name, kept_us in staged.retentions.items()]),
            (Section.FLOORS, [[name, floor_us] for name, floor_us in staged.floors.items()]),
            (Section.COMPLETED, [staged.completes_version] if staged.completes_version else []),
            (Section.FLIPS, _flips(staged)),
            (Section.REQUESTS, [_mark(mark) for mark in staged.requests]),
        ]
        return [now_us, [[int(section), content] for section, content in held if content]]

    def _new_entries(self, staged: Staged) -> list[Plain]:
        found: list[Plain] = []
        for scope, name, dictionary in self._touched(staged):
            for part, table in enumerate(state.tables_of(dictionary)):
                first, end = self._logged.get((scope, name, part), 0), len(table)
                if end > first:
                    found.append([int(scope), name, part, first, state.texts_of(table, first, end)])
                    self._logged[scope, name, part] = end
        return found

    def _touched(self, staged: Staged) -> Iterable[tuple[Holder, str, Dictionary | None]]:
        attributes = {a.definition.name: a for a, _ in staged.columns}
        attributes.update({a.definition.name: a for a in staged.new_attributes})
        for name, attribute in attributes.items():
            yield Holder.ATTRIBUTE, name, attribute.dictionary
        events = self._indexes.events
        properties = {name for edit in staged.events for piece in edit.pieces for name in piece.properties}
        for name in sorted(properties):
            yield Holder.PROPERTY_TEXTS, name, events.texts.get(name)
            yield Holder.PROPERTY_SETS, name, events.sets.get(name)
        for released in (*staged.released, *(r for e in staged.erasures for r in e.released)):
            yield released.holder, released.name, dictionary_of(self._indexes, released)


def _column(attribute: Attribute, edit: ColumnEdit) -> Plain:
    return [attribute.definition.name, edit.ids.astype(np.uint32), edit.values]


def _type_edit(edit: TypeEdit) -> Plain:
    return [
        edit.name,
        [state.run_of(piece) for piece in edit.pieces],
        state.properties_of(edit.new_properties),
    ]


def _mark(mark: Mark) -> Plain:
    return [mark.request.text, mark.request.digest, mark.part, cast("Plain", plain_of(mark.receipt))]


def _marks(held: list[Plain]) -> tuple[Mark, ...]:
    plain = cast("list[tuple[str, bytes, int, list[object] | None]]", held)
    return tuple(
        Mark(RequestId(text, bytes(digest)), part, None if receipt is None else receipt_of(receipt))
        for text, digest, part, receipt in plain
    )


def _ids(edit: IdsEdit | None) -> list[Plain]:
    return [] if edit is None or not len(edit.first) else [edit.first, edit.second, edit.contents]


def _merges(staged: Staged) -> list[Plain]:
    if not staged.merges:
        return []
    pairs = np.array([[m.survivor, m.loser] for m in staged.merges], dtype=np.int64)
    leads: list[Plain] = [
        [lead.attribute.definition.name, lead.codes, lead.profile_plus_one] for lead in staged.leads
    ]
    return [pairs, leads]


def _flips(staged: Staged) -> list[Plain]:
    chunk = pack([Entry(1, 0, staged.flips)]) if staged.flips else None
    return [] if chunk is None else list(chunk.plain())


def decode(content: Plain, indexes: Indexes, limits: Limits) -> tuple[int, Staged]:
    """(now_us, what to publish) of a record; enters its dictionary entries. Raises StoreDamaged, StoreError."""
    try:
        now_us, sections = cast("tuple[int, list[tuple[int, Plain]]]", content)
        return now_us, _Decoder(indexes, limits).decode(sections)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise StoreDamaged("a record of another shape than its format has") from error


class _Decoder:
    """One record."""

    def __init__(self, indexes: Indexes, limits: Limits) -> None:
        self._indexes = indexes
        self._limits = limits
        self._new: dict[str, Attribute] = {}

    def decode(self, sections: list[tuple[int, Plain]]) -> Staged:
        readers: dict[Section, Callable[[Staged, list[Plain]], Staged]] = {
            Section.KEYS: self._keys,
            Section.ATTRIBUTES: self._attributes,
            Section.DICTIONARIES: self._dictionaries,
            Section.COLUMNS: self._columns,
            Section.OWNERS: self._owners,
            Section.DECLARED_EVENTS: self._declared,
            Section.EVENTS: self._events,
            Section.EVENT_IDS: self._event_ids,
            Section.BATCH: lambda staged, _: replace(staged, takes_batch=True),
            Section.REQUESTS: lambda staged, held: replace(staged, requests=_marks(held)),
            Section.SEGMENTS: self._segments,
            Section.REMOVED_SEGMENTS: lambda staged, held: replace(
                staged, removed_segments=tuple(cast("list[str]", held))
            ),
            Section.LISTS: self._lists,
            Section.RETAINED: lambda staged, held: replace(
                staged,
                retained=tuple(RetentionEdit(*edit) for edit in cast("list[tuple[str, U32, I64]]", held)),
            ),
            Section.SETTINGS: lambda staged, held: replace(staged, settings=restore_settings(held[0])),
            Section.MERGES: self._merges,
            Section.ERASURES: lambda staged, held: replace(
                staged, erasures=tuple(map(people.restore_erasure, held))
            ),
            Section.RELEASED: lambda staged, held: replace(
                staged, released=tuple(map(people.restore_released, held))
            ),
            Section.RETENTIONS: lambda staged, held: replace(
                staged, retentions=dict(cast("list[tuple[str, int | None]]", held))
            ),
            Section.FLOORS: lambda staged, held: replace(
                staged, floors=dict(cast("list[tuple[str, int]]", held))
            ),
            Section.COMPLETED: lambda staged, held: replace(staged, completes_version=cast("int", held[0])),
            Section.FLIPS: lambda staged, held: replace(
                staged, flips=Chunk.restore(cast("list[NDArray[np.generic]]", held)).flips()
            ),
        }
        staged = Staged(accepted=0)
        for number, content in sections:
            if number not in readers:
                raise StoreError(
                    f"the log holds section {number}, which this release does not know: open the store with the "
                    "release that wrote it"
                )
            staged = readers[Section(number)](staged, cast("list[Plain]", content))
        work = relinking(self._indexes, staged.merges, staged.erasures, staged.released)
        work = work or expiry(self._indexes, staged.floors)
        return replace(staged, relinking=work)

    def _keys(self, staged: Staged, held: list[Plain]) -> Staged:
        data, offsets = cast("tuple[U8, I64]", held)
        return replace(staged, new_keys=Texts.of_bytes(data.tobytes(), offsets))

    def _attributes(self, staged: Staged, held: list[Plain]) -> Staged:
        made = [Attribute(state.restore_definition(plain)) for plain in held]
        self._new = {attribute.definition.name: attribute for attribute in made}
        return replace(staged, new_attributes=tuple(made))

    def _attribute(self, name: str) -> Attribute:
        return self._new.get(name) or self._indexes.attributes.all()[name]

    def _dictionaries(self, staged: Staged, held: list[Plain]) -> Staged:
        for plain in held:
            scope, name, part, first, texts = cast("tuple[int, str, int, int, Plain]", plain)
            match Holder(scope):
                case Holder.ATTRIBUTE:
                    dictionary = self._attribute(name).dictionary
                case Holder.PROPERTY_TEXTS:
                    dictionary = self._indexes.events.dictionary(name, Kind.TEXT)
                case Holder.PROPERTY_SETS:
                    dictionary = self._indexes.events.dictionary(name, Kind.TEXT_SET)
            state.extend_texts(state.tables_of(dictionary)[part], first, texts)
        return staged

    def _columns(self, staged: Staged, held: list[Plain]) -> Staged:
        edits = []
        for plain in held:
            name, narrow, values = cast("tuple[str, U32, Stored]", plain)
            ids = narrow.astype(np.int64)
            if len(ids) != len(values) or bool((np.diff(ids) <= 0).any()):
                raise StoreDamaged("values of profiles that are not in order")
            # Nobody has a bitmap of this column yet, so nobody need know which of its values changed.
            edit = ColumnEdit(ids, values, _NO_CHANGES, values.dtype, cuts_by_block(ids))
            edits.append((self._attribute(name), edit))
        return replace(staged, columns=tuple(edits))

    def _owners(self, staged: Staged, held: list[Plain]) -> Staged:
        owners = [
            OwnerEdit(self._attribute(name), codes, profiles)
            for name, codes, profiles in cast("list[tuple[str, I64, U32]]", held)
        ]
        return replace(staged, owners=tuple(owners))

    def _merges(self, staged: Staged, held: list[Plain]) -> Staged:
        pairs, leads = cast("tuple[I64, list[tuple[str, I64, U32]]]", held)
        return replace(
            staged,
            merges=tuple(MergeEdit(survivor, loser) for survivor, loser in pairs.tolist()),
            leads=tuple(OwnerEdit(self._attribute(name), codes, owners) for name, codes, owners in leads),
        )

    def _declared(self, staged: Staged, held: list[Plain]) -> Staged:
        declared = {
            name: state.restore_properties(properties)
            for name, properties in cast("list[tuple[str, Plain]]", held)
        }
        return replace(staged, declared_events=declared)

    def _events(self, staged: Staged, held: list[Plain]) -> Staged:
        edits = []
        for name, pieces, properties in cast("list[tuple[str, list[Plain], Plain]]", held):
            self._indexes.events.ensure(name)
            runs = tuple(state.restore_run(piece) for piece in pieces)
            edits.append(TypeEdit(name, runs, state.restore_properties(properties)))
        return replace(staged, events=tuple(edits))

    def _event_ids(self, staged: Staged, held: list[Plain]) -> Staged:
        first, second, contents = cast("tuple[U64, U64, U32]", held)
        return replace(staged, event_ids=IdsEdit(first, second, contents))

    def _segments(self, staged: Staged, held: list[Plain]) -> Staged:
        definitions = [
            pages.restore_definition(dict(cast("list[tuple[str, str]]", plain)), self._limits)
            for plain in held
        ]
        return replace(staged, segments=tuple(definitions))

    def _lists(self, staged: Staged, held: list[Plain]) -> Staged:
        edits = [
            ListEdit(segment, ListName(which), entered, gone)
            for segment, which, entered, gone in cast("list[tuple[str, str, U32, U32]]", held)
        ]
        return replace(staged, lists=tuple(edits))


# ------------------------------------------------------------------------------------------- looked at, not applied


def _sections_of(content: Plain) -> dict[int, list[Plain]]:
    _, sections = cast("tuple[int, list[tuple[int, list[Plain]]]]", content)
    return dict(sections)


def dictionaries_of(content: Plain) -> Iterator[state.DictionaryTexts]:
    """The dictionary entries that a record brings."""
    for plain in _sections_of(content).get(Section.DICTIONARIES, []):
        holder, name, part, first, texts = cast("tuple[int, str, int, int, tuple[U8, I64]]", plain)
        yield state.DictionaryTexts((holder, name, part), first, Texts(*texts))


def erasures_of(content: Plain) -> tuple[int, list[EraseEdit]]:
    """(the version up to which it says that erasures are completed or 0, the erasures in it)."""
    sections = _sections_of(content)
    completed = sections.get(Section.COMPLETED, [0])[0]
    return cast("int", completed), [people.restore_erasure(e) for e in sections.get(Section.ERASURES, [])]
