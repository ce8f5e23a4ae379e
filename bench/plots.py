"""The plots of the report. Wants matplotlib."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bench.outcome import Kind, Outcome
from bench.questions import segment_growth
from bench.record import ROOT, Run
from bench.tiers import Tier

FOLDER = ROOT / "docs" / "plots"
_COLOURS = {
    "engine": "#1b4965", "duckdb": "#e9a03b", "polars": "#5fa8d3", "clickhouse": "#d1495b", "redis": "#8d99ae",
    "pyroaring": "#6a994e",
}  # fmt: skip
_GROWING = (
    "five_indexed_leaves/five coded values", "numeric_range/with an index", "numeric_range/by scan",
    "window_counts/filtered", "window_counts/unfiltered", "keyed_window/same page", "rebuild_segments/rebuild",
    "segment_growth/batch of 10 k events, 1,000 live segments", "memberships_of_a_profile/all memberships",
    "live_count/one membership",
)  # fmt: skip


def draw(runs: dict[Tier, Run]) -> list[str]:
    """Write the plots that the results allow, as SVG; returns their names."""
    mpl.use("svg")
    mpl.rcParams.update(
        {"svg.hashsalt": "bench", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = []
    if Tier.M in runs and any(o.peers for o in runs[Tier.M].outcomes):
        _peers([o for o in runs[Tier.M].outcomes if o.peers])
        drawn.append("peers")
    if len(runs) > 1:
        _growth(runs)
        drawn.append("growth")
    if any(o.row == segment_growth.ROW for run in runs.values() for o in run.outcomes):
        _segments(runs)
        drawn.append("segments")
    return drawn


def _label(id_: str) -> str:
    row, case = id_.split("/")
    return f"{row.replace('_', ' ')}:\n{case}"


def _peers(outcomes: list[Outcome]) -> None:
    figure, axes = plt.subplots(figsize=(9, 0.95 * len(outcomes) + 0.8))
    systems = list(_COLOURS)
    height = 0.8 / len(systems)
    for number, system in enumerate(systems):
        values = [o.value if system == "engine" else o.peers.get(system) for o in outcomes]
        places = [i + (number - len(systems) / 2) * height for i, v in enumerate(values) if v]
        axes.barh(places, [v * 1e3 for v in values if v], height * 0.9, color=_COLOURS[system], label=system)
    axes.set_yticks(range(len(outcomes)), [_label(o.id) for o in outcomes])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds, median, log scale; shorter is better")
    axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    _save(figure, "peers")


def _growth(runs: dict[Tier, Run]) -> None:
    figure, axes = plt.subplots(figsize=(8, 5))
    tiers = [t for t in Tier if t in runs]
    sizes = [t.size.profiles for t in tiers]
    for id_ in _GROWING:
        found = {
            t: o.value
            for t in tiers
            for o in runs[t].outcomes
            if o.id == id_ and o.kind is Kind.TIME and o.value
        }
        if len(found) > 1:
            points = [(t.size.profiles, value * 1e3) for t, value in found.items()]
            axes.plot(*zip(*points, strict=True), marker="o", label=_label(id_).replace("\n", " "))
    lowest = axes.get_ylim()[0]
    axes.plot(sizes, [max(lowest, 1e-3) * s / sizes[0] for s in sizes], ":", color="grey", label="linear")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("profiles (twenty events each at S and M, ten at L)")
    axes.set_ylabel("milliseconds, median")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _save(figure, "growth")


def _segments(runs: dict[Tier, Run]) -> None:
    """A batch against the number of live segments; dotted, the same batch without any."""
    figure, axes = plt.subplots(figsize=(8, 4.5))
    counts = (*segment_growth.BEFORE, *segment_growth.AFTER)
    for tier, run in runs.items():
        values = {o.id: o for o in run.outcomes}
        points = [
            (count, o.value * 1e3)
            for count in counts
            if (o := values.get(f"{segment_growth.ROW}/{segment_growth.case_of(count)}")) and o.value
        ]
        if not points:
            continue
        (line,) = axes.plot(*zip(*points, strict=True), marker="o", label=f"tier {tier}")
        alone = values.get("load_rate/events in batches of 10,000, no segments")
        if alone is not None and alone.value:
            axes.axhline(segment_growth.ROWS / alone.value * 1e3, linestyle=":", color=line.get_color())
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("live segments; dotted: none")
    axes.set_ylabel("milliseconds for a batch of 10,000 events, median")
    axes.legend(frameon=False)
    _save(figure, "segments")


def _save(figure: Figure, name: str) -> None:
    figure.savefig(FOLDER / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
