"""Laws of the desk's page on keys: what each is for is said, a new one takes over, and no private half is shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.keys import DAY_MS, PURPOSES
from node.web.wording.words import LANGUAGES, words
from tests.web.desk.rig import Browser, at_desk, text_of
from tests.web.find_rig import Rig, empty

pytestmark = pytest.mark.slow  # a whole node: seconds, not milliseconds


@pytest.fixture
def rig(tmp_path: Path, migrated: Path) -> Iterator[Rig]:
    made = empty(tmp_path, migrated)
    yield made
    made.close()


@pytest.fixture
def admin(rig: Rig) -> Iterator[Browser]:
    with at_desk(rig, "admin") as browser:
        browser.get("/desk/keys")
        yield browser


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_purpose_is_named_with_its_key_and_what_it_is_for(rig: Rig, language: str) -> None:
    with at_desk(rig, "viewer", language=language) as browser:
        page = browser.get("/desk/keys")
    for purpose in PURPOSES:
        assert words(language, f"desk.keys.for.{purpose}") in page.text
        assert rig.node.keyring.current(purpose).kid in page.text
    assert "<form" not in page.text.partition("<main")[2], "a viewer replaces nothing"
    assert '"d"' not in page.text
    assert "PRIVATE" not in page.text


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_is_replaced_and_the_old_one_goes_on_for_the_days_that_were_said(
    rig: Rig, admin: Browser, purpose: str
) -> None:
    ring = rig.node.keyring
    old = ring.current(purpose)  # type: ignore[arg-type]
    page = admin.after(admin.press(f"/desk/keys/{purpose}/rotate", {"overlap": "30", "sure": "yes"}))
    new = ring.current(purpose)  # type: ignore[arg-type]
    assert new.endorsed_by == old.kid
    [waning] = [key for key in ring.published(purpose) if key.kid == old.kid]  # type: ignore[arg-type]
    assert waning.until_ms is not None
    assert (waning.until_ms - new.since_ms) // DAY_MS == 30
    assert old.kid in page.text
    key = "desk.keys.note.fingerprint" if purpose == "entity" else "desk.keys.note.rotated"
    assert words("en", key) in text_of(page)
    [event] = rig.node.staff.trail.list()
    assert (event.act, event.target, event.outcome) == ("key.rotate", purpose, "done")
    assert event.detail == {"overlap_days": 30, "kid": new.kid}
    page = admin.after(admin.press(f"/desk/keys/{old.kid}/retire", {}))
    assert words("en", "desk.keys.gone_one") in text_of(page)
    assert admin.press(f"/desk/keys/{old.kid}/retire", {}).status_code == 409


def test_what_was_signed_is_signed_anew_with_a_new_checkpoint_key(rig: Rig, admin: Browser) -> None:
    admin.press("/desk/keys/checkpoint/rotate", {"overlap": "7", "sure": "yes"})
    note = rig.get("/collections/open-data/checkpoint", "*/*").text
    assert note.count("\n— ") == 2, "both keys sign during the overlap"


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/desk/keys/record/rotate", {"overlap": "7"}, 400),
        ("/desk/keys/record/rotate", {"overlap": "400", "sure": "yes"}, 400),
        ("/desk/keys/record/rotate", {"overlap": "-1", "sure": "yes"}, 400),
        ("/desk/keys/nothing/rotate", {"overlap": "7", "sure": "yes"}, 400),
        ("/desk/keys/nobody/retire", {}, 404),
    ],
)
def test_what_is_no_rotation_changes_no_key(
    rig: Rig, admin: Browser, path: str, fields: dict[str, str], status: int
) -> None:
    before = rig.node.keyring.published()
    assert admin.press(path, fields).status_code == status
    assert rig.node.keyring.published() == before


def test_whoever_rules_not_replaces_no_key(rig: Rig) -> None:
    before = rig.node.keyring.published()
    with at_desk(rig, "viewer", "editor", "steward", "approver") as browser:
        browser.get("/desk/keys")
        assert browser.press("/desk/keys/record/rotate", {"overlap": "7", "sure": "yes"}).status_code == 403
    assert rig.node.keyring.published() == before


def test_a_key_older_than_a_year_is_told(rig: Rig, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    office = rig.node.federation.key_office
    now = office._clock_ms
    monkeypatch.setattr(office, "_clock_ms", lambda: now() + 366 * DAY_MS)
    said = text_of(admin.get("/desk/keys"))
    assert words("en", "desk.keys.old", n=len(PURPOSES)) in said
