"""Proves an export of evidence, for whoever has the file alone: no node, no network, no database.

Nothing of the file is believed, the city that exported it included. Each statement must be signed by whom its kind
names, with keys that their own statements vouch for, in force then; stand in its journal entry, byte for byte; the
entry under the signed checkpoint; and the agreement it names be signed by both. Whose keys these are, the file cannot
prove: the caller gives fingerprints that came by another way, or the report says that they were taken from the file.
What holds and what does not is said in sentences, all of it, and not only the first thing that is wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any, Literal, TypeVar

import orjson

from node.errors import KeyChanged, Malformed, Refused, Refuted
from node.federation.agreements.text import AgreementText, ms_of_seconds, read_text
from node.federation.agreements.verifier import (
    AgreementReport,
    Finding,
    KnownCity,
    check_apart,
    known_city,
    known_identity,
    unvouched,
    verify_bundle,
)
from node.federation.evidence import proofs, receipts
from node.federation.evidence.statements import COLLECTION, KIND, Statement, statement_in
from node.federation.identity.identity import Identity
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
Verdict = Literal["proven", "refuted", "incomplete"]
EXIT: Mapping[Verdict, int] = {"proven": 0, "refuted": 1, "incomplete": 3}
_MEMBERS = frozenset(
    ("@context", "citynode", "by", "federation", "exported", "cities", "agreements", "journal", "proof")
)
_CITY = frozenset(("url", "statement", "keys"))
_JOURNAL = frozenset(("collection", "checkpoint", "entries"))
_ENTRY = frozenset(("entry", "opening", "inclusion", "payload"))
_AGREEMENT = frozenset(("citynode", "agreement", "exported", "text", "cities", "journals"))
_MAX_MEMBERS = {"cities": MAX_CITIES, "agreements": MAX_STATEMENTS}
_T = TypeVar("_T")


@dataclass(slots=True)
class Report:
    """What was found. Refuted if anything does not hold; `holds` None is said of what the file cannot tell.

    Incomplete, and so not proven, if a signature is by a key that nothing of its city names: `doubts`.
    """

    by: str = ""
    statements: list[Statement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unpinned: list[tuple[str, str]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def doubt(self, sentence: str) -> None:
        """Say that something is not proven, and so the whole is not."""
        if sentence not in self.doubts:
            self.doubts.append(sentence)
            self.say(sentence, holds=None)

    def say(self, sentence: str, *, holds: bool | None = True) -> None:
        """Say that something holds, does not, or cannot be told."""
        self.findings.append(Finding(holds=holds, sentence=sentence))

    @property
    def verdict(self) -> Verdict:
        """Give the verdict."""
        wrong = not self.statements or any(each.holds is False for each in self.findings)
        return "refuted" if wrong else "incomplete" if self.doubts else "proven"

    @property
    def exit_code(self) -> int:
        """Give the exit code: 0 proven, 1 refuted, 3 incomplete."""
        return EXIT[self.verdict]

    @property
    def reason(self) -> str:
        """Give the first sentence that does not hold, else the first doubt; empty if there is neither."""
        wrong = (each.sentence for each in self.findings if each.holds is False)
        return next(chain(wrong, self.doubts), "")

    def document(self) -> Json:
        """Give it as JSON values."""
        found = [{"holds": each.holds, "sentence": each.sentence} for each in self.findings]
        told = [{"record": each.record, "kind": each.kind, "statement": each.document} for each in self.statements]
        return {
            "by": self.by,
            "verdict": self.verdict,
            "reason": self.reason,
            "findings": found,
            "unpinned": [{"city": city, "fingerprint": fingerprint} for city, fingerprint in self.unpinned],
            "statements": told,
        }

    def lines(self) -> list[str]:
        """Say it to people: a sentence a line, and the verdict last."""
        marks = {True: "holds", False: "DOES NOT HOLD", None: "not known"}
        return [*(f"{marks[each.holds]}: {each.sentence}" for each in self.findings), self._last()]

    def _last(self) -> str:
        if self.verdict == "refuted":
            return f"refuted: {self.reason or 'there is no statement in it.'}"
        if self.verdict == "incomplete":
            return f"not proven: {self.reason}"
        told = f"proven: {len(self.statements)} statement{'s' if len(self.statements) > 1 else ''} of {self.by}"
        if not self.unpinned:
            return told
        which = ", ".join(f"{city}={fingerprint}" for city, fingerprint in self.unpinned)
        return f"{told}, if these are the cities' fingerprints: {which}. Compare them by another way, or give --key."


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
    checking = _Checking(Report(), trusted, now_ms)
    told = checking.step(_read, body)
    if told is not None:
        checking.run(told)
    return checking.report


def _read(body: bytes) -> Json:
    told = strict_json(body, max_bytes=MAX_BYTES)
    if told.get("citynode") != VERSION or told.keys() != _MEMBERS:
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
    _check_members(journal, _JOURNAL)
    return told


def _check_members(part: Json, members: frozenset[str]) -> None:
    """Malformed where a part has less than it should, or more: what nobody checks must not look as if it held."""
    if part.keys() != members:
        raise Malformed(f"A part of the export has other members than {', '.join(sorted(members))}.")


class _Checking:
    """One verification."""

    def __init__(self, report: Report, trusted: Mapping[str, str], now_ms: int) -> None:
        self.report = report
        self._trusted = trusted
        self._now_ms = now_ms
        self._cities: dict[str, KnownCity] = {}
        self._agreements: dict[str, AgreementText] = {}
        self._federation = ""
        self._owning = ""  # whose own word for its former keys the file is
        self._last_seq = 0
        self._told: set[str] = set()

    def step(self, check: Callable[..., _T], *given: object) -> _T | None:
        """Do one check; what it refuses becomes a sentence, and the next one goes on."""
        try:
            return check(*given)
        except Refused as error:
            self.report.say(str(error), holds=False)
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError) as error:
            # A stranger's file: whatever shape was not thought of is a file that does not hold.
            self.report.say(f"A part of the file is of no shape that could hold: {type(error).__name__}.", holds=False)
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

    # ------------------------------------------------------------ cities

    def _city(self, told: Json) -> None:
        url, statement = told.get("url"), told.get("statement")
        if not isinstance(url, str) or not isinstance(statement, str) or url in self._cities:
            raise Malformed("A city in the file has no address or no statement, or is there twice.")
        _check_members(told, _CITY)
        identity = known_identity(statement, url, self._now_ms)
        if identity.federation != self._federation:
            raise Refuted(f"{url} belongs to another federation than the file: {identity.federation}.")
        self._cities[url] = known_city(identity, told.get("keys"))
        pin = self._pin_of(identity)
        if pin and not is_pinned(identity, pin):
            raise KeyChanged(f"The keys of {url} are not those of the fingerprint {pin[:100]}.")
        if pin:
            self.report.say(f"The keys of {url} are pinned by its fingerprint {pin}.")
        else:
            self.report.unpinned.append((url, identity.fingerprint))
            self.report.say(
                f"The keys of {url} are only those that this file names; its fingerprint there is"
                f" {identity.fingerprint}. Compare it with the city by another way, and give it with --key."
            )

    def _pin_of(self, identity: Identity) -> str:
        return self._trusted.get(identity.url) or self._trusted.get(identity.name) or ""

    def _pins(self) -> None:
        met = {name for city in self._cities.values() for name in (city.identity.url, city.identity.name)}
        missing = next((name for name in self._trusted if name not in met), "")
        if missing:
            raise KeyChanged(f"A fingerprint was given for {missing[:200]}, and the file has no such city.")

    def _keys(self, url: str) -> Sequence[PublicKey]:
        city = self._cities.get(url)
        if city is None:
            raise Refuted(f"The file has no keys of {url[:200]}, so nothing that it signed can be checked.")
        return (*city.keys, *city.former)

    def _signed(self, document: Json, signers: Sequence[str]) -> str:
        """Check proofs; say in a few words who made them, and note which keys only the file names."""
        made = proofs.check(document, signers, federation=self._federation, keys_of=self._keys, now_ms=self._now_ms)
        said = []
        for url, key, proof in zip(signers, made, proofs.proofs_of(document), strict=True):
            who = f"{url} on" if self._vouched(url, key.kid) else f"somebody in the place of {url}, dated"
            said.append(f"{who} {proof['created']} with the key {key.kid}")
        return " and ".join(said)

    def _vouched(self, url: str, kid: str) -> bool:
        """Doubt a signature by a key for which its city vouches neither in its statement nor by signing this file."""
        if url == self._owning or (url in self._cities and self._cities[url].vouches_for(kid)):
            return True
        self.report.doubt(unvouched(url, kid))
        return False

    def _whole(self, told: Json) -> None:
        by = self._signed(told, [told["by"]])
        if not self.report.doubts:
            self._owning = told["by"]
        made_ms = ms_of_seconds(proofs.proofs_of(told)[-1]["created"], "a proof")
        if abs(ms_of(told["exported"]) - made_ms) > proofs.SKEW_MS:
            raise Refuted("The file was not signed when it says that it was exported.")
        self.report.say(f"The file is whole: it was signed by {by}.")

    # ------------------------------------------------------------ agreements

    def _agreement(self, told: Json) -> None:
        met = [city.identity for city in self._cities.values() if _is_in(city, told)]
        # Where no fingerprint was given, the agreement's keys are at least those of the same city as the file's.
        pins = [self._pin_of(each) or each.fingerprint for each in met]
        found = verify_bundle(
            orjson.dumps(told), trusted=pins, federation=self._federation, now_ms=self._now_ms, whole=False
        )
        wrong = [each for each in found.findings if each.holds is False]
        if wrong:
            raise Refuted(f"The agreement {found.agreement or 'in it'} does not hold: {wrong[0].sentence}")
        _check_members(told, _AGREEMENT)
        text = read_text(told["text"])
        if text.iri in self._agreements:
            raise Refuted(f"The agreement {text.iri} is in the file twice.")
        if not 0 < ms_of(told["exported"]) <= self._now_ms + proofs.SKEW_MS:
            raise Refuted(f"The agreement {text.iri} was exported in the future.")
        self._agreements[text.iri] = text
        if all(self._vouched(*each) for each in found.unvouched):
            who = "both cities" if len(text.proofs) > 1 else "no city" if not text.proofs else "one city"
            self.report.say(f"The agreement {text.iri} is signed by {who}: {text.digest}.")
        self._say_rest(found)

    def _say_rest(self, found: AgreementReport) -> None:
        """Say what an agreement leaves open, beside the keys of its signatures: the whole file tells more of those."""
        told = {unvouched(url, kid) for url, kid in found.unvouched}
        for each in found.findings:
            if each.holds is None and each.sentence not in told:
                self.report.say(each.sentence, holds=None)
        known = {name for city in self._cities.values() for name in (city.identity.url, city.identity.name)}
        self.report.unpinned += [each for each in found.unpinned if each[0] not in known]

    def _check_agreement(self, receipt: Json) -> None:
        text = self._agreements.get(receipt["agreement"])
        if text is None:
            self.report.say(f"The agreement {receipt['agreement']} is not in the file.", holds=None)
            return
        if text.digest != receipt["agreementDigest"]:
            raise Refuted(f"The receipt {receipt['id']} is under another text of its agreement than the file has.")
        if (text.assigner, text.assignee) != (receipt["provider"], receipt["consumer"]):
            raise Refuted(f"The receipt {receipt['id']} is not between the parties of its agreement.")

    # ------------------------------------------------------------ journal

    def _checkpoint(self, journal: Json) -> None:
        iri, by = f"{self.report.by}/collections/{COLLECTION}", self.report.by
        if journal["collection"] != iri or by not in self._cities:
            raise Refuted(f"The journal in the file is not the evidence of {by[:200]}.")
        signed = signed_checkpoint(journal["checkpoint"], iri, self._cities[by].checkpoint_keys)
        self.report.say(f"The journal of {by} is signed with {signed.size} entries.")
        keys = {
            witness_name(url): [key.raw for key in city.keys if key.purpose == "witness"]
            for url, city in self._cities.items()
            if url != by
        }
        held = note.cosignatures(note.parse(journal["checkpoint"]), keys, verified)
        for each in held:
            self.report.say(f"{each.name} has seen this state of the journal and cosigned it on {_second(each.at_s)}.")
        if not held:
            self.report.say("No witness has cosigned this state of the journal.", holds=None)

    def _entry(self, told: Json, journal: Json) -> None:
        payload = told.get("payload")
        if not isinstance(payload, str):
            raise Malformed("An entry of the export has no statement.")
        _check_members(told, _ENTRY)
        bundle = bundle_of({**told, "checkpoint": journal["checkpoint"]})
        if bundle.collection != journal["collection"]:
            raise Refuted(f"An entry is of the journal {bundle.collection[:200]}.")
        self._check_order(bundle)
        prove(bundle, self._cities[self.report.by].checkpoint_keys)
        found = _stated(bundle, payload.encode(errors="replace"), self.report.by)
        said = self._judged(found)
        self._check_time(found, bundle)
        self._check_once(found)
        self.report.statements.append(found)
        self.report.say(
            f"{said} It is entry {bundle.entry['seq']} of the journal, written {bundle.entry['at']}, and that is under"
            " the signed checkpoint."
        )

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

    def _judged(self, found: Statement) -> str:
        """Check who signed a statement, and what it holds of others' signatures; say what it is."""
        document = found.document
        if found.kind == "receipt":
            receipt = receipts.read(found.text)
            by = self._signed(receipt, receipts.signers_of(receipt))
            self._check_agreement(receipt)
            moved = sum(each["bytes"] for each in receipt["parts"])
            return (
                f"Receipt {receipt['id']}: {_parts(len(receipt['parts']))}, {moved} bytes of {receipt['dataset']} went"
                f" from {receipt['provider']} to {receipt['consumer']}; signed by {by}."
            )
        if document.get("by") != self.report.by:
            raise Refuted("A statement is not by the city whose journal it stands in.")
        by = self._signed(document, [self.report.by])
        self._check_enclosed(document)
        return f"Statement {found.record} ({found.kind}), signed by {by}."

    def _check_enclosed(self, document: Json) -> None:
        """Check what a difference encloses: the receipt that was signed first, and the other end's answer."""
        half, answer = document.get("receipt"), document.get("answer")
        if half is not None:
            receipt = receipts.read(half)
            by = self._signed(receipt, receipts.signers_of(receipt)[:1])
            self.report.say(f"The receipt {receipt['id']} that it is about was signed by {by}, and by nobody else.")
        if answer is not None:
            said = strict_json(answer, max_bytes=receipts.MAX_BYTES)
            by = self._signed(said, [document["other"]])
            self.report.say(f"The answer to it was signed by {by}.")

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


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count} parts"
