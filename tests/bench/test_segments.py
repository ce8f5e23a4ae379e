"""Segment definitions of the benchmarks: deterministic, parseable, and as demanding as documented."""

from __future__ import annotations

import numpy as np

from bench import generator
from bench.generator import EVENT_TYPES
from bench.segments import definitions, windowed_conditions
from headcount_engine.conditions.text import parse


def test_more_segments_begin_with_the_same_ones() -> None:
    assert definitions(1_000)[:10] == definitions(10)
    assert definitions(10, seed=1) != definitions(10, seed=2)


def test_every_definition_parses_and_a_third_has_windows() -> None:
    made = definitions(300)
    for definition in made:
        parse(definition.rule)
    assert sum(d.has_window for d in made) == 100
    assert all(("in last" in d.rule) == d.has_window for d in made)
    assert len({d.id for d in made}) == 300


def test_windowed_conditions_are_at_most_four_hundred_and_an_event_falls_under_about_five() -> None:
    pool = windowed_conditions()
    assert len(set(pool)) == len(pool) <= 400
    events = next(generator.events(20_000, 1_000))
    types = np.array(EVENT_TYPES)[events.types]
    pages = events.columns[0].values
    matched = 0
    for condition in pool:
        words = condition.split()
        falls = types == words[1]
        if "where" in words:
            falls &= pages == int(words[5].strip('"').split("-")[1])
        matched += int(falls.sum())
    assert 4.0 < matched / len(types) < 6.0
