"""The tables of data origins: where parts lie, whose data they are about, and digests that were worked out.

Owns `data_origin`, `data_personal` and `data_part`; nobody else queries them. An origin and what is said of residents
are written in one transaction, so that no part is ever there without it. A digest is kept with the mark (`etag`) of the
bytes that it is of; an empty one says that those bytes are not what the record promises. What is said of residents is
said of the dataset: it outlives every origin, until somebody takes it back.
"""

from dataclasses import dataclass, replace

from node.db import Database, Row, Tx
from node.errors import Conflict, NotFound
from node.federation.data.places import Registered
from node.federation.moving import Personal

MAX_ORIGINS = 200  # of one dataset
_NAMED = 10
_COLUMNS = "dataset, name, kind, location, media_type, credential, checksum, at, by, trouble, trouble_at"


@dataclass(frozen=True, slots=True)
class Known:
    """What was found when all bytes of a part were read: which version, how many, their digest (empty: refused)."""

    etag: str
    size: int
    digest: str


class OriginStore:
    """Reads and writes the tables. Safe to share by threads."""

    def __init__(self, db: Database) -> None:
        """Work on this database."""
        self._db = db

    # ---------------------------------------------------------------- reading

    def all(self) -> list[Registered]:
        """List every origin, by dataset and name."""
        sql = f"SELECT {_COLUMNS} FROM data_origin ORDER BY dataset, name"  # noqa: S608 - names of columns
        return [_registered(row) for row in self._db.hot().rows(sql)]

    def of(self, dataset: str) -> list[Registered]:
        """List the origins of a dataset, by name."""
        sql = f"SELECT {_COLUMNS} FROM data_origin WHERE dataset = ? ORDER BY name"  # noqa: S608 - names of columns
        return [_registered(row) for row in self._db.hot().rows(sql, (dataset,))]

    def get(self, dataset: str, name: str) -> Registered:
        """Give one. Raises NotFound."""
        held = self.of(dataset)
        found = next((each for each in held if each.name == name), None)
        if found is None:
            names = ", ".join(each.name or "(the folder)" for each in held[:_NAMED])
            what = f"no part {name!r} among the origins" if name else "no unnamed folder among the origins"
            fix = f"Name the part (--part): {names}." if held else "Register one: citynode data origins add"
            raise NotFound(f"There is {what} of {dataset[:200]}.", fix=fix).on_page("no.origin")
        return found

    def datasets(self) -> list[str]:
        """Name the datasets that have any, in order."""
        return [str(row[0]) for row in self._db.hot().rows("SELECT DISTINCT dataset FROM data_origin ORDER BY dataset")]

    def has(self, dataset: str) -> bool:
        """Tell whether a dataset has any."""
        return self._db.hot().row("SELECT 1 FROM data_origin WHERE dataset = ? LIMIT 1", (dataset,)) is not None

    def personal(self, dataset: str) -> Personal | None:
        """Say how a dataset is about residents; None if it is not."""
        sql = "SELECT subject_column, consent FROM data_personal WHERE dataset = ?"
        row = self._db.hot().row(sql, (dataset,))
        return Personal(str(row[0]), str(row[1])) if row else None

    def personal_ones(self) -> dict[str, Personal]:
        """Give all that is said of residents, by dataset."""
        rows = self._db.hot().rows("SELECT dataset, subject_column, consent FROM data_personal")
        return {str(row[0]): Personal(str(row[1]), str(row[2])) for row in rows}

    def known(self, dataset: str) -> dict[str, Known]:
        """Give what is known of the parts of a dataset, by name."""
        sql = "SELECT name, etag, size, digest FROM data_part WHERE dataset = ?"
        return {
            str(row[0]): Known(str(row[1]), int(row[2]), str(row[3])) for row in self._db.hot().rows(sql, (dataset,))
        }

    def known_of(self, dataset: str, part: str) -> Known | None:
        """Give what is known of one part."""
        sql = "SELECT etag, size, digest FROM data_part WHERE dataset = ? AND name = ?"
        row = self._db.hot().row(sql, (dataset, part))
        return Known(str(row[0]), int(row[1]), str(row[2])) if row else None

    def users_of(self, credential: str) -> list[str]:
        """Name the datasets with an origin that needs a credential."""
        sql = "SELECT DISTINCT dataset FROM data_origin WHERE credential = ? ORDER BY dataset"
        return [str(row[0]) for row in self._db.hot().rows(sql, (credential,))]

    # ---------------------------------------------------------------- writing

    def add(self, origin: Registered, personal: Personal | None) -> None:
        """Write an origin, and with it what is said of residents if that is said now.

        Raises:
            Conflict: There is one of this name, or too many.
        """
        with self._db.write() as tx:
            tx.lock("data-origins")
            row = tx.row("SELECT count(*) FROM data_origin WHERE dataset = ?", origin.dataset)
            if row and row[0] >= MAX_ORIGINS:
                raise Conflict(
                    f"A dataset has at most {MAX_ORIGINS} origins.", fix="Register a folder of them."
                ).on_page("no.origin.many", field="part", most=MAX_ORIGINS)
            if tx.row("SELECT 1 FROM data_origin WHERE dataset = ? AND name = ?", origin.dataset, origin.name):
                raise Conflict(
                    f"There is an origin {origin.name!r} already.", fix="Name another part, or remove it."
                ).on_page("no.origin.taken", field="part", name=origin.name)
            _insert(tx, origin)
            if personal is not None:
                _say(tx, origin.dataset, personal, origin.at_ms)

    def change(self, origin: Registered) -> None:
        """Write an origin anew, as it stands now; its digests are worked out again."""
        with self._db.write() as tx:
            tx.lock("data-origins")
            if not tx.run("DELETE FROM data_origin WHERE dataset = ? AND name = ?", origin.dataset, origin.name):
                raise NotFound(f"There is no origin {origin.name!r} any more.").on_page("no.origin")
            _insert(tx, origin)
            _forget(tx, origin)

    def remove(self, origin: Registered) -> None:
        """Forget an origin and its digests. What was said of residents stays: the next origin holds the same people."""
        with self._db.write() as tx:
            tx.lock("data-origins")
            tx.run("DELETE FROM data_origin WHERE dataset = ? AND name = ?", origin.dataset, origin.name)
            _forget(tx, origin)

    def say(self, dataset: str, personal: Personal | None, *, at_ms: int) -> None:
        """Say how a dataset is about residents, or that it is not."""
        with self._db.write() as tx:
            if personal is None:
                tx.run("DELETE FROM data_personal WHERE dataset = ?", dataset)
            else:
                _say(tx, dataset, personal, at_ms)

    def note(self, origin: Registered, trouble: str, *, at_ms: int) -> None:
        """Note why an origin cannot be read, or with nothing that it can; writes only what is news."""
        if origin.trouble != trouble:
            with self._db.write() as tx:
                tx.run(
                    "UPDATE data_origin SET trouble = ?, trouble_at = ? WHERE dataset = ? AND name = ?",
                    *(trouble, at_ms if trouble else 0, origin.dataset, origin.name),
                )

    def promise(self, origin: Registered, checksum: str) -> Registered:
        """Note what the record promises of an origin now; another promise makes its digests be worked out again."""
        if origin.checksum == checksum:
            return origin
        with self._db.write() as tx:
            tx.run(
                "UPDATE data_origin SET checksum = ? WHERE dataset = ? AND name = ?",
                *(checksum, origin.dataset, origin.name),
            )
            _forget(tx, origin)
        return replace(origin, checksum=checksum)

    def know(self, dataset: str, part: str, known: Known, *, at_ms: int) -> None:
        """Keep what was found when all bytes of a part were read."""
        with self._db.write() as tx:
            tx.run(
                "INSERT INTO data_part (dataset, name, etag, size, digest, at) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (dataset, name) DO UPDATE SET etag = excluded.etag, size = excluded.size,"
                " digest = excluded.digest, at = excluded.at",
                *(dataset, part, known.etag, known.size, known.digest, at_ms),
            )


