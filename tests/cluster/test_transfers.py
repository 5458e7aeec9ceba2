"""Data between two real cities while everything goes wrong: what arrives is exact or visibly not whole, nothing else.

The network cuts, turns bytes over and drips; either city is killed and comes back; the agreement ends in the middle;
clocks disagree; readers dawdle; a hundred want what is there for seven. Each law has a dataset and an agreement of its
own, so that none stands on what another left. Whatever ends well ends in the same receipt on both sides.
"""

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.testing import City, Cluster, Faults, wait_for
from tests.cluster.moving import ENVIRON, MIB, Clockwork, Movers, Moving, Reader, digest, inside, register
from tests.federation.agreed import atom, permits

LAWS = 12


@pytest.fixture(scope="module")
def movers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Movers]:
    folder = tmp_path_factory.mktemp("transfers")
    with Cluster(folder, 2, seed=8, environ=ENVIRON) as cluster:
        made = Movers(cluster)
        # London's clock is ahead by as much as two honest cities may disagree, in every law below.
        made.london.environ |= Clockwork(folder / "ahead", 20.0).environ
        made.found(LAWS)
        yield made


@pytest.fixture(autouse=True)
def healed(movers: Movers) -> Iterator[None]:
    yield
    movers.cluster.heal()
    movers.cluster.start()


def assert_agreed(moving: Moving) -> None:
    """Both have all of it, in the same receipt."""
    assert moving.is_exact()
    wait_for(lambda: moving.states() == ["COMPLETED", "COMPLETED"], "both to complete", moving.london.log, 30)
    ours, theirs = moving.receipts()
    assert "difference" not in {*ours, *theirs}
    assert ours["receipt"] == theirs["receipt"]
    said = {part["part"]: (part["bytes"], part["digest"]) for part in ours["receipt"]["parts"]}
    assert said == {name: (path.stat().st_size, f"sha256:{digest(path)}") for name, path in moving.parts.items()}


def ended(one: City) -> Counter[str]:
    """How the streams that a city handed out ended, by word."""
    with inside(one) as node:
        return Counter(str(row[0]) for row in node.db.hot().rows("SELECT how FROM data_stream WHERE how <> ?", ("",)))


def test_under_cuts_and_turned_bytes_everything_arrives_exactly(movers: Movers) -> None:
    moving = movers.dataset(0, MIB, 12 * MIB, 13 * MIB, 14 * MIB)
    proxy = movers.cluster.proxy_of(movers.helsinki)
    proxy.faults = Faults(cut=0.6, corrupt=0.1, refuse=0.1, paths="^/data/", reach=8 * MIB)
    moving.get()
    assert_agreed(moving)
    assert proxy.counts["cut"] > 0


def test_a_consumer_that_is_killed_goes_on_where_its_disk_is(movers: Movers) -> None:
    moving = movers.dataset(200 * MIB)
    begun = movers.london.begin(*moving.words())
    moving.until_under_way(130 * MIB)  # what is safe on the disk is noted every two seconds
    begun.kill()
    begun.wait()
    assert not list(moving.to.glob("*.bin")), "nothing of it has the name of a whole part"
    moving.get()
    assert_agreed(moving)
    begins = [each["begins"] for each in moving.streams()]
    assert begins[0] == 0
    assert begins[-1] > 0


def test_a_provider_that_is_killed_comes_back_and_goes_on(movers: Movers) -> None:
    moving = movers.dataset(96 * MIB)
    begun = movers.london.begin(*moving.words())
    moving.until_under_way(16 * MIB)
    movers.helsinki.kill()
    movers.helsinki.start()
    begun.wait(90)
    moving.get()
    assert_agreed(moving)


def test_a_revocation_cuts_within_a_second_and_leaves_nothing_that_looks_whole(movers: Movers) -> None:
    moving = movers.dataset(200 * MIB)
    begun = movers.london.begin(*moving.words("--no-ask"))
    moving.until_under_way(8 * MIB)
    revoked_at = moving.change("revoked")
    assert moving.until_still(2.0) - revoked_at < 1.0
    assert begun.wait(60) != 0
    assert not list(moving.to.glob("*.bin"))
    wait_for(lambda: moving.states() == ["TERMINATED", "TERMINATED"], "both to end it", movers.london.log, 30)
    assert "cut" in moving.receipts()[0]
    assert movers.london.ran(*moving.words("--no-ask")).returncode != 0


