"""What a rule editor is offered: the parts that a rule may be made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from headcount_engine.model.values import Cell, ValueType


class Category(StrEnum):
    ATTRIBUTE = "attribute"
    EVENT = "event"
    EVENT_PROPERTY = "event_property"
    TAG = "tag"
    CHANNEL = "channel"
    CONSENT_TOPIC = "consent_topic"
    SEGMENT = "segment"
    PROFILE = "profile"
    """Conditions about the profile as such."""


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that a rule may be made of. `name` as the rule language writes it, `key` as it is stored; of a property
    `event` is whose it is.

    profiles  how many profiles have it; None where that says nothing
    values    some in use, most frequent first
    """

    category: Category
    name: str
    description: str
    type: ValueType | None = None
    operators: tuple[str, ...] = ()
    example: str = ""
    key: str = ""
    event: str = ""
    profiles: int | None = None
    values: tuple[Cell, ...] = ()

    def measured(self, profiles: int, values: tuple[Cell, ...]) -> Element:
        return replace(self, profiles=profiles, values=values)


@dataclass(frozen=True, slots=True)
class ElementPage:
    elements: tuple[Element, ...]
    next_page_token: str
    total_size: int
