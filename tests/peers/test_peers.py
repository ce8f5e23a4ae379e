"""What other systems answer in their own tests, we answer too, or differ for a reason that has a number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headcount_engine.conditions.text import parse, to_text
from headcount_engine.errors import InvalidRule
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Reason, Texts
from tests.agreement.columns import column, profiles, type_of
from tests.agreement.driving import Driven, assert_agree, one_by_one, whole
from tests.peers.foreign import foreign_cases
from tests.peers.reading import PeerCase, Question, cases

DITTOFEED, PILOSA = cases("dittofeed.jsonl"), cases("pilosa.jsonl")
SOURCES = {"dittofeed": DITTOFEED, "pilosa": PILOSA}
NAMED = {f"{source} {case.foreign}: {case.name}": case for source, held in SOURCES.items() for case in held}
ANSWERED = {name: case for name, case in NAMED.items() if case.question.expected is not None}


def _driven(case: PeerCase, *, row_by_row: bool = False) -> Driven:
    driven = Driven(case.schema)
    driven.play(case.writes, one_by_one if row_by_row else whole)
    for write in case.refused_writes:
        held = [
            column(name, type_of(cell), [cell]) for name, cell in write.attributes.items() if cell is not None
        ]
        receipt = driven.database.write_profiles(profiles([write.key], *held))
        assert [row.reason for row in receipt.rejected] == [Reason.WRONG_TYPE]
    return driven


def _assert_answered(driven: Driven, case: PeerCase, question: Question) -> None:
    expected = question.expected
    assert expected is not None
    condition = parse(question.rule, DEFAULT_LIMITS)
    keys = sorted({write.key for write in case.writes})
    answers = driven.answers(condition, case.now_us, keys)
    assert answers == {way: set(expected) for way in answers}
    assert driven.database.count(question.rule, at_us=case.now_us).count == len(expected)
    assert driven.database.count(to_text(condition), at_us=case.now_us).count == len(expected)
    assert_agree(driven, case.schema.world(case.writes), condition, case.now_us)


def _assert_refused(driven: Driven, case: PeerCase, rule: str) -> None:
    database = driven.database
    for ask in (
        lambda: database.count(rule, at_us=case.now_us),
        lambda: database.members(rule, at_us=case.now_us),
        lambda: database.check("anybody", [rule], at_us=case.now_us),
        lambda: database.check_many(Texts.of(["anybody"]), [rule], at_us=case.now_us),
        lambda: database.create_segment(SegmentDraft("refused", rule)),
    ):
        with pytest.raises(InvalidRule):
            ask()


@pytest.mark.parametrize("case", NAMED.values(), ids=NAMED.keys())
def test_the_engine_answers_as_written(case: PeerCase) -> None:
    driven = _driven(case)
    for question in case.questions:
        if question.expected is None:
            _assert_refused(driven, case, question.rule)
        else:
            _assert_answered(driven, case, question)


@pytest.mark.parametrize("case", ANSWERED.values(), ids=ANSWERED.keys())
def test_the_answer_is_the_same_when_every_write_comes_alone(case: PeerCase) -> None:
    driven = _driven(case, row_by_row=True)
    condition = parse(case.question.rule, DEFAULT_LIMITS)
    expected = case.question.expected
    assert expected is not None and driven.members(condition, case.now_us) == set(expected)


@pytest.mark.parametrize("case", ANSWERED.values(), ids=ANSWERED.keys())
def test_a_segment_has_the_members_that_its_rule_has(case: PeerCase) -> None:
    driven = _driven(case)
    driven.clock.advance_to(case.now_us)
    segment = driven.database.create_segment(SegmentDraft("peer", case.question.rule))
    assert case.question.expected is not None
    assert (segment.size, segment.now_us) == (len(case.question.expected), case.now_us)


def test_no_case_is_left_out() -> None:
    assert [case.foreign for case in DITTOFEED] == list(range(1, 89 + 1))
    assert [case.foreign for case in PILOSA] == list(range(1, 63 + 1))
    for held in SOURCES.values():
        assert len({case.name for case in held}) == len(held)


def test_every_difference_names_the_rule_that_decides() -> None:
    different = {
        (name, case.foreign): case.question.decided_by
        for name, held in SOURCES.items()
        for case in held
        if not case.is_same
    }
    assert different == {
        ("pilosa", 6): "2",
        ("pilosa", 15): "23",
        ("pilosa", 23): "13",
    }
    for held in SOURCES.values():
        for case in held:
            refused = [question for question in case.questions if question.expected is None]
            assert all(question.decided_by for question in refused)


@pytest.mark.realdata
@pytest.mark.parametrize("name", SOURCES)
def test_what_is_marked_as_the_same_is_what_the_source_expects(
    shared_data: Callable[[str], Path], name: str
) -> None:
    foreign, held = foreign_cases(shared_data(f"foreign_cases_{name}.jsonl")), SOURCES[name]
    assert len(foreign) == len(held) == {"dittofeed": 89, "pilosa": 63}[name]
    for case, source in zip(held, foreign, strict=True):
        keys = {write.key for write in (*case.writes, *case.refused_writes)}
        assert keys == source.profiles, case.name
        assert source.now_us in (None, case.now_us), case.name
        ours = case.question.expected
        if ours is not None and source.asserted is not None:
            ours &= source.asserted
        assert (ours == source.members) == case.is_same, case.name
