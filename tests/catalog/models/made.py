"""Small models for the tests: a CityJSON of two houses to be broken in every way, and its reading."""

import json
from pathlib import Path
from typing import Any

from node.catalog.models.facts import ModelFacts
from node.catalog.models.opening import Bounds, open_model

SQUARE = [[0, 0, 0], [10_000, 0, 0], [10_000, 10_000, 0], [0, 10_000, 3_000]]


def city(**changes: Any) -> dict[str, Any]:
    """Give a good CityJSON of Helsinki with one building of one part; `changes` replace members, None takes one out."""
    house = {"type": "Building", "attributes": {"height": 3.0}, "children": ["part"]}
    part = {
        "type": "BuildingPart",
        "parents": ["house"],
        "geometry": [{"type": "MultiSurface", "lod": "2.2", "boundaries": [[[0, 1, 2, 3]]]}],
    }
    made = {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879", "referenceDate": "2026-05-01"},
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": [25_496_000.0, 6_672_000.0, 0.0]},
        "CityObjects": {"house": house, "part": part},
        "vertices": SQUARE,
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


def geometry(**changes: Any) -> dict[str, Any]:
    """Give a city of one building whose only geometry has these members."""
    good = {"type": "MultiSurface", "lod": "1", "boundaries": [[[0, 1, 2, 3]]]}
    members = {key: value for key, value in (good | changes).items() if value is not None}
    return city(CityObjects={"a": {"type": "Building", "geometry": [members]}})


def read(folder: Path, content: Any, name: str = "model.json", **bounds: Any) -> ModelFacts:
    """Write a model and read it in this process."""
    path, scratch = folder / name, folder / "scratch"
    scratch.mkdir(exist_ok=True)
    if not isinstance(content, bytes | str):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_model(path, scratch, Bounds(**bounds))


def told(facts: ModelFacts) -> dict[str, str]:
    """Give where each problem is, by code."""
    return {each.code: each.where for each in facts.problems}
