"""The policy model: what a clause is once it has been read. Frozen values, terms by their bare names, no JSON, no RDF.

`reading` makes these from documents of cities and strangers; `evaluate` and `compiled` decide by them. Every policy,
rule, constraint and duty has an IRI, so that a refusal, a report or a redline can point at exactly one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from node.federation.policy import terms


@dataclass(frozen=True, slots=True)
class Atomic:
    """One comparison. `left` and `operator` are bare names of `terms`; in a refinement `left` is a property's IRI."""

    id: str
    left: str
    operator: str
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Logical:
    """Constraints joined by and, or, xone (exactly one)."""

    id: str
    kind: str
    parts: tuple["Constraint", ...]


Constraint: TypeAlias = Atomic | Logical


@dataclass(frozen=True, slots=True)
class Duty:
    """What is owed for a permission; its constraints are its deadline, all of them."""

    id: str
    action: str
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A permission, prohibition or obligation. All constraints must hold.

    `refinements` narrow which assets it speaks of; `target` and `assignee` are empty for what the whole policy says.
    These three are core ODRL that our documents do not write: target and parties stand once, beside the rules.
    """

    id: str
    kind: str
    action: str
    constraints: tuple[Constraint, ...] = ()
    duties: tuple[Duty, ...] = ()
    refinements: tuple[Constraint, ...] = ()
    target: str = ""
    assignee: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules under one IRI. Core ODRL lets a permission grant what its action includes; our profile does not."""

    id: str
    rules: tuple[Rule, ...]
    profile: str = terms.PROFILE

    @property
    def permissions(self) -> tuple[Rule, ...]:
        """Give the permissions, in order."""
        return tuple(rule for rule in self.rules if rule.kind == terms.PERMISSION)

    @property
    def prohibitions(self) -> tuple[Rule, ...]:
        """Give the prohibitions, in order."""
        return tuple(rule for rule in self.rules if rule.kind == terms.PROHIBITION)

    @property
    def obligations(self) -> tuple[Rule, ...]:
        """Give the obligations of the policy as a whole, in order."""
        return tuple(rule for rule in self.rules if rule.kind == terms.OBLIGATION)


def leaves(constraints: tuple[Constraint, ...]) -> Iterator[Atomic]:
    """Walk the comparisons, in order of the text."""
    for constraint in constraints:
        if isinstance(constraint, Atomic):
            yield constraint
        else:
            yield from leaves(constraint.parts)
