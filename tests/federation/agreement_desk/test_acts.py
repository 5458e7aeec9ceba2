"""Laws of what is done with agreements that stand: acts, notices, reminders; all on one city's database."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from node.db import Database
from node.errors import Conflict, Malformed, NodeError, NotFound, PeerUnreachable, TooLarge, Unauthenticated
from node.federation.agreement_desk.acts import AgreementActs
from node.federation.agreement_desk.notices import MAX_BODY_BYTES, AgreementNotices, read_notice
from node.federation.agreement_desk.reminders import Reminders
from node.federation.agreements.agreements import pair_collection
from node.federation.dialogues.outgoing import GIVE_UP_MS, Outbox
from node.federation.exchange.notices import Notices
from node.keys import Keyring
from tests.federation.agreement_rig import DAY, LONDON, T0, US, Standing, text_of, until

NEW = "22222222-2222-4222-8222-222222222222"


class Wire:
    """The way to other cities: what was told, or the error that stands in its way."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Mapping[str, object]]] = []
        self.error: NodeError | None = None

    def tell_agreement(self, url: str, said: Mapping[str, object]) -> None:
        if self.error:
            raise self.error
        self.told.append((url, said))


class Desk(Standing):
    """A city with its acts, notices and reminders, and a clock."""

    def __init__(self, db: Database, keyring: Keyring) -> None:
        super().__init__(db, keyring)
        self.now = T0 + 10
        self.wire = Wire()
        outbox = Outbox(db, chance=lambda: 0.0)
        self.notices = AgreementNotices(db, outbox, client=self.wire, base_url=US, peers=self.peers)
        self.acts = AgreementActs(
            db,
            agreements=self.agreements,
            pairs=self.pairs,
            notices=self.notices,
            peers=self.peers,
            clock_ms=lambda: self.now,
        )
        self.reminders = Reminders(db, self.agreements, days=30)


@pytest.fixture
def desk(db: Database, keyring: Keyring) -> Desk:
    return Desk(db, keyring)


def test_an_act_holds_at_once_is_signed_and_is_told(desk: Desk) -> None:
    iri = desk.conclude(text_of())
    assert desk.acts.act("suspend", iri, reason="A pause.").state_at(desk.now) == "suspended"
    with desk.db.read() as tx:
        assert "\n2\n" in (desk.journals.newest_checkpoint(tx, pair_collection(LONDON)) or "")
    assert desk.notices.deliver(desk.now) == 1
    ((url, said),) = desk.wire.told
    assert (url, said["agreement"], said["state"], said["reason"]) == (LONDON, iri, "suspended", "A pause.")
    told = desk.notices.told(iri)
    assert told is not None
    assert (told.delivered, told.sentence) == (True, "delivered")
    assert desk.acts.act("resume", iri).state_at(desk.now) == "in-force"


def test_the_same_act_again_changes_nothing_and_tells_nobody(desk: Desk) -> None:
    iri = desk.conclude(text_of())
    for _ in range(3):
        desk.acts.act("revoke", iri, reason="Over.")
    assert desk.sizes()[pair_collection(LONDON)] == 2
    assert desk.notices.deliver(desk.now) == 1


@pytest.mark.parametrize(
    ("first", "then", "error"),
    [("revoke", "suspend", Conflict), ("revoke", "resume", Conflict), ("suspend", "suspend", None)],
)
def test_there_is_no_way_back_from_an_end(desk: Desk, first: Any, then: Any, error: Any) -> None:
    iri = desk.conclude(text_of())
    desk.acts.act(first, iri, reason="Because.")
    if error is None:
        desk.acts.act(then, iri, reason="Because.")
        return
    with pytest.raises(error):
        desk.acts.act(then, iri, reason="Because.")
    assert desk.sizes()[pair_collection(LONDON)] == 2


def test_an_act_needs_a_reason_in_one_line_and_an_agreement(desk: Desk) -> None:
    iri = desk.conclude(text_of())
    for reason in ("", "  ", "x" * 1_001, "two\nlines", "\u202eturned"):
        with pytest.raises(Malformed):
            desk.acts.act("suspend", iri, reason=reason)
    with pytest.raises(NotFound):
        desk.acts.act("suspend", f"{US}/agreements/none", reason="x")
    assert desk.state(iri) == "in-force"
    assert desk.notices.told(iri) is None


def test_what_is_replaced_later_is_superseded_when_the_time_has_come(desk: Desk) -> None:
    old = desk.conclude(text_of())
    rules = until("2029-01-01T00:00:00Z", start="2027-03-01T00:00:00Z")
    new = desk.conclude(text_of(NEW, rules=rules, replaces=old))
    begins = desk.agreements.get(new).starts_at
    assert desk.acts.supersede(begins - 1) == []
    assert [each.iri for each in desk.acts.supersede(begins)] == [old]
    assert desk.acts.supersede(begins) == []
    assert desk.agreements.get(old).our_state == "superseded"
    assert desk.tables() == desk.rebuilt()


