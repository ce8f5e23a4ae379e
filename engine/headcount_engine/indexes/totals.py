"""What stays of raw events that are past their retention: how many each profile had, the first and the last."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from headcount_engine.model.batches import I64, U32

_NO_PROFILES: U32 = np.zeros(0, dtype=np.uint32)
_NO_NUMBERS: I64 = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """By profile, ascending: `counts` of events that are gone, and the instants of the first and the last of them.

    Never changed; an edit makes others. 28 bytes a profile that has any.
    """

    profiles: U32 = field(default_factory=lambda: _NO_PROFILES)
    counts: I64 = field(default_factory=lambda: _NO_NUMBERS)
    firsts_us: I64 = field(default_factory=lambda: _NO_NUMBERS)
    lasts_us: I64 = field(default_factory=lambda: _NO_NUMBERS)

    def __len__(self) -> int:
        return len(self.profiles)

    def of(self, profile: int) -> tuple[int, int, int] | None:
        """(how many, first, last) of one profile; None where nothing is gone."""
        at = int(np.searchsorted(self.profiles, profile))
        if at == len(self.profiles) or int(self.profiles[at]) != profile:
            return None
        return int(self.counts[at]), int(self.firsts_us[at]), int(self.lasts_us[at])

    def plus(self, profiles: U32, times_us: I64) -> Totals:
        """With more events gone, in any order."""
        ones = np.ones(len(profiles), dtype=np.int64)
        return _summed(
            np.concatenate([self.profiles, profiles]),
            np.concatenate([self.counts, ones]),
            np.concatenate([self.firsts_us, times_us]),
            np.concatenate([self.lasts_us, times_us]),
        )

    def merged(self, loser: int, survivor: int) -> Totals:
        """With the loser's events as the survivor's."""
        if self.of(loser) is None:
            return self
        profiles = np.where(self.profiles == loser, np.uint32(survivor), self.profiles).astype(np.uint32)
        return _summed(profiles, self.counts, self.firsts_us, self.lasts_us)

    def without(self, profile: int) -> Totals:
        """Without one profile's events."""
        if self.of(profile) is None:
            return self
        kept = self.profiles != profile
        return Totals(self.profiles[kept], self.counts[kept], self.firsts_us[kept], self.lasts_us[kept])

    @property
    def nbytes(self) -> int:
        return 28 * len(self.profiles)


def _summed(profiles: U32, counts: I64, firsts_us: I64, lasts_us: I64) -> Totals:
    """One entry a profile."""
    unique, inverse = np.unique(profiles, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.flatnonzero(np.diff(inverse[order], prepend=-1))
    if not len(unique):
        return Totals()
    return Totals(
        unique.astype(np.uint32),
        np.add.reduceat(counts[order], starts),
        np.minimum.reduceat(firsts_us[order], starts),
        np.maximum.reduceat(lasts_us[order], starts),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Retention:
    """How long the raw events of a type are kept. `floor_us`: those before it are gone, and counted in `totals`."""

    kept_us: int
    floor_us: int
    totals: Totals = field(default_factory=Totals)
