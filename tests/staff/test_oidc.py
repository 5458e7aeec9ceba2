"""Sign-in by the city's own provider: what is sent, what must come back, and every way in which it may not hold."""

import base64
import json
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from node.errors import Forbidden, Malformed, Unauthenticated, Unavailable
from node.outbound import Outbound
from node.staff.oidc import AWAY_MS, KEPT_MS, Provider, Wanted, roles_of
from tests.staff.provider import CLIENT, EC, ISSUER, NOW_MS, OTHER, RSA, WANTED, City


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
def provider(city: City) -> Provider:
    return Provider(WANTED, city.ask, clock_ms=lambda: city.now_ms)


def signed_in(provider: Provider, city: City, **answer: str) -> Any:
    begun = provider.begin()
    return provider.end(begun.kept, city.browse(begun.url) | answer)


def test_who_comes_back_is_who_the_provider_vouches_for(provider: Provider, city: City) -> None:
    person = signed_in(provider, city)
    assert (person.subject, person.shown, person.roles) == (f"{ISSUER} u-17", "Maija M", frozenset({"steward"}))
    assert "openid" in city.authorized["scope"].split()


def test_each_sign_in_is_sent_away_with_secrets_of_its_own(provider: Provider) -> None:
    one, other = provider.begin(), provider.begin()
    assert all(one.kept[name] != other.kept[name] for name in ("state", "nonce", "verifier"))
    assert one.kept["verifier"] not in one.url


def test_roles_are_those_of_all_groups_and_none_is_no_entry(provider: Provider, city: City) -> None:
    city.user["groups"] = ["data-leads", "data-stewards", "choir", 7]
    assert signed_in(provider, city).roles == {"approver", "viewer", "steward"}
    city.user["groups"] = ["choir"]
    with pytest.raises(Forbidden, match="None of your groups"):
        signed_in(provider, city)


def test_groups_that_the_token_leaves_out_are_asked_for_of_the_same_person(provider: Provider, city: City) -> None:
    del city.user["groups"]
    city.in_userinfo = {"groups": "data-stewards", "preferred_username": "maija"}
    person = signed_in(provider, city)
    assert (person.name, person.roles) == ("maija", {"steward"})
    city.in_userinfo["sub"] = "somebody-else"
    with pytest.raises(Unauthenticated, match="somebody else"):
        signed_in(provider, city)


def test_what_another_browser_began_cannot_be_ended_here(provider: Provider, city: City) -> None:
    mine, theirs = provider.begin(), provider.begin()
    answer = city.browse(theirs.url)
    for kept in (mine.kept, {}, {"state": ""}):
        with pytest.raises(Unauthenticated, match="not begun in this browser"):
            provider.end(kept, answer)
    city.now_ms += AWAY_MS
    with pytest.raises(Unauthenticated, match="too long ago"):
        provider.end(theirs.kept, answer)
    assert not any(url.endswith("/token") for url in city.asked)


def test_a_code_is_worth_nothing_without_the_verifier_of_its_browser(provider: Provider, city: City) -> None:
    begun = provider.begin()
    with pytest.raises(Unauthenticated, match="code"):
        provider.end({**begun.kept, "verifier": "x" * 64}, city.browse(begun.url))


def test_a_code_is_good_once(provider: Provider, city: City) -> None:
    begun = provider.begin()
    answer = city.browse(begun.url)
    provider.end(begun.kept, answer)
    with pytest.raises(Unauthenticated, match="code"):
        provider.end(begun.kept, answer)


