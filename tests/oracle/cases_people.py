"""Rules 24, 24b, 33 to 39 and 44: who exists, segments, consents, samples and ranks."""

from __future__ import annotations

from decimal import Decimal

from headcount_engine.conditions.tree import (
    AllOf,
    Bucket,
    Compare,
    Condition,
    End,
    Everyone,
    HasConsent,
    HasTag,
    InSegment,
    KeyIn,
    Known,
    Not,
    Op,
    Rank,
)
from headcount_engine.model.values import Cell, Kind, Text, ValueType
from tests.oracle.changes import Change, Consent, Define, Erase, Merge, Schema, Track, Upsert
from tests.oracle.world import Overridden
from tests.oracle.writing import DAY, NOW, Case, case, did, last, on, values, x_in

VIP = HasTag("vip")
E_COMPOSED, E_DECOMPOSED = "caf\u00e9", "cafe\u0301"


def _vip(*keys: str) -> list[Change]:
    return [Upsert(key, tags=frozenset({"vip"})) for key in keys]


def _twice(arrival_us: int) -> list[Change]:
    """One event id, sent again at that distance."""
    return [Track("a", "buy", 0, id="1", now_us=0), Track("a", "buy", 0, id="1", now_us=arrival_us)]


EXISTENCE = [
    case("24", "one event id is one event", did("buy", 2), "", _twice(DAY)),
    case("24", "the horizon is a half-open seven days of arrival", did("buy", 2), "", _twice(7 * DAY - 1)),
    case("24", "an older redelivery counts again", did("buy", 2), "a", _twice(7 * DAY)),
    case("24", "the same id with other content is ignored", did("view"), "",
         [*_twice(DAY), Track("a", "view", 0, id="1", now_us=DAY)]),
    case("24", "an id is unique over all profiles", did("buy"), "a",
         [Track("a", "buy", 0, id="1"), Track("b", "buy", 0, id="1"), Upsert("b")]),
    case("24", "other ids are other events", did("buy", 2), "a", [Track("a", "buy", 0, id=i) for i in ("1",
         "2")]),
    case("24", "without an id an event counts as given", did("buy", 2), "a", [Track("a", "buy", 0)] * 2),
    case("24b", "an event for an unknown key creates the profile", Everyone(), "a", [Track("a", "buy",
         NOW + 1)]),
    case("24b", "a key is composed once", Everyone(), E_COMPOSED, [Upsert(E_DECOMPOSED), Upsert(E_COMPOSED)]),
    case("24b", "a key keeps its zeros", KeyIn(("00004",)), "00004", [Upsert("00004"), Upsert("4")]),
    case("24b", "a key is found in whatever form it is written", KeyIn((E_DECOMPOSED,)), E_COMPOSED,
         [Upsert(E_COMPOSED)]),
    case("24b", "delete means erase", did("buy"), "b", [Track("a", "buy", 0), Track("b", "buy", 0),
         Erase("a")]),
    case("24b", "what is created anew has nothing of before", Not(did("buy")), "a",
         [Track("a", "buy", 0), Erase("a"), Upsert("a", recreate=True)]),
]  # fmt: skip

CHAIN: list[Change] = [*_vip("a", "b"), Upsert("c"), Define("vips", VIP), Define("some", {"a", "c"})]
SEGMENTS = [
    case("33", "a reference means the members of the rule", InSegment("vips"), "a b", CHAIN),
    case("33", "a manual segment is what it holds", InSegment("some"), "a c", CHAIN),
    case("33", "not in a segment", Not(InSegment("some")), "b", CHAIN),
    case("33", "references to references", InSegment("both"), "a",
         [*CHAIN, Define("both", AllOf((InSegment("vips"), InSegment("some"))))]),
    case("33", "a referenced rule is asked at the same now", InSegment("recent"), "b",
         [Track("a", "buy", NOW - DAY), Track("b", "buy", NOW - DAY + 1), Define("recent", did("buy",
         window=last(1)))]),
    case("33", "a redefined segment is in force at once", InSegment("vips"), "c",
         [*CHAIN, Define("vips", Not(VIP))]),
    case("34", "a manual segment holds exactly what was added", InSegment("some"), "a c", [*CHAIN,
         *_vip("d")]),
    case("34", "overrides add and remove, sticky both ways", InSegment("o"), "b c",
         [*CHAIN, Define("o", Overridden(VIP, added={"c"}, removed={"a"}))]),
    case("34", "removed wins over added", InSegment("o"), "b",
         [*CHAIN, Define("o", Overridden(VIP, added={"a"}, removed={"a"}))]),
    case("35", "a list import creates nobody", InSegment("some"), "a", [*_vip("a"), Define("some", {"a",
         "ghost"})]),
    case("37", "an erased member leaves its lists", InSegment("some"), "c", [*CHAIN, Erase("a")]),
]  # fmt: skip

