"""JSON Lines: read in bulk where all is well, line by line where something is not, with the same result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headcount_server.loading import json_files
from headcount_server.loading.json_files import JsonReader
from headcount_server.loading.options import LoadOptions, parse_types
from headcount_server.loading.problems import OptionProblem
from tests.commands.reading import read_file

KEY = LoadOptions(key="id")


def write(tmp_path: Path, *lines: str | bytes) -> Path:
    path = tmp_path / "file.jsonl"
    path.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return path


def test_values_keep_the_types_that_json_gives_them(tmp_path: Path) -> None:
    read = read_file(
        write(
            tmp_path,
            '{"id": "1", "n": 5, "x": 1, "ok": true, "zip": "04", "when": "2024-01-01T00:00:00Z", "day": "2024-01-01"}',
            '{"id": "2", "x": 2.5, "likes": ["a", "b"], "n": 6}',
            '{"id": "3", "likes": []}',
        ),
        KEY,
    )
    assert read.rows == [
        {
            "key": "1",
            "n": 5,
            "x": 1.0,
            "ok": True,
            "zip": "04",
            "when": 1_704_067_200_000_000,
            "day": 19_723,
        },
        {"key": "2", "x": 2.5, "likes": ["a", "b"], "n": 6},
        {"key": "3", "likes": []},
    ]


def test_ten_is_not_the_text_ten(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(n), "n": n}) for n in range(10_001)]
    read = read_file(
        write(tmp_path, *lines, '{"id": "a", "n": "10"}', '{"id": "b", "n": 10.0}', '{"id": "c", "n": 10.5}'),
        KEY,
    )
    assert read.reasons() == [
        (10_002, "n", "not a whole number of 64 bits"),
        (10_004, "n", "not a whole number of 64 bits"),
    ]
    assert read.rows[-1] == {"key": "b", "n": 10}


def test_an_explicit_null_of_a_profile_takes_the_value_away_and_a_missing_name_does_not(
    tmp_path: Path,
) -> None:
    read = read_file(write(tmp_path, '{"id": "1", "a": 1}', '{"id": "2", "a": null}', '{"id": "3"}'), KEY)
    assert read.rows == [{"key": "1", "a": 1}, {"key": "2", "a": None}, {"key": "3"}]


def test_lines_that_are_no_objects_are_rejected_with_their_number(tmp_path: Path) -> None:
    read = read_file(
        write(
            tmp_path,
            '{"id": "1", "a": 1}',
            '{"id": "2", "a": }',
            "",
            "[1]",
            b'{"id": "\xff"}',
            '{"id": "5", "a": NaN}',
            '{"id": "6", "a": 1, "a": 2}',
            '{"id": "\\ud800"}',
            '{"a": 3}',
            '{"id": "7", "a": 4}',
        ),
        KEY,
    )
    assert [row["key"] for row in read.rows] == ["1", "7"] and read.positions == [1, 10]
    assert [(r.position, r.reason.split(":")[0]) for r in read.rejected] == [
        (2, "not JSON"),
        (4, "not a JSON object"),
        (5, "not valid UTF-8"),
        (6, "not JSON"),
        (7, "not JSON"),
        (8, "not valid Unicode"),
        (9, "no key"),
    ]


def test_numbers_serve_as_keys_and_as_declared_text_as_they_are_written(tmp_path: Path) -> None:
    read = read_file(
        write(
            tmp_path,
            '{"id": 1, "code": 1.10}',
            '{"id": "A2", "code": 7}',
            '{"id": 12345678901234567890, "code": true}',
        ),
        LoadOptions(key="id", types=parse_types(["code=text"])),
    )
    assert read.rows == [
        {"key": "1", "code": "1.10"},
        {"key": "A2", "code": "7"},
        {"key": "12345678901234567890", "code": "true"},
    ]


def test_money_in_json_numbers_is_read_exactly(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(n), "paid": n / 100}) for n in range(20_000)]
    read = read_file(
        write(tmp_path, *lines, '{"id": "x", "paid": 0.125}'),
        LoadOptions(key="id", types=parse_types(["paid=decimal(2)"])),
    )
    assert [row["paid"] for row in read.rows] == list(range(20_000))
    assert read.reasons() == [(20_001, "paid", "more than 2 digits after the point")]


def test_objects_inside_rows_have_to_be_left_out_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, '{"id": "1", "device": {"os": "x"}, "a": 1}')
    with pytest.raises(OptionProblem, match=r"'device' holds objects.*--ignore device"):
        read_file(path, KEY)
    read = read_file(path, LoadOptions(key="id", ignored=frozenset({"device"})))
    assert read.rows == [{"key": "1", "a": 1}]


def test_a_name_that_comes_late_is_loaded_from_there_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "BLOCK_BYTES", 200_000)
    lines = [json.dumps({"id": str(n), "a": n}) for n in range(30_000)]
    read = read_file(write(tmp_path, *lines, '{"id": "x", "late": "2024-01-01"}'), KEY)
    assert read.rows[-1] == {"key": "x", "late": 19_723} and len(read.rows) == 30_001


def test_reading_in_bulk_and_line_by_line_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "SAMPLE_LINES", 100)
    lines = [
        json.dumps({"id": n, "a": n, "x": n / 7, "t": f"t{n % 5}", "s": ["é", str(n)], "b": n % 2 == 0})
        for n in range(5_000)
    ]
    lines[3_000] = '{"id": 3000, "a": "wrong"}'
    path = write(tmp_path, *lines)
    at_once = read_file(path, KEY)
    monkeypatch.setattr(JsonReader, "_at_once", lambda _self, _block: None)
    by_line = read_file(path, KEY)
    assert at_once == by_line and len(by_line.rows) == 4_999


def test_good_blocks_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "SAMPLE_LINES", 10)
    path = write(tmp_path, *(json.dumps({"id": n, "a": n, "t": "x"}) for n in range(1_000)))
    sizes = list[int]()
    slow = JsonReader._by_line

    def counted(self: JsonReader, block: bytes) -> object:
        sizes.append(block.count(b"\n"))
        return slow(self, block)

    monkeypatch.setattr(JsonReader, "_by_line", counted)
    assert len(read_file(path, KEY).rows) == 1_000
    assert sizes == [10]
