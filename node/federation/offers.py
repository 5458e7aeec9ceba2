"""What this city offers under which terms: published by its staff, seen by the peers that each offer names.

An offer is of one target: a collection of ours, a bundle that stands for several, or one record. It never grants
anything; it is what a negotiation begins with. Terms are never changed: other terms are another offer, so that whoever
refers to an offer by its IRI refers to the same words for ever. What is restricted must be offered to peers by name,
and its offers vanish for all others, also if it became restricted after they were published. Owns the table `offer`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from node.db import Database, HotReader, Row
from node.errors import Conflict, Malformed, NotFound
from node.federation.agreements.text import checked_id, read_about
from node.federation.policy import read_rules, rebased, terms_digest, write_rules
from node.records import is_collection_name, is_nodes_own

__all__ = ["Holdings", "OfferDraft", "Offers", "Published", "Slice", "Thing", "Who"]

MAX_OFFERS_OF_TARGET = 20
MAX_PEERS = 500
MAX_COVERS = 200
LIST_PAGE = 1_000


class Thing(Protocol):
    """Something of ours that can be offered: a collection, or a live record in one."""

    @property
    def iri(self) -> str:
        """Give its IRI."""

    @property
    def title(self) -> str:
        """Give its title; empty for a record, whose payload says it."""

    @property
    def public(self) -> bool:
        """Tell whether everyone may read it anyway."""

    @property
    def payload(self) -> bytes:
        """Give a record's canonical payload; empty for a collection."""


class Holdings(Protocol):
    """What this city holds of its own."""

    def things(self, iris: Sequence[str]) -> Mapping[str, Thing]:
        """Give those of these that are ours, by IRI; asks as often for many as for one."""


class Who(Protocol):
    """A peer, as far as offers need it."""

    @property
    def url(self) -> str:
        """Give its base URL."""


class Directory(Protocol):
    """The peers of this node."""

    def get(self, name: str) -> Who:
        """Give a peer by name. Raises NotFound."""

    def by_url(self, url: str) -> Who | None:
        """Find a peer by its base URL."""


@dataclass(frozen=True, slots=True)
class OfferDraft:
    """What is to be offered. `name` ends the offer's IRI; `peers` are names or base URLs, none for every peer.

    `about` may have `covers`: without it the target stands for itself alone.
    """

    target: str
    rules: Mapping[str, Any]
    about: Mapping[str, Any]
    name: str = ""
    peers: Sequence[str] = ()
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """An offer as it was published. Times in ms, `withdrawn_at` 0 while it stands; `peers` are base URLs."""

    iri: str
    target: str
    covers: tuple[str, ...]
    about: Mapping[str, Any]
    rules: Mapping[str, Any]
    peers: tuple[str, ...]
    automatic: bool
    published_at: int
    published_by: str
    withdrawn_at: int = 0

    @property
    def terms(self) -> str:
        """Give the digest of its terms, by which it is recognised when it is asked for as it stands."""
        return terms_digest(self.target, self.about, self.rules)

    @property
    def title(self) -> str:
        """Give what it is called."""
        return str(self.about.get("title", ""))


@dataclass(frozen=True, slots=True)
class Slice:
    """Targets in their order with the offers of each, the ends of what was found, and whether more lies beyond them."""

    targets: Mapping[str, Sequence[Published]]
    things: Mapping[str, Thing]
    first: str = ""
    last: str = ""
    more_before: bool = False
    more_after: bool = False


_COLUMNS = ", ".join(each.name for each in fields(Published))
_LISTS = {"covers", "about", "rules", "peers"}
# A base URL may hold `_` and `%`, which LIKE takes for any character; a slash can escape them, since JSON has none.
_SEEN = "withdrawn_at = 0 AND (peers = '[]' OR peers LIKE ? ESCAPE '!')"


