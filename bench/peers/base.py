"""What every peer offers."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from bench.asked import Asked
from bench.data import Data
from bench.measure import timed
from bench.tiers import Tier


class PeerMissing(Exception):
    """The peer cannot run here; the message says why."""


class Peer:
    """Loaded with a tier's data. `version` names what is measured."""

    version = ""

    def __init__(self, data: Data, tier: Tier) -> None:
        self.data = data
        self.tier = tier

    def ask(self, question: Asked) -> Callable[[], int] | None:
        """A call that counts afresh each time; None for what this system has no form for."""
        raise NotImplementedError

    def form(self, question: Asked) -> str:
        """In which of its forms the question is put."""
        return ""

    def close(self) -> None:
        """End what was started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def fastest(calls: dict[str, Callable[[], int]]) -> tuple[str, Callable[[], int]]:
    """Of several forms of one question, the one with the best of three warm runs; all must give one answer."""
    answers = {name: call() for name, call in calls.items()}
    if len(set(answers.values())) > 1:
        raise RuntimeError(f"forms of one question disagree: {answers}")
    times = {name: timed(call, budget_s=0.05, samples_min=3).best for name, call in calls.items()}
    best = min(times, key=lambda name: times[name])
    return best, calls[best]
