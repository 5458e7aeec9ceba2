"""The official Data Integrity vectors (w3c/vc-di-eddsa, commit abb673e) against our proofs.

Ours are the vectors of `eddsa-jcs-2022`: every intermediate file comes out byte for byte, the signed document too, and
it verifies. Not ours are those of `eddsa-rdfc-2022`: nothing here signs RDF. The official proof sets and proof chains
exist for that suite alone, so of them we are held to what a chained proof covers: with PyLD's canonical form in the
place of ours, all four signatures hold and are made again, key by key, over what `covered` gives. The proofs and keys
below are those of `TestVectors/proof-set-chain` (W3C Software and Document Licence).
"""

import json
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyld import jsonld

from node.federation.signing.integrity import (
    covered,
    holds,
    jcs,
    message_of,
    proven,
    strict_json,
    unsecured,
    with_proofs,
)
from node.keys import FileSigner, verified
from node.keys.multibase import multibase, read_multibase
from tests.keys.multikeys import raw_of

Said = dict[str, Any]
PAIRS = (
    ("z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7", "z3u2W4YnTstS1nSSBAgZcYSJF43JuZ9uLV6bF38B1Bf8NugW"),
    ("z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E", "z3u2cfp4Q17kMGhNCh348a3yw3cUBiWK6RXRzyJE54sixMFn"),
    ("z6MkmEq87wkHCYnWnNZkigeDMGTN7oUw1upkhzd77KuXERS1", "z3u2Zr3tcDLBDQKGxVa9SRDFNLqNqPWsa8p9rWPvCEH6bADB"),
    ("z6Mkm1S51iPHJvDEkJ9MRtxJmT8Pqo6wHipAFwBAjN83vntT", "z3u2ZTWiFwM17veUR7sXniY66Gf14SqMdpMLy7SW9x4EDdmw"),
)
FIRST, SECOND = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544", "urn:uuid:8cc9022b-6b14-4cf3-8571-74972c5feb54"
THIRD = "urn:uuid:d94f792a-c546-4d06-b38a-da070ab56c23"
# Two proofs of a set, one over both of them, and one over that.
CHAIN: tuple[tuple[Said, str], ...] = (
    (
        {"id": FIRST, "created": "2023-02-24T23:36:38Z"},
        "z66vWyqwAghu52WbpRkCwFRTu6Msn92ArtjpJ3gGMSVoU5RADwBfszoDt1QWY8owqLPz4nTj7hAwV7xFti1p93zdr",
    ),
    (
        {"id": SECOND, "created": "2023-02-24T23:36:38Z"},
        "z2scr94SNNrGpP2bE7ajvKWeUHm7HJ2edDkxpARvFAQ8V3USzwEzibqrXKaLHBrWostswsfvg82twQR88BgtnsrXY",
    ),
    (
        {"id": THIRD, "created": "2023-02-26T22:06:38Z", "previousProof": [FIRST, SECOND]},
        "zWaPeEvBAkhQpNQj8pknuvg5STcKnt3cvM9t4kAYeJETFjvVMSXEEjadC4uxC9fKCn6JHbjt6fj2fhoaVNynBm6J",
    ),
    (
        {"created": "2023-02-26T22:16:38Z", "previousProof": THIRD},
        "z4b5uUtxNiV4E541LiR8qLvA21xM1Vt4Hfn6nLmmDePdFvLB3jFj3HyEEJyRMbpJzv4Gfdr8ABeuRTxAvZv6KWRRh",
    ),
)


@pytest.fixture(scope="module")
def suite(sample_data: Path) -> Path:
    folder = sample_data / "standards" / "vc-di-eddsa"
    if not folder.is_dir():
        pytest.skip(f"the Data Integrity vectors are absent: {folder} is no folder")
    return folder


@pytest.fixture(scope="module")
def unsigned(suite: Path) -> Said:
    return strict_json((suite / "TestVectors" / "unsigned.json").read_bytes())


def secret_of(text: str) -> FileSigner:
    raw = read_multibase(text, 34)
    assert raw[:2] == b"\x80\x26"
    return FileSigner(Ed25519PrivateKey.from_private_bytes(raw[2:]))


# ---------------------------------------------------------------- eddsa-jcs-2022: ours


