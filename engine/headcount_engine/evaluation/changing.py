"""A smallest set of leaves that would have to change for an answer to change, each counted once however often said.

A rule is a graph of counts over distinct leaves. Were all places at which a leaf stands leaves of their own, a smallest
change would be found in one pass from the leaves up; taking each of n places for 1/n of a change, that pass never asks
for more than the smallest change of the true leaves does. So the passes bound a search: where the cheapest places agree
with one another they are the answer, and where they do not, a leaf on which they differ is fixed either way (branch and
bound, best first, of equals the furthest). Leaves about one value are fixed together, to what they can be together.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from headcount_engine.model.answers import Deadline

Vector = tuple[bool, ...]
"""What some leaves are, in their order."""

STEPS_MAX = 200_000
"""Nodes looked at in one search, some two seconds. Past them the best set found so far is given: its change changes the
answer, but that of a smaller one might."""
_NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Constant:
    """What no change of leaves changes."""

    value: bool


@dataclass(frozen=True, slots=True)
class Count:
    """From `low` to `high` of the children hold; by their places in the graph, some perhaps repeatedly."""

    low: int
    high: int
    children: tuple[int, ...]


Node = Leaf | Constant | Count


@dataclass(slots=True)
class Graph:
    """Nodes, each after its children, and what the leaves are now."""

    nodes: list[Node] = field(default_factory=list)
    leaves: list[bool] = field(default_factory=list)

    def add(self, node: Node) -> int:
        """The place of a new node."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def add_leaf(self, holds: bool) -> int:
        self.leaves.append(holds)
        return self.add(Leaf(len(self.leaves) - 1))

    def evaluate(self, flipped: frozenset[int]) -> bool:
        """What the last node is with some leaves flipped."""
        found: list[bool] = []
        for node in self.nodes:
            match node:
                case Leaf(number):
                    found.append(self.leaves[number] is not (number in flipped))
                case Constant(value):
                    found.append(value)
                case Count(low, high, inner):
                    found.append(low <= sum(found[child] for child in inner) <= high)
        return found[-1]


@dataclass(frozen=True, slots=True)
class Alike:
    """Leaves about one value, ascending, and what they can be together; a leaf alone can be either."""

    leaves: tuple[int, ...]
    vectors: tuple[Vector, ...]


def smallest_change(graph: Graph, alike: Sequence[Alike], deadline: Deadline) -> frozenset[int] | None:
    """The leaves to flip so that the last node of the graph is no longer what it is; None if no flips do that.

    Raises DeadlineExceeded, Cancelled.
    """
    return _Search(graph, alike, deadline).run()


@dataclass(frozen=True, slots=True)
class _Found:
    """The cheapest places once some leaves are fixed: what they cost, what they ask of leaves that are not fixed."""

    cost: float
    wanted: dict[int, set[bool]]


