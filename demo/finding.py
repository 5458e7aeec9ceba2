"""The end of the demonstration: one search over both cities, by the command and at the address that anyone can use.

The indexes follow the journals by themselves; here is only waited until London's knows both cities. Each command is
printed before it runs, as a person would type it.
"""

import json
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from demo.cities import City

WORDS = "parking"
WAIT_S = 60
_QUERY = "SELECT ?theme (COUNT(*) AS ?datasets) { ?d <http://www.w3.org/ns/dcat#theme> ?theme } GROUP BY ?theme"


def search_both(london: City) -> str:
    """Search London's node for what both cities have; give what to try afterwards."""
    print("\nOne search over both cities, at London", flush=True)
    _until_level(london)
    print(f"London$ citynode search {WORDS} --limit 6", flush=True)
    london.say("search", WORDS, "--limit", "6")
    found = {count["value"]: count["count"] for count in _facet(london, "city")}
    told = " and ".join(f"{count} of {name.title()}" for name, count in sorted(found.items()))
    print(f"By city: {told}", flush=True)
    return f"""
One search over both cities, on London's page, for programs, as a feed, and in Helsinki's words:
  {london.base_url}/search?q={WORDS}
  curl -H 'Accept: application/json' '{london.base_url}/search?q={WORDS}&format=CSV'
  curl '{london.base_url}/search.atom?q={quote("pysäköinti")}&sort=changed'
The same catalogue for clients that cities know already, and for questions in SPARQL:
  curl '{london.base_url}/api/3/action/package_search?q={WORDS}&rows=2'
  curl '{london.base_url}/ogc/collections'
  curl -H 'Accept: text/csv' --data-urlencode 'query={_QUERY}' {london.base_url}/sparql
How good the descriptions are, and what would make them better:
  {london.base_url}/quality
  CITYNODE_DATA={_short(london.folder)} .venv/bin/citynode quality fix
"""


def _until_level(city: City) -> None:
    end = time.monotonic() + WAIT_S
    while len(_facet(city, "city")) < 2:
        if time.monotonic() > end:
            print(f"waited {WAIT_S} s for the index of {city.name} to know both cities", flush=True)
            raise subprocess.CalledProcessError(3, "citynode search")
        time.sleep(0.3)


def _facet(city: City, name: str) -> list[dict[str, int | str]]:
    found = json.loads(city.get(f"/search?q={WORDS}&facet={name}", "application/json"))
    counts: list[dict[str, int | str]] = found["facets"].get(name, [])
    return [count for count in counts if count["count"]]


def _short(folder: Path) -> Path:
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
