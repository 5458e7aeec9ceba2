"""Who signs an agreement, in which order and when: the city that grants first, the other over its proof.

A signature that holds proves little by itself: what counts is that exactly the two cities that the text names signed
it, each in its role, with a key for records that was pinned and in force, for this federation, within the fortnight
that the offer of a signature stands. Every one of these is checked here and has its own sentence. No clock and no
database; the caller says who a city's keys are.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal
from uuid import uuid4

from node.errors import BadSignature, Malformed, Refuted
from node.federation.agreements.text import CONTEXT, AgreementText, ms_of_seconds, read_text, seconds_text
from node.federation.identity.did import did_web
from node.federation.signing import integrity
from node.federation.signing.integrity import CRYPTOSUITE, PROOF_PURPOSE, Json, jcs, strict_json
from node.keys import DAY_MS, Keyring, PublicKey, Purpose

Role = Literal["assigner", "assignee"]
KeysOf = Callable[[str], Sequence[PublicKey]]
ASSIGNER: tuple[Role, ...] = ("assigner",)
BOTH: tuple[Role, ...] = ("assigner", "assignee")
SKEW_MS = 60_000
OPEN_MS = 14 * DAY_MS
_PURPOSE: Purpose = "record"
_MEMBERS: dict[Role, frozenset[str]] = {
    "assigner": integrity.MEMBERS | {"expires"},
    "assignee": integrity.MEMBERS | {"previousProof"},
}
_URN = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def party_of(text: AgreementText, role: Role) -> str:
    """Give the base URL of the city in a role."""
    return text.assigner if role == "assigner" else text.assignee


class Signing:
    """Signs agreements with this city's key for records, and checks those of others. Safe to share by threads."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        url: str,
        federation: str,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        """Take the keys and what every proof names.

        Args:
            keyring: Our keys.
            url: Our base URL, by which agreements name us.
            federation: The domain of every proof; one made for another federation does not count.
            new_id: Gives a fresh random UUID for the name of a proof.
        """
        self._keyring = keyring
        self._url = url
        self._federation = federation
        self._new_id = new_id

    def sign_as_assigner(self, text: AgreementText, now_ms: int) -> str:
        """Sign first; give the signed text. The other city has fourteen days to sign it.

        Raises:
            Refuted: We are not its assigner, or it is signed already.
        """
        if text.assigner != self._url or text.proofs:
            raise Refuted("Only the assigner of an agreement signs it first, and once.")
        created_ms = max(now_ms, text.issued_ms)
        until = {"expires": seconds_text(created_ms + OPEN_MS)}
        return text.with_proofs(self._proof(text, created_ms, now_ms, until)).signed

    def countersign(self, signed: str, now_ms: int) -> tuple[str, str]:
        """Sign over the assigner's proof, which the caller has checked; give the signed text and our proof alone.

        Raises:
            Refuted: We are not its assignee, it does not have exactly the other's proof, or that one has expired.
        """
        text = read_text(signed)
        if text.assignee != self._url or len(text.proofs) != 1:
            raise Refuted("Only the assignee of an agreement signs it second, over one proof of the assigner.")
        first = text.proofs[0]
        # Clocks differ by seconds, and ours must not say that we signed before they did.
        created_ms = max(now_ms, ms_of_seconds(first.get("created"), "a proof"))
        _check_open(first, created_ms)
        proof = self._proof(text, created_ms, now_ms, {"previousProof": first.get("id")})
        return text.with_proofs(first, proof).signed, jcs(proof).decode()

    def check(
        self,
        signed: str | bytes,
        *,
        need: tuple[Role, ...] = BOTH,
        keys_of: KeysOf,
        now_ms: int,
        in_force_ms: int | None = None,
    ) -> AgreementText:
        """Read a signed agreement and check its proofs, as `check_proofs` does; our own keys need not be given."""
        text = read_text(signed)
        check_proofs(
            text,
            need=need,
            federation=self._federation,
            keys_of=lambda url: self._keyring.published() if url == self._url else keys_of(url),
            now_ms=now_ms,
            in_force_ms=in_force_ms,
        )
        return text

    def _proof(self, text: AgreementText, created_ms: int, now_ms: int, more: Mapping[str, object]) -> Json:
        key, signer = self._keyring.signers(_PURPOSE, now_ms)[0]
        method, created = f"{did_web(self._url)}#{key.kid}", seconds_text(created_ms)
        options = integrity.options_of(CONTEXT, self._new_id(), created, method, self._federation)
        return integrity.proven(integrity.with_proofs(text.document, text.proofs), {**options, **more}, signer.sign)


