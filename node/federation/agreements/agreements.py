"""Agreements as they stand: what both cities' journals say of each, and whether it is in force at a moment.

Reads the tables `agreement` (from our own pair journals) and `stated` (from those of peers), which
`follower` keeps and which can be made anew. In force means: our newest state says so, theirs does not say
otherwise, now lies within the term, nothing that has begun replaces it, and it is signed by both, or a setting says
that an unsigned one suffices. Everything here reads; `pair_journals` writes.
"""

import json
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, fields
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from node.db import Database, Row
from node.errors import NotFound
from node.records import AGREEMENTS, slug_of

if TYPE_CHECKING:
    from node.federation.agreements.text import AgreementText

State = Literal["agreed", "not-yet", "in-force", "suspended", "expired", "superseded", "revoked"]
Unsigned = Literal["never", "public", "always"]
PUBLIC_COLLECTION = AGREEMENTS
_PREFIX = f"{AGREEMENTS}-"
_SLUG_LENGTH = 40

WORDS: dict[str, str] = {
    "agreed": "agreed, and not signed by both: it permits nothing",
    "not-yet": "signed, and begins later",
    "in-force": "in force",
    "suspended": "suspended: it permits nothing until it is resumed",
    "expired": "over: its term has ended",
    "superseded": "over: another agreement has taken its place",
    "revoked": "over: it was revoked",
}


