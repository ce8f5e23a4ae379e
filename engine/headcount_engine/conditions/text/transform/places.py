"""Telling errors where in the text they are, and reading plain operands off lexemes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import NoReturn

from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.conditions.tree import Op
from headcount_engine.errors import InvalidRule, InvalidValue
from headcount_engine.model.values import Bool, Date, Instant, Literal, Number, Text

COUNT_MAX = (1 << 63) - 1


@contextmanager
def at(place: Lexeme) -> Iterator[None]:
    """What a node refuses at its construction is told to be at `place`, unless it knows better."""
    try:
        yield
    except InvalidRule as error:
        raise error.at(place.line, place.column) from None
    except InvalidValue as error:
        raise InvalidRule(error.message, line=place.line, column=place.column) from error


def refuse(place: Lexeme, message: str) -> NoReturn:
    raise InvalidRule(message, line=place.line, column=place.column)


def text_of(lexeme: Lexeme) -> str:
    """The text of a STRING, a name or a word."""
    value = lexeme.value
    if isinstance(value, Text):
        return value.value
    assert isinstance(value, str)
    return value


def op_of(lexeme: Lexeme) -> Op:
    assert isinstance(lexeme.value, Op)
    return lexeme.value


def literal_of(lexeme: Lexeme) -> Literal:
    value = lexeme.value
    assert isinstance(value, Bool | Number | Text | Instant | Date)
    return value


def moment_of(lexeme: Lexeme) -> Instant | Date:
    value = lexeme.value
    assert isinstance(value, Instant | Date)
    return value


def literals_of(lexeme: Lexeme) -> tuple[Literal, ...]:
    assert isinstance(lexeme.value, tuple)
    return lexeme.value


def texts_of(lexeme: Lexeme) -> tuple[str, ...]:
    """The texts of a list; raises InvalidRule if it holds anything else."""
    texts = tuple(v.value for v in literals_of(lexeme) if isinstance(v, Text))
    if len(texts) != len(literals_of(lexeme)):
        refuse(lexeme, "this list takes texts in double quotes only")
    return texts


def number_of(lexeme: Lexeme) -> Number:
    assert isinstance(lexeme.value, Number)
    return lexeme.value


def decimal_of(lexeme: Lexeme) -> Decimal:
    return Decimal(number_of(lexeme).value)


def whole_of(lexeme: Lexeme) -> int:
    """A count; raises InvalidRule if it is negative, has a fraction, or does not fit 63 bits."""
    value = number_of(lexeme).value
    if not isinstance(value, int) or value < 0:
        refuse(lexeme, "a whole number is expected")
    if value > COUNT_MAX:
        refuse(lexeme, "a number that large cannot be counted to")
    return value


def scaled(value: Decimal, places: int) -> Decimal:
    """`value` times ten to the power `places`, exactly, whatever the number of digits."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    return Decimal((sign, digits, exponent + places))
