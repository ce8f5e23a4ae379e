"""Roaring bitmaps with obvious code: one bitmap per value in a dict, `&`, `|` and `-`, and `len` of the result."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import numpy as np
from pyroaring import BitMap

from bench.asked import Asked, Leaves
from bench.data import bitmap_of
from bench.peers.base import Peer


class Pyroaring(Peer):
    version = f"pyroaring {importlib.metadata.version('pyroaring')}"

    def ask(self, question: Asked) -> Callable[[], int] | None:
        if not isinstance(question, Leaves):
            return None
        countries = [bitmap_of(self.data.equals("country", c)) for c in question.countries]
        plan = bitmap_of(self.data.equals("plan", question.plan))
        subscribed = bitmap_of(self.data.is_true("subscribed"))
        device = bitmap_of(self.data.equals("device", question.not_device))
        last = self._last(question)

        def call() -> int:
            found = BitMap.union(*countries) & plan & subscribed & BitMap.union(*last)
            return len(found - device)

        return call

    def _last(self, question: Leaves) -> list[BitMap]:
        if question.age is None:
            return [bitmap_of(self.data.equals("loyalty_tier", t)) for t in question.tiers]
        low, high = question.age
        masks = (np.asarray(self.data.between("age", age, age)) for age in range(low, high + 1))
        return [bitmap_of(mask) for mask in masks]

    def form(self, question: Asked) -> str:
        return "a bitmap per value, operators"
