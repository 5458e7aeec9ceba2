"""What a journal in an export says about an agreement, proven entry by entry: no node, no network, no database.

Each entry is hashed anew, found in its tree, the tree under its city's signature, and what it says compared with the
text. The journal of a pair of cities and a city's public collection of agreements are proven alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from node.errors import Malformed, Refuted
from node.federation.agreements.records import FINAL, KIND, Statement, record_in, statement_in
from node.federation.agreements.signing import SKEW_MS
from node.federation.agreements.text import AgreementText, ms_of_seconds
from node.federation.signing.integrity import Json
from node.federation.verifier.proof import Bundle, bundle_of, prove
from node.keys.public import ms_of

_MAX_ENTRIES = 1_000
_JOURNAL = frozenset(("city", "collection", "checkpoint", "entries"))
_ENTRY = frozenset(("entry", "opening", "inclusion", "payload"))
_INCLUSION = frozenset(("leaf_index", "tree_size", "hashes"))
Told = tuple[Bundle, Statement | None]


@dataclass(frozen=True, slots=True)
class Held:
    """What a journal holds of an agreement, under a checkpoint of `size` entries.

    `called` is the journal's name in sentences. An entry whose description is not in the file says None.
    """

    called: str
    size: int
    told: Sequence[Told]

    @property
    def extent(self) -> str:
        """Say how much of the journal is about the agreement."""
        return (
            f"The {self.called} holds it: {len(self.told)} of the {self.size} entries under its signed checkpoint"
            f" are about this agreement, the first of {self.told[0][0].entry['at']}."
        )

    @property
    def counts(self) -> dict[str, str]:
        """Give what stands in `extent`, for whoever says it in another language."""
        return {"count": str(len(self.told)), "size": str(self.size), "time": str(self.told[0][0].entry["at"])}

    @property
    def state(self) -> str:
        """Say how the agreement stands by it; empty if that is not in the file. What has ended begins no more."""
        bundle, said = self._last
        if said is None:
            return ""
        why = f": {said.reason.rstrip('.')}" if said.reason else ""
        return f"By the {self.called} it is {said.state} since {bundle.entry['at']}{why}."

    @property
    def stands(self) -> tuple[str, dict[str, str]]:
        """Give a code of `state` and what stands in it; nothing where it is empty."""
        bundle, said = self._last
        if said is None:
            return "", {}
        values = {"state": said.state, "time": str(bundle.entry["at"])}
        return ("stands.why", values | {"reason": said.reason.rstrip(".")}) if said.reason else ("stands", values)

    @property
    def _last(self) -> Told:
        ended = (each for each in self.told if each[1] is not None and each[1].state in FINAL)
        return next(ended, self.told[-1])

    @property
    def beyond(self) -> str:
        """Say what the file alone cannot show."""
        return (
            f" The file cannot show whether a later entry among the {self.size} says otherwise, or one after them;"
            " the city can."
        )


def proven(text: AgreementText, url: str, keys: Sequence[bytes], journal: Json, called: str) -> Held:
    """Prove what a city's journal says about an agreement.

    Args:
        text: The agreement.
        url: The city.
        keys: Those by which it signs its journals.
        journal: As the export has it, under the name that it should have.
        called: Its name in sentences.

    Raises:
        Malformed: It has not the shape of one.
        Refuted: It does not hold, or says something else.
    """
    check_members(journal, _JOURNAL)
    listed = journal["entries"]
    if not isinstance(listed, list) or len(listed) > _MAX_ENTRIES:
        raise Malformed(f"The {called} has no list of at most {_MAX_ENTRIES} entries.")
    told: list[Told] = []
    size = 0
    for each in listed:
        bundle, payload = _bundle(each, journal)
        if bundle.collection != journal["collection"]:
            shown = ascii(journal["collection"])[:200]
            raise Refuted(f"An entry of {bundle.collection[:200]} is shown as one of {shown}.")
        if told and bundle.entry["seq"] <= told[-1][0].entry["seq"]:
            raise Refuted(f"The entries of the {called} are not in their order.")
        size = prove(bundle, keys).size
        told.append((bundle, _said(text, url, bundle, payload, called)))
    if not told:
        raise Malformed(f"The {called} has no entries.")
    _check_after(text, told[0][0], called)
    return Held(called, size, told)


def _bundle(each: object, journal: Json) -> tuple[Bundle, bytes | None]:
    payload = each.get("payload") if isinstance(each, dict) else None
    if not isinstance(each, dict) or not isinstance(payload, str | None):
        raise Malformed("An entry of the export is no entry.")
    check_entry(each)
    bundle = bundle_of({**each, "checkpoint": journal["checkpoint"]})
    return bundle, None if payload is None else payload.encode(errors="replace")


def check_entry(told: Json) -> None:
    """Malformed unless an entry has exactly what proves it; what its parts have, `bundle_of` looks at."""
    check_members(told, _ENTRY)
    if isinstance(told["inclusion"], dict):
        check_members(told["inclusion"], _INCLUSION)


def check_members(part: object, members: frozenset[str]) -> None:
    """Malformed where a part has less than it should, or more: what nobody checks must not look as if it held."""
    if not isinstance(part, dict) or part.keys() != members:
        raise Malformed(f"A part of the export has other members than {', '.join(sorted(members))}.")


def _said(text: AgreementText, url: str, bundle: Bundle, payload: bytes | None, called: str) -> Statement | None:
    """Read what one entry says of the agreement, once its bytes are those that the opening names."""
    opening, seq = bundle.opening or {}, bundle.entry["seq"]
    record = record_in(text.iri, url)
    if (opening.get("record"), opening.get("kind")) != (record, KIND):
        raise Refuted(f"Entry {seq} of the {called} is not about this agreement.")
    if opening["op"] != "put":
        return Statement(text.iri, text.signed, "withdrawn", "")
    if payload is None:
        return None
    if opening["digest"] != "sha256:" + sha256(payload).hexdigest():
        raise Refuted(f"The description with entry {seq} of the {called} is not the one that it names.")
    try:
        said = statement_in(record, payload)
    except (ValueError, OverflowError) as error:  # no triples, though their city signed them
        raise Malformed(f"The description with entry {seq} of the {called} cannot be read.") from error
    if said.agreement != text.iri or said.signed != text.signed:
        raise Refuted(f"Entry {seq} of the {called} holds another text than the one that is shown.")
    return said


def _check_after(text: AgreementText, first: Bundle, called: str) -> None:
    """Refuted if a journal knew of the agreement before it was signed: a signature that was dated back or forth."""
    if not text.proofs:
        return
    signed_ms = ms_of_seconds(text.proofs[-1].get("created"), "a proof")
    if ms_of(first.entry["at"]) + SKEW_MS < signed_ms:
        raise Refuted(f"The {called} holds the agreement since before it was signed.")
