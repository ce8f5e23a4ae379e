"""Which attributes a rule reads, segments it refers to included: what must be pinned before it is bound."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Protocol

from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.conditions.tree import (
    Anniversary,
    Between,
    Compare,
    Condition,
    Exists,
    HasBeen,
    HasChannel,
    HasConsent,
    HasTag,
    In,
    InSegment,
    InWindow,
    IsEmpty,
    Known,
    Rank,
    Semver,
    SetMatch,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
    children,
)
from headcount_engine.model.schema import CHANNELS, TAGS, changed_attribute, consent_attribute


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What a reference to a segment stands for: (`rule` or `added`) and not `removed`.

    `rule` None: nobody but those added. `holds_lists`: lists or frozen members play a part, which are as now also where
    the rule is asked at another instant. `kept`: those who ceased to match, who stay for `retention_us`, or only
    the unknown of them.
    """

    id: str
    rule: Condition | None
    added: Bitmap
    removed: Bitmap
    holds_lists: bool
    kept: Kept | None = None
    retention_us: int = 0
    retention_is_for_unknown: bool = False

    def kept_at(self, now_us: int | None) -> Bitmap:
        """Who is kept by retention at an instant; with None as of the version, whatever instant is asked about."""
        if self.kept is None:
            return EMPTY
        return self.kept.at(now_us, self.retention_us)


class Kept(Protocol):
    """Profiles that ceased to match, and when."""

    def at(self, now_us: int | None, retention_us: int) -> Bitmap: ...

    def since_us_of(self, profile: int) -> int | None: ...


class Definitions(Protocol):
    """The saved segments of one version, as far as rules need them."""

    def meaning(self, segment: str) -> Meaning:
        """Of a segment by id or name; raises UnknownName."""
        ...


IDENTIFIERS = "$identifiers"
"""Stands for every identifier attribute: what `known` reads."""


def attributes_read(root: Condition, definitions: Definitions) -> set[str]:
    """Names of the attributes that `root` reads. Linear in the distinct rules reached; raises UnknownName."""
    names: set[str] = set()
    seen: set[str] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        match node:
            case InSegment(segment):
                meaning = definitions.meaning(segment)
                if meaning.rule is not None and meaning.id not in seen:
                    seen.add(meaning.id)
                    stack.append(meaning.rule)
                if meaning.kept is not None and meaning.retention_is_for_unknown:
                    names.add(IDENTIFIERS)
            case HasTag():
                names.add(TAGS)
            case HasChannel():
                names.add(CHANNELS)
            case Known():
                names.add(IDENTIFIERS)
            case HasConsent(topic):
                names.add(consent_attribute(unicodedata.normalize("NFC", topic)))
            case HasBeen(attribute):
                name = unicodedata.normalize("NFC", attribute)
                names |= {name, changed_attribute(name)}
            case (
                Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch()
                | SizeCompare() | InWindow() | Anniversary() | WithinRadius() | WithinBox() | Rank()
            ):  # fmt: skip
                names.add(unicodedata.normalize("NFC", node.attribute))
                stack.extend(children(node))
            case _:
                stack.extend(children(node))
    return names
