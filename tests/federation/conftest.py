"""Cities for the tests of the federation: one that a test writes by hand, and this one."""

from collections.abc import Iterator

import pytest

from node.db import Database
from node.keys import Keyring
from node.vocab.parse import Parser
from tests.federation.origins import Mirror, Origin, mirror_of


@pytest.fixture(scope="session")
def their_keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """Give another city's keys."""
    return Keyring.create(tmp_path_factory.mktemp("their-keys"))


@pytest.fixture(scope="session")
def lasting_parser() -> Iterator[Parser]:
    """Give one child process for all tests that do not kill it."""
    with Parser() as parser:
        yield parser


@pytest.fixture
def origin(their_keys: Keyring) -> Origin:
    """Give another city's journal, empty."""
    return Origin(their_keys)


@pytest.fixture
def mirror(db: Database, keyring: Keyring, origin: Origin, lasting_parser: Parser) -> Iterator[Mirror]:
    """Give this city, which follows the other one."""
    made = mirror_of(db, keyring, origin, lasting_parser)
    yield made
    made.intake._judge._pool.shutdown()
    made.intake._writer.shutdown()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Keyring]:
    """Give keyrings by name: of a city, of two of its peers, and of nobody it knows."""
    folder = tmp_path_factory.mktemp("keyrings")
    return {name: Keyring.create(folder / name) for name in ("london", "helsinki", "oslo", "mallory")}
