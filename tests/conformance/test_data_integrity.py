"""The official Data Integrity vectors (vc-di-eddsa), as far as our parts do that work: keys, bytes, hashes, signatures.

Canonical JSON, canonical N-Quads, SHA-256 and Ed25519 are ours; how a proof is put together (3 of 7) is spelt out here.
"""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.journal.entry import jcs
from node.keys import FileSigner, verified
from node.keys.multikey import multikey
from node.vocab.parse import Parser
from tests.keys.multikeys import raw_of

LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SUITES = {"eddsa-jcs-2022": "JCS", "eddsa-rdfc-2022": "DataInt"}


@pytest.fixture(scope="module")
def vectors(sample_data: Path) -> Path:
    folder = sample_data / "standards" / "vc-di-eddsa" / "TestVectors"
    if not folder.is_dir():
        pytest.skip(f"the Data Integrity vectors are absent: {folder} is no folder")
    return folder


def base58(text: str) -> bytes:
    number = 0
    for letter in text.removeprefix("z"):
        number = number * 58 + LETTERS.index(letter)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def text_of(path: Path) -> str:
    return path.read_text().strip()


@pytest.fixture(scope="module")
def pair(vectors: Path) -> tuple[bytes, FileSigner]:
    said = json.loads((vectors / "keyPair.json").read_text())
    secret = base58(said["privateKeyMultibase"])
    assert secret[:2] == b"\x80\x26"
    return raw_of(said["publicKeyMultibase"]), FileSigner(Ed25519PrivateKey.from_private_bytes(secret[2:]))


def test_the_official_key_pair_is_spelt_as_we_spell_it(vectors: Path, pair: tuple[bytes, FileSigner]):
    public, signer = pair
    assert multikey(public) == json.loads((vectors / "keyPair.json").read_text())["publicKeyMultibase"]
    assert verified(public, b"x", signer.sign(b"x"))


@pytest.mark.parametrize("suite", SUITES)
def test_the_official_signature_is_the_one_we_make_and_holds(vectors: Path, pair: tuple[bytes, FileSigner], suite: str):
    folder, end = vectors / suite, SUITES[suite]
    combined = bytes.fromhex(text_of(folder / f"combinedHash{end}.txt"))
    signature = bytes.fromhex(text_of(folder / f"sigHex{end}.txt"))
    assert pair[1].sign(combined) == signature
    assert verified(pair[0], combined, signature)
    assert base58(text_of(folder / f"sigBTC58{end}.txt")) == signature
    assert combined.hex() == text_of(folder / f"proofHash{end}.txt") + text_of(folder / f"docHash{end}.txt")


def test_our_canonical_json_gives_the_official_bytes_and_hashes(vectors: Path, pair: tuple[bytes, FileSigner]):
    folder = vectors / "eddsa-jcs-2022"
    document: dict[str, Any] = json.loads((vectors / "unsigned.json").read_text())
    options: dict[str, Any] = json.loads((folder / "proofConfigJCS.json").read_text())
    for value, canon, hashed in ((document, "canonDoc", "docHash"), (options, "proofCanon", "proofHash")):
        assert jcs(value).decode() == text_of(folder / f"{canon}JCS.txt")
        assert hashlib.sha256(jcs(value)).hexdigest() == text_of(folder / f"{hashed}JCS.txt")
    signed: dict[str, Any] = json.loads((folder / "signedJCS.json").read_text())
    proof = signed.pop("proof")
    signature = base58(proof.pop("proofValue"))
    message = hashlib.sha256(jcs(proof)).digest() + hashlib.sha256(jcs(signed)).digest()
    assert verified(pair[0], message, signature)
    signed["issuer"] += "x"
    assert not verified(pair[0], message[:32] + hashlib.sha256(jcs(signed)).digest(), signature)


def test_our_canonical_triples_give_the_official_bytes_and_hashes(vectors: Path):
    folder, rng = vectors / "eddsa-rdfc-2022", random.Random(1)
    with Parser() as parser:
        for canon, hashed in (("canonDoc", "docHash"), ("proofCanon", "proofHash")):
            wanted = (folder / f"{canon}DataInt.txt").read_bytes()
            lines = wanted.decode().splitlines(keepends=True)
            rng.shuffle(lines)
            given = "".join(lines).replace("_:c14n", "_:other").encode()
            assert parser.canonicalize(given, 10.0) == wanted
            assert hashlib.sha256(wanted).hexdigest() == text_of(folder / f"{hashed}DataInt.txt")
