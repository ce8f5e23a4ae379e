"""A store of its own small state, driven through writes and checkpoints, and what must hold after any end."""

from __future__ import annotations

import contextlib
import functools
import random
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.durability.filesystem import FileSystem
from headcount_engine.durability.framing import FrameKind
from headcount_engine.durability.packing import Plain
from headcount_engine.durability.store import Opening, Store
from headcount_engine.errors import StoreError
from headcount_engine.model.durability import DurabilityOptions
from tests.durability.crash_files import CrashFiles, PowerLost

OPTIONS = DurabilityOptions(is_automatic=False)


@functools.cache
def payload(version: int) -> list[Plain]:
    """What version `version` writes: sizes from nothing to a few sectors, different for each."""
    chance = np.random.default_rng(version)
    size = int(chance.integers(0, 2_000))
    return [version, f"commit {version}", chance.integers(0, 255, size).astype(np.uint8)]


def is_payload(content: Plain, version: int) -> bool:
    wanted = payload(version)
    if not isinstance(content, list) or len(content) != 3 or content[:2] != wanted[:2]:
        return False
    array = content[2]
    return isinstance(array, np.ndarray) and np.array_equal(array, wanted[2])  # type: ignore[arg-type]


class WrongState(AssertionError):
    """A store that came back with something that was never written, or in another order."""


class Small:
    """A store whose state is the list of everything committed."""

    def __init__(self, files: FileSystem, options: DurabilityOptions = OPTIONS) -> None:
        opening = Opening(files)
        self.state: list[Plain] = []
        if opening.content is not None:
            assert isinstance(opening.content, list)
            self.state = list(opening.content)
            if len(self.state) != opening.base_version:
                raise WrongState("a checkpoint of another version than it says")
        for record in opening.records():
            if record.kind is FrameKind.COMMIT:
                if record.version != len(self.state) + 1:
                    raise WrongState("versions that are not dense")
                self.state.append(record.content)
        for version, content in enumerate(self.state, 1):
            if not is_payload(content, version):
                raise WrongState(f"version {version} is not what was written")
        self.store: Store = opening.start(options, ("1",))
        self.store.note_now(self.version, 0, 0)

    @property
    def version(self) -> int:
        return len(self.state)

    def commit(self) -> None:
        content = payload(self.version + 1)
        self.store.append(self.version + 1, content)
        self.state.append(content)

    def checkpoint(self) -> None:
        self.store.rotate()
        self.store.write_checkpoint(self.version, list(self.state))


@dataclass
class Told:
    """What the program was told before the end."""

    acknowledged: int = 0
    begun: int = 0
    refused: list[str] = field(default_factory=list)


def run(files: FileSystem, told: Told, *, steps: int = 72, restarts: bool = True) -> None:
    """Commits, with a checkpoint every ninth step and a restart every thirtieth; errors of the store are noted."""
    small: Small | None = None
    for step in range(steps):
        try:
            if small is None:
                small = Small(files)
            told.begun = max(told.begun, small.version + 1)
            small.commit()
            told.acknowledged = small.version
            if step % 9 == 8:
                small.checkpoint()
            if step % 9 in (4, 8):
                small.store.note_now(small.version, step, 0)
            if restarts and step % 30 == 29:
                small.store.close()
                small = None
        except (StoreError, OSError) as error:
            told.refused.append(type(error).__name__)
    if small is not None:
        small.store.close()


def check_recovered(image: dict[str, bytes], told: Told, chance: random.Random) -> int:
    """Nothing acknowledged is lost, nothing is invented; a second start and one that was cut off find the same.

    Returns the number of recoveries.
    """
    files = CrashFiles(image)
    small = Small(files)
    if not told.acknowledged <= small.version <= max(told.begun, told.acknowledged):
        raise WrongState(
            f"version {small.version} where {told.acknowledged} was acknowledged, {told.begun} begun"
        )
    calls, version = files.calls, small.version
    for again in (files.process_ended(), files.image(chance)):
        if Small(CrashFiles(again)).version != version:
            raise WrongState("a second start finds another version")
    cut_off = CrashFiles(image, lose_power_at=chance.randint(1, calls))
    with contextlib.suppress(PowerLost):
        Small(cut_off)
    if Small(CrashFiles(cut_off.image(chance))).version != version:
        raise WrongState("a start that was cut off changed what is there")
    small.commit()
    small.checkpoint()
    small.commit()
    if Small(CrashFiles(files.image(chance))).version != version + 2:
        raise WrongState("what was written after a recovery is not there")
    return 6
