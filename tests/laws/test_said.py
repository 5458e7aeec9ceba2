"""Laws of what pages say when they say no: in the reader's language, with something to do besides a command line."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import errors
from node.staff.rights import RIGHTS, holders
from node.web.wording.words import LANGUAGES, known, read_part, table

ROOT = Path(__file__).resolve().parents[2]
KINDS = {name for name in vars(errors) if isinstance(getattr(errors, name), type)}
# Where what the forms of the desk and of the portal call refuses: every "no" of these has its words.
OFFICES = [
    "node/catalog/author/drafts.py",
    "node/catalog/author/history.py",
    "node/catalog/author/homes.py",
    "node/catalog/author/office.py",
    "node/catalog/corrections.py",
    "node/catalog/graph/asking.py",
    "node/catalog/graph/lexer.py",
    "node/catalog/graph/places.py",
    "node/catalog/names.py",
    "node/catalog/problem_reports.py",
    "node/catalog/publish.py",
    "node/catalog/runs.py",
    "node/catalog/search/paging.py",
    "node/catalog/source_office.py",
    "node/catalog/sources.py",
    "node/catalog/submissions.py",
    "node/catalog/withdrawals.py",
    "node/federation/agreement_desk/acts.py",
    "node/federation/agreement_desk/comments.py",
    "node/federation/agreement_desk/drafting.py",
    "node/federation/agreement_desk/drafts.py",
    "node/federation/agreement_desk/finder.py",
    "node/federation/agreement_desk/office.py",
    "node/federation/agreement_desk/readings.py",
    "node/federation/data/origin_office.py",
    "node/federation/data/origin_store.py",
    "node/federation/data/places.py",
    "node/federation/data/subjects.py",
    "node/federation/data_desk.py",
    "node/federation/deletions/deletions.py",
    "node/federation/identity/key_office.py",
    "node/federation/negotiations/store.py",
    "node/federation/offers.py",
    "node/federation/peer_noes.py",
    "node/federation/peers/entries.py",
    "node/federation/peers/office.py",
    "node/federation/peers/peer_csv.py",
    "node/federation/peers/peers.py",
    "node/federation/peers/review.py",
    "node/federation/peers/states.py",
    "node/federation/peers/store.py",
    "node/federation/policy/purposes.py",
    "node/federation/policy/templates.py",
    "node/federation/pulls/agreeing.py",
    "node/federation/pulls/finding.py",
    "node/federation/pulls/office.py",
    "node/federation/pulls/store.py",
    "node/federation/turns.py",
    "node/outbound/addresses.py",
    "node/staff/export.py",
    "node/staff/links.py",
    "node/staff/office.py",
    "node/staff/people.py",
    "node/staff/second.py",
    "node/staff/sessions.py",
    "node/staff/signing_in.py",
    "node/staff/tries.py",
    "node/web/wire/bodies.py",
    "node/web/forms/forms.py",
    "node/web/forms/own.py",
    "node/web/wire/parameters.py",
    "node/web/records/quality.py",
    "node/web/sparql/sparql.py",
    "node/web/sparql/request.py",
    "node/web/sparql/sending.py",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "node" / "web" / "desk").glob("*.py")),
]
# What no page says, by module and beginning of the sentence: who hears it instead, or who gives it its words.
UNHEARD = {
    "node/catalog/problem_reports.py": {
        "said": "`_wrong` is given its words where it is called",
        "{self._bounds.per_peer} reports": "another city",
        "A report cannot be": "another city",
        "This city has told you": "another city",
    },
    "node/federation/data/places.py": {"The data was let go of": "nobody: whoever asked has gone"},
    "node/federation/deletions/deletions.py": {
        "The agreement is in force here": "another city",
        "The statement is not your": "another city",
        "Your city is given no": "another city",
    },
    "node/federation/identity/key_office.py": {
        "There is no key": "the command line, which takes beginnings",
        "Several keys begin": "the command line, which takes beginnings",
    },
    "node/federation/offers.py": {
        "This offer is of another": "another city",
        "Nothing of that kind": "another city",
    },
    "node/federation/peer_noes.py": {"said": "`refusal_of` gives all of them their words"},
    "node/federation/pulls/store.py": {"Pull {pull.id} {why}": "the worker"},
    "node/web/desk/run_views.py": {"labels.property_label": "no error: a row of what changed"},
    "node/web/desk/sign_in.py": {"Somebody else came back": "`sign_in_city.html` says it by its code"},
}


def calls_in(tree: ast.AST) -> Iterator[tuple[ast.Call, ast.AST | None, bool]]:
    """Give each making of an error, what its value is taken of, and whether its function gives words."""
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for call in ast.walk(tree):
        name = call.func if isinstance(call, ast.Call) else None
        if not (isinstance(name, ast.Name) and name.id in KINDS):
            continue
        around = parents[call]
        while around in parents and not isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            around = parents[around]
        yield call, parents[call], any(_gives_words(each) for each in ast.walk(around))


def _gives_words(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_shut":
        return True  # which takes a key
    if isinstance(node, ast.Assign):
        return any(isinstance(each, ast.Attribute) and each.attr == "said" for each in node.targets)
    # `error.on_page(…)` of what was made before; chained to a making it is of that one alone.
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "on_page"
    return is_call and isinstance(node.func.value, ast.Name)  # type: ignore[attr-defined]


def message_of(call: ast.Call) -> str:
    return ast.unparse(call.args[0]).lstrip("f").strip("'\"") if call.args else ""


@pytest.mark.parametrize("module", OFFICES)
def test_every_no_of_an_office_has_its_words(module: str) -> None:
    mute = [
        f"{call.lineno}: {message_of(call)}"
        for call, taken, worded in calls_in(ast.parse((ROOT / module).read_text()))
        if not (isinstance(taken, ast.Attribute) and taken.attr == "on_page")
        and not worded
        and not message_of(call).startswith(tuple(UNHEARD.get(module, ())))
    ]
    assert mute == []


def test_what_is_said_to_be_unheard_is_still_there() -> None:
    for module, listed in UNHEARD.items():
        text = [message_of(call) for call, _, _ in calls_in(ast.parse((ROOT / module).read_text()))]
        assert [each for each in listed if not any(one.startswith(each) for one in text)] == [], module


@functools.cache
def texts() -> tuple[str, ...]:
    return tuple(path.read_text() for path in sorted((ROOT / "node").rglob("*.py")))


@pytest.fixture(scope="module")
def said_by_python() -> list[tuple[str, set[str]]]:
    return list(each_said())


def each_said() -> Iterator[tuple[str, set[str]]]:
    """Give each key that an error is given for a page, with the names of what is put into its words."""
    for text in texts():
        for call in ast.walk(ast.parse(text)) if "on_page" in text else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "on_page":
                values = {each.arg for each in call.keywords if each.arg} - {"field"}
                keys = (each.value for each in ast.walk(call.args[0]) if isinstance(each, ast.Constant))
                yield from ((key, values) for key in keys if isinstance(key, str))


def test_what_errors_say_on_pages_is_in_the_words_with_the_same_gaps(
    said_by_python: list[tuple[str, set[str]]],
) -> None:
    for key, values in said_by_python:
        if key.endswith("."):  # the beginning of a key whose end is a state or an act
            assert any(each.startswith(key) for each in table("en")), key
            continue
        assert known(key), key
        assert set(re.findall(r"{(\w+)}", table("en")[key])) <= values, key


def test_no_page_sends_anybody_to_a_command_line() -> None:
    for language in LANGUAGES:
        for key, said in read_part(language, "refusals").items():
            assert "citynode" not in said, key
            assert "--" not in said, key


def test_words_that_nothing_says_are_gone(said_by_python: list[tuple[str, set[str]]]) -> None:
    quoted = {each for text in texts() for each in re.findall(r'"([^"\n]*)"', text)}
    beginnings = tuple(key for key, _ in said_by_python if key.endswith("."))
    unsaid = [key for key in read_part("en", "refusals") if key not in quoted and not key.startswith(beginnings)]
    assert unsaid == []


@pytest.mark.parametrize("right", [right for right in RIGHTS if right != "read"])
def test_who_may_not_hears_which_roles_may(right: str) -> None:
    for language in LANGUAGES:
        said = table(language)[f"no.right.{right}"]
        named = {
            role
            for role in ("viewer", "editor", "steward", "approver", "admin")
            if table(language)[f"staff.role.{role}"] in said
        }
        assert named == set(holders(right))
