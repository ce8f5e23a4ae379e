"""What rules can name: attributes, events and their properties, topics, tags; and how many profiles have each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from headcount_engine.asking import NEED_NOTHING, Asker, At
from headcount_engine.conditions.tree import Condition, Did, EventName, Events, Exists
from headcount_engine.evaluation.answer import Question
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.dictionaries import SetDictionary
from headcount_engine.indexes.events import TypeView
from headcount_engine.indexes.store import Indexes
from headcount_engine.model.answers import Need, SchemaCounts, SchemaView
from headcount_engine.model.schema import CHANNELS, TAGS, PropertyDefinition, topics_of
from headcount_engine.model.workspace import Workspace

NAMES_MAX = 10_000
"""Tags, and channels, that are named; the first ones."""


class Vocabulary:
    """The schema of one database. Any thread."""

    def __init__(self, indexes: Indexes, workspace: Workspace, asker: Asker) -> None:
        self._indexes = indexes
        self._workspace = workspace
        self._asker = asker

    def schema(self) -> SchemaView:
        """All that rules can name."""
        return self._view(self._indexes.attributes.all(), self._indexes.events.views())

    def counted(self, need: Need = NEED_NOTHING) -> tuple[SchemaView, SchemaCounts]:
        """The schema of one version, and how many profiles have what of it: a rule counted for each name.

        Raises DeadlineExceeded, Cancelled, OutOfRange.
        """

        def ask(question: Question, _: list[Condition], at: At) -> tuple[SchemaView, SchemaCounts] | None:
            held = cast("Mapping[str, Attribute]", question.view.attribute_names())
            if held.keys() != names.keys():
                return None
            view = self._view(held, question.view.event_types)
            counts = SchemaCounts(
                {a.name: _count(question, Exists(a.name)) for a in view.attributes},
                {name: _count(question, Did(Events(EventName(name)))) for name in view.events},
                at.version,
                at.now_us,
            )
            return view, counts

        while True:  # until no name came in between, and with it what had to be pinned
            names = self._indexes.attributes.all()
            found = self._asker.ask([], None, need, ask, tuple(names))
            if found is not None:
                return found

    def _view(self, attributes: Mapping[str, Attribute], types: Mapping[str, TypeView]) -> SchemaView:
        events = dict(sorted(types.items()))
        return SchemaView(
            tuple(a.definition for n, a in sorted(attributes.items()) if not n.startswith("$")),
            tuple(
                PropertyDefinition(event, name, type_, name in held.inferred.properties)
                for event, held in events.items()
                for name, type_ in sorted(held.properties.items())
            ),
            {name: len(held) for name, held in events.items()},
            {name: held.retention.kept_us for name, held in events.items() if held.retention},
            topics_of(attributes, self._workspace.settings.opt_out_topics),
            frozenset(name for name, held in events.items() if held.inferred.is_type),
        )

    def tags(self) -> tuple[str, ...]:
        """The tags that some profile has or had, in their order, the first 10,000; an erasure lets go of those that
        nobody has any more.
        """
        return self._elements(TAGS)

    def channels(self) -> tuple[str, ...]:
        """As `tags`."""
        return self._elements(CHANNELS)

    def _elements(self, set_name: str) -> tuple[str, ...]:
        attribute = self._indexes.attributes.all()[set_name]
        assert isinstance(attribute.dictionary, SetDictionary)
        return tuple(sorted(attribute.dictionary.used()))[:NAMES_MAX]


def _count(question: Question, condition: Condition) -> int:
    """How many profiles satisfy a condition."""
    question.deadline.check()
    execution = question.execution()
    return execution.count(execution.plan(question.binder().bind(condition)))
