"""What one side hears: every message in every state, twice, changed, at once, from others, and forged."""

import itertools
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.db import Database
from node.errors import BadSignature, Conflict, ForbiddenAddress, Malformed, NodeError, NotFound, Refused, Refuted
from node.federation.agreements.text import PROOF, TEXT, compose, dsp_agreement, read_text
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.negotiation import KINDS, STATES, Kind, Negotiation, Role, State, Step, heard
from node.federation.negotiations.store import NegotiationStore
from node.federation.signing.integrity import jcs
from node.federation.turns import ROLES, No, other
from node.keys import Keyring
from tests.conftest_db import BOTH, _urls
from tests.federation.negotiating import (
    ABOUT,
    HELSINKI,
    LONDON,
    OFFER,
    OTHER,
    RULES,
    TARGET,
    Clock,
    Known,
    Line,
    Side,
    by_state,
    talk,
)

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save

NAMES: Mapping[Kind, str] = {
    "request": "ContractRequestMessage",
    "offer": "ContractOfferMessage",
    "accept": "ContractNegotiationEventMessage",
    "agree": "ContractAgreementMessage",
    "verify": "ContractAgreementVerificationMessage",
    "finalize": "ContractNegotiationEventMessage",
    "terminate": "ContractNegotiationTerminationMessage",
}
TABLES = ("negotiation", "message", "outgoing")
NOW = 1_750_000_000_000
NUMBERS = itertools.count(1)


@pytest.fixture
def clock(keyring: Keyring, their_keys: Keyring) -> Clock:
    ages = [key.since_ms for ring in (keyring, their_keys) for key in ring.published()]
    return Clock(max(NOW, *ages) + 1_000)


def sides_on(databases: tuple[Database, Database], clock: Clock, keyring: Keyring, their_keys: Keyring) -> Any:
    line, keys = Line(), {HELSINKI: keyring, LONDON: their_keys}
    made = [Side(url, db, clock, line, Known(keys)) for url, db in zip((HELSINKI, LONDON), databases, strict=True)]
    return made[0], made[1]


@pytest.fixture
def sides(tmp_path: Path, migrated: Path, clock: Clock, keyring: Keyring, their_keys: Keyring) -> Iterator[Any]:
    databases = []
    for name in ("a", "b"):
        shutil.copy(migrated, tmp_path / f"{name}.db")
        databases.append(Database(f"sqlite:///{tmp_path / name}.db"))
    yield sides_on((databases[0], databases[1]), clock, keyring, their_keys)
    for each in databases:
        each.close()


def message(kind: Kind, consumer: str, provider: str, at_ms: int = NOW, **more: Any) -> dict[str, Any]:
    """Write a message as another connector would; an empty pid is left out."""
    said: dict[str, Any] = {"@context": [DSP_CONTEXT], "@type": NAMES[kind]}
    said |= {name: pid for name, pid in (("consumerPid", consumer), ("providerPid", provider)) if pid}
    if kind in ("request", "offer"):
        said["offer"] = {"@type": "Offer", **OFFER}
    if kind in ("accept", "finalize"):
        said["eventType"] = {"accept": "ACCEPTED", "finalize": "FINALIZED"}[kind]
    if kind == "agree":
        text = compose(f"{LONDON}/agreements/{next(NUMBERS)}", TARGET, LONDON, HELSINKI, at_ms, {}, RULES)
        said["agreement"] = dsp_agreement(text)
    return said | more


def first(**more: Any) -> dict[str, Any]:
    return message("request", "c-1", "", callbackAddress=f"{HELSINKI}/dsp/2025-1/", **more)


def held(side: Side, role: Role, state: State) -> Negotiation:
    """Put a negotiation into a state, as if it had come so far."""
    peer = LONDON if role == "consumer" else HELSINKI
    store = NegotiationStore(side.db)
    made = side.negotiations._new(role, peer, OFFER, {}, side.clock())
    signed = compose(f"{LONDON}/agreements/1", TARGET, LONDON, HELSINKI, NOW, {}, RULES).text
    made = replace(made, other_pid="theirs", other_url=f"{peer}/dsp/2025-1", state=state, signed=signed)
    with side.db.write() as tx:
        store.insert(tx, made)
    return made


