"""A desk for tests: documents come from a table of answers or from files, and are parsed as the product does.

One parser process serves all tests of a run. What an adapter noted, and what it fetched, can be read afterwards.
"""

import atexit
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from node.catalog.portals.base import Description, Document, Named, Portal, Refusal, SourceInfo, SourceUnchanged, Walk
from node.errors import SourceUnreachable
from node.records import KINDS, Finding, slug_of
from node.vocab.ntriples import Triple, value_of
from node.vocab.parse import Parser, ParseReport

PARSER = Parser()
atexit.register(PARSER.kill)
BASE = "https://city.example"
Answer = bytes | str | dict[str, Any] | list[Any] | Exception
Answers = Callable[[str], Answer]


class TestDesk:
    """Implements `Desk` over a function from addresses to answers, or over files."""

    __test__ = False

    def __init__(
        self,
        folder: Path,
        kind: str,
        location: str | Path,
        answers: Answers | None = None,
        *,
        language: str = "en",
        changed_since: str = "",
        last_sha256: str = "",
    ) -> None:
        self.source = SourceInfo("test", kind, str(location), BASE, language, changed_since=changed_since)
        self.fetched: list[str] = []
        self.reasons: list[str] = []
        self.notes: list[Finding] = []
        self.counts: list[tuple[str, int, int | None]] = []
        self.last_sha256 = last_sha256
        self._answers = answers
        self._folder = folder
        self._numbers = itertools.count()

    def fetch_main(self, url: str = "", *, accept: str = "") -> Document:
        document = self.fetch(url or self.source.location, accept=accept)
        if document.sha256 == self.last_sha256:
            raise SourceUnchanged
        return document

    def fetch(self, url: str, *, accept: str = "") -> Document:
        self.fetched.append(url)
        if self.source.is_file and not url.startswith("http"):
            return self._document(Path(url), f"{BASE}/sources/{self.source.name}/")
        assert self._answers is not None, f"nothing answers at {url}"
        answer = self._answers(url)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, (dict, list)):
            answer = json.dumps(answer)
        path = self.workspace() / f"body{next(self._numbers)}"
        path.write_bytes(answer.encode("utf-8", "surrogatepass") if isinstance(answer, str) else answer)
        return self._document(path, url)

    def _document(self, path: Path, url: str) -> Document:
        body = path.read_bytes()
        return Document(path, url, "", len(body), hashlib.sha256(body).hexdigest())

    def rdf_to_lines(self, document: Document, *, media_type: str, base_iri: str) -> Path:
        to = self.workspace() / f"lines{next(self._numbers)}.nt"
        self._told(PARSER.rdf_to_lines(document.path, to, media_type=media_type, base_iri=base_iri, timeout_s=60))
        return to

    def json_to_lines(self, document: Document, *, records: str) -> Path:
        to = self.workspace() / f"lines{next(self._numbers)}.jsonl"
        self._told(PARSER.json_to_lines(document.path, to, records=records, timeout_s=60))
        return to

    def _told(self, report: ParseReport) -> None:
        self.notes.extend(report.findings)
        if report.incomplete:
            self.incomplete(report.incomplete)

    def note(self, finding: Finding) -> None:
        self.notes.append(finding)

    def incomplete(self, reason: str) -> None:
        self.reasons.append(reason)

    def progress(self, stage: str, done: int, total: int | None = None) -> None:
        self.counts.append((stage, done, total))

    def workspace(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder


def unreachable(url: str) -> Exception:
    return SourceUnreachable(f"{url} did not answer.")


def asked(url: str) -> dict[str, str]:
    """The query of an address."""
    return {key: found[0] for key, found in parse_qs(urlsplit(url).query).items()}


class Harvested:
    """What came out of a walk: descriptions by key, refusals, and short ways to look into triples."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        found = list(walk.heads())
        self.heads = {each.key: each for each in found if not isinstance(each, Refusal)}
        self.refusals = [each for each in found if isinstance(each, Refusal)]
        names = {}
        for key, head in self.heads.items():
            slug = slug_of(head.name) or "none"
            names[key] = Named(head.iri or f"{BASE}/{KINDS[head.kind]}/{slug}", slug, head.kind)
        self.descriptions: dict[str, Description] = {}
        for each in walk.describe(names):
            if isinstance(each, Refusal):
                self.refusals.append(each)
            else:
                assert each.key not in self.descriptions
                self.descriptions[each.key] = each

    def __getitem__(self, key: str) -> "View":
        return View(self.descriptions[key])

    def only(self) -> "View":
        (description,) = self.descriptions.values()
        return View(description)

    def codes(self) -> list[str]:
        return [each.code for each in self.refusals]


class View:
    """One description, read by property."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.root = f"<{description.iri}>"
        self.triples = description.triples

    def all(self, predicate: str, subject: str = "") -> list[str]:
        """The objects of a property, as terms."""
        return [o for s, p, o in self.triples if s == (subject or self.root) and p == f"<{predicate}>"]

    def one(self, predicate: str, subject: str = "") -> str:
        found = self.all(predicate, subject)
        assert len(found) == 1, (predicate, found)
        return found[0]

    def values(self, predicate: str, subject: str = "") -> list[str]:
        return sorted(value_of(o) for o in self.all(predicate, subject))

    def under(self, predicate: str, inner: str, subject: str = "") -> list[str]:
        """The objects two steps away."""
        return [o for node in self.all(predicate, subject) for o in self.all(inner, node)]

    def carried(self, subject: str = "") -> dict[str, list[str]]:
        """The fields that travelled along as plain values."""
        from node.vocab.terms import SCHEMA

        nodes = self.all(SCHEMA.additionalProperty, subject)
        return {value_of(self.one(SCHEMA.name, node)): self.all(SCHEMA.value, node) for node in nodes}

    def codes(self) -> set[str]:
        return {finding.code for finding in self.description.findings}


def harvest(portal: Portal, desk: TestDesk) -> Harvested:
    return Harvested(portal.open(desk))


def terms_are_canonical(triples: Iterable[Triple]) -> None:
    """Fail unless a strict parser takes every triple, and writes it back as it was."""
    import pyoxigraph

    lines = [f"{s} {p} {o} .\n" for s, p, o in triples]
    read = pyoxigraph.parse("".join(lines).encode(), format=pyoxigraph.RdfFormat.N_TRIPLES)
    written = pyoxigraph.serialize((quad.triple for quad in read), format=pyoxigraph.RdfFormat.N_TRIPLES)
    assert written is not None
    # Not splitlines: it would also cut at U+2028 inside a literal.
    named = {line[:-1] for line in lines if "_:" not in line}
    assert named <= set(written.decode().split("\n"))
