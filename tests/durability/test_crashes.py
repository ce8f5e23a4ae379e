"""Power is lost at every call that a workload makes; whatever the medium may then hold, the store comes back right."""

from __future__ import annotations

import random

import crc32c
import pytest

from headcount_engine.durability.log import Log
from headcount_engine.errors import StoreError
from tests.durability.crash_files import CrashFiles, PowerLost
from tests.durability.histories import Told, WrongState, check_recovered, run


def calls_of_the_workload() -> int:
    files = CrashFiles()
    run(files, Told())
    return files.calls


def crash_everywhere(images: int, *, syncs_lie: bool = False, every: int = 1) -> tuple[int, int, int]:
    """(calls, images, recoveries) of a workload that loses power at each of its calls."""
    total, drawn, recoveries = calls_of_the_workload(), 0, 0
    for call in range(1, total + 1, every):
        files, told = CrashFiles(lose_power_at=call, syncs_lie=syncs_lie), Told()
        with pytest.raises(PowerLost):
            run(files, told)
        chance = random.Random(call)
        for _ in range(images):
            drawn += 1
            recoveries += check_recovered(files.image(chance), told, chance)
    return total, drawn, recoveries


def test_a_loss_of_power_at_any_call_loses_nothing_acknowledged() -> None:
    calls, drawn, _ = crash_everywhere(1, every=2)
    assert calls >= 200 and drawn >= calls // 2


@pytest.mark.long
def test_many_images_of_a_crash_at_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    calls, drawn, recoveries = crash_everywhere(20)
    with capsys.disabled():
        print(f"\ncrash at every call: {calls} calls, {drawn} images, {recoveries} recoveries, 0 writes lost")  # noqa: T201 - the figures of this suite


def test_the_suite_notices_a_store_that_acknowledges_before_the_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Log, "_sync", lambda self: None)
    with pytest.raises((WrongState, StoreError)):
        crash_everywhere(4)


def test_the_suite_notices_a_medium_that_lies_about_syncs() -> None:
    with pytest.raises((WrongState, StoreError)):
        crash_everywhere(4, syncs_lie=True)


def test_the_suite_notices_a_store_that_does_not_check_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crc32c, "crc32c", lambda *_: 0)
    with pytest.raises((WrongState, StoreError)):
        crash_everywhere(8)
