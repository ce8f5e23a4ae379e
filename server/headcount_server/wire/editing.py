"""What the editor of a rule asks, both ways: explanations, comparisons, plans, the rule as text and as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import CompareAnswer, ExplainAnswer, Measured, PlanStep, ValueChange
from headcount_engine.model.instants import format_date, format_instant, parse_date, parse_instant
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point, ValueType
from headcount_server.errors import NotServed
from headcount_server.wire import messages
from headcount_server.wire.fields import checked_count, optional_instant_us, put_instant, stamp
from headcount_server.wire.rules import EngineRule, put_warnings, rule_of
from headcount_server.wire.values import put_value

BREAKDOWNS_MAX: Final = 20
GROUPS_DEFAULT: Final = 20
SAMPLE_MAX: Final = 1_000

_RELATION = messages.RuleRelation
_RELATIONS: Final = {
    "equal": _RELATION.RULE_RELATION_EQUAL,
    "contains": _RELATION.RULE_RELATION_CONTAINS,
    "contained": _RELATION.RULE_RELATION_CONTAINED,
    "disjoint": _RELATION.RULE_RELATION_DISJOINT,
    "overlapping": _RELATION.RULE_RELATION_OVERLAPPING,
}


class _Node(Protocol):
    """A tree as the engine answers with it."""

    @property
    def children(self: Node) -> Sequence[Node]: ...


Node = TypeVar("Node", bound=_Node)


def with_paths(root: Node) -> Iterator[tuple[str, Node]]:
    """Every node, each before those below it, with the way to it from the root by position."""
    stack = [("", root)]
    while stack:
        path, node = stack.pop()
        yield path, node
        prefix = f"{path}." if path else ""
        below = [(f"{prefix}{i}", child) for i, child in enumerate(node.children)]
        stack.extend(reversed(below))


# ------------------------------------------------------------------------------------------------ explanations


@dataclass(frozen=True, slots=True)
class ExplainQuestion:
    key: str
    rule: EngineRule
    at_us: int | None


def explain_question(request: messages.ExplainMembershipRequest) -> ExplainQuestion:
    if request.context:
        raise NotServed("context attributes are", path="context")
    if not request.key:
        raise InvalidArgument("a profile's key is not empty", path="key")
    return ExplainQuestion(request.key, rule_of(request.rule, "rule"), optional_instant_us(request, "at"))


def explain_answer(answer: ExplainAnswer) -> messages.ExplainMembershipResponse:
    made = messages.ExplainMembershipResponse()
    found = answer.explanation
    if found is not None:
        made.exists = True
        made.is_member = found.holds
        made.nodes.extend(_node(path, node) for path, node in with_paths(found.tree))
        made.decisive_leaves.extend(found.decisive)
        made.is_next_change_unknown = not found.is_flip_certain
        if found.flips_at_us is not None:
            made.next_change_time.SetInParent()
            put_instant(made.next_change_time, found.flips_at_us)
    made.warnings.extend(put_warnings(answer.warnings))
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def _node(path: str, node: Measured) -> messages.NodeExplanation:
    made = messages.NodeExplanation(path=path, text=node.text, holds=node.holds)
    if node.actual is not None:
        put_value(made.actual, node.actual)
        made.found = _cell_text(node.actual)
    elif node.reads_attribute:
        made.found = "absent"
    if node.flips_at_us is not None:
        made.next_change_time.SetInParent()
        put_instant(made.next_change_time, node.flips_at_us)
    return made


def _cell_text(cell: Cell) -> str:
    """A value as people read it."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case str():
            return cell
        case int():
            return str(cell)
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
        case Decimal():
            return f"{cell:f}"
        case frozenset():
            return ", ".join(sorted(cell))
        case Instant(us):
            return format_instant(us)
        case Date(days):
            return format_date(days)
        case Point(latitude, longitude):
            return f"({latitude}, {longitude})"


# ------------------------------------------------------------------------------------------------ comparisons


@dataclass(frozen=True, slots=True)
class CompareQuestion:
    before: EngineRule
    after: EngineRule
    attributes: tuple[str, ...]
    limits: tuple[int, ...]
    """The largest groups to give, for each attribute."""
    sample_size: int
    at_us: int | None


