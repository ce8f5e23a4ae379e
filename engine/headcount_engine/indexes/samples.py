"""Buckets of all keys under the salts in use: hashed once, then only those of new profiles."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from headcount_engine.indexes.texts import TextTable
from headcount_engine.kernels.samples import sample_buckets
from headcount_engine.model.batches import U64

_SALTS_KEPT = 16


class Samples:
    """MD5 buckets by salt, least recently used out first. Any thread."""

    def __init__(self, keys: TextTable) -> None:
        self._keys = keys
        self._kept: OrderedDict[str, U64] = OrderedDict()
        self._lock = threading.Lock()

    def buckets(self, salt: str, ids_end: int) -> U64:
        """u64 per id below `ids_end`: the first 8 bytes, big-endian, of MD5(key + salt). 0.5 us a key, once."""
        with self._lock:
            held = self._kept.get(salt)
        if held is None or len(held) < ids_end:
            first = 0 if held is None else len(held)
            keys = self._keys.slice(first, ids_end)
            fresh = sample_buckets(keys.data, keys.offsets, salt.encode())
            held = fresh if held is None else np.concatenate([held, fresh])
            with self._lock:
                self._kept[salt] = held
                if len(self._kept) > _SALTS_KEPT:
                    self._kept.popitem(last=False)
        return held[:ids_end]
