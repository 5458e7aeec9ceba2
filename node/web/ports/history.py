"""What the web needs of the parts that watch over histories: the witness, the epochs, the statements of origins.

The part of `ports` that belongs to `witness`; protocols for the same reason. Every method blocks, so they are called
beside the event loop.
"""

from collections.abc import Sequence
from typing import Protocol


class Witness(Protocol):
    """Cosigns."""

    def add_checkpoint(self, body: bytes, now_ms: int) -> tuple[int, str, bytes]:
        """Answer a request: status, media type, body."""

    def held(self, origin_hash: str) -> str | None:
        """Give the newest cosigned checkpoint of an origin, by its SHA-256 in hex."""


class Epochs(Protocol):
    """Knows where collections began anew."""

    def published(self, name: str) -> list[str]:
        """Give the signed statements of a collection, oldest first."""


class Origins(Protocol):
    """Keeps what origins said of themselves."""

    def statement_of(self, local: str, now_ms: int) -> str | None:
        """Give the entity statement of a collection's city as it was last verified, or None."""


class Cosigner(Protocol):
    """A city that has seen a checkpoint."""

    @property
    def name(self) -> str:
        """Give the name of its key, as it stands under checkpoints."""

    @property
    def city(self) -> str:
        """Give what it is called."""

    @property
    def size(self) -> int:
        """Count the entries of that checkpoint."""

    @property
    def at_ms(self) -> int:
        """Give when it said so."""


class Cosigners(Protocol):
    """Knows who has seen checkpoints."""

    def of(self, text: str) -> Sequence[Cosigner]:
        """Give the cities whose cosignatures under a note hold by keys that are pinned here."""

    def cosigned(self, collection: str) -> int:
        """Give the size of the newest checkpoint of a collection of ours that somebody cosigned, 0 for none."""


class Watching(Protocol):
    """What this router reads."""

    @property
    def witness(self) -> Witness:
        """Give the witness."""

    @property
    def epochs(self) -> Epochs:
        """Give the epochs."""

    @property
    def cosigners(self) -> Cosigners:
        """Give who knows which cities have seen checkpoints."""

    @property
    def origins(self) -> Origins:
        """Give the statements."""
