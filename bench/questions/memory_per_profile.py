"""How much memory does a profile take, with its thirty attributes and its share of the events?

What the process grew by while loading, over the number of profiles; the engine's own account of it by room beside.
Asked first, before anything else has left traces in memory. With live segments: what the process grew by while they
were saved comes on top; their rooms beside, and what is kept of joins and leaves by then. Event ids: what a million
events with ids take more than the same without.
"""

from __future__ import annotations

from bench.context import Context
from bench.generator import EVENT_CHUNK, events
from bench.loading import new_database
from bench.measure import resident_bytes
from bench.outcome import Floor, Outcome, size
from bench.tiers import Tier
from headcount_engine import Database

ROW = "memory_per_profile"
QUESTION = "memory above the interpreter, by room, rows without event ids; each event id inside the horizon"
TARGETS = {Tier.M: 1_500.0, Tier.L: 1_300.0}
ID_TARGET = 32.0
PARTS = 10
"""The million events of the ids' row is written in so many batches."""


def measure(context: Context) -> list[Outcome]:
    loaded, profiles = context.loaded, context.tier.size.profiles
    file_bytes = (context.files.profiles.stat().st_size + context.files.events.stat().st_size) / profiles
    return [
        size(
            ROW, "all, per profile", loaded.resident_bytes / profiles, target=TARGETS.get(context.tier),
            floor=Floor("the same data as compressed Parquet", file_bytes),
        ),
        _event_ids(),
        *(
            size(ROW, f"{room}, per profile", bytes_ / profiles, is_beside=True)
            for room, bytes_ in loaded.database.status().memory_bytes.items()
        ),
    ]  # fmt: skip


def measure_live(context: Context) -> list[Outcome]:
    loaded, profiles, number = context.loaded, context.tier.size.profiles, len(context.segments)
    live = loaded.database.live
    grown = loaded.resident_bytes + context.live_resident_bytes
    rooms = {
        "rows of atoms": live._atoms.rows.nbytes,
        "counters": live._atoms._tallies.nbytes,
        "rows of members": live._rows.nbytes,
        "sets of members": live._sets.nbytes,
        "all that is kept for live segments": live.nbytes,
        "joins and leaves": loaded.database.status().memory_bytes["changes"],
    }
    return [
        size(ROW, f"all with {number:,} live segments, per profile", grown / profiles,
             target=TARGETS.get(context.tier)),
        *(
            size(ROW, f"{room}, {number:,} live segments, per profile", bytes_ / profiles, is_beside=True)
            for room, bytes_ in rooms.items()
        ),
    ]  # fmt: skip


def _event_ids() -> Outcome:
    """Also checks that the repeated rows, and no others, were found out."""
    _growth(with_ids=False)
    without, _, _ = _growth(with_ids=False)
    grown, held, repeated = _growth(with_ids=True)
    ids = held.status().events
    if ids != EVENT_CHUNK or repeated == 0:
        raise RuntimeError(f"{ids:,} events are counted where {EVENT_CHUNK:,} different ids were sent")
    floor = Floor("16 bytes of hash", 16.0)
    return size(
        ROW,
        "each event id",
        (grown - without) / ids,
        target=ID_TARGET,
        floor=floor,
        note=f"{repeated:,} repeated",
    )


def _growth(*, with_ids: bool) -> tuple[int, Database, int]:
    """Bytes that a million events took, the database that holds them, and how many rows repeated an id."""
    made = next(events(EVENT_CHUNK, 100_000, with_ids=with_ids))
    rows, step = len(made), len(made) // PARTS + 1
    batches = [made.part(start, min(start + step, rows)).to_batch() for start in range(0, rows, step)]
    before = resident_bytes()
    database = new_database()
    repeated = sum(database.write_events(batch).duplicates for batch in batches)
    return resident_bytes() - before, database, repeated
