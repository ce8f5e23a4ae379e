"""A profile by the names of what it holds: attributes, identifiers, $tags, $channels and $consent.TOPIC."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from headcount_server.commands.talking import Json, instant_text

if TYPE_CHECKING:
    from headcount.values import Cell, Profile

TAGS: Final = "$tags"
CHANNELS: Final = "$channels"
CONSENT: Final = "$consent."
"""Before the name of a topic."""


def is_shown(name: str) -> bool:
    """Whether a profile says anything under this name; when an attribute changed last is only in files."""
    return not name.startswith("$") or name in (TAGS, CHANNELS) or name.startswith(CONSENT)


def names_in(profiles: Iterable[Profile]) -> list[str]:
    """The names of everything that any of the profiles holds: attributes and identifiers, then those with $."""
    found: set[str] = set()
    for profile in profiles:
        found |= profile.attributes.keys()
        found |= {identifier.type for identifier in profile.identifiers}
        found |= {TAGS} if profile.tags else set()
        found |= {CHANNELS} if profile.channels else set()
        found |= {CONSENT + answer.topic for answer in profile.consents}
    return sorted(found, key=lambda name: (name.startswith("$"), name))


def field_text(profile: Profile, name: str) -> str:
    """What a profile holds under a name, for people; empty where it holds nothing."""
    name = unicodedata.normalize("NFC", name)
    if name == TAGS:
        return cell_text(profile.tags)
    if name == CHANNELS:
        return cell_text(profile.channels)
    if name.startswith(CONSENT):
        topic = name.removeprefix(CONSENT)
        return next((cell_text(c.subscribed) for c in profile.consents if c.topic == topic), "")
    if name in profile.attributes:
        return cell_text(profile.attributes[name])
    return next((i.value for i in profile.identifiers if i.type == name), "")


def fields_json(profile: Profile) -> dict[str, Json]:
    """What a profile holds, for programs."""
    return {
        "key": profile.key,
        "attributes": {name: cell_json(value) for name, value in sorted(profile.attributes.items())},
        "tags": sorted(profile.tags),
        "channels": sorted(profile.channels),
        "identifiers": {identifier.type: identifier.value for identifier in profile.identifiers},
        "consents": {
            answer.topic: {
                "subscribed": answer.subscribed,
                "time": None if answer.time is None else instant_text(answer.time),
            }
            for answer in profile.consents
        },
    }


def cell_json(value: Cell) -> Json:
    """Numbers as numbers but for decimals, which are exact and therefore text."""
    from headcount.values import Point

    match value:
        case None | bool() | int() | float() | str():
            return value
        case frozenset():
            return sorted(value)
        case dt.datetime():
            return instant_text(value)
        case dt.date():
            return value.isoformat()
        case Point():
            return [value.latitude, value.longitude]
        case _:
            return str(value)


def cell_text(value: Cell) -> str:
    """A value for people."""
    match cell_json(value):
        case bool() as flag:
            return "true" if flag else "false"
        case list() as elements:
            return ", ".join(map(str, elements))
        case other:
            return str(other)
