"""The catalogue of segments: ids and names, definitions, references. Sizes are not its business.

Changed by the single writer under the database's turn; readers take the current mapping, which is replaced, never
mutated.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from headcount_engine.conditions.text import suggest, to_text
from headcount_engine.conditions.tree import Condition, InSegment, walk
from headcount_engine.errors import (
    Aborted,
    AlreadyExists,
    HasDependents,
    InvalidValue,
    LimitExceeded,
    NotFound,
    ReferenceCycle,
    UnknownName,
)
from headcount_engine.limits import Limits
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.schema import checked_name

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Definition:
    """One saved segment. `revision` counts its changes and makes its etag."""

    id: str
    name: str
    rule: Condition
    description: str
    folder: str
    labels: Mapping[str, str]
    created_us: int
    updated_us: int
    revision: int = 1

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'

    @property
    def text(self) -> str:
        """The rule in canonical layout."""
        return to_text(self.rule)


def references(rule: Condition) -> set[str]:
    """The segments that a rule names."""
    return {node.segment for node in walk(rule) if isinstance(node, InSegment)}


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


class Catalogue:
    """All segments by id. Names are unique too, so a rule may use either; an id wins over a name."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_id: dict[str, Definition] = {}
        self._by_name: dict[str, str] = {}
        self.revision = 0
        """Counts the changes of the catalogue."""

    def all(self) -> Mapping[str, Definition]:
        return self._by_id

    def find(self, segment: str) -> Definition | None:
        """By id, then by name."""
        segment = unicodedata.normalize("NFC", segment)
        return self._by_id.get(segment) or self._by_id.get(self._by_name.get(segment, ""))

    def get(self, segment: str) -> Definition:
        """By id or name; raises NotFound."""
        found = self.find(segment)
        if found is None:
            raise NotFound("segment", segment)
        return found

    def definition(self, segment: str) -> tuple[str, Condition]:
        """(id, rule), for rules that refer to it; raises UnknownName."""
        found = self.find(segment)
        if found is None:
            raise UnknownName("segment", segment, suggest(segment, sorted({*self._by_name, *self._by_id})))
        return found.id, found.rule

    def dependents(self, id_: str) -> list[str]:
        """Names of the segments that refer to this one, in order."""
        users = []
        for other in self._by_id.values():
            targets = (self.find(r) for r in references(other.rule))
            if any(t is not None and t.id == id_ for t in targets):
                users.append(other.name)
        return sorted(users)

    # ------------------------------------------------------------------------------------ changes, decided here

    def drafted(self, draft: SegmentDraft, rule: Condition, now_us: int) -> Definition:
        """The definition that a draft asks for; raises AlreadyExists, InvalidValue, LimitExceeded, ReferenceCycle."""
        if len(self._by_id) >= self._limits.segments:
            raise LimitExceeded("segments", self._limits.segments)
        name = checked_name(draft.name, "a segment", self._limits)
        if draft.id and not _ID.fullmatch(draft.id):
            raise InvalidValue(
                "a segment's id is lower-case letters, digits, - and _, at most 63", path="segment.id"
            )
        id_ = draft.id or id_from_name(name, self._by_id)
        if id_ in self._by_id:
            raise AlreadyExists("segment", id_)
        self._check_name(name, id_)
        definition = Definition(
            id_, name, rule, draft.description, draft.folder, dict(draft.labels), now_us, now_us
        )
        self._check_cycle(definition)
        return definition

    def changed(
        self, segment: str, changes: SegmentChanges, rule: Condition | None, etag: str | None, now_us: int
    ) -> Definition:
        """The definition after a change; raises NotFound, Aborted and what `drafted` raises."""
        old = self.get(segment)
        self._check_etag(old, etag)
        name = old.name
        if changes.name is not None:
            name = checked_name(changes.name, "a segment", self._limits)
            self._check_name(name, old.id)
            if name != old.name and (users := self._users_by_name(old)):
                raise HasDependents(old.name, users)
        new = replace(
            old,
            name=name,
            rule=old.rule if rule is None else rule,
            description=old.description if changes.description is None else changes.description,
            folder=old.folder if changes.folder is None else changes.folder,
            labels=old.labels if changes.labels is None else dict(changes.labels),
            updated_us=now_us,
            revision=old.revision + 1,
        )
        self._check_cycle(new)
        return new

    def removable(self, segment: str, etag: str | None) -> Definition:
        """The definition to delete; raises NotFound, Aborted, HasDependents."""
        old = self.get(segment)
        self._check_etag(old, etag)
        users = self.dependents(old.id)
        if users:
            raise HasDependents(old.name, users)
        return old

    def put(self, definition: Definition) -> None:
        """Enter or replace a definition that was decided here."""
        old = self._by_id.get(definition.id)
        names = {n: i for n, i in self._by_name.items() if old is None or n != old.name}
        self._by_name = {**names, definition.name: definition.id}
        self._by_id = {**self._by_id, definition.id: definition}
        self.revision += 1

    def remove(self, id_: str) -> None:
        """Take a definition out."""
        name = self._by_id[id_].name
        self._by_name = {n: i for n, i in self._by_name.items() if n != name}
        self._by_id = {i: d for i, d in self._by_id.items() if i != id_}
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
            target = definition if name in (definition.id, definition.name) else self.find(name)
            if target is None:
                raise UnknownName("segment", name, suggest(name, sorted({*self._by_name, *self._by_id})))
            if target.id == definition.id:
                raise ReferenceCycle([*path, definition.name])
            if target.id not in done:
                path.append(target.name)
                stack.append((target, iter(sorted(references(target.rule)))))
