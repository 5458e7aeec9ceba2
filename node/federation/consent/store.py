"""Consent sources by name, what went out by consent, and withdrawals: noticed, told, heard. Owns the three tables.

A *withdrawal* names a person by a salted key (HMAC-SHA-256 of the key under a salt), never by the key itself. What is
told of one agreement and dataset has one salt until all of it is erased, so that a city looks a file through once. Rows
`seen` remember since when we know of a withdrawal, `out` what a city was told, `in` what one told us. What is asked for
comes page by page and to its end: a peer may have told of more than anybody lists.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from node.db import Database, Tx
from node.errors import Conflict, NotFound
from node.federation.consent.records import Asked
from node.federation.consent.sources import ConsentSource, Kind

Direction = Literal["seen", "out", "in"]
# How far a withdrawal is: not answered yet, not erased yet, erased, answered by us and not taken yet, or any of it.
Stage = Literal["waiting", "open", "erased", "untold", "any"]
PAGE = 1_000
SALT_BYTES = 16
_SOURCE = "name, kind, location, credential, at, checked_at, trouble"
_READ = "agreement, dataset, peer, purpose, source, salt, at"
_TOLD = "direction IN ('in', 'out')"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One withdrawal, as it is told or heard. Times in ms, 0 for not yet; `peer` is the other city's base URL.

    `ours` is how we know again, whatever salt it was told under, who it was; of what we told alone. `purpose` is that
    for which the rows went; empty, it stands for all. `told_at` is when the other city had taken our newest answer.
    """

    id: str
    direction: Direction
    peer: str
    agreement: str
    dataset: str
    source: str
    salt: str
    salted: str
    withdrawn_at: int
    at: int
    acknowledged_at: int = 0
    erased_at: int = 0
    by: str = ""
    ours: str = ""
    purpose: str = ""
    told_at: int = 0

    @property
    def state(self) -> str:
        """Say how far it is: waiting, acknowledged or erased."""
        return "erased" if self.erased_at else "acknowledged" if self.acknowledged_at else "waiting"


