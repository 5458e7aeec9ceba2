"""Quality in a node as operators run it: its worker measures, tries links beside everything else, and says what failed.

The links lead to a web of the test's own on loopback, which the node may fetch because it stands on loopback itself.
"""

import json
from pathlib import Path
from urllib.parse import quote

from node.testing import City, city
from tests.catalog.quality.linked import Say, Web

IRI = "https://source.example/trees"
DCAT = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<https://source.example/trees> a dcat:Dataset ; dct:title "Trees"@en ; dct:description "Every tree."@en ;
  dcat:keyword "tree"@en ; dcat:distribution <https://source.example/trees/csv> .
<https://source.example/trees/csv> a dcat:Distribution ;
  dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ;
  dcat:accessURL <GOOD> ; dcat:downloadURL <GONE> .
"""


def results(town: City) -> dict[str, str]:
    status, body = town.get(f"/records/quality.json?iri={quote(IRI, safe='')}")
    return {metric["name"]: metric["result"] for metric in json.loads(body)["metrics"]} if status == 200 else {}


def test_the_worker_tries_links_and_the_record_says_what_came_of_it(tmp_path: Path) -> None:
    source = tmp_path / "catalogue.ttl"
    with Web() as web, city(tmp_path / "node", environ={"CITYNODE_LINK_CHECK_DAYS": "30"}) as town:
        web.says["/good"] = Say(200, {"Content-Length": "12"})
        good, gone = web.url("/good", "127.0.0.1"), web.url("/gone", "127.0.0.1")
        source.write_text(DCAT.replace("GOOD", good).replace("GONE", gone))
        town.say("sources", "add", "own", source, "--kind", "dcat")
        town.say("harvest", "run", "own")
        town.start()
        town.wait(lambda: results(town).get("accessUrlStatusCode") == "passed", "the good link", 60)
        town.wait(lambda: results(town).get("downloadUrlStatusCode") == "failed", "the link that is gone", 60)
        # Between two links of one host it was left alone, and its robots.txt was asked for once.
        assert [one.path for one in web.asked].count("/robots.txt") == 1
        assert web.asked[0].headers["user-agent"].startswith("citynode/")
        (failing,) = town.json("quality", "fix", "--links", "--json")
        assert (failing["url"], failing["detail"]) == (gone, "gone")
        told = town.json("quality", "list", "--json")
        assert told["links"] == {"ok": 1, "failed": 1, "unknown": 0, "untried": 0}