def test_every_official_file_of_our_suite_comes_out_byte_for_byte(suite: Path, unsigned: Said):
    folder = suite / "TestVectors" / "eddsa-jcs-2022"
    given = {path.stem: path.read_text().strip() for path in folder.iterdir()}
    options = strict_json(given["proofConfigJCS"])
    pair = strict_json((suite / "TestVectors" / "keyPair.json").read_bytes())
    signer = secret_of(pair["privateKeyMultibase"])
    message = message_of(unsigned, options)
    proof = proven(unsigned, options, signer.sign)
    raw = read_multibase(proof["proofValue"], 64)
    made = {
        "canonDocJCS": jcs(unsigned).decode(),
        "docHashJCS": sha256(jcs(unsigned)).hexdigest(),
        "proofConfigJCS": given["proofConfigJCS"],
        "proofCanonJCS": jcs(options).decode(),
        "proofHashJCS": sha256(jcs(options)).hexdigest(),
        "combinedHashJCS": message.hex(),
        "sigHexJCS": raw.hex(),
        "sigBTC58JCS": multibase(raw),
    }
    assert made == {name: text for name, text in given.items() if name != "signedJCS"}
    signed = strict_json(given["signedJCS"])
    assert {**unsigned, "proof": proof} == signed
    key = raw_of(pair["publicKeyMultibase"])
    assert holds(signed, signed["proof"], key)
    assert not holds({**signed, "name": "x"}, signed["proof"], key)
    assert not holds(signed, {**signed["proof"], "created": "2023-02-24T23:36:39Z"}, key)


def test_our_suite_chains_and_sets_proofs_of_the_official_keys(unsigned: Said):
    """The same four proofs as the official ones, made by our suite: each holds, and a chain is no set."""
    signed = dict(unsigned)
    for (public, secret), (more, _) in zip(PAIRS, CHAIN, strict=True):
        options = config(public, more, suite="eddsa-jcs-2022") | {"@context": unsigned["@context"]}
        proof = proven(signed, options, secret_of(secret).sign)
        signed = with_proofs(signed, [*signed.get("proof", []), proof])
        assert holds(signed, proof, raw_of(public))
    third, fourth = signed["proof"][2:]
    without = with_proofs(signed, [*signed["proof"][1:3], fourth])
    assert not holds({**without, "proof": [{**third, "created": "2023"}, fourth]}, fourth, raw_of(PAIRS[3][0]))
    assert not holds(signed, {**third, "previousProof": FIRST}, raw_of(PAIRS[2][0]))


# ---------------------------------------------------------------- proof sets and chains: what is covered


def config(public: str, more: Said, *, suite: str = "eddsa-rdfc-2022") -> Said:
    method = f"did:key:{public}#{public}"
    common = {"type": "DataIntegrityProof", "cryptosuite": suite, "verificationMethod": method}
    return common | {"proofPurpose": "assertionMethod"} | more


def canonical(suite: Path, document: Said) -> bytes:
    """The canonical form of the other suite: RDFC-1.0 by PyLD, with the contexts at hand."""
    held = {
        "https://www.w3.org/ns/credentials/v2": "credentials-v2.jsonld",
        "https://www.w3.org/ns/credentials/examples/v2": "credentials-examples-v2.reconstructed.jsonld",
    }

    def load(url: str, _: object) -> Said:
        context = json.loads((suite / "contexts" / held[url]).read_text())
        return {"contextUrl": None, "documentUrl": url, "document": context, "contentType": "application/ld+json"}

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    written: str = jsonld.normalize(deepcopy(document), options)
    return written.encode()


def test_official_sets_and_chains_sign_what_we_say_that_they_cover(suite: Path, unsigned: Said):
    signed: Said = dict(unsigned)
    for (public, secret), (more, value) in zip(PAIRS, CHAIN, strict=True):
        options = config(public, more)
        proof_hash = sha256(canonical(suite, {**options, "@context": unsigned["@context"]})).digest()
        message = proof_hash + sha256(canonical(suite, covered(signed, options))).digest()
        raw = read_multibase(value, 64)
        assert verified(raw_of(public), message, raw)
        assert multibase(secret_of(secret).sign(message)) == value
        signed = with_proofs(signed, [*signed.get("proof", []), {**options, "proofValue": value}])
    assert unsecured(signed) == unsigned
    assert covered(signed, signed["proof"][2])["proof"] == signed["proof"][:2]
    assert covered(signed, signed["proof"][3])["proof"] == signed["proof"][2:3]
