"""Names and types: which attributes profiles have, which properties events have."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from headcount_engine.errors import InvalidValue
from headcount_engine.limits import Limits
from headcount_engine.model.values import Kind, ValueType

TAGS = "$tags"
CHANNELS = "$channels"
"""Sets that every profile may have; user-given names do not start with `$`."""


def consent_attribute(topic: str) -> str:
    """The tracked bool that holds what a profile last said about a topic."""
    return f"$consent.{topic}"


def topics_of(attributes: Iterable[str], opt_out: Collection[str]) -> dict[str, bool]:
    """Every topic that is declared or was answered about, in the order of their names: whether it is opt-in."""
    prefix = consent_attribute("")
    named = {name.removeprefix(prefix) for name in attributes if name.startswith(prefix)}
    return {topic: topic not in opt_out for topic in sorted(named.union(opt_out))}


def changed_attribute(name: str) -> str:
    """The instant at which a tracked attribute last changed."""
    return f"$changed.{name}"


def answered_attribute(name: str) -> str:
    """The instant of the newest answer about a topic, a repetition of the one before or not."""
    return f"$answered.{name}"


@dataclass(frozen=True, slots=True)
class AttributeDefinition:
    """An attribute of profiles. `is_tracked` keeps the instant of its last change; `is_identifier` makes it unique.

    `is_inferred`: it came with its first value, undeclared. That makes no other definition of it.
    """

    name: str
    type: ValueType
    is_tracked: bool = False
    is_identifier: bool = False
    is_inferred: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if self.is_identifier and self.type.kind is not Kind.TEXT:
            raise InvalidValue("an identifier is text", path=self.name)


@dataclass(frozen=True, slots=True)
class PropertyDefinition:
    """A property of one event type. `is_inferred` as for attributes."""

    event: str
    name: str
    type: ValueType
    is_inferred: bool = field(default=False, compare=False)


def stamp_definition(name: str) -> AttributeDefinition:
    """The attribute that holds when a tracked one last changed."""
    return AttributeDefinition(changed_attribute(name), ValueType(Kind.INSTANT))


def answers_definition(name: str) -> AttributeDefinition:
    """The attribute that holds when a topic was last answered about."""
    return AttributeDefinition(answered_attribute(name), ValueType(Kind.INSTANT))


def checked_name(name: str, what: str, limits: Limits) -> str:
    """`name` in NFC; raises InvalidValue if it is empty, too long, or holds control characters or lone surrogates."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError as error:
        raise InvalidValue(f"the name of {what} is not valid Unicode") from error
    if not name or name.isspace():
        raise InvalidValue(f"the name of {what} is empty")
    if size > limits.name_bytes:
        raise InvalidValue(f"the name of {what} has more than {limits.name_bytes} bytes")
    if any(unicodedata.category(c) in ("Cc", "Cf") for c in name):
        raise InvalidValue(f"the name of {what} holds invisible characters")
    return unicodedata.normalize("NFC", name)
