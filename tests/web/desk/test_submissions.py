"""Laws of submissions at the desk: read as they would be published, answered once, and then forgotten."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from node.catalog.submission_rules import CITY_SAYS
from node.vocab.kinds import TABLES, example_of
from tests.catalog.rig import City, make_city
from tests.web.desk.rig import Browser, at_desk, text_of

pytestmark = pytest.mark.slow  # a whole node


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("submitted")
    (folder / "node.db").write_bytes(migrated.read_bytes())
    made = make_city(folder)
    yield made
    made.node.close()


@pytest.fixture
def desk(city: City) -> Iterator[Browser]:
    with at_desk(city.node, "editor") as browser:
        yield browser


def submit(city: City, title: str) -> str:
    said = {name: value for name, value in example_of(TABLES["reuse"]).items() if name not in CITY_SAYS}
    described = said | {"title": title, "link": f"https://app.example.org/{title.replace(' ', '-')}"}
    body = {"kind": "reuse", "described": described, "email": "ada@app.example.org"}
    return city.node.knowledge.submissions.submit(body, caller="203.0.113.9").id


def test_what_is_accepted_is_published_and_who_sent_it_is_told_a_last_time(city: City, desk: Browser) -> None:
    name = submit(city, "Tree map")
    assert "One submission waits" in text_of(desk.get("/desk/submissions"))
    shown = text_of(desk.get(f"/desk/submissions/{name}"))
    assert "ada@app.example.org" in shown
    assert "Tree map" in shown
    reply = desk.press(f"/desk/submissions/{name}/accept", {"slug": ""})
    where = unquote_plus(unquote_plus(reply.headers["location"]))
    assert not [each for each in ("ada", "example", "Tree") if each in where], "addresses are kept by whoever sees them"
    done = text_of(desk.after(reply))
    assert "Accepted and published: Tree map. Tell who sent it: ada@app.example.org" in done
    assert desk.get("/reuses/tree-map").status_code == 200
    after = text_of(desk.get(f"/desk/submissions/{name}"))
    assert "no longer kept" in after
    assert "ada@app.example.org" not in after
    assert desk.press(f"/desk/submissions/{name}/accept", {"slug": ""}).status_code == 409


def test_a_no_needs_a_reason_and_publishes_nothing(city: City, desk: Browser) -> None:
    name = submit(city, "Cheap pills")
    desk.get(f"/desk/submissions/{name}")
    assert desk.press(f"/desk/submissions/{name}/refuse", {"reason": ""}).status_code == 400
    desk.after(desk.press(f"/desk/submissions/{name}/refuse", {"reason": "No data of ours."}))
    assert desk.get("/reuses/cheap-pills").status_code == 404
    assert "No data of ours." in text_of(desk.get("/desk/submissions?decided=1"))


def test_a_viewer_reads_them_and_answers_none(city: City) -> None:
    name = submit(city, "Bench map")
    with at_desk(city.node, "viewer", name="eero") as viewer:
        assert viewer.get(f"/desk/submissions/{name}").status_code == 200
        assert viewer.press(f"/desk/submissions/{name}/accept", {"slug": ""}).status_code == 403
    assert city.node.knowledge.submissions.show(name).state == "waiting"
