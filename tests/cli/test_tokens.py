"""Commands on tokens: the secret is said once, alone, and works until it is revoked."""

import pytest

from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


def test_a_secret_is_alone_on_standard_output(helsinki: Say) -> None:
    said = helsinki("tokens", "issue", "anna", "--staff")
    assert said.code == 0
    assert said.out.startswith("cn_")
    assert len(said.out.split()) == 1
    assert said.out.strip() not in said.err
    assert said.out.strip() not in helsinki("tokens", "list", "--json").out


def test_tokens_are_listed_with_what_they_may_and_how_they_stand(helsinki: Say) -> None:
    issued = helsinki("tokens", "issue", "prog", "--scope", "read:b", "--scope", "read:a", "--days", "3", "--json")
    assert {"name", "token", "expires_at"} == issued.json.keys()
    helsinki("tokens", "issue", "anna", "--staff")
    assert helsinki("tokens", "revoke", "anna").code == 0
    listed = {token["name"]: token for token in helsinki("tokens", "list", "--json").json}
    assert (listed["prog"]["scopes"], listed["prog"]["state"]) == (["read:a", "read:b"], "good")
    assert (listed["anna"]["staff"], listed["anna"]["state"]) == (True, "revoked")
    shown = helsinki("tokens", "list").out
    assert "read:a read:b" in shown
    assert "revoked" in shown


def test_a_collection_that_does_not_exist_is_warned_of(helsinki: Say) -> None:
    said = helsinki("tokens", "issue", "prog", "--scope", "read:open-data", "--scope", "read:nosuch")
    assert (said.code, len(said.out.split())) == (0, 1)
    assert "! There is no collection nosuch here" in said.err
    assert "no collection open-data" not in said.err
    assert "!" not in helsinki("tokens", "issue", "anna", "--staff").err


def test_what_cannot_be_issued_says_why(helsinki: Say) -> None:
    helsinki("tokens", "issue", "anna", "--staff")
    again = helsinki("tokens", "issue", "anna", "--staff")
    assert (again.code, "revoke" in again.err) == (1, True)
    assert helsinki("tokens", "issue", "prog").code == 1
    assert helsinki("tokens", "issue", "prog", "--scope", "admin").code == 1
    assert helsinki("tokens", "issue", "prog", "--scope", "read:a", "--days", "0").code == 2
    assert helsinki("tokens", "revoke", "nobody").code == 1
    assert [token["name"] for token in helsinki("tokens", "list", "--json").json] == ["anna"]
