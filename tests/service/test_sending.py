"""Audiences over the wire: waterfalls, chunks that resume, previews, files, and what is refused."""

from __future__ import annotations

import csv
import io
import itertools
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pyarrow.parquet as pq
import pytest
from google.protobuf.duration_pb2 import Duration

from headcount.v1 import audience_service_pb2 as m
from headcount.v1 import profile_service_pb2
from headcount.v1.rule_pb2 import Rule
from headcount_engine.audiences.export import CSV
from headcount_engine.bitmaps import Bitmap
from headcount_server.services import sending
from headcount_server.wire import sending as wire
from tests.service.calling import TIMEOUT_S, Stubs, failed

FORMS = {
    m.MEMBER_FORM_IDS: lambda c: list(c.ids),
    m.MEMBER_FORM_KEYS: lambda c: texts(c.keys),
    m.MEMBER_FORM_ROARING: lambda c: list(Bitmap.deserialize(c.roaring)),
}


def texts(column: object) -> list[str]:
    offsets, utf8 = column.offsets, column.utf8  # type: ignore[attr-defined]
    ends = struct.unpack(f"<{len(offsets) // 4}I", offsets)
    return [utf8[a:b].decode() for a, b in itertools.pairwise(ends)]


def rules(*found: str) -> list[Rule]:
    return [Rule(text=text) for text in found]


def create(stubs: Stubs, **fields: object) -> m.Audience:
    return stubs.audiences.CreateAudience(m.CreateAudienceRequest(**fields), timeout=TIMEOUT_S)  # type: ignore[arg-type]


def read(stubs: Stubs, name: str, form: int, offset: int = 0, size: int = 0) -> list[m.ReadAudienceResponse]:
    request = m.ReadAudienceRequest(name=name, form=form, offset=offset, chunk_size=size)  # type: ignore[arg-type]
    return list(stubs.audiences.ReadAudience(request, timeout=TIMEOUT_S))


def test_an_audience_carries_its_waterfall(people: Stubs) -> None:
    made = create(
        people,
        includes=rules("age >= 20", 'tag "vip"'),
        excludes=rules('plan = "pro"'),
        frequency_cap=m.FrequencyCap(event_name="purchase", max_count=1, window=Duration(seconds=7 * 86_400)),
        limit=3,
        limit_order=m.LimitOrder(highest_attribute="age"),
    )
    lines = [(m.StageKind.Name(s.kind)[11:], s.text, s.remaining, s.changed) for s in made.waterfall]
    assert lines == [
        ("INCLUDE", "age >= 20", 20, 20),
        ("INCLUDE", 'tag "vip"', 22, 2),
        ("EXCLUDE", 'plan = "pro"', 15, 7),
        ("FREQUENCY_CAP", "did purchase in last 7 days", 8, 7),
        ("LIMIT", "top 3 by age", 3, 5),
    ]
    assert (made.size, made.total) == (3, 30)
    assert made.expire_time.seconds - made.now.seconds == 3_600
    [chunk] = read(people, made.name, m.MEMBER_FORM_KEYS)
    assert texts(chunk.keys) == ["p23", "p27", "p29"]
    assert (chunk.version, chunk.now) == (made.version, made.now)


@pytest.mark.parametrize("form", FORMS)
def test_members_come_in_chunks_that_resume_at_any_offset(people: Stubs, form: int) -> None:
    made = create(people, includes=rules("age > 12"))
    whole = [member for chunk in read(people, made.name, form) for member in FORMS[form](chunk)]
    assert len(whole) == made.size == 27
    for offset in range(28):
        chunks = read(people, made.name, form, offset, 4)
        assert [member for chunk in chunks for member in FORMS[form](chunk)] == whole[offset:]
        assert all(0 < len(FORMS[form](chunk)) <= 4 for chunk in chunks) or offset == 27
        assert [c.offset for c in chunks] == [offset, *(c.next_offset for c in chunks[:-1])]
        assert all(chunk.size == 27 for chunk in chunks) and chunks[-1].next_offset == 27


