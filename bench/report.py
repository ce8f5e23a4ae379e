"""docs/performance.md and its plots, made from bench/results: `python -m bench.report`."""

from __future__ import annotations

from bench.asked import PEER_RATIOS, RATIO_PEERS
from bench.outcome import Kind, Outcome
from bench.questions import ALL
from bench.record import ROOT, Run, path_of
from bench.tiers import Tier

PAGE = ROOT / "docs" / "performance.md"

_INTRODUCTION = """\
# Performance

<!-- Made by `make bench`, `make bench-small` and `make bench-large`; do not edit. -->

What the engine costs, beside the targets set for it, the floor below which nobody gets (the same work by the barest
means), and what a user would pick instead. Rows that lose are here like those that win.

## How it is measured

- One seeded generator makes the data: thirty attributes of mixed types with Zipf values and 30 % absent, ten event
  types over 90 days with three properties each. Tier S is 100,000 profiles and 2 million events, M 1 million and
  20 million, L 10 million and 100 million.
- Every system runs alone in its own process on the same files. Generation, loading and compilation are not on any
  clock unless the row is about them. Every count is compared with one worked out from the data by plain array
  operations, and must be equal, or the run fails.
- Values are medians of warm runs, with the garbage collector off; beside them the 99th percentile and, as ±, the
  interquartile range in per cent of the median. Warm-up, on no clock: two runs of a question, three for a peer, and ten
  ranges with other bounds before ranges on an index, which is made at the second. What can be done but once (a load, a
  restart, an import) is measured once and has no ±. Tier S takes a third as many samples as the others. The machine is
  shared: trust ratios more than seconds. Where a peer is compared, the ratio in parentheses is that of the best
  samples of both: other work on the machine slows a peer that wants both cores more than an engine that uses one.
- Ad-hoc rules are given as trees; what parsing text adds stands beside. The engine keeps bitmaps of attribute values
  once they have been asked for, sets of single conditions on an attribute, orders of numeric columns, and postings of
  event properties that were filtered by a value: those are its indexes, and "cold" and "first" show what making them
  costs. It keeps the bound form of the rules asked last: where that matters, a rule not asked before has a row of its
  own. It keeps no results of rules.
- Live segments are the generated ones, a third of them with windows; those of a size are the first of the next size.
  Where events go into them, the clock goes along and events have the density of the history, so that as many leave each
  window as enter it. After the writes, sizes are compared with an evaluation of the rules, and with the sizes before
  and all joins and leaves since; a rebuild from nothing must have every member that is kept. Rows that read or listen
  while others write have each in a process of its own, on the same two cores.
- Durable rows sync every batch before it counts as written. The store of a tier lives in processes of its own, and the
  one that fills it is killed.
- Peers: DuckDB and Polars in memory, ClickHouse as chdb with MergeTree tables, events sorted by time in all of them,
  texts as ENUM, Enum or LowCardinality, all cores; where a system has two documented forms (ClickHouse's bitmaps,
  Polars' streaming engine) the faster one counts. Redis has ready bitmaps; pyroaring is plain operators on bitmaps per
  value.
- A row that waits for a part of the engine that is not there yet says so and has no number.
"""


