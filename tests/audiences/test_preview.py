"""Previews show real members with their attributes: pages without gaps, samples that are uniform and repeat."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from headcount_engine.audiences.preview import Page, Sample
from headcount_engine.audiences.request import AudienceRequest
from headcount_engine.database import Database
from headcount_engine.errors import InvalidArgument, InvalidRule, LimitExceeded, NotFound
from headcount_engine.sending import AudienceName
from tests.audiences.crowds import TYPES, crowd, database_of

PEOPLE = crowd(11, 500)


@pytest.fixture(scope="module")
def database() -> Database:
    return database_of(PEOPLE)


def test_pages_give_every_member_once_in_order(database: Database) -> None:
    wanted = database.members("pro = true").ids.tolist()
    after, seen = -1, list[int]()
    while True:
        page = database.sending.preview("pro = true", part=Page(after), size=7)
        assert page.total == len(wanted)
        seen += page.ids
        if not page.has_more:
            break
        after = page.ids[-1]
    assert seen == wanted


def test_rows_hold_the_chosen_attributes_of_their_profile(database: Database) -> None:
    page = database.sending.preview("everyone", attributes=["spent", "likes"], size=500)
    for person, shown in zip(PEOPLE, page.profiles, strict=True):
        wanted = {n: person.cells[n] for n in ("spent", "likes") if n in person.cells}
        assert (shown.key, shown.attributes) == (person.key, wanted)
        assert shown.tags == person.cells.get("$tags", frozenset())


def test_nothing_chosen_is_everything_but_events_as_get_profile_shows_it(database: Database) -> None:
    page = database.sending.preview("everyone", size=50)
    for shown in page.profiles:
        assert shown == database.get_profile(shown.key, with_events=False)
    assert {name for shown in page.profiles for name in shown.attributes} == {n for n in TYPES if n[0] != "$"}


def test_a_sample_is_those_with_the_smallest_hashes(database: Database) -> None:
    sample = database.sending.preview("pro = true", part=Sample("s"), size=20)
    members = database.keys_of(database.members("pro = true").ids).to_list()
    ordered = sorted(members, key=lambda key: hashlib.md5(f"{key}s".encode()).digest()[:8])
    assert {p.key for p in sample.profiles} == set(ordered[:20])
    assert list(sample.ids) == sorted(sample.ids) and not sample.has_more
    again = database.sending.preview("pro = true", part=Sample("s"), size=20)
    assert again.ids == sample.ids != database.sending.preview("pro = true", part=Sample("t"), size=20).ids


def test_samples_are_uniform(database: Database) -> None:
    times: Counter[int] = Counter()
    for salt in range(300):
        times.update(
            database.sending.preview("everyone", attributes=["age"], part=Sample(f"s{salt}"), size=50).ids
        )
    # 300 draws of a tenth: 30 each, with a deviation of 5.2; the 500 of them lie within five deviations.
    assert len(times) == 500 and min(times.values()) > 30 - 26 and max(times.values()) < 30 + 26


def test_a_resolved_audience_is_shown_as_it_was_resolved(database: Database) -> None:
    answer = database.sending.resolve(AudienceRequest(["pro = true"], ["age > 0"]))
    page = database.sending.preview(AudienceName(answer.name), attributes=["age"], size=1_000)
    assert page.ids == tuple(database.members("pro = true and not age > 0").ids.tolist())
    assert page.total == answer.size


def test_what_cannot_be_shown_is_refused(database: Database) -> None:
    preview = database.sending.preview
    with pytest.raises(InvalidArgument) as refused:
        preview("everyone", attributes=["age", "nope"])
    assert refused.value.path == "attributes[1]"
    with pytest.raises(LimitExceeded, match="preview_rows"):
        preview("everyone", size=1_001)
    with pytest.raises(InvalidArgument):
        preview("everyone", size=0)
    with pytest.raises(InvalidRule):
        preview("nope = 1")
    with pytest.raises(NotFound):
        preview(AudienceName("nope"))
