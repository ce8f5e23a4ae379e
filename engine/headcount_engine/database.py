"""The whole engine behind one object: open, write, define, read, close. It composes; it computes nothing."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import assert_never, cast

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.administration import Administration
from headcount_engine.analytics import Analytics
from headcount_engine.asking import NEED_NOTHING, Answer, Asker, At
from headcount_engine.asking import Rule as Rule
from headcount_engine.changes.feed import Changes
from headcount_engine.changes.options import ChangeOptions
from headcount_engine.clock import Clock, WallClock, offset_from
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition, InSegment
from headcount_engine.durability import offline as offline
from headcount_engine.durability.filesystem import DirectoryLock, FileSystem, RealFileSystem
from headcount_engine.durability.framing import FrameKind
from headcount_engine.durability.keeper import Captured, Keeper
from headcount_engine.durability.store import CheckpointReport, Opening, Store
from headcount_engine.elements import Elements
from headcount_engine.errors import FailedPrecondition, InvalidArgument, NotFound, StoreReadOnly
from headcount_engine.evaluation import answer, editing
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.explain import Explainer
from headcount_engine.evaluation.prepare import Prepared
from headcount_engine.following import Following
from headcount_engine.indexes import state
from headcount_engine.indexes.attributes import to_cell
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.summaries import summaries
from headcount_engine.ingest import turns
from headcount_engine.ingest.admission import admit_texts
from headcount_engine.ingest.commit import Gate, NoLog, Writer
from headcount_engine.ingest.events import stage_events
from headcount_engine.ingest.expiring import Expiring
from headcount_engine.ingest.groups import Groups
from headcount_engine.ingest.joining import Batch
from headcount_engine.ingest.live import LiveStage
from headcount_engine.ingest.once import Once, answer_lost
from headcount_engine.ingest.people import People
from headcount_engine.ingest.profiles import occurrences, stage_profiles
from headcount_engine.ingest.records import Recorder, decode
from headcount_engine.ingest.schema import stage_attributes, stage_properties, stage_topics
from headcount_engine.ingest.settings import plain_settings, restore_settings
from headcount_engine.ingest.staging import Staged
from headcount_engine.lately import LatelyAsked
from headcount_engine.limits import DEFAULT_LIMITS, Limits
from headcount_engine.listing import MemberLists
from headcount_engine.live_reads import LiveReads
from headcount_engine.membership import pages
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.membership.live import LiveSegments
from headcount_engine.model.answers import (
    CheckAnswer,
    CheckManyAnswer,
    CompareAnswer,
    CountAnswer,
    ExplainAnswer,
    MembersAnswer,
    MembershipsAnswer,
    Need,
    PlanStep,
    ProfileAnswer,
    SchemaView,
    Segment,
    SegmentChanges,
    SegmentDraft,
    SegmentPage,
    SegmentQuery,
    Settings,
    SizesAnswer,
    Status,
)
from headcount_engine.model.batches import I64, EventBatch, ProfileBatch, Texts, WriteReceipt
from headcount_engine.model.durability import (
    DurabilityFacts,
    DurabilityOptions,
    RecoveryProgress,
    RecoveryReport,
)
from headcount_engine.model.instants import checked_instant_us
from headcount_engine.model.requests import RequestId
from headcount_engine.model.schema import (
    CHANNELS,
    TAGS,
    AttributeDefinition,
    PropertyDefinition,
)
from headcount_engine.model.segments import ImportMode, ListReceipt, NamedPeople
from headcount_engine.model.workspace import Workspace
from headcount_engine.read_view import PinnedView, find_people
from headcount_engine.segments import Segments
from headcount_engine.sending import Sending
from headcount_engine.vocabulary import Vocabulary

_NEED_NOTHING = NEED_NOTHING
_SEMANTICS = ("1", unicodedata.unidata_version)
"""What answers depend on beside the data: the number of these semantics and the release of Unicode."""


class Database:
    """One workspace in memory. Every method may be called from any thread; writes take turns."""

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        limits: Limits,
        changes: ChangeOptions = ChangeOptions(),  # noqa: B008 - frozen
    ) -> None:
        """Use `Database.open`."""
        self._lock: DirectoryLock | None = None
        self._keeper: Keeper | None = None
        self.recovery: RecoveryReport | None = None
        """What opening found in the directory; None for a database in memory."""
        self._clock = clock
        self._workspace = Workspace(settings)
        self._limits = limits
        self._indexes = Indexes()
        self._once = Once(self._indexes.requests)
        self._catalogue = Catalogue(limits)
        self._gate = Gate()
        self._asker = Asker(self._indexes, self._catalogue, self._gate, clock, self._workspace, limits)
        self._lately = LatelyAsked(self._indexes, self._gate, self._asker, limits)
        self._changes = Changes(os.urandom(16), settings.default_zone, changes)
        self._writer = Writer(
            self._indexes, self._catalogue, self._gate, clock, NoLog(), self._changes, self._workspace
        )
        self.live = LiveSegments(self._indexes, self._catalogue.retention, self._moment_at)
        self._live_stage = LiveStage(
            self._catalogue,
            self.live,
            lambda names: PinnedView(self._indexes, self._gate, names, self._catalogue),
            _moment_under,
        )
        self._writer.begin(self._live_stage)
        self.vocabulary = Vocabulary(self._indexes, self._workspace, self._asker)
        self.live_reads = LiveReads(
            self.live, self._indexes, self._catalogue, self._gate, self._writer, self._asker
        )
        self.analytics = Analytics(
            self._indexes, lambda: tuple(self._catalogue.all()), self._asker, self.live_reads, limits
        )
        self.elements = Elements(self._indexes, self._catalogue, self.analytics, self.schema, self.count)
        self._asker.after_ticks(self.live_reads.bring_up)
        self.segments = Segments(
            self._catalogue, self._asker, self.live_reads, self._writer, self._commit, self._workspace
        )
        self.administration = Administration(
            self._workspace, self._catalogue, self._writer, self._commit, limits, changes
        )
        self.member_lists = MemberLists(
            self._indexes, self._catalogue, self.segments, self._writer, self._commit, limits
        )
        self.sending = Sending(self._indexes, self._asker, self.segments, limits)
        self.following = Following(
            self._changes, self.live, self._catalogue, self._gate, self._asker, self._workspace
        )
        self.people = People(self._indexes, self._catalogue.lists, self._commit, limits)
        self.expiring = Expiring(self._indexes, self._catalogue, self._commit, limits)
        self._groups = Groups(self._writer, self._stage, self._indexes.identities.find, self._once)
        self._is_open = True

    @staticmethod
    def open(
        path: Path | None,
        *,
        clock: Clock | None = None,
        clock_start_us: int | None = None,
        settings: Settings = Settings(),  # noqa: B008 - frozen
        limits: Limits = DEFAULT_LIMITS,
        durability: DurabilityOptions = DurabilityOptions(),  # noqa: B008 - frozen
        changes: ChangeOptions = ChangeOptions(),  # noqa: B008 - frozen
        files: FileSystem | None = None,
        progress: Callable[[RecoveryProgress], None] = lambda _: None,
    ) -> Database:
        """Open a store in a directory, or with None one that lives in memory only.

        `clock_start_us` sets the clock of a new store into the past, from where it runs on; an existing store keeps
        its own. `files` takes the place of the directory's file system. `progress` is called every second or so while
        the log is read. Raises StoreLocked, StoreDamaged.
        """
        if path is None and files is None:
            return Database(clock or _clock_from(clock_start_us), settings, limits, changes)
        lock = None if path is None else DirectoryLock(path)
        try:
            found = files or RealFileSystem(cast("Path", path))
            database = Database(clock or WallClock(), settings, limits, changes)
            database._recover(Opening(found), clock, clock_start_us, durability, progress)
            database._lock = lock
            return database
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    def close(self) -> None:
        """Finish the write under way, make a last checkpoint, and let go of the directory. May be called twice.

        Raises StoreError if the checkpoint could not be made; what was acknowledged is in the log all the same.
        """
        with self._writer.exclusively():
            if not self._is_open:
                return
            self._is_open = False
        self._changes.close()
        try:
            if self._keeper is not None:
                self._keeper.close()
        finally:
            if self._lock is not None:
                self._lock.release()

    def checkpoint(self) -> CheckpointReport:
        """Store the present state, so that a restart need not replay the log. Writes go on meanwhile."""
        if self._keeper is None:
            raise FailedPrecondition("a database in memory makes no checkpoints")
        return self._keeper.checkpoint()

    def backup(self, target: Path) -> int:
        """Copy the present state into a new directory, which opens as a store of its own; its version.

        Writes go on meanwhile. Raises FailedPrecondition where the target is not empty, StoreError.
        """
        if self._keeper is None:
            raise FailedPrecondition("a database in memory has nothing to copy")
        if target.exists() and any(target.iterdir()):
            raise FailedPrecondition("the target directory is not empty")
        return self._keeper.backup(RealFileSystem(target))

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------ writing

    def write_profiles(self, batch: ProfileBatch, request: RequestId | None = None) -> WriteReceipt:
        """Apply a patch of profiles. Bad rows are reported in the receipt and the others applied.

        A batch that adds to sets or numbers, or answers about topics at instants of its own, and names a profile more
        than once is applied in turns, each a version; it cannot be all or nothing, which is refused with
        InvalidArgument. `request`: as for events.
        """
        with self._once.under(request):
            return self._write_profiles(batch)

    def _write_profiles(self, batch: ProfileBatch) -> WriteReceipt:
        batch = self.people.with_own_keys(batch)
        parts = occurrences(batch) if len(batch) else []
        if len(parts) <= 1:
            return self._write(batch)
        if batch.all_or_nothing:
            raise InvalidArgument(
                "all or nothing takes a profile once in a batch that adds to sets or numbers, or that answers about "
                "topics at instants of its own",
                path="all_or_nothing",
            )
        receipts = [self._write_profiles(turns.rows_of_profiles(batch, rows)) for rows in parts]
        return turns.joined_receipt(receipts, parts)

    def declare_retention(self, retentions: Mapping[str, int | None]) -> int:
        """As `Expiring.declare`: how long raw events of these types are kept, in microseconds; None: for ever."""
        return self.expiring.declare(retentions)

    def expire_events(self) -> WriteReceipt:
        """As `Expiring.expire`: let go of events that are older than their retention, at once."""
        return self.expiring.expire()

    def merge_profiles(
        self, survivor_key: str, loser_keys: str | Sequence[str], *, force: bool = False
    ) -> WriteReceipt:
        """As `People.merge`: everything of the losers goes to the survivor, in one version."""
        losers = [loser_keys] if isinstance(loser_keys, str) else loser_keys
        return self.people.merge(survivor_key, losers, force=force)

    def erase_profile(self, key: str) -> WriteReceipt:
        """As `People.erase`: the profile goes with everything it has; `complete_erasures` takes it off the disk."""
        return self.people.erase(key)

    def complete_erasures(self) -> int:
        """Take what was erased off the disk too, texts that nobody holds any more with it; how many erasures.

        Costs two checkpoints, of which the first writes everything. Backups made before hold what they hold. Raises
        StoreError; it may be tried again, and is until it succeeds.
        """
        pending = self.people.pending
        if not pending:
            return 0
        released = self.people.release()
        if self._keeper is not None:
            self._keeper.sweep(self.people.mark)
        self.people.complete(released.version)
        return pending

    def write_events(self, batch: EventBatch, request: RequestId | None = None) -> WriteReceipt:
        """Add events. Bad rows are reported in the receipt and the others applied.

        Under a request id that was carried out in the last 24 hours nothing happens, and the receipt is that of then.
        """
        with self._once.under(request):
            return self._write(batch)

    def _write(self, batch: Batch) -> WriteReceipt:
        if not self._is_open:
            raise FailedPrecondition("the database is closed")
        return self._groups.write(batch, self._once.next_part())

    def once(
        self,
        request: RequestId,
        do: Callable[[], Answer],
        dump: Callable[[Answer], bytes],
        load: Callable[[bytes], Answer],
    ) -> Answer:
        """What `do` returns, doing it only if this request was not carried out in the last 24 hours, by this process or
        an earlier one; else what it returned then. A call that raised may be made again.

        `dump` and `load`: the answer as bytes, for what is not written by `write_profiles` or `write_events`. Raises
        InvalidArgument where the id came with another request. Of calls at one time under one id one must wait for
        the other.
        """
        kept = self._indexes.requests.find(request, 0, self._now_us())
        if kept is not None and kept.answer is not None:
            return load(kept.answer)
        if kept is not None and kept.receipt is None:
            raise answer_lost(kept)
        with self._once.under(request) as scope:
            answer = do()
        if scope is not None and scope.needs_answer:
            self._keep_answer(request, dump(answer))
        return answer

    def _keep_answer(self, request: RequestId, answer: bytes) -> None:
        with self._writer.exclusively():
            now_us = self._now_us()
            if self._keeper is not None and self._is_open:
                content: list[state.Plain] = [now_us, request.text, request.digest, answer]
                try:
                    self._keeper.store.note_answer(self._gate.version, content)
                except StoreReadOnly:
                    # What it answers is in the log already; only a restart would have asked for these words.
                    return
            self._indexes.requests.answered(request, answer, now_us)

    def _stage(self, batch: Batch, now_us: int) -> Staged:
        match batch:
            case ProfileBatch():
                return stage_profiles(self._indexes, batch, now_us, self._workspace.settings, self._limits)
            case EventBatch():
                staged = stage_events(self._indexes, batch, now_us, self._workspace.settings, self._limits)
                return self.expiring.riding(staged, now_us)
            case other:
                assert_never(other)

    def declare_attributes(
        self, definitions: Sequence[AttributeDefinition], *, validate_only: bool = False
    ) -> int:
        """Declare attributes; returns the version. Raises AlreadyExists where one exists with another type.

        With `validate_only` nothing is declared; what would be refused is.
        """
        return self._declare(
            lambda _: stage_attributes(self._indexes, definitions, self._limits), validate_only
        )

    def declare_properties(
        self, definitions: Sequence[PropertyDefinition], *, validate_only: bool = False
    ) -> int:
        """Declare properties of events; returns the version. `validate_only` as for attributes."""
        return self._declare(
            lambda _: stage_properties(self._indexes, definitions, self._limits), validate_only
        )

    def declare_topics(self, is_opt_in: Mapping[str, bool], *, validate_only: bool = False) -> int:
        """Declare consent topics, and whether no answer counts as no (opt-in) or as yes; returns the version.

        `validate_only` as for attributes.
        """
        if not is_opt_in:
            return self._gate.version
        self._declare(lambda _: stage_topics(self._indexes, is_opt_in, self._limits), validate_only)
        self.administration.declare_topics(is_opt_in, validate_only=validate_only)
        return self._gate.version

    def _declare(self, stage: Callable[[int], Staged], validate_only: bool) -> int:
        if not validate_only:
            return self._commit(stage).version
        with self._writer.exclusively():
            stage(self._now_us())
            return self._gate.version

    def _commit(self, stage: Callable[[int], Staged]) -> WriteReceipt:
        if not self._is_open:
            raise FailedPrecondition("the database is closed")
        return self._once.commit(self._writer.commit, stage)

    # ------------------------------------------------------------------------------------------------ reading

    def schema(self) -> SchemaView:
        """All that rules can name; `vocabulary` tells how many profiles have what of it."""
        return self.vocabulary.schema()

    def count(self, rule: Rule, *, at_us: int | None = None, need: Need = _NEED_NOTHING) -> CountAnswer:
        """How many profiles satisfy a rule, exactly, now or at another instant."""
        if at_us is None and isinstance(rule, InSegment):
            live = self.live_reads.count(rule, need)
            if live is not None:
                return live
        elif at_us is None and not isinstance(rule, str):
            lately = self._lately.count(rule, need)
            if lately is not None:
                return lately
        started_ns = time.perf_counter_ns()
        prepared = self._prepared(rule)
        if at_us is None and (live := self.live_reads.count(prepared.condition, need)) is not None:
            return live
        if at_us is None and isinstance(rule, str):
            lately = self._lately.count(prepared.condition, need)
            if lately is not None:
                return lately
        ready = prepared.ready
        if ready is not None and at_us is None:
            self._wait_for(need)
            with self._gate.lock:
                version, gate_us = self._gate.version, self._gate.now_us
            if ready.version == version and ready.revision == self._catalogue.revision:
                now_us = max(self._clock.now_us(), gate_us)
                found = ready.program.count()
                engine_us = (time.perf_counter_ns() - started_ns) // 1_000
                warnings = ready.warnings + self._asker.notes_of(prepared)
                return CountAnswer(found, ready.total, version, now_us, engine_us, warnings)

        def ask(question: Question, rules: list[Condition], at: At) -> CountAnswer:
            count, warnings = answer.count(question, prepared)
            total = question.view.population.count
            said = (*dict.fromkeys(warnings), *self._asker.notes_of(prepared))
            return CountAnswer(count, total, at.version, at.now_us, at.engine_us(), said)

        return self._ask([rule], at_us, need, ask)

    def members(self, rule: Rule, *, at_us: int | None = None, need: Need = _NEED_NOTHING) -> MembersAnswer:
        """Who satisfies a rule."""
        if (
            at_us is None
            and (live := self.live_reads.members(self._prepared(rule).condition, need)) is not None
        ):
            return live

        def ask(question: Question, rules: list[Condition], at: At) -> MembersAnswer:
            held, warnings = answer.members(question, rules[0])
            ids = bitmaps.to_ids(held)
            total = question.view.population.count
            return MembersAnswer(
                ids, total, at.version, at.now_us, at.engine_us(), tuple(dict.fromkeys(warnings))
            )

        return self._ask([rule], at_us, need, ask)

    def profile_ids(self, keys: Texts) -> I64:
        """The dense id of each key, a merged profile's being its survivor's, -1 for a key that nobody has: i64 of n.

        For those who write many events of the same profiles: see `EventBatch`.
        """
        texts = admit_texts(keys, max(len(keys.data), 1), as_key=True).texts
        ids = self._indexes.identities.find(texts)
        ids[self._indexes.identities.are_gone(ids)] = -1
        return ids

    def keys_of(self, ids: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> Texts:
        """Keys of dense ids, in that order; empty for profiles erased meanwhile."""
        return self._indexes.identities.keys_at(ids.astype(np.int64))

    def check(
        self, key: str, rules: Sequence[Rule], *, at_us: int | None = None, need: Need = _NEED_NOTHING
    ) -> CheckAnswer:
        """Whether one profile satisfies each of several rules; an unknown one satisfies none."""
        segments = [rule for rule in rules if isinstance(rule, InSegment)]
        if at_us is None and len(segments) == len(rules):
            live = self.live_reads.check(key, segments, need)
            if live is not None:
                return live
        conditions = [self._prepared(rule).condition for rule in rules]
        if at_us is None and (live := self.live_reads.check(key, conditions, need)) is not None:
            return live

        def ask(question: Question, conditions: list[Condition], at: At) -> CheckAnswer:
            profile = int(question.view.find_keys(Texts.of([key]))[0])
            if profile not in question.view.population.existing if profile >= 0 else True:
                for condition in conditions:
                    question.binder().bind(condition)
                return CheckAnswer(False, (False,) * len(conditions), at.version, at.now_us, at.engine_us())
            held = answer.check(question, profile, conditions)
            return CheckAnswer(True, tuple(held), at.version, at.now_us, at.engine_us())

        return self._ask(rules, at_us, need, ask)

    def check_many(
        self,
        people: Texts | I64,
        rules: Sequence[Rule],
        *,
        at_us: int | None = None,
        need: Need = _NEED_NOTHING,
    ) -> CheckManyAnswer:
        """Many profiles, by key or by dense id, against several rules; a merged profile is the one it ended in."""
        segments = [rule for rule in rules if isinstance(rule, InSegment)]
        if at_us is None and len(segments) == len(rules):
            live = self.live_reads.check_many(people, segments, need)
            if live is not None:
                return live
        prepared = [self._prepared(rule) for rule in rules]

        def ask(question: Question, conditions: list[Condition], at: At) -> CheckManyAnswer:
            profiles = find_people(self._indexes.identities, question.view.population, people)
            results = answer.check_many(question, profiles, prepared)
            return CheckManyAnswer(profiles >= 0, results, at.version, at.now_us, at.engine_us())

        return self._ask(rules, at_us, need, ask)

    def explain(
        self, key: str, rule: Rule, *, at_us: int | None = None, need: Need = _NEED_NOTHING
    ) -> ExplainAnswer:
        """Why a profile is in or out, what would change it, and when the clock alone will."""

        def ask(question: Question, rules: list[Condition], at: At) -> ExplainAnswer:
            profile = int(question.view.find_keys(Texts.of([key]))[0])
            if profile < 0 or profile not in question.view.population.existing:
                binder = question.binder()
                binder.bind(rules[0])
                warnings = tuple(dict.fromkeys(binder.warnings))
                return ExplainAnswer(None, at.version, at.now_us, at.engine_us(), warnings)
            explainer = Explainer(question, profile)
            explanation = explainer.explain(rules[0])
            return ExplainAnswer(explanation, at.version, at.now_us, at.engine_us(), explainer.warnings)

        return self._ask([rule], at_us, need, ask)

    def node_sizes(self, rule: Rule, *, at_us: int | None = None, need: Need = _NEED_NOTHING) -> SizesAnswer:
        """The exact size of every node of a rule."""

        def ask(question: Question, rules: list[Condition], at: At) -> SizesAnswer:
            tree, warnings = editing.node_sizes(question, rules[0])
            total = question.view.population.count
            return SizesAnswer(
                tree, total, at.version, at.now_us, at.engine_us(), tuple(dict.fromkeys(warnings))
            )

        return self._ask([rule], at_us, need, ask)

    def compare(
        self,
        old: Rule,
        new: Rule,
        attributes: Sequence[str] = (),
        *,
        at_us: int | None = None,
        need: Need = _NEED_NOTHING,
    ) -> CompareAnswer:
        """Who would join and leave if one rule became another, by value of some attributes; and how the two relate."""

        def ask(question: Question, rules: list[Condition], at: At) -> CompareAnswer:
            found = editing.compare(question, rules[0], rules[1], attributes)
            return CompareAnswer(*found, at.version, at.now_us, at.engine_us())

        return self._ask([old, new], at_us, need, ask, attributes)

    def describe(self, rule: Rule, *, at_us: int | None = None, need: Need = _NEED_NOTHING) -> PlanStep:
        """How a count of the rule is carried out, with estimated and actual sizes and times."""
        return self._ask([rule], at_us, need, lambda question, rules, _: editing.describe(question, rules[0]))

    def memberships(self, key: str, *, need: Need = _NEED_NOTHING) -> MembershipsAnswer:
        """The live segments that one profile is in."""
        return self.live_reads.memberships(key, need)

    def get_profile(self, key: str, *, with_events: bool = True) -> ProfileAnswer:
        """Everything known of one profile, or all but the summaries of its events; raises NotFound."""
        names = self._indexes.attributes.all()
        with PinnedView(self._indexes, self._gate, names) as view:
            profile = int(view.find_keys(Texts.of([key]))[0])
            if profile < 0 or profile not in view.population.existing:
                raise NotFound("profile")
            attributes, identifiers = {}, {}
            sets: dict[str, frozenset[str]] = {}
            for name in sorted(names):
                attribute = view.attribute(name)
                assert attribute is not None
                cell = to_cell(attribute.column.get(profile), attribute.definition.type, attribute.dictionary)
                if cell is None:
                    continue
                if name in (TAGS, CHANNELS):
                    sets[name] = cast("frozenset[str]", cell)
                elif attribute.definition.is_identifier:
                    identifiers[name] = cast("str", cell)
                else:
                    attributes[name] = cell
            empty: frozenset[str] = frozenset()
            own_key = view.keys_at(np.array([profile], dtype=np.int64))[0]
            now_us = self._now_us()
            return ProfileAnswer(
                own_key, profile, attributes, sets.get(TAGS, empty), sets.get(CHANNELS, empty), identifiers,
                view.version, now_us, summaries(view.event_types, profile, now_us) if with_events else (),
            )  # fmt: skip

    def lookup(self, identifier_type: str, texts: Texts) -> list[str | None]:
        """The key of the profile that each identifier names, None where it names nobody; raises NotFound."""
        attribute = self._indexes.attributes.get(identifier_type)
        if attribute is None or not attribute.definition.is_identifier or attribute.dictionary is None:
            raise NotFound("identifier type", identifier_type)
        found: list[str | None] = []
        for text in texts.to_list():
            code = int(attribute.dictionary.find(Texts.of([text]))[0])  # type: ignore[union-attr]
            profile = attribute.owner_of(code)
            found.append(None if profile < 0 else self._indexes.identities.keys[profile].decode())
        return found

    # ------------------------------------------------------------------------------------------------ segments

    def create_segment(self, draft: SegmentDraft, *, validate_only: bool = False) -> Segment:
        """As `Segments.create`; so the others here."""
        return self.segments.create(draft, validate_only=validate_only)

    def get_segment(self, segment: str) -> Segment:
        return self.segments.get(segment)

    def list_segments(self, query: SegmentQuery = SegmentQuery()) -> SegmentPage:  # noqa: B008 - frozen
        return self.segments.page(query)

    def update_segment(
        self, segment: str, changes: SegmentChanges, *, etag: str | None = None, validate_only: bool = False
    ) -> Segment:
        return self.segments.update(segment, changes, etag=etag, validate_only=validate_only)

    def delete_segment(self, segment: str, *, etag: str | None = None) -> None:
        self.segments.delete(segment, etag=etag)

    def add_members(self, segment: str, people: Sequence[NamedPeople]) -> ListReceipt:
        """Put profiles on the list of a segment, as `MemberLists.edit`."""
        return self.member_lists.edit(segment, people, ImportMode.APPEND)

    def remove_members(self, segment: str, people: Sequence[NamedPeople]) -> ListReceipt:
        """Take profiles off the list of a segment."""
        return self.member_lists.edit(segment, people, ImportMode.REMOVE)

    def import_members(
        self, segment: str, people: Sequence[NamedPeople], mode: ImportMode, *, allow_empty: bool = False
    ) -> ListReceipt:
        """A whole list at once, as `MemberLists.edit`."""
        return self.member_lists.edit(segment, people, mode, allow_empty=allow_empty)

    def duplicate_segment(self, segment: str, new_id: str, name: str) -> Segment:
        return self.segments.duplicate(segment, new_id, name)

    # ------------------------------------------------------------------------------------------------ the rest

    def status(self) -> Status:
        """The store in numbers."""
        indexes = self._indexes
        return Status(
            version=self._gate.version,
            now_us=self._now_us(),
            profiles=indexes.identities.view().count,
            events=sum(len(t) for t in indexes.events.views().values()),
            attributes=sum(not n.startswith("$") for n in indexes.attributes.all()),
            event_types=len(indexes.events.types),
            segments=len(self._catalogue.all()),
            memory_bytes={
                "identities": indexes.identities.nbytes,
                "attributes": indexes.attributes.nbytes,
                "events": indexes.events.nbytes,
                "live": self.live.nbytes,
                "changes": self._changes.nbytes,
                "audiences": self.sending.nbytes,
            },
            clock_offset_us=getattr(self._clock, "offset_us", 0),
            event_ids=len(indexes.event_ids),
            known_ids_since_us=indexes.event_ids.known_since_us(self._now_us()),
        )

    def _moment_at(self, now_us: int) -> Moment:
        return _moment_under(self._workspace.settings, now_us)

    def tick(self) -> int:
        """Bring live segments to the clock's now: whoever time alone makes a member joins, and leaves; the version."""
        if not self._is_open:
            raise FailedPrecondition("the database is closed")
        return self._writer.tick()

    def live_now_us(self) -> int:
        """The now that live answers carry: the last commit's or tick's."""
        return self._gate.now_us

    def check_live(self) -> None:
        """Compare everything that is kept for live segments with what it follows from. For tests."""
        with self._writer.exclusively(), PinnedView(self._indexes, self._gate, (), self._catalogue) as view:
            self.live.check(view, self._gate.now_us, self._catalogue.view())

    def _now_us(self) -> int:
        return self._asker.now_us()

    def _prepared(self, rule: Rule) -> Prepared:
        return self._asker.prepared(rule)

    def _ask(
        self,
        rules: Sequence[Rule],
        at_us: int | None,
        need: Need,
        ask: Callable[[Question, list[Condition], At], Answer],
        attributes: Sequence[str] = (),
    ) -> Answer:
        return self._asker.ask(rules, at_us, need, ask, attributes)

    def _wait_for(self, need: Need) -> None:
        self._asker.wait_for(need)

    # ---------------------------------------------------------------------------------------------- durability

    @property
    def store_failure(self) -> str | None:
        """Why the database takes no more writes; None while it does."""
        return None if self._keeper is None else self._keeper.store.failure

    def durability(self) -> DurabilityFacts | None:
        """How the store stands; None for a database in memory."""
        if self._keeper is None:
            return None
        store = self._keeper.store
        return DurabilityFacts(
            store.sync,
            store.durable_version,
            store.checkpoint_version,
            self._keeper.checkpoint_us,
            store.log_bytes,
            store.failure,
            self._keeper.last_failure,
        )

    def _recover(
        self,
        opening: Opening,
        clock: Clock | None,
        clock_start_us: int | None,
        options: DurabilityOptions,
        progress: Callable[[RecoveryProgress], None],
    ) -> None:
        """Checkpoint, then log; then commit into the log."""
        offset_us = None if opening.content is None else self._restore(opening.content, opening.base_version)
        reached_us = self._gate.now_us
        for record in opening.told(opening.records(), progress):
            match record.kind:
                case FrameKind.COMMIT:
                    reached_us, staged = decode(record.content, self._indexes, self._limits)
                    self._writer.replay(record.version, reached_us, staged)
                case FrameKind.NOW:
                    now_us, offset_us = cast("tuple[int, int]", record.content)
                    self._gate.now_us = max(self._gate.now_us, now_us)
                case FrameKind.ANSWER:
                    noted_us, text, digest, answered = cast("tuple[int, str, bytes, bytes]", record.content)
                    self._indexes.requests.answered(RequestId(text, digest), answered, noted_us)
                case other:
                    assert_never(other)
        store = opening.start(options, _SEMANTICS)
        self._changes.known_as(store.id)
        self.recovery = store.report
        if clock is None:
            is_first = offset_us is None
            clock = _clock_from(clock_start_us) if is_first else WallClock(offset_us or 0, self._gate.now_us)
        self._clock = clock
        self._asker.go_on(clock)
        self._writer.go_on(clock, _StoreLog(store, Recorder(self._indexes)))
        # As of the last version, whose joins and leaves are told; a tick tells those that came due since.
        if self._catalogue.all():
            noted_us = self._gate.now_us
            self.live.publish(self._live_stage.rebuild(reached_us))
            self._gate.now_us = reached_us
            self._writer.tick(noted_us)
        self._tell_now(store)
        self._erasure_within_us = int(options.erasure_within_s * 1e6)
        self._keeper = Keeper(store, options, self._capture, self._tell_now, self._upkeep)

    def _upkeep(self) -> None:
        """Complete the erasures whose time has come, and let go of events that are kept no longer."""
        since_us = self.people.pending_since_us
        with suppress(FailedPrecondition):  # it is being closed: the next start goes on
            if since_us is not None and self._now_us() - since_us >= self._erasure_within_us:
                self.complete_erasures()
            if self.expiring.is_due(self._now_us()):
                self.expiring.expire()

    def _tell_now(self, store: Store) -> None:
        with self._writer.exclusively():
            store.note_now(self._gate.version, self._now_us(), self._offset_us())

    def _capture(self, rotate: Callable[[], None]) -> Captured:
        with self._writer.exclusively():
            self._writer.tick()
            rotate()
            with self._gate.lock:
                version = self._gate.version
                indexes, release = state.capture(self._indexes, version)
            segments = [list(pages.dump_definition(d).items()) for d in self._catalogue.all().values()]
            lists: list[state.Plain] = [list(held) for held in self._catalogue.lists.dump()]
            changes = self._changes.capture()
            content: list[state.Plain] = [
                self._gate.now_us,
                self._offset_us(),
                indexes,
                segments,
                lists,
                changes,
            ]
            content.append(list(cast("Iterator[state.Plain]", self._indexes.requests.dump())))
            content.append(plain_settings(self._workspace.settings))
            content.append(self._catalogue.retention.dump())

        def let_go() -> None:
            with self._gate.lock:
                release()

        return Captured(version, self._gate.now_us, content, let_go)

    def _restore(self, content: state.Plain, version: int) -> int:
        """Take a checkpoint's tree as the state; the clock's offset."""
        now_us, offset_us, indexes, segments, *later = cast(
            "tuple[int, int, state.Plain, list[state.Plain], *tuple[state.Plain, ...]]", content
        )
        state.restore(self._indexes, indexes)
        for plain in segments:
            named = dict(cast("list[tuple[str, str]]", plain))
            self._catalogue.put(pages.restore_definition(named, self._limits))
        if later:  # checkpoints of release 0.1 hold no lists
            self._catalogue.lists.restore(cast("list[tuple[str, str, bytes]]", later[0]))
        self._gate.version, self._gate.now_us = version, now_us
        if len(later) > 2:
            self._indexes.requests.restore(cast("list[object]", later[2]))
        if len(later) > 3:
            self._workspace.use(restore_settings(later[3]))
        if len(later) > 4:
            self._catalogue.retention.restore(later[4])
        self._changes.restore(later[1] if len(later) > 1 else None, version, now_us)
        return offset_us

    def _offset_us(self) -> int:
        return self._clock.offset_us if isinstance(self._clock, WallClock) else 0


class _StoreLog:
    """Commits as records into a store."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    def append(self, version: int, now_us: int, staged: Staged) -> None:
        self._store.append(version, self._recorder.encode(now_us, staged))


def _moment_under(settings: Settings, now_us: int) -> Moment:
    return Moment(now_us, settings.default_zone, settings.week_starts_on, settings.opt_out_topics)


def _clock_from(start_us: int | None) -> WallClock:
    if start_us is None:
        return WallClock()
    return WallClock(offset_from(checked_instant_us(start_us, "clock_start")))
