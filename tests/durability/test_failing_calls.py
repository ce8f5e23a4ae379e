"""Every call to the file system fails, once or for good; a restart finds all that was acknowledged."""

from __future__ import annotations

import errno
import random

import pytest

from headcount_engine.errors import OutcomeUnknown, StoreReadOnly
from tests.durability.crash_files import CrashFiles, Fault
from tests.durability.histories import Small, Told, WrongState, check_recovered, run

STEPS = 40


def fault(number: int, code: int, *, for_ever: bool) -> Fault:
    def decide(call: int, _: str) -> OSError | None:
        fits = call >= number if for_ever else call == number
        return OSError(code, "injected") if fits else None

    return decide


def fail_each(code: int, *, for_ever: bool, every: int = 1) -> int:
    """Fail call 1, 2, 3 ... until a run finishes untouched; how many runs that took."""
    number = 1
    while True:
        files, told = CrashFiles(fault=fault(number, code, for_ever=for_ever)), Told()
        try:
            run(files, told, steps=STEPS)
        except (OSError, StoreReadOnly) as error:
            # The last close may be the one that fails.
            told.refused.append(type(error).__name__)
        if not files.faults:
            assert not told.refused and told.acknowledged == STEPS
            return number
        chance = random.Random(number)
        check_recovered(files.process_ended(), told, chance)
        check_recovered(files.image(chance), told, chance)
        number += every


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC and short writes"])
def test_whichever_call_fails_nothing_acknowledged_is_lost(code: int, for_ever: bool) -> None:
    assert fail_each(code, for_ever=for_ever, every=7) > 100


@pytest.mark.long
def test_every_single_call_fails_in_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [
        fail_each(code, for_ever=e) for code in (errno.EIO, errno.ENOSPC, errno.EMFILE) for e in (False, True)
    ]
    with capsys.disabled():
        print(f"\nfail the Nth call: {sum(runs)} runs in 6 ways, 0 writes lost")  # noqa: T201 - the figures of this suite


def test_after_a_failed_sync_the_store_is_read_only_and_the_sync_is_not_tried_again() -> None:
    files = CrashFiles()
    small = Small(files)
    small.commit()
    # A commit is a write, then a sync.
    files._fault = fault(files.calls + 2, errno.EIO, for_ever=False)
    with pytest.raises(OutcomeUnknown, match="read-only until it is opened again"):
        small.commit()
    calls = files.calls
    for _ in range(3):
        with pytest.raises(StoreReadOnly) as caught:
            small.commit()
        assert not isinstance(caught.value, OutcomeUnknown)
    with pytest.raises(StoreReadOnly):
        small.store.rotate()
    assert files.calls == calls and small.store.failure is not None
    assert Small(CrashFiles(files.process_ended())).version in (1, 2)


def test_a_checkpoint_that_fails_leaves_the_store_as_it_was_and_can_be_made_later() -> None:
    total = CrashFiles()
    small = Small(total)
    small.commit()
    small.store.rotate()
    before = total.calls
    small.store.write_checkpoint(1, list(small.state))
    for number in range(1, total.calls - before + 1):
        files = CrashFiles()
        small = Small(files)
        small.commit()
        small.store.rotate()
        files._fault = fault(files.calls + number, errno.ENOSPC, for_ever=False)
        with pytest.raises(OSError, match="injected"):
            small.store.write_checkpoint(1, list(small.state))
        small.commit()
        small.checkpoint()
        small.commit()
        if Small(CrashFiles(files.image(random.Random(number)))).version != 3:
            raise WrongState(f"after a failure of call {number} of a checkpoint")