def test_what_is_written_while_a_stream_waits_does_not_show(people: Stubs) -> None:
    made = create(people, includes=rules("age > 12"))
    request = m.ReadAudienceRequest(name=made.name, form=m.MEMBER_FORM_KEYS, chunk_size=1)
    stream = people.audiences.ReadAudience(request, timeout=TIMEOUT_S)
    first = texts(next(stream).keys)
    upsert = profile_service_pb2.BatchUpsertProfilesRequest()
    for i in range(30):
        upsert.profiles.add(key=f"p{i}").attributes["age"].int_value = 0
        upsert.profiles.add(key=f"new{i}").attributes["age"].int_value = 99
    people.profiles.BatchUpsertProfiles(upsert, timeout=TIMEOUT_S)
    assert first + [key for chunk in stream for key in texts(chunk.keys)] == [f"p{i}" for i in range(3, 30)]


def test_chunks_of_keys_stay_within_a_mebibyte(people: Stubs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "KEY_BYTES_WANTED", 60)
    monkeypatch.setattr(sending, "KEY_BYTES_MAX", 80)
    made = create(people, includes=rules("everyone"))
    chunks = read(people, made.name, m.MEMBER_FORM_KEYS)
    assert max(len(c.keys.utf8) + len(c.keys.offsets) for c in chunks) <= 80
    assert [key for chunk in chunks for key in texts(chunk.keys)] == [f"p{i}" for i in range(30)]
    assert len(chunks) < 12


def test_nobody_is_one_empty_chunk(people: Stubs) -> None:
    made = create(people, includes=rules("age > 99"))
    for form, members in FORMS.items():
        [chunk] = read(people, made.name, form)
        assert (members(chunk), chunk.size, chunk.next_offset) == ([], 0, 0)


def test_looking_only_keeps_nothing(people: Stubs) -> None:
    made = create(people, includes=rules("everyone"), validate_only=True)
    assert (made.name, made.size, made.HasField("expire_time")) == ("", 30, False)


def test_the_same_request_id_gives_the_same_audience(people: Stubs) -> None:
    first, second = (create(people, includes=rules("everyone"), request_id="once") for _ in range(2))
    assert first == second != create(people, includes=rules("everyone"), request_id="twice")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "includes"),
        ({"includes": [Rule()]}, "includes[0]"),
        ({"includes": rules("everyone", "age >")}, "includes[1]"),
        ({"includes": rules("everyone"), "excludes": rules("nope = 1")}, "excludes[0]"),
        ({"includes": rules("everyone"), "suppressions": rules("age > 1", "x")}, "suppressions[1]"),
        ({"includes": rules("everyone"), "holdout": m.Holdout(fraction=float("nan"))}, "holdout.fraction"),
        ({"includes": rules("everyone"), "holdout": m.Holdout(fraction=1)}, "holdout.fraction"),
        ({"includes": rules("everyone"), "frequency_cap": m.FrequencyCap()}, "frequency_cap.max_count"),
        ({"includes": rules("everyone"), "known_only": True, "unknown_only": True}, "unknown_only"),
        ({"includes": rules("everyone"), "time_to_live": Duration(seconds=-1)}, "time_to_live"),
        ({"includes": rules("everyone"), "time_to_live": Duration(seconds=1 << 40)}, "time_to_live"),
        (
            {"includes": rules("everyone"), "limit": 1, "limit_order": m.LimitOrder(lowest_attribute="plan")},
            "limit_order",
        ),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_its_field(
    people: Stubs, fields: dict[str, object], path: str
) -> None:
    found = failed(people.audiences.CreateAudience, m.CreateAudienceRequest(**fields))  # type: ignore[arg-type]
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    assert found.fields == (path,)


