"""The arithmetic of a waterfall: what each step changed, and what it alone is answerable for.

All of it in two sweeps over the sets, whatever their number: somebody whom exactly one include brings in is lost
without that include, and somebody whom exactly one step takes away would be there without that step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headcount_engine import bitmaps
from headcount_engine.audiences.request import StageKind
from headcount_engine.bitmaps import Bitmap
from headcount_engine.model.answers import Deadline


@dataclass(frozen=True, slots=True)
class Step:
    """What stands behind one stage. `members`: who is in its rule; those stay if `is_kept`, else they go.

    An include brings its members in, whatever `is_kept` says.
    """

    kind: StageKind
    text: str
    members: Bitmap
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of a waterfall.

    `remaining`: how many there are after it. `changed`: how many it added (an include) or took away. `unique`: by how
    many the whole would shrink (an include) or grow (all others) if it alone were left out.
    """

    kind: StageKind
    text: str
    remaining: int
    changed: int
    unique: int


def fall(
    steps: Sequence[Step], limit: int, limit_text: str, deadline: Deadline
) -> tuple[Bitmap, tuple[Stage, ...]]:
    """(who is left before the limit, the stages, the limit's last). Includes stand first. A limit of 0 is none."""
    includes = [step for step in steps if step.kind is StageKind.INCLUDE]
    others = steps[len(includes) :]
    reached, doubled = bitmaps.EMPTY, bitmaps.EMPTY
    sizes: list[tuple[int, int]] = []
    for step in includes:
        deadline.check()
        doubled = doubled | (reached & step.members)
        before, reached = len(reached), reached | step.members
        sizes.append((len(reached), len(reached) - before))
    left = reached
    taken: list[Bitmap] = []
    gone, gone_twice = bitmaps.EMPTY, bitmaps.EMPTY
    for step in others:
        deadline.check()
        away = reached - step.members if step.is_kept else reached & step.members
        taken.append(away)
        gone_twice = gone_twice | (gone & away)
        gone = gone | away
        before, left = len(left), left - away
        sizes.append((len(left), before - len(left)))
    gone_once = gone - gone_twice
    alone = left - doubled
    size = len(left)
    cap = limit or size
    unique = [min(cap, size) - min(cap, size - alone.intersection_cardinality(s.members)) for s in includes]
    for away in taken:
        deadline.check()
        back = size + away.intersection_cardinality(gone_once)
        unique.append((min(limit, back) if limit else back) - min(cap, size))
    stages = [
        Stage(step.kind, step.text, remaining, changed, own)
        for step, (remaining, changed), own in zip(steps, sizes, unique, strict=True)
    ]
    if limit:
        over = max(0, size - limit)
        stages.append(Stage(StageKind.LIMIT, limit_text, size - over, over, over))
    return left, tuple(stages)