def everything(db: Database) -> list[Any]:
    with db.read() as tx:
        return [tx.rows(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES]  # noqa: S608 - names of tables


# ---------------------------------------------------------------- every message in every state


def test_what_does_not_fit_is_refused_and_changes_nothing_in_any_state_of_either_role(sides: Any) -> None:
    for role, state, kind in itertools.product(ROLES, STATES, KINDS):
        side = sides[0] if role == "consumer" else sides[1]
        side.unsigned, side.signs = True, False
        side.restart()
        made = held(side, role, state)
        said = message(kind, made.consumer_pid, made.provider_pid, made.created_at)
        if kind == "request":
            said.pop("callbackAddress", None)
        before = everything(side.db)
        expected = heard(role, state, kind) if state else No("", "")
        if isinstance(expected, No):
            with pytest.raises(Conflict):
                side.negotiations.hear(made.peer, role, made.pid, said, kind)
            assert everything(side.db) == before
            with pytest.raises(NodeError):  # of another role's path: as if it were not there
                side.negotiations.hear(made.peer, other(role), made.pid, said, kind)
            assert everything(side.db) == before
        else:
            found = side.negotiations.hear(made.peer, role, made.pid, said, kind)
            assert found.state == expected
            assert found.version == made.version + 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"@type": "Nothing"},
        first() | {"@context": []},
        first() | {"offer": {"@type": "Offer", "@id": "x", "target": TARGET}},
        first() | {"offer": {"@type": "Offer", **OFFER, "permission": [{"action": "fly"}]}},
        first() | {"offer": {"@type": "Offer", **OFFER, "target": ""}},
        first() | {"offer": {"@type": "Offer", **RULES, "@id": "x"}},
        first() | {"@id": 7},
        *(first() | {"@id": name} for name in ("a\0b", "a\x85", "a\u202eb", "..", "urn:x/../y")),
        first() | {"callbackAddress": f"{HELSINKI}/dsp?to="},
        first() | {"@id": "x" * 1000},
        first() | {"providerPid": "p"},
        message("request", "c", "p"),
        message("accept", "c", "p"),
        message("offer", "", "p", callbackAddress=HELSINKI),
    ],
)
def test_a_beginning_that_cannot_be_read_begins_nothing(sides: Any, said: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        sides[1].negotiations.hear(HELSINKI, "provider", "", said, "request")
    assert not sides[1].negotiations.list()


@pytest.mark.parametrize(
    "callback", ["https://elsewhere.test/dsp", f"{HELSINKI}.evil.test/", f"{HELSINKI}@evil.test/", f"{HELSINKI}/../x"]
)
def test_an_answer_is_wanted_below_the_callers_own_address_alone(sides: Any, callback: str) -> None:
    with pytest.raises(ForbiddenAddress):
        sides[1].negotiations.hear(HELSINKI, "provider", "", first() | {"callbackAddress": callback}, "request")
    assert not sides[1].negotiations.list()


def test_a_negotiation_is_nobodys_but_its_two_sides(sides: Any) -> None:
    _helsinki, london = sides
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    said = message("terminate", "c-1", found.pid)
    before = everything(london.db)
    for caller, role, pid in (
        (LONDON, None, found.pid),
        (HELSINKI, None, "no such"),
        (HELSINKI, "consumer", found.pid),
    ):
        with pytest.raises(NotFound, match="no such negotiation"):
            london.negotiations.hear(caller, role, pid, said, "terminate")
        with pytest.raises(NotFound, match="no such negotiation"):
            london.negotiations.state(caller, role, pid)
    london.parties.strangers.add(HELSINKI)
    with pytest.raises(NotFound, match="no such negotiation"):
        london.negotiations.hear(HELSINKI, None, found.pid, said, "terminate")
    with pytest.raises(NotFound, match="no such negotiation"):
        london.negotiations.state(HELSINKI, None, found.pid)
    assert everything(london.db) == before


def test_wrong_pids_are_refused(sides: Any) -> None:
    _, london = sides
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    for consumer, provider in (("c-2", found.pid), ("c-1", "other")):
        with pytest.raises(Malformed, match="pids"):
            london.negotiations.hear(HELSINKI, None, found.pid, message("terminate", consumer, provider), "terminate")
    assert london.states() == ["REQUESTED"]


def test_what_may_not_begin_is_refused_as_it_says(sides: Any) -> None:
    _, london = sides

    def admits(*_: object) -> None:
        raise NotFound("There is no such dataset.")

    london.admits = admits
    with pytest.raises(NotFound, match="dataset"):
        london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    assert not london.negotiations.list()


def test_what_stands_beside_our_offer_stands_beside_a_request_that_does_not_know_it(sides: Any) -> None:
    _, london = sides
    london.about_of = lambda peer, offer: ABOUT if (peer, offer["@id"]) == (HELSINKI, OFFER["@id"]) else {}
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    assert found.about == ABOUT


def test_so_many_negotiations_and_messages_and_no_more(sides: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, london = sides
    monkeypatch.setattr("node.federation.dialogues.rounds.MAX_OPEN", 1)
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    with pytest.raises(Refused, match="are open"):
        london.negotiations.hear(HELSINKI, "provider", "", first() | {"consumerPid": "c-2"}, "request")
    monkeypatch.setattr("node.federation.dialogues.moves.MAX_MESSAGES", 0)
    long = held(london, "provider", "OFFERED")
    with pytest.raises(Conflict, match="messages"):
        london.negotiations.hear(HELSINKI, None, long.pid, message("request", "theirs", long.pid), "request")
    for each, consumer in ((long, "theirs"), (found, "c-1")):
        told = message("terminate", consumer, each.pid)
        assert london.negotiations.hear(HELSINKI, None, each.pid, told, "terminate").state == "TERMINATED"


# ---------------------------------------------------------------- twice


def test_a_first_message_again_is_the_same_negotiation(sides: Any) -> None:
    _, london = sides
    found = london.negotiations.hear(HELSINKI, "provider", "", first(), "request")
    before = everything(london.db)
    for again in (first(), first() | {"@id": "urn:uuid:1"}, first() | {"callbackAddress": f"{HELSINKI}/dsp/2025-1"}):
        assert london.negotiations.hear(HELSINKI, "provider", "", again, "request") == found
    for changed in ({"@type": "Offer", **OFFER, "@id": "other"}, {"@type": "Offer", **OTHER}):
        with pytest.raises(Conflict, match="pid of its own"):
            london.negotiations.hear(HELSINKI, "provider", "", first() | {"offer": changed}, "request")
    with pytest.raises(Conflict):
        london.negotiations.hear(
            HELSINKI, "provider", "", first() | {"callbackAddress": f"{HELSINKI}/other"}, "request"
        )
    assert everything(london.db) == before


@pytest.mark.parametrize("name", ["", "urn:uuid:7"])
def test_any_message_again_has_the_same_answer_and_no_second_effect(sides: Any, name: str) -> None:
    helsinki, _ = sides
    made = held(helsinki, "consumer", "REQUESTED")
    offer = message("offer", made.pid, "theirs") | ({"@id": name} if name else {})
    found = helsinki.negotiations.hear(LONDON, "consumer", made.pid, offer, "offer")
    assert found.state == "OFFERED"
    before = everything(helsinki.db)
    assert helsinki.negotiations.hear(LONDON, "consumer", made.pid, offer, "offer") == found
    assert everything(helsinki.db) == before


def test_a_repeat_with_another_content_is_refused(sides: Any) -> None:
    helsinki, _ = sides
    made = held(helsinki, "consumer", "REQUESTED")
    offer = message("offer", made.pid, "theirs") | {"@id": "urn:uuid:7"}
    helsinki.negotiations.hear(LONDON, "consumer", made.pid, offer, "offer")
    before = everything(helsinki.db)
    with pytest.raises(Conflict, match="@id"):
        helsinki.negotiations.hear(
            LONDON, "consumer", made.pid, offer | {"offer": {"@type": "Offer", **OTHER}}, "offer"
        )
    assert everything(helsinki.db) == before


def test_a_second_message_that_says_the_same_is_no_repeat(sides: Any) -> None:
    """The TCK's CN:03-04: two counter-requests alike but for their ids; the second does not fit any more."""
    _, london = sides
    made = held(london, "provider", "OFFERED")
    request = message("request", "theirs", made.pid)
    london.negotiations.hear(HELSINKI, "provider", made.pid, request | {"@id": "urn:uuid:1"}, "request")
    with pytest.raises(Conflict, match="No consumer asks"):
        london.negotiations.hear(HELSINKI, "provider", made.pid, request | {"@id": "urn:uuid:2"}, "request")
    assert london.one().state == "REQUESTED"


def test_a_late_repeat_does_not_take_back_what_came_after(sides: Any) -> None:
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="offer")
    helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    talk(helsinki, london)
    helsinki.negotiations.counter(helsinki.one().pid, OTHER, ABOUT)
    talk(helsinki, london)
    counter = next(each for each in london.negotiations.messages(london.one().pid)[::-1] if each.direction == "in")
    before = everything(london.db)
    found = london.negotiations.hear(HELSINKI, "provider", london.one().pid, json.loads(counter.body), "request")
    assert found.state == "OFFERED"
    assert everything(london.db) == before


# ---------------------------------------------------------------- at once


@pytest.fixture(params=BOTH)
def both(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, keyring: Keyring, their_keys: Keyring
) -> Iterator[Any]:
    folders = [tmp_path / "a", tmp_path / "b"]
    for each in folders:
        each.mkdir()
    urls = [_urls(request, each) for each in folders]
    databases = [Database(next(each)) for each in urls]
    yield sides_on((databases[0], databases[1]), clock, keyring, their_keys)
    for each in databases:
        each.close()
    for each in urls:
        next(each, None)


def at_once(*acts: Any) -> list[Any]:
    """Do everything at the same time; give what came of each."""
    start, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int) -> None:
        start.wait()
        try:
            found[number] = acts[number]()
        except NodeError as error:
            found[number] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def test_of_two_messages_at_once_one_is_taken(both: Any) -> None:
    _, london = both
    made = held(london, "provider", "OFFERED")
    accept = message("accept", "theirs", made.pid) | {"@id": "urn:uuid:1"}
    request = message("request", "theirs", made.pid) | {"@id": "urn:uuid:2"}
    found = at_once(
        lambda: london.negotiations.hear(HELSINKI, None, made.pid, accept, "accept"),
        lambda: london.negotiations.hear(HELSINKI, "provider", made.pid, request, "request"),
    )
    refused = [each for each in found if isinstance(each, Conflict)]
    assert len(refused) == 1
    assert london.one().version == 1
    assert len(london.negotiations.messages(made.pid)) == 1


