"""Redis bitmaps: a string of bits per value, BITOP and BITCOUNT in one pipeline. Wants `redis-server` on the path."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import redis

from bench.asked import Asked, Leaves
from bench.data import Data, Mask
from bench.peers.base import Peer, PeerMissing
from bench.tiers import Tier

_SERVERS = ("redis-server", "redis-check-rdb")
"""Debian's tools come with the server under the other name; it is one program."""
_NAMES = ("country", "plan", "subscribed", "not device", "last")


class Redis(Peer):
    version = "Redis"

    def __init__(self, data: Data, tier: Tier) -> None:
        super().__init__(data, tier)
        server = next((path for name in _SERVERS if (path := shutil.which(name))), None)
        if server is None:
            raise PeerMissing("no redis-server on the path")
        self._folder = Path(tempfile.mkdtemp(prefix="bench-redis-"))
        # The program looks at the name it is called by.
        link = self._folder / "redis-server"
        link.symlink_to(server)
        socket = self._folder / "socket"
        arguments = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([str(link), *arguments], stdout=subprocess.DEVNULL)
        self._client = redis.Redis(unix_socket_path=str(socket))
        self._wait()
        self.version = f"Redis {self._client.info()['redis_version']}"

    def _wait(self) -> None:
        for _ in range(200):
            try:
                self._client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise PeerMissing("redis-server did not answer within 10 s")

    def ask(self, question: Asked) -> Callable[[], int] | None:
        if not isinstance(question, Leaves):
            return None
        for name, mask in zip(_NAMES, self.data.leaf_masks(question), strict=True):
            self._client.set(name, _bits(mask))

        def call() -> int:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.bitop("AND", "found", *_NAMES)
            pipeline.bitcount("found")
            return int(pipeline.execute()[1])

        return call

    def form(self, question: Asked) -> str:
        return "BITOP over five ready bitmaps, BITCOUNT"

    def close(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _bits(mask: Mask) -> bytes:
    return np.packbits(mask).tobytes()
