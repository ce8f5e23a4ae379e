"""What a load was asked to do with the columns of its files."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from headcount_engine.errors import InvalidValue
from headcount_engine.model.schema import CHANNELS, TAGS, changed_attribute, consent_attribute
from headcount_engine.model.values import Kind, ValueType
from headcount_server.loading.problems import OptionProblem

CONSENTS: Final = consent_attribute("")
_CHANGES: Final = changed_attribute("")


class TimeUnit(enum.Enum):
    """What whole numbers count where an instant is meant, since 1970-01-01T00:00:00Z."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"


class Role(enum.Enum):
    """What a column of a file is for."""

    KEY = "key"
    TIME = "time"
    EVENT_NAME = "event name"
    EVENT_ID = "event id"
    ATTRIBUTE = "attribute"
    PROPERTY = "property"
    IDENTIFIER = "identifier"
    TAGS = "tags"
    CHANNELS = "channels"
    CONSENT = "consent"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """Columns are named as the file names them. `types` win over what the server has and what the file looks like.

    `zone` reads dates and times that have no offset. Of `event` and `name_column` exactly one is set for events, and
    neither for profiles.
    """

    key: str
    time: str = ""
    event: str = ""
    name_column: str = ""
    id: str = ""
    types: Mapping[str, ValueType] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    identifiers: frozenset[str] = frozenset()
    tags: str = ""
    channels: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    zone: str = "UTC"
    unit: TimeUnit | None = None

    @property
    def is_events(self) -> bool:
        return bool(self.time)

    def special(self) -> dict[str, Role]:
        """The columns that are no plain attribute or property; raises OptionProblem if one is named for two things."""
        roles = dict[str, Role]()
        wanted = [
            (self.key, Role.KEY), (self.time, Role.TIME), (self.name_column, Role.EVENT_NAME), (self.id, Role.EVENT_ID),
            (self.tags, Role.TAGS), (self.channels, Role.CHANNELS),
            *((name, Role.IDENTIFIER) for name in sorted(self.identifiers)),
            *((name, Role.IGNORED) for name in sorted(self.ignored)),
        ]  # fmt: skip
        for name, role in wanted:
            if not name:
                continue
            if name in roles:
                raise OptionProblem(f"column {name!r} cannot be both {roles[name].value} and {role.value}")
            roles[name] = role
        return roles

    def mentioned(self) -> list[str]:
        """All columns that some option names."""
        return list(dict.fromkeys([*self.special(), *self.types, *self.lists, *self.renamed]))


def role_of_name(name: str) -> Role:
    """What a column of profiles is for by the name that it will have: an export calls tags, channels and consents so.

    When a tracked value changed is the server's to say, so that is left out.
    """
    if name == TAGS:
        return Role.TAGS
    if name == CHANNELS:
        return Role.CHANNELS
    if name.startswith(CONSENTS):
        return Role.CONSENT
    return Role.IGNORED if name.startswith(_CHANGES) else Role.ATTRIBUTE


def parse_types(entries: list[str]) -> dict[str, ValueType]:
    """`name=type` pairs; raises OptionProblem."""
    types = dict[str, ValueType]()
    for name, text in _pairs(entries, "--type", "name=type").items():
        try:
            types[name] = ValueType.parse(text)
        except InvalidValue as error:
            raise OptionProblem(f"--type {name}: {error.message}") from error
    return types


def parse_renames(entries: list[str]) -> dict[str, str]:
    """`column=name` pairs; raises OptionProblem."""
    return _pairs(entries, "--map", "column=name")


def _pairs(entries: list[str], option: str, form: str) -> dict[str, str]:
    pairs = dict[str, str]()
    for entry in entries:
        name, sign, value = entry.rpartition("=")
        if not (name and sign and value):
            raise OptionProblem(f"{option} wants {form}, got {entry!r}")
        if name in pairs:
            raise OptionProblem(f"{option} names {name!r} twice")
        pairs[name] = value
    return pairs


BOOL = ValueType(Kind.BOOL)
TEXT = ValueType(Kind.TEXT)
TEXT_SET = ValueType(Kind.TEXT_SET)
INSTANT = ValueType(Kind.INSTANT)
