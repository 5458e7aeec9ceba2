"""CityGML: facts of a stream of elements, and what makes it end early."""

from pathlib import Path

import pytest

from node.catalog.models import citygml
from node.errors import Malformed
from tests.catalog.models.made import read, told

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<core:CityModel xmlns:core="http://www.opengis.net/citygml/{0}" xmlns:gml="http://www.opengis.net/gml"
  xmlns:bldg="http://www.opengis.net/citygml/building/{0}" xmlns:gen="http://www.opengis.net/citygml/generics/{0}"
  xmlns:app="http://www.opengis.net/citygml/appearance/{0}" xmlns:xlink="http://www.w3.org/1999/xlink"
  xmlns:noise="http://example.org/noise">
"""
ENVELOPE = """<gml:name>A  block</gml:name><gml:boundedBy>
<gml:Envelope srsName="urn:ogc:def:crs,crs:EPSG::3879,crs:EPSG::3900" srsDimension="3">
<gml:lowerCorner>{0} 0</gml:lowerCorner><gml:upperCorner>{1} 9</gml:upperCorner></gml:Envelope></gml:boundedBy>
"""
NORTH_FIRST = ENVELOPE.format("6672000 25496000", "6672010 25496010")
HOUSE = """<core:cityObjectMember><bldg:Building gml:id="a"><core:creationDate>2024-03-01</core:creationDate>
<gen:stringAttribute name="Owner"><gen:value>city</gen:value></gen:stringAttribute>
<bldg:measuredHeight uom="m">9</bldg:measuredHeight>
<bldg:lod2Solid><gml:posList>6672000 25496000 0 6672010 25496010 9</gml:posList></bldg:lod2Solid>
<bldg:consistsOfBuildingPart><bldg:BuildingPart/></bldg:consistsOfBuildingPart>
<noise:level>40</noise:level></bldg:Building></core:cityObjectMember>
"""
TAIL = "</core:CityModel>"


def document(*parts: str, version: str = "2.0") -> str:
    return HEAD.format(version) + "".join(parts) + TAIL


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
def test_a_good_document_gives_its_facts_and_no_problem(tmp_path: Path, version: str) -> None:
    facts = read(tmp_path, document(NORTH_FIRST, HOUSE, version=version), "a.gml")
    assert (facts.format, facts.version, facts.lods, facts.title) == ("CityGML", version, ("2",), "A block")
    assert facts.counts == {"Building": 1, "BuildingPart": 1}
    assert facts.attributes == ("Owner", "creationDate", "measuredHeight")
    assert (facts.epoch, facts.extensions) == ("2024-03-01", ("http://example.org/noise",))
    assert facts.crs == "http://www.opengis.net/def/crs/EPSG/0/3879"
    assert facts.extent == (6_672_000.0, 25_496_000.0, 0.0, 6_672_010.0, 25_496_010.0, 9.0)
    assert facts.bbox is not None
    assert 24.9 < facts.bbox[0] < facts.bbox[2] < 24.95
    assert (facts.problems, facts.whole) == ((), True)


def test_the_other_axis_order_lies_at_the_same_place(tmp_path: Path) -> None:
    swapped = HOUSE.replace("6672000 25496000", "25496000 6672000").replace("6672010 25496010", "25496010 6672010")
    envelope = ENVELOPE.format("25496000 6672000", "25496010 6672010")
    east_first, north_first = read(tmp_path, document(envelope, swapped)), read(tmp_path, document(NORTH_FIRST, HOUSE))
    assert east_first.bbox == north_first.bbox


def test_textures_and_materials_are_counted(tmp_path: Path) -> None:
    appearance = "<app:ParameterizedTexture/><app:ParameterizedTexture/><app:X3DMaterial/>"
    facts = read(tmp_path, document(f"<app:appearanceMember>{appearance}</app:appearanceMember>", HOUSE))
    assert (facts.textures, facts.materials) == (2, 1)


def test_a_geometry_that_is_placed_elsewhere_does_not_widen_the_extent(tmp_path: Path) -> None:
    tree = "<bldg:x><core:relativeGMLGeometry><gml:pos>-900 -900 -900</gml:pos></core:relativeGMLGeometry></bldg:x>"
    facts = read(tmp_path, document(NORTH_FIRST, HOUSE, tree, HOUSE))
    assert facts.extent is not None
    assert facts.extent[0] == 6_672_000.0


def test_a_list_of_coordinates_larger_than_any_piece_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(citygml, "_COORDINATES_AT_ONCE", 1_000)
    monkeypatch.setattr(citygml, "_CHUNK", 777)
    points = " ".join(f"6672000 25496000.{n % 10}\n{n}.5" for n in range(600))
    facts = read(tmp_path, document(f"<bldg:x><gml:posList>{points}</gml:posList></bldg:x>"))
    assert facts.extent == (6_672_000.0, 25_496_000.0, 0.5, 6_672_000.0, 25_496_000.9, 599.5)
    assert "bad-coordinates" not in told(facts)


def test_coordinates_in_two_dimensions_have_no_heights(tmp_path: Path) -> None:
    flat = '<bldg:x><gml:posList srsDimension="2">1 2 3 4</gml:posList></bldg:x>'
    assert read(tmp_path, document(flat)).extent is None


@pytest.mark.parametrize("bad", ["1 2 x", "1 2", "1 2 INF", "1 nan 3"])
def test_bad_coordinates_are_told_with_their_line(tmp_path: Path, bad: str) -> None:
    facts = read(tmp_path, document("\n\n<bldg:x><gml:pos>" + bad + "</gml:pos></bldg:x>"))
    assert told(facts)["bad-coordinates"].startswith("line 8")


@pytest.mark.parametrize(
    "declaration",
    ['<!DOCTYPE a [<!ENTITY b "c">]>', '<!DOCTYPE a SYSTEM "file:///etc/passwd">', "<!DOCTYPE a>"],
)
def test_a_document_type_is_refused(tmp_path: Path, declaration: str) -> None:
    with pytest.raises(Malformed, match=r"line 2: a document type"):
        read(tmp_path, document(HOUSE).replace("<core:CityModel", declaration + "<core:CityModel", 1))


@pytest.mark.parametrize(
    "name", ["Shift_JIS", "GB18030", "UTF-7", "utf-32", "x-foo", "rot13", "idna", "base64", "unicode_escape"]
)
def test_an_encoding_that_is_not_read_is_named_and_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Malformed, match=f"line 1: the encoding '{name}'"):
        read(tmp_path, f'<?xml version="1.0" encoding="{name}"?>\n{document(HOUSE).lstrip().partition("?>")[2]}')


@pytest.mark.parametrize("name", ["UTF-8", "us-ascii", "iso-8859-15", "Windows-1252", "utf-16"])
def test_usual_encodings_are_read(tmp_path: Path, name: str) -> None:
    text = f'<?xml version="1.0" encoding="{name}"?>\n{document(HOUSE).lstrip().partition("?>")[2]}'
    assert read(tmp_path, text.encode(name)).objects == 2


def test_what_nests_too_deep_gives_what_was_read(tmp_path: Path) -> None:
    facts = read(tmp_path, document(HOUSE, "<bldg:x>" * 300))
    assert (facts.counts["Building"], facts.whole) == (1, False)
    assert "too-large" in told(facts)


@pytest.mark.parametrize("cut", [30, 200, 700])
def test_a_document_that_is_cut_off_gives_what_was_read_and_says_so(tmp_path: Path, cut: int) -> None:
    facts = read(tmp_path, document(NORTH_FIRST, HOUSE)[:-cut])
    assert told(facts)["cut-off"].startswith("line ")
    assert not facts.whole


def test_what_stops_being_xml_is_told_with_its_line(tmp_path: Path) -> None:
    facts = read(tmp_path, document(HOUSE, "<bldg:x></bldg:y>"))
    assert told(facts)["not-xml"].startswith("line 12")
    assert facts.counts["Building"] == 1


def test_other_xml_is_named_and_refused(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="the root element is kml of no namespace"):
        read(tmp_path, "<kml/>")
    with pytest.raises(Malformed, match="No XML"):
        read(tmp_path, "<core:CityModel")


def test_an_object_in_another_document_is_told(tmp_path: Path) -> None:
    facts = read(tmp_path, document('<core:cityObjectMember xlink:href="other.gml#a"/>', HOUSE))
    assert "elsewhere" in told(facts)
    assert facts.counts["Building"] == 1


def test_two_reference_systems_in_one_model_are_told(tmp_path: Path) -> None:
    other = '<bldg:x><gml:Point srsName="EPSG:4326"><gml:pos>1 2 3</gml:pos></gml:Point></bldg:x>'
    assert "mixed-crs" in told(read(tmp_path, document(NORTH_FIRST, HOUSE, other)))


def test_an_envelope_that_is_not_that_of_the_coordinates_is_told_with_its_line(tmp_path: Path) -> None:
    wide = ENVELOPE.format("6670000 25490000", "6680000 25500000")
    assert told(read(tmp_path, document(wide, HOUSE)))["extent-differs"] == "line 8"
    upside_down = ENVELOPE.format("9 9", "1 1")
    assert told(read(tmp_path, document(upside_down, HOUSE)))["bad-extent"] == "line 8"
