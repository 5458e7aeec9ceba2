"""Two whole nodes, one bringing what the other asked for: to its door or elsewhere, under agreements, over again."""

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.assembly.clock import clock_ms
from node.errors import Malformed, NotFound, PeerUnreachable
from node.federation.data.places import Registered
from node.federation.moved import OriginWish
from node.federation.moving import MAX_PARTS
from node.federation.pushes.address import at_our_door, elsewhere
from node.federation.pushes.fields import head_of
from node.federation.pushes.pusher import AT_ONCE, AT_ONCE_OF_ONE, MAX_NOES
from node.federation.signing.messages import SignedTokens
from node.federation.transfer import Step, Transfer
from node.journal import catch_up
from node.outbound import Outbound, Reply
from tests.federation.agreed import agree, atom, change, permits
from tests.federation.cities import HELSINKI, LONDON, City, Request, cities
from tests.federation.data.door_rig import knock
from tests.federation.pushes.sink import Sink
from tests.test_outbound_send import hasty

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

WHOLE = bytes(range(256)) * 8_000
DIGEST = f"sha256:{hashlib.sha256(WHOLE).hexdigest()}"


@dataclass
class Pair:
    """Helsinki has a dataset with data, London wants it."""

    helsinki: City
    london: City
    folder: Path
    agreement: str = ""

    @property
    def dataset(self) -> str:
        return self.helsinki.record(1)

    def agree(self, *constraint: dict[str, Any]) -> None:
        rules = permits("use", constraint=list(constraint))
        self.agreement = agree(self.helsinki.node, self.london.node, "plans", rules=rules)

    def file(self, name: str = "one.csv", content: bytes = WHOLE) -> Path:
        """Let a file be a part of the dataset."""
        path = self.folder / name.replace("/", "-")
        path.write_bytes(content)
        wish = OriginWish(self.dataset, str(path), part=name, media_type="text/csv")
        self.helsinki.federation.moving.origin_parts.office.add(wish, by="a test", files=True)
        return path

    def ask(self, part: str = "", address: Any = None) -> Transfer:
        """Let London ask for a push."""
        made: Transfer = self.london.federation.moving.transfers.request(
            self.helsinki.url,
            self.agreement,
            self.dataset,
            part,
            format="HttpData-PUSH",
            address=address or at_our_door(self.london.url),
        )
        return made

    def turn(self) -> None:
        """Let both cities do what is due."""
        for one in (self.london, self.helsinki):
            one.federation.moving.transfers.deliver(clock_ms())
        pusher = self.helsinki.federation.moving.pusher
        pusher.look()
        until = time.monotonic() + 10
        while not pusher.idle() and time.monotonic() < until:
            time.sleep(0.005)

    def until(self, holds: Callable[[], bool], turns: int = 60) -> None:
        for _ in range(turns):
            self.turn()
            if holds():
                return
            time.sleep(0.05)
        raise AssertionError([self.state(), self.ours().reasons, self.theirs().reasons, self.books()])

    def theirs(self) -> Transfer:
        """The newest transfer as Helsinki has it."""
        found: Transfer = self.helsinki.federation.moving.transfers.list()[0]
        return found

    def state(self) -> tuple[str, str]:
        return self.ours().state, self.theirs().state

    def ours(self) -> Transfer:
        found: Transfer = self.london.federation.moving.transfers.list()[0]
        return found

    def books(self) -> list[tuple[Any, ...]]:
        return self.helsinki.sql("SELECT part, state, tries, error FROM push ORDER BY part")

    def completed(self) -> None:
        self.until(lambda: self.state() == ("COMPLETED", "COMPLETED"))

    def arrived(self, part: str = "one.csv") -> bytes:
        return bytes(self.london.federation.moving.incoming.file(self.ours().pid, part).read_bytes())

    def receipts(self) -> list[dict[str, Any]]:
        """What both cities filed."""
        sql = "SELECT kind, document FROM receipt"
        return [
            {"kind": kind, **orjson.loads(said)} for one in (self.helsinki, self.london) for kind, said in one.sql(sql)
        ]


