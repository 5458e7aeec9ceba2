"""The public side of a key: what it is for, since when and until when it signs, and which key vouches for it.

The same JSON stands in our history file, in the entity statement and on the command line, so it is written and read
here alone. A peer's keys come through here too: whatever does not fit its purpose is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from node.errors import Malformed
from node.keys.jwk import Algorithm, checked_jwk, imported, unb64

Purpose = Literal["entity", "token", "client", "checkpoint", "record", "witness", "message"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
# What we sign with. A peer may use Ed25519 for OAuth too; notes and records are Ed25519 everywhere.
ALGORITHM: dict[Purpose, Algorithm] = {
    "entity": "ES256",
    "token": "ES256",
    "client": "ES256",
    "checkpoint": "Ed25519",
    "record": "Ed25519",
    "witness": "Ed25519",
    "message": "Ed25519",
}
MEANING: dict[Purpose, str] = {
    "entity": "the statement of who this node is; its thumbprint is the city's fingerprint",
    "token": "access tokens that this node issues",
    "client": "what this node says of itself when it asks a peer for a token",
    "checkpoint": "the states of this city's journals",
    "record": "records, agreements and receipts",
    "witness": "cosignatures under other cities' checkpoints",
    "message": "single messages to other cities and answers to them",
}

_MAX_ENDORSEMENT = 4096
_MAX_MS = 253_402_300_799_999
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A published key. `until_ms` None: in use; else it signs no longer after that, and is kept for what it signed."""

    purpose: Purpose
    kid: str
    alg: Algorithm
    jwk: Mapping[str, str]
    since_ms: int
    until_ms: int | None = None
    endorsed_by: str = ""
    endorsement: str = ""

    @property
    def raw(self) -> bytes:
        """Give the 32 bytes of an Ed25519 key; Malformed if it is another."""
        if self.alg != "Ed25519":
            raise Malformed(f"The {self.purpose} key is no Ed25519 key.")
        return unb64(self.jwk["x"])

    def is_in_force(self, at_ms: int) -> bool:
        """Tell whether it signs at that time: in use, or replaced and within the overlap."""
        return self.until_ms is None or at_ms < self.until_ms

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the signature (64 bytes; of ES256 r and s) is this key's over exactly these bytes."""
        return imported(self.jwk).verifies(message, signature)

    def document(self) -> dict[str, object]:
        """Give it as JSON values."""
        return {
            "purpose": self.purpose,
            "kid": self.kid,
            "alg": self.alg,
            "jwk": dict(self.jwk),
            "from": moment(self.since_ms),
            "until": None if self.until_ms is None else moment(self.until_ms),
            "endorsed_by": self.endorsed_by or None,
            "endorsement": self.endorsement or None,
        }

    @classmethod
    def read(cls, document: Mapping[str, object]) -> "PublicKey":
        """Read a key as `document` writes it; Malformed unless its name, algorithm and purpose fit."""
        purpose = next((known for known in PURPOSES if known == document.get("purpose")), None)
        if purpose is None:
            raise Malformed("The key is for no purpose that is known here.")
        jwk = checked_jwk(document.get("jwk"))
        key = imported(jwk)
        if (document.get("kid"), document.get("alg")) != (key.kid, key.alg):
            raise Malformed(f"The {purpose} key's name or algorithm is not that of its numbers.")
        if ALGORITHM[purpose] == "Ed25519" != key.alg:
            raise Malformed(f"A {purpose} key is an Ed25519 key.")
        by, endorsement = (_text(document, name) for name in ("endorsed_by", "endorsement"))
        if bool(by) != bool(endorsement):
            raise Malformed(f"The {purpose} key is endorsed by half.")
        until = document.get("until")
        until_ms = None if until is None else ms_of(until)
        return cls(purpose, key.kid, key.alg, jwk, ms_of(document.get("from")), until_ms, by, endorsement)


def _text(document: Mapping[str, object], name: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ENDORSEMENT or not value.isascii():
        raise Malformed(f"The key's {name} cannot be read.")
    return value


def moment(at_ms: int) -> str:
    """Write a time as RFC 3339, UTC to the millisecond."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03}Z"


def ms_of(text: object) -> int:
    """Read such a time; Malformed if it is none, or before 1970."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        raise Malformed("A time is written as RFC 3339, in UTC.")
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed("A time names a day or an hour that does not exist.") from error
    ms = round(read.timestamp() * 1000)
    if not 0 <= ms <= _MAX_MS:
        raise Malformed("A time lies before 1970.")
    return ms
