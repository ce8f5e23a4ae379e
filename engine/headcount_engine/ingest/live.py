"""What a commit does to live segments, for the writer: staged with it, in its record, published with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from headcount_engine.atoms.after import NO_CHANGES, Changes
from headcount_engine.conditions.needs import IDENTIFIERS, attributes_read
from headcount_engine.conditions.spans import Moment
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit
from headcount_engine.indexes.store import ReadView
from headcount_engine.ingest.staging import Staged
from headcount_engine.membership.catalogue import Catalogue, CatalogueView, Definition
from headcount_engine.membership.edits import LiveEdit, Outcome
from headcount_engine.membership.live import LiveSegments
from headcount_engine.model.answers import Settings
from headcount_engine.model.changes import Cause


class LiveStage:
    """Stages live segments. The writer's, in its turn."""

    def __init__(
        self,
        catalogue: Catalogue,
        live: LiveSegments,
        pinned: Callable[[Iterable[str]], AbstractContextManager[ReadView]],
        moment_under: Callable[[Settings, int], Moment],
    ) -> None:
        """`pinned`: the newest version, with some attributes, for as long as the context lasts."""
        self._moment_under = moment_under
        self._catalogue = catalogue
        self._live = live
        self._pinned = pinned

    def data(self, staged: Staged, now_us: int) -> tuple[Staged, LiveEdit]:
        """A commit without definitions, with the joins and leaves it brings; the clock moves to its now first."""
        definitions = self._catalogue.view()
        changes = _changes(staged)
        if staged.merges or staged.erasures:
            gone = {merge.loser: Cause.MERGE for merge in staged.merges}
            gone |= {erasure.profile: Cause.ERASURE for erasure in staged.erasures}
            ids = {*gone, *(merge.survivor for merge in staged.merges)}
            outcome = self._live.stage_anew(
                changes,
                np.array(sorted(ids), dtype=np.int64),
                gone,
                now_us,
                definitions,
                self._catalogue.lists.after(staged.lists),
                Cause.MERGE,
            )
        else:
            default = Cause.EVENT if staged.events and not staged.columns else Cause.ATTRIBUTE
            outcome = self._live.stage(changes, staged.lists, now_us, definitions, default)
        return replace(staged, flips=outcome.flips, retained=outcome.retained), outcome.edit

    @property
    def keeps_anybody(self) -> bool:
        """Whether a segment has a retention, which counts from the microsecond at which its rule ceased to hold."""
        return self._live.keeps_anybody

    def clock(self, now_us: int) -> tuple[Staged, LiveEdit]:
        """What the clock alone brings."""
        outcome = self._live.stage(NO_CHANGES, (), now_us, self._catalogue.view(), Cause.CLOCK)
        return Staged(accepted=0, flips=outcome.flips, retained=outcome.retained), outcome.edit

    def definitions(self, staged: Staged, now_us: int) -> tuple[Staged, LiveEdit]:
        """A commit of definitions; everything else is true for this now already. Raises InvalidRule."""
        after = self._catalogue.after(staged.segments, staged.lists, staged.removed_segments)
        outcome = self._defined(staged.segments, staged.removed_segments, after, now_us)
        return replace(staged, flips=outcome.flips, retained=outcome.retained), outcome.edit

    def settings(self, staged: Staged, now_us: int) -> tuple[Staged, LiveEdit]:
        """Other settings of the workspace; everything else is true for this now already."""
        assert staged.settings is not None
        after = self._catalogue.view()
        segments = tuple(after.by_id.values())
        moment = self._moment_under(staged.settings, now_us)
        with self._pinned(_names(segments, after)) as view:
            outcome = self._live.stage_settings(segments, after.lists, view, moment, after)
        return replace(staged, flips=outcome.flips, retained=outcome.retained), outcome.edit

    def rebuild(self, now_us: int) -> LiveEdit:
        """Every live segment from nothing, as after a restart."""
        view = self._catalogue.view()
        return self._defined(tuple(view.by_id.values()), (), view, now_us, is_first=True).edit

    def _defined(
        self,
        changed: Sequence[Definition],
        removed: Sequence[str],
        after: CatalogueView,
        now_us: int,
        *,
        is_first: bool = False,
    ) -> Outcome:
        with self._pinned(_names(changed, after)) as view:
            return self._live.stage_definitions(
                changed, removed, after.lists, view, now_us, after, is_first=is_first
            )

    def prepare(self, edit: LiveEdit) -> None:
        """Carry out what readers do not see. Not under the gate."""
        self._live.prepare(edit)

    def show(self, edit: LiveEdit) -> None:
        """Carry out the rest. Under the gate."""
        self._live.show(edit)

    def settle(self) -> None:
        """What publishing left undone. Not under the gate."""
        self._live.settle()


def _names(segments: Iterable[Definition], after: CatalogueView) -> set[str]:
    """The attributes that rules read, and those that tell the known from the unknown."""
    found = set[str]()
    for definition in segments:
        if definition.rule is not None:
            found |= attributes_read(definition.rule, after)
        if definition.retention_is_for_unknown:
            found.add(IDENTIFIERS)
    return found


def _changes(staged: Staged) -> Changes:
    columns: dict[str, tuple[Attribute, tuple[ColumnEdit, ...]]] = {}
    for attribute, edit in staged.columns:
        name = attribute.definition.name
        columns[name] = (attribute, (*columns.get(name, (attribute, ()))[1], edit))
    replaced = (
        {} if staged.relinking is None else {e.name: (*e.sealed, *e.open) for e in staged.relinking.runs}
    )
    merged = {merge.loser: merge.survivor for merge in staged.merges}
    return Changes(
        staged.new_keys, columns, {e.name: e for e in staged.events}, staged.declared_events, replaced, merged
    )
