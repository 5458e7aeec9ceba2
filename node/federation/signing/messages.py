"""Which messages between cities are signed, over what, and how fresh: our profile of RFC 9421, after FAPI 2.0.

A request covers its method, its whole address, its body's digest, the token and the proof of possession that go with
it; an answer covers its status, its body's digest and the very signature of what it answers. A signature holds for a
minute and once. It is required of every peer that has published a key of purpose `message`, and of no other, so that
connectors that know nothing of this are heard as before. The clock and the store of used nonces are handed in.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from node.errors import BadSignature, Conflict, NodeError, Refused, Unauthenticated
from node.federation.client import TokenSource
from node.federation.signing import signatures
from node.federation.signing.signatures import Component, Message, Signed
from node.federation.tokens.clients import Directory, Renew
from node.federation.tokens.replay import Replay
from node.keys import Keyring, PublicKey, Purpose

PURPOSE: Purpose = "message"
LABEL = "city"
REQUEST_TAG, RESPONSE_TAG = "fapi-2-request", "fapi-2-response"
FRESH_S = 60
ERROR = "invalid_signature"
_NONCE = re.compile(r"[!#-\[\]-~]{16,128}\Z")
_METHOD, _TARGET, _STATUS = Component("@method"), Component("@target-uri"), Component("@status")
_DIGEST = Component("content-digest")
# What an answer tells of its bytes. Not their number: a server in front may pack them, and the digests know it anyway.
_ABOUT_BYTES = ("content-digest", "repr-digest", "etag", "content-range", "content-type")


class Peer(Protocol):
    """A peer, as far as its signatures need it."""

    @property
    def name(self) -> str:
        """Give its name here."""

    @property
    def url(self) -> str:
        """Give its base URL."""

    @property
    def exchanges(self) -> bool:
        """Tell whether anything may be exchanged with it now."""


class MessageSigning:
    """Signs what we say to peers and checks what they say. Safe to share by threads."""

    def __init__(
        self, keyring: Keyring, directory: Directory, replay: Replay, renew: Renew, *, clock_ms: Callable[[], int]
    ) -> None:
        """Take our keys, those that are pinned for peers and how they are renewed, the used nonces, and the clock."""
        self._keyring, self._directory, self._replay, self._renew = keyring, directory, replay, renew
        self._clock_ms = clock_ms

    # ---------------------------------------------------------------- what we say

    def sign_request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, str]:
        """Give the headers that sign a request of ours, to be sent beside those that it has.

        Args:
            method: Its method.
            url: Its whole address.
            headers: What it is sent with, the token and the proof among them.
            body: The bytes of its body; None if it has none.
        """
        digest = {} if body is None else {"Content-Digest": signatures.content_digest(body)}
        message = request_of(method, url, {**headers, **digest})
        return {**digest, **self._made(message, _of_request(message), REQUEST_TAG)}

    def sign_response(self, request: Message, status: int, headers: Mapping[str, str]) -> dict[str, str]:
        """Give the headers that sign an answer of ours: over its status, what it tells of its bytes, and the question.

        Args:
            request: What is answered.
            status: Of the answer.
            headers: What it is sent with; of a body that is at hand `content-digest` is among them.
        """
        message = Message(headers=_listed(headers), status=status, request=request)
        return self._made(message, _of_response(message), RESPONSE_TAG)

    def _made(self, message: Message, components: Sequence[Component], tag: str) -> dict[str, str]:
        now_ms = self._clock_ms()
        key, signer = self._keyring.signers(PURPOSE, now_ms)[0]
        nonce = secrets.token_urlsafe(18)
        parameters: dict[str, str | int] = {"created": now_ms // 1000, "keyid": key.kid, "nonce": nonce, "tag": tag}
        return signatures.signed(message, components, parameters, label=LABEL, sign=signer.sign)

    # ---------------------------------------------------------------- what others say

    def check_request(self, peer_url: str, message: Message, body: bytes | None) -> None:
        """Check the signature of a peer's request; one that has published no key for messages needs none.

        Raises:
            Unauthenticated: It is not signed as it must be, or was heard before; `error` is `invalid_signature`.
            TooManyRequests: Too many nonces are alive.
        """
        peer = self._signer(peer_url)
        if peer is None:
            return
        try:
            self._check(peer, message, _of_request(message), REQUEST_TAG, body)
        except (Refused, Conflict) as error:
            raise _refused(f"The message is not signed as it must be: {error.message}") from error

    def check_response(self, peer_url: str, message: Message, body: bytes) -> None:
        """Check the signature of a peer's answer to a request of ours, likewise.

        Raises:
            BadSignature: It is not signed as it must be.
        """
        peer = self._signer(peer_url)
        if peer is None:
            return
        try:
            self._check(peer, message, _of_response(message), RESPONSE_TAG, body)
        except (Refused, Conflict) as error:
            fix = "Compare the clocks of both cities; if they are right, ask that city."
            raise BadSignature(
                f"The answer of {peer_url} is not signed as it must be: {error.message}", fix=fix
            ) from error

    def _signer(self, peer_url: str) -> Peer | None:
        """Give the peer at an address if it has published a key for messages, so that what it says must be signed."""
        peer = self._directory.by_url(peer_url)
        return peer if peer is not None and self._directory.keys(peer.name, PURPOSE) else None

    def _check(self, peer: Peer, message: Message, need: Sequence[Component], tag: str, body: bytes | None) -> None:
        """Check in this order, so that what is cheap and tells nothing comes first and only what holds uses a nonce."""
        one = _tagged(message, tag)
        _check_coverage(one, need)
        now_ms = self._clock_ms()
        created_s, nonce = one.number("created"), one.word("nonce")
        if not abs(now_ms / 1000 - created_s) <= FRESH_S:
            raise BadSignature(f"It was not signed within {FRESH_S} s of now; is the clock right?")
        if not _NONCE.match(nonce):
            raise BadSignature("Its nonce is no text of 16 to 128 characters.")
        key = self._key(peer, one.word("keyid"), now_ms)
        if body is not None:
            signatures.check_digest(message.values("content-digest"), body)
        if not key.verifies(signatures.base_of(message, one.components, one.text), one.signature):
            raise BadSignature("The signature is not over this message.")
        until_ms = (created_s + 2 * FRESH_S) * 1000
        self._replay.use("signature", peer.url, nonce, until_ms=until_ms, now_ms=now_ms)

    def _key(self, peer: Peer, kid: str, now_ms: int) -> PublicKey:
        """Find a pinned key; an unknown one may be the one that the peer has just rotated to."""
        for again in (False, True):
            if again and kid and peer.exchanges:
                with suppress(NodeError):
                    self._renew(peer.name, now_ms, kid=kid)
            keys = self._directory.keys(peer.name, PURPOSE, at_ms=now_ms)
            found = next((key for key in keys if key.kid == kid), None)
            if found is not None:
                return found
        raise BadSignature(f"The key {kid[:80]!r} is none that is pinned for messages of {peer.url} and in force.")


class SignedTokens:
    """Tokens of ours at other cities, with the signature of a request that has no body, or one that is not there yet.

    What is sent piece by piece is proven by its digest at the end, and not by this.
    """

    def __init__(self, tokens: TokenSource, signing: MessageSigning) -> None:
        """Take what gives tokens, and what signs."""
        self._tokens, self._signing = tokens, signing

    def headers(
        self, peer_url: str, method: str, url: str, *, details: Sequence[Mapping[str, Any]] = ()
    ) -> Mapping[str, str]:
        """Give the headers of one request. Raises what getting a token raises."""
        shown = self._tokens.headers(peer_url, method, url, details=details)
        return {**shown, **self._signing.sign_request(method, url, shown, None)}

    def again(self, peer_url: str, answer: Mapping[str, str]) -> bool:
        """Learn from a refusal; tells whether asking once more can help."""
        return self._tokens.again(peer_url, answer)


def request_of(method: str, url: str, headers: Mapping[str, str]) -> Message:
    """Give a request as its signature sees it."""
    return Message(method.upper(), url, _listed(headers))


def response_of(request: Message, status: int, headers: Mapping[str, str]) -> Message:
    """Give an answer as its signature sees it."""
    return Message(headers=_listed(headers), status=status, request=request)


def _listed(headers: Mapping[str, str]) -> dict[str, Sequence[str]]:
    return {name.lower(): (value,) for name, value in headers.items()}


def _of_request(message: Message) -> list[Component]:
    """Say what must be covered of a request: what shows who asks is covered wherever it is there."""
    shown = [Component(name) for name in ("content-digest", "authorization", "dpop") if message.values(name)]
    return [_METHOD, _TARGET, *shown]


def _of_response(message: Message) -> list[Component]:
    told = [Component(name) for name in _ABOUT_BYTES if message.values(name)]
    asked = message.request
    bound = [Component("signature", of_request=True)] if asked and asked.values("signature") else []
    return [_STATUS, *told, Component("@method", of_request=True), Component("@target-uri", of_request=True), *bound]


def _tagged(message: Message, tag: str) -> Signed:
    inputs, made = message.values("signature-input"), message.values("signature")
    if not inputs and not made:
        raise BadSignature("It has no signature, and its city has published a key for messages.")
    found = [each for each in signatures.read(inputs, made) if each.word("tag") == tag]
    if len(found) != 1:
        raise BadSignature(f"It has {len(found)} signatures with the tag {tag}; it takes one.")
    return found[0]


def _check_coverage(one: Signed, need: Sequence[Component]) -> None:
    missing = [str(each) for each in need if each not in one.components]
    if missing:
        raise BadSignature(f"Its signature does not cover {' '.join(missing)}.")
    if one.word("alg") not in ("", "ed25519"):
        raise BadSignature("Its algorithm is not ed25519, which keys for messages have.")


def _refused(message: str) -> Unauthenticated:
    return Unauthenticated(
        message, error=ERROR, fix="Sign it afresh with the key that the city publishes for messages."
    )
