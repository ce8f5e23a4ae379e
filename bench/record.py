"""One run's results: what was measured, on what, beside whom. JSON under bench/results."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench.outcome import Outcome, from_plain, to_plain
from bench.tiers import Tier

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
_PACKAGES = ("numpy", "numba", "pyroaring", "grpcio", "pyarrow")


@dataclass(frozen=True, slots=True)
class Micro:
    """A kernel timed by pytest-benchmark: seconds per call, and what one call does."""

    name: str
    p50: float
    variation: float
    items: int


@dataclass(frozen=True, slots=True)
class LeafKind:
    """What a kind of leaf costs when everyone is asked. Seconds; `units`: the profiles or events it looks at.

    `first`: the first time; `warm`: a new rule on what is indexed by then; `again`: the same rule. `is_checked`: the
    count is that of plain array operations too.
    """

    kind: str
    rule: str
    found: int
    unit: str
    units: int
    first: float
    warm: float
    again: float
    target_ns: float | None
    is_checked: bool


@dataclass(slots=True)
class Run:
    """`peers`: by name, the version that ran or why it did not. `load`: the machine's load average meanwhile."""

    tier: Tier
    made: str
    commit: str
    machine: dict[str, str]
    load: list[float]
    seconds: float = 0.0
    peers: dict[str, str] = field(default_factory=dict)
    forms: dict[str, dict[str, str]] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    micro: list[Micro] = field(default_factory=list)
    leaf_kinds: list[LeafKind] = field(default_factory=list)
    peak_bytes: int = 0
    """The most memory that the process with the engine held, loading and all questions included."""

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = {
            "tier": str(self.tier), "made": self.made, "commit": self.commit, "machine": self.machine,
            "load": self.load, "seconds": round(self.seconds, 1), "peers": self.peers, "forms": self.forms,
            "outcomes": [to_plain(o) for o in self.outcomes],
            "micro": [dataclasses.asdict(m) for m in self.micro],
            "leaf_kinds": [dataclasses.asdict(k) for k in self.leaf_kinds], "peak_bytes": self.peak_bytes,
        }  # fmt: skip
        path.write_text(json.dumps(plain, indent=1) + "\n")

    def with_rows_of(self, other: Run) -> Run:
        """This run, with the rows that another has measured in place of its own."""
        rows = {o.row for o in other.outcomes}
        kept = [o for o in self.outcomes if o.row not in rows]
        merged = dataclasses.replace(
            self, outcomes=kept + other.outcomes, made=other.made, commit=other.commit
        )
        merged.peers = self.peers | other.peers
        names = {*self.forms, *other.forms}
        merged.forms = {n: self.forms.get(n, {}) | other.forms.get(n, {}) for n in names}
        merged.leaf_kinds = other.leaf_kinds or self.leaf_kinds
        merged.load = [*self.load, *other.load]
        merged.seconds = self.seconds + other.seconds
        merged.peak_bytes = max(self.peak_bytes, other.peak_bytes)
        return merged

    @staticmethod
    def read(path: Path) -> Run:
        plain = json.loads(path.read_text())
        plain["tier"] = Tier(plain["tier"])
        plain["outcomes"] = [from_plain(o) for o in plain["outcomes"]]
        plain["micro"] = [Micro(**m) for m in plain["micro"]]
        plain["leaf_kinds"] = [LeafKind(**k) for k in plain.get("leaf_kinds", [])]
        return Run(**plain)


def path_of(tier: Tier) -> Path:
    return RESULTS / f"{tier}.json"


def new_run(tier: Tier) -> Run:
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Run(tier, made, _commit(), _machine(), [round(os.getloadavg()[0], 2)])


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def _machine() -> dict[str, str]:
    cpu = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in _PACKAGES)
    return {
        "processor": cpu, "cores": str(os.cpu_count()), "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}", "python": platform.python_version(),
        "packages": packages,
    }  # fmt: skip
