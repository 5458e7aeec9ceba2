"""Which dataset of which city is meant: by its IRI, by its name in addresses, or by its title.

First among the records that are mirrored here and those that agreements name, then in the catalogues that peers show
us, which also hold what we may not mirror; an IRI below a peer's own address is taken to be that peer's. A city that
was named is asked by its own search as well: nobody else needs to hear what somebody looks for. A name that fits
several datasets is never guessed at: the choices are told instead. Reads only.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from node.errors import Conflict, Malformed, NodeError, NotFound, PeerUnreachable
from node.federation.pulls.ports import Book, Catalogues, Party, Place, Records

MAX_NAME = 1_000
MAX_CHOICES = 10
MAX_ASKED = 20  # cities; name one to ask it for certain
MAX_SEEN = 20_000  # datasets of one catalogue that are looked at
_WORD = re.compile(r"[A-Za-z0-9._~-]{1,200}")


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset of another city. `collection` is empty where it is not known in which it stands."""

    dataset: str
    title: str
    peer: str
    url: str
    collection: str = ""


class Finder:
    """Finds datasets. Safe to share by threads; asks peers only for what is not known here."""

    def __init__(
        self,
        records: Records,
        book: Book,
        catalogues: Catalogues,
        agreed: Callable[[str], str],
        named: Callable[[str, str], Iterable[tuple[str, str, str]]],
    ) -> None:
        """Look in these.

        Args:
            records: What is mirrored here.
            book: The peers.
            catalogues: What peers show us.
            agreed: Names the peer with whom an agreement in force names a record by its IRI, if any.
            named: Asks the search of the city at a base URL for words; gives address, title and page of datasets.
        """
        self._records, self._book, self._catalogues, self._agreed = records, book, catalogues, agreed
        self._named = named

    def find(self, name: str, peer: str = "") -> Found:
        """Find a dataset.

        Args:
            name: Its IRI, the name that ends its address here, or its title.
            peer: Only of this city, by its name here.

        Raises:
            NotFound: Nothing of this name is known here or shown to us.
            Conflict: Several datasets have it.
            PeerUnreachable: It is not known here, and some city could not be asked.
        """
        name = name.strip()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise Malformed(
                "This names no dataset.",
                fix="Give its IRI, or its title.",
            ).on_page("no.data.dataset", field="dataset")
        parties = self._parties(peer)
        is_iri = ":" in name and "/" in name and " " not in name
        known = self._records.by_iri(name) if is_iri else self._records.by_words(name)
        found = self._of(known, parties) or self._agreed_on(name, parties)
        if not found:
            found = self._asked(name, parties, is_iri=is_iri) or self._taken(name, peer, parties, is_iri=is_iri)
        if not found and peer and not is_iri:
            found = self._searched(name, parties[peer])
        return _one(name, found)

    def _searched(self, words: str, party: Party) -> list[Found]:
        """Ask the search of the city that was named. Raises NotFound, saying who was asked and who did not answer."""
        wanted, has_answered = words.casefold(), True
        try:
            hits = list(self._named(party.url, words))
        except NodeError:  # another connector has no search
            hits, has_answered = [], False
        found = [
            Found(iri, title, party.name, party.url)
            for iri, title, page in hits
            if wanted in (title.casefold(), _end(iri), _end(page))
        ]
        if not found:
            raise _unknown_at(words, party, has_answered=has_answered)
        return found

    def _parties(self, peer: str) -> Mapping[str, Party]:
        named = [self._book.get(peer)] if peer else list(self._book.list())
        found = {each.name: each for each in named if each.exchanges}
        if not found:
            raise NotFound(
                f"Nothing is exchanged with {peer or 'any other city'}.",
                fix="First: citynode peers approve NAME",
            ).on_page("no.data.peer" if peer else "no.data.peerless", field="peer", name=peer)
        return found

    @staticmethod
    def _of(known: Sequence[Place], parties: Mapping[str, Party]) -> list[Found]:
        return [
            Found(each.iri, each.title, each.peer, parties[each.peer].url, each.collection)
            for each in known
            if each.peer in parties
        ]

    def _agreed_on(self, iri: str, parties: Mapping[str, Party]) -> list[Found]:
        peer = self._agreed(iri)
        return [Found(iri, "", peer, parties[peer].url)] if peer in parties else []

    def _asked(self, name: str, parties: Mapping[str, Party], *, is_iri: bool) -> list[Found]:
        """Ask cities what they show us; first the one below whose address an IRI lies."""
        order = sorted(parties.values(), key=lambda each: not name.startswith(f"{each.url}/"))[:MAX_ASKED]
        found: list[Found] = []
        trouble: NodeError | None = None
        for party in order:
            try:
                found += self._by_iri(name, party) if is_iri else self._by_title(name, party)
            except NotFound:
                continue
            except NodeError as error:
                trouble = error
            if found and is_iri:
                break
        if not found and is_iri and name.startswith(f"{order[0].url}/"):
            return [Found(name, "", order[0].name, order[0].url)]
        if not found and trouble is not None:
            raise PeerUnreachable(
                f"It is not known here, and a city could not be asked: {trouble.message}",
            ).on_page("no.data.unasked", field="peer")
        return found

    @staticmethod
    def _taken(iri: str, peer: str, parties: Mapping[str, Party], *, is_iri: bool) -> list[Found]:
        """Take somebody's word who names an IRI and its city: what stands in an offered collection is shown nowhere."""
        return [Found(iri, "", peer, parties[peer].url)] if is_iri and peer in parties else []

    def _by_iri(self, iri: str, party: Party) -> list[Found]:
        dataset = self._catalogues.dataset(party.url, iri)
        return [Found(dataset.iri, _title(dataset.terms), party.name, party.url)] if dataset.iri == iri else []

    def _by_title(self, words: str, party: Party) -> list[Found]:
        wanted = words.casefold()
        return [
            Found(iri, title, party.name, party.url)
            for iri, title in self._shown(party)
            if wanted in (title.casefold(), _end(iri))
        ]

    def _shown(self, party: Party) -> Iterator[tuple[str, str]]:
        seen = 0
        for page in self._catalogues.catalogue(party.url):
            for dataset in page.datasets:
                yield dataset.iri, _title(dataset.terms)
                seen += 1
            if seen > MAX_SEEN:
                return


