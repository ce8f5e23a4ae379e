"""CSV as it comes: every odd file is either read rightly or refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from headcount_engine.model.values import ValueType
from headcount_server.loading import csv_files
from headcount_server.loading.options import LoadOptions, TimeUnit, parse_types
from headcount_server.loading.problems import FileProblem, OptionProblem
from tests.commands.reading import read_file

KEY = LoadOptions(key="id")


def write(tmp_path: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_plain_file_keeps_codes_with_leading_zeros_and_leaves_empty_cells_out(tmp_path: Path) -> None:
    read = read_file(write(tmp_path, 'id,zip,age\n00004,00123,5\n2,99,\n3,"",7\n'), KEY)
    assert read.rows == [
        {"key": "00004", "zip": "00123", "age": 5},
        {"key": "2", "zip": "99"},
        {"key": "3", "age": 7},
    ]
    assert read.types["zip"] == "text" and read.types["age"] == "int"
    assert read.rejected == []


def test_a_byte_order_mark_and_carriage_returns_are_not_part_of_names_and_cells(tmp_path: Path) -> None:
    read = read_file(write(tmp_path, b"\xef\xbb\xbfid,name\r\n1,Ann\r\n2,Bo\r\n"), KEY)
    assert read.rows == [{"key": "1", "name": "Ann"}, {"key": "2", "name": "Bo"}]


def test_quotes_hold_delimiters_quotes_and_line_breaks_and_lines_are_counted_through_them(
    tmp_path: Path,
) -> None:
    text = 'id,name\n1,"a, ""b""\nc"\n2,x,y\n3,"d\n\ne"\n4\n5,f\n'
    read = read_file(write(tmp_path, text), KEY)
    assert [row["name"] for row in read.rows] == ['a, "b"\nc', "d\n\ne", "f"]
    assert read.positions == [2, 5, 9]
    assert [(r.position, r.reason) for r in read.rejected] == [
        (4, "3 cells where the header has 2"),
        (8, "1 cells where the header has 2"),
    ]


def test_lines_stay_right_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 4_096)
    bad = {777, 4_000, 19_999}
    lines = ["id,n"] + [
        "oops" if n in bad else f'{n},"{n}\n"' if n % 1_000 == 1 else f"{n},{n}" for n in range(20_000)
    ]
    read = read_file(
        write(tmp_path, "\n".join(lines) + "\n"), LoadOptions(key="id", types=parse_types(["n=text"]))
    )
    text = "\n".join(lines).split("\n")
    assert [text[r.position - 1] for r in read.rejected] == ["oops"] * 3
    assert len(read.rows) == 20_000 - len(bad)
    for row, position in zip(read.rows, read.positions, strict=True):
        assert text[position - 1].startswith(f"{row['key']},")


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    read = read_file(write(tmp_path, "id,a\n\n1,2\n\n\n3,4\n\n"), KEY)
    assert read.rows == [{"key": "1", "a": 2}, {"key": "3", "a": 4}]
    assert read.positions == [3, 6] and read.rejected == []


def test_a_cell_that_is_not_utf8_costs_its_row_and_no_other(tmp_path: Path) -> None:
    read = read_file(write(tmp_path, b"id,name\n1,\xc3\x85sa\n2,\xff\xfe\n3,Bo\n"), KEY)
    assert [row["name"] for row in read.rows] == ["Åsa", "Bo"]
    assert read.reasons() == [(3, "name", "not valid UTF-8")]


def test_a_row_without_a_key_is_rejected(tmp_path: Path) -> None:
    read = read_file(write(tmp_path, "id,a\n,1\n2,2\n"), KEY)
    assert read.reasons() == [(2, "id", "no key")]


def test_a_later_cell_that_does_not_fit_is_rejected_and_named(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n},2024-01-01,true\n" for n in range(10_000))
    read = read_file(write(tmp_path, f"id,n,day,ok\n{rows}x,1.5,,\ny,,2024-02-30,\nz,,,yes\nw,,,\n"), KEY)
    assert read.types == {"id": "text", "n": "int", "day": "date", "ok": "bool"}
    assert read.reasons() == [
        (10_002, "n", "not a whole number"),
        (10_003, "day", "no such day in the calendar"),
        (10_004, "ok", "neither true nor false"),
    ]
    assert read.rows[-1] == {"key": "w"}


def test_a_column_that_is_empty_at_first_is_settled_by_its_first_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 65_536)
    rows = "".join(f"{n},\n" for n in range(30_000))
    read = read_file(write(tmp_path, f"id,late\n{rows}x,5\ny,no\n"), KEY)
    assert read.rows[-1] == {"key": "y", "late": "no"} and read.types["late"] == "text"


def test_lists_are_split_on_bars(tmp_path: Path) -> None:
    read = read_file(
        write(tmp_path, "id,likes\n1,a|b\n2,\n3,|c||\n4,|\n"),
        LoadOptions(key="id", lists=frozenset({"likes"})),
    )
    assert read.rows == [
        {"key": "1", "likes": ["a", "b"]},
        {"key": "2"},
        {"key": "3", "likes": ["c"]},
        {"key": "4", "likes": []},
    ]


def test_decimals_are_exact_and_refuse_more_digits(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "id,paid\n1,0.10\n2,1e2\n3,-7\n4,0.125\n5,92233720368547758.08\n6,92233720368547758.07\n7,nan\n",
    )
    read = read_file(path, LoadOptions(key="id", types=parse_types(["paid=decimal(2)"])))
    assert [row["paid"] for row in read.rows] == [10, 10_000, -700, 2**63 - 1]
    assert [(r.position, r.reason) for r in read.rejected] == [
        (5, "more than 2 digits after the point"),
        (6, "a decimal of more than 64 bits"),
        (8, "not a number"),
    ]


def test_event_times_are_read_with_their_offset_or_in_the_zone(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "id,at\n1,2024-07-01T12:00:00Z\n1,2024-07-01 12:00:00\n1,2024-07-01\n1,2024-07-01T12:00:00.5+02:00\n",
    )
    options = LoadOptions(key="id", time="at", event="visit", zone="Europe/Stockholm")
    noon = 1_719_835_200_000_000
    hour = 3_600_000_000
    assert [row["time"] for row in read_file(path, options).rows] == [
        noon, noon - 2 * hour, noon - 14 * hour, noon - 2 * hour + 500_000,
    ]  # fmt: skip


def test_whole_numbers_are_instants_only_with_a_unit(tmp_path: Path) -> None:
    path = write(tmp_path, "id,at\n1,1719835200\n2,1719835200123456\n3,soon\n")
    with pytest.raises(OptionProblem, match="--time-unit"):
        read_file(
            write(tmp_path, "id,at\n1,1719835200\n", "b.csv"), LoadOptions(key="id", time="at", event="v")
        )
    rows = "".join("1,1719835200\n" for _ in range(10_000))
    path = write(tmp_path, f"id,at\n{rows}2,1719835200123456\n3,soon\n4,\n")
    read = read_file(path, LoadOptions(key="id", time="at", event="v", unit=TimeUnit.SECONDS))
    assert read.rows[0]["time"] == 1_719_835_200_000_000
    assert [(r.position, r.reason) for r in read.rejected] == [
        (10_002, "an instant outside the years 1 to 9999 (is the time unit right?)"),
        (10_003, "not a whole number"),
        (10_004, "no time"),
    ]


def test_a_type_that_the_server_has_wins_over_what_the_file_looks_like(tmp_path: Path) -> None:
    read = read_file(write(tmp_path, "id,n\n1,5\n2,5.5\n"), KEY, {"n": ValueType.parse("int")})
    assert read.types["n"] == "int" and read.reasons() == [(3, "n", "not a whole number")]
    with pytest.raises(OptionProblem, match="'n' is int in the server already, not text"):
        read_file(
            tmp_path / "file.csv",
            LoadOptions(key="id", types=parse_types(["n=text"])),
            {"n": ValueType.parse("int")},
        )


def test_columns_can_be_renamed_and_left_out(tmp_path: Path) -> None:
    options = LoadOptions(key="id", renamed={"a": "b"}, ignored=frozenset({"c"}))
    assert read_file(write(tmp_path, "id,a,c\n1,2,3\n"), options).rows == [{"key": "1", "b": 2}]
    with pytest.raises(OptionProblem, match="would both become 'c'"):
        read_file(tmp_path / "file.csv", LoadOptions(key="id", renamed={"a": "c"}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"id,a,id\n1,2,3\n", "two columns called 'id'"),
        (b"id,,b\n1,2,3\n", "column 2 of the header has no name"),
        ("id,a\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"id,\xff\n1,2\n", "header is not valid UTF-8"),
        (b"PK\x03\x04\0\0\0\0", "NUL"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_as_a_whole(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FileProblem, match=message):
        read_file(write(tmp_path, content), KEY)


def test_a_header_alone_is_a_file_without_rows(tmp_path: Path) -> None:
    read = read_file(write(tmp_path, "id,a\n"), KEY)
    assert read.rows == [] and read.rejected == []


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "id,age\n1,2\n")
    with pytest.raises(OptionProblem, match="no column 'ids'; did you mean 'id'"):
        read_file(path, LoadOptions(key="ids"))
    with pytest.raises(OptionProblem, match="no column 'aeg'; did you mean 'age'"):
        read_file(path, LoadOptions(key="id", types=parse_types(["aeg=int"])))


def test_compressed_and_tab_separated_files_are_read_by_their_names(tmp_path: Path) -> None:
    import gzip

    path = write(tmp_path, gzip.compress(b"id\ta\n1\tx y\n"), "file.tsv.gz")
    assert read_file(path, KEY).rows == [{"key": "1", "a": "x y"}]