def _insert(tx: Tx, origin: Registered) -> None:
    tx.run(
        f"INSERT INTO data_origin ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        *(origin.dataset, origin.name, origin.kind, origin.location, origin.media_type, origin.credential),
        *(origin.checksum, origin.at_ms, origin.by, origin.trouble, origin.trouble_at_ms),
    )


def _say(tx: Tx, dataset: str, personal: Personal, at_ms: int) -> None:
    tx.run(
        "INSERT INTO data_personal (dataset, subject_column, consent, at) VALUES (?, ?, ?, ?) ON CONFLICT (dataset)"
        " DO UPDATE SET subject_column = excluded.subject_column, consent = excluded.consent, at = excluded.at",
        *(dataset, personal.column, personal.consent, at_ms),
    )


def _forget(tx: Tx, origin: Registered) -> None:
    """Drop the digests of an origin's parts: of a folder all that its name begins."""
    if not origin.is_folder:
        tx.run("DELETE FROM data_part WHERE dataset = ? AND name = ?", origin.dataset, origin.name)
    elif not origin.name:
        tx.run("DELETE FROM data_part WHERE dataset = ?", origin.dataset)
    else:
        first, beyond = origin.name + "/", origin.name + "0"  # the character after the slash
        tx.run("DELETE FROM data_part WHERE dataset = ? AND name > ? AND name < ?", origin.dataset, first, beyond)


def _registered(row: Row) -> Registered:
    return Registered(*row)
