"""A city that a test writes by hand: a journal in memory that may commit to anything and send anything.

Everything is made with the product's own hashes and spelling, so a page is perfect but for what the test breaks. The
other side is real: a database, journals, the shelf, a parser in its child process.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from node.catalog.shelf import Shelf, ShelfFollower
from node.db import Database
from node.federation.exchange.intake import Accepted, Intake
from node.federation.identity.identity import Identity
from node.federation.peers.peers import Follow, Peer, proposed
from node.federation.rights.decisions import Decision, Extent
from node.journal import Entry, note, tree
from node.journal.entry import at_text
from node.journal.journal import Journals
from node.keys import Keyring, PublicKey, Purpose
from node.vocab.parse import Parser

URL = "https://helsinki.example"
IRI = f"{URL}/collections/open-data"
LOCAL = "helsinki/open-data"
NOW = 1_800_000_000_000
AT = 1_700_000_000_000
DCT = "http://purl.org/dc/terms/"
DCAT = "http://www.w3.org/ns/dcat#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def record_of(number: int) -> str:
    return f"{URL}/datasets/d{number}"


def payload_of(record: str, *more: str, title: str = "A title", kind: str = "Dataset") -> str:
    """Write a payload; `more` are further lines without their LF."""
    own = [f'<{record}> <{DCT}title> "{title}"@en .', f"<{record}> <{TYPE}> <{DCAT}{kind}> ."]
    return "".join(line + "\n" for line in sorted({*own, *more}))


def digest(payload: str) -> str:
    return "sha256:" + hashlib.sha256(payload.encode()).hexdigest()


def jcs(told: object) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def b64(raws: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(raw).decode() for raw in raws]


Told = dict[str, Any]


@dataclass
class Origin:
    """A journal that only its author believes in."""

    keyring: Keyring
    iri: str = IRI
    lines: list[Told] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    at_ms: int = AT

    def put(self, number: int, payload: str | None = None, **opening: Any) -> int:
        """Append a put; members of the opening may be anything."""
        record = opening.get("record", record_of(number))
        text = payload_of(record) if payload is None else payload
        told = {"record": record, "slug": f"d{number}", "kind": "dataset", "op": "put", "digest": digest(text)}
        return self.add(told | opening, text)

    def withdraw(self, number: int, **opening: Any) -> int:
        told = {"record": record_of(number), "slug": f"d{number}", "kind": "dataset", "op": "withdraw"}
        return self.add(told | opening)

    def erase(self, target: Any, **opening: Any) -> int:
        return self.add({"op": "erase", "target": target} | opening)

    def add(self, opening: Told, payload: str | None = None, **entry: Any) -> int:
        """Append what the opening says, salted by its number; give the seq."""
        seq = len(self.lines) + 1
        salt = base64.urlsafe_b64encode(hashlib.sha256(str(seq).encode()).digest()[:16]).rstrip(b"=").decode()
        opening = {"salt": salt} | {key: value for key, value in opening.items() if value is not ...}
        commit = "sha256:" + hashlib.sha256(jcs(opening)).hexdigest()
        told = {"v": 1, "collection": self.iri, "seq": seq, "at": at_text(self.at_ms), "commit": commit} | entry
        line: Told = {"entry": told, "opening": opening}
        if payload is not None:
            line["payload"] = payload
        self.lines.append(line)
        self.leaves.append(tree.leaf_hash(jcs(told)))
        return seq

    def root(self, size: int) -> bytes:
        return tree.root_of(self.leaves[:size])

    def complete(self, height: int, index: int) -> bytes:
        width = 1 << height
        return tree.root_of(self.leaves[index * width : (index + 1) * width])

    def proof(self, old: int, new: int) -> list[str]:
        return b64(tree.consistency(old, new, self.complete))

    def note(self, size: int | None = None, root: bytes | None = None) -> str:
        size = len(self.lines) if size is None else size
        checkpoint = note.Checkpoint(note.origin_of(self.iri), size, root or self.root(size))
        return note.signed(
            checkpoint, self.keyring.public_key("checkpoint"), lambda m: self.keyring.sign("checkpoint", m)
        )

    def told(self, after: int, end: int | None = None, size: int | None = None) -> tuple[Told, list[Told]]:
        """Give envelope and lines of a page, to be broken."""
        size = len(self.lines) if size is None else size
        end = size if end is None else end
        envelope = {
            "v": 1,
            "collection": self.iri,
            "after": after,
            "end": end,
            "size": size,
            "checkpoint": self.note(size),
            "consistency": self.proof(after, size),
            "through": self.proof(end, size),
        }
        return envelope, [dict(line) for line in self.lines[after:end]]

    def page(self, after: int = 0, end: int | None = None, size: int | None = None) -> bytes:
        return spelt(*self.told(after, end, size))

    def stubs(self, *seqs: int) -> bytes:
        envelope = {
            "v": 1,
            "collection": self.iri,
            "seqs": list(seqs),
            "size": len(self.lines),
            "checkpoint": self.note(),
        }
        return spelt(envelope, [self.lines[seq - 1] for seq in seqs])

    def key(self, until_ms: int | None = None) -> PublicKey:
        raw = self.keyring.public_key("checkpoint")
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": x}
        return PublicKey("checkpoint", f"kid-{x[:8]}", "Ed25519", jwk, 0, until_ms)


def spelt(envelope: Told, lines: Sequence[Told]) -> bytes:
    return b"".join(jcs(line) + b"\n" for line in [envelope, *lines])


@dataclass
class Book:
    """What this city knows of its peers."""

    pinned: list[PublicKey] = field(default_factory=list)
    table: dict[str, frozenset[str]] = field(default_factory=dict)
    said: Identity | None = None

    def keys(self, name: str, purpose: Purpose) -> Sequence[PublicKey]:
        return [key for key in self.pinned if key.purpose == purpose] if name == "helsinki" else []

    def namespaces(self) -> Mapping[str, frozenset[str]]:
        return self.table

    def identity(self, name: str) -> Identity | None:
        return self.said


@dataclass
class Mirror:
    """This city, as far as it mirrors that one."""

    db: Database
    journals: Journals
    intake: Intake
    book: Book
    shelf: Shelf
    follow: Follow
    peer: Peer

    def take(self, page: bytes, *, restricted: bool = False) -> Accepted:
        return self.intake.accept(page, self.follow, self.peer, NOW, restricted=restricted)

    def take_all(self, pages: Sequence[bytes]) -> list[Accepted]:
        return list(self.intake.accept_all(pages, self.follow, self.peer, NOW, restricted=False))

    def keep(self, text: str) -> bool:
        return self.intake.keep_note(self.follow, self.peer, text, NOW, restricted=False)

    def refill(self, page: bytes) -> Accepted:
        return self.intake.refill(page, self.follow, self.peer, NOW + 1)

    @property
    def size(self) -> int:
        with self.db.read() as tx:
            return next((c.size for c in self.journals.collections(tx) if c.name == LOCAL), 0)

    def entries(self) -> list[Entry]:
        with self.db.read() as tx:
            return self.journals.entries(tx, LOCAL, limit=10_000)

    def codes(self) -> dict[int, str]:
        with self.db.read() as tx:
            sql = "SELECT r.seq, r.code FROM refusal r JOIN collection c ON c.id = r.collection_id WHERE c.name = ?"
            return {row[0]: row[1] for row in tx.rows(sql + " ORDER BY r.seq", LOCAL)}

    def refusals(self) -> list[tuple[Any, ...]]:
        with self.db.read() as tx:
            return tx.rows("SELECT seq, code, detail, record, tries FROM refusal ORDER BY seq")

    def held(self) -> dict[str, int]:
        """IRI and seq of every live record."""
        return {held.iri: held.seq for held in self.shelf.page(LOCAL, offset=0, limit=10_000)}

    def rows(self) -> list[tuple[Any, ...]]:
        with self.db.read() as tx:
            return tx.rows("SELECT * FROM shelf ORDER BY collection_id, record_key")


def peer_of(name: str = "helsinki", **more: Any) -> Peer:
    return replace(proposed(name, URL, "f" * 43, at_ms=1), **({"state": "active"} | more))


def follow_of(**more: Any) -> Follow:
    facts: Told = {
        "peer": "helsinki", "collection": "open-data", "iri": IRI, "local": LOCAL, "themes": (), "created_at": 1,
        "paused": False, "etag": "", "known_size": 0, "known_note": "", "known_at": 0, "checked_at": 0, "level_at": 0,
        "last_error_code": "", "last_error": "", "last_error_at": 0,
    }  # fmt: skip
    return Follow(**(facts | more))


class EverythingAgreed:
    """Agreements that permit whatever is asked; what they say is tested elsewhere."""

    def mirrored(self, peer: str, collection: str, now_ms: int, *, name: str = "") -> Extent:
        return Extent(Decision(allowed=True))


def mirror_of(db: Database, keyring: Keyring, origin: Origin, parser: Parser) -> Mirror:
    journals = Journals(db, keyring)
    book = Book([origin.key()], {f"{URL}/": frozenset({"helsinki"})})
    intake = Intake(
        db=db, journals=journals, followers=(ShelfFollower(),), peers=book, parser=parser, agreed=EverythingAgreed()
    )
    return Mirror(db, journals, intake, book, Shelf(journals), follow_of(), peer_of())


Break = Callable[[Told, list[Told]], None]
