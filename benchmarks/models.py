"""Benchmarks of the inspectors: a CityJSON of 100 MB and a tileset of 10,000 tiles, read by the real command.

The made city is 3D models as municipalities publish them: buildings with a dozen attributes, parts with three levels of
detail, semantics, and all vertices at the end of the file. The tileset is a quadtree over fifty external tilesets; no
content exists, since none is opened. Memory is the peak of the command and its child together, with pages of the file.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rig import HOME, Bench, Memory, Row, command, environment, spent

BYTES, TILES = 100_000_000, 10_000
SECONDS, PEAK_MIB = 10.0, 300.0
_ROOFS = ("slanted", "horizontal", "multiple horizontal")


def models(bench: Bench) -> Iterator[Row]:
    """Measure both."""
    size, tiles = (BYTES // 20, TILES // 10) if bench.quick else (BYTES, TILES)
    city = HOME / f"city-v4-{size}.city.json"
    if not city.exists():
        bench.say(f"writing {city.name}")
        write_city(city, size)
    yield _row(bench, f"CityJSON of {city.stat().st_size / 1e6:.0f} MB inspected", city)
    folder = bench.folder / "tiles"
    write_tiles(folder, tiles)
    yield _row(bench, f"3D Tiles of {tiles:,} tiles in 51 files inspected", folder)


def _row(bench: Bench, what: str, path: Path) -> Row:
    """Run the command three times; the best counts."""
    runs: list[tuple[float, float, float]] = []
    for _ in range(1 if bench.quick else 3):
        bench.calm()
        memory = Memory(every_s=0.01)
        spend = spent(command("models", "inspect", "--json", str(path)), environment(), watch=memory)
        memory.stop()
        assert json.loads(spend.out)["whole"], spend.out
        runs.append((spend.wall_s, spend.cpu_s, memory.peak_together / (1 << 20)))
    wall_s, cpu_s, _ = min(runs)
    peak = max(peak for *_, peak in runs)
    said = f"{wall_s:.1f} s, {peak:.0f} MiB at the most"
    wanted = f"<= {SECONDS:g} s, <= {PEAK_MIB:g} MiB"
    return Row(what, said, wanted, wall_s <= SECONDS and peak <= PEAK_MIB, cpu_s=cpu_s, wall_s=wall_s)


def write_city(path: Path, size: int) -> None:
    """Write a CityJSON of about so many bytes; two fifths of them are vertices."""
    rng, vertices = random.Random(7), []
    head = {"type": "CityJSON", "version": "2.0", "metadata": _METADATA, "transform": _TRANSFORM}
    part = path.with_suffix(".part")
    with part.open("w") as out:
        out.write(json.dumps(head)[:-1] + ',"CityObjects":{')
        written = number = 0
        while written + 23 * len(vertices) < size:
            text = _house(number, rng, vertices)
            written += out.write(("," if number else "") + text)
            number += 1
        out.write('},"vertices":' + json.dumps(vertices, separators=(",", ":")) + "}")
    part.rename(path)


_METADATA = {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879", "title": "A made city"}
_TRANSFORM = {"scale": [0.001] * 3, "translate": [25_490_000.0, 6_670_000.0, 0.0]}


def _house(number: int, rng: random.Random, vertices: list[list[int]]) -> str:
    building, part = f"NL.IMBAG.Pand.{number:016d}", f"NL.IMBAG.Pand.{number:016d}-0"
    attributes = {f"b3_value_{each}": round(rng.uniform(0, 900), 3) for each in range(12)}
    attributes |= {"roofType": rng.choice(_ROOFS), "yearOfConstruction": rng.randrange(1850, 2027)}  # type: ignore[dict-item]
    geometry = [_solid(lod, rng, vertices) for lod in ("1.2", "1.3", "2.2")]
    house = {
        building: {"type": "Building", "attributes": attributes, "children": [part]},
        part: {"type": "BuildingPart", "parents": [building], "geometry": geometry},
    }
    return json.dumps(house, separators=(",", ":"))[1:-1]


def _solid(lod: str, rng: random.Random, vertices: list[list[int]]) -> dict[str, object]:
    first, corners = len(vertices), 12 if lod == "2.2" else 6
    x, y, height = rng.randrange(20_000_000), rng.randrange(20_000_000), rng.randrange(3_000, 40_000)
    for z in (0, height):
        vertices += [[x + rng.randrange(20_000), y + rng.randrange(20_000), z] for _ in range(corners)]
    walls = [
        [[first + i, first + (i + 1) % corners, first + corners + (i + 1) % corners, first + corners + i]]
        for i in range(corners)
    ]
    shell = [[list(range(first, first + corners))], [list(range(first + corners, first + 2 * corners))], *walls]
    surfaces = [{"type": "GroundSurface"}, {"type": "RoofSurface"}, {"type": "WallSurface"}]
    semantics = {"surfaces": surfaces, "values": [[0, 1, *([2] * corners)]]}
    return {"type": "Solid", "lod": lod, "boundaries": [shell], "semantics": semantics}


def write_tiles(folder: Path, tiles: int) -> None:
    """Write a tileset of about so many tiles: a root over fifty external tilesets."""
    folder.mkdir(parents=True)
    each = tiles // 50 - 1
    for number in range(50):
        _tileset(folder / f"part-{number}.json", _tree(each, f"{number}"))
    children = [_tile({"content": {"uri": f"part-{number}.json"}}) for number in range(50)]
    _tileset(folder / "tileset.json", _tile({"children": children}))


def _tree(tiles: int, name: str) -> dict[str, object]:
    made = [_tile({"content": {"uri": f"data:,{name}-{number}"}}) for number in range(tiles)]
    for number in range(tiles - 1, 0, -1):
        made[(number - 1) // 4].setdefault("children", []).insert(0, made[number])  # type: ignore[attr-defined]
    return made[0]


def _tile(more: dict[str, object]) -> dict[str, object]:
    region = [0.434, 1.0495, 0.436, 1.0505, 0.0, 80.0]
    return {"boundingVolume": {"region": region}, "geometricError": 16.0, **more}


def _tileset(path: Path, root: dict[str, object]) -> None:
    path.write_text(json.dumps({"asset": {"version": "1.1"}, "geometricError": 500.0, "root": root}))
