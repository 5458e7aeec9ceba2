"""The triple stores, put together: who keeps them level, who asks them, and where their engines are.

Two stores under `graph/` in the data folder. The public one is a child of this node or the operator's own engine at an
address; the restricted one is always a child, since nobody else may be able to ask it. With `sparql = off` there is
none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.catalog.graph.asking import Bounds, Sparql, Store
from node.catalog.graph.keeper import GraphKeeper
from node.catalog.graph.shapes import ByCollection, ByRecord, Of, Shape
from node.catalog.touched import Touched
from node.errors import Misconfigured
from node.journal.journal import Journals
from node.outbound.engine import Address, ChildPorts, Engine, child_at
from node.settings import Settings

PUBLIC, RESTRICTED = "public", "restricted"
FILL_FIX = "Name the update endpoint of your engine in CITYNODE_SPARQL_UPDATE_URL."


@dataclass(frozen=True, slots=True)
class Graphs:
    """What queries and what keeps."""

    sparql: Sparql
    keepers: tuple[GraphKeeper, ...]

    def close(self) -> None:
        """Give back connections: of those who query, and of those who keep, which have engines of their own."""
        self.sparql.close()
        for keeper in self.keepers:
            keeper.close()


def folder_of(settings: Settings) -> Path:
    """Say where the stores are."""
    return settings.data / "graph"


def child_ports(settings: Settings) -> ChildPorts:
    """Give the ports at which engines of ours listen: never fetched, whoever names them."""
    return ChildPorts([folder_of(settings) / f"{name}.address" for name in (PUBLIC, RESTRICTED)])


def build(settings: Settings, *, journals: Journals, touched: Touched, hidden: Callable[[], frozenset[str]]) -> Graphs:
    """Put the stores together; opens nothing by itself.

    Raises:
        Misconfigured: An engine is named and not where it is filled.
    """
    bounds = Bounds(
        timeout_s=settings.sparql_timeout_s,
        result_bytes=settings.sparql_result_mib << 20,
        query_bytes=settings.sparql_query_bytes,
        at_once=settings.sparql_at_once,
    )
    if settings.sparql == "off":
        return Graphs(Sparql({}, bounds), ())
    folder = folder_of(settings)
    shapes: dict[str, Shape] = {
        PUBLIC: ByRecord(journals.store.some),
        RESTRICTED: ByCollection(journals.store.some),
    }
    stores = {name: _store(settings, folder, name) for name in shapes}
    keepers = tuple(
        GraphKeeper(
            "graph" if name == PUBLIC else f"graph-{name}",
            folder / name,
            shape=shape,
            # An engine of its own: a long update must not stand in the way of queries.
            engine=_store(settings, folder, name).engine,
            touched=touched,
            collections=lambda: _collections(journals),
            hidden=hidden,
        )
        for name, shape in shapes.items()
    )
    return Graphs(Sparql(stores, bounds), keepers)


def _store(settings: Settings, folder: Path, name: str) -> Store:
    standing, child = folder / f"{name}.json", folder / f"{name}.address"
    if name == RESTRICTED or settings.sparql == "embedded":
        return Store(Engine(lambda: child_at(child)), standing=standing, child=child, union=True)
    update_url = settings.sparql_update_url.get_secret_value()
    if not update_url:
        raise Misconfigured("The triple store of your own has no update endpoint.", fix=FILL_FIX)
    # Another engine at another address is another store, and is filled anew.
    address = Address(settings.sparql, update_url, born=f"{settings.sparql} {update_url}")
    return Store(Engine(lambda: address), standing=standing, child=None, union=False)


def _collections(journals: Journals) -> list[Of]:
    with journals.db.read() as tx:
        return [Of(each.id, each.name, each.iri, each.visibility) for each in journals.collections(tx)]
