"""Whole databases over a directory in memory, and their state in a form that two of them can be compared in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.durability.packing import Plain, pack
from headcount_engine.indexes import state
from headcount_engine.membership import pages
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.batches import Change
from headcount_engine.model.durability import DurabilityOptions
from headcount_engine.model.schema import AttributeDefinition, PropertyDefinition
from headcount_engine.model.values import Kind, ValueType
from tests.agreement.columns import column, events, profiles
from tests.durability.crash_files import CrashFiles

DAY = 86_400_000_000
NOW = 20_000 * DAY
MANUAL = DurabilityOptions(is_automatic=False)


def opened(files: CrashFiles, now_us: int = NOW) -> Database:
    return Database.open(None, files=files, clock=ManualClock(now_us), durability=MANUAL)


def digest(database: Database) -> str:
    """Everything that a database holds, bit for bit, as a hash."""
    indexes = database._indexes
    with database._gate.lock:
        tree, release = state.capture(indexes, database._gate.version)
        release()
    whole: list[Plain] = [
        database._gate.version,
        tree,
        [[n, a.owners[: np.flatnonzero(a.owners).max(initial=-1) + 1]] for n, a in indexes.attributes.all().items()],
        [list(pages.dump_definition(d).items()) for d in database._catalogue.all().values()],
    ]  # fmt: skip
    hashed = hashlib.blake2b()
    for buffer in pack(whole):
        hashed.update(buffer)
    return hashed.hexdigest()


@dataclass
class Witness:
    """The state at each version of a run that nothing disturbed, and how far another one got."""

    at: dict[int, str] = field(default_factory=dict)
    acknowledged: int = 0
    begun: int = 0


def live_through(files: CrashFiles, witness: Witness, *, looks: bool) -> None:
    """A life of every kind of write; `looks` notes the state after each."""
    database = opened(files)
    witness.begun = 1
    database.declare_attributes(
        [
            AttributeDefinition("plan", ValueType(Kind.TEXT), is_tracked=True),
            AttributeDefinition("spent", ValueType(Kind.DECIMAL, 2)),
            AttributeDefinition("seen", ValueType(Kind.INSTANT)),
        ]
    )
    _note(database, witness, looks)
    witness.begun = 2
    database.declare_properties([PropertyDefinition("buy", "colours", ValueType(Kind.TEXT_SET))])
    _note(database, witness, looks)
    for step in range(48):
        keys = [f"p{(step * 7 + i) % 40}" for i in range(4)]
        witness.begun = database.status().version + 1
        match step % 8:
            case 0:
                database.write_profiles(
                    profiles(
                        keys,
                        column("plan", Kind.TEXT, [f"plan {(step + i) % 5}" for i in range(4)]),
                        column("n", Kind.INT, [step * 10**i for i in range(4)]),
                        column("email", Kind.TEXT, [f"{k}@{step}" for k in keys], is_identifier=True),
                    )
                )
            case 1 | 5:
                database.write_events(
                    events(
                        keys,
                        ["buy", "view", "buy", f"kind {step}"],
                        [NOW - (step % 3) * DAY - i for i in range(4)],
                        column("colours", ValueType(Kind.TEXT_SET), [frozenset({"red", f"c{step % 6}"})] * 4),
                        column("price", Kind.FLOAT, [step / 3.0] * 4),
                        column("page", Kind.TEXT, [f"/{step}"] * 4),
                        event_ids=[f"{step // 4}-{i}" for i in range(4)],
                    )
                )
            case 2:
                tags = column(
                    "$tags", ValueType(Kind.TEXT_SET), [frozenset({f"t{step}", "all"})] * 4, change=Change.ADD
                )
                database.write_profiles(profiles(keys, tags))
            case 3:
                database.create_segment(SegmentDraft(f"S{step}", f"n > {step} or did buy in last 7 days"))
            case 4:
                database.write_profiles(
                    profiles(keys, column("n", Kind.INT, [1] * 4, change=Change.INCREMENT))
                )
            case 6:
                database.update_segment(f"S{step - 3}", SegmentChanges(rule=f"n < {step}", labels={"x": "y"}))
                if step % 16 == 6 and step > 16:
                    _note(database, witness, looks)
                    witness.begun += 1
                    database.delete_segment(f"S{step - 11}")
            case _:
                database.checkpoint()
        _note(database, witness, looks)
    database.close()


def _note(database: Database, witness: Witness, looks: bool) -> None:
    witness.acknowledged = database.status().version
    if looks:
        witness.at[witness.acknowledged] = digest(database)
