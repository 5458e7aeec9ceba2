"""Laws of the CKAN facade: old clients get what CKAN would give, from every city, and never what is restricted."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, urlencode

import ckanapi
import pytest
import requests
from requests.adapters import BaseAdapter

from node.journal import Draft
from node.web.ckan import actions as ckan_actions
from tests.federation.cities import HELSINKI, LONDON, City, Request, cities
from tests.web.cities import payload
from tests.web.ckan_rig import call, filled, indexed, names, post

pytestmark = pytest.mark.slow  # two whole nodes with an index

ACTIONS = ["package_search", "package_show", "package_list", "current_package_list_with_resources",
           "organization_list", "organization_show", "group_list", "group_show", "tag_list", "license_list",
           "site_read", "status_show", "help_show"]  # fmt: skip
ALL = ["parking", "trees-1", "london_trees-1", "london_trees-2", "london_trees-3", "london_trees-9__series"]


@pytest.fixture(scope="module")
def city(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Give Helsinki with London's mirror; nobody here changes it but the last test."""
    with cities(tmp_path_factory.mktemp("ckan"), migrated, helsinki=HELSINKI, london=LONDON) as (helsinki, london):
        filled(helsinki, london)
        yield helsinki


class Wired(BaseAdapter):
    """The way of `requests` to a city in this process."""

    def __init__(self, city: City) -> None:
        super().__init__()
        self.city = city

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]
        body = request.body or b""
        asked = Request(
            "ckanapi", request.method or "", request.url or "", {**request.headers, "accept-encoding": "identity"},
            body.encode() if isinstance(body, str) else body,
        )  # fmt: skip
        reply = self.city.wire.call(asked)
        given = requests.Response()
        given.status_code, given.raw, given.request = reply.status, BytesIO(reply.body), request
        given.headers.update(reply.headers)
        given.encoding = "utf-8"
        return given

    def close(self) -> None:
        """Keep nothing open."""


@pytest.fixture(scope="module")
def client(city: City) -> Iterator[ckanapi.RemoteCKAN]:
    with requests.Session() as session:
        session.mount("http://", Wired(city))
        with ckanapi.RemoteCKAN(city.url, session=session) as made:
            yield made


# ---------------------------------------------------------------- the real client


@pytest.mark.parametrize("get_only", [True, False])
def test_ckanapi_reads_by_get_and_by_post(client: ckanapi.RemoteCKAN, get_only: bool) -> None:
    client.get_only = get_only
    assert client.action.package_list() == ALL
    found = client.action.package_search(q="parking", rows=1, facet_field="x")
    assert (found["count"], found["results"][0]["name"]) == (1, "parking")
    shown = client.action.package_show(id="london_trees-2")
    assert shown["title"] == "Street trees 2"
    assert client.action.package_show(id=shown["id"]) == shown
    assert client.action.status_show()["site_title"] == "Helsinki"
    assert client.action.site_read() is True


def test_ckanapi_raises_what_ckan_would_make_it_raise(client: ckanapi.RemoteCKAN) -> None:
    client.get_only = False
    with pytest.raises(ckanapi.NotFound):
        client.action.package_show(id="nothing")
    with pytest.raises(ckanapi.ValidationError):
        client.action.package_show()
    with pytest.raises(ckanapi.NotAuthorized):
        client.action.package_create(name="new")
    with pytest.raises(ckanapi.SearchQueryError, match="no field"):
        client.action.package_search(fq="extras_x:y")
    with pytest.raises(ckanapi.errors.CKANAPIError, match="Action name not known"):
        client.action.datastore_search(resource_id="x")


def test_facets_are_counted_as_ckanapi_asks_for_them(client: ckanapi.RemoteCKAN) -> None:
    client.get_only = False
    asked = {"facet.field": ["city", "groups", "res_format", "license_id", "tags", "organization"], "rows": 0}
    found = client.call_action("package_search", asked)
    assert found["results"] == []
    assert found["facets"] == {
        "city": {"london": 4, "helsinki": 2},
        "groups": {"envi": 5, "tran": 1},
        "res_format": {"CSV": 1, "GEOJSON": 1},
        "license_id": {"notspecified": 5, "cc-by-4.0": 1},
        "tags": {"street trees": 5, "kerb": 1, "parking": 1, "pysäköinti": 1},
        "organization": {"garden-office": 5, "urban-environment-division": 1},
    }
    label = found["search_facets"]["organization"]["items"][0]
    assert label == {"name": "garden-office", "display_name": "Garden Office", "count": 5}
    for field, counts in found["facets"].items():
        for value, count in counts.items():
            assert client.action.package_search(fq=f'{field}:"{value}"', rows=0)["count"] == count


