"""Who a city is: the statement that another node signs about itself, read with every bound before it is believed.

A statement (OpenID Federation's entity configuration, as `citynode` extends it) proves only that its writer holds the
key it names; whether that is the city one means is said by the fingerprint that came by a trusted way, and afterwards
by the pinned keys: `chain_holds` is the one rule for new keys. Pure: no network, no database, no clock. What we say of
ourselves is made in `own`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from node.errors import Malformed, NodeError
from node.keys import PublicKey, Purpose, check_endorsement, thumbprint
from node.keys.jwt import read_jwt, unchecked_claims
from node.keys.public import PURPOSES
from node.records import is_collection_name

TYP = "entity-statement+jwt"
MEDIA_TYPE = f"application/{TYP}"
PATH = "/.well-known/openid-federation"
VERSION = 1
MAX_BYTES = 64 * 1024
MAX_KEYS = 64
MAX_NAMESPACES = 32
MAX_COLLECTIONS = 200
MAX_NAMED = 32  # endpoints, protocols and versions of one
MAX_WORD = 512
MAX_AHEAD_S = 7 * 24 * 3600
SKEW_S = 60
_DEGREES = (90, 180)
_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
# What an IRI has no place for (RFC 3987), in a namespace or an address.
_ODD = re.compile(r"[\x00-\x20<>\"{}|\\^`\x7f-\xa0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Identity:
    """A city as its statement shows it. `fingerprint` is the thumbprint of the key that signed it."""

    url: str
    name: str
    fingerprint: str
    federation: str
    software: str
    namespaces: tuple[str, ...]
    endpoints: Mapping[str, str]
    protocols: Mapping[str, tuple[str, ...]]
    collections: tuple[tuple[str, str, str], ...]
    keys: tuple[PublicKey, ...]
    issued_ms: int
    expires_ms: int
    statement: str = field(repr=False)
    place: tuple[float, float] | None = None  # latitude and longitude, where the city says them
    accent: str = ""  # its colour, `#rrggbb`, where it says one

    def keys_of(self, purpose: Purpose) -> list[PublicKey]:
        """List its keys for a purpose, in the order it names them: the one in use first, where it is one of ours."""
        return [key for key in self.keys if key.purpose == purpose]


def read_statement(statement: str, *, url: str, now_ms: int) -> Identity:
    """Read what the node at `url` says of itself, signed by the entity key that it names itself.

    Args:
        statement: Compact JWS of at most 64 KiB.
        url: The base URL that was asked; the statement must be about exactly that.
        now_ms: Milliseconds since the epoch; a minute of difference between clocks is granted.

    Raises:
        TooLarge: Longer, or more of something, than is read.
        Malformed: No statement of a city node, about another address, or not of this time.
        BadSignature: Not signed by the key that it names.
    """
    claimed = unchecked_claims(statement, max_bytes=MAX_BYTES)
    signer = _in_use(_keys(_city(claimed)), "entity")
    _, claims = read_jwt(statement, [signer.jwk], typ=TYP, max_bytes=MAX_BYTES)
    issued_s, expires_s = _times(claims, now_ms)
    if (claims.get("iss"), claims.get("sub")) != (url, url):
        raise Malformed(f"This is the statement of {_shown(claims.get('iss'))}, not of {url}.")
    if signer.kid not in _kids(claims.get("jwks")):
        raise Malformed("The statement does not publish the key that signed it.")
    city = _city(claims)
    return Identity(
        url=url,
        name=_word(city, "name", most=200),
        fingerprint=signer.kid,
        federation=_word(city, "federation"),
        software=_word(city, "software"),
        namespaces=_namespaces(city.get("namespaces")),
        endpoints=_endpoints(city.get("endpoints"), url),
        protocols=_protocols(city.get("protocols")),
        collections=_collections(city.get("collections")),
        keys=_keys(city),
        issued_ms=issued_s * 1000,
        expires_ms=expires_s * 1000,
        statement=statement,
        place=_place(city.get("place")),
        accent=_accent(city.get("accent")),
    )


# ---------------------------------------------------------------- the rule for new keys


def chain_holds(
    vouching: Sequence[PublicKey],
    offered: Sequence[PublicKey],
    known: Sequence[PublicKey] | None = None,
    *,
    url: str = "",
) -> bool:
    """Tell whether keys that a city shows follow from keys of it that are trusted.

    A key follows if an earlier one of its purpose that follows has signed it, and no second one beside it: a key that
    has handed over once is spent, so a copy of it that is found later makes nobody a city. Keys of purposes that were
    never trusted are vouched for by the statement they stand in.

    Args:
        vouching: Trusted keys that may vouch and be used now.
        offered: All keys of the statement.
        known: All keys that were ever trusted. Given, every offered key must be one of them or follow; else only the
            keys in use must.
        url: The city, to compare with what endorsements say; empty leaves that out.
    """
    trusted = {key.kid: key for key in vouching}
    held = {key.kid for key in known or ()} | trusted.keys()
    spent = {key.endorsed_by for key in (*vouching, *(known or ())) if key.endorsed_by}
    _follow(trusted, spent, [key for key in offered if key.kid not in held], url)
    judged = {key.purpose for key in (*vouching, *(known or ()))}
    for key in offered:
        in_use = key.until_ms is None
        if key.purpose in judged and key.kid not in trusted and (in_use or (known is not None and key.kid not in held)):
            return False
    return True


def _follow(trusted: dict[str, PublicKey], spent: set[str], waiting: Sequence[PublicKey], url: str) -> None:
    """Add to the trusted keys those that they vouch for, link by link."""
    found = True
    while found:
        found = False
        for key in waiting:
            by = trusted.get(key.endorsed_by)
            if by is None or by.kid in spent or key.kid in trusted or not _endorses(by, key, url):
                continue
            trusted[key.kid] = key
            spent.add(by.kid)
            found = True


def _endorses(old: PublicKey, new: PublicKey, url: str) -> bool:
    try:
        check_endorsement(old, new, issuer=url)
    except NodeError:
        return False
    return True


# ---------------------------------------------------------------- reading


def _city(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = claims.get("metadata")
    city = metadata.get("citynode") if isinstance(metadata, dict) else None
    if not isinstance(city, dict):
        raise Malformed("This is the statement of no city node.")
    if city.get("v") != VERSION:
        raise Malformed(f"The statement is of version {_shown(city.get('v'))}, and this program knows {VERSION}.")
    return city


def _keys(city: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    listed = _objects(city, "keys", MAX_KEYS)
    # A purpose that a later program has is none of our business.
    keys = tuple(PublicKey.read(each) for each in listed if each.get("purpose") in PURPOSES)
    in_use = [key.purpose for key in keys if key.until_ms is None]
    if len({key.kid for key in keys}) < len(keys) or len(set(in_use)) < len(in_use):
        raise Malformed("The statement names a key twice, or two keys in use for one purpose.")
    return keys


def _in_use(keys: Sequence[PublicKey], purpose: Purpose) -> PublicKey:
    found = next((key for key in keys if key.purpose == purpose and key.until_ms is None), None)
    if found is None:
        raise Malformed(f"The statement names no {purpose} key in use.")
    return found


def _kids(jwks: object) -> set[str]:
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Malformed("The statement has no list of keys.")
    return {thumbprint(key) for key in keys if isinstance(key, dict)}


def _times(claims: Mapping[str, Any], now_ms: int) -> tuple[int, int]:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not _is_time(issued) or not _is_time(expires):
        raise Malformed("The statement does not say from when and until when it holds.")
    now_s = now_ms // 1000
    if expires + SKEW_S < now_s or issued - SKEW_S > now_s:
        raise Malformed("The statement is not of this time.", fix="Compare the clocks of both machines.")
    if expires <= issued or expires - now_s > MAX_AHEAD_S + SKEW_S:
        raise Malformed("The statement holds for more than seven days, or for none.")
    return issued, expires


def _is_time(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value < 1 << 40


def _word(holder: Mapping[str, Any], name: str, *, most: int = MAX_WORD) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > most or not value.isprintable():
        raise Malformed(f"The statement's {name} is missing, too long or no text.")
    return value


def _objects(holder: Mapping[str, Any], name: str, most: int) -> list[Mapping[str, Any]]:
    values = holder.get(name)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise Malformed(f"The statement's {name} are no list of objects.")
    if len(values) > most:
        raise Malformed(f"The statement has {len(values)} {name}; at most {most} are read.")
    return values


def _namespaces(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) > MAX_NAMESPACES:
        raise Malformed(f"The statement's namespaces are no list of at most {MAX_NAMESPACES}.")
    for value in values:
        if not _is_address(value) or value[-1] not in "/#":
            raise Malformed(f"{_shown(value)} is no namespace: an http(s) prefix on a host that ends in / or #.")
    return tuple(dict.fromkeys(values))


def _is_address(value: object) -> TypeGuard[str]:
    if not isinstance(value, str) or len(value) > MAX_WORD or _ODD.search(value):
        return False
    try:
        parts = urlsplit(value)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    # A query would make `http://a/?x=/` a prefix of anything, and a name before @ is read as the host by people.
    return parts.scheme in ("http", "https") and named and not parts.query and "@" not in parts.netloc


def _endpoints(values: object, url: str) -> dict[str, str]:
    if not isinstance(values, dict) or len(values) > MAX_NAMED:
        raise Malformed("The statement's endpoints cannot be read.")
    for value in values.values():
        # Nobody can send us elsewhere by naming an endpoint.
        if not _is_address(value) or not value.startswith(f"{url}/"):
            raise Malformed(f"The endpoint {_shown(value)} is not under {url}.")
    return values


def _protocols(values: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(values, dict) or len(values) > MAX_NAMED:
        raise Malformed("The statement's protocols cannot be read.")
    for versions in values.values():
        if not isinstance(versions, list) or len(versions) > MAX_NAMED or not all(map(_is_version, versions)):
            raise Malformed("The statement's protocols cannot be read.")
    return {name: tuple(versions) for name, versions in values.items()}


def _is_version(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAMED


def _collections(values: object) -> tuple[tuple[str, str, str], ...]:
    found = []
    for each in _objects({"collections": values}, "collections", MAX_COLLECTIONS):
        name, iri, title = (_word(each, part) for part in ("name", "iri", "title"))
        if not is_collection_name(name) or not _is_address(iri):
            raise Malformed(f"{_shown(name)} is no collection.")
        found.append((name, iri, title))
    if len({name for name, _, _ in found}) < len(found):
        raise Malformed("The statement names a collection twice.")
    return tuple(found)


def _place(value: object) -> tuple[float, float] | None:
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != len(_DEGREES)
        or any(type(each) not in (int, float) for each in value)
    ):
        raise Malformed("The statement's place is no latitude and longitude.")
    # Not a number is within no bounds either.
    if not all(-most <= each <= most for each, most in zip(value, _DEGREES, strict=True)):
        raise Malformed("The statement's place is nowhere on Earth.")
    return float(value[0]), float(value[1])


def _accent(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not _COLOUR.match(value):
        raise Malformed("The statement's accent is no colour, which is # and six hexadecimal digits.")
    return value


def _shown(value: object) -> str:
    """Quote a stranger's value in a sentence, briefly and without control characters."""
    return ascii(value)[:80]
