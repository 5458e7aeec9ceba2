"""How the word that files are deleted reaches the other city: a statement as it was signed for evidence, word for word.

It waits in the outbox, goes out signed as every message between peers that sign, and is tried for a week; what was not
taken by then is told again by `deletions`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from node.db import Tx
from node.errors import Malformed, NodeError
from node.federation.dialogues.outgoing import Outbox, Outgoing
from node.federation.evidence.statements import TYPES, written
from node.federation.policy.values import is_iri
from node.federation.signing.integrity import Json, strict_json

_logger = logging.getLogger("citynode.deletions")
KIND = "deletion"
PATH = "/federation/deletions"
MAX_BODY_BYTES = 64 * 1024
_MAX_IRI = 2_000


class Teller(Protocol):
    """What is asked of the client."""

    def tell_deletion(self, url: str, said: dict[str, Any]) -> None:
        """Tell a peer that what it gave us under an agreement is deleted."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a city says: which agreement it is about, and the statement that it signed."""

    agreement: str
    text: str
    document: Json


class Post:
    """Puts words into the outbox and sends them. Safe to share by threads and processes."""

    def __init__(self, outbox: Outbox, client: Teller) -> None:
        """Send through this client."""
        self.outbox = outbox
        self._client = client

    def tell(self, tx: Tx, peer: str, agreement: str, text: str, at_ms: int) -> None:
        """Let a signed statement wait for a peer."""
        self.outbox.put(
            tx, kind=KIND, subject=agreement, peer=peer, step="deleted", url=peer + PATH, body=text, at_ms=at_ms
        )

    def deliver(self, now_ms: int, taken: Callable[[Tx, str, int], None]) -> int:
        """Send what is due, and say of each agreement when it was taken; give how many were."""
        return self.outbox.deliver(KIND, now_ms, lambda one: self._sent(one, now_ms, taken))

    def _sent(self, one: Outgoing, now_ms: int, taken: Callable[[Tx, str, int], None]) -> bool:
        error_said = ""
        try:
            self._client.tell_deletion(one.peer, orjson.loads(one.body))
        except NodeError as error:
            if one.is_tried_again(error, now_ms):
                raise
            error_said = str(error)
            _logger.warning("%s does not take our word on %s: %s", one.peer, one.subject, error)
        with self.outbox.db.write() as tx:
            if not error_said:
                taken(tx, one.subject, now_ms)
            self.outbox.close(tx, one.id, at_ms=now_ms, error=error_said)
        return not error_said


def read_word(body: bytes) -> Word:
    """Read what a city says of deletion; who signed it is not looked at here. Raises Malformed, TooLarge."""
    document = strict_json(body, max_bytes=MAX_BODY_BYTES)
    agreement = document.get("agreement")
    if document.get("type") != TYPES["deletion"] or not isinstance(agreement, str) or len(agreement) > _MAX_IRI:
        raise Malformed(f"A statement of deletion is of type {TYPES['deletion']} and names its agreement.")
    if not is_iri(agreement) or not agreement.isprintable():
        raise Malformed("The agreement of a statement of deletion is an address.")
    return Word(agreement, written(document), document)
