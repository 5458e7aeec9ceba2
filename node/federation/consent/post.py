"""What cities tell each other of withdrawals: the two messages, read strictly, and their way through the outbox.

A city that gave data says which salted keys withdrew; the one that got them says that it acknowledges the duty to
erase, and later that it has erased. Messages wait in the outbox, go out signed as every message between peers that
publish a key for it, and are tried for a week; what was not answered by then is told again by `withdrawals`, an answer
that was not taken by `acknowledgements`. With an answer goes what this city has stated of each withdrawal, as it was
signed, so that the other one keeps our word itself.
"""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import orjson

from node.db import Tx
from node.errors import Malformed, NodeError
from node.federation.consent.store import SALT_BYTES, Withdrawal, taken
from node.federation.dialogues.outgoing import Outbox, Outgoing
from node.federation.evidence.statements import written
from node.federation.policy.values import is_iri, time_ms
from node.federation.signing.integrity import Json, strict_json
from node.journal.entry import at_text

_logger = logging.getLogger("citynode.consent")
KIND = "withdrawal"
ALGORITHM = "HMAC-SHA-256"
BATCH = 500
MAX_BODY_BYTES = 256 * 1024
_ROOM = 192 * 1024  # of signed statements in one answer, beside its ids
_TELL, _ANSWER = "withdrawals", "answer"
_MAX_IRI = 2_000
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SALT = re.compile(rf"[0-9a-f]{{{2 * SALT_BYTES}}}", re.ASCII)
Answer = Literal["acknowledged", "erased"]
ANSWERS: tuple[Answer, ...] = ("acknowledged", "erased")


class Teller(Protocol):
    """What is asked of the client."""

    def tell_withdrawals(self, url: str, said: Mapping[str, object]) -> None:
        """Tell a peer which keys withdrew."""

    def tell_erasure(self, url: str, said: Mapping[str, object]) -> None:
        """Tell a peer that we acknowledge withdrawals, or have erased."""


