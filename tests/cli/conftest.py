"""A node in a folder of its own and the command line as a function, in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.cli.main import main

TURTLE = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
<https://city.example/id/catalogue> a dcat:Catalog ; dct:title "Catalogue"@en ; dcat:dataset DATASETS .
"""
DATASET = '<https://city.example/id/{n}> a dcat:Dataset ; dct:title "{title}"@en ; dct:description "About {n}."@en .\n'


def catalogue(titles: dict[str, str]) -> str:
    """Write a small DCAT catalogue."""
    names = ", ".join(f"<https://city.example/id/{n}>" for n in titles) or "()"
    return TURTLE.replace("DATASETS", names) + "".join(DATASET.format(n=n, title=t) for n, t in titles.items())


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Say = Callable[..., Said]


@pytest.fixture
def citynode(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Say:
    """Run a command on the node in `tmp_path / "node"`."""

    def say(*words: object) -> Said:
        capfd.readouterr()
        try:
            code = main([*map(str, words), *(() if "--data" in words else ("--data", str(tmp_path / "node")))])
        finally:
            said = capfd.readouterr()
        return Said(code, said.out, said.err)

    return say


@pytest.fixture
def helsinki(citynode: Say) -> Say:
    """The same, with a node that was made."""
    made = citynode("init", "--name", "Helsinki", "--base-url", "http://127.0.0.1:8001", "--lang", "en,fi,sv")
    assert made.code == 0, made.err
    return citynode
