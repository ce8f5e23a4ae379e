"""The client for asyncio: the calls of `client.Client`, awaited."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

import grpc
import grpc.aio

from headcount import analytics, editing, sending, settings, values
from headcount.aio_checking import AsyncChecker
from headcount.aio_watching import AsyncMembershipWatch
from headcount.aio_writer import AsyncIngestWriter
from headcount.channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S, Connection, Tls
from headcount.client import PAGE_SIZE, READY, READY_POLL_S
from headcount.errors import DeadlineExceeded, HeadcountError, Unavailable
from headcount.lists import ElementCategory, ImportMode, ImportReceipt, RuleElement, Template
from headcount.values import Identifier, SegmentKind, SegmentState
from headcount.wire import (
    analytics_calls,
    audience_calls,
    editing_calls,
    list_calls,
    record_calls,
    schema_calls,
    segment_calls,
    sending_calls,
    settings_calls,
)
from headcount.wire.calls import Asked, Page, Unary
from headcount.wire.change_calls import NOW, WATCH_PATH, WatchProgress
from headcount.wire.check_stream import BATCH_MAX, CHECK_PATH, IN_FLIGHT, Checks
from headcount.wire.encode import RuleLike
from headcount.wire.failures import error_of
from headcount.wire.ingest import INGEST_PATH, IngestOptions
from headcount.wire.member_files import MemberFile
from headcount.wire.record_calls import EventRows, ProfileRows
from headcount.wire.segment_calls import SegmentFields, SegmentFilter

OutT = TypeVar("OutT")
ItemT = TypeVar("ItemT")
PieceT = TypeVar("PieceT")


class AsyncClient:
    """A connection to a server; an async context manager, for one event loop.

    What holds of the calls of `Client` holds of these. Make it where the loop runs.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout: float = DEFAULT_TIMEOUT_S,
        token: str | None = None,
        tls: Tls | None = None,
    ) -> None:
        self._connection = Connection(target, timeout, token, tls)
        self._channel = self._connection.open_async()
        self._metadata = self._connection.metadata()
        self._stubs: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self._closed = False

    async def close(self) -> None:
        """Let go of the connection; calls under way end as Cancelled. Closing again does nothing."""
        self._closed = True
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, call: Unary[OutT], timeout: float | None) -> OutT:
        self._check_open()
        stub = self._stubs.get(call.path)
        if stub is None:
            stub = self._stubs[call.path] = self._channel.unary_unary(call.path)
        try:
            answer = await stub(
                call.request, timeout=self._connection.deadline_s(timeout), metadata=self._metadata
            )
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure) from failure
        return call.read(answer)

    def _check_open(self) -> None:
        if self._closed:
            raise HeadcountError("this client is closed", reason="CLIENT_CLOSED", code="FAILED_PRECONDITION")

    async def _items(
        self, page_at: Callable[[str], Unary[Page[ItemT]]], timeout: float | None
    ) -> AsyncIterator[ItemT]:
        token = ""
        while True:
            page = await self._run(page_at(token), timeout)
            for item in page.items:
                yield item
            token = page.next_token
            if not token:
                return

    async def _pieces(
        self, reading: sending_calls.Reading[PieceT], timeout: float | None
    ) -> AsyncIterator[PieceT]:
        self._check_open()
        stub: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(reading.path)
        deadline_s = self._connection.deadline_s(reading.timeout_s if timeout is None else timeout)
        while True:
            stream = stub(reading.request(), timeout=deadline_s, metadata=self._metadata)
            try:
                async for data in stream:
                    yield reading.take(data)
                return
            except grpc.aio.AioRpcError as failure:
                pause_s = reading.pause_s(error_of(failure))
            finally:
                stream.cancel()
            await asyncio.sleep(pause_s)

    # ------------------------------------------------------------------------------------------------ the server

    async def status(self, *, timeout: float | None = None) -> values.Status:
        """Sizes, memory, versions, latencies."""
        return await self._run(audience_calls.status(), timeout)

    async def wait_ready(self, timeout: float = 30.0) -> values.Status:
        """Wait until the server answers and has loaded; raises DeadlineExceeded."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            try:
                status = await self.status(timeout=left)
            except Unavailable:
                pass
            else:
                if status.state in READY:
                    return status
            await asyncio.sleep(min(READY_POLL_S, max(0.0, deadline - time.monotonic())))
        raise DeadlineExceeded(f"the server was not ready within {timeout:g} s", reason="NOT_READY")

    async def checkpoint(self, *, timeout: float | None = None) -> values.Checkpoint:
        """Write the whole state to disk, so that the next start is quick."""
        return await self._run(audience_calls.checkpoint(), timeout)

    # ------------------------------------------------------------------------------------------------ the schema

    async def get_schema(
        self,
        *,
        include_counts: bool = False,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> values.Schema:
        """What profiles and events may hold; with counts, how many profiles have each."""
        return await self._run(schema_calls.get_schema(include_counts, Asked(min_version, min_now)), timeout)

    async def declare_attributes(
        self,
        attributes: Mapping[str, str] | None = None,
        *,
        tracked: Iterable[str] = (),
        identifiers: Iterable[str] = (),
        consent_topics: Mapping[str, bool] | None = None,
        validate_only: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Schema:
        """Add attributes by type: `{"plan": "text", "spent": "decimal(2)", "interests": "set"}`.

        Types are bool, int, decimal(0..6), float, text, set, instant, date and point. `tracked` ones keep the instant
        of their last change. `consent_topics` says by topic whether it is opt-in (else opt-out).
        """
        call = schema_calls.declare_attributes(
            attributes or {}, tracked, identifiers, consent_topics or {}, validate_only, request_id
        )
        return await self._run(call, timeout)

    async def declare_events(
        self,
        event_types: Mapping[str, Mapping[str, str]],
        *,
        retention: Mapping[str, dt.timedelta] | None = None,
        validate_only: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Schema:
        """Add event types and the types of their properties: `{"purchase": {"amount": "decimal(2)"}}`."""
        call = schema_calls.declare_events(event_types, retention or {}, validate_only, request_id)
        return await self._run(call, timeout)

    # ------------------------------------------------------------------------------------------ profiles, events

    async def upsert_profiles(
        self,
        rows: ProfileRows,
        *,
        create: bool = True,
        recreate: bool = False,
        all_or_nothing: bool = False,
        return_segments: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.WriteReceipt:
        """Create or change profiles: ProfileUpdates, mappings with a `key`, or ProfileColumns.

        Bad rows are reported by position and the others applied, unless `all_or_nothing`; raises InvalidArgument, which
        names the row, where none of them is a row that can be sent. With `return_segments` (at most 1,000 rows) the
        receipt says which live segments the profile of each row is in afterwards.
        """
        return await self._run(
            record_calls.upsert_profiles(rows, create, recreate, all_or_nothing, return_segments, request_id),
            timeout,
        )

    async def track(
        self,
        rows: EventRows,
        *,
        create: bool = True,
        all_or_nothing: bool = False,
        return_segments: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.WriteReceipt:
        """Record events: Events, mappings with `name`, `key` and `time`, or EventColumns.

        Bad rows are reported by position, as for profiles.
        With `return_segments` (at most 1,000 rows) the receipt says which live segments the profile of each row is in
        afterwards, for use within the same visit.
        """
        return await self._run(
            record_calls.track(rows, create, all_or_nothing, return_segments, request_id), timeout
        )

    def ingest(
        self,
        options: IngestOptions | None = None,
        on_progress: Callable[[values.WriteReceipt], None] | None = None,
    ) -> AsyncIngestWriter:
        """A stream for many rows. `on_progress` is called with each batch's receipt."""
        self._check_open()
        stub: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(INGEST_PATH)
        return AsyncIngestWriter(
            lambda: stub(metadata=self._metadata), options or IngestOptions(), on_progress
        )

    async def get_profile(
        self,
        who: str | Identifier,
        *,
        omit_segments: bool = False,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> values.Profile:
        """Everything known about one profile, by key or identifier; raises NotFound."""
        return await self._run(
            record_calls.get_profile(who, omit_segments, Asked(min_version, min_now)), timeout
        )

    def list_profiles(
        self,
        rule: RuleLike | None = None,
        *,
        attributes: Sequence[str] = (),
        page_size: int = PAGE_SIZE,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[values.Profile]:
        """The profiles that a rule describes, or everyone; pages are fetched as they are needed."""
        asked = Asked(min_version, min_now)
        return self._items(
            lambda token: record_calls.list_profiles(rule, attributes, page_size, token, asked), timeout
        )

    async def lookup(
        self,
        identifiers: Iterable[Identifier],
        *,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> list[str | None]:
        """The key for each identifier, None where nobody carries it."""
        return await self._run(record_calls.lookup(identifiers, Asked(min_version, min_now)), timeout)

    async def merge_profiles(
        self,
        survivor: str,
        merged: str,
        *,
        force: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Profile:
        """Move everything of `merged` to `survivor`, whose profile comes back. Two known ones need `force`."""
        return await self._run(record_calls.merge_profiles(survivor, merged, force, request_id), timeout)

    async def erase_profile(
        self, key: str, *, request_id: str | None = None, timeout: float | None = None
    ) -> values.Answer:
        """Remove a profile and everything about it, for good."""
        return await self._run(record_calls.erase_profile(key, request_id), timeout)

    # -------------------------------------------------------------------------------------------------- segments

    async def create_segment(
        self,
        segment_id: str,
        rule: RuleLike | None = None,
        *,
        kind: SegmentKind | None = None,
        state: SegmentState | None = None,
        display_name: str | None = None,
        description: str | None = None,
        folder: str | None = None,
        labels: Sequence[str] | None = None,
        retention: dt.timedelta | None = None,
        retains_unknown_only: bool | None = None,
        source: str | None = None,
        holding: RuleLike | None = None,
        validate_only: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Segment:
        """Define a segment: data-driven if it has a rule, else manual, unless `kind` says otherwise.

        A manual one can begin with who matches `holding` now.
        """
        said = SegmentFields(
            rule,
            kind,
            state,
            display_name,
            description,
            folder,
            labels,
            retention,
            retains_unknown_only,
            source,
        )
        return await self._run(
            segment_calls.create_segment(segment_id, said, holding, validate_only, request_id), timeout
        )

    async def get_segment(
        self,
        segment_id: str,
        *,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> values.Segment:
        """A segment with its exact size; raises NotFound."""
        return await self._run(segment_calls.get_segment(segment_id, Asked(min_version, min_now)), timeout)

    def list_segments(
        self,
        *,
        folder: str = "",
        label: str = "",
        kind: SegmentKind | None = None,
        text: str = "",
        order_by: str = "",
        include_archived: bool = False,
        states: Iterable[SegmentState] = (),
        page_size: int = PAGE_SIZE,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[values.Segment]:
        """Segments with their exact sizes. `order_by`: display_name, size, create_time or update_time, also `desc`.

        Those in one of the `states`; of none named, all but archived ones, or with `include_archived` all.
        """
        which = SegmentFilter(folder, label, kind, text, order_by, include_archived, tuple(states))
        asked = Asked(min_version, min_now)
        return self._items(lambda token: segment_calls.list_segments(which, page_size, token, asked), timeout)

    async def update_segment(
        self,
        segment_id: str,
        *,
        rule: RuleLike | None = None,
        state: SegmentState | None = None,
        display_name: str | None = None,
        description: str | None = None,
        folder: str | None = None,
        labels: Sequence[str] | None = None,
        retention: dt.timedelta | None = None,
        retains_unknown_only: bool | None = None,
        source: str | None = None,
        etag: str = "",
        validate_only: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Segment:
        """Change what is given. With an `etag` that is no longer current it raises Aborted.

        Empty text, an empty list and a retention of zero take away what was there.
        """
        said = SegmentFields(
            rule,
            None,
            state,
            display_name,
            description,
            folder,
            labels,
            retention,
            retains_unknown_only,
            source,
        )
        return await self._run(
            segment_calls.update_segment(segment_id, said, etag, validate_only, request_id), timeout
        )

    async def delete_segment(
        self,
        segment_id: str,
        *,
        etag: str = "",
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Answer:
        """Raises FailedPrecondition while other segments refer to it; `metadata["dependents"]` names them."""
        return await self._run(segment_calls.delete_segment(segment_id, etag, request_id), timeout)

    async def duplicate_segment(
        self,
        segment_id: str,
        new_id: str,
        *,
        display_name: str = "",
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Segment:
        """A deep copy under a new id; without a name it is called `Copy of` the original."""
        return await self._run(
            segment_calls.duplicate_segment(segment_id, new_id, display_name, request_id), timeout
        )

    async def add_members(
        self,
        segment_id: str,
        keys: Iterable[str] = (),
        *,
        identifiers: Iterable[Identifier] = (),
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.MemberReceipt:
        """Add profiles to a manual segment. Unknown ones are reported by position, keys first, never created."""
        return await self._run(segment_calls.add_members(segment_id, keys, identifiers, request_id), timeout)

    async def remove_members(
        self,
        segment_id: str,
        keys: Iterable[str] = (),
        *,
        identifiers: Iterable[Identifier] = (),
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.MemberReceipt:
        """Take profiles out of a manual segment."""
        return await self._run(
            segment_calls.remove_members(segment_id, keys, identifiers, request_id), timeout
        )

    async def import_members(
        self,
        segment_id: str,
        file: MemberFile,
        mode: ImportMode | str = ImportMode.APPEND,
        *,
        column: str = "",
        identifier_type: str = "",
        delimiter: str = "",
        has_header: bool | None = None,
        allow_empty: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> ImportReceipt:
        """Put a CSV file of keys, or of identifiers of a type, on the list of a segment; in one version.

        `column` is the first where it is empty; without a header it is a number from 1. Whether there is a header is
        seen from its names (`key`, `id`, the identifier type, the column asked for) unless `has_header` says so. A
        file that names nobody replaces nothing, unless with `allow_empty`.
        """
        self._check_open()
        options = list_calls.ImportOptions(
            segment_id, mode, column, identifier_type, delimiter, has_header, allow_empty, request_id
        )
        requests = list_calls.import_requests(options, file)
        stub: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = self._channel.stream_unary(
            list_calls.IMPORT_PATH
        )

        async def sent() -> AsyncIterator[bytes]:
            while (request := await asyncio.to_thread(next, requests, None)) is not None:
                yield request

        try:
            answer = await stub(sent(), timeout=self._connection.deadline_s(timeout), metadata=self._metadata)
        except grpc.aio.AioRpcError as failure:
            raise requests.failure or error_of(failure) from failure
        except asyncio.CancelledError:
            # A file that cannot be read cancels the call, as its caller would.
            if requests.failure is not None:
                raise requests.failure from None
            raise
        finally:
            requests.close()
        return list_calls.read_import(answer)

    def list_templates(
        self,
        *,
        category: str = "",
        arguments: Mapping[str, str] | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncIterator[Template]:
        """Ready-made segments on this workspace's schema; `arguments` say what to put in the places of that name."""
        said = arguments or {}
        return self._items(lambda token: list_calls.list_templates(category, said, page_size, token), timeout)

    def list_rule_elements(
        self,
        *,
        category: ElementCategory | None = None,
        text: str = "",
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncIterator[RuleElement]:
        """All that a rule may be made of, with operators, examples and values in use."""
        return self._items(
            lambda token: list_calls.list_rule_elements(category, text, page_size, token), timeout
        )

    # ------------------------------------------------------------------------------------------------- audiences

    async def count(
        self,
        rule: RuleLike,
        *,
        at: dt.datetime | None = None,
        node_sizes: bool = False,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> values.Count:
        """How many a rule describes, exactly; `at` another instant, and with the size of each of its nodes."""
        return await self._run(
            audience_calls.count(rule, at, node_sizes, Asked(min_version, min_now)), timeout
        )

    async def check(
        self,
        key: str,
        *segments: str,
        rules: Iterable[RuleLike] = (),
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> values.Membership:
        """Whether one profile is in each of the segments and rules. An unknown key is in nothing."""
        asked = Asked(min_version, min_now)
        return await self._run(audience_calls.check(key, segments, rules, at, asked), timeout)

    async def check_many(
        self,
        keys: Sequence[str],
        *segments: str,
        rules: Iterable[RuleLike] = (),
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> values.MembershipTable:
        """Whether each of many profiles is in each of the segments and rules."""
        asked = Asked(min_version, min_now)
        return await self._run(audience_calls.check_many(keys, segments, rules, at, asked), timeout)

    async def memberships(
        self,
        who: str | Identifier,
        *,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> values.Memberships:
        """All segments that a profile is in; raises NotFound for an unknown one."""
        return await self._run(audience_calls.memberships(who, Asked(min_version, min_now)), timeout)

    async def explain(
        self,
        key: str,
        rule: RuleLike,
        *,
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> editing.Explanation:
        """Why a profile is in or out: every node of the rule, what would change that, and when time alone will."""
        return await self._run(editing_calls.explain(key, rule, at, Asked(min_version, min_now)), timeout)

    async def compare(
        self,
        before: RuleLike,
        after: RuleLike,
        *,
        by: Sequence[str] = (),
        groups: int = 20,
        sample_size: int = 0,
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> editing.Comparison:
        """Who would join and leave if one rule took the place of another, `by` the values of attributes.

        `groups` is the largest number of values to tell apart, `sample_size` how many keys of either side to name.
        """
        asked = Asked(min_version, min_now)
        call = editing_calls.compare(before, after, by, groups, sample_size, at, asked)
        return await self._run(call, timeout)

    async def plan(
        self,
        rule: RuleLike,
        *,
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> editing.Plan:
        """How a rule is counted: the steps, with estimated and actual sizes and times. Costs as much as counting it."""
        return await self._run(editing_calls.plan(rule, at, Asked(min_version, min_now)), timeout)

    async def parse(
        self,
        rule: RuleLike,
        *,
        syntax_only: bool = False,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> editing.ParsedRule:
        """The rule in its canonical layout, as text and as a tree; raises InvalidRule.

        With `syntax_only` names may be unknown and nothing is warned of.
        """
        return await self._run(editing_calls.parse(rule, syntax_only, Asked(min_version, min_now)), timeout)

    # --------------------------------------------------------------------------------------------------- changes

    def watch(
        self,
        *segments: str,
        start: str = NOW,
        include_initial_members: bool = False,
        patience: float = 60.0,
        timeout: float | None = None,
    ) -> AsyncMembershipWatch:
        """Follow segments, or all of them: every join and leave exactly once, in order, as it happens.

        `start` is `now`, `oldest` (the oldest change that is kept) or a cursor; `include_initial_members` begins with
        who is in already. A broken connection is taken up where it was, for at most `patience` seconds without an
        answer; without a `timeout` it goes on until it is closed. Raises OutOfRange for a cursor that is too old.
        """
        self._check_open()
        progress = WatchProgress(segments, start, include_initial_members, timeout, patience)
        stub: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(WATCH_PATH)
        return AsyncMembershipWatch(
            lambda request, timeout_s: stub(request, timeout=timeout_s, metadata=self._metadata), progress
        )

    # ------------------------------------------------------------------------------------------------- analytics

    async def overlap(
        self,
        *segments: str,
        rules: Iterable[RuleLike] = (),
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> analytics.Overlap:
        """How many are in each pair of the segments and rules, exactly, with Jaccard and lift; at most 1,000."""
        call = analytics_calls.overlap(segments, rules, at, Asked(min_version, min_now))
        return await self._run(call, timeout)

    async def breakdown(
        self,
        rule: RuleLike,
        *by: str | analytics.By,
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> analytics.Breakdowns:
        """How the members of a rule divide `by` attributes (a name, `by_attribute`), events, tags, segments."""
        call = analytics_calls.breakdown(rule, by, at, Asked(min_version, min_now))
        return await self._run(call, timeout)

    async def affinity(
        self,
        rule: RuleLike,
        *,
        limit: int = 50,
        min_support: float | None = None,
        min_lift: float | None = None,
        look_alikes: int = 0,
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> analytics.Affinity:
        """What members have more often than everyone, and so many others who have most of it.

        `min_support` is the least share of members that have a trait, `min_lift` how many times more often, at least.
        """
        asked = Asked(min_version, min_now)
        call = analytics_calls.affinity(rule, limit, min_support, min_lift, look_alikes, at, asked)
        return await self._run(call, timeout)

    async def statistics(
        self,
        segment_id: str,
        *,
        by: Sequence[str | analytics.By] = (),
        overlap_with: Iterable[str] = (),
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        interval: dt.timedelta | None = None,
        members: int = 0,
        member_attributes: Sequence[str] = (),
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> analytics.SegmentStatistics:
        """A segment in numbers: its size and history, how its members divide, what it shares with other segments.

        With `members`, the first so many of them too, with `member_attributes` or all. The history begins 30 days back
        unless `start` says, two where `interval` is no whole number of hours.
        """
        asked = Asked(min_version, min_now)
        call = analytics_calls.statistics(
            segment_id, by, overlap_with, start, end, interval, members, member_attributes, asked
        )
        return await self._run(call, timeout)

    # -------------------------------------------------------------------------------------------------- sending

    async def create_audience(
        self,
        includes: Iterable[RuleLike],
        excludes: Iterable[RuleLike] = (),
        *,
        known: bool | None = None,
        channel: str = "",
        topic: str = "",
        suppressions: Iterable[RuleLike] = (),
        frequency_cap: sending.FrequencyCap | None = None,
        holdout: sending.Holdout | None = None,
        limit: int = 0,
        order: sending.LimitOrder | None = None,
        time_to_live: dt.timedelta | None = None,
        at: dt.datetime | None = None,
        validate_only: bool = False,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> sending.Audience:
        """Resolve whom to reach: in any of `includes` and none of `excludes`, then narrowed step by step.

        `known` True takes known profiles only, False unknown ones; `channel` those reachable by it, `topic` those whose
        consent allows it; `suppressions` never get through. The members are kept for an hour or `time_to_live`;
        `validate_only` gives the waterfall alone.
        """
        wanted = sending_calls.Wanted(
            includes,
            excludes,
            known,
            channel,
            topic,
            suppressions,
            frequency_cap,
            holdout,
            limit,
            order,
            time_to_live,
        )
        asked = Asked(min_version, min_now)
        return await self._run(sending_calls.create(wanted, at, validate_only, asked, request_id), timeout)

    def read_chunks(
        self,
        audience: sending_calls.Named,
        form: sending.MemberForm = "keys",
        *,
        offset: int = 0,
        chunk_size: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[sending.Members]:
        """The members in order, a chunk at a time, from an offset on.

        A stream that breaks is taken up where it ended; `next_offset` of a chunk is where another program would.
        """
        return self._pieces(sending_calls.read(audience, form, offset, chunk_size), timeout)

    async def read_keys(
        self, audience: sending_calls.Named, *, offset: int = 0, timeout: float | None = None
    ) -> AsyncIterator[str]:
        """The members' keys; resumes by itself."""
        async for chunk in self.read_chunks(audience, "keys", offset=offset, timeout=timeout):
            for key in chunk.keys:
                yield key

    async def read_ids(
        self, audience: sending_calls.Named, *, offset: int = 0, timeout: float | None = None
    ) -> AsyncIterator[memoryview]:
        """The members' ids in blocks of unsigned 32-bit integers, which `numpy.asarray` takes without a copy."""
        async for chunk in self.read_chunks(audience, "ids", offset=offset, timeout=timeout):
            yield chunk.ids

    async def read_roaring(
        self, audience: sending_calls.Named, *, offset: int = 0, timeout: float | None = None
    ) -> AsyncIterator[bytes]:
        """The members' ids as serialised roaring bitmaps in the portable format, whose union is the audience."""
        async for chunk in self.read_chunks(audience, "roaring", offset=offset, timeout=timeout):
            yield chunk.roaring

    async def keep_audience(
        self,
        audience: sending_calls.Named,
        segment_id: str,
        *,
        display_name: str = "",
        description: str = "",
        folder: str = "",
        labels: Sequence[str] = (),
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> values.Segment:
        """Make a manual segment of an audience's members, such as those who were sent to."""
        call = sending_calls.keep(audience, segment_id, display_name, description, folder, labels, request_id)
        return await self._run(call, timeout)

    async def delete_audience(
        self, audience: sending_calls.Named, *, timeout: float | None = None
    ) -> values.Answer:
        """Let go of a resolved audience before its time; one that is not there is no error."""
        return await self._run(sending_calls.delete(audience), timeout)

    async def preview(
        self,
        who: sending_calls.Who,
        *,
        attributes: Sequence[str] = (),
        page_size: int = PAGE_SIZE,
        page_token: str = "",
        sample_salt: str | None = None,
        at: dt.datetime | None = None,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> sending.Preview:
        """Some members of a rule or audience with chosen attributes: a page, or with a salt a uniform sample."""
        asked = Asked(min_version, min_now)
        call = sending_calls.preview(who, attributes, page_size, page_token, sample_salt, at, asked)
        return await self._run(call, timeout)

    def export(
        self,
        who: sending_calls.Who,
        file_format: sending.FileFormat = "csv",
        *,
        attributes: Sequence[str] = (),
        offset: int = 0,
        min_version: int = 0,
        min_now: dt.datetime | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[sending.FilePiece]:
        """All members with chosen attributes as a file in pieces.

        CSV and JSON Lines of an audience resume by themselves, and at any piece's `next_offset`; other files have
        `timeout` (an hour if not given) to be read in.
        """
        reading = sending_calls.export(who, file_format, attributes, offset, Asked(min_version, min_now))
        return self._pieces(reading, timeout)

    async def get_settings(self, *, timeout: float | None = None) -> settings.Settings:
        """What the workspace chose, and what bounds it."""
        return await self._run(settings_calls.get_settings(), timeout)

    async def update_settings(
        self,
        *,
        default_zone: str | None = None,
        first_day_of_week: int | None = None,
        infers_schema: bool | None = None,
        opt_out_topics: Iterable[str] | None = None,
        legacy_before: dt.datetime | None = None,
        etag: str = "",
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> settings.Settings:
        """Change what is given, for good. `first_day_of_week` is 0 for Monday to 6 for Sunday.

        Raises FailedPrecondition while live segments are kept by the zone, the week or a topic; `legacy_before` takes
        `headcount.settings.NEVER` to mark none.
        """
        call = settings_calls.update_settings(
            default_zone, first_day_of_week, infers_schema, opt_out_topics, legacy_before, etag, request_id
        )
        return await self._run(call, timeout)

    def checker(
        self,
        *segments: str,
        rules: Iterable[RuleLike] = (),
        batch_max: int = BATCH_MAX,
        in_flight: int = IN_FLIGHT,
    ) -> AsyncChecker:
        """Checks of many profiles, asked one by one and sent together over one stream."""
        self._check_open()
        checks = Checks(segments, rules, batch_max, in_flight)
        stub: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(CHECK_PATH)
        return AsyncChecker(lambda: stub(metadata=self._metadata), checks, self._connection.timeout_s)
