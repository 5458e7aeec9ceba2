"""Laws of the demonstration's city models: our own inspectors find nothing wrong, and every block is closed.

Read as any city's model is. The bodies are measured by the volume that their faces enclose, which is right only if
each face looks outward.
"""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from demo import blocks
from tests.catalog.models.made import read


@pytest.mark.parametrize(
    ("city", "epsg", "around"),
    [("helsinki", 3879, (24.97, 60.18, 24.99, 60.19)), ("london", 27700, (-0.03, 51.53, 0, 51.56))],
)
def test_a_model_says_what_it_is_and_where(
    tmp_path: Path, city: str, epsg: int, around: tuple[float, float, float, float]
) -> None:
    facts = read(tmp_path, json.loads(blocks.write(city, tmp_path / "made.city.json").read_text()))
    assert (facts.whole, facts.problems) == (True, ())
    assert (facts.format, facts.version, facts.type, facts.lods) == ("CityJSON", "2.0", "semantic", ("1.2",))
    assert facts.crs.endswith(f"/EPSG/0/{epsg}")
    assert facts.counts == {"Building": len(blocks.SCENES[city].blocks)}
    assert facts.bbox is not None
    west, south, east, north = facts.bbox
    assert around[0] < west < east < around[2]
    assert around[1] < south < north < around[3]


@pytest.mark.parametrize("city", blocks.SCENES)
def test_every_block_is_closed_and_its_faces_look_outward(city: str) -> None:
    scene = blocks.SCENES[city]
    document = blocks.city_json(scene)
    scale = document["transform"]["scale"]
    corners = [[value * by for value, by in zip(each, scale, strict=True)] for each in document["vertices"]]
    for block, building in zip(scene.blocks, document["CityObjects"].values(), strict=True):
        (shell,) = building["geometry"][0]["boundaries"]
        edges = [edge for (face,) in shell for edge in pairwise([*face, face[0]])]
        assert sorted(edges) == sorted((after, before) for before, after in edges), "each edge is walked both ways"
        assert _volume(shell, corners) == pytest.approx(block.width * block.depth * block.height)


def _volume(shell: list[list[list[int]]], corners: list[list[float]]) -> float:
    """Add up the tetrahedra between the origin and each triangle; those that look inward count less than nothing."""
    total = 0.0
    for (face,) in shell:
        for second, third in pairwise(face[1:]):
            (a, b, c), (d, e, f), (g, h, i) = (corners[each] for each in (face[0], second, third))
            total += a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return total / 6
