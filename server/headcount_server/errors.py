"""What the server itself raises, beside the engine's own tree.

::

    ServerError
    ├── RequestError               answered to the caller; `statuses` gives each its code
    │   ├── MalformedRequest       bytes that are no message of the method's type
    │   ├── RefusedRule            the engine's InvalidRule, told which field of the request holds the rule
    │   ├── NotServed              part of the contract that this release does not offer
    │   ├── Unauthenticated        no caller, or not the one it says
    │   ├── PermissionDenied       a caller without the role that the method needs
    │   ├── TooManyStreams         the cap on open streams is reached
    │   └── NotReady               loading or draining: worth trying again
    └── StartError                 told to the operator; the process ends
        ├── InvalidConfig          a setting that cannot be
        └── CannotListen           the address is taken or is not ours

Messages are safe to show: they name fields and limits, never what a caller sent.
"""

from __future__ import annotations

from headcount_engine.errors import InvalidRule


class ServerError(Exception):
    """Root of the tree."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RequestError(ServerError):
    """A call that gets no answer."""


class MalformedRequest(RequestError):
    """The payload does not parse."""

    def __init__(self) -> None:
        super().__init__("the request is not a message of this method's type")


class RefusedRule(RequestError):
    """`field` is the path of the rule in the request, `cause` what is wrong with it."""

    def __init__(self, field: str, cause: InvalidRule) -> None:
        super().__init__(cause.message)
        self.field = field
        self.cause = cause


class NotServed(RequestError):
    """`path` is the field of the request that asks for it."""

    def __init__(self, what: str, *, path: str) -> None:
        super().__init__(f"{what} not served by this release")
        self.path = path


class Unauthenticated(RequestError):
    """No credentials, or none that hold."""

    def __init__(self) -> None:
        super().__init__("the call carries no valid credentials")


class PermissionDenied(RequestError):
    """`role` is the one that is needed."""

    def __init__(self, role: str) -> None:
        super().__init__(f"the method needs the role {role}")
        self.role = role


class TooManyStreams(RequestError):
    """`bound` streams are open already."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"open streams are limited to {bound:,}")
        self.bound = bound


class NotReady(RequestError):
    """`retry_after_s`: when the same call is worth making again."""

    def __init__(self, phase: str, retry_after_s: float) -> None:
        super().__init__(f"the server is {phase}")
        self.retry_after_s = retry_after_s


class StartError(ServerError):
    """The server cannot start as it is told to."""


class InvalidConfig(StartError):
    """`setting` is its name."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting = setting


class CannotListen(StartError):
    """`address` is the one that was asked for."""

    def __init__(self, address: str) -> None:
        super().__init__(f"cannot listen on {address}: it is in use or is not an address of this machine")
        self.address = address
