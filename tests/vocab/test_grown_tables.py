"""A newer official edition of an authority table changes labels and adds codes, and ours are never lost."""

from pathlib import Path

import pytest

from node.cli.main import main
from node.errors import Misconfigured
from node.vocab import lists
from node.vocab.official import load_official
from node.vocab.tables import Table, write

pytestmark = pytest.mark.slow  # seconds in all, and the fast suite has a minute

OFFICIAL = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix theme: <http://publications.europa.eu/resource/authority/data-theme/> .
<http://publications.europa.eu/resource/authority/data-theme> a skos:ConceptScheme .
theme:TRAN a skos:Concept ; skos:prefLabel "Moving about"@en .
theme:SPAC a skos:Concept ; skos:prefLabel "Space"@en, "Avaruus"@fi .
"""
BASE = "http://publications.europa.eu/resource/authority/data-theme/"


@pytest.fixture
def official(tmp_path: Path) -> Path:
    path = tmp_path / "data-theme.ttl"
    path.write_text(OFFICIAL)
    return path


def test_labels_of_the_newer_edition_win_and_its_codes_are_added(official: Path, tmp_path: Path) -> None:
    ours = Table("data-theme", BASE)
    assert ours.label(BASE + "TRAN", "en") == "Transport"
    finnish = ours.label(BASE + "TRAN", "fi")
    write(tmp_path / "data-theme.tsv", load_official(official, base=BASE), note="new")
    count = len(ours)
    ours.grow(tmp_path / "data-theme.tsv")
    assert ours.label(BASE + "TRAN", "en") == "Moving about"
    assert ours.label(BASE + "TRAN", "fi") == finnish
    assert ours.label(BASE + "SPAC", "fi") == "Avaruus"
    assert ours.find("space") is ours.by_code("SPAC")
    assert ours.find("liikenne") is ours.by_code("TRAN")
    assert len(ours) == count + 1
    ours.grow(None)
    assert ours.by_code("SPAC") is None


def test_a_broken_file_stops_the_start_and_says_which(tmp_path: Path) -> None:
    (tmp_path / "data-theme.tsv").write_text("code\tiri\nTRAN\n")
    table = Table("data-theme", BASE)
    table.grow(tmp_path / "data-theme.tsv")
    with pytest.raises(Misconfigured, match="is no table of ours"):
        len(table)


def test_the_command_imports_a_file_and_every_later_command_knows_it(
    official: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "node")]
    try:
        assert main(["init", "--name", "Testing", "--base-url", "http://127.0.0.1:8001", *data]) == 0
        assert main(["tables", "import", str(official), *data]) == 0
        assert "2 concepts into data-theme, 1 of them new" in capsys.readouterr().out
        assert main(["tables", "list", *data]) == 0
        assert "data-theme            15        imported" in capsys.readouterr().out
        assert lists.label(BASE + "SPAC", "sv") == "Space"
    finally:
        lists.DATA_THEMES.grow(None)


@pytest.mark.parametrize(("text", "said"), [("no RDF at all", "cannot be read"), ("", "holds no concepts")])
def test_what_is_no_table_is_refused(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "node")]
    assert main(["init", "--name", "Testing", "--base-url", "http://127.0.0.1:8001", *data]) == 0
    (tmp_path / "x.ttl").write_text(text)
    assert main(["tables", "import", str(tmp_path / "x.ttl"), *data]) == 1
    assert said in capsys.readouterr().err


def test_a_licence_of_a_newer_edition_has_a_name_and_no_answers(tmp_path: Path) -> None:
    new = lists.Concept("NEW_1", lists.LICENCES.base + "NEW_1", {"en": "New licence 1"})
    write(tmp_path / "licence.tsv", [new], note="new")
    try:
        assert lists.grow(tmp_path) == ["licence"]
        facts = lists.facts(new.iri)
        assert (facts.short, facts.commercial, facts.attribution) == ("New licence 1", "unknown", "unknown")
    finally:
        lists.LICENCES.grow(None)
