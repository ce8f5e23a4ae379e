"""The name that a caller gives a request, so that sending it again does nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from headcount_engine.errors import InvalidArgument

REQUEST_ID_BYTES_MAX = 512


@dataclass(frozen=True, slots=True)
class RequestId:
    """`text`: unique among the requests of a day; `digest`: 16 bytes of what the request says."""

    text: str
    digest: bytes

    def __post_init__(self) -> None:
        if not self.text or len(self.text.encode("utf-8", "surrogatepass")) > REQUEST_ID_BYTES_MAX:
            raise InvalidArgument(f"a request id has 1 to {REQUEST_ID_BYTES_MAX} bytes", path="request_id")
        if len(self.digest) != 16:
            raise InvalidArgument("the digest of a request has 16 bytes", path="request_id")

    @staticmethod
    def of(text: str, content: bytes) -> RequestId:
        """For a request that consists of these bytes."""
        return RequestId(text, hashlib.blake2b(content, digest_size=16).digest())
