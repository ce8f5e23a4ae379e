"""Batches laid end to end, as long as together they mean what they mean one after another."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from headcount_engine.indexes.texts import TextTable
from headcount_engine.ingest.admission import admit_texts
from headcount_engine.model.batches import (
    I64,
    NOT_SAID,
    Change,
    Column,
    EventBatch,
    Mask,
    ProfileBatch,
    Texts,
)
from headcount_engine.model.values import ValueType

Batch = EventBatch | ProfileBatch

ROWS_MAX = 10_000
"""Rows in one joined batch: what is staged and published in one go stays short. One batch alone may have more."""
BYTES_MAX = 8 << 20

_Slot = tuple[str, Change]
"""What a column does to which name: at most one column of a batch."""


class Joining:
    """Batches that will be one commit. The first may be any; `takes` decides on each further one, in order.

    Joined are batches of one kind and the same terms, none of them empty or all or nothing, whose columns of one name
    have one type. Batches of profiles share no key, so that each row still finds what it would have found; where one
    adds to sets or numbers, or names an attribute twice, all must have the very same columns.
    """

    def __init__(self, first: Batch, find: Callable[[Texts], I64]) -> None:
        """`find`: the profile that each key leads to, -1 for none."""
        self._find = find
        self._batches = [first]
        self._columns: list[dict[_Slot, Column]] = [_by_slot(_columns(first))]
        self._rows, self._bytes = len(first), _bytes(first)
        self._types: dict[_Slot, tuple[ValueType, object, bool]] = {}
        self._is_plain = True
        self._keys = TextTable()
        self._profiles: set[int] = set()
        self._is_open = (
            0 < len(first) <= ROWS_MAX and not _goes_alone(first) and self._notes(first, self._columns[0])
        )

    def takes(self, batch: Batch) -> bool:
        """Whether the batch joins; if it does, it has."""
        if not self._is_open or type(batch) is not type(self._batches[0]) or _goes_alone(batch):
            return False
        if not len(batch) or _terms(batch) != _terms(self._batches[0]):
            return False
        rows, size = self._rows + len(batch), self._bytes + _bytes(batch)
        if rows > ROWS_MAX or size > BYTES_MAX:
            return False
        columns = _by_slot(_columns(batch))
        if not self._notes(batch, columns):
            return False
        self._batches.append(batch)
        self._columns.append(columns)
        self._rows, self._bytes = rows, size
        return True

    def joined(self) -> Batch:
        """All rows in order, as one batch."""
        if len(self._batches) == 1:
            return self._batches[0]
        lengths = [len(batch) for batch in self._batches]
        slots = dict.fromkeys(slot for columns in self._columns for slot in columns)
        columns = tuple(
            _joined_column([columns.get(slot) for columns in self._columns], lengths) for slot in slots
        )
        keys = _joined_texts([batch.keys for batch in self._batches if isinstance(batch.keys, Texts)])
        first = self._batches[0]
        if isinstance(first, ProfileBatch):
            return replace(first, keys=keys, columns=columns)
        events = [batch for batch in self._batches if isinstance(batch, EventBatch)]
        has_ids = any(batch.event_ids is not None for batch in events)
        return replace(
            first,
            keys=keys,
            names=_joined_names(events),
            times_us=np.concatenate([batch.times_us for batch in events]),
            properties=columns,
            event_ids=_joined_texts([b.event_ids or _empty_texts(len(b)) for b in events])
            if has_ids
            else None,
        )

    def _notes(self, batch: Batch, columns: dict[_Slot, Column]) -> bool:
        """Whether the batch fits what is there; if so it is taken into account."""
        given = _columns(batch)
        if len(columns) != len(given) or not all(map(_is_normal, (c.name for c in given))):
            return False
        types = {slot: _type_of(column) for slot, column in columns.items()}
        names = {name for name, _ in columns}
        is_plain = len(names) == len(columns) and all(change is Change.SET for _, change in columns)
        if self._types and not (is_plain and self._is_plain):
            if list(types.items()) != list(self._types.items()):
                return False
        elif any(self._types.get(slot, type_) != type_ for slot, type_ in types.items()):
            return False
        if isinstance(batch, ProfileBatch) and not self._brings_new_keys(batch):
            return False
        if isinstance(batch, EventBatch) and isinstance(batch.names, str) and not _is_normal(batch.names):
            return False
        self._types |= types
        self._is_plain &= is_plain
        return True

    def _brings_new_keys(self, batch: ProfileBatch) -> bool:
        keys = admit_texts(batch.keys, len(batch.keys.data), as_key=True).texts
        found = self._find(keys)
        known = set(found[found >= 0].tolist())
        # By the profile and not only by the key: after a merge two keys lead to one profile.
        if not known.isdisjoint(self._profiles) or bool((self._keys.find(keys) >= 0).any()):
            return False
        self._profiles |= known
        self._keys.intern(keys)
        return True


_OF_ROWS = frozenset({"keys", "columns", "names", "times_us", "properties", "event_ids"})


def _terms(batch: Batch) -> list[object]:
    """What a batch says of all its rows at once."""
    return [getattr(batch, each.name) for each in fields(batch) if each.name not in _OF_ROWS]


def _goes_alone(batch: Batch) -> bool:
    if isinstance(batch, ProfileBatch):
        return batch.all_or_nothing or batch.recreate
    return batch.all_or_nothing or not isinstance(batch.keys, Texts)


def _columns(batch: Batch) -> tuple[Column, ...]:
    return batch.columns if isinstance(batch, ProfileBatch) else batch.properties


def _by_slot(columns: Sequence[Column]) -> dict[_Slot, Column]:
    return {(column.name, column.change): column for column in columns}


def _type_of(column: Column) -> tuple[ValueType, object, bool]:
    dtype = None if isinstance(column.values, Texts) else column.values.dtype
    return column.type, dtype, column.is_identifier


def _is_normal(name: str) -> bool:
    """Whether the name is one of its kind: two spellings of one name must not meet in a batch."""
    return name.isascii() or unicodedata.is_normalized("NFC", name)


def _bytes(batch: Batch) -> int:
    held = [column.values for column in _columns(batch)]
    keys = len(batch.keys.data) if isinstance(batch.keys, Texts) else batch.keys.nbytes
    return keys + sum(len(v.data) if isinstance(v, Texts) else v.nbytes for v in held)


def _empty_texts(count: int) -> Texts:
    return Texts(np.zeros(0, dtype=np.uint8), np.zeros(count + 1, dtype=np.int64))


def _joined_texts(parts: Sequence[Texts]) -> Texts:
    return Texts(np.concatenate([part.data for part in parts]), _joined_offsets([p.offsets for p in parts]))


def _joined_offsets(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    lengths = np.concatenate([np.diff(part) for part in parts])
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _joined_names(batches: Sequence[EventBatch]) -> str | Texts:
    first = batches[0].names
    if isinstance(first, str) and all(batch.names == first for batch in batches):
        return first
    parts = []
    for batch in batches:
        if isinstance(batch.names, Texts):
            parts.append(batch.names)
        else:
            parts.append(Texts.of([batch.names]).take(np.zeros(len(batch), dtype=np.int64)))
    return _joined_texts(parts)


def _joined_column(parts: Sequence[Column | None], lengths: Sequence[int]) -> Column:
    """One column over all batches; where a batch has none, it says nothing of its rows."""
    model = next(part for part in parts if part is not None)
    values: NDArray[np.generic] | Texts
    offsets = None
    if isinstance(model.values, Texts):
        held = [part.values for part in parts if part is not None and isinstance(part.values, Texts)]
        if model.element_offsets is not None:
            ends = [np.zeros(n + 1, dtype=np.int64) for n in lengths]
            offsets = _joined_offsets([
                empty if part is None or part.element_offsets is None else part.element_offsets
                for part, empty in zip(parts, ends, strict=True)
            ])  # fmt: skip
            values = _joined_texts(held)
        else:
            every = [
                part.values if part is not None and isinstance(part.values, Texts) else _empty_texts(n)
                for part, n in zip(parts, lengths, strict=True)
            ]
            values = _joined_texts(every)
    else:
        shape, dtype = model.values.shape[1:], model.values.dtype
        values = np.concatenate([
            np.zeros((n, *shape), dtype=dtype) if part is None or isinstance(part.values, Texts) else part.values
            for part, n in zip(parts, lengths, strict=True)
        ])  # fmt: skip
    return Column(
        model.name,
        model.type,
        values,
        _joined_masks(parts, lengths, lambda column: column.present, given=True),
        _joined_masks(parts, lengths, lambda column: column.unset, given=False),
        model.change,
        offsets,
        model.is_identifier,
        _joined_instants(parts, lengths),
    )


def _joined_instants(parts: Sequence[Column | None], lengths: Sequence[int]) -> I64 | None:
    """When answers were given; where a batch does not say, each is of the write's now."""
    held = [None if part is None else part.given_us for part in parts]
    if all(each is None for each in held):
        return None
    return np.concatenate([
        np.full(n, NOT_SAID, dtype=np.int64) if each is None else each
        for each, n in zip(held, lengths, strict=True)
    ])  # fmt: skip


def _joined_masks(
    parts: Sequence[Column | None],
    lengths: Sequence[int],
    mask_of: Callable[[Column], Mask | None],
    *,
    given: bool,
) -> Mask | None:
    """`given`: what a column without the mask says of its rows. A batch without the column says False."""
    masks = [None if part is None else mask_of(part) for part in parts]
    if all(mask is None and (part is not None or not given) for mask, part in zip(masks, parts, strict=True)):
        return None
    return np.concatenate([
        np.full(n, given and part is not None) if mask is None else mask.astype(np.bool_)
        for mask, part, n in zip(masks, parts, lengths, strict=True)
    ])  # fmt: skip
