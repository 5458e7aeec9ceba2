"""Laws of the staff's API of pulls: staff alone, no path of this machine, and the worker does what was asked for."""

# ruff: noqa: F811 - fixtures are named as what they give
import re
from collections.abc import Iterator

import pytest

from tests.catalog.conftest import city, grown, lasting_parser  # noqa: F401 - fixtures
from tests.catalog.rig import City
from tests.federation.agreed import RESEARCH, agree_alone, atom, peer, permits
from tests.web.api.test_sources import Api

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

LONDON = "http://127.0.0.1:1"
NOISE = f"{LONDON}/datasets/noise"
EVERY = [
    ("GET", "/api/data/pulls"),
    ("GET", "/api/data/pulls/1"),
    ("POST", "/api/data/pulls"),
    ("POST", "/api/data/pulls/1/resume"),
    ("POST", "/api/data/pulls/1/cancel"),
    ("POST", "/api/data/access-requests"),
]


@pytest.fixture
def api(city: City) -> Iterator[Api]:
    peer(city.node, "london", LONDON)
    made = Api(city)
    yield made
    made.close()


def test_nobody_but_the_staff_reads_or_does_anything(api: Api) -> None:
    for method, path in EVERY:
        assert api.ask(method, path, who="").status_code == 401, (method, path)
        assert api.ask(method, path, who="robot").status_code == 403, (method, path)


def test_a_pull_is_asked_for_read_cancelled_and_begun_anew(api: Api) -> None:
    agree_alone(api.city.node, LONDON, records=[NOISE], rules=permits("use"), mirror=True)
    made = api.does("POST", "/api/data/pulls", {"dataset": NOISE}, status=202)
    assert (made["state"], made["by"], made["peer"], made["parts"]) == ("waiting", "ada", "london", [])
    assert re.search(r"/received/london/noise-[0-9a-f]{8}/\Z", made["to"])
    assert api.does("POST", "/api/data/pulls", {"dataset": NOISE}, status=202)["id"] == made["id"]
    assert api.does("GET", "/api/data/pulls")["pulls"] == [made]
    address = f"/api/data/pulls/{made['id']}"
    assert api.does("GET", address) == made
    assert api.does("POST", f"{address}/cancel")["state"] == "cancelled"
    assert api.ask("POST", f"{address}/cancel").status_code == 409
    assert api.ask("POST", f"{address}/resume").status_code == 409
    assert api.does("GET", "/api/data/pulls") == {"pulls": []}
    assert len(api.does("GET", "/api/data/pulls?ended=true")["pulls"]) == 1


def test_what_may_not_be_had_is_refused_at_once(api: Api) -> None:
    said = {"dataset": NOISE}
    refused = api.ask("POST", "/api/data/pulls", said)
    assert (refused.status_code, "No agreement" in refused.text) == (403, True)
    agree_alone(
        api.city.node,
        LONDON,
        records=[NOISE],
        rules=permits("use", constraint=[atom("purpose", "isAnyOf", [RESEARCH])]),
        mirror=True,
    )
    refused = api.ask("POST", "/api/data/pulls", said)
    assert (refused.status_code, "AcademicResearch" in refused.text) == (403, True)
    assert api.ask("POST", "/api/data/pulls", {**said, "purpose": "Nothing"}).status_code == 400
    assert api.ask("POST", "/api/data/pulls", {**said, "part": "../x"}).status_code == 400
    assert api.ask("POST", "/api/data/pulls", {**said, "peer": "nobody"}).status_code == 404
    good = {**said, "purpose": "AcademicResearch", "to": "s3://bucket/key"}
    assert api.does("POST", "/api/data/pulls", good, status=202)["to"] == "s3://bucket/key"


def test_no_path_is_taken_from_the_network(api: Api) -> None:
    agree_alone(api.city.node, LONDON, records=[NOISE], rules=permits("use"), mirror=True)
    for path in ("/etc/passwd", "../x", "file:///etc/passwd", "x"):
        assert api.ask("POST", "/api/data/pulls", {"dataset": NOISE, "to": path}).status_code == 400, path


def test_access_is_asked_for_with_a_purpose(api: Api) -> None:
    assert api.ask("POST", "/api/data/access-requests", {"dataset": NOISE}).status_code == 400
    said = {"dataset": NOISE, "purpose": "AcademicResearch", "message": "We plan a tram."}
    talk = api.does("POST", "/api/data/access-requests", said, status=202)["negotiation"]
    held = api.city.node.federation.dsp.negotiations.get(talk)
    assert (held.target, held.opened_by, held.about["note"]) == (NOISE, "ada", "We plan a tram.")
    (limits,) = [each["constraint"] for each in held.offer["permission"]]
    assert RESEARCH in str(limits)
