"""What an agreement allows: the profile's terms, rules read from JSON, decisions made by them. Pure.

No database, no clock, no network, no keys: facts and time come in as values, so that every decision can be made again
later from what was logged. Documents go in by `read_rules`; `compile_policy` makes of an agreement what answers in
microseconds; `evaluate` says the same slowly and clause by clause, for reports and explanations.
"""

from node.federation.policy.compiled import Compiled, compile_policy
from node.federation.policy.evaluate import Decision, DutyState, Request, Truth, World, evaluate
from node.federation.policy.members import no_rules_in, plain_value, policy_members
from node.federation.policy.model import Atomic, Constraint, Duty, Logical, Policy, Rule, leaves
from node.federation.policy.purposes import LABELS, is_a
from node.federation.policy.reading import read_rules, rebased, terms_digest, write_rules
from node.federation.policy.report import compliance_report

__all__ = [
    "LABELS",
    "Atomic",
    "Compiled",
    "Constraint",
    "Decision",
    "Duty",
    "DutyState",
    "Logical",
    "Policy",
    "Request",
    "Rule",
    "Truth",
    "World",
    "compile_policy",
    "compliance_report",
    "evaluate",
    "is_a",
    "leaves",
    "no_rules_in",
    "plain_value",
    "policy_members",
    "read_rules",
    "rebased",
    "terms_digest",
    "write_rules",
]
