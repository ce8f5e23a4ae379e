"""Opening files: plain or compressed, with how far the reading has come."""

from __future__ import annotations

import enum
from pathlib import Path

import pyarrow as pa

from headcount_server.loading.problems import FileProblem, OptionProblem
from headcount_server.loading.raw import Progress

_CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}


class Format(enum.Enum):
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    JSON_LINES = "jsonl"


_BY_SUFFIX = {
    ".csv": Format.CSV,
    ".txt": Format.CSV,
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".json": Format.JSON_LINES,
}


def format_of(path: Path) -> Format:
    """What the file's name says it is, a compression's suffix aside; raises OptionProblem if it says nothing."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _CODECS]
    found = _BY_SUFFIX.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise OptionProblem(f"{path}: say what it is with --format csv, tsv, parquet or jsonl")
    return found


class Opened:
    """A file as a stream of bytes, decompressed if its name says that it is compressed."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = pa.OSFile(str(path), "rb")
        except OSError as error:
            raise FileProblem(
                "there is no such file" if not path.exists() else "it cannot be opened"
            ) from error
        self._size = self._file.size()
        self._last = 0
        codec = _CODECS.get(path.suffix.lower())
        self.stream = pa.CompressedInputStream(self._file, codec) if codec else self._file

    def progress(self) -> Progress:
        """In bytes on disk."""
        if not self._file.closed:
            self._last = int(self._file.tell())
        return Progress(self._last, self._size)

    def close(self) -> None:
        if not self.stream.closed:
            self.progress()
            self.stream.close()
        if not self._file.closed:
            self._file.close()
