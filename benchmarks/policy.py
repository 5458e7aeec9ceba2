"""Benchmarks 7: what one decision under an agreement costs, on one thread.

An agreement of seven rules with three constraints each, as the doors ask it: a yes from the last of the clauses (all
that stand before it are looked at too), a no for a wrong purpose, a no by a prohibition. Seconds are processor seconds.
Measured against the plain evaluator, which says the same clause by clause, in turns with it.
"""

import time
from collections.abc import Callable, Iterator

from benchmarks.rig import Bench, Row

TARGET_US = 5.0
IRI = "https://london.example/agreements/1"
DPV = "https://w3id.org/dpv#"
NOW_MS = 1_900_000_000_000
CITY = "https://helsinki.example"


def policy(bench: Bench) -> Iterator[Row]:
    """Measure three decisions, and compiling."""
    from node.federation.policy import Request, World, compile_policy, evaluate, read_rules

    agreement = read_rules(rules(), policy_id=IRI)
    compiled, world = compile_policy(agreement, kind="Agreement"), World(NOW_MS, NOW_MS - 1)
    asked = {
        "yes, by the last clause": Request("index", purpose=DPV + "AcademicResearch", recipient=CITY),
        "no, for its purpose": Request("index", purpose=DPV + "Counterterrorism", recipient=CITY),
        "no, by a prohibition": Request("index", purpose=DPV + "Advertising", recipient=CITY),
    }
    for what, request in asked.items():
        plain = evaluate(agreement, request, world)
        assert compiled.decide(request, world) == plain
        assert plain.allowed is what.startswith("yes")
        ours = _us(bench, lambda request=request: compiled.decide(request, world), 200_000)
        slow = _us(bench, lambda request=request: evaluate(agreement, request, world), 2_000)
        ratio = f"{slow / ours:.0f} times as fast as the plain evaluator, {slow:.0f} us"
        yield Row(
            f"decision, 7 rules of 3: {what}", f"{ours:.2f} us", f"<= {TARGET_US:.0f} us", ours <= TARGET_US, ratio
        )
    made = _us(bench, lambda: compile_policy(agreement, kind="Agreement"), 200)
    yield Row("agreement compiled, 7 rules of 3", f"{made / 1_000:.2f} ms")


def rules() -> dict[str, object]:
    """Give seven rules of three constraints each."""

    def clause(action: str, purpose: str) -> dict[str, object]:
        constraints = [
            {"leftOperand": "odrl:recipient", "operator": "eq", "rightOperand": CITY},
            {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "2040-01-01T00:00:00Z"},
            {"leftOperand": "odrl:purpose", "operator": "isA", "rightOperand": DPV + purpose},
        ]
        return {"action": action, "constraint": constraints}

    wanted = ("CombatClimateChange", "ImprovePublicServices", "ProvideOfficialStatistics", "ResearchAndDevelopment")
    return {
        "prohibition": [clause("use", "Marketing"), clause("use", "Personalisation"), clause("use", "SellProducts")],
        "permission": [clause("odrl:index", purpose) for purpose in wanted],
    }


def _us(bench: Bench, work: Callable[[], object], count: int) -> float:
    """Give the microseconds of one call: the best of some rounds, the loop's own cost taken off."""
    count, best, empty = (count // 10 if bench.quick else count), float("inf"), float("inf")
    for _ in range(1 if bench.quick else 5):
        bench.calm(5)
        best, empty = min(best, _spent(work, count)), min(empty, _spent(lambda: None, count))
    return max(best - empty, 0.0) / count * 1e6


def _spent(work: Callable[[], object], count: int) -> float:
    started = time.thread_time()
    for _ in range(count):
        work()
    return time.thread_time() - started
