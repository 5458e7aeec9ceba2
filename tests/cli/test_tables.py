"""Commands on authority tables: the codes that people write in their files of matches are listed here."""

import pytest

from tests.cli.conftest import Say

pytestmark = pytest.mark.slow  # whole nodes or processes: seconds, not milliseconds


@pytest.mark.parametrize(("name", "code", "label"), [
    ("theme", "TRAN", "Liikenne"),
    ("data-theme", "TRAN", "Liikenne"),
    ("format", "XLS", "Excel-taulukko (XLS)"),
    ("licence", "CC_BY_4_0", ""),
    ("keyword", "ENVI", "Ympäristö"),
])  # fmt: skip
def test_the_codes_of_a_table_are_listed_in_a_language(helsinki: Say, name: str, code: str, label: str) -> None:
    rows = {row["code"]: row["label"] for row in helsinki("tables", "show", name, "--lang", "fi", "--json").json}
    assert rows[code].startswith(label)
    assert rows[code]
    lines = helsinki("tables", "show", name, "--lang", "fi").out.splitlines()
    assert lines[0].split() == ["code", "label"]
    assert len(lines) == len(rows) + 1


def test_a_table_that_does_not_exist_is_refused(helsinki: Say) -> None:
    said = helsinki("tables", "show", "colours")
    assert (said.code, "citynode tables list" in said.err) == (1, True)
