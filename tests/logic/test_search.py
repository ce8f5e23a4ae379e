"""The search finds an answer exactly where trying all values does, and stops where it has looked at enough."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.logic.circuit import FALSE, TRUE, Circuit, Literal
from headcount_engine.logic.search import Search

VARIABLES = 5
LITERALS = st.integers(1, VARIABLES).flatmap(lambda n: st.sampled_from((n, -n)))
CLAUSES = st.lists(st.lists(LITERALS, min_size=1, max_size=4), max_size=6)
GATES = st.lists(
    st.tuples(st.sampled_from(("all", "any", "least", "differ")), st.lists(st.integers(0, 99), min_size=2, max_size=4)),
    max_size=8,
)  # fmt: skip


@given(CLAUSES, GATES, st.booleans())
@settings(max_examples=300)
def test_it_finds_what_trying_everything_finds(
    clauses: list[list[int]], gates: list[tuple[str, list[int]]], is_negated: bool
) -> None:
    circuit = Circuit()
    variables = [circuit.variable() for _ in range(VARIABLES)]
    for clause in clauses:
        circuit.require(*(variables[abs(n) - 1] * (1 if n > 0 else -1) for n in clause))
    made: list[Literal] = [TRUE, FALSE, *variables, *(-variable for variable in variables)]
    for kind, places in gates:
        made.append(_gate(circuit, kind, [made[place % len(made)] for place in places]))
    goal = -made[-1] if is_negated else made[-1]
    tried = (dict(zip(variables, values, strict=True)) for values in product((False, True), repeat=VARIABLES))
    can_hold = any(_fits(circuit, values, goal) for values in tried)
    found = Search(circuit, 1_000_000).can_hold(goal)
    assert found or not can_hold
    if all(len(clause) <= 1 for clause in circuit.clauses):
        # With other clauses it may stop before those that the question does not touch, and say that it may hold.
        assert found is can_hold


def _gate(circuit: Circuit, kind: str, inputs: list[Literal]) -> Literal:
    match kind:
        case "all":
            return circuit.all_of(inputs)
        case "any":
            return circuit.any_of(inputs)
        case "least":
            return circuit.at_least(2, inputs)
        case _:
            return circuit.differ(inputs[0], inputs[1])


def _value(circuit: Circuit, values: dict[int, bool], literal: Literal) -> bool:
    number = abs(literal)
    if number == TRUE:
        found = True
    elif number in values:
        found = values[number]
    else:
        found = all(_value(circuit, values, one) for one in circuit.gates[number])
    return found is (literal > 0)


def _fits(circuit: Circuit, values: dict[int, bool], goal: Literal) -> bool:
    clauses = all(any(_value(circuit, values, one) for one in clause) for clause in circuit.clauses)
    return clauses and _value(circuit, values, goal)


def test_equal_functions_are_one_gate() -> None:
    circuit = Circuit()
    a, b = circuit.variable(), circuit.variable()
    assert circuit.any_of((a, b)) == -circuit.all_of((-a, -b))
    assert circuit.all_of((a, circuit.all_of((b, a)))) == circuit.all_of((a, b))
    assert circuit.all_of((a, -a)) == FALSE
    assert circuit.at_least(1, (a, b)) == circuit.any_of((a, b))


def test_questions_share_the_steps() -> None:
    circuit = Circuit()
    a, b = circuit.variable(), circuit.variable()
    circuit.implies(a, b)
    goal = circuit.all_of((a, -b))
    search = Search(circuit, 60)
    answers = [search.can_hold(goal) for _ in range(60)]
    assert answers == sorted(answers)
    assert answers[0] is False
    assert answers[-1] is True, "what is left undone is not proved"
