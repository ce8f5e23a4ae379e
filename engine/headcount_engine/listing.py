"""Editing what segments hold: adding, removing, importing. Nobody is created here."""

from __future__ import annotations

from collections.abc import Sequence

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.tree import InSegment
from headcount_engine.errors import FailedPrecondition
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.commit import Writer
from headcount_engine.ingest.naming import Named, find_people
from headcount_engine.ingest.staging import Staged
from headcount_engine.limits import Limits
from headcount_engine.membership.catalogue import Catalogue, Definition
from headcount_engine.membership.lists import ListEdit, SegmentLists
from headcount_engine.model.segments import ImportMode, ListName, ListReceipt, NamedPeople, SegmentKind
from headcount_engine.segments import Commit, Segments

_REJECTED_SHOWN = 1_000


class MemberLists:
    """The lists of one database's segments. Any thread; edits take turns."""

    def __init__(
        self,
        indexes: Indexes,
        catalogue: Catalogue,
        segments: Segments,
        writer: Writer,
        commit: Commit,
        limits: Limits,
    ) -> None:
        self._indexes = indexes
        self._catalogue = catalogue
        self._segments = segments
        self._writer = writer
        self._commit = commit
        self._limits = limits

    def edit(
        self, segment: str, people: Sequence[NamedPeople], mode: ImportMode, *, allow_empty: bool = False
    ) -> ListReceipt:
        """Append the rows to a list, make them the list, or take them off it; one version, or none if nothing changes.

        With overrides, who is appended is in whatever the rule says, and who is removed is out; replacing leaves those
        who were added before, and are not in the rows, to the rule. Doing the same again changes nothing. Raises
        NotFound, FailedPrecondition (a segment of a rule alone, or a frozen one; rows that name nobody and would
        replace a list, unless `allow_empty`), LimitExceeded.
        """
        with self._writer.exclusively():
            definition = self._listing(segment)
            named = find_people(self._indexes, people, self._limits)
            if mode is ImportMode.REPLACE and not len(named.ids) and not allow_empty:
                raise _names_nobody(named)
            ids = bitmaps.from_ids(named.ids)
            joined = before = 0

            def stage(now_us: int) -> Staged:
                nonlocal joined, before
                old = self._catalogue.lists.of(definition.id)
                edits = tuple(_edits(definition, old, ids, mode))
                members = self._segments.members_at(InSegment(definition.id), now_us)
                before = len(members)
                joined = 0 if mode is ImportMode.REMOVE else len(ids - members)
                return Staged(accepted=0, lists=edits)

            done = self._commit(stage)
            size = len(self._segments.members_at(InSegment(definition.id), done.now_us))
        return ListReceipt(
            done.version,
            done.now_us,
            sum(len(each.texts) for each in people),
            joined,
            before + joined - size,
            size,
            named.rejected[:_REJECTED_SHOWN],
            named.unknown,
            named.duplicates,
            named.malformed,
        )

    def _listing(self, segment: str) -> Definition:
        """A segment whose list may be edited; raises NotFound, FailedPrecondition."""
        definition = self._catalogue.get(segment)
        if definition.kind is SegmentKind.RULE:
            raise FailedPrecondition(
                f"the members of segment {definition.name!r} follow from its rule; only a manual segment, or one with "
                "overrides, takes others"
            )
        if definition.state.is_frozen:
            raise FailedPrecondition(
                f"segment {definition.name!r} is {definition.state.value}: its members stay as they are"
            )
        return definition


def _names_nobody(named: Named) -> FailedPrecondition:
    """A wrong file is likelier than a list that is to be empty."""
    rows = f"{named.unknown:,} unknown, {named.malformed:,} malformed" if named.rejected else "there are none"
    return FailedPrecondition(
        f"no row names anybody ({rows}), so that replacing would empty the list: nothing was changed; say "
        "allow_empty if that is meant"
    )


def _edits(definition: Definition, old: SegmentLists, ids: Bitmap, mode: ImportMode) -> list[ListEdit]:
    """What becomes of the lists."""
    overrides = definition.kind is SegmentKind.OVERRIDES
    match mode:
        case ImportMode.APPEND:
            added, removed = old.added | ids, old.removed - ids
        case ImportMode.REPLACE:
            added, removed = ids, old.removed - ids
        case ImportMode.REMOVE:
            added, removed = old.added - ids, old.removed | ids if overrides else old.removed
    found = (
        ListEdit.between(definition.id, ListName.ADDED, old.added, added),
        ListEdit.between(definition.id, ListName.REMOVED, old.removed, removed),
    )
    return [edit for edit in found if edit is not None]
