"""Signed JSON (compact JWS): written with one of our keys, read from strangers with every choice made beforehand.

The reader is told which type, which algorithms and which keys; a token that brings a key of its own (`jwk`, `jku`,
`x5u`, `x5c`) or an extension (`crit`, `b64`) is refused, except that a proof of possession has to bring its key. The
signature is checked by joserfc under that explicit list before any claim is parsed. What the claims mean, and whether
their time has come, is for the caller to say. Writing joins the parts here and signs them as bytes, because a key in
hardware signs bytes and hands out nothing that a library could take.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry

from node.errors import BadSignature, Malformed, TooLarge
from node.keys.jwk import ALGORITHMS, Imported, b64, checked_jwk, imported, thumbprint, unb64

__all__ = ["MAX_TOKEN_BYTES", "checked_jwk", "read_jwt", "read_proof", "signed_jwt", "thumbprint", "unchecked_claims"]

MAX_TOKEN_BYTES = 16 * 1024
MAX_HEADER_BYTES = 4 * 1024
_REFUSED = frozenset({"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64"})
# Unknown members of a header mean nothing to us and to the library: those that could were refused before.
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)

Header = dict[str, Any]
Claims = dict[str, Any]


def signed_jwt(
    claims: Mapping[str, object], *, typ: str, alg: str, kid: str, sign: Callable[[bytes], bytes], **more: object
) -> str:
    """Write claims and sign them; `more` are further members of the header."""
    header = {"alg": alg, "kid": kid, "typ": typ, **more}
    said = f"{b64(orjson.dumps(header))}.{b64(orjson.dumps(claims))}"
    return f"{said}.{b64(sign(said.encode()))}"


def read_jwt(
    token: str,
    keys: Iterable[Mapping[str, Any]],
    *,
    typ: str,
    algs: Collection[str] = ALGORITHMS,
    max_bytes: int = MAX_TOKEN_BYTES,
    before_kid: str = "",
    may_lack_typ: bool = False,
) -> tuple[Header, Claims]:
    """Read a token that one of these public keys signed; give its header and claims.

    Args:
        token: Header, claims and signature, joined by dots.
        keys: JSON Web Keys. If the header names a key (`kid`, the RFC 7638 thumbprint), only that one counts.
        typ: The type the header must name, such as `at+jwt`.
        algs: The algorithms that are taken.
        max_bytes: The longest token that is looked at.
        before_kid: What `kid` has to have before the thumbprint, such as a DID and `#`.
        may_lack_typ: Take a header without any type too; only where its keys sign nothing else that could pass.

    Raises:
        TooLarge: It is longer than `max_bytes`.
        Malformed: It is no such token, of another type or algorithm, or brings what is refused.
        BadSignature: None of the keys signed it.
    """
    parts = _parts(token, max_bytes)
    header = _header(parts[0], typ, algs, may_lack_typ=may_lack_typ)
    if not _REFUSED.isdisjoint(header):
        raise Malformed(f"The token's header may not have {', '.join(sorted(_REFUSED & header.keys()))}.")
    kid = header.get("kid")
    known = (imported(checked_jwk(key)) for key in keys)
    if not any(_holds(parts, header, key) for key in known if kid is None or kid == before_kid + key.kid):
        raise BadSignature("No key that is known here signed this token.")
    return header, _object(unb64(parts[1]))


def read_proof(
    token: str, *, typ: str, algs: Collection[str] = ALGORITHMS, max_bytes: int = MAX_TOKEN_BYTES
) -> tuple[Header, Claims]:
    """Read a token that brings the key it is signed with in `jwk`, such as a DPoP proof (RFC 9449).

    It proves that its sender holds that key and nothing else; `header["jwk"]` has the key's own members alone.

    Raises:
        TooLarge: It is longer than `max_bytes`.
        Malformed: It is no such token, or its key is refused.
        BadSignature: The key it brings did not sign it.
    """
    parts = _parts(token, max_bytes)
    header = _header(parts[0], typ, algs)
    brought = _REFUSED & header.keys()
    if brought != {"jwk"}:
        raise Malformed("The proof's header must have jwk and no other key.")
    header["jwk"] = checked_jwk(header["jwk"])
    if not _holds(parts, header, imported(header["jwk"])):
        raise BadSignature("The key in the proof did not sign it.")
    return header, _object(unb64(parts[1]))


def unchecked_claims(token: str, *, max_bytes: int = MAX_TOKEN_BYTES) -> Claims:
    """Give what a token claims before anything of it was checked: only to learn whose keys to check it with.

    Raises:
        TooLarge: It is longer than `max_bytes`.
        Malformed: It is no token.
    """
    return _object(unb64(_parts(token, max_bytes)[1]))


def _parts(token: str, max_bytes: int) -> list[bytes]:
    if len(token) > max_bytes:
        raise TooLarge(f"The token has {len(token)} characters; at most {max_bytes} are read.")
    parts = token.encode(errors="replace").split(b".")
    if len(parts) != 3 or not all(parts) or len(parts[0]) > MAX_HEADER_BYTES:
        raise Malformed("This is no signed token.")
    return parts


def _header(part: bytes, typ: str, algs: Collection[str], *, may_lack_typ: bool = False) -> Header:
    header = _object(unb64(part))
    if header.get("alg") not in [alg for alg in ALGORITHMS if alg in algs]:
        raise Malformed("The token is signed with an algorithm that is not taken.", fix=f"Use {', '.join(algs)}.")
    named = header.get("typ", typ if may_lack_typ else None)
    # RFC 7515, 4.1.9: a media type, whose letters' case and leading `application/` say nothing.
    if not isinstance(named, str) or named.lower().removeprefix("application/") != typ.lower():
        raise Malformed(f"The token is not of the type {typ}.")
    return header


def _holds(parts: Sequence[bytes], header: Header, key: Imported) -> bool:
    if header["alg"] != key.alg:
        return False
    unb64(parts[2])  # one signature, one spelling
    signed = CompactSignature(header, b"")
    signed.segments.update({"header": parts[0], "payload": parts[1], "signature": parts[2]})
    try:
        return jws.validate_compact(signed, key.key, registry=_REGISTRY)
    except JoseError as error:
        raise Malformed("The token's header cannot be used.") from error


def _object(text: bytes) -> dict[str, Any]:
    """Read a JSON object strictly: no name twice, no NaN, no half characters, no depth that breaks a reader."""
    try:
        value = _STRICT.decode(text.decode())
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Malformed("The token holds no plain JSON.") from error
    if not isinstance(value, dict):
        raise Malformed("A part of the token is no JSON object.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)