def attach(signed: str, proof: str) -> str:
    """Put the assignee's proof, as it came back alone, under the text that the assigner signed; not checked yet.

    Raises:
        Malformed: It is no proof, or the text does not have exactly one.
        TooLarge: It is longer than is read.
    """
    text, told = read_text(signed), strict_json(proof, max_bytes=8 * 1024)
    if len(text.proofs) != 1:
        raise Malformed("The proof of the assignee goes under a text with one proof, and this has none or two.")
    return text.with_proofs(text.proofs[0], told).signed


# ---------------------------------------------------------------- checking


def check_proofs(
    text: AgreementText,
    *,
    need: tuple[Role, ...],
    federation: str,
    keys_of: KeysOf,
    now_ms: int,
    in_force_ms: int | None = None,
) -> None:
    """Check that exactly the parties that are needed signed, each in its role and at its time.

    Args:
        text: The agreement with its proofs.
        need: Who must have signed: the assigner alone, or both. Nobody else may have.
        federation: The domain that every proof must name.
        keys_of: Gives every pinned key of a city by its base URL, replaced ones too.
        now_ms: The time; a minute of difference between clocks is granted.
        in_force_ms: A time at which the keys must sign still, besides the time the proof says: now, for a proof that
            comes fresh, since whoever finds a key that was replaced could write any time into it. None for an
            agreement that was signed long ago.

    Raises:
        Malformed: A proof does not have exactly the members it should have, each of its type.
        BadSignature: It was made by none of the keys that count.
        Refuted: Signed by others, in another order, for another purpose or federation, or at a wrong time.
    """
    _check_count(text, need)
    for role, proof in zip(need, text.proofs, strict=True):
        _check_shape(role, proof)
    _check_iri(text)
    _check_times(text, now_ms)
    document = integrity.with_proofs(text.document, text.proofs)
    for role, proof in zip(need, text.proofs, strict=True):
        _check_meant(text, role, proof, federation)
        key = _key_of(text, role, proof, keys_of)
        _check_key(role, key, proof, in_force_ms)
        if not integrity.holds(document, proof, key.raw):
            raise BadSignature(f"The {role}'s signature is not over this text.")


def _check_count(text: AgreementText, need: tuple[Role, ...]) -> None:
    there = len(text.proofs)
    if there < len(need):
        raise Refuted(f"The agreement is not signed by its {need[there]}.")
    if there > len(need):
        raise Refuted(f"The agreement has {there} proofs, where the {' and the '.join(need)} alone would have signed.")


def _check_shape(role: Role, proof: Json) -> None:
    wanted = _MEMBERS[role]
    if proof.keys() != wanted:
        odd = min(proof.keys() ^ wanted)
        there = "has a member" if odd in proof else "lacks the member"
        raise Malformed(f"The {role}'s proof {there} {ascii(odd)[:80]}.")
    for name, value in proof.items():
        if name != "@context" and not isinstance(value, str):
            raise Malformed(f"The {name} of the {role}'s proof is no text.")
    if not _URN.fullmatch(proof["id"]):
        raise Malformed(f"The {role}'s proof is not named by a urn:uuid.")


def _check_iri(text: AgreementText) -> None:
    if not text.iri.startswith(f"{text.assigner}/agreements/"):
        raise Refuted(f"{text.iri} is not a name that {text.assigner} can give an agreement.")


