"""Run the benchmarks of a tier: `python -m bench.run --tier S`.

Every system runs alone in a process of its own, on the same files: first the engine, then each peer. All counts are
compared with those worked out from the data by plain array operations; one that differs fails the run. Results go to
bench/results and, with plots, to docs/performance.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import report
from bench.asked import QUESTIONS
from bench.outcome import Outcome, from_plain
from bench.questions import ALL
from bench.record import ROOT, LeafKind, Micro, Run, new_run, path_of
from bench.tiers import Tier

CACHE = ROOT / ".cache" / "bench"
PEERS = ("duckdb", "polars", "clickhouse", "redis", "pyroaring")


class WrongAnswer(Exception):
    """A system counted something else than what the data says."""


def run(tier: Tier, with_peers: bool, only: list[str], folder: Path = CACHE) -> Run:
    """Measure one tier; `only` names rows. Raises WrongAnswer."""
    started, made = time.perf_counter(), new_run(tier)
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"tier {tier}: data")
    subprocess.run(
        [sys.executable, "-m", "bench.generator", str(folder), "--tier", tier], check=True, stdout=sys.stderr
    )
    _say("engine")
    engine = _worker("engine", tier, folder, only)
    answers: dict[str, int] = engine["answers"]  # type: ignore[assignment]
    outcomes = [from_plain(o) for o in engine["outcomes"]]  # type: ignore[attr-defined]
    made.leaf_kinds = [LeafKind(**k) for k in engine["leaf_kinds"]]  # type: ignore[attr-defined]
    made.peak_bytes = int(str(engine["peak_bytes"]))
    for outcome in outcomes:
        _check("the engine", outcome.id, outcome.answer, answers)
    peers: dict[str, dict[str, tuple[float, float]]] = {}
    if with_peers and (not only or any(i.split("/")[0] in only for i in QUESTIONS)):
        for name in PEERS:
            _say(name)
            _run_peer(made, name, folder, only, answers, peers)
    made.outcomes = [_beside_peers(o, peers.get(o.id, {})) for o in outcomes]
    if not only:
        _say("kernels")
        made.micro = _micro(tier)
    made.load.append(round(os.getloadavg()[0], 2))
    made.seconds = time.perf_counter() - started
    return made


def _beside_peers(outcome: Outcome, peers: dict[str, tuple[float, float]]) -> Outcome:
    medians = {name: p50 for name, (p50, _) in peers.items()}
    return dataclasses.replace(
        outcome, peers=medians, peers_best={name: best for name, (_, best) in peers.items()}
    )


def _say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def _worker(system: str, tier: Tier, folder: Path, only: list[str]) -> dict[str, object]:
    """What a system's process has measured. If that fails, what it had by then stays in the folder."""
    out = folder / f"{tier}-{system}-measured.json"
    command = [
        sys.executable, "-m", "bench.worker", system, "--tier", tier, "--folder", str(folder), "--out", str(out),
        "--only", *only,
    ]  # fmt: skip
    out.unlink(missing_ok=True)
    subprocess.run(command, check=True, cwd=ROOT)
    measured: dict[str, object] = json.loads(out.read_text())
    out.unlink()
    return measured


def _run_peer(
    made: Run,
    name: str,
    folder: Path,
    only: list[str],
    answers: dict[str, int],
    peers: dict[str, dict[str, tuple[float, float]]],
) -> None:
    result = _worker(name, made.tier, folder, only)
    if "missing" in result:
        made.peers[name] = f"not run: {result['missing']}"
        return
    made.peers[name] = str(result["version"])
    made.forms[name] = {}
    measured: dict[str, dict[str, object]] = result["measured"]  # type: ignore[assignment]
    for id_, found in measured.items():
        _check(name, id_, int(str(found["answer"])), answers)
        peers.setdefault(id_, {})[name] = (float(str(found["p50"])), float(str(found["best"])))
        made.forms[name][id_] = str(found["form"])


def _check(system: str, id_: str, answer: int | None, answers: dict[str, int]) -> None:
    if answer is not None and id_ in answers and answer != answers[id_]:
        raise WrongAnswer(f"{id_}: {system} counts {answer:,}, the data has {answers[id_]:,}")


def _micro(tier: Tier) -> list[Micro]:
    """The kernels, by pytest-benchmark."""
    longest_s = 0.1 if tier is Tier.S else 0.3
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "micro.json"
        command = [
            sys.executable, "-m", "pytest", "bench/micro", "-q", "-p", "no:cacheprovider", "--override-ini=addopts=",
            "--benchmark-only", f"--benchmark-max-time={longest_s}", "--benchmark-min-rounds=5",
            "--benchmark-disable-gc", "--benchmark-warmup=on", "--benchmark-quiet", f"--benchmark-json={out}",
        ]  # fmt: skip
        subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)
        benchmarks = json.loads(out.read_text())["benchmarks"]
    return [
        Micro(b["extra_info"]["what"], s["median"], s["iqr"] / s["median"], b["extra_info"]["items"])
        for b in benchmarks
        for s in (b["stats"],)
    ]


def _show(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        print(report.one_line(outcome))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tier", type=Tier, choices=list(Tier), default=Tier.S)
    parser.add_argument(
        "--peers",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="beside other systems (default: tier M)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="ROW",
        help="some rows; nothing is written without --merge or --out",
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="with --only: put those rows into the tier's results, and the report",
    )
    parser.add_argument(
        "--out", type=Path, help="where to write the results (default: bench/results, and the report)"
    )
    given = parser.parse_args()
    unknown = sorted(set(given.only) - {question.ROW for question in ALL})
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; rows are {', '.join(sorted({q.ROW for q in ALL}))}")
    with_peers = given.tier is Tier.M if given.peers is None else given.peers
    made = run(given.tier, with_peers, given.only)
    _show(made.outcomes)
    print(f"{made.seconds:.0f} s in all; load average {made.load[0]} before, {made.load[-1]} after")
    if given.out is not None:
        made.save(given.out)
    elif given.merge and path_of(given.tier).exists():
        merged = Run.read(path_of(given.tier)).with_rows_of(made)
        place = {q.ROW: n for n, q in enumerate(ALL)}
        merged.outcomes.sort(key=lambda o: place[o.row])
        merged.save(path_of(given.tier))
        report.write()
    elif given.merge or not given.only:
        made.save(path_of(given.tier))
        report.write()


if __name__ == "__main__":
    main()
