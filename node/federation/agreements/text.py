"""The text of an agreement: one canonical JSON object, made of its parts or read back, and told apart from any other.

What two cities sign is this text and nothing beside it. It is read by making it anew: a member that our profile does
not write, another spelling, another order gives other bytes and is refused, so that what is shown and enforced is
what was signed. The same agreement as a DSP object is made here too, and compared clause by clause. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, NoReturn

from node.errors import Malformed, Refuted, TooLarge
from node.federation.policy import Policy, policy_members, read_rules, rebased, write_rules
from node.federation.policy.bases import check_bases
from node.federation.policy.values import LAST_MS
from node.federation.signing.integrity import MAX_BYTES, Json, jcs, strict_json, with_proofs

CONTEXT = ("https://w3id.org/dspace/2025/1/context.jsonld", "https://w3id.org/citynode/odrl/1/context.jsonld")
PROFILE = "https://w3id.org/citynode/odrl/1"
NS = "https://w3id.org/citynode/ns#"
ABOUT, TEXT, PROOF = f"{NS}about", f"{NS}text", f"{NS}proof"
KINDS = ("permission", "prohibition", "obligation")
MAX_ID = 500
_MAX_PROOF_BYTES = 8 * 1024
_MAX_COVERS = 200
MOST_CONTACTS = 20
_MAX_PROOFS = 2
# Control characters, and those that turn the direction of what a person reads.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Of what stands beside the rules and is one text.
MOST_SIGNS = {
    "title": 300,
    "template": 100,
    "partOf": MAX_ID,
    "replaces": MAX_ID,
    "legalBasis": 200,
    "transferBasis": 100,
}
_ABOUT = (*MOST_SIGNS, "covers", "public", "review", "contacts", "note")
_MAX_NOTE = 10_000
_FIRST_YEAR = 1970
_MAX_MOMENT = 40
_FIXED = {"@context": list(CONTEXT), "@type": "Agreement", "profile": PROFILE, "conflict": "prohibit"}
_NAMED = ("@id", "target", "assigner", "assignee")
_MEMBERS = frozenset((*_FIXED, *_NAMED, "timestamp", *_ABOUT, *KINDS))


@dataclass(frozen=True, slots=True)
class AgreementText:
    """An agreement as it is signed: `text` is `document` in canonical form, without proofs.

    `about` has no empty members; `digest` is that of `text`.
    """

    iri: str
    target: str
    assigner: str
    assignee: str
    issued_ms: int
    about: Json = field(hash=False)
    policy: Policy = field(hash=False)
    document: Json = field(repr=False, compare=False)
    text: str = field(repr=False)
    proofs: tuple[Json, ...] = field(default=(), repr=False, hash=False)

    @property
    def digest(self) -> str:
        """Name the agreement by the SHA-256 of its text: `sha256:` and 64 hex digits."""
        return "sha256:" + sha256(self.text.encode()).hexdigest()

    @property
    def timestamp(self) -> str:
        """Give the moment of the agreement as it is written."""
        return seconds_text(self.issued_ms)

    @property
    def rules(self) -> Json:
        """Give its permissions, prohibitions and obligations."""
        return write_rules(self.policy)

    @property
    def signed(self) -> str:
        """Give the signed text: the same object with its proofs, canonical; the bare text if there are none."""
        return jcs(with_proofs(self.document, self.proofs)).decode() if self.proofs else self.text

    def with_proofs(self, *proofs: Mapping[str, Any]) -> "AgreementText":
        """Give it under these proofs and no others."""
        return replace(self, proofs=tuple(dict(proof) for proof in proofs))


# ---------------------------------------------------------------- making


def compose(
    iri: str,
    target: str,
    assigner: str,
    assignee: str,
    timestamp_ms: int,
    about: Mapping[str, Any],
    rules: Mapping[str, Any],
) -> AgreementText:
    """Write an agreement; rules of an offer get the names of this agreement's clauses.

    Args:
        iri: The agreement, named below the assigner's base URL.
        target: What it is about: a collection, a bundle or one record.
        assigner: Base URL of the city that grants.
        assignee: Base URL of the city that is granted.
        timestamp_ms: When both agreed; cut to whole seconds.
        about: What stands beside the rules; empty members are left out.
        rules: Permissions, prohibitions, obligations.

    Raises:
        Malformed: A part cannot be read, or both parties are one.
        TooLarge: It would be longer than anybody reads.
    """
    if assigner == assignee:
        raise Malformed(
            "An agreement is between two cities, and this names one twice.",
        ).on_page("no.agreement.two_cities")
    named = dict(zip(_NAMED, (checked_id(each) for each in (iri, target, assigner, assignee)), strict=True))
    policy = rebased(read_rules(rules, policy_id=iri), iri)
    beside = read_about(about)
    moment = {"timestamp": seconds_text(timestamp_ms)}
    document = {**_FIXED, **named, **moment, **beside, **write_rules(policy)}
    text = jcs(document)
    if len(text) > MAX_BYTES - _MAX_PROOF_BYTES:
        raise TooLarge(
            f"The agreement would have {len(text)} bytes; {MAX_BYTES - _MAX_PROOF_BYTES} is the most."
        ).on_page("no.agreement.large")
    issued_ms = timestamp_ms // 1000 * 1000
    return AgreementText(iri, target, assigner, assignee, issued_ms, beside, policy, document, text.decode())


def read_about(value: object) -> Json:
    """Read what stands beside the rules of an offer or agreement; give it without its empty members.

    Raises:
        Malformed: It has other members than it may, or one that is too long or of another type.
    """
    if not isinstance(value, Mapping) or not value.keys() <= set(_ABOUT):
        raise Malformed(f"What stands beside the rules may be {', '.join(_ABOUT)}, and nothing else.")
    filled = {name: each for name, each in value.items() if not _is_empty(each)}
    for name, most in MOST_SIGNS.items():
        if name in filled:
            _checked_text(filled[name], name, most)
    check_bases(filled.get("legalBasis"), filled.get("transferBasis"))
    if "note" in filled:
        _checked_text(_without_breaks(filled["note"]), "note", _MAX_NOTE)
    if filled.get("public", True) is not True:
        raise Malformed("Whether an agreement is public is said by true or false.")
    if "review" in filled:
        _check_day(filled["review"])
    for name, most in (("covers", _MAX_COVERS), ("contacts", MOST_CONTACTS)):
        if name in filled:
            filled[name] = _checked_texts(filled[name], name, most)
    return filled


def about_of(text: str) -> Json:
    """Read what travels beside the rules in a DSP message, as one string."""
    return read_about(strict_json(text)) if text else {}


def _is_empty(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | list | tuple) and not value)


def _without_breaks(value: object) -> object:
    return value.replace("\n", " ") if isinstance(value, str) else value


def _checked_texts(values: object, name: str, most: int) -> list[str]:
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) > most:
        raise Malformed(
            f"The agreement's {name} are no list of at most {most}.",
        ).on_page("no.agreement.list", field=name, most=most)
    return [_checked_text(each, name, MAX_ID) for each in values]


def _checked_text(value: object, name: str, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most or _UNSEEN.search(value):
        raise Malformed(
            f"The agreement's {name} is no plain text of 1 to {most} characters.",
        ).on_page("no.agreement.text", field=name, most=most)
    return value


def holds_unseen(text: str) -> bool:
    """Tell whether a text holds characters that a person does not see, or that change what is seen."""
    return _UNSEEN.search(text) is not None


def checked_id(value: object) -> str:
    """Give an identifier back; Malformed unless it is a text of 1 to 500 characters that all can be seen."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or _UNSEEN.search(value) or " " in value:
        raise Malformed(
            f"{ascii(value)[:80]} cannot be an identifier: it has 1 to {MAX_ID} characters, none unseen."
        ).on_page("no.agreement.iri", most=MAX_ID)
    return value


