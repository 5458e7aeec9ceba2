"""What verifying evidence finds, in sentences: each has a code and values, so that it can be said in other languages.

The sentences here are the English ones, those of the command. What refuses a file is an error of the tree and comes in
its own words, without a code. Pure: what is known of a statement is read out of it and judged elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.federation.agreements.known import unvouched
from node.federation.evidence.statements import Statement

_UNVOUCHED = unvouched("{city}", "{key}")
# Who signed is told as addresses, moments and keys, which are the same in every language but for what is doubted.
SENTENCES: Mapping[str, str] = {
    "pinned": "The keys of {city} are pinned by its fingerprint {fingerprint}.",
    "unpinned": "The keys of {city} are only those that this file names; its fingerprint there is {fingerprint}."
    " Compare it with the city by another way, and give it with --key.",
    "whole": "The file is whole: it was signed by {signers}.",
    "agreed": "The agreement {agreement} is signed by both cities: {digest}.",
    "agreed.open": "That both cities signed the agreement {agreement}, this file does not prove.",
    "no-agreement": "The agreement {agreement} is not in the file: that both cities signed it is not proven.",
    "unsigned": "The agreement {agreement} bears no signature of {city}: that {city} agreed to it is not proven by a"
    " signature.",
    "no-keys": "The file has no keys of {city}, so nothing that it signed can be checked.",
    "no-journal": "The file has nothing of the journal of {city} about the agreement; export it again once that is"
    " mirrored.",
    "no-description": "What the journal of {city} says of the agreement last is not in the file.",
    "no-half": "The statement {record} does not hold the receipt that it is about.",
    "unvouched": _UNVOUCHED,
    "journal": "The journal of {city} is signed with {size} entries.",
    "witness": "{witness} has seen this state of the journal and cosigned it on {time}.",
    "no-witness": "No witness has cosigned this state of the journal.",
    "witness.unknown": "There is a line of {witness} under this state of the journal, and in the file no key of it by"
    " which the line could be checked.",
    "part": "{shown} of the {size} entries of that journal are in this file. That nothing was left out, it cannot say.",
    "part.all": "All {size} entries of that journal are in this file; what was stated later, it cannot say.",
    "chosen": "By the word of {city} this is all that it has of: {chosen}.",
    "chosen.all": "By the word of {city} this is all that it has.",
    "receipt": "Receipt {receipt}: {bytes} bytes of {dataset} went from {provider} to {consumer} (parts: {parts});"
    " signed by {signers}.",
    "difference": "Difference: the two cities say different things of a transfer of {dataset} between {by} and {other};"
    " signed by {signers}.",
    "one-sided": "One-sided: of a transfer of {dataset} between {by} and {other}, {by} alone says what moved; signed by"
    " {signers}.",
    "cut": "Cut: a transfer of {dataset} between {by} and {other} was stopped before all of it had moved; signed by"
    " {signers}.",
    "withdrawal": "Withdrawal: {by} says that a resident took back consent to data of {dataset} that went from"
    " {provider} to {consumer}, on {time}, for the purpose {purpose}; signed by {signers}.",
    "withdrawal.any": "Withdrawal: {by} says that a resident took back consent to data of {dataset} that went from"
    " {provider} to {consumer}, on {time}, for any purpose; signed by {signers}.",
    "acknowledgement": "Acknowledgement: {by} says that {consumer} knows that it has to erase the rows of a resident in"
    " data of {dataset} from {provider} that it holds for the purpose {purpose}; signed by {signers}.",
    "acknowledgement.any": "Acknowledgement: {by} says that {consumer} knows that it has to erase the rows of a"
    " resident in data of {dataset} from {provider}; signed by {signers}.",
    "erasure": "Erasure: {by} says that {consumer} has erased the rows of a resident in data of {dataset} from"
    " {provider} that it held for the purpose {purpose}; signed by {signers}.",
    "erasure.any": "Erasure: {by} says that {consumer} has erased the rows of a resident in data of {dataset} from"
    " {provider}; signed by {signers}.",
    "deletion": "Deletion: {by} says that {consumer} has deleted what {provider} gave it under the agreement"
    " {agreement}; signed by {signers}.",
    "word": "The word of {other} in {record} is signed by {signers}.",
    "no-word": "{record} does not enclose the word of {other} as it was signed: that {other} said so is the word of"
    " {by} alone.",
    "entry": "{record} is entry {seq} of the journal, written {time}, and that is under the signed checkpoint.",
    "half": "The copy of the receipt {receipt} in that statement is signed by {signers}, and bears no other signature.",
    "answer": "The answer in {record} is signed by {signers}.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `holds` None: it could not be told from what is in the file."""

    holds: bool | None
    sentence: str
    code: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def finding(code: str, values: Mapping[str, str], *, holds: bool | None = True) -> Finding:
    """Make a finding that has words."""
    return Finding(holds, SENTENCES[code].format(**values), code, values)


def said_of(found: Statement, by: str) -> tuple[str, Mapping[str, str]]:
    """Give code and values of what a statement by one city alone says: which dataset, and between which cities."""
    said = found.document
    values = {"by": by, "other": found.other, "dataset": found.dataset or "-"}
    if found.kind not in ("withdrawal", "acknowledgement", "erasure", "deletion"):
        return found.kind, values
    # Whose the data are: who stated it says which part the other city has in it.
    gives = "provider" not in said
    provider, consumer = (by, found.other) if gives else (found.other, by)
    if found.kind == "deletion":
        return found.kind, {**values, "provider": provider, "consumer": consumer, "agreement": found.agreement}
    purpose = said.get("purpose", "")
    values |= {"provider": provider, "consumer": consumer, "time": str(said.get("withdrawnAt", ""))}
    if not isinstance(purpose, str) or not purpose:
        return f"{found.kind}.any", values
    return found.kind, {**values, "purpose": purpose}
