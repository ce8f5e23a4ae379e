"""How long does it take to work out 1,000 live segments from nothing, as after a restart?

Everything that is kept for them is made a second time, and taken over: atoms, counters of windows, members. It must be
what the segments have come to by all that was written. Beside: a batch that touches a good part of everyone, which is
stepped like any other, since that costs less than a rebuild; and the sizes of all segments, read. At tier L everything
that is kept for a thousand segments does not fit into memory a second time: there the restart row has it, of a hundred.
"""

from __future__ import annotations

from bench import living
from bench.context import Context
from bench.floors import fresh_memory, memory_pass
from bench.measure import timed, timed_each
from bench.outcome import Floor, Outcome, took
from bench.tiers import Tier
from headcount_engine.ingest.live import LiveStage
from headcount_engine.membership.live import LiveSegments
from headcount_engine.model.answers import SegmentQuery
from headcount_engine.read_view import PinnedView

ROW = "rebuild_segments"
QUESTION = "rebuild of 1,000 segments from nothing"
TARGETS = {Tier.M: 0.5}
LARGE_ROWS = 250_000


def measure_live(context: Context) -> list[Outcome]:
    database, number = context.loaded.database, len(context.segments)
    database.tick()
    query = SegmentQuery(page_size=number)
    listed = timed(lambda: database.list_segments(query), budget_s=0.5, samples_min=3, warm_runs=1)
    page = took(ROW, f"a page of all {number:,} saved segments with their sizes", listed, is_beside=True)
    if context.tier is Tier.L:
        return [page]
    made: list[LiveSegments] = []

    def rebuild() -> None:
        live = LiveSegments(database._indexes, database._catalogue.retention, database._moment_at)
        stage = LiveStage(
            database._catalogue,
            live,
            lambda names: PinnedView(database._indexes, database._gate, names, database._catalogue),
            database._live_stage._moment_under,
        )
        live.publish(stage.rebuild(database.live_now_us()))
        made[:] = [live]

    timing = timed(rebuild, budget_s=1.0, samples_min=2, warm_runs=1)
    for id_ in database._catalogue.all():
        if made[0].members(id_) != database.live.members(id_):
            raise RuntimeError(f"{id_} has other members when it is made from nothing")
    made.clear()
    large = timed_each(context.stream.writer(database, LARGE_ROWS), budget_s=1.0, samples_min=2)
    living.check(database)
    floor = memory_pass(database.live.nbytes)
    return [
        took(ROW, "rebuild", timing, target=TARGETS.get(context.tier), floor=Floor(floor.what, floor.value)),
        took(
            ROW,
            "as much memory as is kept for them, taken from the system and written once",
            fresh_memory(database.live.nbytes),
            is_beside=True,
        ),
        took(ROW, f"instead: one batch of {LARGE_ROWS:,} events, stepped", large, is_beside=True),
        page,
    ]
