"""`journal verify` on a mirror: by its origin's keys, with stubs, and with what is still under no checkpoint."""

from pathlib import Path

import pytest

from node.assembly import build
from node.federation.peers.peers import proposed
from node.keys import Keyring
from node.settings import load
from tests.cli.conftest import Say
from tests.federation.origins import LOCAL, NOW, URL, Origin, follow_of, peer_of

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.fixture
def data(helsinki: Say, tmp_path: Path) -> tuple[Path, Origin]:
    """Give a node that holds a mirror of four entries, of which three were signed and one was refused."""
    folder = tmp_path / "node"
    origin = Origin(Keyring.create(tmp_path / "their-keys"))
    for number in range(3):
        origin.put(number)
    origin.put(3, kind="weather")
    node = build(load(data=folder))
    with node.db.write() as tx:
        node.federation.peers.insert(tx, proposed("helsinki", URL, "f" * 43, at_ms=1))
        node.federation.peers.pin(tx, "helsinki", [origin.key()], 1)
    intake = node.federation.exchanging.intake
    for page in (origin.page(0, size=3), origin.page(3)):
        intake.accept(page, follow_of(), peer_of(), NOW, restricted=False)
    node.close()
    return folder, origin


def test_a_mirror_is_verified_by_the_keys_of_its_origin(helsinki: Say, data: tuple[Path, Origin]):
    said = helsinki("journal", "verify", LOCAL)
    assert (said.code, said.out) == (0, f"{LOCAL}: proven, 4 entries, 1 of them stubs\n")
    (found,) = helsinki("journal", "verify", LOCAL, "--json").json
    assert (found["proven"], found["size"], found["stubs"], found["signed"]) == (True, 4, 1, 4)


def test_what_is_under_no_checkpoint_yet_is_said_and_is_no_fault(helsinki: Say, data: tuple[Path, Origin]):
    folder, origin = data
    origin.put(4)
    origin.put(5)
    node = build(load(data=folder))
    node.federation.exchanging.intake.accept(origin.page(4, 5), follow_of(), peer_of(), NOW, restricted=False)
    node.close()
    said = helsinki("journal", "verify", LOCAL)
    assert said.code == 0
    assert said.out.endswith("5 entries, 1 of them stubs; 1 of them are under no checkpoint yet\n")


def test_a_mirror_that_another_city_signed_is_refuted(helsinki: Say, data: tuple[Path, Origin]):
    folder, _ = data
    node = build(load(data=folder))
    with node.db.write() as tx:
        tx.run("DELETE FROM peer_key")
    node.close()
    said = helsinki("journal", "verify", LOCAL)
    assert said.code == 1
    assert "checkpoint of size" in said.err
