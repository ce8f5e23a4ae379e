"""Which attributes a rule reads, segments it refers to included: what must be pinned before it is bound."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.conditions.tree import (
    Anniversary,
    Between,
    Compare,
    Condition,
    EventLeaf,
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
    Same,
    Semver,
    SetMatch,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
    children,
    walk,
)
from headcount_engine.model.schema import CHANNELS, TAGS, changed_attribute, consent_attribute


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What a reference to a segment stands for: (`rule` or `added`) and not `removed`.

    `rule` None: nobody but those added. `holds_lists`: lists or frozen members play a part, which are as now also where
    the rule is asked at another instant. `retention_us`: how long those stay who cease to match, or only the unknown
    of them; 0 where nobody does. `kept`: those who have ceased to match so far.
    """

    id: str
    rule: Condition | None
    added: Bitmap
    removed: Bitmap
    holds_lists: bool
    kept: Kept | None = None
    retention_us: int = 0
    retention_is_for_unknown: bool = False

    def kept_at(self, now_us: int) -> Bitmap:
        """Who is kept by retention at an instant, of those who have ceased to match so far."""
        if self.kept is None:
            return EMPTY
        return self.kept.at(now_us, self.retention_us)


class Kept(Protocol):
    """Profiles that ceased to match, and when."""

    def at(self, now_us: int, retention_us: int) -> Bitmap:
        """Who is kept at an instant: those who ceased to match by then, and less than so long before."""
        ...

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
                if meaning.retention_us and meaning.retention_is_for_unknown:
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


def meanings_of(root: Condition, definitions: Definitions) -> list[Meaning]:
    """What the references of a rule stand for, those of the segments they refer to included; each once."""
    found: dict[str, Meaning] = {}
    rules = [root]
    while rules:
        for node in walk(rules.pop()):
            if isinstance(node, InSegment):
                meaning = definitions.meaning(node.segment)
                if meaning.id not in found:
                    found[meaning.id] = meaning
                    if meaning.rule is not None:
                        rules.append(meaning.rule)
    return list(found.values())


def rules_read(root: Condition, meanings: Sequence[Meaning]) -> list[Condition]:
    """The rule itself and those of the segments that it hangs on."""
    return [root, *(meaning.rule for meaning in meanings if meaning.rule is not None)]


def is_timeless(root: Condition, meanings: Sequence[Meaning]) -> bool:
    """Whether now makes no difference to the rule. `meanings`: all that its references stand for."""
    if any(meaning.retention_us for meaning in meanings):
        return False
    timed = EventLeaf | InWindow | Anniversary | HasBeen | Same
    return not any(isinstance(node, timed) for rule in rules_read(root, meanings) for node in walk(rule))
