"""What an operator may choose about durability."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SyncMode(enum.Enum):
    """When a write is acknowledged."""

    EACH_COMMIT = "each_commit"
    """After it is on the medium: it survives a loss of power."""
    INTERVAL = "interval"
    """After it is with the operating system, which puts it on the medium within `interval_s`: it survives the
    process, and a loss of power takes at most that much time."""
    OPERATING_SYSTEM = "operating_system"
    """After it is with the operating system, which puts it on the medium when it likes: tests and bulk loads."""


@dataclass(frozen=True, slots=True)
class DurabilityOptions:
    """A checkpoint is made when either bound is reached and something was written since the last."""

    sync: SyncMode = SyncMode.EACH_COMMIT
    interval_s: float = 0.1
    checkpoint_log_bytes: int = 256 << 20
    checkpoint_every_s: float = 900.0
    now_every_s: float = 10.0
    """How often `now` is recorded while nothing is written."""
    erasure_within_s: float = 3_600.0
    """How long after an erasure its traces may still be in files of the store; then two checkpoints are made."""
    is_automatic: bool = True
    """False: no checkpoint but those asked for and the last one, and no thread."""


@dataclass(frozen=True, slots=True)
class DurabilityFacts:
    """An open store in numbers. `log_bytes`: what a restart would replay; `failure`: why it is read-only, if it is;
    `checkpoint_failure`: why the last automatic checkpoint did not come about."""

    sync: SyncMode
    durable_version: int
    """What a loss of power would leave at least; behind the newest version where commits are not synced each."""
    checkpoint_version: int
    checkpoint_us: int | None
    """When the last checkpoint was made, by the clock of the store; None where this process made none."""
    log_bytes: int
    failure: str | None
    checkpoint_failure: str | None


@dataclass(frozen=True, slots=True)
class TornEnd:
    """The end of a log file that was cut off, and the file that keeps it."""

    path: str
    offset: int
    bytes_cut: int
    saved_as: str
    message: str


@dataclass(frozen=True, slots=True)
class RecoveryProgress:
    """How far a start has come with the log. `records`: frames taken so far; `log_bytes` of `log_bytes_total`."""

    version: int
    records: int
    log_bytes: int
    log_bytes_total: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a start found. `checkpoint_version` 0: there was none; `replayed`: commits taken from the log."""

    checkpoint_version: int
    version: int
    replayed: int
    log_bytes: int
    took_s: float
    torn: TornEnd | None = None
    warnings: tuple[str, ...] = ()
