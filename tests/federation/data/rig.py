"""What tests of data origins share: a city's origins as the node puts them together, over one journal of records."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.assembly.ground import Ground
from node.assembly.origins import OriginParts, build
from node.catalog.shelf import ShelfFollower
from node.db import Database
from node.federation.consent.sources import ConsentSource
from node.federation.consent.store import ConsentStore
from node.federation.consent.unfiltered import Unfiltered
from node.federation.moved import OriginTold, OriginWish
from node.journal import Draft, catch_up
from node.journal.journal import Journals
from node.keys import Keyring
from node.settings import Settings
from tests.test_outbound import door

BASE = "http://127.0.0.1:8001"
NOISE = f"{BASE}/datasets/noise"
OPEN = f"{BASE}/collections/open-data"
SHUT = f"{BASE}/collections/shut"
DCAT, SPDX = "http://www.w3.org/ns/dcat#", "http://spdx.org/rdf/terms#"


def payload(iri: str, files: Mapping[str, str] | None = None) -> bytes:
    """Describe a dataset; `files` are the download addresses of its distributions, with `algorithm:hex` or nothing."""
    lines = [f'<{iri}> <http://purl.org/dc/terms/title> "Noise"@en .', f"<{iri}> <{_TYPE}> <{DCAT}Dataset> ."]
    for number, (url, checksum) in enumerate((files or {}).items()):
        it, check = f"{iri}/file-{number}", f"{iri}/file-{number}/checksum"
        lines += [f"<{iri}> <{DCAT}distribution> <{it}> .", f"<{it}> <{DCAT}downloadURL> <{url}> ."]
        if checksum:
            algorithm, _, value = checksum.partition(":")
            lines.append(f"<{it}> <{SPDX}checksum> <{check}> .")
            lines.append(f"<{check}> <{SPDX}algorithm> <{SPDX}checksumAlgorithm_{algorithm}> .")
            lines.append(f'<{check}> <{SPDX}checksumValue> "{value}"^^<http://www.w3.org/2001/XMLSchema#hexBinary> .')
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


@dataclass(frozen=True)
class Rig:
    """The parts, and short ways to do with them what tests do."""

    parts: OriginParts
    journals: Journals
    folder: Path

    @property
    def origins(self) -> Any:
        return self.parts.origins

    @property
    def office(self) -> Any:
        return self.parts.office

    def publish(
        self, name: str = "noise", collection: str = "open-data", files: Mapping[str, str] | None = None
    ) -> str:
        iri = f"{BASE}/datasets/{name}"
        with self.journals.db.write() as tx:
            draft = Draft(iri, name, "dataset", "put", payload(iri, files))
            self.journals.append(tx, collection, [draft], at_ms=2_000)
        catch_up(self.journals, ShelfFollower())
        return iri

    def harvested(self, iri: str, slug: str, collection: str = "open-data") -> str:
        """Publish a record that keeps the IRI of its portal."""
        with self.journals.db.write() as tx:
            self.journals.append(tx, collection, [Draft(iri, slug, "dataset", "put", payload(iri))], at_ms=2_000)
        catch_up(self.journals, ShelfFollower())
        return iri

    def withdraw(self, name: str = "noise", collection: str = "open-data") -> None:
        with self.journals.db.write() as tx:
            draft = Draft(f"{BASE}/datasets/{name}", name, "dataset", "withdraw", None)
            self.journals.append(tx, collection, [draft], at_ms=3_000)
        catch_up(self.journals, ShelfFollower())

    def file(self, name: str = "noise.csv", body: bytes = b"a,b\n1,2\n") -> Path:
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    def add(self, location: object, part: str = "", dataset: str = NOISE, **more: Any) -> OriginTold:
        return self.office.add(OriginWish(dataset, str(location), part, **more), by="test", files=True)

    def consents(self, name: str = "register") -> None:
        """Let there be a consent source of this name."""
        ConsentStore(self.journals.db).add(ConsentSource(name, "file", "/nowhere.csv", at=1_000))

    def read(self, part: str = "noise.csv", dataset: str = NOISE, *, piece: int = 1 << 16, **where: Any) -> bytes:
        with self.origins.open(dataset, part, **where) as source:
            return b"".join(iter(lambda: source.read(piece), b""))


def rig(db: Database, journals: Journals, folder: Path, **doors: Any) -> Rig:
    """Put origins together as the node does, with a way out to this machine alone."""
    (folder / "node").mkdir(exist_ok=True)
    settings = Settings(data=folder / "node", name="Testville", base_url=BASE, languages=("en",))
    unused: Any = None
    ground = Ground(
        settings, db, unused, journals, door(**doors), unused, unused, unused, unused, followers=[ShelfFollower()]
    )
    nothing_went = Unfiltered(dict, lambda datasets: (), lambda agreement: {})
    made = Rig(build(ground, nothing_went), journals, folder)
    with db.write() as tx:
        journals.create(tx, name="shut", iri=SHUT, title="Shut", visibility="restricted", at_ms=1_000)
    made.publish()
    return made


@contextlib.contextmanager
def alone(migrated: Path, keyring: Keyring, folder: Path, **doors: Any) -> Iterator[Rig]:
    """Put origins together over a SQLite database of their own, with open data in it."""
    shutil.copy(migrated, folder / "node.db")
    database = Database(f"sqlite:///{folder / 'node.db'}")
    journals = Journals(database, keyring)
    with database.write() as tx:
        journals.create(tx, name="open-data", iri=OPEN, title="Open data", visibility="public", at_ms=1_000)
    try:
        yield rig(database, journals, folder, **doors)
    finally:
        database.close()
