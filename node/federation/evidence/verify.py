"""Proves an export of evidence, for whoever has the file alone: no node, no network, no database.

Nothing of the file is believed, the city that exported it included. Each statement must be signed by whom its kind
names, with keys that their own statements vouch for, in force then; stand in its journal entry, byte for byte; the
entry under the signed checkpoint; and the agreement it names be signed by both. Whose keys these are, the file cannot
prove: the caller gives fingerprints that came by another way, or the report says that they were taken from the file.
What holds and what does not is said in sentences, all of it, and not only the first thing that is wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

import orjson

from node.errors import KeyChanged, Malformed, Refused, Refuted
from node.federation.agreements.held import check_entry, check_members
from node.federation.agreements.known import KnownCity, check_apart, known_city, known_identity
from node.federation.agreements.text import AgreementText, ms_of_seconds, read_text
from node.federation.agreements.verifier import AgreementReport, verify_bundle
from node.federation.evidence import proofs, receipts
from node.federation.evidence.found import said_of
from node.federation.evidence.report import Report
from node.federation.evidence.selection import read_selection
from node.federation.evidence.statements import COLLECTION, CONTEXT, KIND, Statement, kind_of, statement_in
from node.federation.identity.identity import Identity
from node.federation.moving import MAX_ANSWER
from node.federation.signing.integrity import Json, strict_json
from node.federation.verifier.keys import is_pinned
from node.federation.verifier.proof import Bundle, bundle_of, prove, signed_checkpoint
from node.federation.witness.witness import witness_name
from node.journal import note
from node.keys import PublicKey, verified
from node.keys.public import moment, ms_of

VERSION = "evidence/1"
MAX_BYTES = 32 << 20
MAX_STATEMENTS = 1_000
MAX_CITIES = 100
_MEMBERS = frozenset(
    ("@context", "citynode", "by", "federation", "exported", "selection", "cities", "agreements", "journal", "proof")
)
_CITY = frozenset(("url", "statement", "keys"))
_JOURNAL = frozenset(("collection", "checkpoint", "entries"))
_MAX_MEMBERS = {"cities": MAX_CITIES, "agreements": MAX_STATEMENTS}
_CALLED = re.compile(rb'"citynode"\s*:\s*"' + VERSION.encode() + b'"')
# What tells one withdrawal from another, in the word of the city that answers it as in our own.
_OF_ONE = ("withdrawal", "dataset", "purpose", "key")
_T = TypeVar("_T")


def written(document: Mapping[str, Any]) -> bytes:
    """Write an export as a file: indented for people, in the one spelling that is taken back."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def verify(body: bytes, *, trusted: Mapping[str, str], now_ms: int) -> Report:
    """Prove an export.

    Args:
        body: The file; whatever it is, it is judged and never raises.
        trusted: Fingerprints of cities (`citynode identity`), learnt another way, by base URL or name of the city.
        now_ms: The time, for what is dated in the future.
    """
    checking = _Checking(Report(is_bundle=_is_bundle(body)), trusted, now_ms)
    told = checking.step(_read, body)
    if told is not None:
        checking.run(told)
    return checking.report


def _is_bundle(body: bytes) -> bool:
    """Tell whether it calls itself one, and can be: a picture or another export is nothing that could be refuted."""
    return len(body) <= MAX_BYTES and _CALLED.search(body) is not None


def _read(body: bytes) -> Json:
    if not _is_bundle(body):
        raise Malformed("This is no export of evidence.", fix="Give what citynode evidence export writes.")
    told = strict_json(body, max_bytes=MAX_BYTES)
    if told.get("citynode") != VERSION or told.keys() != _MEMBERS or told["@context"] != list(CONTEXT):
        raise Malformed("This is no export of evidence.", fix="Give what citynode evidence export writes.")
    if written(told) != body:
        raise Malformed("The file is not spelt as citynode evidence export writes it: something in it was changed.")
    for name, most in _MAX_MEMBERS.items():
        listed = told[name]
        if not isinstance(listed, list) or len(listed) > most or not all(isinstance(each, dict) for each in listed):
            raise Malformed(f"The {name} of the export are no list of at most {most}.")
    for name in ("by", "federation", "exported"):
        if not isinstance(told[name], str):
            raise Malformed(f"The member {name} of the export is no text.")
    journal = told["journal"]
    entries = journal.get("entries") if isinstance(journal, dict) else None
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_STATEMENTS:
        raise Malformed(f"The journal of the export has no list of 1 to {MAX_STATEMENTS} entries.")
    if not isinstance(journal.get("checkpoint"), str) or not isinstance(journal.get("collection"), str):
        raise Malformed("The journal of the export has no signed checkpoint.")
    check_members(journal, _JOURNAL)
    return told


