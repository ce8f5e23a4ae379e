"""What a rule is refused for, whatever the data: names that are not there and operands of another family."""

from __future__ import annotations

from headcount_engine.conditions.tree import (
    AttributeLeaf,
    Condition,
    HasBeen,
    InSegment,
    Rank,
    Same,
    children,
    event_conditions,
)
from headcount_engine.model.values import NUMERIC, TEMPORAL
from tests.oracle.leaves import fits
from tests.oracle.world import Refused, World


def check(world: World, condition: Condition, is_inside_same: bool = False) -> None:
    """Raises Refused for a rule that the specification refuses over this world."""
    match condition:
        case InSegment(name):
            if name not in world.segments:
                raise Refused("the segment is gone")
        case Rank(attribute=name):
            if (
                name not in world.attribute_types
                or world.attribute_types[name].kind not in NUMERIC | TEMPORAL
            ):
                raise Refused("a rank takes numbers, instants and dates")
        case Same():
            if is_inside_same:
                raise Refused("`same` does not nest")
            is_inside_same = True
        case _ if isinstance(condition, AttributeLeaf):
            _check_attribute(world, condition)
        case _:
            pass
    for child in children(condition):
        check(world, child, is_inside_same)
    for inner in event_conditions(condition):
        _check_inside_event(inner)


def _check_attribute(world: World, leaf: AttributeLeaf) -> None:
    if leaf.attribute not in world.attribute_types:
        raise Refused("unknown attribute")
    if not fits(world.attribute_types[leaf.attribute].kind, leaf):
        raise Refused("an operand of another family")
    if isinstance(leaf, HasBeen) and leaf.attribute not in world.tracked:
        raise Refused("the attribute is not tracked")


def _check_inside_event(condition: Condition) -> None:
    if isinstance(condition, HasBeen):
        raise Refused("a property is not tracked")
    for child in children(condition):
        _check_inside_event(child)
