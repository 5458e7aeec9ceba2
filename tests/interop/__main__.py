"""Let our node and a real EDC control plane deal with each other, each in both roles: `make interop-edc`.

EDC reads our catalogue and negotiates for what it finds there; we read EDC's and do the same. Each negotiation is over
when both sides say FINALIZED and hold the same agreement. Who is who is said by EDC's test identity, here and nowhere
else.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.assembly.clock import clock_ms
from node.federation.negotiation import Negotiation
from tests.interop import edc as edcs
from tests.interop.edc import Edc
from tests.interop.rig import ASSET, edc_rig
from tests.java.harness import ROOT, Recorded, RigError, repeated, run, say, served, until
from tests.java.rig import Rig

FOLDER = ROOT / ".edc"
NEGOTIATION_S = 30


def edc_reads_our_catalogue(ours: Rig, edc: Edc) -> str:
    """EDC's management API gives our datasets, with our offers and our words about them."""
    seen = edc.catalogue(ours.protocol_url, ours.url)
    _same("participant", seen["participantId"], ours.url)
    _same("datasets", [each["@id"] for each in seen["dataset"]], [ours.collection(name) for name in ("noise", "plans")])
    _same("title", seen["dataset"][1]["dct:title"]["@value"], "Plans of the city")
    return f"{len(seen['dataset'])} datasets"


def edc_negotiates_with_us(ours: Rig, edc: Edc) -> str:
    """EDC asks for a dataset under our offer as the catalogue has it, and ends with our agreement."""
    found = edc.catalogue(ours.protocol_url, ours.url)["dataset"]
    dataset = next(each for each in found if each["@id"] == ours.collection())
    pid = edc.negotiate(ours.protocol_url, ours.url, dataset["@id"], dataset["hasPolicy"][0])
    theirs = _told_by(edc, pid, "FINALIZED")
    held = next(each for each in ours.negotiations.list() if each.other_pid == pid)
    until("our side to finalize", lambda: ours.negotiations.get(held.pid).state == "FINALIZED", seconds=5)
    kept, held = edc.agreement(theirs["contractAgreementId"]), ours.negotiations.get(held.pid)
    _same("agreement", kept["agreementId"], held.agreement)
    _same("dataset of the agreement", kept["assetId"], ours.collection())
    _same("parties", (kept["providerId"], kept["consumerId"]), (ours.url, edc.url))
    _same("what stands beside the rules", held.about, dict(ours.offer().about))
    _same("who signed it", len(json.loads(held.signed)["proof"]), 1)
    return f"agreement {kept['agreementId']}"


def edc_is_refused_what_is_not_offered(ours: Rig, edc: Edc) -> str:
    """EDC asks for what we do not offer; it is told that there is nothing, and ends its negotiation."""
    offer = {"@id": f"{ours.url}/offers/nothing", "permission": [{"action": "use"}]}
    before = len(ours.negotiations.list())
    pid = edc.negotiate(ours.protocol_url, ours.url, ours.collection("nothing"), offer)
    theirs = _told_by(edc, pid, "TERMINATED")
    _same("negotiations of ours", len(ours.negotiations.list()), before)
    return str(theirs["errorDetail"])[:200]


def we_read_the_catalogue_of_edc(ours: Rig, edc: Edc) -> str:
    """Our client reads EDC's catalogue, whole and one dataset alone."""
    pages = list(ours.client.catalogue(edc.url))
    _same("participant", pages[0].participant, edc.url)
    _same("datasets", [each.iri for page in pages for each in page.datasets], [ASSET])
    alone = ours.client.dataset(edc.url, ASSET)
    _same("dataset alone", alone.iri, ASSET)
    _same("action", alone.offers[0].rules["permission"][0]["action"], "use")
    return f"dataset {alone.iri}"


def we_negotiate_with_edc(ours: Rig, edc: Edc) -> str:
    """We ask EDC for a dataset under its offer; a person approves, and it ends with EDC's agreement."""
    begun = _asked(ours, edc)
    approvals = ours.node.federation.agreeing.dsp.decider._approvals
    for person in ("Aino", "Eino")[: approvals.required]:
        approvals.give(begun.pid, begun.terms, person, clock_ms())
    held = _told_by_us(ours, begun.pid, "FINALIZED")
    theirs = edc.negotiation(held.other_pid)
    _same("state at EDC", theirs["state"], "FINALIZED")
    _same("agreement", edc.agreement(theirs["contractAgreementId"])["agreementId"], held.agreement)
    agreed: dict[str, Any] = json.loads(held.message)
    _same("dataset of the agreement", agreed["target"], ASSET)
    _same("parties", (agreed["assigner"], agreed["assignee"]), (edc.url, ours.url))
    return f"agreement {held.agreement}"


