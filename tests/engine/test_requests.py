"""A request under an id is carried out once, and told the same each time, whatever ended in between."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import FailedPrecondition, InvalidArgument, StoreError
from headcount_engine.indexes import requests as kept_requests
from headcount_engine.indexes.requests import HORIZON_US, Mark, Requests
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Change, WriteReceipt
from headcount_engine.model.durability import DurabilityOptions
from headcount_engine.model.requests import RequestId
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles
from tests.durability.crash_files import CrashFiles
from tests.engine.test_groups import queued_under

NOW = 20_000 * 86_400_000_000
MANUAL = DurabilityOptions(is_automatic=False)


def opened(files: CrashFiles, now_us: int = NOW) -> Database:
    return Database.open(None, files=files, clock=ManualClock(now_us), durability=MANUAL)


def request(text: str, content: str = "") -> RequestId:
    return RequestId.of(text, content.encode())


def add_one(to: Database, key: str, under: RequestId | None) -> WriteReceipt:
    return to.write_profiles(profiles([key], column("n", Kind.INT, [1], change=Change.INCREMENT)), under)


def test_a_request_sent_again_changes_nothing_and_gets_the_same_receipt() -> None:
    live = opened(CrashFiles())
    first = add_one(live, "a", request("1"))
    later = add_one(live, "a", None)
    assert add_one(live, "a", request("1")) == first
    assert live.status().version == later.version and live.get_profile("a").attributes == {"n": 2}
    with pytest.raises(InvalidArgument) as caught:
        add_one(live, "a", request("1", "other content"))
    assert caught.value.path == "request_id"
    assert add_one(live, "a", request("2")).version == later.version + 1


def test_rows_turned_away_are_told_again_and_not_tried_again() -> None:
    live = opened(CrashFiles())
    batch = profiles(["nobody", "else"], create=False)
    first = live.write_profiles(batch, request("1"))
    assert first.accepted == 0 and len(first.rejected) == 2
    live.write_profiles(profiles(["nobody", "else"]))
    assert live.write_profiles(batch, request("1")) == first


@pytest.mark.parametrize("end", ["process", "power", "checkpoint", "checkpoint and more"])
def test_a_receipt_outlives_the_process(end: str) -> None:
    files = CrashFiles()
    live = opened(files)
    bought = events(["a", "b", ""], "buy", [NOW] * 3, event_ids=["x", "x", "y"])
    first, second = live.write_events(bought, request("1")), add_one(live, "a", request("2"))
    if end.startswith("checkpoint"):
        live.checkpoint()
    if end == "checkpoint and more":
        third = add_one(live, "a", request("3"))
    image = files.image(random.Random(1)) if end == "power" else files.process_ended()
    again = opened(CrashFiles(image))
    version = again.status().version
    assert again.write_events(bought, request("1")) == first and len(first.rejected) == 2
    assert add_one(again, "a", request("2")) == second
    if end == "checkpoint and more":
        assert add_one(again, "a", request("3")) == third
    assert again.status().version == version


def test_a_request_that_was_cut_off_between_its_commits_goes_on_where_it_was() -> None:
    """A batch that adds to one profile three times is three commits: those made before the end are not made again."""
    batch = profiles(["a", "a", "a", "b"], column("n", Kind.INT, [1, 10, 100, 5], change=Change.INCREMENT))
    files, undisturbed = CrashFiles(), opened(CrashFiles())
    whole = undisturbed.write_profiles(batch, request("1"))
    live = opened(files)
    writes = 0

    def fails(_: int, kind: str) -> OSError | None:
        nonlocal writes
        writes += kind == "write"
        return OSError(28, "injected") if writes == 2 else None

    files._fault = fails
    with pytest.raises(StoreError):
        live.write_profiles(batch, request("1"))
    again = opened(CrashFiles(files.process_ended()))
    assert again.get_profile("a").attributes == {"n": 1}
    told = again.write_profiles(batch, request("1"))
    assert (told.accepted, told.created, told.version) == (whole.accepted, whole.created, whole.version)
    assert again.get_profile("a").attributes == {"n": 111} and again.get_profile("b").attributes == {"n": 5}
    assert again.write_profiles(batch, request("1")) == told


def test_requests_that_share_a_commit_are_each_remembered() -> None:
    files = CrashFiles()
    live = opened(files)
    batches = [events([key], "buy", [NOW]) for key in "abab"]
    ids = [request("1"), request("2"), None, request("2")]
    outcomes = queued_under(live, batches, ids)
    assert outcomes[1] == outcomes[3] and live.count("did buy at least 1 times").count == 2
    assert live.status().events == 3
    again = opened(CrashFiles(files.process_ended()))
    assert [again.write_events(batches[i], ids[i]) for i in (0, 1)] == outcomes[:2]
    assert again.status().events == 3


def test_other_answers_are_kept_as_they_were_given() -> None:
    files = CrashFiles()
    live = opened(files)
    made = 0

    def create() -> str:
        nonlocal made
        made += 1
        return f"{live.create_segment(SegmentDraft('All', 'everyone')).id} {made}"

    def ask(of: Database) -> str:
        return of.once(request("1"), create, str.encode, bytes.decode)

    first = ask(live)
    assert first == "all 1" and ask(live) == first and made == 1
    assert ask(opened(CrashFiles(files.process_ended()))) == first
    live.checkpoint()
    assert ask(opened(CrashFiles(files.process_ended()))) == first and made == 1


def test_an_answer_that_went_with_the_power_is_said_to_be_lost_and_nothing_is_done_twice() -> None:
    files = CrashFiles()
    live = opened(files)
    live.once(
        request("1"),
        lambda: live.create_segment(SegmentDraft("All", "everyone")).id,
        str.encode,
        bytes.decode,
    )
    files_without_pending = {name: inode.durable for name, inode in files._durable.items()}
    again = opened(CrashFiles(files_without_pending))
    with pytest.raises(FailedPrecondition, match="carried out at version 1"):
        again.once(request("1"), lambda: pytest.fail("done twice"), str.encode, bytes.decode)


def test_a_call_that_raised_may_be_made_again() -> None:
    live = opened(CrashFiles())

    def fail() -> str:
        raise KeyError

    with pytest.raises(KeyError):
        live.once(request("1"), fail, str.encode, bytes.decode)
    assert live.once(request("1"), lambda: "done", str.encode, bytes.decode) == "done"


def test_a_request_is_forgotten_after_a_day_by_the_clock_of_the_store() -> None:
    live = opened(CrashFiles())
    assert isinstance(live._clock, ManualClock)
    first = add_one(live, "a", request("1"))
    live._clock.advance_to(NOW + HORIZON_US)
    assert add_one(live, "a", request("1")) == first
    live._clock.advance_to(NOW + HORIZON_US + 1)
    assert add_one(live, "a", request("1", "another")).version == first.version + 1
    assert len(live._indexes.requests) == 1


def test_the_oldest_go_first_when_they_take_too_much() -> None:
    held, receipt = Requests(bytes_max=10_000), WriteReceipt(0, 0, 1)
    for i in range(100):
        held.publish([Mark(request(str(i)), 0, receipt)], i + 1, NOW)
    assert held.nbytes <= 10_000 and len(held) == 10_000 // kept_requests._ENTRY_BYTES
    assert held.find(request("99"), 0, NOW) is not None and held.find(request("0"), 0, NOW) is None


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12), st.integers(0, 12))
@settings(max_examples=25, deadline=None)
def test_any_sendings_and_restarts_leave_each_request_done_once(
    sent: list[tuple[int, bool]], seed: int
) -> None:
    files = CrashFiles()
    live = opened(files)
    told: dict[int, WriteReceipt] = {}
    for number, ends in sent:
        receipt = add_one(live, "a", request(str(number)))
        assert told.setdefault(number, receipt) == receipt
        if ends:
            if seed % 2:
                live.checkpoint()
            files = CrashFiles(files.process_ended())
            live = opened(files, NOW + seed)
    if told:
        assert live.get_profile("a").attributes == {"n": len(told)}
        assert replace(live.write_profiles(profiles(["a"])), now_us=0).version == len(told) + 1