def test_one_beginning_said_eight_times_at_once_begins_once(both: Any) -> None:
    _, london = both
    act = lambda: london.negotiations.hear(HELSINKI, "provider", "", first(), "request")  # noqa: E731
    found = at_once(*[act] * 8)
    assert len({each.pid for each in found}) == 1
    assert len(london.negotiations.messages(found[0].pid)) == 1


def test_approvals_that_race_a_termination_come_to_one_end(both: Any) -> None:
    """Two persons approve while a third ends it, and the worker sends meanwhile: there is one end, the same at both."""
    helsinki, london = both
    helsinki.decider.script = by_state(OFFERED="accept", AGREED="verify")
    for number in range(6):
        approved = threading.Event()
        london.decider.script = lambda n, yes=approved: (  # type: ignore[misc]
            by_state(REQUESTED="agree", VERIFIED="finalize")(n) if yes.is_set() else None
        )
        held_here = helsinki.negotiations.request(LONDON, OFFER, ABOUT)
        talk(helsinki, london)
        pid = next(each.pid for each in london.negotiations.list() if each.other_pid == held_here.pid)

        ending = (london, pid) if number % 2 else (helsinki, held_here.pid)

        def approve(yes: threading.Event = approved, pid: str = pid) -> None:
            yes.set()
            london.negotiations.settle(pid)

        at_once(
            approve,
            approve,
            lambda at=ending: at[0].negotiations.terminate(at[1], "withdrawn", ["Ask again."]),
            lambda: talk(london, helsinki),
        )
        for _ in range(4):
            talk(helsinki, london)
            helsinki.clock.now_ms += 200_000
        ours, theirs = helsinki.negotiations.get(held_here.pid), london.negotiations.get(pid)
        assert ours.state == theirs.state, number
        assert ours.is_final
        concluded = (helsinki.in_force().count(ours.agreement), london.in_force().count(theirs.agreement))
        assert concluded == ((1, 1) if ours.state == "FINALIZED" else (0, 0))


