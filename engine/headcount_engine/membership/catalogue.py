"""The catalogue of segments: ids and names, definitions, references, lists. Sizes are not its business.

Changed by the single writer under the database's turn; readers take the current mapping, which is replaced, never
mutated.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from headcount_engine.bitmaps import EMPTY
from headcount_engine.conditions.needs import Meaning
from headcount_engine.conditions.text import suggest, to_text
from headcount_engine.conditions.tree import Condition, InSegment, walk
from headcount_engine.errors import (
    Aborted,
    AlreadyExists,
    HasDependents,
    InvalidRule,
    InvalidValue,
    LimitExceeded,
    NotFound,
    ReferenceCycle,
    UnknownName,
)
from headcount_engine.limits import MICROSECONDS_PER_DAY, Limits
from headcount_engine.membership.folders import checked_folder
from headcount_engine.membership.lists import NO_LISTS, ListEdit, ListStore, SegmentLists
from headcount_engine.membership.retention import Kept, RetentionStore
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.schema import checked_name
from headcount_engine.model.segments import LANGUAGE_LEVEL, SegmentKind, SegmentState

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_RETENTION_MAX_US = 36_525 * MICROSECONDS_PER_DAY
"""A hundred years: longer is taken for a unit mistake."""


@dataclass(frozen=True)
class Definition:
    """One saved segment. `rule` is None for a manual one; `revision` counts its changes and makes its etag.

    retention_us             how long a profile stays after it ceased to match; None: not at all
    retention_is_for_unknown whether that holds for unknown profiles only
    source                   where a manual segment comes from, such as the name of a CRM
    language_level           the meaning of rules that it was saved under
    """

    id: str
    name: str
    rule: Condition | None
    description: str
    folder: str
    labels: Mapping[str, str]
    created_us: int
    updated_us: int
    revision: int = 1
    kind: SegmentKind = SegmentKind.RULE
    state: SegmentState = SegmentState.LIVE
    retention_us: int | None = None
    retention_is_for_unknown: bool = False
    source: str = ""
    language_level: int = LANGUAGE_LEVEL

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'

    @cached_property
    def text(self) -> str:
        """The rule in canonical layout; empty where there is none."""
        return "" if self.rule is None else to_text(self.rule)


def keeps_anybody(definition: Definition) -> bool:
    """Whether profiles may stay in the segment after they ceased to match."""
    return definition.retention_us is not None and definition.state is SegmentState.LIVE


def references(rule: Condition | None) -> set[str]:
    """The segments that a rule names."""
    return set() if rule is None else {node.segment for node in walk(rule) if isinstance(node, InSegment)}


def id_from_name(name: str, taken: Iterable[str]) -> str:
    """A resource id made of a name's letters and digits, numbered if taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "segment"
    used = set(taken)
    number, id_ = 1, base
    while id_ in used:
        number += 1
        id_ = f"{base}-{number}"
    return id_


