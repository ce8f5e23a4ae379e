"""Rules 1 to 14 and 40: groups, absent values, numbers, texts, sets, places."""

from __future__ import annotations

from decimal import Decimal

from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    AtLeast,
    Between,
    Condition,
    Everyone,
    Exactly,
    Exists,
    Fold,
    HasChannel,
    HasTag,
    InSegment,
    IsEmpty,
    NoneOf,
    Not,
    WithinBox,
    WithinRadius,
)
from headcount_engine.model.values import Instant, Kind, Number, Point, ValueType
from tests.oracle.changes import Erase, Merge, Upsert
from tests.oracle.writing import (
    Case,
    case,
    values,
    x,
    x_in,
    x_set,
    x_size,
    x_text,
    x_version,
)

A, B, C = HasTag("a"), HasTag("b"), HasTag("c")
TAGGED = [
    Upsert("none"),
    Upsert("one", tags=frozenset("a")),
    Upsert("two", tags=frozenset("ab")),
    Upsert("three", tags=frozenset("abc")),
]  # fmt: skip
BIG = 2**53


def _negated(condition: Condition, times: int) -> Condition:
    for _ in range(times):
        condition = Not(condition)
    return condition


GROUPS = [
    case("1", "not x is everyone outside x", Not(A), "none", TAGGED),
    case("1", "a rule of negations only is fine", AllOf((Not(A), Not(B))), "none", TAGGED),
    case("1", "everyone is all that exists", Everyone(), "none one two three", TAGGED),
    case("1", "an erased profile is outside everything", Not(C), "none two", [*TAGGED, Erase("one")]),
    case(
        "1", "a merged-away profile is outside everything", Not(C), "one two", [*TAGGED, Merge("one", "none")]
    ),
    case("1", "nobody matches where nobody exists", Everyone(), "", []),
    case("2", "all of", AllOf((A, B)), "two three", TAGGED),
    case("2", "any of", AnyOf((B, C)), "two three", TAGGED),
    case("2", "none of", NoneOf((B, C)), "none one", TAGGED),
    case("2", "at least k", AtLeast(2, (A, B, C)), "two three", TAGGED),
    case("2", "at least 0 is everyone", AtLeast(0, (A, B)), "none one two three", TAGGED),
    case("2", "exactly k", Exactly(2, (A, B, C)), "two", TAGGED),
    case("2", "exactly 0 is none of", Exactly(0, (A, B)), "none", TAGGED),
    case("2", "equal children count by position", Exactly(2, (A, A, C)), "one two", TAGGED),
    case("2", "a double negation changes nothing", Not(Not(B)), "two three", TAGGED),
    case("3", "a reference to a segment that is gone is an error", InSegment("gone"), None, TAGGED),
    case(
        "3", "a negated reference to a segment that is gone is one too", Not(InSegment("gone")), None, TAGGED
    ),
    case("4", "sixty negations deep is fine", _negated(A, 60), "one two three", TAGGED),
]  # fmt: skip

TEXTS = {"empty": "", "full": "hi"}
NUMBERS = {"zero": 0, "five": 5}
LISTS = {"empty": frozenset[str](), "full": frozenset({"a"})}

