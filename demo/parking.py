"""Files that can be looked inside without a network: a table and a map of kerbside parking, served from here.

The portals' own files lie on real sites; so Helsinki's dataset of parking names two of these instead, in a copy of its
catalogue beside the data folders. Streets and where they lie are public facts, rounded; how many may park there, and
when, is invented.
"""

import csv
import functools
import http.server
import io
import json
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

CSV, GEOJSON = "kerbside-parking.csv", "kerbside-parking.geojson"
_REAL = (
    "https://kartta.hel.fi/ws/geoserver/avoindata/wfs?service=WFS&version=2.0.0&request=GetFeature"
    "&typeName=avoindata:Pysakointipaikat_alue&outputFormat="
)
_COLUMNS = ("id", "street", "way_of_parking", "spaces", "zone", "charged_from", "charged_until", "disc_minutes")
# Each with the middle of the area, in degrees.
_AREAS = (
    (("K-01", "Hämeentie", "along the kerb", 14, 2, "09:00", "20:00", ""), (24.9607, 60.1842)),
    (("K-02", "Fleminginkatu", "along the kerb", 22, 2, "09:00", "20:00", ""), (24.9545, 60.1871)),
    (("K-03", "Vaasankatu", "across the kerb", 31, 2, "09:00", "20:00", ""), (24.9602, 60.1877)),
    (("K-04", "Helsinginkatu", "along the kerb", 27, 2, "09:00", "20:00", ""), (24.9541, 60.1888)),
    (("K-05", "Porthaninkatu", "across the kerb", 12, 2, "09:00", "20:00", ""), (24.9499, 60.1818)),
    (("K-06", "Kaarlenkatu", "along the kerb", 9, 3, "", "", 240), (24.9541, 60.1858)),
    (("K-07", "Torkkelinkatu", "along the kerb", 11, 3, "", "", 240), (24.9562, 60.1836)),
    (("K-08", "Sturenkatu", "at an angle", 18, 3, "", "", 120), (24.9519, 60.1912)),
    (("K-09", "Aleksis Kiven katu", "along the kerb", 24, 3, "", "", ""), (24.9497, 60.1926)),
    (("K-10", "Mäkelänkatu", "along the kerb", 36, 3, "", "", ""), (24.9527, 60.1947)),
)


def serve(port: int) -> str:
    """Serve the files until this process ends; give their address, or nothing if the port is taken."""
    try:
        server = server_at(port)
    except (OSError, OverflowError):
        print(f"Port {port} of 127.0.0.1 is taken: no file of the demonstration can be looked inside.", file=sys.stderr)
        return ""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{port}"


def server_at(port: int) -> http.server.ThreadingHTTPServer:
    """Make the server of the files. Raises OSError or OverflowError: it cannot listen there."""
    bodies = {f"/{CSV}": (_table(), "text/csv; charset=utf-8"), f"/{GEOJSON}": (_map(), "application/geo+json")}
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(_Answer, bodies))


def write_catalogue(source: Path, copy: Path, address: str) -> None:
    """Write a copy of Helsinki's catalogue in which the dataset of parking names the files at an address."""
    text = source.read_text("utf-8")
    for ending, name in (("application/json", GEOJSON), ("csv", CSV)):
        text = text.replace(f'"{_REAL}{ending}"', f'"{address}/{name}"')
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text, "utf-8")


class _Answer(http.server.BaseHTTPRequestHandler):
    def __init__(self, bodies: "dict[str, tuple[bytes, str]]", *of_the_server: object) -> None:
        self._bodies = bodies
        super().__init__(*of_the_server)

    def do_GET(self) -> None:
        found = self._bodies.get(urlsplit(self.path).path)
        if found is None:
            self.send_error(404)
            return
        body, kind = found
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the demonstration's own lines are to be read."""


def _table() -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    rows.writerows(row for row, _ in _AREAS)
    return text.getvalue().encode()


def _map() -> bytes:
    features = []
    for row, (east, north) in _AREAS:
        along, across = 0.0008, 0.0001
        ring = [(east - along, north - across), (east + along, north - across), (east + along, north + across)]
        ring += [(east - along, north + across), ring[0]]
        geometry = {"type": "Polygon", "coordinates": [[[round(each, 5) for each in point] for point in ring]]}
        features.append({"type": "Feature", "properties": dict(zip(_COLUMNS, row, strict=True)), "geometry": geometry})
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()
