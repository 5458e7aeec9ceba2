"""The house rules that no tool holds: errors, settings, kinds, docstrings, sizes and decisions all have their place."""

import ast
import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import errors
from node.records import KINDS, PLURALS, is_collection_name
from node.settings import Settings, unit_of
from node.settings.fields import fits
from node.vocab.kinds import TABLES as KIND_TABLES
from node.vocab.kinds.field import KindTable
from node.vocab.terms import CN
from node.web.wire.problems import STATUS

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for path in (ROOT / "node").rglob("*.py") if "versions" not in path.parts)
TEXTS = sorted(
    path
    for pattern in (
        "node/**/*.py",
        "tests/**/*.py",
        "benchmarks/**/*.py",
        "demo/*.py",
        "docs/*.md",
        ".ci/*",
        "*.md",
        "*.toml",
    )
    for path in ROOT.glob(pattern)
)
DECISIONS = (ROOT / "node" / "DECISIONS.md").read_text()
MAX_LINES = 500
MAX_FUNCTION_LINES = 60


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def every_error(kind: type[errors.NodeError] = errors.NodeError) -> Iterator[type[errors.NodeError]]:
    for sub in kind.__subclasses__():
        if sub.__module__.startswith("node."):
            yield sub
            yield from every_error(sub)


@pytest.mark.parametrize("kind", list(every_error()), ids=lambda kind: kind.code)
def test_every_error_has_a_code_a_status_and_a_line_in_the_guide(kind: type[errors.NodeError]) -> None:
    assert kind.__module__ == "node.errors", "errors live in node/errors.py"
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert [other for other in every_error() if other.code == kind.code] == [kind]
    assert 400 <= STATUS[kind] < 600
    assert f"\n| `{kind.code}` |" in (ROOT / "docs" / "troubleshooting.md").read_text()
    assert f" {kind.__name__} " in (errors.__doc__ or "") + " ", "the tree at the top of errors.py shows every class"


def settings_table() -> str:
    rows = ["| setting | environment | default | unit | fits | meaning |", "| --- | --- | --- | --- | --- | --- |"]
    for key, field in Settings.model_fields.items():
        default = field.get_default()
        if isinstance(default, tuple):
            default = ",".join(default)
        shown = "" if str(default) in ("", "**********") else f"`{default}`"
        said = (f"`{key}`", f"`CITYNODE_{key.upper()}`", shown, unit_of(key), fits(field), field.description)
        rows.append(f"| {' | '.join(map(str, said))} |")
    return "\n".join(rows) + "\n"


def test_every_setting_is_documented_as_it_is() -> None:
    path = ROOT / "docs" / "settings.md"
    begin, end = "<!-- settings -->\n", "<!-- /settings -->"
    text = path.read_text()
    written = text[text.index(begin) + len(begin) : text.index(end)]
    if written != settings_table() and os.environ.get("CITYNODE_TEST_WRITE"):
        head, tail = text[: text.index(begin) + len(begin)], text[text.index(end) :]
        path.write_text(head + settings_table() + tail)
        return
    assert written == settings_table(), "write it anew: CITYNODE_TEST_WRITE=1 pytest tests/laws/test_house.py"


@pytest.mark.parametrize("key", Settings.model_fields)
def test_every_setting_is_used(key: str) -> None:
    name = "database" if key == "database_url" else key
    users = [path for path in MODULES if f".{name}" in _text(path) and "settings" not in path.parts]
    assert users, f"nothing reads {name}"


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {name_of(path): ast.parse(_text(path)) for path in MODULES}


def test_every_module_says_what_lives_in_it(trees: dict[str, ast.Module]) -> None:
    said = {name: ast.get_docstring(tree) or "" for name, tree in trees.items()}
    short = [name for name, text in said.items() if sum(1 for line in text.splitlines() if line.strip()) < 3]
    assert short == []


def test_a_long_file_says_why() -> None:
    lengths = {name_of(path): _text(path).count("\n") for path in MODULES}
    assert [name for name, lines in lengths.items() if lines > MAX_LINES and f"`{name}`" not in DECISIONS] == []