def test_a_decision_on_what_has_changed_meanwhile_is_made_anew(sides: Any) -> None:
    _, london = sides
    made = held(london, "provider", "REQUESTED")

    def slow(negotiation: Negotiation) -> Step | None:
        if negotiation.state == "REQUESTED":  # while we think about it, the other side ends it
            london.negotiations.hear(HELSINKI, None, made.pid, message("terminate", "theirs", made.pid), "terminate")
        return by_state(REQUESTED="agree", TERMINATED="agree")(negotiation)

    london.decider.script = slow
    assert london.negotiations.settle(made.pid).state == "TERMINATED"
    assert not london.one().sending
    assert london.decider.asked == 1


# ---------------------------------------------------------------- signed


@pytest.fixture
def agreed(sides: Any) -> Any:
    """Give both sides and the message by which London agrees, which Helsinki has not heard yet."""
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="agree", VERIFIED="finalize")
    helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    helsinki.deliver()
    helsinki.line.lose = lambda path, _who: "message" if path == "agreement" else ""
    london.deliver()
    (row,) = london.db.hot().rows("SELECT body FROM outgoing WHERE done_at = 0")
    return helsinki, london, json.loads(row[0])


def hears(side: Side, said: dict[str, Any], kind: Kind) -> Negotiation:
    one = side.one()
    return side.negotiations.hear(one.peer, one.role, one.pid, {**said, "@id": "urn:uuid:9"}, kind)