EMAIL = frozenset({("email", "a@x.se")})
NAMED = Schema({"name": ValueType(Kind.TEXT), "likes": ValueType(Kind.TEXT_SET)})


def _name_is(text: str) -> Condition:
    return Compare("name", Op.EQ, Text(text))


MERGES = [
    case("37", "known has a declared identifier", Known(), "a", [Upsert("a", identifiers=EMAIL),
         Upsert("b")]),
    case("37", "events move to the survivor", did("buy", 2), "s",
         [Track("s", "buy", 0), Track("l", "buy", 0), Merge("s", "l")]),
    case("37", "tags unite", VIP, "s", [Upsert("s"), *_vip("l"), Merge("s", "l")]),
    case("37", "identifiers move", Known(), "s", [Upsert("s"), Upsert("l", identifiers=EMAIL), Merge("s",
         "l")]),
    case("37", "the survivor's value wins where both have one", _name_is("Sam"), "s",
         [Upsert("s", {"name": "Sam"}), Upsert("l", {"name": "Lo"}), Merge("s", "l")], NAMED),
    case("37", "else the loser's", _name_is("Lo"), "s",
         [Upsert("s", {"name": None}), Upsert("l", {"name": "Lo"}), Merge("s", "l")], NAMED),
    case("37", "list attributes unite", Compare("likes", Op.EQ, Text("tea")), "s",
         [Upsert("s", {"likes": frozenset({"golf"})}), Upsert("l", {"likes": frozenset({"tea"})}), Merge("s",
         "l")],
         NAMED),
    case("37", "manual memberships move", InSegment("m"), "s",
         [Upsert("s"), Upsert("l"), Define("m", {"l"}), Merge("s", "l")]),
    case("37", "the loser leaves everyone", Everyone(), "s", [Upsert("s"), Upsert("l"), Merge("s", "l")]),
    case("37", "the loser's key resolves to the survivor", VIP, "s",
         [Upsert("s"), Upsert("l"), Merge("s", "l"), *_vip("l")]),
    case("37", "and so does an event sent for it", did("buy"), "s",
         [Upsert("s"), Upsert("l"), Merge("s", "l"), Track("l", "buy", 0)]),
    case("37", "merges chain", VIP, "t",
         [Upsert("s"), Upsert("l"), Upsert("t"), Merge("s", "l"), Merge("t", "s"), *_vip("l")]),
    case("37", "the later consent change wins", HasConsent("news"), "",
         [Consent("s", "news", True, 1), Consent("l", "news", False, 2), Merge("s", "l")]),
    case("37", "the survivor's consent, if it is the later", HasConsent("news"), "s",
         [Consent("s", "news", True, 3), Consent("l", "news", False, 2), Merge("s", "l")]),
]  # fmt: skip

TOPICS = Schema(topics={"in": True, "out": False})
CONSENTS: list[Change] = [
    Consent("yes", "in", True, 1), Consent("yes", "out", True, 1), Consent("no", "in", False, 1),
    Consent("no", "out", False, 1), Upsert("silent"),
    Consent("changed", "in", True, 1), Consent("changed", "in", False, 2), Consent("changed", "out", False,
    1),
    Consent("changed", "out", True, 2), Consent("late", "in", True, 2), Consent("late", "in", False, 1),
]  # fmt: skip
CONSENTED = [
    case("44", "an opt-in topic wants a subscription", HasConsent("in"), "yes late", CONSENTS, TOPICS),
    case("44", "an opt-out topic takes those who said nothing", HasConsent("out"), "yes silent changed late",
         CONSENTS,
         TOPICS),
]  # fmt: skip

