"""Rows that name people who must exist already: by key or by an identifier, each row answered for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine.errors import LimitExceeded, NotFound
from headcount_engine.indexes.dictionaries import TextDictionary
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.admission import Verdicts, admit_texts
from headcount_engine.limits import Limits
from headcount_engine.model.batches import I64, Mask, Reason, RejectedRow, Texts
from headcount_engine.model.segments import NamedPeople


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """`ids`: i64, ascending, each once. The others fell: `rejected` in row order, with how many for which reason."""

    ids: I64
    rejected: tuple[RejectedRow, ...]
    unknown: int
    duplicates: int
    malformed: int


def find_people(indexes: Indexes, people: Sequence[NamedPeople], limits: Limits) -> Named:
    """Who the rows name. Rows count through all of `people`, one after the other.

    One probe a row. Raises NotFound for an identifier type that there is not, LimitExceeded for too many rows.
    """
    total = sum(len(p.texts) for p in people)
    if total > limits.batch_rows:
        raise LimitExceeded("batch_rows", limits.batch_rows, total)
    verdicts = Verdicts(total)
    malformed = np.zeros(total, dtype=np.bool_)
    ids = np.full(total, -1, dtype=np.int64)
    fields = np.zeros(total, dtype=np.int64)
    start = 0
    for number, each in enumerate(people):
        rows = slice(start, start + len(each.texts))
        ids[rows], malformed[rows] = _find(indexes, each, limits)
        fields[rows] = number
        start += len(each.texts)
    for number, each in enumerate(people):
        verdicts.reject(
            malformed & (fields == number),
            each.by or "key",
            Reason.BAD_KEY,
            "not a text that can name anybody",
        )
    unknown = (ids < 0) & ~malformed
    verdicts.reject(unknown, "", Reason.UNKNOWN_PROFILE, "no such profile, and none is created")
    duplicates = _repeated(ids) & (ids >= 0)
    verdicts.reject(duplicates, "", Reason.DUPLICATE, "the profile stands further up")
    return Named(
        np.unique(ids[ids >= 0]),
        verdicts.rejected(),
        int(np.count_nonzero(unknown)),
        int(np.count_nonzero(duplicates)),
        int(np.count_nonzero(malformed)),
    )


def _find(indexes: Indexes, people: NamedPeople, limits: Limits) -> tuple[I64, Mask]:
    """(id per row or -1, rows that cannot name anybody)."""
    admitted = admit_texts(people.texts, limits.key_bytes, as_key=True)
    population = indexes.identities.view()
    if people.by:
        ids = _by_identifier(indexes, people.by, admitted.texts)
    else:
        ids = indexes.identities.find(admitted.texts)
    ids = np.where(admitted.bad, -1, ids)
    if population.count != population.ids_end:
        for row in np.flatnonzero(ids >= 0).tolist():
            if int(ids[row]) not in population.existing:
                ids[row] = -1
    return ids, admitted.bad


def _by_identifier(indexes: Indexes, type_: str, texts: Texts) -> I64:
    attribute = indexes.attributes.get(type_)
    if attribute is None or not attribute.definition.is_identifier:
        raise NotFound("identifier type", type_)
    assert isinstance(attribute.dictionary, TextDictionary)
    codes = attribute.dictionary.find(texts)
    owners = attribute.owners
    ids = np.full(len(texts), -1, dtype=np.int64)
    held = (codes > 0) & (codes < len(owners))
    ids[held] = owners[codes[held]].astype(np.int64) - 1
    return ids


def _repeated(ids: I64) -> Mask:
    """Rows whose id stands in an earlier row."""
    repeated = np.ones(len(ids), dtype=np.bool_)
    repeated[np.unique(ids, return_index=True)[1]] = False
    return repeated