# ---------------------------------------------------------------- addresses and envelope


def test_both_addresses_answer_alike_and_nothing_redirects(city: City) -> None:
    for action in ("package_list", "status_show"):
        told = [call(city, action, at=at).body for at in ("/api/3/action/", "/api/action/")]
        assert told[0] == told[1]
        assert city.get(f"/api/3/action/{action}/").body == told[0]
    assert json.loads(city.get("/api/3").body) == {"version": 3}


def test_every_answer_is_in_the_envelope_with_its_help(city: City) -> None:
    good, bad = call(city, "package_list"), call(city, "package_show", id="nothing")
    assert set(good.said) == {"help", "success", "result"}
    assert set(bad.said) == {"help", "success", "error"}
    assert (bad.status, bad.error["__type"]) == (404, "Not Found Error")
    assert good.headers["content-type"] == "application/json; charset=utf-8"
    assert good.headers["access-control-allow-origin"] == "*"
    help_path = good.said["help"].removeprefix(city.url)
    assert "List the names" in json.loads(city.get(help_path).body)["result"]


def test_every_action_has_help_and_an_unknown_one_says_which_there_are(city: City) -> None:
    for action in ACTIONS:
        assert call(city, "help_show", name=action).result
    unknown = call(city, "dataset_list")
    assert unknown.status == 400
    assert all(action in unknown.said for action in ACTIONS)
    assert call(city, "help_show", name="dataset_list").status == 404


def test_an_answer_is_kept_until_it_changes_and_an_error_never(city: City) -> None:
    first = city.get("/api/3/action/package_list")
    again = city.get("/api/3/action/package_list", **{"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert city.get("/api/3/action/package_show?id=nothing").headers["cache-control"] == "no-store"
    assert post(city, "package_list", b"{}").headers["cache-control"] == "no-store"


def test_a_script_in_an_old_page_gets_its_callback(city: City) -> None:
    told = call(city, "site_read", callback="jQuery17.cb_1")
    assert told.headers["content-type"].startswith("application/javascript")
    assert told.body.startswith(b"/**/jQuery17.cb_1({")
    assert told.body.endswith(b");")
    refused = call(city, "site_read", callback="alert(1)")
    assert (refused.status, refused.headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert "Letters, digits, _, $ and dots" in refused.said
    assert call(city, "site_read", callback="").result is True


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"q": "parking", "rows": 5}', "application/json"),
        (b'{"q": "parking", "rows": "5"}', "text/plain"),
        (b"q=parking&rows=5", "application/x-www-form-urlencoded"),
        (quote('{"q": "parking", "rows": 5}').encode(), "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_is_read_however_it_is_sent(city: City, body: bytes, kind: str) -> None:
    assert names(post(city, "package_search", body, kind)) == ["parking"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"[" * 60_000, b"\xff\xfe", b"x" * 70_000])
def test_a_body_that_is_none_is_refused(city: City, body: bytes) -> None:
    told = post(city, "package_search", body)
    assert told.status in (400, 413)
    assert told.said.startswith("Bad request - ")


# ---------------------------------------------------------------- searching


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"q": "pysäköinti"}, ["parking"]),
        ({"q": "title:parking"}, ["parking"]),
        ({"fq": "title:kerb*"}, ["parking"]),
        ({"fq": "res_format:CSV"}, ["parking"]),
        ({"fq": "+res_format:CSV +license_id:cc-by-4.0 +state:active"}, ["parking"]),
        ({"fq": 'tags:"pysäköinti"'}, ["parking"]),
        ({"fq": "groups:envi -city:london"}, ["trees-1"]),
        ({"fq": "dataset_type:dataset_series"}, ["london_trees-9__series"]),
        ({"fq": "name:(parking OR london_trees-3)", "sort": "title asc"}, ["parking", "london_trees-3"]),
        ({"fq": "name:london_trees-3", "q": "parking"}, []),
        ({"fq_list": '["city:london", "name:london_trees-3"]'}, ["london_trees-3"]),
        ({"fq": "state:deleted"}, []),
        ({"fq": "type:data-service"}, []),
        ({"fq": "metadata_modified:[* TO 2020-01-01T00:00:00Z]"}, []),
        ({"fq": "metadata_modified:[NOW+1DAY TO *]"}, []),
        ({"q": "*:*", "sort": "name asc"}, ALL),
        ({"q": "", "fq": "metadata_modified:[NOW-1DAY TO *]", "sort": "id asc"}, ALL),
        ({"sort": "id asc", "start": "1", "rows": "2"}, ALL[1:3]),
        ({"sort": "id asc", "fq": "city:london", "start": "1", "rows": "2"}, ALL[3:5]),
        ({"ext_bbox": "0,0,1,1"}, []),
        ({"rows": "0"}, []),
        ({"start": "50"}, []),
    ],
)
def test_packages_are_found(city: City, asked: dict[str, str], expected: list[str]) -> None:
    assert names(call(city, "package_search", **asked)) == expected