# MD5("abc") = 900150983cd24fb0..., a fraction of 0.56251...; MD5("a") = 0cc175b9..., 0.04982...
ABC = Decimal(0x900150983CD24FB0) / Decimal(2**64)


def _bucket(low: str, high: str, salt: str) -> Bucket:
    return Bucket(Decimal(low), Decimal(high), salt)


SAMPLES = [
    case("38", "the bucket is MD5 of key and salt", _bucket("0.5625", "0.5626", "bc"), "a", [Upsert("a"),
         Upsert("b")]),
    case("38", "nothing stands between key and salt", _bucket("0.5625", "0.5626", "c"), "ab",
         [Upsert("ab"), Upsert("a")]),
    case("38", "the low end is in", Bucket(Decimal("0.5625152587890625"), Decimal(1), ""), "abc",
         [Upsert("abc"), Upsert("a")]),
    case("38", "sample p% is the bucket from 0", _bucket("0", "0.1", ""), "a", [Upsert("a"), Upsert("abc")]),
    case("38", "a high end of 1 takes all", _bucket("0", "1", "s"), "a b c", [Upsert(key) for key in "abc"]),
    case("38", "halves tile", Not(_bucket("0", "0.5", "")), "abc", [Upsert("a"), Upsert("abc")]),
]  # fmt: skip

SCORES: dict[str, Cell] = {"a": 10, "b": 30, "c": 20, "d": 20, "e": 20}


def _rank(end: End, amount: str, is_percent: bool = False, within: Condition | None = None) -> Rank:
    return Rank(end, Decimal(amount), is_percent, "x", within)


TOP, BOTTOM = End.TOP, End.BOTTOM
RANKS = [
    values("39", "the top N", Kind.INT, SCORES, _rank(TOP, "1"), "b"),
    values("39", "ties go by key, ascending, at the top", Kind.INT, SCORES, _rank(TOP, "3"), "b c d"),
    values("39", "and ascending at the bottom too", Kind.INT, SCORES, _rank(BOTTOM, "3"), "a c d"),
    values("39", "more than there are takes all who have a value", Kind.INT, SCORES, _rank(TOP, "99"),
           "a b c d e"),
    values("39", "a percentage is rounded up", Kind.INT, SCORES, _rank(TOP, "20.1", True), "b c"),
    values("39", "a percentage that divides is exact", Kind.INT, SCORES, _rank(TOP, "20", True), "b"),
    values("39", "it is of those who have the attribute", Kind.INT, SCORES, _rank(BOTTOM, "40", True), "a c"),
    values("39", "a rank is over everyone, whatever stands beside it", Kind.INT, SCORES,
           AllOf((_rank(TOP, "1"), x_in(10, 20))), ""),
    values("39", "a rank within a rule", Kind.INT, SCORES, _rank(TOP, "2", within=x_in(10, 20)), "c d"),
    values("39", "dates are ranked", Kind.DATE, {"a": on("2024-01-01"), "b": on("2024-01-02")}, _rank(TOP,
           "1"), "b"),
    values("39", "doubles are ranked by value, -0 as 0", Kind.FLOAT, {"a": 0.0, "b": -0.0, "c": -1.0},
           _rank(TOP, "1"), "a"),
    values("39", "keys are compared as bytes", Kind.INT, {"\U0001f600": 1, "\uff5e": 1, "a": 0}, _rank(TOP,
           "1"),
           "\uff5e"),
    values("39", "texts are not ranked", Kind.TEXT, {"a": "x"}, _rank(TOP, "1"), None),
    values("39", "nobody is ranked where nobody has the attribute", Kind.INT, {}, _rank(TOP, "50", True), ""),
]  # fmt: skip

CASES: list[Case] = [*EXISTENCE, *SEGMENTS, *MERGES, *CONSENTED, *SAMPLES, *RANKS]
