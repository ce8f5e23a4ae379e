"""Reading the text form of a rule.

The lexer gives lexemes, lark's LALR(1) parser shifts them, and the functions in `transform` build the nodes as rules
are recognised; nothing recurses, so the depth of the text does not matter. The cost is linear in the text: some
10 us a lexeme, and far less for a long list of values.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import cast

import lark
from lark.parsers.lalr_interactive_parser import InteractiveParser

from headcount_engine.conditions.text import faults
from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.conditions.text.lexer import scan
from headcount_engine.conditions.text.names import KEYWORDS, RESERVED
from headcount_engine.conditions.text.transform import actions
from headcount_engine.conditions.tree import Condition, check_size
from headcount_engine.errors import InvalidRule
from headcount_engine.limits import DEFAULT_LIMITS, Limits

_loading = threading.Lock()


def parse(text: str, limits: Limits = DEFAULT_LIMITS) -> Condition:
    """The condition that `text` writes down.

    Raises InvalidRule with line, column and what was expected there, or LimitExceeded. Names are not looked up and
    patterns not compiled: that needs a schema, and happens when the condition is bound.
    """
    return _read(text, "rule", limits)


def parse_event_condition(text: str, limits: Limits = DEFAULT_LIMITS) -> Condition:
    """A condition on one event, as it stands after `where`; raises as `parse` does."""
    return _read(text, "event_rule", limits)


def _read(text: str, start: str, limits: Limits) -> Condition:
    lexemes = scan(text, limits)
    condition = _run(lexemes, start, text)
    check_size(condition, limits)
    return condition


def _run(lexemes: list[Lexeme], start: str, text: str) -> Condition:
    session = _parser().parse_interactive(start=start)
    read = 0
    try:
        for lexeme in lexemes:
            # A Lexeme has all that the parser looks at in a token: its type.
            session.feed_token(cast(lark.Token, as_accepted(lexeme, session)))
            read += 1
        return cast(Condition, session.feed_eof())
    except lark.UnexpectedInput:
        # Raised below, so that lark's error is no part of ours.
        pass
    except InvalidRule as error:
        # Every action tells its place; should one not, what was read last is near it.
        last = lexemes[min(read, len(lexemes) - 1)]
        raise error.at(last.line, last.column) from None
    raise faults.unexpected(lexemes, read, session, lambda: _replay(lexemes[: read - 1], start), text)


def _replay(lexemes: list[Lexeme], start: str) -> InteractiveParser:
    """A parser that has read just these lexemes, which are known to be acceptable."""
    session = _parser().parse_interactive(start=start)
    for lexeme in lexemes:
        session.feed_token(cast(lark.Token, as_accepted(lexeme, session)))
    return session


def as_accepted(lexeme: Lexeme, session: InteractiveParser) -> Lexeme:
    """The lexeme, as a name if it is a keyword that means nothing here and is not reserved."""
    word = lexeme.text.lower()
    if word in KEYWORDS and word not in RESERVED and lexeme.type not in session.choices():
        return Lexeme("NAME", lexeme.text, lexeme.line, lexeme.column, lexeme.text)
    return lexeme


def _parser() -> lark.Lark:
    with _loading:
        return _load()


@lru_cache(maxsize=1)
def _load() -> lark.Lark:
    """The parser's tables, made from the grammar once per process when the first rule is read (a third of a second)."""
    grammar = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(
        grammar,
        parser="lalr",
        lexer=_NoLexer,
        start=["rule", "event_rule"],
        transformer=actions(),
        maybe_placeholders=False,
    )


class _NoLexer(lark.lexer.Lexer):
    """Lexemes are fed one by one, so that what is accepted can decide what a word is."""

    def __init__(self, conf: lark.common.LexerConf) -> None:
        super().__init__()

    def lex(self, lexer_state: lark.lexer.LexerState, parser_state: object) -> Iterator[lark.Token]:
        return iter(())