ABSENCE = [
    values("5", "exists is present and not null", Kind.TEXT, TEXTS, Exists("x"), "empty full"),
    values("5", "an empty set exists", Kind.TEXT_SET, LISTS, Exists("x"), "empty full"),
    values(
        "5",
        "is empty takes absent, null and the empty text",
        Kind.TEXT,
        TEXTS,
        IsEmpty("x"),
        "empty absent null",
    ),
    values("5", "is empty takes the empty set", Kind.TEXT_SET, LISTS, IsEmpty("x"), "empty absent null"),
    values("5", "zero is not empty", Kind.INT, NUMBERS, IsEmpty("x"), "absent null"),
    values("5", "false is not empty", Kind.BOOL, {"f": False}, IsEmpty("x"), "absent null"),
    values("5", "a text of one space is not empty", Kind.TEXT, {"s": " "}, IsEmpty("x"), "absent null"),
    values("6", "= is false where absent", Kind.INT, NUMBERS, x("=", 0), "zero"),
    values("6", "< is false where absent", Kind.INT, NUMBERS, x("<", 5), "zero"),
    values("6", "<= takes the bound", Kind.INT, NUMBERS, x("<=", 5), "zero five"),
    values("6", "> leaves the bound", Kind.INT, NUMBERS, x(">", 0), "five"),
    values("6", ">= is false where absent", Kind.INT, NUMBERS, x(">=", -9), "zero five"),
    values(
        "6", "between takes both ends", Kind.INT, NUMBERS, Between("x", Number(0), Number(5)), "zero five"
    ),
    values(
        "6", "between is false where absent", Kind.INT, NUMBERS, Between("x", Number(-1), Number(4)), "zero"
    ),
    values("6", "contains is false where absent", Kind.TEXT, TEXTS, x_text("contains", ""), "empty full"),
    values("6", "a pattern is false where absent", Kind.TEXT, TEXTS, x_text("matches", ""), "empty full"),
    values("7", "!= holds where absent", Kind.INT, NUMBERS, x("!=", 0), "five absent null"),
    values("7", "!= when present does not", Kind.INT, NUMBERS, x("!=", 0, when_present=True), "five"),
    values("7", "not in holds where absent", Kind.INT, NUMBERS, x_in(0, 7, negated=True), "five absent null"),
    values(
        "7",
        "not in when present does not",
        Kind.INT,
        NUMBERS,
        x_in(0, negated=True, when_present=True),
        "five",
    ),
    values("7", "in takes any of its values", Kind.INT, NUMBERS, x_in(0, 5, 9), "zero five"),
    values(
        "7",
        "not contains holds where absent",
        Kind.TEXT,
        TEXTS,
        Not(x_text("contains", "h")),
        "empty absent null",
    ),
    values("7", "not < holds where absent", Kind.INT, NUMBERS, Not(x("<", 5)), "five absent null"),
]  # fmt: skip

CENTS = ValueType(Kind.DECIMAL, 2)
TYPES = [
    values("8", "an int past 2^53 is exact", Kind.INT, {"even": BIG, "odd": BIG + 1}, x("=", BIG + 1), "odd"),
    values("8", "a double meets a whole literal exactly", Kind.FLOAT, {"a": float(BIG)}, x("=", BIG + 1), ""),
    values(
        "8", "a double below a whole literal is below it", Kind.FLOAT, {"a": float(BIG)}, x("<", BIG + 1), "a"
    ),
    values(
        "8", "a double meets 0.1 as the double of 0.1", Kind.FLOAT, {"a": 0.1}, x("=", Decimal("0.1")), "a"
    ),
    values("8", "0.1 + 0.2 is not 0.3", Kind.FLOAT, {"a": 0.1 + 0.2}, x("=", Decimal("0.3")), ""),
    values(
        "8", "an int meets a fraction exactly", Kind.INT, {"a": 10, "b": 11}, x(">", Decimal("10.5")), "b"
    ),
    values("8", "an int never equals a fraction", Kind.INT, {"a": 10}, x("=", Decimal("10.5")), ""),
    values("8", "a decimal is exact", CENTS, {"a": Decimal("0.10")}, x("=", Decimal("0.1")), "a"),
    values(
        "8",
        "a decimal meets a finer literal exactly",
        CENTS,
        {"a": Decimal("0.10")},
        x("<", Decimal("0.1001")),
        "a",
    ),
    values("8", "a decimal meets an int", CENTS, {"a": Decimal("5.00")}, x("=", 5), "a"),
    values("8", "an int column takes 10.0", Kind.INT, {"a": 10.0}, x("=", 10), "a"),
    values(
        "8", "a literal beyond int64 is compared, not cut", Kind.INT, {"a": 2**63 - 1}, x("<", 2**64), "a"
    ),
    values("8", "the text 10 is not the number 10", Kind.TEXT, {"a": "10"}, x("=", 10), None),
    values("8", "the number 10 is not the text 10", Kind.INT, {"a": 10}, x("=", "10"), None),
    values("8", "true is not 1", Kind.BOOL, {"a": True}, x("=", 1), None),
    values("8", "1 is not true", Kind.INT, {"a": 1}, x("=", True), None),
    values("8", "bools compare with bools", Kind.BOOL, {"t": True, "f": False}, x("=", False), "f"),
    values(
        "8", "not true holds where absent", Kind.BOOL, {"t": True, "f": False}, x("!=", True), "f absent null"
    ),
    case("8", "a rule over an unknown attribute is refused", Exists("y"), None, [Upsert("a")]),
    case("8", "it is refused where nobody exists too", Exists("y"), None, []),
    values("9", "+0 equals -0", Kind.FLOAT, {"minus": -0.0, "plus": 0.0}, x("=", 0), "minus plus"),
    values("9", "-0 is not below 0", Kind.FLOAT, {"minus": -0.0}, x("<", 0), ""),
]  # fmt: skip

