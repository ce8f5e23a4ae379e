"""Answers about consent topics: the newest by the instant at which it was given stands, in whatever order they arrive.

Three columns hold an answer: what was said, when that last changed, and when it was last said. The last decides: an
answer older than that is taken and changes nothing. Of two at one instant the one that arrives last stands. An answer
without an instant of its own is given with the write, and always stands.
"""

from __future__ import annotations

import numpy as np

from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit, cuts_by_block
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.admission import Verdicts
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US, MICROSECONDS_PER_SECOND, Limits
from headcount_engine.model.batches import I64, NOT_SAID, Column, Mask, ProfileBatch, Reason
from headcount_engine.model.schema import answered_attribute, changed_attribute, consent_attribute


def is_consent(name: str) -> bool:
    """Whether an attribute holds answers about a topic."""
    return name.startswith(consent_attribute(""))


def needs_turns(batch: ProfileBatch) -> bool:
    """Whether answers carry instants, so that several of one profile build on one another."""
    return any(column.given_us is not None for column in batch.columns)


def admit_answers(column: Column, present: Mask, now_us: int, limits: Limits, verdicts: Verdicts) -> None:
    """Turn away answers that are given at no instant, or later than clocks differ."""
    given_us = column.given_us
    if given_us is None:
        return
    said = present & (given_us != NOT_SAID)
    outside = said & ((given_us < INSTANT_MIN_US) | (given_us > INSTANT_MAX_US))
    what = f"{column.name}: the instant of the answer"
    verdicts.reject(outside, column.name, Reason.BAD_TIME, f"{what} is outside the years 1 to 9999")
    ahead = said & (given_us > now_us + limits.consent_ahead_s * MICROSECONDS_PER_SECOND)
    verdicts.reject(
        ahead, column.name, Reason.OUTSIDE_WINDOW, f"{what} is more than {limits.consent_ahead_s:,} s ahead"
    )


class Answers:
    """When profiles last answered about one topic, and when what they say changed: before a batch, and by it."""

    def __init__(self, indexes: Indexes, topic: Attribute, new: dict[str, Attribute]) -> None:
        name = topic.definition.name
        self._answered = _held(indexes, new, answered_attribute(name))
        self._changed = _held(indexes, new, changed_attribute(name))

    def standing(self, column: Column, rows: I64, profiles: I64, now_us: int) -> tuple[Mask, I64]:
        """(which of these rows' answers stand, the instant of each); `profiles` are ascending and each once."""
        before = self._before(profiles)
        instants = np.maximum(before, now_us)
        if column.given_us is not None:
            given = column.given_us[rows]
            instants = np.where(given == NOT_SAID, instants, given)
        return instants >= before, instants

    def _before(self, profiles: I64) -> I64:
        """When each last answered; the last change where a store does not know better; NOT_SAID for never."""
        held = []
        for attribute in (self._answered, self._changed):
            instants = attribute.column.view().gather(profiles).astype(np.int64)
            held.append(instants)
        return np.maximum(*held)

    def edits(self, profiles: I64, instants: I64, changed: I64) -> list[tuple[Attribute, ColumnEdit]]:
        """What the answers that stand do to the two instants; `changed`: the profiles that say something else now."""
        at = np.searchsorted(profiles, changed)
        return [
            (attribute, attribute.column.stage(ids, values, cuts_by_block(ids)))
            for attribute, ids, values in (
                (self._answered, profiles, instants),
                (self._changed, changed, instants[at]),
            )
            if len(ids)
        ]


def _held(indexes: Indexes, new: dict[str, Attribute], name: str) -> Attribute:
    return indexes.attributes.get(name) or new[name]
