"""Tags and channels that nobody has yet: they match nobody, with a warning that names the nearest."""

from __future__ import annotations

import unicodedata

from headcount_engine.conditions.text.names import hint
from headcount_engine.conditions.tree import HasChannel, HasTag
from headcount_engine.indexes.attributes import AttributeView
from headcount_engine.indexes.dictionaries import SetDictionary

_NAMES_COMPARED = 20_000
"""Among so many the nearest is looked for: some 40 ms."""


def warning_of(leaf: HasTag | HasChannel, attribute: AttributeView) -> str | None:
    """What is to be said of a name that is not in the attribute of its kind; None of one that is: one look-up."""
    what, name = ("tag", leaf.tag) if isinstance(leaf, HasTag) else ("channel", leaf.channel)
    name, held = unicodedata.normalize("NFC", name), attribute.dictionary
    if not isinstance(held, SetDictionary) or held.has(name):
        return None
    return f"nobody has the {what} {name!r} so far{hint(name, held.some(_NAMES_COMPARED))}"
