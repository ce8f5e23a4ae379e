"""Who calls. Asked before anything of a request is decoded."""

from __future__ import annotations

from typing import Final, Protocol

from headcount_server.context import Principal, Role


class Authenticator(Protocol):
    """Turns credentials into a principal; raises Unauthenticated. Any thread."""

    def authenticate(self, authorization: str | None) -> Principal: ...


LOCAL: Final = Principal("local", Role.ADMIN)


class TrustEveryone:
    """For a server that only its own machine, or holders of a client certificate, can reach."""

    def authenticate(self, authorization: str | None) -> Principal:
        return LOCAL
