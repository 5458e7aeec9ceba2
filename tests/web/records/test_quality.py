"""Laws of quality on pages: said in every form alike, with what to do, and nothing of what one may not read."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import rdflib

from node.catalog.quality import dqv, links
from node.catalog.quality.links import Outcome
from node.catalog.quality.metrics import METRICS
from node.catalog.quality.verdicts import DETAILS
from node.web.wording.words import LANGUAGES, table, words
from tests.catalog.rig import BASE
from tests.web.find_rig import SECRET, Rig, full

PARKING = f"{BASE}/datasets/parking"
DQV = rdflib.Namespace("http://www.w3.org/ns/dqv#")
FORMS = {"ttl": "turtle", "jsonld": "json-ld", "rdf": "xml", "nt": "nt"}

slow = pytest.mark.slow  # a whole node: seconds, not milliseconds


@pytest.fixture(scope="module")
def rig(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = full(tmp_path_factory.mktemp("quality"), migrated)
    url = "https://example.org/parking.geojson"
    with made.node.db.write() as tx:
        links.save(tx, Outcome(url, "failed", 404, "gone", 1_790_000_000_000, 1_900_000_000_000, 1))
    made.read()
    yield made
    made.close()


def test_everything_that_can_be_said_is_said_in_every_language() -> None:
    keys = [f"quality.fix.{metric.name}" for metric in METRICS] + [
        f"quality.metric.{metric.name}" for metric in METRICS
    ]
    keys += [f"quality.link.{detail}" for detail in DETAILS]
    for key in keys:
        said = [words(language, key) for language in LANGUAGES]
        assert all(said), key
        assert said[0] != said[1], key  # "Period" is a word in two of them
    parts = ("quality.fix.", "quality.metric.", "quality.link.")
    assert {key for key in table("en") if key.startswith(parts)} == set(keys)


@slow
def test_a_record_says_its_points_and_what_to_mend(rig: Rig) -> None:
    told = rig.json("/datasets/parking/quality")
    assert told["record"] == PARKING
    assert (told["points"], told["max_known"], told["max"], told["rating"]) == (280, 405, 405, "good")
    results = {metric["name"]: metric["result"] for metric in told["metrics"]}
    assert len(results) == 23
    assert results["spatialAvailability"] == "failed"
    assert results["downloadUrlStatusCode"] == "failed"
    fixes = {metric["name"]: metric["fix"] for metric in told["metrics"] if metric["fix"]}
    assert set(fixes) == {name for name, result in results.items() if result == "failed"}
    link = next(link for link in told["links"] if link["role"] == "downloadURL")
    assert (link["state"], link["status"], link["detail"], link["tried"]) == (
        "failed", 404, "gone", "2026-09-21T14:13:20Z",
    )  # fmt: skip


@slow
def test_a_reader_is_told_in_their_language(rig: Rig) -> None:
    page = rig.page("/datasets/parking/quality", "fi")
    assert words("fi", "quality.fix.spatialAvailability") in page
    assert words("fi", "quality.link.gone") in page
    record = rig.page("/datasets/parking", "sv")
    assert words("sv", "quality.more") in record
    assert "/datasets/parking/quality" in record


@slow
def test_numbers_and_days_are_written_for_the_reader(rig: Rig) -> None:
    english, finnish = rig.page("/quality/open-data"), rig.page("/quality/open-data", "fi")
    gain = next(found[1] for found in re.finditer(r"rises by up to ([0-9.]+) points", english) if "." in found[1])
    assert f"enintään {gain.replace('.', ',')} pistettä" in finnish
    assert re.search(r"<td>\d{1,2}\.\d{1,2}\.\d{4}</td>", finnish)
    assert not re.search(r"<td>\d{4}-\d{2}-\d{2}</td>", english + finnish)


@slow
@pytest.mark.parametrize(
    "path", ["/datasets/parking/quality", f"/records/quality?iri={PARKING}", "/quality", "/quality/open-data"]
)
def test_every_rdf_form_says_the_same(path: str, rig: Rig) -> None:
    graphs = []
    for suffix, form in FORMS.items():
        stem, _, query = path.partition("?")
        reply = rig.get(f"{stem}.{suffix}" + (f"?{query}" if query else ""), "*/*")
        assert reply.status_code == 200, reply.text
        if form == "json-ld":
            assert dqv.NS in reply.text  # its context is ours, and not fetched here
        else:
            graphs.append(rdflib.Graph().parse(data=reply.content, format=form))
    assert all(set(graph) == set(graphs[0]) for graph in graphs)
    measured = set(graphs[0].subjects(rdflib.RDF.type, DQV.QualityMeasurement))
    assert measured
    for one in measured:
        assert len(set(graphs[0].objects(one, DQV.value))) == 1
        assert str(graphs[0].value(one, DQV.isMeasurementOf)).startswith(dqv.NS)


@slow
def test_collections_are_summed_up_with_what_to_mend_first(rig: Rig) -> None:
    told = rig.json("/quality")
    assert [one["name"] for one in told["collections"]] == ["open-data", "london/open-data"]
    one = rig.json("/quality/open-data")
    assert {key: one[key] for key in told["collections"][0]} == told["collections"][0]
    assert one["records"] == sum(one["ratings"].values())
    assert [metric["name"] for metric in one["metrics"]] == [metric.name for metric in METRICS]
    assert one["links"][0]["url"] == "https://example.org/parking.geojson"
    assert one["days"]["collection:open-data"][-1]["records"] == one["records"]
    page = rig.page("/quality/open-data")
    assert words("en", "quality.fix.keywordAvailability") in page
    assert "failing=keywordAvailability" in page
    # Whose link fails is said by its title, with the end of its address small beside it.
    assert re.search(r'<a class="small" href="/datasets/parking"><span[^>]*>Kerbside parking areas</span>', page)
    assert '<span class="mono quiet small">parking</span>' in page
    assert rig.get("/quality/london/open-data").status_code == 200


@slow
def test_records_that_fail_a_metric_are_turned_page_by_page(rig: Rig) -> None:
    seen: list[str] = []
    path = "/quality/open-data?failing=spatialAvailability"
    while path:
        told = rig.json(path)
        seen += [one["iri"] for one in told["records"]]
        path = (told["next"] or "").removeprefix(BASE)
    shares = {one["name"]: one for one in rig.json("/quality/open-data")["metrics"]}
    assert len(seen) == len(set(seen)) == shares["spatialAvailability"]["failed"]
    assert words("en", "quality.fix.spatialAvailability") in rig.page("/quality/open-data?failing=spatialAvailability")


@slow
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/quality/nowhere", 404),
        ("/quality/plans", 404),
        ("/quality/open-data?failing=colour", 400),
        ("/quality/open-data?failing=spatialAvailability&after=x", 400),
        ("/quality/open-data?failing=spatialAvailability&after=9999999999999999999", 400),
        ("/quality/open-data?after=1", 400),
        ("/quality/open-data?limit=x", 400),
        ("/quality?cursor=x", 400),
        ("/datasets/parking/quality?colour=red", 400),
        ("/quality/open-data.ttl?failing=spatialAvailability", 400),
        ("/datasets/nothing/quality", 404),
        (f"/records/quality?iri={SECRET}", 404),
        ("/records/quality", 400),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_word_of_help(path: str, status: int, rig: Rig) -> None:
    reply = rig.get(path)
    assert reply.status_code == status
    assert "fix" in reply.json()


@slow
def test_who_may_read_a_restricted_collection_is_told_what_it_is_worth_and_nothing_is_kept(rig: Rig) -> None:
    token = rig.bearer("reader", scopes=["read:plans"])
    assert {one["name"] for one in rig.json("/quality", **token)["collections"]} >= {"plans"}
    reply = rig.get("/quality/plans", **token)
    assert (reply.status_code, reply.json()["records"]) == (200, 1)
    assert "no-store" in reply.headers["cache-control"]
    assert rig.get("/datasets/zanzibar/quality", **token).status_code == 200


@slow
def test_other_forms_are_named_where_none_will_do(rig: Rig) -> None:
    reply = rig.get("/quality", "image/png")
    assert reply.status_code == 406