def test_every_order_gives_every_package_once(city: City) -> None:
    for sort in ("", "score desc", "metadata_modified desc", "title_string asc", "name desc", "quality desc", "id asc"):
        found = [names(call(city, "package_search", sort=sort, start=str(start), rows="2")) for start in (0, 2, 4)]
        assert sorted(name for page in found for name in page) == sorted(ALL), sort


def test_everything_can_be_paged_through_also_where_there_is_too_much_to_sort(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ckan_actions, "MAX_DEPTH", 3)
    for asked in ({}, {"q": "*:*"}, {"sort": "id asc"}, {"fq": "metadata_modified:[2020-01-01T00:00:00Z TO *]"}):
        found = [names(call(city, "package_search", start=str(start), rows="2", **asked)) for start in (0, 2, 4, 6)]
        assert [name for page in found for name in page] == ALL
    assert names(call(city, "package_search", fq="city:london", start="2", rows="2")) == ALL[4:]
    assert call(city, "package_search", q="trees", start="2", rows="2").status == 400


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({"fq": "{!geofilt}"}, 400, "local parameters"),
        ({"fq": "author:me"}, 400, "Fields: "),
        ({"q": "author:me"}, 400, "Fields: "),
        ({"fq": 'tags:"x'}, 400, "never closes"),
        ({"fq": "AND"}, 400, "joins nothing"),
        ({"fq": "tags:a AND"}, 400, "joins nothing"),
        ({"q": "a" * 2_001}, 400, "32, in 2,000 characters"),
        ({"q": "trees " * 33}, 400, "32, in 2,000 characters"),
        ({"sort": "views_recent desc"}, 400, "Sort by"),
        ({"facet.field": '["extras_x"]'}, 400, "Facets: "),
        ({"facet.field": "[broken"}, 400, "no list"),
        ({"ext_bbox": "1,2,3"}, 400, "west,south,east,north"),
        ({"ext_bbox": "1_0,2,3,4"}, 400, "west,south,east,north"),
        ({"ext_bbox": "nan,0,1,1"}, 400, "west,south,east,north"),
        ({"start": "99999", "q": "parking"}, 400, "sort=id asc"),
        ({"rows": "many"}, 409, "Invalid integer"),
        ({"start": "-1"}, 409, "natural number"),
        ({"facet": "perhaps"}, 409, "true or false"),
    ],
)
def test_what_cannot_be_answered_says_what_can(city: City, asked: dict[str, str], status: int, why: str) -> None:
    told = call(city, "package_search", **asked)
    assert told.status == status
    assert why in json.dumps(told.error)


@pytest.mark.parametrize("typed", ['"', "parking AND", "\0", "🌳", "‏עצים", "((((", "a" * 1_500, "-", "' OR 1=1 --"])
def test_whatever_people_type_is_answered(city: City, typed: str) -> None:
    body = json.dumps({"q": typed}).encode()
    assert post(city, "package_search", body).status == 200


@pytest.mark.parametrize("name", ["defType", "qf", "nosuch"])
def test_what_ckan_passes_over_is_passed_over(city: City, name: str) -> None:
    assert names(call(city, "package_search", q="parking", **{name: "1"})) == ["parking"]


def test_only_the_fields_that_were_asked_for_are_given(city: City) -> None:
    found = call(city, "package_search", q="parking", fl='["name", "title"]').result["results"]
    assert found == [{"name": "parking", "title": "Kerbside parking areas"}]


# ---------------------------------------------------------------- showing and listing


