"""Looks inside files, put together: what keeps the list of files, what looks into them, and what pages are shown.

Where `preview_mib` is 0 nothing is fetched and nothing shown. Opens nothing: files and folders are made at the first
look.
"""

from dataclasses import dataclass, replace

from node.assembly.clock import clock_ms
from node.catalog.models.marked_files import MarkedFiles
from node.catalog.open_files import OpenFiles
from node.catalog.previews.folder import Folder
from node.catalog.previews.keeper import previews_keeper
from node.catalog.previews.reading import NORMAL
from node.catalog.previews.rounds import Fetching, Previewer
from node.catalog.previews.store import Looks
from node.catalog.shelf import Shelf
from node.db import Database
from node.federation.data.origin_store import OriginStore
from node.outbound import Outbound
from node.settings import Settings

_BY_HAND_MIB = 50
_DEADLINE_S = 60.0  # for one file: nobody waits for a preview, but all the others


@dataclass(frozen=True, slots=True)
class Previews:
    """Looks inside files; `keeper` and `previewer` are what the worker runs, if `automatic`."""

    automatic: bool
    keeper: OpenFiles
    previewer: Previewer
    looks: Looks
    folder: Folder


def build(settings: Settings, *, db: Database, shelf: Shelf, outbound: Outbound) -> Previews:
    """Put them together; opens nothing by itself."""
    folder, residents = Folder(settings.data / "previews"), OriginStore(db).personal_ones
    fetching = Fetching(
        outbound,
        settings.data / "work",
        max_bytes=(settings.preview_mib or _BY_HAND_MIB) << 20,
        deadline_s=min(_DEADLINE_S, float(settings.fetch_deadline_s)),
        limits=replace(NORMAL, memory_bytes=settings.parser_memory_mib << 20),
    )
    return Previews(
        automatic=settings.preview_mib > 0,
        keeper=previews_keeper(db, shelf, clock_ms=clock_ms),
        previewer=Previewer(
            db, fetching, folder, clock_ms=clock_ms, residents=residents, files=MarkedFiles(db, shelf, residents)
        ),
        looks=Looks(db.hot(), residents),
        folder=folder,
    )
