"""Proves the export of an agreement, for whoever has the file alone: no node, no network, no database.

Nothing of the file is believed. The text is read as strictly as when it was signed; both signatures must be by keys
that the cities' own statements name, for records and in force at that time; what each journal says of it is proven as
`held` says. Whose keys these are, the file cannot prove: the caller gives fingerprints that came by another way, or the
report says that they were taken from the file. What holds and what does not is said in sentences, all of it, and not
only the first thing that is wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, TypeVar

from node.errors import KeyChanged, Malformed, NodeError, Refused, Refuted
from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.held import Held, check_members, proven
from node.federation.agreements.known import KnownCity, check_apart, known_city, known_identity, unvouched
from node.federation.agreements.signing import BOTH, Role, check_proofs, party_of
from node.federation.agreements.text import AgreementText, ms_of_seconds, read_text
from node.federation.signing.integrity import Json, strict_json
from node.federation.verifier.keys import is_pinned
from node.keys.public import ms_of

VERSION = "agreement/1"
MAX_BYTES = 16 << 20
Verdict = Literal["proven", "refuted", "incomplete"]
EXIT: dict[Verdict, int] = {"proven": 0, "refuted": 1, "incomplete": 3}
_MAX_TRUSTED = 32
EXPORT_SKEW_MS = 600_000
_MEMBERS = frozenset(("citynode", "agreement", "exported", "text", "cities", "journals"))
_CITY = frozenset(("url", "statement", "keys"))
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of the report. `holds` None: it could not be told from what is in the file.

    `code` names what was found or could not be told, `city` whose it is, and `values` what else stands in it, for
    whoever says it in another language; what does not hold comes in its own words, without a code.
    """

    holds: bool | None
    sentence: str
    code: str = ""
    city: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class AgreementReport:
    """What was found. Refuted if anything does not hold; incomplete if something that proves it is not there."""

    agreement: str = ""
    findings: list[Finding] = field(default_factory=list)
    # Cities, and the fingerprints of theirs that only the file gives.
    unpinned: list[tuple[str, str]] = field(default_factory=list)
    # Cities, and keys that signed in their place and that nothing of theirs names.
    unvouched: list[tuple[str, str]] = field(default_factory=list)
    # Whether both signatures were checked, and hold: nothing else says so.
    signed: bool = False

    def add(self, sentence: str, code: str = "", city: str = "", **values: str) -> None:
        """Say that something holds."""
        self.findings.append(Finding(holds=True, sentence=sentence, code=code, city=city, values=values))

    def lack(self, sentence: str, code: str = "", city: str = "", **values: str) -> None:
        """Say that something cannot be told."""
        self.findings.append(Finding(holds=None, sentence=sentence, code=code, city=city, values=values))

    def refute(self, error: NodeError) -> None:
        """Say that something does not hold."""
        self.findings.append(Finding(holds=False, sentence=str(error)))

    @property
    def verdict(self) -> Verdict:
        """Give the verdict."""
        if not self.findings or any(each.holds is False for each in self.findings):
            return "refuted"
        return "proven" if self.signed and not any(map(_is_lack, self.findings)) else "incomplete"

    @property
    def reason(self) -> str:
        """Give the first sentence that decides against it; empty if it is proven."""
        wrong = (each.sentence for each in self.findings if each.holds is False)
        return next(chain(wrong, (each.sentence for each in self.findings if _is_lack(each))), "")

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


