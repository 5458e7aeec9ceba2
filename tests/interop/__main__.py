"""Let our node and a real EDC deal with each other, each in both roles: `make interop-edc`.

EDC reads our catalogue and negotiates for what it finds there; we read EDC's and do the same. Each negotiation is over
when both sides say FINALIZED and hold the same agreement. Under these agreements one file moves three ways: whoever
works with EDC pulls it from us, we push it where EDC says, EDC pushes it where we say. That we pull from EDC is the one
way that cannot be shown: it has no public address for that any more. Who is who is said by EDC's test identity, here
and nowhere else.
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
from tests.interop.rig import ASSET, PART, edc_rig
from tests.interop.sink import FILE, Sink, sink
from tests.java.harness import ROOT, Recorded, RigError, ask, repeated, run, say, served, until
from tests.java.rig import Rig

FOLDER = ROOT / ".edc"
NEGOTIATION_S = 30
MOVING_S = 30
BROUGHT = {f"/ours/{PART}": True}


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


def edc_pulls_from_us(ours: Rig, edc: Edc, beside: Sink) -> str:
    """EDC asks for a pull, is given an address and a token, and whoever works with it gets the file with them."""
    pid = edc.transfer(ours.protocol_url, _agreed(ours, edc), "HttpData-PULL", tells=f"{beside.url}/started")
    _moved_to(edc, pid, "STARTED")
    until("EDC to call back", lambda: "/started" in beside.brought, seconds=MOVING_S)
    told = json.loads(beside.brought["/started"])["payload"]["dataAddress"]["properties"]
    named = {name.rpartition("/")[2]: value for name, value in told.items()}
    _same("way to show the token", named["authType"], "bearer")
    shown = {"Authorization": f"Bearer {named['authorization']}"}
    status, body = ask(named["endpoint"], headers=shown)
    _same("answer of our door", (status, body == FILE), (200, True))
    status, part = ask(f"{named['endpoint']}/{PART}", headers={**shown, "Range": "bytes=-9"})
    _same("a part of it", (status, part), (206, FILE[-9:]))
    _same("without the token", ask(named["endpoint"])[0], 401)
    edc.terminate(pid, "We have all of it.")
    held = next(each for each in ours.transfers.list() if each.other_pid == pid)
    until("our side to hear that", lambda: ours.transfers.get(held.pid).state == "TERMINATED", seconds=MOVING_S)
    _same("with the token of what has ended", ask(named["endpoint"], headers=shown)[0], 410)
    return f"{len(body)} bytes from {named['endpoint']}"


def we_push_where_edc_says(ours: Rig, edc: Edc, beside: Sink) -> str:
    """EDC asks us to deliver; our worker brings the file there and completes."""
    pid = edc.transfer(ours.protocol_url, _agreed(ours, edc), "HttpData-PUSH", to=f"{beside.url}/ours")
    _moved_to(edc, pid, "COMPLETED")
    _same("what was brought", {path: body == FILE for path, body in beside.brought.items() if "/ours" in path}, BROUGHT)
    held = next(each for each in ours.transfers.list() if each.other_pid == pid)
    until("our side to complete", lambda: ours.transfers.get(held.pid).state == "COMPLETED", seconds=MOVING_S)
    return f"{len(FILE)} bytes"


def edc_pushes_where_we_say(ours: Rig, edc: Edc, beside: Sink) -> str:
    """We ask EDC to deliver; its data plane brings the file there, and it completes."""
    agreed = (each for each in ours.negotiations.list() if (each.role, each.state) == ("consumer", "FINALIZED"))
    agreement = next(agreed).agreement
    name = "https://w3id.org/edc/v0.0.1/ns/baseUrl"
    where = {
        "@type": "DataAddress",
        "endpointType": "HttpData",
        "endpoint": f"{beside.url}/theirs",
        "endpointProperties": [{"@type": "EndpointProperty", "name": name, "value": f"{beside.url}/theirs"}],
    }
    begun = ours.transfers.request(edc.url, agreement, format="HttpData-PUSH", address=where, by="Aino")

    def over() -> bool:
        found = ours.transfers.get(begun.pid)
        if found.state == "TERMINATED":
            raise RigError(f"The transfer ended: {found.code}: {' '.join(found.reasons)}")
        return found.state == "COMPLETED"

    until("EDC to complete", over, seconds=MOVING_S)
    _same("what EDC brought", beside.brought["/theirs"] == FILE, True)
    return f"{len(FILE)} bytes"


STEPS: tuple[Callable[[Rig, Edc], str], ...] = (
    edc_reads_our_catalogue,
    edc_negotiates_with_us,
    edc_is_refused_what_is_not_offered,
    we_read_the_catalogue_of_edc,
    we_negotiate_with_edc,
    we_end_what_we_began,
)
MOVES: tuple[Callable[[Rig, Edc, Sink], str], ...] = (
    edc_pulls_from_us,
    we_push_where_edc_says,
    edc_pushes_where_we_say,
)


def _asked(ours: Rig, edc: Edc) -> Negotiation:
    offer = ours.client.dataset(edc.url, ASSET).offers[0]
    return ours.negotiations.request(edc.url, {"@id": offer.iri, "target": ASSET, **offer.rules}, {}, by="Aino")


def _agreed(ours: Rig, edc: Edc) -> str:
    """Let EDC negotiate for what has data here; give its name of the agreement."""
    found = edc.catalogue(ours.protocol_url, ours.url)["dataset"]
    dataset = next(each for each in found if each["@id"] == ours.collection("noise"))
    formats = {each["format"] for each in dataset["distribution"]}
    _same("ways to get it", {"HttpData-PULL", "HttpData-PUSH"} <= formats, True)
    pid = edc.negotiate(ours.protocol_url, ours.url, dataset["@id"], dataset["hasPolicy"][0])
    agreement = str(_told_by(edc, pid, "FINALIZED")["contractAgreementId"])
    held = next(each for each in ours.negotiations.list() if each.other_pid == pid)
    until("our side to finalize", lambda: ours.negotiations.get(held.pid).state == "FINALIZED", seconds=5)
    return agreement


def _moved_to(edc: Edc, pid: str, state: str) -> dict[str, Any]:
    """Wait until EDC says that a transfer is in this state."""
    found: dict[str, Any] = {}

    def seen() -> bool:
        found.update(edc.transferred(pid))
        if found["state"] == "TERMINATED" != state:
            raise RigError(f"EDC ended the transfer: {found.get('errorDetail')}")
        return bool(found["state"] == state)

    until(f"EDC to say {state}", seen, seconds=MOVING_S)
    return found


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
    say("A real EDC and our node, as consumer and as provider:")
    with (
        tempfile.TemporaryDirectory() as folder,
        sink() as beside,
        edcs.running(FOLDER) as edc,
        edc_rig(Path(folder) / "node", edc.url) as ours,
    ):
        edc.offer(ASSET, "Noise map", {"action": "use"}, source=f"{beside.url}/file.csv")
        log = FOLDER / "run" / "node.log"
        log.unlink(missing_ok=True)
        with served(Recorded(ours.app, log), ours.port), repeated(ours.deliver, every=0.1) as errors:
            failed = [step.__name__ for step in STEPS if not _done(step, ours, edc)]
            failed += [step.__name__ for step in MOVES if not _done(step, ours, edc, beside)]
        if errors:
            say(f"Failed: our rounds broke off: {errors[0]!r}")
            failed.append("rounds")
    say(f"\n{len(STEPS) + len(MOVES) - len(failed)} passed, {len(failed)} failed")
    logs = FOLDER.relative_to(ROOT) / "run"
    say(f"What EDC printed is in {logs / 'edc.log'}, what our node was asked and answered in {logs / 'node.log'}.")
    return 1 if failed else 0


def _done(step: Callable[..., str], *parties: object) -> bool:
    began, name = time.monotonic(), step.__name__.replace("_", " ")
    try:
        told = step(*parties)
    except Exception as error:  # noqa: BLE001 - the other steps tell more
        say(f"  {name:<34} FAILED {time.monotonic() - began:4.1f} s  {type(error).__name__}: {error}")
        return False
    say(f"  {name:<34} passed {time.monotonic() - began:4.1f} s  {told}")
    return True


if __name__ == "__main__":
    run(main)
