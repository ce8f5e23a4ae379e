"""The client against the server itself, and against an engine in this process: what one encodes, the other reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from headcount import (
    BY_SEGMENTS,
    Aborted,
    AlreadyExists,
    Client,
    Event,
    EventColumns,
    FailedPrecondition,
    HeadcountError,
    InvalidArgument,
    InvalidRule,
    NotFound,
    ProfileColumns,
    ProfileUpdate,
    Relation,
    attribute,
    by_attribute,
    by_event,
    connect,
    consent,
    did,
    segment,
    tag,
)
from headcount.settings import NEVER
from headcount.v1 import condition_pb2
from headcount_server.app import build
from headcount_server.config import ServerConfig

NOW = dt.datetime(2024, 6, 15, 12, tzinfo=dt.UTC)
YESTERDAY = NOW - dt.timedelta(days=1)


@pytest.fixture(params=["server", "local"])
def connected(request: pytest.FixtureRequest) -> Iterator[Client]:
    if request.param == "local":
        with connect("local:?clock_start=2024-06-15T12:00:00Z", timeout=60) as client:
            yield client
        return
    config = ServerConfig(listen="127.0.0.1:0", clock_start="2024-06-15T12:00:00Z", grace_s=1)
    with build(config) as running, Client(running.address, timeout=60) as client:
        yield client


@pytest.fixture
def headcount(connected: Client) -> Iterator[Client]:
    with connected as client:
        client.declare_attributes({"spent": "decimal(2)", "interests": "set", "born": "date", "age": "int"})
        yield client


def test_rows_and_columns_and_streams_of_the_same_people_count_the_same(headcount: Client) -> None:
    headcount.upsert_profiles(
        [
            ProfileUpdate(f"r{i}", {"age": i, "plan": "pro", "spent": Decimal("1.50"), "interests": ["a"]})
            for i in range(10)
        ]
    )
    headcount.upsert_profiles(
        ProfileColumns(
            [f"c{i}" for i in range(10)],
            {
                "age": list(range(10)),
                "plan": ["pro"] * 10,
                "spent": [Decimal("1.50")] * 10,
                "interests": [["a"]] * 10,
            },
        )
    )
    with headcount.ingest() as writer:
        for i in range(10):
            writer.profile(f"s{i}", {"age": i, "plan": "pro", "spent": Decimal("1.50"), "interests": ["a"]})
    version = writer.summary.version
    rule = (
        (attribute("age") >= 4)
        & (attribute("plan") == "pro")
        & (attribute("spent") == Decimal("1.5"))
        & attribute("interests").any_of(["a"])
    )
    found = headcount.count(rule, min_version=version)
    assert (found.count, found.total) == (18, 30)
    assert found.version >= version


def test_events_arrive_by_row_and_by_column(headcount: Client) -> None:
    headcount.track([Event("buy", "a", YESTERDAY, "1", {"amount": 2.5}), Event("buy", "a", YESTERDAY, "1")])
    receipt = headcount.track(
        EventColumns("buy", ["a", "b"], [YESTERDAY, YESTERDAY], ["2", "3"], {"amount": [1.0, None]})
    )
    assert (receipt.accepted_rows, receipt.created_profiles) == (2, 1)
    assert headcount.count(did("buy").at_least(2).within(days=7)).count == 1
    assert headcount.count(did("buy").where(attribute("amount") > 2)).count == 1


def test_a_null_in_rows_and_in_a_column_of_nothing_else_takes_the_value_away(headcount: Client) -> None:
    headcount.upsert_profiles([{"key": "a", "age": 1}, {"key": "b", "age": 2}])
    headcount.upsert_profiles([{"key": "a", "age": None}])
    receipt = headcount.upsert_profiles(ProfileColumns(["b"], {"age": [None]}))
    assert receipt.rejected_rows == ()
    assert headcount.count(attribute("age").exists()).count == 0


def test_one_bad_row_is_reported_and_the_others_are_applied(headcount: Client) -> None:
    receipt = headcount.upsert_profiles(
        [{"key": "a", "age": 1}, {"key": "b", "age": "old"}, {"key": "", "age": 3}]
    )
    assert receipt.accepted_rows == 1
    assert [rejected.row for rejected in receipt.rejected_rows] == [1, 2]


def test_segments_are_made_read_checked_and_deleted(headcount: Client) -> None:
    headcount.upsert_profiles(
        [ProfileUpdate("a", {"age": 20}, tags_added=["vip"]), ProfileUpdate("b", {"age": 40})]
    )
    doubtful = headcount.create_segment("s", "age > 5 and age < 3", validate_only=True)
    assert "can never match" in doubtful.warnings[0].message
    made = headcount.create_segment("grown", attribute("age") > 30)
    assert (made.id, made.size) == ("grown", 1)
    with pytest.raises(AlreadyExists):
        headcount.create_segment("grown", attribute("age") > 30)
    assert [found.id for found in headcount.list_segments()] == ["grown"]
    membership = headcount.check("b", "grown", rules=[tag("vip"), segment("grown")])
    assert (membership["grown"], membership.rules) == (True, (False, True))
    table = headcount.check_many(["a", "b", "nobody"], "grown", rules=[tag("vip")])
    assert [[table.is_member(row, q) for q in (0, 1)] for row in range(3)] == [
        [False, True], [True, False], [False, False],
    ]  # fmt: skip
    assert list(headcount.memberships("b")) == ["grown"]
    headcount.delete_segment("grown")
    with pytest.raises(NotFound):
        headcount.get_segment("grown")


def test_a_misspelt_name_comes_back_with_what_was_meant(headcount: Client) -> None:
    with pytest.raises(InvalidRule) as raised:
        headcount.count("agee > 3")
    assert raised.value.reason == "UNKNOWN_NAME"
    assert raised.value.suggestions == ("age",)


def test_a_rule_that_cannot_be_read_comes_back_with_its_place(headcount: Client) -> None:
    with pytest.raises(InvalidRule) as raised:
        headcount.count("age > 3\n  and plan ==")
    assert (raised.value.line, raised.value.column) == (2, 12)


def test_the_server_tells_how_it_is(headcount: Client) -> None:
    headcount.upsert_profiles([{"key": "a"}])
    status = headcount.wait_ready(timeout=5)
    assert status.profiles == 1
    assert headcount.get_schema().attributes["spent"].type == "decimal(2)"


def test_an_editor_sees_sizes_reasons_changes_plans_and_both_forms(headcount: Client) -> None:
    headcount.upsert_profiles(
        [{"key": f"k{i}", "age": i, "plan": "pro" if i % 2 else "free"} for i in range(10)]
    )
    version = headcount.track([Event("buy", "k3", YESTERDAY)]).version
    rule = (attribute("age") >= 3) & did("buy").within(days=3)
    sized = headcount.count(rule, node_sizes=True, min_version=version)
    assert [(n.path, n.count) for n in sized.node_sizes] == [("", 1), ("0", 7), ("1", 1)]

    why = headcount.explain("k3", rule)
    assert why and why.exists and why.next_change == YESTERDAY + dt.timedelta(days=3)
    assert [(n.depth, n.holds, n.actual) for n in why.nodes] == [(0, True, None), (1, True, 3), (1, True, 1)]
    why_not = headcount.explain("k1", rule)
    assert not why_not
    assert why_not.decisive_leaves == ("age >= 3", "did buy in last 3 days")
    assert not headcount.explain("stranger", rule).exists

    change = headcount.compare(rule, attribute("age") >= 8, by=["plan", "age"], groups=1, sample_size=5)
    assert (change.before_size, change.after_size, change.joined, change.left) == (1, 2, 2, 1)
    assert change.relation is Relation.DISJOINT and change.proved is None
    assert headcount.compare(attribute("age") >= 8, attribute("age") >= 9).proved is Relation.CONTAINS
    assert (change.joined_keys, change.left_keys) == (("k8", "k9"), ("k3",))
    plans = change.by_attribute["plan"]
    assert [(g.value, g.joined, g.left) for g in plans.groups] == [("pro", 1, 1)]
    assert (plans.other.joined, plans.other.left, plans.absent.joined) == (1, 0, 0)
    assert isinstance(change.by_attribute["age"].groups[0].value, int)

    plan = headcount.plan(rule)
    assert plan.steps[0].size == 1 and plan.steps[0].depth == 0
    assert len(str(plan).splitlines()) == len(plan.steps) >= 3

    parsed = headcount.parse("age>=3 AND did buyy")
    assert str(parsed) == "age >= 3 and did buyy"
    assert condition_pb2.Condition.FromString(parsed.condition).children[0].compare.attribute == "age"
    assert "buy" in parsed.warnings[0].message
    with pytest.raises(InvalidRule) as refused:
        headcount.parse("age >= 3 and colour = 1")
    assert (refused.value.line, refused.value.column, refused.value.path) == (1, 14, "1")
    assert headcount.parse("colour = 1", syntax_only=True).text == "colour = 1"


def test_a_segment_is_tried_and_consent_is_given(headcount: Client) -> None:
    headcount.upsert_profiles([ProfileUpdate("a", consents={"news": True}), ProfileUpdate("b")])
    tried = headcount.create_segment("s", consent("news"), validate_only=True)
    assert tried.size == 1
    with pytest.raises(NotFound):
        headcount.get_segment("s")
    (answer,) = headcount.get_profile("a").consents
    assert (answer.topic, answer.subscribed) == ("news", True)


def test_many_threads_share_a_checker_and_each_gets_its_own_answers(headcount: Client) -> None:
    headcount.upsert_profiles([{"key": f"p{i}", "age": i} for i in range(300)])
    headcount.create_segment("even", "age in (0, 2, 4, 6, 8)")
    with headcount.checker("even", rules=[attribute("age") >= 100], batch_max=50, in_flight=2) as checker:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(checker.check, [f"p{i}" for i in range(301)]))
        futures = [checker.ask(f"p{i}") for i in range(200)]
    for i, answer in enumerate(found):
        assert (answer.key, answer.exists) == (f"p{i}", i < 300)
        assert answer["even"] is (i in (0, 2, 4, 6, 8))
        assert answer.rules == (100 <= i < 300,)
    # Closing waits for what was asked before.
    assert [future.result(timeout=0).rules[0] for future in futures] == [i >= 100 for i in range(200)]
    with pytest.raises(HeadcountError) as closed:
        checker.check("p1")
    assert closed.value.reason == "CHECKER_CLOSED"


def test_a_check_that_fails_ends_the_checker_for_everyone_who_waits(headcount: Client) -> None:
    with headcount.checker("gone") as checker:
        with pytest.raises(InvalidRule):
            checker.check("a")
        with pytest.raises(InvalidRule):
            checker.check("b")
    with pytest.raises(InvalidArgument):
        headcount.checker()
    with headcount.checker(rules=["everyone"]) as checker, pytest.raises(InvalidArgument):
        checker.ask("")


def test_settings_are_read_changed_and_guarded_by_their_etag(headcount: Client) -> None:
    before = headcount.get_settings()
    assert (before.default_zone, before.first_day_of_week, before.infers_schema) == ("UTC", 0, True)
    assert before.deduplication_horizon == dt.timedelta(days=7) and before.limits["rule_depth"] == 64
    after = headcount.update_settings(
        default_zone="Asia/Tokyo",
        first_day_of_week=6,
        infers_schema=False,
        opt_out_topics=["news"],
        legacy_before=YESTERDAY,
        etag=before.etag,
    )
    assert (after.default_zone, after.first_day_of_week, after.infers_schema) == ("Asia/Tokyo", 6, False)
    assert (after.opt_out_topics, after.legacy_before) == ({"news"}, YESTERDAY)
    assert after.etag != before.etag and after.version > before.version
    assert headcount.get_settings().etag == after.etag
    with pytest.raises(Aborted):
        headcount.update_settings(infers_schema=True, etag=before.etag)
    assert headcount.update_settings(legacy_before=NEVER).legacy_before is None
    with pytest.raises(InvalidArgument):
        headcount.update_settings(default_zone="Mars/Olympus")
    with pytest.raises(InvalidArgument):
        headcount.update_settings()
    headcount.create_segment("born", "born this year")
    with pytest.raises(FailedPrecondition, match="born"):
        headcount.update_settings(default_zone="UTC")


def test_analytics_come_back_as_numbers_and_rules(headcount: Client) -> None:
    headcount.upsert_profiles(
        [{"key": f"p{i}", "age": i, "plan": ("free", "pro")[i % 2], "spent": Decimal(i)} for i in range(20)]
    )
    headcount.track([Event("buy", f"p{i}", YESTERDAY) for i in range(0, 20, 4)])
    headcount.create_segment("pros", 'plan = "pro"')
    overlap = headcount.overlap("pros", rules=[attribute("age") >= 10, did("buy")])
    assert overlap.labels == ("pros", "age >= 10", "did buy")
    assert overlap.matrix == ((10, 5, 0), (5, 10, 2), (0, 2, 5))
    assert overlap.jaccard(0, 1) == pytest.approx(1 / 3) and overlap.lift(0, 1) == pytest.approx(1.0)
    assert headcount.count(overlap.rule(1, 2)).count == 2
    found = headcount.breakdown(
        segment("pros"),
        "plan",
        by_attribute("spent", edges=[5, Decimal("10.5")]),
        by_event("buy"),
        BY_SEGMENTS,
    )
    plans, spent, bought, segments = found.breakdowns
    assert [(g.value, g.count, g.share, g.lift) for g in plans.groups] == [("pro", 10, 1.0, 2.0)]
    assert [(g.value, g.upper, g.count) for g in spent.groups] == [
        (None, 5, 2), (5, Decimal("10.5"), 3), (Decimal("10.5"), None, 5),
    ]  # fmt: skip
    assert [(g.value, g.count) for g in bought.groups] == [(0, 10)] and bought.other.total_count == 5
    assert [(g.value, g.total_count) for g in segments.groups] == [("pros", 10)]
    affinity = headcount.affinity(did("buy"), look_alikes=2)
    assert {t.rule for t in affinity.traits} >= {"did buy", 'plan = "free"'}
    assert len(affinity.look_alikes) == 2
    statistics = headcount.statistics("pros", by=["plan"], overlap_with=["pros"])
    assert (statistics.size, statistics.overlaps[0].both) == (10, 10)


def test_bad_rows_fall_one_by_one_whoever_refuses_them(headcount: Client) -> None:
    headcount.upsert_profiles([{"key": "a", "city": "Rome"}])
    receipt = headcount.upsert_profiles(
        [
            {"key": "a", "age": 1},
            {"key": "b", "age": float("nan")},
            ProfileUpdate("c", increments={"city": 1}),
            {"key": "d", "age": 2**63},
            {"key": "e", "seen": dt.datetime(2024, 1, 1)},
            {"key": "f", "plan": "\ud800"},
            {"key": "g", "age": 7},
        ],
        return_segments=True,
    )
    assert receipt.accepted_rows == 2
    assert [(row.row, row.field, row.reason) for row in receipt.rejected_rows] == [
        (1, "age", "BAD_VALUE"),
        (2, "city", "WRONG_TYPE"),
        (3, "age", "BAD_VALUE"),
        (4, "seen", "BAD_VALUE"),
        (5, "plan", "BAD_VALUE"),
    ]
    assert receipt.segments is not None and len(receipt.segments.rows) == 7
    assert headcount.count("age exists").count == 2
