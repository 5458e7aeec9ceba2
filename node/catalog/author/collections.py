"""The desk of collections: what the city's staff does with them, behind the command line, the API and the pages.

A collection is made and never removed: its journal is what others have seen, its name and address are for ever. Title
and access may change. Mirrors are other cities', and what the node alone writes (`records.is_nodes_own`) is nobody's to
open or rename. Knows no caller: whoever calls has made sure that it may.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.catalog.author.office import Authoring
from node.catalog.shelf import CollectionInfo, Shelf
from node.errors import Conflict, Malformed, NotFound
from node.journal.collection import RESERVED
from node.records import AGREEMENTS, is_collection_name, is_nodes_own

MOST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """A collection of ours as it stands; `entries` of its journal, `records` that are live."""

    name: str
    iri: str
    title: str
    is_public: bool
    entries: int
    records: int
    changed_ms: int


@dataclass(frozen=True, slots=True)
class CollectionOffice:
    """The desk. Safe to share by threads.

    `create` makes a collection of a name, title and visibility, with a signed, empty journal, and raises Conflict where
    there is one.
    """

    create: Callable[[str, str, str], object]
    authoring: Authoring
    shelf: Shelf

    def list(self) -> Sequence[Kept]:
        """List our own collections that people care for, by name."""
        return [self._kept(each) for each in self.shelf.collections() if self._is_ours(each.name)]

    def show(self, name: str) -> Kept:
        """Give one. Raises NotFound."""
        return self._kept(self._info(name, among=self._is_ours))

    def make(self, name: str, *, title: str = "", public: bool = False) -> Kept:
        """Make a collection and sign its empty journal.

        Raises:
            Malformed: Such a name or title cannot be given.
            Conflict: There is one of this name.
        """
        if not is_collection_name(name) or name in RESERVED or is_nodes_own(name):
            taken = ", ".join(sorted(RESERVED))
            raise Malformed(
                f"A collection cannot be named {name[:63]!r}.",
                fix=f"Use a-z, 0-9 and -, at most 63; taken are {taken}.",
            ).on_page("no.collection.name", field="name")
        said = _checked(title or name.replace("-", " ").capitalize())
        try:
            self.create(name, said, "public" if public else "restricted")
        except Conflict as error:
            error.on_page("no.collection.taken", field="name", name=name)
            raise
        return self.show(name)

    def rename(self, name: str, title: str) -> Kept:
        """Give a collection of ours another title. Raises NotFound, Malformed."""
        self.show(name)
        self.authoring.change_collection(name, title=_checked(title), visibility=None)
        return self.show(name)

    def open_to_all(self, name: str) -> Kept:
        """Let everybody read a collection of ours.

        Raises:
            NotFound: There is none of this name.
            Conflict: It contains personal data, if only in an entry that was superseded.
        """
        self.show(name)
        self.authoring.change_collection(name, title=None, visibility="public")
        return self.show(name)

    def restrict(self, name: str) -> Kept:
        """Let nobody read a collection but by an agreement; what was copied before stays copied. Raises NotFound.

        Also one that the node alone writes: somebody may have opened it by an older program. Only the register of
        public agreements stays as it is, since nobody could open it again.
        """
        self._info(name, among=_may_be_closed)
        self.authoring.change_collection(name, title=None, visibility="restricted")
        return self._kept(self._info(name, among=_may_be_closed))

    def _is_ours(self, name: str) -> bool:
        return "/" not in name and not is_nodes_own(name)

    def _info(self, name: str, *, among: Callable[[str], bool]) -> CollectionInfo:
        found = next((each for each in self.shelf.collections() if each.name == name and among(name)), None)
        if found is None:
            raise NotFound(
                f"There is no collection {name[:63]!r} of ours.",
                fix="List them: citynode collections list",
            ).on_page("no.collection", field="name", name=name[:63])
        return found

    def _kept(self, info: CollectionInfo) -> Kept:
        count = self.shelf.count(info.name)
        is_public = info.visibility == "public"
        return Kept(info.name, info.iri, info.title, is_public, info.size, count, info.updated_at_ms)


def _may_be_closed(name: str) -> bool:
    return "/" not in name and name != AGREEMENTS


def _checked(title: str) -> str:
    plain = title.strip()
    if not plain or len(plain) > MOST_TITLE or not plain.isprintable():
        raise Malformed(
            f"A title has 1 to {MOST_TITLE} characters in one line.",
            fix="Write a shorter one.",
        ).on_page("no.collection.title", field="title", most=MOST_TITLE)
    return plain
