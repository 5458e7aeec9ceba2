"""A city's portal as one DCAT file: datasets that come, change and go as a test says, with what must be found later.

Each write is whole and atomic, so a harvest reads the file before or after, never between. Every record's newest title
is remembered: it is what the city publishes once a harvest of this state was acknowledged.
"""

from dataclasses import dataclass, field
from pathlib import Path

_PREFIXES = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"


@dataclass
class Portal:
    """The file a city harvests. `titles` has what is in it now, by IRI."""

    path: Path
    host: str = "https://city.example"
    prefix: str = "d"
    titles: dict[str, str] = field(default_factory=dict)
    _number: int = 0
    _version: int = 0

    def add(self, number: int = 1) -> list[str]:
        """Put new datasets into the file; give their IRIs."""
        new = [f"{self.host}/id/{self.prefix}{n}" for n in range(self._number, self._number + number)]
        self.titles.update({iri: f"Title {self._number + n}" for n, iri in enumerate(new)})
        self._number += number
        self.write()
        return new

    def change(self, *iris: str) -> None:
        """Give datasets a title they never had."""
        for iri in iris:
            self._version += 1
            self.titles[iri] = f"{self.titles[iri].split(', version')[0]}, version {self._version}"
        self.write()

    def withdraw(self, *iris: str) -> None:
        """Take datasets out of the file."""
        for iri in iris:
            del self.titles[iri]
        self.write()

    def write(self) -> Path:
        """Write the file as it stands now."""
        draft = self.path.with_suffix(".part")
        draft.write_text(self.turtle(), encoding="utf-8")
        draft.rename(self.path)
        return self.path

    def turtle(self) -> str:
        """Say the catalogue as Turtle."""
        catalogue = f"<{self.host}/catalogue>"
        lines = [_PREFIXES, f'{catalogue} a dcat:Catalog ; dct:title "Catalogue"@en .']
        for iri, title in self.titles.items():
            about = f'<{iri}> a dcat:Dataset ; dct:title "{title}"@en ; dct:description "About {title}."@en ;'
            file = f'[ a dcat:Distribution ; dct:title "CSV" ; dcat:accessURL <{iri}/file.csv> ]'
            lines.append(f"{catalogue} dcat:dataset <{iri}> .\n{about}\n  dcat:distribution {file} .")
        return "\n".join(lines) + "\n"
