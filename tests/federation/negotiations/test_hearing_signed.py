"""Agreements and verifications that one side hears: signed, forged, unsigned, and too late."""

# ruff: noqa: F811 - fixtures are named as what they give
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from node.errors import BadSignature, Malformed, Refuted
from node.federation.agreements.text import PROOF, TEXT, compose, dsp_agreement, read_text
from node.federation.negotiation import Kind, Negotiation
from node.federation.negotiations.store import NegotiationStore
from node.federation.signing.integrity import jcs
from node.keys import Keyring
from tests.federation.negotiating import ABOUT, HELSINKI, LONDON, OFFER, RULES, TARGET, Side, by_state, talk
from tests.federation.negotiations.hearing_rig import clock, everything, sides  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow  # several nodes or many keys a test: too much for every save


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
