"""Benchmarks 6: OAuth in one process and one thread: what a token costs, and what it costs to show one.

The logic alone, from the bytes of a request to the values of its answer, with the real database, the store of used ids
and every check; no socket and no web framework. Seconds are processor seconds of one thread, for the promise is per
core and nothing here waits for a disk. Measured against the signatures that none of it can do without, made and checked
by the library underneath in turns with it: a ratio of 1.0 would mean that everything else is free. A token is shown
many times, as in the field; its own signature is checked the first time, that of the proof every time.
"""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.rig import Bench, Row, citynode, free_port

TOKENS, SHOWN = 1_500, 2_000
PEER = "https://helsinki.example"
FORM = "application/x-www-form-urlencoded"
_ECDSA = ec.ECDSA(hashes.SHA256())


def tokens(bench: Bench) -> Iterator[Row]:
    """Measure the token endpoint and the check of tokens."""
    desk = _Desk(bench)
    count = 300 if bench.quick else 3_000
    try:
        bench.say(f"tokens issued, {count} at a time")
        yield _row(
            bench, "tokens issued by one core", TOKENS, lambda: desk.issue(count), lambda: _signatures(count, 2, 1)
        )
        bench.say(f"tokens shown, {count} at a time")
        yield _row(
            bench, "tokens checked by one core", SHOWN, lambda: desk.show(count), lambda: _signatures(count, 1, 0)
        )
    finally:
        desk.close()


def _row(bench: Bench, what: str, target: int, ours: Callable[[], float], theirs: Callable[[], float]) -> Row:
    rates, floors = [], []
    for _ in range(1 if bench.quick else 5):
        bench.calm(5)
        rates.append(ours())
        floors.append(theirs())
    rate, floor = max(rates), max(floors)
    ratio = f"{rate / floor:.2f} of its signatures alone, {floor:,.0f}/s"
    return Row(what, f"{rate:,.0f}/s ({1e6 / rate:.0f} us)", f">= {target:,}/s", rate >= target, ratio)


class _Desk:
    """A node, and a peer of it that prepares its requests before the clock runs."""

    def __init__(self, bench: Bench) -> None:
        from node.assembly import build
        from node.federation.tokens.dpop import ProofKey
        from node.keys import Keyring
        from node.settings import load

        self._folder = bench.folder / "tokens"
        self._base = f"http://127.0.0.1:{free_port()}"
        citynode(self._folder, "init", "--name", "Bench", "--base-url", self._base)
        self._node = build(load(environ={}, data=self._folder))
        self._keyring = Keyring.create(bench.folder / "tokens-peer")
        self._key = ProofKey()
        admit(self._node, self._keyring)

    def issue(self, count: int) -> float:
        """Give the tokens issued a second."""
        asked = [self._asked() for _ in range(count)]
        answer = self._node.federation.tokens.answer
        return _rate(answer, asked, lambda reply: reply.status == 200)

    def show(self, count: int) -> float:
        """Give the tokens checked a second: one token, a proof for each request."""
        token = str(self._node.federation.tokens.answer(self._asked()).body["access_token"])
        address = f"{self._base}/federation/notify"
        proofs = [self._key.proof("POST", address, now_ms=_now_ms(), token=token) for _ in range(count)]
        access = self._node.federation.access

        def shown(proof: str) -> Any:
            return access.caller([f"DPoP {token}"], [proof], method="POST", path="/federation/notify")

        return _rate(shown, proofs, lambda caller: caller.kind == "peer")

    def close(self) -> None:
        self._node.close()
        shutil.rmtree(self._folder)

    def _asked(self) -> Any:
        from node.federation.tokens.clients import ASSERTION_TYPE, TYPE
        from node.federation.tokens.request import Asked

        now_s = _now_ms() // 1000
        claims = {"iss": PEER, "sub": PEER, "aud": self._base, "jti": secrets.token_urlsafe(16)}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._keyring.jwt("client", TYPE, {**claims, "iat": now_s, "exp": now_s + 240}),
            "resource": self._base,
            "scope": "federation",
        }
        proof = self._key.proof("POST", f"{self._base}/oauth/token", now_ms=_now_ms())
        return Asked(urlencode(form).encode(), FORM, (proof,))


def admit(node: Any, keyring: Any) -> None:
    """Write the peer into the book as a person would have admitted it."""
    from node.federation.peers.store import Peer

    texts = ("title", "fingerprint", "quarantine", "note", "statement", "approved_by", "last_error_code", "last_error")
    columns: dict[str, Any] = dict.fromkeys(Peer.__dataclass_fields__, 0) | dict.fromkeys(texts, "")
    peer = Peer(**(columns | {"name": "helsinki", "url": PEER, "state": "active", "namespaces": ()}))
    with node.db.write() as tx:
        node.federation.peers.insert(tx, peer)
        node.federation.peers.pin(tx, "helsinki", keyring.published(), 0)


def _rate(work: Callable[[Any], Any], given: Sequence[Any], good: Callable[[Any], bool]) -> float:
    started = time.thread_time()
    results = [work(one) for one in given]
    spent = time.thread_time() - started
    assert all(good(result) for result in results), "not every request was answered well"
    return len(given) / spent


def _signatures(count: int, checked: int, made: int) -> float:
    """Give how often a second the signatures alone are made and checked."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, message = key.public_key(), b"x" * 300
    signature = key.sign(message, _ECDSA)
    started = time.thread_time()
    for _ in range(count):
        for _ in range(checked):
            public.verify(signature, message, _ECDSA)
        for _ in range(made):
            key.sign(message, _ECDSA)
    return count / (time.thread_time() - started)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
