"""Public keys as JSON Web Keys: which are taken, what they are called, and the keys made of them.

Two kinds are taken: P-256 (ES256) and Ed25519. A key that brings its private part is refused, so that nobody's secret
is ever stored here; a point that is not on its curve or of small order is refused as well. What was read once is kept,
since making a key out of its numbers costs as much as the check of a signature.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from node.errors import Malformed
from node.keys.ed25519 import checked_public_key

Algorithm = Literal["ES256", "Ed25519"]
ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "Ed25519")

# RFC 7638, 3.2: the members that make a key, by kind. RSA has a name here, and is taken nowhere.
_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
_TAKEN: dict[tuple[object, object], Algorithm] = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "Ed25519"}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_SIZE = 32
# The letters of base64url as those of base64, which themselves become what is neither.
_TO_PLAIN = bytes.maketrans(b"-_+/=", b"+/***")
_PADDING = (b"", b"*", b"==", b"=")


@dataclass(frozen=True, slots=True)
class Imported:
    """A key that was checked: its name, its algorithm, and what verifies with it."""

    kid: str
    alg: Algorithm
    key: ECKey | OKPKey

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the signature (64 bytes; of ES256 r and s) is this key's over exactly these bytes."""
        return JWSRegistry.algorithms[self.alg].verify(message, signature, self.key)


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str | bytes) -> bytes:
    """Read base64url without padding; Malformed unless it is the one spelling of its bytes."""
    given = text.encode(errors="replace") if isinstance(text, str) else text
    plain = given.translate(_TO_PLAIN) + _PADDING[len(given) % 4]
    try:
        raw = binascii.a2b_base64(plain, strict_mode=True)
    except binascii.Error as error:
        raise Malformed("This is no base64url.") from error
    if binascii.b2a_base64(raw, newline=False) != plain:
        raise Malformed("This base64url is not canonical.")
    return raw


def thumbprint(jwk: Mapping[str, object]) -> str:
    """Give the SHA-256 thumbprint of a key (RFC 7638) in base64url, by which we call it.

    Raises:
        Malformed: A member that makes the key is missing.
    """
    members = {name: jwk.get(name) for name in _MEMBERS.get(str(jwk.get("kty")), ("kty",))}
    if len(members) == 1 or not all(isinstance(value, str) for value in members.values()):
        raise Malformed("This is no JSON Web Key of a known kind.")
    try:
        said = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise Malformed("The JSON Web Key is no text.") from error
    return b64(hashlib.sha256(said).digest())


def checked_jwk(jwk: object) -> dict[str, str]:
    """Give the members that make a stranger's key, and nothing else it says of itself.

    Raises:
        Malformed: No P-256 or Ed25519 key for signatures, or one with its private part, or a point that is refused.
    """
    if not isinstance(jwk, Mapping):
        raise Malformed("A JSON Web Key is an object.")
    if not _PRIVATE.isdisjoint(jwk):
        raise Malformed("This JSON Web Key has its private part in it.", fix="Replace the key; it is no secret now.")
    alg = _TAKEN.get((_word(jwk, "kty"), _word(jwk, "crv")))
    if alg is None:
        raise Malformed("This JSON Web Key is of another kind.", fix="Use a P-256 or an Ed25519 key.")
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", alg) != alg:
        raise Malformed("This JSON Web Key is for another use.", fix="Use a key for signatures.")
    members = {name: _word(jwk, name) for name in _MEMBERS[_word(jwk, "kty")]}
    imported(members)
    return members


def _word(jwk: Mapping[object, object], name: str) -> str:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise Malformed(f"The JSON Web Key lacks {name}.")
    return value


def imported(members: Mapping[str, str]) -> Imported:
    """Give the key that these members make, from memory if it was asked for before. Raises Malformed."""
    return _imported(members["kty"], members["x"], members.get("y", ""))


@lru_cache(maxsize=2048)
def _imported(kty: str, x: str, y: str) -> Imported:
    if kty == "OKP":
        return _ed25519(x)
    return _p256(x, y)


def _ed25519(x: str) -> Imported:
    raw = checked_public_key(unb64(x))
    public = Ed25519PublicKey.from_public_bytes(raw)
    return Imported(thumbprint(jwk_of(public)), "Ed25519", OKPKey.import_key(public))


def _p256(x: str, y: str) -> Imported:
    points = [unb64(part) for part in (x, y)]
    if [len(point) for point in points] != [_SIZE, _SIZE]:
        raise Malformed("A coordinate of a P-256 key has 32 bytes.")
    left, up = (int.from_bytes(point, "big") for point in points)
    try:
        public = ec.EllipticCurvePublicNumbers(left, up, ec.SECP256R1()).public_key()
    except ValueError as error:
        raise Malformed("The P-256 key is no point of its curve.") from error
    return Imported(thumbprint(jwk_of(public)), "ES256", ECKey.import_key(public))


def jwk_of(key: Ed25519PublicKey | ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Write a public key as a JSON Web Key."""
    if isinstance(key, Ed25519PublicKey):
        return {"crv": "Ed25519", "kty": "OKP", "x": b64(key.public_bytes_raw())}
    numbers = key.public_numbers()
    x, y = (b64(number.to_bytes(_SIZE, "big")) for number in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}