class Offers:
    """Reads and keeps the offers. Safe to share by threads."""

    def __init__(
        self, db: Database, *, base_url: str, holdings: Holdings, peers: Directory, new_id: Callable[[], str]
    ) -> None:
        """Keep them in this database.

        Args:
            db: Where they are.
            base_url: Our own.
            holdings: Knows what we hold.
            peers: The peers an offer may name.
            new_id: Gives a fresh name for an offer that has none.
        """
        self._db, self._base_url, self._new_id = db, base_url, new_id
        self._holdings, self._peers = holdings, peers

    @property
    def _hot(self) -> HotReader:
        return self._db.hot()

    # ---------------------------------------------------------------- what the staff does

    def publish(self, draft: OfferDraft, *, by: str, at_ms: int) -> Published:
        """Publish an offer.

        Raises:
            NotFound: The target, something it is to cover, or a peer is not here.
            Malformed: Its terms cannot be read, or something restricted is offered to nobody by name.
            Conflict: There is, or was, an offer of this name, or the target has too many.
        """
        iri = self._iri(draft.name)
        offer = self._checked(iri, draft, by, at_ms)
        held = {name: json.dumps(getattr(offer, name), ensure_ascii=False) for name in _LISTS}
        row = [held.get(each.name, getattr(offer, each.name)) for each in fields(Published)]
        marks = ", ".join("?" * len(row))
        with self._db.write() as tx:
            tx.lock("offers")
            found = tx.row("SELECT count(*) FROM offer WHERE target = ? AND withdrawn_at = 0", offer.target)
            if found and found[0] >= MAX_OFFERS_OF_TARGET:
                raise Conflict(
                    f"{offer.target} has {MAX_OFFERS_OF_TARGET} offers already.", fix="Withdraw one first."
                ).on_page("no.offer.many", most=MAX_OFFERS_OF_TARGET)
            if tx.row("SELECT iri FROM offer WHERE iri = ?", iri):
                raise Conflict(
                    f"There is or was an offer {iri}.", fix="Terms are never changed: take another name."
                ).on_page("no.offer.taken", field="name")
            tx.run(f"INSERT INTO offer ({_COLUMNS}) VALUES ({marks})", *row)  # noqa: S608 - names of columns
        return offer

    def withdraw(self, iri: str, *, at_ms: int) -> Published:
        """Take an offer back: nobody sees it from now on. Agreements and negotiations made of it stand.

        Raises:
            NotFound: There is no such offer.
            Conflict: It was withdrawn before.
        """
        offer = self.get(iri)
        with self._db.write() as tx:
            if not tx.run("UPDATE offer SET withdrawn_at = ? WHERE iri = ? AND withdrawn_at = 0", at_ms, offer.iri):
                raise Conflict(
                    f"{offer.iri} was withdrawn already.",
                    fix="Nothing needs to be done.",
                ).on_page("no.offer.withdrawn")
        return self.get(offer.iri)

    def get(self, iri: str) -> Published:
        """Give an offer by its IRI or the name that ends it, also a withdrawn one. Raises NotFound."""
        whole = iri if "/" in iri else f"{self._base_url}/offers/{iri}"
        row = self._hot.row(f"SELECT {_COLUMNS} FROM offer WHERE iri = ?", (whole,))  # noqa: S608 - names of columns
        if row is None:
            raise NotFound(f"There is no offer {iri[:200]}.", fix="List them: citynode offers list").on_page("no.offer")
        return _published(row)

    def list(self, *, withdrawn: bool = False, after: str = "", limit: int = LIST_PAGE) -> Sequence[Published]:
        """Give offers in order of IRI, after one of them; withdrawn ones only if asked for."""
        which = "" if withdrawn else " AND withdrawn_at = 0"
        sql = f"SELECT {_COLUMNS} FROM offer WHERE iri > ?{which} ORDER BY iri LIMIT ?"  # noqa: S608
        return [_published(row) for row in self._hot.rows(sql, (after, min(limit, LIST_PAGE)))]

    # ---------------------------------------------------------------- what a peer sees

    def visible(self, iri: str, peer_url: str) -> Published | None:
        """Find an offer that stands and that this peer sees."""
        sql = f"SELECT {_COLUMNS} FROM offer WHERE iri = ? AND {_SEEN}"  # noqa: S608 - names of columns
        row = self._hot.row(sql, (iri, _pattern(peer_url)))
        offers = [_published(row)] if row else []
        seen = self._seen(offers, self._holdings.things(_of(offers)))
        return next((one for found in seen.values() for one in found), None)

    def of_target(self, target: str, peer_url: str) -> Slice:
        """Give what a peer sees of one target; no target in it means that there is nothing for this peer."""
        return Slice(*self._offered([target], peer_url))

    def visible_to(
        self, peer_url: str, *, after: str = "", before: str = "", limit: int = 100, offset: int = 0
    ) -> Slice:
        """Give a page of what a peer sees, in order of target.

        Args:
            peer_url: The peer's base URL.
            after: Begin behind this target.
            before: Or end before this target.
            limit: Targets on the page.
            offset: Leave out so many first.
        """
        where, order, key = ("target < ?", "DESC", before) if before else ("target > ?", "ASC", after)
        sql = (
            f"SELECT DISTINCT target FROM offer WHERE {_SEEN} AND {where}"  # noqa: S608 - two fixed texts
            f" ORDER BY target {order} LIMIT ? OFFSET ?"
        )
        found = [str(row[0]) for row in self._hot.rows(sql, (_pattern(peer_url), key, limit + 1, offset))]
        more, found = len(found) > limit, found[:limit]
        found = found[::-1] if before else found
        ends = (found[0], found[-1]) if found else ("", "")
        beyond = (more, True) if before else (bool(after or offset), more)
        return Slice(*self._offered(found, peer_url), *ends, *beyond)

    def _offered(
        self, targets: Sequence[str], peer_url: str
    ) -> tuple[Mapping[str, Sequence[Published]], Mapping[str, Thing]]:
        marks = ", ".join("?" * len(targets))
        sql = f"SELECT {_COLUMNS} FROM offer WHERE {_SEEN} AND target IN ({marks}) ORDER BY target, iri"  # noqa: S608
        rows = self._hot.rows(sql, (_pattern(peer_url), *targets)) if targets else []
        offers = [_published(row) for row in rows]
        things = self._holdings.things(_of(offers))
        return self._seen(offers, things), things

    def _seen(self, offers: Sequence[Published], things: Mapping[str, Thing]) -> Mapping[str, Sequence[Published]]:
        """Leave out what is not here any more, and what is restricted now and named no peer."""
        seen: dict[str, list[Published]] = {}
        for offer in offers:
            covered = [things.get(iri) for iri in offer.covers]
            if all(thing is not None and (thing.public or offer.peers) for thing in covered):
                seen.setdefault(offer.target, []).append(offer)
        return seen

    # ---------------------------------------------------------------- what negotiations ask

    def about_of(self, peer_url: str, offer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give what stands beside an offer as this peer sees it, asked for by `@id` and its own `target`.

        Nothing where there is none, or none for this peer: strangers name any IRI, and learn no title by naming it.
        """
        found = self.visible(str(offer.get("@id", "")), peer_url)
        return dict(found.about) if found is not None and found.target == offer.get("target") else {}

    def admit(self, peer_url: str, role: str, offer: Mapping[str, Any]) -> None:
        """Refuse the beginning of a negotiation about what this peer may not know of.

        Args:
            peer_url: Who begins it.
            role: What we would be; as consumer we hear any offer.
            offer: With `@id` and `target`, which is empty where only the offer was named.

        Raises:
            NotFound: Nothing of that kind is offered to this peer.
            Malformed: The offer is of another target.
        """
        if role != "provider":
            return
        target, found = str(offer.get("target", "")), self.visible(str(offer.get("@id", "")), peer_url)
        if found is not None and target not in ("", found.target):
            raise Malformed("This offer is of another target.", fix=f"Its target is {found.target}.")
        if found is None and not (target and self.of_target(target, peer_url).targets):
            raise NotFound("Nothing of that kind is offered to you.", fix="What is offered is at catalog/request.")

    def is_automatic(self, peer_url: str, iri: str, terms: str) -> bool:
        """Tell whether an offer is agreed to without a person: it says so, and is asked for exactly as it stands."""
        found = self.visible(iri, peer_url)
        return found is not None and found.automatic and found.terms == terms

    # ---------------------------------------------------------------- checking

    def _iri(self, name: str) -> str:
        if name and not is_collection_name(name):
            raise Malformed(
                f"An offer cannot be named {name[:80]!r}.",
                fix="Use a-z, 0-9 and -, at most 63.",
            ).on_page("no.offer.name", field="name")
        return f"{self._base_url}/offers/{name or self._new_id()}"

    def _checked(self, iri: str, draft: OfferDraft, by: str, at_ms: int) -> Published:
        about = read_about(dict(draft.about))
        covers = tuple(dict.fromkeys(about.get("covers", ()))) or (draft.target,)
        things = self.check(draft.target, covers)
        peers = tuple(sorted({self._url(each) for each in draft.peers}))
        restricted = [each for each in covers if not things[each].public]
        if restricted and not peers:
            raise Malformed(
                f"{restricted[0]} is restricted.",
                fix="Name the peers that it is offered to.",
            ).on_page("no.offer.restricted", field="peers", name=restricted[0])
        title = about.get("title") or getattr(things.get(draft.target), "title", "")
        if not title:
            raise Malformed(
                "The offer has no title.",
                fix="Say in a few words what is offered.",
            ).on_page("no.offer.title", field="title")
        rules = write_rules(rebased(read_rules(draft.rules, policy_id=iri), iri))
        told = {**about, "title": title}
        return Published(iri, draft.target, covers, told, rules, peers, draft.automatic, at_ms, by)

    def holds(self, iri: str) -> bool:
        """Tell whether this is something of ours: a collection, or a live record in one."""
        return iri in self._holdings.things([iri])

    def check(self, target: str, covers: Sequence[str]) -> Mapping[str, Thing]:
        """Give what is here of a target of ours and what it covers, by IRI.

        Raises:
            NotFound: Something of it is not here.
            Malformed: It is no subject of an offer or an agreement, or not spelled as an IRI.
        """
        if len(covers) > MAX_COVERS:
            raise Malformed(f"A bundle may cover {MAX_COVERS} collections.").on_page("no.offer.covers", most=MAX_COVERS)
        for iri in (target, *covers):
            if self._is_nodes_own(checked_id(iri)):
                raise Malformed(
                    f"{iri} is written by the node alone, and is no subject of an agreement.",
                ).on_page("no.offer.register", field="target")
        things = self._holdings.things([target, *covers])
        self._check_target(target, tuple(covers), things)
        return things

    def _is_nodes_own(self, iri: str) -> bool:
        """Tell whether the node alone writes this: a journal of its own, or an agreement in one."""
        before, _, name = iri.rpartition("/")
        is_journal = before == f"{self._base_url}/collections" and is_nodes_own(name)
        return is_journal or iri.startswith(f"{self._base_url}/agreements/")

    def _check_target(self, target: str, covers: Sequence[str], things: Mapping[str, Thing]) -> None:
        missing = [each for each in covers if each not in things]
        if missing:
            raise NotFound(
                f"{missing[0][:200]} is no collection and no record of this city.",
                fix="Give the IRI of one; citynode collections list shows them.",
            ).on_page("no.offer.nothing", field="target", name=missing[0][:200])
        before, _, name = target.rpartition("/")
        bundle = before == f"{self._base_url}/collections" and is_collection_name(name) and covers != (target,)
        if target in things and covers != (target,):
            raise Malformed(
                f"{target} is there itself and cannot stand for others.", fix="Give the bundle a new name."
            ).on_page("no.offer.bundle", field="target", name=target)
        if target not in things and not bundle:
            raise Malformed(
                f"{target[:200]} cannot be offered.",
                fix=f"Offer a collection or record of ours, or {self._base_url}/collections/NAME with what it covers.",
            ).on_page("no.offer.nothing", field="target", name=target[:200])

    def _url(self, peer: str) -> str:
        """Give a peer's base URL by that or its name. Raises NotFound."""
        if "/" not in peer:
            return self._peers.get(peer).url
        found = self._peers.by_url(peer.rstrip("/"))
        if found is None:
            raise NotFound(
                f"There is no peer at {peer[:200]}.",
                fix="List them: citynode peers list",
            ).on_page("no.peer", field="peers", name=peer[:200])
        return found.url


def _of(offers: Sequence[Published]) -> list[str]:
    """Name everything that offers are of and cover, each once."""
    return list(dict.fromkeys(iri for offer in offers for iri in (offer.target, *offer.covers)))


def _pattern(peer_url: str) -> str:
    escaped = peer_url.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f'%"{escaped}"%'


def _published(row: Row) -> Published:
    named = dict(zip((each.name for each in fields(Published)), row, strict=True))
    read = {name: json.loads(named[name]) for name in _LISTS}
    tuples = {name: tuple(read[name]) for name in ("covers", "peers")}
    return Published(**{**named, **read, **tuples, "automatic": bool(named["automatic"])})
