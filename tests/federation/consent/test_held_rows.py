"""Laws of finding rows in a file that this city holds: whoever is meant is found, or the file is refused."""

import csv
from pathlib import Path

import orjson
import pytest

from node.errors import Malformed, NotFound
from node.federation.consent.filter_csv import csv_rows
from node.federation.consent.held_rows import keys_of
from tests.federation.consent.withdrawal_rig import AGREEMENT, Rig, heard


@pytest.mark.parametrize("form", ["csv", "semicolons.csv", "jsonl", "parquet"])
def test_the_rows_of_a_file_that_are_meant_are_found(rig: Rig, tmp_path: Path, form: str) -> None:
    heard(rig, "r-1", "r-3")
    heard(rig, "1002", salt="cd" * 16)
    keys = ["r-1", "r-2", "", "1002", "r-1"]
    file = tmp_path / f"people.{form}"
    if form.endswith("csv"):
        mark = ";" if form != "csv" else ","
        file.write_text(f"n{mark}subject\n" + "".join(f'"{n}"{mark}{key}\n' for n, key in enumerate(keys)))
    elif form == "jsonl":
        file.write_text("".join(f'{{"subject": "{key}"}}\n' for key in keys) + "\n")
    else:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.table({"subject": keys}), file)
    found = list(rig.acknowledgements.match(file, "subject"))
    assert [(each.row, each.key) for each in found] == [(1, "r-1"), (4, "1002"), (5, "r-1")]
    assert list(rig.acknowledgements.match(file, "subject", agreement=AGREEMENT + "2")) == []
    broken = tmp_path / "b.jsonl"
    broken.write_text("{\n")
    with pytest.raises(Malformed if form == "jsonl" else NotFound):
        list(rig.acknowledgements.match(broken if form == "jsonl" else file, "nobody"))


def test_a_file_that_is_not_there_or_of_another_form_is_refused(rig: Rig, tmp_path: Path) -> None:
    heard(rig, "r-1")
    with pytest.raises(NotFound):
        list(rig.acknowledgements.match(tmp_path / "none.csv", "subject"))
    (tmp_path / "a.zip").write_bytes(b"PK")
    (tmp_path / "a.parquet").write_bytes(b"PK")
    for name in ("a.zip", "a.parquet"):
        with pytest.raises(Malformed):
            list(rig.acknowledgements.match(tmp_path / name, "subject"))


WIDE = b'subject,x\nok,"' + b"a" * 140_000 + b'"\nR-2,1\n'
OF_ANOTHER_ENCODING = b"subject,x\nok,\xe4\nR-2,\xff\n"


@pytest.mark.parametrize("data", [WIDE, OF_ANOTHER_ENCODING, b"subject,x\nok,\0\nR-2,1\n"])
def test_what_the_filter_lets_through_can_be_looked_through(tmp_path: Path, data: bytes) -> None:
    pieces = [data]
    delivered = b"".join(csv_rows(lambda _: pieces.pop() if pieces else b"", "subject", {"ok", "R-2"}))
    assert delivered == data
    file = tmp_path / "held.csv"
    file.write_bytes(delivered)
    assert list(keys_of(file, "subject")) == ["ok", "R-2"]


