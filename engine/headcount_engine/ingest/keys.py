"""From keys to dense ids while staging: known ones by one probe, new ones numbered in order of first appearance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headcount_engine.errors import InvalidValue, LimitExceeded, NotFound
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import TextTable, take_texts
from headcount_engine.ingest.admission import Verdicts, admit_texts
from headcount_engine.limits import Limits
from headcount_engine.model.batches import I64, Reason, Texts


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedKeys:
    """`ids`: i64 per row, those of `new_keys` already the ones they will get; -1 for rows turned away.
    `first_rows`: the row that brings each new key, ascending."""

    ids: I64
    new_keys: Texts
    first_rows: I64


class KeyResolver:
    """Two steps: `tokens` tell rows of one profile from rows of another before it is known which rows stand;
    `resolve` gives ids once it is, so that a refused row makes no profile."""

    def __init__(
        self, indexes: Indexes, keys: Texts, create: bool, verdicts: Verdicts, *, recreate: bool = False
    ) -> None:
        """`recreate`: whether the key of an erased profile makes a new one; else its rows are turned away."""
        identities = indexes.identities
        self._verdicts = verdicts
        self._first_new = identities.view().ids_end
        self._keys = keys
        self._fresh = TextTable()
        ids = identities.find(keys)
        missing = (ids < 0) & verdicts.accepted
        if len(indexes.tombstones) and not recreate and missing.any():
            rows = np.flatnonzero(missing)
            erased = np.zeros(len(ids), dtype=np.bool_)
            erased[rows] = indexes.tombstones.covers(take_texts(*keys.raw, rows))
            verdicts.reject(
                erased, "key", Reason.ERASED_PROFILE, "the profile was erased; say recreate for a new one"
            )
            missing &= ~erased
        if missing.any():
            if create:
                rows = np.flatnonzero(missing)
                ids[rows] = self._first_new + self._fresh.intern(take_texts(*keys.raw, rows))
            else:
                verdicts.reject(
                    missing, "key", Reason.UNKNOWN_PROFILE, "no such profile, and none may be created"
                )
        self.tokens: I64 = ids

    def resolve(self, limits: Limits) -> ResolvedKeys:
        """Ids of the rows that stand. Raises LimitExceeded if the new profiles do not fit."""
        ids = np.where(self._verdicts.accepted, self.tokens, -1)
        fresh_rows = ids >= self._first_new
        if not fresh_rows.any():
            return ResolvedKeys(ids, Texts.of([]), np.zeros(0, dtype=np.int64))
        numbers, first_rows, inverse = np.unique(ids[fresh_rows], return_index=True, return_inverse=True)
        order = np.argsort(first_rows, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        ids[fresh_rows] = self._first_new + rank[inverse]
        if self._first_new + len(numbers) > limits.profiles:
            raise LimitExceeded("profiles", limits.profiles, self._first_new + len(numbers))
        bringing = np.flatnonzero(fresh_rows)[first_rows[order]]
        return ResolvedKeys(ids, self._fresh.take(numbers[order] - self._first_new), bringing)


class GivenIds:
    """The dense ids that a batch names itself, in place of a KeyResolver: nobody new comes with them."""

    def __init__(self, indexes: Indexes, ids: I64, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        ids = ids.astype(np.int64)
        view = indexes.identities.view()
        unknown = (ids < 0) | (ids >= view.ids_end)
        verdicts.reject(unknown, "key", Reason.UNKNOWN_PROFILE, "no profile has this id")
        self._ids = view.redirects.resolve(np.where(unknown, -1, ids))
        erased = indexes.identities.are_gone(self._ids)
        verdicts.reject(erased, "key", Reason.ERASED_PROFILE, "the profile was erased")

    def resolve(self, limits: Limits) -> ResolvedKeys:
        """Ids of the rows that stand. No limit can be met."""
        ids = np.where(self._verdicts.accepted, self._ids, -1)
        return ResolvedKeys(ids, Texts.of([]), np.zeros(0, dtype=np.int64))


def existing_profile(indexes: Indexes, key: str, limits: Limits, path: str) -> int:
    """The profile that a key leads to; raises InvalidValue, NotFound."""
    profile = int(indexes.identities.find(_admitted(key, limits, path))[0])
    if profile < 0 or profile not in indexes.identities.view().existing:
        raise NotFound("profile")
    return profile


def own_id(indexes: Indexes, key: str, limits: Limits) -> int:
    """The id that a key got when it was new, wherever it leads now; -1 for an unknown one."""
    return int(indexes.identities.keys.find(_admitted(key, limits, ""))[0])


def _admitted(key: str, limits: Limits, path: str) -> Texts:
    admitted = admit_texts(Texts.of([key]), limits.key_bytes, as_key=True)
    for message in admitted.messages.values():
        raise InvalidValue(f"the key {message}", path=path)
    return admitted.texts