class _UncheckedError(Exception):
    """What would check a part is not in the file; the doubt is noted, and nothing more can be said of the part."""


class _Checking:
    """One verification."""

    def __init__(self, report: Report, trusted: Mapping[str, str], now_ms: int) -> None:
        self.report = report
        self._trusted = trusted
        self._now_ms = now_ms
        self._cities: dict[str, KnownCity] = {}
        self._agreements: dict[str, AgreementText | None] = {}  # None: it does not hold
        self._federation = ""
        self._owning = ""  # whose own word for its former keys the file is
        self._last_seq = self._size = 0
        self._told: set[str] = set()

    def step(self, check: Callable[..., _T], *given: object) -> _T | None:
        """Do one check; what it refuses becomes a sentence, and the next one goes on."""
        try:
            return check(*given)
        except _UncheckedError:
            return None
        except Refused as error:
            self.report.add(str(error), holds=False)
        except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError) as error:
            # A stranger's file: whatever shape was not thought of is a file that does not hold.
            self.report.add(f"A part of the file is of no shape that could hold: {type(error).__name__}.", holds=False)
        return None

    def run(self, told: Json) -> None:
        """Check everything that is there, in the order in which one thing rests upon another."""
        self.report.by, self._federation = told["by"], told["federation"]
        for city in told["cities"]:
            self.step(self._city, city)
        self.step(check_apart, self._cities.values())
        self.step(self._pins)
        self.step(self._whole, told)
        for agreement in told["agreements"]:
            self.step(self._agreement, agreement)
        self.step(self._checkpoint, told["journal"])
        for entry in told["journal"]["entries"]:
            self.step(self._entry, entry, told["journal"])
        self.step(self._chosen, told)

    def _chosen(self, told: Json) -> None:
        """Hold what is there against what the exporter chose; what it left out, nobody can see in a file."""
        chosen, count = read_selection(told["selection"])
        entries = len(told["journal"]["entries"])
        if count != entries or not all(map(chosen.has, self.report.statements)):
            raise Refuted(f"The file does not hold the {count} statements that it was made of: {str(chosen) or 'all'}.")
        said = str(chosen)
        self.report.say("chosen" if said else "chosen.all", holds=None, city=self.report.by, chosen=said)
        if self._size:
            code = "part" if entries < self._size else "part.all"
            self.report.say(code, holds=None, shown=str(entries), size=str(self._size))

    # ------------------------------------------------------------ cities

    def _city(self, told: Json) -> None:
        url, statement = told.get("url"), told.get("statement")
        if not isinstance(url, str) or not isinstance(statement, str) or url in self._cities:
            raise Malformed("A city in the file has no address or no statement, or is there twice.")
        check_members(told, _CITY)
        identity = known_identity(statement, url, self._now_ms)
        if identity.federation != self._federation:
            raise Refuted(f"{url} belongs to another federation than the file: {identity.federation}.")
        self._cities[url] = known_city(identity, told.get("keys"))
        pin = self._pin_of(identity)
        if pin and not is_pinned(identity, pin):
            raise KeyChanged(f"The keys of {url} are not those of the fingerprint {pin[:100]}.")
        if pin:
            self.report.say("pinned", city=url, fingerprint=pin)
        else:
            self.report.unpinned.append((url, identity.fingerprint))
            self.report.say("unpinned", holds=None, city=url, fingerprint=identity.fingerprint)

    def _pin_of(self, identity: Identity) -> str:
        return self._trusted.get(identity.url) or self._trusted.get(identity.name) or ""

    def _pins(self) -> None:
        met = {name for city in self._cities.values() for name in (city.identity.url, city.identity.name)}
        missing = next((name for name in self._trusted if name not in met), "")
        if missing:
            raise KeyChanged(f"A fingerprint was given for {missing[:200]}, and the file has no such city.")

    def _keys(self, url: str) -> Sequence[PublicKey]:
        city = self._cities[url]
        return (*city.keys, *city.former)

    def _known(self, *urls: str) -> None:
        """Doubt what a city signed of which the file has no keys: nothing of it can be checked."""
        unknown = [url for url in urls if url not in self._cities]
        for url in unknown:
            self.report.doubt("no-keys", city=url[:200])
        if unknown:
            raise _UncheckedError

    def _signed(self, document: Json, signers: Sequence[str]) -> tuple[str, bool | None]:
        """Check proofs; tell who made them, when and with which keys, and whether these are known to be their keys."""
        self._known(*signers)
        made = proofs.check(document, signers, federation=self._federation, keys_of=self._keys, now_ms=self._now_ms)
        told = zip(signers, made, proofs.proofs_of(document), strict=True)
        said = [f"{url} ({proof['created']}, {key.kid})" for url, key, proof in told]
        sure = [self._vouched(url, key.kid) for url, key in zip(signers, made, strict=True)]
        return ", ".join(said), all(sure) or None

    def _vouched(self, url: str, kid: str) -> bool:
        """Doubt a signature by a key for which its city vouches neither in its statement nor by signing this file."""
        if url == self._owning or (url in self._cities and self._cities[url].vouches_for(kid)):
            return True
        self.report.doubt("unvouched", city=url, key=kid)
        return False

    def _whole(self, told: Json) -> None:
        signers, holds = self._signed(told, [told["by"]])
        if holds:
            self._owning = told["by"]
        made_ms = ms_of_seconds(proofs.proofs_of(told)[-1]["created"], "a proof")
        if abs(ms_of(told["exported"]) - made_ms) > proofs.SKEW_MS:
            raise Refuted("The file was not signed when it says that it was exported.")
        self.report.say("whole", holds=holds, signers=signers)

    # ------------------------------------------------------------ agreements

    def _agreement(self, told: Json) -> None:
        met = [city.identity for city in self._cities.values() if _is_in(city, told)]
        # Where no fingerprint was given, the agreement's keys are at least those of the same city as the file's.
        pins = [self._pin_of(each) or each.fingerprint for each in met]
        found = verify_bundle(
            orjson.dumps(told), trusted=pins, federation=self._federation, now_ms=self._now_ms, whole=False
        )
        if found.agreement in self._agreements:
            raise Refuted(f"The agreement {found.agreement} is in the file twice.")
        self._agreements[found.agreement] = None
        wrong = next((each for each in found.findings if each.holds is False), None)
        if wrong:
            raise Refuted(f"The agreement {found.agreement or 'in it'} does not hold: {wrong.sentence}")
        text = self._agreements[found.agreement] = read_text(told["text"])
        self._doubt_rest(found)
        # Only what was checked is called signed: the text bears two signatures before anybody has looked at them.
        vouched = [self._vouched(*each) for each in found.unvouched]
        holds = True if found.signed and all(vouched) else None
        self.report.say("agreed" if holds else "agreed.open", holds=holds, agreement=text.iri, digest=text.digest)

    def _doubt_rest(self, found: AgreementReport) -> None:
        """Doubt what an agreement leaves open, but for keys that signed it: of those the whole file tells more."""
        for each in found.findings:
            # The other city's journal may not have come here yet; our own is in every export.
            if each.code == "no-journal" and each.city != self.report.by:
                self.report.say(each.code, holds=None, city=each.city)
            elif each.code in ("no-keys", "no-journal", "no-description"):
                self.report.doubt(each.code, city=each.city)
            elif each.code == "unsigned":
                self.report.doubt(each.code, agreement=found.agreement, city=each.city)
            elif each.holds is None and each.code not in ("unpinned", "unvouched"):
                self.report.doubt("", sentence=each.sentence)
        self.report.unpinned += [each for each in found.unpinned if each[0] not in self._cities]

    def _check_agreement(self, found: Statement) -> None:
        """Doubt a statement whose agreement is not there; refuted is a receipt that is under another one."""
        text, receipt = self._agreements.get(found.agreement), found.document
        if found.agreement not in self._agreements and (found.agreement or found.kind == "receipt"):
            self.report.doubt("no-agreement", agreement=found.agreement or "-")
        if text is None or found.kind != "receipt":
            return
        if text.digest != receipt["agreementDigest"]:
            raise Refuted(f"The receipt {receipt['id']} is under another text of its agreement than the file has.")
        if (text.assigner, text.assignee) != (receipt["provider"], receipt["consumer"]):
            raise Refuted(f"The receipt {receipt['id']} is not between the parties of its agreement.")

    # ------------------------------------------------------------ journal

    def _checkpoint(self, journal: Json) -> None:
        iri, by = f"{self.report.by}/collections/{COLLECTION}", self.report.by
        self._known(by)
        if journal["collection"] != iri:
            raise Refuted(f"The journal in the file is not the evidence of {by[:200]}.")
        signed = signed_checkpoint(journal["checkpoint"], iri, self._cities[by].checkpoint_keys)
        self._size = signed.size
        self.report.say("journal", city=by, size=str(signed.size))
        keys = {
            witness_name(url): [key.raw for key in city.keys if key.purpose == "witness"]
            for url, city in self._cities.items()
            if url != by
        }
        lines = note.parse(journal["checkpoint"])
        held = note.cosignatures(lines, keys, verified)
        for each in held:
            self.report.say("witness", witness=each.name, time=_second(each.at_s))
        names = [each.name for each in lines.signatures if each.name != note.origin_of(iri)]
        for name in sorted(set(names) - {each.name for each in held}):
            self.report.say("witness.unknown", holds=None, witness=name[:200])
        if not held:
            self.report.say("no-witness", holds=None)

    def _entry(self, told: Json, journal: Json) -> None:
        payload = told.get("payload")
        if not isinstance(payload, str):
            raise Malformed("An entry of the export has no statement.")
        check_entry(told)
        self._known(self.report.by)
        bundle = bundle_of({**told, "checkpoint": journal["checkpoint"]})
        if bundle.collection != journal["collection"]:
            raise Refuted(f"An entry is of the journal {bundle.collection[:200]}.")
        self._check_order(bundle)
        prove(bundle, self._cities[self.report.by].checkpoint_keys)
        found = _stated(bundle, payload.encode(errors="replace"), self.report.by)
        code, holds, values = self._judged(found)
        self._check_time(found, bundle)
        self._check_once(found)
        self.report.statements.append(found)
        self.report.say(code, holds=holds, **values)
        seq, at = str(bundle.entry["seq"]), bundle.entry["at"]
        self.report.say("entry", record=found.record, seq=seq, time=at)

    def _check_order(self, bundle: Bundle) -> None:
        """Refuted unless entries rise: one that stood here twice would be counted twice."""
        last, self._last_seq = self._last_seq, bundle.entry["seq"]
        if self._last_seq <= last:
            raise Refuted(f"Entry {self._last_seq} of the journal stands behind entry {last}, or is there twice.")

    def _check_once(self, found: Statement) -> None:
        """Refuted where one statement, or one receipt, is told under several names or entries of the journal."""
        for each in (found.record, str(found.document["id"]) if found.kind == "receipt" else found.text):
            if each in self._told:
                raise Refuted(f"{each[:200]} is told twice.")
            self._told.add(each)

    def _judged(self, found: Statement) -> tuple[str, bool | None, Mapping[str, str]]:
        """Check who signed a statement, and what it holds of others' signatures; give the words for what it says."""
        document = found.document
        if found.kind == "receipt":
            receipt = receipts.read(found.text)
            signers, holds = self._signed(receipt, receipts.signers_of(receipt))
            self._check_agreement(found)
            moved = {"parts": len(receipt["parts"]), "bytes": sum(each["bytes"] for each in receipt["parts"])}
            cities = {name: receipt[name] for name in ("dataset", "provider", "consumer")}
            counts = {name: str(count) for name, count in moved.items()}
            return "receipt", holds, {"receipt": receipt["id"], **cities, **counts, "signers": signers}
        if document.get("@context") != list(CONTEXT) or document.get("by") != self.report.by:
            raise Refuted("A statement is not by the city whose journal it stands in.")
        signers, holds = self._signed(document, [self.report.by])
        self._check_agreement(found)
        self._check_enclosed(found)
        code, values = said_of(found, self.report.by)
        return code, holds, {**values, "signers": signers}

    def _check_enclosed(self, found: Statement) -> None:
        """Check what a difference encloses: the receipt that was signed first, and the other end's answer."""
        document, half = found.document, found.document.get("receipt")
        if "answer" in document:
            answer = strict_json(document["answer"], max_bytes=MAX_ANSWER)
            signers, holds = self._signed(answer, [found.other])
            if kind_of(answer) != "difference" or half not in (None, answer.get("receipt")):
                raise Refuted(f"The answer in {found.record} is about something else than its receipt.")
            half = answer.get("receipt")
            self.report.say("answer", holds=holds, record=found.record, signers=signers)
        if half is not None:
            receipt = receipts.read(half)
            if {receipt["provider"], receipt["consumer"]} != {self.report.by, found.other}:
                raise Refuted(f"The receipt in {found.record} is between other cities than those that it names.")
            signers, holds = self._signed(receipt, receipts.signers_of(receipt)[:1])
            self.report.say("half", holds=holds, receipt=receipt["id"], signers=signers)
        elif found.kind == "difference":
            self.report.doubt("no-half", record=found.record)
        elif found.kind in ("deletion", "acknowledgement", "erasure") and "provider" not in document:
            # An older node kept no word of a withdrawal; of a deletion there always was one.
            if "word" in document or found.kind == "deletion":
                self._check_word(found)
            else:
                self.report.say("no-word", holds=None, other=found.other, record=found.record, by=self.report.by)

    def _check_word(self, found: Statement) -> None:
        """Check the word of the city that deletes, which the city that had given the data keeps as it was signed."""
        word = strict_json(found.document.get("word", ""), max_bytes=MAX_ANSWER)
        signers, holds = self._signed(word, [found.other])
        said = (kind_of(word), word.get("agreement"), word.get("by"), word.get("other"))
        same = all(word.get(name) == found.document.get(name) for name in _OF_ONE) if found.kind != "deletion" else True
        if said != (found.kind, found.agreement, found.other, self.report.by) or not same:
            raise Refuted(f"The word in {found.record} is about something else than its statement.")
        self.report.say("word", holds=holds, other=found.other, record=found.record, signers=signers)

    @staticmethod
    def _check_time(found: Statement, bundle: Bundle) -> None:
        """Refuted if the journal holds a statement since before it was signed: a date that was turned."""
        last = proofs.proofs_of(found.document)[-1]
        if ms_of(bundle.entry["at"]) + proofs.SKEW_MS < ms_of_seconds(last["created"], "a proof"):
            raise Refuted(f"The journal holds {found.record} since before it was signed.")


