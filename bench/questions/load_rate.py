"""How fast are batches written in process, and what do a thousand live segments add?

From text keys, and from the dense ids that a writer has looked up before. Batches go on after the history with its
density, and the clock goes along, so that as many events leave each window as enter it. The floor of the writes into
live segments is the same batches before there were any. After the writes, sizes are compared with the rules, and with
the sizes before and all joins and leaves since.
"""

from __future__ import annotations

from bench import living
from bench.context import Context
from bench.measure import Timing, timed_each
from bench.outcome import Floor, Outcome, rate

ROW = "load_rate"
QUESTION = "batch write in process, batches of 10 k, 1,000 live segments: from dense ids; from text keys"
SIZES = (1, 100, 1_000, 10_000, 100_000)
ROWS = 10_000
BUDGET_S = 1.0
WARM_BATCHES = 3


def measure(context: Context) -> list[Outcome]:
    cost = context.loaded.cost
    return [
        rate(ROW, "load of profiles, 30 attributes, no segments", cost.profiles,
             Timing(cost.profile_seconds, cost.profile_seconds, cost.profile_seconds, 0, 1), is_beside=True),
        rate(ROW, "load of events, batches of 100,000, no segments", cost.events,
             Timing(cost.event_seconds, cost.event_seconds, cost.event_seconds, 0, 1), is_beside=True),
        *(_alone(context, rows) for rows in SIZES),
        _with_ids(context),
    ]  # fmt: skip


def _alone(context: Context, rows: int) -> Outcome:
    timing = timed_each(context.stream.writer(context.loaded.database, rows), budget_s=BUDGET_S)
    context.seconds_without_segments[rows] = timing.p50
    return rate(ROW, f"events in batches of {rows:,}, no segments", rows, timing, is_beside=True)


def _with_ids(context: Context) -> Outcome:
    prepare = context.stream.writer(context.loaded.database, ROWS, with_ids=True)
    timing = timed_each(prepare, budget_s=BUDGET_S)
    case = f"events with event ids in batches of {ROWS:,}, no segments"
    return rate(ROW, case, ROWS, timing, is_beside=True)


def measure_live(context: Context) -> list[Outcome]:
    database, segments = context.loaded.database, context.segments
    for _ in range(WARM_BATCHES):
        context.stream.writer(database, ROWS)()()
    outcomes = {rows: _live(context, rows) for rows in SIZES}
    dense, dense_flips = _live(context, ROWS, by_id=True)
    windows = sum(d.has_window for d in segments)
    main = outcomes.pop(ROWS)
    main = (
        main[0],
        f"{len(segments):,} live segments, {windows} of them with windows; {main[1]:.2f} flips an event",
    )
    return [
        _rated(
            context, "from dense ids", ROWS, dense, f"{dense_flips:.2f} flips an event", target=300_000, is_beside=False
        ),
        _rated(context, "from text keys", ROWS, *main, target=200_000, is_beside=False),
        *(
            _rated(
                context, f"events in batches of {rows:,}, {len(segments):,} live segments", rows, timing,
                f"{flips:.2f} flips an event",
            )
            for rows, (timing, flips) in outcomes.items()
        ),
    ]  # fmt: skip


def _live(context: Context, rows: int, *, by_id: bool = False) -> tuple[Timing, float]:
    """The time of a batch, and joins and leaves per event; both are proved."""
    database = context.loaded.database
    database.tick()
    before, events = living.sizes(database), database.status().events
    timing = timed_each(context.stream.writer(database, rows, by_id=by_id), budget_s=BUDGET_S)
    written = database.status().events - events
    if written != timing.samples * rows:
        raise RuntimeError(f"{written:,} of {timing.samples * rows:,} events are counted")
    return timing, living.check(database, before) / written


def _rated(
    context: Context,
    case: str,
    rows: int,
    timing: Timing,
    note: str,
    *,
    target: float | None = None,
    is_beside: bool = True,
) -> Outcome:
    alone = context.seconds_without_segments.get(rows)
    floor = None if alone is None else Floor("the same batches with no segments", rows / alone)
    return rate(ROW, case, rows, timing, target=target, floor=floor, note=note, is_beside=is_beside)