_LIMITS = """\
## What limits the rows that miss

Of the questions that are only read, at tier M, measured by hand while other work held both cores; the tables below
may be older than what is said here. Times are of the processor, medians; "at best" is the shortest by the clock.

- *Five conditions, a rule not asked before*: 60 µs at best, 130 in the middle, where binding and planning took 570 at
  best and 1,050. The pass over five sets of 125 KB is 25 to 40 of that: together they are more than the second-level
  cache of 512 KB. The rest is Python: by a profile a fifth of it hashing conditions to find their sets, a fifth
  making the program, an eighth looking whether the sets are still true.
- *One of the five a range*: 26 µs where it was asked before, as the range is a set like the others; 3,040 before. The
  first time it costs its scan.
- *A range by its order*: 53 µs, 124 before. Where values were written since the order was made it goes the way it
  went before, and is corrected by what changed.
- *A range by scan*: 330 µs, 446 before. Comparing a million values of four bytes takes 115 of them; the others are
  the words turned into a bitmap.
- *Windows, filtered*: 1.4 ms at best, 8.5 before; 1.6 to 3.5 of processor time, by load. By a profile, late
  events make runs overlap, so that 47 runs and 72 chunks of postings have something in the seven days, and each costs
  some Python: the counting itself is under 0.7 ms. The first filter on a property still looks at every event of the
  window.
- *Windows, unfiltered*: 3.0 to 3.8 ms of processor time in all threads, no better than before within what these
  measurements can tell. The increments are 1.2 to 1.3 ns an event, 2 ms of it; the rest is the second thread's
  counters, adding them up, and Python. Turning counts into words is down to 0.03 ms.
- *Growth of these from M to L, 14 to 16 times*: five times the events, ten times the counters, and an increment is 2.2
  to 2.6 ns beside counters of 10 MB, 1.2 to 1.3 beside 1 MB, 0.8 beside 100 KB; that makes ten of it. Spreading events
  over blocks of 2^18 ids first does not pay: by the kernels that spread pairs for keyed counts it is 3.4 ns an event,
  and saves 0.5. One that moves 4 bytes instead of 8 was not tried.
- *Keyed windows*: 26 ms of processor time in all threads, 28 before. Kernels alone, on as many events with values
  like these: 11 ms the tables of pairs, 3 spreading events over buckets, 1 sizing these. Leaving out profiles with
  too few events first did not show a gain under that load, and was taken out again.
- *Unary calls*: what the server does for a count or a membership takes 61 and 95 µs of the 1.2 to 1.6 ms of a call,
  236 and 200 before conditions and segments asked lately went past binding; the rest is grpcio on both sides. The
  echo is a handler of one line; ours parses, checks who asks and until when, answers and counts. Throughput of
  eight threads is bound by one interpreter lock in either process.
- *Checks over gRPC*: the echo of the same bytes is hardly faster than the target. Of a call of 2.0 ms (measured with
  clocks in the server, which make it slower) the handler takes 0.8 of processor time: 0.24 decode and make keys one
  array, 0.22 find them, 0.08 read the bits, 0.05 make the answer; with warm caches, call after call in process, all
  of it is 0.3. The client takes 0.1, most of it checking texts; the rest is grpcio on both sides. It was 2.6 ms
  before segments were read as they are kept and texts joined by one call.
- *Memory with 1,000 live segments*: 864 bytes a profile of rows: 416 of conditions, 320 of counters, 128 of members.
- *Event ids*: a table is at most half full, so an id takes 29 bytes to 58, by how lately the table doubled.
- *Count and membership in process*: the size is there in 0.5 µs and a bit of a row by dense id in 0.7; an answer
  with its version, its now and its time is 3 to 5, and finding a key, as a batch of one text in numpy arrays, 10 to
  20 more.
- *Batch writes into live segments*, 24 to 36 ms for 10,000 events by the machine's mood: 9 what they cost without
  segments, 8 counters (100,000 steps found, sorted and carried out; half of it waiting for memory), 6 rows and programs
  of the profiles whose conditions changed, 3 carrying out. Counters are settled and programs run by two threads, which
  is worth a tenth.
- *Live reads beside writes, 99th percentile*: the processor. A commit of 10,000 events is at work for a third of the
  time, on both cores, which reader, writer and server share; the gate it holds for 0.4 ms, where it was 3. A thread
  that wakes up every 0.1 ms in the server's process waits more than 1.5 ms for its turn during 6.6 % of the time, at
  those moments nearly always behind kernels that hold no lock of the interpreter; 4.5 % where these have a lower
  priority, 4.0 % where a commit keeps to one core. With one core the 99th percentile came to 5.5 to 6.4 ms; it was
  not kept, since writes would pay for it on every machine.
- *Restart and rebuild*: of 10 s, 5.5 making live segments, 1.3 parsing their rules, 1 reading the checkpoint, 1
  decoding and replaying the log; 14 before segments were made a block of profiles at a time by two threads. Taking as
  much memory from the system as the process comes to hold, and writing it once, takes one thread 4 to 8 s on this
  machine where that memory was not in use just before, as the row beside says; a tenth of that where it was. Every one
  of 3,200 conditions is evaluated for everyone.
- *A midnight* at which 230,000 join or leave is one version; reads wait while its bits are turned, 10 to 40 ms.
- *Import*: of 4 s for two million rows, 1.2 are the start of the command, the rest one thread of the server: 2.4 s of
  it decode and stage, a third of which is looking texts up by their bytes. Longer files are faster by the share of the
  start.
"""


def write() -> None:
    """Write the page for all tiers that have results; plots too where matplotlib is installed."""
    runs = {tier: Run.read(path_of(tier)) for tier in Tier if path_of(tier).exists()}
    order = [t for t in (Tier.M, Tier.L, Tier.S) if t in runs]
    parts = [_INTRODUCTION, *_plots(runs), _LIMITS]
    for tier in order:
        parts += _tier(runs[tier])
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(parts).rstrip() + "\n")


def _plots(runs: dict[Tier, Run]) -> list[str]:
    try:
        from bench import plots
    except ImportError:
        names = [
            p for p in ("peers", "growth", "segments") if (ROOT / "docs" / "plots" / f"{p}.svg").exists()
        ]
    else:
        names = plots.draw(runs)
    titles = {
        "peers": "The engine and its peers on the same questions, tier M",
        "growth": "Cost against size: a straight line that rises no steeper than the dotted one is linear",
        "segments": "A batch of 10,000 events against the number of live segments",
    }
    return [f"![{titles[n]}](plots/{n}.svg)\n" for n in names]


