"""Proves the export of an agreement, for whoever has the file alone: no node, no network, no database.

Nothing of the file is believed. The text is read as strictly as when it was signed; both signatures must be by keys
that the cities' own statements name, for records and in force at that time; each journal entry is hashed anew, found
in its tree, the tree under its city's signature, and what it says compared with the text. Whose keys these are, the
file cannot prove: the caller gives fingerprints that came by another way, or the report says that they were taken from
the file. What holds and what does not is said in sentences, all of it, and not only the first thing that is wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal, TypeVar

from node.errors import KeyChanged, Malformed, NodeError, Refused, Refuted
from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.records import FINAL, KIND, Statement, record_in, statement_in
from node.federation.agreements.signing import BOTH, SKEW_MS, check_proofs, party_of
from node.federation.agreements.text import AgreementText, ms_of_seconds, read_text
from node.federation.identity.identity import Identity
from node.federation.signing.integrity import Json, strict_json
from node.federation.verifier.keys import is_pinned, read_old_statement
from node.federation.verifier.proof import Bundle, bundle_of, prove
from node.journal.note import Checkpoint
from node.keys import PublicKey
from node.keys.public import ms_of

VERSION = "agreement/1"
MAX_BYTES = 16 << 20
Verdict = Literal["proven", "refuted", "incomplete"]
EXIT: dict[Verdict, int] = {"proven": 0, "refuted": 1, "incomplete": 3}
_MAX_ENTRIES = 1_000
_MAX_KEYS = 256
_MAX_TRUSTED = 32
_UNENDORSED = {"endorsed_by": None, "endorsement": None}
_KEY = frozenset(("purpose", "kid", "alg", "jwk", "from", "until", "endorsed_by", "endorsement"))
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of the report. `holds` None: it could not be told from what is in the file."""

    holds: bool | None
    sentence: str


@dataclass(slots=True)
class AgreementReport:
    """What was found. Refuted if anything does not hold; incomplete if something that proves it is not there."""

    agreement: str = ""
    findings: list[Finding] = field(default_factory=list)
    # Cities, and the fingerprints of theirs that only the file gives.
    unpinned: list[tuple[str, str]] = field(default_factory=list)
    # Cities, and keys that signed in their place and that nothing of theirs names.
    unvouched: list[tuple[str, str]] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """Say that something holds."""
        self.findings.append(Finding(holds=True, sentence=sentence))

    def lack(self, sentence: str) -> None:
        """Say that something cannot be told."""
        self.findings.append(Finding(holds=None, sentence=sentence))

    def refute(self, error: NodeError) -> None:
        """Say that something does not hold."""
        self.findings.append(Finding(holds=False, sentence=str(error)))

    @property
    def verdict(self) -> Verdict:
        """Give the verdict."""
        held = {finding.holds for finding in self.findings}
        if False in held or not held:
            return "refuted"
        return "incomplete" if None in held else "proven"

    @property
    def reason(self) -> str:
        """Give the first sentence that decides against it; empty if it is proven."""
        wanted = {"refuted": False, "incomplete": None}.get(self.verdict, True)
        return next((each.sentence for each in self.findings if each.holds is wanted and wanted is not True), "")

    @property
    def exit_code(self) -> int:
        """Give the exit code: 0 proven, 1 refuted, 3 incomplete."""
        return EXIT[self.verdict]

    def document(self) -> Json:
        """Give it as JSON values."""
        found = [{"holds": each.holds, "sentence": each.sentence} for each in self.findings]
        return {"agreement": self.agreement, "verdict": self.verdict, "reason": self.reason, "findings": found}

    def lines(self) -> list[str]:
        """Say it to people: a sentence a line, and the verdict last."""
        marks = {True: "holds", False: "DOES NOT HOLD", None: "not known"}
        told = [f"{marks[each.holds]}: {each.sentence}" for each in self.findings]
        return [*told, self._last()]

    def _last(self) -> str:
        if self.verdict != "proven" or not self.unpinned:
            return f"{self.verdict}: {self.reason or self.agreement}"
        which = ", ".join(f"{fingerprint} ({city})" for city, fingerprint in self.unpinned)
        one = len(self.unpinned) == 1
        these, them = (
            ("this is the city's fingerprint", "it") if one else ("these are the cities' fingerprints", "them")
        )
        return f"proven, if {these}: {which}. Compare {them} by another way, or give --fingerprint."


