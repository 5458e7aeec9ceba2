"""What tests of negotiations between two sides share."""

from collections.abc import Callable

from node.federation.agreements.text import read_text
from node.federation.dialogues.outgoing import LEASE_MS
from node.federation.negotiation import Negotiation
from tests.federation.negotiating import ABOUT, LONDON, OFFER, Side, by_state, talk

AGREES = by_state(REQUESTED="agree", ACCEPTED="agree", VERIFIED="finalize")
SIGNS = by_state(OFFERED="accept", AGREED="verify")
Sides = tuple[Side, Side]
Make = Callable[..., Sides]


def ask(helsinki: Side) -> Negotiation:
    return helsinki.negotiations.request(LONDON, OFFER, ABOUT, by="Aino")


def kinds(side: Side) -> list[str]:
    return [f"{each.direction} {each.kind}" for each in side.negotiations.messages(side.one().pid)]


def turned(said: list[str]) -> list[str]:
    return [each.replace("in ", "x ").replace("out ", "in ").replace("x ", "out ") for each in said]


def check_concluded(helsinki: Side, london: Side) -> None:
    ours, theirs = helsinki.one(), london.one()
    assert (ours.state, theirs.state) == ("FINALIZED", "FINALIZED")
    assert ours.signed == theirs.signed
    assert len(read_text(ours.signed).proofs) == 2
    assert helsinki.in_force() == london.in_force() == [ours.agreement]
    assert ours.agreement.startswith(f"{LONDON}/agreements/")
    assert (ours.other_pid, theirs.other_pid) == (theirs.pid, ours.pid)
    assert not ours.sending
    assert not theirs.sending
    assert kinds(london) == turned(kinds(helsinki))


def wait(*sides: Side, times: int = 12) -> None:
    """Let time pass until everything was tried again."""
    for _ in range(times):
        talk(*sides)
        sides[0].clock.now_ms += LEASE_MS


class Killed(BaseException):
    """The process ends here."""
