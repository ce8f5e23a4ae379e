"""Sets of single conditions that were asked lately, as words; a rule made of them needs no binding and no plan.

The set of a condition on one attribute hangs on nothing but the values in that column, so it holds until one of them
changes, whatever rule the condition stands in. A rule not asked before, of conditions that were, is then one look-up
for each and one pass over words. Conditions that the clock plays a part in, and all that are not about one
attribute, are not kept here.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from headcount_engine.conditions import fields
from headcount_engine.conditions.bind import attribute_field
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    AttributeLeaf,
    Between,
    Compare,
    Condition,
    Exists,
    HasChannel,
    HasTag,
    In,
    IsEmpty,
    NoneOf,
    Not,
    Semver,
    SetMatch,
    SetOp,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
    check_size,
)
from headcount_engine.conditions.unheard import warning_of
from headcount_engine.errors import InvalidRule
from headcount_engine.evaluation.fuse import Program
from headcount_engine.indexes.attributes import Attribute, AttributeView
from headcount_engine.indexes.columns import ColumnView
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.indexes.predicates import Predicate, Present, Range
from headcount_engine.indexes.store import Indexes, ReadView
from headcount_engine.kernels import fused
from headcount_engine.limits import BLOCK_WORDS, Limits
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64, U64
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import NUMERIC, TEMPORAL

KeptLeaf = (
    Compare | In | Between | Exists | IsEmpty | TextMatch | Semver | SetMatch | SizeCompare | WithinRadius
    | WithinBox | HasTag | HasChannel
)  # fmt: skip
"""Conditions on one attribute that mean the same at any time, as long as it is not one of dates or instants."""
_LEAVES = frozenset(KeptLeaf.__args__)
_GROUPS = frozenset((AllOf, AnyOf, NoneOf, Not))
_DEPTH_MAX = 8
_LEAVES_MAX = 64
_SETS_KEPT = 512
_NO_TIME = Moment(0)
"""Kept conditions do not look at the moment."""


@dataclass(frozen=True, slots=True, eq=False)
class LeafSet:
    """Who satisfies a condition, or with `negated` who does not, as words at `address`.

    True of one attribute at one position of its column's changes. `warning`: what an answer says of the condition.
    """

    attribute: Attribute
    position: int
    words: U64
    address: int
    negated: bool
    warning: str | None = None

    def holds_in(self, indexes: Indexes, blocks: int) -> bool:
        """Whether nothing has changed since. Under the database's gate."""
        attribute = self.attribute
        return (
            self.position == attribute.column.position
            and len(self.words) >= blocks * BLOCK_WORDS
            and indexes.attributes.get(attribute.definition.name) is attribute
        )


class NotKept(Exception):
    """The rule is not of the kind that is made of kept sets."""


class LeafSets:
    """The sets kept, the oldest out first: up to 64 bytes a profile in all, if so many are asked for. Any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._kept: OrderedDict[Condition, LeafSet] = OrderedDict()
        self._lock = threading.Lock()
        self.leaves_max = min(_LEAVES_MAX, limits.rule_leaves)
        self.depth_max = min(_DEPTH_MAX, limits.rule_depth)

    def leaves_of(self, rule: Condition) -> list[Condition]:
        """The conditions that a rule is made of; raises NotKept for others. Bounded by the limits on rules."""
        if type(rule) not in _GROUPS and type(rule) not in _LEAVES:
            raise NotKept
        leaves: list[Condition] = []
        self._collect(rule, 1, leaves)
        if len(leaves) > self.leaves_max:
            raise NotKept
        return leaves

    def _collect(self, node: Condition, depth: int, leaves: list[Condition]) -> None:
        if depth > self.depth_max:
            raise NotKept
        if type(node) in _LEAVES:
            leaves.append(node)
            return
        match node:
            case AllOf(inner) | AnyOf(inner) | NoneOf(inner):
                if len(inner) > self.leaves_max:
                    raise NotKept
                for child in inner:
                    self._collect(child, depth + 1, leaves)
            case Not(child):
                self._collect(child, depth + 1, leaves)
            case _:
                raise NotKept

    def found(self, leaves: list[Condition], indexes: Indexes, blocks: int) -> list[LeafSet | None]:
        """The set of each that is kept and still true. Under the database's gate."""
        kept = [self._kept.get(leaf) for leaf in leaves]
        return [k if k is not None and k.holds_in(indexes, blocks) else None for k in kept]

    def make(self, leaf: Condition, indexes: Indexes, view: ReadView, deadline: Deadline) -> None:
        """Work out the set of one condition in a view that has its attribute, and keep it.

        Raises NotKept where something is wrong with the condition: others say what.
        """
        check_size(leaf, self._limits)
        name, condition = _on_attribute(leaf)
        attribute, held = view.attribute(name), indexes.attributes.get(name)
        if attribute is None or held is None or attribute.definition is not held.definition:
            raise NotKept
        made = _leaf_set(condition, attribute, held, view.population.blocks, deadline)
        if isinstance(leaf, HasTag | HasChannel):
            made = replace(made, warning=warning_of(leaf, attribute))
        with self._lock:
            self._kept[leaf] = made
            self._kept.move_to_end(leaf)
            if len(self._kept) > _SETS_KEPT:
                self._kept.popitem(last=False)

    @property
    def nbytes(self) -> int:
        with self._lock:
            return sum(held.words.nbytes for held in self._kept.values())


