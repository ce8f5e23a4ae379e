"""A process that writes 20,000 events a second to a server until its input is closed; then it tells how many it wrote a
second."""

from __future__ import annotations

import datetime as dt
import select
import sys
import time

import numpy as np

from bench.generator import KEY_DIGITS
from bench.tiers import NOW_US, SEED
from headcount import Client, EventColumns

EVENTS_A_SECOND = 20_000
WRITES_A_SECOND = 10
PROFILES = 100_000
TIMEOUT_S = 60.0


def write(address: str) -> None:
    """One batch after the other, each when it is due."""
    rows = EVENTS_A_SECOND // WRITES_A_SECOND
    now = dt.datetime.fromtimestamp(NOW_US / 1e6, dt.UTC)
    chance = np.random.default_rng(SEED)
    with Client(address, timeout=TIMEOUT_S) as client:
        written, started = 0, time.monotonic()
        due = started
        while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
            keys = [f"c{i:0{KEY_DIGITS}d}" for i in chance.integers(0, PROFILES, rows).tolist()]
            client.track(
                EventColumns("page_view", keys, [now] * rows, properties={"page": ["page-1"] * rows})
            )
            written += rows
            due += 1.0 / WRITES_A_SECOND
        print(written / (time.monotonic() - started), flush=True)


if __name__ == "__main__":
    write(sys.argv[1])
