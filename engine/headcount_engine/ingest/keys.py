"""From keys to dense ids while staging: known ones by one probe, new ones numbered in order of first appearance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headcount_engine.errors import LimitExceeded
from headcount_engine.indexes.identities import Identities
from headcount_engine.indexes.texts import TextTable
from headcount_engine.ingest.admission import Verdicts
from headcount_engine.limits import Limits
from headcount_engine.model.batches import I64, Reason, Texts


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedKeys:
    """`ids`: i64 per row, those of `new_keys` already the ones they will get; -1 for rows turned away."""

    ids: I64
    new_keys: Texts


class KeyResolver:
    """Two steps: `tokens` tell rows of one profile from rows of another before it is known which rows stand;
    `resolve` gives ids once it is, so that a refused row makes no profile."""

    def __init__(self, identities: Identities, keys: Texts, create: bool, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._first_new = identities.view().ids_end
        self._keys = keys
        self._fresh = TextTable()
        ids = identities.find(keys)
        missing = (ids < 0) & verdicts.accepted
        if missing.any():
            if create:
                rows = np.flatnonzero(missing)
                ids[rows] = self._first_new + self._fresh.intern(keys.take(rows))
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
            return ResolvedKeys(ids, Texts.of([]))
        numbers, first_rows, inverse = np.unique(ids[fresh_rows], return_index=True, return_inverse=True)
        order = np.argsort(first_rows, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        ids[fresh_rows] = self._first_new + rank[inverse]
        if self._first_new + len(numbers) > limits.profiles:
            raise LimitExceeded("profiles", limits.profiles, self._first_new + len(numbers))
        return ResolvedKeys(ids, self._fresh.take(numbers[order] - self._first_new))
