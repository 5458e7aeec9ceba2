"""The cities of an export: what each says of itself, with its keys, and what the file says besides.

A former key counts where its city's own statement names it; that others were its keys is said by the file alone, and
whoever wrote the file could have made them. Whose the statements are, only a fingerprint tells that came another way.
Pure: no clock, no network.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from node.errors import Malformed, Refused, Refuted
from node.federation.identity.identity import Identity
from node.federation.signing.integrity import Json
from node.federation.verifier.keys import read_old_statement
from node.keys import PublicKey

_MAX_KEYS = 256
_UNENDORSED = {"endorsed_by": None, "endorsement": None}
_KEY = frozenset(("purpose", "kid", "alg", "jwk", "from", "until", "endorsed_by", "endorsement"))
_KID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KnownCity:
    """A city, the keys in its statement, and former ones out of the file; `named` are those whom a key there followed.

    What is a former key of a city by the word of the file alone proves nothing, whatever it signed.
    """

    identity: Identity
    keys: tuple[PublicKey, ...]
    former: tuple[PublicKey, ...]
    named: frozenset[str]

    @property
    def checkpoint_keys(self) -> tuple[bytes, ...]:
        """Give the keys that sign its journals."""
        return tuple(key.raw for key in self.keys if key.purpose == "checkpoint")

    def vouches_for(self, kid: str) -> bool:
        """Tell whether its statement names a key: among its keys, or as the one that a key there has followed."""
        return kid in self.named or any(key.kid == kid for key in self.keys)


def known_identity(statement: str, url: str, now_ms: int) -> Identity:
    """Read what a city says of itself in a file, as of its own day. Raises Refuted."""
    if statement != statement.strip():  # what stands behind its signature is nobody's word
        raise Refuted(f"The statement of {url} has blanks around it, which nobody signed.")
    try:
        return read_old_statement(statement, url, now_ms)
    except Refused as error:
        raise Refuted(f"The statement of {url} does not hold: {error.message}", fix=error.fix) from error


def known_city(identity: Identity, listed: object) -> KnownCity:
    """Take the keys of a statement, and apart from them those that stand in the list behind it alone.

    A statement names two dozen keys, so a city that rotates often has earlier ones. It vouches for those of them that
    it says its keys have followed, and for no other: that an older key endorsed a newer one is said by the older one,
    which anybody could have made.

    Raises:
        Malformed: The list is none, or holds a key twice or what is no key.
    """
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS or not all(isinstance(each, dict) for each in listed):
        raise Malformed(f"The history of keys of {identity.url} is no list of at most {_MAX_KEYS}.")
    read = [PublicKey.read({**each, **_UNENDORSED}) for each in listed]
    told = {key.kid: key for key in read}
    odd = any(each.keys() != _KEY or each["endorsement"] is not None or not _is_named(each) for each in listed)
    if odd or any(key.jwk != each["jwk"] for key, each in zip(read, listed, strict=True)):
        raise Malformed(f"A key in the history of {identity.url} has other members than it should.")
    if len(told) < len(listed):
        raise Malformed(f"The history of keys of {identity.url} names a key twice.")
    keys = tuple(_shortened(key, told.pop(key.kid, None)) for key in identity.keys)
    heirs = {(key.endorsed_by, key.purpose): key for key in identity.keys if key.endorsed_by}
    former = tuple(_before(key, heirs.get((key.kid, key.purpose))) for key in told.values())
    return KnownCity(identity, keys, former, frozenset(key.kid for key in former if (key.kid, key.purpose) in heirs))


def _is_named(key: Json) -> bool:
    """Tell whether what endorsed a key is named as keys are: a text of another form would only be read by people."""
    name = key["endorsed_by"]
    return name is None or (isinstance(name, str) and _KID.fullmatch(name) is not None)


def check_apart(cities: Iterable[KnownCity]) -> None:
    """Refuted if a key that the file calls one city's is another's: whoever holds it could sign for both."""
    owners: dict[str, str] = {}
    for city in cities:
        for key in (*city.keys, *city.former):
            owner = owners.setdefault(key.kid, city.identity.url)
            if owner != city.identity.url:
                raise Refuted(f"The key {key.kid} is said to be of {owner} and of {city.identity.url}.")


def unvouched(url: str, kid: str) -> str:
    """Say that a signature is by nobody knows whom."""
    return (
        f"The statement of {url} does not name the key {kid}, by which the signature in its place is: that it was the"
        " city's is said by this file alone, and anybody could have made it. Ask the city for its former keys."
    )


def _before(key: PublicKey, heir: PublicKey | None) -> PublicKey:
    """End a former key where the one that followed it begins: that it signed any longer, only the file says."""
    if heir is None:
        return key
    return replace(key, until_ms=heir.since_ms if key.until_ms is None else min(key.until_ms, heir.since_ms))


def _shortened(key: PublicKey, told: PublicKey | None) -> PublicKey:
    """Give a key with the earlier of two ends: the exporter may have learnt later that it was replaced."""
    ends = [each.until_ms for each in (key, told) if each is not None and each.until_ms is not None]
    return replace(key, until_ms=min(ends)) if ends else key