def verify_bundle(
    body: bytes, *, trusted: Sequence[str] = (), federation: str = "", now_ms: int, whole: bool = False
) -> AgreementReport:
    """Prove an export.

    Args:
        body: The file; whatever it is, it is judged and never raises.
        trusted: Fingerprints of cities (`citynode identity`), learnt another way. Each must be one of the two cities'.
        federation: The domain that both proofs must name; empty takes what both cities' statements say.
        now_ms: The time, for what is dated in the future.
        whole: Whether the journals are at hand as well, so that what the file alone cannot show is not said.
    """
    report = AgreementReport()
    checking = _Checking(report, tuple(trusted[:_MAX_TRUSTED]), federation, now_ms, whole=whole)
    told = checking.step(_read, body)
    if told is not None:
        checking.run(told)
    return report


def _read(body: bytes) -> Json:
    told = strict_json(body, max_bytes=MAX_BYTES)
    if told.get("citynode") != VERSION:
        raise Malformed("This is no export of an agreement.", fix="Give what citynode agreements export writes.")
    for name, most in (("cities", len(BOTH)), ("journals", len(BOTH))):
        listed = told.get(name)
        if not isinstance(listed, list) or len(listed) > most or not all(isinstance(each, dict) for each in listed):
            raise Malformed(f"The {name} of the export are no list of at most {most}.")
    if not isinstance(told.get("text"), str):
        raise Malformed("The export has no text.")
    return told


@dataclass(frozen=True, slots=True)
class KnownCity:
    """A city, the keys in its statement, and former ones out of the file; `named` are those whom a key there followed.

    What is a former key of a city by the word of the file alone proves nothing, whatever it signed.
    """

    identity: Identity
    keys: tuple[PublicKey, ...]
    former: tuple[PublicKey, ...]
    named: frozenset[str]

    @property
    def checkpoint_keys(self) -> tuple[bytes, ...]:
        """Give the keys that sign its journals."""
        return tuple(key.raw for key in self.keys if key.purpose == "checkpoint")

    def vouches_for(self, kid: str) -> bool:
        """Tell whether its statement names a key: among its keys, or as the one that a key there has followed."""
        return kid in self.named or any(key.kid == kid for key in self.keys)


class _Checking:
    """One verification."""

    def __init__(
        self, report: AgreementReport, trusted: tuple[str, ...], federation: str, now_ms: int, *, whole: bool
    ) -> None:
        self._report = report
        self._whole = whole
        self._trusted = trusted
        self._federation = federation
        self._now_ms = now_ms
        self._cities: dict[str, KnownCity] = {}

    def step(self, check: Callable[..., _T], *given: object) -> _T | None:
        """Do one check; what it refuses becomes a sentence, and the next one goes on."""
        try:
            return check(*given)
        except Refused as error:
            self._report.refute(error)
            return None

    def run(self, told: Json) -> None:
        """Check everything that is there, in the order in which one thing rests upon another."""
        text = self.step(self._text, told)
        if text is None:
            return
        for city in told["cities"]:
            self.step(self._city, text, city)
        self.step(check_apart, self._cities.values())
        self.step(self._fingerprints)
        if all(self._known(party_of(text, role)) for role in BOTH):
            self.step(self._signatures, text)
        for role in BOTH:
            self.step(self._journal, text, party_of(text, role), told["journals"])

    def _text(self, told: Json) -> AgreementText:
        text = read_text(told["text"])
        self._report.agreement = text.iri
        if told.get("agreement") != text.iri:
            raise Refuted(f"The text is that of {text.iri}, and the export is said to be of another agreement.")
        title = text.about.get("title", text.iri)
        self._report.add(
            f"The text is one canonical agreement, “{title}”: {text.assigner} grants, {text.assignee} is granted, "
            f"about {text.target}, of {text.timestamp}; {text.digest}."
        )
        return text

    # ------------------------------------------------------------ keys

    def _city(self, text: AgreementText, told: Json) -> None:
        url, statement = told.get("url"), told.get("statement")
        if url not in (text.assigner, text.assignee) or url in self._cities or not isinstance(statement, str):
            raise Malformed("The export has a city that is not one of the two parties, or has one twice.")
        identity = known_identity(statement, url, self._now_ms)
        self._cities[url] = known_city(identity, told.get("keys"))
        pin = next((each for each in self._trusted if is_pinned(identity, each)), "")
        if pin:
            self._report.add(f"The keys of {url} are pinned by its fingerprint {pin}.")
        else:
            self._report.unpinned.append((identity.name or url, identity.fingerprint))
            self._report.add(
                f"The keys of {url} are only those that this file names; its fingerprint there is "
                f"{identity.fingerprint}. Compare it with the city by another way, and give it with --fingerprint."
            )

    def _fingerprints(self) -> None:
        for pin in self._trusted:
            if any(is_pinned(city.identity, pin) for city in self._cities.values()):
                continue
            if len(self._cities) < len(BOTH):
                self._report.lack(f"The fingerprint {pin[:100]} can be compared with no city in this file.")
            else:
                raise KeyChanged(f"The fingerprint {pin[:100]} is that of neither city in this file.")

    def _known(self, url: str) -> bool:
        if url not in self._cities:
            self._report.lack(f"The file has no keys of {url}, so nothing that it signed can be checked.")
        return url in self._cities

    def _signatures(self, text: AgreementText) -> None:
        federations = {city.identity.federation for city in self._cities.values()}
        if not self._federation and len(federations) > 1:
            raise Refuted("The two cities say that they belong to two federations.")
        federation = self._federation or federations.pop()
        check_proofs(
            text,
            need=BOTH,
            federation=federation,
            keys_of=lambda url: (*self._cities[url].keys, *self._cities[url].former),
            now_ms=self._now_ms,
        )
        for role, proof in zip(BOTH, text.proofs, strict=True):
            url, kid = party_of(text, role), proof["verificationMethod"].partition("#")[2]
            if self._cities[url].vouches_for(kid):
                self._report.add(
                    f"{url} signed it as {role} on {proof['created']} with its record key {kid}, in force at that time,"
                    f" for the federation {federation}."
                )
            else:
                self._report.unvouched.append((url, kid))
                self._report.lack(unvouched(url, kid))

    # ------------------------------------------------------------ journals

    def _journal(self, text: AgreementText, url: str, journals: Sequence[Json]) -> None:
        found = [each for each in journals if each.get("city") == url]
        if not found:
            self._report.lack(f"The file has nothing of the journal of {url}; export it again once that is mirrored.")
            return
        city = self._cities.get(url)
        if city is None:
            return
        if len(found) > 1:
            raise Malformed(f"The export has two journals of {url}.")
        signed, statements = _proven(text, city, found[0])
        _check_after(text, statements[0][0])
        self._report.add(
            f"The journal of {url} holds it: {len(statements)} of the {signed.size} entries under its signed checkpoint"
            f" are about this agreement, the first of {statements[0][0].entry['at']}."
        )
        self._say_state(url, statements, signed)

    def _say_state(self, url: str, statements: Sequence[tuple[Bundle, Statement | None]], signed: Checkpoint) -> None:
        ended = (each for each in statements if each[1] is not None and each[1].state in FINAL)
        bundle, said = next(ended, statements[-1])
        if said is None:
            self._report.lack(f"What the journal of {url} says of it last is not in the file.")
            return
        why = f": {said.reason.rstrip('.')}" if said.reason else ""
        beyond = (
            f" The file cannot show whether a later entry among the {signed.size} says otherwise, or one after them;"
            " the city can."
        )
        now = f"By that journal it is {said.state} since {bundle.entry['at']}{why}."
        self._report.add(now if self._whole else now + beyond)


