"""Lists, kinds and states over the wire: every row answered for, whatever the file looks like."""

from __future__ import annotations

import csv
import io
import random

import grpc
import pytest
from google.protobuf import duration_pb2, field_mask_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headcount.v1 import rule_pb2, value_pb2
from headcount.v1 import schema_service_pb2 as schema
from headcount.v1 import segment_service_pb2 as segments
from headcount_engine.errors import InvalidArgument
from headcount_server.loading.member_files import MemberFile
from tests.service.calling import TIMEOUT_S, Stubs, failed

CODE = grpc.StatusCode
APPEND, REPLACE, REMOVE = (
    segments.IMPORT_MODE_APPEND,
    segments.IMPORT_MODE_REPLACE,
    segments.IMPORT_MODE_REMOVE,
)
OVERRIDES = segments.SEGMENT_KIND_DATA_DRIVEN_WITH_OVERRIDES


def made(stubs: Stubs, id_: str, rule: str = "", kind: int = segments.SEGMENT_KIND_MANUAL, **more: object):  # type: ignore[no-untyped-def]
    segment = segments.Segment(kind=kind, **more)  # type: ignore[arg-type]
    if rule:
        segment.rule.text = rule
    request = segments.CreateSegmentRequest(segment_id=id_, segment=segment)
    return stubs.segments.CreateSegment(request, timeout=TIMEOUT_S)


def imported(stubs: Stubs, id_: str, data: bytes, mode: int = APPEND, cut: int = 7, **more: object):  # type: ignore[no-untyped-def]
    options = segments.ImportMembersOptions(name=f"segments/{id_}", mode=mode, **more)  # type: ignore[arg-type]
    pieces = [segments.ImportMembersRequest(options=options)]
    pieces += [segments.ImportMembersRequest(chunk=data[i : i + cut]) for i in range(0, len(data), cut)]
    return stubs.segments.ImportMembers(iter(pieces), timeout=TIMEOUT_S)


def test_members_are_added_and_removed_and_rows_without_effect_are_told(people: Stubs) -> None:
    made(people, "list", source="crm")
    answer = people.segments.AddMembers(
        segments.AddMembersRequest(name="segments/list", keys=["p1", "ghost", "p1", "p2"]), timeout=TIMEOUT_S
    )
    assert (answer.joined, answer.size) == (2, 2)
    assert [(r.row, r.reason) for r in answer.rejected_rows] == [(1, "UNKNOWN_PROFILE"), (2, "DUPLICATE")]
    answer = people.segments.RemoveMembers(
        segments.RemoveMembersRequest(name="segments/list", keys=["p1", "p9"]), timeout=TIMEOUT_S
    )
    assert (answer.left, answer.size) == (1, 1)
    held = people.segments.GetSegment(segments.GetSegmentRequest(name="segments/list"), timeout=TIMEOUT_S)
    assert (held.source, held.kind, held.HasField("rule")) == ("crm", segments.SEGMENT_KIND_MANUAL, False)
    fax = value_pb2.Identifier(type="fax", value="1")
    refused = failed(
        people.segments.AddMembers,
        segments.AddMembersRequest(name="segments/list", identifiers=[fax]),
    )
    assert refused.code is CODE.NOT_FOUND


def test_a_file_is_imported_with_every_row_accounted_for(people: Stubs) -> None:
    made(people, "list")
    data = b'\xef\xbb\xbfid,who\r\n1,p1\r\n2,"p2"\n\n3,ghost\n4,p1\n5\n6,\xff\n7,\n8,p3'
    answer = imported(people, "list", data, column="who")
    assert (answer.rows, answer.joined, answer.size) == (8, 3, 3)
    assert [(r.row, r.reason) for r in answer.rejected_rows] == [
        (2, "UNKNOWN_PROFILE"),
        (3, "DUPLICATE"),
        (4, "BAD_KEY"),
        (5, "BAD_KEY"),
        (6, "BAD_KEY"),
    ]
    assert "cells" in answer.rejected_rows[2].message
    assert (answer.unknown_count, answer.duplicate_count, answer.malformed_count) == (1, 1, 3)
    assert answer.rejected_row_count == 5
    answer = imported(people, "list", b"p3\np4\n", REPLACE, has_no_header=True)
    assert (answer.joined, answer.left, answer.size) == (1, 2, 2)
    answer = imported(people, "list", b"x;p4\n", REMOVE, has_no_header=True, delimiter=";", column="2")
    assert (answer.left, answer.size) == (1, 1)


