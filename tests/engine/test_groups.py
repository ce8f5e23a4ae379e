"""Writes that wait for one another share a commit, and nobody can tell from what they are told or from the data."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import EngineError, LimitExceeded, OutcomeUnknown, StoreReadOnly
from headcount_engine.indexes.dictionaries import TextDictionary
from headcount_engine.indexes.events import ROW, EventStore
from headcount_engine.indexes.predicates import absent_value
from headcount_engine.ingest import groups, joining
from headcount_engine.ingest.joining import Batch
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_engine.model.batches import Change, Column, EventBatch, ProfileBatch, Reason, WriteReceipt
from headcount_engine.model.durability import DurabilityOptions
from headcount_engine.model.requests import RequestId
from headcount_engine.model.schema import TAGS, AttributeDefinition
from headcount_engine.model.values import Kind, ValueType
from tests.agreement.columns import MISSING, Given, column, events, profiles
from tests.durability.crash_files import CrashFiles

NOW = 20_000 * 86_400_000_000
SET = ValueType(Kind.TEXT_SET)
Outcome = WriteReceipt | BaseException


def database(**more: object) -> Database:
    made = Database.open(None, clock=ManualClock(NOW), limits=replace(DEFAULT_LIMITS, event_types=4), **more)  # type: ignore[arg-type]
    made.declare_attributes(
        [
            AttributeDefinition("plan", ValueType(Kind.TEXT), is_tracked=True),
            AttributeDefinition("email", ValueType(Kind.TEXT), is_identifier=True),
            AttributeDefinition("n", ValueType(Kind.INT)),
        ]
    )
    return made


def write(into: Database, batch: Batch, request: RequestId | None = None) -> WriteReceipt:
    if isinstance(batch, ProfileBatch):
        return into.write_profiles(batch, request)
    return into.write_events(batch, request)


def outcome_of(do: Callable[[], WriteReceipt]) -> Outcome:
    try:
        return do()
    except EngineError as error:
        return error


def queued(into: Database, batches: Sequence[Batch]) -> list[Outcome]:
    """Every batch from a thread of its own, in this order in the queue before the first may begin."""
    return queued_under(into, batches, [None] * len(batches))


def queued_under(
    into: Database, batches: Sequence[Batch], requests: Sequence[RequestId | None]
) -> list[Outcome]:
    """The same, each under its request id."""
    outcomes: list[Outcome | None] = [None] * len(batches)

    def run(number: int) -> None:
        outcomes[number] = outcome_of(lambda: write(into, batches[number], requests[number]))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(batches))]
    with into._writer.exclusively():
        for thread in threads:
            waiting = len(into._groups._queue)
            thread.start()
            while len(into._groups._queue) == waiting and thread.is_alive():
                time.sleep(0)
    for thread in threads:
        thread.join()
    return [each for each in outcomes if each is not None]


def told(outcome: Outcome) -> object:
    """All of an outcome but the version."""
    if isinstance(outcome, WriteReceipt):
        return replace(outcome, version=0, now_us=0)
    return type(outcome), str(outcome)


def contents(of: Database) -> object:
    """Everything that rules can tell apart: profiles in the order of their ids, events in the order of arrival."""
    indexes = of._indexes
    keys = indexes.identities.keys
    people = []
    for number in range(indexes.identities.view().ids_end):
        profile = of.get_profile(keys[number].decode())
        people.append((profile.key, dict(profile.attributes), profile.tags, dict(profile.identifiers)))
    found = []
    for name, view in indexes.events.views().items():
        for run in view.runs:
            batches = run.batches().tolist()
            rows = run.properties.get(ROW)
            for i in range(len(run)):
                at = (batches[i], 0 if rows is None else int(rows[i]), i)
                values = sorted(
                    (p, _shown(indexes.events, p, v[i])) for p, v in run.properties.items() if p != ROW
                )
                said = [(p, v) for p, v in values if v is not None]
                found.append((int(run.times_us[i]), at, name, keys[int(run.profiles[i])], said))
    stamps = {
        name: [v.item() for v in held.column.view().gather(np.arange(indexes.identities.view().ids_end))]
        for name, held in indexes.attributes.all().items()
        if name.startswith("$changed")
    }
    in_order = [
        (time_us, name, key, said) for time_us, _, name, key, said in sorted(found, key=lambda e: e[:2])
    ]
    return people, in_order, stamps, of.schema()


def _shown(store: EventStore, name: str, value: np.generic) -> object:
    texts = store.texts.get(name)
    if isinstance(texts, TextDictionary):
        return texts.table[int(value) - 1] if value else None  # type: ignore[call-overload]
    is_absent = value != value if value.dtype.kind == "f" else value == absent_value(value.dtype)
    return None if is_absent else float(value)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- random batches

KEYS = st.sampled_from(["a", "b", "c", "d", "e", "Ünï", "Üni", ""])
TEXTS = st.sampled_from(["x", "y", "z", "e\N{COMBINING ACUTE ACCENT}", "é", "", "bad\ud800"])


@st.composite
def _cells(draw: DrawFn, rows: int, cell: st.SearchStrategy[Given]) -> list[Given]:
    return draw(st.lists(st.one_of(cell, st.just(MISSING), st.none()), min_size=rows, max_size=rows))


@st.composite
def profile_batches(draw: DrawFn) -> ProfileBatch:
    # No key twice: a batch that adds to one profile twice is several commits, and others may come in between.
    keys = draw(
        st.lists(KEYS, min_size=0, max_size=4, unique_by=lambda key: unicodedata.normalize("NFC", key))
    )
    held: list[Column] = []
    n = len(keys)
    if draw(st.booleans()):
        held.append(column("plan", Kind.TEXT, draw(_cells(n, TEXTS))))
    if draw(st.booleans()):
        held.append(
            column(
                "email", Kind.TEXT, draw(_cells(n, st.sampled_from(["e1", "e2", "e3"]))), is_identifier=True
            )
        )
    kind = draw(st.sampled_from([None, "set", "increment", "text", "new"]))
    ints = st.integers(-3, 3)
    if kind in ("set", "increment"):
        change = Change.SET if kind == "set" else Change.INCREMENT
        held.append(column("n", Kind.INT, draw(_cells(n, ints)), change=change))
    elif kind == "text":
        held.append(column("n", Kind.TEXT, draw(_cells(n, st.just("no number")))))
    elif kind == "new":
        type_ = draw(st.sampled_from([Kind.INT, Kind.FLOAT, Kind.TEXT]))
        cell: st.SearchStrategy[Given] = {Kind.INT: ints, Kind.FLOAT: st.just(1.5), Kind.TEXT: TEXTS}[type_]
        held.append(column(draw(st.sampled_from(["fresh", "frésh"])), type_, draw(_cells(n, cell))))
    for change in draw(
        st.sampled_from([(), (), (Change.ADD,), (Change.REMOVE,), (Change.ADD, Change.REMOVE)])
    ):
        sets = st.frozensets(st.sampled_from(["t1", "t2", "t3"]))
        held.append(column(TAGS, SET, draw(_cells(n, sets)), change=change))
    return profiles(
        keys, *held, create=draw(st.sampled_from([True, True, False])), all_or_nothing=draw(_seldom())
    )


def _seldom() -> st.SearchStrategy[bool]:
    return st.sampled_from([False, False, False, True])


@st.composite
def event_batches(draw: DrawFn) -> EventBatch:
    keys = draw(st.lists(KEYS, min_size=0, max_size=4))
    n = len(keys)
    names = st.sampled_from(["buy", "view", "buy", "view", "save", "e4", "e5", ""])
    name: str | list[str] = draw(st.one_of(names, st.lists(names, min_size=n, max_size=n)))
    times = draw(st.lists(st.sampled_from([NOW, NOW - 1, NOW + 10**16]), min_size=n, max_size=n))
    if draw(st.booleans()):
        times = [NOW] * n
    held = []
    if draw(st.booleans()):
        kind = draw(st.sampled_from([Kind.INT, Kind.INT, Kind.FLOAT]))
        held.append(column("price", kind, draw(_cells(n, st.integers(1, 3)))))
    if draw(st.booleans()):
        held.append(column("page", Kind.TEXT, draw(_cells(n, st.sampled_from(["p", "q"])))))
    ids = None
    if draw(st.booleans()):
        ids = draw(st.lists(st.sampled_from(["i1", "i2", "i3", "", ""]), min_size=n, max_size=n))
    return events(
        keys, name, times, *held, event_ids=ids, create=draw(st.sampled_from([True, True, False])),
        all_or_nothing=draw(_seldom()),
    )  # fmt: skip


BATCHES = st.one_of(
    st.lists(event_batches(), min_size=2, max_size=8),
    st.lists(profile_batches(), min_size=2, max_size=8),
    st.lists(st.one_of(event_batches(), profile_batches()), min_size=2, max_size=8),
)


@given(st.lists(st.one_of(event_batches(), profile_batches()), max_size=3), BATCHES)
@settings(max_examples=100, deadline=None)
def test_a_group_means_what_its_writes_mean_one_by_one(before: list[Batch], batches: list[Batch]) -> None:
    alone, together = database(), database()
    for batch in before:
        assert told(outcome_of(lambda b=batch: write(alone, b))) == told(outcome_of(lambda b=batch: write(together, b)))  # type: ignore[misc]  # fmt: skip
    expected = [told(outcome_of(lambda b=batch: write(alone, b))) for batch in batches]  # type: ignore[misc]
    assert [told(outcome) for outcome in queued(together, batches)] == expected
    assert contents(together) == contents(alone)


def test_a_group_is_one_version_and_each_write_is_told_of_its_own_rows() -> None:
    live = database()
    batches = [
        events(["a", "b"], "buy", [NOW, NOW], event_ids=["1", "2"]),
        events(
            ["b", "c"],
            ["view", "buy"],
            [NOW, NOW],
            column("price", Kind.INT, [5, MISSING]),
            event_ids=["2", "3"],
        ),
        events(["d"], "buy", [NOW], event_ids=["4"]),
    ]
    before = live.status().version
    # The event 2 of the second write says something else than the first one, and so that write goes alone.
    first, second, third = queued(live, batches)
    assert (
        isinstance(first, WriteReceipt)
        and isinstance(second, WriteReceipt)
        and isinstance(third, WriteReceipt)
    )
    assert [r.version for r in (first, second, third)] == [before + 1, before + 2, before + 3]
    assert second.rejected[0].row == 0 and second.rejected[0].reason is Reason.DUPLICATE
    again = queued(live, [batches[0], batches[2], events(["e", "f", "e"], "buy", [NOW] * 3)])
    shares = [(r.version, r.accepted, r.created, r.duplicates) for r in again if isinstance(r, WriteReceipt)]
    assert shares == [(before + 4, 0, 0, 2), (before + 4, 0, 0, 1), (before + 4, 3, 2, 0)]


def test_a_write_that_is_refused_fails_alone() -> None:
    live = database()
    writes = [events(["a"], name, [NOW]) for name in ("e1", "e2", "e3", "e4", "e5", "e1")]
    outcomes = queued(live, writes)
    assert isinstance(outcomes[4], LimitExceeded)
    assert all(isinstance(outcome, WriteReceipt) for n, outcome in enumerate(outcomes) if n != 4)
    assert {name: len(view) for name, view in live._indexes.events.views().items()} == {
        "e1": 2, "e2": 1, "e3": 1, "e4": 1,
    }  # fmt: skip


def test_a_group_has_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "ROWS_MAX", 10)
    live = database()
    receipts = queued(live, [events(["a"] * 4, "buy", [NOW] * 4) for _ in range(5)])
    versions = [r.version - live.status().version for r in receipts if isinstance(r, WriteReceipt)]
    assert versions == [-2, -2, -1, -1, 0]


def many_writers(live: Database, writers: int, each: int) -> None:
    def run(number: int) -> None:
        for i in range(each):
            receipt = live.write_events(events([f"p{number}"], "buy", [NOW], event_ids=[f"{number}-{i}"]))
            assert receipt.accepted == 1 and receipt.created == (i == 0)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_writers_that_wait_for_the_medium_share_its_syncs() -> None:
    syncs = 0

    def slow(_: int, kind: str) -> OSError | None:
        nonlocal syncs
        if kind == "sync":
            syncs += 1
            time.sleep(0.005)
        return None

    files = CrashFiles(fault=slow)
    live = database(files=files, durability=DurabilityOptions(is_automatic=False))
    syncs = 0
    before = live.status().version
    many_writers(live, writers=32, each=10)
    commits = live.status().version - before
    assert commits == syncs <= 320 // 4
    events_held = live.status().events
    assert events_held == 320
    recovered = Database.open(None, files=CrashFiles(files.process_ended()), clock=ManualClock(NOW))
    assert contents(recovered) == contents(live) and recovered.status().version == live.status().version
    recovered.close()


def test_when_the_medium_fails_all_that_shared_the_commit_are_told_that_nobody_knows() -> None:
    files = CrashFiles()
    live = database(files=files, durability=DurabilityOptions(is_automatic=False))
    files._fault = lambda _, kind: OSError(5, "injected") if kind == "sync" else None
    outcomes = queued(live, [events([key], "buy", [NOW]) for key in "abc"])
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 3
    outcomes = queued(live, [events([key], "buy", [NOW]) for key in "abc"])
    assert [type(outcome) for outcome in outcomes] == [StoreReadOnly] * 3


def test_a_writer_that_is_interrupted_while_it_waits_leaves_the_others_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = database()
    waits = threading.Event.wait

    def interrupted(event: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread().name == "interrupted":
            waits(event, 0.05)
            raise KeyboardInterrupt
        return waits(event, timeout)

    monkeypatch.setattr(groups.threading.Event, "wait", interrupted)
    ended: list[str] = []

    def run(name: str) -> None:
        try:
            live.write_events(events([name], "buy", [NOW]))
            ended.append("written")
        except KeyboardInterrupt:
            ended.append(name)

    threads = []
    with live._writer.exclusively():
        for name in ("first", "interrupted", "last"):
            thread = threading.Thread(target=run, args=(name,), name=name)
            thread.start()
            threads.append(thread)
            while len(live._groups._queue) < len(threads):
                time.sleep(0)
        threads[1].join()
        assert ended == ["interrupted"] and len(live._groups._queue) == 2
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["interrupted", "written", "written"]
    assert live.count("did buy").count == 2
