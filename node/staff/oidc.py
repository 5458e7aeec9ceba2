"""Sign-in by the city's own provider: OpenID Connect, authorization code with PKCE, over authlib.

What a browser was sent away with (state, nonce, verifier) comes back sealed in a cookie of that browser, so nothing is
kept here between the two requests and nobody can end what another one began. authlib builds the requests and checks the
claims; addresses, algorithms, times and every comparison that decides are ours on top. All requests go through the
node's one way out. Blocking; safe to share by threads. Knows no account: it gives a `Person`, and others decide.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import orjson
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from node.errors import Forbidden, Malformed, NodeError, TooLarge, Unauthenticated, Unavailable

# What a signature may be made with, whatever a provider lists: no HMAC, whose secret both know, and no "none".
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "Ed25519", "EdDSA")
LEEWAY_S = 60
# An ID token is read as soon as it was made; one that is older was kept by somebody.
OLDEST_S = 600
KEPT_MS = 3_600_000
ASK_AGAIN_MS = 60_000
AWAY_MS = 600_000
_MOST_BYTES = 256 * 1024
_DEADLINE_S = 10.0
_MOST_GROUPS = 500
_AGAIN = "Begin the sign-in again."


class Answered(Protocol):
    """What came back: `outbound.Reply`."""

    @property
    def status(self) -> int:
        """Give the status."""

    @property
    def body(self) -> bytes:
        """Give the whole body."""


# As `Outbound.ask`: the address, then `method`, `body`, `headers`, `max_bytes`, `deadline_s`, `accept`.
Ask = Callable[..., Answered]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings say of the provider. `roles` by the group that has them."""

    issuer: str
    client_id: str
    client_secret: str
    back: str
    home: str
    roles: Mapping[str, frozenset[str]]
    groups_claim: str = "groups"
    scopes: str = "openid profile email"


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way: where the browser goes, and what it must bring back unseen."""

    url: str
    kept: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider vouches for. `subject` is its name for them for ever; `name` and `shown` may change."""

    subject: str
    name: str
    shown: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Known:
    """The provider's documents and when they were read."""

    about: Mapping[str, Any]
    keys: KeySet
    at_ms: int


