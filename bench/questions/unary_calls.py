"""What does a count or a membership cost over gRPC beside an empty echo of the same sizes on the same stack?

Server, echo and client are processes of their own on loopback. Requests are serialised beforehand for both; throughput
is that of eight threads in one client process. Beside: the same count through the client library.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bench.context import Context
from bench.measure import timed
from bench.outcome import Floor, Kind, Outcome, took
from bench.serving import Served, serving
from bench.tiers import Tier
from headcount import Client
from headcount.wire import audience_calls
from headcount.wire.calls import Asked

ROW = "unary_calls"
QUESTION = "unary count and membership on the main listener against an empty echo of the same sizes on the same stack"
THREADS = 8
SECONDS = 0.6
ROUNDS = {Tier.S: 1}
P50_RATIO, THROUGHPUT_RATIO = 1.15, 0.85
RULE = 'plan = "plan-0"'


def measure(context: Context) -> list[Outcome]:
    with serving(context) as served:
        count = audience_calls.count(RULE, None, False, Asked(0, None))
        check = audience_calls.check("c00000007", ("pro",), (), None, Asked(0, None))
        outcomes = []
        for name, call in (("count", count), ("membership", check)):
            ask = served.caller(call.path, call.request)
            answer_bytes = len(ask())
            outcomes += _compared(
                served, name, ask, (len(call.request), answer_bytes), ROUNDS.get(context.tier, 3)
            )
        with Client(served.address) as client:
            timing = timed(lambda: client.count(RULE))
        outcomes.append(took(ROW, "count through the client library", timing, is_beside=True))
    return outcomes


def _compared(
    served: Served, name: str, ask: Callable[[], bytes], sizes: tuple[int, int], rounds: int
) -> list[Outcome]:
    """Calls and echoes in turns, so that what else the machine does falls on both."""
    echo_call = served.echo_of(sizes)
    calls, echoes, rates, echo_rates = [], [], [], []
    for _ in range(rounds):
        echoes.append(timed(echo_call, budget_s=0.4))
        calls.append(timed(ask, budget_s=0.4))
        echo_rates.append(_throughput(echo_call))
        rates.append(_throughput(ask))
    call, echo = (
        sorted(calls, key=lambda t: t.p50)[rounds // 2],
        sorted(echoes, key=lambda t: t.p50)[rounds // 2],
    )
    per_second, echo_per_second = sorted(rates)[rounds // 2], sorted(echo_rates)[rounds // 2]
    what = "an empty echo of the same sizes"
    done = took(ROW, f"{name}, p50", call, target=P50_RATIO * echo.p50, floor=Floor(what, echo.p50))
    spread = (max(rates) - min(rates)) / per_second
    rated = Outcome(
        ROW, f"{name}, calls per second", Kind.RATE, per_second, variation=spread, samples=len(rates),
        target=THROUGHPUT_RATIO * echo_per_second, floor=Floor(what, echo_per_second),
    )  # fmt: skip
    return [done, rated]


def _throughput(call: Callable[[], object]) -> float:
    end = time.perf_counter() + SECONDS

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < end:
            call()
            done += 1
        return done

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        total = sum(pool.map(work, range(THREADS)))
    return total / (time.perf_counter() - started)