def test_a_good_agreement_is_taken(agreed: Any) -> None:
    helsinki, _, said = agreed
    found = hears(helsinki, said, "agree")
    assert found.state == "AGREED"
    assert len(read_text(found.signed).proofs) == 1


def forged(said: dict[str, Any], text: str | None = None, **changes: Any) -> dict[str, Any]:
    """Change the DSP object, and the signed text too if one is given; an empty one takes it away."""
    changed = said | {"agreement": said["agreement"] | changes} | ({} if text is None else {TEXT: text})
    return {name: value for name, value in changed.items() if value}


MORE = [{"action": "use"}, {"action": "distribute"}]
FORGED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another rule": lambda it: forged(it, permission=MORE),
    "another target": lambda it: forged(it, target=f"{LONDON}/collections/other"),
    "another assignee": lambda it: forged(it, assignee="https://ghent.test"),
    "another time": lambda it: forged(it, timestamp="2020-01-01T00:00:00Z"),
    "another text": lambda it: forged(it, it[TEXT].replace("Plans", "Plots")),
    "no proof": lambda it: forged(it, jcs({k: v for k, v in json.loads(it[TEXT]).items() if k != "proof"}).decode()),
    "no text, other rules": lambda it: forged(it, "", permission=MORE),
    "no text, other parties": lambda it: forged(it, "", assigner="https://x.test"),
}


