"""Where a record of ours goes: the collection that somebody names, the one it stands in, or the kind's own.

A collection that a person names for everything is refused whole; one that a single file names is a problem of that
file, at `/collection`, so that the others are still looked at. Pure.
"""

from collections.abc import Mapping, Sequence

from node.catalog import homes
from node.catalog.shelf import Held
from node.errors import Conflict, Malformed, NodeError, NotFound
from node.records import is_collection_name, is_nodes_own
from node.vocab.kinds.checking import Problem
from node.vocab.kinds.field import KindTable


def home_of(
    table: KindTable, asked: str, said: str, held: Sequence[Held], visibilities: Mapping[str, str]
) -> tuple[str, list[Problem]]:
    """Say in which collection a record will stand, and what is wrong with the one that its file names.

    Args:
        table: Its kind, whose own collection need not be there yet.
        asked: Where everything goes; empty for where each belongs.
        said: What the record's own file says; empty for nothing.
        held: Where it stands now.
        visibilities: Of the collections that there are, by name.

    Raises:
        Malformed, Conflict, NotFound: `asked` is no name, a mirror or the node's own, or not there.
    """
    name, stands = asked or said, held[0].collection if held else table.collection
    # Where an older program let it stand in a journal of the node's own, it goes where it belongs.
    stands = table.collection if is_nodes_own(stands) else stands
    refusal = _unfit(name, table, visibilities) if name else None
    if refusal is None:
        return name or stands, []
    if asked:
        raise refusal
    return stands, [Problem("/collection", "no-collection", str(refusal))]


def _unfit(name: str, table: KindTable, visibilities: Mapping[str, str]) -> NodeError | None:
    if is_nodes_own(name):
        return homes.nodes_own(name)
    if name == table.collection or (name in visibilities and "/" not in name):
        return None
    peer, slash, theirs = name.partition("/")
    if slash and is_collection_name(peer) and is_collection_name(theirs):
        return Conflict(
            f"{name} is a mirror; only its origin continues it.", fix="Choose a collection of ours."
        ).on_page("no.collection.mirror", field="collection", name=name)
    if not is_collection_name(name):
        fix = "Write a-z, 0-9 and -, at most 63, beginning with a letter or digit."
        return Malformed(
            f"“{name[:63]}” is no collection's name.",
            fix=fix,
        ).on_page("no.collection.name", field="collection")
    return NotFound(
        f"There is no collection {name}.",
        fix=f"Make it: citynode collections create {name}",
    ).on_page("no.collection", field="collection", name=name[:63])
