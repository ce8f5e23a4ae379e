"""Built from nothing or kept current commit by commit: live segments are the same, atoms and counters included."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine import bitmaps
from headcount_engine.atoms.registry import AtomKey, Atoms
from headcount_engine.atoms.rows import Rows, column_words
from headcount_engine.conditions.needs import attributes_read
from headcount_engine.conditions.tree import AllOf, AnyOf, InSegment
from headcount_engine.database import Database
from headcount_engine.limits import BLOCK_IDS
from headcount_engine.membership.live import LiveSegments
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Column, EventBatch, ProfileBatch, Texts
from headcount_engine.model.segments import ImportMode, SegmentState
from headcount_engine.model.values import Kind, ValueType
from headcount_engine.read_view import PinnedView
from tests.agreement.driving import rules
from tests.agreement.evaluated import EVALUATED
from tests.agreement.living import KEYS, LIVE, MANUAL_KIND, OVERRIDES, RULE, Living
from tests.membership.keeping import NOW, Kept
from tests.oracle.calendars import DAY_US
from tests.oracle.pools import NOWS, instants
from tests.oracle.strategies import SCHEMA, SEGMENTS

PEOPLE = KEYS[:12]


def rebuilt(database: Database) -> LiveSegments:
    """All live segments from the data alone, as a restart makes them."""
    view = database._catalogue.view()
    fresh = LiveSegments(database._indexes, database._catalogue.retention, database._moment_at)
    segments = tuple(view.by_id.values())
    names = {n for d in segments if d.rule is not None for n in attributes_read(d.rule, view)}
    with PinnedView(database._indexes, database._gate, names, database._catalogue) as pinned:
        now_us = database.live_now_us()
        outcome = fresh.stage_definitions(segments, (), view.lists, pinned, now_us, view, is_first=True)
        fresh.publish(outcome.edit)
    return fresh


def bits(atoms: Atoms, rows: Rows[np.uint64]) -> dict[AtomKey, list[int]]:
    """By atom, the words of whom it holds for."""
    return {atom.key: column_words(rows, atom.slot, 1).tolist() for atom in atoms}


def counts(live: LiveSegments, people: int) -> dict[object, list[int]]:
    """By counter, what everyone has; what full cells hold instead of 255."""
    tallies = live._atoms._tallies
    rows = [tallies._rows.row(id_).tolist() for id_ in range(people)]
    for (id_, column), count in tallies._full.items():
        rows[id_][column] = count
    return {key: [row[counter.column] for row in rows] for key, counter in tallies._counters.items()}


def assert_same(database: Database) -> None:
    kept, fresh = database.live, rebuilt(database)
    assert set(kept._places) == set(fresh._places)
    for id_, place in kept._places.items():
        own, other = (live._rows for live in (kept, fresh))
        members = column_words(own, place.slot, 1), column_words(other, fresh._places[id_].slot, 1)
        assert (members[0] == members[1]).all(), id_
        assert kept.members(id_) == fresh.members(id_) and kept.size(id_) == fresh.size(id_)
    assert bits(kept._atoms.atoms, kept._atoms.rows) == bits(fresh._atoms.atoms, fresh._atoms.rows)
    users = [{atom.key: atom.users for atom in live._atoms.atoms} for live in (kept, fresh)]
    assert users[0] == users[1]
    people = database._indexes.identities.view().ids_end
    assert counts(kept, people) == counts(fresh, people)
    assert (kept._atoms.row_of_nobody() != 0).sum() == (fresh._atoms.row_of_nobody() != 0).sum()


def history(data: st.DataObject, steps: int) -> None:
    base_us = data.draw(st.sampled_from(NOWS))
    random = Random(data.draw(st.integers(0, 2**32 - 1)))
    living = Living(SCHEMA, base_us, base_us - 2 * DAY_US)
    simple = rules(SCHEMA, base_us, 3, EVALUATED - {InSegment})
    for name in (*SEGMENTS, "s1", "s2", "s3"):
        kind = {"list": MANUAL_KIND, "overridden": OVERRIDES}.get(name, RULE)
        condition = data.draw(simple)
        if name == "nested":
            condition = AnyOf((condition, AllOf(tuple(InSegment(other) for other in SEGMENTS[:2]))))
        living.create(name, kind, LIVE, condition, random.sample(PEOPLE, 4))
    for _ in range(steps):
        name = random.choice(sorted(living.saved))
        match random.randrange(9):
            case 0 | 1 | 2:
                living.write([living.row(random, PEOPLE) for _ in range(random.randint(1, 12))])
            case 3 | 4:
                later = [us for us in instants(base_us) if us > living.now_us] or [living.now_us + DAY_US]
                living.driven.clock.advance_to(random.choice(later[:20]))
                living.database.tick()
            case 5:
                living.merge(*random.sample(PEOPLE, 2), force=True)
            case 6:
                living.erase(random.choice(PEOPLE))
            case 7:
                living.edit_rule(name, data.draw(simple))
            case _:
                living.set_state(name, random.choice(list(SegmentState)))
                living.edit_list(name, random.choice(list(ImportMode)), random.sample(PEOPLE, 3))
        assert_same(living.database)
    living.database.close()


@given(st.data())
@settings(max_examples=8, deadline=None)
def test_kept_current_or_rebuilt_is_the_same(data: st.DataObject) -> None:
    history(data, 14)


@pytest.mark.long
@given(st.data())
@settings(max_examples=200, deadline=None)
def test_kept_current_or_rebuilt_is_the_same_for_longer(data: st.DataObject) -> None:
    history(data, 40)


@pytest.mark.parametrize("people", [BLOCK_IDS - 1, 2 * BLOCK_IDS + 70])
def test_segments_over_several_blocks_are_what_numpy_finds(people: int) -> None:
    """Saved one by one and all anew, with counts past 255 and references among them."""
    random = np.random.default_rng(people)
    score, number = random.integers(0, 5, people), random.integers(0, 4, people)
    number[[0, BLOCK_IDS - 2, people - 1]] = 255, 254, 300
    keys = [f"k{i}" for i in range(people)]
    kept = Kept()
    database = kept.database
    database.write_profiles(ProfileBatch(Texts.of(keys), (Column("score", ValueType(Kind.INT), score),)))
    who = np.repeat(np.arange(people), number)
    for part in np.array_split(random.permutation(who), 3):
        times = np.full(len(part), NOW - 3_600_000_000)
        database.write_events(EventBatch(Texts.of([keys[i] for i in part.tolist()]), "visit", times))
    rules = {
        "high": "score >= 3",
        "twice": "did visit at least 2 times in last 1 days",
        "often": "did visit at least 255 times",
        "both": 'in segment "high" and not in segment "twice"',
        "two": 'at least 2 of (score >= 2, did visit, in segment "both")',
    }
    expected = {
        "high": score >= 3,
        "twice": number >= 2,
        "often": number >= 255,
        "both": (score >= 3) & ~(number >= 2),
    }
    expected["two"] = (score >= 2).astype(int) + (number > 0) + expected["both"] >= 2
    for id_, rule in rules.items():
        database.create_segment(SegmentDraft(id_, rule, id_))
    for live in (database.live, rebuilt(database)):
        for id_, mask in expected.items():
            members = live.members(id_)
            assert members is not None and (bitmaps.to_ids(members) == np.flatnonzero(mask)).all(), id_
            assert live.size(id_) == mask.sum()
    assert_same(database)
    # A batch and a tick that touch everybody, of which several threads take shares.
    database.write_events(EventBatch(Texts.of(keys), "visit", np.full(people, NOW)))
    assert_same(database)
    kept.to(NOW + 86_400_000_000 - 3_600_000_000 + 1)
    assert database.live.size("twice") == 0
    assert_same(database)
    database.check_live()
