"""Laws of where a pull puts things: several parts, what is brought by a push, and stores elsewhere."""

import time
from dataclasses import replace
from typing import Any

import pytest

from node.errors import Conflict, NotAgreed, SourceUnreachable, Stopped
from node.federation.moving import PUSH
from node.federation.pulls.runner import Runner
from node.federation.pushes.incoming import Upload
from tests.federation.agreed import change
from tests.federation.cities import Request
from tests.federation.data.door_rig import BODY, PART
from tests.federation.pulls.rig import Own, agree, got, office, ranges, stopped_within, unfinished

pytestmark = pytest.mark.slow


def test_several_parts_go_into_a_folder_and_one_file_takes_one(two: Own) -> None:
    two.lay()
    two.lay(b"a,b\n1,2\n", "more/small.csv")
    agree(two)
    with pytest.raises(Conflict, match="2 parts"):
        got(two, target=str(two.folder / "one.csv"))
    one = got(two, target=str(two.folder / "one.csv"), part="more/small.csv")
    assert (one.state, (two.folder / "one.csv").read_bytes()) == ("done", b"a,b\n1,2\n")
    assert got(two).state == "done"
    assert (two.folder / "here" / "more" / "small.csv").read_bytes() == b"a,b\n1,2\n"
    assert (two.folder / "here" / PART).read_bytes() == BODY


def test_of_several_parts_none_has_its_name_before_all_are_signed_for(two: Own) -> None:
    two.lay(b"a,b\n1,2\n", "first.csv")
    two.lay()
    agreement = agree(two)

    def snap(request: Request, sent: int, __: int) -> int | None:
        if request.path.endswith(PART) and sent:
            assert unfinished(two, "first.csv").is_file()
            change(two.helsinki.node, agreement, "revoked", reason="It is over.")
            time.sleep(1.2)
        return None

    two.london.wire.snap = snap
    with pytest.raises(NotAgreed, match="revoked"):
        got(two)
    assert not list((two.folder / "here").iterdir())


def test_what_was_whole_before_an_interruption_is_signed_for_only_if_it_still_is(two: Own) -> None:
    two.lay(b"a,b\n1,2\n", "first.csv")
    two.lay()
    agree(two)
    stop = stopped_within(two)
    with pytest.raises(Stopped):
        got(two, stop=stop)
    unfinished(two, "first.csv").write_bytes(b"a,b\n9,9\n")
    assert got(two).state == "done"
    assert (two.folder / "here" / "first.csv").read_bytes() == b"a,b\n1,2\n"
    assert (two.folder / "here" / PART).read_bytes() == BODY
    assert sorted(path.name for path in (two.folder / "here").iterdir()) == ["first.csv", PART]


def test_of_a_push_that_the_other_city_ends_nothing_stays_here(two: Own) -> None:
    two.lay()
    agreement = agree(two)
    assert got(two, format=PUSH, wait_s=1).state == "stopped"  # nobody brings anything in this test
    transfer = two.london.federation.moving.transfers.get(office(two.london).list()[0].transfer)
    incoming = two.london.federation.moving.incoming
    whole = Upload(0, 3, is_last=True, etag='"1"', media_type="text/csv", digest="", filtered=False)
    arrival = incoming.begin(two.helsinki.url, transfer.pid, PART, whole)
    arrival.write(b"a,b")
    arrival.end()
    arrival.close()
    assert incoming.file(transfer.pid, PART).is_file()
    change(two.helsinki.node, agreement, "revoked", reason="It is over.")
    for _ in range(20):
        two.settle()
        if two.london.federation.moving.transfers.get(transfer.pid).is_final:
            break
    with pytest.raises(NotAgreed):
        got(two, format=PUSH)
    assert not incoming.arrived(transfer.pid)
    assert not [path for path in (two.london.node.settings.data / "incoming").rglob("*") if path.is_file()]


def test_a_push_of_several_parts_to_one_file_that_was_complete_before_anybody_looked_is_not_lost(two: Own) -> None:
    two.lay()
    agree(two)
    target = f"{two.folder}/one.csv"
    assert got(two, format=PUSH, target=target, wait_s=1).state == "stopped"  # nobody brings anything in this test
    transfer = two.london.federation.moving.transfers.get(office(two.london).list()[0].transfer)
    incoming = two.london.federation.moving.incoming
    for name in ("a.csv", "b.csv"):
        whole = Upload(0, 3, is_last=True, etag='"1"', media_type="text/csv", digest="", filtered=False)
        arrival = incoming.begin(two.helsinki.url, transfer.pid, name, whole)
        arrival.write(b"a,b")
        arrival.end()
        arrival.close()
    with two.london.node.db.write() as tx:  # the other city has said so, and both have signed
        tx.run("UPDATE transfer SET state = 'COMPLETED' WHERE pid = ?", transfer.pid)
    pull = got(two, format=PUSH, target=target)
    assert (pull.state, pull.target) == ("done", f"{target}/")
    assert {path.name: path.read_bytes() for path in (two.folder / "one.csv").iterdir()} == {
        "a.csv": b"a,b",
        "b.csv": b"a,b",
    }
    assert not [path for path in (two.london.node.settings.data / "incoming").rglob("*") if path.is_file()]


class Cupboard:
    """A store elsewhere, which may be away."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.away = 1

    def put(self, location: str, source: Any, *, size: int | None = None, **_: object) -> int:
        if self.away:
            self.away -= 1
            raise SourceUnreachable("The store is away.")
        self.held[location] = b"".join(iter(lambda: source.read(1 << 16), b""))
        assert size == len(self.held[location])
        return size


def test_what_goes_to_a_store_elsewhere_is_put_there_whole_before_it_is_signed_for(two: Own) -> None:
    two.lay()
    two.lay(b"a,b", "more/small.csv")
    agree(two)
    desk, cupboard = office(two.london), Cupboard()
    crew = replace(desk._runner._crew, sinks=cupboard)
    runner, desk._runner = desk._runner, Runner(crew)
    try:
        with pytest.raises(SourceUnreachable, match="away"):
            got(two, target="s3://bucket/noise/")
        assert two.london.federation.moving.transfers.get(desk.list()[0].transfer).state == "STARTED"
        two.london.wire.forget()
        pull = got(two, target="s3://bucket/noise/")
    finally:
        desk._runner = runner
    assert pull.state == "done"
    assert cupboard.held == {f"s3://bucket/noise/{PART}": BODY, "s3://bucket/noise/more/small.csv": b"a,b"}
    assert not ranges(two), "it was here already"
    assert not (two.london.node.settings.data / "pulls" / str(pull.id)).exists()
