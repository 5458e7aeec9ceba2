"""A whole node with a few known records for clients of its interfaces: a mirror among them, and a secret.

`parking` (with files, period and place), `melukartta` (somebody else's IRI, no licence) and `trees` are its own,
`kerbs` is London's, and `vault` stands in the restricted collection `plans`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.journal import Draft
from tests.catalog.search.library import Entry
from tests.federation.agreed import peer
from tests.web.cities import NOISE, PARKING
from tests.web.find_rig import LONDON, Rig, empty

HELSINKI_BOX, LONDON_BOX = (24.8, 60.1, 25.3, 60.3), (-0.5, 51.3, 0.3, 51.7)
TREES = Entry(
    "trees",
    {"en": "Street trees", "fi": "Katupuut"},
    about="Every tree along a street.",
    keywords=("tree",),
    publisher="Greens",
    format="WFS_SRVC",
    licence="CC0",
    bbox=HELSINKI_BOX,
    period=("2015-01-01", "2019-12-31"),
    modified="2026-01-05",
)
KERBS = Entry(
    "kerbs",
    "Kerbside parking of London",
    about="Where one may stop.",
    publisher="Transport for London",
    licence="OGL_3_0",
    bbox=LONDON_BOX,
    period=("2020-06-01", "2020-06-01"),
    modified="2026-03-01",
    home=LONDON,
)
VAULT = Entry("vault", "Parking under the bank", bbox=HELSINKI_BOX)


def draft(entry: Entry) -> Draft:
    return Draft(entry.iri, entry.name, entry.kind, "put", entry.payload())


@contextmanager
def found_city(folder: Path, migrated: Path) -> Iterator[Rig]:
    """Put it up."""
    rig = empty(folder, migrated)
    node = rig.node
    peer(node, "london", LONDON)
    node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1_000)
    node.create_collection("copy", title="Open data", visibility="public", at_ms=1_000)
    rig.put("open-data", PARKING, NOISE, draft(TREES))
    rig.put("plans", draft(VAULT))
    rig.put("copy", draft(KERBS))
    with node.db.write() as tx:  # as if it had come from London, which takes longer than all of this
        iri = f"{LONDON}/collections/open-data"
        tx.run("UPDATE collection SET name = 'london/open-data', iri = ? WHERE name = 'copy'", iri)
    rig.read()
    yield rig
    rig.close()
