"""How long does it take to open the store of a tier again after a loss of power?

The state is in a checkpoint; what was written after it (half a million events and more, and the segments that they
found) is in the log alone and is replayed; then the live segments are made from what is there. Kernels are compiled
already. What is counted, and the sizes of all segments, must be what they were before.
"""

from __future__ import annotations

from bench.context import Context
from bench.floors import fresh_memory, sequential_read
from bench.measure import Timing
from bench.outcome import Floor, Outcome, size, took
from bench.tiers import Tier

ROW = "restart"
QUESTION = "restart from checkpoint + log, warm kernel cache"
TARGETS = {Tier.M: 3.0, Tier.L: 30.0}


def measure(context: Context) -> list[Outcome]:
    figures = context.durable
    restart, checkpoint = Timing.of([figures["restart_s"]]), Timing.of([figures["checkpoint_s"]])
    profiles = context.tier.size.profiles
    kept = int(figures["checkpoint_bytes"] + figures["replayed_bytes"])
    floor = Floor(
        f"the same {kept / 1e6:,.0f} MB read from a file", sequential_read(kept, context.folder).p50
    )
    return [
        took(ROW, "restart", restart, target=TARGETS.get(context.tier), floor=floor,
             note=f"{figures['replayed']:.0f} commits replayed, {figures['segments']:,.0f} live segments"),
        took(ROW, "as much memory as it held at its peak, taken from the system and written once",
             fresh_memory(int(figures["restart_peak_bytes"])), is_beside=True),
        took(ROW, "of it: making the live segments", Timing.of([figures["rebuild_s"]]), is_beside=True),
        took(ROW, "checkpoint of everything", checkpoint, is_beside=True),
        size(ROW, "checkpoint, per profile", figures["checkpoint_bytes"] / profiles, is_beside=True),
        size(ROW, "log that is replayed", figures["replayed_bytes"], is_beside=True),
        size(ROW, "peak memory of the restart, per profile", figures["restart_peak_bytes"] / profiles, is_beside=True),
    ]  # fmt: skip