def _is_lack(found: Finding) -> bool:
    """Tell whether something that proves it is not there. That fingerprints are to be compared is said at the end."""
    return found.holds is None and found.code != "unpinned"


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
    check_members(told, _MEMBERS)
    return told


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
        need = BOTH[: len(text.proofs)] if len(text.proofs) < len(BOTH) else BOTH
        for role in BOTH[len(need) :]:
            self._unsigned(party_of(text, role))
        known = {role: self._known(party_of(text, role)) for role in BOTH}
        if need and all(known[role] for role in need):
            self.step(self._signatures, text, need)
        self.step(self._foreign, text, told["journals"])
        for role in BOTH:
            self.step(self._journal, text, party_of(text, role), told["journals"])

    def _text(self, told: Json) -> AgreementText:
        text = read_text(told["text"])
        self._report.agreement = text.iri
        if told["agreement"] != text.iri:
            raise Refuted(f"The text is that of {text.iri}, and the export is said to be of another agreement.")
        if not 0 < ms_of(told["exported"]) <= self._now_ms + EXPORT_SKEW_MS:
            raise Refuted(f"The agreement {text.iri} was exported in the future.")
        title = text.about.get("title", text.iri)
        self._report.add(
            f"The text is one canonical agreement, “{title}”: {text.assigner} grants, {text.assignee} is granted, "
            f"about {text.target}, of {text.timestamp}; {text.digest}.",
            "text",
            text.assigner,
            title=str(title),
            assignee=text.assignee,
            target=text.target,
            time=text.timestamp,
            digest=text.digest,
        )
        return text

    # ------------------------------------------------------------ keys

    def _city(self, text: AgreementText, told: Json) -> None:
        url, statement = told.get("url"), told.get("statement")
        if url not in (text.assigner, text.assignee) or url in self._cities or not isinstance(statement, str):
            raise Malformed("The export has a city that is not one of the two parties, or has one twice.")
        check_members(told, _CITY)
        identity = known_identity(statement, url, self._now_ms)
        self._cities[url] = known_city(identity, told["keys"])
        pin = next((each for each in self._trusted if is_pinned(identity, each)), "")
        if pin:
            self._report.add(f"The keys of {url} are pinned by its fingerprint {pin}.", "pinned", url, fingerprint=pin)
        else:
            # By its address: what a city calls itself, the file says.
            self._report.unpinned.append((url, identity.fingerprint))
            self._report.lack(
                f"The keys of {url} are only those that this file names; its fingerprint there is "
                f"{identity.fingerprint}. Compare it with the city by another way, and give it with --fingerprint.",
                "unpinned",
                url,
                fingerprint=identity.fingerprint,
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
            self._report.lack(
                f"The file has no keys of {url}, so nothing that it signed can be checked.", "no-keys", url
            )
        return url in self._cities

    def _unsigned(self, url: str) -> None:
        """Say that a city has not signed at all, as connectors do that know no signatures of ours: that is no lie."""
        self._report.lack(
            f"The agreement bears no signature of {url}: that {url} agreed to it is not proven by a signature.",
            "unsigned",
            url,
        )

    def _signatures(self, text: AgreementText, need: Sequence[Role]) -> None:
        federations = {city.identity.federation for city in self._cities.values()}
        if not self._federation and len(federations) > 1:
            raise Refuted("The two cities say that they belong to two federations.")
        federation = self._federation or federations.pop()
        check_proofs(
            text,
            need=tuple(need),
            federation=federation,
            keys_of=lambda url: (*self._cities[url].keys, *self._cities[url].former),
            # Who signs alone stands by it longer than the fortnight in which the other could have signed over it.
            now_ms=self._now_ms if need == BOTH else min(self._now_ms, _open_until_ms(text)),
        )
        self._report.signed = need == BOTH
        for role, proof in zip(need, text.proofs, strict=True):
            url, kid = party_of(text, role), proof["verificationMethod"].partition("#")[2]
            if self._cities[url].vouches_for(kid):
                self._report.add(
                    f"{url} signed it as {role} on {proof['created']} with its record key {kid}, in force at that time,"
                    f" for the federation {federation}.",
                    f"signed.{role}",
                    url,
                    time=str(proof["created"]),
                    key=kid,
                    federation=federation,
                )
            else:
                self._report.unvouched.append((url, kid))
                self._report.lack(unvouched(url, kid), "unvouched", url, key=kid)

    # ------------------------------------------------------------ journals

    @staticmethod
    def _foreign(text: AgreementText, journals: Sequence[Json]) -> None:
        if any(each.get("city") not in (text.assigner, text.assignee) for each in journals):
            raise Malformed("The export has a journal of a city that is not one of the two parties.")

    def _journal(self, text: AgreementText, url: str, journals: Sequence[Json]) -> None:
        found = [each for each in journals if each.get("city") == url]
        if not found:
            self._report.lack(
                f"The file has nothing of the journal of {url}; export it again once that is mirrored.",
                "no-journal",
                url,
            )
            return
        city = self._cities.get(url)
        if city is None:
            return
        if len(found) > 1:
            raise Malformed(f"The export has two journals of {url}.")
        iri = f"{url}/collections/{_pair_with(text.assignee if url == text.assigner else text.assigner)}"
        name = found[0].get("collection")
        if name != iri:
            raise Refuted(f"The journal of {url} about this pair of cities is {iri}, not {ascii(name)[:200]}.")
        held = proven(text, url, city.checkpoint_keys, found[0], f"journal of {url}")
        say_held(self._report, url, held, whole=self._whole)


def _open_until_ms(text: AgreementText) -> int:
    return ms_of_seconds(text.proofs[0].get("expires"), "a proof's end")


def say_held(report: AgreementReport, url: str, held: Held, *, whole: bool = False) -> None:
    """Say what a city's journal holds of the agreement; `whole` as `verify_bundle` takes it."""
    report.add(held.extent, "held", url, **held.counts)
    if held.state:
        # What the file alone cannot show has no other words than these.
        said, code = (held.state, held.stands[0]) if whole else (held.state + held.beyond, "")
        report.add(said, code, url, **held.stands[1])
    else:
        report.lack(f"What the {held.called} says of it last is not in the file.", "no-description", url)


def _pair_with(other: str) -> str:
    try:
        return pair_collection(other)
    except ValueError as error:  # a party is whatever text the file names until its city is known
        raise Malformed(f"{ascii(other)[:100]} is no base URL of a city.") from error
