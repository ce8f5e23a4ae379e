"""Generated events as the client library takes them, and as messages of a stream."""

from __future__ import annotations

import numpy as np

from bench.generator import EVENT_TYPES, KEY_DIGITS, Events
from headcount import EventColumns


def columns_of(part: Events) -> EventColumns:
    """As a caller of the client library has them: Python lists of keys, and arrays of numbers."""
    page, amount, quantity = part.columns
    assert page.vocabulary is not None and amount.present is not None
    pages = [page.vocabulary.words[code] for code in page.values.tolist()]
    money = [
        v / 100 if there else None for v, there in zip(amount.values.tolist(), amount.present, strict=True)
    ]
    return EventColumns(
        [EVENT_TYPES[t] for t in part.types.tolist()],
        [f"c{p:0{KEY_DIGITS}}" for p in part.profiles.tolist()],
        memoryview(np.ascontiguousarray(part.times_us, dtype=np.int64).data),
        properties={"page": pages, "amount": money, "quantity": quantity.values.tolist()},
    )
