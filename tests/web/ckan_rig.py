"""Two cities that mirror each other and can be searched, and ways to call their CKAN facade."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from node.journal import Draft, catch_up
from tests.federation.cities import City, Request
from tests.web.cities import EU, parking, payload


@dataclass(frozen=True)
class Call:
    """An answer in CKAN's envelope."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        assert self.status == 200, self.body
        assert self.said["success"] is True
        return self.said["result"]

    @property
    def error(self) -> Any:
        assert self.said["success"] is False
        return self.said["error"]


def call(city: City, action: str, *, at: str = "/api/3/action/", **params: str) -> Call:
    query = urlencode(params, quote_via=quote)
    reply = city.get(f"{at}{action}" + (f"?{query}" if query else ""))
    return Call(reply.status, reply.body, reply.headers)


def post(city: City, action: str, body: bytes, kind: str = "application/json") -> Call:
    headers = {"content-type": kind, "content-length": str(len(body))}
    reply = city.wire.call(Request("stranger", "POST", f"{city.url}/api/3/action/{action}", headers, body))
    return Call(reply.status, reply.body, reply.headers)


def names(found: Call) -> list[str]:
    return [package["name"] for package in found.result["results"]]


def trees(city: City, number: int = 1, *, kind: str = "dataset") -> Draft:
    """A dataset (or a series) in few words, of its city's own address."""
    it, team = f"{city.url}/datasets/trees-{number}", f"{city.url}/.well-known/genid/garden-{number}"
    series = "dcat:DatasetSeries" if kind == "dataset-series" else "dcat:Dataset"
    said = payload(
        (it, "rdf:type", series),
        (it, "dct:title", f'"Street trees {number}"@en'),
        (it, "dct:description", '"Every tree along a street."@en'),
        (it, "dcat:keyword", '"street trees"@en'),
        (it, "dcat:theme", EU + "data-theme/ENVI"),
        (it, "dct:publisher", team),
        (team, "foaf:name", '"Garden Office"@en'),
    )
    return Draft(it, f"trees-{number}", kind, "put", said)


def filled(helsinki: City, london: City) -> None:
    """Publish a few records in each city, exchange them, and make all of it searchable."""
    helsinki.publish(Draft(f"{helsinki.url}/datasets/parking", "parking", "dataset", "put", parking()), trees(helsinki))
    service = f"{helsinki.url}/services/wfs"
    said = payload((service, "rdf:type", "dcat:DataService"), (service, "dct:title", '"Parking service"@en'))
    helsinki.publish(Draft(service, "wfs", "data-service", "put", said))
    london.publish(*(trees(london, number) for number in (1, 2, 3)), trees(london, 9, kind="dataset-series"))
    helsinki.meet(london)
    helsinki.pull(london)
    indexed(helsinki)


def indexed(city: City) -> None:
    """Let everything catch up that search is made of."""
    for follower in city.node.followers:
        catch_up(city.node.journals, follower)
    for reading in city.node.finding.readings:
        reading.catch_up(threading.Event())
