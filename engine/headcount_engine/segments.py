"""Saved segments as callers use them: create, read, list, change, delete, copy. The catalogue says what may be."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from headcount_engine.asking import NEED_NOTHING, Asker, At, Rule
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.tree import Condition, Everyone, InSegment
from headcount_engine.errors import InvalidValue
from headcount_engine.evaluation import answer
from headcount_engine.evaluation.answer import Question
from headcount_engine.ingest.commit import Writer
from headcount_engine.ingest.staging import Staged
from headcount_engine.live_reads import LiveReads
from headcount_engine.membership import pages
from headcount_engine.membership.catalogue import Catalogue, CatalogueView, Definition
from headcount_engine.membership.lists import ListEdit
from headcount_engine.model.answers import (
    Need,
    Segment,
    SegmentChanges,
    SegmentDraft,
    SegmentPage,
    SegmentQuery,
)
from headcount_engine.model.batches import WriteReceipt
from headcount_engine.model.segments import ListName, SegmentKind
from headcount_engine.model.workspace import Workspace

Commit = Callable[[Callable[[int], Staged]], WriteReceipt]
"""What stages, logs and publishes, or refuses."""


class Segments:
    """The segments of one database. Every method may be called from any thread; writes take turns."""

    def __init__(
        self,
        catalogue: Catalogue,
        asker: Asker,
        live: LiveReads,
        writer: Writer,
        commit: Commit,
        workspace: Workspace,
    ) -> None:
        self._live = live
        self._catalogue = catalogue
        self._asker = asker
        self._writer = writer
        self._commit = commit
        self._workspace = workspace

    # ------------------------------------------------------------------------------------------------ reading

    def get(self, segment: str) -> Segment:
        """One segment by id or name, with its exact size and what its rule should be looked at for; raises NotFound."""
        definition = self._catalogue.get(segment)
        (shown,) = self._sized([definition])[0]
        return replace(shown, warnings=self._warnings(definition.rule))

    def page(self, query: SegmentQuery) -> SegmentPage:
        """A page of segments with exact sizes, all at one version and now."""
        chosen = pages.select(self._catalogue.all().values(), query, self._catalogue.limits)
        sized, at = self._sized(chosen)
        return pages.page_of(sized, query, at.version, at.now_us)

    def _sized(self, chosen: Sequence[Definition]) -> tuple[list[Segment], At]:
        """Segments with their sizes, as kept; those of drafts are counted at the same now."""
        sizes, version, now_us = self._live.sizes([d.id for d in chosen])
        at = At(version, now_us, time.perf_counter_ns())
        drafts = [row for row, size in enumerate(sizes) if size is None]

        def ask(question: Question, rules: list[Condition], _: At) -> list[int]:
            return answer.sizes(question, rules)

        if drafts:
            rules = [InSegment(chosen[row].id) for row in drafts]
            for row, size in zip(
                drafts, self._asker.ask(rules, None, NEED_NOTHING, ask, now_us=now_us), strict=True
            ):
                sizes[row] = size
        catalogue = self._catalogue.view()
        return [self._shown(d, s, at, catalogue) for d, s in zip(chosen, sizes, strict=True)], at

    def _shown(self, definition: Definition, size: int | None, at: At, catalogue: CatalogueView) -> Segment:
        return pages.segment_of(definition, size, at.version, at.now_us, catalogue, self._workspace.settings)

    # ------------------------------------------------------------------------------------------------ changing

    def create(
        self, draft: SegmentDraft, *, validate_only: bool = False, members: Callable[[], Bitmap] | None = None
    ) -> Segment:
        """Save a rule, or a list, under a name; a manual one may begin with `members`, of whom those exist are taken,
        or with those of the draft's `holding`, of which the answer's warnings then are. `members` are asked for when
        no other write can come between.

        With `validate_only` nothing is saved: the answer is what would be, with the size it would have. Raises
        InvalidRule, InvalidValue, AlreadyExists, ReferenceCycle, LimitExceeded.
        """
        rule = self._checked(draft.rule) if draft.rule else None
        holding = self._checked(draft.holding) if draft.holding else None
        if holding is not None and draft.kind is not SegmentKind.MANUAL:
            raise InvalidValue("only a manual segment begins with the members of a rule", path="holding")
        with self._writer.exclusively():
            definition = self._catalogue.drafted(draft, rule, self._asker.now_us())
            if not validate_only:
                self._commit(lambda now_us: self._begun(definition, holding, members, now_us))
        if validate_only:
            return self._unsaved(definition, holding)
        shown = self.get(definition.id)
        return shown if holding is None else replace(shown, warnings=self._warnings(holding))

    def _begun(
        self,
        definition: Definition,
        holding: Condition | None,
        members: Callable[[], Bitmap] | None,
        now_us: int,
    ) -> Staged:
        lists: list[ListEdit | None] = []
        self._writer.tick(now_us)
        held = None if holding is None else self.members_at(holding, now_us)
        if members is not None:
            held = members() & self.members_at(Everyone(), now_us)
        if held is not None:
            lists.append(ListEdit.between(definition.id, ListName.ADDED, Bitmap(), held))
        return _staged(definition, lists)

    def update(
        self, segment: str, changes: SegmentChanges, *, etag: str | None = None, validate_only: bool = False
    ) -> Segment:
        """Change a segment; what refers to it follows. Raises NotFound, Aborted and what `create` raises.

        Pausing or archiving keeps the members as they are at that version; going on lets them go.
        """
        rule = None if changes.rule is None else self._checked(changes.rule)
        with self._writer.exclusively():
            definition = self._catalogue.changed(segment, changes, rule, etag, self._asker.now_us())
            if not validate_only:
                old = self._catalogue.get(definition.id)
                self._commit(lambda now_us: self._changed(old, definition, now_us))
        return self._unsaved(definition, None) if validate_only else self.get(definition.id)

    def _changed(self, old: Definition, new: Definition, now_us: int) -> Staged:
        lists: list[ListEdit | None] = []
        if new.state.is_frozen is not old.state.is_frozen:
            self._writer.tick(now_us)
            held = self._catalogue.lists.of(new.id).named(ListName.FROZEN)
            frozen = self.members_at(InSegment(new.id), now_us) if new.state.is_frozen else Bitmap()
            lists.append(ListEdit.between(new.id, ListName.FROZEN, held, frozen))
        return _staged(new, lists)

    def delete(self, segment: str, *, etag: str | None = None) -> None:
        """Delete a segment; raises NotFound, Aborted, HasDependents."""
        with self._writer.exclusively():
            definition = self._catalogue.removable(segment, etag)
            self._commit(lambda _: Staged(accepted=1, removed_segments=(definition.id,)))

    def duplicate(self, segment: str, new_id: str, name: str) -> Segment:
        """A copy with its own id and name, and with what the original's lists hold."""
        with self._writer.exclusively():
            old = self._catalogue.get(segment)
            definition = self._catalogue.copied(old.id, new_id, name, self._asker.now_us())
            held = self._catalogue.lists.of(old.id)
            lists = [
                ListEdit.between(definition.id, which, Bitmap(), held.named(which)) for which in ListName
            ]
            self._commit(lambda _: _staged(definition, lists))
        return self.get(definition.id)

    # ------------------------------------------------------------------------------------------------ asking

    def members_at(self, rule: Condition, now_us: int, need: Need = NEED_NOTHING) -> Bitmap:
        """Who satisfies a rule at the newest version and that present; not to be mutated."""

        def ask(question: Question, rules: list[Condition], at: At) -> Bitmap:
            return answer.members(question, rules[0])[0]

        return self._asker.ask([rule], None, need, ask, now_us=now_us)

    def _checked(self, rule: Rule) -> Condition:
        """A rule that can be saved: parsed, within the limits, and bound once against the data."""
        condition = self._asker.prepared(rule).condition

        def ask(question: Question, rules: list[Condition], at: At) -> None:
            question.binder().bind(rules[0])

        self._asker.ask([condition], None, NEED_NOTHING, ask)
        return condition

    def _warnings(self, rule: Condition | None) -> tuple[str, ...]:
        """What a rule should be looked at for, once each: names that nobody has used so far, what can never match."""

        def ask(question: Question, rules: list[Condition], at: At) -> tuple[str, ...]:
            binder = question.binder()
            binder.bind(rules[0])
            return (*dict.fromkeys(binder.warnings), *self._asker.notes(rules[0]))

        return () if rule is None else self._asker.ask([rule], None, NEED_NOTHING, ask)

    def _unsaved(self, definition: Definition, holding: Condition | None) -> Segment:
        """A segment as it would be, with the size it would have.

        With overrides that is what the rule gives under the lists of now; a frozen segment stays as large as it is.
        """
        saved = self._catalogue.find(definition.id)
        if definition.state.is_frozen or definition.rule is None:
            rule: Condition | None = holding or (None if saved is None else InSegment(saved.id))
        else:
            rule = definition.rule
        lists = self._catalogue.lists.of(definition.id)

        def ask(question: Question, rules: list[Condition], at: At) -> Segment:
            members = answer.members(question, rules[0])[0] if rules else Bitmap()
            if definition.kind is SegmentKind.OVERRIDES and not definition.state.is_frozen:
                members = (members | lists.added) - lists.removed
            return self._shown(definition, len(members), at, self._catalogue.view())

        shown = self._asker.ask([] if rule is None else [rule], None, NEED_NOTHING, ask)
        return replace(shown, warnings=self._warnings(definition.rule or holding))


def _staged(definition: Definition, lists: Sequence[ListEdit | None]) -> Staged:
    """A definition to save, with what happens to its lists."""
    return Staged(accepted=1, segments=(definition,), lists=tuple(e for e in lists if e is not None))
