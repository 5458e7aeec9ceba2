"""What a model's record says follows from its file and its dataset alone, and can always be written."""

from dataclasses import replace

import pytest

from node.catalog.author.lint import look
from node.catalog.author.texts import leaves
from node.catalog.models.facts import ModelFacts, ModelProblem
from node.catalog.models.telling import NO_LANGUAGE, Dataset, said_of, slug_for
from node.records import slug_of
from node.vocab.kinds import city_model
from node.vocab.kinds.checking import SUMMARY_CHARACTERS, check
from node.vocab.kinds.reading import said_in
from node.vocab.kinds.writing import payload_of
from tests.web.cities import payload

IT = "https://city.example/id/m"
PUBLISHER = {"name": {"en": "City"}}
FACTS = ModelFacts(
    format="CityJSON",
    version="2.0",
    type="semantic",
    lods=("1.2", "2.2"),
    crs="http://www.opengis.net/def/crs/EPSG/0/3879",
    extent=(25496000.0, 6672000.0, -0.5, 25497000.1234, 6673000.0, 48.5),
    bbox=(24.9278, 60.1570, 24.9459, 60.1661),
    objects=3,
    counts={"Building": 2, "Road": 1},
    textures=4,
    epoch="2024-05",
    attributes=("height", "storeys"),
    bytes=1234,
)


def around(*more: tuple[str, str, str]) -> Dataset:
    return Dataset(IT, "m", payload((IT, "rdf:type", "dcat:Dataset"), (IT, "dct:title", '"Malli"'), *more))


def test_facts_become_a_description_that_reads_back_the_same() -> None:
    said = said_of(FACTS, dataset=around(), language="fi", file="https://f.example/m.city.json")
    said["publisher"] = PUBLISHER
    assert check(city_model.TABLE, said) == ()
    again = said_in(
        city_model.TABLE, "https://c.example/models/m", payload_of(city_model.TABLE, "https://c.example/models/m", said)
    )
    assert again == said
    assert said["lower_corner"] == "25496000 6672000 -0.5"
    assert said["upper_corner"] == "25497000.123 6673000 48.5"
    assert said["title"] == {"fi": "Malli (3D-malli, CityJSON)"}, "a text without a language is in the node's"


def test_the_dataset_gives_what_no_file_tells() -> None:
    agency, theme = f"{IT}#agency", "http://publications.europa.eu/resource/authority/data-theme/REGI"
    said = said_of(
        FACTS,
        dataset=around(
            (IT, "dct:publisher", agency),
            (agency, "foaf:name", '"Mapping agency"@en'),
            (IT, "dct:license", "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0"),
            (IT, "dcat:theme", theme),
            (IT, "dcat:theme", "https://city.example/.well-known/genid/b7szc4x4p4isjbt6uxglsu7tae"),
            (IT, "dct:description", '"Not copied."@en'),
            (IT, "dct:created", '"1999-01-01"'),
        ),
        language="en",
    )
    assert said["publisher"] == {"name": {"en": "Mapping agency"}}
    assert (said["license"], said["theme"]) == ("CC_BY_4_0", ["REGI"])
    assert said["epoch"] == "2024-05", "the date of the model is the file's, not the dataset's"


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("<script>alert(1)</script> Puut", "alert(1) Puut (3D-malli, CityJSON)"),
        ("<scr<script>ipt>Puut", "script>Puut (3D-malli, CityJSON)"),
        ("<script Puut 5 < 6", "script Puut 5 < 6 (3D-malli, CityJSON)"),
        ("[Puut](javascript:x)", "[Puut] (javascript:x) (3D-malli, CityJSON)"),
        ("<b></b>", "CityJSON 2.0"),
    ],
)
def test_markup_of_a_dataset_that_nobody_here_edits_is_left_out_of_its_models(title: str, said: str) -> None:
    it = Dataset(IT, "m", payload((IT, "rdf:type", "dcat:Dataset"), (IT, "dct:title", f'"{title}"')))
    made = said_of(replace(FACTS, attributes=("<script>a", "b")), dataset=it, language="fi")
    assert made["title"] == {"fi": said}
    assert made["attributes"] == ["a", "b"]
    texts = leaves(city_model.TABLE, made)
    found = look(city_model.TABLE, made, texts, today="2026-11-22", base_url="https://c.example", is_public=True)
    assert [each for each in found if each.level == "error" or each.code == "html"] == []


def test_a_publisher_without_a_name_is_left_to_the_office() -> None:
    said = said_of(FACTS, dataset=around((IT, "dct:publisher", "https://org.example/1")), language="en")
    assert "publisher" not in said


