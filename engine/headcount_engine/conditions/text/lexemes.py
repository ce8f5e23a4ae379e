"""The terminals of the grammar as the parser gets them."""

from __future__ import annotations

from dataclasses import dataclass, field

from headcount_engine.conditions.tree import Op
from headcount_engine.model.values import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """`purchase.amount` inside an aggregate. `event` and `property` are as written, `is_prefix` for `` `p*`.x ``."""

    event: str
    property: str
    is_prefix: bool = False
    is_any: bool = False


Payload = Literal | Op | Target | tuple[Literal, ...] | str


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A terminal of the grammar (`type`), its place (1-based), its text and what it stands for.

    Names carry their NFC form as `value`, literals a Literal; `starred` marks a quoted name that ends in a bare `*`.
    """

    type: str
    text: str
    line: int
    column: int
    value: Payload = ""
    starred: bool = field(default=False, kw_only=True)