@pytest.mark.parametrize(
    ("first", "more", "is_header"),
    [
        (b"key", {}, True),
        (b" Profile_Key ", {}, True),
        (b"p1", {}, False),
        (b"customer", {}, False),
        (b"customer", {"has_header": True}, True),
        (b"key", {"has_no_header": True}, False),
        (b"n,p1", {"column": "2"}, False),
        (b"n,key", {"column": "2"}, True),
        (b"n,2", {"column": "2"}, True),
        (b"n,customer", {"column": "customer"}, True),
        (b"email", {"identifier_type": "email"}, True),
    ],
)
def test_a_first_row_is_a_header_by_its_name_or_because_it_is_said(
    people: Stubs, first: bytes, more: dict[str, object], is_header: bool
) -> None:
    # A file of keys without a header lost its first one, and nobody was told.
    made(people, "list")
    email = schema.DeclareAttributesRequest(identifier_types=["email"])
    people.schema.DeclareAttributes(email, timeout=TIMEOUT_S)
    row = b"x,p2" if b"," in first else b"p2"
    answer = imported(people, "list", first + b"\n" + row + b"\n", **more)
    assert (answer.has_header, answer.rows) == (is_header, 1 if is_header else 2)


def test_rows_are_told_with_the_line_on_which_they_begin(people: Stubs) -> None:
    made(people, "list")
    data = b'\nkey,note\n\np1,"two\nlines"\n\nghost,x\np2\n'
    answer = imported(people, "list", data)
    assert [(r.row, r.line, r.reason) for r in answer.rejected_rows] == [
        (1, 7, "UNKNOWN_PROFILE"),
        (2, 8, "BAD_KEY"),
    ]
    both = failed(lambda **_: imported(people, "list", data, has_header=True, has_no_header=True))
    assert (both.code, both.fields) == (CODE.INVALID_ARGUMENT, ("options.has_header",))


def test_a_file_that_names_nobody_replaces_nobody_unless_it_is_meant(people: Stubs) -> None:
    made(people, "list")
    imported(people, "list", b"p1\np2\n")
    for data in (b"", b"key\n", b"ghost\n", b"PAR1\x00,\x00\n"):
        refused = failed(lambda data=data, **_: imported(people, "list", data, REPLACE))
        assert refused.code is CODE.FAILED_PRECONDITION
    get = segments.GetSegmentRequest(name="segments/list")
    assert people.segments.GetSegment(get, timeout=TIMEOUT_S).size == 2
    assert imported(people, "list", b"", REPLACE, allow_empty=True).left == 2


def test_an_import_that_cannot_be_meant_is_refused_and_changes_nothing(people: Stubs) -> None:
    made(people, "list")
    made(people, "rule", "age > 20", segments.SEGMENT_KIND_DATA_DRIVEN)
    for id_, more, code in (
        ("list", {"mode": 0}, CODE.INVALID_ARGUMENT),
        ("list", {"column": "nobody"}, CODE.INVALID_ARGUMENT),
        ("list", {"delimiter": ";;"}, CODE.INVALID_ARGUMENT),
        ("list", {"identifier_type": "fax"}, CODE.NOT_FOUND),
        ("list", {"has_no_header": True, "column": "0"}, CODE.INVALID_ARGUMENT),
        ("gone", {}, CODE.NOT_FOUND),
        ("rule", {}, CODE.FAILED_PRECONDITION),
    ):
        assert (
            failed(lambda id_=id_, more=more, **_: imported(people, id_, b"key\np1\n", **more)).code is code
        )
    chunk = segments.ImportMembersRequest(chunk=b"key\np1\n")
    for messages in ([], [chunk]):
        assert failed(people.segments.ImportMembers, iter(messages)).code is CODE.INVALID_ARGUMENT
    got = people.segments.GetSegment(segments.GetSegmentRequest(name="segments/list"), timeout=TIMEOUT_S)
    assert got.size == 0


def test_an_import_sent_again_is_not_applied_again(people: Stubs) -> None:
    made(people, "list")
    first = imported(people, "list", b"k\np1\n", request_id="once")
    people.segments.RemoveMembers(
        segments.RemoveMembersRequest(name="segments/list", keys=["p1"]), timeout=TIMEOUT_S
    )
    assert imported(people, "list", b"k\np1\n", request_id="once").version == first.version
    other = failed(lambda **_: imported(people, "list", b"k\np2\n", request_id="once"))
    assert other.code is CODE.INVALID_ARGUMENT