def _unknown_at(name: str, party: Party, *, has_answered: bool) -> NotFound:
    """Say that a city was asked and shows nothing of this name, and how its address would be written."""
    example = f"{party.url}/datasets/{name if _WORD.fullmatch(name) else 'NAME'}"
    asked = (
        "and neither its catalogue nor its search shows one by exactly this name or title."
        if has_answered
        else "its catalogue shows none by exactly this name or title, and its search did not answer."
    )
    return NotFound(
        f"No dataset of {party.name} is called {name[:200]!r}: not among what is mirrored here, {asked}",
        fix=f"Give its IRI as its page there has it, such as {example}",
    ).on_page("no.data.unknown_at", field="dataset", name=name[:200], peer=party.name, example=example)


def _end(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2].casefold()


def _one(name: str, found: Sequence[Found]) -> Found:
    """Give the one dataset that was found; where it stands in several collections, the first of them."""
    by_iri = {(each.peer, each.dataset): each for each in reversed(found)}
    if not by_iri:
        raise NotFound(
            f"No dataset of another city is called {name[:200]!r}.",
            fix="Name its city with --peer, which is then asked, or give its IRI, such as"
            " https://city.example/datasets/NAME, and --peer. Without, it is found by its name or title once its"
            " collection is mirrored: citynode peers follow PEER COLLECTION, then citynode exchange run.",
        ).on_page("no.data.unknown", field="dataset", name=name[:200])
    if len(by_iri) > 1:
        shown = sorted(by_iri)[:MAX_CHOICES]
        choices = "; ".join(
            f"{each.title or 'untitled'} <{each.dataset}> of {each.peer}" for each in map(by_iri.get, shown) if each
        )
        more = f" and {len(by_iri) - len(shown)} more" if len(by_iri) > len(shown) else ""
        raise Conflict(
            f"{len(by_iri)} datasets are called so: {choices}{more}.",
            fix="Give the IRI of one.",
        ).on_page("no.data.several", field="dataset", count=len(by_iri), name=name[:200])
    return next(iter(by_iri.values()))


def _title(terms: Mapping[str, object]) -> str:
    """Give the title that a catalogue says, in whatever shape JSON-LD has for it."""
    said = terms.get("dct:title") or terms.get("dcterms:title") or ""
    each = said[0] if isinstance(said, list) and said else said
    value = each.get("@value", "") if isinstance(each, Mapping) else each
    return value[:300] if isinstance(value, str) and value.isprintable() else ""
