"""How much memory does a profile take, with its thirty attributes and its share of the events?

What the process grew by while loading, over the number of profiles; the engine's own account of it by room beside. Asked
first, before anything else has left traces in memory.
"""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Floor, Kind, Outcome, size, waits
from bench.tiers import Tier

ROW = "memory_per_profile"
QUESTION = "memory above the interpreter, by room, rows without event ids; each event id inside the horizon"
TARGETS = {Tier.M: 1_500.0, Tier.L: 1_300.0}


def measure(context: Context) -> list[Outcome]:
    loaded, profiles = context.loaded, context.tier.size.profiles
    file_bytes = (context.files.profiles.stat().st_size + context.files.events.stat().st_size) / profiles
    return [
        size(
            ROW, "all, per profile", loaded.resident_bytes / profiles, target=TARGETS.get(context.tier),
            floor=Floor("the same data as compressed Parquet", file_bytes),
        ),
        waits(ROW, "each event id", Kind.SIZE, "deduplication", 32),
        *(
            size(ROW, f"{room}, per profile", bytes_ / profiles, is_beside=True)
            for room, bytes_ in loaded.database.status().memory_bytes.items()
        ),
    ]  # fmt: skip
