"""What our side does in each test of negotiations and transfers: in which state which step of its own, in order.

The kit asks a connector to behave differently by dataset, and for transfers by agreement. A script that is at its end,
or waits for another state, says nothing: the kit itself terminates, or sends what must be refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from node.federation import transfer as transfers
from node.federation.negotiation import Kind, Negotiation, State, Step
from node.federation.transfer import Act, Transfer

Script = Sequence[tuple[State, Kind]]

OFFER: Script = [("REQUESTED", "offer")]
AGREE: Script = [("REQUESTED", "agree")]
PROVIDER: Mapping[str, Script] = {
    "CN:01-01": OFFER,
    "CN:01-02": [*OFFER, ("REQUESTED", "terminate")],
    "CN:01-03": [*OFFER, ("ACCEPTED", "agree"), ("VERIFIED", "finalize")],
    "CN:01-04": [*AGREE, ("VERIFIED", "finalize")],
    "CN:02-01": [("REQUESTED", "terminate")],
    "CN:02-02": [],
    "CN:02-03": AGREE,
    "CN:02-04": OFFER,
    "CN:02-05": [*OFFER, ("OFFERED", "terminate")],
    "CN:02-06": [*OFFER, ("ACCEPTED", "terminate")],
    "CN:02-07": [*AGREE, ("VERIFIED", "terminate")],
    "CN:03-01": [*AGREE, ("VERIFIED", "finalize")],
    "CN:03-02": OFFER,
    "CN:03-03": OFFER,
    "CN:03-04": OFFER,
}
ACCEPT: Script = [("OFFERED", "accept")]
VERIFY: Script = [("AGREED", "verify")]
# After the request, which the kit triggers.
CONSUMER: Mapping[str, Script] = {
    "CN_C:01-01": [*ACCEPT, *VERIFY],
    "CN_C:01-02": [("OFFERED", "request")],
    "CN_C:01-03": [("OFFERED", "terminate")],
    "CN_C:01-04": VERIFY,
    "CN_C:02-01": [],
    "CN_C:02-02": [("REQUESTED", "terminate")],
    "CN_C:02-03": [("AGREED", "terminate")],
    "CN_C:02-04": [],
    "CN_C:02-05": ACCEPT,
    "CN_C:02-06": VERIFY,
    "CN_C:03-01": [],
    "CN_C:03-02": [],
    "CN_C:03-03": [],
    "CN_C:03-04": ACCEPT,
    "CN_C:03-05": ACCEPT,
    "CN_C:03-06": ACCEPT,
}
# How a person would say it; the kit looks at neither.
ENDED = Step("terminate", code="script", reasons=("The script ends here. Begin anew with another dataset.",))


@dataclass
class Scripted:
    """Decides by script. `scripts` are by dataset, `steps_of` counts what we have said in a negotiation."""

    scripts: Mapping[str, Script]
    steps_of: Callable[[Negotiation], int]

    def next(self, negotiation: Negotiation) -> Step | None:
        script, done = self.scripts.get(negotiation.target, ()), self.steps_of(negotiation)
        if done >= len(script) or script[done][0] != negotiation.state:
            return None
        kind = script[done][1]
        return ENDED if kind == "terminate" else Step(kind)


# ---------------------------------------------------------------- transfers

Moves = Sequence[tuple[transfers.State, Act]]

STARTS: Moves = [("REQUESTED", "start")]
ENDS: tuple[transfers.State, Act] = ("STARTED", "terminate")
PROVIDES: Mapping[str, Moves] = {
    "TP:01-01": [*STARTS, ENDS],
    "TP:01-02": [*STARTS, ("STARTED", "complete")],
    "TP:01-03": [*STARTS, ("STARTED", "suspend"), ("SUSPENDED", "terminate")],
    "TP:01-04": [*STARTS, ("STARTED", "suspend"), ("SUSPENDED", "resume"), ("STARTED", "complete")],
    "TP:01-05": [("REQUESTED", "terminate")],
    "TP:02-01": STARTS,
    "TP:02-02": STARTS,
    "TP:02-03": STARTS,
    "TP:02-04": STARTS,
    "TP:02-05": [],
    "TP:03-01": [],
    "TP:03-02": [],
    "TP:03-03": STARTS,
    "TP:03-04": STARTS,
    "TP:03-05": STARTS,
    "TP:03-06": STARTS,
}
# After the request, which the kit triggers.
CONSUMES: Mapping[str, Moves] = {
    "TP_C:01-01": [],
    "TP_C:01-02": [],
    "TP_C:01-03": [],
    "TP_C:01-04": [],
    "TP_C:01-05": [],
    "TP_C:02-01": [ENDS],
    "TP_C:02-02": [("STARTED", "complete")],
    "TP_C:02-03": [("STARTED", "suspend"), ("SUSPENDED", "terminate")],
    "TP_C:02-04": [("STARTED", "suspend"), ("SUSPENDED", "resume"), ("STARTED", "complete")],
    "TP_C:02-05": [("REQUESTED", "terminate")],
    "TP_C:03-01": [],
    "TP_C:03-02": [],
    "TP_C:03-03": [],
    "TP_C:03-04": [],
    "TP_C:03-05": [],
    "TP_C:03-06": [],
}


@dataclass
class Moving:
    """Decides transfers by script. `scripts` are by agreement, `steps_of` counts what we have said in a transfer."""

    scripts: Mapping[str, Moves]
    steps_of: Callable[[Transfer], int]

    def next(self, transfer: Transfer, now_ms: int) -> transfers.Step | None:
        script, done = self.scripts.get(transfer.agreement, ()), self.steps_of(transfer)
        if transfer.sending or done >= len(script) or script[done][0] != transfer.state:
            return None
        return transfers.Step(script[done][1], code="script", reasons=ENDED.reasons)