@pytest.fixture
def pair(migrated: Path, tmp_path: Path) -> Iterator[Pair]:
    with cities(tmp_path, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london, follow=())
        london.meet(helsinki, follow=())
        helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
        helsinki.publish(*(helsinki.put(number) for number in range(1, 3)), collection="plans")
        for follower in helsinki.node.followers:
            catch_up(helsinki.node.journals, follower)
        made = Pair(helsinki, london, tmp_path)
        made.agree()
        yield made
        helsinki.federation.moving.pusher.close()


def test_a_part_is_brought_whole_and_both_file_the_same_receipt(pair: Pair) -> None:
    pair.file()
    pair.ask()
    pair.completed()
    assert pair.arrived() == WHOLE
    ours, theirs = pair.receipts()
    assert (ours["kind"], theirs["kind"]) == ("receipt", "receipt")
    assert ours == theirs
    (part,) = ours["parts"]
    assert (part["part"], part["bytes"], part["digest"]) == ("one.csv", len(WHOLE), DIGEST)
    assert len(ours["proof"]) == 2


def test_all_parts_are_brought_or_the_one_that_was_asked_for(pair: Pair) -> None:
    for name in ("a.csv", "b/c.csv", "empty.csv"):
        pair.file(name, b"" if "empty" in name else name.encode())
    pair.ask("b/c.csv")
    pair.completed()
    assert pair.arrived("b/c.csv") == b"b/c.csv"
    with pytest.raises(NotFound):
        pair.arrived("a.csv")
    pair.ask()
    pair.completed()
    assert [pair.arrived(name) for name in ("a.csv", "b/c.csv", "empty.csv")] == [b"a.csv", b"b/c.csv", b""]


