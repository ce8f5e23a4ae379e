"""Every bound in one place, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BLOCK_BITS: Final = 16
BLOCK_IDS: Final = 1 << BLOCK_BITS
"""Ids per block: one roaring container, the unit of scanning, pinning and checkpointing."""
BLOCK_WORDS: Final = BLOCK_IDS // 64
SHARD_BLOCKS: Final = 16
"""Blocks per shard (2**20 ids): the unit a cluster would place."""

MICROSECONDS_PER_SECOND: Final = 1_000_000
MICROSECONDS_PER_DAY: Final = 86_400 * MICROSECONDS_PER_SECOND

INSTANT_MIN_US: Final = -62_135_596_800 * MICROSECONDS_PER_SECOND
"""0001-01-01T00:00:00Z: what ISO 8601 and protobuf timestamps can name."""
INSTANT_MAX_US: Final = 253_402_300_800 * MICROSECONDS_PER_SECOND - 1
"""The last microsecond of year 9999."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that an operator may change. None of them means "no limit"."""

    rule_depth: int = 64
    """Nested groups; deeper ones are refused before anything recurses."""
    rule_leaves: int = 1_000
    rule_text_bytes: int = 4 << 20
    """A rule's text; room for a list of 100,000 short values."""
    list_values: int = 100_000
    """Values in one `in (...)` or set operator."""
    pattern_bytes: int = 1_000
    """A glob or regular expression."""
    key_bytes: int = 512
    """A profile key or identifier in UTF-8."""
    name_bytes: int = 256
    """The name of an attribute, event, property, tag or segment in UTF-8."""
    text_bytes: int = 65_536
    """One text value in UTF-8."""
    profiles: int = (1 << 32) - 2 * BLOCK_IDS
    """Dense ids are 32-bit; the last blocks are kept free for sentinels."""
    attributes: int = 10_000
    event_types: int = 10_000
    distinct_values: int = (1 << 31) - 1
    """Entries in one attribute's dictionary."""
    segments: int = 100_000
    batch_rows: int = 4_000_000
    """Rows in one commit."""
    audience_rules: int = 200
    """Includes, excludes and suppressions of one audience together; each is a set held while it is resolved."""
    audiences: int = 1_000
    """Resolved audiences kept at one time; those that expired do not count."""
    audience_bytes: int = 1 << 29
    """What the kept audiences may take together; one of five million out of ten takes 1.3 MB."""
    audience_life_s: int = 7 * 86_400
    """The longest that an audience may be asked to be kept."""
    preview_rows: int = 1_000
    """Profiles in one preview."""
    overlap_rules: int = 1_000
    """Rules in one overlap matrix: half a million intersections."""
    event_ahead_days: int = 366
    """How far after now an event may be dated; beyond, it is taken for a unit mistake."""
    consent_ahead_s: int = 300
    """How far after now an answer about a consent topic may be dated: clocks differ."""


DEFAULT_LIMITS: Final = Limits()