LIES: dict[str, Callable[[City], object]] = {
    "another issuer": lambda c: c.claims.update(iss="https://id.example.org/other"),
    "no issuer": lambda c: c.claims.update(iss=None),
    "another audience": lambda c: c.claims.update(aud="somebody"),
    "no audience": lambda c: c.claims.update(aud=None),
    "an audience beside us, and nobody it was made for": lambda c: c.claims.update(aud=[CLIENT, "other"]),
    "made for another client": lambda c: c.claims.update(azp="other"),
    "made for another client, among two audiences": lambda c: c.claims.update(aud=[CLIENT, "other"], azp="other"),
    "another nonce": lambda c: c.claims.update(nonce="n" * 43),
    "no nonce": lambda c: c.claims.update(nonce=None),
    "run out": lambda c: c.claims.update(exp=NOW_MS // 1000 - 61),
    "no end": lambda c: c.claims.update(exp=None),
    "an end that is no number": lambda c: c.claims.update(exp="never"),
    "of the future": lambda c: c.claims.update(iat=NOW_MS // 1000 + 120),
    "of an hour ago": lambda c: c.claims.update(iat=NOW_MS // 1000 - 3_600),
    "not yet good": lambda c: c.claims.update(nbf=NOW_MS // 1000 + 600),
    "nobody": lambda c: c.claims.update(sub=None),
    "a name that no database takes": lambda c: c.claims.update(sub="u\x0017"),
    "a list for a name": lambda c: c.claims.update(sub=["u-17"]),
    "another key under the same name": lambda c: setattr(c, "key", OTHER),
    "our view of its public key as a secret": lambda c: (
        setattr(c, "key", RSA.as_pem(private=False)),
        c.header.update(alg="HS256"),
    ),
    "another access token": lambda c: c.claims.update(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_is_right_but_in_one_thing_lets_nobody_in(lie: str, provider: Provider, city: City) -> None:
    signed_in(provider, city)
    LIES[lie](city)
    with pytest.raises(Unauthenticated):
        signed_in(provider, city)


def test_an_unsigned_id_token_lets_nobody_in(provider: Provider, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"alg":"none"}', json.dumps({"iss": ISSUER, "aud": CLIENT, "sub": "u-17"})
    pieces = [base64.urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in said]
    monkeypatch.setattr(City, "_signed", lambda *_: ".".join([*pieces, ""]))
    with pytest.raises(Unauthenticated):
        signed_in(provider, city)


def test_two_audiences_are_good_where_the_token_was_made_for_us(provider: Provider, city: City) -> None:
    city.claims.update(aud=[CLIENT, "other"], azp=CLIENT)
    assert signed_in(provider, city).roles


def test_another_provider_cannot_answer_in_the_place_of_ours(provider: Provider, city: City) -> None:
    assert signed_in(provider, city, iss=ISSUER)
    with pytest.raises(Unauthenticated, match="Another sign-in"):
        signed_in(provider, city, iss="https://evil.example.org")
    city.about["authorization_response_iss_parameter_supported"] = True
    city.now_ms += KEPT_MS + 1
    with pytest.raises(Unauthenticated, match="Another sign-in"):
        signed_in(provider, city)


def test_a_person_who_says_no_is_told_so(provider: Provider, city: City) -> None:
    with pytest.raises(Unauthenticated, match="said no"):
        signed_in(provider, city, error="access_denied")


def test_a_key_that_the_provider_changed_is_asked_for_once(provider: Provider, city: City) -> None:
    signed_in(provider, city)
    city.keys, city.key, city.header = [EC], EC, {"alg": "ES256", "kid": "e1"}
    city.now_ms += 120_000
    assert signed_in(provider, city).shown == "Maija M"
    city.key, city.header = RSA, {"alg": "RS256", "kid": "r1"}
    before = len(city.asked)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            signed_in(provider, city)
    assert [url for url in city.asked[before:] if url.endswith("/keys")] == []


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://id.example.org/other"},
        {"token_endpoint": "http://id.example.org/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
    ids=lambda about: next(iter(about)),
)
def test_documents_that_cannot_be_trusted_stop_the_sign_in_at_its_begin(
    about: dict[str, Any], provider: Provider, city: City
) -> None:
    city.about = about
    with pytest.raises(Unavailable):
        provider.begin()


def test_a_provider_that_is_away_is_no_refusal(provider: Provider, city: City) -> None:
    city.away = True
    with pytest.raises(Unavailable, match="does not answer"):
        provider.begin()
    assert provider.leave() == ""


def test_leaving_ends_at_the_provider(provider: Provider) -> None:
    assert provider.leave().startswith(f"{ISSUER}/leave?client_id={CLIENT}&post_logout_redirect_uri=https%3A%2F%2F")


def test_to_prove_oneself_again_is_no_sign_in_of_before(provider: Provider, city: City) -> None:
    begun = provider.begin(again=True)
    assert "prompt=login" in begun.url
    assert "max_age=0" in begun.url
    assert provider.end(begun.kept, city.browse(begun.url))
    for before in (NOW_MS // 1000 - 600, None):
        city.claims.update(auth_time=before)
        begun = provider.begin(again=True)
        with pytest.raises(Unauthenticated, match="did not ask you again"):
            provider.end(begun.kept, city.browse(begun.url))


def test_groups_have_roles_by_setting() -> None:
    known = ("viewer", "editor", "admin")
    assert roles_of(["cn=data,ou=x=editor", "team=viewer", "team=admin"], known) == {
        "cn=data,ou=x": {"editor"},
        "team": {"viewer", "admin"},
    }
    for wrong in ("team", "=viewer", "team=king"):
        with pytest.raises(Malformed, match="oidc_roles"):
            roles_of([wrong], known)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a real OpenID Connect server, which knows one person."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = json.dumps({"sub": "maija", "name": "Maija M", "groups": ["data-stewards"], "email": "maija@example.org"})
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), "--user-claims", user]
    process = subprocess.Popen([*command, "-n", "True"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the OpenID Connect server did not start")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


def consent(url: str, sub: str = "maija", action: str = "") -> dict[str, str]:
    """Say yes at the real server, as a browser would; give the query that it sends back with."""
    data = urllib.parse.urlencode({"sub": sub} | ({"action": action} if action else {})).encode()
    try:
        urllib.request.build_opener(_Stay).open(url, data, timeout=10).close()
    except urllib.error.HTTPError as moved:
        with moved:
            return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(moved.headers["location"]).query))
    pytest.fail("the server sent nobody back")


@pytest.mark.slow
def test_a_real_server_lets_its_person_in_and_nobody_else(server: str) -> None:
    out = Outbound(loopback_allowed=True, private_origins=frozenset(), user_agent="citynode tests")
    back = "http://127.0.0.1:8000/desk/sign-in/city/back"
    wanted = Wanted(
        server, "desk", "secret", back, "http://127.0.0.1:8000/desk", {"data-stewards": frozenset({"steward"})}
    )
    provider = Provider(wanted, out.ask, clock_ms=lambda: time.time_ns() // 1_000_000)
    try:
        begun = provider.begin()
        person = provider.end(begun.kept, consent(begun.url))
        assert (person.subject, person.name, person.roles) == (f"{server} maija", "maija@example.org", {"steward"})
        begun = provider.begin()
        with pytest.raises(Forbidden):
            provider.end(begun.kept, consent(begun.url, sub="visitor"))
        begun = provider.begin()
        # This server forgets the state when somebody says no; whatever it says, nobody is in.
        with pytest.raises(Unauthenticated):
            provider.end(begun.kept, consent(begun.url, action="deny"))
        assert provider.leave().startswith(server)
    finally:
        out.close()
