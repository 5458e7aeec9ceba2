"""A small city model of each city: a few well-known buildings as plain blocks, written as CityJSON 2.0.

Where they stand, how high they are and how many floors they have are public facts, rounded to ten metres on the ground;
their shapes are not (README.md). `python -m demo.blocks helsinki FILE` writes one by itself, for any viewer.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MILLIMETRE = 0.001
Corner = tuple[float, float, float]


@dataclass(frozen=True)
class Block:
    """A building with an upright outline: its centre and size in metres, height above its ground, and floors."""

    name: str
    east: float
    north: float
    width: float
    depth: float
    height: float
    floors: int
    use: str
    ground: float = 3.0


@dataclass(frozen=True)
class Scene:
    """The buildings of a model and the reference system of their coordinates."""

    title: str
    epsg: int
    day: str
    blocks: tuple[Block, ...]


SCENES = {
    "helsinki": Scene(
        "Kalasatama as plain blocks",
        3879,
        "2026-11-01",
        (
            Block("Redi", 25_498_830, 6_674_890, 170, 120, 22, 5, "shopping centre"),
            Block("Majakka", 25_498_860, 6_674_940, 30, 20, 134, 35, "residential"),
            Block("Loisto", 25_498_810, 6_674_850, 30, 20, 124, 32, "residential"),
            Block("Kalasatama metro station", 25_498_740, 6_674_950, 120, 20, 14, 1, "station"),
        ),
    ),
    "london": Scene(
        "Queen Elizabeth Olympic Park as plain blocks",
        27700,
        "2026-11-01",
        (
            Block("ArcelorMittal Orbit", 537_910, 184_030, 20, 20, 114.5, 2, "observation tower"),
            Block("London Stadium", 537_650, 184_060, 310, 260, 60, 4, "stadium"),
            Block("London Aquatics Centre", 538_060, 184_240, 160, 80, 45, 3, "sports"),
            Block("Here East", 537_220, 184_940, 275, 100, 21, 5, "offices"),
            Block("Lee Valley VeloPark", 537_750, 185_360, 130, 110, 20, 2, "sports"),
        ),
    ),
}


def city_json(scene: Scene) -> dict[str, Any]:
    """Give the document: solids of level of detail 1.2, whose faces say whether they are ground, wall or roof."""
    corners = [corner for block in scene.blocks for corner in _corners(block)]
    lowest, highest = ([choose(values) for values in zip(*corners, strict=True)] for choose in (min, max))
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {
            "title": scene.title,
            "referenceSystem": f"https://www.opengis.net/def/crs/EPSG/0/{scene.epsg}",
            "referenceDate": scene.day,
            "geographicalExtent": [*lowest, *highest],
        },
        "transform": {"scale": [MILLIMETRE] * 3, "translate": lowest},
        "CityObjects": {f"block-{number}": _building(block, number) for number, block in enumerate(scene.blocks)},
        "vertices": [
            [round((value - least) / MILLIMETRE) for value, least in zip(corner, lowest, strict=True)]
            for corner in corners
        ],
    }


def write(city: str, path: Path) -> Path:
    """Write the model of a city, the same bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(city_json(SCENES[city]), indent=1) + "\n", "utf-8")
    return path


def _corners(block: Block) -> Iterator[Corner]:
    """Give the corners against the clock as seen from above: four on the ground, then four on the roof."""
    for height in (block.ground, block.ground + block.height):
        for east, north in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            yield block.east + east * block.width / 2, block.north + north * block.depth / 2, height


def _building(block: Block, number: int) -> dict[str, Any]:
    first = 8 * number
    # Faces look outward: the ground is seen from below, so its corners go the other way round.
    ground, roof = [3, 2, 1, 0], [4, 5, 6, 7]
    walls = [[side, (side + 1) % 4, 4 + (side + 1) % 4, 4 + side] for side in range(4)]
    faces = [[[first + corner for corner in face]] for face in (ground, *walls, roof)]
    return {
        "type": "Building",
        "attributes": {
            "name": block.name,
            "function": block.use,
            "measuredHeight": block.height,
            "storeysAboveGround": block.floors,
        },
        "geometry": [
            {
                "type": "Solid",
                "lod": "1.2",
                "boundaries": [faces],
                "semantics": {
                    "surfaces": [{"type": name} for name in ("GroundSurface", "WallSurface", "RoofSurface")],
                    "values": [[0, 1, 1, 1, 1, 2]],
                },
            }
        ],
    }


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SCENES:
        sys.exit(f"usage: python -m demo.blocks {'|'.join(SCENES)} FILE")
    write(sys.argv[1], Path(sys.argv[2]))
