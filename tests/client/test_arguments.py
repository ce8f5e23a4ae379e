"""What a call cannot carry is refused as InvalidArgument with the name of the argument, before anything is sent."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headcount import (
    AsyncClient,
    Client,
    FrequencyCap,
    ImportMode,
    InvalidArgument,
    NotFound,
    SegmentKind,
    SegmentState,
    by_attribute,
)
from headcount.wire.encode import whole
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from tests.client.conftest import Caller
from tests.client.recording_server import RecordingServer

NAME = "audiences/x"


@pytest.mark.parametrize(
    ("ask", "field"),
    [
        (lambda c: c.create_audience(["everyone"], limit=1 << 64), "limit"),
        (lambda c: c.create_audience(["everyone"], limit=-1), "limit"),
        (lambda c: c.create_audience(["everyone"], time_to_live=dt.timedelta.max), "time_to_live"),
        (
            lambda c: c.create_audience(
                ["everyone"], frequency_cap=FrequencyCap("x", 1 << 32, dt.timedelta(days=1))
            ),
            "frequency_cap",
        ),
        (lambda c: c.preview("everyone", page_size=1 << 40), "page_size"),
        (lambda c: c.preview("everyone", min_version=-1), "min_version"),
        (lambda c: list(c.list_profiles(page_size=1 << 31)), "page_size"),
        (lambda c: list(c.list_segments(page_size=-1)), "page_size"),
        (lambda c: list(c.list_segments(states=["gone"])), "states"),
        (lambda c: list(c.list_templates(page_size=1 << 31)), "page_size"),
        (lambda c: list(c.list_rule_elements(page_size=1 << 31)), "page_size"),
        (lambda c: c.breakdown("everyone", by_attribute("a", limit=1 << 40)), "limit"),
        (lambda c: c.breakdown("everyone", by_attribute("a", quantiles=1 << 40)), "quantiles"),
        (lambda c: c.breakdown("everyone", by_attribute("a", equal_width=-1)), "equal_width"),
        (lambda c: c.affinity("everyone", limit=1 << 40), "limit"),
        (lambda c: c.affinity("everyone", look_alikes=1 << 40), "look_alikes"),
        (lambda c: c.compare("everyone", "everyone", sample_size=1 << 40), "sample_size"),
        (lambda c: list(c.read_keys(NAME, offset=1 << 70)), "offset"),
        (lambda c: list(c.read_chunks(NAME, chunk_size=1 << 32)), "chunk_size"),
        (lambda c: list(c.read_keys(7)), "audience"),
        (lambda c: list(c.export("everyone", offset=1 << 70)), "offset"),
        (lambda c: c.create_segment("s", kind=SegmentKind.DATA_DRIVEN), "rule"),
        (lambda c: c.create_segment("s", "everyone", kind="lists"), "kind"),
        (lambda c: c.update_segment("s", state="gone"), "state"),
        (lambda c: c.import_members("s", b"", "prepend"), "mode"),
        (lambda c: c.import_members("s", "nofile.csv"), "file"),
        (lambda c: c.import_members("s", Path("nofile.csv")), "file"),
        (lambda c: c.import_members("s", 7), "file"),
        (lambda c: c.erase_profile(7), "key"),
        (lambda c: c.merge_profiles("a", None), "merged"),
        (lambda c: c.merge_profiles("\ud800", "a"), "survivor"),
        (lambda c: c.create_segment("s", description=7), "description"),
        (lambda c: c.update_segment("s", folder="\ud800"), "folder"),
        (lambda c: list(c.list_segments(text=7)), "text"),
        (lambda c: list(c.list_profiles(attributes="age")), "attributes"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(ask: Callable[[Client], object], field: str) -> None:
    """They came as ValueError, KeyError and AttributeError, or as a fault of the server."""
    with Client("127.0.0.1:1") as client, pytest.raises(InvalidArgument) as error:
        ask(client)
    assert error.value.field == field and field in str(error.value)


def test_whole_numbers_of_any_kind_are_taken() -> None:
    import numpy as np

    assert whole(np.int64(7), "limit") == 7 and whole((1 << 64) - 1, "limit", 64) == (1 << 64) - 1
    with pytest.raises(InvalidArgument, match="limit: a whole number is expected, got float"):
        whole(7.0, "limit")  # type: ignore[arg-type]


def test_a_zone_without_steps_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="a zone goes with calendar steps"):
        by_attribute("a", zone="Nowhere")


def test_segments_are_listed_by_state(server: RecordingServer, call: Caller) -> None:
    from headcount.v1 import segment_service_pb2 as m

    server.answers["SegmentService/ListSegments"] = m.ListSegmentsResponse()
    call("list_segments", states=[SegmentState.DRAFT, "paused"])
    sent = m.ListSegmentsRequest.FromString(server.requests["SegmentService/ListSegments"][0])
    assert list(sent.states) == [m.SEGMENT_STATE_DRAFT, m.SEGMENT_STATE_PAUSED]


# ------------------------------------------------------------------------------------------- against a server


@pytest.fixture(scope="module")
def running() -> Iterator[RunningServer]:
    with build(ServerConfig(listen="127.0.0.1:0", grace_s=1)) as server:
        with Client(server.address) as client:
            client.upsert_profiles([{"key": key} for key in "abc"])
            client.create_segment("list")
        yield server


class Failing(io.BytesIO):
    """A file whose disk fails after the first piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("input/output error")
        return super().read(4)


def importing(server: RunningServer, file: object) -> list[Callable[[], object]]:
    """An import through either client, which ends with what it raises."""

    def waiting() -> object:
        with Client(server.address) as client:
            return client.import_members("list", file)  # type: ignore[arg-type]

    async def awaited() -> object:
        async with AsyncClient(server.address) as client:
            return await client.import_members("list", file)  # type: ignore[arg-type]

    return [waiting, lambda: asyncio.run(awaited())]


@pytest.mark.parametrize("made", [lambda: Failing(b"key\na\nb\n"), lambda: io.StringIO("key\na\n")])
def test_a_file_that_cannot_be_read_is_told_and_nothing_of_it_applied(
    running: RunningServer, made: Callable[[], object]
) -> None:
    """The message was `Exception iterating requests!`, as if the server were at fault."""
    for number in (0, 1):
        with pytest.raises(InvalidArgument, match=r"file: it (cannot be read|is open for text)"):
            importing(running, made())[number]()
    with Client(running.address) as client:
        assert client.get_segment("list").size == 0


def test_a_file_is_given_by_its_path_as_text_and_a_mode_by_its_value(
    running: RunningServer, tmp_path: Path
) -> None:
    file = tmp_path / "members.csv"
    file.write_text("key\na\nb\n")
    with Client(running.address) as client:
        client.create_segment("given")
        assert client.import_members("given", str(file), "append").size == 2
        assert client.import_members("given", file, ImportMode.REMOVE).size == 0


def test_an_audience_is_named_by_its_text(running: RunningServer) -> None:
    """An AttributeError: 'str' object has no attribute 'name'."""
    with Client(running.address) as client:
        audience = client.create_audience(["everyone"])
        assert list(client.read_keys(audience.name)) == ["a", "b", "c"]
        assert client.keep_audience(audience.name, "kept").size == 3
        with pytest.raises(NotFound):
            list(client.read_keys(NAME))
