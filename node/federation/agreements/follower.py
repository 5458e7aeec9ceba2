"""The follower of agreements: reads pair journals, our own and those mirrored from peers, into two tables.

Our own journals say what was agreed and how we stand to it (table `agreement`); a peer's journal of its pair with us
says how that city stands to it (table `stated`). Which of the two is read first makes no difference, so rebuilt equals
lived. Of a peer's journals only the one of its pair with us counts, and in it only agreements that we hold with it. A
record that cannot be read changes nothing: signatures were checked before anything entered our journals. What is over
for good stays so: whoever said that it was revoked or superseded, us or them, cannot take it back, neither by saying
otherwise later nor by erasing the entry.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from node.db import Tx
from node.errors import NodeError
from node.federation.agreements.agreements import pair_collection
from node.federation.agreements.records import FINAL, KIND, Statement, statement_in
from node.federation.agreements.text import AgreementText, read_text
from node.federation.policy.model import Constraint, Logical, Policy
from node.journal import Collection, Entry, Payloads, newest_of

WITHDRAWN = "The record was withdrawn."
_OURS = (
    "INSERT INTO agreement (iri, record, peer, role, target, covers, digest, signed, signed_by, title, part_of,"
    " replaces, public, agreed_at, starts_at, ends_at, review_at, our_state, our_reason, our_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (iri) DO UPDATE SET our_state = excluded.our_state, our_reason = excluded.our_reason,"
    " our_at = excluded.our_at"
    # What was agreed never changes under one name.
    " WHERE agreement.record = excluded.record AND agreement.digest = excluded.digest"
    " AND agreement.our_state NOT IN ('revoked', 'superseded')"
)
_WE_WITHDREW = (
    "UPDATE agreement SET our_state = 'revoked', our_reason = ?, our_at = ?"
    " WHERE record = ? AND our_state NOT IN ('revoked', 'superseded')"
)
_THEIRS = (
    "INSERT INTO stated (peer, agreement, record, seq, state, reason, at, heard_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (peer, agreement) DO UPDATE SET record = excluded.record, seq = excluded.seq,"
    " state = excluded.state, reason = excluded.reason, at = excluded.at, heard_at = excluded.heard_at"
    " WHERE stated.seq <= excluded.seq AND stated.state NOT IN ('revoked', 'superseded')"
)
_THEY_WITHDREW = (
    "UPDATE stated SET state = 'revoked', reason = ?, at = ?, seq = ?, heard_at = ?"
    " WHERE peer = ? AND record = ? AND state NOT IN ('revoked', 'superseded')"
)


class AgreementsFollower:
    """Keeps both tables level with the journals; cursor and effect share a transaction."""

    name = "agreements"

    def __init__(self, base_url: str, name_of: Callable[[str], str], *, clock_ms: Callable[[], int]) -> None:
        """Follow as the city at `base_url`; `name_of` gives a peer's name by its base URL, empty if it is unknown.

        `clock_ms` says when we heard that something is over: a peer writes into its entries whatever time it likes.
        """
        self._base = base_url
        self._clock_ms = clock_ms
        self._own_pair = pair_collection(base_url)
        self._name_of = name_of

    def apply(self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads) -> None:
        """Take in what the entries of a pair journal say; those of other journals change nothing."""
        peer, mirrored, name = collection.name.rpartition("/")
        if mirrored and name == self._own_pair:
            self._apply_theirs(tx, collection, entries, payloads, peer)
        elif not mirrored and name.startswith("agreements-"):
            self._apply_ours(tx, collection, entries, payloads)

    def clear(self, tx: Tx) -> None:
        """Forget everything, as before the first entry, but for what is over: the entry that said so may be erased."""
        tx.run("DELETE FROM agreement WHERE our_state NOT IN ('revoked', 'superseded')")
        tx.run("DELETE FROM stated WHERE state NOT IN ('revoked', 'superseded')")

    # ---------------------------------------------------------------- our own journals

    def _apply_ours(self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads) -> None:
        for entry, said in _statements(entries, payloads):
            if said is None and entry.opening:
                tx.run(_WE_WITHDREW, WITHDRAWN, entry.at_ms, entry.opening.record)
            elif said is not None and (text := _read(said)) is not None:
                self._place(tx, collection, entry, said, text)

    def _place(self, tx: Tx, collection: Collection, entry: Entry, said: Statement, text: AgreementText) -> None:
        other = text.assignee if text.assigner == self._base else text.assigner
        if self._base not in (text.assigner, text.assignee) or collection.name != pair_collection(other):
            return
        about, (starts, ends) = text.about, term_of(text.policy)
        covers = [str(each) for each in about.get("covers") or (text.target,)]
        tx.run(
            _OURS,
            *(text.iri, entry.opening.record if entry.opening else "", self._name_of(other)),
            "provider" if text.assigner == self._base else "consumer",
            *(text.target, json.dumps(covers), text.digest, said.signed),
            "both" if len(text.proofs) > 1 else "",
            *(str(about.get(each) or "") for each in ("title", "partOf", "replaces")),
            bool(about.get("public")),
            *(text.issued_ms, starts, ends, day_ms(str(about.get("review") or ""))),
            *(said.state, said.reason, entry.at_ms),
        )

    # ---------------------------------------------------------------- the journals of peers

    def _apply_theirs(
        self, tx: Tx, collection: Collection, entries: Sequence[Entry], payloads: Payloads, peer: str
    ) -> None:
        for entry, said in _statements(entries, payloads):
            record = entry.opening.record if entry.opening else ""
            if said is None:
                tx.run(_THEY_WITHDREW, WITHDRAWN, entry.at_ms, entry.seq, self._clock_ms(), peer, record)
            else:
                heard_ms = self._clock_ms() if said.state in FINAL else 0
                row = (peer, said.agreement, record, entry.seq, said.state, said.reason, entry.at_ms, heard_ms)
                tx.run(_THEIRS, *row)
        for entry in entries:
            if entry.opening and entry.opening.op == "erase":
                self._erased(tx, collection, entry, payloads, peer)

    def _erased(self, tx: Tx, collection: Collection, entry: Entry, payloads: Payloads, peer: str) -> None:
        """Let an agreement stand on what is left when the entry it stood on was erased, unless that ended it."""
        target = entry.opening.target if entry.opening else 0
        sql = (
            "SELECT agreement, record FROM stated WHERE peer = ? AND seq = ? AND state NOT IN ('revoked', 'superseded')"
        )
        row = tx.row(sql, peer, target)
        if row is None:
            return
        tx.run("DELETE FROM stated WHERE peer = ? AND agreement = ?", peer, row[0])
        left = newest_of(tx, collection, row[1], upto=entry.seq)
        if left is not None:
            self._apply_theirs(tx, collection, [left], payloads, peer)


def _statements(entries: Sequence[Entry], payloads: Payloads) -> list[tuple[Entry, Statement | None]]:
    """Give what entries say of agreements, in order; None for a withdrawal. What cannot be read is left out."""
    told = [each for each in entries if each.opening and each.opening.kind == KIND and not each.refused]
    bodies = payloads([each.opening.digest for each in told if each.opening and each.opening.digest])
    found: list[tuple[Entry, Statement | None]] = []
    for entry in told:
        opening = entry.opening
        if opening is None or opening.op == "withdraw":
            found.append((entry, None))
        elif (body := bodies.get(opening.digest)) is not None:
            said = _said(opening.record, body)
            found += [(entry, said)] if said is not None else []
    return found


def _said(record: str, payload: bytes) -> Statement | None:
    try:
        return statement_in(record, payload)
    except (NodeError, ValueError):
        return None


def _read(said: Statement) -> AgreementText | None:
    try:
        text = read_text(said.signed)
    except NodeError:
        return None
    return text if text.iri == said.agreement else None


def term_of(policy: Policy) -> tuple[int, int]:
    """Give when an agreement begins to permit something and when it ends, in ms: 0 for at once and for never.

    What begins first and ends last counts; one permission without a beginning or an end has none.
    """
    begins, ends = [], []
    for rule in policy.rules:
        if rule.kind == "permission":
            times = _times(rule.constraints)
            begins.append(max((at for operator, at in times if operator in ("gt", "gteq")), default=0))
            ends.append(min((at for operator, at in times if operator in ("lt", "lteq")), default=0))
    return min(begins, default=0), max(ends, default=0) if all(ends) else 0


def _times(constraints: Sequence[Constraint]) -> list[tuple[str, int]]:
    """Give the moments that constraints name which must all hold."""
    found: list[tuple[str, int]] = []
    for each in constraints:
        if isinstance(each, Logical):
            found += _times(each.parts) if each.kind == "and" else []
        elif each.left == "dateTime":
            found += [(each.operator, at) for at in map(day_ms, each.right) if at]
    return found


def day_ms(text: str) -> int:
    """Read a day or a moment as ms; 0 for what is none. A moment without a zone is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
