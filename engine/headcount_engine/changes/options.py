"""What an operator may choose about joins and leaves."""

from __future__ import annotations

from dataclasses import dataclass

from headcount_engine.limits import MICROSECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """How long changes are kept to be read again, and when a reader is cut off. Whichever bound is met first holds."""

    kept_us: int = 7 * MICROSECONDS_PER_DAY
    """By the engine's clock."""
    kept_bytes: int = 1 << 30
    """In memory, packed: about five bytes a record, less where many join or leave at once."""
    away_s: float = 30.0
    """How long a reader may leave an item untaken ..."""
    missed_records: int = 1_000_000
    """... while more than this many records are published: then it is cut off."""
    progress_every_s: float = 1.0
    """How often a reader to whom nothing happens is told how far it is."""