def test_tokens_and_offsets_that_are_none_are_refused(people: Stubs) -> None:
    made = create(people, includes=rules("everyone"))

    def refused(name: str, form: int = m.MEMBER_FORM_IDS, offset: int = 0) -> grpc.StatusCode:
        request = m.ReadAudienceRequest(name=name, form=form, offset=offset)  # type: ignore[arg-type]
        return failed(people.audiences.ReadAudience, request).code

    for name in ("", "x", "audiences/", "audiences/a/b", "segments/x", made.name.removeprefix("audiences/")):
        assert refused(name) is grpc.StatusCode.INVALID_ARGUMENT
    for name in ("audiences/x", made.name + "x", made.name[:-1] + "~"):
        assert refused(name) is grpc.StatusCode.NOT_FOUND
    assert refused(made.name, m.MEMBER_FORM_UNSPECIFIED) is grpc.StatusCode.INVALID_ARGUMENT
    assert refused(made.name, 9) is grpc.StatusCode.INVALID_ARGUMENT
    assert refused(made.name, offset=31) is grpc.StatusCode.OUT_OF_RANGE
    assert refused(made.name, offset=1 << 63) is grpc.StatusCode.OUT_OF_RANGE


def test_what_was_sent_is_kept(people: Stubs) -> None:
    made = create(people, includes=rules("age > 30"))
    request = m.KeepAudienceRequest(name=made.name, segment_id="sent", labels=["mail"], folder="spring")
    kept = people.audiences.KeepAudience(request, timeout=TIMEOUT_S)
    assert (kept.name, kept.size, list(kept.labels), kept.folder) == ("segments/sent", 9, ["mail"], "spring")
    assert create(people, includes=[Rule(segment="segments/sent")], excludes=rules("age > 35")).size == 5
    assert failed(people.audiences.KeepAudience, request).code is grpc.StatusCode.ALREADY_EXISTS


# ------------------------------------------------------------------------------------------------- previews


def pages(stubs: Stubs, **fields: object) -> Iterator[m.PreviewAudienceResponse]:
    token = ""
    while True:
        request = m.PreviewAudienceRequest(page_token=token, **fields)  # type: ignore[arg-type]
        page = stubs.audiences.PreviewAudience(request, timeout=TIMEOUT_S)
        yield page
        token = page.next_page_token
        if not token:
            return


def test_a_preview_goes_through_all_members_page_by_page(people: Stubs) -> None:
    made = create(people, includes=rules('plan = "pro"'))
    for who in ({"rule": Rule(text='plan = "pro"')}, {"audience": made.name}):
        found = list(pages(people, page_size=3, attributes=["age"], **who))
        shown = [profile for page in found for profile in page.profiles]
        assert [profile.key for profile in shown] == [f"p{i}" for i in range(1, 30, 3)]
        assert [profile.attributes["age"].int_value for profile in shown] == list(range(11, 40, 3))
        assert {name for profile in shown for name in profile.attributes} == {"age"}
        assert {page.total_size for page in found} == {10}


def test_a_sample_is_the_same_for_the_same_salt(people: Stubs) -> None:
    def sample(salt: str) -> list[str]:
        request = m.PreviewAudienceRequest(rule=Rule(text="everyone"), page_size=5, sample_salt=salt)
        answer = people.audiences.PreviewAudience(request, timeout=TIMEOUT_S)
        assert not answer.next_page_token
        return [profile.key for profile in answer.profiles]

    assert sample("a") == sample("a") != sample("b")
    assert len(sample("")) == 5


def test_a_page_token_goes_with_its_request(people: Stubs) -> None:
    request = m.PreviewAudienceRequest(rule=Rule(text="everyone"), page_size=3)
    token = people.audiences.PreviewAudience(request, timeout=TIMEOUT_S).next_page_token
    for other in (
        m.PreviewAudienceRequest(rule=Rule(text="age > 1"), page_token=token),
        m.PreviewAudienceRequest(rule=Rule(text="everyone"), page_token="AAAA"),
        m.PreviewAudienceRequest(rule=Rule(text="everyone"), page_token=token, attributes=["age"]),
        m.PreviewAudienceRequest(rule=Rule(text="everyone"), page_token=token, sample_salt="x"),
        m.PreviewAudienceRequest(),
    ):
        assert failed(people.audiences.PreviewAudience, other).code is grpc.StatusCode.INVALID_ARGUMENT


