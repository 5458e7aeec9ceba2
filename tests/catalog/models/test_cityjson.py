"""CityJSON and CityJSONSeq: the facts of a good one, and for every broken one what is wrong and where."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.catalog.models.made import SQUARE, city, geometry, read, told


def test_a_good_city_gives_its_facts_and_no_problem(tmp_path: Path) -> None:
    facts = read(tmp_path, city())
    assert (facts.format, facts.version, facts.type, facts.whole) == ("CityJSON", "2.0", "semantic", True)
    assert facts.lods == ("2.2",)
    assert facts.counts == {"Building": 1, "BuildingPart": 1}
    assert facts.objects == 2
    assert facts.extent == (25_496_000.0, 6_672_000.0, 0.0, 25_496_010.0, 6_672_010.0, 3.0)
    assert facts.heights == (0.0, 3.0)
    assert facts.crs == "http://www.opengis.net/def/crs/EPSG/0/3879"
    assert facts.bbox is not None
    west, south, east, north = facts.bbox
    assert 24.9 < west < east < 24.95
    assert 60.1 < south < north < 60.2
    assert (facts.epoch, facts.attributes, facts.problems) == ("2026-05-01", ("height",), ())


def test_members_may_stand_in_any_order(tmp_path: Path) -> None:
    backwards = dict(reversed(list(city().items())))
    assert read(tmp_path, backwards) == read(tmp_path, city())


def test_white_space_changes_nothing_but_the_size(tmp_path: Path) -> None:
    spaced = read(tmp_path, json.dumps(city(), indent=3))
    assert (spaced.extent, spaced.counts, spaced.problems) == (
        read(tmp_path, city()).extent,
        {"Building": 1, "BuildingPart": 1},
        (),
    )


TRANSFORM = {"scale": [0.001, 0.001, 0.001], "translate": [0, 0, 0]}
BOUNDARIES = "/CityObjects/a/geometry/0/boundaries"
ORPHAN = {"a": {"type": "Building", "children": ["b"]}}
LISTED = {"a": {"type": "Building", "attributes": [1]}}
FIVE = {"geographicalExtent": [1, 2, 3, 4, 5]}
HUGE = [*SQUARE[:3], [0, 10**30, 0]]
ENDLESS = [*SQUARE[:3], [0, -(10**400), 0]]
OWN = {"a": {"type": "Building", "parents": ["a"]}}
ROUND = {
    "x": {"type": "Building", "children": ["a"]},
    "a": {"type": "Building", "parents": ["b"]},
    "b": {"type": "Building", "children": ["a"], "parents": ["a"]},
}

BROKEN: list[tuple[str, Any, str, str]] = [
    ("scale of 0", city(transform=TRANSFORM | {"scale": [0.001, 0, 1]}), "bad-transform", "/transform/scale/1"),
    ("negative scale", city(transform=TRANSFORM | {"scale": [-1, 1, 1]}), "bad-transform", "/transform/scale/0"),
    ("scale of text", city(transform=TRANSFORM | {"scale": "x"}), "bad-transform", "/transform/scale"),
    ("huge scale", city(transform=TRANSFORM | {"scale": [1e300, 1, 1]}), "bad-transform", "/transform/scale/0"),
    ("far away", city(transform=TRANSFORM | {"translate": [9e12, 0, 0]}), "bad-transform", "/transform"),
    ("no transform", city(transform=None), "missing-transform", "/transform"),
    ("no vertices", city(vertices=None), "missing-vertices", "/vertices"),
    ("vertices of text", city(vertices="none"), "wrong-type", "/vertices"),
    ("vertices of objects", city(vertices=[{"x": 1}]), "wrong-type", "/vertices"),
    ("flat vertices", city(vertices=[*SQUARE, [1, 2]]), "bad-vertices", "/vertices"),
    ("a null among vertices", city(vertices=[*SQUARE[:3], [None, 1, 1]]), "bad-vertices", "/vertices/3"),
    ("a huge integer", city(vertices=HUGE), "huge-number", "/vertices/3/1"),
    ("a number of 400 digits", city(vertices=ENDLESS), "huge-number", "/vertices/3/1"),
    ("an index of 400 digits", geometry(boundaries=[[[0, 1, 10**400]]]), "bad-index", BOUNDARIES),
    ("boundaries of nothing too deep", geometry(boundaries=[[[[[[[]]]]]]]), "bad-boundaries", BOUNDARIES),
    ("its own parent", city(CityObjects=OWN), "circle", "/CityObjects/a"),
    ("a circle of parents", city(CityObjects=ROUND), "circle", "/CityObjects/a"),
    ("index past the end", geometry(boundaries=[[[0, 1, 4]]]), "index-out-of-range", BOUNDARIES),
    ("negative index", geometry(boundaries=[[[0, 1, -1]]]), "index-out-of-range", BOUNDARIES),
    ("index with a fraction", geometry(boundaries=[[[0, 1, 1.5]]]), "bad-index", BOUNDARIES),
    ("boundaries of text", geometry(boundaries=[[["a"]]]), "wrong-type", BOUNDARIES),
    ("boundaries too flat", geometry(boundaries=[0, 1, 2]), "bad-boundaries", BOUNDARIES),
    ("no boundaries", geometry(boundaries=None), "missing-boundaries", "/CityObjects/a/geometry/0"),
    ("no level of detail", geometry(lod=None), "missing-lod", "/CityObjects/a/geometry/0/lod"),
    ("unknown geometry", geometry(type="Blob"), "unknown-geometry", "/CityObjects/a/geometry/0/type"),
    ("texture without images", geometry(texture={"t": {}}), "missing-textures", "/CityObjects/a/geometry/0/texture"),
    ("unknown type", city(CityObjects={"a/b": {"type": "House"}}), "unknown-type", "/CityObjects/a~1b/type"),
    ("no type", city(CityObjects={"a": {}}), "missing-type", "/CityObjects/a/type"),
    ("extension unnamed", city(CityObjects={"a": {"type": "+Noise"}}), "missing-extension", "/CityObjects/a/type"),
    ("a child elsewhere", city(CityObjects=ORPHAN), "missing-relative", "/CityObjects/a/children"),
    ("objects in a list", city(CityObjects=[]), "wrong-type", "/CityObjects"),
    ("attributes in a list", city(CityObjects=LISTED), "wrong-type", "/CityObjects/a/attributes"),
    ("old version", city(version="0.9"), "unknown-version", "/version"),
    ("no version", city(version=None), "missing-version", "/version"),
    ("metadata of text", city(metadata="x"), "wrong-type", "/metadata"),
    ("extent of five", city(metadata=FIVE), "bad-extent", "/metadata/geographicalExtent"),
    ("no date", city(metadata={"referenceDate": "spring"}), "bad-date", "/metadata/referenceDate"),
    ("no reference system", city(metadata={}), "no-crs", "/metadata/referenceSystem"),
    ("unknown reference system", city(metadata={"referenceSystem": "my"}), "unknown-crs", "/metadata/referenceSystem"),
    ("no such code", city(metadata={"referenceSystem": "EPSG:999999"}), "unknown-crs", "/metadata/referenceSystem"),
    ("outside", city(metadata={"referenceSystem": "EPSG:27700"}), "outside-crs", "/metadata/referenceSystem"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "code", "where"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_what_is_wrong_is_told_with_its_pointer(tmp_path: Path, content: Any, code: str, where: str) -> None:
    facts = read(tmp_path, content)
    assert told(facts).get(code) == where
    assert all(each.message for each in facts.problems)
    assert facts.whole


def test_a_bad_transform_gives_no_extent(tmp_path: Path) -> None:
    facts = read(tmp_path, city(transform=TRANSFORM | {"scale": [0, 0, 0]}))
    assert (facts.extent, facts.bbox) == (None, None)


def test_an_extent_that_is_not_that_of_the_vertices_is_told_and_the_vertices_count(tmp_path: Path) -> None:
    facts = read(tmp_path, city(metadata={"geographicalExtent": [0, 0, 0, 1, 1, 1]}))
    assert told(facts)["extent-differs"] == "/metadata/geographicalExtent"
    assert facts.extent is not None
    assert facts.extent[0] == 25_496_000.0


def test_a_member_that_stands_twice_is_told(tmp_path: Path) -> None:
    text = json.dumps(city())[:-1] + ',"vertices":[]}'
    assert told(read(tmp_path, text))["duplicate-key"] == "/vertices"
    objects = (
        '{"type":"CityJSON","version":"2.0","CityObjects":{"a":{"type":"Road"},"a":{"type":"Road"}},"vertices":[]}'
    )
    assert told(read(tmp_path, objects))["duplicate-key"] == "/CityObjects/a"


def test_not_a_number_is_no_coordinate(tmp_path: Path) -> None:
    text = json.dumps(city()).replace("[10000, 0, 0]", "[NaN, 0, 0]")
    assert told(read(tmp_path, text))["wrong-type"] == "/vertices"
    scale = json.dumps(city()).replace("[0.001, 0.001, 0.001]", "[NaN, 1, 1]")
    assert told(read(tmp_path, scale))["bad-transform"] == "/transform/scale"


def test_version_1_0_may_do_without_a_transform_and_has_other_names(tmp_path: Path) -> None:
    metadata = {"referenceSystem": "urn:ogc:def:crs:EPSG::3879", "datasetTitle": "Old", "datasetReferenceDate": "2019"}
    vertices = [[25_496_000.5, 6_672_000.5, 1.25], [25_496_001.5, 6_672_001.5, 2.5]]
    old = city(version="1.0", transform=None, metadata=metadata, vertices=vertices, CityObjects={})
    facts = read(tmp_path, old)
    assert (facts.title, facts.epoch, facts.problems) == ("Old", "2019", ())
    assert facts.extent == (25_496_000.5, 6_672_000.5, 1.25, 25_496_001.5, 6_672_001.5, 2.5)


def test_templates_have_vertices_of_their_own(tmp_path: Path) -> None:
    template = {"type": "MultiSurface", "lod": "3", "boundaries": [[[0, 1, 2]]]}
    templates = {"templates": [template], "vertices-templates": [[0, 0, 0], [1, 0, 0], [0, 1, 0.5]]}
    facts = read(tmp_path, city(**{"geometry-templates": templates}))
    assert (facts.problems, facts.lods) == ((), ("2.2", "3"))
    templates["vertices-templates"].pop()
    broken = read(tmp_path, city(**{"geometry-templates": templates}))
    assert told(broken)["index-out-of-range"] == "/geometry-templates/templates/0/boundaries"


def test_textures_materials_and_extensions_are_counted(tmp_path: Path) -> None:
    appearance = {"textures": [{"image": "a.png"}, {"image": "b.png"}], "materials": [{"name": "m"}]}
    facts = read(tmp_path, city(appearance=appearance, extensions={"Noise": {"url": "https://example.org/n.json"}}))
    assert (facts.textures, facts.materials, facts.extensions) == (2, 1, ("Noise",))


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 0.999])
def test_a_file_that_is_cut_off_gives_what_was_read_and_says_so(tmp_path: Path, share: float) -> None:
    text = json.dumps(city())
    facts = read(tmp_path, text[: int(len(text) * share)])
    assert not facts.whole
    assert "cut-off" in told(facts)
    assert facts.objects == (2 if share > 0.9 else facts.objects)


def test_what_stops_being_json_is_told_with_line_and_column(tmp_path: Path) -> None:
    lines = '{"type":"CityJSON","version":"2.0",\n"CityObjects":{"a":{"type":"Road"}},\n"vertices":[] oops}'
    facts = read(tmp_path, lines)
    assert told(facts)["not-json"] == "line 3, column 14"
    assert (facts.objects, facts.whole) == (1, False)


def test_a_name_that_is_cut_off_is_no_fault_of_the_text(tmp_path: Path) -> None:
    for end in (
        '"Cit',
        '"CityObjects"',
        '"CityObjects": ',
        '"CityObjects": {"a',
        '"vertices": [[0, 1',
        '"version": "2',
        " ",
    ):
        facts = read(tmp_path, '{"type": "CityJSON", ' + end)
        assert set(told(facts)) == {"cut-off", "no-crs"}, end


def test_deep_nesting_ends_no_process(tmp_path: Path) -> None:
    deep = "[" * 3_000 + "]" * 3_000
    good = json.dumps(city())[:-1]
    assert read(tmp_path, f'{good},"extra":{deep}}}').objects == 2
    facts = read(tmp_path, good.replace('{"height": 3.0}', f'{{"height": {deep}}}') + "}")
    assert told(facts)["too-large"] == "/CityObjects/house/attributes"
    geometry_of = good.replace("[[[0, 1, 2, 3]]]", deep)
    assert read(tmp_path, geometry_of + "}").objects == 2


def test_bytes_that_are_no_utf_8_are_read_and_told(tmp_path: Path) -> None:
    text = json.dumps(city()).encode().replace(b'"height"', b'"h\xf6he"')
    facts = read(tmp_path, text)
    assert facts.attributes == ("höhe",)
    assert "bad-characters" in told(facts)


def test_utf_16_and_marks_are_read(tmp_path: Path) -> None:
    text = json.dumps(city())
    for body in (text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode()):
        assert read(tmp_path, body).counts == {"Building": 1, "BuildingPart": 1}


def feature(name: str, **changes: Any) -> dict[str, Any]:
    made = {
        "type": "CityJSONFeature",
        "id": name,
        "CityObjects": {
            name: {"type": "Building", "geometry": [{"type": "MultiPoint", "lod": "1", "boundaries": [0]}]}
        },
        "vertices": [[int(name) * 1000, 0, 0]],
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


def sequence(*lines: Any) -> str:
    first = city(CityObjects={}, vertices=[])
    return "".join(json.dumps(each) + "\n" if not isinstance(each, str) else f"{each}\n" for each in (first, *lines))


def test_a_sequence_is_known_by_its_lines_and_each_has_its_own_vertices(tmp_path: Path) -> None:
    facts = read(tmp_path, sequence(feature("1"), feature("2"), feature("9")))
    assert (facts.format, facts.objects, facts.problems) == ("CityJSONSeq", 3, ())
    assert facts.extent == (25_496_001.0, 6_672_000.0, 0.0, 25_496_009.0, 6_672_000.0, 0.0)


def test_a_broken_line_of_a_sequence_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    facts = read(tmp_path, sequence(feature("1"), '{"type": oops', feature("3", id=None), feature("4", vertices=[])))
    assert facts.objects >= 3
    assert told(facts)["not-json"] == "line 3#"
    assert told(facts)["missing-id"] == "line 4#/id"
    assert told(facts)["index-out-of-range"] == "line 5#/CityObjects/4/geometry/0/boundaries"
    assert facts.whole


def test_a_sequence_whose_last_line_is_cut_off_is_not_whole(tmp_path: Path) -> None:
    facts = read(tmp_path, sequence(feature("1"), feature("2"))[:-20])
    assert told(facts)["cut-off"] == "line 3#"
    assert not facts.whole


def test_features_without_a_first_line_have_no_place(tmp_path: Path) -> None:
    facts = read(tmp_path, json.dumps(feature("1")) + "\n" + json.dumps(feature("2")))
    assert (facts.format, facts.objects, facts.extent) == ("CityJSONSeq", 2, None)
    assert "missing-first-line" in told(facts)


def test_when_time_is_up_what_was_read_is_the_answer(tmp_path: Path) -> None:
    facts = read(tmp_path, city(), seconds=-1.0)
    assert "out-of-time" in told(facts)
    assert not facts.whole