def compare_question(request: messages.CompareRulesRequest) -> CompareQuestion:
    checked_count(len(request.breakdowns), BREAKDOWNS_MAX, "breakdowns")
    checked_count(request.sample_size, SAMPLE_MAX, "sample_size")
    attributes = tuple(_attribute(by, f"breakdowns[{i}]") for i, by in enumerate(request.breakdowns))
    return CompareQuestion(
        rule_of(request.before, "before"),
        rule_of(request.after, "after"),
        attributes,
        tuple(by.limit or GROUPS_DEFAULT for by in request.breakdowns),
        request.sample_size,
        optional_instant_us(request, "at"),
    )


def _attribute(by: messages.BreakdownBy, path: str) -> str:
    kind = by.WhichOneof("kind")
    if kind is None:
        raise InvalidArgument("a breakdown needs one of its kinds", path=path)
    if kind != "attribute":
        raise NotServed("a breakdown by anything but an attribute is", path=f"{path}.{kind}")
    return by.attribute


@dataclass(frozen=True, slots=True)
class ChangedKeys:
    """The first few of those who would join and leave."""

    joined: Sequence[str] = ()
    left: Sequence[str] = ()


def compare_answer(
    answer: CompareAnswer, question: CompareQuestion, keys: ChangedKeys, types: Mapping[str, ValueType]
) -> messages.CompareRulesResponse:
    made = messages.CompareRulesResponse(
        before_size=answer.old_size,
        after_size=answer.new_size,
        joined=answer.joins,
        left=answer.leaves,
        joined_keys=keys.joined,
        left_keys=keys.left,
        relation=_RELATIONS[answer.relation],
        proved_relation=None if answer.proved is None else _RELATIONS[answer.proved],
    )
    for name, limit in zip(question.attributes, question.limits, strict=True):
        changes, type_ = answer.by_attribute[name], types.get(name)
        joined = ((change, change.joins) for change in changes)
        left = ((change, change.leaves) for change in changes)
        made.joined_breakdowns.append(_breakdown(name, type_, joined, limit, answer.joins))
        made.left_breakdowns.append(_breakdown(name, type_, left, limit, answer.leaves))
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def _breakdown(
    name: str, type_: ValueType | None, counted: Iterable[tuple[ValueChange, int]], limit: int, total: int
) -> messages.Breakdown:
    """The largest groups; what the engine left out for their number is in the rest."""
    made = messages.Breakdown(by=messages.BreakdownBy(attribute=name, limit=limit))
    groups: list[tuple[str, int, int]] = []
    for change, count in counted:
        if change.value is None:
            made.absent_count, made.total_absent_count = count, change.total
        elif count:
            groups.append((change.value, count, change.total))
    groups.sort(key=lambda group: (-group[1], group[0]))
    for value, count, everyone in groups[:limit]:
        _put_shown(made.groups.add(count=count, total_count=everyone).value, value, type_)
    made.other_count = total - made.absent_count - sum(count for _, count, _ in groups[:limit])
    return made


def _put_shown(into: messages.Value, shown: str, type_: ValueType | None) -> None:
    """A value that the engine gives as text, in its own type again; sets stay texts."""
    match None if type_ is None else type_.kind:
        case Kind.BOOL:
            put_value(into, shown == "true")
        case Kind.INT:
            put_value(into, int(shown))
        case Kind.DECIMAL:
            put_value(into, Decimal(shown))
        case Kind.FLOAT:
            put_value(into, float(shown))
        case Kind.INSTANT:
            put_value(into, parse_instant(shown))
        case Kind.DATE:
            put_value(into, parse_date(shown))
        case _:
            put_value(into, shown)


# ------------------------------------------------------------------------------------------------ plans


def plan_answer(root: PlanStep, version: int, now_us: int, engine_us: int) -> messages.ExplainPlanResponse:
    made = messages.ExplainPlanResponse(
        steps=[
            messages.PlanStep(
                path=path,
                text=step.text,
                estimated_size=step.estimated_size,
                size=step.size,
                estimated_us=step.estimated_us,
                took_us=step.took_us,
            )
            for path, step in with_paths(root)
        ]
    )
    stamp(made, version, now_us, engine_us)
    return made
