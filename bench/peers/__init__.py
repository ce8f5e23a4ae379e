"""What a user would pick instead: each on the same files, on all cores, in its best documented form.

A peer loads in its constructor, off the clock. Money is whole cents and profiles are numbers in all of them, which is
in their favour: the engine has decimals and text keys.
"""

from __future__ import annotations

from bench.peers.base import Peer, PeerMissing
from bench.peers.clickhouse import ClickHouse
from bench.peers.duckdb import DuckDb
from bench.peers.polars import Polars
from bench.peers.pyroaring import Pyroaring
from bench.peers.redis import Redis

ALL: dict[str, type[Peer]] = {
    "duckdb": DuckDb, "polars": Polars, "clickhouse": ClickHouse, "redis": Redis, "pyroaring": Pyroaring,
}  # fmt: skip

__all__ = ["ALL", "Peer", "PeerMissing"]