def test_a_package_is_shown_by_every_name_it_has(city: City) -> None:
    shown = call(city, "package_show", id="london_trees-2").result
    for called in (shown["id"], shown["name"], f"{LONDON}/datasets/trees-2"):
        assert call(city, "package_show", id=called).result == shown
    assert shown["ckan_url"].startswith(f"{city.url}/records?iri=")
    extras = {extra["key"]: extra["value"] for extra in shown["extras"]}
    assert (extras["uri"], extras["city"]) == (f"{LONDON}/datasets/trees-2", "London")


def test_organisations_groups_and_tags_are_listed_and_shown(city: City) -> None:
    assert call(city, "organization_list").result == ["garden-office", "urban-environment-division"]
    listed = call(city, "organization_list", all_fields="true", sort="package_count desc").result
    assert [(each["title"], each["package_count"]) for each in listed] == [
        ("Garden Office", 5), ("Urban Environment Division", 1)
    ]  # fmt: skip
    shown = call(city, "organization_show", id="garden-office", include_datasets="true").result
    assert sorted(package["name"] for package in shown["packages"]) == sorted(set(ALL) - {"parking"})
    assert call(city, "group_list").result == ["envi", "tran"]
    assert call(city, "group_show", id="tran").result["title"] == "Transport"
    assert call(city, "group_show", id="econ").result["package_count"] == 0
    assert call(city, "tag_list", query="park").result == ["parking"]
    assert call(city, "tag_list", vocabulary_id="x").result == []
    assert [each["id"] for each in call(city, "license_list").result] == ["notspecified", "cc-by-4.0"]
    for action, called in (("organization_show", "nobody"), ("group_show", "nothing"), ("package_show", "wfs")):
        assert call(city, action, id=called).status == 404


def test_lists_are_paged(city: City) -> None:
    assert call(city, "package_list", limit="2", offset="1").result == ALL[1:3]
    whole = call(city, "current_package_list_with_resources", limit="2", offset="1").result
    assert [package["name"] for package in whole] == ALL[1:3]
    assert call(city, "organization_list", limit="1", offset="1").result == ["urban-environment-division"]


def test_the_page_that_clients_reckon_with_is_there(city: City) -> None:
    for name, canonical in (
        ("parking", f"{city.url}/datasets/parking"),
        ("london_trees-2", f"{LONDON}/datasets/trees-2"),
    ):
        page = city.get(f"/dataset/{name}", accept="text/html")
        assert page.status == 200
        assert f'<{canonical}>; rel="canonical"' in page.headers["link"]
        assert city.get(f"/dataset/{name}.ttl").headers["content-type"].startswith("text/turtle")
    assert city.get("/dataset/nothing").status == city.get("/dataset/wfs").status == 404


# ---------------------------------------------------------------- what is restricted, and what is hidden


def _everything(city: City) -> dict[str, bytes]:
    asked = [urlencode(params) for params in (
        {"rows": 100, "facet.field": '["organization","tags","groups","res_format","city","license_id","collection"]'},
        {"q": "secret"}, {"q": "secrte"}, {"fq": "tags:secret"}, {"fq": "name:secret"}, {"sort": "id asc"},
    )]  # fmt: skip
    paths = [f"package_search?{each}" for each in asked]
    iri = f"{city.url}/datasets/secret"
    paths += [f"package_show?{urlencode({'id': called})}" for called in ("secret", iri, "parking")]
    paths += ["package_list", "current_package_list_with_resources", "organization_list?all_fields=1", "tag_list"]
    paths += ["group_list?all_fields=1", "license_list", "organization_show?id=secret-service"]
    others = ["/data.json", "/data.json?collection=plans", "/dataset/secret"]
    return {path: city.get(path).body for path in [*(f"/api/3/action/{path}" for path in paths), *others]}


def test_no_answer_changes_when_something_restricted_is_published(city: City) -> None:
    before = _everything(city)
    city.node.create_collection("plans", title="Plans", visibility="restricted", at_ms=1_000)
    it, office = f"{city.url}/datasets/secret", f"{city.url}/.well-known/genid/secret-service"
    said = payload(
        (it, "rdf:type", "dcat:Dataset"),
        (it, "dct:title", '"Secret parking"@en'),
        (it, "dcat:keyword", '"secret"@en'),
        (it, "dct:publisher", office),
        (office, "foaf:name", '"Secret Service"@en'),
    )
    city.publish(Draft(it, "secret", "dataset", "put", said), collection="plans")
    indexed(city)
    assert _everything(city) == before