# -------------------------------------------------------------------------------------------------- exports


def export(stubs: Stubs, **fields: object) -> list[m.ExportAudienceResponse]:
    request = m.ExportAudienceRequest(**fields)  # type: ignore[arg-type]
    return list(stubs.audiences.ExportAudience(request, timeout=TIMEOUT_S))


def test_a_file_comes_in_pieces_with_progress(people: Stubs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(wire._FORMATS, m.EXPORT_FORMAT_CSV, replace(CSV, rows=7))
    made = create(people, includes=rules("age >= 20"))
    pieces = export(people, audience=made.name, format=m.EXPORT_FORMAT_CSV, attributes=["plan", "age"])
    assert [piece.next_offset for piece in pieces] == [0, 7, 14, 20]
    assert {piece.size for piece in pieces} == {20}
    rows = list(csv.reader(io.StringIO(b"".join(piece.chunk for piece in pieces).decode())))
    people_of_20 = [[f"p{i}", ("free", "pro", "team")[i % 3], str(10 + i)] for i in range(10, 30)]
    assert rows == [["key", "plan", "age"], *people_of_20]
    rest = export(
        people, audience=made.name, format=m.EXPORT_FORMAT_CSV, attributes=["plan", "age"], offset=14
    )
    assert [piece.chunk for piece in rest] == [pieces[-1].chunk]


def test_parquet_reads_as_a_table(people: Stubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FILE_BYTES_MAX", 100)
    pieces = export(people, rule=Rule(text="age < 13"), format=m.EXPORT_FORMAT_PARQUET, attributes=["age"])
    assert len(pieces) > 3 and all(len(piece.chunk) <= 100 for piece in pieces)
    file = tmp_path / "x.parquet"
    file.write_bytes(b"".join(piece.chunk for piece in pieces))
    assert pq.read_table(file).to_pylist() == [{"key": f"p{i}", "age": 10 + i} for i in range(3)]


def test_an_export_that_cannot_be_is_refused(people: Stubs) -> None:
    made = create(people, includes=rules("everyone"))

    def refused(**fields: object) -> tuple[grpc.StatusCode, tuple[str, ...]]:
        found = failed(people.audiences.ExportAudience, m.ExportAudienceRequest(**fields))  # type: ignore[arg-type]
        return found.code, found.fields

    bad = grpc.StatusCode.INVALID_ARGUMENT
    everyone = Rule(text="everyone")
    assert refused(rule=everyone) == (bad, ("format",))
    assert refused(format=m.EXPORT_FORMAT_CSV) == (bad, ("rule",))
    assert refused(rule=Rule(text="age >"), format=m.EXPORT_FORMAT_CSV) == (bad, ("rule",))
    assert refused(rule=everyone, format=m.EXPORT_FORMAT_CSV, offset=1) == (bad, ("offset",))
    assert refused(audience=made.name, format=m.EXPORT_FORMAT_PARQUET, offset=1) == (bad, ("offset",))
    unknown = refused(rule=everyone, format=m.EXPORT_FORMAT_CSV, attributes=["age", "nope"])
    assert unknown == (bad, ("attributes[1]",))
    assert refused(audience="audiences/x", format=m.EXPORT_FORMAT_CSV)[0] is grpc.StatusCode.NOT_FOUND


def test_a_caller_who_leaves_an_export_lets_go_of_its_columns(people: Stubs, running: object) -> None:
    import time

    column = running.database._indexes.attributes.all()["age"].column  # type: ignore[attr-defined]
    request = m.ExportAudienceRequest(
        rule=Rule(text="everyone"), format=m.EXPORT_FORMAT_CSV, attributes=["age"]
    )
    stream = people.audiences.ExportAudience(request, timeout=TIMEOUT_S)
    next(stream)
    stream.cancel()
    deadline = time.monotonic() + 10
    while column._pins and time.monotonic() < deadline:
        time.sleep(0.01)
    assert column._pins == 0
