"""Writes under a request id: once, however often and however many at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from google.protobuf.wrappers_pb2 import Int64Value, StringValue

from headcount_engine.errors import DeadlineExceeded, InvalidArgument
from headcount_engine.model.answers import Deadline
from headcount_engine.model.requests import RequestId
from headcount_server.context import Context, Principal, Role
from headcount_server.repeats import ANSWER_BYTES_MAX, HORIZON_S, Repeats

Answer = TypeVar("Answer")


def context(name: str = "ann", seconds: float = 30) -> Context:
    return Context(Deadline(time.monotonic() + seconds), Principal(name, Role.WRITE))


class Forgetful:
    """A store that carries out whatever it is asked; what it remembers itself is tested with the engine."""

    def once(
        self,
        request: RequestId,
        do: Callable[[], Answer],
        dump: Callable[[Answer], bytes],
        load: Callable[[bytes], Answer],
    ) -> Answer:
        return do()


def repeats_of(
    *, bytes_max: int = ANSWER_BYTES_MAX, clock: Callable[[], float] = time.monotonic
) -> Repeats[Int64Value]:
    return Repeats("/a.Method", Int64Value, Forgetful(), bytes_max=bytes_max, clock=clock)


class Runs:
    """Counts how often it ran."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Int64Value:
        self.count += 1
        return Int64Value(value=self.count)


A, B = StringValue(value="a"), StringValue(value="b")


def test_the_second_sending_gets_the_first_answer() -> None:
    repeats, run = repeats_of(), Runs()
    assert [repeats.run(A, "1", context(), run).value for _ in range(3)] == [1, 1, 1]
    assert run.count == 1


def test_without_an_id_every_sending_runs() -> None:
    repeats, run = repeats_of(), Runs()
    assert [repeats.run(A, "", context(), run).value for _ in range(3)] == [1, 2, 3]


def test_an_id_belongs_to_its_caller() -> None:
    repeats, run = repeats_of(), Runs()
    assert repeats.run(A, "1", context("ann"), run).value == 1
    assert repeats.run(A, "1", context("ben"), run).value == 2


def test_an_id_with_another_request_is_refused() -> None:
    repeats, run = repeats_of(), Runs()
    repeats.run(A, "1", context(), run)
    with pytest.raises(InvalidArgument) as caught:
        repeats.run(B, "1", context(), run)
    assert caught.value.path == "request_id"


def test_a_failure_is_not_kept() -> None:
    repeats, run = repeats_of(), Runs()

    def fail() -> Int64Value:
        raise KeyError

    with pytest.raises(KeyError):
        repeats.run(A, "1", context(), fail)
    assert repeats.run(B, "1", context(), run).value == 1


def test_sixteen_at_a_time_run_once() -> None:
    repeats, run = repeats_of(), Runs()

    def slowly() -> Int64Value:
        time.sleep(0.1)
        return run()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: repeats.run(A, "1", context(), slowly).value, range(16)))
    assert answers == [1] * 16 and run.count == 1


def test_who_waits_for_the_first_waits_no_longer_than_its_deadline() -> None:
    repeats, running, release = repeats_of(), threading.Event(), threading.Event()

    def stuck() -> Int64Value:
        running.set()
        release.wait(20)
        return Int64Value()

    first = threading.Thread(target=lambda: repeats.run(A, "1", context(), stuck))
    first.start()
    try:
        assert running.wait(10)
        with pytest.raises(DeadlineExceeded):
            repeats.run(A, "1", context(seconds=0.1), stuck)
    finally:
        release.set()
        first.join(20)


def test_an_id_is_forgotten_after_its_horizon() -> None:
    now = [0.0]
    repeats, run = repeats_of(clock=lambda: now[0]), Runs()
    repeats.run(A, "1", context(), run)
    now[0] = HORIZON_S
    assert repeats.run(A, "1", context(), run).value == 1
    now[0] = HORIZON_S + 1
    assert repeats.run(A, "1", context(), run).value == 2


def test_the_oldest_answers_go_first_when_they_take_too_much() -> None:
    repeats, run = repeats_of(bytes_max=2_000), Runs()
    for i in range(20):
        repeats.run(A, f"{i}", context(), run)
    assert repeats.run(A, "19", context(), run).value == 20
    assert repeats.run(A, "0", context(), run).value == 21


def test_an_id_has_a_bound() -> None:
    with pytest.raises(InvalidArgument):
        repeats_of().run(A, "x" * 129, context(), Runs())
