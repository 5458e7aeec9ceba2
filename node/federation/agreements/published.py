"""Proves an export, also the one that everybody may take of a public agreement: no node, no network, no database.

The two files differ in their journals alone. Those of a pair of cities are for these two, since their length tells of
agreements that are not public; what everybody takes has, of each city, its public collection of agreements instead,
where the same text stands. Text, keys and signatures are judged by `verifier`, what such a collection says by `held`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from node.errors import Malformed, Refused, Refuted
from node.federation.agreements.agreements import PUBLIC_COLLECTION
from node.federation.agreements.held import proven
from node.federation.agreements.known import known_city, known_identity
from node.federation.agreements.text import AgreementText, read_text
from node.federation.agreements.verifier import MAX_BYTES, AgreementReport, say_held, verify_bundle
from node.federation.signing.integrity import Json, strict_json


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
        held = proven(self.text, url, keys, journal, f"public collection {journal['collection']}")
        say_held(self.report, url, held)

    def _keys(self, url: str) -> tuple[bytes, ...]:
        """Give the keys by which a city signs its journals; none where the file has none that hold."""
        for told in self.cities:
            if told.get("url") == url:
                try:
                    return known_city(known_identity(told["statement"], url, self.now_ms), told["keys"]).checkpoint_keys
                except Refused:
                    return ()  # why is said already
        return ()
