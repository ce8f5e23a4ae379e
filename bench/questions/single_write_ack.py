"""How long does one event take until it is on the medium and acknowledged, and how many a second are, by many writers?

Writers are threads of one process with a durable store of its own; each waits for its acknowledgement before it writes
the next event. Those that wait at one time share a commit. The floor of one writer is 100 bytes appended and synced.
Beside: the bytes that a durable load writes for each byte it is given.
"""

from __future__ import annotations

from bench.context import Context
from bench.durable import WRITERS, acknowledged
from bench.floors import sequential_write
from bench.measure import Timing
from bench.outcome import Floor, Kind, Outcome, took
from bench.tiers import Tier

ROW = "single_write_ack"
QUESTION = "single write, acknowledged when it is on the medium, at 1, 8, 32 and 128 writers"


SECONDS = {Tier.S: 0.5}
"""By each number of writers; of other tiers 1.5."""


def measure(context: Context) -> list[Outcome]:
    synced = sequential_write(100, context.folder)
    floor = Floor("100 bytes appended and synced", synced.p50)
    waits = acknowledged(context.folder, SECONDS.get(context.tier, 1.5))
    made = []
    for writers in WRITERS:
        seconds, elapsed = waits[writers]
        what = f"{writers} writer{'' if writers == 1 else 's'}"
        rate = len(seconds) / elapsed
        made.append(took(ROW, what, Timing.of(seconds), floor=floor, note=f"{rate:,.0f} events/s"))
        made.append(
            Outcome(ROW, f"{what}, events per second", Kind.RATE, rate, samples=1, is_beside=True,
                    floor=Floor("100 bytes appended and synced, one after the other", 1 / synced.p50)),
        )  # fmt: skip
    return [*made, *_written(context)]


def _written(context: Context) -> list[Outcome]:
    """Bytes on the medium for each byte of keys, names, times and values that was given."""
    figures = context.durable
    given = figures["given_bytes"]
    return [
        Outcome(ROW, f"bytes {what}, share of the bytes given", Kind.SHARE, bytes_ / given, samples=1, is_beside=True,
                note=f"{given / 1e6:,.0f} MB given")
        for what, bytes_ in (
            ("of log", figures["log_bytes"]),
            ("of log and checkpoint", figures["log_bytes"] + figures["checkpoint_bytes"]),
        )
    ]  # fmt: skip
