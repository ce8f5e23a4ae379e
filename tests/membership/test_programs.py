"""Rules as formulas over atoms: by words, by codes and by the obvious way the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.atoms.registry import AtomKey
from headcount_engine.atoms.rows import addresses
from headcount_engine.conditions.canonical import canonical
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import Condition, Everyone, InSegment, Same, walk
from headcount_engine.database import Database
from headcount_engine.errors import InvalidRule
from headcount_engine.kernels import members as kernels
from headcount_engine.membership import programs
from headcount_engine.membership.programs import Constant, Formula, InOther, Inverse, Read, Tally
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, profiles
from tests.membership.keeping import NOW, Kept

ATOMS = [parse(f"n = {i}") for i in range(5)]
OTHERS = ["one", "two"]
N = 70
LEAVES: st.SearchStrategy[Formula] = st.one_of(
    st.sampled_from(ATOMS).map(Read), st.sampled_from(OTHERS).map(InOther), st.booleans().map(Constant)
)


def groups(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    several = st.lists(inner, min_size=1, max_size=4).map(tuple)
    ranged = several.flatmap(
        lambda c: st.tuples(st.integers(0, len(c)), st.integers(0, len(c))).map(
            lambda ends: Tally(min(ends), max(ends), c)
        )
    )
    return st.one_of(
        inner.map(Inverse),
        several.map(lambda c: programs.all_of(*c)),
        several.map(lambda c: programs.any_of(*c)),
        ranged,
    )


FORMULAS = st.recursive(LEAVES, groups, max_leaves=12)


def holds(formula: Formula, atoms: dict[AtomKey, bool], others: dict[str, bool]) -> bool:
    match formula:
        case Read(key):
            return atoms[key]
        case InOther(segment):
            return others[segment]
        case Constant(value):
            return value
        case Inverse(child):
            return not holds(child, atoms, others)
        case Tally(low, high, inner):
            return low <= sum(holds(child, atoms, others) for child in inner) <= high


@given(FORMULAS, st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_a_formula_is_the_same_by_words_by_codes_and_by_hand(formula: Formula, seed: int) -> None:
    random = np.random.default_rng(seed)
    facts = random.random((N, len(ATOMS) + len(OTHERS))) < 0.5
    exists = random.random(N) < 0.8
    facts[~exists] = False
    atoms = {key: i for i, key in enumerate(ATOMS)}
    others = {name: len(ATOMS) + i for i, name in enumerate(OTHERS)}

    def words(at: int) -> np.ndarray:
        packed = np.zeros(16, dtype=np.uint8)
        packed[: (N + 7) // 8] = np.packbits(facts[:, at], bitorder="little")
        return packed.view(np.uint64)

    existing = np.zeros(16, dtype=np.uint8)
    existing[: (N + 7) // 8] = np.packbits(exists, bitorder="little")
    codes = programs.codes_of(formula, lambda key: atoms[key], lambda name: others[name])  # type: ignore[index]
    depth = programs.depth_of(formula)
    given = np.array([words(at) for at in range(len(ATOMS) + len(OTHERS))])
    found = np.full((2, 2), 7, dtype=np.uint64)
    lines = np.full((depth + 1, 2), 7, dtype=np.uint64)
    # The second program is about the first alone, which is read under the name of a member, then of an atom.
    own = len(ATOMS) + len(OTHERS)
    second = [kernels.MEMBER + 8 * own, kernels.NOT]
    members = np.append(addresses(given), 0)
    for becomes, read in ((own, second), (-1, [kernels.ATOM + 0, kernels.NOT])):
        kernels.draw(
            addresses(found), np.array([becomes, own]), np.array([0, len(codes), len(codes) + 2]),
            np.array([*codes, *read]), addresses(given), members, existing.view(np.uint64), lines,
        )  # fmt: skip
        assert (found[1] == (existing.view(np.uint64) & ~found[0])).all()
    assert (lines[depth] == 7).all(), "deeper than it says"
    bits = np.unpackbits(found[0].view(np.uint8), bitorder="little")
    for row in range(N):
        expected = holds(
            formula,
            {key: bool(facts[row, i]) for key, i in atoms.items()},
            {name: bool(facts[row, i]) for name, i in others.items()},
        )
        assert bits[row] == (expected and exists[row])
        own = np.array([sum(1 << i for i in range(len(ATOMS)) if facts[row, i])], dtype=np.uint64)
        members = np.array([sum(1 << i for i in others.values() if facts[row, i])], dtype=np.uint64)
        stack = np.full(depth + 1, 7, dtype=np.uint8)
        value = kernels.value_of(np.array(codes, dtype=np.int64), 0, len(codes), own, members, stack)
        assert value == expected and stack[depth] == 7, "deeper than it says"
    assert not bits[N:].any()


@pytest.mark.parametrize(
    ("one", "other", "are_opposite"),
    [
        ("n = 1", "n != 1", True),
        ("n in (1, 2)", "n not in (1, 2)", True),
        ('t any of ("a", "b")', 't none of ("a", "b")', True),
        ("did buy", "never did buy", True),
        ("did buy at least 3 times", "did buy at most 2 times", True),
        ("did buy at least 3 times in last 2 days", "did buy fewer than 3 times in last 2 days", True),
        ("n != 1 when present", "n = 1", False),
        ("n not in (1, 2) when present", "n in (1, 2)", False),
        ("did buy between 1 and 3 times", "did buy at least 4 times", False),
        ("n > 1", "n <= 1", False),
    ],
)
def test_a_condition_and_its_opposite_are_one_atom(one: str, other: str, are_opposite: bool) -> None:
    (first, is_first_opposite), (second, is_second_opposite) = canonical(parse(one)), canonical(parse(other))
    assert (first == second and is_first_opposite != is_second_opposite) is are_opposite


# ------------------------------------------------------------------------------------------------ same


def shop() -> Kept:
    kept = Kept()
    keys = [f"p{i}" for i in range(8)]
    flags = list(itertools.product((0, 1), repeat=3))
    names = ("vip", "old", "far")
    kept.database.write_profiles(
        profiles(keys, *(column(name, Kind.INT, [flag[i] for flag in flags]) for i, name in enumerate(names)))
    )
    for name in names:
        kept.save(**{name: f"{name} = 1"})
    offers = column("offer", Kind.TEXT, ["x", "y"] * 8)
    kept.events([key for key in keys for _ in "xy"], "view", [NOW] * 16, offers)
    kept.events(keys[::2], "buy", [NOW] * 4, column("offer", Kind.TEXT, ["x"] * 4))
    return kept


@pytest.mark.parametrize(
    "rule",
    [
        'same offer (did view and in segment "vip")',
        'same offer (did view and never did buy and not in segment "vip")',
        'same offer (at least 2 of (in segment "vip", in segment "old", did buy) and not in segment "far")',
        'same offer (exactly 1 of (in segment "vip", in segment "old", in segment "far", did buy))',
        'same offer (none of (in segment "vip", did buy)) or in segment "far"',
        'not same offer (did buy or (in segment "old" and in segment "old" and vip = 0))',
    ],
)
def test_references_inside_same_are_followed(rule: str) -> None:
    """They are about the profile: the formula has a case for each way in which they can be."""
    kept = shop()
    kept.save(s=rule)
    kept.members("s")
    for step, name in enumerate(("vip", "old", "far", "vip")):
        keys = [f"p{i}" for i in range(8) if (i + step) % 3]
        kept.database.write_profiles(
            profiles(keys, column(name, Kind.INT, [(i + step) % 2 for i in range(len(keys))]))
        )
        kept.members("s")
        kept.events([f"p{step}"], "buy", [NOW], column("offer", Kind.TEXT, ["y"]))
        kept.members("s")


def test_a_same_with_many_references_is_refused_as_a_live_segment_and_kept_as_a_draft() -> None:
    kept = shop()
    kept.save(a="vip = 1 and old = 1", b="old = 1 and far = 1")
    names = ("vip", "old", "far", "a", "b")
    rule = "same offer (did view and (" + " or ".join(f'in segment "{name}"' for name in names) + "))"
    database: Database = kept.database
    before = database.status().version
    with pytest.raises(InvalidRule):
        database.create_segment(SegmentDraft("s", rule, "s"))
    assert database.status().version == before and database.live.members("s") is None
    database.check_live()
    kept.save(s=rule.replace(' or in segment "b"', ""))
    assert kept.members("s")


def test_the_cases_of_a_same_hold_no_references() -> None:
    kept = shop()
    condition: Condition = parse('same offer (did view and in segment "vip" and not in segment "old")')
    formula = programs.formula_of_rule(condition, kept.database._catalogue.view())
    keys = programs.atoms_of(formula)
    assert len(keys) == 4 and all(isinstance(key, Same) for key in keys)
    assert not [n for key in keys for n in walk(key) if isinstance(n, InSegment)]  # type: ignore[arg-type]
    assert [n for key in keys for n in walk(key) if isinstance(n, Everyone)]  # type: ignore[arg-type]
    assert set(programs.segments_of(formula)) == {"vip", "old"}
