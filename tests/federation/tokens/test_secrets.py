"""Tokens by name: the secret is shown once and kept nowhere, and they end when they should."""

import pytest

from node.db import Database
from node.errors import Conflict, Malformed, NotFound
from node.federation.tokens.secrets import DAY_MS, MOST_DAYS, USED_EVERY_MS, NamedTokens

AT_MS = 1_800_000_000_000


@pytest.fixture
def named(db: Database) -> NamedTokens:
    return NamedTokens(db)


def test_a_token_is_found_by_its_secret(named: NamedTokens) -> None:
    token, secret = named.issue("prog", now_ms=AT_MS, scopes=["read:secret", "read:oslo/open-data"], days=2)
    assert secret.startswith("cn_")
    found = named.find(secret, now_ms=AT_MS)
    assert found == token
    assert (found.staff, found.scopes) == (False, {"read:secret", "read:oslo/open-data"})


def test_the_secret_is_kept_nowhere(named: NamedTokens, db: Database) -> None:
    _, secret = named.issue("anna", now_ms=AT_MS, staff=True)
    with db.read() as tx:
        row = tx.row("SELECT * FROM token")
    assert row is not None
    kept = " ".join(bytes(cell).hex() if isinstance(cell, bytes | memoryview) else str(cell) for cell in row)
    assert secret.split("_", 2)[2] not in kept
    assert secret.encode().hex() not in kept
    assert secret not in repr(named.list())


def test_a_token_ends_by_itself_and_at_once_when_it_is_revoked(named: NamedTokens) -> None:
    _, secret = named.issue("anna", now_ms=AT_MS, staff=True, days=1)
    assert named.find(secret, now_ms=AT_MS + DAY_MS - 1)
    assert named.find(secret, now_ms=AT_MS + DAY_MS) is None
    named.revoke("anna", now_ms=AT_MS + 1)
    assert named.find(secret, now_ms=AT_MS + 2) is None
    named.revoke("anna", now_ms=AT_MS + 5)
    assert named.list()[0].revoked_at_ms == AT_MS + 1


def test_a_name_is_issued_anew_when_its_token_has_ended(named: NamedTokens) -> None:
    _, first = named.issue("anna", now_ms=AT_MS, staff=True)
    with pytest.raises(Conflict, match="already"):
        named.issue("anna", now_ms=AT_MS, staff=True)
    named.revoke("anna", now_ms=AT_MS)
    _, second = named.issue("anna", now_ms=AT_MS, staff=True)
    assert named.find(first, now_ms=AT_MS) is None
    assert named.find(second, now_ms=AT_MS)


@pytest.mark.parametrize("spelt", ["", "cn_", "cn_x", "cn_" + "0" * 12 + "_" + "A" * 43, "x" * 9000])
def test_what_is_no_token_finds_none(named: NamedTokens, spelt: str) -> None:
    named.issue("anna", now_ms=AT_MS, staff=True)
    assert named.find(spelt, now_ms=AT_MS) is None


def test_one_tokens_id_with_anothers_secret_finds_none(named: NamedTokens) -> None:
    _, one = named.issue("anna", now_ms=AT_MS, staff=True)
    _, other = named.issue("berta", now_ms=AT_MS, staff=True)
    assert named.find(one[:16] + other[16:], now_ms=AT_MS) is None


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "Anna"},
        {"name": ""},
        {"name": "a b"},
        {"name": "a" * 64},
        {"days": 0},
        {"days": MOST_DAYS + 1},
        {"scopes": ["federation"]},
        {"scopes": ["read:A"]},
        {"scopes": ["read:a/b/c"]},
        {"scopes": ["read:a b"]},
        {"scopes": []},
        {"scopes": [f"read:c{n}" for n in range(51)]},
        {"staff": True, "scopes": ["read:a"]},
    ],
)
def test_what_is_asked_wrongly_issues_nothing(named: NamedTokens, asked: dict[str, object]) -> None:
    honest: dict[str, object] = {"name": "prog", "scopes": ["read:a"], "now_ms": AT_MS}
    with pytest.raises(Malformed):
        named.issue(**(honest | asked))  # type: ignore[arg-type]
    assert named.list() == []


def test_revoking_what_is_not_there_says_so(named: NamedTokens) -> None:
    with pytest.raises(NotFound):
        named.revoke("nobody", now_ms=AT_MS)


def test_use_is_noted_once_a_minute(named: NamedTokens) -> None:
    token, secret = named.issue("anna", now_ms=AT_MS, staff=True)
    named.used(token, now_ms=AT_MS)
    found = named.find(secret, now_ms=AT_MS + 1)
    assert found
    assert found.last_used_at_ms == AT_MS
    named.used(found, now_ms=AT_MS + USED_EVERY_MS - 1)
    assert named.list()[0].last_used_at_ms == AT_MS
    named.used(found, now_ms=AT_MS + USED_EVERY_MS)
    assert named.list()[0].last_used_at_ms == AT_MS + USED_EVERY_MS
