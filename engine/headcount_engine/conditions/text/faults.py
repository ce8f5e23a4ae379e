"""What to tell the author of a rule that cannot be read: where, what was expected, and what may have been meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lark.parsers.lalr_interactive_parser import InteractiveParser

from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.conditions.text.names import FUNCTIONS, KEYWORDS, backticked, suggest
from headcount_engine.errors import InvalidRule

_PHRASES: Final[dict[str, str]] = {
    "NAME": "a name",
    "QUOTED": "a name",
    "STRING": "a text in double quotes",
    "NUMBER": "a number",
    "INSTANT": "an instant",
    "DATE": "a date",
    "BOOL": "true or false",
    "LIST": "a list in parentheses",
    "TARGET": "`event.property`",
    "OP": "a comparison (=, !=, <, <=, >, >=)",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COMMA": "`,`",
    "PERCENT": "`%`",
    "CLOCK_UNIT": "a unit (seconds, minutes, hours)",
    "DAY_UNIT": "a unit (days, weeks)",
    "CALENDAR_UNIT": "a calendar unit (month, quarter, year)",
    "IN_ZONE": "`in zone`",
    "_AND_PROFILE": "`and`",
    "_OR_PROFILE": "`or`",
    "TIMES": "`times`",
    "PERIODS": "`periods`",
    "FUNCTION": "an aggregate",
    "COUNT_OF": "an aggregate",
    "DAYS_OF": "an aggregate",
    "SIZE_OF": "`size(`",
    "$END": "the end of the rule",
}
_CONDITION_STARTS: Final = frozenset({"NAME", "NOT", "SIZE_OF", "LPAR"})
_PROFILE_STARTS: Final = _CONDITION_STARTS | {"DID", "EVERYONE"}
_CONDITION_WORDS: Final = frozenset(
    "NAME QUOTED NOT SIZE_OF LPAR ALL ANY NONE AT EXACTLY DID NEVER FIRST LAST FUNCTION COUNT_OF DAYS_OF TAG CHANNEL "
    "CONSENT KNOWN EVERYONE KEY IN SAMPLE BUCKET TOP BOTTOM SAME".split()
)
_PREDICATE_WORDS: Final = frozenset(
    "OP EXISTS IS DOES CONTAINS STARTS ENDS GLOB MATCHES ANY ALL NONE EXACTLY NOT HAS WITHIN ANNIVERSARY AFTER AT "
    "BEFORE BETWEEN FROM IN LAST NEXT THIS MORE TODAY TOMORROW YESTERDAY".split()
)
_WINDOW_WORDS: Final = frozenset(
    "AFTER AT BEFORE BETWEEN FROM IN LAST NEXT THIS MORE TODAY TOMORROW YESTERDAY".split()
)
_COUNT_WORDS: Final = frozenset("AT BETWEEN EXACTLY FEWER LESS MORE ONCE".split())
_TESTS: Final = frozenset(
    "OP IN NOT BETWEEN CONTAINS EXISTS IS DOES HAS ANY ALL NONE EXACTLY BEFORE AFTER".split()
)
_PHRASES_SHOWN = 12


def unexpected(
    lexemes: list[Lexeme],
    index: int,
    session: InteractiveParser,
    replay: Callable[[], InteractiveParser],
    text: str,
) -> InvalidRule:
    """The error for the lexeme at `index` (or the end of the text) that the parser in `session` does not accept.

    `replay` gives a parser as it was before the lexeme ahead of that one: a misspelt keyword passes for a name, and
    only the word behind it fails.
    """
    accepted = _terminals(session)
    expected = _phrases(accepted)
    if index >= len(lexemes):
        line = text.count("\n") + 1
        column = len(text) - (text.rfind("\n") + 1) + 1
        if not lexemes:
            return InvalidRule("the rule is empty", line=line, column=column, expected=expected)
        return InvalidRule(
            f"the rule ends where {_listed(expected)} is expected",
            line=line,
            column=column,
            expected=expected,
        )
    found = lexemes[index]
    if found.type == "NAME":
        meant = _suggested(found.text, accepted)
        if meant:
            return _misspelt(found, meant, expected)
    if index and lexemes[index - 1].type == "NAME":
        before = _terminals(replay())
        meant = _suggested(lexemes[index - 1].text, before)
        if meant:
            return _misspelt(lexemes[index - 1], meant, _phrases(before))
    if index and found.type in _TESTS and _is_word(lexemes[index - 1]) and "NAME" in _terminals(replay()):
        return _keyword_as_name(lexemes[index - 1], expected)
    if (
        index + 1 < len(lexemes)
        and lexemes[index + 1].type in _TESTS
        and _is_word(found)
        and "NAME" in accepted
    ):
        return _keyword_as_name(found, expected)
    return InvalidRule(
        _message(found, accepted, expected), line=found.line, column=found.column, expected=expected
    )


def _is_word(lexeme: Lexeme) -> bool:
    return lexeme.text.lower() in KEYWORDS or lexeme.text.lower() in FUNCTIONS


def _keyword_as_name(found: Lexeme, expected: list[str]) -> InvalidRule:
    return InvalidRule(
        f"{found.text} is a keyword; as a name it takes backticks: {backticked(found.text)}",
        line=found.line,
        column=found.column,
        expected=expected,
    )


def _message(found: Lexeme, accepted: frozenset[str], expected: list[str]) -> str:
    shown = found.text if len(found.text) <= 40 else found.text[:37] + "..."
    if found.type.endswith("_PROFILE"):
        word = found.text.lower()
        return (
            f"inside `where` only the event's own properties can be tested, so this `{word}` does not belong to it; "
            f"{_listed(expected)} is expected first"
        )
    if _is_word(found) and accepted >= _CONDITION_STARTS and found.type in _CONDITION_WORDS:
        return (
            f"`{shown}` is about a profile; inside `where` and `has` only the event's properties are tested"
        )
    if _is_word(found) and "NAME" in accepted and not accepted >= _CONDITION_STARTS:
        return f"{shown} is a keyword; as a name it takes backticks: {backticked(shown)}"
    if found.type == "RPAR" and "$END" in accepted:
        return "this `)` closes nothing"
    if accepted >= {"AND", "OR", "$END"} and found.type in _CONDITION_WORDS:
        return f"unexpected `{shown}`; conditions are joined by `and` or `or`"
    return f"unexpected `{shown}`; {_listed(expected)} is expected"


def _misspelt(found: Lexeme, meant: list[str], expected: list[str]) -> InvalidRule:
    words = " or ".join(f"`{word}`" for word in meant)
    return InvalidRule(
        f"unexpected `{found.text}`; did you mean {words}?",
        line=found.line,
        column=found.column,
        expected=expected,
    )


def _terminals(session: InteractiveParser) -> frozenset[str]:
    return frozenset(session.accepts())


def _suggested(word: str, accepted: frozenset[str]) -> list[str]:
    """Keywords accepted at a place that `word` may be a misspelling of."""
    words = [keyword for keyword, terminal in KEYWORDS.items() if terminal in accepted]
    words += [name for name, terminal in FUNCTIONS.items() if terminal in accepted and name not in words]
    return suggest(word, words, 2)


def _phrases(accepted: frozenset[str]) -> list[str]:
    """The accepted terminals in the language's own words; what begins a condition is one phrase."""
    left = set(accepted)
    phrases: list[str] = []
    if left >= _CONDITION_STARTS:
        phrases.append("a condition" if left >= _PROFILE_STARTS else "a condition on a property of the event")
        left -= _CONDITION_WORDS
    if left >= {"OP", "CONTAINS", "EXISTS"}:
        phrases.append(
            'a test (`= 1`, `in (...)`, `exists`, `contains "..."`, `before ...`, `in last 30 days` ...)'
        )
        left -= _PREDICATE_WORDS
    if left >= {"TODAY", "ONCE"}:
        phrases.append("a count (`at least 2 times`)")
    if "TODAY" in left and "FROM" in left:
        phrases.append("a window (`in last 30 days`, `this month` ...)")
        left -= _WINDOW_WORDS | (_COUNT_WORDS if "ONCE" in left else frozenset())
    for terminal in sorted(left, key=_order):
        phrase = _PHRASES.get(terminal, f"`{terminal.lower()}`")
        if phrase not in phrases:
            phrases.append(phrase)
    return phrases


def _order(terminal: str) -> tuple[int, str]:
    ordered = list(_PHRASES)
    return (ordered.index(terminal), "") if terminal in _PHRASES else (len(ordered), terminal)


def _listed(expected: list[str]) -> str:
    shown = expected[:_PHRASES_SHOWN]
    if len(expected) > len(shown):
        return ", ".join(shown) + " ..."
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " or " + shown[-1]
