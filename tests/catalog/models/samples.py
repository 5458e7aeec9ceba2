"""A small city model of our own: blocks in the plane coordinates of Helsinki, and datasets that name it."""

import json
from typing import Any

from tests.catalog.rig import turtle

CORNER = (25_496_000, 6_672_000)


def cityjson(*, blocks: int = 2, title: str = "", date: str = "2024-05-01", **more: Any) -> bytes:
    """Write a CityJSON 2.0 file of that many blocks, ten metres wide each, in ETRS-GK25 (EPSG:3879)."""
    vertices: list[list[int]] = []
    objects: dict[str, Any] = {}
    for block in range(blocks):
        first, west = len(vertices), block * 20_000
        vertices += [
            [west + x, y, z] for z in (0, 15_000) for x, y in ((0, 0), (10_000, 0), (10_000, 10_000), (0, 10_000))
        ]
        walls = [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
        surfaces = [[[first + corner for corner in wall]] for wall in walls]
        objects[f"block-{block}"] = {
            "type": "Building",
            "attributes": {"storeys": 5},
            "geometry": [{"type": "Solid", "lod": "1.2", "boundaries": [surfaces]}],
        }
    metadata = {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879", "referenceDate": date}
    model = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": [*CORNER, 0]},
        "metadata": metadata | ({"title": title} if title else {}),
        "CityObjects": objects,
        "vertices": vertices,
    }
    return json.dumps(model | more).encode()


def catalogue(*urls: str, title: str = "3D model of the centre", more: str = "") -> str:
    """Write a catalogue of one dataset with a distribution for each address, as a portal would."""
    files = "".join(
        f"d:m dcat:distribution <https://data.example/id/m/{n}> . <https://data.example/id/m/{n}> a dcat:Distribution ;"
        f' dct:title "Part {n}"@en ; dct:format "CityJSON" ; dcat:accessURL <{url}> ; dcat:downloadURL <{url}> .\n'
        for n, url in enumerate(urls, 1)
    )
    about = f'd:m a dcat:Dataset ; dct:title "{title}"@en ; dct:description "Buildings."@en {more} .\n'
    return turtle(about, files)
