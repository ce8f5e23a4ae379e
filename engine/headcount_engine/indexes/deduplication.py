"""Event ids already seen: one event id is one event within the horizon, counted by arrival.

An entry has 28 bytes, 32 with the table seven eighths full: a 128-bit hash, the instant of its arrival and 32 bits of
what the event said, so that the same id with other content can be told. Two different ids fall together with
probability 2**-128 a pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headcount_engine.kernels import identifiers as kernels
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.batches import I64, U32, U64, Mask, Texts

HORIZON_US = 7 * 86_400_000_000
IDS_MAX = 50_000_000
_SEEDS = (np.uint64(0x8F1BBCDC5A827999), np.uint64(0xCA62C1D66ED9EBA1))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is known of the ids of a batch. Rows without an id are in none of these.

    rows      i64: the rows that have an id
    first, second, contents   of these rows
    is_repeat     bool per such row: the id came before within the horizon (or earlier in the batch)
    is_different  bool per such row: a repeat with other content
    """

    rows: I64
    first: U64
    second: U64
    contents: U32
    is_repeat: Mask
    is_different: Mask

    def kept(self, accepted: Mask) -> IdsEdit:
        """What to remember once it is known which rows stand."""
        chosen = accepted[self.rows] & ~self.is_repeat
        return IdsEdit(self.first[chosen], self.second[chosen], self.contents[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class IdsEdit:
    """Ids to enter: both halves of the hash and the digest of the content."""

    first: U64
    second: U64
    contents: U32


def hash_column(texts: Texts, seed: int = 0) -> U64:
    """A 64-bit hash of each text, the same in every process: u64 of n."""
    out = np.empty(len(texts), dtype=np.uint64)
    kernels.hash_texts(texts.data, texts.offsets, np.uint64(seed), out)
    return out


class EventIds:
    """The table. Changed by the single writer; asked by staging only."""

    def __init__(self, horizon_us: int = HORIZON_US, ids_max: int = IDS_MAX) -> None:
        self.horizon_us = horizon_us
        self._ids_max = ids_max
        self._count = 0
        self._forgot_us = INSTANT_MIN_US
        """Past the cap, ids are forgotten before their time: those that came up to here."""
        self._allocate(1 << 10)

    def _allocate(self, slots: int) -> None:
        self._keys: U64 = np.zeros(slots, dtype=np.uint64)
        self._checks: U64 = np.zeros(slots, dtype=np.uint64)
        self._arrivals: I64 = np.zeros(slots, dtype=np.int64)
        """Microseconds after year 1, so that 0 marks a free slot."""
        self._digests: U32 = np.zeros(slots, dtype=np.uint32)

    def __len__(self) -> int:
        return self._count

    def known_since_us(self, now_us: int) -> int:
        """Ids that arrived since this instant are known."""
        return max(now_us - self.horizon_us, self._forgot_us)

    def look(self, ids: Texts, contents: U32, now_us: int) -> Seen:
        """Which rows repeat an id. `contents`: u32 digest per row. A row in doubt is the later one of the batch."""
        rows = np.flatnonzero(np.diff(ids.offsets) > 0)
        texts = ids if len(rows) == len(ids) else ids.take(rows)
        first, second = hash_column(texts, int(_SEEDS[0])), hash_column(texts, int(_SEEDS[1]))
        contents = contents[rows]
        slots = np.empty(len(rows), dtype=np.int64)
        kernels.find_ids(first, second, self._keys, self._checks, self._arrivals, slots)
        known = (slots >= 0) & (self._arrivals[slots] > _since_year_1(now_us - self.horizon_us))
        different = known & (self._digests[slots] != contents)
        order = np.lexsort((np.arange(len(rows)), second, first))
        same = np.zeros(len(rows), dtype=np.bool_)
        same[1:] = (first[order][1:] == first[order][:-1]) & (second[order][1:] == second[order][:-1])
        starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(rows))))
        repeats, leaders = order[same], order[starts[same]]
        different[repeats] |= ~known[repeats] & (contents[repeats] != contents[leaders])
        known[repeats] = True
        return Seen(rows, first, second, contents, known, different)

    def publish(self, edit: IdsEdit, now_us: int) -> None:
        """Remember ids as having come now."""
        if not len(edit.first):
            return
        self._make_room(len(edit.first), now_us)
        came = np.full(len(edit.first), _since_year_1(now_us), dtype=np.int64)
        self._count += int(
            kernels.put_ids(
                edit.first,
                edit.second,
                came,
                edit.contents,
                self._keys,
                self._checks,
                self._arrivals,
                self._digests,
            )
        )

    def _make_room(self, more: int, now_us: int) -> None:
        """Grow, forgetting what is past the horizon; past the cap, the oldest half goes too."""
        if 8 * (self._count + more) <= 7 * len(self._keys):
            return
        held = np.flatnonzero(self._arrivals > max(_since_year_1(now_us - self.horizon_us), 0))
        if len(held) + more > self._ids_max:
            middle = np.partition(self._arrivals[held], len(held) // 2)[len(held) // 2]
            held = held[self._arrivals[held] > middle]
            self._forgot_us = int(middle) + INSTANT_MIN_US
        old = (self._keys[held], self._checks[held], self._arrivals[held], self._digests[held])
        self._allocate(1 << (8 * (len(held) + more) // 7).bit_length())
        self._count = int(kernels.put_ids(*old, self._keys, self._checks, self._arrivals, self._digests))

    def dump(self) -> list[np.ndarray]:
        """Both halves of the hashes, arrivals and digests, as plain arrays."""
        held = np.flatnonzero(self._arrivals)
        return [self._keys[held], self._checks[held], self._arrivals[held], self._digests[held]]

    def restore(self, first: U64, second: U64, arrivals: I64, contents: U32) -> None:
        """Take what `dump` gave."""
        self._allocate(1 << max((8 * len(first) // 7).bit_length(), 10))
        self._count = int(
            kernels.put_ids(
                first, second, arrivals, contents, self._keys, self._checks, self._arrivals, self._digests
            )
        )

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._checks.nbytes + self._arrivals.nbytes + self._digests.nbytes


def _since_year_1(us: int) -> int:
    return us - INSTANT_MIN_US + 1
