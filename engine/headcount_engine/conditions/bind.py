"""Tying a rule to a version of the data and an instant: names become columns, operands stored values.

Everything that can be wrong with a rule beside the data is found here: unknown attributes, operands of another type,
windows that cannot be. Equal parts of a rule are bound once and shared.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions import fields
from headcount_engine.conditions.bound import (
    AboutProfile,
    All,
    Always,
    And,
    Bound,
    ColumnTest,
    Complement,
    CountOf,
    EventCount,
    EventTest,
    Given,
    Keyed,
    Or,
    PropertyTest,
    TypeSource,
    counted,
    negated,
)
from headcount_engine.conditions.drift import Drift, Way
from headcount_engine.conditions.events import (
    bind_aggregate,
    bind_days,
    bind_extreme,
    bind_frequency,
    bind_sequence,
)
from headcount_engine.conditions.fields import Field, FieldTest
from headcount_engine.conditions.needs import Definitions, Meaning
from headcount_engine.conditions.people import bind_bucket, bind_consent, bind_has_been, bind_known, bind_rank
from headcount_engine.conditions.retention import check_carriers, check_leaf, types_of
from headcount_engine.conditions.spans import EVER, Moment, Span, instant_span
from headcount_engine.conditions.text.names import hint, suggest
from headcount_engine.conditions.tree import (
    AT_LEAST_ONCE,
    NEVER,
    ActiveDays,
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    AtLeast,
    AttributeLeaf,
    Between,
    Bucket,
    Compare,
    Condition,
    Did,
    EventLeaf,
    EventName,
    Events,
    Everyone,
    Exactly,
    Exists,
    FirstTime,
    Frequency,
    HasBeen,
    HasChannel,
    HasConsent,
    HasTag,
    In,
    InSegment,
    InWindow,
    IsEmpty,
    KeyIn,
    Known,
    LastPerformed,
    NameKind,
    NoneOf,
    Not,
    Op,
    Rank,
    Same,
    Semver,
    Sequence,
    SetMatch,
    SetOp,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
)
from headcount_engine.conditions.unheard import warning_of
from headcount_engine.conditions.windows import Window
from headcount_engine.errors import InvalidRule, LimitExceeded, UnknownName
from headcount_engine.indexes.attributes import AttributeView
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.events import TypeView
from headcount_engine.indexes.predicates import Present
from headcount_engine.indexes.store import ReadView
from headcount_engine.indexes.totals import Totals
from headcount_engine.model.batches import Texts
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Kind, ValueType

_INSTANTS_MAX = 256
"""Instants that one question may look at for the sake of retentions: as many as eight segments, each of which refers to
the next and keeps for another length, can ask for."""


class Binder:
    """Binds rules against one pinned view at one moment. Not for more than one thread."""

    def __init__(
        self, view: ReadView, moment: Moment, definitions: Definitions, *, present_us: int | None = None
    ) -> None:
        """`present_us`: the version's own now, where the moment may be another, which lists know nothing of."""
        self.view = view
        self.moment = moment
        self._warnings: list[str] = []
        self._elements: list[tuple[HasTag | HasChannel, AttributeView]] = []
        """Those bound so far, which are looked up when warnings are asked for."""
        self._definitions = definitions
        self._present_us = moment.now_us if present_us is None else present_us
        self._elsewhen: dict[int, Binder] = {moment.now_us: self}
        """By instant: binders at others, for what a retention hangs on."""
        self._bound: dict[tuple[Condition, bool], Bound] = {}
        self._segments: dict[str, Bound] = {}
        self._has_retention = any(held.retention is not None for held in view.event_types.values())
        self._property_tests: dict[tuple[int, str, ValueType], tuple[Condition, EventTest]] = {}
        """By the id of the leaf, which is held so that no other can have it."""
        self._keyed: str | None = None
        """The property of the `same` that is being bound."""

    @property
    def warnings(self) -> list[str]:
        """What is to be said of the rules bound so far; some of it perhaps repeatedly."""
        elements, self._elements[:] = self._elements[:], []
        self._warnings += [said for leaf, attribute in elements if (said := warning_of(leaf, attribute))]
        return self._warnings

    def bind(self, node: Condition) -> Bound:
        """The bound form; raises InvalidRule or a subclass."""
        key = (node, self._keyed is not None)
        found = self._bound.get(key)
        if found is None:
            found = self._bound[key] = self._bind(node)
        return found

    def _bind(self, node: Condition) -> Bound:
        if isinstance(node, EventLeaf) and self._has_retention:
            types = types_of(node, self.view.event_types)
            check_leaf(node, types, is_keyed=self.is_keyed, now_us=self.moment.now_us)
        match node:
            case Everyone():
                return All()
            case Not(child):
                return Complement(self.bind(child))
            case AllOf(inner):
                return And(self._bind_all(inner))
            case AnyOf(inner):
                return Or(self._bind_all(inner))
            case NoneOf(inner):
                return Complement(Or(self._bind_all(inner)))
            case AtLeast(k, inner):
                return CountOf(k, len(inner), self._bind_all(inner))
            case Exactly(k, inner):
                return CountOf(k, k, self._bind_all(inner))
            case (
                Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch()
                | SizeCompare() | InWindow() | Anniversary() | WithinRadius() | WithinBox()
            ):  # fmt: skip
                attribute = self.attribute(node.attribute)
                return column_test(
                    fields.bind_field(node, attribute_field(attribute), self.moment), attribute
                )
            case HasTag(tag):
                return self._has(node, TAGS, tag)
            case HasChannel(channel):
                return self._has(node, CHANNELS, channel)
            case KeyIn(keys):
                wanted = Texts.of(sorted({unicodedata.normalize("NFC", k) for k in keys}))
                ids = self.view.find_keys(wanted)
                return Given(bitmaps.from_ids(ids[ids >= 0]) & self.view.population.existing)
            case InSegment(segment):
                return self._segment(segment)
            case Did(events, count, window):
                span, sources = self.event_span(window), self.sources(events)
                is_ever = window is None and events.where is None
                return EventCount(sources, span, count, _gone(sources) if is_ever else ())
            case Aggregate():
                return bind_aggregate(self, node)
            case ActiveDays():
                return bind_days(self, node)
            case Frequency():
                return bind_frequency(self, node)
            case FirstTime(events, window):
                return self._first_time(events, window)
            case LastPerformed():
                return bind_extreme(self, node)
            case Sequence():
                return bind_sequence(self, node)
            case Same(name, child):
                return self._same(name, child)
            case HasBeen():
                return bind_has_been(self, node)
            case HasConsent():
                return bind_consent(self, node)
            case Known():
                return bind_known(self)
            case Bucket():
                return bind_bucket(self, node)
            case Rank():
                return bind_rank(self, node)
            case _:
                assert_never(node)

    def _bind_all(self, nodes: tuple[Condition, ...]) -> tuple[Bound, ...]:
        return tuple(self.bind(node) for node in nodes)

    # -------------------------------------------------------------------------------------------- attributes

    def attribute(self, name: str) -> AttributeView:
        """The pinned attribute of that name; raises UnknownName with what is near."""
        found = self.view.attribute(unicodedata.normalize("NFC", name))
        if found is None:
            shown = [n for n in self.view.attribute_names() if not n.startswith("$")]
            raise UnknownName("attribute", name, suggest(name, shown))
        return found

    def _has(self, node: HasTag | HasChannel, set_name: str, element: str) -> Bound:
        attribute = self.attribute(set_name)
        self._elements.append((node, attribute))
        leaf = SetMatch(set_name, SetOp.ANY_OF, (element,))
        return column_test(fields.bind_field(leaf, attribute_field(attribute), self.moment), attribute)

    def _segment(self, name: str) -> Bound:
        meaning = self._definitions.meaning(name)
        found = self._segments.get(meaning.id)
        if found is None:
            found = self._segments[meaning.id] = self._members_of(meaning)
            if self.moment.now_us != self._present_us and meaning.holds_lists:
                self.warnings.append(
                    f"the lists of segment {meaning.id!r} are as now, not as at the instant asked"
                )
        return AboutProfile(found) if self.is_keyed else found

    def _members_of(self, meaning: Meaning) -> Bound:
        added = Given(self._existing(meaning.added))
        if meaning.rule is None:
            return added
        found = self.bind_apart(meaning.rule)
        if meaning.retention_us:
            found = self._with_kept(meaning, meaning.rule, found)
        if added.bitmap:
            found = Or((found, added))
        if meaning.removed:
            found = And((found, Complement(Given(self._existing(meaning.removed)))))
        return found

    def _with_kept(self, meaning: Meaning, rule: Condition, matching: Bound) -> Bound:
        """Those who match, and those who ceased to less than the retention before.

        At an instant ahead these are also whoever matches within the retention before it, with the data of now. That
        is known of the first instant of that stretch and of the last; of those in between where the clock carries
        profiles one way only. Which of those who ceased before now were still kept at an instant of the past is known
        of those who still are.
        """
        now_us, present_us = self.moment.now_us, self._present_us
        stay: list[Bound] = []
        kept = Given(self._existing(meaning.kept_at(now_us)))
        if kept.bitmap:
            stay.append(kept)
        if now_us > present_us:
            first_us = max(present_us, now_us - meaning.retention_us)
            way = Drift(self.view.event_types, self._definitions, first_us, now_us).way(rule)
            if Way.OUT in way:
                stay.append(self._at(first_us).bind_apart(rule))
            if way is Way.BOTH:
                self.warnings.append(
                    f"whoever comes to match segment {meaning.id!r} and ceases to only after now and before the "
                    "instant asked is not counted as staying by its retention"
                )
        elif now_us < present_us:
            self.warnings.append(
                f"whom the retention of segment {meaning.id!r} kept at the instant asked is known only of those whom "
                "it has kept since"
            )
        if not stay:
            return matching
        stays = stay[0] if len(stay) == 1 else Or(tuple(stay))
        if meaning.retention_is_for_unknown:
            stays = And((stays, Complement(bind_known(self))))
        return Or((matching, stays))

    def _at(self, now_us: int) -> Binder:
        """A binder of the same question at another instant. Raises LimitExceeded."""
        found = self._elsewhen.get(now_us)
        if found is None:
            if len(self._elsewhen) >= _INSTANTS_MAX:
                raise LimitExceeded("retention_instants", _INSTANTS_MAX)
            moment = replace(self.moment, now_us=now_us)
            found = Binder(self.view, moment, self._definitions, present_us=self._present_us)
            found._warnings, found._elements, found._elsewhen = self._warnings, self._elements, self._elsewhen
            self._elsewhen[now_us] = found
        return found

    def _existing(self, held: Bitmap) -> Bitmap:
        """Those of a list who exist."""
        return self.view.own(held)

    @property
    def is_keyed(self) -> bool:
        """Whether what is being bound stands inside a `same`."""
        return self._keyed is not None

    def bind_apart(self, rule: Condition) -> Bound:
        """Bind a rule that sees whole profiles, wherever it stands."""
        key, self._keyed = self._keyed, None
        try:
            return self.bind(rule)
        finally:
            self._keyed = key

    def _same(self, name: str, child: Condition) -> Bound:
        if self._keyed is not None:
            raise InvalidRule("`same` does not nest")
        name = unicodedata.normalize("NFC", name)
        carriers = [held for held in self.view.event_types.values() if name in held.properties]
        if not carriers:
            names = {p for held in self.view.event_types.values() for p in held.properties}
            self.warnings.append(f"no event has a property {name!r} so far{hint(name, sorted(names))}")
        self._keyed = name
        try:
            bound = self.bind(child)
        finally:
            self._keyed = None
        check_carriers(name, carriers)
        sources = tuple(TypeSource(held, None) for held in carriers)
        found = tuple(f for held in carriers if (f := self.property_field(name, held)) is not None)
        return Keyed(name, sources, found, self.event_span(None), bound)

    def _first_time(self, events: Events, window: Window) -> Bound:
        """The first ever match lies in the window: one does, and none came before."""
        sources, span = self.sources(events), self.event_span(window)
        inside: Bound = EventCount(sources, span, AT_LEAST_ONCE)
        earlier = Span(EVER.first, min(span.first - 1, self.moment.now_us))
        none_before: Bound = EventCount(sources, earlier, NEVER)
        for totals in _gone(sources) if events.where is None else ():
            is_first = totals.firsts_us
            within = totals.profiles[(is_first >= span.first) & (is_first <= span.last)]
            before = totals.profiles[is_first < span.first]
            inside = Or((inside, Given(bitmaps.from_ids(within))))
            none_before = And((none_before, Complement(Given(bitmaps.from_ids(before)))))
        return And((inside, none_before))

    # -------------------------------------------------------------------------------------------- events

    def event_span(self, window: Window | None) -> Span:
        """The instants of events that count: the window's, never past now."""
        if window is None:
            return Span(EVER.first, self.moment.now_us)
        return instant_span(window, self.moment, of_events=True)

    def sources(self, events: Events) -> tuple[TypeSource, ...]:
        """The event types that a name stands for, each with its bound `where`."""
        found = []
        for held in self.types(events.name):
            where = None if events.where is None else self.event_test(events.where, held)
            if where != Always(False):
                found.append(TypeSource(held, None if where == Always(True) else where))
        return tuple(found)

    def types(self, name: EventName) -> Iterable[TypeView]:
        """The event types that a name stands for."""
        held = self.view.event_types
        text = unicodedata.normalize("NFC", name.text)
        match name.kind:
            case NameKind.ANY:
                return list(held.values())
            case NameKind.PREFIX:
                types = [t for n, t in held.items() if n.startswith(text)]
                if not types:
                    self.warnings.append(f"no event's name starts with {text!r} so far")
                return types
            case NameKind.EXACT:
                if text not in held:
                    self.warnings.append(f"nobody has done {text!r} so far{hint(text, list(held))}")
                    return []
                return [held[text]]
            case _:
                assert_never(name.kind)

    def event_test(self, node: Condition, held: TypeView) -> EventTest:
        """A condition about one event of one type."""
        match node:
            case Everyone():
                return Always(True)
            case Not(child):
                return negated(self.event_test(child, held))
            case AllOf(inner):
                return counted(len(inner), len(inner), [self.event_test(c, held) for c in inner])
            case AnyOf(inner):
                return counted(1, len(inner), [self.event_test(c, held) for c in inner])
            case NoneOf(inner):
                return counted(0, 0, [self.event_test(c, held) for c in inner])
            case AtLeast(k, inner):
                return counted(k, len(inner), [self.event_test(c, held) for c in inner])
            case Exactly(k, inner):
                return counted(k, k, [self.event_test(c, held) for c in inner])
            case (
                Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch()
                | SizeCompare() | InWindow() | WithinRadius() | WithinBox() | Anniversary()
            ):  # fmt: skip
                field = self.property_field(node.attribute, held)
                if field is None:
                    return Always(_absent_passes(node))
                try:
                    return self._property_test(node, field)
                except InvalidRule:
                    if self._is_known_elsewhere(node.attribute, held):
                        return Always(_absent_passes(node))
                    raise
            case _:
                raise InvalidRule(
                    "a condition on one event compares its properties; this one is about a profile"
                )

    def _property_test(self, node: AttributeLeaf, field: Field) -> EventTest:
        """The test of a leaf on a property, which is the same for all event types that have it alike."""
        key = id(node), field.name, field.type
        held = self._property_tests.get(key)
        if held is None:
            test = _property_test(fields.bind_field(node, field, self.moment), field.name)
            held = self._property_tests[key] = (node, test)
        return held[1]

    def property_field(self, name: str, held: TypeView) -> Field | None:
        """A property of an event type; None (with a warning) where the type has none of that name."""
        name = unicodedata.normalize("NFC", name)
        type_ = held.properties.get(name)
        if type_ is None:
            near = hint(name, list(held.properties))
            self.warnings.append(f"no {held.name!r} has a property {name!r} so far{near}")
            return None
        match type_.kind:
            case Kind.TEXT:
                texts = self.view.property_texts(name)
                texts = TextDictionary() if texts is None else texts
                return Field(name, type_, texts, len(texts))
            case Kind.TEXT_SET:
                sets = self.view.property_sets(name)
                sets = SetDictionary() if sets is None else sets
                return Field(name, type_, sets, len(sets))
            case _:
                return Field(name, type_, None, 0)

    def _is_known_elsewhere(self, name: str, held: TypeView) -> bool:
        """Whether other event types have the property with another family of type: then this one just never matches."""
        others = [t.properties[name] for t in self.view.event_types.values() if name in t.properties]
        return any(other.kind is not held.properties[name].kind for other in others)


