"""Merging and erasing profiles, as writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.admission import admit_texts
from headcount_engine.ingest.erasure import stage_erasure, stage_release
from headcount_engine.ingest.merges import stage_merge
from headcount_engine.ingest.staging import Staged
from headcount_engine.limits import Limits
from headcount_engine.membership.lists import ListStore
from headcount_engine.model.batches import ProfileBatch, Texts, WriteReceipt

Commit = Callable[[Callable[[int], Staged]], WriteReceipt]


class People:
    """Who is one person, and who is no longer anybody. Any thread; writes take turns."""

    def __init__(self, indexes: Indexes, lists: ListStore, commit: Commit, limits: Limits) -> None:
        self._indexes = indexes
        self._lists = lists
        self._commit = commit
        self._limits = limits

    def merge(self, survivor_key: str, loser_keys: Sequence[str], *, force: bool = False) -> WriteReceipt:
        """Move everything of some profiles to another and remove them, in one version.

        `accepted` counts the profiles that were merged; one that was merged into this survivor before is not one of
        them, and if there is no other nothing is written. Raises what `stage_merge` raises.
        """
        return self._commit(
            lambda now_us: stage_merge(
                self._indexes, self._lists, survivor_key, loser_keys, now_us, self._limits, force=force
            )
        )

    def erase(self, key: str) -> WriteReceipt:
        """Remove a profile with everything it has; its key is refused from then on. Raises NotFound."""
        return self._commit(
            lambda now_us: stage_erasure(self._indexes, self._lists, key, now_us, self._limits)
        )

    def release(self) -> WriteReceipt:
        """Overwrite every text in a dictionary that nobody holds any more, such as values of long ago."""
        return self._commit(lambda _: stage_release(self._indexes))

    def mark(self) -> WriteReceipt:
        """Make a version that changes nothing."""
        return self._commit(lambda _: Staged(accepted=1))

    def complete(self, version: int) -> WriteReceipt:
        """Note that erasures up to a version have left every file of the store."""
        return self._commit(lambda _: Staged(accepted=1, completes_version=version))

    def with_own_keys(self, batch: ProfileBatch) -> ProfileBatch:
        """The batch with the keys of merged profiles replaced by those of their survivors, so that rows of one
        profile have one key."""
        view = self._indexes.identities.view()
        if not len(view.redirects.losers) or not len(batch):
            return batch
        own = self._indexes.identities.keys.find(
            admit_texts(batch.keys, len(batch.keys.data), as_key=True).texts
        )
        led = view.redirects.resolve(own)
        rows = np.flatnonzero(led != own)
        if not len(rows):
            return batch
        survivors = self._indexes.identities.keys.take(led[rows])
        both = Texts(
            np.concatenate([batch.keys.data, survivors.data]),
            np.concatenate([batch.keys.offsets, len(batch.keys.data) + survivors.offsets[1:]]),
        )
        order = np.arange(len(batch))
        order[rows] = len(batch) + np.arange(len(rows))
        return replace(batch, keys=both.take(order))

    @property
    def pending(self) -> int:
        """Erasures whose traces may still be in files of the store."""
        return len(self._indexes.tombstones.pending)

    @property
    def pending_since_us(self) -> int | None:
        """The instant of the oldest of them."""
        return min((grave.edit.erased_us for grave in self._indexes.tombstones.pending), default=None)