def test_a_model_is_called_like_its_dataset_but_never_the_same() -> None:
    def title(dataset: str, **own: str) -> dict[str, str]:
        it = Dataset(IT, "m", payload((IT, "rdf:type", "dcat:Dataset"), (IT, "dct:title", dataset)))
        found: dict[str, str] = said_of(FACTS, dataset=it, language="en", title=own or None)["title"]
        return found

    assert title('"Malli"') == {"en": "Malli (3D model, CityJSON)"}
    assert title('"3D-malli"@fi') == {"fi": "3D-malli (CityJSON)"}
    assert title('"Model"@de') == {"de": "Model (3D, CityJSON)"}
    assert title('"Modell"@sv', sv="Öst", fi="Itä") == {"sv": "Modell: Öst (3D-modell)"}
    assert title('"3D model"@en', en="East") == {"en": "3D model: East"}


def test_a_title_is_in_one_language_from_its_beginning_to_its_end() -> None:
    it = Dataset(IT, "m", payload((IT, "rdf:type", "dcat:Dataset"), (IT, "dct:title", '"Modell"@sv')))

    def title(own: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = said_of(FACTS, dataset=it, language="fi", title=own)["title"]
        return found

    assert title({"fi": "Itä"}) == {"fi": "Itä (3D-malli)"}, "the two have no language in common"
    assert title({"und": "Itä"}) == {"fi": "Itä (3D-malli)"}, "without a tag it is in the node's"
    assert title({NO_LANGUAGE: "tile-12.city.json"}) == {"sv": "Modell: tile-12.city.json (3D-modell)"}
    bare = said_of(FACTS, dataset=None, language="fi", title={NO_LANGUAGE: "tile-12.city.json"})
    assert bare["title"] == {"fi": "tile-12.city.json"}


def test_a_model_without_a_dataset_is_called_as_a_person_or_its_file_says() -> None:
    assert said_of(FACTS, dataset=None, language="en", title={"en": "East"})["title"] == {"en": "East"}
    assert said_of(replace(FACTS, title="Of the file"), dataset=None, language="sv")["title"] == {"sv": "Of the file"}
    assert said_of(FACTS, dataset=None, language="en")["title"] == {"en": "CityJSON 2.0"}


def test_the_summary_fits_its_bound_in_every_language_whatever_the_file_says() -> None:
    wild = replace(FACTS, version="9" * 500, lods=tuple("1234567890" * 4), objects=10**14)
    for text in said_of(wild, dataset=None, language="en")["summary"].values():
        assert len(text) <= SUMMARY_CHARACTERS
    assert said_of(FACTS, dataset=None, language="en")["summary"]["sv"] == (
        "Semantisk modell (CityJSON 2.0). Objekt: 3. Detaljnivåer: 1.2, 2.2."
    )


def test_whatever_a_file_holds_the_description_can_be_written() -> None:
    hostile = replace(
        FACTS,
        counts={f"\ud800 type\n{n}\x00": n for n in range(500)},
        attributes=tuple(f"a{n}\t{'x' * 5000}" for n in range(900)),
        extensions=("\x1b[31m", ""),
        identifier="\x00" * 50,
        epoch="yesterday",
        crs="javascript:alert(1)",
        bbox=(179.0, -20.0, -179.0, -19.0),
        problems=tuple(ModelProblem(f"/a/{n}", "bad", "Wrong\n" * 800, times=3) for n in range(40)),
        whole=False,
    )
    said = said_of(hostile, dataset=around(), language="en", file="not an address") | {"publisher": PUBLISHER}
    assert check(city_model.TABLE, said) == ()
    assert not {"epoch", "crs", "area", "file", "identifier"} & said.keys()
    assert said["notes"][0].startswith("Reading ended early")
    assert said["notes"][-1] == "And 22 more."
    assert len(said["notes"]) == city_model.MOST_NOTES


@pytest.mark.parametrize("url", ["https://x.example/a/b.city.json", "https://x.example/", "https://x.example/%00?a=b"])
def test_a_slug_is_one_and_differs_by_address(url: str) -> None:
    slug = slug_for("d" * 80, url)
    assert slug == slug_of(slug)
    assert slug != slug_for("d" * 80, url + "#2")


def test_a_title_of_words_makes_a_slug() -> None:
    slug = slug_for("Reality mesh of the centre", "https://x.example/tileset.json")
    assert slug == slug_of(slug)
    assert slug.startswith("reality-mesh-of-the-centre-tileset-")