def _stated(bundle: Bundle, payload: bytes, by: str) -> Statement:
    """Read what an entry states, once its bytes are those that the opening names."""
    opening, seq = bundle.opening or {}, bundle.entry["seq"]
    if (opening.get("op"), opening.get("kind")) != ("put", KIND):
        raise Refuted(f"Entry {seq} is no statement of evidence.")
    if opening["digest"] != "sha256:" + sha256(payload).hexdigest():
        raise Refuted(f"The statement with entry {seq} is not the one that the entry names.")
    return statement_in(opening["record"], payload, by)


def _is_in(city: KnownCity, agreement: Json) -> bool:
    return any(isinstance(each, dict) and each.get("url") == city.identity.url for each in agreement.get("cities", ()))


def _second(at_s: int) -> str:
    return moment(at_s * 1000)


def pins_of(given: Sequence[str]) -> dict[str, str]:
    """Read CITY=FINGERPRINT, the city by its base URL or its name.

    Raises:
        Malformed: One is not written so, or a city stands twice.
    """
    found: dict[str, str] = {}
    for each in given:
        city, mark, fingerprint = each.rpartition("=")
        if not mark or not city or not fingerprint or city.rstrip("/") in found:
            raise Malformed(f"{each[:200]!r} is no CITY=FINGERPRINT, or names a city twice.")
        found[city.rstrip("/")] = fingerprint
    return found
