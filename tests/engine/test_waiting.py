"""A read may demand a version that is not there yet, and a segment may be tried before it is saved."""

from __future__ import annotations

import threading
import time

import pytest

from headcount_engine import Database
from headcount_engine.errors import AlreadyExists, InvalidRule, OutOfRange, ReferenceCycle
from headcount_engine.model.answers import Deadline, Need, SegmentChanges, SegmentDraft
from headcount_engine.model.batches import ProfileBatch, Texts


def write(database: Database, key: str) -> int:
    return database.write_profiles(ProfileBatch(Texts.of([key]))).version


def test_a_version_that_a_write_brings_meanwhile_is_waited_for() -> None:
    database = Database.open(None)
    version = write(database, "a")
    later = threading.Timer(0.1, write, (database, "b"))
    later.start()
    deadline = Deadline(time.monotonic() + 20)
    answer = database.count("everyone", need=Need(min_version=version + 1, deadline=deadline))
    later.join()
    assert (answer.count, answer.version) == (2, version + 1)


def test_a_version_that_does_not_come_is_told_before_the_deadline() -> None:
    database = Database.open(None)
    version = write(database, "a")
    started = time.monotonic()
    with pytest.raises(OutOfRange):
        database.count("everyone", need=Need(version + 1, deadline=Deadline(started + 0.3)))
    assert 0.2 < time.monotonic() - started < 0.3
    with pytest.raises(OutOfRange):
        database.count("everyone", need=Need(version + 10**9, deadline=Deadline(started + 3_600)))


def test_a_segment_that_is_only_tried_is_checked_and_sized_and_not_saved() -> None:
    database = Database.open(None)
    for key in "abc":
        write(database, key)
    version = database.status().version
    tried = database.create_segment(SegmentDraft("A", 'key in ("a", "b")', "a"), validate_only=True)
    assert (tried.id, tried.size, tried.version) == ("a", 2, version)
    assert database.status().segments == 0
    database.create_segment(SegmentDraft("A", 'key = "a"', "a"))
    with pytest.raises(AlreadyExists):
        database.create_segment(SegmentDraft("A", "everyone", "a"), validate_only=True)
    changed = database.update_segment("a", SegmentChanges(rule="everyone"), validate_only=True)
    assert (changed.rule, changed.size) == ("everyone", 3)
    assert database.get_segment("a").size == 1
    with pytest.raises(ReferenceCycle):
        database.update_segment("a", SegmentChanges(rule='in segment "A"'), validate_only=True)
    with pytest.raises(InvalidRule):
        database.update_segment("a", SegmentChanges(rule="x = 1"), validate_only=True)
