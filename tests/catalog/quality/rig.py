"""A collection whose quality is kept: records put, withdrawn and erased, a clock that tests turn."""

import threading
from dataclasses import dataclass, field

from node.catalog.quality.book import QualityBook
from node.catalog.quality.keeper import QualityKeeper
from node.catalog.quality.metrics import points_of
from node.catalog.quality.store import Qualities
from node.catalog.shelf import Shelf, ShelfFollower
from node.catalog.touched import Touched
from node.journal import Draft, catch_up
from node.journal.journal import Journals
from tests.catalog.quality.described import ACCESS, DOWNLOAD, FILE, IRI, STATEMENTS
from tests.journal.rig import NAME
from tests.web.cities import payload

T0 = 1_790_000_000_000
STOP = threading.Event()


def iri(number: int) -> str:
    return f"{IRI}{number}"


def draft(number: int, *, access: str = "", download: str = "", without: str = "", kind: str = "dataset") -> Draft:
    """Describe a dataset perfectly, but for what is taken away; its addresses are its own unless they are given."""
    changed = {ACCESS: access or f"{ACCESS}{number}", DOWNLOAD: download or f"{DOWNLOAD}{number}"}

    def own(term: str) -> str:
        return changed.get(term) or term.replace(IRI, iri(number))

    said = payload(*((own(s), p, own(o)) for s, p, o in STATEMENTS if p != without))
    return Draft(iri(number), f"trees{number}", kind, "put", said)


def gone(number: int) -> Draft:
    return Draft(iri(number), f"trees{number}", "dataset", "withdraw")


def file_of(number: int) -> str:
    return FILE.replace(IRI, iri(number))


@dataclass
class Town:
    """What keeps quality level, over real tables."""

    journals: Journals
    now_ms: int = T0
    searched: int = 0
    keeper: QualityKeeper = field(init=False)
    book: QualityBook = field(init=False)

    def __post_init__(self) -> None:
        db = self.journals.db
        self.shelf = Shelf(self.journals)
        self.touched = Touched(self.shelf)
        self.book = QualityBook(db.hot(), checks_links=True)
        self.keeper = self.another()

    def another(self) -> QualityKeeper:
        return QualityKeeper(
            self.journals.db, self.shelf, self.touched, clock_ms=lambda: self.now_ms, searched=lambda: self.searched
        )

    def put(self, *drafts: Draft, name: str = NAME) -> None:
        with self.journals.db.write() as tx:
            self.journals.append(tx, name, drafts, at_ms=self.now_ms)
        catch_up(self.journals, ShelfFollower())

    def level(self) -> int:
        return self.keeper.catch_up(STOP)

    def rows(self, sql: str, *params: object) -> list[tuple[object, ...]]:
        with self.journals.db.read() as tx:
            return tx.rows(sql, *params)

    def kept(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything the reading keeps, in order."""
        return {
            "quality": self.rows("SELECT record_key, points, max_known, metrics, digest FROM quality ORDER BY 1"),
            "names": self.rows("SELECT record_key, url_key, role FROM link_of ORDER BY 1, 2, 3"),
            "links": self.rows("SELECT url, state FROM link ORDER BY 1"),
        }

    def points(self, number: int) -> int | None:
        """Points without regard to what is not known."""
        found = Qualities(self.journals.db.hot()).of(NAME, iri(number))
        return points_of(found.marks)[0] if found else None