E_COMPOSED, E_DECOMPOSED = "caf\u00e9", "cafe\u0301"
CAFES = {"composed": E_COMPOSED, "decomposed": E_DECOMPOSED, "bare": "cafe", "upper": "CAF\u00c9"}
NAMES = {"anna": "Anna", "ann": "ann", "hannah": "Hannah", "star": "a*b?c"}
VERSIONS = {
    "nine": "1.9.0", "ten": "1.10.0", "v": "v1.2.3", "next": "1.3.0", "two": "2.0.0", "pre": "1.2.3-rc.1",
    "bad": "new",
}  # fmt: skip

TEXT = [
    values("10", "texts are compared in NFC", Kind.TEXT, CAFES, x("=", E_DECOMPOSED), "composed decomposed"),
    values("10", "case counts unless folded", Kind.TEXT, NAMES, x("=", "Ann"), ""),
    values("10", "fold case", Kind.TEXT, CAFES, x("=", E_COMPOSED, Fold.CASE), "composed decomposed upper"),
    values(
        "10",
        "fold case and accents",
        Kind.TEXT,
        CAFES,
        x("=", "Cafe", Fold.ACCENTS),
        "composed decomposed bare upper",
    ),
    values("10", "sharp s folds to ss", Kind.TEXT, {"a": "stra\u00dfe"}, x("=", "STRASSE", Fold.CASE), "a"),
    values(
        "10",
        "a folded != is the complement",
        Kind.TEXT,
        {"a": "ANN"},
        x("!=", "ann", Fold.CASE),
        "absent null",
    ),
    values(
        "10",
        "contains folds both sides",
        Kind.TEXT,
        NAMES,
        x_text("contains", "ANN", Fold.CASE),
        "anna ann hannah",
    ),
    values("11", "contains is literal", Kind.TEXT, NAMES, x_text("contains", "*b?"), "star"),
    values("11", "starts with", Kind.TEXT, NAMES, x_text("starts with", "An"), "anna"),
    values("11", "ends with", Kind.TEXT, NAMES, x_text("ends with", "ann"), "ann"),
    values("11", "a glob takes the whole value", Kind.TEXT, NAMES, x_text("glob", "a*n"), "ann"),
    values(
        "11",
        "a glob's ? is one code point",
        Kind.TEXT,
        CAFES,
        x_text("glob", "caf?"),
        "composed decomposed bare",
    ),
    values("11", "a glob's star may be nothing", Kind.TEXT, NAMES, x_text("glob", "ann*"), "ann"),
    values("11", "a glob's escapes", Kind.TEXT, NAMES, x_text("glob", r"a\*b\?c"), "star"),
    values("11", "a glob's star crosses lines", Kind.TEXT, {"a": "a\nb"}, x_text("glob", "a*b"), "a"),
    values("11", "matches searches anywhere", Kind.TEXT, NAMES, x_text("matches", "n{2}a"), "anna hannah"),
    values("11", "matches takes anchors", Kind.TEXT, NAMES, x_text("matches", "^[Aa]nn$"), "ann"),
    values("12", "1.10.0 is above 1.9.0", Kind.TEXT, VERSIONS, x_version(">", "1.9.0"), "ten two"),
    values("12", "a leading v is ignored", Kind.TEXT, VERSIONS, x_version("=", "1.2.3"), "v"),
    values("12", "tilde", Kind.TEXT, VERSIONS, x_version("=", "~1.2.3"), "v"),
    values("12", "caret", Kind.TEXT, VERSIONS, x_version("=", "^1.2.3"), "v next nine ten"),
    values("12", "star", Kind.TEXT, VERSIONS, x_version("=", "1.2.*"), "v pre"),
    values("12", "a pre-release is below its release", Kind.TEXT, VERSIONS, x_version("<", "1.2.3"), "pre"),
    values("12", "a missing patch is 0", Kind.TEXT, VERSIONS, x_version("=", "1.3"), "next"),
    values(
        "12",
        "what is no version is false",
        Kind.TEXT,
        VERSIONS,
        x_version("<=", "9.9.9"),
        "nine ten v next two pre",
    ),
]  # fmt: skip

