"""Commands on kept city models: what the worker would find, what a person adds and takes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.assembly import build
from node.settings import load
from tests.catalog.models.samples import catalogue, cityjson
from tests.cli.conftest import Say
from tests.portal_server import PortalServer, page

pytestmark = pytest.mark.slow  # a process for each model that is read

IT = "https://data.example/id/m"


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer() as server:
        yield server


def harvested(say: Say, folder: Path, text: str) -> Say:
    source = folder / "source.ttl"
    source.write_text(text)
    for words in (("sources", "add", "portal", source, "--kind", "dcat"), ("harvest", "run", "portal")):
        done = say(*words)
        assert done.code == 0, done
    return say


def listed(say: Say) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = say("models", "list", "--json").json
    return found


def test_models_of_harvested_datasets_are_read_on_demand_and_listed(
    helsinki: Say, tmp_path: Path, portal: PortalServer
) -> None:
    portal.pages["/m.city.json"] = page(cityjson())
    harvested(helsinki, tmp_path, catalogue(f"{portal.url}/m.city.json", f"{portal.url}/gone.city.json"))
    done = helsinki("models", "read")
    assert (done.code, done.out) == (0, "Looked at 2 now. Of all: 1 failed, 1 read.\n"), done
    failed, fine = sorted(listed(helsinki), key=lambda row: str(row["state"]))
    assert (fine["state"], fine["dataset"], fine["file"]) == ("read", IT, f"{portal.url}/m.city.json")
    assert fine["record"].endswith(f"/models/{fine['name']}")
    assert (failed["record"], "404" in failed["detail"]) == ("", True)

    assert helsinki("models", "withdraw", fine["name"]).out == f"Withdrew {fine['record']}\n"
    assert helsinki("models", "read", "--json").json == {"done": 0, "states": {"failed": 1, "withheld": 1}}
    assert helsinki("models", "withdraw", fine["name"]).code == 1


def test_a_file_of_this_machine_is_published_beside_a_dataset(helsinki: Say, tmp_path: Path) -> None:
    harvested(helsinki, tmp_path, catalogue())
    file = tmp_path / "east.city.json"
    file.write_bytes(cityjson())
    done = helsinki(
        "models", "publish", file, "--dataset", IT, "--url", "https://files.example/east.city.json", "--json"
    )
    assert done.code == 0, done
    said = done.json["said"]
    assert (said["about"], said["file"]) == (IT, "https://files.example/east.city.json")
    assert said["title"] == {"en": "3D model of the centre (CityJSON)"}
    assert helsinki("models", "publish", file, "--dataset", IT, "--url", said["file"]).out.startswith("Unchanged ")
    (row,) = listed(helsinki)
    assert (row["state"], row["file"], row["dataset"]) == ("by hand", said["file"], IT)
    node = build(load(data=tmp_path / "node"))
    try:
        with node.db.write() as tx:
            tx.run("INSERT INTO data_personal (dataset, subject_column, consent, at) VALUES (?, 'id', '', 1)", IT)
    finally:
        node.close()
    refused = helsinki("models", "publish", file, "--dataset", IT, "--url", said["file"])
    assert (refused.code, "about residents" in refused.err, "--not-personal" in refused.err) == (1, True, True)
    assert helsinki("models", "read", "--json").code == 0
    assert listed(helsinki) == [], "what was published goes as well"


def test_a_model_without_a_dataset_gets_a_name_and_can_be_described_whole(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "tileset.city.json"
    file.write_bytes(cityjson())
    bare = helsinki("models", "publish", file, "--title", "Reality mesh of the centre")
    assert bare.code == 0, bare
    assert "/models/reality-mesh-of-the-centre-tileset-" in bare.out
    assert "()" not in bare.err
    options = {each for each in ("--contact", "--dataset", "--url", "--licence") if f"({each})" in bare.err}
    assert options == {"--contact", "--dataset", "--url", "--licence"}

    more = ("--licence", "CC_BY_4_0", "--date", "2024-05", "--contact", "Survey team <survey@city.example>")
    whole = helsinki("models", "publish", file, "--title", "Reality mesh of the centre", "--name", "mesh", *more)
    assert whole.code == 0, whole
    assert not [each for each in ("--contact", "--licence", "--date") if each in whole.err]
    own = {each["name"]: each for each in helsinki("models", "list", "--json").json}
    assert own["mesh"]["state"] == "by hand"
    both = ("--title", "Stadskärnan i nät@sv", "--title", "Reality mesh of the centre")
    several = helsinki("models", "publish", file, *both, "--name", "mesh", *more, "--json")
    assert several.json["said"]["title"] == {"sv": "Stadskärnan i nät", "en": "Reality mesh of the centre"}
    refused = helsinki("models", "publish", file, "--title", "A", "--licence", "free", "--date", "soon")
    assert (refused.code, "(--licence)" in refused.err, "(--date)" in refused.err) == (1, True, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("publish", "nowhere.json", "--title", "A model"), "There is no file"),
        (("publish", "{file}"), "--dataset"),
        (("publish", "{file}", "--dataset", "https://x.example/none"), "No dataset https://x.example/none is held"),
        (("publish", "{file}", "--title", "A", "--collection", "nothing"), "nothing"),
        (("publish", "http://169.254.169.254/m.json", "--title", "A"), "169.254.169.254"),
        (("publish", "{page}", "--title", "A"), "page"),
        (("withdraw", "nothing"), "nothing"),
    ],
)
def test_what_cannot_be_published_is_one_line_that_says_why(
    helsinki: Say, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    file, html = tmp_path / "m.city.json", tmp_path / "page.json"
    file.write_bytes(cityjson())
    html.write_text("<!DOCTYPE html><html></html>")
    done = helsinki("models", *(word.format(file=file, page=html) for word in words))
    assert (done.code, done.out) == (1, "")
    assert why in done.err
    assert done.err.count("\n") == 1


def test_what_is_inspected_is_said_in_the_words_of_the_documentation(citynode: Say, tmp_path: Path) -> None:
    model, tiles = tmp_path / "m.city.json", tmp_path / "tileset.json"
    model.write_bytes(cityjson())
    sphere = {"sphere": [0, 0, 0, 1]}
    root = {"boundingVolume": sphere, "geometricError": 0, "content": {"uri": "a.glb"}}
    (tmp_path / "a.glb").write_bytes(b"glTF")
    tiles.write_text(json.dumps({"asset": {"version": "1.1"}, "geometricError": 1, "root": root}))
    whole, mesh = (citynode("models", "inspect", each).out for each in (model, tiles))
    assert "semantic (objects with meanings)" in whole
    assert "contents of tiles" not in whole
    assert "mesh (surfaces alone)" in mesh
    (line,) = [each for each in mesh.splitlines() if "glb" in each]
    assert line.split("  ")[0] == "contents of tiles"
    assert not [each for each in mesh.splitlines() if each.startswith("objects")]


def test_a_twin_is_probed_and_its_file_begun(helsinki: Say, tmp_path: Path, portal: PortalServer) -> None:
    url = f"{portal.url}/v1.1"
    sensing = '{"serverSettings": {"conformance": ["http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel"]}}'
    portal.pages["/v1.1"] = page(sensing, "application/json")
    done = helsinki("twins", "probe", url, "--write", "sensors")
    assert (done.code, done.out) == (0, f"OGC SensorThings API 1.1 1.1  {url}\n"), done
    (file,) = (tmp_path / "node" / "twins").iterdir()
    assert url in file.read_text()
    assert "sensors" in helsinki("twins", "list").out

    nothing = helsinki("twins", "probe", f"{portal.url}/nothing", "--json")
    assert nothing.code == 1
    assert nothing.json["speaks"] == []
    assert len(nothing.json["tried"]) == 5