@lru_cache(maxsize=1_024)
def pair_collection(url: str) -> str:
    """Name a city's own journal of its agreements with the city at `url`.

    Two addresses can be made that give one name: whose journal it is, the agreements in it say (`Decisions.is_pair`).
    """
    host = slug_of(urlsplit(url).netloc)[:_SLUG_LENGTH].strip("-") or "city"
    return f"{_PREFIX}{host}-{sha256(url.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement: one direction, one target. Times in ms, 0 for never or without end.

    `peer` is the other city's name here, `role` what we are (provider or consumer), `covers` the collections or
    records that `target` stands for. `our_state` and `their_state` are what the two journals say: in-force, suspended,
    revoked, superseded, or empty for theirs while it is unknown. `binding`: its signatures suffice here.
    `superseded_from` is when another agreement takes its place, None if none does.
    """

    iri: str
    record: str
    peer: str
    role: str
    target: str
    covers: tuple[str, ...]
    digest: str
    signed: str = field(repr=False)
    signed_by: str  # both, or empty with a peer that does not sign
    title: str
    part_of: str
    replaces: str
    public: bool
    agreed_at: int
    starts_at: int
    ends_at: int
    review_at: int
    our_state: str
    our_reason: str
    our_at: int
    their_state: str
    their_reason: str
    their_at: int
    binding: bool = True
    superseded_from: int | None = None

    def state_at(self, now_ms: int) -> State:
        """Say how it stands; what ends it for good comes before what passes."""
        said = {self.our_state, self.their_state}
        replaced = self.superseded_from is not None and now_ms >= self.superseded_from
        found: tuple[tuple[State, bool], ...] = (
            ("revoked", "revoked" in said),
            ("superseded", replaced or "superseded" in said),
            ("expired", 0 < self.ends_at <= now_ms),
            ("agreed", not self.binding),
            ("suspended", "suspended" in said or self.our_state != "in-force"),
            ("not-yet", now_ms < self.starts_at),
        )
        return next((state for state, holds in found if holds), "in-force")

    def in_force(self, now_ms: int) -> bool:
        """Tell whether it permits anything now."""
        return self.state_at(now_ms) == "in-force"

    @property
    def is_final(self) -> bool:
        """Tell whether a journal says that it is over for good."""
        return bool({"revoked", "superseded"} & {self.our_state, self.their_state})

    @property
    def reason(self) -> str:
        """Give why it is suspended or over, as whoever said so wrote it."""
        if self.our_state != "in-force" and self.our_reason:
            return self.our_reason
        return self.their_reason if self.their_state != "in-force" else ""

    @property
    def text(self) -> "AgreementText":
        """Read what was signed; it was checked when it came in."""
        return _text_of(self.signed)


@lru_cache(maxsize=32)
def _text_of(signed: str) -> "AgreementText":
    # The door of data asks for it at each request, and reading composes it anew to compare.
    from node.federation.agreements.text import read_text

    return read_text(signed)


_OWN = (
    "iri, record, peer, role, target, covers, digest, signed, signed_by, title, part_of, replaces, public, agreed_at,"
    " starts_at, ends_at, review_at, our_state, our_reason, our_at"
)
_READ = (
    f"SELECT {', '.join('a.' + each.strip() for each in _OWN.split(','))},"  # noqa: S608 - names of columns
    " COALESCE(s.state, ''), COALESCE(s.reason, ''), COALESCE(s.at, 0) FROM agreement a"
    " LEFT JOIN stated s ON s.peer = a.peer AND s.agreement = a.iri"
)
# What takes the place of which: the names of both, and when the newer one begins. What becomes of that later brings the
# older one not back. Only what was revoked before it began never took a place: by our clock, since a peer writes into
# its entries whatever time it likes.
_SUCCESSORS = (
    "SELECT b.replaces, b.peer, b.role, min(b.starts_at) FROM agreement b"
    " LEFT JOIN stated s ON s.peer = b.peer AND s.agreement = b.iri"
    " WHERE b.replaces <> '' AND b.signed_by = 'both' AND NOT (b.our_state = 'revoked' AND b.our_at < b.starts_at)"
    " AND NOT (COALESCE(s.state, '') = 'revoked' AND COALESCE(s.heard_at, 0) < b.starts_at)"
    " GROUP BY b.replaces, b.peer, b.role"
)


class Agreements:
    """Reads agreements. Safe to share by threads; every question reads the database anew."""

    def __init__(self, db: Database, *, unsigned: Unsigned, is_public: Callable[[str], bool]) -> None:
        """Read this database; `is_public` tells of a collection, by its IRI, whether everyone may read it anyway."""
        self._db = db
        self._unsigned = unsigned
        self._is_public = is_public

    def all(self) -> list[Agreement]:
        """Give every agreement, by peer and the time it was agreed."""
        return self._read("", ())

    def find(self, iri: str) -> Agreement | None:
        """Give one agreement, or None."""
        found = self._read(" WHERE a.iri = ?", (iri,))
        return found[0] if found else None

    def get(self, iri: str) -> Agreement:
        """Give one agreement.

        Raises:
            NotFound: There is none with this IRI.
        """
        found = self.find(iri)
        if found is None:
            raise NotFound(f"There is no agreement {iri[:200]}.", fix="List them: citynode agreements list")
        return found

    def of_peer(self, name: str) -> list[Agreement]:
        """Give every agreement with a peer, in order of time."""
        return self._read(" WHERE a.peer = ?", (name,))

    def covering(self, iri: str) -> list[Agreement]:
        """Give every agreement on a collection or record, by the IRI at its origin."""
        return [each for each in self.all() if iri == each.target or iri in each.covers]

    def parts_of(self, document: str) -> list[Agreement]:
        """Give the agreements that are parts of one document, such as a Digital Declaration."""
        return self._read(" WHERE a.part_of = ?", (document,))

    def in_force(self, now_ms: int) -> list[Agreement]:
        """Give the agreements that permit something now."""
        return [each for each in self.all() if each.in_force(now_ms)]

    def _read(self, where: str, params: Sequence[object]) -> list[Agreement]:
        hot = self._db.hot()
        rows = hot.rows(f"{_READ}{where} ORDER BY a.peer, a.agreed_at, a.iri", params)
        if not rows:
            return []
        begins = {(old, peer, role): at for old, peer, role, at in hot.rows(_SUCCESSORS)}
        return [self._of(row, begins) for row in rows]

    def _of(self, row: Row, begins: dict[tuple[str, str, str], int]) -> Agreement:
        said = dict(zip(_FIELDS, row, strict=True))
        said |= {"covers": tuple(json.loads(said["covers"])), "public": bool(said["public"])}
        said["superseded_from"] = begins.get((said["iri"], said["peer"], said["role"]))
        return Agreement(**said, binding=self._suffices(said["signed_by"], {said["target"], *said["covers"]}))

    def _suffices(self, signed_by: str, named: Set[str]) -> bool:
        if signed_by == "both" or self._unsigned == "always":
            return True
        return self._unsigned == "public" and all(map(self._is_public, named))


_FIELDS = [each.name for each in fields(Agreement)][:-2]
