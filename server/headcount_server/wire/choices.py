"""Enums, both ways: the wire's values carry the engine's names behind a common prefix."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from headcount.v1 import condition_pb2, window_pb2
from headcount_engine.conditions.tree import End, Fold, Function, NameKind, Op, SetOp, TextOp
from headcount_engine.conditions.windows import CalendarUnit, Shift, Unit
from headcount_engine.errors import InvalidRule

Choice = TypeVar("Choice", bound=enum.Enum)
_UNSPECIFIED = "UNSPECIFIED"


class Choices(Generic[Choice]):
    """One enum of the wire and the engine's; `renamed` gives the wire's name where it is another."""

    def __init__(
        self, wire: EnumTypeWrapper, engine: type[Choice], renamed: Mapping[Choice, str] | None = None
    ) -> None:
        prefix = wire.Name(0).removesuffix(_UNSPECIFIED)
        names = renamed or {}
        self._names = {choice: prefix + names.get(choice, choice.name) for choice in engine}
        self._choices = {wire.Value(name): choice for choice, name in self._names.items()}
        self._what = wire.DESCRIPTOR.name

    def read(self, number: int) -> Choice:
        """The choice; raises InvalidRule for UNSPECIFIED and for a number that nobody knows."""
        choice = self._choices.get(number)
        if choice is None:
            raise InvalidRule(f"one of the values of {self._what} is needed")
        return choice

    def name(self, choice: Choice) -> str:
        """How the wire calls it, which is how a message is given it."""
        return self._names[choice]


OPS: Final = Choices(condition_pb2.Comparison, Op)
FOLDS: Final = Choices(condition_pb2.TextFold, Fold, {Fold.ACCENTS: "CASE_AND_ACCENTS"})
TEXT_OPS: Final = Choices(condition_pb2.TextComparison, TextOp)
SET_OPS: Final = Choices(condition_pb2.SetComparison, SetOp)
FUNCTIONS: Final = Choices(condition_pb2.AggregateFunction, Function)
ENDS: Final = Choices(condition_pb2.RankEnd, End)
NAME_KINDS: Final = Choices(condition_pb2.EventNameKind, NameKind)
UNITS: Final = Choices(window_pb2.TimeUnit, Unit)
CALENDAR_UNITS: Final = Choices(window_pb2.CalendarUnit, CalendarUnit)
SHIFTS: Final = Choices(window_pb2.CalendarShift, Shift)
