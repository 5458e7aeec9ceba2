"""Signed messages at a real door: what a peer that signs must cover, how fresh it is, and that it counts once.

London is a whole node; Helsinki has a key for messages pinned there, Oslo has none. Each refusal is a message that is
right but for one thing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.errors import BadSignature, Unauthenticated
from node.federation.dsp.fields import DSP_CONTEXT
from node.federation.signing import signatures
from node.federation.signing.messages import (
    FRESH_S,
    LABEL,
    REQUEST_TAG,
    MessageSigning,
    request_of,
    response_of,
)
from node.federation.signing.signatures import Component
from node.keys import Keyring
from tests.federation.oauth_rig import HELSINKI, LONDON, OSLO, Door, Town, know, made_node, now_s

ADDRESS = f"{LONDON}/dsp/2025-1/catalog/request"
BODY = json.dumps({"@context": [DSP_CONTEXT], "@type": "CatalogRequestMessage"}).encode()
WHOLE = ("@method", "@target-uri", "content-digest", "authorization", "dpop")


class Rig:
    """London, and two cities that ask it."""

    def __init__(self, door: Door, towns: Mapping[str, Town]) -> None:
        self.door, self.towns = door, towns
        self.tokens = {name: door.token(town) for name, town in towns.items()}

    def shown(self, by: str) -> dict[str, str]:
        """A token and a fresh proof of its holder."""
        town, token = self.towns[by], self.tokens[by]
        return {"authorization": f"DPoP {token}", "dpop": town.proof("POST", ADDRESS, token=token)}

    def ask(self, headers: Mapping[str, str], body: bytes = BODY) -> httpx.Response:
        said = [*headers.items(), ("content-type", "application/json")]
        return self.door.ask("POST", "/dsp/2025-1/catalog/request", content=body, headers=said)

    def signing(self, name: str = "london") -> MessageSigning:
        if name == "london":
            return self.door.node.federation.dsp.messages
        nobody: Any = None
        return MessageSigning(self.towns[name].keyring, nobody, nobody, nobody, clock_ms=lambda: now_s() * 1000)

    def bent(
        self,
        *,
        covered: tuple[str, ...] = WHOLE,
        body: bytes = BODY,
        key: Keyring | None = None,
        target: str = ADDRESS,
        **changes: Any,
    ) -> dict[str, str]:
        """What Helsinki sends, signed rightly over what is named; None leaves a parameter out."""
        ring = key or self.towns["helsinki"].keyring
        headers = {**self.shown("helsinki"), "content-digest": signatures.content_digest(body)}
        honest = {"created": now_s(), "keyid": ring.current("message").kid, "nonce": f"n{now_s()}{id(headers)}"}
        parameters = {**honest, "tag": REQUEST_TAG, **changes}
        made = signatures.signed(
            request_of("POST", target, headers),
            [Component(name) for name in covered],
            {name: value for name, value in parameters.items() if value is not None},
            label=LABEL,
            sign=lambda base: ring.sign("message", base),
        )
        return {**headers, **made}


@pytest.fixture(scope="module")
def rig(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("messages")
    rings = {name: Keyring.create(folder / name) for name in ("london", "helsinki", "oslo")}
    node = made_node(folder, migrated, rings["london"])
    towns = {"helsinki": Town(HELSINKI, rings["helsinki"]), "oslo": Town(OSLO, rings["oslo"])}
    for name, town in towns.items():
        know(node, town, name)
    with node.db.write() as tx:
        tx.run("DELETE FROM peer_key WHERE peer = 'oslo' AND purpose = 'message'")
    with Door.to(node) as door:
        yield Rig(door, towns)


def test_a_message_that_is_signed_is_taken_and_its_answer_is_signed_over_it(rig: Rig):
    headers = rig.shown("helsinki")
    headers |= rig.signing("helsinki").sign_request("POST", ADDRESS, headers, BODY)
    reply = rig.ask(headers)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-digest"] == signatures.content_digest(reply.content)
    assert "content-encoding" not in reply.headers
    (found,) = signatures.read([reply.headers["signature-input"]], [reply.headers["signature"]])
    answer = response_of(request_of("POST", ADDRESS, headers), 200, dict(reply.headers))
    base = signatures.base_of(answer, found.components, found.text)
    key = rig.door.node.keyring.current("message")
    assert (found.word("keyid"), found.word("tag")) == (key.kid, "fapi-2-response")
    assert {Component("@status"), Component("content-digest"), Component("signature", of_request=True)} <= set(
        found.components
    )
    assert key.verifies(base, found.signature)
    assert not key.verifies(
        signatures.base_of(replace(answer, status=201), found.components, found.text), found.signature
    )


def test_a_peer_that_publishes_no_key_for_messages_need_not_sign(rig: Rig):
    reply = rig.ask(rig.shown("oslo"))
    assert reply.status_code == 200


def without(name: str) -> Callable[[Rig], dict[str, str]]:
    return lambda rig: rig.bent(covered=tuple(each for each in WHOLE if each != name))


REFUSED: dict[str, tuple[Callable[[Rig], dict[str, str]], str]] = {
    "no signature": (lambda rig: rig.shown("helsinki"), "no signature"),
    "method uncovered": (without("@method"), '"@method"'),
    "address uncovered": (without("@target-uri"), '"@target-uri"'),
    "body uncovered": (without("content-digest"), '"content-digest"'),
    "token uncovered": (without("authorization"), '"authorization"'),
    "proof uncovered": (without("dpop"), '"dpop"'),
    "no digest at all": (
        lambda rig: {name: value for name, value in without("content-digest")(rig).items() if name != "content-digest"},
        "neither sha-256",
    ),
    "another body": (lambda rig: rig.bent(body=b"{}"), "another body"),
    "another address": (lambda rig: rig.bent(target=f"{ADDRESS}?x=1"), "not over this message"),
    "another city's address": (
        lambda rig: rig.bent(target=ADDRESS.replace(LONDON, "https://rome.example")),
        "not over this message",
    ),
    "too old": (lambda rig: rig.bent(created=now_s() - FRESH_S - 5), "within 60 s"),
    "of the future": (lambda rig: rig.bent(created=now_s() + FRESH_S + 5), "within 60 s"),
    "no time": (lambda rig: rig.bent(created=None), "within 60 s"),
    "a time that is a text": (lambda rig: rig.bent(created=str(now_s())), "within 60 s"),
    "no nonce": (lambda rig: rig.bent(nonce=None), "nonce"),
    "a short nonce": (lambda rig: rig.bent(nonce="short"), "nonce"),
    "no key": (lambda rig: rig.bent(keyid=None), "none that is pinned"),
    "a key that nobody knows": (lambda rig: rig.bent(keyid="x" * 43), "none that is pinned"),
    "another city's key": (lambda rig: rig.bent(key=rig.towns["oslo"].keyring), "none that is pinned"),
    "the name of one key and another's signature": (
        lambda rig: rig.bent(key=rig.towns["oslo"].keyring, keyid=rig.towns["helsinki"].keyring.current("message").kid),
        "not over this message",
    ),
    "a key for something else": (
        lambda rig: rig.bent(keyid=rig.towns["helsinki"].keyring.current("record").kid),
        "none that is pinned",
    ),
    "another algorithm": (lambda rig: rig.bent(alg="rsa-pss-sha512"), "ed25519"),
    "another tag": (lambda rig: rig.bent(tag="fapi-2-response"), "tag"),
    "half a header": (
        lambda rig: {name: value for name, value in rig.bent().items() if name != "Signature"},
        "its own label",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_message_that_is_wrong_in_one_thing_is_refused(rig: Rig, case: str):
    make, said = REFUSED[case]
    reply = rig.ask(make(rig))
    assert reply.status_code == 401, case
    assert said in reply.json()["reason"][0]
    assert 'error="invalid_signature"' in reply.headers["www-authenticate"]
    assert "signature" not in reply.headers, "an answer to nobody that is known is not signed"


def test_a_message_that_is_wrong_in_nothing_is_taken(rig: Rig):
    assert rig.ask(rig.bent()).status_code == 200


def test_a_signature_counts_once(rig: Rig):
    first = rig.bent(nonce="the-same-nonce-again")
    assert rig.ask(first).status_code == 200
    again = rig.bent(nonce="the-same-nonce-again")  # a fresh proof of possession, so that only the nonce repeats
    reply = rig.ask(again)
    assert (reply.status_code, "used before" in reply.json()["reason"][0]) == (401, True)


def test_another_citys_nonce_is_another_one(rig: Rig):
    messages = rig.signing()
    with rig.door.node.db.write() as tx:
        key = rig.towns["oslo"].keyring.current("message")
        rig.door.node.federation.peers.pin(tx, "oslo", [key], 0)
    try:
        for url, name in ((HELSINKI, "helsinki"), (OSLO, "oslo")):
            ring = rig.towns[name].keyring
            parameters = {
                "created": now_s(),
                "keyid": ring.current("message").kid,
                "nonce": "one-nonce-of-two-cities",
                "tag": REQUEST_TAG,
            }
            bare = request_of("GET", ADDRESS, {})
            covered = [Component("@method"), Component("@target-uri")]
            made = signatures.signed(
                bare, covered, parameters, label=LABEL, sign=lambda base, ring=ring: ring.sign("message", base)
            )
            messages.check_request(url, request_of("GET", ADDRESS, made), None)
    finally:
        with rig.door.node.db.write() as tx:
            tx.run("DELETE FROM peer_key WHERE peer = 'oslo' AND purpose = 'message'")


def test_a_question_without_a_body_has_no_digest(rig: Rig):
    made = rig.signing("helsinki").sign_request("GET", f"{LONDON}/data/x/y", {"authorization": "a", "dpop": "b"}, None)
    assert "Content-Digest" not in made
    whole = request_of("GET", f"{LONDON}/data/x/y", {"authorization": "a", "dpop": "b", **made})
    rig.signing().check_request(HELSINKI, whole, None)
    with pytest.raises(Unauthenticated, match="used before"):
        rig.signing().check_request(HELSINKI, whole, None)


def test_an_answer_is_believed_only_with_its_own_signature(rig: Rig):
    messages = rig.signing()  # it knows Helsinki's key
    asked = request_of("POST", f"{HELSINKI}/x", {"signature": "city=:AA==:", "content-digest": "d"})
    body = b'{"state":"STARTED"}'
    told = {"content-type": "application/json", "content-digest": signatures.content_digest(body)}
    made = rig.signing("helsinki").sign_response(asked, 200, told)
    whole = response_of(asked, 200, {**told, **made})
    messages.check_response(HELSINKI, whole, body)
    for wrong, other in (
        (replace(whole, status=201), body),
        (whole, b'{"state":"COMPLETED"}'),
        (replace(whole, request=request_of("POST", f"{HELSINKI}/y", {"signature": "city=:AA==:"})), body),
        (replace(whole, request=request_of("POST", f"{HELSINKI}/x", {"signature": "city=:AQ==:"})), body),
        (response_of(asked, 200, told), body),
    ):
        with pytest.raises(BadSignature, match="not signed as it must be"):
            messages.check_response(HELSINKI, wrong, other)
    messages.check_response(OSLO, response_of(asked, 200, told), body)
    messages.check_response("https://nobody.example", response_of(asked, 200, told), body)


def test_a_new_key_is_taken_once_the_peer_has_rotated(rig: Rig):
    asked: list[str] = []
    node = rig.door.node
    ring = rig.towns["helsinki"].keyring
    old = ring.current("message")
    new = ring.rotate("message", now_ms=now_s() * 1000, issuer=HELSINKI)

    def renew(name: str, now_ms: int, *, kid: str) -> None:
        asked.append(kid)
        with node.db.write() as tx:
            node.federation.peers.pin(tx, name, [new], now_ms)

    real = rig.signing()
    messages = MessageSigning(node.keyring, real._directory, real._replay, renew, clock_ms=lambda: now_s() * 1000)
    made = rig.signing("helsinki").sign_request("GET", ADDRESS, {}, None)
    messages.check_request(HELSINKI, request_of("GET", ADDRESS, made), None)
    assert (asked, new.kid != old.kid) == ([new.kid], True)


def test_an_answer_that_a_server_in_front_has_packed_is_still_believed(rig: Rig):
    """What is packed on the way has another length, and is unpacked before anybody looks: the digest is the body's."""
    asked = request_of("POST", f"{HELSINKI}/x", {"signature": "city=:AA==:"})
    body = b'{"state":"STARTED"}'
    told = {"content-type": "application/json", "content-digest": signatures.content_digest(body)}
    made = rig.signing("oslo").sign_response(asked, 200, {**told, "content-length": str(len(body))})
    with rig.door.node.db.write() as tx:
        rig.door.node.federation.peers.pin(tx, "oslo", [rig.towns["oslo"].keyring.current("message")], 0)
    packed = response_of(asked, 200, {**told, **made, "content-length": "7", "content-encoding": "gzip"})
    try:
        rig.signing().check_response(OSLO, packed, body)
    finally:
        with rig.door.node.db.write() as tx:
            tx.run("DELETE FROM peer_key WHERE peer = 'oslo' AND purpose = 'message'")