@dataclass(frozen=True, slots=True)
class Told:
    """Withdrawals that a city told: of one agreement, dataset and purpose, by id, key and moment.

    Rows that this city holds for another purpose are not meant; an empty purpose stands for all.
    """

    agreement: str
    dataset: str
    salt: str
    keys: Sequence[tuple[str, str, int]]
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What a city has stated of one withdrawal, as it signed it."""

    text: str
    document: Json


@dataclass(frozen=True, slots=True)
class Answered:
    """What a city says of withdrawals that it was told, by our ids; `words` has its statement of each, or is empty.

    Only an answer of a node that is older than such statements has none.
    """

    state: Answer
    ids: Sequence[str]
    words: Sequence[Word] = ()


class Post:
    """Puts messages into the outbox and sends them. Safe to share by threads and processes."""

    def __init__(self, outbox: Outbox, client: Teller) -> None:
        """Send through this client."""
        self.outbox = outbox
        self._client = client

    def tell(self, tx: Tx, withdrawals: Sequence[Withdrawal], at_ms: int) -> None:
        """Let it wait that these withdrew: all of one peer, agreement, dataset and purpose."""
        for batch in _batches(withdrawals):
            first = batch[0]
            keys = [{"id": each.id, "key": each.salted, "at": at_text(each.withdrawn_at)} for each in batch]
            said = {"agreement": first.agreement, "dataset": first.dataset, "algorithm": ALGORITHM, "salt": first.salt}
            said |= {"purpose": first.purpose} if first.purpose else {}
            self._put(tx, first, _TELL, {**said, "withdrawals": keys}, at_ms, path="/federation/withdrawals")

    def answer(self, tx: Tx, stated: Sequence[tuple[Withdrawal, str]], state: Answer, at_ms: int) -> None:
        """Let it wait that these are acknowledged or erased: all of one peer, agreement, dataset and purpose.

        `stated`: each with the statement that this city signed of it, or all with none.
        """
        for batch in _with_room(stated):
            said: dict[str, Any] = {"state": state, "at": at_text(at_ms)}
            said["ids"] = [their_id(each) for each, _ in batch]
            words = [orjson.loads(text) for _, text in batch if text]
            said |= {"words": words} if words else {}
            self._put(tx, batch[0][0], _ANSWER, said, at_ms, path="/federation/withdrawals/answers")

    def _put(self, tx: Tx, about: Withdrawal, step: str, said: Mapping[str, Any], at_ms: int, *, path: str) -> None:
        body = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
        url = about.peer + path
        subject = subject_of(about)
        self.outbox.put(tx, kind=KIND, subject=subject, peer=about.peer, step=step, url=url, body=body, at_ms=at_ms)

    def deliver(self, now_ms: int) -> int:
        """Send what is due; give how many messages were taken."""
        return self.outbox.deliver(KIND, now_ms, lambda one: self._sent(one, now_ms))

    def _sent(self, one: Outgoing, now_ms: int) -> bool:
        error_said = ""
        try:
            tell = self._client.tell_withdrawals if one.step == _TELL else self._client.tell_erasure
            tell(one.peer, orjson.loads(one.body))
        except NodeError as error:
            if one.is_tried_again(error, now_ms):
                raise
            error_said = str(error)
            _logger.warning("%s does not take our %s: %s", one.peer, one.step, error)
        with self.outbox.db.write() as tx:
            if one.step == _ANSWER and not error_said:
                said = orjson.loads(one.body)
                names = [our_id(one.peer, each) for each in said["ids"]]
                taken(tx, names, erased=said["state"] == "erased", at_ms=now_ms)
            self.outbox.close(tx, one.id, at_ms=now_ms, error=error_said)
        return not error_said


def subject_of(about: Withdrawal) -> str:
    """Name what messages are about, so that those of one peer, agreement, dataset and purpose go out in order."""
    return " ".join(filter(None, (about.peer, about.agreement, about.dataset, about.direction, about.purpose)))


def our_id(peer: str, theirs: str) -> str:
    """Name a withdrawal that a peer told us of: no peer can name one of another."""
    return f"{hashlib.sha256(peer.encode()).hexdigest()[:8]}-{theirs}"


def their_id(each: Withdrawal) -> str:
    """Give what the peer that told us calls a withdrawal."""
    return each.id.partition("-")[2] if each.direction == "in" else each.id


def _batches(withdrawals: Sequence[Withdrawal]) -> Iterator[Sequence[Withdrawal]]:
    for at in range(0, len(withdrawals), BATCH):
        yield withdrawals[at : at + BATCH]


def _with_room(stated: Sequence[tuple[Withdrawal, str]]) -> Iterator[Sequence[tuple[Withdrawal, str]]]:
    """Give as many at a time as one message takes with their statements."""
    batch: list[tuple[Withdrawal, str]] = []
    size = 0
    for each in stated:
        size += len(each[1].encode())
        if batch and (size > _ROOM or len(batch) == BATCH):
            yield batch
            batch, size = [], len(each[1].encode())
        batch.append(each)
    if batch:
        yield batch


# ---------------------------------------------------------------- reading


def read_told(body: bytes) -> Told:
    """Read what a city tells of withdrawals. Raises Malformed, TooLarge."""
    said = strict_json(body, max_bytes=MAX_BODY_BYTES)
    listed = said.get("withdrawals")
    if said.get("algorithm") != ALGORITHM or not _SALT.fullmatch(_text(said, "salt")):
        raise Malformed(f"Keys are salted with {ALGORITHM}, and the salt has {SALT_BYTES} bytes in hex.")
    if not isinstance(listed, list) or not 0 < len(listed) <= BATCH:
        raise Malformed(f"A message names 1 to {BATCH} withdrawals.")
    for name in ("agreement", "dataset"):
        if not is_iri(_text(said, name)) or not _text(said, name).isprintable():
            raise Malformed(f"The {name} of a message about withdrawals is an address.")
    purpose = said.get("purpose", "")
    if purpose != "" and (not is_iri(_text(said, "purpose")) or not purpose.isprintable()):
        raise Malformed("The purpose of a message about withdrawals is an address.")
    return Told(said["agreement"], said["dataset"], said["salt"], [_key(each) for each in listed], purpose)


def _key(said: object) -> tuple[str, str, int]:
    if not isinstance(said, dict):
        raise Malformed("A withdrawal is a JSON object.")
    at_ms = time_ms(_text(said, "at"))
    if not _ID.fullmatch(_text(said, "id")) or not _KEY.fullmatch(_text(said, "key")) or at_ms is None:
        raise Malformed("A withdrawal has an id of 16 bytes and a key of 32 in hex, and a moment.")
    return said["id"], said["key"], at_ms


def read_answer(body: bytes) -> Answered:
    """Read what a city says of withdrawals that it was told. Raises Malformed, TooLarge."""
    said = strict_json(body, max_bytes=MAX_BODY_BYTES)
    state = next((each for each in ANSWERS if each == said.get("state")), None)
    ids = said.get("ids")
    if state is None or not isinstance(ids, list) or not 0 < len(ids) <= BATCH:
        raise Malformed(f"An answer says {' or '.join(ANSWERS)} of 1 to {BATCH} withdrawals.")
    if not all(isinstance(each, str) and _ID.fullmatch(each) for each in ids):
        raise Malformed("A withdrawal has an id of 16 bytes in hex.")
    words = said.get("words", [])
    if not isinstance(words, list) or not all(isinstance(each, dict) for each in words):
        raise Malformed("The statements of an answer are a list of objects.")
    if words and len(words) != len(ids):
        raise Malformed("An answer has one statement for each withdrawal that it names.")
    return Answered(state, ids, [Word(written(each), each) for each in words])


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) and len(value) <= _MAX_IRI else ""