def _gone(sources: tuple[TypeSource, ...]) -> tuple[Totals, ...]:
    """What is known of events of these types that are no longer kept."""
    kept = (source.type.retention for source in sources)
    return tuple(retention.totals for retention in kept if retention is not None and len(retention.totals))


def attribute_field(attribute: AttributeView) -> Field:
    """What the leaves on an attribute need of it."""
    definition = attribute.definition
    return Field(definition.name, definition.type, attribute.dictionary, attribute.entries)


def column_test(test: FieldTest, attribute: AttributeView) -> Bound:
    tests: tuple[Bound, ...] = tuple(ColumnTest(attribute, p) for p in test.any_of)
    bound = tests[0] if len(tests) == 1 else Or(tests)
    if not test.negated:
        return bound
    if test.when_present:
        return And((ColumnTest(attribute, Present()), Complement(bound)))
    return Complement(bound)


def _property_test(test: FieldTest, name: str) -> EventTest:
    tests: list[EventTest] = [PropertyTest(name, p) for p in test.any_of]
    bound = counted(1, len(tests), tests)
    if not test.negated:
        return bound
    if test.when_present:
        return counted(2, 2, [PropertyTest(name, Present()), negated(bound)])
    return negated(bound)


def _absent_passes(node: Condition) -> bool:
    """Whether a leaf holds for an event that has no such property."""
    match node:
        case Compare(op=Op.NE, when_present=False) | In(negated=True, when_present=False) | IsEmpty():
            return True
        case Semver(op=Op.NE) | SetMatch(op=SetOp.NONE_OF):
            return True
        case _:
            return False