def _tier(run: Run) -> list[str]:
    size = run.tier.size
    questions = {q.ROW: q.QUESTION for q in ALL}
    rows = [o for o in run.outcomes if not o.is_beside]
    return [
        f"## Tier {run.tier}: {size.profiles:,} profiles, {size.events:,} events",
        "",
        _setting(run),
        "",
        *_summary(rows),
        *_not_run(run, questions),
        "| question | case | target | measured | 99th % | of target | floor | × floor | fastest peer | × faster |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
        *_rows(rows, questions),
        "",
        *_peer_table(run),
        *_leaf_kinds(run),
        *_beside(run),
        *_micro(run),
    ]


def _setting(run: Run) -> str:
    machine = run.machine
    loads = " to ".join(f"{load:g}" for load in run.load)
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}; {machine['system']}, Python"
        f" {machine['python']}, {machine['packages']}. Made {run.made} at {run.commit} in {run.seconds:.0f} s;"
        f" load average {loads}, other work included.{_parts(run)}{_peak(run)}"
    )


def _parts(run: Run) -> str:
    parts = len(run.load) // 2
    return f" Rows are of {parts} runs; the date is that of the last." if parts > 1 else ""


def _peak(run: Run) -> str:
    if not run.peak_bytes:
        return ""
    return (
        f" The process with the engine, which also reads the files and works out the answers, held"
        f" {run.peak_bytes / 2**30:.1f} GiB at its peak."
    )


def _not_run(run: Run, questions: dict[str, str]) -> list[str]:
    """Rows that a partial run left out are named, not passed over."""
    measured = {o.row for o in run.outcomes}
    left_out = [text for row, text in questions.items() if row not in measured]
    return [f"Not run at this tier: {'; '.join(left_out)}.", ""] if left_out else []


def _summary(rows: list[Outcome]) -> list[str]:
    judged = [o for o in rows if o.meets() is not None]
    met = sum(1 for o in judged if o.meets())
    waiting = [o for o in rows if o.waits_for]
    reasons = sorted({o.waits_for for o in waiting})
    lines = [
        f"{met} of {len(judged)} measured cases meet their target; {len(waiting)} wait ({'; '.join(reasons)}).",
        "",
    ]
    if not waiting:
        return [f"{met} of {len(judged)} measured cases meet their target.", ""]
    return (
        lines
        if judged
        else [f"No targets are set for this tier; {len(waiting)} cases wait ({'; '.join(reasons)}).", ""]
    )


def _rows(rows: list[Outcome], questions: dict[str, str]) -> list[str]:
    lines, last = [], ""
    for o in rows:
        question = "" if o.row == last else questions[o.row]
        last = o.row
        lines.append(f"| {question} | {o.case} | {_quantity(o, o.target)} | {' | '.join(_measured(o))} |")
    return lines


def _measured(o: Outcome) -> list[str]:
    peer = _ratio_peer(o)
    peer_text = "" if peer is None else f"{_quantity(o, peer[1])} {peer[0]}"
    if o.value is None:
        return [f"*waits for {o.waits_for}*", "", "", "", "", peer_text, ""]
    share = o.times_worse_than(o.target)
    floor = o.times_worse_than(o.floor.value if o.floor else None)
    spread = f" ±{o.variation * 100:.0f} %" if o.variation else ""
    verdict = "" if share is None else (f"{share:.2f} ✓" if share <= 1 else f"**{share:.2g}**")
    return [
        _quantity(o, o.value) + spread, _quantity(o, o.p99), verdict,
        _quantity(o, o.floor.value) if o.floor else "", "" if floor is None else f"{floor:.3g}",
        peer_text, _faster(o, peer),
    ]  # fmt: skip


def _ratio_peer(o: Outcome) -> tuple[str, float] | None:
    """The fastest of those that the target ratios are about."""
    chosen = {name: value for name, value in o.peers.items() if name in RATIO_PEERS}
    return min(chosen.items(), key=lambda item: item[1]) if chosen else None


def _faster(o: Outcome, peer: tuple[str, float] | None) -> str:
    if peer is None or o.value is None:
        return ""
    times, wanted = peer[1] / o.value, PEER_RATIOS.get(o.id)
    bests = [o.peers_best[name] for name in RATIO_PEERS if name in o.peers_best]
    text = f"{times:.3g}" + (f" ({min(bests) / o.best:.3g})" if bests and o.best else "")
    if wanted is None:
        return text
    return f"{text} of {wanted:g}" + (" ✓" if times >= wanted else "")