def names_of(leaves: list[Condition]) -> set[str]:
    """The attributes that some conditions are about."""
    return {_on_attribute(leaf)[0] for leaf in leaves}


def _on_attribute(leaf: Condition) -> tuple[str, AttributeLeaf]:
    match leaf:
        case HasTag(tag):
            return TAGS, SetMatch(TAGS, SetOp.ANY_OF, (tag,))
        case HasChannel(channel):
            return CHANNELS, SetMatch(CHANNELS, SetOp.ANY_OF, (channel,))
        case (
            Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch()
            | SizeCompare() | WithinRadius() | WithinBox()
        ):  # fmt: skip
            return unicodedata.normalize("NFC", leaf.attribute), leaf
        case _:
            raise NotKept


def range_of(leaf: Between | Compare, attribute: Attribute) -> Range | None:
    """The range of stored numbers that a condition stands for; None for any other, and for one that is wrong."""
    if attribute.definition.type.kind not in NUMERIC:
        return None
    try:
        test = fields.bind_field(leaf, attribute_field(attribute.view()), _NO_TIME)
    except InvalidRule:
        return None
    predicate = test.any_of[0]
    if (
        test.negated
        or len(test.any_of) > 1
        or not isinstance(predicate, Range)
        or predicate.low == predicate.high
    ):
        return None
    return predicate


def _leaf_set(
    leaf: AttributeLeaf, view: AttributeView, attribute: Attribute, blocks: int, deadline: Deadline
) -> LeafSet:
    if view.definition.type.kind in TEMPORAL:
        raise NotKept
    try:
        test = fields.bind_field(leaf, attribute_field(view), _NO_TIME)
    except InvalidRule as error:
        raise NotKept from error
    column = view.column
    parts = [_words(column, predicate, blocks, deadline) for predicate in test.any_of]
    words, negated = parts[0], test.negated
    if len(parts) > 1:
        words = np.bitwise_or.reduce(parts)
    if negated and test.when_present:
        words, negated = _words(column, Present(), blocks, deadline) & ~words, False
    return LeafSet(attribute, column.position, words, words.ctypes.data, negated)


def _words(column: ColumnView, predicate: Predicate, blocks: int, deadline: Deadline) -> U64:
    kept = column.kept(predicate, deadline)
    if kept is None:
        return column.words(predicate, blocks, deadline)
    return kept.words(blocks)[0][: blocks * BLOCK_WORDS]


def compiled(
    rule: Condition, leaves: list[Condition], sets: list[LeafSet], population: PopulationView
) -> Program:
    """The rule as one pass over words; `sets` parallel to `leaves`, as `leaves_of` gave them."""
    return _Compiler(sets, population).program(rule)


class _Compiler:
    """Code for `kernels.fused`. Leaves are met in the order in which they were collected."""

    def __init__(self, sets: list[LeafSet], population: PopulationView) -> None:
        self._sets = sets
        self._met = 0
        self._population = population
        self._everyone = -1
        self._held = [s.words for s in sets]
        self._addresses = [s.address for s in sets]
        self._codes: list[int] = []

    def program(self, rule: Condition) -> Program:
        self._push(rule)
        operands: I64 = np.array(self._addresses, dtype=np.int64)
        codes: I64 = np.array(self._codes, dtype=np.int64)
        return Program(self._held, operands, codes, self._population.blocks * BLOCK_WORDS)

    def _load_everyone(self) -> None:
        if self._everyone < 0:
            words, address = self._population.words
            self._everyone = len(self._held)
            self._held.append(words)
            self._addresses.append(address)
        self._codes.append(fused.LOAD + 8 * self._everyone)

    def _push(self, node: Condition) -> None:
        """Code that leaves the node's words, existing profiles only, on top of the stack."""
        match node:
            case AllOf(inner):
                self._push(inner[0])
                for child in inner[1:]:
                    self._combine(child, fused.AND)
            case AnyOf(inner):
                self._push(inner[0])
                for child in inner[1:]:
                    self._combine(child, fused.OR)
            case NoneOf(inner):
                self._load_everyone()
                for child in inner:
                    self._combine(child, fused.WITHOUT)
            case Not(child):
                self._load_everyone()
                self._combine(child, fused.WITHOUT)
            case _:
                number = self._next()
                if self._sets[number].negated:
                    self._load_everyone()
                    self._codes.append(fused.WITHOUT + 8 * number)
                else:
                    self._codes.append(fused.LOAD + 8 * number)

    def _combine(self, node: Condition, op: int) -> None:
        """Code that combines the top of the stack with a node."""
        if type(node) not in _LEAVES:
            self._push(node)
            self._codes.append(op + _TOP)
            return
        number = self._next()
        if self._sets[number].negated:
            if op == fused.OR:
                self._load_everyone()
                self._codes += [fused.WITHOUT + 8 * number, fused.OR_TOP]
                return
            op = fused.WITHOUT if op == fused.AND else fused.AND
        self._codes.append(op + 8 * number)

    def _next(self) -> int:
        self._met += 1
        return self._met - 1


_TOP = fused.AND_TOP - fused.AND
"""From an operation with an operand to that with the top of the stack."""