INTERESTS = {
    "none": frozenset[str](), "cars": frozenset({"cars"}), "both": frozenset({"cars", "golf"}),
    "three": frozenset({"cars", "golf", "tea"}),
}  # fmt: skip
SETS = [
    values("13", "any of", Kind.TEXT_SET, INTERESTS, x_set("any of", "golf", "chess"), "both three"),
    values("13", "all of", Kind.TEXT_SET, INTERESTS, x_set("all of", "golf", "cars"), "both three"),
    values("13", "none of is the complement of any of", Kind.TEXT_SET, INTERESTS, x_set("none of", "golf"),
           "none cars absent null"),
    values("13", "exactly", Kind.TEXT_SET, INTERESTS, x_set("exactly", "golf", "cars"), "both"),
    values("13", "exactly nothing is the empty set", Kind.TEXT_SET, INTERESTS, x_set("exactly"), "none"),
    values("13", "duplicates collapse", Kind.TEXT_SET, INTERESTS, x_set("exactly", "cars", "cars"), "cars"),
    values("13", "size", Kind.TEXT_SET, INTERESTS, x_size(">=", 2), "both three"),
    values("13", "size 0 is the empty set, not absent", Kind.TEXT_SET, INTERESTS, x_size("=", 0), "none"),
    values("13", "size is false where absent", Kind.TEXT_SET, INTERESTS, x_size("<", 2), "none cars"),
    values("13", "= means some element", Kind.TEXT_SET, INTERESTS, x("=", "golf"), "both three"),
    values("13", "in means some element", Kind.TEXT_SET, INTERESTS, x_in("golf", "tea"), "both three"),
    values("13", "a text operator means some element", Kind.TEXT_SET, INTERESTS, x_text("starts with", "c"),
           "cars both three"),
    values("13", "set operators on a scalar are refused", Kind.TEXT, {"a": "cars"}, x_set("any of", "cars"),
           None),
    values("13", "size of a scalar is refused", Kind.TEXT, {"a": "cars"}, x_size("=", 1), None),
    case("13", "a tag", HasTag("vip"), "a", [Upsert("a", tags=frozenset({"vip"})), Upsert("b")]),
    case("13", "a tag that was taken away", HasTag("vip"), "",
         [Upsert("a", tags=frozenset({"vip"})), Upsert("a", untag=frozenset({"vip"}))]),
    case("13", "a channel", HasChannel("email"), "a", [Upsert("a", channels=frozenset({"email"})),
         Upsert("b")]),
    values("14", "!= means that no element equals", Kind.TEXT_SET, INTERESTS, x("!=", "golf"),
           "none cars absent null"),
    values("14", "!= when present wants a set", Kind.TEXT_SET, INTERESTS, x("!=", "golf", when_present=True),
           "none cars"),
    values("14", "not in means that no element is in", Kind.TEXT_SET, INTERESTS, x_in("golf", "cars",
           negated=True),
           "none absent null"),
]  # fmt: skip

DEGREE_M = Decimal("111195.0797")  # 6,371,008.8 m times pi / 180
POINTS = {
    "here": Point(0.0, 0.0),
    "north": Point(1.0, 0.0),
    "west": Point(0.0, -179.5),
    "east": Point(0.0, 179.5),
}


def _near(latitude: float, longitude: float, radius_m: int | Decimal) -> WithinRadius:
    return WithinRadius("x", Point(latitude, longitude), Number(radius_m))


PLACES = [
    values("40", "a degree of latitude is just within", Kind.POINT, POINTS, _near(0, 0, DEGREE_M + 1),
           "here north"),
    values("40", "and just not", Kind.POINT, POINTS, _near(0, 0, DEGREE_M - 1), "here"),
    values("40", "a radius of 0 is the point itself", Kind.POINT, POINTS, _near(0, 0, 0), "here"),
    values("40", "across the antimeridian", Kind.POINT, POINTS, _near(0, 179.5, DEGREE_M + 1), "east west"),
    values("40", "absent is outside", Kind.POINT, {}, _near(0, 0, 30_000_000), ""),
    values("40", "a box takes its edges", Kind.POINT, POINTS, WithinBox("x", Point(0, -1), Point(1, 0)),
           "here north"),
    values("40", "a box across the antimeridian", Kind.POINT, POINTS, WithinBox("x", Point(-1, 179), Point(1,
           -179)),
           "east west"),
    values("40", "a box on an instant is refused", Kind.INSTANT, {"a": Instant(0)},
           WithinBox("x", Point(0, 0), Point(1, 1)), None),
]  # fmt: skip

CASES: list[Case] = [*GROUPS, *ABSENCE, *TYPES, *TEXT, *SETS, *PLACES]