_COLUMNS = ", ".join(each.name for each in fields(Withdrawal))
_STAGES: Mapping[Stage, str] = {
    "waiting": " AND acknowledged_at = 0 AND erased_at = 0",
    "open": " AND erased_at = 0",
    "erased": " AND erased_at > 0",
    "untold": " AND direction = 'in' AND told_at = 0 AND acknowledged_at > 0",
    "any": "",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many withdrawals of a peer wait, and since when the oldest."""

    direction: Direction
    peer: str
    count: int
    oldest_at: int


@dataclass(frozen=True, slots=True)
class ConsentRead:
    """That rows of a dataset began to go to a city by consent: for which purpose, by whose word, since when.

    Under `salt` this city alone knows persons again; it is one for all reads of an agreement and dataset.
    """

    agreement: str
    dataset: str
    peer: str
    purpose: str
    source: str
    salt: str
    at: int

    @property
    def asked(self) -> Asked:
        """Give the question that it stands for."""
        return Asked(self.dataset, self.purpose, self.peer)


def salted_key(salt: str, subject: str) -> str:
    """Give the salted key of a person: HMAC-SHA-256 under the salt, both in hex."""
    return hmac.digest(bytes.fromhex(salt), subject.encode(), "sha256").hex()  # a fifth of what an object costs


class ConsentStore:
    """Keeps all of it. Safe to share by threads and processes."""

    def __init__(self, db: Database) -> None:
        """Keep it in this database."""
        self.db = db

    # ---------------------------------------------------------------- sources

    def add(self, source: ConsentSource) -> None:
        """Add a source. Raises Conflict if there is one of that name."""
        with self.db.write() as tx:
            if tx.row("SELECT 1 FROM consent_source WHERE name = ?", source.name):
                raise Conflict(f"There is a consent source {source.name}.", fix="Remove it first, or name another.")
            tx.run(
                f"INSERT INTO consent_source ({_SOURCE}) VALUES (?, ?, ?, ?, ?, 0, '')",  # noqa: S608
                *(source.name, source.kind, source.location, source.credential, source.at),
            )

    def remove(self, name: str) -> None:
        """Forget a source. Raises NotFound."""
        with self.db.write() as tx:
            if not tx.run("DELETE FROM consent_source WHERE name = ?", name):
                raise _no_source(name)

    def source(self, name: str) -> ConsentSource:
        """Give a source. Raises NotFound."""
        row = self.db.hot().row(f"SELECT {_SOURCE} FROM consent_source WHERE name = ?", (name,))  # noqa: S608
        if row is None:
            raise _no_source(name)
        return _source(row)

    def sources(self) -> list[ConsentSource]:
        """Give all sources, by name."""
        return [_source(row) for row in self.db.hot().rows(f"SELECT {_SOURCE} FROM consent_source ORDER BY name")]  # noqa: S608

    def checked(self, name: str, trouble: str, now_ms: int) -> None:
        """Note how it went when a source was asked."""
        with self.db.write() as tx:
            tx.run("UPDATE consent_source SET checked_at = ?, trouble = ? WHERE name = ?", now_ms, trouble[:500], name)

    # ---------------------------------------------------------------- reads

    def reads(self, agreement: str = "", asked: Asked | None = None) -> list[ConsentRead]:
        """Give all reads that are kept, of one agreement, or also of one question; the oldest of each first."""
        where, said = "WHERE agreement = ?" if agreement else "", [agreement]
        if asked is not None:
            where = "WHERE agreement = ? AND dataset = ? AND peer = ? AND purpose = ?"
            said += [asked.dataset, asked.recipient, asked.purpose]
        sql = f"SELECT {_READ} FROM consent_read {where} ORDER BY agreement, dataset, peer, purpose, at, source"  # noqa: S608
        return [ConsentRead(*row) for row in self.db.hot().rows(sql, tuple(said) if where else ())]

    def salt(self, tx: Tx, agreement: str, dataset: str) -> str:
        """Give the salt of an agreement's reads of a dataset, empty before the first."""
        row = tx.row("SELECT salt FROM consent_read WHERE agreement = ? AND dataset = ? LIMIT 1", agreement, dataset)
        return str(row[0]) if row else ""

    def begin(self, tx: Tx, read: ConsentRead) -> bool:
        """Note that a read begins; False if there was one of the same agreement and question, by whoever's word."""
        said = (read.agreement, read.dataset, read.peer, read.purpose)
        where = "agreement = ? AND dataset = ? AND peer = ? AND purpose = ?"
        is_first = tx.row(f"SELECT 1 FROM consent_read WHERE {where} LIMIT 1", *said) is None  # noqa: S608
        sql = f"INSERT INTO consent_read ({_READ}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
        tx.run(sql, *said, read.source, read.salt, read.at)
        return is_first

    def is_kept(self, tx: Tx, read: ConsentRead) -> bool:
        """Tell whether a read still stands in the caller's transaction: it may have been forgotten meanwhile."""
        where = "agreement = ? AND dataset = ? AND peer = ? AND purpose = ?"
        sql = f"SELECT 1 FROM consent_read WHERE {where} LIMIT 1"  # noqa: S608
        return tx.row(sql, read.agreement, read.dataset, read.peer, read.purpose) is not None

    # ---------------------------------------------------------------- forgetting

    def is_owed(self, tx: Tx, agreement: str, after_ms: int) -> bool:
        """Tell whether something that was told under an agreement is not erased, or was after a moment."""
        late = "(erased_at = 0 OR erased_at > ?)"
        sql = f"SELECT 1 FROM withdrawal WHERE agreement = ? AND direction = 'out' AND {late} LIMIT 1"  # noqa: S608
        return tx.row(sql, agreement, after_ms) is not None

    def forget_agreement(self, tx: Tx, agreement: str) -> int:
        """Forget what went under an agreement, who withdrew and what was told of it; give how many rows that was."""
        count = tx.run("DELETE FROM withdrawal WHERE agreement = ? AND direction IN ('seen', 'out')", agreement)
        return count + tx.run("DELETE FROM consent_read WHERE agreement = ?", agreement)

    def forget_heard(self, before_ms: int) -> int:
        """Forget what we erased if the other city has taken our word by a moment, a thousand at a time."""
        old = (
            f"SELECT id FROM withdrawal WHERE direction = 'in' AND told_at > 0 AND told_at <= ? AND erased_at > 0"  # noqa: S608
            f" AND erased_at <= ? LIMIT {PAGE}"
        )
        if self.db.hot().row(old, (before_ms, before_ms)) is None:
            return 0
        with self.db.write() as tx:
            return tx.run(f"DELETE FROM withdrawal WHERE id IN ({old})", before_ms, before_ms)  # noqa: S608

    # ---------------------------------------------------------------- withdrawals

    def put(self, tx: Tx, each: Withdrawal) -> bool:
        """Keep a withdrawal; False if there is one of that id."""
        values = [getattr(each, name.name) for name in fields(Withdrawal)]
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO withdrawal ({_COLUMNS}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
        return tx.run(sql, *values) == 1

    def get(self, tx: Tx, name: str) -> Withdrawal | None:
        """Give one by its id, read in the caller's transaction; None if there is none."""
        row = tx.row(f"SELECT {_COLUMNS} FROM withdrawal WHERE id = ?", name)  # noqa: S608
        return Withdrawal(*row) if row else None

    def page(
        self,
        direction: Direction | None,
        stage: Stage = "any",
        *,
        peer: str = "",
        until_ms: int = 0,
        after: tuple[int, str] = (-1, ""),
        limit: int = PAGE,
    ) -> list[Withdrawal]:
        """Give withdrawals that were told and heard, or of one direction alone, the oldest first.

        Args:
            direction: Which; None for both of a person's business, told and heard.
            stage: How far they are.
            peer: Only of this city.
            until_ms: Only what was noted by then.
            after: Only what comes behind this one: when it was noted, and its id.
            limit: At most so many.
        """
        where = f"{'direction = ?' if direction else _TOLD}{_STAGES[stage]} AND (at, id) > (?, ?)"
        values: list[object] = [*([direction] if direction else []), *after]
        for sql, value in ((" AND peer = ?", peer), (" AND at <= ?", until_ms)):
            where, values = (where + sql, [*values, value]) if value else (where, values)
        sql = f"SELECT {_COLUMNS} FROM withdrawal WHERE {where} ORDER BY at, id LIMIT ?"  # noqa: S608
        return [Withdrawal(*row) for row in self.db.hot().rows(sql, (*values, limit))]

    def each(self, direction: Direction | None, stage: Stage = "any", *, peer: str = "") -> Iterator[Withdrawal]:
        """Give all of them, however many there are, the oldest first."""
        after = (-1, "")
        while page := self.page(direction, stage, peer=peer, after=after, limit=PAGE):
            yield from page
            after = (page[-1].at, page[-1].id)

    def unanswered(self) -> list[Withdrawal]:
        """Give, of each peer, agreement, dataset and purpose that we told of, the first that is not answered."""
        one = "SELECT min(id) FROM withdrawal WHERE direction = 'out' AND acknowledged_at = 0 AND erased_at = 0"
        sql = f"SELECT {_COLUMNS} FROM withdrawal WHERE id IN ({one} GROUP BY peer, agreement, dataset, purpose)"  # noqa: S608
        return [Withdrawal(*row) for row in self.db.hot().rows(f"{sql} ORDER BY at, id")]

    def unanswered_with(self, tx: Tx, first: Withdrawal) -> list[Withdrawal]:
        """Give all that are not answered of the peer, agreement, dataset and purpose of one, the oldest first."""
        where = "direction = 'out' AND acknowledged_at = 0 AND erased_at = 0"
        of = "peer = ? AND agreement = ? AND dataset = ? AND purpose = ?"
        sql = f"SELECT {_COLUMNS} FROM withdrawal WHERE {where} AND {of} ORDER BY at, id"  # noqa: S608
        return [Withdrawal(*row) for row in tx.rows(sql, first.peer, first.agreement, first.dataset, first.purpose)]

    def waiting(self, overdue_ms: int) -> list[Waiting]:
        """Count, city by city, what we have to erase, and what nobody has answered that we told until a moment."""
        told = "direction = 'out' AND acknowledged_at = 0 AND at <= ?"
        sql = (
            f"SELECT direction, peer, count(*), min(at) FROM withdrawal WHERE erased_at = 0"  # noqa: S608
            f" AND (direction = 'in' OR ({told})) GROUP BY direction, peer ORDER BY direction, peer"
        )
        return [Waiting(*row) for row in self.db.hot().rows(sql, (overdue_ms,))]

    def untold(self, before_ms: int) -> list[Waiting]:
        """Count, city by city, what we answered before a moment and the other city has not taken."""
        since = "CASE WHEN erased_at > 0 THEN erased_at ELSE acknowledged_at END"
        sql = (
            f"SELECT direction, peer, count(*), min({since}) FROM withdrawal WHERE told_at = 0"  # noqa: S608
            f" AND direction = 'in' AND acknowledged_at > 0 AND {since} <= ? GROUP BY direction, peer ORDER BY peer"
        )
        return [Waiting(*row) for row in self.db.hot().rows(sql, (before_ms,))]

    def named(self, direction: Direction, names: Iterable[str]) -> list[Withdrawal]:
        """Give withdrawals by their ids, or by beginnings that one id has alone. Raises NotFound, Conflict."""
        found: dict[str, Withdrawal] = {}
        for name in names:
            sql = f"SELECT {_COLUMNS} FROM withdrawal WHERE direction = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?"  # noqa: S608
            rows = self.db.hot().rows(sql, (direction, name, name + "~", 2)) if name else []
            if not rows:
                raise NotFound(
                    f"There is no withdrawal {name[:80]!r}.", fix="List them: citynode data withdrawals list"
                ).on_page("no.withdrawal")
            # All ids of one city begin alike: to say of all of them that they are erased takes more than a slip.
            if len(rows) > 1 and rows[0][0] != name:
                raise Conflict(
                    f"Several withdrawals begin with {name[:80]!r}.", fix="Give more of the id, or --all."
                ).on_page("no.withdrawal.several")
            found[str(rows[0][0])] = Withdrawal(*rows[0])
        return list(found.values())

    def of_agreement(self, tx: Tx, direction: Direction, agreement: str, dataset: str) -> Sequence[Withdrawal]:
        """Give all of one agreement and dataset, the oldest first."""
        where = "agreement = ? AND dataset = ? AND direction = ?"
        sql = f"SELECT {_COLUMNS} FROM withdrawal WHERE {where} ORDER BY at, id"  # noqa: S608
        return [Withdrawal(*row) for row in tx.rows(sql, agreement, dataset, direction)]

    def open_salts(self, tx: Tx, direction: Direction, agreement: str, dataset: str) -> frozenset[str]:
        """Give the salts of what was told or heard of one agreement and dataset and is not erased yet."""
        where = "agreement = ? AND dataset = ? AND direction = ? AND erased_at = 0"
        sql = f"SELECT DISTINCT salt FROM withdrawal WHERE {where}"  # noqa: S608
        return frozenset(row[0] for row in tx.rows(sql, agreement, dataset, direction))

    def mark(self, tx: Tx, each: Withdrawal, *, acknowledged_at: int, erased_at: int, by: str) -> None:
        """Note what was said of a withdrawal, and has to be told; a time that stands is kept."""
        tx.run(
            "UPDATE withdrawal SET acknowledged_at = CASE WHEN acknowledged_at = 0 THEN ? ELSE acknowledged_at END,"
            " erased_at = CASE WHEN erased_at = 0 THEN ? ELSE erased_at END, by = ?, told_at = 0 WHERE id = ?",
            *(acknowledged_at, erased_at, by, each.id),
        )

    def forget(self, tx: Tx, each: Withdrawal) -> None:
        """Forget one."""
        tx.run("DELETE FROM withdrawal WHERE id = ?", each.id)

    def forget_salt(self, tx: Tx, direction: Direction, agreement: str, dataset: str) -> None:
        """Let nobody tell any more whom keys that were told or heard stand for, once all of them are erased."""
        if not self.open_salts(tx, direction, agreement, dataset):
            tx.run(
                "UPDATE withdrawal SET salt = '' WHERE direction = ? AND agreement = ? AND dataset = ?",
                *(direction, agreement, dataset),
            )

    def open_count(self, direction: Direction, peer: str = "") -> int:
        """Count those that are not erased yet."""
        of_peer = " AND peer = ?" if peer else ""
        sql = f"SELECT count(*) FROM withdrawal WHERE direction = ? AND erased_at = 0{of_peer}"  # noqa: S608
        row = self.db.hot().row(sql, (direction, *([peer] if peer else [])))
        return int(row[0]) if row else 0


def taken(tx: Tx, names: Iterable[str], *, erased: bool, at_ms: int) -> None:
    """Note that the other city has taken our answer on these, unless another one was given since."""
    newest = "erased_at > 0" if erased else "erased_at = 0"
    sql = f"UPDATE withdrawal SET told_at = ? WHERE id = ? AND direction = 'in' AND {newest}"  # noqa: S608
    tx.many(sql, [(at_ms, name) for name in names])


def _source(row: Sequence[object]) -> ConsentSource:
    name, kind, location, credential, at, checked_at, trouble = row
    one: Kind = "http" if kind == "http" else "file"
    return ConsentSource(
        str(name), one, str(location), str(credential), int(str(at)), int(str(checked_at)), str(trouble)
    )


def _no_source(name: str) -> NotFound:
    return NotFound(
        f"There is no consent source {name[:80]!r}.", fix="List them: citynode consent sources list"
    ).on_page("no.consent", name=name[:63])
