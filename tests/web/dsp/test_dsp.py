"""The Dataspace Protocol over HTTP: statuses, who is let in, what is hidden, and how a "no" is said.

London is a whole node with real tokens; Helsinki and Oslo are cities that it knows.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.requests import Request

from node.federation.dcp import SelfIssued
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.offers import OfferDraft
from node.keys import Keyring
from node.web.doors.door import as_sent
from tests.federation.oauth_rig import HELSINKI, LONDON, OSLO, Door, Town, know, made_node, now_s

BASE = "/dsp/2025-1"
CALLBACK = f"{HELSINKI}/dsp/2025-1"
SECRET, OPEN = f"{LONDON}/collections/secret", f"{LONDON}/collections/open"
RULES = {"permission": [{"action": "use"}]}
POSTS = [
    "/catalog/request",
    "/negotiations/request",
    "/negotiations/offers",
    "/negotiations/x/request",
    "/negotiations/x/offers",
    "/negotiations/x/agreement",
    "/negotiations/x/agreement/verification",
    "/negotiations/x/events",
    "/negotiations/x/termination",
    "/transfers/request",
    "/transfers/x/start",
    "/transfers/x/suspension",
    "/transfers/x/completion",
    "/transfers/x/termination",
]
GETS = ["/catalog/datasets/urn:x", "/negotiations/x", "/transfers/x"]
EVERY = [("POST", path) for path in POSTS] + [("GET", path) for path in GETS]


@dataclass
class Rig:
    """London, and what a city does with it."""

    door: Door
    towns: dict[str, Town]
    held: dict[str, str] = field(default_factory=dict)

    def say(
        self, by: str, method: str, path: str, body: object = None, *, kind: str = "application/json", **more: str
    ) -> httpx.Response:
        """Ask as a peer, with a token and a proof."""
        town = self.towns[by]
        token = self.held.get(by) or self.held.setdefault(by, self.door.token(town))
        address = f"{LONDON}{BASE}{path.partition('?')[0]}"
        headers = {"authorization": f"DPoP {token}", "dpop": town.proof(method, address, token=token), **more}
        if method == "POST":
            headers |= town.signed(method, f"{LONDON}{BASE}{path}", headers, _content(body))
        return self.ask(method, path, body, headers, kind=kind)

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None, *, kind: str = ""
    ) -> httpx.Response:
        content = _content(body)
        said = [*(headers or {}).items(), *([("content-type", kind)] if content and kind else [])]
        return self.door.ask(method, BASE + path, content=content, headers=said)

    def begin(self, pid: str, by: str = "helsinki", **changes: Any) -> httpx.Response:
        return self.say(by, "POST", "/negotiations/request", request(pid, **changes))

    def begun(self, pid: str) -> str:
        return str(self.begin(pid).json()["providerPid"])


def _content(body: object) -> bytes:
    return body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()


def message(name: str, **members: Any) -> dict[str, Any]:
    said = {"@context": [DSP_CONTEXT], "@type": name, **members}
    return {key: value for key, value in said.items() if value is not None}


def request(pid: str, target: str = SECRET, **changes: Any) -> dict[str, Any]:
    offer = {"@id": f"{LONDON}/offers/secret", "@type": "Offer", "target": target, **RULES}
    honest = {"consumerPid": pid, "offer": offer, "callbackAddress": CALLBACK}
    return message("ContractRequestMessage", **{**honest, **changes})


@pytest.fixture(scope="module")
def rig(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("dsp")
    rings = {name: Keyring.create(folder / name) for name in ("london", "helsinki", "oslo")}
    node = made_node(folder, migrated, rings["london"])
    towns = {"helsinki": Town(HELSINKI, rings["helsinki"]), "oslo": Town(OSLO, rings["oslo"])}
    for name, town in towns.items():
        know(node, town, name)
    for name, visibility in (("secret", "restricted"), ("open", "public")):
        node.create_collection(name, title=name.capitalize(), visibility=visibility, at_ms=1)
    offers = node.federation.agreeing.offers
    offers.publish(OfferDraft(SECRET, RULES, {}, "secret", ["helsinki"]), by="ada", at_ms=1)
    offers.publish(OfferDraft(OPEN, RULES, {}, "open"), by="ada", at_ms=1)
    with Door.to(node) as door:
        yield Rig(door, towns)


# ---------------------------------------------------------------- who is let in


def test_the_version_document_needs_no_token(rig: Rig):
    reply = rig.door.ask("GET", "/.well-known/dspace-version")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert {each["path"] for each in reply.json()["protocolVersions"]} == {BASE}


@pytest.mark.parametrize(("method", "path"), EVERY)
@pytest.mark.parametrize("shown", ["", "Bearer a.b.c", "Bearer cn_nobody", "DPoP x", '{"clientId": "x"}'])
def test_without_a_token_that_holds_everything_is_401(rig: Rig, method: str, path: str, shown: str):
    headers = {"authorization": shown} if shown else {}
    reply = rig.ask(method, path, message("X") if method == "POST" else None, headers, kind="application/json")
    assert (reply.status_code, reply.json()["@type"][-5:]) == (401, "Error")
    assert "Bearer" in reply.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_for_whoever_is_no_peer_there_is_nothing_here(rig: Rig, method: str, path: str):
    secret = rig.held.get("staff") or rig.door.node.federation.named_tokens.issue(
        "eve", staff=True, scopes=frozenset(), now_ms=now_s() * 1000
    )
    rig.held["staff"] = secret[1] if isinstance(secret, tuple) else secret
    body = message("X") if method == "POST" else None
    reply = rig.ask(method, path, body, {"authorization": f"Bearer {rig.held['staff']}"}, kind="application/json")
    assert (reply.status_code, reply.json()["@context"]) == (404, [DSP_CONTEXT])


def test_a_self_issued_token_opens_this_door_and_no_other(rig: Rig):
    own = SelfIssued(HELSINKI, rig.towns["helsinki"].keyring, clock_ms=lambda: now_s() * 1000)
    address = f"{LONDON}{BASE}/catalog/request"
    asked = message("CatalogRequestMessage")
    headers = dict(own.headers(LONDON, "POST", address))
    headers |= rig.towns["helsinki"].signed("POST", address, headers, _content(asked))
    reply = rig.ask("POST", "/catalog/request", asked, headers, kind="application/json")
    assert [each["@id"] for each in reply.json()["dataset"]] == [OPEN, SECRET]
    shown = own.headers(LONDON, "POST", address)["Authorization"]
    assert rig.door.notify(shown).status_code == 401


# ---------------------------------------------------------------- catalogue


def test_each_peer_sees_what_is_offered_to_it(rig: Rig):
    for by, wanted in (("helsinki", [OPEN, SECRET]), ("oslo", [OPEN])):
        reply = rig.say(by, "POST", "/catalog/request", message("CatalogRequestMessage"))
        assert (reply.status_code, reply.headers["cache-control"]) == (200, "private, no-store")
        assert [each["@id"] for each in reply.json()["dataset"]] == wanted


def test_pages_are_linked_in_both_directions(rig: Rig):
    asked = message("CatalogRequestMessage", filter=[{"@type": "QuerySpec", "offset": 0, "limit": 1}])
    first = rig.say("helsinki", "POST", "/catalog/request", asked)
    assert list(first.links) == ["next"]
    second = rig.say(
        "helsinki", "POST", first.links["next"]["url"].removeprefix(LONDON + BASE), message("CatalogRequestMessage")
    )
    assert list(second.links) == ["previous"]
    assert [reply.json()["dataset"][0]["@id"] for reply in (first, second)] == [OPEN, SECRET]


@pytest.mark.parametrize("filters", [[{"theme": "x"}], [{}], [[]], ["x"]])
def test_a_filter_that_is_not_supported_is_400(rig: Rig, filters: list[Any]):
    reply = rig.say("helsinki", "POST", "/catalog/request", message("CatalogRequestMessage", filter=filters))
    assert (reply.status_code, reply.json()["@type"]) == (400, "CatalogError")
    assert reply.json()["reason"]


def test_a_made_up_page_is_400(rig: Rig):
    path = "/catalog/request?continuationToken=x"
    assert rig.say("helsinki", "POST", path, message("CatalogRequestMessage")).status_code == 400


@pytest.mark.parametrize("spelt", [quote(SECRET, safe=""), SECRET, f"{SECRET}/", quote(SECRET, safe=":/")])
def test_a_dataset_is_found_in_every_spelling_of_its_iri(rig: Rig, spelt: str):
    reply = rig.say("helsinki", "GET", f"/catalog/datasets/{spelt}")
    assert (reply.status_code, reply.json()["@id"]) == (200, SECRET)
    hidden, missing = (rig.say("oslo", "GET", f"/catalog/datasets/{each}") for each in (spelt, "urn:nothing"))
    assert (hidden.status_code, hidden.json()) == (missing.status_code, missing.json())
    assert (hidden.status_code, hidden.json()["@type"]) == (404, "CatalogError")


# ---------------------------------------------------------------- negotiations


def test_a_negotiation_begins_with_201_and_again_with_the_same(rig: Rig):
    first, again = rig.begin("begins"), rig.begin("begins")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (first.json()["@type"], first.json()["consumerPid"]) == ("ContractNegotiation", "begins")
    pid = first.json()["providerPid"]
    for path in (f"/negotiations/{pid}", f"/negotiations/{pid}/"):
        assert rig.say("helsinki", "GET", path).json()["state"] == "REQUESTED"


def test_a_provider_may_begin_too(rig: Rig):
    offer = {"@id": f"{HELSINKI}/offers/1", "@type": "Offer", "target": f"{HELSINKI}/collections/c", **RULES}
    said = message("ContractOfferMessage", providerPid="theirs", offer=offer, callbackAddress=f"{CALLBACK}/")
    reply = rig.say("helsinki", "POST", "/negotiations/offers/", said, kind="application/ld+json")
    assert (reply.status_code, reply.json()["state"], reply.json()["providerPid"]) == (201, "OFFERED", "theirs")


def test_what_is_not_offered_to_a_peer_is_not_there(rig: Rig):
    reply = rig.begin("oslos", by="oslo", callbackAddress=f"{OSLO}/dsp")
    assert (reply.status_code, reply.json()["@type"]) == (404, "ContractNegotiationError")
    assert (reply.json()["consumerPid"], reply.json()["providerPid"][:9]) == ("oslos", "urn:uuid:")


def test_anothers_negotiation_is_as_absent_as_one_that_never_was(rig: Rig):
    pid = rig.begun("private")
    ending = message("ContractNegotiationTerminationMessage", consumerPid="private", providerPid=pid)
    for method, tail, body in (("GET", "", None), ("POST", "/termination", ending)):
        theirs, none = (rig.say("oslo", method, f"/negotiations/{each}{tail}", body) for each in (pid, "nothing"))
        assert (theirs.status_code, none.status_code) == (404, 404)
        assert theirs.json()["reason"] == none.json()["reason"]
    assert rig.say("helsinki", "GET", f"/negotiations/{pid}").json()["state"] == "REQUESTED"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("events", {"@type": "ContractNegotiationEventMessage", "eventType": "ACCEPTED"}),
        ("events", {"@type": "ContractNegotiationEventMessage", "eventType": "FINALIZED"}),
        ("events", {"@type": "ContractNegotiationEventMessage", "eventType": "SUNG"}),
        ("agreement/verification", {"@type": "ContractAgreementVerificationMessage"}),
        ("termination", {"@type": "ContractAgreementVerificationMessage"}),
        ("termination", {"@type": "ContractNegotiationTerminationMessage", "consumerPid": "another"}),
        ("request", {"@type": "ContractRequestMessage"}),
        ("events", {"@context": [], "@type": "ContractNegotiationEventMessage", "eventType": "ACCEPTED"}),
    ],
)
def test_what_does_not_fit_is_400_with_both_pids_and_changes_nothing(rig: Rig, path: str, said: dict[str, Any]):
    pid = rig.begun("steady")
    body = message("", consumerPid="steady", providerPid=pid) | said
    reply = rig.say("helsinki", "POST", f"/negotiations/{pid}/{path}", body)
    assert (reply.status_code, reply.json()["@type"]) == (400, "ContractNegotiationError")
    assert (reply.json()["consumerPid"], reply.json()["providerPid"]) == (body["consumerPid"], pid)
    assert reply.json()["reason"]
    assert rig.say("helsinki", "GET", f"/negotiations/{pid}").json()["state"] == "REQUESTED"


@pytest.mark.parametrize(
    "changes",
    [
        {"providerPid": "both"},
        {"callbackAddress": None},
        {"callbackAddress": "https://elsewhere.example/dsp"},
        {"callbackAddress": f"{HELSINKI}@elsewhere.example"},
        {"callbackAddress": f"{HELSINKI}/../secrets"},
        {"offer": {"@id": "x", "@type": "Offer", "target": SECRET, "permission": [{"action": "sing"}]}},
    ],
)
def test_a_beginning_that_cannot_be_taken_is_400(rig: Rig, changes: dict[str, Any]):
    reply = rig.begin("bent", **changes)
    assert (reply.status_code, reply.json()["consumerPid"]) == (400, "bent")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"@type": "x", "@type": "y"}', "application/json", 400),
        (b"{}", "text/plain", 400),
        (b"{}", "", 400),
        (b'{"a": "' + b"x" * (256 * 1024) + b'"}', "application/json", 413),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "application/json", 413),
    ],
)
def test_a_body_that_is_no_message_is_refused_in_the_protocols_words(rig: Rig, body: bytes, kind: str, status: int):
    pid = rig.begun("bodies")
    reply = rig.say("helsinki", "POST", f"/negotiations/{pid}/termination", body, kind=kind)
    assert (reply.status_code, reply.json()["@type"]) == (status, "ContractNegotiationError")


def test_data_are_requested_under_an_agreement_of_ones_own_or_refused_with_both_pids(rig: Rig):
    asked = message("TransferRequestMessage", consumerPid="t", agreementId="urn:none", format="HttpData-PULL")
    asked |= {"callbackAddress": CALLBACK}
    reply = rig.say("helsinki", "POST", "/transfers/request", asked)
    assert (reply.status_code, reply.json()["@type"]) == (400, "TransferError")
    assert (reply.json()["consumerPid"], reply.json()["code"]) == ("t", "not-agreed")
    assert reply.json()["providerPid"].startswith("urn:uuid:0000")
    bent = rig.say("helsinki", "POST", "/transfers/request", asked | {"format": "AmazonS3-PUSH"})
    assert (bent.status_code, bent.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("tail", ["start", "suspension", "completion", "termination", "termination/"])
def test_a_message_about_no_transfer_is_404_in_the_same_words_and_a_wrong_one_400(rig: Rig, tail: str):
    names = {"start": "Start", "suspension": "Suspension", "completion": "Completion", "termination": "Termination"}
    said = message(f"Transfer{names[tail.rstrip('/')]}Message", consumerPid="c", providerPid="p")
    reply = rig.say("helsinki", "POST", f"/transfers/nothing/{tail}", said)
    assert (reply.status_code, reply.json()["@type"]) == (404, "TransferError")
    assert reply.json()["reason"] == rig.say("oslo", "GET", "/transfers/nothing").json()["reason"]
    wrong = rig.say("helsinki", "POST", f"/transfers/nothing/{tail}", message("TransferProcess", state="STARTED"))
    assert (wrong.status_code, wrong.json()["@type"]) == (400, "TransferError")


@pytest.mark.parametrize("pid", ["a%00b", "x" * 600, "%C2%85"])
def test_a_pid_that_none_could_have_is_404(rig: Rig, pid: str):
    assert rig.say("helsinki", "GET", f"/negotiations/{pid}").status_code == 404


def test_a_negotiation_is_ended_and_stays_so(rig: Rig):
    pid = rig.begun("ends")
    ending = message(
        "ContractNegotiationTerminationMessage", consumerPid="ends", providerPid=pid, code="x", reason=["y"]
    )
    assert rig.say("helsinki", "POST", f"/negotiations/{pid}/termination/", ending).status_code == 200
    accepting = message("ContractNegotiationEventMessage", consumerPid="ends", providerPid=pid, eventType="ACCEPTED")
    assert rig.say("helsinki", "POST", f"/negotiations/{pid}/events", accepting).status_code == 400
    assert rig.say("helsinki", "GET", f"/negotiations/{pid}").json()["state"] == "TERMINATED"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/ld+json", "application/ld+json"),
        ("application/ld+json, application/json", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
    ],
)
def test_answers_are_json_and_json_ld_where_only_that_is_wanted(rig: Rig, accept: str, kind: str):
    reply = rig.say("helsinki", "POST", "/catalog/request/", message("CatalogRequestMessage"), accept=accept)
    assert (reply.status_code, reply.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize(
    ("path", "raw", "wanted"),
    [
        ("/dsp/x", b"/dsp/x", "/dsp/x"),
        ("/dsp/https://a/b", b"/dsp/https%3A%2F%2Fa%2Fb?q=1", "/dsp/https%3A%2F%2Fa%2Fb"),
        ("/dsp/https://a/b", b"/city/dsp/https%3A%2F%2Fa%2Fb", "/dsp/https%3A%2F%2Fa%2Fb"),
        ("/dsp/x", b"", "/dsp/x"),
        ("/dsp/x", b"/elsewhere", "/dsp/x"),
        ("/dsp/\u00e4", b"/dsp/%C3%A4", "/dsp/%C3%A4"),
    ],
)
def test_a_proof_is_compared_with_the_path_as_it_was_sent(path: str, raw: bytes, wanted: str):
    assert as_sent(Request({"type": "http", "path": path, "raw_path": raw, "headers": []})) == wanted
