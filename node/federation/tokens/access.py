"""Who is calling: from the headers of a request to a `Caller`, or a 401 that says how to prove it.

Three kinds may show something: a peer an access token of this node with a proof (`Authorization: DPoP …`), staff and
programs a secret (`Authorization: Bearer cn_…`). Whoever shows nothing is the public; whoever shows something that does
not hold is refused and never treated as the public. A token that is bound to a key is refused as Bearer, or stealing it
would be enough. A peer that was paused, blocked or held apart loses its access with the next request, not with the
token's end.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from node.errors import Unauthenticated, Unavailable
from node.federation.moving import TRANSFER_ACCESS
from node.federation.tokens.clients import Clients
from node.federation.tokens.dpop import Proofs
from node.federation.tokens.jwt import AccessTokens
from node.federation.tokens.metadata import RESOURCE_PATH
from node.federation.tokens.secrets import PREFIX, NamedTokens
from node.keys.jwk import ALGORITHMS

Kind = Literal["public", "peer", "program", "staff"]
MAX_CREDENTIALS = 8 * 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is a peer's name here or a token's; `scopes` are those of the token; `url` is a peer's.

    A program under an agreement has for `url` the IRI by which that names it as recipient, if it does.

    `details` are what the token says of agreements (RFC 9396): for which purpose it is used under which one;
    `transfers` are those that it opens the door of data for.
    """

    kind: Kind = "public"
    name: str = ""
    scopes: frozenset[str] = frozenset()
    url: str = ""
    details: Sequence[Mapping[str, Any]] = field(default=(), compare=False)
    transfers: tuple[str, ...] = field(default=(), compare=False)


PUBLIC = Caller()


class Access:
    """Tells callers apart. Blocking, since it remembers used ids; safe to share by threads."""

    def __init__(
        self,
        *,
        tokens: AccessTokens,
        proofs: Proofs,
        clients: Clients,
        named: NamedTokens,
        clock_ms: Callable[[], int],
    ) -> None:
        """Take what reads the kinds of tokens, and the clock."""
        self._tokens, self._proofs, self._clients, self._named = tokens, proofs, clients, named
        self._clock_ms = clock_ms

    def caller(self, credentials: Sequence[str], proofs: Sequence[str], *, method: str, path: str) -> Caller:
        """Say who is calling.

        Args:
            credentials: Every Authorization header of the request.
            proofs: Every DPoP header.
            method: The request's method.
            path: Its path below the base URL, with its slash, without query.

        Raises:
            Unauthenticated: What was shown does not hold; `challenge` says what would.
            TooManyRequests: Too many ids are alive.
        """
        if not credentials:
            return PUBLIC
        bound = credentials[0][:5].lower() == "dpop "
        try:
            return self._told(credentials, proofs, method, path)
        except Unauthenticated as error:
            challenge = self.challenge(error.error, error.message, bound=bound)
            raise Unauthenticated(
                error.message, challenge=challenge, error=error.error, nonce=error.nonce, fix=error.fix
            ) from error

    def challenge(self, error: str = "", message: str = "", *, bound: bool = True) -> str:
        """Write WWW-Authenticate: both schemes that are taken, with what was wrong beside the one that was used."""
        said = "".join(c if c not in '"\\' and " " <= c <= "~" else "'" for c in message)
        wrong = [f'error="{error}"', f'error_description="{said}"'] if error else []
        metadata = f'resource_metadata="{self._tokens.base_url}{RESOURCE_PATH}"'
        dpop = [*(wrong if bound else []), f'algs="{" ".join(ALGORITHMS)}"', metadata]
        bearer = ['realm="citynode"', *([] if bound else wrong)]
        return f"DPoP {', '.join(dpop)}, Bearer {', '.join(bearer)}"

    def _told(self, credentials: Sequence[str], proofs: Sequence[str], method: str, path: str) -> Caller:
        scheme, _, shown = credentials[0].partition(" ")
        if len(credentials) > 1 or len(shown) > MAX_CREDENTIALS:
            raise Unauthenticated("Send one header Authorization.")
        if scheme.lower() == "dpop":
            return self._peer(shown.strip(), proofs, method, path)
        if scheme.lower() == "bearer":
            return self._named_caller(shown.strip())
        raise Unauthenticated("Authorization must be DPoP, or Bearer with a token of this city.")

    def _peer(self, token: str, proofs: Sequence[str], method: str, path: str) -> Caller:
        now_ms = self._clock_ms()
        held = self._tokens.read(token, now_ms=now_ms)
        if len(proofs) != 1:
            raise Unauthenticated("Send one header DPoP with a proof for this request.", error="invalid_dpop_proof")
        self._proofs.check(proofs[0], method=method, path=path, now_ms=now_ms, token=token, bound_to=held.thumbprint)
        peer = self._clients.find(held.client_id)
        if peer is None or not peer.exchanges:
            raise Unauthenticated("This city exchanges nothing with you just now.", fix="Ask it why.")
        self._clients.heard(peer, now_ms)
        transfers = tuple(str(each["transfer"]) for each in held.details if each.get("type") == TRANSFER_ACCESS)
        agreed = [each for each in held.details if each.get("type") != TRANSFER_ACCESS]
        return Caller("peer", peer.name, held.scopes, peer.url, agreed, transfers)

    def _named_caller(self, shown: str) -> Caller:
        now_ms = self._clock_ms()
        if not shown.startswith(PREFIX):
            raise Unauthenticated("Only tokens that the city issued by name are taken as Bearer.")
        token = self._named.find(shown, now_ms=now_ms)
        if token is None:
            raise Unauthenticated("The token is not known here, has run out or was revoked.")
        with suppress(Unavailable):
            self._named.used(token, now_ms=now_ms)
        bound = ({"agreement": token.agreement, "purpose": token.purpose},) if token.agreement else ()
        kind: Kind = "staff" if token.staff else "program"
        return Caller(kind, token.name, token.scopes, token.recipient, details=bound)