class Provider:
    """The city's sign-in as this node sees it; its documents are read when they are first needed and kept an hour."""

    def __init__(self, wanted: Wanted, ask: Ask, *, clock_ms: Callable[[], int]) -> None:
        """Take what the settings say, the way out and the clock."""
        self.wanted = wanted
        self._door = _Door(ask, wanted.issuer)
        self._clock_ms = clock_ms
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def begin(self, *, again: bool = False) -> Begun:
        """Give the address to send a browser to; with `again` the person must show there anew who they are.

        Raises:
            Unavailable: The provider does not answer, or its documents cannot be used. Safe to retry.
        """
        about = self._read().about
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce")}
        kept |= {"verifier": secrets.token_urlsafe(48), "until": str(self._clock_ms() + AWAY_MS)}
        kept |= {"again": str(self._clock_ms())} if again else {}
        url, _ = self._client(about).create_authorization_url(
            about["authorization_endpoint"],
            state=kept["state"],
            code_verifier=kept["verifier"],
            nonce=kept["nonce"],
            **({"prompt": "login", "max_age": "0"} if again else {}),
        )
        return Begun(url, kept)

    def end(self, kept: Mapping[str, str], answer: Mapping[str, str]) -> Person:
        """Tell who came back.

        Args:
            kept: What the browser was sent away with, opened from its cookie; empty if it brought none.
            answer: The query it came back with.

        Raises:
            Unauthenticated: Something of the answer does not hold, or the person said no.
            Forbidden: No group of theirs has a role here.
            Unavailable: The provider does not answer. The sign-in must be begun again.
        """
        # 1 Is it this browser's own sign-in, and of just now? Before anything is asked of anybody.
        self._check_kept(kept, answer)
        known = self._read()
        # 2 Did the provider that was asked answer (RFC 9207), and did it say yes?
        _check_answer(known.about, answer, self.wanted.issuer)
        # 3 The code for tokens, over our own connection.
        token = self._token(known.about, kept, answer["code"])
        # 4 The ID token: signature, then every claim.
        claims = self._claims(str(token["id_token"]), kept["nonce"], str(token.get("access_token", "")))
        _check_again(claims, kept.get("again", ""))
        # 5 What the ID token leaves out, the provider says over the same connection, of the same person.
        said = self._said(known.about, claims, str(token.get("access_token", "")))
        return self._person(claims, said)

    def leave(self) -> str:
        """Give the address where a person leaves the provider too; empty if it has none or does not answer."""
        try:
            there = str(self._read().about.get("end_session_endpoint") or "")
        except NodeError:
            return ""
        query = urlencode({"client_id": self.wanted.client_id, "post_logout_redirect_uri": self.wanted.home})
        return f"{there}{'&' if '?' in there else '?'}{query}" if there and self._door.fits(there) else ""

    def _check_kept(self, kept: Mapping[str, str], answer: Mapping[str, str]) -> None:
        state = kept.get("state", "")
        same = bool(state) and hmac.compare_digest(state.encode(), answer.get("state", "").encode())
        if not same or not kept.get("until", "").isdigit():
            raise Unauthenticated("This sign-in was not begun in this browser.", error="state", fix=_AGAIN)
        if self._clock_ms() >= int(kept["until"]):
            raise Unauthenticated("This sign-in was begun too long ago.", error="state", fix=_AGAIN)

    def _token(self, about: Mapping[str, Any], kept: Mapping[str, str], code: str) -> Mapping[str, Any]:
        client = self._client(about)
        try:
            token = client.fetch_token(
                about["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=kept["verifier"]
            )
        except (OAuth2Error, ValueError) as error:
            raise Unauthenticated("The city's sign-in took its code back.", error="code", fix=_AGAIN) from error
        if not isinstance(token, dict) or not isinstance(token.get("id_token"), str):
            raise Unauthenticated("The city's sign-in gave no ID token.", error="id-token", fix=_AGAIN)
        return token

    def _client(self, about: Mapping[str, Any]) -> OAuth2Client:
        taken = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic" if "client_secret_basic" in taken else "client_secret_post"
        return OAuth2Client(
            self._door,
            client_id=self.wanted.client_id,
            client_secret=self.wanted.client_secret or None,
            token_endpoint_auth_method=basic if self.wanted.client_secret else "none",
            scope=self.wanted.scopes,
            redirect_uri=self.wanted.back,
            code_challenge_method="S256",
        )

    def _claims(self, spelt: str, nonce: str, access_token: str) -> dict[str, Any]:
        try:
            token = self._verified(spelt)
            now_s = self._clock_ms() // 1000
            claims = CodeIDToken(
                dict(token.claims),
                dict(token.header),
                options={
                    "iss": {"essential": True, "value": self.wanted.issuer},
                    "aud": {"essential": True, "value": self.wanted.client_id},
                    "sub": {"essential": True},
                },
                params={"nonce": nonce, "client_id": self.wanted.client_id, "access_token": access_token},
            )
            claims.validate(now=now_s, leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated("The ID token does not hold.", error="id-token", fix=_AGAIN) from error
        _check_claims(claims, client_id=self.wanted.client_id, now_s=now_s)
        return dict(claims)

    def _verified(self, spelt: str) -> jwt.Token:
        """Check the signature; a key that is not known yet is asked for once."""
        known = self._read()
        try:
            return _decoded(spelt, known.keys)
        except (JoseError, ValueError):
            fresh = self._read(at_least_ms=self._clock_ms() - ASK_AGAIN_MS)
            if fresh is known:
                raise
            return _decoded(spelt, fresh.keys)

    def _said(self, about: Mapping[str, Any], claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        there = about.get("userinfo_endpoint")
        if self.wanted.groups_claim in claims or not access_token or not isinstance(there, str):
            return claims
        said = self._door.document(there, headers={"authorization": f"Bearer {access_token}"})
        # OpenID Connect Core 5.3.2: of another subject it must not be used.
        if said.get("sub") != claims["sub"]:
            raise Unauthenticated("The city's sign-in spoke of somebody else.", error="userinfo", fix=_AGAIN)
        return {**said, **claims}

    def _person(self, claims: Mapping[str, Any], said: Mapping[str, Any]) -> Person:
        groups = said.get(self.wanted.groups_claim, [])
        names = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        held = [self.wanted.roles.get(name, frozenset()) for name in names[:_MOST_GROUPS] if isinstance(name, str)]
        roles: frozenset[str] = frozenset().union(*held)
        if not roles:
            raise Forbidden("None of your groups has a role at this desk.", fix="Ask this city's administrator.")
        sub = str(claims["sub"])
        name = next((str(said[key]) for key in ("preferred_username", "email") if isinstance(said.get(key), str)), sub)
        shown = said.get("name")
        return Person(f"{self.wanted.issuer} {sub}", name, shown if isinstance(shown, str) and shown else name, roles)

    def _read(self, *, at_least_ms: int = 0) -> _Known:
        """Give the documents, read anew after an hour or if they are older than `at_least_ms`."""
        with self._lock:
            now_ms = self._clock_ms()
            if self._known is None or self._known.at_ms < max(at_least_ms, now_ms - KEPT_MS):
                self._known = self._asked(now_ms)
            return self._known

    def _asked(self, now_ms: int) -> _Known:
        about = self._door.document(f"{self.wanted.issuer.rstrip('/')}/.well-known/openid-configuration")
        # Discovery 4.3: exactly the issuer that was configured, or another one speaks in its name.
        if about.get("issuer") != self.wanted.issuer:
            raise _away("The city's sign-in calls itself otherwise than oidc_issuer.", fix="Mend the setting.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(about.get(name), str) or not self._door.fits(about[name]):
                raise _away(f"The city's sign-in names no usable {name}.", fix="Tell its operator.")
        keys = self._door.document(about["jwks_uri"])
        try:
            return _Known(about, KeySet.import_key_set(keys), now_ms)  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _away("The keys of the city's sign-in cannot be read.", fix="Tell its operator.") from error


def _decoded(spelt: str, keys: KeySet) -> jwt.Token:
    return jwt.decode(spelt, keys, algorithms=list(ALGORITHMS))


def _check_answer(about: Mapping[str, Any], answer: Mapping[str, str], issuer: str) -> None:
    named = answer.get("iss", "")
    if (named or about.get("authorization_response_iss_parameter_supported")) and named != issuer:
        raise Unauthenticated("Another sign-in answered than was asked.", error="issuer", fix=_AGAIN)
    if answer.get("error"):
        raise Unauthenticated("The city's sign-in said no.", error=answer["error"][:60], fix=_AGAIN)
    if not 0 < len(answer.get("code", "")) <= 2_000:
        raise Unauthenticated("The city's sign-in gave no code.", error="code", fix=_AGAIN)


def _check_claims(claims: Mapping[str, Any], *, client_id: str, now_s: int) -> None:
    """Check what authlib leaves open."""
    subject, others = claims.get("sub"), claims.get("aud")
    audiences: Sequence[object] = others if isinstance(others, list) else [others]
    checks = {
        "sub": isinstance(subject, str) and 0 < len(subject) <= 255 and subject.isprintable(),
        "aud": client_id in audiences and (len(audiences) == 1 or claims.get("azp") == client_id),
        "azp": claims.get("azp", client_id) == client_id,
        "exp": _is_number(claims.get("exp")) and claims["exp"] + LEEWAY_S > now_s,
        "iat": _is_number(claims.get("iat")) and now_s - OLDEST_S <= claims["iat"] <= now_s + LEEWAY_S,
    }
    for name, holds in checks.items():
        if not holds:
            raise Unauthenticated(f"The claim {name} of the ID token does not hold.", error="id-token", fix=_AGAIN)


def _check_again(claims: Mapping[str, Any], since_ms: str) -> None:
    """Refuse a sign-in of before, where the person was to show anew who they are."""
    at = claims.get("auth_time")
    if since_ms and not (_is_number(at) and float(at or 0) >= int(since_ms) // 1000 - LEEWAY_S):
        raise Unauthenticated("The city's sign-in did not ask you again.", error="auth-time", fix=_AGAIN)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class _Door:
    """Requests to the provider; also what authlib takes for its session."""

    def __init__(self, ask: Ask, issuer: str) -> None:
        self._ask = ask
        self._scheme = urlsplit(issuer).scheme

    def fits(self, url: str) -> bool:
        """Tell whether an endpoint is spelt as safely as its issuer: never http where that is https."""
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.scheme in ("https", self._scheme) and not parts.fragment

    def document(self, url: str, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Get a JSON object. Raises Unavailable."""
        if not self.fits(url):
            raise _away("The city's sign-in names an address that is not safe.", fix="Tell its operator.")
        return self._sent(url, headers=dict(headers or {})).json()

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> "_Said":  # noqa: ANN401 (authlib's own)
        """Post a form as authlib wants it: `auth` puts the client's secret where it belongs."""
        said = {"accept": "application/json", "Content-Type": headers.get("Content-Type", "")}
        _, said, body = auth.prepare("POST", url, said, urlencode(data))
        return self._sent(url, method="POST", body=body.encode(), headers=said)

    def _sent(self, url: str, *, method: str = "GET", body: bytes = b"", headers: Mapping[str, str]) -> "_Said":
        try:
            reply = self._ask(
                url,
                method=method,
                body=body,
                headers=headers,
                max_bytes=_MOST_BYTES,
                deadline_s=_DEADLINE_S,
                accept="application/json",
            )
        except (Unavailable, TooLarge) as error:
            raise _away("The city's sign-in does not answer.", fix="Try again in a minute.") from error
        return _Said(reply.status, reply.body)


def _away(message: str, *, fix: str) -> Unavailable:
    """Make the error of a provider that does not answer as it should; a page says no more than that."""
    return Unavailable(message, fix=fix).on_page("no.staff.provider")


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer of the provider, spelt as authlib reads one."""

    status_code: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """Give the JSON object. Raises Unavailable."""
        try:
            said = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            said = None
        if not isinstance(said, dict):
            raise _away("The city's sign-in answered with no JSON object.", fix="Try again in a minute.")
        return said

    def raise_for_status(self) -> None:
        """Refuse a status of fault. Raises Unavailable."""
        if self.status_code >= 400:
            raise _away(f"The city's sign-in answered {self.status_code}.", fix="Try again in a minute.")


def roles_of(spelt: Sequence[str], known: Sequence[str]) -> dict[str, frozenset[str]]:
    """Read the setting `oidc_roles`: `group=role`, one role of a group each.

    Raises:
        Malformed: One is spelt otherwise, or there is no such role.
    """
    found: dict[str, frozenset[str]] = {}
    for each in spelt:
        group, equals, role = each.rpartition("=")
        if not equals or not group.strip() or role.strip() not in known:
            raise Malformed(f"oidc_roles: {each[:80]!r} is no GROUP=ROLE.", fix=f"Roles are {', '.join(known)}.")
        found[group.strip()] = found.get(group.strip(), frozenset()) | {role.strip()}
    return found
