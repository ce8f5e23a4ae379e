"""ProfileService: the people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headcount_engine.conditions.tree import Everyone
from headcount_engine.errors import InvalidArgument, NotFound
from headcount_engine.model.answers import Need, ProfileAnswer
from headcount_engine.model.batches import ProfileBatch, Texts
from headcount_engine.model.values import ValueType
from headcount_server.context import Context
from headcount_server.services.asking import Stopwatch, key_of, reach, rule_in
from headcount_server.services.visits import check_rows, with_segments
from headcount_server.wire import messages, writes
from headcount_server.wire import profiles as wire
from headcount_server.wire.columns import profile_batch
from headcount_server.wire.fields import need_of, page_size, stamp
from headcount_server.wire.rows import profile_rows
from headcount_server.wire.rules import rule_of

if TYPE_CHECKING:
    from headcount_engine import Database

_SAME_VERSION_TRIES = 3


class Profiles:
    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(
        self, request: messages.BatchUpsertProfilesRequest, context: Context
    ) -> messages.BatchUpsertProfilesResponse:
        batch = self._batch(request)
        check_rows(request.return_segments, len(batch))
        context.deadline.check()
        watch = Stopwatch()
        return writes.upsert_answer(self._database.write_profiles(batch), watch.us)

    def with_segments(
        self,
        answer: messages.BatchUpsertProfilesResponse,
        request: messages.BatchUpsertProfilesRequest,
        context: Context,
    ) -> messages.BatchUpsertProfilesResponse:
        """The answer with where the changes led, if that was asked for."""
        return with_segments(
            self._database, answer, request.return_segments, lambda: self._batch(request).keys, context
        )

    def _batch(self, request: messages.BatchUpsertProfilesRequest) -> ProfileBatch:
        return replace(self._rows(request), recreate=request.recreate)

    def _rows(self, request: messages.BatchUpsertProfilesRequest) -> ProfileBatch:
        if request.profiles and request.HasField("batch"):
            raise InvalidArgument("either rows or a batch, not both", path="batch")
        create = request.create if request.HasField("create") else True
        if request.HasField("batch"):
            return profile_batch(request.batch, "batch", create=create, all_or_nothing=request.all_or_nothing)
        return profile_rows(
            request.profiles,
            "profiles",
            self.known_types,
            create=create,
            all_or_nothing=request.all_or_nothing,
        )

    def merge(
        self, request: messages.MergeProfilesRequest, context: Context
    ) -> messages.MergeProfilesResponse:
        """Without the survivor's profile: what is kept under a request id must not outlive an erasure."""
        for path, key in (("survivor_key", request.survivor_key), ("merged_key", request.merged_key)):
            if not key:
                raise InvalidArgument("a profile's key is not empty", path=path)
        context.deadline.check()
        watch = Stopwatch()
        receipt = self._database.merge_profiles(request.survivor_key, request.merged_key, force=request.force)
        answer = messages.MergeProfilesResponse()
        stamp(answer, receipt.version, receipt.now_us, watch.us)
        return answer

    def with_survivor(
        self, answer: messages.MergeProfilesResponse, request: messages.MergeProfilesRequest, context: Context
    ) -> messages.MergeProfilesResponse:
        """The answer with the survivor as it is now; without one that has been erased since."""
        made = messages.MergeProfilesResponse()
        made.CopyFrom(answer)
        with suppress(NotFound):
            watch = Stopwatch()
            need = Need(answer.version, deadline=context.deadline)
            profile, segments, version = self._with_segments(request.survivor_key, need)
            made.profile.CopyFrom(wire.profile_answer(profile, segments, version, watch.us))
        return made

    def erase(self, request: messages.EraseProfileRequest, context: Context) -> messages.EraseProfileResponse:
        if not request.key:
            raise InvalidArgument("a profile's key is not empty", path="key")
        context.deadline.check()
        watch = Stopwatch()
        receipt = self._database.erase_profile(request.key)
        answer = messages.EraseProfileResponse()
        stamp(answer, receipt.version, receipt.now_us, watch.us)
        return answer

    def known_types(self) -> Mapping[str, ValueType]:
        """Of the attributes that exist."""
        return {a.name: a.type for a in self._database.schema().attributes}

    def get(self, request: messages.GetProfileRequest, context: Context) -> messages.Profile:
        watch = Stopwatch()
        need = need_of(request, context.deadline)
        reach(self._database, need)
        key = key_of(self._database, wire.who(request))
        if request.omit_segments:
            profile = self._database.get_profile(key)
            return wire.profile_answer(profile, (), profile.version, watch.us)
        profile, segments, version = self._with_segments(key, need)
        return wire.profile_answer(profile, segments, version, watch.us)

    def _with_segments(self, key: str, need: Need) -> tuple[ProfileAnswer, tuple[str, ...], int]:
        """A profile and its segments of one version, unless writes come faster than it can be read twice;
        then the version is the older of the two, which both reflect."""
        for _ in range(_SAME_VERSION_TRIES):
            profile = self._database.get_profile(key)
            memberships = self._database.memberships(key, need=need)
            if memberships.version == profile.version:
                break
        if not memberships.is_known:
            raise NotFound("profile")
        return profile, memberships.segments, min(profile.version, memberships.version)

    def list(self, request: messages.ListProfilesRequest, context: Context) -> messages.ListProfilesResponse:
        """A page. It continues after the last id of the page before, under the rule as it holds now."""
        size = page_size(request.page_size)
        place = wire.page_place(request)
        need = need_of(request, context.deadline)
        if place is not None:
            need = Need(max(need.min_version, place.version), need.min_now_us, need.deadline)
        rule = rule_of(request.filter, "filter") if request.HasField("filter") else Everyone()
        watch = Stopwatch()
        with rule_in("filter", rule):
            found = self._database.members(rule, need=need)
        start = 0 if place is None else int(np.searchsorted(found.ids, place.after_id, side="right"))
        page = found.ids[start : start + size]
        answer = messages.ListProfilesResponse(total_size=len(found.ids))
        wanted = frozenset(request.attributes)
        for key in self._database.keys_of(page).to_list():
            context.deadline.check()
            profile = self._database.get_profile(key, with_events=False)
            answer.profiles.append(wire.profile_message(profile, wanted))
        if start + size < len(found.ids):
            answer.next_page_token = wire.page_token(request, wire.PagePlace(found.version, int(page[-1])))
        stamp(answer, found.version, found.now_us, watch.us)
        return answer

    def lookup(
        self, request: messages.LookupProfilesRequest, context: Context
    ) -> messages.LookupProfilesResponse:
        asked = wire.lookups(request)
        watch = Stopwatch()
        reach(self._database, need_of(request, context.deadline))
        state = self._database.status()
        rows_of_type: dict[str, list[int]] = defaultdict(list)
        for row, identifier in enumerate(asked):
            rows_of_type[identifier.type].append(row)
        keys: list[str | None] = [None] * len(asked)
        for type_, rows in rows_of_type.items():
            found = self._database.lookup(type_, Texts.of([asked[row].value for row in rows]))
            for row, key in zip(rows, found, strict=True):
                keys[row] = key
        return wire.lookup_answer(keys, state.version, state.now_us, watch.us)
