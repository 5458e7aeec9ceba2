"""Bases: why data about persons may be handled and sent across a border, as an agreement says it. Frozen tables.

A *legal basis* is a term of the Data Privacy Vocabulary 2.3, of the choice in `agreements/bases.json`; a *transfer
basis* is a code of our own from the same file. What is in neither table is refused when an agreement is read: nobody
could say in words what was agreed. Where the basis is consent, rows of those who gave none never leave. Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from node.errors import Malformed
from node.federation.policy.terms import DPV

# Said of data without any person in them: it cannot be the basis on which data about residents move.
NOT_PERSONAL = "no-personal-data"
_LANGUAGES = ("en", "fi", "sv")
_DOCUMENT: Mapping[str, Any] = json.loads(files("agreements").joinpath("bases.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Basis:
    """One basis: what an agreement writes, its words by language, and whether it is that persons consent."""

    value: str
    labels: Mapping[str, str]
    consent: bool = False


def _read(table: str) -> Mapping[str, Basis]:
    return {
        value: Basis(value, {lang: said[lang] for lang in _LANGUAGES}, said.get("consent", False))
        for value, said in _DOCUMENT[table].items()
    }


LEGAL: Mapping[str, Basis] = _read("legal")
TRANSFER: Mapping[str, Basis] = _read("transfer")
# What a template about persons offers, by the name that people write: a legal basis without its vocabulary.
NAMED: Mapping[str, Mapping[str, Basis]] = {
    "legal": {value.removeprefix(DPV): basis for value, basis in LEGAL.items()},
    "transfer": {value: basis for value, basis in TRANSFER.items() if value != NOT_PERSONAL},
}


def check_bases(legal: object, transfer: object) -> None:
    """Refuse bases that are in no table; empty ones are none. Raises Malformed."""
    for value, table, called in ((legal, LEGAL, "legal basis"), (transfer, TRANSFER, "basis of the transfer")):
        if value and (not isinstance(value, str) or value not in table):
            raise Malformed(
                f"{ascii(value)[:80]} is no {called} of agreements/bases.json.", fix=f"There are {', '.join(table)}."
            ).on_page("no.agreement.basis")


def is_consent(legal: str) -> bool:
    """Tell whether a legal basis is the consent of those whom the data are about."""
    return legal in LEGAL and LEGAL[legal].consent
