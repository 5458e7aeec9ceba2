"""City models, put together: what keeps the list of files to look at, and what looks at them; from the settings alone.

Where `model_inspect_mib` is 0 nothing is looked at by itself; commands still can, within the bound that is the default.
Opens nothing: files and folders are made when the first model is fetched.
"""

from dataclasses import dataclass, replace

from node.assembly.clock import clock_ms
from node.catalog.author.office import Authoring
from node.catalog.models.fetching import Fetching
from node.catalog.models.inspect import NORMAL
from node.catalog.models.inspections import Inspections
from node.catalog.models.keeper import models_keeper
from node.catalog.models.rounds import Inspector
from node.catalog.models.withholder import Withholder
from node.catalog.open_files import OpenFiles
from node.catalog.shelf import Shelf
from node.db import Database
from node.federation.data.origin_store import OriginStore
from node.outbound import Outbound
from node.settings import Settings

_BY_HAND_MIB = 200


@dataclass(frozen=True, slots=True)
class Models:
    """City models read from their files; `keeper` and `inspector` are what the worker runs, if `automatic`.

    Else it runs `withholder` alone: what was read by hand must go where its dataset is marked as about residents.
    """

    automatic: bool
    keeper: OpenFiles
    inspector: Inspector
    inspections: Inspections
    files: Fetching
    withholder: Withholder


def build(settings: Settings, *, db: Database, shelf: Shelf, outbound: Outbound, authoring: Authoring) -> Models:
    """Put them together; opens nothing by itself."""
    files = Fetching(
        outbound,
        settings.data / "work",
        max_bytes=(settings.model_inspect_mib or _BY_HAND_MIB) << 20,
        deadline_s=float(settings.fetch_deadline_s),
        limits=replace(NORMAL, memory_bytes=settings.parser_memory_mib << 20),
        clock_ms=clock_ms,
    )
    residents = OriginStore(db).personal_ones
    withholder = Withholder(db, shelf, authoring, residents=residents, clock_ms=clock_ms)
    return Models(
        automatic=settings.model_inspect_mib > 0,
        keeper=models_keeper(db, shelf, clock_ms=clock_ms),
        inspector=Inspector(db, shelf, files, authoring, withholder, clock_ms=clock_ms),
        inspections=Inspections(db.hot()),
        files=files,
        withholder=withholder,
    )
