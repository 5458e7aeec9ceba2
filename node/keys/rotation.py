"""How one key hands over to the next: the old one signs a short statement that names the new one.

The statement (compact JWS, type `key-rotation+jwt`) has no expiry, since it has to hold for as long as anybody checks
what the keys signed. Who trusts the old key can trust the new one by it; nobody can be made to by anything else.
"""

from collections.abc import Callable

from node.errors import Malformed
from node.keys.jwt import read_jwt, signed_jwt, thumbprint
from node.keys.public import PublicKey

TYP = "key-rotation+jwt"
_MAX_BYTES = 4096


def endorsement(old: PublicKey, new: PublicKey, sign: Callable[[bytes], bytes], *, issuer: str, now_ms: int) -> str:
    """Write that `old` hands over to `new`, signed by `old`; an empty issuer is left out."""
    claims: dict[str, object] = {"iss": issuer} if issuer else {}
    claims |= {"purpose": new.purpose, "old": old.kid, "new": dict(new.jwk), "iat": now_ms // 1000}
    return signed_jwt(claims, typ=TYP, alg=old.alg, kid=old.kid, sign=sign)


def check_endorsement(old: PublicKey, new: PublicKey, *, issuer: str = "") -> None:
    """Check that `old` handed over to `new`.

    Args:
        old: A key that is trusted.
        new: A key that carries its endorsement.
        issuer: The city that must have said it, where the statement names one.

    Raises:
        Malformed: It carries no such statement, or one that speaks of other keys, another purpose or another city.
        BadSignature: The old key did not sign it.
    """
    _, claims = read_jwt(new.endorsement, [old.jwk], typ=TYP, algs=(old.alg,), max_bytes=_MAX_BYTES)
    said = claims.get("new")
    named = thumbprint(said) if isinstance(said, dict) else ""
    if (claims.get("purpose"), claims.get("old"), named) != (new.purpose, old.kid, new.kid):
        raise Malformed("The endorsement speaks of other keys.")
    if old.purpose != new.purpose or new.endorsed_by != old.kid:
        raise Malformed("The key names another one as the one that endorsed it.")
    if issuer and claims.get("iss", issuer) != issuer:
        raise Malformed("The endorsement is another city's.")