def known_identity(statement: str, url: str, now_ms: int) -> Identity:
    """Read what a city says of itself in a file, as of its own day. Raises Refuted."""
    try:
        return read_old_statement(statement, url, now_ms)
    except Refused as error:
        raise Refuted(f"The statement of {url} does not hold: {error.message}", fix=error.fix) from error


def known_city(identity: Identity, listed: object) -> KnownCity:
    """Take the keys of a statement, and apart from them those that stand in the list behind it alone.

    A statement names two dozen keys, so a city that rotates often has earlier ones. It vouches for those of them that
    it says its keys have followed, and for no other: that an older key endorsed a newer one is said by the older one,
    which anybody could have made.

    Raises:
        Malformed: The list is none, or holds a key twice or what is no key.
    """
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS or not all(isinstance(each, dict) for each in listed):
        raise Malformed(f"The history of keys of {identity.url} is no list of at most {_MAX_KEYS}.")
    told = {key.kid: key for key in (PublicKey.read({**each, **_UNENDORSED}) for each in listed)}
    if any(each.keys() != _KEY or each["endorsement"] is not None for each in listed):
        raise Malformed(f"A key in the history of {identity.url} has other members than it should.")
    if len(told) < len(listed):
        raise Malformed(f"The history of keys of {identity.url} names a key twice.")
    keys = tuple(_shortened(key, told.pop(key.kid, None)) for key in identity.keys)
    heirs = {(key.endorsed_by, key.purpose): key for key in identity.keys if key.endorsed_by}
    former = tuple(_before(key, heirs.get((key.kid, key.purpose))) for key in told.values())
    return KnownCity(identity, keys, former, frozenset(key.kid for key in former if (key.kid, key.purpose) in heirs))