def test_no_function_is_longer_than_a_page(trees: dict[str, ast.Module]) -> None:
    functions = (
        (name, one)
        for name, tree in trees.items()
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    long = [(n, f.name) for n, f in functions if (f.end_lineno or 0) - f.lineno >= MAX_FUNCTION_LINES]
    assert long == []


def test_no_file_names_the_machine_it_was_written_on_or_leaves_work_undone() -> None:
    # Spelt apart, so that this file does not find itself.
    wrong = re.compile("|".join([r"(?<![\w.])/" + r"work/", "TO" + "DO", "FIX" + "ME", "NotImpl" + "ementedError"]))
    found = [
        (name_of(path), match.group()) for path in TEXTS if path.is_file() for match in wrong.finditer(_text(path))
    ]
    assert found == []


@functools.cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_every_decision_that_code_cites_was_made() -> None:
    made = {int(number) for number in re.findall(r"^## (\d+)", DECISIONS, re.MULTILINE)}
    cited = {
        (name_of(path), int(number))
        for path in TEXTS
        for number in re.findall(r"(?:DECISIONS|decision) (\d+)\b", _text(path))
        if path.suffix == ".py"
    }
    assert {(name, number) for name, number in cited if number not in made} == set()
    assert sorted(made) == list(range(1, len(made) + 1))


def test_kinds_and_plurals_are_one_to_one() -> None:
    assert len(PLURALS) == len(KINDS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in (*KINDS, *PLURALS))


# What this node harvests today. Each has its class (the kind), its term, a shape and words on the pages.
HARVESTED = {"dataset": "Dataset", "dataset-series": "DatasetSeries", "data-service": "DataService"}


@pytest.mark.parametrize("kind", HARVESTED)
def test_every_harvested_kind_has_its_four_places(kind: str) -> None:
    term = HARVESTED[kind]
    assert kind in KINDS
    assert re.search(rf"\b{term}\b", (ROOT / "node" / "vocab" / "terms.py").read_text())
    shapes = "".join(path.read_text() for path in (ROOT / "node" / "vocab" / "shapes").glob("*.ttl"))
    assert f"sh:targetClass dcat:{term}" in shapes
    pages = "".join(path.read_text() for path in (ROOT / "node" / "web").rglob("*") if path.suffix in (".py", ".html"))
    assert f'"{kind}"' in pages or f"'{kind}'" in pages


# What this city writes itself: kind -> its class in `own.ttl`.
OWN_KINDS = {"set": "cn:ComparableSet", "vocabulary": "skos:ConceptScheme"}


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_every_kind_of_our_own_has_its_four_places(kind: str) -> None:
    from node.federation.check import _CLASSES
    from node.vocab.terms import PREFIXES
    from node.web.wording.words import known

    prefix, _, name = OWN_KINDS[kind].partition(":")
    assert _CLASSES[kind] == PREFIXES[prefix] + name
    assert re.search(rf"\b{name}\b", (ROOT / "node" / "vocab" / "terms.py").read_text())
    assert f"sh:targetClass {OWN_KINDS[kind]}" in (ROOT / "node" / "vocab" / "shapes" / "own.ttl").read_text()
    assert known(f"kind.{kind}")


@pytest.mark.parametrize("table", KIND_TABLES.values(), ids=lambda table: table.kind)
def test_every_kind_of_knowledge_has_its_four_places(table: KindTable) -> None:
    from node.federation.check import _CLASSES
    from node.vocab import ns
    from node.web.wording.words import known

    assert table.kind in KINDS
    assert _CLASSES[table.kind] == table.cls
    assert table.cls not in CN or table.cls in {term.iri for term in ns.terms()}
    assert f"\n:{table.kind}\n" in (ROOT / "node" / "vocab" / "shapes" / "kinds.ttl").read_text()
    assert known(f"kind.{table.kind}")
    assert (ROOT / "node" / "web" / "templates" / "knowledge.html").is_file()
    assert is_collection_name(table.collection)
    assert [other.kind for other in KIND_TABLES.values() if other.command == table.command] == [table.kind]


def test_every_kind_is_a_class_that_peers_are_asked_for() -> None:
    from node.federation.check import _CLASSES

    assert set(_CLASSES) == set(KINDS)


def test_the_map_of_the_house_names_every_room() -> None:
    import node

    rooms = {
        path.name for path in (ROOT / "node").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    missing = {room for room in rooms - {"__init__.py"} if room.removesuffix(".py") not in (node.__doc__ or "")}
    assert missing == set()


def test_nothing_that_is_not_ours_is_named_in_the_lock_files() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        text = lock.read_text()
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host", text), lock.name
        assert "--hash=sha256:" in text


def refusal_codes() -> set[str]:
    """Find every code that a record can be refused with: the third argument of `Refusal(…)`, written or named."""
    found: set[str] = set()
    for path in (ROOT / "node" / "catalog").rglob("*.py"):
        if "Refusal(" not in _text(path):
            continue
        tree = ast.parse(_text(path))
        names = {n.targets[0].id: n.value.value for n in tree.body if _is_word(n)}  # type: ignore[attr-defined]
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Refusal" and len(call.args) > 2:
                code = call.args[2]
                found |= {code.value} if isinstance(code, ast.Constant) else {names.get(getattr(code, "id", ""), "")}
    return found - {""}


def _is_word(statement: ast.stmt) -> bool:
    simple = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    return simple and isinstance(statement.value, ast.Constant)  # type: ignore[attr-defined]


def test_every_refusal_has_a_line_in_the_guide() -> None:
    guide = (ROOT / "docs" / "troubleshooting.md").read_text()
    codes = refusal_codes()
    assert {"duplicate-key", "iri-live-elsewhere", "nameless", "not-public", "title-missing"} <= codes
    assert [code for code in sorted(codes) if f"\n| `{code}` |" not in guide] == []
