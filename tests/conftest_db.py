"""Fixtures for whatever stands on the database: every test that takes one runs on SQLite and on PostgreSQL.

PostgreSQL is the server that CITYNODE_TEST_POSTGRES names, else one started for the session from the installed
binaries; where there are none, its half is skipped with one clear line. Each test has a database of its own, copied
from one that was migrated once.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.db import Database
from node.journal.journal import Journals
from node.keys import Keyring
from tests import postgres_server

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server with a migrated database to copy."""

    url: str

    def execute(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)

    def named(self, name: str) -> str:
        return self.url.rsplit("/", 1)[0] + "/" + name


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """Give the URL of a real server."""
    named = os.environ.get(postgres_server.VARIABLE)
    if named:
        yield named
        return
    try:
        postgres_server.binaries()
    except postgres_server.NotInstalledError as absent:
        pytest.skip(str(absent))
    with postgres_server.running() as url:
        yield url


@pytest.fixture(scope="session")
def postgres(postgres_server_url: str) -> Iterator[Server]:
    """Give the server with its template database."""
    server = Server(postgres_server_url)
    template = f"citynode_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {template}")
    database = Database(server.named(template))
    database.upgrade()
    database.close()
    yield Server(server.named(template))
    server.execute(f"DROP DATABASE {template} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "node.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.scrub()
    database.close()
    return path


def _urls(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated"), folder / "node.db")
        yield f"sqlite:///{folder / 'node.db'}"
        return
    template: Server = request.getfixturevalue("postgres")
    server = Server(template.named("postgres"))
    name = f"citynode_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template.url.rsplit('/', 1)[1]}")
    yield server.named(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=BOTH)
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a migrated, empty database."""
    yield from _urls(request, tmp_path)


@pytest.fixture
def db(db_url: str) -> Iterator[Database]:
    """Give a migrated, empty database."""
    database = Database(db_url)
    yield database
    database.close()


@pytest.fixture(scope="module", params=BOTH)
def lasting_db(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Give one database for a whole module: for laws, whose examples each open a collection of their own."""
    for url in _urls(request, tmp_path_factory.mktemp("lasting")):
        database = Database(url)
        yield database
        database.close()


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """Give a keyring."""
    return Keyring.create(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def journals(db: Database, keyring: Keyring) -> Journals:
    """Give journals with one empty collection, `open-data`."""
    journals = Journals(db, keyring)
    with db.write() as tx:
        iri = "http://127.0.0.1:8001/collections/open-data"
        journals.create(tx, name="open-data", iri=iri, title="Open data", visibility="public", at_ms=1_000)
    return journals