def test_what_was_revoked_in_the_moment_of_its_replacement_stays_revoked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = desk.conclude(text_of())
    rules = until("2029-01-01T00:00:00Z", start="2027-03-01T00:00:00Z")
    begins = desk.agreements.get(desk.conclude(text_of(NEW, rules=rules, replaces=old))).starts_at
    seen = desk.agreements.all()
    desk.acts.act("revoke", old, reason="Over.")
    monkeypatch.setattr(desk.agreements, "all", lambda: seen)
    assert desk.acts.supersede(begins) == []
    with desk.db.read() as tx:
        entries = desk.journals.entries(tx, pair_collection(LONDON), after=0, limit=10)
    assert len(entries) == 3, "agreed twice, revoked once, and nothing after it"


def test_what_was_replaced_is_over_for_every_act_before_our_journal_says_so(desk: Desk) -> None:
    old = desk.conclude(text_of())
    rules = until("2029-01-01T00:00:00Z", start="2027-03-01T00:00:00Z")
    new = desk.conclude(text_of(NEW, rules=rules, replaces=old))
    desk.acts.act("suspend", old, reason="A pause.")
    desk.now = desk.agreements.get(new).starts_at
    desk.acts.act("revoke", new, reason="Over.")
    with pytest.raises(Conflict):
        desk.acts.act("resume", old)
    assert desk.state(old, desk.now) == "superseded"
    assert [each.iri for each in desk.acts.supersede(desk.now)] == [old]


def test_a_notice_is_tried_until_it_is_delivered(desk: Desk) -> None:
    iri = desk.conclude(text_of())
    desk.acts.act("revoke", iri, reason="Over.")
    desk.wire.error = PeerUnreachable("London is away.")
    assert desk.notices.deliver(desk.now) == 0
    assert desk.notices.deliver(desk.now) == 0, "it waits for its time"
    told = desk.notices.told(iri)
    assert told is not None
    assert (told.tries, told.delivered) == (1, False)
    assert "London is away" in told.sentence
    desk.wire.error = None
    assert desk.notices.deliver(desk.now + DAY) == 1


@pytest.mark.parametrize(
    ("error", "later"),
    [
        (NotFound("No such door."), 0),
        (PeerUnreachable("Away."), GIVE_UP_MS),
        (Unauthenticated("No token of ours holds."), GIVE_UP_MS),
    ],
)
def test_a_notice_that_nobody_takes_is_given_up_and_said_so(desk: Desk, error: NodeError, later: int) -> None:
    iri = desk.conclude(text_of())
    desk.acts.act("revoke", iri, reason="Over.")
    desk.wire.error = error
    assert desk.notices.deliver(desk.now + later) == 0
    told = desk.notices.told(iri)
    assert told is not None
    assert told.sentence.startswith("given up after 1 attempts")
    assert desk.notices.deliver(desk.now + later + DAY) == 0


def test_a_notice_makes_the_pair_journal_read_and_nothing_else(desk: Desk) -> None:
    iri = desk.conclude(text_of())
    heard = Notices(
        desk.journals,
        desk.peers,
        None,  # type: ignore[arg-type]
        readers=lambda _: (),
        after_ms=0,
        chance=lambda: 0.0,
    )
    said = json.dumps({"agreement": iri, "state": "revoked", "reason": "x", "at": ""}).encode()
    assert desk.notices.hear("london", said, desk.now, heard)
    assert [(each.peer, list(each.sizes)) for each in heard.nudges()] == [
        ("london", [f"{LONDON}/collections/{pair_collection(US)}"])
    ]
    assert desk.state(iri) == "in-force"
    assert not desk.notices.hear("oslo", said, desk.now, heard), "nothing of oslo is followed"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"agreement":"x"}', b'{"agreement":1,"state":"x"}', b'{"agreement":"x\\n","state":"y"}',
     json.dumps({"agreement": "x" * 501, "state": "y"}).encode()],
)  # fmt: skip
def test_a_notice_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_notice(body)


def test_a_notice_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_notice(b" " * (MAX_BODY_BYTES + 1))


def test_a_reminder_is_logged_once_and_shown_until_it_is_settled(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    iri = desk.conclude(text_of(rules=until("2027-06-01T00:00:00Z"), review="2027-05-01"))
    held = desk.agreements.get(iri)
    assert desk.reminders.due(held.review_at - 31 * DAY) == []
    near = held.ends_at - 10 * DAY
    assert [each.what for each in desk.reminders.due(near)] == ["review 2027-05-01", "ends 2027-06-01"]
    assert len(desk.reminders.tell(near)) == 2
    assert desk.reminders.tell(near) == []
    assert [record.message for record in caplog.records if "ends on" in record.message] == [
        "Plans with london ends on 2027-05-31 (included)."
    ]
    (ended,) = desk.reminders.due(held.ends_at)
    assert (ended.what, ended.sentence) == ("ended 2027-06-01", "Plans with london ended on 2027-05-31 (included).")
    desk.change(iri, "revoked", "Over.")
    assert desk.reminders.due(near) == []
