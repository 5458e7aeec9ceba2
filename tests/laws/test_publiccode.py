"""publiccode.yml says what its standard asks for, and the same as pyproject.toml."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SAID = yaml.safe_load((ROOT / "publiccode.yml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_it_has_every_key_that_must_be_there() -> None:
    must = {"publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType", "description"}
    assert must | {"legal", "maintenance", "localisation", "categories"} <= set(SAID)
    assert SAID["softwareType"] in {"standalone/web", "standalone/backend"}
    assert SAID["developmentStatus"] in {"concept", "development", "beta", "stable", "obsolete"}
    assert SAID["maintenance"]["contacts"], "a community names somebody"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(SAID["releaseDate"]))


def test_descriptions_have_the_lengths_the_standard_sets() -> None:
    for text in SAID["description"].values():
        assert len(text["genericName"]) <= 35
        assert len(text["shortDescription"].strip()) <= 150
        assert 150 <= len(text["longDescription"].strip()) <= 10_000
        assert all(len(feature) <= 100 for feature in text["features"])


def test_it_agrees_with_the_package() -> None:
    import node

    assert SAID["legal"]["license"] == PROJECT["license"]
    assert SAID["softwareVersion"] == PROJECT["version"] == node.__version__
    assert PROJECT["scripts"] == {"citynode": "node.__main__:main"}
