"""Rules, segments' resource names and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headcount_engine.conditions.text import parse, to_text
from headcount_engine.conditions.tree import Condition, InSegment
from headcount_engine.errors import InvalidArgument
from headcount_server.wire import messages
from headcount_server.wire.conditions import condition_of
from headcount_server.wire.fields import checked_count

SEGMENT_PREFIX = "segments/"
SEGMENTS_MAX = 10_000
RULES_MAX = 100

EngineRule = str | Condition
"""What the engine takes for a rule: text, or a tree."""


def rule_of(rule: messages.Rule, path: str) -> EngineRule:
    """The rule in the form it came in; text is read by the engine. Raises RefusedRule, LimitExceeded."""
    match rule.WhichOneof("kind"):
        case "text":
            return rule.text
        case "segment":
            return InSegment(segment_id(rule.segment, f"{path}.segment"))
        case "condition":
            return condition_of(rule.condition, f"{path}.condition")
        case _:
            raise InvalidArgument("a rule needs one of text, condition and segment", path=path)


def rule_text(rule: EngineRule) -> str:
    """The rule as text, which is how segments keep it."""
    return rule if isinstance(rule, str) else to_text(rule)


def as_sent(rule: messages.Rule, text: str) -> EngineRule:
    """A rule that is kept as `text`, in the form that errors are told in: only what came as text has lines."""
    return text if rule.WhichOneof("kind") == "text" else parse(text)


def segment_id(name: str, path: str) -> str:
    """The id in `segments/{id}`."""
    id_ = name.removeprefix(SEGMENT_PREFIX)
    if id_ == name or not id_ or "/" in id_:
        raise InvalidArgument("a segment is named segments/{segment_id}", path=path)
    return id_


def segment_name(id_: str) -> str:
    return SEGMENT_PREFIX + id_


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule and the field of the request that it stands in."""

    rule: EngineRule
    field: str


def questions(segments: Sequence[str], rules: Iterable[messages.Rule]) -> list[Asked]:
    """What to check: the segments and then the rules, in their order. At least one."""
    checked_count(len(segments), SEGMENTS_MAX, "segments")
    asked = [
        Asked(InSegment(segment_id(name, f"segments[{i}]")), f"segments[{i}]")
        for i, name in enumerate(segments)
    ]
    asked.extend(Asked(rule_of(rule, f"rules[{i}]"), f"rules[{i}]") for i, rule in enumerate(rules))
    checked_count(len(asked) - len(segments), RULES_MAX, "rules")
    if not asked:
        raise InvalidArgument("at least one segment or rule", path="segments")
    return asked


def put_warnings(into: Iterable[str]) -> list[messages.RuleWarning]:
    return [messages.RuleWarning(reason="NOTE", message=text) for text in into]
