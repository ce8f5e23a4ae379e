"""How the clients reach a server: options of the channel, credentials, and what is tried again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, cast

import grpc
import grpc.aio

from headcount.errors import InvalidArgument
from headcount.local import PREFIX, AsyncLocalChannel, LocalChannel, open_engine

DEFAULT_TARGET: Final = "127.0.0.1:50051"
DEFAULT_TIMEOUT_S: Final = 10.0
MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024

# These change nothing, or nothing more the second time.
READS: Final = {
    "SchemaService": ("GetSchema",),
    "ProfileService": ("GetProfile", "ListProfiles", "LookupProfiles"),
    "SegmentService": ("GetSegment", "ListSegments", "GetStatistics", "ListTemplates", "ListRuleElements"),
    "AudienceService": (
        "CountAudience", "CheckMembership", "BatchCheckMembership", "ListMemberships", "PreviewAudience",
        "ExplainMembership", "CompareRules", "ParseRule", "ExplainPlan", "GetOverlap", "GetBreakdown",
        "GetAffinity", "DeleteAudience",
    ),
    "AdminService": ("GetStatus", "GetSettings"),
}  # fmt: skip
# These carry a request id, under which the server gives a repetition the first answer.
REPEATABLE_WRITES: Final = {
    "SchemaService": ("DeclareAttributes", "DeclareEvents"),
    "ProfileService": ("BatchUpsertProfiles", "MergeProfiles", "EraseProfile"),
    "EventService": ("TrackEvents",),
    "SegmentService": (
        "CreateSegment", "UpdateSegment", "DeleteSegment", "DuplicateSegment", "AddMembers", "RemoveMembers",
    ),
    "AudienceService": ("CreateAudience", "KeepAudience"),
    "AdminService": ("UpdateSettings",),
}  # fmt: skip


def service_config() -> str:
    """gRPC's service config: what may be sent again when the server was unavailable, and how soon."""
    names = [
        {"service": f"headcount.v1.{service}", "method": method}
        for group in (READS, REPEATABLE_WRITES)
        for service, methods in group.items()
        for method in methods
    ]
    retry = {
        "maxAttempts": 4,
        "initialBackoff": "0.05s",
        "maxBackoff": "1s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": retry}]})


@dataclass(frozen=True, slots=True)
class Tls:
    """An encrypted connection. `root_certificates` in PEM; None means those of the system.

    With `private_key` and `certificate_chain` the client shows who it is.
    """

    root_certificates: bytes | None = None
    private_key: bytes | None = None
    certificate_chain: bytes | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a client connects to, and how."""

    target: str = DEFAULT_TARGET
    timeout_s: float = DEFAULT_TIMEOUT_S
    token: str | None = None
    tls: Tls | None = None

    def __post_init__(self) -> None:
        if not self.target:
            raise InvalidArgument("the target is HOST:PORT or local:DIRECTORY", reason="INVALID_TARGET")
        if not self.timeout_s > 0:
            raise InvalidArgument("a timeout is more than 0 seconds", reason="INVALID_TIMEOUT")
        if self.is_local and (self.token is not None or self.tls is not None):
            raise InvalidArgument("a local target takes no token and no TLS", reason="INVALID_TARGET")

    @property
    def is_local(self) -> bool:
        """Whether the target is an engine in this process."""
        return self.target.startswith(PREFIX)

    def open(self) -> grpc.Channel:
        """A channel for threads. Raises FailedPrecondition for a local target that cannot be opened."""
        if self.is_local:
            return cast("grpc.Channel", LocalChannel(open_engine(self.target)))
        credentials = self.credentials()
        if credentials is None:
            return grpc.insecure_channel(self.target, self.options())
        return grpc.secure_channel(self.target, credentials, self.options())

    def open_async(self) -> grpc.aio.Channel:
        """The same for coroutines."""
        if self.is_local:
            return cast("grpc.aio.Channel", AsyncLocalChannel(open_engine(self.target)))
        credentials = self.credentials()
        if credentials is None:
            return grpc.aio.insecure_channel(self.target, self.options())
        return grpc.aio.secure_channel(self.target, credentials, self.options())

    def options(self) -> list[tuple[str, int | str]]:
        return [
            ("grpc.service_config", service_config()),
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
        ]

    def credentials(self) -> grpc.ChannelCredentials | None:
        """None for plaintext."""
        if self.tls is None:
            return None
        return grpc.ssl_channel_credentials(
            self.tls.root_certificates, self.tls.private_key, self.tls.certificate_chain
        )

    def metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return () if self.token is None else (("authorization", f"Bearer {self.token}"),)

    def deadline_s(self, timeout: float | None) -> float:
        """A call's own timeout, else the client's."""
        return self.timeout_s if timeout is None else timeout
