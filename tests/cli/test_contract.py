"""The command contract: names, options, exit codes, one line per error. Scripts and other cities' tests rely on it."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from node import errors
from node.cli import catalog, say
from node.cli.main import app, exit_code, main
from node.db import Database
from tests.cli.conftest import Say, catalogue

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds

CONTRACT = {
    "init": {"--name", "--base-url", "--lang"},
    "run": {"--port"},
    "serve": set(),
    "worker": set(),
    "doctor": {"--json"},
    "config show": {"--json"},
    "collections create": {"--visibility"},
    "collections list": {"--json"},
    "collections set": {"--visibility"},
    "sources add": {"--kind", "--collection", "--paused"},
    "sources test": {"--json"},
    "sources list": {"--json"},
    "sources remove": {"--yes"},
    "harvest run": {"--dry-run"},
    "harvest list": {"--json"},
    "harvest show": {"--json"},
    "harvest diff": {"--json"},
    "harvest cancel": set(),
    "harvest approve": {"--only", "--word"},
    "harvest keep": {"--word"},
    "sources edit": {"--location", "--kind", "--collection", "--every", "--keep-contacts", "--threshold"},
    "sources pause": set(),
    "sources resume": set(),
    "sources withdraw": {"--yes"},
    "today": {"--language", "--json"},
    "catalog stats": {"--json"},
    "catalog export": set(),
    "catalog check": {"--json"},
    "quality list": {"--days", "--json"},
    "quality fix": {"--metric", "--links", "--limit", "--lang", "--json"},
    "journal verify": {"--json"},
    "journal proof": {"--json"},
    "journal rebuild": set(),
    "journal erase": {"--reason", "--yes"},
    "collections erasures": {"--json"},
    "identity": {"--json"},
    "keys list": {"--json"},
    "keys rotate": {"--overlap-days"},
    "keys replace-lost": set(),
    "keys encrypt": {"--old-passphrase-file"},
    "verify": {"--against", "--key", "--identity", "--statement", "--document", "--witness", "--json"},
    "recover": {"--check", "--alone", "--new-epoch", "--reason", "--yes", "--json"},
    "witness run": {"--json"},
    "witness list": {"--json"},
    "evidence list": {"--transfer", "--agreement", "--kind", "--since", "--until", "--limit", "--json"},
    "evidence show": {"--json"},
    "evidence export": {"--transfer", "--agreement", "--kind", "--since", "--until", "--part", "--out"},
    "evidence verify": {"--key", "--json"},
    "evidence erase": {"--yes"},
    "peers approve-epoch": {"--yes", "--json"},
    "models list": {"--json"},
    "models read": {"--json"},
    "models publish": {"--dataset", "--title", "--url", "--name", "--collection", "--json"},
    "models withdraw": {"--json"},
    "twins probe": {"--write", "--json"},
    "models inspect": {"--max-mib", "--json"},
    "reports list": {"--settled", "--limit", "--json"},
    "reports show": {"--json"},
    "reports answer": {"--text", "--json"},
    "reports sort": {"--json"},
    "reports close": {"--as", "--reason", "--publish", "--json"},
    "numbers": {"--json"},
    "submissions list": {"--decided", "--limit", "--json"},
    "submissions show": {"--json"},
    "submissions accept": {"--slug", "--json"},
    "submissions refuse": {"--reason", "--json"},
    "staff add": {"--role", "--shown", "--json"},
    "staff list": {"--json"},
    "staff roles": {"--role", "--json"},
    "staff link": {"--json"},
    "staff disable": {"--json"},
    "staff enable": {"--json"},
    "staff forget-phone": {"--json"},
    "staff sessions": {"--json"},
    "staff revoke": {"--session", "--json"},
    "audit list": {"--who", "--act", "--from", "--to", "--before", "--limit", "--json"},
    "audit export": {"--format", "--who", "--act", "--from", "--to"},
    "db upgrade": set(),
    "db backup": set(),
    "db restore": set(),
}


def commands() -> Iterator[tuple[str, set[str]]]:
    def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, set[str]]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(path), {option for param in command.params for option in param.opts}  # type: ignore[attr-defined]
            return
        for name, sub in inner.items():
            yield from walk(sub, (*path, name))

    return walk(typer.main.get_command(app), ())


@pytest.mark.parametrize("name", CONTRACT)
def test_every_command_of_the_contract_is_there_with_its_options(name: str) -> None:
    known = dict(commands())
    assert name in known
    assert known[name] >= CONTRACT[name] | {"--data"}


def test_every_command_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    for name, _ in commands():
        assert main([*name.split(), "--help"]) == 0
        assert len(capsys.readouterr().out.splitlines()) > 4, name


def every_error(kind: type[errors.NodeError] = errors.NodeError) -> Iterator[type[errors.NodeError]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from every_error(sub)


@pytest.mark.parametrize("kind", list(every_error()))
def test_the_branch_of_an_error_is_its_exit_code(kind: type[errors.NodeError]) -> None:
    wanted = {errors.Refused: 1, errors.Misconfigured: 2, errors.Unavailable: 3}
    branch = next(branch for branch in wanted if issubclass(kind, branch))
    assert exit_code(kind("no")) == wanted[branch]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("collections", "create", "Open_Data"), 1, "citynode: A collection cannot be named"),
        (("collections", "create", "open-data"), 1, "[conflict]"),
        (("collections", "create", "x", "--visibility", "secret"), 1, "Use public or restricted."),
        (("collections", "set", "none", "--title", "x"), 1, "[not-found]"),
        (("collections", "set", "open-data"), 1, "Nothing to set."),
        (("sources", "add", "x", "https://a.example", "--kind", "csw"), 1, "ckan, datapress, dcat, dcat-us"),
        (("sources", "add", "x", "ftp://a.example", "--kind", "ckan"), 1, "[malformed]"),
        (("sources", "add", "x", "/no/such/file", "--kind", "dcat"), 1, "[not-found]"),
        (("sources", "remove", "none"), 1, "citynode sources list"),
        (("sources", "test", "none"), 1, "[not-found]"),
        (("harvest", "run", "none"), 1, "[not-found]"),
        (("harvest", "run"), 1, "This node has no source."),
        (("harvest", "show", "7"), 1, "There is no run 7."),
        (("harvest", "cancel", "7"), 1, "[not-found]"),
        (("harvest", "approve", "7"), 1, "[not-found]"),
        (("journal", "verify", "none"), 1, "[not-found]"),
        (("journal", "proof", "https://a.example/x"), 1, "[not-found]"),
        (("catalog", "export", "none"), 1, "[not-found]"),
        (("catalog", "export", "--to", "/no/such/folder/x.nq"), 1, "cannot be written"),
        (("db", "restore", "/no/such/file"), 1, "exists already"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(
    helsinki: Say, words: tuple[str, ...], code: int, says: str
) -> None:
    said = helsinki(*words)
    assert (said.code, says in said.err) == (code, True), said.err
    assert len(said.err.strip().splitlines()) == 1
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "words",
    [("nothing",), ("harvest", "show", "x"), ("init",), ("run", "--port", "0"), ("sources", "add", "--kin", "x")],
)
def test_wrong_use_is_2(citynode: Say, words: tuple[str, ...]) -> None:
    assert citynode(*words).code == 2


def test_a_folder_without_a_node_is_2_and_says_how_to_make_one(citynode: Say) -> None:
    for words in (("harvest", "list"), ("run",), ("db", "upgrade")):
        said = citynode(*words)
        assert (said.code, "citynode init" in said.err) == (2, True)


def test_tables_of_a_newer_program_are_2(helsinki: Say, tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "node" / "node.db")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    said = helsinki("run")
    assert (said.code, "newer program" in said.err) == (2, True)


def test_a_wrong_setting_is_2(helsinki: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYNODE_PROT", "1")
    said = helsinki("collections", "list")
    assert (said.code, "CITYNODE_PORT" in said.err) == (2, True)


def test_making_a_node_twice_changes_nothing_and_another_one_is_refused(helsinki: Say, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (tmp_path / "node").rglob("*.[tp][oe]m*")}
    again = helsinki("init", "--name", "Helsinki", "--base-url", "http://127.0.0.1:8001/")
    assert (again.code, again.out.startswith("Found")) == (0, True)
    other = helsinki("init", "--name", "Espoo", "--base-url", "http://127.0.0.1:8001")
    assert (other.code, "Helsinki" in other.err) == (1, True)
    assert before == {path: path.read_bytes() for path in before}


def test_the_name_of_a_city_may_hold_anything(citynode: Say) -> None:
    name = 'Åbo "Turku" \\ 東京'
    assert citynode("init", "--name", name, "--base-url", "https://x.example").code == 0
    shown = {one["key"]: one["value"] for one in citynode("config", "show", "--json").json}
    assert shown["name"] == name


def test_what_a_node_is_made_of_is_readable_by_its_user_alone(helsinki: Say, tmp_path: Path) -> None:
    for path in (tmp_path / "node").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_collections_are_made_listed_and_changed(helsinki: Say) -> None:
    assert helsinki("collections", "create", "plans", "--visibility", "restricted").code == 0
    assert helsinki("collections", "set", "plans", "--title", "City plans").code == 0
    found = {one["name"]: one for one in helsinki("collections", "list", "--json").json}
    assert (found["plans"]["title"], found["plans"]["visibility"]) == ("City plans", "restricted")
    assert found["plans"]["iri"] == "http://127.0.0.1:8001/collections/plans"
    assert helsinki("journal", "verify", "plans").out == "plans: proven, 0 entries\n"


def test_a_source_is_harvested_shown_changed_and_proven(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees", "b": "Trams"}))
    assert helsinki("sources", "add", "city", file, "--kind", "dcat", "--threshold", 100).code == 0
    assert [one["name"] for one in helsinki("sources", "list", "--json").json] == ["city"]

    dry = helsinki("harvest", "run", "city", "--dry-run", "--json").json
    assert (dry["dry"], dry["counters"]["added"], len(dry["rows"])) == (True, 2, 2)
    assert helsinki("catalog", "stats", "--json").json[0]["records"] == 0

    first = helsinki("harvest", "run", "city", "--json").json
    assert (first["state"], first["counters"]["added"]) == ("succeeded", 2)
    again = helsinki("harvest", "run", "city", "--json").json
    assert (again["counters"]["unchanged"], again["ranges"]) == (2, [])

    file.write_text(catalogue({"a": "Street trees"}))
    changed = helsinki("harvest", "run", "city")
    assert "1 changed" in changed.out
    assert "1 withdrawn" in changed.out
    number = helsinki("harvest", "list", "--json").json[0]["id"]
    shown = helsinki("harvest", "show", number).out
    assert "~ changed Street trees" in shown
    assert "- withdrawn Trams" in shown
    diff = helsinki("harvest", "diff", number).out
    assert '+ <https://city.example/id/a> <http://purl.org/dc/terms/title> "Street trees"@en .' in diff
    assert '- <https://city.example/id/a> <http://purl.org/dc/terms/title> "Trees"@en .' in diff

    assert helsinki("journal", "verify").code == 0
    proof = helsinki("journal", "proof", "https://city.example/id/a").json
    assert proof["opening"]["record"] == "https://city.example/id/a"
    before = helsinki("catalog", "stats", "--json").json
    assert helsinki("journal", "rebuild").code == 0
    assert helsinki("catalog", "stats", "--json").json == before
    assert helsinki("sources", "remove", "city", "--yes").code == 0
    assert helsinki("catalog", "stats", "--json").json == before


def test_held_withdrawals_wait_for_a_person(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees", "b": "Trams"}))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    helsinki("harvest", "run", "city")
    file.write_text(catalogue({"a": "Trees"}))
    held = helsinki("harvest", "run", "city", "--json")
    assert (held.code, held.json["state"], held.json["counters"]["held"]) == (0, "partial", 1)
    assert helsinki("catalog", "stats", "--json").json[0]["records"] == 2
    assert helsinki("harvest", "approve", held.json["id"]).code == 0
    assert helsinki("catalog", "stats", "--json").json[0]["records"] == 1
    assert helsinki("harvest", "approve", held.json["id"]).code == 1


def test_a_source_that_is_away_is_3_and_one_that_cannot_be_read_is_1(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees"}))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    file.unlink()
    said = helsinki("harvest", "run", "city")
    assert (said.code, "failed" in said.out) == (3, True)
    assert helsinki("harvest", "show", "1", "--json").json["code"] == "source-unreachable"
    file.write_text("<a> <b> ")
    said = helsinki("harvest", "run", "city")
    assert (said.code, "partial" in said.out) == (1, True)
    assert helsinki("catalog", "stats", "--json").json[0]["entries"] == 0


def test_findings_are_listed_and_strict_makes_them_an_error(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees"}).replace('dct:description "About a."@en', "a dcat:Resource"))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    helsinki("harvest", "run", "city")
    found = helsinki("catalog", "check", "--json").json
    assert found
    assert {"level", "code", "path", "message", "records"} == set(found[0])
    wanted = 1 if any(one["level"] == "mandatory" for one in found) else 0
    assert helsinki("catalog", "check", "--strict").code == wanted


def test_an_export_holds_every_payload_in_the_graph_of_its_record(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees"}))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    helsinki("harvest", "run", "city")
    said = helsinki("catalog", "export")
    assert '"Trees"@en <http://127.0.0.1:8001/datasets/a> .\n' in said.out
    packed = tmp_path / "all.nq.gz"
    assert helsinki("catalog", "export", "--to", packed).code == 0
    import gzip

    assert gzip.decompress(packed.read_bytes()).decode() == said.out
    assert helsinki("catalog", "export", "--to", packed).code == 1


@pytest.mark.parametrize("name", ["half.nq", "half.nq.gz"])
def test_half_an_export_does_not_stay(
    name: str, helsinki: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Iterator[object]:
        yield SimpleNamespace(kind="dataset", slug="a"), b'<urn:a> <urn:b> "c" .\n'
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees"}))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    helsinki("harvest", "run", "city")
    monkeypatch.setattr(catalog, "_records", full)
    said = helsinki("catalog", "export", "--to", tmp_path / name)
    assert (said.code, "no space left on device" in said.err) == (3, True)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ("0012", "The tables are at 0012, and this program wants {newest}. Run citynode db upgrade first."),
        ("9999", "The tables are at revision 9999, and this program knows {newest}. Install the newer program."),
    ],
)
def test_the_tables_of_another_program_are_told_to_whoever_reads_or_writes(
    held: str, said: str, helsinki: Say, tmp_path: Path
) -> None:
    node = Database(f"sqlite:///{tmp_path / 'node' / 'node.db'}")
    newest = node.revision()
    with node.write() as tx:
        tx.run("UPDATE alembic_version SET version_num = ?", held)
    node.close()
    for words in (("peers", "list"), ("collections", "create", "parks"), ("catalog", "export")):
        refused = helsinki(*words)
        line = f"citynode: {said.format(newest=newest)} [misconfigured]\n"
        assert (refused.code, refused.out, refused.err) == (exit_code(errors.Misconfigured("")), "", line)
    assert f"fail  tables: at {held}, wants {newest}" in helsinki("doctor").out


def test_tables_of_a_newer_program_are_left_as_they_are(helsinki: Say, tmp_path: Path) -> None:
    node = Database(f"sqlite:///{tmp_path / 'node' / 'node.db'}")
    with node.write() as tx:
        tx.run("UPDATE alembic_version SET version_num = '9999'")
    for words in (("db", "upgrade"), ("run", "--port", "1")):
        refused = helsinki(*words)
        assert (refused.code, "Install the newer program." in refused.err) == (
            exit_code(errors.Misconfigured("")),
            True,
        )
    assert node.revision() == "9999"
    node.close()


def test_a_backup_is_the_whole_node(helsinki: Say, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.ttl"
    file.write_text(catalogue({"a": "Trees"}))
    helsinki("sources", "add", "city", file, "--kind", "dcat")
    helsinki("harvest", "run", "city")
    packed = tmp_path / "backup.tar"
    assert helsinki("db", "backup", packed).code == 0
    (noted,) = helsinki("audit", "list", "--act", "db backup", "--json").json["events"]
    assert (noted["target"], noted["outcome"]) == (str(packed), "done"), "who took a copy of everything is known"
    assert packed.stat().st_mode & 0o077 == 0
    assert helsinki("db", "backup", packed).code == 1
    restored = tmp_path / "restored"
    (restored / "search" / "public").mkdir(parents=True)  # what a node that stood here read of another database
    assert helsinki("db", "restore", packed, "--data", restored).code == 0
    assert not (restored / "search").exists()
    assert helsinki("journal", "verify", "--data", restored).code == 0
    assert (
        helsinki("catalog", "stats", "--json", "--data", restored).json == helsinki("catalog", "stats", "--json").json
    )
    assert helsinki("db", "restore", packed, "--data", restored).code == 1


def test_what_is_no_backup_leaves_no_node_behind(citynode: Say, tmp_path: Path) -> None:
    import io
    import tarfile

    wrong = tmp_path / "wrong.tar"
    wrong.write_bytes(b"not a tar file")
    with tarfile.open(tmp_path / "evil.tar", "w") as packed:
        for name in ("../outside.pem", "keys/../../outside.pem", "//outside.pem", "node.db", "citynode.toml"):
            packed.addfile(tarfile.TarInfo(name), io.BytesIO())
    for file in (wrong, tmp_path / "evil.tar"):
        assert citynode("db", "restore", file).code == 1
        assert list((tmp_path / "node").glob("[!.]*")) == []
    assert not (tmp_path / "outside.pem").exists()


def test_a_doctor_finds_what_is_broken(helsinki: Say, tmp_path: Path) -> None:
    well = helsinki("doctor", "--json")
    assert (well.code, {one["state"] for one in well.json} <= {"ok", "warn"}) == (0, True)
    (tmp_path / "node" / "keys" / "checkpoint.pem").chmod(0o644)
    ill = helsinki("doctor")
    assert (ill.code, "fail  keys" in ill.out) == (1, True)


def test_a_full_disk_is_one_line_and_a_fault_to_the_doctor(helsinki: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=300_000))
    ill = helsinki("doctor")
    assert (ill.code, "fail  disk: 0 MiB are free" in ill.out) == (1, True)

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(say, "lines", full)
    monkeypatch.setattr(say, "table", lambda *_, **__: full(0))
    said = helsinki("collections", "list")
    assert said.code == 3
    assert said.err == (
        "citynode: A file cannot be written: no space left on device. Look at the disk and its free space."
        " [unavailable]\n"
    )


def test_settings_are_shown_without_secrets(helsinki: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYNODE_DATABASE_URL", "postgresql://city:hunter2@127.0.0.1:9/none")
    for words in (("config", "show"), ("config", "show", "--json")):
        said = helsinki(*words)
        assert (said.code, "hunter2" in said.out) == (0, False)
    down = helsinki("collections", "list")
    assert (down.code, "hunter2" in down.err) == (3, False)


def test_version_needs_no_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith("citynode ")


def test_a_node_does_not_start_under_another_address_than_it_published_under(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ["--data", str(tmp_path / "node")]
    assert main(["init", "--name", "Testing", "--base-url", "https://data.old.example", *data]) == 0
    monkeypatch.setenv("CITYNODE_BASE_URL", "https://data.new.example")
    assert main(["run", "--port", "1", *data]) == 2
    said = capsys.readouterr().err
    assert "has published as https://data.old.example" in said
    assert "Set base_url back" in said
    assert main(["doctor", *data]) == 1
    assert "fail  base URL" in capsys.readouterr().out


def test_the_version_can_be_asked_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    told = capsys.readouterr().out
    assert main(["version"]) == 0
    assert capsys.readouterr().out == told
    assert told.startswith("citynode ")


def test_a_language_the_pages_do_not_speak_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["init", "--name", "Gent", "--base-url", "http://127.0.0.1:8001", "--lang", "nl,en"]
    assert main([*given, "--data", str(tmp_path / "node")]) == 0
    assert "of nl only texts of records are shown" in capsys.readouterr().err
