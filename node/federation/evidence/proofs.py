"""Signatures under statements of evidence: `eddsa-jcs-2022`, one city's or two cities' in a fixed order.

As with agreements, a signature that holds proves little by itself: what counts is who had to sign, in which order, with
a key for records that was in force then, for this federation. The second proof stands over the first, so nobody can
take one of them away. No clock and no database; the caller says who a city's keys are.
"""

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from node.errors import BadSignature, Malformed, Refuted
from node.federation.agreements.text import ms_of_seconds, seconds_text
from node.federation.evidence.statements import CONTEXT
from node.federation.identity.did import did_web
from node.federation.signing import integrity
from node.federation.signing.integrity import CRYPTOSUITE, MEMBERS, PROOF_PURPOSE, Json
from node.keys import Keyring, PublicKey, Purpose

KeysOf = Callable[[str], Sequence[PublicKey]]
PURPOSE: Purpose = "record"
SKEW_MS = 600_000


class Hand:
    """Signs statements in this city's name. Safe to share by threads."""

    def __init__(
        self, keyring: Keyring, *, url: str, federation: str, new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> None:
        """Take the keys, our base URL, and the federation that every proof is for; `new_id` gives a random UUID."""
        self._keyring, self.url, self.federation, self._new_id = keyring, url, federation, new_id

    def sign(self, document: Mapping[str, object], now_ms: int) -> Json:
        """Give a document with our proof under it, over the proof that it has, if it has one."""
        proofs = proofs_of(document)
        key, signer = self._keyring.signers(PURPOSE, now_ms)[0]
        # Clocks differ by seconds, and ours must not say that we signed before they did.
        first_ms = ms_of_seconds(proofs[0].get("created"), "a proof") if proofs else 0
        method, created = f"{did_web(self.url)}#{key.kid}", seconds_text(max(now_ms, first_ms))
        options = integrity.options_of(CONTEXT, self._new_id(), created, method, self.federation)
        options |= {"previousProof": proofs[-1]["id"]} if proofs else {}
        made = integrity.proven(document, options, signer.sign)
        return integrity.with_proofs(document, (*proofs, made))

    def keys(self) -> Sequence[PublicKey]:
        """Give every key that ever signed for us."""
        return self._keyring.published(PURPOSE)


def proofs_of(document: Mapping[str, object]) -> list[Json]:
    """Give the proofs under a document, unjudged. Raises Malformed if they are no list of objects."""
    proofs = document.get("proof", [])
    if not isinstance(proofs, list) or not all(isinstance(each, dict) for each in proofs):
        raise Malformed("The proofs of a statement are a list of objects.")
    return proofs


def check(
    document: Mapping[str, object], signers: Sequence[str], *, federation: str, keys_of: KeysOf, now_ms: int
) -> list[PublicKey]:
    """Check that exactly these cities signed a document, in this order; give the key of each.

    Args:
        document: With its proofs.
        signers: Base URLs, the first signer first.
        federation: What every proof must be for.
        keys_of: Gives the keys of a city that count, of now and before.
        now_ms: Nothing may be dated later than this.

    Raises:
        Malformed: A proof is none.
        Refuted: There are too few or too many, or one is in another order or for another purpose.
        BadSignature: One does not hold, or its key was not the city's or not in force.
    """
    proofs = proofs_of(document)
    if len(proofs) != len(signers):
        raise Refuted(f"The statement has {len(proofs)} proofs, where {' and then '.join(signers)} would have signed.")
    found, before_ms = [], 0
    for number, (url, proof) in enumerate(zip(signers, proofs, strict=True)):
        _check_shape(proof, number, proofs, federation)
        created_ms = ms_of_seconds(proof["created"], "a proof")
        if created_ms > now_ms + SKEW_MS:
            raise Refuted("A proof is dated in the future.", fix="Compare the clocks of both cities.")
        if created_ms < before_ms:
            raise Refuted("The second proof is older than the first, over which it stands.")
        key = _key_of(url, proof, created_ms, keys_of)
        if not integrity.holds(document, proof, key.raw):
            raise BadSignature(f"The signature of {url} is not over this statement.")
        found.append(key)
        before_ms = created_ms
    return found


def _check_shape(proof: Json, number: int, proofs: Sequence[Json], federation: str) -> None:
    wanted = MEMBERS | {"previousProof"} if number else MEMBERS
    if proof.keys() != wanted:
        raise Malformed(f"A proof has other members than it should: {ascii(sorted(proof.keys() ^ wanted))[:200]}.")
    if any(not isinstance(value, str) for name, value in proof.items() if name != "@context"):
        raise Malformed("A member of a proof is no text.")
    fixed = (proof["type"], proof["cryptosuite"], proof["proofPurpose"], proof["@context"])
    if fixed != (integrity.TYPE, CRYPTOSUITE, PROOF_PURPOSE, list(CONTEXT)):
        raise Refuted(f"A proof is not a {integrity.TYPE} of {CRYPTOSUITE} for {PROOF_PURPOSE} in our context.")
    if proof["domain"] != federation:
        raise Refuted(f"A proof is for the federation {ascii(proof['domain'])[:100]}, not {federation}.")
    if number and proof["previousProof"] != proofs[number - 1].get("id"):
        raise Refuted("The second proof does not stand over the first.")
    if [each.get("id") for each in proofs].count(proof["id"]) > 1:
        raise Refuted("Both proofs have one name.")


def _key_of(url: str, proof: Json, created_ms: int, keys_of: KeysOf) -> PublicKey:
    did, _, kid = proof["verificationMethod"].partition("#")
    if did != did_web(url):
        raise BadSignature(f"A proof in the place of {url}'s is by {ascii(did)[:100]}.")
    key = next((each for each in keys_of(url) if each.kid == kid and each.purpose == PURPOSE), None)
    if key is None:
        raise BadSignature(f"A proof names a key that is no record key of {url}: {ascii(kid)[:80]}.")
    # Proofs tell whole seconds, so a key may be some milliseconds younger than the second of its first proof.
    if created_ms < key.since_ms // 1000 * 1000 or not key.is_in_force(created_ms):
        raise BadSignature(f"The key of {url} was not in force when its proof says that it was made.")
    return key
