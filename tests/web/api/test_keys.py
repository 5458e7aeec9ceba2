"""Laws of the staff's API of keys: it does what the command line does, and no private half is ever in an answer."""

import pytest

from node.keys import DAY_MS, PURPOSES
from tests.web.api.test_peers import Staff, staff

__all__ = ["staff"]
pytestmark = pytest.mark.slow  # a whole node: seconds, not milliseconds


def test_every_key_is_listed_by_purpose_and_none_is_private(staff: Staff) -> None:
    told = staff.get("/api/keys")
    ring = staff.door.node.keyring
    assert told["fingerprint"] == ring.fingerprint
    assert [each["purpose"] for each in told["purposes"]] == list(PURPOSES)
    for each in told["purposes"]:
        [key] = each["keys"][:1]
        assert (key["kid"], key["state"]) == (ring.current(each["purpose"]).kid, "in use")
        assert "d" not in key["jwk"]


def test_a_key_is_replaced_with_an_overlap_and_the_overlap_is_ended(staff: Staff) -> None:
    ring = staff.door.node.keyring
    old = ring.current("witness")
    new = staff.does("POST", "/api/keys/witness/rotate", {"overlap_days": 3})
    assert (new["endorsed_by"], ring.current("witness").kid) == (old.kid, new["kid"])
    waning = next(key for key in ring.published("witness") if key.kid == old.kid)
    assert (waning.until_ms or 0) - ring.current("witness").since_ms == 3 * DAY_MS
    assert staff.does("POST", f"/api/keys/{old.kid}/retire")["state"] == "retired"
    assert staff.ask("POST", f"/api/keys/{old.kid}/retire").status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/keys/nothing/rotate", {}, 400),
        ("/api/keys/record/rotate", {"overlap_days": -1}, 400),
        ("/api/keys/record/rotate", {"overlap_days": 367}, 400),
        ("/api/keys/record/rotate", {"overlap_days": True}, 400),
        ("/api/keys/record/rotate", {"overlap_days": "7"}, 400),
        ("/api/keys/nobody/retire", None, 404),
        (f"/api/keys/{'x' * 81}/retire", None, 400),
    ],
)
def test_what_is_no_rotation_changes_no_key(staff: Staff, path: str, body: object, status: int) -> None:
    before = staff.door.node.keyring.published()
    assert staff.ask("POST", path, body).status_code == status
    assert staff.door.node.keyring.published() == before