def _check_day(value: object) -> None:
    try:
        date.fromisoformat(value if isinstance(value, str) and _DAY.fullmatch(value) else "")
    except ValueError as error:
        raise Malformed(
            "The day of review is written YYYY-MM-DD.",
        ).on_page("no.agreement.review", field="review") from error


def seconds_text(at_ms: int) -> str:
    """Write a time as RFC 3339, UTC to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ms_of_seconds(value: object, what: str) -> int:
    """Read such a time; Malformed, naming what it is of, unless it is written exactly so."""
    try:
        read = datetime.fromisoformat(value if isinstance(value, str) and _MOMENT.fullmatch(value) else "")
    except ValueError as error:
        raise Malformed(f"The time of {what} is written YYYY-MM-DDThh:mm:ssZ.") from error
    if read.year < _FIRST_YEAR:
        raise Malformed(f"The time of {what} lies before 1970.")
    return int(read.timestamp()) * 1000


# ---------------------------------------------------------------- reading


def read_text(signed: str | bytes) -> AgreementText:
    """Read the text of an agreement, signed or not yet; the proofs are taken along and not judged.

    Raises:
        TooLarge: It is longer or deeper than is read.
        Malformed: It is not the one canonical text that this profile writes of this agreement.
    """
    raw = signed.encode(errors="surrogatepass") if isinstance(signed, str) else signed
    value = strict_json(raw)
    _check_members(value)
    found = _made_of(value, ms_of_seconds(value.get("timestamp"), "the agreement"), value).with_proofs(
        *_proofs_of(value)
    )
    if found.signed.encode() != raw:
        _explain(found, value, raw)
    return found


def _check_members(value: Json) -> None:
    odd = sorted(value.keys() - _MEMBERS - {"proof"})
    if odd:
        raise Malformed(f"The text of an agreement has no member {ascii(odd[0])[:80]}.")
    for name, wanted in _FIXED.items():
        if value.get(name) != wanted:
            raise Malformed(f"The agreement's {name} is not exactly {jcs(wanted).decode()}.")


def _made_of(value: Mapping[str, Any], at_ms: int, about: Mapping[str, Any]) -> AgreementText:
    """Compose what an object names, with what stands beside its rules."""
    iri, target, assigner, assignee = (checked_id(value.get(name)) for name in _NAMED)
    beside = {name: about[name] for name in _ABOUT if name in about}
    rules = {name: value[name] for name in KINDS if name in value}
    return compose(iri, target, assigner, assignee, at_ms, beside, rules)


def _explain(made: AgreementText, value: Json, raw: bytes) -> NoReturn:
    """Say why a text is not the one that is written of what it says: spelling, order, or something that is not read."""
    if jcs(value) != raw:
        raise Malformed("The text of the agreement is not in its canonical form (RFC 8785).")
    names = sorted(value.keys() - {"proof"} | made.document.keys())
    odd = next(each for each in names if value.get(each) != made.document.get(each))
    raise Malformed(f"The agreement's {odd} is not written as the profile {PROFILE} writes it.")


def _proofs_of(value: Json) -> list[Json]:
    if "proof" not in value:
        return []
    proofs = value["proof"]
    if not isinstance(proofs, list) or not 1 <= len(proofs) <= _MAX_PROOFS:
        raise Malformed("An agreement's proofs are a list of one or two.")
    if not all(isinstance(proof, dict) for proof in proofs):
        raise Malformed("A proof of an agreement is a JSON object.")
    return proofs


# ---------------------------------------------------------------- beside DSP


def dsp_agreement(text: AgreementText) -> Json:
    """Give the agreement as the object of a DSP message; its signed text rides along if it has a proof.

    It has what the offer had in a catalogue, profile and all: a connector that copied that takes nothing else.
    """
    named = {"@id": text.iri, "target": text.target, "assigner": text.assigner, "assignee": text.assignee}
    beside = {ABOUT: jcs(text.about).decode()} if text.about else {}
    signed = {TEXT: text.signed} if text.proofs else {}
    moment = {"profile": [PROFILE], "timestamp": text.timestamp}
    return {**named, "@type": "Agreement", **moment, **text.rules, **beside, **signed}


def of_message(agreement: Mapping[str, Any]) -> AgreementText:
    """Make the text of an agreement that came as a DSP object alone, from a connector that signs none.

    Raises:
        Malformed: It lacks a part, or has a rule that our profile does not know.
        TooLarge: It is larger than anybody reads.
    """
    agreement = policy_members(agreement)
    _check_type(agreement)
    return _made_of(agreement, _any_moment(agreement.get("timestamp")), _about_in(agreement))


def same_as_message(text: AgreementText, agreement: Mapping[str, Any]) -> None:
    """Check that a DSP object says what the text says: id, target, parties, time, what stands beside, every rule.

    Raises:
        Refuted: It says something else; the message names it.
        Malformed: Its rules cannot be read.
    """
    agreement = policy_members(agreement)
    _check_type(agreement)
    for name, wanted in zip(_NAMED, (text.iri, text.target, text.assigner, text.assignee), strict=True):
        _check_equal(name, agreement.get(name), wanted)
    _check_equal("timestamp", agreement.get("timestamp"), text.timestamp)
    if ABOUT in agreement and _about_in(agreement) != text.about:
        raise Refuted("The DSP agreement and its signed text differ in what stands beside the rules.")
    rules = {name: agreement[name] for name in KINDS if name in agreement}
    told = write_rules(rebased(read_rules(rules, policy_id=text.iri), text.iri))
    _check_rules(told, text.rules)


def _check_type(agreement: Mapping[str, Any]) -> None:
    if agreement.get("@type") != "Agreement":
        raise Malformed(f"A DSP agreement is of type Agreement, not {ascii(agreement.get('@type'))[:80]}.")


def _check_equal(name: str, told: object, wanted: str) -> None:
    if told != wanted:
        raise Refuted(f"The DSP agreement and its signed text differ in {name}: {ascii(told)[:100]}, and {wanted}.")


def _check_rules(told: Json, wanted: Json) -> None:
    for kind in KINDS:
        ours, theirs = wanted.get(kind, []), told.get(kind, [])
        for number, rule in enumerate(ours, 1):
            if number > len(theirs) or theirs[number - 1] != rule:
                raise Refuted(f"The DSP agreement and its signed text differ in {kind} {number} ({rule['@id']}).")
        if len(theirs) > len(ours):
            raise Refuted(f"The DSP agreement has one more {kind} than its signed text.")


def _about_in(agreement: Mapping[str, Any]) -> Json:
    told = agreement.get(ABOUT, "")
    if not isinstance(told, str):
        raise Malformed("What stands beside the rules of a DSP agreement is one string.")
    return about_of(told)


def _any_moment(value: object) -> int:
    """Read the time of a foreign agreement: any xsd:dateTime with a zone."""
    try:
        read = datetime.fromisoformat(value if isinstance(value, str) and len(value) <= _MAX_MOMENT else "")
    except ValueError as error:
        raise Malformed("The DSP agreement does not say when it was made.") from error
    if read.tzinfo is None or read.year <= _FIRST_YEAR or read.timestamp() * 1000 > LAST_MS:
        raise Malformed("The time of a DSP agreement has a zone and lies in the years 1971 to 9999.")
    return int(read.timestamp()) * 1000
