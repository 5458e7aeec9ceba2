"""Proves an export, also the one that everybody may take of a public agreement: no node, no network, no database.

The two files differ in their journals alone. Those of a pair of cities are for these two, since their length tells of
agreements that are not public; what everybody takes has, of each city, its public collection of agreements instead,
where the same text stands. Text, keys and signatures are judged by `verifier`; here each entry of such a collection is
hashed anew, found in its tree, the tree under its city's signature, and what it says compared with the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson

from node.errors import Malformed, Refused, Refuted
from node.federation.agreements.agreements import PUBLIC_COLLECTION
from node.federation.agreements.known import known_city, known_identity
from node.federation.agreements.records import FINAL, KIND, Statement, record_in, statement_in
from node.federation.agreements.signing import SKEW_MS
from node.federation.agreements.text import AgreementText, ms_of_seconds, read_text
from node.federation.agreements.verifier import MAX_BYTES, AgreementReport, verify_bundle
from node.federation.signing.integrity import Json, strict_json
from node.federation.verifier.proof import Bundle, bundle_of, prove
from node.journal.note import Checkpoint
from node.keys.public import ms_of

_MAX_ENTRIES = 1_000
_JOURNAL = frozenset(("city", "collection", "checkpoint", "entries"))
_ENTRY = frozenset(("entry", "opening", "inclusion", "payload"))


def verify_export(body: bytes, *, trusted: Sequence[str] = (), federation: str = "", now_ms: int) -> AgreementReport:
    """Prove an export, of a party or as everybody may take it; whatever it is, it is judged and never raises.

    Args:
        body: The file.
        trusted: Fingerprints of cities, learnt another way.
        federation: The domain that both proofs must name; empty takes what both cities' statements say.
        now_ms: The time, for what is dated in the future.
    """
    told, public = _apart(body)
    if not public:
        return verify_bundle(body, trusted=trusted, federation=federation, now_ms=now_ms)
    report = verify_bundle(orjson.dumps(told), trusted=trusted, federation=federation, now_ms=now_ms)
    if report.agreement:  # else there is no text that a journal could hold
        shown = {str(each["city"]) for each in public}
        report.findings = [each for each in report.findings if each.code != "no-journal" or each.city not in shown]
        checking = _Checking(report, read_text(told["text"]), told["cities"], now_ms)
        for each in public:
            checking.judge(each)
    return report


def _apart(body: bytes) -> tuple[Json, list[Json]]:
    """Give the export without the journals that are public collections, and these; none if it cannot be read."""
    try:
        told = strict_json(body, max_bytes=MAX_BYTES)
    except Refused:
        return {}, []
    journals = told.get("journals")
    if not isinstance(journals, list):
        return told, []
    public = [each for each in journals if isinstance(each, dict) and _is_public(each)]
    return {**told, "journals": [each for each in journals if each not in public]}, public


def _is_public(journal: Json) -> bool:
    city = journal.get("city")
    return isinstance(city, str) and journal.get("collection") == f"{city}/collections/{PUBLIC_COLLECTION}"


@dataclass(frozen=True, slots=True)
class _Checking:
    """One verification of what public collections say."""

    report: AgreementReport
    text: AgreementText
    cities: Sequence[Json]
    now_ms: int

    def judge(self, journal: Json) -> None:
        """Judge one public collection; what it refuses becomes a sentence."""
        try:
            self._judge(journal)
        except Refused as error:
            self.report.refute(error)

    def _judge(self, journal: Json) -> None:
        url = str(journal["city"])
        if url not in (self.text.assigner, self.text.assignee):
            raise Malformed("The export has a journal of a city that is not one of the two parties.")
        if not self.text.about.get("public"):
            raise Refuted(f"{url} shows an agreement in its public collection that the cities do not publish.")
        keys = self._keys(url)
        if not keys:
            return  # that nothing of it can be checked is said already
        signed, statements = _proven(self.text, url, keys, journal)
        _check_after(self.text, statements[0][0])
        self.report.add(
            f"The public collection {journal['collection']} holds it: {len(statements)} of the {signed.size} entries"
            f" under its signed checkpoint are about this agreement, the first of {statements[0][0].entry['at']}."
        )
        self._say_state(url, statements, signed)

    def _keys(self, url: str) -> tuple[bytes, ...]:
        """Give the keys by which a city signs its journals; none where the file has none that hold."""
        for told in self.cities:
            if told.get("url") == url:
                try:
                    return known_city(known_identity(told["statement"], url, self.now_ms), told["keys"]).checkpoint_keys
                except Refused:
                    return ()  # why is said already
        return ()

    def _say_state(self, url: str, statements: Sequence[tuple[Bundle, Statement | None]], signed: Checkpoint) -> None:
        ended = (each for each in statements if each[1] is not None and each[1].state in FINAL)
        bundle, said = next(ended, statements[-1])
        if said is None:
            self.report.lack(f"What the public collection of {url} says of it last is not in the file.")
            return
        why = f": {said.reason.rstrip('.')}" if said.reason else ""
        self.report.add(
            f"By that collection it is {said.state} since {bundle.entry['at']}{why}. The file cannot show whether a"
            f" later entry among the {signed.size} says otherwise, or one after them; the city can."
        )


def _proven(
    text: AgreementText, url: str, keys: Sequence[bytes], journal: Json
) -> tuple[Checkpoint, list[tuple[Bundle, Statement | None]]]:
    """Prove what a collection says about an agreement, entry by entry; None stands for a description not there."""
    listed = journal.get("entries")
    if journal.keys() != _JOURNAL or not isinstance(listed, list) or len(listed) > _MAX_ENTRIES:
        raise Malformed(f"The public collection of {url} has no list of at most {_MAX_ENTRIES} entries, or more.")
    found: list[tuple[Bundle, Statement | None]] = []
    signed: Checkpoint | None = None
    for each in listed:
        if not isinstance(each, dict) or each.keys() != _ENTRY or not isinstance(each["payload"], str | None):
            raise Malformed("An entry of the export is no entry.")
        bundle = bundle_of({**each, "checkpoint": journal["checkpoint"]})
        if bundle.collection != journal["collection"]:
            raise Refuted(f"An entry of {bundle.collection[:200]} is shown as one of {journal['collection']}.")
        if found and bundle.entry["seq"] <= found[-1][0].entry["seq"]:
            raise Refuted(f"The entries of the public collection of {url} are not in their order.")
        signed = prove(bundle, keys)
        found.append((bundle, _said(text, url, bundle, each["payload"])))
    if signed is None:
        raise Malformed(f"The public collection of {url} has no entries.")
    return signed, found


def _said(text: AgreementText, url: str, bundle: Bundle, payload: str | None) -> Statement | None:
    """Read what one entry says of the agreement, once its bytes are those that the opening names."""
    opening, seq = bundle.opening or {}, bundle.entry["seq"]
    record = record_in(text.iri, url)
    if (opening.get("record"), opening.get("kind")) != (record, KIND):
        raise Refuted(f"Entry {seq} of the public collection of {url} is not about this agreement.")
    if opening["op"] != "put":
        return Statement(text.iri, text.signed, "withdrawn", "")
    if payload is None:
        return None
    raw = payload.encode(errors="replace")
    if opening["digest"] != "sha256:" + sha256(raw).hexdigest():
        raise Refuted(f"The description with entry {seq} of {url} is not the one that it names.")
    try:
        said = statement_in(record, raw)
    except (ValueError, OverflowError) as error:  # no triples, though their city signed them
        raise Malformed(f"The description with entry {seq} of {url} cannot be read.") from error
    if said.agreement != text.iri or said.signed != text.signed:
        raise Refuted(f"Entry {seq} of the public collection of {url} holds another text than the one that is shown.")
    return said


def _check_after(text: AgreementText, first: Bundle) -> None:
    """Refuted if a collection knew of the agreement before it was signed: a signature dated back or forth."""
    signed_ms = ms_of_seconds(text.proofs[-1].get("created"), "a proof") if text.proofs else 0
    if ms_of(first.entry["at"]) + SKEW_MS < signed_ms:
        raise Refuted("A public collection holds the agreement since before it was signed.")
