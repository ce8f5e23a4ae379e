"""Reads beside a writer: each answer is that of the version it carries, all of it and nothing else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest

from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import Condition
from headcount_engine.model.batches import Texts
from headcount_engine.model.values import Kind, ValueType
from headcount_engine.read_view import PinnedView
from tests.agreement.columns import column, profiles
from tests.agreement.driving import Driven
from tests.oracle.changes import Change, Schema, Track, Upsert, apply
from tests.oracle.evaluate import members

DAY = 86_400_000_000
NOW = 1_000 * DAY
WRITES, PEOPLE = 200, 24
PADS = 140_000
"""Profiles that nobody writes to again, so that there are three blocks and the people lie in all of them."""
SCHEMA = Schema(
    {"n": ValueType(Kind.INT), "plan": ValueType(Kind.TEXT), "interests": ValueType(Kind.TEXT_SET)},
    {("buy", "amount"): ValueType(Kind.INT), ("buy", "offer"): ValueType(Kind.TEXT)},
)
RULES = [
    parse(rule)
    for rule in (
        "n > 1000", "not n between 0 and 100", "n exists and n < 70000", 'plan = "plan 3" or plan = "plan 150"',
        'plan != "plan 7"', 'plan contains "5"', 'interests any of ("w1", "w33")', "size(interests) >= 2",
        'tag "vip" and n >= 0', 'did buy at least 2 times in last 30 days', "sum(buy.amount) > 100000",
        'never did buy where offer = "o9"', 'exactly 1 of (n > 1000, tag "vip", did buy)',
        'last(buy.offer) = "o1"', "top 5 by n",
    )
]  # fmt: skip


@dataclass(frozen=True)
class History:
    """The writes to come, and who matches each rule before the first and after each."""

    writes: list[list[Change]]
    members: list[list[set[str]]]


def _write(random: Random, number: int) -> list[Change]:
    people = random.sample([f"p{i}" for i in range(PEOPLE)], 4)
    if number % 2:
        return [
            Track(key, "buy", NOW - random.randrange(60) * DAY, {"amount": random.choice([1, 300, 70_000, 2**40]),
                  "offer": f"o{random.randrange(number // 10 + 2)}"})
            for key in people
        ]  # fmt: skip
    # Numbers outgrow int8, int16 and int32 one after another; plans and interests are new ones each time.
    top = [100, 30_000, 2**31 - 1, 2**62][number * 4 // WRITES]
    return [
        Upsert(
            key,
            {
                "n": random.choice([None, random.randrange(-top, top)]),
                "plan": random.choice([f"plan {number}", f"plan {random.randrange(10)}"]),
                "interests": frozenset(
                    f"w{random.randrange(number + 2)}" for _ in range(random.randrange(3))
                ),
            },
            tags=frozenset({"vip"}) if random.random() < 0.5 else frozenset(),
        )
        for key in people
    ]


@pytest.fixture(scope="module")
def history() -> History:
    random = Random(3)
    writes = [_write(random, number) for number in range(WRITES)]
    world = SCHEMA.world([Upsert(f"p{i}") for i in range(PEOPLE)] + [Upsert("pad")])
    held = [[members(world, rule, NOW) for rule in RULES]]
    for write in writes:
        for change in write:
            apply(world, change)
        held.append([members(world, rule, NOW) for rule in RULES])
    return History(writes, held)


@pytest.fixture
def fast_switching() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def _database() -> Driven:
    driven = Driven(SCHEMA)
    driven.clock.advance_to(NOW)
    step = PADS // PEOPLE
    keys = [f"p{i // step}" if i % step == 0 and i // step < PEOPLE else f"pad {i}" for i in range(PADS)]
    driven.database.write_profiles(profiles(keys))
    return driven


@pytest.mark.usefixtures("fast_switching")
def test_every_read_beside_a_writer_is_of_one_version(history: History) -> None:
    driven = _database()
    database = driven.database
    first = database.status().version
    pads = PADS - PEOPLE
    done, failures, seen = threading.Event(), [], []

    def count(rule: Condition, number: int) -> None:
        answer = database.count(rule)
        expected = history.members[answer.version - first][number]
        size = len(expected - {"pad"}) + (pads if "pad" in expected else 0)
        seen.append(answer.version)
        assert answer.count == size, f"{answer.count} for {size} at {answer.version - first}, rule {number}"

    def check(rule: Condition, number: int) -> None:
        keys = [*(f"p{i}" for i in range(PEOPLE)), "pad 1"]
        answer = database.check_many(Texts.of(keys), [rule])
        expected = history.members[answer.version - first][number]
        seen.append(answer.version)
        wanted = [key in expected for key in keys[:-1]] + ["pad" in expected]
        assert answer.results[:, 0].tolist() == wanted, f"at {answer.version - first}, rule {number}"

    def read(seed: int) -> None:
        random = Random(seed)
        reads = 0
        try:
            while reads < 25 or not done.is_set():
                number = random.randrange(len(RULES))
                random.choice([count, check])(RULES[number], number)
                reads += 1
        except BaseException as error:
            failures.append(error)
            raise

    readers = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for reader in readers:
        reader.start()
    try:
        for number, write in enumerate(history.writes):
            driven.play(write)
            assert database.status().version == first + number + 1
            time.sleep(0.002)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not failures, failures[0]
    assert len(seen) >= 100 and len(set(seen)) >= 20


def test_after_the_last_write_every_rule_is_that_of_the_last_version(history: History) -> None:
    driven = _database()
    for write in history.writes:
        driven.play(write)
    for number, rule in enumerate(RULES):
        found = driven.members(rule, NOW)
        pads = {key for key in found if key.startswith("pad")}
        expected = history.members[-1][number]
        assert found - pads == expected - {"pad"}
        assert len(pads) == (PADS - PEOPLE if "pad" in expected else 0) or number == len(RULES) - 1


def _frozen(view: PinnedView) -> list[bytes]:
    held = [view.version.to_bytes(8), view.population.existing.serialize()]
    for name in ("n", "plan", "interests", "$tags"):
        attribute = view.attribute(name)
        assert attribute is not None
        held += [attribute.column.dtype.str.encode(), attribute.entries.to_bytes(8)]
        held += [block.tobytes() for block in attribute.column.blocks]
    for type_ in view.event_types.values():
        for run in type_.runs:
            held += [run.profiles.tobytes(), run.times_us.tobytes(), run.batches().tobytes()]
            held += [name.encode() + values.tobytes() for name, values in sorted(run.properties.items())]
    return held


def test_a_pinned_view_stays_as_it_was_while_its_blocks_are_rewritten(history: History) -> None:
    driven = _database()
    database = driven.database
    for write in history.writes[:40]:
        driven.play(write)
    with PinnedView(database._indexes, database._gate, ["n", "plan", "interests", "$tags"]) as view:
        before = _frozen(view)
        for write in history.writes[90:130]:
            driven.play(write)
        every = [f"pad {i}" for i in range(1, PADS, 97)] + ["brand new"]
        for number in range(10):
            values = column("n", Kind.INT, [2**40 + number] * len(every))
            tags = column("$tags", Kind.TEXT_SET, [frozenset({f"t{number}"})] * len(every))
            database.write_profiles(profiles(every, values, tags))
        assert _frozen(view) == before
        assert int(view.find_keys(Texts.of(["brand new"]))[0]) == -1
    assert database.count(f"n >= {2**40}").count >= len(every)
    with PinnedView(database._indexes, database._gate, ["n"]) as view:
        attribute = view.attribute("n")
        assert attribute is not None and attribute.column.dtype == np.int64