UNREADABLE = {
    "a.csv": b"subject,x\nok,1\nn\xe4,2\n",
    "b.csv": b"subject,subject\nok,R-2\n",
    "c.csv": b'subject,x\nok,"' + b"a" * 5_000 + b'"\n',
    "a.jsonl": b'{"subject": "\xe4"}\n',
    "b.jsonl": b'{"person": "ok"}\n{"person": "R-2"}\n',
    "c.jsonl": b"[1, 2]\n",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_row_whose_person_cannot_be_read_is_never_passed_over(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "c.csv":
        monkeypatch.setattr("node.federation.consent.held_rows._bound_fields", lambda: csv.field_size_limit(1_000))
    file = tmp_path / name
    file.write_bytes(UNREADABLE[name])
    with pytest.raises((Malformed, NotFound)):
        list(keys_of(file, "subject"))


def test_a_member_that_some_lines_lack_is_nobody_there(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in ({"x": 1}, {"subject": None}, {"subject": 7})))
    assert list(keys_of(file, "subject")) == ["", "", "7"]


@pytest.mark.slow
def test_a_parquet_column_of_no_texts_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    file = tmp_path / "a.parquet"
    for values in ([1.5], [b"ok"], [["ok"]]):
        parquet.write_table(pa.table({"subject": values}), file)
        with pytest.raises(Malformed):
            list(keys_of(file, "subject"))
    parquet.write_table(pa.table({"subject": pa.array(["ok", None, "R-2"]).dictionary_encode()}), file)
    assert list(keys_of(file, "subject")) == ["ok", "", "R-2"]


OTHERWISE = {
    "a quote that stays open": ("a.csv", b'subject,x\nr-9,"open\nr-1,x\nr-2,y\n', 2),
    "a quote within a field": ("a.csv", b'subject,x\nok,1\nr-9,o"p\nr-1,"x\n', 3),
    "text behind a quote": ("a.csv", b'subject,x\nr-9,"op"en\nr-1,x\n', 2),
    "text before a quote": ("a.csv", b'x,subject\no"pen,r-1\nx"y,r-2\n', 2),
    "a field too few": ("a.csv", b"x,subject\nx,r-1\ny\n", 3),
    "another delimiter": ("a.csv", b"x,subject\nx,r-1\nz;r-2\n", 3),
    "a field too many": ("a.csv", b"x,subject\nx,y,r-1\n", 2),
    "carriage returns": ("a.csv", b"subject,x\nok,1\nr-1,x\rr-2,y\n", 3),
    "carriage returns alone": ("a.csv", b"subject,x\rr-1,x\rr-2,y\r", 1),
    "a mark within": ("a.csv", b"subject,x\n\xef\xbb\xbfr-1,x\n", 2),
    "a list": ("a.jsonl", b'{"subject":"r-9"}\n[{"subject":"r-1"}]\n', 2),
    "a list alone": ("a.jsonl", b'[{"subject":"r-1"}]\n', 1),
    "another spelling": ("a.jsonl", b'{"subject":"r-9"}\n\n{"Subject":"r-1"}\n', 3),
    "another sign": ("a.jsonl", b'{"subject":"r-9"}\n{"sub_ject":"r-1","subject":null}\n', 2),
    "an object": ("a.jsonl", b'{"subject":{"id":"r-1"}}\n', 1),
    "a fraction": ("a.jsonl", b'{"subject":1.0}\n', 1),
    "a truth": ("a.jsonl", b'{"subject":true}\n', 1),
    "twice": ("a.jsonl", b'{"subject":"r-1","subject":"x"}\n', 1),
    "twice with escapes": ("a.jsonl", b'{"sub\\u006aect":"r-1","subject":"x"}\n', 1),
    "too deep": ("a.jsonl", b'{"subject":"r-1","a":' + b"[" * 3_000 + b"]" * 3_000 + b"}\n", 1),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_what_could_hide_a_row_is_refused_with_its_line(tmp_path: Path, what: str) -> None:
    name, data, line = OTHERWISE[what]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Malformed, match=rf"Line {line} of {name}"):
        list(keys_of(tmp_path / name, "subject"))


CLEAN = {
    "a.csv": b'\xef\xbb\xbfsubject,x\r\n"r-1","a ""b"", c\nd"\r\n\r\n"r""2",\xe4\r\n,"x"\r\nr-3,',
    "b.csv": b'x\tsubject\n"a\tb"\tr-1\n\n1\t"r""2"\n2\t\n3\tr-3\n',
    "a.jsonl": b'{"subject":"r-1","subject":"r-1"}\n{"subject":"r\\"2"}\n{"x":"subject"}\n{"subject":"r-3","Sub":1}',
}


@pytest.mark.parametrize("name", CLEAN)
def test_a_file_of_which_each_row_can_be_told_is_looked_through(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(CLEAN[name])
    assert list(keys_of(tmp_path / name, "subject")) == ["r-1", 'r"2', "", "r-3"]