def test_what_was_cut_goes_on_where_it_was_and_nothing_is_brought_twice(pair: Pair) -> None:
    pair.file()
    pair.helsinki.federation.moving.origin_parts.digests.round(threading.Event())
    cut = [len(WHOLE) // 3, len(WHOLE) // 2]
    brought: list[int] = []

    def call(request: Request) -> Reply:
        if request.method == "PATCH":
            brought.append(int(request.headers["Upload-Offset"]))
            if cut:
                straight(replace(request, cut=cut.pop(0)))
                raise PeerUnreachable("The network is gone.")
        return straight(request)

    straight, pair.london.wire.call = pair.london.wire.call, call  # type: ignore[method-assign]
    pair.ask()
    pair.completed()
    assert pair.arrived() == WHOLE
    assert brought == [0, len(WHOLE) // 3, len(WHOLE) // 3 + len(WHOLE) // 2]
    assert pair.receipts()[0]["parts"][0]["digest"] == DIGEST


def test_a_changed_origin_begins_again_and_what_arrives_is_one_version(pair: Pair) -> None:
    path = pair.file()
    pair.ask()
    pair.until(lambda: pair.theirs().state == "STARTED" or bool(pair.books()))
    path.write_bytes(WHOLE[::-1])
    pair.completed()
    assert pair.arrived() in (WHOLE, WHOLE[::-1])


def test_a_suspension_stops_bringing_and_the_end_of_it_goes_on(pair: Pair) -> None:
    pair.file()
    pair.london.wire.bend = lambda request, reply: Reply(503, {}, b"") if request.method == "HEAD" else reply
    pair.ask()
    pair.until(lambda: bool(pair.books()) and pair.state() == ("STARTED", "STARTED"))
    change(pair.helsinki.node, pair.agreement, "suspended")
    pair.until(lambda: pair.state() == ("SUSPENDED", "SUSPENDED"))
    pair.london.wire.bend = None
    pair.turn()
    with pytest.raises(NotFound):
        pair.arrived()
    change(pair.helsinki.node, pair.agreement, "in-force")
    pair.completed()
    assert pair.arrived() == WHOLE


def test_a_revocation_ends_it_and_nothing_of_it_is_ever_there(pair: Pair) -> None:
    pair.file()
    pair.london.wire.bend = lambda request, reply: Reply(503, {}, b"") if request.method == "HEAD" else reply
    pair.ask()
    pair.until(lambda: bool(pair.books()))
    change(pair.helsinki.node, pair.agreement, "revoked")
    pair.london.wire.bend = None
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"))
    with pytest.raises(NotFound):
        pair.arrived()


def test_who_asks_for_what_the_agreement_does_not_let_through_hears_which_clause(pair: Pair) -> None:
    pair.agree(atom("purpose", "isA", "https://w3id.org/dpv#AcademicResearch"))
    pair.file()
    pair.ask()
    pair.until(lambda: pair.ours().state == "TERMINATED")
    assert pair.ours().reasons


def test_a_disk_without_room_is_waited_for_and_ends_nothing(pair: Pair) -> None:
    pair.file()
    incoming, room = pair.london.federation.moving.incoming, [0]
    incoming._free = lambda _: room[0]
    pair.ask()
    pair.until(lambda: bool(pair.books()) and pair.books()[0][2] > 0)
    assert "no room" in pair.books()[0][3]
    room[0] = 1 << 40
    hurried(pair)
    pair.completed()
    assert pair.arrived() == WHOLE


def test_who_does_not_take_it_ends_the_transfer_with_a_reason(pair: Pair) -> None:
    pair.file()
    pair.london.wire.bend = lambda request, reply: Reply(413, {}, b"") if request.method == "PATCH" else reply
    pair.ask()
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"))
    assert (pair.theirs().code, pair.ours().code) == ("undeliverable", "undeliverable")
    assert "413" in " ".join(pair.ours().reasons)


def test_any_address_takes_a_part_as_one_body_with_its_token(abroad: Pair) -> None:
    pair = abroad
    pair.file()
    with Sink() as sink:
        pair.ask("one.csv", elsewhere(f"{sink.url}/drop?key=1", "a-secret"))
        pair.until(lambda: bool(sink.taken) and pair.theirs().state in ("COMPLETED", "TERMINATED"))
    ((method, path, headers, body),) = sink.taken
    assert (method, path, body) == ("PUT", "/drop?key=1", WHOLE)
    assert (headers["authorization"], headers["content-type"]) == ("Bearer a-secret", "text/csv")


@pytest.fixture
def abroad(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Let Helsinki send over real sockets."""
    monkeypatch.setattr(type(pair.helsinki.node.federation.moving.pusher._carrier._outbound), "send", Outbound.send)
    return pair


@pytest.mark.parametrize("size", [9 << 20, 300_000])
def test_who_thanks_before_all_bytes_were_taken_has_not_got_them_and_nobody_signs_that(abroad: Pair, size: int) -> None:
    abroad.file("one.csv", bytes(size))
    with hasty(200) as url:
        abroad.ask("one.csv", elsewhere(url))
        abroad.until(lambda: abroad.theirs().state in ("COMPLETED", "TERMINATED"))
    assert (abroad.theirs().state, abroad.theirs().code) == ("TERMINATED", "undeliverable")
    assert "before it had taken all bytes" in " ".join(abroad.theirs().reasons)
    assert [each["kind"] for each in abroad.receipts() if each["kind"] in ("receipt", "one-sided")] == []


@pytest.mark.parametrize("status", [301, 307, 308])
def test_an_address_that_leads_elsewhere_ends_the_transfer_and_is_asked_once(abroad: Pair, status: int) -> None:
    abroad.file()
    with Sink(status) as sink:
        abroad.ask("one.csv", elsewhere(f"{sink.url}/drop"))
        abroad.until(lambda: abroad.theirs().state in ("COMPLETED", "TERMINATED"))
    assert (abroad.theirs().state, len(sink.taken)) == ("TERMINATED", 1)
    assert "leads to another address" in " ".join(abroad.theirs().reasons)


def hurried(pair: Pair, **changes: Any) -> list[int]:
    """Let Helsinki's hands see a clock that runs a minute a look; give it."""
    pusher, now = pair.helsinki.federation.moving.pusher, [clock_ms()]

    def clock() -> int:
        now[0] += 60_000
        return now[0]

    pusher._house = replace(pusher._house, clock_ms=clock, **changes)
    return now


def test_a_city_that_leads_elsewhere_is_asked_a_bounded_number_of_times(pair: Pair) -> None:
    pair.file()
    hurried(pair)
    asked: list[Request] = []

    def away(request: Request, reply: Reply) -> Reply:
        if request.method != "HEAD":
            return reply
        asked.append(request)
        return Reply(308, {"location": "/elsewhere"}, b"")

    pair.london.wire.bend = away
    pair.ask()
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"), 400)
    assert len(asked) == MAX_NOES


def test_what_can_never_be_signed_ends_with_a_reason_instead_of_never(pair: Pair) -> None:
    def refuses(*_: object) -> str:
        raise Malformed("No receipt can be written of that.")

    pair.file()
    hurried(pair, half_signed=refuses)
    pair.ask()
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"), 400)
    assert pair.ours().code == "undeliverable"
    assert "No receipt can be written" in " ".join(pair.ours().reasons)


def test_a_dataset_that_outgrows_its_bound_meanwhile_ends_with_a_reason_instead_of_never(pair: Pair) -> None:
    folder = pair.file("folder/one.csv").parent / "many"
    folder.mkdir()
    (folder / "0.csv").write_bytes(b"x")
    wish = OriginWish(pair.dataset, str(folder), part="many")
    pair.helsinki.federation.moving.origin_parts.office.add(wish, by="a test", files=True)
    for number in range(MAX_PARTS + 1):
        (folder / f"{number}.csv").touch()
    hurried(pair)
    pair.ask()
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"), 400)
    assert "its receipt names each" in " ".join(pair.ours().reasons)


def test_what_cannot_be_read_for_a_week_ends_without_a_word_of_where_it_lies(pair: Pair) -> None:
    pair.file().unlink()
    now = hurried(pair)
    pair.ask()
    pair.until(lambda: pair.ours().state == "STARTED")
    now[0] += 8 * 86_400_000
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"))
    said = " ".join(pair.ours().reasons)
    assert "one.csv cannot be read now where it lies." in said
    assert str(pair.folder) not in said


def test_of_a_server_that_does_not_answer_the_other_city_hears_no_address(pair: Pair) -> None:
    where = Registered(pair.dataset, "one.csv", "https", "https://inside.example/in/one.csv?sig=s3cr3t")
    pair.helsinki.federation.moving.origin_parts.office._store.add(where, None)
    now = hurried(pair)
    pair.ask()
    pair.until(lambda: pair.ours().state == "STARTED")
    now[0] += 8 * 86_400_000
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"))
    said = " ".join(pair.ours().reasons)
    assert "one.csv cannot be read now where it lies." in said
    assert "inside" not in said


def test_a_push_never_goes_where_this_node_does_not_go(pair: Pair) -> None:
    pair.file()
    for endpoint in ("http://10.0.0.1/drop", "http://169.254.169.254/latest"):
        pair.ask("one.csv", elsewhere(endpoint))
        pair.until(lambda: pair.theirs().state == "TERMINATED")
        assert pair.theirs().code == "undeliverable"
        told = " ".join(pair.theirs().reasons)
        assert "does not go" in told
        assert "CITYNODE" not in told  # nor which address a name of ours stands for


def test_the_door_of_another_city_is_not_ours_to_name(pair: Pair) -> None:
    pair.file()
    pair.ask(address={**at_our_door(HELSINKI)})
    pair.until(lambda: pair.ours().state == "TERMINATED")
    assert "door" in " ".join(pair.ours().reasons)


@pytest.mark.parametrize("endpoint", ["file:///etc/passwd", "ftp://x/", "https://a b/", "https://store.example/in?x=1"])
def test_what_can_never_be_brought_anywhere_is_refused_before_it_counts_as_a_use(pair: Pair, endpoint: str) -> None:
    pair.agree(atom("count", "lteq", "1"))
    pair.file()
    pair.ask(address={**elsewhere("https://store.example/in"), "endpoint": endpoint})
    pair.until(lambda: pair.ours().state == "TERMINATED")
    assert not pair.helsinki.federation.moving.transfers.list()
    pair.ask()
    pair.completed()


def test_who_never_answers_holds_two_pairs_of_hands_and_no_others(pair: Pair) -> None:
    pair.file()
    over, waiting = threading.Event(), []

    def hangs(request: Request, reply: Reply) -> Reply:
        if request.method == "HEAD":
            waiting.append(request)
            over.wait(10)
        return reply

    pair.london.wire.bend = hangs
    for _ in range(4):
        pair.ask()
    for _ in range(3):
        for one in (pair.london, pair.helsinki):
            one.federation.moving.transfers.deliver(clock_ms())
        pair.helsinki.federation.moving.pusher.look()
    try:
        time.sleep(0.3)
        assert len(waiting) == AT_ONCE_OF_ONE < AT_ONCE
    finally:
        over.set()
    pair.until(lambda: len(waiting) >= 4)


def test_strangers_and_other_cities_find_no_door(pair: Pair) -> None:
    pair.file()
    transfer = pair.ask()
    pair.completed()
    path = f"/data/incoming/{transfer.pid}/one.csv"
    assert pair.london.get(path).status == 401
    url = pair.helsinki.url + path
    london = pair.london.federation
    own = SignedTokens(london.token_source, london.dsp.messages).headers(pair.helsinki.url, "GET", url)
    assert pair.helsinki.get(path, **{name.lower(): value for name, value in own.items()}).status == 404


def test_who_lets_bytes_drip_after_it_is_over_is_cut_off_within_a_second(pair: Pair) -> None:
    pair.file()
    pair.london.wire.bend = lambda request, reply: Reply(503, {}, b"") if request.method == "HEAD" else reply
    transfer = pair.ask()
    pair.until(lambda: pair.state() == ("STARTED", "STARTED"))
    path = f"/data/incoming/{transfer.pid}/one.csv"
    helsinki, part = pair.helsinki.federation, pair.helsinki.federation.moving.origins.parts(pair.dataset)[0]
    tokens = SignedTokens(helsinki.token_source, helsinki.dsp.messages)
    shown = {**head_of(part, 0), **tokens.headers(pair.london.url, "PATCH", pair.london.url + path)}
    over: list[float] = []

    async def drips() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"a byte", "more_body": True}

    def ends() -> None:
        time.sleep(0.6)
        pair.london.federation.moving.transfers.step(transfer.pid, Step("suspend", code="enough"))
        over.append(time.monotonic())

    ending = threading.Thread(target=ends)
    ending.start()
    told = pair.london.wire.run(knock(pair.london, "PATCH", path, shown, receive=drips))
    ended = time.monotonic()
    ending.join()
    assert told.status == 409
    assert ended - over[0] < 1


def test_who_withdraws_its_wish_is_brought_nothing_more(pair: Pair) -> None:
    pair.file()
    pair.london.wire.bend = lambda request, reply: Reply(503, {}, b"") if request.method == "HEAD" else reply
    transfer = pair.ask()
    pair.until(lambda: bool(pair.books()))
    pair.london.federation.moving.transfers.step(transfer.pid, Step("terminate", code="enough"))
    pair.london.wire.bend = None
    pair.until(lambda: pair.state() == ("TERMINATED", "TERMINATED"))
    pair.turn()
    with pytest.raises(NotFound):
        pair.arrived()


def test_a_worker_that_stops_leaves_everything_to_the_next(pair: Pair) -> None:
    pair.file()
    pair.ask()
    pusher = pair.helsinki.federation.moving.pusher
    pusher._stop.set()
    for _ in range(3):
        pair.turn()
    assert pair.theirs().state == "STARTED"
    pusher._stop = threading.Event()
    pair.completed()
    assert pair.arrived() == WHOLE
