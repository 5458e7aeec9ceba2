"""3D Tiles: trees of tiles in a folder, what they refer to, and everything that may be wrong with them."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from node.catalog.models.facts import ModelFacts
from node.catalog.models.opening import Bounds, open_model
from node.errors import Malformed
from tests.catalog.models.made import read, told

REGION = {"region": [0.434, 1.0495, 0.436, 1.0505, -1.0, 80.0]}


def tile(**more: Any) -> dict[str, Any]:
    made = {"boundingVolume": REGION, "geometricError": 10.0} | more
    return {key: value for key, value in made.items() if value is not None}


def tileset(root: Any, **more: Any) -> dict[str, Any]:
    made = {"asset": {"version": "1.1"}, "geometricError": 100.0, "root": root} | more
    return {key: value for key, value in made.items() if value is not None}


def of(folder: Path, files: dict[str, Any], /, **bounds: Any) -> ModelFacts:
    for name, content in files.items():
        path = folder / "tiles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    (folder / "scratch").mkdir()
    return open_model(folder / "tiles", folder / "scratch", Bounds(**bounds))


def test_a_tree_gives_its_facts(tmp_path: Path) -> None:
    leaves = [tile(content={"uri": f"{n}.glb?v=1"}, geometricError=0) for n in range(3)]
    root = tile(contents=[{"uri": "a.b3dm"}, {"uri": "a.pnts"}], children=leaves)
    said = tileset(root, asset={"version": "1.1", "generator": "us"}, extensionsUsed=["3DTILES_metadata"])
    facts = of(tmp_path, {"tileset.json": said} | dict.fromkeys(("a.b3dm", "a.pnts", "0.glb", "1.glb", "2.glb"), b""))
    assert (facts.format, facts.version, facts.type, facts.generator) == ("3D Tiles", "1.1", "mesh", "us")
    assert (facts.counts, facts.objects, facts.tiles) == ({"glb": 3, "b3dm": 1, "pnts": 1}, 5, 4)
    assert facts.extensions == ("3DTILES_metadata",)
    assert facts.bbox == (24.8663683, 60.1319206, 24.9809599, 60.1892164)
    assert facts.heights == (-1.0, 80.0)
    assert facts.problems == ()


@pytest.mark.parametrize("more", [
    {"properties": {"Height": {"minimum": 1, "maximum": 2}}},
    {"schema": {"classes": {"building": {"properties": {"Height": {"type": "SCALAR"}}}}}},
    {"extensions": {"3DTILES_metadata": {"schema": {"classes": {"b": {"properties": {"Height": {}}}}}}}},
    {"schemaUri": "schema.json"},
])  # fmt: skip
def test_metadata_makes_a_model_semantic(tmp_path: Path, more: dict[str, Any]) -> None:
    schema = {"classes": {"building": {"properties": {"Height": {}}}}}
    facts = of(tmp_path, {"tileset.json": tileset(tile(), **more), "schema.json": schema})
    assert (facts.type, facts.attributes, facts.problems) == ("semantic", ("Height",), ())


# Helsinki's Senate Square, local axes east, north, up.
MATRIX = [-0.422, 0.9066, 0, 0, -0.7855, -0.3656, 0.4991, 0, 0.4525, 0.2106, 0.8664, 0, 2884000, 1343000, 5509500, 1]
BOX = {"box": [0, 0, 10, 100, 0, 0, 0, 100, 0, 0, 0, 10]}


@pytest.mark.parametrize("volume", [BOX, {"sphere": [0, 0, 0, 100]}])
def test_a_volume_is_placed_by_the_transform(tmp_path: Path, volume: Any) -> None:
    facts = of(tmp_path, {"tileset.json": tileset(tile(boundingVolume=volume, transform=MATRIX))})
    assert facts.crs == "http://www.opengis.net/def/crs/EPSG/0/4978"
    assert facts.bbox is not None
    assert 24.9 < facts.bbox[0] < facts.bbox[2] < 25.05
    assert 60.1 < facts.bbox[1] < facts.bbox[3] < 60.25


def test_a_model_in_the_middle_of_the_earth_has_no_place(tmp_path: Path) -> None:
    facts = of(tmp_path, {"tileset.json": tileset(tile(boundingVolume=BOX))})
    assert (facts.bbox, facts.extent, facts.crs) == (None, None, "")
    assert told(facts) == {"no-place": "tileset.json#/root/transform"}


BROKEN = [
    ("no volume", tile(boundingVolume=None), "bad-volume", "/root/boundingVolume"),
    ("empty volume", tile(boundingVolume={}), "bad-volume", "/root/boundingVolume"),
    ("short box", tile(boundingVolume={"box": [1, 2]}), "bad-volume", "/root/boundingVolume"),
    ("infinite sphere", tile(boundingVolume={"sphere": [0, 0, 0, -1]}), "bad-volume", "/root/boundingVolume"),
    ("degrees", tile(boundingVolume={"region": [24, 60, 25, 61, 0, 9]}), "bad-volume", "/root/boundingVolume"),
    ("upside down", tile(boundingVolume={"region": [0, 1, 1, 0, 0, 9]}), "bad-volume", "/root/boundingVolume"),
    ("no error", tile(geometricError=None), "bad-geometric-error", "/root/geometricError"),
    ("negative error", tile(geometricError=-1), "bad-geometric-error", "/root/geometricError"),
    ("growing", tile(children=[tile(geometricError=99)]), "growing-error", "/root/children/0/geometricError"),
    ("short transform", tile(transform=[1]), "bad-transform", "/root/transform"),
    ("transform of text", tile(transform=["x"] * 16), "bad-transform", "/root/transform"),
    ("refine", tile(refine="MORE"), "bad-refine", "/root/refine"),
    ("children of text", tile(children="x"), "wrong-type", "/root/children"),
    ("child of text", tile(children=["x"]), "wrong-type", "/root/children/0"),
    ("content without uri", tile(content={}), "missing-uri", "/root/content/uri"),
    ("contents of text", tile(contents="x"), "wrong-type", "/root/contents"),
    ("missing content", tile(content={"uri": "no.glb"}), "missing-content", "/root/content/uri"),
    ("bad implicit", tile(implicitTiling={"subdivisionScheme": "X"}), "bad-implicit", "/root/implicitTiling"),
]  # fmt: skip


@pytest.mark.parametrize(("root", "code", "where"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_what_is_wrong_is_told_with_its_pointer(tmp_path: Path, root: Any, code: str, where: str) -> None:
    assert told(of(tmp_path, {"tileset.json": tileset(root)})).get(code) == f"tileset.json#{where}"


def test_versions_that_the_standard_does_not_know_are_told(tmp_path: Path) -> None:
    facts = of(tmp_path, {"tileset.json": tileset(tile(), asset={"version": "0.0"})})
    assert told(facts) == {"unknown-version": "tileset.json#/asset/version"}


def test_external_tilesets_are_followed_each_once_and_a_circle_is_named(tmp_path: Path) -> None:
    files = {
        "tileset.json": tileset(
            tile(children=[tile(content={"uri": "in/a.json"}), tile(content={"uri": "in/a.json"})])
        ),
        "in/a.json": tileset(tile(content={"uri": "b.json"}), asset={"version": "1.0"}),
        "in/b.json": tileset(tile(content={"uri": "../in/a.json"})),
    }
    facts = of(tmp_path, files)
    assert (facts.files, facts.tiles, facts.version) == (3, 5, "1.1")
    assert facts.bytes == sum(len(json.dumps(each)) for each in files.values())
    assert told(facts) == {"circle": "in/b.json#/root/content"}
    assert facts.problems[0].message == "The tileset leads back to itself: in/a.json -> in/b.json -> in/a.json."


@pytest.mark.parametrize("uri", ["https://elsewhere.example/a.json", "../secret.json", "/etc/a.json", "file:///a.json"])
def test_what_lies_elsewhere_is_not_followed(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(tileset(tile())))
    facts = of(tmp_path, {"tileset.json": tileset(tile(content={"uri": uri}))})
    assert (facts.tiles, facts.files, facts.whole) == (1, 1, False)
    assert told(facts) == {"elsewhere": "tileset.json"}


@pytest.mark.parametrize("name", ["a\0b", "a%00b", "x" * 300, "http://[x"])
def test_a_name_that_no_file_can_have_is_missing_and_tells_no_folder_of_ours(tmp_path: Path, name: str) -> None:
    children = [tile(content={"uri": f"{name}.json"}), tile(content={"uri": f"{name}.glb"}), tile()]
    facts = of(tmp_path, {"tileset.json": tileset(tile(children=children), schemaUri=f"{name}.json")})
    assert facts.tiles == 4
    assert told(facts).keys() & {"missing-tileset", "elsewhere"}
    assert told(facts)["missing-schema"] == "tileset.json#/schemaUri"
    assert not any(str(tmp_path) in each.message or "Errno" in each.message for each in facts.problems)


def test_a_missing_or_broken_tileset_leaves_the_others(tmp_path: Path) -> None:
    children = [tile(content={"uri": uri}) for uri in ("no.json", "bad.json", "good.json")]
    files = {"tileset.json": tileset(tile(children=children)), "bad.json": b"{", "good.json": tileset(tile())}
    facts = of(tmp_path, files)
    assert (facts.tiles, facts.whole) == (5, False)
    assert set(told(facts)) == {"missing-tileset", "malformed"}


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    children = [tile(content={"uri": f"{n}.json"}) for n in range(9)]
    files = {f"{n}.json": tileset(tile()) for n in range(9)} | {"tileset.json": tileset(tile(children=children))}
    facts = of(tmp_path, files, files=4)
    assert (facts.files, facts.whole) == (4, False)
    assert "too-many-files" in told(facts)


def test_a_tree_of_any_depth_is_walked_without_recursion(tmp_path: Path) -> None:
    text = json.dumps(tileset(tile(children=["?"])))
    inner = json.dumps(tile())
    for _ in range(300):
        inner = json.dumps(tile(children=["?"])).replace('"?"', inner)
    assert of(tmp_path, {"tileset.json": text.replace('"?"', inner).encode()}).tiles == 302


def test_what_has_no_root_is_no_tileset(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="no root"):
        read(tmp_path, {"asset": {"version": "1.1"}}, "tileset.json")


def implicit(**more: Any) -> dict[str, Any]:
    said = {
        "subdivisionScheme": "QUADTREE",
        "subtreeLevels": 2,
        "availableLevels": 4,
        "subtrees": {"uri": "s/{level}.{x}.{y}.subtree"},
    }
    return tile(content={"uri": "c/{level}/{x}/{y}.glb"}, implicitTiling=said | more)


def subtree(tiles: Any, contents: Any, children: Any, bits: bytes = b"") -> bytes:
    views = [{"buffer": 0, "byteOffset": 0, "byteLength": len(bits)}]
    head = {"buffers": [{"byteLength": len(bits)}], "bufferViews": views, "tileAvailability": tiles}
    body = json.dumps(head | {"contentAvailability": [contents], "childSubtreeAvailability": children}).encode()
    body += b" " * (-len(body) % 8)
    return struct.pack("<4sIQQ", b"subt", 1, len(body), len(bits)) + body + bits


NONE, ALL = {"constant": 0}, {"constant": 1}


def test_implicit_tiles_are_counted_from_their_subtrees(tmp_path: Path) -> None:
    bits = (1 << 6 | 1 << 1).to_bytes(2, "little")  # children 1 and 6 of sixteen: (1, 0) and (2, 1)
    files = {
        "tileset.json": tileset(implicit()),
        "s/0.0.0.subtree": subtree(ALL, {"bitstream": 0, "availableCount": 2}, {"bitstream": 0}, bits),
        "s/2.1.0.subtree": subtree({"bitstream": 0}, NONE, NONE, b"\x1f\x00"),
        "s/2.2.1.subtree": json.dumps(
            {"tileAvailability": ALL, "contentAvailability": [ALL], "childSubtreeAvailability": NONE}
        ).encode(),
    }
    facts = of(tmp_path, files)
    assert (facts.tiles, facts.files, facts.problems) == (5 + 5 + 5, 4, ())
    assert facts.counts == {"glb": 2 + 5}


@pytest.mark.parametrize("more", [{"implicitTiling": "x"}, {"implicitTiling": [1]}, {"contents": 5, "content": None}])
def test_implicit_tiling_of_another_form_is_named(tmp_path: Path, more: dict[str, Any]) -> None:
    facts = of(tmp_path, {"tileset.json": tileset(implicit() | more)})
    assert facts.problems
    assert ("bad-implicit" in told(facts)) == ("implicitTiling" in more)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"subt", b"{}", subtree({"bitstream": 9}, ALL, NONE), subtree({"bitstream": 0}, ALL, NONE)]
)
def test_a_broken_subtree_is_named(tmp_path: Path, body: bytes) -> None:
    facts = of(tmp_path, {"tileset.json": tileset(implicit()), "s/0.0.0.subtree": body})
    assert told(facts) == {"missing-subtree": "s/0.0.0.subtree"}
    assert not facts.whole


def test_subtrees_without_end_are_bounded_by_the_number_of_files(tmp_path: Path) -> None:
    endless = subtree(ALL, ALL, ALL)
    said = implicit(availableLevels=64, subtrees={"uri": "one.subtree"})
    facts = of(tmp_path, {"tileset.json": tileset(said), "one.subtree": endless}, files=20)
    assert (facts.files, facts.whole) == (20, False)
    assert "too-many-files" in told(facts)
