"""Segments that hold lists: adding, removing, importing, overriding, freezing; what is refused and what is reported."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headcount_engine.database import Database
from headcount_engine.errors import (
    FailedPrecondition,
    HasDependents,
    InvalidRule,
    InvalidValue,
    LimitExceeded,
    NotFound,
)
from headcount_engine.limits import Limits
from headcount_engine.model.answers import SegmentChanges, SegmentDraft, SegmentQuery, Settings
from headcount_engine.model.batches import Reason, Texts
from headcount_engine.model.segments import ImportMode, NamedPeople, SegmentKind, SegmentState
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, profiles

MANUAL, OVERRIDES = SegmentKind.MANUAL, SegmentKind.OVERRIDES


def filled(path: Path | None = None) -> Database:
    database = Database.open(path)
    keys = [f"p{i}" for i in range(10)]
    database.write_profiles(
        profiles(
            keys,
            column("n", Kind.INT, list(range(10))),
            column("email", Kind.TEXT, [f"{key}@x.se" for key in keys], is_identifier=True),
        )
    )
    return database


@pytest.fixture
def database() -> Database:
    return filled()


def keyed(*keys: str) -> list[NamedPeople]:
    return [NamedPeople(Texts.of(list(keys)))]


def members(database: Database, segment: str) -> set[str]:
    """By the set path, which the one-profile path must agree with."""
    rule = f'in segment "{segment}"'
    found = set(database.keys_of(database.members(rule).ids).to_list())
    everyone = database.keys_of(database.members("everyone").ids).to_list()
    assert {key for key in everyone if database.check(key, [rule]).results[0]} == found
    assert database.get_segment(segment).size == len(found)
    return found


def state(database: Database, segment: str, to: SegmentState) -> None:
    database.update_segment(segment, SegmentChanges(state=to))


def test_a_manual_segment_holds_exactly_what_was_added(database: Database) -> None:
    database.create_segment(SegmentDraft("list", kind=MANUAL, source="crm"))
    assert members(database, "list") == set()
    database.add_members("list", keyed("p1", "p2"))
    database.write_profiles(profiles(["p1"], column("n", Kind.INT, [99])))
    database.remove_members("list", keyed("p2", "p9"))
    assert members(database, "list") == {"p1"}
    held = database.get_segment("list")
    assert (held.kind, held.rule, held.source) == (MANUAL, "", "crm")


def test_each_row_without_effect_is_told_with_its_place(database: Database) -> None:
    database.create_segment(SegmentDraft("list", kind=MANUAL))
    done = database.add_members(
        "list",
        [
            NamedPeople(Texts.of(["p1", "ghost", "p1", "", "p2"])),
            NamedPeople(Texts.of(["p2@x.se", "nobody@x.se", "p3@x.se", "\x00"]), "email"),
        ],
    )
    assert [(row.row, row.reason) for row in done.rejected] == [
        (1, Reason.UNKNOWN_PROFILE),
        (2, Reason.DUPLICATE),
        (3, Reason.BAD_KEY),
        (5, Reason.DUPLICATE),
        (6, Reason.UNKNOWN_PROFILE),
        (8, Reason.BAD_KEY),
    ]
    assert (done.rows, done.joined, done.left, done.size) == (9, 3, 0, 3)
    assert (done.unknown, done.duplicates, done.malformed) == (2, 2, 2)
    assert database.status().profiles == 10, "an unknown one was created"
    assert members(database, "list") == {"p1", "p2", "p3"}
    with pytest.raises(NotFound):
        database.add_members("list", [NamedPeople(Texts.of(["a"]), "phone")])


def test_only_the_first_thousand_rows_are_told_and_all_are_counted(database: Database) -> None:
    database.create_segment(SegmentDraft("list", kind=MANUAL))
    done = database.add_members("list", keyed(*(f"ghost {i}" for i in range(1_500))))
    assert (len(done.rejected), done.unknown) == (1_000, 1_500)


def test_imports_append_replace_or_remove_and_are_idempotent(database: Database) -> None:
    database.create_segment(SegmentDraft("list", kind=MANUAL))

    def run(mode: ImportMode, *keys: str) -> tuple[int, int, int]:
        done = database.import_members("list", keyed(*keys), mode, allow_empty=True)
        again = database.import_members("list", keyed(*keys), mode, allow_empty=True)
        assert (again.joined, again.left, again.size, again.version) == (0, 0, done.size, done.version)
        return done.joined, done.left, done.size

    assert run(ImportMode.APPEND, "p1", "p2") == (2, 0, 2)
    assert run(ImportMode.REPLACE, "p2", "p3", "p4") == (2, 1, 3)
    assert run(ImportMode.REMOVE, "p4", "p9") == (0, 1, 2)
    assert members(database, "list") == {"p2", "p3"}
    assert run(ImportMode.REPLACE) == (0, 2, 0)


@pytest.mark.parametrize("keys", [[], ["nobody", "nowhere"], ["", "x" * 10_000]])
@pytest.mark.parametrize("kind", [MANUAL, SegmentKind.OVERRIDES])
def test_rows_that_name_nobody_replace_nobody_unless_it_is_meant(
    database: Database, kind: SegmentKind, keys: list[str]
) -> None:
    # A file of the wrong kind, or an empty one, wiped the list.
    rule = "n >= 100" if kind is SegmentKind.OVERRIDES else ""
    database.create_segment(SegmentDraft("list", rule, kind=kind))
    database.add_members("list", keyed("p1", "p2"))
    version = database.status().version
    with pytest.raises(FailedPrecondition, match="allow_empty"):
        database.import_members("list", keyed(*keys), ImportMode.REPLACE)
    assert (members(database, "list"), database.status().version) == ({"p1", "p2"}, version)
    assert database.import_members("list", keyed(*keys), ImportMode.REMOVE).left == 0
    assert database.import_members("list", keyed(*keys), ImportMode.APPEND).joined == 0
    assert database.import_members("list", keyed(*keys), ImportMode.REPLACE, allow_empty=True).left == 2
    assert members(database, "list") == set()


def test_overrides_stick_both_ways(database: Database) -> None:
    database.create_segment(SegmentDraft("o", "n >= 5", kind=OVERRIDES))
    assert database.add_members("o", keyed("p1", "p6")).joined == 1
    assert database.remove_members("o", keyed("p9", "p0")).left == 1
    assert members(database, "o") == {"p1", "p5", "p6", "p7", "p8"}
    database.write_profiles(profiles(["p0", "p6"], column("n", Kind.INT, [50, 0])))
    assert members(database, "o") == {"p1", "p5", "p6", "p7", "p8"}
    database.add_members("o", keyed("p9"))
    database.remove_members("o", keyed("p1"))
    assert members(database, "o") == {"p5", "p6", "p7", "p8", "p9"}
    done = database.import_members("o", keyed("p0"), ImportMode.REPLACE)
    assert (done.joined, done.left) == (1, 1), "p6 goes back to its rule, p9 matches it"
    assert members(database, "o") == {"p0", "p5", "p7", "p8", "p9"}


def test_a_segment_of_a_rule_takes_nobody_by_hand(database: Database) -> None:
    database.create_segment(SegmentDraft("rule", "n >= 5"))
    for ask in (database.add_members, database.remove_members):
        with pytest.raises(FailedPrecondition, match="follow from its rule"):
            ask("rule", keyed("p1"))


@pytest.mark.parametrize("to", [SegmentState.PAUSED, SegmentState.ARCHIVED])
@pytest.mark.parametrize("kind", list(SegmentKind))
def test_frozen_members_stay_as_they_were_and_go_on_where_they_would_be(
    database: Database, kind: SegmentKind, to: SegmentState
) -> None:
    rule = "" if kind is MANUAL else "n >= 5"
    database.create_segment(SegmentDraft("s", rule, kind=kind, holding="n >= 5" if kind is MANUAL else ""))
    database.create_segment(SegmentDraft("outside", 'not in segment "s"'))
    state(database, "s", to)
    database.write_profiles(profiles(["p0", "p9", "new"], column("n", Kind.INT, [50, 0, 70])))
    assert members(database, "s") == {"p5", "p6", "p7", "p8", "p9"}
    assert members(database, "outside") == {"p0", "p1", "p2", "p3", "p4", "new"}
    if kind is not SegmentKind.RULE:
        with pytest.raises(FailedPrecondition, match=to.value):
            database.add_members("s", keyed("p1"))
    state(database, "s", SegmentState.LIVE)
    expected = {"p5", "p6", "p7", "p8", "p9"} if kind is MANUAL else {"p0", "p5", "p6", "p7", "p8", "new"}
    assert members(database, "s") == expected


def test_a_paused_segment_can_be_edited_and_the_edit_waits(database: Database) -> None:
    database.create_segment(SegmentDraft("s", "n >= 8"))
    state(database, "s", SegmentState.PAUSED)
    database.update_segment("s", SegmentChanges(rule="n < 2"))
    assert members(database, "s") == {"p8", "p9"}
    state(database, "s", SegmentState.ARCHIVED)
    assert members(database, "s") == {"p8", "p9"}
    state(database, "s", SegmentState.LIVE)
    assert members(database, "s") == {"p0", "p1"}


def test_a_draft_is_evaluated_and_no_live_segment_may_refer_to_it(database: Database) -> None:
    database.create_segment(SegmentDraft("draft", "n >= 8", state=SegmentState.DRAFT))
    assert members(database, "draft") == {"p8", "p9"}
    with pytest.raises(InvalidRule, match="draft"):
        database.create_segment(SegmentDraft("user", 'in segment "draft"'))
    database.create_segment(SegmentDraft("user", 'in segment "draft"', state=SegmentState.DRAFT))
    with pytest.raises(InvalidRule, match="draft"):
        state(database, "user", SegmentState.LIVE)
    state(database, "draft", SegmentState.LIVE)
    state(database, "user", SegmentState.LIVE)
    with pytest.raises(HasDependents):
        state(database, "draft", SegmentState.DRAFT)


def test_a_list_can_begin_with_the_members_of_a_rule_or_a_union(database: Database) -> None:
    database.create_segment(SegmentDraft("high", "n >= 8"))
    database.create_segment(SegmentDraft("low", "n < 1"))
    union = 'in segment "high" or in segment "low"'
    would = database.create_segment(SegmentDraft("both", kind=MANUAL, holding=union), validate_only=True)
    assert would.size == 3 and database.list_segments().total_size == 2
    database.create_segment(SegmentDraft("both", kind=MANUAL, holding=union))
    database.write_profiles(profiles(["p0", "p1"], column("n", Kind.INT, [5, 0])))
    assert members(database, "both") == {"p0", "p8", "p9"}
    assert database.get_segment("both").references == ()
    with pytest.raises(InvalidValue):
        database.create_segment(SegmentDraft("x", "n > 1", holding=union))


def test_a_copy_is_deep_and_goes_its_own_way(database: Database) -> None:
    database.create_segment(
        SegmentDraft("o", "n >= 5", kind=OVERRIDES, labels={"team": "crm"}, retention_us=5, source="x")
    )
    database.add_members("o", keyed("p1"))
    database.remove_members("o", keyed("p9"))
    copy = database.duplicate_segment("o", "", "")
    assert (copy.name, copy.kind, copy.labels, copy.retention_us) == (
        "Copy of o",
        OVERRIDES,
        {"team": "crm"},
        5,
    )
    database.remove_members("o", keyed("p1"))
    assert members(database, copy.id) == {"p1", "p5", "p6", "p7", "p8"}
    state(database, "o", SegmentState.PAUSED)
    frozen = database.duplicate_segment("o", "frozen", "frozen")
    database.write_profiles(profiles(["p5"], column("n", Kind.INT, [0])))
    assert frozen.state is SegmentState.PAUSED and "p5" in members(database, "frozen")
    database.delete_segment("o")
    assert "p5" in members(database, "frozen") and "p5" not in members(database, copy.id)


def test_what_does_not_go_together_is_refused(database: Database) -> None:
    drafts = [
        SegmentDraft("x", "n > 1", kind=MANUAL),
        SegmentDraft("x", kind=OVERRIDES),
        SegmentDraft("x", kind=MANUAL, retention_us=1),
        SegmentDraft("x", "n > 1", retention_us=-1),
        SegmentDraft("x", "n > 1", retention_us=10**18),
        SegmentDraft("x", "n > 1", state=SegmentState.PAUSED),
    ]
    for draft in drafts:
        with pytest.raises(InvalidValue):
            database.create_segment(draft)
    with pytest.raises(LimitExceeded):
        database.create_segment(SegmentDraft("x", kind=MANUAL, source="s" * 1_000))
    database.create_segment(SegmentDraft("list", kind=MANUAL))
    with pytest.raises(InvalidValue):
        database.update_segment("list", SegmentChanges(rule="n > 1"))
    assert database.list_segments().total_size == 1


def test_too_many_rows_are_refused_whole() -> None:
    database = Database.open(None, limits=Limits(batch_rows=3))
    database.write_profiles(profiles(["a"]))
    database.create_segment(SegmentDraft("list", kind=MANUAL))
    with pytest.raises(LimitExceeded):
        database.add_members("list", keyed("a", "b", "c", "d"))
    assert members(database, "list") == set()


def test_asked_at_another_instant_lists_are_as_now_and_the_answer_says_so(database: Database) -> None:
    database.create_segment(SegmentDraft("list", kind=MANUAL, holding="n < 3"))
    database.create_segment(SegmentDraft("rule", "n < 3"))
    asked = database.count('in segment "list"', at_us=1_000)
    assert asked.count == 3 and any("list" in warning for warning in asked.warnings)
    assert database.members('in segment "list"', at_us=1_000).warnings == asked.warnings
    assert database.node_sizes('in segment "list"', at_us=1_000).warnings == asked.warnings
    assert not database.count('in segment "list"').warnings
    assert not database.count('in segment "rule"', at_us=1_000).warnings
    state(database, "rule", SegmentState.PAUSED)
    assert database.count('in segment "rule"', at_us=1_000).warnings


def test_explain_shows_the_rule_and_the_hand(database: Database) -> None:
    database.create_segment(SegmentDraft("o", "n >= 5", kind=OVERRIDES))
    database.add_members("o", keyed("p1"))
    database.remove_members("o", keyed("p9"))
    added = database.explain("p1", 'in segment "o"').explanation
    removed = database.explain("p9", 'in segment "o"').explanation
    assert added is not None and removed is not None
    assert added.holds and [(c.text, c.holds) for c in added.tree.children] == [
        ("n >= 5", False),
        ("on the list", True),
    ]
    assert not removed.holds and [(c.text, c.holds) for c in removed.tree.children] == [
        ("n >= 5", True),
        ("on the list", False),
        ("removed by hand", True),
    ]


def test_everything_survives_a_checkpoint_and_a_log(tmp_path: Path) -> None:
    rules = ["m", "o", "p"]

    def kept(database: Database) -> list[object]:
        held = [database.get_segment(id_) for id_ in rules]
        return [
            (
                s.kind,
                s.state,
                s.retention_us,
                s.retention_is_for_unknown,
                s.source,
                s.etag,
                members(database, s.id),
            )
            for s in held
        ]

    database = filled(tmp_path)
    database.create_segment(SegmentDraft("m", kind=MANUAL, holding="n < 4", source="dmp"))
    database.create_segment(
        SegmentDraft(
            "o", "n >= 5", kind=OVERRIDES, retention_us=7 * 86_400_000_000, retention_is_for_unknown=True
        )
    )
    database.create_segment(SegmentDraft("p", "n >= 5"))
    database.add_members("o", keyed("p1"))
    database.checkpoint()
    database.remove_members("o", keyed("p9"))
    database.remove_members("m", keyed("p1"))
    state(database, "p", SegmentState.PAUSED)
    database.write_profiles(profiles(["p5"], column("n", Kind.INT, [0])))
    before = kept(database)
    database._lock.release()  # type: ignore[union-attr] # as if the process had died: only the log has the last writes
    again = Database.open(tmp_path)
    assert kept(again) == before
    again.close()
    last = Database.open(tmp_path)
    assert kept(last) == before
    last.close()


def test_a_folder_is_names_with_slashes_between_them(database: Database) -> None:
    made = database.create_segment(SegmentDraft("a", "n > 1", "a", folder="/spring/caf\u0065\u0301/"))
    assert made.folder == "spring/caf\u00e9"
    for asked in ("spring/", "/spring", "spring/caf\u0065\u0301/"):
        assert [s.id for s in database.list_segments(SegmentQuery(folder=asked)).segments] == ["a"], asked
    for bad in ("a//b", "/a/../b", "a/.", "..", "a\0b", "a/ /b", "a\u200bb", "\ud800"):
        with pytest.raises(InvalidValue) as refused:
            database.create_segment(SegmentDraft("b", "n > 1", "b", folder=bad))
        assert refused.value.path == "segment.folder"
        with pytest.raises(InvalidValue):
            database.update_segment("a", SegmentChanges(folder=bad))
        with pytest.raises(InvalidValue) as refused:
            database.list_segments(SegmentQuery(folder=bad))
        assert refused.value.path == "folder"
    assert database.update_segment("a", SegmentChanges(folder="/")).folder == ""


def test_copies_without_a_name_are_numbered(database: Database) -> None:
    database.create_segment(SegmentDraft("o", "n > 1"))
    names = [database.duplicate_segment("o", f"copy-{i}", "").name for i in range(3)]
    assert names == ["Copy of o", "Copy of o (2)", "Copy of o (3)"]


def test_folders_kinds_states_and_texts_narrow_a_list(database: Database) -> None:
    for id_, folder, kind in (
        ("a", "spring", MANUAL), ("b", "spring/mail", MANUAL), ("c", "springtime", None), ("d", "", None)
    ):  # fmt: skip
        rule = "" if kind is MANUAL else "n > 3"
        database.create_segment(SegmentDraft(f"name {id_}", rule, f"id-{id_}", folder=folder, kind=kind))
    state(database, "id-d", SegmentState.ARCHIVED)

    def ids(query: SegmentQuery) -> str:
        return "".join(s.id[-1] for s in database.list_segments(query).segments)

    assert ids(SegmentQuery()) == "abc"
    assert ids(SegmentQuery(folder="spring")) == "ab"
    assert ids(SegmentQuery(folder="")) == ""
    assert ids(SegmentQuery(kind=MANUAL)) == "ab" and ids(SegmentQuery(kind=SegmentKind.RULE)) == "c"
    assert ids(SegmentQuery(states=frozenset(SegmentState), order_by="id desc")) == "dcba"
    assert ids(SegmentQuery(text="ID-C")) == "c"


def test_what_was_made_before_an_instant_or_under_an_older_level_is_marked() -> None:
    from headcount_engine.membership.pages import legacy_reason

    database = Database.open(None, settings=Settings(legacy_before_us=253_000_000_000_000_000))
    database.create_segment(SegmentDraft("old", "everyone"))
    assert "created before" in database.get_segment("old").legacy_reason
    definition = database._catalogue.get("old")
    assert legacy_reason(definition, Settings()) == ""
    assert "level 1" in legacy_reason(definition, Settings(), level=2)


OPERATIONS = ("append", "replace", "remove", "pause", "archive", "go on", "write", "edit")


@given(seed=st.integers(0, 2**32), kind=st.sampled_from([MANUAL, OVERRIDES, SegmentKind.RULE]))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_history_gives_what_plain_sets_give(seed: int, kind: SegmentKind) -> None:
    rng = random.Random(seed)
    database, numbers, bound = filled(), {f"p{i}": i for i in range(10)}, 5
    rule = "" if kind is MANUAL else "n >= 5"
    database.create_segment(SegmentDraft("s", rule, kind=kind))
    added: set[str] = set()
    removed: set[str] = set()
    frozen: set[str] | None = None

    def expected() -> set[str]:
        if frozen is not None:
            return frozen
        matching = set() if kind is MANUAL else {k for k, n in numbers.items() if n >= bound}
        return (matching | added) - removed

    for _ in range(14):
        keys = {f"p{rng.randrange(14)}" for _ in range(rng.randrange(5))}
        known, before = keys & numbers.keys(), expected()
        match rng.choice(OPERATIONS):
            case "append" | "replace" | "remove" as mode:
                try:
                    done = database.import_members(
                        "s", keyed(*sorted(keys)), ImportMode(mode), allow_empty=True
                    )
                except FailedPrecondition:
                    assert kind is SegmentKind.RULE or frozen is not None
                    continue
                if mode == "remove":
                    added -= known
                    removed |= known if kind is OVERRIDES else set()
                else:
                    added = known | (added if mode == "append" else set())
                    removed -= known
                after = expected()
                assert (done.joined, done.left, done.size) == (
                    len(after - before),
                    len(before - after),
                    len(after),
                )
            case "pause" | "archive" as how:
                frozen = before
                state(database, "s", SegmentState.PAUSED if how == "pause" else SegmentState.ARCHIVED)
            case "go on":
                frozen = None
                state(database, "s", SegmentState.LIVE)
            case "write":
                row = {key: rng.randrange(10) for key in keys}
                numbers |= row
                if row:
                    database.write_profiles(profiles(list(row), column("n", Kind.INT, list(row.values()))))
            case _ if kind is not MANUAL:
                bound = rng.randrange(10)
                database.update_segment("s", SegmentChanges(rule=f"n >= {bound}"))
        assert members(database, "s") == expected()
        database._catalogue.lists._check()
