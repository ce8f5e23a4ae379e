"""What a handler knows of its call, whatever listener it came by."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from headcount_engine.model.answers import Deadline


class Role(enum.IntEnum):
    """What a caller may do; each includes those below it."""

    READ = 1
    WRITE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Context:
    """`deadline` holds when to stop and whether the caller has gone; handlers hand it to the engine."""

    deadline: Deadline
    principal: Principal