@pytest.mark.parametrize("how", FORGED)
def test_an_agreement_that_says_something_else_is_refused(agreed: Any, how: str) -> None:
    helsinki, _, said = agreed
    before = everything(helsinki.db)
    with pytest.raises((Refuted, Malformed)):
        hears(helsinki, FORGED[how](said), "agree")
    assert everything(helsinki.db) == before


@pytest.mark.parametrize("signs", [True, False], ids=["signed", "unsigned"])
@pytest.mark.parametrize(("off_ms", "taken"), [(-1e12, 0), (-62e3, 0), (-58e3, 1), (58e3, 1), (62e3, 0), (2e14, 0)])
def test_an_agreement_is_dated_within_its_negotiation(agreed: Any, signs: bool, off_ms: float, taken: int) -> None:
    """Lengths of time in its clauses count from there: a date long ago would have used them up."""
    helsinki, london, said = agreed
    helsinki.clock.now_ms += 1_000_000
    began, now_ms = helsinki.one().created_at, helsinki.clock()
    at_ms = int(off_ms) + (began if off_ms < 0 else now_ms)
    text = compose(f"{LONDON}/agreements/7", TARGET, LONDON, HELSINKI, at_ms, ABOUT, RULES)
    if signs:
        text = read_text(london.negotiations._texts.signing.sign_as_assigner(text, now_ms))
    dsp = {name: each for name, each in dsp_agreement(text).items() if name != TEXT}
    said = forged(said, text.signed if signs else "", **dsp)
    if taken:
        assert hears(helsinki, said, "agree").state == "AGREED"
        return
    with pytest.raises((Refuted, Malformed)):
        hears(helsinki, said, "agree")
    assert helsinki.one().state == "REQUESTED"


def test_a_name_that_an_agreement_has_is_refused_before_it_is_signed(agreed: Any) -> None:
    helsinki, _, said = agreed
    iri = said["agreement"]["@id"]
    other = replace(helsinki.one(), pid="other", other_pid="theirs", agreement=iri, state="TERMINATED")
    with helsinki.db.write() as tx:
        NegotiationStore(helsinki.db).insert(tx, other)
    with pytest.raises(Refuted, match="another agreement of this name"):
        helsinki.negotiations.hear(LONDON, "consumer", said["consumerPid"], said, "agree")
    with helsinki.db.write() as tx:
        tx.run("DELETE FROM negotiation WHERE pid = 'other'")
    assert hears(helsinki, said, "agree").state == "AGREED"


def test_an_agreement_by_a_key_that_was_not_pinned_is_refused(agreed: Any, keyring: Keyring) -> None:
    helsinki, _, said = agreed
    helsinki.parties.keyrings = {**helsinki.parties.keyrings, LONDON: keyring}
    with pytest.raises(BadSignature):
        hears(helsinki, said, "agree")
    assert helsinki.states() == ["REQUESTED"]


def test_a_signed_agreement_on_other_terms_than_those_that_stood_is_refused(agreed: Any) -> None:
    helsinki, london, said = agreed
    text = read_text(said[TEXT])
    other_terms = compose(text.iri, TARGET, LONDON, HELSINKI, text.issued_ms, ABOUT | {"note": "And more."}, RULES)
    signing = london.negotiations._texts.signing
    signed = read_text(signing.sign_as_assigner(other_terms, london.clock()))
    with pytest.raises(Refuted, match="offer that stood"):
        hears(helsinki, {**said, "agreement": dsp_agreement(signed), TEXT: signed.signed}, "agree")


def unsigned(said: dict[str, Any]) -> dict[str, Any]:
    """Say it as a connector does that knows nothing of ours."""
    agreement = {name: value for name, value in said["agreement"].items() if "citynode" not in name}
    return {name: value for name, value in said.items() if "citynode" not in name} | {"agreement": agreement}


