"""What comes of an import, and what a rule editor is offered."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from headcount.values import Answer, Cell, RejectedRow


class ImportMode(enum.Enum):
    """What an import does to the list that it goes to."""

    APPEND = "append"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class ImportReceipt(Answer):
    """What an import did. `rejected_rows`: the first 1,000 rows without effect; the counts are of all of them.

    `has_header`: whether the first row was taken for the names of the columns.
    """

    rows: int
    joined: int
    left: int
    size: int
    unknown: int
    duplicates: int
    malformed: int
    rejected_rows: tuple[RejectedRow, ...] = ()
    has_header: bool = False


@dataclass(frozen=True, slots=True)
class TemplatePlace:
    """A place in a template. An empty `value` is open; `candidates` are names of the schema that could stand there."""

    name: str
    description: str
    value: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A ready-made segment. Its rule is complete where no place is `open`."""

    id: str
    display_name: str
    description: str
    category: str
    rule: str
    open: tuple[str, ...]
    places: tuple[TemplatePlace, ...]


class ElementCategory(enum.Enum):
    """Kinds of things that a rule may be made of."""

    ATTRIBUTE = "attribute"
    EVENT = "event"
    EVENT_PROPERTY = "event property"
    TAG = "tag"
    CHANNEL = "channel"
    CONSENT_TOPIC = "consent topic"
    SEGMENT = "segment"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class RuleElement:
    """One of them. `name` as the rule language writes it; `example` is a whole rule; an empty `type` is none."""

    category: ElementCategory
    name: str
    description: str
    type: str
    operators: tuple[str, ...]
    example: str
    profile_count: int
    sample_values: tuple[Cell | None, ...] = ()
