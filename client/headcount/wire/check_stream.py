"""Checks of memberships as a stream carries them: some keys a message, all about the same segments and rules."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from headcount.errors import ServerError
from headcount.v1 import audience_service_pb2 as audiences
from headcount.values import Membership
from headcount.wire import decode, encode
from headcount.wire.calls import path_of
from headcount.wire.encode import RuleLike

CHECK_PATH = path_of("AudienceService", "StreamCheckMembership")
BATCH_MAX = 1_000
IN_FLIGHT = 4


@dataclass(frozen=True, slots=True)
class Packed:
    """One message and what it asks about."""

    number: int
    keys: Sequence[str]
    request: bytes


class Checks:
    """Makes messages and reads their answers. `batch_max` keys a message at most, `in_flight` messages unanswered."""

    def __init__(
        self, segment_ids: Sequence[str], rules: Iterable[RuleLike], batch_max: int, in_flight: int
    ) -> None:
        if batch_max < 1 or in_flight < 1:
            raise encode.refused("batch_max", "at least one check a message, and one message in flight")
        self.batch_max = batch_max
        self.in_flight = in_flight
        self._segment_ids = tuple(segment_ids)
        self._template = audiences.BatchCheckMembershipRequest(
            segments=[encode.segment_name(segment) for segment in segment_ids],
            rules=[encode.rule(rule) for rule in rules],
        )
        self._questions = len(self._segment_ids) + len(self._template.rules)
        if not self._questions:
            raise encode.refused("segments", "at least one segment or rule")
        self._numbers = itertools.count(1)

    @staticmethod
    def checked(key: str) -> str:
        """A key that can be sent."""
        if not key:
            raise encode.refused("key", "a profile's key is not empty")
        return encode.text(key, "key")

    def pack(self, keys: Sequence[str]) -> Packed:
        number = next(self._numbers)
        request = audiences.StreamCheckMembershipRequest(check_number=number, check=self._template)
        request.check.keys.extend(keys)
        return Packed(number, keys, request.SerializeToString())

    def read(self, packed: Packed, data: bytes) -> Iterator[Membership]:
        """The answers for the keys of a message, in their order. Raises ServerError."""
        try:
            message = audiences.StreamCheckMembershipResponse.FromString(data)
        except DecodeError as error:
            raise ServerError("the answer cannot be read", reason="MALFORMED_ANSWER") from error
        if message.check_number != packed.number:
            raise ServerError("an answer to another check", reason="MALFORMED_ANSWER")
        answer = message.answer
        bits, exists = int.from_bytes(answer.member_bits, "little"), answer.exists_bits
        known = int.from_bytes(exists, "little")
        now = decode.instant(answer.now)
        for row, key in enumerate(packed.keys):
            held = [bool(bits >> (row * self._questions + q) & 1) for q in range(self._questions)]
            yield Membership(
                version=answer.version,
                now=now,
                engine_us=answer.engine_us,
                key=key,
                exists=not exists or bool(known >> row & 1),
                segments=dict(zip(self._segment_ids, held, strict=False)),
                rules=tuple(held[len(self._segment_ids) :]),
            )
