"""SchemaService: what profiles and events may hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headcount_engine.errors import AlreadyExists, FailedPrecondition
from headcount_server.context import Context
from headcount_server.errors import NotServed
from headcount_server.services.asking import Stopwatch, reach
from headcount_server.wire import messages
from headcount_server.wire import schemas as wire
from headcount_server.wire.fields import need_of

if TYPE_CHECKING:
    from headcount_engine import Database


@contextmanager
def _types_stay() -> Iterator[None]:
    """A name that has another type is, to the contract, a precondition that fails."""
    try:
        yield
    except AlreadyExists as error:
        raise FailedPrecondition(error.message) from error


class Schemas:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, request: messages.GetSchemaRequest, context: Context) -> messages.Schema:
        watch = Stopwatch()
        need = need_of(request, context.deadline)
        reach(self._database, need)
        if not request.include_counts:
            return self._answer(watch)
        view, counts = self._database.vocabulary.counted(need)
        return self._named(wire.schema_answer(view, counts.version, counts.now_us, watch.us, counts))

    def declare_attributes(
        self, request: messages.DeclareAttributesRequest, context: Context
    ) -> messages.Schema:
        definitions, topics = wire.attribute_definitions(request), wire.consent_topics(request)
        context.deadline.check()
        watch = Stopwatch()
        with _types_stay():
            if definitions or not topics:
                self._database.declare_attributes(definitions, validate_only=request.validate_only)
            self._database.declare_topics(topics, validate_only=request.validate_only)
        return self._answer(watch)

    def declare_events(self, request: messages.DeclareEventsRequest, context: Context) -> messages.Schema:
        definitions = wire.property_definitions(request)
        retentions = wire.retentions(request)
        if retentions and request.validate_only:
            raise NotServed("validate_only with a retention is", path="validate_only")
        context.deadline.check()
        watch = Stopwatch()
        with _types_stay():
            self._database.declare_properties(definitions, validate_only=request.validate_only)
        if retentions:
            self._database.declare_retention(retentions)
        return self._answer(watch)

    def _answer(self, watch: Stopwatch) -> messages.Schema:
        """The schema at a version that it is at least as new as."""
        state = self._database.status()
        return self._named(wire.schema_answer(self._database.schema(), state.version, state.now_us, watch.us))

    def _named(self, answer: messages.Schema) -> messages.Schema:
        """With the tags and channels."""
        answer.tags.extend(self._database.vocabulary.tags())
        answer.channels.extend(self._database.vocabulary.channels())
        return answer
