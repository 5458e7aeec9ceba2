"""Who may knock at the door of data: tokens that are good for one transfer, and what a start says of the door.

A peer's token is an access token like any other, bound to its key, with a detail that names the transfer; while the
transfer is started the token endpoint gives another one for the same detail. A connector that can only show a bearer
token gets one of a type of its own, good for one transfer and at this door alone, and only if the city has named that
peer: whoever reads such a token in passing can use it for five minutes.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from node.errors import Forbidden, NodeError, NotAgreed, Refused, Unauthenticated
from node.federation.moving import PULL, TRANSFER_ACCESS, Going
from node.federation.tokens.access import Caller
from node.federation.tokens.jwt import LIFETIME_S, Signing
from node.federation.tokens.metadata import TOKEN_PATH
from node.keys.jwk import ALGORITHMS
from node.keys.jwt import read_jwt

TYPE = "data+jwt"
PATH = "/data"
# EDC, which shows bearer tokens, drops the endpoint that does not stand among the properties.
_EDC_ENDPOINT = "https://w3id.org/edc/v0.0.1/ns/endpoint"
_HTTP = "https://w3id.org/idsa/v4.1/HTTP"
Json = Mapping[str, Any]
Details = Sequence[Mapping[str, Any]]


class Access(Protocol):
    """Tells callers apart."""

    def caller(self, credentials: Sequence[str], proofs: Sequence[str], *, method: str, path: str) -> Caller:
        """Say who is calling. Raises Unauthenticated."""

    def challenge(self, error: str = "", message: str = "", *, bound: bool = True) -> str:
        """Write WWW-Authenticate."""


class Issuing(Protocol):
    """Writes access tokens."""

    def issue(
        self, client_id: str, *, scopes: frozenset[str], thumbprint: str, now_ms: int, details: Details = ()
    ) -> str:
        """Write a token for a client, bound to the key with this thumbprint."""


@dataclass(frozen=True, slots=True)
class DoorTokens:
    """Gives and reads them. Safe to share by threads.

    Args:
        base_url: Of this node.
        access: Tells callers apart.
        issuing: Writes tokens that are bound to a key.
        keyring: Signs those that are not.
        transfer: Gives a transfer by its pid here. Raises NotFound.
        name_of: Gives the name of a peer by its base URL, empty unless something is exchanged with it now.
        bearers: Names the peers that may show a bearer token.
        clock_ms: Gives the time.
    """

    base_url: str
    access: Access
    issuing: Issuing
    keyring: Signing
    transfer: Callable[[str], Going]
    name_of: Callable[[str], str]
    bearers: Collection[str]
    clock_ms: Callable[[], int]

    def address(self, transfer: Going) -> Json:
        """Give the data address of a start: where the door is, with a token that is good for five minutes.

        Without a key to bind it to there is none, and the peer asks the token endpoint for one.
        """
        bearer = not transfer.jkt and self.name_of(transfer.peer) in self.bearers
        token = self._bearer(transfer) if bearer else self._bound(transfer) if transfer.jkt else ""
        said = {"authorization": token, "authType": "bearer" if bearer else "DPoP"}
        said |= {"expiresIn": str(LIFETIME_S)} if token else {}
        below = f"/{transfer.part}" if transfer.part else ""
        where = f"{self.base_url}{PATH}/{transfer.pid}{below}"
        said |= {_EDC_ENDPOINT: where} if bearer else {"refreshEndpoint": self.base_url + TOKEN_PATH}
        properties = [
            {"@type": "EndpointProperty", "name": name, "value": value} for name, value in said.items() if value
        ]
        return {"@type": "DataAddress", "endpointType": _HTTP, "endpoint": where, "endpointProperties": properties}

    def granted(self, client_id: str, details: Details) -> Details:
        """Decide on the details of a token that name transfers, and give the others.

        Raises:
            NotAgreed: One of them is none with this client, or is not started.
        """
        for detail in details:
            if detail["type"] == TRANSFER_ACCESS:
                self._check(client_id, str(detail["transfer"]))
        return [detail for detail in details if detail["type"] != TRANSFER_ACCESS]

    def peer(self, credentials: Sequence[str], proofs: Sequence[str], *, method: str, path: str, pid: str) -> str:
        """Say which city knocks with a token for this transfer, by its base URL.

        Raises:
            Unauthenticated: What it shows does not hold; `challenge` says what would.
            Forbidden: It is a peer, with a token for something else.
        """
        shown = credentials[0].split(" ", 1) if len(credentials) == 1 else [""]
        if shown[0].lower() == "bearer" and shown[-1].count(".") == 2:
            return self._by_bearer(shown[-1].strip(), pid)
        caller = self.access.caller(credentials, proofs, method=method, path=path)
        if caller.kind == "public":
            raise self._unknown("Only a peer may ask for this.")
        if caller.kind != "peer" or pid not in caller.transfers:
            raise Forbidden(
                "This token is not for this transfer.",
                fix=f"Ask {TOKEN_PATH} for one with authorization_details of the type {TRANSFER_ACCESS}.",
            )
        return caller.url

    # ---------------------------------------------------------------- inside

    def _check(self, client_id: str, pid: str) -> None:
        try:
            found = self.transfer(pid)
        except Refused as error:
            raise NotAgreed("There is no such transfer with you.") from error
        if (found.role, found.peer, found.format) != ("provider", client_id, PULL):
            raise NotAgreed("There is no such transfer with you.")
        if not found.streams:
            raise NotAgreed("The transfer is not started now.", fix="Wait until it starts, or request another one.")

    def _bound(self, transfer: Going) -> str:
        details = [{"type": TRANSFER_ACCESS, "transfer": transfer.pid}]
        return self.issuing.issue(
            transfer.peer, scopes=frozenset(), thumbprint=transfer.jkt, now_ms=self.clock_ms(), details=details
        )

    def _bearer(self, transfer: Going) -> str:
        now_s = self.clock_ms() // 1000
        claims = {"iss": self.base_url, "aud": f"{self.base_url}{PATH}/{transfer.pid}", "sub": transfer.peer}
        return self.keyring.jwt("token", TYPE, {**claims, "iat": now_s, "exp": now_s + LIFETIME_S})

    def _by_bearer(self, token: str, pid: str) -> str:
        now_ms = self.clock_ms()
        keys = [key.jwk for key in self.keyring.published("token") if key.is_in_force(now_ms)]
        try:
            _, claims = read_jwt(token, keys, typ=TYPE, algs=ALGORITHMS)
        except NodeError as error:
            raise self._unknown("The token is none of this door's.", bearer=True) from error
        meant = (claims.get("iss"), claims.get("aud")) == (self.base_url, f"{self.base_url}{PATH}/{pid}")
        ends = claims.get("exp")
        if not meant or type(ends) is not int or now_ms >= ends * 1000:
            raise self._unknown("The token has run out, or is for another transfer.", bearer=True)
        peer = str(claims.get("sub", ""))
        if self.name_of(peer) not in self.bearers:
            raise self._unknown("Bearer tokens of this peer are not taken.", bearer=True)
        return peer

    def _unknown(self, message: str, *, bearer: bool = False) -> Unauthenticated:
        code = "invalid_token" if bearer else ""
        return Unauthenticated(message, challenge=self.access.challenge(code, message, bound=not bearer))
