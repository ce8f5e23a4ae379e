"""One system under test in a process of its own: the engine's questions, or one peer's."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from bench.measure import shorten
from bench.outcome import Outcome, to_plain
from bench.record import LeafKind
from bench.tiers import Tier

if TYPE_CHECKING:
    from bench.context import Context

SMALL_SHARE = 0.35
"""Of the time that a timing takes elsewhere: tier S is to show that everything runs, within three minutes."""


def run_questions(tier: Tier, folder: Path, only: set[str], out: Path) -> None:
    """Every question's outcomes, and the counts worked out from the data by plain array operations to compare with.

    Written after each question, so that a long run that is stopped has left what it measured.
    """
    from bench import questions
    from bench.context import Context
    from bench.questions import leaf_kinds, load_rate, memory_per_profile

    if tier is Tier.S:
        shorten(SMALL_SHARE)
    context = Context(tier, folder, frozenset(only))
    outcomes: list[Outcome] = []
    kinds: list[LeafKind] = []
    # Memory first, while the process holds nothing but the engine; kinds of leaf before more events are written.
    chosen: list[ModuleType] = sorted(questions.ALL, key=lambda q: q is not memory_per_profile)
    chosen.insert(chosen.index(load_rate), leaf_kinds)
    chosen = [q for q in chosen if not only or q.ROW in only]
    parts = {"measure": chosen, "measure_live": [q for q in questions.ALL if q in chosen]}
    for part, asked in parts.items():
        for question in asked:
            if not hasattr(question, part) and not (question is leaf_kinds and part == "measure"):
                continue
            started = time.perf_counter()
            if question is leaf_kinds:
                kinds = leaf_kinds.measure_kinds(context)
            else:
                outcomes += getattr(question, part)(context)
            print(f"  {question.ROW}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
            _write(out, context, outcomes, kinds)


def _write(out: Path, context: Context, outcomes: list[Outcome], kinds: list[LeafKind]) -> None:
    from bench import asked, questions
    from bench.measure import peak_bytes

    place = {q.ROW: n for n, q in enumerate(questions.ALL)}
    ordered = sorted(outcomes, key=lambda o: place[o.row])
    result = {
        "outcomes": [to_plain(o) for o in ordered],
        "answers": {o.id: context.answer(asked.QUESTIONS[o.id]) for o in ordered if o.id in asked.QUESTIONS},
        "leaf_kinds": [dataclasses.asdict(k) for k in kinds],
        "peak_bytes": peak_bytes(),
    }
    out.write_text(json.dumps(result))


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
        run_questions(given.tier, given.folder, only, given.out)
    else:
        given.out.write_text(json.dumps(run_peer(given.system, given.tier, given.folder, only)))


if __name__ == "__main__":
    main()