def _check_times(text: AgreementText, now_ms: int) -> None:
    created = [ms_of_seconds(proof["created"], "a proof") for proof in text.proofs]
    if any(at_ms > now_ms + SKEW_MS for at_ms in created):
        raise Refuted("A proof of the agreement is dated in the future.", fix="Compare the clocks of both cities.")
    if created[0] < text.issued_ms:
        raise Refuted("The assigner's proof is older than the agreement.")
    if len(created) > 1 and created[1] < created[0]:
        raise Refuted("The assignee's proof is older than the assigner's, over which it stands.")
    first = text.proofs[0]
    expires = ms_of_seconds(first["expires"], "a proof's end")
    if not created[0] < expires <= created[0] + OPEN_MS:
        raise Refuted("The assigner's proof does not stand open for up to fourteen days.")
    _check_open(first, created[1] if len(created) > 1 else now_ms)


def _check_open(first: Json, at_ms: int) -> None:
    if at_ms > ms_of_seconds(first.get("expires"), "a proof's end"):
        raise Refuted(
            f"The assigner's proof has expired on {first['expires']}.", fix="Ask it to sign the agreement anew."
        )


def _check_meant(text: AgreementText, role: Role, proof: Json, federation: str) -> None:
    """Refuted unless the proof was made for this: its suite, purpose, federation, context, and what it stands over."""
    if (proof["type"], proof["cryptosuite"]) != (integrity.TYPE, CRYPTOSUITE):
        made = f"{ascii(proof['type'])[:80]} of {ascii(proof['cryptosuite'])[:80]}"
        raise Refuted(f"The {role}'s proof is a {made}; only a {integrity.TYPE} of {CRYPTOSUITE} counts.")
    if proof["@context"] != list(CONTEXT):
        raise Refuted(f"The {role}'s proof reads the agreement with another @context.")
    if proof["proofPurpose"] != PROOF_PURPOSE:
        raise Refuted(f"The {role}'s proof is for {ascii(proof['proofPurpose'])[:80]}, not for {PROOF_PURPOSE}.")
    if proof["domain"] != federation:
        raise Refuted(f"The {role}'s proof is for the federation {ascii(proof['domain'])[:100]}, not {federation}.")
    if role == "assignee" and proof["previousProof"] != text.proofs[0]["id"]:
        raise Refuted("The assignee's proof does not stand over the assigner's.")
    if role == "assignee" and proof["id"] == text.proofs[0]["id"]:
        raise Refuted("Both proofs of the agreement have one name.")


def _key_of(text: AgreementText, role: Role, proof: Json, keys_of: KeysOf) -> PublicKey:
    """Find the key that a proof names among those of the city in this role."""
    party = party_of(text, role)
    did, _, kid = proof["verificationMethod"].partition("#")
    if did != did_web(party):
        other = next((each for each in BOTH if did == did_web(party_of(text, each))), None)
        by = f"the {other}'s" if other else "of neither party"
        raise Refuted(f"The proof in the place of the {role}'s is {by}: {ascii(did)[:100]}.")
    found = next((key for key in keys_of(party) if key.kid == kid), None)
    if found is None:
        raise BadSignature(f"The {role}'s proof names a key that is not one of {party}: {ascii(kid)[:80]}.")
    if found.purpose != _PURPOSE:
        raise BadSignature(f"The {role}'s proof is by a {found.purpose} key of {party}; agreements take a record key.")
    return found


def _check_key(role: Role, key: PublicKey, proof: Json, in_force_ms: int | None) -> None:
    created_ms = ms_of_seconds(proof["created"], "a proof")
    # Proofs tell whole seconds, so a key may be some milliseconds younger than the second of its first proof.
    if created_ms < key.since_ms // 1000 * 1000:
        raise BadSignature(f"The {role}'s proof is older than the key that made it.")
    if not key.is_in_force(created_ms):
        raise BadSignature(f"The {role}'s proof was made with a key that had been replaced by then.")
    if in_force_ms is not None and not key.is_in_force(in_force_ms):
        raise BadSignature(f"The {role}'s proof comes fresh, by a key that is not in force any more.")