def test_a_suspension_holds_a_running_transfer_and_its_end_lets_it_go_on(movers: Movers) -> None:
    moving = movers.dataset(96 * MIB)
    begun = movers.london.begin(*moving.words())
    moving.until_under_way(8 * MIB)
    suspended_at = moving.change("suspended")
    assert moving.until_still(1.5) - suspended_at < 1.0
    assert 0 < moving.here() < 96 * MIB
    wait_for(lambda: moving.states() == ["SUSPENDED", "SUSPENDED"], "both to hold", movers.london.log, 30)
    moving.change("in-force")
    begun.wait(90)
    moving.get()
    assert_agreed(moving)


def test_an_origin_that_changes_meanwhile_arrives_in_one_version(movers: Movers) -> None:
    moving = movers.dataset(64 * MIB)
    (name,) = moving.parts
    other = movers.file(64 * MIB + 1)
    own = movers.folder / "changing.bin"
    own.write_bytes(moving.parts[name].read_bytes())
    with inside(movers.helsinki) as node:
        node.federation.moving.origin_parts.office.remove(moving.dataset, name)
        register(node, moving.dataset, name, own)
    begun = movers.london.begin(*moving.words())
    moving.until_under_way(8 * MIB)
    own.write_bytes(other.read_bytes())
    begun.wait(90)
    moving.get()
    moving.parts = {name: other}
    assert_agreed(moving)


def test_a_push_survives_cuts_and_the_death_of_both_workers(movers: Movers) -> None:
    moving = movers.dataset(MIB, 64 * MIB)
    bad = Faults(cut=0.4, corrupt=0.1, paths="^/data/incoming", reach=24 * MIB)
    movers.cluster.proxy_of(movers.london).faults = bad
    begun = movers.london.begin(*moving.words("--push"))
    moving.until_under_way(8 * MIB)
    assert movers.helsinki.kill_process("worker")
    assert movers.london.kill_process("worker")
    begun.wait(120)
    moving.get("--push")
    assert_agreed(moving)
    assert not list((movers.london.folder / "incoming").rglob("*.bin")), "what is in its place lies nowhere else"


def test_a_push_ends_with_the_agreement_within_a_second(movers: Movers) -> None:
    moving = movers.dataset(200 * MIB)
    begun = movers.london.begin(*moving.words("--push", "--no-ask"))
    moving.until_under_way(8 * MIB)
    revoked_at = moving.change("revoked")
    assert moving.until_still(2.0) - revoked_at < 1.0
    assert begun.wait(60) != 0
    assert not list(moving.to.rglob("*.bin"))


def test_slow_readers_are_served_exactly_and_those_who_stop_are_let_go(movers: Movers) -> None:
    moving = movers.dataset(24 * MIB)
    with Reader(movers, moving) as reader, reader.opened() as slow, reader.opened() as stalled:
        assert len(stalled.read(64 * 1024)) == 64 * 1024
        whole = b""
        while piece := slow.read(256 * 1024):
            whole += piece
            time.sleep(0.01)
        assert whole == moving.parts["part0.bin"].read_bytes()
        wait_for(lambda: ended(movers.helsinki)["stalled"] == 1, "the other to be let go", movers.helsinki.log, 20)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            stalled.read()


def test_exactly_as_many_of_a_hundred_transfers_start_as_may(movers: Movers) -> None:
    moving = movers.dataset(1000, rules=permits("use", constraint=[atom("count", "lteq", "7")]))
    with inside(movers.london) as node, ThreadPoolExecutor(10) as pool:
        transfers = node.federation.moving.transfers

        def ask(_: int) -> str:
            return str(transfers.request(movers.helsinki.base_url, moving.agreement, moving.dataset).pid)

        pids = list(pool.map(ask, range(100)))

        def states() -> Counter[str]:
            return Counter(transfers.get(pid).state for pid in pids)

        wait_for(lambda: states()["STARTED"] + states()["TERMINATED"] == 100, "a word on all", movers.helsinki.log, 60)
        assert states() == {"STARTED": 7, "TERMINATED": 93}


def test_exactly_as_many_of_a_hundred_requests_pass_as_their_bytes_may(movers: Movers) -> None:
    size = 64 * 1024
    limit = atom("volume", "lteq", str(7 * size)) | {"leftOperand": "https://w3id.org/citynode/odrl#volume"}
    moving = movers.dataset(size, rules=permits("use", constraint=[limit]))
    with Reader(movers, moving) as reader, ThreadPoolExecutor(32) as pool:
        passed = Counter(pool.map(lambda _: reader.fetched(), range(100)))
    assert passed == {"whole": 7, "refused": 93}
