"""Pins: what an ad-hoc read sees. All of one version, for as long as it holds the view.

Columns that a rule names are pinned under the gate in one go; a writer that meets a pinned block copies it. Runs of
events, dictionaries and bitmaps are never changed in place, so they need no pin, only to be taken at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType

import numpy as np

from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.needs import IDENTIFIERS
from headcount_engine.evaluation.answer import contains
from headcount_engine.indexes.attributes import Attribute, AttributeView
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.events import TypeView
from headcount_engine.indexes.identities import Identities, PopulationView
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import take_texts
from headcount_engine.ingest.admission import admit_texts
from headcount_engine.ingest.commit import Gate
from headcount_engine.membership.catalogue import NO_SEGMENTS, Catalogue
from headcount_engine.model.batches import I64, U64, Texts


def find_keys(identities: Identities, population: PopulationView, keys: Texts) -> I64:
    """Dense ids as of a version, -1 for unknown keys. However composed, as when they were written."""
    return identities.find_in(population, admit_texts(keys, len(keys.data), as_key=True).texts)


def find_people(identities: Identities, population: PopulationView, people: Texts | I64) -> I64:
    """As `find_keys`, by key or by dense id; a merged profile is the one it ended in, -1 is who does not exist."""
    if isinstance(people, Texts):
        profiles = find_keys(identities, population, people)
    else:
        profiles = population.redirects.resolve(np.where(people < population.ids_end, people, -1))
    if len(population.existing) != population.ids_end:
        profiles[~contains(population.existing, np.maximum(profiles, 0))] = -1
    return profiles


class PinnedView:
    """One version, as a context manager; leaving it lets go of the pins. Reads may run on any one thread."""

    def __init__(
        self, indexes: Indexes, gate: Gate, attributes: Iterable[str], catalogue: Catalogue | None = None
    ) -> None:
        """Pin `attributes` (names not there are left out; IDENTIFIERS stands for all identifiers) as of now.

        `segments` are those of the catalogue at that version; none without a catalogue.
        """
        self._indexes = indexes
        self._gate = gate
        self._pinned: list[Attribute] = []
        self._holds = 1
        self._views: dict[str, AttributeView] = {}
        wanted = set(attributes)
        with gate.lock:
            self.version = gate.version
            self.now_us = gate.now_us
            self.population: PopulationView = indexes.identities.view()
            # As they are now: those of profiles that are erased meanwhile are blanked in another array.
            self._keys = indexes.identities.keys.raw
            self.segments = NO_SEGMENTS if catalogue is None else catalogue.view()
            self.event_types: Mapping[str, TypeView] = indexes.events.views()
            held = indexes.attributes.all()
            if IDENTIFIERS in wanted:
                wanted.update(n for n, a in held.items() if a.definition.is_identifier)
            self._names: Mapping[str, Attribute] = held
            for name in wanted:
                attribute = held.get(name)
                if attribute is not None:
                    self._views[name] = attribute.pin(gate.version)
                    self._pinned.append(attribute)

    def attribute(self, name: str) -> AttributeView | None:
        return self._views.get(name)

    def attribute_names(self) -> Mapping[str, object]:
        return self._names

    def identifiers(self) -> list[AttributeView]:
        """The pinned attributes that are identifiers."""
        return [v for v in self._views.values() if v.definition.is_identifier]

    def sample_buckets(self, salt: str) -> U64:
        return self._indexes.samples.buckets(salt, self.population.ids_end)

    def property_texts(self, name: str) -> TextDictionary | None:
        return self._indexes.events.texts.get(name)

    def property_sets(self, name: str) -> SetDictionary | None:
        return self._indexes.events.sets.get(name)

    def find_keys(self, keys: Texts) -> I64:
        """Dense ids as of this version, -1 for unknown keys. However composed, as when they were written."""
        return find_keys(self._indexes.identities, self.population, keys)

    def own(self, people: Bitmap) -> Bitmap:
        population = self.population
        return people if population.count == population.ids_end else people & population.existing

    def keys_at(self, ids: I64) -> Texts:
        return take_texts(*self._keys, ids)

    def hold(self) -> None:
        """Keep the pins past the one who made the view: one more `release` lets go of them."""
        self._holds += 1

    def release(self) -> None:
        """Let go; the last of those who hold the view ends its pins."""
        self._holds -= 1
        if self._holds > 0:
            return
        pinned, self._pinned = self._pinned, []
        if pinned:
            with self._gate.lock:
                for attribute in pinned:
                    attribute.unpin()

    def __enter__(self) -> PinnedView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
