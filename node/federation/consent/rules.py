"""What an agreement must name before data about persons may move under it: one verdict, which says what is missing.

A dataset that is flagged as personal needs a purpose, in the agreement and in the question, a legal basis and a basis
for the transfer; where the legal basis is consent, also a consent source and the column by which rows are told apart.
Under an agreement that rests on consent nothing leaves unfiltered, so a dataset of which nobody said whose it is does
not leave. Pure: the flag comes from the origins, all the rest from the signed text. Asked when a transfer is requested,
when it starts and each time data are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.federation.moving import Personal
from node.federation.policy.bases import LEGAL, NOT_PERSONAL, TRANSFER, is_consent
from node.federation.policy.model import Atomic, Constraint, Policy

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether data may move as far as persons are concerned: `code` and `message` say what is missing, empty if not.

    `by_consent`: rows pass only for those who have consented.
    """

    code: str = ""
    message: str = ""
    fix: str = ""
    by_consent: bool = False

    @property
    def allowed(self) -> bool:
        """Tell whether nothing is missing."""
        return not self.code


_NO_PURPOSE = Verdict(
    "purpose-needed", "Data about persons move for a purpose only, and none is named.", "Ask with a purpose."
)
_UNBOUND = Verdict(
    "purpose-needed",
    "The agreement permits the use of data about persons for any purpose; it must name those it is for.",
    "Agree anew, from the template personal-data.",
)
_NO_LEGAL = Verdict(
    "legal-basis-needed",
    "The agreement names no legal basis for data about persons.",
    "Agree anew, from the template personal-data.",
)
_NO_TRANSFER = Verdict(
    "transfer-basis-needed",
    "The agreement names no basis for the transfer of data about persons.",
    "Agree anew, from the template personal-data.",
)
_DENIED = Verdict(
    "transfer-basis-denied",
    "The agreement says that the data hold nothing about persons, and this dataset does.",
    "Agree anew, from the template personal-data.",
)
_NO_SOURCE = Verdict(
    "consent-source-needed",
    "The legal basis is consent, and the dataset has no consent source.",
    "Its city names one: citynode data origins set DATASET --consent SOURCE",
)
_UNMARKED = Verdict(
    "residents-unsaid",
    "The legal basis is consent, and the dataset is not marked as being about residents.",
    "Its city marks it (citynode data origins set DATASET --personal …), or agrees anew on another basis.",
)
_NO_COLUMN = Verdict(
    "subject-column-needed",
    "The legal basis is consent, and nothing says which column of the dataset names the person.",
    "Its city names it: citynode data origins set DATASET --subject-column COLUMN",
)


def names_purposes(policy: Policy) -> bool:
    """Tell whether each permission to use is for named purposes: then whoever asks can only ask within them."""
    uses = [each for each in policy.rules if each.kind == "permission" and each.action == "use"]
    return bool(uses) and all(any(map(_names_purpose, each.constraints)) for each in uses)


def _names_purpose(constraint: Constraint) -> bool:
    if isinstance(constraint, Atomic):
        return constraint.left == "purpose" and constraint.operator != "isNoneOf"
    named = map(_names_purpose, constraint.parts)
    return any(named) if constraint.kind == "and" else all(named)


def judge(personal: Personal | None, about: Json, purpose: str, *, is_bound: bool) -> Verdict:
    """Say whether a dataset may move under an agreement for a purpose, as far as persons are concerned.

    Args:
        personal: How the dataset is about residents; None if it is not.
        about: What stands beside the rules of the agreement.
        purpose: What it is wanted for, by IRI; empty if nothing was said.
        is_bound: Whether the agreement permits use for named purposes alone.
    """
    legal, transfer = about.get("legalBasis", ""), about.get("transferBasis", "")
    by_consent = is_consent(legal)
    if personal is None:
        return _UNMARKED if by_consent else Verdict()
    missing = (
        (not purpose, _NO_PURPOSE),
        (not is_bound, _UNBOUND),
        (legal not in LEGAL, _NO_LEGAL),
        (transfer not in TRANSFER, _NO_TRANSFER),
        (transfer == NOT_PERSONAL, _DENIED),
        (by_consent and not personal.consent, _NO_SOURCE),
        (by_consent and not personal.column, _NO_COLUMN),
    )
    return next((verdict for is_missing, verdict in missing if is_missing), Verdict(by_consent=by_consent))