def check_apart(cities: Iterable[KnownCity]) -> None:
    """Refuted if a key that the file calls one city's is another's: whoever holds it could sign for both."""
    owners: dict[str, str] = {}
    for city in cities:
        for key in (*city.keys, *city.former):
            owner = owners.setdefault(key.kid, city.identity.url)
            if owner != city.identity.url:
                raise Refuted(f"The key {key.kid} is said to be of {owner} and of {city.identity.url}.")


def unvouched(url: str, kid: str) -> str:
    """Say that a signature is by nobody knows whom."""
    return (
        f"The statement of {url} does not name the key {kid}, by which the signature in its place is: that it was the"
        " city's is said by this file alone, and anybody could have made it. Ask the city for its former keys."
    )


def _before(key: PublicKey, heir: PublicKey | None) -> PublicKey:
    """End a former key where the one that followed it begins: that it signed any longer, only the file says."""
    if heir is None:
        return key
    return replace(key, until_ms=heir.since_ms if key.until_ms is None else min(key.until_ms, heir.since_ms))


def _shortened(key: PublicKey, told: PublicKey | None) -> PublicKey:
    """Give a key with the earlier of two ends: the exporter may have learnt later that it was replaced."""
    ends = [each.until_ms for each in (key, told) if each is not None and each.until_ms is not None]
    return replace(key, until_ms=min(ends)) if ends else key


def _proven(
    text: AgreementText, city: KnownCity, told: Json
) -> tuple[Checkpoint, list[tuple[Bundle, Statement | None]]]:
    """Prove what a journal says about an agreement, entry by entry; None stands for a description that is not there."""
    url = city.identity.url
    other = text.assignee if url == text.assigner else text.assigner
    iri = f"{url}/collections/{_pair_with(other)}"
    listed = told.get("entries")
    if not isinstance(listed, list) or len(listed) > _MAX_ENTRIES:
        raise Malformed(f"The journal of {url} has no list of at most {_MAX_ENTRIES} entries.")
    found: list[tuple[Bundle, Statement | None]] = []
    signed: Checkpoint | None = None
    for each in listed:
        bundle, payload = _bundle(each, told)
        if bundle.collection != iri:
            raise Refuted(f"The journal of {url} about this pair of cities is {iri}, not {bundle.collection[:200]}.")
        if found and bundle.entry["seq"] <= found[-1][0].entry["seq"]:
            raise Refuted(f"The entries of the journal of {url} are not in their order.")
        signed = prove(bundle, city.checkpoint_keys)
        found.append((bundle, _said(text, url, bundle, payload)))
    if signed is None:
        raise Malformed(f"The journal of {url} has no entries.")
    return signed, found


def _pair_with(other: str) -> str:
    try:
        return pair_collection(other)
    except ValueError as error:  # a party is whatever text the file names until its city is known
        raise Malformed(f"{ascii(other)[:100]} is no base URL of a city.") from error


def _bundle(each: object, told: Json) -> tuple[Bundle, bytes | None]:
    payload = each.get("payload") if isinstance(each, dict) else None
    if not isinstance(each, dict) or not isinstance(payload, str | None):
        raise Malformed("An entry of the export is no entry.")
    bundle = bundle_of({**each, "checkpoint": told.get("checkpoint")})
    return bundle, None if payload is None else payload.encode(errors="replace")


def _said(text: AgreementText, url: str, bundle: Bundle, payload: bytes | None) -> Statement | None:
    """Read what one entry says of the agreement, once its bytes are those that the opening names."""
    opening, seq = bundle.opening or {}, bundle.entry["seq"]
    record = record_in(text.iri, url)
    if (opening.get("record"), opening.get("kind")) != (record, KIND):
        raise Refuted(f"Entry {seq} of the journal of {url} is not about this agreement.")
    if opening["op"] != "put":
        return Statement(text.iri, text.signed, "withdrawn", "")
    if payload is None:
        return None
    if opening["digest"] != "sha256:" + sha256(payload).hexdigest():
        raise Refuted(f"The description with entry {seq} of the journal of {url} is not the one that it names.")
    try:
        said = statement_in(record, payload)
    except (ValueError, OverflowError) as error:  # no triples, though their city signed them
        raise Malformed(f"The description with entry {seq} of the journal of {url} cannot be read.") from error
    if said.agreement != text.iri or said.signed != text.signed:
        raise Refuted(f"Entry {seq} of the journal of {url} holds another text than the one that is shown.")
    return said


def _check_after(text: AgreementText, first: Bundle) -> None:
    """Refuted if a journal knew of the agreement before it was signed: a signature that was dated back or forth."""
    if not text.proofs:
        return
    signed_ms = ms_of_seconds(text.proofs[-1].get("created"), "a proof")
    if ms_of(first.entry["at"]) + SKEW_MS < signed_ms:
        raise Refuted("A journal holds the agreement since before it was signed.")
