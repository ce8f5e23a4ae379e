"""All that a rule may be made of here: what a rule editor offers, with operators, examples and values in use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from headcount_engine.analytics import Analytics
from headcount_engine.asking import Rule
from headcount_engine.conditions.text.names import quote_name, quote_text, suggest
from headcount_engine.conditions.tree import Did, EventName, Events, Everyone, Exists
from headcount_engine.conditions.windows import UNIT_US, Duration, Unit, WithinLast
from headcount_engine.errors import InvalidArgument, InvalidValue
from headcount_engine.indexes.frequent import frequent_values
from headcount_engine.indexes.store import Indexes
from headcount_engine.limits import MICROSECONDS_PER_DAY
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.membership.templates import TEMPLATES, Instance, instantiate
from headcount_engine.model.analytics import Belonging, ByAttribute, ByBelonging
from headcount_engine.model.answers import CountAnswer, SchemaView
from headcount_engine.model.elements import Category, Element, ElementPage
from headcount_engine.model.schema import AttributeDefinition, PropertyDefinition
from headcount_engine.model.segments import SegmentState
from headcount_engine.model.values import Cell, Kind

_SAMPLES = 5
_OFFERED_MAX = 1_000
"""Tags, channels and the like: the most frequent ones."""
_ORDERED = ("=", "!=", "<", "<=", ">", ">=", "between", "in", "exists", "is empty")
_TEXTUAL = (
    "=", "!=", "in", "contains", "starts with", "ends with", "like", "matches", "version >=", "exists", "is empty",
)  # fmt: skip
_TIMED = (
    "before", "after", "between", "in last", "in next", "more than ... ago", "today", "this", "last", "exists",
)  # fmt: skip
_TRACKED = ("has been",)


class Elements:
    """Elements and templates of one database. Any thread."""

    def __init__(
        self,
        indexes: Indexes,
        catalogue: Catalogue,
        analytics: Analytics,
        schema: Callable[[], SchemaView],
        count: Callable[[Rule], CountAnswer],
    ) -> None:
        self._indexes = indexes
        self._catalogue = catalogue
        self._analytics = analytics
        self._schema = schema
        self._count = count

    def templates(self, category: str = "", arguments: dict[str, str] | None = None) -> list[Instance]:
        """The templates on this workspace's schema.

        Raises InvalidArgument for a wrong argument, and for one that none of them has a place for.
        """
        schema, said = self._schema(), arguments or {}
        listed = [template for template in TEMPLATES if category in ("", template.category)]
        places = sorted({place.name for template in listed for place in template.places})
        for name in said:
            if name not in places:
                near = suggest(name, places)
                hint = f"did you mean {' or '.join(map(repr, near))}? The " if near else "the "
                raise InvalidArgument(
                    f"no template has a place {name!r}; {hint}places are {', '.join(places)}",
                    path="arguments",
                )
        return [instantiate(template, schema, said) for template in listed]

    def page(
        self, category: Category | None = None, text: str = "", page_size: int = 100, page_token: str = ""
    ) -> ElementPage:
        """Elements of a category, or of all, whose name contains a text, in any case.

        Counts and values are made for those on the page alone: a breakdown each.
        """
        if page_token and not (page_token.isascii() and page_token.isdigit() and len(page_token) < 10):
            raise InvalidValue("not a page token of this list", path="page_token")
        wanted = text.casefold()
        found = [
            element
            for each in Category
            if category in (None, each)
            for element in self._of(each)
            if wanted in element.name.casefold()
        ]
        start = int(page_token or 0)
        end = start + page_size
        shown = tuple(self._measured(element) for element in found[start:end])
        return ElementPage(shown, str(end) if end < len(found) else "", len(found))

    def _of(self, category: Category) -> Iterable[Element]:
        schema = self._schema()
        match category:
            case Category.ATTRIBUTE:
                return [_attribute(a) for a in schema.attributes]
            case Category.EVENT:
                return [
                    Element(
                        category, quote_name(name), "Something that profiles did.",
                        operators=("did", "never did", "count", "sum", "days", "first did", "last", "then"),
                        example=f"did {quote_name(name)} {_lately(schema.retentions.get(name))}", key=name,
                    )
                    for name in schema.events
                ]  # fmt: skip
            case Category.EVENT_PROPERTY:
                return [
                    Element(
                        category, f"{quote_name(p.event)}.{quote_name(p.name)}", f"A property of {p.event}.", p.type,
                        _operators(p.type.kind), _property_example(p, schema.retentions.get(p.event)), p.name, p.event,
                    )
                    for p in schema.properties
                ]  # fmt: skip
            case Category.TAG:
                return self._belonging(category, Belonging.TAGS, "tag", "A tag of profiles.")
            case Category.CHANNEL:
                return self._belonging(category, Belonging.CHANNELS, "channel", "A way to reach profiles.")
            case Category.CONSENT_TOPIC:
                prefix = "$consent."
                topics = [
                    n.removeprefix(prefix) for n in self._indexes.attributes.all() if n.startswith(prefix)
                ]
                return [
                    _texted(category, "consent", t, "Agreed to be written to about it.")
                    for t in sorted(topics)
                ]
            case Category.SEGMENT:
                return [
                    _texted(category, "in segment", d.id, d.description or d.name)
                    for d in sorted(self._catalogue.all().values(), key=lambda d: d.id)
                    if d.state is not SegmentState.ARCHIVED
                ]
            case Category.PROFILE:
                return [
                    Element(category, "known", "Has at least one identifier.", example="known"),
                    Element(category, "everyone", "All profiles.", example="everyone"),
                    Element(category, "key", "The profile's key.", operators=("=", "!=", "in"), example='key = "a"'),
                    Element(category, "sample", "A fixed share of all profiles.", example='sample 10% salt "a"'),
                    *(
                        Element(
                            category, f"top by {quote_name(a.name)}", f"The highest by {a.name}.", a.type,
                            ("top", "bottom"), f"top 10% by {quote_name(a.name)}", a.name,
                        )
                        for a in schema.attributes
                        if a.type.kind in (Kind.INT, Kind.DECIMAL, Kind.FLOAT)
                    ),
                ]  # fmt: skip
            case _:
                assert_never(category)

    def _belonging(self, category: Category, what: Belonging, word: str, description: str) -> list[Element]:
        found = self._analytics.breakdown("everyone", [ByBelonging(what, _OFFERED_MAX)]).breakdowns[0]
        return [
            _texted(category, word, str(group.value), description, profiles=group.total_count)
            for group in found.groups
        ]

    def _measured(self, element: Element) -> Element:
        """With the number of profiles that have it, and with values in use."""
        match element.category:
            case Category.ATTRIBUTE:
                return self._with_values(element)
            case Category.EVENT:
                return element.measured(self._count(Did(Events(EventName(element.key)))).count, ())
            case Category.EVENT_PROPERTY:
                return self._with_property_values(element)
            case Category.SEGMENT | Category.CONSENT_TOPIC:
                return element.measured(self._count(element.example).count, ())
            case Category.PROFILE:
                return element.measured(self._count(_who_has(element)).count, ())
            case Category.TAG | Category.CHANNEL:
                return element
            case _:
                assert_never(element.category)

    def _with_property_values(self, element: Element) -> Element:
        """How many profiles have an event with the property, of those whose raw events are held."""
        held = self._indexes.events.views()[element.event]
        kept = (
            None
            if held.retention is None
            else WithinLast(Duration(held.retention.kept_us // UNIT_US[Unit.SECONDS], Unit.SECONDS))
        )
        found = self._count(Did(Events(EventName(held.name), Exists(element.key)), window=kept))
        values = frequent_values(self._indexes.events, held, element.key, found.now_us, _SAMPLES)
        return element.measured(found.count, values)

    def _with_values(self, element: Element) -> Element:
        if element.type is not None and element.type.kind in (Kind.TEXT, Kind.BOOL, Kind.TEXT_SET):
            found = self._analytics.breakdown("everyone", [ByAttribute(element.key, limit=_SAMPLES)])
            values: tuple[Cell, ...] = tuple(
                group.value for group in found.breakdowns[0].groups if group.value is not None
            )
        else:
            values = ()
        return element.measured(self._count(f"{element.name} exists").count, values)


def _attribute(attribute: AttributeDefinition) -> Element:
    name = quote_name(attribute.name)
    kind = attribute.type.kind
    operators = _operators(kind) + (_TRACKED if attribute.is_tracked else ())
    what = "An identifier of profiles." if attribute.is_identifier else "An attribute of profiles."
    return Element(
        Category.ATTRIBUTE, name, what, attribute.type, operators, _example(name, kind), key=attribute.name
    )


def _property_example(property_: PropertyDefinition, kept_us: int | None) -> str:
    """A condition on a property; with a window where raw events go."""
    rule = (
        f"did {quote_name(property_.event)} where {_example(quote_name(property_.name), property_.type.kind)}"
    )
    return rule if kept_us is None else f"{rule} {_lately(kept_us)}"


def _lately(kept_us: int | None) -> str:
    """The last 30 days, or as far back as raw events are kept; None: for ever."""
    if kept_us is None or kept_us >= 30 * MICROSECONDS_PER_DAY:
        return "in last 30 days"
    for unit, per_day in (("days", 1), ("hours", 24)):
        if found := kept_us * per_day // MICROSECONDS_PER_DAY:
            return f"in last {found} {unit}"
    return f"in last {kept_us * 1440 // MICROSECONDS_PER_DAY} minutes"


def _who_has(element: Element) -> Rule:
    """Those of whom a condition about profiles as such can say something: all have a key, some a number to rank by."""
    if element.key:
        return Exists(element.key)
    return Everyone() if element.operators else element.example


def _texted(
    category: Category, word: str, text: str, description: str, profiles: int | None = None
) -> Element:
    name = quote_text(text)
    return Element(
        category, name, description, None, (word, f"not {word}"), f"{word} {name}", profiles=profiles
    )


def _operators(kind: Kind) -> tuple[str, ...]:
    match kind:
        case Kind.BOOL:
            return ("=", "!=", "exists")
        case Kind.INT | Kind.DECIMAL | Kind.FLOAT:
            return _ORDERED
        case Kind.TEXT:
            return _TEXTUAL
        case Kind.TEXT_SET:
            return ("any of", "all of", "none of", "exactly", "size", "contains", "exists", "is empty")
        case Kind.INSTANT:
            return _TIMED
        case Kind.DATE:
            return (*_TIMED, "anniversary")
        case Kind.POINT:
            return ("within ... km of", "within box", "exists")
        case _:
            assert_never(kind)


def _example(name: str, kind: Kind) -> str:
    match kind:
        case Kind.BOOL:
            return f"{name} = true"
        case Kind.INT | Kind.DECIMAL | Kind.FLOAT:
            return f"{name} >= 10"
        case Kind.TEXT:
            return f'{name} contains "a"'
        case Kind.TEXT_SET:
            return f'{name} any of ("a", "b")'
        case Kind.INSTANT | Kind.DATE:
            return f"{name} in last 30 days"
        case Kind.POINT:
            return f"{name} within 10 km of (59.33, 18.07)"
        case _:
            assert_never(kind)