def test_kinds_states_retention_and_source_make_the_round_trip(people: Stubs) -> None:
    retention = duration_pb2.Duration(seconds=90, nanos=5_000)
    made(people, "o", "age >= 30", OVERRIDES, retention=retention, retains_unknown_only=True)
    held = people.segments.GetSegment(segments.GetSegmentRequest(name="segments/o"), timeout=TIMEOUT_S)
    assert (held.kind, held.retention, held.retains_unknown_only) == (OVERRIDES, retention, True)

    def updated(paths: list[str], **fields: object) -> segments.Segment:
        segment = segments.Segment(name="segments/o", **fields)  # type: ignore[arg-type]
        mask = field_mask_pb2.FieldMask(paths=paths)
        return people.segments.UpdateSegment(
            segments.UpdateSegmentRequest(segment=segment, update_mask=mask), timeout=TIMEOUT_S
        )

    paused = updated(["state", "source"], state=segments.SEGMENT_STATE_PAUSED, source="dmp")
    assert (paused.state, paused.source) == (segments.SEGMENT_STATE_PAUSED, "dmp")
    assert not updated(["retention"]).HasField("retention")
    assert failed(lambda **_: updated(["state"])).code is CODE.INVALID_ARGUMENT
    holding = segments.CreateSegmentRequest(
        segment_id="kept",
        segment=segments.Segment(kind=segments.SEGMENT_KIND_MANUAL),
        holding=rule_pb2.Rule(text="age >= 30"),
    )
    assert people.segments.CreateSegment(holding, timeout=TIMEOUT_S).size == 10
    copy = people.segments.DuplicateSegment(
        segments.DuplicateSegmentRequest(name="segments/kept", segment_id="copy"), timeout=TIMEOUT_S
    )
    assert copy.size == 10
    listed = people.segments.ListSegments(
        segments.ListSegmentsRequest(states=[segments.SEGMENT_STATE_PAUSED]), timeout=TIMEOUT_S
    )
    assert [s.name for s in listed.segments] == ["segments/o"]


def test_templates_and_elements_come_with_the_workspace_filled_in(people: Stubs) -> None:
    found = people.segments.ListTemplates(
        segments.ListTemplatesRequest(arguments={"purchase": "buy", "days": "9"}), timeout=TIMEOUT_S
    )
    assert len(found.templates) >= 10
    lapsing = next(t for t in found.templates if t.name == "templates/lapsing")
    assert "never did buy in last 9 days" in lapsing.rule_text and not lapsing.parameters
    token, names = "", []
    while True:
        page = people.segments.ListRuleElements(
            segments.ListRuleElementsRequest(page_size=3, page_token=token), timeout=TIMEOUT_S
        )
        names += [(e.category, e.name) for e in page.elements]
        if not (token := page.next_page_token):
            break
    assert (segments.RULE_ELEMENT_CATEGORY_ATTRIBUTE, "age") in names
    assert (segments.RULE_ELEMENT_CATEGORY_TAG, '"vip"') in names
    wrong = segments.ListTemplatesRequest(arguments={"days": "0"})
    assert failed(people.segments.ListTemplates, wrong).code is CODE.INVALID_ARGUMENT


@given(
    table=st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6), min_size=2, max_size=2
        ),
        min_size=1,
        max_size=12,
    ),
    cut=st.integers(1, 9),
    line=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_a_csv_writer_wrote_is_read_however_it_is_cut(
    table: list[list[str]], cut: int, line: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=line, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b"])
    writer.writerows(table)
    data = out.getvalue().encode()
    file = MemberFile(
        iter([data[i : i + cut] for i in range(0, len(data), cut)]),
        column="b",
        delimiter=",",
        has_header=True,
        rows_max=1_000,
    )
    assert [text for chunk in file.chunks for text in chunk.to_list()] == [row[1] for row in table]
    assert (file.rows, file.malformed) == (len(table), {})


@given(data=st.binary(max_size=200), seed=st.integers(0, 1_000))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_read_or_refused_and_rows_add_up(data: bytes, seed: int) -> None:
    rng = random.Random(seed)
    cut = rng.randrange(1, 20)
    try:
        file = MemberFile(
            iter([data[i : i + cut] for i in range(0, len(data), cut)]),
            column="",
            delimiter=rng.choice(",;\t"),
            has_header=rng.random() < 0.5,
            rows_max=1_000,
        )
    except InvalidArgument:
        return
    assert sum(len(chunk) for chunk in file.chunks) == file.rows
    assert all(0 <= row < file.rows for row in file.malformed)


def test_a_cell_past_all_bounds_ends_the_import_with_its_line() -> None:
    data = b"k\n" + b"x" * 200_000 + b"\n"
    with pytest.raises(InvalidArgument, match="line 2"):
        MemberFile(iter([data]), column="", delimiter=",", has_header=True, rows_max=10)
