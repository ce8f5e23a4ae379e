"""Segment definitions over the generated data: rule text with 2 to 12 conditions, a third of them with windows.

Windowed conditions come from a pool of at most 300 distinct ones, chosen so that one event falls under about five of
them: four windows on each event type without a filter, and 26 on one of its most frequent pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.generator import BOOL_ATTRIBUTES, EVENT_TYPES, INTERESTS, TEXT_ATTRIBUTES, word
from bench.tiers import SEED

LEAVES_MIN, LEAVES_MAX = 2, 12
WINDOWS_PER_TYPE = 4
FILTERED_PER_TYPE = 26

_RANGES = {
    "age": (16, 80), "orders": (0, 40), "visits": (0, 120), "points": (0, 2_000), "logins": (4, 22),
    "tickets": (0, 6), "referrals": (0, 6), "lifetime_value": (5, 900), "average_basket": (5, 90),
    "balance": (-400, 400), "churn_risk": (0, 1), "engagement": (0, 1),
}  # fmt: skip
_DOUBLES = frozenset({"churn_risk", "engagement"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A segment to create."""

    id: str
    name: str
    rule: str
    has_window: bool


def definitions(count: int, seed: int = SEED) -> list[Definition]:
    """10 to 10,000 of them; the first n of more are the same n."""
    random = np.random.Generator(np.random.SFC64([seed, 4]))
    pool = windowed_conditions()
    made = []
    for number in range(count):
        has_window = number % 3 == 2
        leaves = _leaves(random, pool if has_window else ())
        made.append(Definition(f"segment-{number}", f"Segment {number}", _joined(random, leaves), has_window))
    return made


def windowed_conditions() -> tuple[str, ...]:
    """The pool of conditions on recent events."""
    pool = []
    for number, event in enumerate(EVENT_TYPES):
        for i, (times, days) in enumerate(((1, 1), (2, 7), (3, 30), (5, 14))[:WINDOWS_PER_TYPE]):
            pool.append(f"did {event} at least {times + (number + i) % 2} times in last {days} days")
        for rank in range(FILTERED_PER_TYPE):
            times, days = 1 + rank % 3, (7, 14, 30)[rank % 3]
            where = f'where page = "{word("page", rank)}"'
            pool.append(f"did {event} {where} at least {times} times in last {days} days")
    return tuple(pool)


def _leaves(random: np.random.Generator, pool: tuple[str, ...]) -> list[str]:
    count = int(random.integers(LEAVES_MIN, LEAVES_MAX + 1))
    windows = int(random.integers(1, max(2, count // 3) + 1)) if pool else 0
    leaves = [str(random.choice(pool)) for _ in range(windows)]
    return leaves + [_attribute_leaf(random) for _ in range(count - windows)]


def _attribute_leaf(random: np.random.Generator) -> str:
    match int(random.integers(0, 6)):
        case 0:
            text = TEXT_ATTRIBUTES[int(random.integers(len(TEXT_ATTRIBUTES)))]
            return f'{text.name} = "{word(text.name, _rank(random, text.values))}"'
        case 1:
            text = TEXT_ATTRIBUTES[int(random.integers(len(TEXT_ATTRIBUTES)))]
            ranks = sorted({_rank(random, text.values) for _ in range(4)})
            return _in(text.name, ranks)
        case 2:
            return f"{random.choice(list(BOOL_ATTRIBUTES))} = {'true' if random.random() < 0.6 else 'false'}"
        case 3 | 4:
            return _range_leaf(random)
        case _:
            return f'interests any of ("{word("interest", _rank(random, INTERESTS))}")'


def _in(name: str, ranks: list[int]) -> str:
    listed = ", ".join(f'"{word(name, rank)}"' for rank in ranks)
    return f"{name} in ({listed})"


def _rank(random: np.random.Generator, values: int) -> int:
    """Frequent values are asked for more often."""
    return int(values * random.random() ** 3)


def _range_leaf(random: np.random.Generator) -> str:
    name = str(random.choice(list(_RANGES)))
    low, high = _RANGES[name]
    first = low + (high - low) * random.random() * 0.7
    last = first + (high - low) * (0.1 + 0.4 * random.random())
    if name in _DOUBLES:
        return f"{name} between {first:.3f} and {last:.3f}"
    return (
        f"{name} between {int(first)} and {int(last)}" if random.random() < 0.5 else f"{name} >= {int(first)}"
    )


def _joined(random: np.random.Generator, leaves: list[str]) -> str:
    """Conditions joined by `and`, pairs of them by `or`, a few negated."""
    order = random.permutation(len(leaves))
    parts: list[str] = []
    at = 0
    while at < len(order):
        leaf = leaves[order[at]]
        if at + 1 < len(order) and random.random() < 0.35:
            parts.append(f"({leaf} or {leaves[order[at + 1]]})")
            at += 2
            continue
        parts.append(f"not ({leaf})" if random.random() < 0.15 else leaf)
        at += 1
    return " and ".join(parts)
