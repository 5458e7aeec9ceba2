"""The third part of the demonstration: what the cities know, shared. London adopts a practice of Helsinki.

The files lie in `knowledge/` beside this file, as a city team would keep them in git; here they are written into the
data folders with the addresses of these two nodes, and published by the commands of those who wrote them. A reuse comes
the way of strangers: by the public address for submissions, and then through the hands of London's staff.
"""

import datetime
import json
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from demo import blocks
from demo.agreeing import typed
from demo.cities import HERE, City

FILES = HERE / "knowledge"
WAIT_S = 60
PRACTICE, CHALLENGE, REUSE = "practices/ai-register", "challenges/kerb-space", "reuses/kerb-finder"
PARKING = {"helsinki": "datasets/helsingin-pysakointipaikat", "london": "datasets/parking-bays-by-borough-2jmuz"}


@dataclass(frozen=True)
class Model:
    """A city model: how its address ends, what people read in each language, and the dataset that it belongs to."""

    name: str
    titles: tuple[str, ...]
    dataset: str


MODELS = {
    "helsinki": Model(
        "kalasatama",
        (
            "Kalasatama yksinkertaisina lohkoina@fi",
            "Fiskehamnen som enkla block@sv",
            "Kalasatama as plain blocks@en",
        ),
        "datasets/helsingin-3d-kaupunkitietomalli",
    ),
    "london": Model(
        "olympic-park",
        ("The Olympic Park as plain blocks",),
        "datasets/queen-elizabeth-olympic-park-3d-model-e66ju",
    ),
}
# What stands in each city's folder is published in this order, so that nothing names what is not there yet.
FIRST = {"helsinki": ("ai-register", "practices", "challenges"), "london": ("ai-register", "practices")}


def share(helsinki: City, london: City) -> str:
    """Publish, mirror, adopt and reuse; give what to look at."""
    for city, other in ((helsinki, london), (london, helsinki)):
        _write_files(city, other)
    print("\nWhat the cities know: practices, AI registers, city models, challenges", flush=True)
    for city in (helsinki, london):
        _publish_model(city)
        for command in FIRST[city.slug]:
            typed(city, command, "publish")
    _mirror(london, helsinki, "practices", "ai-register", "challenges", "models")
    _mirror(helsinki, london, "practices", "ai-register", "models")
    print("\nLondon adopts a practice of Helsinki, and joins its challenge", flush=True)
    typed(london, "adoptions", "lint", shown=False)
    typed(london, "adoptions", "publish")
    typed(london, "challenges", "publish")
    _mirror(helsinki, london, "adoptions", "challenges")
    _told(helsinki, PRACTICE, "adoption")
    _told(helsinki, CHALLENGE, "challenge")
    print("\nResidents of London submit what they made with the data of both cities; no account is needed", flush=True)
    _reuse(helsinki, london)
    _mirror(helsinki, london, "reuses")
    _told(helsinki, PARKING["helsinki"], "reuse")
    return _to_look_at(helsinki, london)


# ---------------------------------------------------------------- steps


def _write_files(city: City, other: City) -> None:
    """Write the city's files where its commands look for them. What was edited there since is written over."""
    year = str(datetime.datetime.now(tz=datetime.UTC).year + 1)
    for file in sorted((FILES / city.slug).rglob("*.md")):
        text = file.read_text("utf-8").replace("{next_year}", year)
        for each in (city, other):
            text = text.replace("{" + each.slug + "}", each.base_url)
        place = city.folder / file.relative_to(FILES / city.slug)
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, "utf-8")


def _publish_model(city: City) -> None:
    model = MODELS[city.slug]
    file = blocks.write(city.slug, city.folder / "models" / f"{model.name}.city.json")
    # The live portals have other datasets, or give them other names.
    dataset = () if city.is_live else ("--dataset", f"{city.base_url}/{model.dataset}")
    titles = [word for title in model.titles for word in ("--title", title)]
    typed(city, "models", "publish", str(file), *dataset, *titles, "--name", model.name)


def _mirror(one: City, other: City, *collections: str) -> None:
    typed(one, "peers", "follow", other.slug, *collections, shown=False)
    print(f"  {one.name}$ citynode exchange run {other.slug} --wait", flush=True)
    one.say("exchange", "run", other.slug, "--wait", must=False)


