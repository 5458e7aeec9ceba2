"""What a peer claims to describe alone, looked at before a person approves it.

Pure but for the count it is handed. A namespace is an IRI prefix; the longest one decides, and one that two cities
declare is shared and gives neither authority (formats.md 2). Some prefixes belong to everyone: a city that claims the
EU's tables would forbid all others to describe their concepts, so a person is warned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

MAX_NAMESPACES = 100

# Hosts whose IRIs everybody uses: vocabularies, authority tables, licences, registries of persistent names.
COMMON_HOSTS = frozenset(
    {
        "creativecommons.org",
        "data.europa.eu",
        "dbpedia.org",
        "doi.org",
        "eur-lex.europa.eu",
        "geonames.org",
        "iana.org",
        "inspire.ec.europa.eu",
        "joinup.ec.europa.eu",
        "opendatacommons.org",
        "opendefinition.org",
        "opengis.net",
        "orcid.org",
        "publications.europa.eu",
        "purl.org",
        "rdfs.org",
        "schema.org",
        "spdx.org",
        "w3.org",
        "w3id.org",
        "wikidata.org",
        "xmlns.com",
    }
)


class Held(Protocol):
    """Who counts what is held here."""

    def __call__(self, prefix: str, *, except_of: str) -> int:
        """Count live records that describe a subject under a prefix, leaving out the mirrors of one peer."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One namespace of a peer: whether it is new, how many held records it would forbid, who else declares it."""

    prefix: str
    new: bool
    forbids: int
    owners: tuple[str, ...]
    inside: tuple[str, ...]
    common: bool
    foreign: bool

    @property
    def warnings(self) -> list[str]:
        """Say what a person should think about, one sentence each."""
        said = []
        if self.common:
            said.append(f"{self.prefix} belongs to everyone: approved, only this city could describe what is under it.")
        elif self.foreign and self.new:
            said.append(f"{self.prefix} is at another host than the city's node: ask whether it is theirs.")
        if self.owners:
            names = ", ".join(name or "this city" for name in self.owners)
            said.append(f"{self.prefix} is declared by {names} too: shared, it gives neither authority.")
        elif self.inside:
            names = ", ".join(name or "this city" for name in self.inside)
            said.append(f"{self.prefix} lies inside a namespace of {names}: approved, it is taken out of it.")
        if self.new and self.forbids:
            said.append(f"{self.prefix}: {self.forbids} records held here from elsewhere describe what is under it.")
        return said


def claims_of(
    namespaces: Sequence[str],
    *,
    before: Sequence[str],
    url: str,
    others: Mapping[str, frozenset[str]],
    peer: str,
    held: Held,
) -> list[Claim]:
    """Look at each namespace that a peer declares.

    Args:
        namespaces: As its statement has them.
        before: Those that were approved.
        url: The peer's base URL.
        others: Who else declared which prefix; our own have the owner `""`.
        peer: Its name here.
        held: Counts records.
    """
    home = urlsplit(url).hostname
    return [
        Claim(
            prefix=prefix,
            new=prefix not in before,
            forbids=0 if prefix in before else held(prefix, except_of=peer),
            owners=tuple(sorted(others.get(prefix, frozenset()))),
            inside=tuple(sorted(_around(prefix, others))),
            common=is_common(prefix),
            foreign=urlsplit(prefix).hostname != home,
        )
        for prefix in namespaces[:MAX_NAMESPACES]
    ]


def _around(prefix: str, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Give who declared the longest shorter prefix of a prefix."""
    wider = [other for other, owners in others.items() if owners and other != prefix and prefix.startswith(other)]
    return others[max(wider, key=len)] if wider else frozenset()


def is_common(prefix: str) -> bool:
    """Tell whether a prefix lies at a host whose IRIs everybody uses."""
    host = (urlsplit(prefix).hostname or "").lower()
    return any(host == common or host.endswith(f".{common}") for common in COMMON_HOSTS)
