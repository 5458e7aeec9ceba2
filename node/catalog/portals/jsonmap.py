"""The sheet: one record's triples while an adapter of a JSON portal writes them.

Each method writes one idea of DCAT-AP (an agent, a contact, a place, a licence, a distribution's format …) from
values of strangers, and notes a finding where it mended or left something. A broken value never costs the record.
Blank nodes hang on one subject each and are never shared: shared ones would tie all distributions into one group,
and naming a group costs the square of its size (`node/vocab/canon.py`).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from node.catalog.portals import jsonvalues as values
from node.catalog.portals.jsonlines import Lines
from node.vocab import lists
from node.vocab.terms import DCAT, DCT, FOAF, LOCN, ORG, RDF, RDFS, SPDX, VCARD, XSD

ACCESS_RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"

_CONTACT_KEY = re.compile(
    r"contact|e-?mail|steward|curator|maintainer|custodian|owner|author(?!i)|yhteyshenk|kontakt|(?:creat|updat|upload)ed.?by",
    re.IGNORECASE,
)
_MAX_CONTACT_CHARS = 300

# A standard that a 3D format follows. Only a version that the text names is named.
_MODELS = (
    (re.compile(r"city\s?gml(?:\s*v?\.?\s*([123])(?:\.0)?)?\b", re.IGNORECASE), "http://www.opengis.net/citygml/{0}.0"),
    (re.compile(r"city\s?json(?:\s*v?\.?\s*([12]\.[01]))?\b", re.IGNORECASE), "https://www.cityjson.org/specs/{0}/"),
    (
        re.compile(r"3d[\s_-]?tiles(?:\s*v?\.?\s*(1\.[01]))?\b", re.IGNORECASE),
        "http://www.opengis.net/doc/CS/3DTiles/{0}",
    ),
    (re.compile(r"\bifc(?:\s*-?(4|2x3))?\b", re.IGNORECASE), "https://standards.buildingsmart.org/IFC/{0}"),
)
_MODEL_WORDS = ("city", "tiles", "ifc")  # one of them stands in all that a pattern finds
_MODELS_UNVERSIONED = (
    "https://www.ogc.org/standards/citygml",
    "https://www.cityjson.org/specs/",
    "https://www.ogc.org/standards/3dtiles",
    "https://standards.buildingsmart.org/IFC",
)


@lru_cache(maxsize=4096)
def models_of(text: str) -> tuple[str, ...]:
    """Give the standards of city models that a format or a file's title names."""
    low = text.lower()
    if not any(word in low for word in _MODEL_WORDS):
        return ()
    found = []
    for (pattern, versioned), plain in zip(_MODELS, _MODELS_UNVERSIONED, strict=True):
        if match := pattern.search(text):
            found.append(versioned.format(match[1]) if match[1] else plain)
    return tuple(found)


# The tables' look-ups normalise and search; a portal says the same few words a hundred thousand times.
format_of = lru_cache(maxsize=4096)(lists.format_of)
media_type_of = lru_cache(maxsize=4096)(lists.media_type_of)
package_of = lru_cache(maxsize=4096)(lists.package_of)
frequency_of = lru_cache(maxsize=4096)(lists.frequency_of)
theme_of = lru_cache(maxsize=4096)(lists.theme_of)
place_of = lru_cache(maxsize=4096)(lists.place_of)
licence_of = lru_cache(maxsize=4096)(lists.licence_of)