@pytest.mark.parametrize("suffices", [True, False])
def test_an_agreement_without_a_signature_is_taken_and_stands_only_where_that_suffices(
    agreed: Any, suffices: bool
) -> None:
    helsinki, _, said = agreed
    helsinki.unsigned = suffices
    helsinki.decider.script = by_state(AGREED="verify")
    found = hears(helsinki, unsigned(said), "agree")
    assert found.state == "AGREED"
    assert read_text(found.signed).about == ABOUT
    assert not read_text(found.signed).proofs
    step = helsinki.negotiations.settle(found.pid)
    assert step.sending == (("verify",) if suffices else ("terminate",))
    helsinki.line.lose = lambda _path, _who: ""
    helsinki.deliver()
    assert helsinki.one().code == ("" if suffices else "not-signed")


@pytest.mark.parametrize("suffices", [True, False])
def test_a_verification_without_a_proof_is_final_only_where_that_suffices(sides: Any, suffices: bool) -> None:
    helsinki, london = sides
    helsinki.signs, helsinki.unsigned, london.unsigned = False, True, suffices
    helsinki.restart()
    helsinki.decider.script = by_state(AGREED="verify")
    london.decider.script = by_state(REQUESTED="agree", VERIFIED="finalize")
    helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    talk(helsinki, london)
    assert helsinki.states() == london.states() == [("FINALIZED" if suffices else "TERMINATED")]
    assert len(london.in_force()) == suffices
    if not suffices:
        assert "ns#proof" in helsinki.one().reasons[0]


@pytest.mark.parametrize("how", ["of another text", "doubled", "no JSON", "by a key that was not pinned"])
def test_a_proof_that_does_not_hold_is_refused_and_the_agreement_stays_unverified(
    sides: Any, keyring: Keyring, their_keys: Keyring, how: str
) -> None:
    helsinki, london = sides
    london.decider.script, helsinki.decider.script = by_state(REQUESTED="agree"), by_state(AGREED="verify")
    helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    helsinki.line.lose = lambda path, _who: "message" if path == "agreement/verification" else ""
    talk(helsinki, london)
    (row,) = helsinki.db.hot().rows("SELECT body FROM outgoing WHERE done_at = 0")
    said = json.loads(row[0])
    proof = json.loads(said[PROOF])
    if how == "by a key that was not pinned":
        london.parties.keyrings = {**london.parties.keyrings, HELSINKI: their_keys}
    bad = {
        "of another text": json.dumps(proof | {"created": "2024-01-01T00:00:00Z"}),
        "doubled": json.dumps([proof, proof]),
        "no JSON": "{",
    }.get(how, said[PROOF])
    before = everything(london.db)
    with pytest.raises((Refuted, Malformed)):
        hears(london, said | {PROOF: bad}, "verify")
    assert everything(london.db) == before
    assert london.states() == ["AGREED"]


def test_an_agreement_whose_offer_of_a_signature_has_expired_is_not_signed_and_says_why(sides: Any) -> None:
    helsinki, london = sides
    london.decider.script = by_state(REQUESTED="agree")
    helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    talk(helsinki, london)
    helsinki.clock.now_ms += 15 * 86_400_000
    helsinki.decider.script = by_state(AGREED="verify")
    helsinki.negotiations.settle(helsinki.one().pid)
    talk(helsinki, london)
    assert helsinki.states() == london.states() == ["TERMINATED"]
    assert "expired" in london.one().reasons[0]


def test_a_negotiation_that_is_being_begun_cannot_be_asked_about_yet(sides: Any) -> None:
    from node.errors import Unavailable

    helsinki, _ = sides
    made = helsinki.negotiations.request(LONDON, OFFER, ABOUT)
    with pytest.raises(Unavailable):
        helsinki.negotiations.state(LONDON, None, made.pid)
    with pytest.raises(Conflict, match="not begun"):
        helsinki.negotiations.hear(LONDON, "consumer", made.pid, message("offer", made.pid, "p"), "offer")
