"""Whom a request is about, profiles as they are given back, and the tokens of their pages."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import ProfileAnswer
from headcount_engine.model.schema import answered_attribute, changed_attribute, consent_attribute
from headcount_engine.model.values import Instant
from headcount_server.wire import messages
from headcount_server.wire.fields import checked_count, put_instant, stamp
from headcount_server.wire.rules import segment_name
from headcount_server.wire.values import put_value

LOOKUPS_MAX = 10_000
_TOKEN = struct.Struct("<BQq16s")
_TOKEN_FORMAT = 1


@dataclass(frozen=True, slots=True)
class IdentifierRef:
    """An identifier's type and value."""

    type: str
    value: str


def who(request: messages.GetProfileRequest | messages.ListMembershipsRequest) -> str | IdentifierRef:
    """The key, or the identifier that leads to it."""
    match request.WhichOneof("who"):
        case "key":
            if not request.key:
                raise InvalidArgument("a profile's key is not empty", path="key")
            return request.key
        case "identifier":
            return identifier(request.identifier, "identifier")
        case _:
            raise InvalidArgument("either a key or an identifier", path="key")


def identifier(message: messages.Identifier, path: str) -> IdentifierRef:
    if not message.type or not message.value:
        raise InvalidArgument("an identifier has a type and a value", path=path)
    return IdentifierRef(message.type, message.value)


def lookups(request: messages.LookupProfilesRequest) -> list[IdentifierRef]:
    checked_count(len(request.identifiers), LOOKUPS_MAX, "identifiers")
    return [identifier(message, f"identifiers[{i}]") for i, message in enumerate(request.identifiers)]


def lookup_answer(
    keys: Sequence[str | None], version: int, now_us: int, engine_us: int
) -> messages.LookupProfilesResponse:
    answer = messages.LookupProfilesResponse(keys=[key or "" for key in keys])
    stamp(answer, version, now_us, engine_us)
    return answer


def profile_message(profile: ProfileAnswer, attributes: Collection[str] = ()) -> messages.Profile:
    """A profile inside a list, with the attributes named or, if none is, all."""
    made = messages.Profile(
        key=profile.key,
        id=profile.id,
        tags=sorted(profile.tags),
        channels=sorted(profile.channels),
        identifiers=[messages.Identifier(type=t, value=v) for t, v in sorted(profile.identifiers.items())],
        is_known=bool(profile.identifiers),
    )
    for name, cell in profile.attributes.items():
        if not name.startswith("$") and (not attributes or name in attributes):
            put_value(made.attributes[name], cell)
    made.consents.extend(_consents(profile))
    return made


def _consents(profile: ProfileAnswer) -> Iterator[messages.ConsentAnswer]:
    """What the profile answered about each topic, and when it last did; in older stores, when that changed."""
    prefix = consent_attribute("")
    for name, cell in sorted(profile.attributes.items()):
        if name.startswith(prefix) and isinstance(cell, bool):
            answer = messages.ConsentAnswer(topic=name.removeprefix(prefix), subscribed=cell)
            changed = profile.attributes.get(changed_attribute(name))
            answered = profile.attributes.get(answered_attribute(name), changed)
            if isinstance(answered, Instant):
                put_instant(answer.time, answered.us)
            yield answer


def profile_answer(
    profile: ProfileAnswer, segments: Sequence[str], version: int, engine_us: int
) -> messages.Profile:
    """A profile as an answer of its own."""
    made = profile_message(profile)
    for summary in profile.events:
        event = made.events.add(event_name=summary.event, count=summary.count)
        put_instant(event.first_time, summary.first_us)
        put_instant(event.last_time, summary.last_us)
    made.segments.extend(segment_name(id_) for id_ in segments)
    stamp(made, version, profile.now_us, engine_us)
    return made


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where a list goes on: after `after_id`, at `version` or later."""

    version: int
    after_id: int


def page_place(request: messages.ListProfilesRequest) -> PagePlace | None:
    """The place in the token; None for the first page. A token of another request is refused."""
    return place_in(request.page_token, _same(request))


def page_token(request: messages.ListProfilesRequest, place: PagePlace) -> str:
    return token_of(place, _same(request))


def _same(request: messages.ListProfilesRequest) -> messages.ListProfilesRequest:
    """What must stay as it was from page to page: who is listed and with what."""
    return messages.ListProfilesRequest(filter=request.filter, attributes=request.attributes)


def place_in(token: str, same: messages.Message) -> PagePlace | None:
    """The place in a token that was made for `same`; None for an empty one. Any other is refused."""
    if not token:
        return None
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
        format_, version, after_id, digest = _TOKEN.unpack(raw)
    except (ValueError, struct.error):
        raise InvalidArgument("not a token of this server", path="page_token") from None
    if format_ != _TOKEN_FORMAT or digest != _digest(same):
        raise InvalidArgument("a token goes with the request that it came from", path="page_token")
    return PagePlace(version, after_id)


def token_of(place: PagePlace, same: messages.Message) -> str:
    """A place in what `same` asks for."""
    raw = _TOKEN.pack(_TOKEN_FORMAT, place.version, place.after_id, _digest(same))
    return base64.urlsafe_b64encode(raw).decode("ascii")


def _digest(same: messages.Message) -> bytes:
    return hashlib.sha256(same.SerializeToString(deterministic=True)).digest()[:16]
