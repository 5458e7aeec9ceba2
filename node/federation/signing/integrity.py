"""Data Integrity proofs (`eddsa-jcs-2022`) over JSON, one upon another, and the strict reading that comes before them.

Signed is the exact JSON in its canonical form (RFC 8785), `@context` and all, so nobody can turn its meaning by another
context; a proof that names an earlier one in `previousProof` covers that one too. Whoever reads strangers' JSON reads
it here, once: what two readers could take for two things is refused before a signature is looked at. Pure: keys come
as bytes, signing is handed in. Who has to sign an agreement, in which order and when, is `signing`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NoReturn, cast

import orjson
import rfc8785

from node.errors import Malformed, TooLarge
from node.keys import verified
from node.keys.multibase import multibase, read_multibase

CRYPTOSUITE = "eddsa-jcs-2022"
TYPE = "DataIntegrityProof"
PROOF_PURPOSE = "assertionMethod"
# Of every proof; who signs over another proof, or for a time, adds to them.
MEMBERS = frozenset(
    ("@context", "id", "type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "domain", "proofValue")
)
MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
SIGNATURE_BYTES = 64
_MAX_INTEGER = 2**53  # from here on, a reader that knows doubles only takes two numbers for one
_MAX_DIGITS = 17
_PLAIN = (str, int, bool, type(None))

Json = dict[str, Any]

# ---------------------------------------------------------------- reading and writing


def strict_json(text: str | bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Json:
    """Read one JSON object that every reader takes for the same thing.

    Raises:
        TooLarge: It has more bytes, or is nested deeper, than is read.
        Malformed: It is no JSON object; a name stands twice; or a number or a character has no place in I-JSON.
    """
    raw = _bytes(text)
    if len(raw) > max_bytes:
        raise TooLarge(f"The JSON has {len(raw)} bytes; at most {max_bytes} are read.")
    try:
        value = _STRICT.decode(raw.decode())
    except RecursionError as error:
        raise TooLarge(f"The JSON is nested deeper than {max_depth} levels.") from error
    except UnicodeDecodeError as error:
        raise Malformed("The JSON is not written in UTF-8.") from error
    except json.JSONDecodeError as error:
        raise Malformed(f"This is no JSON: {error.msg} at character {error.pos}.") from error
    if not isinstance(value, dict):
        raise Malformed("This is no JSON object.")
    _check_depth(value, max_depth)
    if b"\\u" in raw:
        _check_characters(value)
    return value


def _bytes(text: str | bytes) -> bytes:
    try:
        return text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise Malformed("The JSON holds half a character.") from error


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"The name {ascii(twice)[:80]} stands twice in one object of the JSON.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no number of JSON.")


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) <= _MAX_DIGITS else _MAX_INTEGER
    if abs(value) >= _MAX_INTEGER:
        raise Malformed("A whole number of the JSON is 2^53 or larger.", fix="Write it as a text.")
    return value


def _fraction(digits: str) -> float:
    value = float(digits)
    if abs(value) >= _MAX_INTEGER:
        raise Malformed("A number of the JSON is 2^53 or larger.", fix="Write it as a text.")
    return value


_STRICT = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer, parse_float=_fraction
)


def _check_depth(value: Json, most: int) -> None:
    """TooLarge unless objects and lists stand at most so deep in one another."""
    level: list[object] = [value]
    for _ in range(most):
        level = [each for holder in level for each in _members(holder) if isinstance(each, dict | list)]
        if not level:
            return
    raise TooLarge(f"The JSON is nested deeper than {most} levels.")


def _members(holder: object) -> Iterator[object]:
    if isinstance(holder, dict):
        yield from holder.values()
    elif isinstance(holder, list):
        yield from holder


def _check_characters(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Malformed("The JSON holds half a character.") from error


def jcs(value: object) -> bytes:
    """Give the canonical bytes of a JSON value (RFC 8785); Malformed if it has none."""
    try:
        # Sorted orjson is JCS where names are ASCII and numbers whole, twenty times as fast.
        return (
            orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if _is_plain(value) else rfc8785.dumps(cast("Any", value))
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed("This value has no canonical JSON.") from error


def _is_plain(value: object) -> bool:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if not "".join(one).isascii():
                return False
            waiting += [each for each in one.values() if type(each) is not str]
        elif isinstance(one, list):
            waiting += [each for each in one if type(each) is not str]
        elif not isinstance(one, _PLAIN) or (isinstance(one, int) and abs(one) >= _MAX_INTEGER):
            return False
    return True


# ---------------------------------------------------------------- proofs


def covered(document: Mapping[str, Any], proof: Mapping[str, Any]) -> Json:
    """Give what a proof of a document covers: the document with the earlier proofs that this one names, and no other.

    Raises:
        Malformed: It names a proof that is not there, or one that two bear the name of.
    """
    bare = unsecured(document)
    if "previousProof" not in proof:
        return bare
    named, there = proof["previousProof"], document.get("proof", [])
    wanted = [named] if isinstance(named, str) else named
    found = [each for each in (there if isinstance(there, list) else [there]) if _id(each) in _texts(wanted)]
    if not found or sorted(map(_id, found)) != sorted(_texts(wanted)):
        raise Malformed("A proof names an earlier one that is not there.")
    return {**bare, "proof": found}


def _id(proof: object) -> str:
    name = proof.get("id") if isinstance(proof, dict) else None
    return name if isinstance(name, str) else ""


def _texts(names: object) -> list[str]:
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def unsecured(document: Mapping[str, Any]) -> Json:
    """Give a document without its proofs."""
    return {name: value for name, value in document.items() if name != "proof"}


def message_of(document: Mapping[str, Any], proof: Mapping[str, Any]) -> bytes:
    """Give the 64 bytes that a proof signs: the hash of its own members, and the hash of what it covers."""
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    return sha256(jcs(options)).digest() + sha256(jcs(covered(document, proof))).digest()


def options_of(context: Sequence[object], uuid: str, created: str, method: str, domain: str) -> Json:
    """Give the members that every proof of ours has before it is made; `method` names the key."""
    return {
        "@context": list(context),
        "id": f"urn:uuid:{uuid}",
        "type": TYPE,
        "cryptosuite": CRYPTOSUITE,
        "created": created,
        "verificationMethod": method,
        "proofPurpose": PROOF_PURPOSE,
        "domain": domain,
    }


def proven(document: Mapping[str, Any], options: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> Json:
    """Make the proof with these members over a document, and over those of its proofs that `previousProof` names."""
    return {**options, "proofValue": multibase(sign(message_of(document, options)))}


def with_proofs(document: Mapping[str, Any], proofs: Sequence[Mapping[str, Any]]) -> Json:
    """Put proofs under a document, in this order and in place of any others."""
    bare = unsecured(document)
    return {**bare, "proof": [dict(proof) for proof in proofs]} if proofs else bare


def holds(document: Mapping[str, Any], proof: Mapping[str, Any], public_key: bytes) -> bool:
    """Tell whether this key made the proof over exactly this document; a small key or a broken text is Malformed."""
    signature = read_multibase(proof.get("proofValue"), SIGNATURE_BYTES)
    return verified(public_key, message_of(document, proof), signature)
