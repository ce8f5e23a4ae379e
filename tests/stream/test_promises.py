"""The promises of the change stream, over random histories, whatever is packed, asked for, or resumed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.changes import log as log_module
from headcount_engine.changes import watch as watch_module
from headcount_engine.changes.watch import Start
from tests.stream import validators
from tests.stream.stories import Story
from tests.stream.validators import Heard, Told, changes, records


@pytest.fixture(autouse=True, scope="module")
def _small_parts() -> object:
    """Items of few records and a tail of few versions, so that every seam is met."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch_module, "ITEM_RECORDS", 5)
        patch.setattr(watch_module, "_UNDO_RECORDS", 7)
        patch.setattr(log_module, "_TAIL_VERSIONS_MAX", 3)
        patch.setattr(log_module, "_CHUNK_BYTES_MAX", 2_000)
        yield


ASKED = st.one_of(st.none(), st.frozensets(st.sampled_from(["a", "b", "vip", "z"]), min_size=1))


@given(seed=st.integers(0, 2**32), versions=st.integers(0, 25), asked=ASKED)
@settings(max_examples=40, deadline=None)
def test_a_listener_from_the_oldest_change_hears_everything_once_and_in_order(
    seed: int, versions: int, asked: frozenset[str] | None
) -> None:
    story = Story(random.Random(seed))
    for _ in range(versions):
        story.happens()
    stream = story.heard(story.watch(Start.OLDEST, asked))
    validators.ordered(stream)
    validators.unique(stream)
    validators.alternating(stream, from_nothing=True)
    validators.atomic(stream, story.truth, asked, 0)
    validators.reliable(stream, story.truth, asked, 0)
    validators.progress_holds(stream)
    validators.only_asked(stream, asked)
    validators.foldable(stream, lambda v: story.members_of(v, asked), 0)
    validators.resumable(stream, lambda cursor: story.heard(story.watch(cursor, asked)))
    assert stream[-1] == Told(story.version, stream[-1].cursor)


@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 12),
    between=st.integers(0, 6),
    after=st.integers(0, 6),
    asked=ASKED,
    start=st.sampled_from(Start),
)
@settings(max_examples=40, deadline=None)
def test_initial_members_then_changes_have_neither_gap_nor_overlap(
    seed: int, before: int, between: int, after: int, asked: frozenset[str] | None, start: Start
) -> None:
    """Things go on happening while the initial members are given out, and after."""
    story = Story(random.Random(seed))
    for _ in range(before):
        story.happens()
    began = story.version if start is Start.NOW else 0
    watch = story.watch(start, asked, initial=True)
    stream: list[Heard | Told] = []
    for _ in range(between):
        if (item := watch.take(0)) is not None:
            stream += story.of_item(item)
        story.happens()
    stream += story.heard(watch)
    for _ in range(after):
        story.happens()
    stream += story.heard(watch)
    initial = [r for r in records(stream) if r.change == validators.INITIAL]
    expected = {(s, p) for s, ids in story.members_of(began, asked).items() for p in ids}
    assert {(r.segment, r.profile) for r in initial} == expected
    assert {r.version for r in initial} <= {began}
    validators.ordered(stream)
    validators.unique(stream)
    validators.alternating(stream, from_nothing=True)
    validators.atomic(stream, story.truth, asked, began)
    validators.reliable(stream, story.truth, asked, began)
    validators.progress_holds(stream)
    validators.only_asked(stream, asked)
    validators.foldable(stream, lambda v: story.members_of(v, asked), began)
    # Cursors within the initial members too, long after: who was in then is worked out from who is in now.
    validators.resumable(stream, lambda cursor: story.heard(story.watch(cursor, asked)))


@given(seed=st.integers(0, 2**32), versions=st.integers(1, 25), asked=ASKED)
@settings(max_examples=25, deadline=None)
def test_a_cursor_means_the_same_place_whatever_is_asked_for_with_it(
    seed: int, versions: int, asked: frozenset[str] | None
) -> None:
    story = Story(random.Random(seed))
    for _ in range(versions):
        story.happens()
    chance = random.Random(seed)
    stream = story.heard(story.watch(Start.OLDEST, asked))
    heard = changes(stream)
    for record in chance.sample(heard, min(8, len(heard))):
        rest = changes(story.heard(story.watch(record.cursor, None)))
        assert validators.bare(rest) == validators.bare(r for r in story.truth if r.place > record.place)
    # The end of an item: after all versions that are complete, and after what was heard of the next one.
    for at, told in enumerate(stream):
        if isinstance(told, Told):
            begun = [r.place for r in changes(stream[:at]) if r.version > told.version]
            last = max(begun) if begun else (told.version, "~", True, 0)
            rest = changes(story.heard(story.watch(told.cursor, None)))
            assert validators.bare(rest) == validators.bare(r for r in story.truth if r.place > last)


@pytest.mark.parametrize(
    "broken", ["ordered", "unique", "atomic", "reliable", "progress_holds", "only_asked"]
)
def test_each_validator_refuses_a_stream_that_breaks_its_promise(broken: str) -> None:
    """A validator that accepts anything proves nothing."""
    story = Story(random.Random(7))
    for _ in range(12):
        story.happens()
    good = list(story.heard(story.watch(Start.OLDEST)))
    heard = [i for i, item in enumerate(good) if isinstance(item, Heard)]
    told = [i for i, item in enumerate(good) if isinstance(item, Told)]
    bad = list(good)
    match broken:
        case "ordered":
            bad[heard[0]], bad[heard[1]] = bad[heard[1]], bad[heard[0]]
        case "unique":
            bad.append(bad[heard[0]])
        case "atomic" | "reliable":
            del bad[heard[3]]
        case "progress_holds":
            bad[told[0]] = Told(story.version, "")
        case _:
            pass
    check = {
        "ordered": lambda s: validators.ordered(s),
        "unique": lambda s: validators.unique(s),
        "atomic": lambda s: validators.atomic(s, story.truth, None, 0),
        "reliable": lambda s: validators.reliable(s, story.truth, None, 0),
        "progress_holds": lambda s: validators.progress_holds(s),
        "only_asked": lambda s: validators.only_asked(s, frozenset({"a"}) if s is bad else None),
    }[broken]
    check(good)
    if broken == "only_asked":
        bad = list(good)
    with pytest.raises(AssertionError):
        check(bad)