def _reuse(helsinki: City, london: City) -> None:
    if any(each["name"] == REUSE.partition("/")[2] for each in london.json("reuses", "list")):
        print("it is published already", flush=True)
        return
    print(f"  curl -H 'Content-Type: application/json' -d @kerb-finder.json {london.base_url}/submissions", flush=True)
    name = _submit(london, json.dumps(_submission(helsinki, london)).encode())
    print("Nobody sees it until London's staff has looked", flush=True)
    typed(london, "submissions", "list")
    typed(london, "submissions", "accept", name, "--slug", REUSE.partition("/")[2])


def _submission(helsinki: City, london: City) -> dict[str, object]:
    return {
        "kind": "reuse",
        "language": "en",
        "email": "hello@kerb-finder.example",
        "described": {
            "title": "Kerb Finder",
            "summary": "Shows where a van may stop and a visitor may park, in London and in Helsinki.",
            "description": "A map for drivers of vans and for visitors. It colours each stretch of kerb by what may be"
            " done there at the chosen hour, and says so where the data of the city does not tell.",
            "type": "app",
            "link": "https://kerb-finder.example",
            "maker": {"name": "Kerb Finder Residents' Group", "type": "residents"},
            "datasets": [f"{city.base_url}/{PARKING[city.slug]}" for city in (helsinki, london)],
            "challenge": f"{helsinki.base_url}/{CHALLENGE}",
            "free": True,
        },
    }


def _submit(city: City, body: bytes) -> str:
    """Send a submission as anybody may; give its id."""
    request = urllib.request.Request(  # noqa: S310 (our own loopback address)
        f"{city.base_url}/submissions", body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (our own loopback address)
            return str(json.loads(answer.read())["id"])
    except urllib.error.HTTPError as error:
        with error:
            print(error.read().decode(errors="replace"), flush=True)
        raise subprocess.CalledProcessError(1, "POST /submissions") from None


# ---------------------------------------------------------------- looking


def _told(city: City, path: str, kind: str) -> None:
    """Say which records of a kind point to a record, as its page does; waits until the city has read them."""
    iri, end = f"{city.base_url}/{path}", time.monotonic() + WAIT_S
    while not (found := [each for each in _touching(city, iri) if each["kind"] == kind]):
        if time.monotonic() > end:
            print(f"waited {WAIT_S} s for {city.name} to know which {kind} points to {iri}", flush=True)
            raise subprocess.CalledProcessError(3, f"GET /records/relations?iri={iri}")
        time.sleep(0.3)
    print(f"{iri} now shows:", flush=True)
    for each in found:
        print(f"    {each['label']}: {each['title']} ({each['city']})", flush=True)


def _touching(city: City, iri: str) -> list[dict[str, str]]:
    """Ask what points to a record; nothing while it is not there yet."""
    try:
        told = json.loads(city.get(f"/records/relations?iri={quote(iri, safe='')}&lang=en", "application/json"))
    except urllib.error.HTTPError as error:
        error.close()
        return []
    into: list[dict[str, str]] = told["into"]
    return into


def _to_look_at(helsinki: City, london: City) -> str:
    citynode = f"CITYNODE_DATA={_short(london.folder)} .venv/bin/citynode"
    practice = f"{helsinki.base_url}/{PRACTICE}"
    copy = f"{london.base_url}/records?iri={quote(practice, safe='')}"
    return f"""
What the cities know, on pages for people. A practice of Helsinki with London's adoption, and London's copy of it:
  {practice}
  {copy}
A dataset of Helsinki with the London app that uses it, and the challenge of both cities:
  {helsinki.base_url}/{PARKING["helsinki"]}
  {helsinki.base_url}/{CHALLENGE}
AI registers of both, city models of both, and what Helsinki's is made of:
  {london.base_url}/ai-systems
  {london.base_url}/models
  {helsinki.base_url}/models/{MODELS["helsinki"].name}
The same for programs, in any form of linked data, as STAC, and with our own words explained:
  curl -H 'Accept: text/turtle' '{copy}'
  curl '{helsinki.base_url}/records/relations?iri={quote(practice, safe="")}'
  curl '{london.base_url}/stac'
  curl -H 'Accept: text/turtle' {london.base_url}/ns
What those who write do; the files are in {_short(london.folder)}:
  {citynode} practices list
  {citynode} ai-register export --to uk-atrs --format csv
  {citynode} tasks
"""


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
