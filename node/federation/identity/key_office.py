"""What the city's staff does with the node's own keys, in JSON values: the one desk behind commands, API and pages.

Rotation needs no restart and no peer's help: the old key signs the new one. Ending an overlap early is for a key that
somebody else may have. Private halves are never in an answer. Who may do this has been settled by whoever calls.
"""

from collections.abc import Callable
from typing import Protocol

from node.errors import Malformed, NotFound
from node.keys import DAY_MS, MEANING, PURPOSES, PublicKey, Purpose

Json = dict[str, object]
OVERLAP_DAYS = 7
_OLD_DAYS = 365


class Ring(Protocol):
    """The keys of the node."""

    @property
    def fingerprint(self) -> str:
        """Give the thumbprint of the key that signs the statement."""

    def published(self) -> list[PublicKey]:
        """List every key there ever was."""

    def rotate(self, purpose: Purpose, *, now_ms: int, overlap_ms: int, issuer: str) -> PublicKey:
        """Put a new key into use."""

    def end(self, kid: str, *, now_ms: int) -> PublicKey:
        """End the overlap of a key that was replaced."""


class KeyOffice:
    """The desk. Safe to share by threads."""

    def __init__(
        self, ring: Ring, *, issuer: str, sign_again: Callable[[int], None], clock_ms: Callable[[], int]
    ) -> None:
        """Work with these keys.

        Args:
            ring: The keys.
            issuer: Our base URL, which endorsements name.
            sign_again: Lets a new checkpoint key sign what stands, so that nobody waits for the next change.
            clock_ms: The time.
        """
        self._ring = ring
        self._issuer = issuer
        self._sign_again = sign_again
        self._clock_ms = clock_ms

    def list(self) -> Json:
        """Give every key there ever was by purpose, the one in use first, and the fingerprint they stand under."""
        now_ms, keys = self._clock_ms(), self._ring.published()
        purposes = [
            {
                "purpose": purpose,
                "meaning": MEANING[purpose],
                "keys": [_key(key, now_ms) for key in keys if key.purpose == purpose],
            }
            for purpose in PURPOSES
        ]
        return {"fingerprint": self._ring.fingerprint, "purposes": purposes}

    def rotate(self, purpose: str, *, overlap_days: int = OVERLAP_DAYS) -> Json:
        """Replace a key; the old one signs beside it for the days of the overlap. Raises Malformed, AlreadyRunning."""
        wanted, now_ms = purpose_of(purpose), self._clock_ms()
        new = self._ring.rotate(wanted, now_ms=now_ms, overlap_ms=overlap_days * DAY_MS, issuer=self._issuer)
        if wanted == "checkpoint":
            self._sign_again(now_ms)
        return _key(new, now_ms) | {"fingerprint": self._ring.fingerprint}

    def named(self, beginning: str) -> Json:
        """Give the key whose thumbprint begins so. Raises NotFound, Malformed if several do."""
        found = [key for key in self._ring.published() if beginning and key.kid.startswith(beginning)]
        if not found:
            raise NotFound(f"There is no key {beginning[:80]!r}.", fix="List them: citynode keys list")
        if len(found) > 1:
            raise Malformed(f"Several keys begin with {beginning!r}.", fix="Give more of the thumbprint.")
        return _key(found[0], self._clock_ms())

    def retire(self, kid: str) -> Json:
        """End the overlap of a key that was replaced now: its private half is destroyed.

        Raises:
            NotFound: There is no such key.
            Conflict: It is in use, or over already.
        """
        now_ms = self._clock_ms()
        return _key(self._ring.end(kid, now_ms=now_ms), now_ms)


def purpose_of(word: str) -> Purpose:
    """Read a purpose. Raises Malformed."""
    found = next((purpose for purpose in PURPOSES if purpose == word), None)
    if found is None:
        raise Malformed(
            f"There is no key for {word[:40]!r}.",
            fix=f"Keys are for {', '.join(PURPOSES)}.",
        ).on_page("no.key")
    return found


def _key(key: PublicKey, now_ms: int) -> Json:
    return key.document() | {"state": state_of(key, now_ms), "old": _is_old(key, now_ms)}


def state_of(key: PublicKey, now_ms: int) -> str:
    """Say how a key stands: in use, overlapping, retired."""
    if key.until_ms is None:
        return "in use"
    return "overlapping" if key.is_in_force(now_ms) else "retired"


def _is_old(key: PublicKey, now_ms: int) -> bool:
    """Tell whether a key in use is older than a year, after which it is replaced (docs/keys.md)."""
    return key.until_ms is None and now_ms - key.since_ms > _OLD_DAYS * DAY_MS
