"""What a 3D city model says of itself: `ModelFacts`, the answer of every inspector, and its JSON form.

Values only: no file is opened here and nothing is computed but the two directions of JSON. `facts_to_json` and
`facts_from_json` are how facts cross the pipe of the child process, lie in the database and are printed by `--json`.
What would surprise: an extent is in the model's own reference system and in its own axis order, as the file says it;
`bbox` is always WGS 84, longitude before latitude, and is there only if the reference system is known.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Format = Literal["CityJSON", "CityJSONSeq", "CityGML", "3D Tiles"]
ModelType = Literal["semantic", "mesh"]
Box = tuple[float, float, float, float]
Extent = tuple[float, float, float, float, float, float]

PROBLEMS_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """One thing that is wrong with a model: where, what, and what to write instead."""

    where: str  # a JSON pointer ("/transform/scale/0"), "line 12", or a file of a tileset with "#" and a pointer
    code: str  # short and stable: "bad-transform", "index-out-of-range", "missing-content" …
    message: str
    level: Literal["error", "warning"] = "error"
    times: int = 1  # how often this code was met; `where` is the first


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The facts a practitioner asks for before a download. Empty means: the file does not say.

    `whole` is False when reading ended early (a bound was met, the file is cut off): counts are then lower bounds.
    """

    format: Format
    version: str  # "2.0", "1.1", "2.0.3": as the file says it
    type: ModelType  # objects with meanings, or surfaces alone
    lods: tuple[str, ...] = ()  # "1", "2.2", sorted by number; for 3D Tiles the depths of the tree are no LoDs: ()
    crs: str = ""  # "http://www.opengis.net/def/crs/EPSG/0/7415"
    crs_name: str = ""  # "Amersfoort / RD New + NAP height"
    extent: Extent | None = None  # least x, y, z, greatest x, y, z, in `crs`
    bbox: Box | None = None  # west, south, east, north; WGS 84 degrees
    heights: tuple[float, float] | None = None  # least and greatest, as the file has them (in the unit of `crs`)
    objects: int = 0  # city objects; for 3D Tiles the contents of tiles
    counts: Mapping[str, int] = field(
        default_factory=dict
    )  # by type: {"Building": 16}, {"b3dm": 3}; most frequent first
    textures: int = 0  # images
    materials: int = 0
    epoch: str = ""  # date of the survey or of the model: "2021-06-30", "2021"
    attributes: tuple[str, ...] = ()  # names, sorted
    extensions: tuple[str, ...] = ()  # CityJSON extensions, CityGML ADE namespaces, 3D Tiles extensions
    title: str = ""
    identifier: str = ""
    generator: str = ""  # 3D Tiles `asset.generator`
    tiles: int = 0  # 3D Tiles: all tiles, with or without content
    files: int = 1  # files read: a zip's members, a tileset's external tilesets
    bytes: int = 0  # of the file (as stored), or of all files read
    whole: bool = True
    problems: tuple[ModelProblem, ...] = ()


def facts_to_json(facts: ModelFacts) -> dict[str, Any]:
    """Give plain JSON values, all members, in the order of the class."""
    return asdict(facts)


def facts_from_json(value: Mapping[str, Any]) -> ModelFacts:
    """Give the facts that `facts_to_json` made, also by an older release (missing members get their defaults).

    Raises:
        TypeError: A member is not known, or a required one is missing.
    """
    tuples = {name: tuple(value[name]) for name in _TUPLES if value.get(name) is not None}
    problems = tuple(ModelProblem(**each) for each in value.get("problems", ()))
    return ModelFacts(**{**value, **tuples, "problems": problems})


_TUPLES = ("lods", "extent", "bbox", "heights", "attributes", "extensions")
