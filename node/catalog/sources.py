"""The sources of a node: which portals it harvests, how often, and what it must remember to ask politely.

Owns the table `source`. Adapters are found by entry point (`citynode.portals`), so a city can add its own kind.
Touches the database only; whether an address may be fetched is for `outbound` to say.
"""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel, select

from node.catalog import homes
from node.catalog.hosts import host_of
from node.catalog.portals.base import Portal
from node.db import Database, Tx
from node.errors import Conflict, Malformed, NotFound, UnknownKind
from node.records import is_collection_name, is_nodes_own
from node.stale import check_mark

PORTALS = "citynode.portals"
_CHANGEABLE = frozenset(
    {"kind", "location", "collection", "schedule_minutes", "keep_contacts", "threshold_percent", "paused"}
)


class Source(SQLModel, table=True):
    """A portal to harvest. `location` is a URL, or the absolute path of a file (from the command line only).

    `recipe` names how the last complete run read it; a conditional request is only made under the same recipe.
    """

    name: str = Field(primary_key=True)
    kind: str
    location: str
    collection: str
    created_at: int = Field(sa_type=BigInteger)
    schedule_minutes: int = 0
    keep_contacts: bool = False
    threshold_percent: int | None = None
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""
    recipe: str = ""
    paused: bool = False

    @property
    def settings(self) -> tuple[str, str, str, int, bool, int | None]:
        """Give what people set, in the order of `source_office.Wanted`."""
        return (
            self.kind,
            self.location,
            self.collection,
            self.schedule_minutes,
            self.keep_contacts,
            self.threshold_percent,
        )

    @property
    def is_file(self) -> bool:
        """Tell whether the source is a file of this machine."""
        return not self.location.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Validators:
    """What makes the next request conditional: the answer's own marks, its bytes' hash, and how they were read."""

    etag: str
    last_modified: str
    body_sha256: str
    recipe: str


@cache
def portals() -> dict[str, Portal]:
    """Find every adapter by its kind; made once per process."""
    return {point.name: point.load()() for point in entry_points(group=PORTALS)}


def portal_of(kind: str) -> Portal:
    """Give the adapter of a kind.

    Raises:
        UnknownKind: There is none; the message names those that exist.
    """
    try:
        return portals()[kind]
    except KeyError:
        known = ", ".join(sorted(portals()))
        raise UnknownKind(
            f"There is no adapter for sources of kind {kind!r}.",
            fix=f"Kinds that exist: {known}.",
        ).on_page("no.source.kind", field="kind", kind=kind[:40]) from None


class Sources:
    """Adds, lists and removes sources."""

    def __init__(self, db: Database) -> None:
        """Keep them in this database."""
        self._db = db

    def add(self, source: Source) -> Source:
        """Add a source.

        Raises:
            Malformed: The name or location is no such thing.
            UnknownKind: No adapter of that kind.
            Conflict: The name is taken, or the collection is one that the node alone writes.
            NotFound: The file or the collection does not exist.
        """
        portal_of(source.kind)
        _check_home(source.collection)
        if not is_collection_name(source.name):
            raise Malformed(
                f"{source.name!r} is no name for a source.",
                fix="Use a-z, 0-9 and -, at most 63 characters.",
            ).on_page("no.source.name", field="name")
        source.location = _location(source.location)
        with self._db.write() as tx:
            if tx.session.get(Source, source.name):
                raise Conflict(
                    f"A source named {source.name!r} exists.",
                    fix="Choose another name, or remove it first.",
                ).on_page("no.source.taken", field="name", name=source.name)
            if not tx.row("SELECT 1 FROM collection WHERE name = ?", source.collection):
                raise NotFound(
                    f"There is no collection {source.collection!r}.",
                    fix=f"Create it: citynode collections create {source.collection}",
                ).on_page("no.collection", field="collection", name=source.collection[:63])
            tx.session.add(source)
            tx.session.flush()
            tx.session.expunge(source)
        return source

    def change(self, name: str, *, mark: str = "", **values: object) -> Source:
        """Change what a source says of itself: where it is, what it is, how often it is read, whether it is paused.

        The next run then reads the source anew where that matters: a run remembers by which recipe the last one read.
        `mark` names the settings that were shown to whoever changes them (`stale`, of `Source.settings`).

        Raises:
            Changed: The settings are others than were shown.
            NotFound: There is no source, or no collection, of that name.
            Malformed: The location is no such thing.
            UnknownKind: No adapter of that kind.
            Conflict: The collection is one that the node alone writes.
        """
        found = self.get(name)
        _check_home(str(values.get("collection", "")))
        changed = {key: value for key, value in values.items() if value != getattr(found, key)}
        portal_of(str(values.get("kind", found.kind)))
        if "location" in changed:
            changed["location"] = _location(str(changed["location"]))
        with self._db.write() as tx:
            tx.lock("sources")
            stands = tx.session.get(Source, name)
            if stands is None or any(getattr(stands, key) != value for key, value in values.items()):
                check_mark(mark, stands and stands.settings)
            if not tx.row("SELECT 1 FROM collection WHERE name = ?", values.get("collection", found.collection)):
                raise NotFound(
                    f"There is no collection {values['collection']!r}.",
                    fix="Create it: citynode collections create",
                ).on_page("no.collection", field="collection", name=values["collection"])
            for column in _CHANGEABLE & changed.keys():
                tx.run(f"UPDATE source SET {column} = ? WHERE name = ?", changed[column], name)  # noqa: S608
        return self.get(name)

    def list(self) -> list[Source]:
        """Give every source in order of name."""
        with self._db.read() as tx:
            found = list(tx.session.exec(select(Source).order_by(Source.name)))
            tx.session.expunge_all()
        return found

    def get(self, name: str) -> Source:
        """Give one source.

        Raises:
            NotFound: There is none of that name.
        """
        with self._db.read() as tx:
            found = tx.session.get(Source, name)
            if found is None:
                raise NotFound(
                    f"There is no source {name!r}.",
                    fix="List them: citynode sources list",
                ).on_page("no.source", name=name[:63])
            tx.session.expunge(found)
        return found

    def remove(self, name: str) -> None:
        """Forget a source; what it published stays, under its names, until another source brings it."""
        self.get(name)
        with self._db.write() as tx:
            tx.run("DELETE FROM source WHERE name = ?", name)

    def forget_validators(self, tx: Tx, name: str) -> None:
        """Ask unconditionally next time: what is published is no longer what the last complete run read."""
        tx.run("UPDATE source SET recipe = '' WHERE name = ? AND recipe <> ''", name)

    def remember(self, name: str, validators: Validators) -> None:
        """Keep what makes the next request conditional; only after a complete run."""
        with self._db.write() as tx:
            tx.run(
                "UPDATE source SET etag = ?, last_modified = ?, body_sha256 = ?, recipe = ? WHERE name = ?",
                validators.etag,
                validators.last_modified,
                validators.body_sha256,
                validators.recipe,
                name,
            )


def _check_home(collection: str) -> None:
    if is_nodes_own(collection):
        raise homes.nodes_own(collection)


def _location(location: str) -> str:
    if location.startswith(("http://", "https://")) and host_of(location):
        return location
    if "://" in location:
        raise Malformed(
            f"{location!r} is neither an http(s) address nor a file.",
            fix="Give a URL or a path.",
        ).on_page("no.source.address", field="location")
    path = Path(location).expanduser().resolve()
    if not path.is_file():
        raise NotFound(
            f"There is no file {path}.",
            fix="Give the path of a readable file, or a URL.",
        ).on_page("no.source.file", field="location")
    return str(path)
