"""What a sender does: resolve an audience, read it in pieces, look at some of it, write it to a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.asking import NEED_NOTHING, Asker, At, Rule
from headcount_engine.audiences.export import Export, FileForm
from headcount_engine.audiences.handles import Handle, Handles
from headcount_engine.audiences.preview import Page, Part, PreviewAnswer, preview
from headcount_engine.audiences.request import AudienceRequest, ByAttribute, elements
from headcount_engine.audiences.resolve import Resolved, resolve
from headcount_engine.audiences.standing import Standing
from headcount_engine.audiences.waterfall import Stage
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.needs import IDENTIFIERS
from headcount_engine.conditions.tree import Condition
from headcount_engine.errors import InvalidArgument, LimitExceeded
from headcount_engine.evaluation import answer
from headcount_engine.evaluation.answer import Question
from headcount_engine.indexes.store import Indexes
from headcount_engine.limits import Limits
from headcount_engine.model.answers import Need, Segment, SegmentDraft
from headcount_engine.model.batches import U32, Texts
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.segments import SegmentKind
from headcount_engine.read_view import PinnedView
from headcount_engine.segments import Segments

LIFE_US: Final = 3_600_000_000
"""How long an audience is kept where nobody says."""
ROARING_BLOCKS: Final = 120
"""Blocks of ids in one piece of roaring: at most 8,200 bytes each, so a piece stays below 1 MiB."""
ROARING_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class AudienceAnswer:
    """A resolved audience. `name` is empty where it was only to be looked at; `expires_us` is then 0."""

    name: str
    size: int
    total: int
    waterfall: tuple[Stage, ...]
    expires_us: int
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AudienceName:
    """A resolved audience, where a rule could stand as well."""

    name: str


Who = Rule | AudienceName


class Sending:
    """The audiences of one database. Any thread, any number at a time."""

    def __init__(self, indexes: Indexes, asker: Asker, segments: Segments, limits: Limits) -> None:
        self._indexes = indexes
        self._asker = asker
        self._segments = segments
        self._limits = limits
        self._handles = Handles(limits)

    def resolve(
        self,
        request: AudienceRequest,
        *,
        validate_only: bool = False,
        life_us: int = LIFE_US,
        at_us: int | None = None,
        need: Need = NEED_NOTHING,
    ) -> AudienceAnswer:
        """Who is to be reached, and what each step did to it; all of one version and one now.

        The members are kept under a name for `life_us`, unless with `validate_only`. Raises InvalidArgument and its
        kinds, LimitExceeded.
        """
        steps = elements(request, self._limits)

        def ask(question: Question, rules: list[Condition], at: At) -> AudienceAnswer:
            found = resolve(question, request, steps, rules)
            # At another instant there is a present beside the answer's.
            clock_us = at.now_us if at_us is None else self._asker.now_us()
            handle = None if validate_only else self._keep(found, question, at, life_us, clock_us)
            return AudienceAnswer(
                name="" if handle is None else handle.name,
                size=len(found.members),
                total=question.view.population.count,
                waterfall=found.waterfall,
                expires_us=0 if handle is None else handle.expires_us,
                version=at.version,
                now_us=at.now_us,
                engine_us=at.engine_us(),
                warnings=found.warnings,
            )

        order = request.order
        read = [_nfc(order.attribute)] if request.limit and isinstance(order, ByAttribute) else []
        return self._asker.ask([step.rule for step in steps], at_us, need, ask, read)

    def _keep(self, found: Resolved, question: Question, at: At, life_us: int, clock_us: int) -> Handle:
        total = question.view.population.count
        return self._handles.put(found.members, total, at.version, at.now_us, life_us, clock_us)

    # ------------------------------------------------------------------------------------------------- reading

    def handle(self, name: str) -> Handle:
        """A kept audience; raises NotFound if there never was one of that name, or no longer.

        What follows takes a handle, so that whoever began to read can finish although the name expires meanwhile.
        """
        return self._handles.get(name, self._asker.now_us())

    def ids(self, handle: Handle, offset: int, count: int) -> U32:
        """The dense ids of who stands at offset .. offset + count - 1 by now, ascending. Raises OutOfRange.

        See `audiences.standing`: fewer than asked for where profiles were erased or merged since.
        """
        part = handle.slice(offset, count)
        self._note_read(handle, offset + count)
        return bitmaps.to_ids(self._standing(handle.members).of(part))

    def keys(self, handle: Handle, offset: int, count: int) -> Texts:
        """The same as keys: gathered without the GIL, some 30 ns each."""
        ids = self.ids(handle, offset, count).astype(np.int64)
        keys = self._indexes.identities.keys_at(ids)
        lengths = np.diff(keys.offsets)
        # Erased between the two looks.
        return keys if len(keys) == 0 or lengths.min() > 0 else keys.take(np.flatnonzero(lengths))

    def roaring(self, handle: Handle, offset: int, count: int) -> tuple[bytes, int]:
        """(members from `offset` on as a serialised bitmap of less than 1 MiB, the offset behind them)."""
        standing = self._standing(handle.members)
        while True:
            part, length = handle.slice_by_blocks(offset, count, ROARING_BLOCKS)
            data = standing.of(part).serialize()
            # Whom others were merged into may lie in blocks of ids of their own, each with its header.
            if len(data) < ROARING_BYTES or length <= 1:
                self._note_read(handle, offset + length)
                return data, offset + length
            count = length // 2

    def _note_read(self, handle: Handle, end: int) -> None:
        if end >= handle.size:
            self._handles.finish(handle)

    def _standing(self, members: Bitmap) -> Standing:
        return Standing(members, self._indexes.identities.view())

    def delete(self, name: str) -> None:
        """Let go of a kept audience before its time; nothing where there is none of that name."""
        self._handles.delete(name)

    def keep(self, name: str, draft: SegmentDraft) -> Segment:
        """Make a manual segment of an audience's members, as they are by now.

        Raises NotFound and what `Segments.create` raises.
        """
        handle = self.handle(name)
        return self._segments.create(
            replace(draft, kind=SegmentKind.MANUAL), members=lambda: self._standing(handle.members).all()
        )

    # ------------------------------------------------------------------------------------------ looking, writing

    def preview(
        self,
        who: Who,
        *,
        attributes: Sequence[str] = (),
        part: Part = Page(),  # noqa: B008 - frozen
        size: int = 100,
        at_us: int | None = None,
        need: Need = NEED_NOTHING,
    ) -> PreviewAnswer:
        """Some members with chosen attributes (none chosen: all that there are).

        Attributes are as now, also where the audience was resolved before. Raises InvalidRule, NotFound,
        InvalidArgument, LimitExceeded.
        """
        if size < 1:
            raise InvalidArgument("a preview shows at least one profile", path="page_size")
        if size > self._limits.preview_rows:
            raise LimitExceeded("preview_rows", self._limits.preview_rows, size)
        names = [_nfc(n) for n in attributes] or sorted(self._indexes.attributes.all())
        handle = self.handle(who.name) if isinstance(who, AudienceName) else None

        def ask(question: Question, rules: list[Condition], at: At) -> PreviewAnswer:
            members = Standing(_members(question, rules, handle), question.view.population).all()
            profiles, ids, has_more = preview(question.view, members, part, size, names, at.now_us)
            return PreviewAnswer(profiles, ids, len(members), has_more, at.version, at.now_us, at.engine_us())

        return self._asker.ask(_rules(who), at_us, need, ask, [*names, TAGS, CHANNELS, IDENTIFIERS])

    def export(
        self,
        who: Who,
        form: FileForm,
        *,
        attributes: Sequence[str] = (),
        offset: int = 0,
        need: Need = NEED_NOTHING,
    ) -> Export:
        """All members with chosen attributes as a file in pieces; to be closed.

        A rule cannot be taken up at an offset, because its members may be others by then.
        """
        if offset and not isinstance(who, AudienceName):
            raise InvalidArgument("only a resolved audience can be taken up at an offset", path="offset")
        names = [_nfc(n) for n in attributes]
        handle = self.handle(who.name) if isinstance(who, AudienceName) else None

        def ask(question: Question, rules: list[Condition], at: At) -> Export:
            view = question.view
            assert isinstance(view, PinnedView)
            members = bitmaps.copy(_members(question, rules, handle))
            view.hold()
            try:
                return Export(view, view.release, members, form, names, offset, at.now_us, need.deadline)
            except BaseException:
                view.release()
                raise

        return self._asker.ask(_rules(who), None, need, ask, names)

    @property
    def nbytes(self) -> int:
        """What the kept audiences take."""
        return self._handles.nbytes


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _rules(who: Who) -> list[Rule]:
    return [] if isinstance(who, AudienceName) else [who]


def _members(question: Question, rules: list[Condition], handle: Handle | None) -> Bitmap:
    return answer.members(question, rules[0])[0] if handle is None else handle.members