class _Search:
    def __init__(self, graph: Graph, alike: Sequence[Alike], deadline: Deadline) -> None:
        self._graph = graph
        self._deadline = deadline
        self._target = not graph.evaluate(frozenset())
        self._group = {number: group for group in alike for number in group.leaves}
        for number in range(len(graph.leaves)):
            self._group.setdefault(number, Alike((number,), ((False,), (True,))))
        self._weights = self._weigh()
        self._steps = 0

    def _weigh(self) -> list[float]:
        """One divided by the number of ways from the root to each leaf."""
        nodes = self._graph.nodes
        ways = [0] * len(nodes)
        ways[-1] = 1
        weights = [0.0] * len(self._graph.leaves)
        for place in range(len(nodes) - 1, -1, -1):
            match nodes[place]:
                case Count(_, _, inner):
                    for child in inner:
                        ways[child] += ways[place]
                case Leaf(number):
                    weights[number] = 1 / ways[place] if ways[place] else 0.0
                case Constant():
                    pass
        return weights

    def run(self) -> frozenset[int] | None:
        best: frozenset[int] | None = None
        fixed: dict[int, bool] = {}
        pending = [(0, 0, 0, fixed)]
        made = 0
        while pending and self._steps <= STEPS_MAX:
            least, _, _, fixed = heapq.heappop(pending)
            if best is not None and len(best) <= least:
                break
            flips = frozenset(n for n, value in fixed.items() if value is not self._graph.leaves[n])
            found = self._cheapest(fixed)
            least = len(flips) + _whole(found.cost)
            if found.cost == _NEVER or (best is not None and len(best) <= least):
                continue
            flips |= {n for n, wanted in found.wanted.items() if (not self._graph.leaves[n]) in wanted}
            group = self._disagreeing(found.wanted, flips)
            if (group is None or self._is_possible(flips)) and self._graph.evaluate(flips) is self._target:
                best = flips if best is None or len(flips) < len(best) else best
            if group is None:
                continue
            wanted = self._vector(group, flips)
            for vector in sorted(group.vectors, key=lambda v: _distance(v, wanted)):
                made += 1
                follows = fixed | dict(zip(group.leaves, vector, strict=True))
                heapq.heappush(pending, (least, -len(follows), made, follows))
        return best

    def _disagreeing(self, wanted: dict[int, set[bool]], flips: frozenset[int]) -> Alike | None:
        """The first leaves, not fixed yet, of which two things are asked at once, or what they cannot be together."""
        for number in sorted(wanted):
            group = self._group[number]
            if len(wanted[number]) > 1 or self._vector(group, flips) not in group.vectors:
                return group
        return None

    def _is_possible(self, flips: frozenset[int]) -> bool:
        groups = {self._group[number].leaves: self._group[number] for number in flips}
        return all(self._vector(group, flips) in group.vectors for group in groups.values())

    def _vector(self, group: Alike, flips: frozenset[int]) -> Vector:
        return tuple(self._graph.leaves[n] is not (n in flips) for n in group.leaves)

    # ------------------------------------------------------------------------------------------ one pass

    def _cheapest(self, fixed: dict[int, bool]) -> _Found:
        """The cheapest way to the target if each place at which a leaf stands could be changed by itself."""
        self._deadline.check()
        nodes = self._graph.nodes
        costs: list[tuple[float, float]] = []
        for node in nodes:
            costs.append(self._costs(node, fixed, costs))
            self._steps += 1 + (len(node.children) if isinstance(node, Count) else 0)
        cost = costs[-1][self._target]
        wanted: dict[int, set[bool]] = {}
        if cost == _NEVER:
            return _Found(cost, wanted)
        seen = {(len(nodes) - 1, self._target)}
        stack = list(seen)
        while stack:
            place, target = stack.pop()
            match nodes[place]:
                case Leaf(number):
                    if number not in fixed:
                        wanted.setdefault(number, set()).add(target)
                case Count(low, high, inner):
                    for step in zip(
                        inner, _choice(low, high, [costs[c] for c in inner], target), strict=True
                    ):
                        if step not in seen:
                            seen.add(step)
                            stack.append(step)
                case Constant():
                    pass
        return _Found(cost, wanted)

    def _costs(
        self, node: Node, fixed: dict[int, bool], costs: list[tuple[float, float]]
    ) -> tuple[float, float]:
        """(to make the node false, to make it true)."""
        match node:
            case Constant(value):
                return (_NEVER, 0.0) if value else (0.0, _NEVER)
            case Leaf(number):
                if number in fixed:
                    return (_NEVER, 0.0) if fixed[number] else (0.0, _NEVER)
                weight = self._weights[number]
                return (weight, 0.0) if self._graph.leaves[number] else (0.0, weight)
            case Count(low, high, inner):
                options = _options([costs[c] for c in inner])
                inside = min((cost for n, cost in options.items() if low <= n <= high), default=_NEVER)
                outside = min((cost for n, cost in options.items() if not low <= n <= high), default=_NEVER)
                return outside, inside


def _distance(one: Vector, other: Vector) -> int:
    return sum(a is not b for a, b in zip(one, other, strict=True))


def _whole(cost: float) -> int:
    """The least number of leaves that a cost stands for."""
    return 0 if cost == _NEVER else math.ceil(cost - 1e-6)


def _order(costs: list[tuple[float, float]]) -> tuple[list[int], list[int]]:
    """(the children that cannot be false, those that can be either, the cheapest to make true rather than false first).

    Of children that cost the same, the first is the first to be changed, whichever way.
    """
    certain = [i for i, (to_false, _) in enumerate(costs) if to_false == _NEVER]
    free = [i for i, cost in enumerate(costs) if _NEVER not in cost]
    more = [to_true - to_false for to_false, to_true in costs]
    return certain, sorted(free, key=lambda i: (more[i], i if more[i] > 0 else -i))


def _options(costs: list[tuple[float, float]]) -> dict[int, float]:
    """By how many children are to hold, what that costs at least; numbers that cannot be are left out."""
    if any(to_false == _NEVER == to_true for to_false, to_true in costs):
        return {}
    certain, free = _order(costs)
    total = sum(costs[i][1] for i in certain)
    total += sum(to_false for to_false, _ in costs if to_false != _NEVER)
    options = {len(certain): total}
    for count, i in enumerate(free, len(certain) + 1):
        total += costs[i][1] - costs[i][0]
        options[count] = total
    return options


def _choice(low: int, high: int, costs: list[tuple[float, float]], target: bool) -> list[bool]:
    """What each child is to be, for the cheapest way to have low to high of them, or not."""
    options = {n: cost for n, cost in _options(costs).items() if (low <= n <= high) is target}
    count = min(options, key=lambda n: options[n])
    certain, free = _order(costs)
    chosen = {*certain, *free[: count - len(certain)]}
    return [i in chosen for i in range(len(costs))]
