"""What do writers notice of a checkpoint?

Batches of 10,000 events, each synced, while another thread writes a checkpoint of all that changed since the one
before; once to three times, each with such batches alone before it and after it. *Capture* is the longest that writes
are held for one. *Throughput meanwhile* is that of the batches beside a checkpoint as a share of that of those alone in
the same round, the stalls of both included; the median of the rounds.
"""

from __future__ import annotations

from bench.context import Context
from bench.durable import ROUNDS
from bench.measure import Timing
from bench.outcome import Kind, Outcome, took
from bench.tiers import Tier

ROW = "checkpoint_while_ingesting"
QUESTION = "a checkpoint while ingesting: capture; commit p99 meanwhile; throughput meanwhile"
CAPTURE, COMMIT, SHARE = 0.01, 0.06, 0.7


def measure(context: Context) -> list[Outcome]:
    figures = context.durable
    is_m = context.tier is Tier.M
    return [
        took(ROW, "capture", Timing.of([figures["capture_s"]]), target=CAPTURE),
        took(ROW, "commit p99", Timing.of([figures["beside_p99_s"]]), target=COMMIT if is_m else None,
             note=f"{figures['commits_beside']:.0f} commits"),
        Outcome(ROW, "throughput meanwhile, share of that alone", Kind.SHARE, figures["throughput_share"],
                samples=ROUNDS.get(context.tier, 3),
                target=SHARE, note=f"{figures['share_least']:.0%} to {figures['share_most']:.0%}"),
        took(ROW, "commit median meanwhile", Timing.of([figures["beside_p50_s"]]), is_beside=True),
        took(ROW, "commit median alone", Timing.of([figures["lone_p50_s"]]), is_beside=True),
        took(ROW, "commit p99 alone", Timing.of([figures["lone_p99_s"]]), is_beside=True),
        took(ROW, "the checkpoint", Timing.of([figures["checkpoint_beside_s"]]), is_beside=True),
    ]  # fmt: skip
