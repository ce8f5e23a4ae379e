"""One system under test in a process of its own: the engine's questions, or one peer's."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path

from bench.outcome import Outcome, to_plain
from bench.tiers import Tier


def run_questions(tier: Tier, folder: Path, only: set[str]) -> dict[str, object]:
    """Every question's outcomes. Answers are compared with those worked out from the data by plain array operations."""
    from bench import asked, questions
    from bench.context import Context
    from bench.measure import peak_bytes
    from bench.questions import leaf_kinds, memory_per_profile

    context = Context(tier, folder)
    outcomes: list[Outcome] = []
    chosen = [q for q in questions.ALL if not only or q.ROW in only]
    # First, while the process holds nothing but the engine.
    for question in sorted(chosen, key=lambda q: q is not memory_per_profile):
        started = time.perf_counter()
        outcomes += question.measure(context)
        print(f"  {question.ROW}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
    kinds = []
    if not only or leaf_kinds.ROW in only:
        # Last: it adds attributes to the loaded database.
        started = time.perf_counter()
        kinds = leaf_kinds.measure_kinds(context)
        print(f"  {leaf_kinds.ROW}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
    place = {q.ROW: n for n, q in enumerate(questions.ALL)}
    outcomes.sort(key=lambda o: place[o.row])
    answers = {o.id: context.data.answer(asked.QUESTIONS[o.id]) for o in outcomes if o.id in asked.QUESTIONS}
    return {
        "outcomes": [to_plain(o) for o in outcomes], "answers": answers, "peak_bytes": peak_bytes(),
        "leaf_kinds": [dataclasses.asdict(k) for k in kinds],
    }  # fmt: skip


def run_peer(name: str, tier: Tier, folder: Path, only: set[str]) -> dict[str, object]:
    """What a peer answers, and how long it takes: {"version", "notes", "measured": {id: {answer, p50, best, form}}}."""
    from bench import asked, peers
    from bench.data import Data
    from bench.generator import write_parquet
    from bench.measure import timed

    chosen = {i: q for i, q in asked.QUESTIONS.items() if not only or i.split("/")[0] in only}
    measured: dict[str, object] = {}
    try:
        made = peers.ALL[name](Data(write_parquet(folder, tier)), tier)
    except peers.PeerMissing as missing:
        return {"missing": str(missing)}
    with made as peer:
        for id_, question in chosen.items():
            call = peer.ask(question)
            if call is None:
                continue
            timing = timed(call, warm_runs=3)
            measured[id_] = {
                "answer": call(), "p50": timing.p50, "best": timing.best, "form": peer.form(question),
            }  # fmt: skip
        return {"version": peer.version, "measured": measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", help="`engine`, or the name of a peer")
    parser.add_argument("--tier", type=Tier, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    only = set(given.only)
    if given.system == "engine":
        result = run_questions(given.tier, given.folder, only)
    else:
        result = run_peer(given.system, given.tier, given.folder, only)
    given.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
