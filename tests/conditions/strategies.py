"""Hypothesis strategies for condition trees: every node there is, as the text form can write it.

`conditions(max_leaves=...)` gives whole rules; `event_conditions` what may stand after `where`. A test that has data
passes the names it knows: `conditions(names=Names(attributes=("age",), events=("purchase",)))`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from headcount_engine.conditions import tree as t
from headcount_engine.conditions import windows as w
from headcount_engine.conditions.text.names import KEYWORDS
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.values import Bool, Date, Instant, Literal, Number, Point, Text

ZONES = ("UTC", "Europe/Stockholm", "America/New_York", "Asia/Kathmandu")

_ANY_TEXT = st.text(max_size=12).map(lambda text: unicodedata.normalize("NFC", text))
_KEYWORD = st.sampled_from(sorted(KEYWORDS)).flatmap(lambda word: st.sampled_from((word, word.upper())))
_NAME = st.one_of(
    st.sampled_from(
        ("age", "plan", "größe", "a.b", "$x", "page view", "x*", "`", "\\", '"', "context.a", "count")
    ),
    _KEYWORD,
    _ANY_TEXT.filter(bool),
)


@dataclass(frozen=True)
class Names:
    """Where the names in a rule come from."""

    attributes: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()

    @staticmethod
    def pick(known: tuple[str, ...]) -> st.SearchStrategy[str]:
        return st.sampled_from(known) if known else _NAME


ANY_NAMES = Names()


@st.composite
def _drawn(draw: st.DrawFn, give: Callable[[], st.SearchStrategy[t.Condition]]) -> t.Condition:
    """The strategy that `give` gives, with a short representation: spelled out, a tree of them takes 40 kB."""
    return draw(give())


# ------------------------------------------------------------------------------------------------------ literals

_small_decimals = st.decimals(
    min_value=-1000, max_value=1000, places=3, allow_nan=False, allow_infinity=False
)
_odd_numbers = st.sampled_from(
    (2**53 + 1, -(2**63), 10**300, Decimal("1e-300"), Decimal("-0.0"), Decimal("1.50"))
)
numbers = st.one_of(st.integers(-10, 1000), _small_decimals, _odd_numbers).map(Number)
texts = _ANY_TEXT.map(Text)
bools = st.booleans().map(Bool)
instants = st.one_of(
    st.integers(0, 2_000_000_000).map(lambda seconds: Instant(seconds * 1_000_000)),
    st.integers(INSTANT_MIN_US, INSTANT_MAX_US).map(Instant),
)
dates = st.integers(-719_162, 2_932_896).map(Date)
moments = st.one_of(instants, dates)
literals = st.one_of(numbers, texts, bools, instants, dates)
points = st.builds(
    Point,
    st.one_of(st.integers(-90, 90), st.floats(-90, 90)).map(float),
    st.one_of(st.integers(-180, 180), st.floats(-180, 180)).map(float),
)

# ------------------------------------------------------------------------------------------------------- windows

durations = st.builds(w.Duration, st.integers(0, 1000), st.sampled_from(w.Unit))
positive_durations = st.builds(w.Duration, st.integers(1, 1000), st.sampled_from(w.Unit))
zones = st.none() | st.sampled_from(ZONES)


@st.composite
def _agos(draw: st.DrawFn) -> w.Ago:
    near, far = draw(durations), draw(st.none() | positive_durations)
    if far is not None and far.us <= near.us:
        near, far = far, near
        if far.us <= near.us:
            far = w.Duration(near.count + 1, near.unit)
    return w.Ago(near, far)


@st.composite
def _spans(draw: st.DrawFn, *, open_ends: bool) -> w.Absolute:
    kind = draw(st.sampled_from((instants, dates)))
    one, other = draw(kind), draw(kind)
    earlier, later = sorted(
        (one, other), key=lambda moment: getattr(moment, "us", 0) or getattr(moment, "days", 0)
    )
    choice = draw(st.sampled_from(("both", "start", "end"))) if open_ends else "both"
    if choice == "start" or (earlier == later and open_ends):
        return w.Absolute(earlier, None)
    if choice == "end":
        return w.Absolute(None, later)
    if earlier == later:
        return w.Absolute(Date(0), Date(1))
    return w.Absolute(earlier, later)


_last = st.builds(w.WithinLast, positive_durations)
_calendar_last = st.builds(w.CalendarLast, st.integers(1, 50), st.sampled_from(w.CalendarUnit), zones)
attribute_windows: st.SearchStrategy[w.Window] = st.one_of(
    _last,
    st.builds(w.WithinNext, positive_durations),
    _agos(),
    _spans(open_ends=False),
    st.builds(w.Calendar, st.sampled_from(w.Shift), st.sampled_from(w.CalendarUnit), zones),
    _calendar_last,
)
event_windows: st.SearchStrategy[w.Window] = st.one_of(
    _last,
    _agos(),
    _spans(open_ends=True),
    st.builds(
        w.Calendar, st.sampled_from((w.Shift.LAST, w.Shift.THIS)), st.sampled_from(w.CalendarUnit), zones
    ),
    _calendar_last,
)

# ------------------------------------------------------------------------------------------------ attribute leaves


@st.composite
def _ranges(draw: st.DrawFn) -> tuple[Literal, Literal]:
    kind = draw(st.sampled_from((numbers, instants, dates)))
    one, other = draw(kind), draw(kind)
    return tuple(sorted((one, other), key=lambda v: next(iter(getattr(v, s) for s in v.__slots__))))


@st.composite
def _compares(draw: st.DrawFn, names: st.SearchStrategy[str]) -> t.Compare:
    op, operand = draw(st.sampled_from(t.Op)), draw(literals)
    fold = draw(st.sampled_from(t.Fold)) if isinstance(operand, Text) else t.Fold.NONE
    return t.Compare(draw(names), op, operand, fold, op is t.Op.NE and draw(st.booleans()))


@st.composite
def _ins(draw: st.DrawFn, names: st.SearchStrategy[str]) -> t.In:
    operands = tuple(
        draw(st.lists(draw(st.sampled_from((literals, texts, numbers))), min_size=1, max_size=4))
    )
    fold = draw(st.sampled_from(t.Fold)) if all(isinstance(o, Text) for o in operands) else t.Fold.NONE
    negated = draw(st.booleans())
    return t.In(draw(names), operands, negated, fold, negated and draw(st.booleans()))


@st.composite
def _text_matches(draw: st.DrawFn, names: st.SearchStrategy[str]) -> t.TextMatch:
    op = draw(st.sampled_from(t.TextOp))
    folds = [f for f in t.Fold if op is not t.TextOp.MATCHES or f is not t.Fold.ACCENTS]
    return t.TextMatch(draw(names), op, draw(_ANY_TEXT), draw(st.sampled_from(folds)))


@st.composite
def _boxes(draw: st.DrawFn, names: st.SearchStrategy[str]) -> t.WithinBox:
    one, other = draw(points), draw(points)
    low, high = sorted((one, other), key=lambda point: point.latitude)
    return t.WithinBox(draw(names), low, high)


def attribute_leaves(names: st.SearchStrategy[str]) -> st.SearchStrategy[t.Condition]:
    """The leaves that may stand anywhere, inside `where` too."""
    ops = st.sampled_from(t.Op)
    some = st.lists(_ANY_TEXT, min_size=1, max_size=3).map(tuple)
    radii = st.one_of(st.integers(0, 50_000), st.decimals(0, 50_000, places=2)).map(Number)
    leaves = st.one_of(
        _compares(names),
        _ins(names),
        st.builds(lambda name, ends: t.Between(name, *ends), names, _ranges()),
        st.builds(t.Exists, names),
        st.builds(t.IsEmpty, names),
        _text_matches(names),
        st.builds(t.Semver, names, ops, st.sampled_from(("1.10.0", "~1.2.3", "^1.2.3", "1.2.*", "v2"))),
        st.builds(t.SetMatch, names, st.sampled_from(t.SetOp), some),
        st.builds(t.SetMatch, names, st.just(t.SetOp.EXACTLY), st.just(())),
        st.builds(t.SizeCompare, names, ops, st.integers(0, 9)),
        st.builds(t.InWindow, names, attribute_windows),
        st.builds(t.Anniversary, names, st.integers(0, 366), zones),
        st.builds(t.WithinRadius, names, points, radii),
        _boxes(names),
    )
    return _drawn(lambda: leaves)


# ------------------------------------------------------------------------------------------------- groups of leaves


def _grouped(leaves: st.SearchStrategy[t.Condition], max_leaves: int) -> st.SearchStrategy[t.Condition]:
    groups = st.recursive(leaves, _groups, max_leaves=max_leaves)
    return _drawn(lambda: groups)


def _groups(inner: st.SearchStrategy[t.Condition]) -> st.SearchStrategy[t.Condition]:
    several = st.lists(inner, min_size=1, max_size=4).map(tuple)
    at_least = several.flatmap(lambda c: st.builds(t.AtLeast, st.integers(0, len(c)), st.just(c)))
    exactly = several.flatmap(lambda c: st.builds(t.Exactly, st.integers(0, len(c)), st.just(c)))
    return st.one_of(
        st.builds(t.Not, inner),
        st.builds(t.AllOf, several),
        st.builds(t.AnyOf, several),
        st.builds(t.NoneOf, several),
        at_least,
        exactly,
    )


def event_conditions(max_leaves: int = 3, names: Names = ANY_NAMES) -> st.SearchStrategy[t.Condition]:
    """What may stand after `where` and `has`."""
    return _grouped(attribute_leaves(Names.pick(names.properties)), max_leaves)


# -------------------------------------------------------------------------------------------------- event leaves


def event_names(names: Names = ANY_NAMES) -> st.SearchStrategy[t.EventName]:
    exact = Names.pick(names.events)
    prefixes = st.one_of(
        exact.map(lambda name: name[:3]), _ANY_TEXT.filter(bool) if not names.events else exact
    )
    return st.one_of(
        exact.map(t.EventName),
        prefixes.map(lambda text: t.EventName(text, t.NameKind.PREFIX)),
        st.just(t.EventName("", t.NameKind.ANY)),
    )


@st.composite
def counts(draw: st.DrawFn) -> t.CountRange:
    low = draw(st.integers(0, 5))
    return t.CountRange(low, draw(st.none() | st.integers(low, 8)))


@st.composite
def _active_days(draw: st.DrawFn, events: st.SearchStrategy[t.Events]) -> t.ActiveDays:
    window = draw(st.none() | event_windows)
    zone = window.zone if isinstance(window, w.Calendar | w.CalendarLast) else draw(zones)
    return t.ActiveDays(draw(events), draw(counts()), window, zone)


@st.composite
def _frequencies(draw: st.DrawFn, events: st.SearchStrategy[t.Events]) -> t.Frequency:
    period = draw(positive_durations | st.sampled_from(w.CalendarUnit))
    of_last = draw(st.integers(1, 12))
    zone = draw(zones) if isinstance(period, w.CalendarUnit) else None
    return t.Frequency(draw(events), draw(counts()), period, draw(st.integers(0, of_last)), of_last, zone)


@st.composite
def _sequences(draw: st.DrawFn, events: st.SearchStrategy[t.Events]) -> t.Sequence:
    negated = draw(st.booleans())
    matured = negated and draw(st.booleans())
    window = draw(st.none() | event_windows)
    return t.Sequence(draw(events), draw(events), draw(durations), negated, matured, window)


def value_tests() -> st.SearchStrategy[t.ValueTest]:
    return st.one_of(
        st.builds(t.CompareTest, st.sampled_from(t.Op), literals),
        _ranges().map(lambda ends: t.BetweenTest(*ends)),
        st.builds(t.InTest, st.lists(literals, min_size=1, max_size=3).map(tuple), st.booleans()),
    )


def event_leaves(names: Names = ANY_NAMES) -> st.SearchStrategy[t.Condition]:
    inside = event_conditions(3, names)
    events = st.builds(t.Events, event_names(names), st.none() | inside)
    windows = st.none() | event_windows
    leaves = st.one_of(
        st.builds(t.Did, events, counts(), windows),
        st.builds(
            t.Aggregate,
            st.sampled_from(t.Function),
            events,
            Names.pick(names.properties),
            value_tests(),
            windows,
        ),
        _active_days(events),
        _frequencies(events),
        st.builds(t.FirstTime, events, event_windows),
        st.builds(t.LastPerformed, events, inside),
        _sequences(events),
    )
    return _drawn(lambda: leaves)


# ------------------------------------------------------------------------------------------------------ profiles


@st.composite
def _buckets(draw: st.DrawFn) -> t.Bucket:
    low, high = sorted(draw(st.lists(st.integers(0, 1000), min_size=2, max_size=2, unique=True)))
    return t.Bucket(Decimal(low) / 1000, Decimal(high) / 1000, draw(_ANY_TEXT))


@st.composite
def _ranks(draw: st.DrawFn, names: st.SearchStrategy[str], within: st.SearchStrategy[t.Condition]) -> t.Rank:
    is_percent = draw(st.booleans())
    amount = Decimal(draw(st.integers(1, 1000))) / 10 if is_percent else Decimal(draw(st.integers(1, 10**6)))
    return t.Rank(draw(st.sampled_from(t.End)), amount, is_percent, draw(names), draw(st.none() | within))


def profile_leaves(names: Names = ANY_NAMES) -> st.SearchStrategy[t.Condition]:
    attributes = Names.pick(names.attributes)
    leaves = st.one_of(
        st.builds(t.Everyone),
        st.builds(t.HasTag, _ANY_TEXT),
        st.builds(t.HasChannel, _ANY_TEXT),
        st.builds(t.HasConsent, _ANY_TEXT),
        st.builds(t.Known),
        st.builds(t.KeyIn, st.lists(_ANY_TEXT, min_size=1, max_size=3).map(tuple)),
        st.builds(t.InSegment, Names.pick(names.segments)),
        _buckets(),
        _ranks(attributes, _grouped(attribute_leaves(attributes), 3)),
        st.builds(t.HasBeen, attributes, literals, st.booleans(), durations),
    )
    return _drawn(lambda: leaves)


def conditions(max_leaves: int = 8, names: Names = ANY_NAMES) -> st.SearchStrategy[t.Condition]:
    """Whole rules of up to `max_leaves` leaves (not counting those inside `where`), every node kind among them."""
    plain = st.one_of(
        attribute_leaves(Names.pick(names.attributes)), profile_leaves(names), event_leaves(names)
    )
    keyed = st.builds(t.Same, Names.pick(names.properties), _grouped(plain, 3))
    return _grouped(st.one_of(plain, plain, plain, keyed), max_leaves)
