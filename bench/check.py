"""Has anything become slower? Runs a tier again and compares ratios, not seconds, with the committed results.

The ratios are those to the floor and to the fastest peer, measured in the same run as the value: they cancel most of
what the machine does. A ratio may be `--tolerance` times worse (2 by default: two shared cores vary that much). A row
beyond it is measured a second time by itself and fails only if it is beyond again.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

from bench.outcome import Outcome
from bench.record import Run, path_of
from bench.run import run
from bench.tiers import Tier

TOLERANCE = 2.0


@dataclass(frozen=True, slots=True)
class Worse:
    """A ratio that grew: `to` is what it is a ratio to."""

    id: str
    to: str
    before: float
    now: float

    def __str__(self) -> str:
        times = self.now / self.before
        return f"{self.id}: {self.now:.3g} times the {self.to}, {self.before:.3g} before ({times:.2f}x)"


def ratios(outcome: Outcome) -> dict[str, float]:
    """How many times worse the outcome is than its floor and its fastest peer."""
    found = {}
    floor = outcome.times_worse_than(outcome.floor.value if outcome.floor else None)
    if floor is not None:
        found["floor"] = floor
    peer = outcome.best_peer()
    if peer is not None:
        found["fastest peer"] = outcome.times_worse_than(peer[1]) or 0.0
    return {to: ratio for to, ratio in found.items() if ratio > 0}


def worse(before: list[Outcome], now: list[Outcome], tolerance: float) -> list[Worse]:
    """The ratios that grew by more than the tolerance, cases that are in both runs only."""
    old = {o.id: ratios(o) for o in before}
    return [
        Worse(o.id, to, old[o.id][to], ratio)
        for o in now
        for to, ratio in ratios(o).items()
        if to in old.get(o.id, {}) and ratio > tolerance * old[o.id][to]
    ]


def lost(before: list[Outcome], now: list[Outcome]) -> list[str]:
    """Cases that had a value and have none now."""
    valued = {o.id for o in now if o.value is not None}
    return [o.id for o in before if o.value is not None and o.id not in valued]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tier", type=Tier, choices=list(Tier), default=Tier.M)
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    given = parser.parse_args()
    before = Run.read(path_of(given.tier))
    with_peers = given.tier is Tier.M if given.peers is None else given.peers
    now = run(given.tier, with_peers, [])
    slower = worse(before.outcomes, now.outcomes, given.tolerance)
    if slower:
        rows = sorted({w.id.split("/")[0] for w in slower})
        print("measured again:", *rows, file=sys.stderr)
        again = run(given.tier, with_peers, rows)
        still = {(w.id, w.to) for w in worse(before.outcomes, again.outcomes, given.tolerance)}
        slower = [w for w in slower if (w.id, w.to) in still]
    missing = lost(before.outcomes, now.outcomes)
    missing += sorted({k.kind for k in before.leaf_kinds} - {k.kind for k in now.leaf_kinds})
    print(*(f"slower   {w}" for w in slower), *(f"missing  {m}" for m in missing), sep="\n")
    compared = sum(len(ratios(o)) for o in now.outcomes)
    print(
        f"{compared} ratios compared with those of {before.made};"
        f" {len(slower)} worse by more than {given.tolerance:g} times"
    )
    return 1 if slower or missing else 0


if __name__ == "__main__":
    sys.exit(main())
