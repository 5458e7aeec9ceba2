"""What waits for other cities: sent in order, by one sender at a time, again after a while, never lost by a crash."""

import threading

import pytest

from node.db import Database
from node.errors import Conflict, PeerUnreachable, TooManyRequests, Unauthenticated
from node.federation.dialogues.outgoing import KEEP_MS, LEASE_MS, Outbox, Outgoing

NOW = 1_000_000


def put(box: Outbox, subject: str = "a", peer: str = "https://london.test", kind: str = "notice") -> int:
    with box.db.write() as tx:
        return box.put(tx, kind=kind, subject=subject, peer=peer, step="in-force", url="", body="{}", at_ms=NOW)


class Post:
    """Takes what is sent, or fails."""

    def __init__(self, box: Outbox, error: Exception | None = None) -> None:
        self.box, self.error, self.sent = box, error, list[int]()

    def __call__(self, one: Outgoing) -> bool:
        self.sent.append(one.id)
        if self.error:
            raise self.error
        with self.box.db.write() as tx:
            return self.box.close(tx, one.id, at_ms=NOW)


@pytest.fixture
def box(db: Database) -> Outbox:
    return Outbox(db, chance=lambda: 0.0)


def test_messages_of_one_subject_go_out_in_order_one_a_round(box: Outbox) -> None:
    post, first, second = Post(box), put(box), put(box)
    assert box.due(NOW)
    assert box.deliver("notice", NOW, post) == 1
    assert box.deliver("notice", NOW, post) == 1
    assert post.sent == [first, second]
    assert not box.due(NOW)


def test_only_what_is_asked_for_is_sent(box: Outbox) -> None:
    post, wanted = Post(box), put(box, "b")
    put(box, "a")
    put(box, "b", kind="dsp")
    assert box.deliver("notice", NOW, post, subject="b") == 1
    assert post.sent == [wanted]


@pytest.mark.parametrize("error", [PeerUnreachable("No answer."), Unauthenticated("No token.")])
def test_after_a_failure_everything_for_that_peer_waits_and_others_do_not(box: Outbox, error: Exception) -> None:
    put(box, "a")
    put(box, "b")
    elsewhere = put(box, "c", "https://ghent.test")
    taken = Post(box)

    def send(one: Outgoing) -> bool:
        if one.peer == "https://london.test":
            raise error
        return taken(one)

    assert box.deliver("notice", NOW, send) == 1
    assert taken.sent == [elsewhere]
    assert not box.due(NOW)
    assert box.due(NOW + 10_000)
    found = box.newest("notice", "a")
    assert found
    assert (found[0].tries, found[0].error, found[1]) == (1, str(error), 0)
    assert box.newest("notice", "nothing") is None


def test_a_bound_on_how_often_one_may_come_holds_up_what_is_of_its_kind_alone(box: Outbox) -> None:
    put(box, "a", kind="report")
    put(box, "b", kind="report")
    notice = put(box, "c")

    def refuse(one: Outgoing) -> bool:
        raise TooManyRequests("Fifty an hour.", retry_after_s=3_600)

    assert box.deliver("report", NOW, refuse) == 0
    post = Post(box)
    assert box.deliver("report", NOW + 60_000, post) == 0
    assert box.deliver("notice", NOW, post) == 1
    assert post.sent == [notice]


def test_what_cannot_be_stored_here_waits_alone(box: Outbox) -> None:
    bad, good = put(box, "a"), put(box, "b")
    elsewhere = put(box, "c", "https://ghent.test")
    taken = Post(box)

    def send(one: Outgoing) -> bool:
        if one.id == bad:
            raise Conflict("It is held already.")
        return taken(one)

    assert box.deliver("notice", NOW, send) == 2
    assert sorted(taken.sent) == [good, elsewhere]
    found = box.newest("notice", "a")
    assert found
    assert (found[0].tries, found[0].error, found[1]) == (1, "It is held already.", 0)
    assert NOW < found[0].due_at <= NOW + 10_000


def test_what_a_sender_took_and_never_settled_is_sent_again_later(box: Outbox) -> None:
    put(box)

    class Killed(BaseException):
        pass

    def die(_: Outgoing) -> bool:
        raise Killed

    with pytest.raises(Killed):
        box.deliver("notice", NOW, die)
    post = Post(box)
    assert box.deliver("notice", NOW, post) == 0
    assert box.deliver("notice", NOW + LEASE_MS, post) == 1
    found = box.newest("notice", "a")
    assert found
    assert found[0].tries == 2


def test_senders_at_once_send_nothing_twice(box: Outbox) -> None:
    for number in range(6):
        put(box, str(number), f"https://{number % 3}.test")
    post, start = Post(box), threading.Barrier(3)

    def run() -> None:
        start.wait()
        box.deliver("notice", NOW, post)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(post.sent) == len(set(post.sent)) == 6


def test_what_was_closed_is_forgotten_after_a_month_and_what_waits_never(box: Outbox) -> None:
    put(box, "taken")
    given_up, waits = put(box, "given up"), put(box, "waits", "https://ghent.test")
    box.deliver("notice", NOW, Post(box), subject="taken")
    with box.db.write() as tx:
        box.close(tx, given_up, at_ms=NOW + 1, error="No answer.")
    assert box.forget(NOW + KEEP_MS) == 0
    assert box.forget(NOW + KEEP_MS + 1) == 1
    assert (box.newest("notice", "taken"), bool(box.newest("notice", "given up"))) == (None, True)
    assert box.forget(NOW + 100 * KEEP_MS) == 1
    found = box.newest("notice", "waits")
    assert found
    assert (found[0].id, found[1]) == (waits, 0)
