"""Which column of a file becomes what: settled before the first row is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Kind, ValueType
from headcount_server.loading.inference import inferred_type, is_supported, is_whole
from headcount_server.loading.options import (
    BOOL,
    INSTANT,
    TEXT,
    TEXT_SET,
    LoadOptions,
    Role,
    TimeUnit,
    role_of_name,
)
from headcount_server.loading.problems import OptionProblem
from headcount_server.loading.raw import Source

_SETS: Final = {Role.TAGS: TAGS, Role.CHANNELS: CHANNELS}
_VALUED: Final = (Role.ATTRIBUTE, Role.IDENTIFIER, Role.CONSENT, *_SETS)
"""What no two columns may both say."""

Schema = Mapping[str, ValueType]
"""Types by attribute or property that the server has already."""


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """One column: its name in the file and in the server, what it is for, its type and where that comes from.

    `type` is None while the column has been empty: it is settled by the first rows that have something in it.
    """

    source: str
    name: str
    role: Role
    type: ValueType | None
    origin: str = ""
    """`declared`, `as before` or `inferred`."""
    unit: TimeUnit | None = None


class Planner:
    """Decides on columns as they come up. Raises OptionProblem where options and file do not agree."""

    def __init__(self, options: LoadOptions, source: Source, known: Schema) -> None:
        self._options = options
        self._source = source
        self._known = known
        self._special = options.special()

    def check_names(self, names: tuple[str, ...]) -> None:
        """Every column that an option names is there, and no two become one."""
        for name in self._options.mentioned():
            if name not in names:
                near = _nearest(name, names)
                raise OptionProblem(f"there is no column {name!r}{near}")
        targets = dict[str, str]()
        for name in names:
            role = self._role(name)
            if role not in _VALUED:
                continue
            target = _SETS.get(role, self._target(name))
            if target in targets:
                raise OptionProblem(f"columns {targets[target]!r} and {name!r} would both become {target!r}")
            targets[target] = name

    def _role(self, name: str) -> Role:
        if name in self._special:
            return self._special[name]
        return Role.PROPERTY if self._options.is_events else role_of_name(self._target(name))

    def _target(self, name: str) -> str:
        return self._options.renamed.get(name, name)

    def declared_kinds(self) -> dict[str, Kind]:
        """What is known of columns before a row is read."""
        kinds = {name: kind.kind for name, kind in self._known.items() if name not in self._options.renamed}
        for source, target in self._options.renamed.items():
            if target in self._known:
                kinds[source] = self._known[target].kind
        for name, role in self._special.items():
            if role in (Role.KEY, Role.EVENT_ID, Role.EVENT_NAME, Role.IDENTIFIER):
                kinds[name] = Kind.TEXT
            else:
                kinds.pop(name, None)
        kinds.update({name: kind.kind for name, kind in self._options.types.items()})
        kinds.update(dict.fromkeys(self._options.lists, Kind.TEXT_SET))
        return kinds

    def plan(self, name: str, sample: pa.Array) -> ColumnPlan:
        """What becomes of a column, by its first rows."""
        role, target = self._role(name), self._target(name)
        match role:
            case Role.IGNORED:
                return ColumnPlan(name, target, role, TEXT)
            case Role.KEY | Role.EVENT_ID | Role.EVENT_NAME | Role.IDENTIFIER:
                return ColumnPlan(name, target, role, TEXT)
            case Role.TAGS | Role.CHANNELS:
                return ColumnPlan(name, target, role, TEXT_SET)
            case Role.CONSENT:
                return ColumnPlan(name, target, role, BOOL)
            case Role.TIME:
                return ColumnPlan(name, target, role, INSTANT, unit=self._unit(name, sample))
            case _:
                return self._valued(name, target, role, sample)

    def _valued(self, name: str, target: str, role: Role, sample: pa.Array) -> ColumnPlan:
        options = self._options
        if not is_supported(sample.type):
            raise OptionProblem(
                f"column {name!r} holds {_described(sample.type)}, which cannot be loaded; leave it out with "
                f"--ignore {name}"
            )
        declared = options.types.get(name)
        if name in options.lists:
            if declared not in (None, TEXT_SET):
                raise OptionProblem(f"column {name!r} cannot be both a list and {declared}")
            declared = TEXT_SET
        before = self._known.get(target)
        if declared is not None:
            if before is not None and before != declared:
                raise OptionProblem(f"{target!r} is {before} in the server already, not {declared}")
            kind, origin = declared, "declared"
        elif before is not None:
            kind, origin = before, "as before"
        else:
            found = inferred_type(sample, self._source, options.zone)
            if found is None:
                return ColumnPlan(name, target, role, None, "empty so far")
            kind, origin = found, "inferred"
        unit = self._unit(name, sample) if kind.kind is Kind.INSTANT else None
        return ColumnPlan(name, target, role, kind, origin, unit)

    def _unit(self, name: str, sample: pa.Array) -> TimeUnit | None:
        if not is_whole(sample):
            return None
        if self._options.unit is None:
            raise OptionProblem(
                f"column {name!r} holds whole numbers where an instant is meant: say what they count with "
                "--time-unit s, ms or us"
            )
        return self._options.unit


def _nearest(name: str, names: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(name, names, n=3)
    if near:
        return f"; did you mean {' or '.join(repr(n) for n in near)}?"
    return f"; the columns are {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}" if names else ""


def _described(held: pa.DataType) -> str:
    if pa.types.is_struct(held) or pa.types.is_map(held):
        return "objects"
    if pa.types.is_list(held):
        return "lists of objects or lists"
    return f"values of type {held}"
