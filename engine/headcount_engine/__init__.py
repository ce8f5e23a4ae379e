"""The Headcount engine: profiles, events and rules in memory, answered from bitmaps.

Usable in process, without a server::

    from headcount_engine import Database

    database = Database.open(None)

Rooms, lowest first, are listed in ARCHITECTURE.md; each imports only rooms below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headcount_engine.database import Database

__all__ = ["Database"]


def __getattr__(name: str) -> object:
    """Import the database on first use, so that naming a light room does not load the kernels."""
    if name == "Database":
        from headcount_engine.database import Database

        return Database
    raise AttributeError(name)
