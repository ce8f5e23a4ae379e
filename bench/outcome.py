"""What a question yields: one outcome per case, plain data that goes to JSON and comes back."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field

from bench.measure import Timing


class Kind(enum.StrEnum):
    TIME = "time"
    """Seconds; less is better."""
    RATE = "rate"
    """Per second; more is better."""
    SIZE = "size"
    """Bytes; less is better."""
    SHARE = "share"
    """Of what it is without something; more is better."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The same work by the barest means: what nobody can beat by much."""

    what: str
    value: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One measured case of a row of the target table, or what it waits for.

    `value` is the median (seconds, per second or bytes), `p99` the 99th percentile in the same unit. `target` is None
    where the table names none for this tier. `best` and `peers_best` are the best samples: on a machine that others
    use too they are nearer to what a quiet one would give than medians are, above all for peers that want both cores.
    `answer` is what was counted: equal for all systems or the run fails.
    `is_beside`: for information, no part of the table.
    """

    row: str
    case: str
    kind: Kind
    value: float | None = None
    p99: float | None = None
    best: float | None = None
    variation: float | None = None
    samples: int = 0
    target: float | None = None
    floor: Floor | None = None
    peers: dict[str, float] = field(default_factory=dict)
    peers_best: dict[str, float] = field(default_factory=dict)
    answer: int | None = None
    note: str = ""
    waits_for: str = ""
    is_beside: bool = False

    @property
    def id(self) -> str:
        return f"{self.row}/{self.case}"

    def times_worse_than(self, other: float | None) -> float | None:
        """How many times worse than another value of its kind; below 1 it is better."""
        if self.value is None or not other:
            return None
        return other / self.value if self.kind in (Kind.RATE, Kind.SHARE) else self.value / other

    def best_peer(self) -> tuple[str, float] | None:
        if not self.peers:
            return None
        pick = max if self.kind in (Kind.RATE, Kind.SHARE) else min
        return pick(self.peers.items(), key=lambda item: item[1])

    def meets(self) -> bool | None:
        worse = self.times_worse_than(self.target)
        return None if worse is None else worse <= 1.0


def took(row: str, case: str, timing: Timing, **more: object) -> Outcome:
    """An outcome in seconds."""
    return Outcome(
        row,
        case,
        Kind.TIME,
        timing.p50,
        timing.p99,
        timing.best,
        timing.variation,
        timing.samples,
        **more,  # type: ignore[arg-type]
    )


def rate(row: str, case: str, units: float, timing: Timing, **more: object) -> Outcome:
    """An outcome in units per second, each call having done `units`; its p99 is that of the slowest calls."""
    return Outcome(
        row,
        case,
        Kind.RATE,
        units / timing.p50,
        units / timing.p99,
        units / timing.best,
        timing.variation,
        timing.samples,
        **more,  # type: ignore[arg-type]
    )


def size(row: str, case: str, bytes_: float, **more: object) -> Outcome:
    return Outcome(row, case, Kind.SIZE, bytes_, samples=1, **more)  # type: ignore[arg-type]


def waits(row: str, case: str, kind: Kind, reason: str, target: float | None = None) -> Outcome:
    """A row that cannot be measured yet."""
    return Outcome(row, case, kind, waits_for=reason, target=target)


def to_plain(outcome: Outcome) -> dict[str, object]:
    return dataclasses.asdict(outcome)


def from_plain(plain: dict[str, object]) -> Outcome:
    given = dict(plain)
    floor = given.pop("floor")
    kind = Kind(str(given.pop("kind")))
    made = None if floor is None else Floor(**floor)  # type: ignore[arg-type]
    return Outcome(kind=kind, floor=made, **given)  # type: ignore[arg-type]
