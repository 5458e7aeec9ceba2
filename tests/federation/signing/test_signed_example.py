"""The signed example in `agreements/examples/signed`: it is what its keys make, and it holds under them alone.

Its keys are those of nobody: each is made of the SHA-256 of a word, so that whoever builds a signer of their own can
make the same bytes. The agreement is the worked example `restricted-data`. Regenerate with CITYNODE_TEST_WRITE=1, after
the worked examples, and read the difference.
"""

import json
import os
from pathlib import Path

import pytest

from node.errors import BadSignature
from node.federation.agreements.signing import BOTH, Signing, check_proofs
from node.federation.agreements.text import AgreementText, read_text
from node.federation.signing.integrity import jcs, strict_json
from node.keys import DAY_MS, Keyring, PublicKey
from tests.federation.signing_rig import FEDERATION, keyring_of

EXAMPLES = Path(__file__).resolve().parents[3] / "agreements" / "examples"
SIGNED = EXAMPLES / "signed"
NAMES = {"https://helsinki.example": "helsinki", "https://london.example": "london"}


def agreed() -> AgreementText:
    """The worked example as its cities would sign it: written for people there, canonical here."""
    return read_text(jcs(strict_json((EXAMPLES / "restricted-data" / "agreement.json").read_text())))


def rings(folder: Path, since_ms: int) -> dict[str, Keyring]:
    return {url: keyring_of(folder / name, name, since_ms=since_ms) for url, name in NAMES.items()}


def made(folder: Path) -> dict[str, str]:
    """Give every file of the example."""
    text = agreed()
    keyrings = rings(folder, text.issued_ms - DAY_MS)

    def signing(url: str, number: int) -> Signing:
        name = f"00000000-0000-4000-8000-00000000000{number}"
        return Signing(keyrings[url], url=url, federation=FEDERATION, new_id=lambda: name)

    first = signing(text.assigner, 1).sign_as_assigner(text, text.issued_ms)
    signed, _ = signing(text.assignee, 2).countersign(first, text.issued_ms + 60_000)
    keys = {url: [ring.current("record").document()] for url, ring in keyrings.items()}
    return {"agreement.json": signed, "unsigned.json": text.text, "keys.json": json.dumps(keys, indent=2) + "\n"}


def held(name: str) -> str:
    return (SIGNED / name).read_text()


def check(text: AgreementText) -> None:
    keys = {url: [PublicKey.read(each) for each in listed] for url, listed in strict_json(held("keys.json")).items()}
    now_ms = text.issued_ms + DAY_MS
    check_proofs(text, need=BOTH, federation=FEDERATION, keys_of=keys.__getitem__, now_ms=now_ms)


def test_the_example_is_what_its_keys_make(tmp_path: Path):
    for name, content in made(tmp_path).items():
        if os.environ.get("CITYNODE_TEST_WRITE"):
            (SIGNED / name).write_text(content)
        assert held(name) == content, f"{name}: write it anew with CITYNODE_TEST_WRITE=1"


def test_the_example_holds_under_its_published_keys():
    text = read_text(held("agreement.json"))
    assert text.text == held("unsigned.json") == agreed().text
    assert {text.assigner, text.assignee} == NAMES.keys()
    check(text)


def test_another_end_of_the_example_is_found_out():
    longer = held("agreement.json").replace("2029-01-01", "2039-01-01")
    assert longer != held("agreement.json")
    with pytest.raises(BadSignature):
        check(read_text(longer))
