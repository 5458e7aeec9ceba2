"""What is fetched is what may hold rows, shapes or pictures, and nothing else."""

import pytest

from node.catalog.previews.candidates import MOST, files_in

ME = "https://data.example/id/m"
DCAT = "http://www.w3.org/ns/dcat#"


def payload(*files: dict[str, str]) -> bytes:
    lines = []
    for n, file in enumerate(files):
        lines.append(f"<{ME}> <{DCAT}distribution> <{ME}/{n}> .")
        for predicate, value in file.items():
            lines.append(f"<{ME}/{n}> <{predicate}> {value} .")
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def test_a_download_counts_by_its_form_and_a_page_by_its_ending() -> None:
    form = "<http://publications.europa.eu/resource/authority/file-type/CSV>"
    rows = (
        {f"{DCAT}downloadURL": "<https://a.example/get?id=1>", "http://purl.org/dc/terms/format": form},
        {f"{DCAT}accessURL": "<https://a.example/page>", "http://purl.org/dc/terms/format": form},
        {f"{DCAT}accessURL": "<https://a.example/b.XLSX>"},
        {f"{DCAT}downloadURL": "<https://a.example/c.csv.gz>"},
        {f"{DCAT}downloadURL": "<https://a.example/d.pdf>"},
        {f"{DCAT}downloadURL": "<ftp://a.example/e.csv>"},
    )
    assert files_in("dataset", ME, payload(*rows)) == [
        "https://a.example/b.XLSX",
        "https://a.example/c.csv.gz",
        "https://a.example/get?id=1",
    ]


def test_of_a_dataset_with_many_files_some_are_looked_into() -> None:
    many = [{f"{DCAT}downloadURL": f"<https://a.example/{n:03}.csv>"} for n in range(100)]
    assert len(files_in("dataset", ME, payload(*many))) == MOST


@pytest.mark.parametrize(
    "flag", ["https://w3id.org/dpv#hasPersonalData", "https://w3id.org/dpv#hasSensitivePersonalData"]
)
def test_nothing_of_a_dataset_with_personal_data(flag: str) -> None:
    body = payload({f"{DCAT}downloadURL": "<https://a.example/a.csv>"})
    flagged = body + f"<{ME}> <{flag}> <https://w3id.org/dpv/pd#Name> .\n".encode()
    assert files_in("dataset", ME, body) != []
    assert files_in("dataset", ME, flagged) == []
