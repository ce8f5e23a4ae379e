"""Files hold every member once with the values of one version, in three formats; no cell becomes a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headcount_engine.audiences.csv_pieces import text_cell
from headcount_engine.audiences.export import CSV, JSON_LINES, TEXT_ROWS, Export, FileForm, column_names
from headcount_engine.audiences.request import AudienceRequest
from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import DeadlineExceeded, InvalidArgument, NotFound, OutOfRange
from headcount_engine.model.answers import Deadline, Need
from headcount_engine.model.batches import Column, ProfileBatch, Texts
from headcount_engine.model.instants import format_date, format_instant
from headcount_engine.model.values import Cell, Date, Instant, Kind, ValueType
from headcount_engine.sending import AudienceName
from headcount_server.loading.parquet_pieces import PARQUET
from tests.audiences.crowds import TYPES, crowd, database_of

NAMES = sorted(TYPES)
PEOPLE = crowd(3, 300)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with database_of(PEOPLE) as database:
        yield database


def whole(export: Export) -> bytes:
    with export:
        return b"".join(piece.data for piece in export)


def in_csv(cell: Cell | None) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case frozenset():
            return "|".join(sorted(cell))
        case Instant(us):
            return format_instant(us)
        case Date(days):
            return format_date(days)
        case _:
            return str(cell)


def test_csv_says_what_is_so(database: Database) -> None:
    text = whole(database.sending.export("everyone", CSV, attributes=NAMES)).decode()
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["key", *NAMES]
    assert rows == [[person.key, *(in_csv(person.cells.get(name)) for name in NAMES)] for person in PEOPLE]


def in_json(cell: Cell) -> object:
    match cell:
        case frozenset():
            return sorted(cell)
        case Instant() | Date():
            return in_csv(cell)
        case float():
            return Decimal(repr(cell))
        case _:
            return cell


def test_json_lines_say_what_is_so(database: Database) -> None:
    text = whole(database.sending.export("everyone", JSON_LINES, attributes=NAMES)).decode()
    rows = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
    assert rows == [
        {"key": p.key} | {name: in_json(p.cells[name]) for name in NAMES if name in p.cells} for p in PEOPLE
    ]
    assert [list(row) for row in rows] == [["key", *(n for n in NAMES if n in p.cells)] for p in PEOPLE]


def in_parquet(cell: Cell | None) -> object:
    match cell:
        case frozenset():
            return sorted(cell)
        case Instant(us):
            return np.datetime64(us, "us").item()
        case Date(days):
            return np.datetime64(days, "D").item()
        case _:
            return cell


def test_parquet_says_what_is_so(database: Database) -> None:
    data = whole(database.sending.export("everyone", PARQUET, attributes=NAMES))
    table = pq.read_table(io.BytesIO(data))
    assert table.column_names == ["key", *NAMES]
    assert table["key"].to_pylist() == [person.key for person in PEOPLE]
    for name in NAMES:
        found = table[name].to_pylist()
        if TYPES[name].kind is Kind.INSTANT:
            found = [None if instant is None else instant.replace(tzinfo=None) for instant in found]
        assert found == [in_parquet(person.cells.get(name)) for person in PEOPLE], name


def test_extremes_survive_every_format() -> None:
    least, most = -(2**63) + 1, 2**63 - 1
    columns = (
        Column("whole", ValueType(Kind.INT), np.array([least, most])),
        Column("money", ValueType(Kind.DECIMAL, 6), np.array([least, most])),
        Column("none", ValueType(Kind.DECIMAL, 0), np.array([-1, 0])),
        Column("tiny", ValueType(Kind.FLOAT), np.array([5e-324, -1.7976931348623157e308])),
        Column("place", ValueType(Kind.POINT), np.array([[1.5e-7, -180.0], [-90.0, 0.0]])),
        Column("text", ValueType(Kind.TEXT), Texts.of(["", 'a "b", c\nd\u2028é😀'])),
    )
    database = Database.open(None, clock=ManualClock(0))
    assert not database.write_profiles(ProfileBatch(Texts.of(["a", "ö,b"]), columns)).rejected
    names = [column.name for column in columns]

    def export(format_: FileForm) -> bytes:
        return whole(database.sending.export("everyone", format_, attributes=names))

    _, first, second = csv.reader(io.StringIO(export(CSV).decode(), newline=""))
    assert first[:4] == ["a", str(least), "-9223372036854.775807", "-1"]
    assert (float(first[4]), first[5], first[6]) == (5e-324, "0.00000015,-180.0", "")
    assert second == [
        "ö,b", str(most), "9223372036854.775807", "0", "-1.7976931348623157e+308", "-90.0,0.0",
        'a "b", c\nd\u2028é😀',
    ]  # fmt: skip
    a, b = (json.loads(line, parse_float=Decimal) for line in export(JSON_LINES).decode().split("\n")[:2])
    assert (a["whole"], a["money"], a["text"]) == (least, Decimal("-9223372036854.775807"), "")
    assert (b["text"], b["place"]) == ('a "b", c\nd\u2028é😀', [-90, 0])
    table = pq.read_table(io.BytesIO(export(PARQUET))).to_pylist()
    assert [row["money"] for row in table] == [
        Decimal("-9223372036854.775807"),
        Decimal("9223372036854.775807"),
    ]
    assert table[0]["place"] == [1.5e-7, -180.0] and table[1]["text"] == b["text"] and table[0]["text"] == ""
    assert [row["none"] for row in table] == [-1, 0]


def test_nobody_is_a_file_too(database: Database) -> None:
    def export(format_: FileForm) -> bytes:
        return whole(database.sending.export('key = "nobody"', format_, attributes=["age", "likes", "city"]))

    assert export(CSV) == b"key,age,likes,city\n"
    assert export(JSON_LINES) == b""
    table = pq.read_table(io.BytesIO(export(PARQUET)))
    assert (table.num_rows, table.column_names) == (0, ["key", "age", "likes", "city"])


# ---------------------------------------------------------------------------------------------- injection


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x","y")', "+1", "-1+1", "@x", "\tx", "\rx", "\n=x", "=1,2", '="a""b"', "=", "＝1", "＠x",
    ],
)  # fmt: skip
def test_a_text_that_a_spreadsheet_would_run_is_neutralised(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(text_cell(text) + "\n", newline=""))
    assert cell == "'" + text


@given(st.text(st.characters(exclude_categories=("Cs",))))
@example("a;=1")
@example('"=1')
@example(" =1")
@example("a\r\n=1")
def test_no_cell_begins_a_formula_and_all_read_back(text: str) -> None:
    line = f"x,{text_cell(text)},y\n"
    [[before, cell, after]] = csv.reader(io.StringIO(line, newline=""))
    assert (before, after) == ("x", "y")
    assert cell in (text, "'" + text)
    assert cell[:1] not in tuple("=+-@\t\r")
    # Where semicolons or tabs part cells, the same holds: what holds one is quoted.
    for separator in ";\t":
        assert separator not in text or text_cell(text).startswith('"')


def test_keys_sets_and_headers_are_neutralised_and_numbers_are_not() -> None:
    columns = (
        Column("=cmd", ValueType(Kind.TEXT), Texts.of(["@sum"])),
        Column("n", ValueType(Kind.INT), np.array([-5])),
        Column("set", ValueType(Kind.TEXT_SET), Texts.of(["-b", "a"]), element_offsets=np.array([0, 2])),
    )
    database = Database.open(None, clock=ManualClock(0))
    assert not database.write_profiles(ProfileBatch(Texts.of(["=1+1"]), columns)).rejected
    exported = database.sending.export("everyone", CSV, attributes=["=cmd", "n", "set"])
    assert whole(exported).decode() == "key,'=cmd,n,set\n'=1+1,'@sum,-5,'-b|a\n"


# ------------------------------------------------------------------------------------------- pieces, versions


@pytest.fixture
def many() -> Iterator[Database]:
    """Members for two and a half pieces, each with its number."""
    with Database.open(None, clock=ManualClock(0)) as database:
        set_all(database, 0)
        yield database


MANY = TEXT_ROWS * 5 // 2


def set_all(database: Database, value: int) -> None:
    keys = Texts.of([f"k{i}" for i in range(MANY)])
    column = Column("n", ValueType(Kind.INT), np.full(MANY, value))
    assert not database.write_profiles(ProfileBatch(keys, (column,))).rejected


@pytest.mark.parametrize("format_", [CSV, JSON_LINES])
def test_an_export_resumes_at_every_piece(many: Database, format_: FileForm) -> None:
    name = AudienceName(many.sending.resolve(AudienceRequest(["everyone"])).name)
    with many.sending.export(name, format_, attributes=["n"]) as export:
        pieces = list(export)
    assert [piece.next_offset for piece in pieces][-3:] == [TEXT_ROWS, 2 * TEXT_ROWS, MANY]
    data = b"".join(piece.data for piece in pieces)
    assert data.count(b"\n") == MANY + (format_ is CSV)
    got = b""
    for piece in pieces:
        got += piece.data
        assert piece.data.endswith(b"\n")
        again = whole(many.sending.export(name, format_, attributes=["n"], offset=piece.next_offset))
        if piece.next_offset:
            assert got + again == data


def test_an_export_shows_one_version_of_every_value(many: Database) -> None:
    with many.sending.export("n = 0", CSV, attributes=["n"]) as export:
        pieces = iter(export)
        text = next(pieces).data + next(pieces).data
        set_all(many, 7)
        text += b"".join(piece.data for piece in pieces)
        assert export.version < many.status().version
    assert [line.split(",")[1] for line in text.decode().splitlines()[1:]] == ["0"] * MANY


def test_a_closed_export_lets_go_of_what_it_held(many: Database) -> None:
    column = many._indexes.attributes.all()["n"].column
    export = many.sending.export("everyone", CSV, attributes=["n"])
    assert column._pins == 1
    next(iter(export))
    export.close()
    export.close()
    assert column._pins == 0
    with pytest.raises(InvalidArgument):
        many.sending.export("everyone", CSV, attributes=["n", "n"])
    assert column._pins == 0


def test_an_export_stops_at_its_deadline(many: Database) -> None:
    is_gone = False
    need = Need(deadline=Deadline(is_cancelled=lambda: is_gone))
    with many.sending.export("everyone", CSV, attributes=["n"], need=need) as export:
        pieces = iter(export)
        next(pieces)
        object.__setattr__(need.deadline, "at_monotonic", 0.0)
        with pytest.raises(DeadlineExceeded):
            next(pieces)


def test_what_cannot_be_exported_is_refused(many: Database) -> None:
    name = AudienceName(many.sending.resolve(AudienceRequest(["everyone"])).name)
    for path, attributes in (("attributes[0]", ["nope"]), ("attributes[1]", ["n", "n"])):
        with pytest.raises(InvalidArgument) as refused:
            many.sending.export(name, CSV, attributes=attributes)
        assert refused.value.path == path
    with pytest.raises(InvalidArgument, match="middle"):
        many.sending.export(name, PARQUET, offset=1)
    with pytest.raises(InvalidArgument, match="resolved"):
        many.sending.export("everyone", CSV, offset=1)
    with pytest.raises(OutOfRange):
        many.sending.export(name, CSV, offset=MANY + 1)
    with pytest.raises(NotFound):
        many.sending.export(AudienceName("nope"), CSV)


def test_the_column_of_keys_steps_aside_for_an_attribute_of_its_name() -> None:
    assert column_names(["a"]) == ["key", "a"]
    assert column_names(["key"]) == ["profile_key", "key"]
    assert column_names(["key", "profile_key"]) == ["profile_profile_key", "key", "profile_key"]
