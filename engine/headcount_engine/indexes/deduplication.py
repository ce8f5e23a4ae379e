"""Event ids already seen: one event id is one event within the horizon, counted by arrival.

An id has 24 bytes: a 128-bit hash, the instant of its arrival within its chunk, and 32 bits of what the event said, so
that the same id with other content can be told. A table leads there, with 4.7 to 7.2 bytes an id (85 to 56 of 100 slots
are taken); it has 1,024 segments, which grow one by one, so that growing costs neither a pause nor a second table. Ids
are forgotten a chunk at a time. Two different ids fall together with probability 2**-128 a pair.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from headcount_engine.errors import StoreDamaged
from headcount_engine.kernels import identifiers as kernels
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.batches import I64, U32, U64, Mask, Texts

HORIZON_US = 7 * 86_400_000_000
IDS_MAX = 50_000_000
_FULL: Final = 0.85
_ROOMY: Final = 0.56
"""How much of a table is taken when it is moved, and after."""
_SLOTS_MIN: Final = 8
_SPAN_US_MAX: Final = (1 << 32) - 1
"""Of the arrivals in one chunk."""
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


@dataclass(eq=False, slots=True)
class _Chunk:
    """Ids in the order in which they came. Nothing below `count` ever changes, so what is captured is shared.

    halves    u64: both halves of the hashes, an id after the other
    offsets   u32: microseconds from `base_us` to the arrival
    contents  u32: digests of what the events said
    """

    number: int
    base_us: int
    halves: U64
    offsets: U32
    contents: U32
    count: int = 0

    @property
    def last_us(self) -> int:
        return self.base_us + int(self.offsets[self.count - 1]) if self.count else self.base_us


class EventIds:
    """The ids that came within the horizon, up to a number. Changed by the single writer; asked by staging only."""

    def __init__(self, horizon_us: int = HORIZON_US, ids_max: int = IDS_MAX) -> None:
        self.horizon_us = horizon_us
        self._ids_max = ids_max
        self._chunk_ids = min(kernels.CHUNK_IDS, max(ids_max >> 3, 1))
        self._count = 0
        self._forgot_us = INSTANT_MIN_US
        """Past the cap, ids are forgotten before their time: those that came up to here."""
        self._chunks: deque[_Chunk] = deque()
        self._numbered: dict[int, _Chunk] = {}
        self._next_number = 0
        self._chunk_at: I64 = np.zeros(kernels.CHUNKS + 1, dtype=np.int64)
        """Address of each chunk's halves, 0 where there is none of that number."""
        self._tables: dict[int, U32] = {}
        self._table_at: I64 = np.zeros(kernels.SEGMENTS, dtype=np.int64)
        self._sizes: I64 = np.zeros(kernels.SEGMENTS, dtype=np.int64)
        self._taken: I64 = np.zeros(kernels.SEGMENTS, dtype=np.int64)
        """Slots of each table that are not empty."""

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
        places = np.empty(len(rows), dtype=np.int64)
        kernels.find_ids(first, second, self._table_at, self._sizes, self._chunk_at, places)
        known, different = self._compare(places, contents, now_us - self.horizon_us)
        order = np.lexsort((np.arange(len(rows)), second, first))
        same = np.zeros(len(rows), dtype=np.bool_)
        same[1:] = (first[order][1:] == first[order][:-1]) & (second[order][1:] == second[order][:-1])
        starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(rows))))
        repeats, leaders = order[same], order[starts[same]]
        different[repeats] |= ~known[repeats] & (contents[repeats] != contents[leaders])
        known[repeats] = True
        return Seen(rows, first, second, contents, known, different)

    def _compare(self, places: I64, contents: U32, after_us: int) -> tuple[Mask, Mask]:
        """(came after an instant, and of these: with other content) of the ids found at these places; -1: not found."""
        known, different = (np.zeros(len(places), dtype=np.bool_) for _ in range(2))
        found = np.flatnonzero(places >= 0)
        numbers = places[found] >> 16
        for number in np.unique(numbers).tolist():
            chunk = self._numbered[number]
            rows = found[numbers == number]
            at = places[rows] & (kernels.CHUNK_IDS - 1)
            known[rows] = chunk.base_us + chunk.offsets[at].astype(np.int64) > after_us
            different[rows] = chunk.contents[at] != contents[rows]
        return known, known & different

    def publish(self, edit: IdsEdit, now_us: int) -> None:
        """Remember ids as having come now."""
        if not len(edit.first):
            return
        while self._chunks and self._chunks[0].last_us <= now_us - self.horizon_us:
            self._drop_oldest()
        for start in range(0, len(edit.first), self._chunk_ids):
            end = start + self._chunk_ids
            self._append(edit.first[start:end], edit.second[start:end], edit.contents[start:end], now_us)

    def _append(self, first: U64, second: U64, contents: U32, now_us: int) -> None:
        while self._chunks and self._count + len(first) > self._ids_max:
            self._forgot_us = max(self._forgot_us, self._chunks[0].last_us + 1)
            self._drop_oldest()
        places = np.empty(len(first), dtype=np.int64)
        done = 0
        while done < len(first):
            chunk = self._open_chunk(now_us)
            taken = min(self._chunk_ids - chunk.count, len(first) - done)
            here, given = slice(chunk.count, chunk.count + taken), slice(done, done + taken)
            chunk.halves[2 * here.start : 2 * here.stop : 2] = first[given]
            chunk.halves[2 * here.start + 1 : 2 * here.stop : 2] = second[given]
            chunk.offsets[here] = now_us - chunk.base_us
            chunk.contents[here] = contents[given]
            places[given] = np.arange(here.start, here.stop) + (chunk.number << 16)
            chunk.count += taken
            done += taken
        self._count += len(first)
        self._enter(first, second, places)

    def _open_chunk(self, now_us: int) -> _Chunk:
        """The chunk that takes what comes now: the newest, unless it is full or began too long ago."""
        newest = self._chunks[-1] if self._chunks else None
        if newest is not None and newest.count < self._chunk_ids and now_us - newest.base_us <= _SPAN_US_MAX:
            return newest
        if len(self._chunks) == kernels.CHUNKS:
            self._forgot_us = max(self._forgot_us, self._chunks[0].last_us + 1)
            self._drop_oldest()
        size = self._chunk_ids
        return self._add_chunk(
            now_us, np.empty(2 * size, np.uint64), np.empty(size, np.uint32), np.empty(size, np.uint32), 0
        )

    def _add_chunk(self, base_us: int, halves: U64, offsets: U32, contents: U32, count: int) -> _Chunk:
        # In turn, so that the number of a chunk that went is given again as late as can be.
        while self._next_number in self._numbered:
            self._next_number = (self._next_number + 1) % kernels.CHUNKS
        chunk = _Chunk(self._next_number, base_us, halves, offsets, contents, count)
        self._next_number = (self._next_number + 1) % kernels.CHUNKS
        self._chunks.append(chunk)
        self._numbered[chunk.number] = chunk
        self._chunk_at[chunk.number] = halves.ctypes.data
        return chunk

    def _drop_oldest(self) -> None:
        """Forget a chunk. Entries of it stay in the tables, as of nothing, until their segment is moved."""
        gone = self._chunks.popleft()
        del self._numbered[gone.number]
        self._chunk_at[gone.number] = 0
        self._count -= gone.count

    def _enter(self, first: U64, second: U64, places: I64) -> None:
        more = np.bincount((first >> np.uint64(54)).astype(np.int64), minlength=kernels.SEGMENTS)
        full = (more > 0) & (self._taken + more > _FULL * self._sizes)
        for segment in np.flatnonzero(full).tolist():
            self._make_room(segment, int(more[segment]))
        kernels.put_ids(first, second, places, self._table_at, self._sizes, self._chunk_at, self._taken)

    def _make_room(self, segment: int, more: int) -> None:
        """Move a segment into a larger table, or only a cleaner one."""
        table = self._tables.get(segment)
        held = 0 if table is None else int(kernels.count_ids(table, self._chunk_at))
        size = max(2 * math.ceil((held + more) / _ROOMY / 2), _SLOTS_MIN)
        target = np.full(size, kernels.EMPTY, dtype=np.uint32)
        moved = 0 if table is None else kernels.move_ids(table, self._chunk_at, segment, target)
        self._tables[segment] = target
        self._table_at[segment], self._sizes[segment] = target.ctypes.data, size
        self._taken[segment] = moved

    def dump(self) -> list[list[object]]:
        """Every chunk as [arrival of its first id, hashes, offsets, digests], sharing memory, oldest first."""
        return [
            [c.base_us, c.halves[: 2 * c.count], c.offsets[: c.count], c.contents[: c.count]]
            for c in self._chunks
        ]

    def restore(self, plain: Sequence[object]) -> None:
        """Take what `dump` gave. Raises StoreDamaged."""
        if len(plain) and isinstance(plain[0], np.ndarray):
            self._restore_columns(*cast("tuple[U64, U64, I64, U32]", tuple(plain)))
            return
        for base_us, halves, offsets, contents in cast("Sequence[tuple[int, U64, U32, U32]]", plain):
            count = len(offsets)
            if len(halves) != 2 * count or len(contents) != count or count > self._chunk_ids:
                raise StoreDamaged("event ids whose parts differ in length")
            # As long as one that takes more: the newest goes on where it was.
            size = self._chunk_ids
            whole = (np.empty(2 * size, np.uint64), np.empty(size, np.uint32), np.empty(size, np.uint32))
            whole[0][: 2 * count], whole[1][:count], whole[2][:count] = halves, offsets, contents
            chunk = self._add_chunk(base_us, *whole, count)
            self._count += count
            places = np.arange(count, dtype=np.int64) + (chunk.number << 16)
            self._enter(
                np.ascontiguousarray(chunk.halves[: 2 * count : 2]),
                np.ascontiguousarray(chunk.halves[1 : 2 * count : 2]),
                places,
            )

    def _restore_columns(self, first: U64, second: U64, arrivals: I64, contents: U32) -> None:
        """Checkpoints of release 0.1 hold all ids in four columns, arrivals counted from the year 1, in no order."""
        order = np.argsort(arrivals, kind="stable")
        starts = np.flatnonzero(np.diff(arrivals[order], prepend=-1)).tolist()
        for start, end in itertools.pairwise([*starts, len(order)]):
            rows = order[start:end]
            came_us = int(arrivals[rows[0]]) + INSTANT_MIN_US - 1
            self.publish(IdsEdit(first[rows], second[rows], contents[rows]), came_us)

    @property
    def nbytes(self) -> int:
        """Bytes in use: 24 an id, and the tables."""
        own = self._chunk_at.nbytes + self._table_at.nbytes + self._sizes.nbytes + self._taken.nbytes
        return 24 * self._count + sum(table.nbytes for table in self._tables.values()) + own
