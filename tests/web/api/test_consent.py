"""Laws of the staff's API of consent: staff alone, services alone, and a service is asked through the guarded door."""

# ruff: noqa: F811 - fixtures are named as what they give
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from node.federation.consent.store import ConsentStore, Withdrawal
from tests.catalog.conftest import city, grown, lasting_parser  # noqa: F401 - fixtures
from tests.catalog.rig import City
from tests.web.api.test_sources import Api

pytestmark = pytest.mark.slow  # whole nodes: seconds, not milliseconds

EVERY = [
    ("GET", "/api/consent/sources"),
    ("POST", "/api/consent/sources"),
    ("POST", "/api/consent/sources/residents/check"),
    ("DELETE", "/api/consent/sources/residents"),
    ("POST", "/api/consent/watch"),
    ("GET", "/api/data/withdrawals"),
    ("POST", "/api/data/withdrawals/acknowledge"),
    ("POST", "/api/data/withdrawals/erased"),
    ("POST", "/api/data/withdrawals/resend"),
]


class Service:
    """A consent service on a loopback port, which does as it is told."""

    def __init__(self) -> None:
        self.does = "answer"
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, said))
                if outer.does == "redirect":
                    self.send_response(302)
                    self.send_header("Location", f"{outer.url}/elsewhere")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                echo = {name: said[name] for name in ("dataset", "purpose", "recipient")}
                subjects = ["r" * 400] * 30_000 if outer.does == "flood" else ["r-1"]
                if self.path.endswith("/withdrawn"):
                    subjects = []
                body = json.dumps({**echo, "subjects": subjects}).encode()
                self.send_response(500 if outer.does == "fail" else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Service":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def api(city: City) -> Iterator[Api]:
    made = Api(city)
    yield made
    made.close()


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as running:
        yield running


def test_nobody_but_the_staff_reads_or_does_anything(api: Api) -> None:
    for method, path in EVERY:
        assert api.ask(method, path, who="").status_code == 401, (method, path)
        assert api.ask(method, path, who="robot").status_code == 403, (method, path)


def test_a_service_is_added_checked_and_forgotten(api: Api, service: Service) -> None:
    api.does("PUT", "/api/data/credentials/token", {"kind": "bearer", "for": service.url, "secret": "s3cr3t"})
    wish = {"name": "residents", "location": service.url + "/v1/", "credential": "token"}
    made = api.does("POST", "/api/consent/sources", wish, status=201)
    assert (made["kind"], made["location"]) == ("http", service.url + "/v1")
    assert made["checked_at"]
    assert service.asked[0][0] == "/v1/allowed"
    assert api.does("GET", "/api/consent/sources")["sources"] == [made]
    assert api.ask("POST", "/api/consent/sources", wish).status_code == 409
    service.does = "fail"
    assert "500" in api.does("POST", "/api/consent/sources/residents/check")["trouble"]
    service.does = "answer"
    assert "trouble" not in api.does("POST", "/api/consent/sources/residents/check")
    assert api.does("POST", "/api/consent/watch", {"name": "residents"}) == {"told": 0, "troubles": {}, "unknown": 0}
    assert api.does("DELETE", "/api/consent/sources/residents") == {"removed": "residents"}
    assert api.ask("DELETE", "/api/consent/sources/residents").status_code == 404


@pytest.mark.parametrize("does", ["redirect", "flood", "fail"])
def test_a_service_that_does_not_answer_the_question_is_not_added(api: Api, service: Service, does: str) -> None:
    service.does = does
    refused = api.ask("POST", "/api/consent/sources", {"name": "residents", "location": service.url})
    assert refused.status_code == 503
    assert {path for path, _ in service.asked} == {"/allowed"}, "no redirect is followed"
    assert api.does("GET", "/api/consent/sources") == {"sources": []}


def test_files_and_forbidden_addresses_are_no_services(api: Api) -> None:
    for location in ("/etc/passwd", "file:///etc/passwd", "http://10.0.0.1/", "ftp://h.example", "residents.csv"):
        refused = api.ask("POST", "/api/consent/sources", {"name": "residents", "location": location})
        assert refused.status_code == (403 if "10.0.0.1" in location else 400), location
    assert api.ask("POST", "/api/consent/watch", {"name": "nobody"}).status_code == 404


def test_withdrawals_are_given_page_by_page_and_city_by_city(api: Api, city: City) -> None:
    store = ConsentStore(city.node.db)
    with city.node.db.write() as tx:
        for number in range(3):
            where = (f"https://c{number % 2}.example", "urn:a", "urn:d", "", "ab" * 16, "cd" * 32, 5, 10 + number)
            store.put(tx, Withdrawal(f"id-{number}", "in", *where, purpose="urn:p" if number else ""))
    path = "/api/data/withdrawals"
    first = api.does("GET", f"{path}?limit=2")
    assert [each["id"] for each in first["withdrawals"]] == ["id-0", "id-1"]
    assert ["purpose" in each for each in first["withdrawals"]] == [False, True]
    last = api.does("GET", f"{path}?limit=2&after={first['next']}")
    assert ([each["id"] for each in last["withdrawals"]], "next" in last) == (["id-2"], False)
    found = api.does("GET", f"{path}?peer=https://c1.example")["withdrawals"]
    assert [each["id"] for each in found] == ["id-1"]
    assert api.ask("GET", f"{path}?after=x").status_code == 400
    done = api.does("POST", f"{path}/acknowledge", {})["withdrawals"]
    assert all(each["acknowledged_at"] for each in done)
    assert api.does("GET", f"{path}?untold=true")["withdrawals"] == done, "no city is there to take it"
    assert api.does("POST", f"{path}/resend", {}) == {"withdrawals": []}, "it waits to be sent"
    with city.node.db.write() as tx:
        tx.run("UPDATE outgoing SET done_at = 5, error = 'no' WHERE kind = 'withdrawal'")
    again = api.does("POST", f"{path}/resend", {"ids": ["id-1"]})["withdrawals"]
    assert [each["id"] for each in again] == ["id-1"]
    again = api.does("POST", f"{path}/resend", {})["withdrawals"]
    assert [each["id"] for each in again] == ["id-0", "id-2"], "each once"
    assert api.ask("POST", f"{path}/resend", {"ids": ["nobody"]}).status_code == 404


def test_what_waits_for_nobody_cannot_be_answered(api: Api) -> None:
    assert api.does("GET", "/api/data/withdrawals") == {"withdrawals": []}
    for act in ("acknowledge", "erased"):
        assert api.ask("POST", f"/api/data/withdrawals/{act}").status_code == 409
        assert api.ask("POST", f"/api/data/withdrawals/{act}", {"ids": ["ab"]}).status_code == 404
        assert api.ask("POST", f"/api/data/withdrawals/{act}", {"ids": "ab"}).status_code == 400
