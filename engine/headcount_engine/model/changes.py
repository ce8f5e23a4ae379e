"""What changes in the membership of segments: who joined and who left, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from headcount_engine.model.batches import U8, U32


class Cause(IntEnum):
    """Why a profile joined or left. Where several worked in one version, the one that comes first here is told."""

    ATTRIBUTE = 1
    EVENT = 2
    CLOCK = 3
    DEFINITION = 4
    MERGE = 5
    IMPORT = 6
    OVERRIDE = 7
    ERASURE = 8
    UPGRADE = 9


@dataclass(frozen=True, slots=True, eq=False)
class SegmentFlips:
    """The joins and leaves of one segment in one version.

    segment        its id
    joined, left   u32 of dense ids, ascending; no id is in both
    *_causes       u8 parallel to them: `Cause`
    """

    segment: str
    joined: U32
    joined_causes: U8
    left: U32
    left_causes: U8