def _peer_table(run: Run) -> list[str]:
    if not run.peers:
        return []
    names = [name for name in run.peers if name in run.forms]
    lines = [
        f"### Beside other systems, tier {run.tier}", "",
        "; ".join(f"{name}: {version}" for name, version in run.peers.items()) + ".", "",
        "| case | engine | " + " | ".join(names) + " |", "|---|--:|" + "--:|" * len(names),
    ]  # fmt: skip
    for o in run.outcomes:
        if o.peers:
            cells = [_quantity(o, o.peers.get(n)) + _form(run, n, o.id) for n in names]
            own = _quantity(o, o.value) or f"*waits for {o.waits_for}*"
            lines.append(f"| {o.row.replace('_', ' ')}: {o.case} | {own} | {' | '.join(cells)} |")
    return [*lines, ""]


def _form(run: Run, name: str, id_: str) -> str:
    form = run.forms[name].get(id_, "")
    return f" ({form})" if form in ("bitmaps", "table") else ""


def _beside(run: Run) -> list[str]:
    rows = [o for o in run.outcomes if o.is_beside]
    lines = [
        f"### Beside the table, tier {run.tier}",
        "",
        "| case | measured | 99th % | × floor |",
        "|---|--:|--:|--:|",
    ]
    for o in rows:
        floor = o.times_worse_than(o.floor.value if o.floor else None)
        spread = f" ±{o.variation * 100:.0f} %" if o.variation else ""
        ratio = "" if floor is None else f"{floor:.3g}"
        lines.append(
            f"| {o.row.replace('_', ' ')}: {o.case} | {_quantity(o, o.value)}{spread} |"
            f" {_quantity(o, o.p99)} | {ratio} |"
        )
    return [*lines, ""] if rows else []


_LEAF_KINDS = """\
A count over everyone of one condition alone. *First*: the first rule of its kind on that attribute or those events,
indexes not made yet. *Warm*: the same condition in a rule not asked before. *Again*: the same rule. *Looks at*: the
profiles, or the events of those types in that window; *each* is warm over that many, with some 70 µs of answering
anything at all in it. Every count is that of the members, who are those that the path for one profile finds; ✓: also
that of plain array operations.
"""


def _leaf_kinds(run: Run) -> list[str]:
    if not run.leaf_kinds:
        return []
    lines = [
        f"### Every kind of leaf, tier {run.tier}", "", _LEAF_KINDS,
        "| kind | rule | counted | looks at | first | warm | again | each | target |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for k in run.leaf_kinds:
        target = "" if k.target_ns is None else f"{k.target_ns:g} ns"
        each = k.warm / k.units * 1e9
        if k.target_ns is not None and each <= k.target_ns:
            target += " ✓"
        counted = f"{k.found:,}" + (" ✓" if k.is_checked else "")
        lines.append(
            f"| {k.kind} | `{k.rule}` | {counted} | {k.units:,} {k.unit}s | {seconds(k.first)} | {seconds(k.warm)} |"
            f" {seconds(k.again)} | {each:.3g} ns | {target} |"
        )
    return [*lines, ""]


def _micro(run: Run) -> list[str]:
    if not run.micro:
        return []
    lines = ["### Kernels, one thread", "", "| kernel | for one call | for one item |", "|---|--:|--:|"]
    lines += [f"| {m.name} | {seconds(m.p50)} | {m.p50 / m.items * 1e9:.2f} ns |" for m in run.micro]
    return [*lines, ""]


def _quantity(o: Outcome, value: float | None) -> str:
    if value is None:
        return ""
    match o.kind:
        case Kind.TIME:
            return seconds(value)
        case Kind.RATE:
            return (
                f"{value / 1e6:.2f} M/s"
                if value >= 1e6
                else f"{value / 1e3:.3g} k/s"
                if value >= 1e3
                else f"{value:.0f}/s"
            )
        case Kind.SIZE:
            return f"{value:,.0f} B"
        case Kind.SHARE:
            return f"{value * 100:.0f} %"


def seconds(value: float) -> str:
    """A duration with three significant digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def one_line(o: Outcome) -> str:
    """An outcome for a terminal."""
    cells = [f"{o.row}: {o.case}".ljust(78), (_quantity(o, o.value) or f"waits for {o.waits_for}").rjust(12)]
    if o.target is not None:
        cells.append(f"target {_quantity(o, o.target)}")
    floor = o.times_worse_than(o.floor.value if o.floor else None)
    if floor is not None:
        cells.append(f"{floor:.3g} x floor")
    peer = _ratio_peer(o)
    if peer is not None and o.value is not None:
        cells.append(f"{_faster(o, peer)} x faster than {peer[0]}")
    return "  ".join(cells)


if __name__ == "__main__":
    write()
