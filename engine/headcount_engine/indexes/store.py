"""All indexes of one database, and the view of them that evaluation reads through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from headcount_engine.bitmaps import Bitmap
from headcount_engine.indexes.attributes import AttributeStore, AttributeView
from headcount_engine.indexes.deduplication import EventIds
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.events import EventStore, TypeView
from headcount_engine.indexes.identities import Identities, PopulationView
from headcount_engine.indexes.requests import Requests
from headcount_engine.indexes.samples import Samples
from headcount_engine.indexes.tombstones import Tombstones
from headcount_engine.model.batches import I64, U64, Texts


class Indexes:
    """What is known of profiles and events."""

    def __init__(self) -> None:
        self.identities = Identities()
        self.attributes = AttributeStore()
        self.events = EventStore()
        self.event_ids = EventIds()
        self.requests = Requests()
        self.samples = Samples(self.identities.keys)
        self.tombstones = Tombstones()


class ReadView(Protocol):
    """One version of the data, true until released. What a rule names must be pinned before it is read."""

    @property
    def version(self) -> int: ...

    @property
    def population(self) -> PopulationView: ...

    @property
    def event_types(self) -> Mapping[str, TypeView]: ...

    def attribute(self, name: str) -> AttributeView | None:
        """The attribute as pinned; None if there is none of that name."""
        ...

    def attribute_names(self) -> Mapping[str, object]:
        """All attribute names, for suggestions."""
        ...

    def identifiers(self) -> list[AttributeView]:
        """The pinned attributes that are identifiers."""
        ...

    def sample_buckets(self, salt: str) -> U64:
        """The MD5 bucket of every key under a salt, times 2**64: u64 by dense id."""
        ...

    def property_texts(self, name: str) -> TextDictionary | None: ...

    def property_sets(self, name: str) -> SetDictionary | None: ...

    def find_keys(self, keys: Texts) -> I64:
        """Dense ids, -1 for unknown keys."""
        ...

    def own(self, people: Bitmap) -> Bitmap:
        """Those of a list (of dense ids) whom the view has, by its own numbers."""
        ...

    def keys_at(self, ids: I64) -> Texts:
        """Keys of dense ids, in that order."""
        ...