@dataclass(frozen=True, eq=False)
class CatalogueView:
    """The segments and their lists as of one version. Names are unique, so a rule may use either; an id wins.

    `revision` counts the changes of definitions, not those of lists.
    """

    by_id: Mapping[str, Definition]
    by_name: Mapping[str, str]
    lists: Mapping[str, SegmentLists]
    revision: int
    references: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By id, the segments that its rule names."""
    kept: Mapping[str, Kept] = field(default_factory=dict)
    """By id, who ceased to match lately."""

    def find(self, segment: str) -> Definition | None:
        """By id, then by name."""
        segment = unicodedata.normalize("NFC", segment)
        return self.by_id.get(segment) or self.by_id.get(self.by_name.get(segment, ""))

    def required(self, segment: str) -> Definition:
        """By id or name, for rules; raises UnknownName with what is near."""
        found = self.find(segment)
        if found is None:
            raise UnknownName("segment", segment, suggest(segment, sorted({*self.by_name, *self.by_id})))
        return found

    def meaning(self, segment: str) -> Meaning:
        """What a reference stands for; raises UnknownName."""
        definition = self.required(segment)
        lists = self.lists.get(definition.id, NO_LISTS)
        if definition.state.is_frozen:
            frozen = EMPTY if lists.frozen is None else lists.frozen
            return Meaning(definition.id, None, frozen, EMPTY, True)
        added, removed, holds_lists = lists.added, lists.removed, True
        if definition.kind is SegmentKind.RULE:
            added, removed, holds_lists = EMPTY, EMPTY, False
        return Meaning(
            definition.id, definition.rule, added, removed, holds_lists, self.kept.get(definition.id),
            definition.retention_us or 0 if keeps_anybody(definition) else 0,
            definition.retention_is_for_unknown,
        )  # fmt: skip

    def dependents(self, id_: str) -> Sequence[Definition]:
        """The segments that refer to this one, by name."""
        return self._dependents.get(id_, ())

    @cached_property
    def _dependents(self) -> Mapping[str, Sequence[Definition]]:
        found: dict[str, list[Definition]] = {}
        for definition in self.by_id.values():
            if self.references[definition.id]:
                for target in self.targets(definition):
                    found.setdefault(target.id, []).append(definition)
        return {id_: sorted(users, key=lambda d: d.name) for id_, users in found.items()}

    def targets(self, definition: Definition) -> list[Definition]:
        """The segments that one refers to."""
        held = self.by_id.get(definition.id)
        names = self.references[definition.id] if held is definition else references(definition.rule)
        found = (self.find(name) for name in sorted(names))
        return list({t.id: t for t in found if t is not None}.values())


NO_SEGMENTS = CatalogueView({}, {}, {}, 0)


class Catalogue:
    """All segments, and how they may change. `lists` is what they hold."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._by_id: dict[str, Definition] = {}
        self._by_name: dict[str, str] = {}
        self._references: dict[str, frozenset[str]] = {}
        self.lists = ListStore()
        self.retention = RetentionStore()
        self.revision = 0
        """Counts the changes of the catalogue."""

    def view(self) -> CatalogueView:
        """As it is; what changes later is not seen. Under the gate, or by the writer."""
        return CatalogueView(
            self._by_id,
            self._by_name,
            self.lists.all(),
            self.revision,
            self._references,
            self.retention.all(),
        )

    def after(
        self, segments: Iterable[Definition], lists: Iterable[ListEdit], removed: Iterable[str]
    ) -> CatalogueView:
        """As it will be with these definitions entered, these lists edited and these segments taken out."""
        future = Catalogue(self.limits)
        future._by_id, future._by_name, future.revision = self._by_id, self._by_name, self.revision
        future._references = self._references
        for definition in segments:
            future.put(definition)
        held = dict(self.lists.after(lists))
        for id_ in removed:
            held.pop(id_, None)
            future.remove(id_)
        view = future.view()
        return CatalogueView(
            view.by_id, view.by_name, held, view.revision, view.references, self._kept_after(view)
        )

    def all(self) -> Mapping[str, Definition]:
        return self._by_id

    def find(self, segment: str) -> Definition | None:
        """By id, then by name."""
        return self.view().find(segment)

    def id_of(self, segment: str) -> str | None:
        """The id of a segment by id or name; None if there is none."""
        if segment in self._by_id:
            return segment
        found = self.find(segment)
        return None if found is None else found.id

    def get(self, segment: str) -> Definition:
        """By id or name; raises NotFound."""
        found = self.find(segment)
        if found is None:
            raise NotFound("segment", segment)
        return found

    def meaning(self, segment: str) -> Meaning:
        """What a reference stands for; raises UnknownName."""
        return self.view().meaning(segment)

    def dependents(self, id_: str) -> list[str]:
        """Names of the segments that refer to this one, in order."""
        return [d.name for d in self.view().dependents(id_)]

    # ------------------------------------------------------------------------------------ changes, decided here

    def drafted(self, draft: SegmentDraft, rule: Condition | None, now_us: int) -> Definition:
        """The definition that a draft asks for; raises AlreadyExists, InvalidValue, LimitExceeded, InvalidRule."""
        id_, name = self._new_name(draft.id, draft.name)
        if draft.state.is_frozen:
            raise InvalidValue("a new segment is a draft or live", path="segment.state")
        if draft.kind is None and rule is None:
            raise InvalidRule("a segment has a rule, or its kind is manual", path="segment.rule")
        definition = Definition(
            id_, name, rule, draft.description, self._folder(draft.folder), dict(draft.labels), now_us, now_us,
            kind=draft.kind or SegmentKind.RULE, state=draft.state, retention_us=draft.retention_us or None,
            retention_is_for_unknown=draft.retention_is_for_unknown, source=draft.source,
        )  # fmt: skip
        self._check(definition)
        return definition

    def copied(self, segment: str, new_id: str, name: str, now_us: int) -> Definition:
        """The definition of a copy; raises NotFound and what `drafted` raises. Lists are the caller's business.

        Without a name it is called `Copy of` the original, with a number where there is such a copy.
        """
        old = self.get(segment)
        id_, name = self._new_name(new_id, name or self._name_of_copy(old.name))
        return replace(old, id=id_, name=name, created_us=now_us, updated_us=now_us, revision=1)

    def _name_of_copy(self, original: str) -> str:
        name, number = f"Copy of {original}", 2
        while name in self._by_name:
            name, number = f"Copy of {original} ({number})", number + 1
        return name

    def _folder(self, folder: str) -> str:
        return checked_folder(folder, self.limits, "segment.folder")

    def _new_name(self, id_: str, name: str) -> tuple[str, str]:
        """(id, name) of a segment to be; raises AlreadyExists, InvalidValue, LimitExceeded."""
        if len(self._by_id) >= self.limits.segments:
            raise LimitExceeded("segments", self.limits.segments)
        name = checked_name(name, "a segment", self.limits)
        if id_ and not _ID.fullmatch(id_):
            raise InvalidValue(
                "a segment's id is lower-case letters, digits, - and _, at most 63", path="segment.id"
            )
        id_ = id_ or id_from_name(name, self._by_id)
        if id_ in self._by_id:
            raise AlreadyExists("segment", id_)
        self._check_name(name, id_)
        return id_, name

    def changed(
        self, segment: str, changes: SegmentChanges, rule: Condition | None, etag: str | None, now_us: int
    ) -> Definition:
        """The definition after a change; raises NotFound, Aborted and what `drafted` raises."""
        old = self.get(segment)
        self._check_etag(old, etag)
        name = old.name
        if changes.name is not None:
            name = checked_name(changes.name, "a segment", self.limits)
            self._check_name(name, old.id)
            if name != old.name and (users := self._users_by_name(old)):
                raise HasDependents(old.name, users)
        new = replace(
            old,
            name=name,
            rule=old.rule if rule is None else rule,
            language_level=old.language_level if rule is None else LANGUAGE_LEVEL,
            description=old.description if changes.description is None else changes.description,
            folder=old.folder if changes.folder is None else self._folder(changes.folder),
            labels=old.labels if changes.labels is None else dict(changes.labels),
            state=old.state if changes.state is None else changes.state,
            retention_us=old.retention_us if changes.retention_us is None else changes.retention_us or None,
            retention_is_for_unknown=(
                old.retention_is_for_unknown
                if changes.retention_is_for_unknown is None
                else changes.retention_is_for_unknown
            ),
            source=old.source if changes.source is None else changes.source,
            updated_us=now_us,
            revision=old.revision + 1,
        )
        self._check(new)
        if new.state is SegmentState.DRAFT and old.state is not SegmentState.DRAFT:
            live = [d.name for d in self.view().dependents(old.id) if d.state is SegmentState.LIVE]
            if live:
                raise HasDependents(old.name, live)
        return new

    def removable(self, segment: str, etag: str | None) -> Definition:
        """The definition to delete; raises NotFound, Aborted, HasDependents."""
        old = self.get(segment)
        self._check_etag(old, etag)
        users = self.dependents(old.id)
        if users:
            raise HasDependents(old.name, users)
        return old

    def _kept_after(self, view: CatalogueView) -> Mapping[str, Kept]:
        """Who is kept once the definitions are those of a view."""
        return {
            id_: kept
            for id_, kept in self.retention.all().items()
            if id_ in view.by_id and keeps_anybody(view.by_id[id_])
        }

    def put(self, definition: Definition) -> None:
        """Enter or replace a definition that was decided here."""
        if not keeps_anybody(definition):
            self.retention.publish((), (definition.id,))
        old = self._by_id.get(definition.id)
        names = self._by_name.copy()
        if old is not None:
            del names[old.name]
        names[definition.name] = definition.id
        self._by_name = names
        self._by_id = {**self._by_id, definition.id: definition}
        self._references = {**self._references, definition.id: frozenset(references(definition.rule))}
        self.revision += 1

    def remove(self, id_: str) -> None:
        """Take a definition out, with its lists."""
        self.lists.remove(id_)
        self.retention.publish((), (id_,))
        name = self._by_id[id_].name
        self._by_name = {n: i for n, i in self._by_name.items() if n != name}
        self._by_id = {i: d for i, d in self._by_id.items() if i != id_}
        self._references = {i: r for i, r in self._references.items() if i != id_}
        self.revision += 1

    def _users_by_name(self, old: Definition) -> list[str]:
        """Segments that refer to this one by its name, which a new name would break."""
        return sorted(
            d.name for d in self._by_id.values() if d.id != old.id and old.name in references(d.rule)
        )

    def _check_name(self, name: str, id_: str) -> None:
        holder = self._by_name.get(name)
        if (holder is not None and holder != id_) or (name in self._by_id and name != id_):
            raise AlreadyExists("segment", name)

    @staticmethod
    def _check_etag(definition: Definition, etag: str | None) -> None:
        if etag and etag != definition.etag:
            raise Aborted(f"segment {definition.id!r} has changed since it was read")

    def _check(self, definition: Definition) -> None:
        """Refuse fields that do not go together, and references that must not be."""
        is_manual = definition.kind is SegmentKind.MANUAL
        if is_manual and definition.rule is not None:
            raise InvalidValue("a manual segment has no rule", path="segment.rule")
        if not is_manual and definition.rule is None:
            raise InvalidValue("a data-driven segment has a rule", path="segment.rule")
        if definition.retention_us is not None:
            if is_manual:
                raise InvalidValue(
                    "retention goes with a rule: those on a list stay", path="segment.retention"
                )
            if not 0 < definition.retention_us <= _RETENTION_MAX_US:
                raise InvalidValue(
                    "retention is more than nothing and at most 100 years", path="segment.retention"
                )
        for text, path in ((definition.source, "segment.source"), (definition.folder, "segment.folder")):
            if len(text.encode("utf-8", "surrogatepass")) > self.limits.name_bytes:
                raise LimitExceeded(path, self.limits.name_bytes)
        self._check_cycle(definition)
        if definition.state is SegmentState.LIVE:
            for target in self.view().targets(definition):
                if target.state is SegmentState.DRAFT:
                    raise InvalidRule(
                        f"segment {target.name!r} is a draft, and a live segment cannot refer to it"
                    )

    def _check_cycle(self, definition: Definition) -> None:
        """Refuse a definition that reaches itself. Depth first over what is saved, each segment once."""
        path: list[str] = [definition.name]
        done: set[str] = set()
        stack = [(definition, iter(sorted(references(definition.rule))))]
        while stack:
            current, targets = stack[-1]
            name = next(targets, None)
            if name is None:
                stack.pop()
                path.pop()
                done.add(current.id)
                continue
            target = definition if name in (definition.id, definition.name) else self.view().required(name)
            if target.id == definition.id:
                raise ReferenceCycle([*path, definition.name])
            if target.id not in done:
                path.append(target.name)
                stack.append((target, iter(sorted(references(target.rule)))))
