"""Strict JSON and Data Integrity proofs by themselves; official vectors stand in `tests/conformance`."""

import json
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from node.errors import Malformed, NodeError, TooLarge
from node.federation.signing.integrity import (
    MAX_BYTES,
    MAX_DEPTH,
    covered,
    holds,
    jcs,
    proven,
    strict_json,
    with_proofs,
)
from node.keys import FileSigner

SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
RAW = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
_SCALARS = st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text(max_size=8)
_OBJECTS = st.dictionaries(st.text(max_size=8), _SCALARS | st.lists(_SCALARS, max_size=3), max_size=5)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


REFUSED: dict[str, tuple[str | bytes, type[NodeError], str]] = {
    "a name twice": ('{"a":1,"b":{"c":1,"c":2}}', Malformed, "stands twice"),
    "a name twice, once escaped": ('{"a":1,"\\u0061":2}', Malformed, "stands twice"),
    "NaN": ('{"a":NaN}', Malformed, "NaN is no number"),
    "Infinity": ('{"a":-Infinity}', Malformed, "Infinity is no number"),
    "a fraction beyond doubles": ('{"a":1e400}', Malformed, "2^53"),
    "half a character": ('{"a":"\\ud800"}', Malformed, "half a character"),
    "half a character in a name": ('{"\\udc00":1}', Malformed, "half a character"),
    "half a character unescaped": ('{"a":"\ud800"}', Malformed, "half a character"),
    "2^53": ('{"a":9007199254740992}', Malformed, "2^53"),
    "-2^53": ('{"a":-9007199254740992}', Malformed, "2^53"),
    "a number of many digits": ('{"a":' + "9" * 100_000 + "}", Malformed, "2^53"),
    "one level too many": (nested(MAX_DEPTH + 1), TooLarge, "20 levels"),
    "lists one level too many": ('{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", TooLarge, "20 levels"),
    "a depth bomb": ("[" * 200_000, TooLarge, "20 levels"),
    "a depth bomb in an object": (nested(20_000), TooLarge, "20 levels"),
    "too many bytes": ('{"a":"' + "x" * MAX_BYTES + '"}', TooLarge, "bytes"),
    "ten megabytes": (b"\x00" * 10_000_000, TooLarge, "bytes"),
    "bytes that are no text": (b'{"a":"\xff"}', Malformed, "UTF-8"),
    "a mark of byte order": ("\ufeff{}", Malformed, "no JSON"),
    "a control character": ('{"a":"\n"}', Malformed, "no JSON"),
    "two objects": ("{}{}", Malformed, "no JSON"),
    "a comma too many": ('{"a":1,}', Malformed, "no JSON"),
    "a list": ("[]", Malformed, "no JSON object"),
    "nothing": ("", Malformed, "no JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_two_readers_could_take_for_two_things_is_refused(case: str):
    text, error, words = REFUSED[case]
    with pytest.raises(error, match=words.replace("^", r"\^")):
        strict_json(text)


def test_what_lies_just_within_the_bounds_is_read():
    assert strict_json(nested(MAX_DEPTH))
    assert strict_json('{"a":9007199254740991,"b":-9007199254740991,"c":1.5}')["a"] == 2**53 - 1
    assert strict_json('{"a":"\\ud83d\\ude00 \\u0000"}') == {"a": "😀 \0"}
    assert strict_json('{"a":"' + "x" * (MAX_BYTES - 8) + '"}')


@given(_OBJECTS)
def test_canonical_bytes_are_those_of_rfc_8785_and_are_read_back(value: dict[str, Any]):
    assert jcs(value) == rfc8785.dumps(value)
    assert strict_json(jcs(value)) == value


@pytest.mark.parametrize("value", [2**53, {"a": 2**60}, float("nan"), {1: 2}, {"a": "\ud800"}, {"a": object()}, {1, 2}])
def test_what_has_no_canonical_form_is_refused(value: object):
    with pytest.raises(Malformed):
        jcs(value)


def test_fractions_and_foreign_names_are_written_as_rfc_8785_says():
    assert jcs({"\U0001f600": 1, "\ufb33": 1e21, "a": 0.10}) == '{"a":0.1,"😀":1,"\ufb33":1e+21}'.encode()


def test_a_proof_holds_over_its_document_and_over_no_other():
    document = {"@context": ["x"], "a": "1"}
    proof = proven(document, {"id": "urn:1", "@context": ["x"]}, SIGNER.sign)
    assert holds(document, proof, RAW)
    assert holds({**document, "proof": [proof]}, proof, RAW)
    for other in ({**document, "a": "2"}, {**document, "b": "1"}, {"a": "1"}, {**document, "@context": ["y"]}):
        assert not holds(other, proof, RAW)
    for changed in ({**proof, "id": "urn:2"}, {**proof, "more": "1"}, {k: v for k, v in proof.items() if k != "id"}):
        assert not holds(document, changed, RAW)


def test_a_chained_proof_covers_those_it_names_and_no_others():
    document = {"a": "1"}
    first = proven(document, {"id": "urn:1"}, SIGNER.sign)
    second = proven(with_proofs(document, [first]), {"id": "urn:2", "previousProof": "urn:1"}, SIGNER.sign)
    signed = with_proofs(document, [first, second])
    assert covered(signed, second) == with_proofs(document, [first])
    assert covered(signed, first) == document
    assert holds(signed, second, RAW)
    other = proven(document, {"id": "urn:1", "created": "later"}, SIGNER.sign)
    assert not holds(with_proofs(document, [other, second]), second, RAW)
    assert json.loads(jcs(signed))["proof"][0] == first


@pytest.mark.parametrize("named", ["urn:9", ["urn:1", "urn:9"], ["urn:1", "urn:1"], {"id": "urn:1"}, 7])
def test_a_proof_over_one_that_is_not_there_is_refused(named: object):
    document = with_proofs({"a": "1"}, [{"id": "urn:1"}])
    with pytest.raises(Malformed):
        covered(document, {"previousProof": named})


def test_two_proofs_of_one_name_cannot_be_named():
    document = with_proofs({"a": "1"}, [{"id": "urn:1", "x": "1"}, {"id": "urn:1", "x": "2"}])
    with pytest.raises(Malformed):
        covered(document, {"previousProof": "urn:1"})


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), bytes.fromhex("ec" + "ff" * 30 + "7f")])
def test_keys_of_small_order_check_nothing(key: bytes):
    proof = proven({"a": "1"}, {"id": "urn:1"}, SIGNER.sign)
    with pytest.raises(Malformed, match="small order"):
        holds({"a": "1"}, proof, key)