class Sheet(Lines):
    """A record's lines with the ideas of DCAT-AP: who, what about, where, under which rights, in which files."""

    __slots__ = ()

    # --- who

    def agent(
        self, subject: str, predicate: str, name: object, *, iri: object = "", tongues: Mapping[str, Any] | None = None
    ) -> str:
        """Write an organisation: its own IRI if it has a good one, else a blank node. Empty if it has no name."""
        label = values.line_of(name)
        if not label and not tongues:
            return ""
        own = values.address_of(values.line_of(iri)) if values.line_of(iri).startswith(("http://", "https://")) else ""
        if own:
            node = f"<{own}>"
            self.put(subject, predicate, node)
            self.put(node, RDF.type, f"<{FOAF.Agent}>")
        else:
            node = self.blank(subject, predicate, FOAF.Agent)
        said = {values.line_of(each) for each in (tongues or {}).values()} - {""}
        for language, each in (tongues or {}).items():
            if line := values.line_of(each):
                self.text(node, FOAF.name, line, language)
        if label not in said:
            self.name(node, FOAF.name, label)
        return node

    def contact(
        self,
        *,
        name: object = "",
        mail: object = "",
        url: object = "",
        phone: object = "",
        role: str = "",
        note: object = "",
        type_: str = VCARD.Kind,
    ) -> None:
        """Write a contact in full; who it is, is judged later and in one place (`node/vocab/contacts.py`)."""
        name_line, mail_line = values.line_of(name), values.line_of(mail)
        boxes = values.mailboxes_of(mail_line)
        if not boxes and "@" in name_line and (boxes := values.mailboxes_of(name_line)):
            name_line = "" if name_line == boxes[0] else name_line
        notes = [values.line_of(note)]
        if mail_line and not boxes:
            self._odd_mail(mail_line, notes)
        link = self.address(url, VCARD.hasURL)
        tel = values.line_of(phone)
        if not (name_line or boxes or link or tel or any(notes)):
            return
        if not self.once(DCAT.contactPoint, name_line, *boxes, link, tel, role, *notes):
            return
        node = self.blank(self.subject, DCAT.contactPoint, type_)
        self.name(node, VCARD.fn, name_line)
        for box in boxes:
            self.put(node, VCARD.hasEmail, f"<{values.address_of('mailto:' + box)}>")
        self.put(node, VCARD.hasURL, link)
        self._phone(node, tel)
        self.name(node, VCARD.role, role)
        for each in notes:
            self.name(node, VCARD.note, each)

    def _odd_mail(self, line: str, notes: list[str]) -> None:
        if values.is_placeholder(line):
            message = f"The mailbox is the unfilled template {line[:60]!r}. Fill it in at the source."
            self.find("placeholder", "repaired", VCARD.hasEmail, message)
            return
        message = f"{line[:60]!r} is no mailbox. Write one, as office@city.example."
        self.find("email-unreadable", "repaired", VCARD.hasEmail, message)
        notes.append(line)

    def _phone(self, node: str, line: str) -> None:
        digits = re.sub(r"[\s().\-]", "", line)
        if re.fullmatch(r"\+?\d{3,15}", digits):
            self.put(node, VCARD.hasTelephone, f"<tel:{digits}>")
        else:
            self.name(node, VCARD.tel, line)

    def rest(self, subject: str, fields: Iterable[tuple[str, Any]]) -> None:
        """Let the fields that nothing else took travel along; one whose name speaks of a contact becomes a contact.

        A person's mailbox in an unknown field would escape the reduction of personal contacts.
        """
        for name, value in fields:
            line = values.line_of(value)
            if line and len(line) < _MAX_CONTACT_CHARS and _CONTACT_KEY.search(name):
                link = line if "://" in line else ""
                mail = line if "@" in line and not link else ""
                self.contact(name="" if link or mail else line, mail=mail, url=link, role=name)
            else:
                self.carry(subject, name, value)

    # --- what about

    def keywords(self, plain: Iterable[object], tongues: Mapping[str, Any]) -> None:
        """Write keywords; a plain one only if no language says it already."""
        said: set[str] = set()
        for language, each in tongues.items():
            for word in dict.fromkeys(values.words_of(each)):
                said.add(word)
                self.text(self.subject, DCAT.keyword, word, language)
        for value in plain:
            word = values.line_of(value)
            if word and word not in said:
                said.add(word)
                self.text(self.subject, DCAT.keyword, word)

    def theme(self, *names: object, tongues: Mapping[str, Any] | None = None) -> None:
        """Write a group or topic: our table's theme if one of its names is known, and the source's own label."""
        lines = [line for name in names if (line := values.line_of(name))]
        for line in lines:
            if theme := theme_of(line):
                self.put(self.subject, DCAT.theme, f"<{theme}>")
                break
        self.concept(self.subject, DCAT.theme, lines[0] if lines else "", tongues)

    def place(self, name: object) -> None:
        """Write a place: the IRI of our table, or a location with that name."""
        line = values.line_of(name)
        if not line:
            return
        if known := place_of(line):
            self.put(self.subject, DCT.spatial, f"<{known}>")
        elif self.once(DCT.spatial, line):
            self.name(self.blank(self.subject, DCT.spatial, DCT.Location), LOCN.geographicName, line)

    def geometry(self, value: object, name: str) -> None:
        """Write a GeoJSON geometry (an object, or JSON in a string), WKT, or `west,south,east,north`."""
        shape = values.loads(value) if isinstance(value, str) and value.strip()[:1] in "{[" else value
        wkt, is_box = values.wkt_of(shape), values.is_box(shape)
        if not wkt and isinstance(shape, (str, list)):
            numbers = shape.split(",") if isinstance(shape, str) else shape
            wkt, is_box = (values.box_of(numbers), True) if len(numbers) == 4 else ("", False)
        if wkt:
            if not self.once(DCT.spatial, wkt):
                return
            node = self.blank(self.subject, DCT.spatial, DCT.Location)
            self.put(node, DCAT.bbox if is_box else LOCN.geometry, values.wkt_term(wkt))
            return
        message = "The area is no GeoJSON geometry and no box. Write one of the two."
        self.find("spatial-unreadable", "repaired", DCT.spatial, message)
        self.carry(self.subject, name, value)

    def frequency(self, names: Iterable[object], field: str) -> None:
        """Write how often the data is renewed, if a word of the table; else the words travel as they are."""
        unknown = []
        for name in names:
            line = values.line_of(name)
            if known := frequency_of(line) if line else "":
                self.put(self.subject, DCT.accrualPeriodicity, f"<{known}>")
            elif line:
                unknown.append(line)
        if unknown:
            message = f"{unknown[0][:60]!r} is no frequency of the EU's list. Write one of its words, as annual."
            self.find("frequency-unknown", "recommended", DCT.accrualPeriodicity, message)
            self.carry(self.subject, field, unknown)

    # --- rights

    def licence(self, address: object, code: object, title: object) -> tuple[str, str]:
        """Find the licence among what a portal says of it: its IRI as a term and, if there is none, the words said.

        Never guessed: what no table knows and what is no address stays words, and the record says that it is unknown.
        """
        lines = [line for each in (address, code, title) if (line := values.line_of(each))]
        known = dict.fromkeys(found for line in lines if (found := licence_of(line)))
        if len(known) > 1:
            message = f"Two licences are named: {' and '.join(known)}. Name one."
            self.find("licence-conflict", "recommended", DCT.license, message)
        for each in known:
            return f"<{each}>", ""
        said = " ".join(dict.fromkeys(lines[::-1][:1] or [""]))
        message = f"The licence {said[:80]!r} is not one we know." if said else "No licence is named."
        self.find("licence-unknown", "recommended", DCT.license, f"{message} Name one by its address, as CC BY 4.0's.")
        for line in lines:
            if line.startswith(("http://", "https://")) and (own := values.address_of(line)):
                return f"<{own}>", ""
        return "", said

    def rights(self, subject: str, licence: tuple[str, str]) -> None:
        """Write a licence, or the words that stand for it, on a record or distribution."""
        if licence[0]:
            self.put(subject, DCT.license, licence[0])
        elif licence[1]:
            self.text(self.blank(subject, DCT.rights, DCT.RightsStatement), RDFS.label, licence[1])

    # --- files

    def distribution(self) -> str:
        """Hang a distribution on the record."""
        return self.blank(self.subject, DCAT.distribution, DCAT.Distribution)

    def format(self, node: str, name: object, media_type: object, title: str, address: str) -> None:
        """Write format, media type and the standards of city models; from the file's ending if nothing is said."""
        line, media = values.line_of(name), values.line_of(media_type)
        ending = values.ending_of(address)
        known = (format_of(line) if line else "") or (format_of(media) if media and not line else "")
        if known:
            self.put(node, DCT.format, f"<{known}>")
        elif line:
            message = f"{line[:60]!r} is no format of the EU's list. Write one, as CSV."
            self.find("format-unknown", "recommended", DCT.format, message)
            self.name(self.blank(node, DCT.format, DCT.MediaTypeOrExtent), RDFS.label, line)
        elif ending and not media and (known := format_of(ending)):
            message = f"The format was told from the file's ending .{ending}. Name it at the source."
            self.find("format-from-address", "note", DCT.format, message)
            self.put(node, DCT.format, f"<{known}>")
        if line and (package := package_of(line)):
            self.put(node, DCAT.packageFormat, f"<{package}>")
        if found := (media_type_of(media) if media else "") or (media_type_of(line) if line else ""):
            self.put(node, DCAT.mediaType, f"<{found}>")
        if media and not found:
            self.carry(node, "mediaType", media)
        for standard in models_of(f"{line} {title}"):
            self.put(node, DCT.conformsTo, f"<{standard}>")

    def size(self, node: str, value: object, name: str) -> None:
        """Write a size in bytes; one with a unit travels as a plain value."""
        if term := values.bytes_term(value):
            self.put(node, DCAT.byteSize, term)
        else:
            self.carry(node, name, value)

    def checksum(self, node: str, value: object, name: str) -> None:
        """Write a hash whose length tells its algorithm; another travels as a plain value."""
        line = values.line_of(value)
        algorithm, digest = values.hash_of(line)
        if algorithm:
            check = self.blank(node, SPDX.checksum, SPDX.Checksum)
            self.put(check, SPDX.algorithm, f"<{algorithm}>")
            self.put(check, SPDX.checksumValue, f'"{digest}"^^<{XSD.hexBinary}>')
        else:
            self.carry(node, name, line)

    def parent(self, node: str, name: object) -> str:
        """Write the organisation above an organisation."""
        return self.agent(node, ORG.subOrganizationOf, name)
