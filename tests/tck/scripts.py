"""What our side does in each test of negotiations: in which state which step of its own, in order.

The kit asks a connector to behave differently by dataset. A script that is at its end, or waits for another state, says
nothing: the kit itself terminates, or sends what must be refused.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from node.federation.negotiation import Kind, Negotiation, State, Step

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
