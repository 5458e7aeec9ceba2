"""The post of problem reports: a reader's report goes to the city whose record it is about, its standing comes back.

Messages wait in the outbox like notices of agreements, are sent with the token of a peer, and are tried for a week.
Nothing is read of a report here but its form: what it is about and who may settle it is the ledger's, which this module
knows by a protocol. What a city that does not take reports answers ends the attempt, and the ledger is told.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import orjson

from node.db import Tx
from node.errors import Malformed, NodeError, PeerUnreachable
from node.federation.dialogues.outgoing import Outbox, Outgoing
from node.federation.signing.integrity import strict_json

_logger = logging.getLogger("citynode.reports")
KIND = "report"
MAX_BODY_BYTES = 32 * 1024
_REPORT, _STANDING = "report", "standing"
_REPORT_BOUNDS = {"id": 64, "record": 2_000, "kind": 40, "text": 4_000, "language": 20}
_STANDING_BOUNDS = {"id": 64, "state": 40, "reason": 1_000, "report": 64}


class Teller(Protocol):
    """What is asked of the client."""

    def tell_report(self, url: str, said: Mapping[str, object]) -> None:
        """Tell a peer of a problem with a record of its own."""

    def tell_standing(self, url: str, said: Mapping[str, object]) -> None:
        """Tell a peer how a problem stands that it told us of."""


class Ledger(Protocol):
    """Who keeps the reports."""

    def taken(self, tx: Tx, name: str, at_ms: int) -> None:
        """Note that its city has taken a report."""

    def given_up(self, tx: Tx, name: str, at_ms: int) -> None:
        """Note that its city does not take a report."""


@dataclass(frozen=True, slots=True)
class ReportPost:
    """Puts messages into the outbox and sends them. Safe to share by threads and processes.

    `knows` tells of a city's base URL whether anything is exchanged with it now.
    """

    outbox: Outbox
    client: Teller
    knows: Callable[[str], bool]

    def report(self, tx: Tx, peer: str, said: Mapping[str, str], at_ms: int) -> None:
        """Let a report wait, in the transaction that takes it."""
        self._put(tx, peer, _REPORT, said, at_ms, url=f"{peer}/federation/reports")

    def standing(self, tx: Tx, peer: str, said: Mapping[str, str], at_ms: int) -> None:
        """Let word of how a report stands wait, in the transaction that changes it."""
        self._put(tx, peer, _STANDING, said, at_ms, url=f"{peer}/federation/reports/standing")

    def _put(self, tx: Tx, peer: str, step: str, said: Mapping[str, str], at_ms: int, *, url: str) -> None:
        body = orjson.dumps(dict(said), option=orjson.OPT_SORT_KEYS).decode()
        subject = f"{peer} {said['id']}"
        self.outbox.put(tx, kind=KIND, subject=subject, peer=peer, step=step, url=url, body=body, at_ms=at_ms)

    def deliver(self, now_ms: int, ledger: Ledger) -> int:
        """Send what is due; give how many messages were taken."""
        return self.outbox.deliver(KIND, now_ms, lambda one: self._sent(one, now_ms, ledger))

    def _sent(self, one: Outgoing, now_ms: int, ledger: Ledger) -> bool:
        said = orjson.loads(one.body)
        try:
            self._say(one, said)
        except NodeError as error:
            if one.is_tried_again(error, now_ms):
                raise
            _logger.warning("%s does not take our %s: %s", one.peer, one.step, error)
            self._closed(one, said["id"], now_ms, ledger, str(error))
            return False
        self._closed(one, said["id"], now_ms, ledger, "")
        return True

    def _say(self, one: Outgoing, said: Mapping[str, object]) -> None:
        if not self.knows(one.peer):
            raise PeerUnreachable(f"Nothing is exchanged with {one.peer} now.", fix="Resume or approve it.")
        if one.step == _REPORT:
            self.client.tell_report(one.peer, said)
        else:
            self.client.tell_standing(one.peer, said)

    def _closed(self, one: Outgoing, name: str, now_ms: int, ledger: Ledger, error: str) -> None:
        with self.outbox.db.write() as tx:
            self.outbox.close(tx, one.id, at_ms=now_ms, error=error)
            if one.step == _REPORT and error:
                ledger.given_up(tx, name, now_ms)
            elif one.step == _REPORT:
                ledger.taken(tx, name, now_ms)


def read_report(body: bytes) -> Mapping[str, str]:
    """Read what another city says of a record of ours: id, record, kind, text, language. Raises Malformed, TooLarge."""
    return _read(body, _REPORT_BOUNDS, needed=("id", "record", "kind", "text"))


def read_standing(body: bytes) -> Mapping[str, str]:
    """Read how another city says a report stands: id, state, reason, report. Raises Malformed, TooLarge."""
    return _read(body, _STANDING_BOUNDS, needed=("id", "state"))


def _read(body: bytes, bounds: Mapping[str, int], *, needed: tuple[str, ...]) -> Mapping[str, str]:
    said = strict_json(body, max_bytes=MAX_BODY_BYTES)
    found = {name: said.get(name, "") for name in bounds}
    for name, value in found.items():
        if not isinstance(value, str) or len(value) > bounds[name] or (name in needed and not value):
            raise Malformed(f"The member {name!r} of a message about a report is missing or no text of its length.")
        if any(c < " " and c not in "\n\t" for c in value):
            raise Malformed(f"The member {name!r} of a message about a report holds control characters.")
    if not found["id"].isascii() or not found["id"].isalnum():
        raise Malformed("A report is named by letters and digits.")
    return found