def we_end_what_we_began(ours: Rig, edc: Edc) -> str:
    """Nobody approves, and a person ends a negotiation that EDC has agreed to; EDC hears of it."""
    begun = _asked(ours, edc)
    _told_by_us(ours, begun.pid, "AGREED")
    ours.negotiations.terminate(begun.pid, "changed", ["We changed our mind. Ask again next year."], by="Aino")
    held = _told_by_us(ours, begun.pid, "TERMINATED")
    _told_by(edc, held.other_pid, "TERMINATED")
    return ""


STEPS: tuple[Callable[[Rig, Edc], str], ...] = (
    edc_reads_our_catalogue,
    edc_negotiates_with_us,
    edc_is_refused_what_is_not_offered,
    we_read_the_catalogue_of_edc,
    we_negotiate_with_edc,
    we_end_what_we_began,
)


def _asked(ours: Rig, edc: Edc) -> Negotiation:
    offer = ours.client.dataset(edc.url, ASSET).offers[0]
    return ours.negotiations.request(edc.url, {"@id": offer.iri, "target": ASSET, **offer.rules}, {}, by="Aino")


def _told_by(edc: Edc, pid: str, state: str) -> dict[str, Any]:
    """Wait until EDC says that a negotiation is in this state."""
    found: dict[str, Any] = {}

    def seen() -> bool:
        found.update(edc.negotiation(pid))
        if found["state"] == "TERMINATED" != state:
            raise RigError(f"EDC ended the negotiation: {found.get('errorDetail')}")
        return bool(found["state"] == state)

    until(f"EDC to say {state}", seen, seconds=NEGOTIATION_S)
    return found


def _told_by_us(ours: Rig, pid: str, state: str) -> Negotiation:
    """Wait until our side says that a negotiation is in this state."""

    def seen() -> Negotiation | None:
        found = ours.negotiations.get(pid)
        if found.state == "TERMINATED" != state:
            raise RigError(f"The negotiation ended: {found.code}: {' '.join(found.reasons)}")
        return found if found.state == state else None

    found: Negotiation = until(f"our side to say {state}", seen, seconds=NEGOTIATION_S)
    return found


def _same(what: str, seen: object, wanted: object) -> None:
    if seen != wanted:
        raise RigError(f"{what}: saw {seen!r}, wanted {wanted!r}")


def main() -> int:
    """Run it; exit 0 if every step did."""
    say("A real EDC control plane and our node, as consumer and as provider:")
    with tempfile.TemporaryDirectory() as folder, edcs.running(FOLDER) as edc, edc_rig(Path(folder), edc.url) as ours:
        edc.offer(ASSET, "Noise map", {"action": "use"})
        log = FOLDER / "run" / "node.log"
        log.unlink(missing_ok=True)
        with served(Recorded(ours.app, log), ours.port), repeated(ours.deliver, every=0.1) as errors:
            failed = [step.__name__ for step in STEPS if not _done(step, ours, edc)]
        if errors:
            say(f"Failed: our rounds broke off: {errors[0]!r}")
            failed.append("rounds")
    say(f"\n{len(STEPS) - len(failed)} passed, {len(failed)} failed")
    logs = FOLDER.relative_to(ROOT) / "run"
    say(f"What EDC printed is in {logs / 'edc.log'}, what our node was asked and answered in {logs / 'node.log'}.")
    return 1 if failed else 0


def _done(step: Callable[[Rig, Edc], str], ours: Rig, edc: Edc) -> bool:
    began, name = time.monotonic(), step.__name__.replace("_", " ")
    try:
        told = step(ours, edc)
    except Exception as error:  # noqa: BLE001 - the other steps tell more
        say(f"  {name:<34} FAILED {time.monotonic() - began:4.1f} s  {type(error).__name__}: {error}")
        return False
    say(f"  {name:<34} passed {time.monotonic() - began:4.1f} s  {told}")
    return True


if __name__ == "__main__":
    run(main)
