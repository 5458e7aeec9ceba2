"""Two cities that sign an agreement, and everything needed to sign it wrongly: with real keys, over real texts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.federation.agreements.signing import Signing
from node.federation.agreements.text import CONTEXT, AgreementText, compose, seconds_text
from node.federation.identity.did import did_web
from node.federation.signing import integrity
from node.federation.signing.integrity import jcs
from node.keys import DAY_MS, Keyring, PublicKey, Purpose, files, history

HELSINKI = "https://helsinki.example"
LONDON = "https://london.example/node"
FEDERATION = "https://w3id.org/citynode/federation/digital-declaration"
NOW = 1_800_000_000_000
IRI = f"{HELSINKI}/agreements/7c6f1f1e-3d35-4b0e-9f7e-0e6f4b0e7a11"
TARGET = f"{HELSINKI}/collections/plans"
ABOUT: dict[str, Any] = {
    "title": "Plans of both cities – luonnokset",
    "template": "restricted-data/1",
    "covers": [TARGET],
    "review": "2027-06-30",
    "contacts": ["data@helsinki.example"],
}
RULES: dict[str, Any] = {
    "permission": [
        {
            "action": "use",
            "constraint": [
                {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "2028-01-15T00:00:00Z"},
                {"leftOperand": "odrl:recipient", "operator": "isAnyOf", "rightOperand": [LONDON]},
            ],
            "duty": [{"action": "odrl:inform"}],
        }
    ],
    "prohibition": [{"action": "odrl:sell"}],
}
IDS = {
    HELSINKI: "urn:uuid:5f1f7c1e-8a52-4f1b-8b5d-0d7d2f0a1c01",
    LONDON: "urn:uuid:5f1f7c1e-8a52-4f1b-8b5d-0d7d2f0a1c02",
}


def keyring_of(folder: Path, seed: str, *, since_ms: int) -> Keyring:
    """A keyring whose record key is always the same, in use since a moment."""
    files.make_folder(folder)
    history.write(folder, history.History())
    path = folder / "record.pem"
    files.write_key(path, Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest()), "")
    os.utime(path, ns=(since_ms * 1_000_000, since_ms * 1_000_000))
    return Keyring.create(folder, now_ms=since_ms)


def text_of(iri: str = IRI, *, target: str = TARGET, rules: Mapping[str, Any] = RULES, **about: Any) -> AgreementText:
    return compose(iri, target, HELSINKI, LONDON, NOW, ABOUT | about, rules)


@dataclass
class Pair:
    """Helsinki grants, London is granted."""

    keyrings: dict[str, Keyring]

    @classmethod
    def made(cls, folder: Path) -> "Pair":
        names = {HELSINKI: "helsinki", LONDON: "london"}
        return cls({url: keyring_of(folder / name, name, since_ms=NOW - DAY_MS) for url, name in names.items()})

    def signing(self, url: str, federation: str = FEDERATION) -> Signing:
        name = IDS[url].removeprefix("urn:uuid:")
        return Signing(self.keyrings[url], url=url, federation=federation, new_id=lambda: name)

    def keys_of(self, url: str) -> Sequence[PublicKey]:
        return self.keyrings[url].published()

    def signed(self, text: AgreementText | None = None, at_ms: int = NOW) -> str:
        """Signed by both, as it should be."""
        first = self.signing(HELSINKI).sign_as_assigner(text or text_of(), at_ms)
        return self.signing(LONDON).countersign(first, at_ms + 1_000)[0]

    def options(self, url: str, purpose: Purpose = "record", **more: Any) -> dict[str, Any]:
        """The members of a city's proof, any of which a test may replace, or leave out by None."""
        first = url == HELSINKI
        options = {
            "@context": list(CONTEXT),
            "id": IDS[url],
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-jcs-2022",
            "created": seconds_text(NOW if first else NOW + 1_000),
            "verificationMethod": f"{did_web(url)}#{self.keyrings[url].current(purpose).kid}",
            "proofPurpose": "assertionMethod",
            "domain": FEDERATION,
            **({"expires": seconds_text(NOW + 14 * DAY_MS)} if first else {"previousProof": IDS[HELSINKI]}),
        }
        return {name: value for name, value in (options | more).items() if value is not None}

    def proven(self, document: Mapping[str, Any], url: str, purpose: Purpose = "record", **more: Any) -> dict[str, Any]:
        """A document with one more proof of a city, over those that it names; the signature always holds."""
        options = self.options(url, purpose, **more)
        proof = integrity.proven(document, options, lambda message: self.keyrings[url].sign(purpose, message))
        return {**document, "proof": [*document.get("proof", []), proof]}

    def written(self, document: Mapping[str, Any] | None = None, *proofs: tuple[str, dict[str, Any]]) -> str:
        """A document under the proofs of these cities, each made with other members than it should have."""
        made = dict(text_of().document if document is None else document)
        for url, more in proofs or ((HELSINKI, {}), (LONDON, {})):
            made = self.proven(made, url, **more)
        return jcs(made).decode()
