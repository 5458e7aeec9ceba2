"""What pages load of other people's work is what its authors published, under a licence that lies beside it."""

import hashlib
import re
from pathlib import Path

import node.web

STATIC = Path(node.web.__file__).parent / "static"
VENDOR = STATIC / "vendor"
ROW = re.compile(
    r"^\| (?P<file>[\w./-]+) \| [^|]+ \| [^|]+ \| [^|]+ \| (?P<licence>[^|]+) \| (?P<digest>[0-9a-f]{64}) \|$",
    re.MULTILINE,
)


def test_every_file_of_others_is_listed_with_the_digest_of_its_bytes() -> None:
    listed = {row["file"]: row["digest"] for row in ROW.finditer((VENDOR / "README.md").read_text())}
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in ("README.md", "LICENSE")
    }
    assert listed == found
    assert {path.parent.name for path in VENDOR.rglob("LICENSE")} == {file.partition("/")[0] for file in found}


def test_no_script_or_sheet_of_ours_names_another_origin() -> None:
    ours = [path for path in STATIC.rglob("*") if path.suffix in (".js", ".css") and VENDOR not in path.parents]
    assert len(ours) > 4
    for path in ours:
        assert re.findall(r"(?:https?:)?//[\w-]+\.[\w.]+", path.read_text()) == [], path


def test_islands_are_small() -> None:
    assert sum(path.stat().st_size for path in (STATIC / "js").glob("*.js")) < 60_000
    assert (STATIC / "island.css").stat().st_size < 15_000
    assert (VENDOR / "natural-earth/basemap.geojson").stat().st_size < 200_000
