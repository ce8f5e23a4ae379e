"""One file per row of the target table, in its order. Each has ROW, QUESTION and `measure`, `measure_live` or both.

Both take the context and return outcomes. `measure` is asked before there are a thousand live segments, which would
slow every write, `measure_live` after. A question that waits for a part of the engine says so and gives no number.
"""

from __future__ import annotations

from types import ModuleType

from bench.questions import (
    audience_stream,
    batch_membership,
    checkpoint_while_ingesting,
    clock_leave_lateness,
    durable_bulk_ingest,
    fast_lane,
    file_import,
    five_indexed_leaves,
    join_on_stream,
    keyed_window,
    live_count,
    live_reads_while_ingesting,
    load_rate,
    memberships_of_a_profile,
    memory_per_profile,
    numeric_range,
    overlap_matrix,
    rebuild_segments,
    restart,
    segment_growth,
    single_write_ack,
    unary_calls,
    window_counts,
)

ALL: tuple[ModuleType, ...] = (
    live_count, memberships_of_a_profile, five_indexed_leaves, numeric_range, window_counts, keyed_window, load_rate,
    live_reads_while_ingesting, durable_bulk_ingest, single_write_ack, join_on_stream, clock_leave_lateness,
    unary_calls, fast_lane,
    batch_membership, audience_stream, overlap_matrix, memory_per_profile, restart, checkpoint_while_ingesting,
    rebuild_segments, file_import, segment_growth,
)  # fmt: skip
