"""The authorization server: peers prove who they are and get a token that is bound to their key, for five minutes.

authlib gives the skeleton (which grant, which client authentication, introspection, revocation, the shape of errors);
every check that decides is ours, because its own take lists of audiences, tokens without a type and lifetimes without
end, know neither DPoP nor resources, and write tokens into the log. It also knows no web framework: what comes in here
is bytes, and what goes out a `Reply`. Blocking; safe to share by threads. The only module that imports authlib.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from node.errors import NotAgreed, Unauthenticated
from node.federation.tokens.clients import ASSERTION_TYPE, UNKNOWN, Clients, Standing
from node.federation.tokens.dpop import Proofs
from node.federation.tokens.jwt import LIFETIME_S, AccessTokens, Held
from node.federation.tokens.metadata import (
    AUTH_METHOD,
    GRANT_TYPE,
    INTROSPECT_PATH,
    REVOKE_PATH,
    TOKEN_PATH,
    resource_metadata,
    server_metadata,
)
from node.federation.tokens.request import (
    Asked,
    Details,
    Reply,
    WrongRequestError,
    asked_details,
    asked_scopes,
    check_resource,
    read_form,
)

NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))
Grants = Callable[[str, Details], Details]


def grants_nothing(_client_id: str, _details: Details) -> Details:
    """Decide on agreement access where there are no agreements: nothing is granted. Raises NotAgreed."""
    raise NotAgreed("There are no agreements here.")


class Tokens:
    """The endpoints of the authorization server."""

    def __init__(
        self,
        *,
        clients: Clients,
        proofs: Proofs,
        access: AccessTokens,
        clock_ms: Callable[[], int],
        grants: Grants = grants_nothing,
    ) -> None:
        """Put it together.

        Args:
            clients: Recognises peers.
            proofs: Checks proofs of possession.
            access: Issues and reads access tokens.
            clock_ms: Gives the time.
            grants: Gives the `authorization_details` of a client's token; all that it asks for, or raises NotAgreed.
        """
        self.base_url = access.base_url
        self.server = _Server(clients, proofs, access, clock_ms, grants)

    def answer(self, asked: Asked) -> Reply:
        """Answer at the token endpoint.

        Raises:
            TooManyRequests: This client asks too often, or too many ids are alive.
        """
        return self._replied(asked, TOKEN_PATH, self.server.create_token_response)

    def introspect(self, asked: Asked) -> Reply:
        """Tell a client about a token that it got here itself (RFC 7662); any other is said not to be active."""
        return self._replied(asked, INTROSPECT_PATH, self._endpoint(IntrospectionEndpoint.ENDPOINT_NAME))

    def revoke(self, asked: Asked) -> Reply:
        """End a token that the client got here itself (RFC 7009); for any other the answer is the same."""
        return self._replied(asked, REVOKE_PATH, self._endpoint(RevocationEndpoint.ENDPOINT_NAME))

    def metadata(self) -> dict[str, object]:
        """Give the metadata of the authorization server."""
        return server_metadata(self.base_url)

    def resource(self) -> dict[str, object]:
        """Give the metadata of the protected resource."""
        return resource_metadata(self.base_url)

    def _endpoint(self, name: str) -> "Callable[[_Request], Reply]":
        return lambda request: self.server.create_endpoint_response(name, request)

    def _replied(self, asked: Asked, path: str, respond: "Callable[[_Request], Reply]") -> Reply:
        try:
            request = _Request(asked, path, read_form(asked.body, asked.content_type))
        except WrongRequestError as error:
            return self.server.handle_error_response(None, _no(error.code, str(error)))
        return respond(request)


class _Request(OAuth2Request):  # type: ignore[misc]
    """A form that was read, with what authlib and our checks keep beside it."""

    def __init__(self, asked: Asked, path: str, form: dict[str, str]) -> None:
        # authlib refuses addresses of plain http. Whether http will do is decided by the settings (`base_url`,
        # `allow_http_peers`), and behind a proxy the connection's own scheme says nothing.
        super().__init__("POST", f"https://node{path}")
        self.asked = asked
        self.payload = BasicOAuth2Payload(form)

    @property
    def form(self) -> dict[str, str]:
        found: dict[str, str] = self.payload.data
        return found


@dataclass(frozen=True, slots=True)
class _Client(ClientMixin):  # type: ignore[misc]
    """A peer as authlib sees it: it may do one thing, in one way."""

    peer: Standing

    def get_client_id(self) -> str:
        return self.peer.url

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 (authlib's signature)
        return method == AUTH_METHOD

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == GRANT_TYPE


class _Server(AuthorizationServer):  # type: ignore[misc]
    """The skeleton, filled in."""

    def __init__(
        self,
        clients: Clients,
        proofs: Proofs,
        access: AccessTokens,
        clock_ms: Callable[[], int],
        grants: Grants,
    ) -> None:
        super().__init__()
        self.clients, self.proofs, self.access = clients, proofs, access
        self.clock_ms, self.grants = clock_ms, grants
        self.register_client_auth_method(AUTH_METHOD, self._authenticate)
        self.register_grant(_Grant)
        self.register_endpoint(_Introspection)
        self.register_endpoint(_Revocation)

    def query_client(self, client_id: str) -> _Client | None:
        peer = self.clients.find(client_id)
        return _Client(peer) if peer else None

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Mapping[str, object], headers: Sequence[tuple[str, str]]) -> Reply:
        kept = [(name.lower(), value) for name, value in headers if name.lower() != "content-type"]
        return Reply(status, dict(body), tuple(dict([*kept, *NO_STORE]).items()))

    def get_token_grant(self, request: _Request) -> "_Grant":
        if not _Grant.check_token_endpoint(request):
            raise _no("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}.")
        return _Grant(request, self)

    def create_token_response(self, request: _Request) -> Reply:
        try:
            grant = self.get_token_grant(request)
            grant.validate_token_request()
            return self.handle_response(*grant.create_token_response())
        except OAuth2Error as error:
            return self.handle_error_response(request, error)

    def handle_error_response(self, request: _Request | None, error: OAuth2Error) -> Reply:  # noqa: ARG002
        status, body, headers = error(None)
        return self.handle_response(status, body, headers)

    def _authenticate(self, _query: object, request: _Request) -> _Client:
        form = request.form
        assertion = form.get("client_assertion", "")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion or "client_secret" in form:
            raise _no("invalid_client", UNKNOWN, challenge=self._challenge)
        now_ms = self.clock_ms()
        try:
            peer = self.clients.recognise(assertion, client_id=form.get("client_id"), now_ms=now_ms)
        except Unauthenticated as error:
            raise _no(error.error, error.message, challenge=self._challenge) from error
        request.asked.admit(peer.name)
        self.clients.heard(peer, now_ms)
        return _Client(peer)

    @property
    def _challenge(self) -> str:
        # HTTP wants a challenge with every 401, and OAuth has no scheme for assertions in forms.
        return f'DPoP realm="{self.access.base_url}", error="invalid_client"'


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """client_credentials for peers."""

    TOKEN_ENDPOINT_AUTH_METHODS = (AUTH_METHOD,)

    def validate_token_request(self) -> None:
        """Check what costs nothing before any signature, then who asks, then the key the token is to be bound to."""
        request, server = self.request, self.server
        try:
            check_resource(request.form, server.access.base_url)
            self.scopes = asked_scopes(request.form)
            asked = asked_details(request.form)
        except WrongRequestError as error:
            raise _no(error.code, str(error)) from error
        if len(request.asked.dpop) != 1:
            raise _no("invalid_dpop_proof", "Send one header DPoP with a proof for this request.")
        request.client = self.authenticate_token_endpoint_client()
        try:
            self.details = server.grants(request.client.get_client_id(), asked) if asked else ()
        except NotAgreed as error:
            # What it says of an agreement it says to its party alone.
            named = f" Clause: {error.clause}." if error.clause else ""
            raise _no("invalid_authorization_details", error.message + named) from error
        self.thumbprint = self._proven()

    def create_token_response(self) -> tuple[int, dict[str, object], list[tuple[str, str]]]:
        """Issue the token. Not by way of authlib, which writes tokens into the log and calls every one Bearer."""
        access: AccessTokens = self.server.access
        token = access.issue(
            self.request.client.get_client_id(),
            scopes=self.scopes,
            thumbprint=self.thumbprint,
            now_ms=self.server.clock_ms(),
            details=self.details,
        )
        body: dict[str, object] = {
            "access_token": token,
            "token_type": "DPoP",
            "expires_in": LIFETIME_S,
            "scope": " ".join(sorted(self.scopes)),
        }
        return 200, body | ({"authorization_details": list(self.details)} if self.details else {}), []

    def _proven(self) -> str:
        proofs: Proofs = self.server.proofs
        try:
            return proofs.check(
                self.request.asked.dpop[0], method="POST", path=TOKEN_PATH, now_ms=self.server.clock_ms()
            )
        except Unauthenticated as error:
            raise _no(error.error, error.message, nonce=error.nonce) from error


@dataclass(frozen=True, slots=True)
class _Shown:
    """A token that somebody asks about."""

    held: Held

    def check_client(self, client: _Client) -> bool:
        return self.held.client_id == client.get_client_id()

    def is_expired(self) -> bool:
        return False  # one that ran out or was revoked is not read in the first place

    def is_revoked(self) -> bool:
        return False


class _AboutTokens:
    """What introspection and revocation share: who may ask, and how a token is read."""

    CLIENT_AUTH_METHODS = (AUTH_METHOD,)
    server: _Server

    def check_params(self, request: _Request, client: _Client) -> None:  # noqa: ARG002 (authlib's signature)
        # RFC 7009, 2.1: a hint that means nothing here is passed over; authlib would refuse it.
        if "token" not in request.form:
            raise _no("invalid_request", "The form lacks token.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Shown | None:  # noqa: ARG002
        try:
            return _Shown(self.server.access.read(token_string, now_ms=self.server.clock_ms()))
        except Unauthenticated:
            return None


class _Introspection(_AboutTokens, IntrospectionEndpoint):  # type: ignore[misc]
    def check_permission(self, token: _Shown, client: _Client, request: _Request) -> bool:  # noqa: ARG002
        return token.check_client(client)

    def introspect_token(self, token: _Shown) -> dict[str, Any]:
        held, base_url = token.held, self.server.access.base_url
        said: dict[str, Any] = {
            "active": True,
            "iss": base_url,
            "aud": base_url,
            "sub": held.client_id,
            "client_id": held.client_id,
            "scope": " ".join(sorted(held.scopes)),
            "token_type": "DPoP",
            "iat": held.issued_s,
            "exp": held.expires_s,
            "jti": held.jti,
            "cnf": {"jkt": held.thumbprint},
        }
        return said | ({"authorization_details": list(held.details)} if held.details else {})


class _Revocation(_AboutTokens, RevocationEndpoint):  # type: ignore[misc]
    def authenticate_token(self, request: _Request, client: _Client) -> _Shown | None:
        """Give the token if it is this client's; of another's it learns nothing, not even that it is one."""
        self.check_params(request, client)
        token = self.query_token(request.form["token"], None)
        return token if token and token.check_client(client) else None

    def revoke_token(self, token: _Shown, request: _Request) -> None:  # noqa: ARG002 (authlib's signature)
        self.server.access.revoke(token.held, now_ms=self.server.clock_ms())


class _SaidError(OAuth2Error):  # type: ignore[misc]
    """An answer that is a "no"."""

    def __init__(self, code: str, message: str, *, headers: Sequence[tuple[str, str]]) -> None:
        # RFC 6749, 5.2 allows printable ASCII without quotes and backslashes, and authlib raises at anything else.
        plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "'" for c in message)
        super().__init__(plain, error=code, status_code=401 if code == "invalid_client" else 400)
        self._headers = list(headers)

    def get_headers(self) -> list[tuple[str, str]]:
        return self._headers


def _no(code: str, message: str, *, challenge: str = "", nonce: str = "") -> OAuth2Error:
    headers = [("www-authenticate", challenge)] if challenge and code == "invalid_client" else []
    return _SaidError(code, message, headers=[*headers, *([("dpop-nonce", nonce)] if nonce else [])])
