"""Laws of the staff's API of agreements: staff alone may use it, and the whole life of an agreement goes through it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.assembly.clock import clock_ms
from tests.federation.cities import HELSINKI, LONDON, City, Request, cities

pytestmark = pytest.mark.slow  # two whole nodes with their web applications

RULES = {"permission": [{"action": "odrl:index"}]}
READING = [
    "/api/agreements",
    "/api/agreements/one?name=12345678",
    "/api/agreements/to-approve?name=12345678",
    "/api/agreements/export?name=12345678",
    "/api/agreements/verify?name=12345678",
    "/api/agreements/templates",
    "/api/agreements/template?name=restricted-data",
    "/api/agreements/explain?name=12345678",
    "/api/agreements/diff?name=12345678",
    "/api/agreements/comments?name=12345678",
    "/api/agreements/choices?peer=london",
    "/api/offers",
]
ACTS = [
    "/api/agreements/drafts",
    "/api/agreements/propose",
    "/api/agreements/counter",
    "/api/agreements/approve",
    "/api/agreements/sign",
    "/api/agreements/suspend",
    "/api/agreements/resume",
    "/api/agreements/revoke",
    "/api/agreements/simulate",
    "/api/agreements/rewrite",
    "/api/agreements/comments",
    "/api/agreements/comments/settle",
    "/api/offers",
    "/api/offers/withdraw",
]
EVERY = [*(("GET", path) for path in READING), *(("POST", path) for path in ACTS)]


class Staff:
    """People of one city, each with a token."""

    def __init__(self, city: City, *people: str) -> None:
        self.city = city
        tokens = city.federation.named_tokens
        self.secrets = {name: tokens.issue(name, now_ms=clock_ms(), staff=True)[1] for name in people}
        self.secrets["robot"] = tokens.issue("robot", now_ms=clock_ms(), scopes=["read:plans"])[1]

    def ask(self, method: str, path: str, body: Any = None, *, who: str = "") -> Any:
        who = who or next(iter(self.secrets))
        headers = {"accept-encoding": "identity", "content-type": "application/json"}
        headers |= {"authorization": f"Bearer {self.secrets[who]}"} if who in self.secrets else {}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers["content-length"] = str(len(content))
        return self.city.wire.call(Request("staff", method, self.city.url + path, headers, content))

    def does(self, method: str, path: str, body: Any = None, *, status: int = 200, who: str = "") -> Any:
        reply = self.ask(method, path, body, who=who)
        assert reply.status == status, reply.body
        assert reply.headers["cache-control"] == "no-store"
        return json.loads(reply.body)

    def get(self, path: str) -> Any:
        return self.does("GET", path)

    def post(self, act: str, status: int = 200, who: str = "", **body: Any) -> Any:
        return self.does("POST", f"/api/{act}", body, status=status, who=who)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[tuple[Staff, Staff]]:
    folder = tmp_path_factory.mktemp("agreements")
    with cities(folder, migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        helsinki.meet(london)
        london.meet(helsinki)
        helsinki.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=clock_ms())
        yield Staff(helsinki, "maija", "pekka"), Staff(london, "john")


def settle(*staff: Staff) -> None:
    while sum(each.city.federation.agreeing.office.round(clock_ms()) for each in staff):
        pass


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_nobody_but_staff_comes_in_and_nothing_of_the_request_is_read(
    method: str, path: str, two: tuple[Staff, Staff]
) -> None:
    staff = two[0]
    nobody = staff.ask(method, path, b"\xff", who="nobody")
    assert (nobody.status, nobody.headers["content-type"]) == (401, "application/problem+json")
    assert staff.ask(method, path, b"\xff", who="robot").status == 403


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_every_address_says_its_methods(method: str, path: str, two: tuple[Staff, Staff]) -> None:
    assert method in two[0].ask("OPTIONS", path.partition("?")[0]).headers["allow"].split(", ")


def test_an_agreement_lives_through_the_api_alone(two: tuple[Staff, Staff]) -> None:
    helsinki, london = two
    made = helsinki.post(
        "agreements/drafts", 201, peer="london", rules=RULES, about={"title": "Plans"}, covers=["plans"]
    )
    (draft,) = made["drafts"]
    assert (draft["created_by"], draft["state"]) == ("maija", "draft")
    assert helsinki.get(f"/api/agreements/explain?name={draft['id']}&lang=sv")["parts"][0]["text"]
    assert helsinki.post("agreements/propose", 400, name=draft["id"], approve=True)["status"] == 400
    read = helsinki.get(f"/api/agreements/to-approve?name={draft['id']}")
    ours = helsinki.post("agreements/propose", name=draft["id"], approve=True, terms=read["terms"])
    assert [each["person"] for each in ours["approvals"]] == ["maija"]

    (waiting,) = london.get("/api/agreements")["negotiations"]
    name = waiting["id"]
    assert london.post("agreements/approve", 400, name=name)["status"] == 400, "what was read is named"
    assert london.post("agreements/approve", 409, name=name, terms="sha256:other")["status"] == 409
    counter = {"name": name, "title": "Plans, shorter", "until": "2030-12-31", "approve": True}
    assert london.post("agreements/counter", 409, **counter, terms="sha256:other")["status"] == 409
    london.post("agreements/counter", **counter, terms=london.get(f"/api/agreements/to-approve?name={name}")["terms"])
    settle(helsinki, london)
    assert "2030" in helsinki.get(f"/api/agreements/diff?name={ours['id']}")["text"]
    read = helsinki.get(f"/api/agreements/to-approve?name={ours['id']}")
    helsinki.post("agreements/approve", name=ours["id"], terms=read["terms"], who="pekka")
    settle(helsinki, london)

    (agreement,) = london.get("/api/agreements?peer=helsinki")["agreements"]
    iri = agreement["id"]
    assert (agreement["state"], agreement["title"]) == ("in-force", "Plans, shorter")
    helsinki.city.pull(london.city)
    assert helsinki.get(f"/api/agreements/verify?name={iri}")["verdict"] == "proven"
    export = helsinki.ask("GET", f"/api/agreements/export?name={iri}")
    assert (export.status, json.loads(export.body)["agreement"]) == (200, iri)
    asked = {"peer": "london", "action": "index", "collection": "plans"}
    assert helsinki.post("agreements/simulate", **asked)["allowed"] is True

    assert helsinki.post("agreements/suspend", 400, name=iri)["status"] == 400, "the other city is told why"
    suspended = helsinki.post("agreements/suspend", name=iri, reason="A pause.")
    assert (suspended["state"], suspended["notice"]["sentence"]) == ("suspended", "delivered")
    assert helsinki.post("agreements/simulate", **asked)["code"] == "suspended"
    assert helsinki.post("agreements/resume", name=iri)["state"] == "in-force"
    assert helsinki.post("agreements/revoke", name=iri, reason="Over.")["state"] == "revoked"
    assert helsinki.post("agreements/resume", 409, name=iri)["status"] == 409
    assert helsinki.get("/api/agreements")["agreements"] == []
    assert [each["id"] for each in helsinki.get("/api/agreements?ended=true")["agreements"]] == [iri]


def test_offers_are_published_seen_and_withdrawn(two: tuple[Staff, Staff]) -> None:
    helsinki, london = two
    body = {"target": "plans", "rules": RULES, "about": {"title": "Plans"}, "peers": ["london"], "name": "plans"}
    offer = helsinki.post("offers", 201, automatic=True, **body)
    assert (offer["published_by"], offer["automatic"], offer["peers"]) == ("maija", True, ["london"])
    assert [each["id"] for each in london.get("/api/offers?of=helsinki")["offers"]] == [offer["id"]]
    assert helsinki.post("offers", 409, **body)["status"] == 409
    assert helsinki.post("offers/withdraw", offer="plans")["withdrawn_at"]
    assert london.get("/api/offers?of=helsinki")["offers"] == []
    assert [each["id"] for each in helsinki.get("/api/offers?withdrawn=true")["offers"]] == [offer["id"]]


def test_templates_say_their_places_in_three_languages(two: tuple[Staff, Staff]) -> None:
    listed = two[0].get("/api/agreements/templates?lang=fi")["templates"]
    assert {each["id"].partition("/")[0] for each in listed} >= {"digital-declaration", "restricted-data"}
    assert two[0].get("/api/agreements/template?name=restricted-data&lang=fi")["places"][0]["help"]


def test_a_statement_of_law_that_is_left_out_is_refused_and_its_place_named(two: tuple[Staff, Staff]) -> None:
    values = {"purposes": "PublicPolicyMaking", "ends": "2090-12-31"}
    said = two[0].post("agreements/drafts", status=400, peer="london", template="personal-data/1", values=values)
    assert [each["pointer"] for each in said["errors"]] == ["#/values/legal_basis", "#/values/transfer_basis"]
    assert "within-eea" in said["errors"][1]["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("drafts", {"peer": "nobody", "rules": RULES}),
        ("drafts", {"peer": "london"}),
        ("drafts", {"peer": "london", "rules": []}),
        ("drafts", {"peer": "london", "rules": {"permission": [{"action": "fly"}]}}),
        ("drafts", {"peer": "london", "template": "restricted-data", "values": {"purposes": 3}}),
        ("drafts", {"peer": "london", "template": "restricted-data", "values": {"nothing": "x"}}),
        ("drafts", {"peer": "london", "rules": RULES, "public": "maybe"}),
        ("drafts", {"peer": "london", "rules": RULES, "covers": "plans"}),
        ("drafts", {"peer": "london", "rules": RULES, "until": "tomorrow"}),
        ("propose", {}),
        ("propose", {"name": "12345678"}),
        ("approve", {"name": "http://nowhere.example/x", "terms": "x"}),
        ("simulate", {"peer": "london", "action": "fly", "collection": "plans"}),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(path: str, body: Any, two: tuple[Staff, Staff]) -> None:
    before = two[0].get("/api/agreements?ended=true")
    reply = two[0].ask("POST", f"/api/agreements/{path}", body)
    assert reply.status in (400, 404)
    assert reply.headers["content-type"] == "application/problem+json"
    assert two[0].get("/api/agreements?ended=true") == before


def test_a_yes_is_a_boolean_and_a_name_is_somebodys(two: tuple[Staff, Staff]) -> None:
    helsinki, _ = two
    offer = {"target": "plans", "rules": RULES, "about": {"title": "Plans"}, "peers": ["london"]}
    draft = {"peer": "london", "covers": ["plans"], "rules": RULES, "about": {"title": "Plans"}}
    asked = {"peer": "london", "action": "index", "collection": "plans"}
    for yes in ("true", 1, 0, None, [], {}):
        helsinki.post("offers", status=400, **offer, automatic=yes)
        helsinki.post("agreements/propose", status=400, name="12345678", approve=yes)
        helsinki.post("agreements/counter", status=400, name="12345678", approve=yes)
        helsinki.post("agreements/simulate", status=400, **asked, report=yes)
        if yes is not None:
            helsinki.post("agreements/drafts", status=400, **draft, public=yes)
    for path in ("agreements?ended=zz", "offers?withdrawn=1", "agreements/templates?lang=zz"):
        helsinki.does("GET", f"/api/{path}", status=400)
    helsinki.does("GET", "/api/agreements?peer=nobody", status=404)
    helsinki.post("agreements/simulate", status=404, **asked | {"collection": "zz"})
    helsinki.post("agreements/simulate", status=400, **asked | {"collection": ""})
    helsinki.post("agreements/simulate", status=404, **asked | {"collection": "", "record": "nothing-of-ours"})
    helsinki.post("agreements/simulate", status=400, **asked, purpose="zz")
    assert "allowed" in helsinki.post("agreements/simulate", **asked, purpose="Marketing")


def test_a_draft_with_a_member_that_nobody_reads_or_for_no_city_is_refused(two: tuple[Staff, Staff]) -> None:
    helsinki, _ = two
    wanted = {"peer": "london", "rules": RULES, "about": {"title": "Plans"}, "covers": ["plans"]}
    helsinki.post("agreements/drafts", status=400, **wanted, cover=["plans"])
    helsinki.post("agreements/drafts", status=400, **{key: wanted[key] for key in wanted if key != "peer"})
    helsinki.post("agreements/drafts", 201, **wanted)


def test_no_draft_names_what_is_not_its_assigners(two: tuple[Staff, Staff]) -> None:
    helsinki, _ = two
    wanted = {"peer": "london", "rules": RULES, "about": {"title": "Plans"}}
    for bad in (
        {"target": "a b"},
        {"target": "https://evil.example/x"},
        {"covers": ["../x"], "theirs": ["../x"]},
        {"until": "1969-01-01"},
    ):
        assert helsinki.ask("POST", "/api/agreements/drafts", wanted | bad).status in (400, 404)
        assert helsinki.ask("POST", "/api/agreements/drafts", wanted | bad | {"role": "consumer"}).status == 400
    bound = {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "9999-12-31T23:59:59-14:00"}
    far = {"permission": [{"action": "use", "constraint": [bound]}]}
    helsinki.post("agreements/drafts", status=400, **wanted | {"rules": far, "covers": ["plans"]})


def test_a_draft_is_written_anew_and_talked_about_through_the_api(two: tuple[Staff, Staff]) -> None:
    helsinki = two[0]
    choices = helsinki.get("/api/agreements/choices?peer=london")
    assert "Plans" in {each["title"] for each in choices["ours"]}
    assert {each["iri"] for each in choices["theirs"]} == {f"{LONDON}/collections/open-data"}
    made = helsinki.post("agreements/drafts", 201, peer="london", rules=RULES, about={"title": "Old"}, covers=["plans"])
    name = made["drafts"][0]["id"]
    anew = helsinki.post("agreements/rewrite", name=name, title="New", until="2090-12-31")
    assert (anew["id"], anew["title"]) == (name, "New")
    assert anew["terms"] != made["drafts"][0]["terms"], "who approved it before has to read it again"
    assert "2090" in helsinki.get(f"/api/agreements/explain?name={name}")["parts"][0]["text"]

    (said,) = helsinki.post("agreements/comments", 201, name=name, said="Two\nlines")["comments"]
    assert (said["who"], said["said"], said["settled"]) == ("maija", "Two\nlines", False)
    (said,) = helsinki.post("agreements/comments/settle", name=name, id=said["id"])["comments"]
    assert said["settled"]
    (said,) = helsinki.post("agreements/comments/settle", name=name, id=said["id"], open=True)["comments"]
    assert not said["settled"]
    assert helsinki.get(f"/api/agreements/comments?name={name}")["comments"] == [said]
    for wrong in (0, -1, "1", True, 2**60, None):
        helsinki.post("agreements/comments/settle", 400, name=name, id=wrong)
    helsinki.post("agreements/comments", 400, name=name, said=7)
    helsinki.post("agreements/propose", name=name)
    helsinki.post("agreements/rewrite", 409, name=name, title="Too late")
