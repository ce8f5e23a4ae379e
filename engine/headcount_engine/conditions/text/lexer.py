"""A rule's text as lexemes: one pass, no recursion, the bounds on text, nesting, lists and names checked on the way.

A list of literals in parentheses is one lexeme, however long, and plain ones are read by the JSON decoder.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import replace
from decimal import Decimal
from typing import Final, NoReturn

from headcount_engine.conditions.text.lexemes import Lexeme, Payload, Target
from headcount_engine.conditions.text.lookahead import classified
from headcount_engine.conditions.text.names import FUNCTIONS, KEYWORDS, is_plain
from headcount_engine.conditions.tree import Op
from headcount_engine.errors import InvalidRule, InvalidValue, LimitExceeded
from headcount_engine.limits import Limits
from headcount_engine.model.instants import checked_instant_us, parse_date, parse_instant
from headcount_engine.model.values import Bool, Date, Instant, Literal, Number, Text

LEXEMES_PER_LEAF_MAX: Final = 64
"""Past what any leaf takes with its groups around it: a longer text has more leaves than are allowed, or is no rule."""

_SPACE = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
# At most 400 digits before and after the point: more than the range of doubles needs, and read in no time.
_STRING_SOURCE = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*+"'
_NUMBER_SOURCE = r"-?(?:0|[1-9][0-9]{0,399})(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,6})?(?![\w.])"
_STRING = re.compile(_STRING_SOURCE)
_NUMBER = re.compile(_NUMBER_SOURCE)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?P<time>[Tt][0-9:.,]*+(?:[Zz]|[+-][0-9:]{2,6})?)?(?![\w.])")
_QUOTED = re.compile(r"`(?:[^`\\\x00-\x1f]|\\.)*+`")
_WORD = re.compile(r"(?:[^\W\d]|\$)(?:[\w.$]|[^\x00-\x7f])*+")
_EVENT_PART = re.compile(r"(?:[^\W\d]|\$)(?:[\w$]|[^\x00-\x7f])*+")
_ANY_EVENT = re.compile(r"any[ \t\r\n]+event(?=\.)", re.IGNORECASE)
_OPERATOR = re.compile(r"!=|<=|>=|=|<|>")
_OPENS_CALL = re.compile(_SPACE.pattern + r"\(")
_LIST_VALUE = f"(?:{_STRING_SOURCE}|{_NUMBER_SOURCE})"
_PLAIN_LIST = re.compile(
    rf"\([ \t\r\n]*+({_LIST_VALUE}[ \t\r\n]*+(?:,[ \t\r\n]*+{_LIST_VALUE}[ \t\r\n]*+)*+)\)"
)
_LITERAL_AHEAD = re.compile(_SPACE.pattern + r"(?:[\"0-9)-]|(?i:true|false)\b(?!\.))")
_NAME_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)

_PUNCTUATION = {")": "RPAR", ",": "COMMA", "%": "PERCENT"}
_HINTS = {
    "'": "texts are in double quotes",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=` to compare",
    "[": "lists are in parentheses",
    "{": "lists and groups are in parentheses",
    "“": "texts are in straight double quotes",
    "”": "texts are in straight double quotes",
    ";": "one rule at a time",
}


def scan(text: str, limits: Limits) -> list[Lexeme]:
    """The lexemes of `text`; raises InvalidRule with the place of what cannot be read, or LimitExceeded."""
    _check_text(text, limits)
    return classified(_Scanner(text, limits).run())


def _check_text(text: str, limits: Limits) -> None:
    if len(text) > limits.rule_text_bytes:
        raise LimitExceeded("rule_text_bytes", limits.rule_text_bytes, len(text))
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        column = error.start - text.rfind("\n", 0, error.start)
        raise InvalidRule("half of a surrogate pair is not a character", line=line, column=column) from error
    if size > limits.rule_text_bytes:
        raise LimitExceeded("rule_text_bytes", limits.rule_text_bytes, size)


class _Scanner:
    """One pass over one text. `depth` counts open parentheses, `chained` the conditions that must be there."""

    __slots__ = ("chained", "depth", "found", "limits", "line", "line_start", "nots", "position", "text")

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits
        self.position = 0
        self.line = 1
        self.line_start = 0
        self.depth = 0
        self.nots = 0
        self.chained = 0
        self.found: list[Lexeme] = []

    def run(self) -> list[Lexeme]:
        found = self.found
        lexemes_max = LEXEMES_PER_LEAF_MAX * (self.limits.rule_leaves + 1)
        self.skip_space()
        while self.position < len(self.text):
            lexeme = self.one()
            found.append(lexeme)
            self.check_sizes(lexeme.type)
            if len(found) > lexemes_max:
                raise LimitExceeded("rule_leaves", self.limits.rule_leaves)
            self.skip_space()
        return found

    def check_sizes(self, type_: str) -> None:
        """Count what can only belong to a tree past the limits, before the tree is built."""
        if type_ == "LPAR":
            self.depth += 1
            if self.depth > self.limits.rule_depth:
                raise LimitExceeded("rule_depth", self.limits.rule_depth, self.depth)
        elif type_ == "RPAR":
            self.depth -= 1
        elif type_ == "NOT":
            self.nots += 1
            if self.nots > self.limits.rule_depth:
                raise LimitExceeded("rule_depth", self.limits.rule_depth, self.nots)
        if type_ != "NOT":
            self.nots = 0
        if type_ == "COMMA" or (type_ in ("AND", "OR") and self.joins_conditions(type_)):
            self.chained += 1
            if self.chained >= self.limits.rule_leaves:
                raise LimitExceeded("rule_leaves", self.limits.rule_leaves)

    def joins_conditions(self, type_: str) -> bool:
        """Not the `and` of `between 1 and 2`, nor the `or` of `at or after`."""
        before = [lexeme.type for lexeme in self.found[-4:-1]]
        return "BETWEEN" not in before[-3:] if type_ == "AND" else before[-1:] != ["AT"]

    # -------------------------------------------------------------------------------------------- one lexeme

    def one(self) -> Lexeme:
        char = self.text[self.position]
        if len(self.found) > 1 and self.found[-1].type == "LPAR" and self.found[-2].type == "FUNCTION":
            return self.target()
        if char == "(":
            return self.parenthesis()
        if char == '"' or char in "-0123456789":
            return self.literal()
        if char == "`":
            return self.quoted()
        if char in _PUNCTUATION:
            return self.cut(_PUNCTUATION[char], self.position + 1)
        if (match := _OPERATOR.match(self.text, self.position)) is not None:
            if self.text.startswith(("==", "<>"), self.position):
                self.refuse("write `=`" if char == "=" else "write `!=`")
            return self.cut("OP", match.end(), Op(match[0]))
        if (match := _WORD.match(self.text, self.position)) is not None:
            return self.word(match.end())
        hint = _HINTS.get(char, "names with such characters are written in backticks")
        shown = char if char.isprintable() else f"U+{ord(char):04X}"
        self.refuse(f"unexpected character {shown!r}: {hint}")

    def cut(self, type_: str, end: int, value: Payload = "", *, starred: bool = False) -> Lexeme:
        """The text up to `end` as one lexeme; moves on."""
        start = self.position
        self.position = end
        column = start - self.line_start + 1
        return Lexeme(type_, self.text[start:end], self.line, column, value, starred=starred)

    def word(self, end: int) -> Lexeme:
        word = self.text[self.position : end]
        lowered = word.lower()
        if lowered in FUNCTIONS and _OPENS_CALL.match(self.text, end):
            return self.cut(FUNCTIONS[lowered], end, lowered)
        if lowered in KEYWORDS:
            type_ = KEYWORDS[lowered]
            return self.cut(type_, end, Bool(lowered == "true") if type_ == "BOOL" else lowered)
        return self.cut("NAME", end, self.plain_name(word))

    def quoted(self) -> Lexeme:
        match = _QUOTED.match(self.text, self.position)
        if match is None:
            self.refuse("this name has no closing backtick on its line")
        name = self.unescaped_name(match[0][1:-1])
        self.check_name(name)
        # An even number of backslashes before the last star leaves it bare.
        stem = match[0][1:-2]
        starred = match[0].endswith("*`") and (len(stem) - len(stem.rstrip("\\"))) % 2 == 0
        return self.cut("QUOTED", match.end(), name, starred=starred)

    def target(self) -> Lexeme:
        """`event.property`, cut at the first dot outside backticks. No space stands around the dot."""
        start, line, column = self.position, self.line, self.position - self.line_start + 1
        starred = is_any = False
        event = ""
        if (match := _ANY_EVENT.match(self.text, start)) is not None:
            self.count_lines(start, match.end())
            self.position = match.end()
            is_any = True
        elif self.text[start] == "`":
            lexeme = self.quoted()
            event, starred = str(lexeme.value), lexeme.starred
        elif (match := _EVENT_PART.match(self.text, start)) is not None:
            event = self.plain_name(match[0])
            self.position = match.end()
        if self.position == start or not self.text.startswith(".", self.position):
            raise InvalidRule("an aggregate takes `event.property`, as in `sum(purchase.amount)`",
                              line=line, column=column)  # fmt: skip
        self.position += 1
        if self.text.startswith("`", self.position):
            name = str(self.quoted().value)
        elif (match := _WORD.match(self.text, self.position)) is not None:
            name = self.plain_name(match[0])
            self.position = match.end()
        else:
            self.refuse("the name of a property is expected after the dot")
        return Lexeme(
            "TARGET", self.text[start : self.position], line, column, Target(event, name, starred, is_any)
        )

    def plain_name(self, word: str) -> str:
        name = unicodedata.normalize("NFC", word)
        if not is_plain(name):
            self.refuse(
                "names with other characters than letters, digits, `_`, `.` and `$` are written in backticks"
            )
        self.check_name(name)
        return name

    def unescaped_name(self, raw: str) -> str:
        if "\\" not in raw:
            return unicodedata.normalize("NFC", raw)

        def to_json(escape: re.Match[str]) -> str:
            return escape[1] if escape[1] in ("`", "*") else escape[0]

        body = _NAME_ESCAPE.sub(to_json, raw)
        # A bare double quote is fine between backticks, and must be escaped for the JSON decoder.
        body = re.sub(r'\\.|"', lambda m: '\\"' if m[0] == '"' else m[0], body)
        return self.decoded(f'"{body}"')

    def check_name(self, name: str) -> None:
        if not name:
            self.refuse("a name cannot be empty")
        size = len(name.encode())
        if size > self.limits.name_bytes:
            raise LimitExceeded("name_bytes", self.limits.name_bytes, size)

    # ------------------------------------------------------------------------------------------------ literals

    def literal(self) -> Lexeme:
        text, position = self.text, self.position
        if text[position] == '"':
            match = _STRING.match(text, position)
            if match is None:
                self.refuse_string()
            return self.cut("STRING", match.end(), Text(self.decoded(match[0])))
        if (match := _MOMENT.match(text, position)) is not None:
            return self.moment(match)
        match = _NUMBER.match(text, position)
        if match is None:
            self.refuse("not a number, a date (2024-01-31) or an instant (2024-01-31T12:00:00Z)")
        return self.cut("NUMBER", match.end(), self.number(match[0]))

    def moment(self, match: re.Match[str]) -> Lexeme:
        written = match[0]
        try:
            if match["time"] is None:
                return self.cut("DATE", match.end(), parse_date(written))
            instant = parse_instant(written[:10] + "T" + written[11:])
            checked_instant_us(instant.us)
        except InvalidValue as error:
            self.refuse(error.message)
        return self.cut("INSTANT", match.end(), instant)

    def number(self, written: str) -> Number:
        return self.exact(int(written) if set(written).isdisjoint(".eE") else Decimal(written))

    def decoded(self, quoted: str) -> str:
        """The text that a JSON string stands for, in NFC; within the bound on texts."""
        try:
            value = json.loads(quoted)
            if "\\" in quoted:
                value.encode()
        except (json.JSONDecodeError, UnicodeEncodeError):
            self.refuse(r"escapes are those of JSON: \" \\ \/ \b \f \n \r \t \u0041")
        text = unicodedata.normalize("NFC", str(value))
        if len(text) * 4 > self.limits.text_bytes and len(text.encode()) > self.limits.text_bytes:
            raise LimitExceeded("text_bytes", self.limits.text_bytes)
        return text

    def parenthesis(self) -> Lexeme:
        """A list of literals as one lexeme, else the parenthesis alone (an aggregate's with its target behind)."""
        if self.found and self.found[-1].type == "FUNCTION":
            return self.cut("LPAR", self.position + 1)
        if not _LITERAL_AHEAD.match(self.text, self.position + 1):
            return self.cut("LPAR", self.position + 1)
        plain = _PLAIN_LIST.match(self.text, self.position)
        return self.slow_list() if plain is None else self.plain_list(plain)

    def plain_list(self, match: re.Match[str]) -> Lexeme:
        body = match[1]
        values = json.loads(f"[{body}]", parse_float=Decimal)
        self.check_count(len(values))
        if body.isascii() and "\\" not in body and len(body) <= self.limits.text_bytes:
            decoded = [Text(v) if isinstance(v, str) else self.exact(v) for v in values]
        else:
            decoded = [Text(self.checked(v)) if isinstance(v, str) else self.exact(v) for v in values]
        lexeme = self.cut("LIST", match.end(), tuple(decoded))
        self.count_lines(match.start(), match.end())
        return lexeme

    def exact(self, value: int | Decimal) -> Number:
        """The number as it was written, or refused: never a rounded one."""
        try:
            number = Number(value)
        except InvalidValue:
            self.refuse("a number beyond the range of doubles")
        if number.value != value:
            self.refuse("a number of more digits than can be held exactly")
        return number

    def checked(self, text: str) -> str:
        """A text from a list, in NFC, if it is one and within its bound."""
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            self.refuse("half of a surrogate pair is not a character")
        if size > self.limits.text_bytes:
            raise LimitExceeded("text_bytes", self.limits.text_bytes, size)
        return unicodedata.normalize("NFC", text)

    def check_count(self, count: int) -> None:
        if count > self.limits.list_values:
            raise LimitExceeded("list_values", self.limits.list_values, count)

    def slow_list(self) -> Lexeme:
        """A list with dates, instants, truth values or comments in it; says where an ill-formed one breaks off."""
        opening = self.cut("LIST", self.position + 1)
        values: list[Literal] = []
        self.skip_space()
        while not self.text.startswith(")", self.position):
            lexeme = (
                self.one() if self.position < len(self.text) and self.text[self.position] != "(" else None
            )
            if lexeme is None or not isinstance(lexeme.value, Bool | Number | Text | Instant | Date):
                place = opening if lexeme is None else lexeme
                raise InvalidRule("a list holds texts, numbers, dates, instants, true and false, separated by commas",
                                  line=place.line, column=place.column)  # fmt: skip
            values.append(lexeme.value)
            self.check_count(len(values))
            self.skip_space()
            if self.text.startswith(",", self.position):
                self.position += 1
                self.skip_space()
                if self.text.startswith(")", self.position):
                    self.refuse("a value is expected after the comma")
            elif not self.text.startswith(")", self.position):
                self.refuse("the list goes on with a comma or ends with `)`")
        self.position += 1
        return replace(opening, value=tuple(values), text="(...)")

    # -------------------------------------------------------------------------------------------------- places

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.position)
        if match is not None and match.end() > self.position:
            self.count_lines(self.position, match.end())
            self.position = match.end()

    def count_lines(self, start: int, end: int) -> None:
        newlines = self.text.count("\n", start, end)
        if newlines:
            self.line += newlines
            self.line_start = self.text.rfind("\n", start, end) + 1

    def refuse(self, message: str) -> NoReturn:
        raise InvalidRule(message, line=self.line, column=self.position - self.line_start + 1)

    def refuse_string(self) -> NoReturn:
        end = re.compile(r'(?:[^"\\\n]|\\.)*"').match(self.text, self.position + 1)
        if end is None:
            self.refuse("this text has no closing quote on its line")
        self.refuse(
            r"texts take the escapes of JSON (\" \\ \/ \b \f \n \r \t \u0041) and no control characters"
        )
