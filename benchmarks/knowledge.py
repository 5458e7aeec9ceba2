"""A benchmark of importing: 1,000 entries of an AI register, by the real command, into an empty node and again.

The entries have every attribute of the Algorithmic Transparency Standard 0.3.1, with texts as long as those of real
registers, so that reading, checking, lint, writing and the journal all have their share.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rig import Bench, Row, citynode
from node.vocab.kinds import mapped_out, mapping

ENTRIES, PER_SECOND = 1_000, 300
_WORDS = ("the", "city", "uses", "this", "system", "to", "decide", "which", "street", "is", "looked", "at", "next")


def importing(bench: Bench) -> Iterator[Row]:
    """Measure the first import and the same one again."""
    file = bench.folder / "register.json"
    file.write_text(json.dumps(entries(ENTRIES)), "utf-8")
    first: list[float] = []
    again: list[float] = []
    for number in range(1 if bench.quick else 3):
        data = bench.folder / f"register-{number}"
        citynode(data, "init", "--name", "Made", "--base-url", "http://127.0.0.1:8001")
        bench.calm()
        first.append(_imported(data, file, "new"))
        again.append(_imported(data, file, "same"))
    yield _row(f"AI register of {ENTRIES:,} entries imported", first)
    yield _row("the same again, nothing changed", again)


def _imported(data: Path, file: Path, what: str) -> float:
    spend = citynode(data, "ai-register", "import", str(file), "--from", "eurocities-0.3.1", "--json")
    report = json.loads(spend.out)
    assert (len(report[what]), report["refused"]) == (ENTRIES, []), spend.out[:2_000]
    return spend.wall_s


def _row(what: str, walls: list[float]) -> Row:
    rate = ENTRIES / min(walls)
    said = f"{rate:,.0f} entries/s"
    return Row(what, said, f">= {PER_SECOND} entries/s", rate >= PER_SECOND, wall_s=min(walls))


def entries(many: int) -> list[dict[str, object]]:
    """Make so many entries; the same ones every time."""
    declared, rng = mapping.builtin("eurocities-0.3.1"), random.Random(11)
    words = {rule.field.name: list(rule.words.values()) for rule in declared.rules if isinstance(rule, mapping.Leaf)}
    fixed = {
        "lang": "en",
        "contact_email": "ai@made.example",
        "country": "Finland",
        "publication_date": "2026-01-12",
        "last_change_date": "2026-10-02",
        "revision_date": "2027-10-02",
    }
    coded = {"status": "status", "domain": "domain", "risk_category": "risk_level"}
    coded |= {"algorithm_type": "algorithm_type", "type": "use_type"}
    made = []
    for number in range(many):
        one: dict[str, object] = {}
        for place in mapped_out.columns(declared):
            one[place] = f"https://made.example/{place}/{number}" if _is_address(place) else _text(rng, place)
        one |= fixed | {place: rng.choice(words[name]) for place, name in coded.items()}
        one |= {"name": f"System {number} for {_text(rng, 'name')}", "uuid": f"00000000-0000-4000-8000-{number:012}"}
        made.append(one)
    return made


def _is_address(place: str) -> bool:
    return place in ("website", "documentation", "product_information", "product_page") or place.endswith("_url")


def _text(rng: random.Random, place: str) -> str:
    short = place in ("name", "organization", "department", "area", "keywords", "contact_name", "revision_note")
    return " ".join(rng.choices(_WORDS, k=4 if short else 20 if place == "description_short" else 90))
