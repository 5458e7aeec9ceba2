"""The demonstration's files of parking: Helsinki's catalogue names them, they are served, and can be looked inside."""

import json
import threading
import urllib.request
from pathlib import Path

import pytest

from demo import parking
from demo.cities import HELSINKI, HERE
from node.catalog.previews.reading import look_inside

SOURCE = HERE / HELSINKI.written


def files_of(path: Path) -> dict[str, list[str]]:
    packages = json.loads(path.read_text("utf-8"))["result"]["results"]
    return {one["name"]: [each["url"] for each in one["resources"]] for one in packages}


def test_the_copy_of_the_catalogue_differs_in_two_addresses_alone(tmp_path: Path) -> None:
    copy, address = tmp_path / "copy.json", "http://127.0.0.1:1"
    parking.write_catalogue(SOURCE, copy, address)
    before, after = files_of(SOURCE), files_of(copy)
    assert {name for name in before if before[name] != after[name]} == {"helsingin-pysakointipaikat"}
    ours = {url for url in after["helsingin-pysakointipaikat"] if url.startswith(address)}
    assert ours == {f"{address}/{parking.CSV}", f"{address}/{parking.GEOJSON}"}
    assert copy.read_text("utf-8").count(address) == 2


@pytest.mark.slow  # a process each
def test_what_it_serves_can_be_looked_inside(tmp_path: Path) -> None:
    with parking.server_at(0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            for name, form in ((parking.CSV, "table"), (parking.GEOJSON, "map")):
                path = tmp_path / name
                with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{name}", timeout=10) as answer:
                    path.write_bytes(answer.read())
                preview, _ = look_inside(path)
                assert (preview.form, preview.table is not None) == (form, True)
        finally:
            server.shutdown()
            thread.join()
