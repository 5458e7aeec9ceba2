"""DCAT-US 1.1 (Project Open Data): a `data.json`, each entry of its list `dataset` a dataset.

Read as JSON by its keys, not as JSON-LD: its context is remote and its real writers ignore it (null for every optional
key, `licence`, agencies as addresses, mailboxes without `mailto:`). An `@id` that is an address is the dataset's IRI;
`identifier` stays an identifier. Fields that only the United States' federal profile knows travel as plain values.
"""

import re
from typing import Any, ClassVar

from node.catalog.portals.base import Description, Desk, Head, Named, Refusal, Walk
from node.catalog.portals.jsonmap import ACCESS_RIGHTS, Sheet
from node.catalog.portals.jsonvalues import (
    address_of,
    box_of,
    crs_of,
    dumps,
    ending_of,
    line_of,
    map_of,
    names,
    span_of,
    wkt_term,
    words_of,
)
from node.catalog.portals.jsonwalk import JsonWalk, count_of, raise_if_no_answer, refusal_for_want
from node.vocab import lists
from node.vocab.terms import ADMS, DCAT, DCT, FOAF, ORG, RDF, RDFS, VCARD

LEFT_OUT: dict[str, str] = {
    "@type": "the kind of record",
    "@context": "how to read it as JSON-LD",
    "@id": "the record's own IRI",
    "isPublished": "only published ones are listed",
    "views": "view counts",
    "downloads": "download counts",
    "harvest_object_id": "harvest stamp",
    "lastHarvested": "harvest stamp",
}

_JSON = "application/json"
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{2})?")
_LEVELS = {"public": "PUBLIC", "restricted public": "RESTRICTED", "non-public": "NON_PUBLIC"}
_BOX = ("boundingBoxWest", "boundingBoxSouth", "boundingBoxEast", "boundingBoxNorth")


class DcatUsWalk(JsonWalk):
    """The datasets that were read."""

    def head_of(self, record: dict[str, Any], row: int) -> Head | Refusal:
        """Name a dataset by its identifier, else by its IRI."""
        iri, identifier = _own_iri(record), line_of(record.get("identifier"))
        key, title, owner = identifier or iri, line_of(record.get("title")), _owner(record)
        refusal = refusal_for_want(key, row, title, owner)
        return refusal or Head(key, "dataset", iri, _name(identifier, record), title)

    def description_of(self, record: dict[str, Any], head: Head, named: Named) -> Description:
        """Describe a dataset."""
        sheet = Sheet(named.iri, language=_language(record) or self._source.language)
        fields = _fields(record)
        sheet.put(sheet.subject, RDF.type, f"<{DCAT.Dataset}>")
        _names(sheet, fields)
        _dates(sheet, fields)
        _who(sheet, fields)
        _what(sheet, fields)
        _where(sheet, fields)
        licence = _rights(sheet, fields)
        for part in _parts(fields):
            _distribution(sheet, part, licence)
        sheet.rest(sheet.subject, fields.items())
        triples, owner = sheet.triples, _owner(record)
        return Description(head.key, named.iri, named.kind, named.slug, triples, head.title, owner, sheet.findings)


class DcatUsPortal:
    """The adapter for DCAT-US."""

    kind: ClassVar[str] = "dcat-us"
    title: ClassVar[str] = "DCAT-US 1.1 (data.json of Project Open Data)"
    version: ClassVar[int] = 1

    def open(self, desk: Desk) -> Walk:
        """Read the whole catalogue in one document."""
        document = desk.fetch_main(_document_of(desk), accept=_JSON)
        spill = desk.json_to_lines(document, records="dataset|dcat:dataset|")
        raise_if_no_answer(spill)
        total = count_of(spill)
        if not total:
            desk.incomplete("The document holds no dataset.")
        desk.progress("read", total, total)
        return DcatUsWalk(desk, [spill])


def _document_of(desk: Desk) -> str:
    """Give the address of the document; empty (the location itself) if the location already names one."""
    location = desk.source.location
    if desk.source.is_file or "json" in location.rsplit("/", 1)[-1] or location.count("/") > 3:
        return ""
    return location.rstrip("/") + "/data.json"


def _own_iri(record: dict[str, Any]) -> str:
    said = line_of(record.get("@id"))
    return address_of(said) if said.startswith(("http://", "https://")) else ""


def _name(identifier: str, record: dict[str, Any]) -> str:
    """Give what a slug is made from: an identifier that is an address names by its end, or by the page's."""
    if "://" not in identifier:
        return identifier or _end_of(_own_iri(record))
    return _end_of(line_of(record.get("landingPage"))) or _end_of(identifier)


def _end_of(address: str) -> str:
    return address.split("#")[0].split("?")[0].rstrip("/").rsplit("/", 1)[-1] if address.count("/") > 2 else ""


def _owner(record: dict[str, Any]) -> str:
    publisher = record.get("publisher")
    return line_of(map_of(publisher).get("name") if isinstance(publisher, dict) else publisher)


def _language(record: dict[str, Any]) -> str:
    """Give the language of a dataset that is in one language; `en-US` is one."""
    said = words_of(record.get("language"))
    return said[0] if len(said) == 1 and _TAG.fullmatch(said[0]) else ""


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in LEFT_OUT and value not in (None, "", [], {})}


def _names(sheet: Sheet, fields: dict[str, Any]) -> None:
    subject = sheet.subject
    sheet.text(subject, DCT.title, line_of(fields.pop("title", "")))
    sheet.text(subject, DCT.description, fields.pop("description", ""))
    sheet.name(subject, DCT.identifier, fields.pop("identifier", ""))
    sheet.page(subject, DCAT.landingPage, fields.pop("landingPage", ""), "landingPage")
    sheet.page(subject, FOAF.page, fields.pop("describedBy", ""), "describedBy")
    for address in words_of(fields.pop("references", None)):
        sheet.page(subject, FOAF.page, address, "references")
    for address in words_of(fields.pop("conformsTo", None)):
        sheet.page(subject, DCT.conformsTo, address, "conformsTo")
    if "://" in line_of(fields.get("isPartOf")):
        sheet.page(subject, DCT.isPartOf, fields.pop("isPartOf"), "isPartOf")


def _dates(sheet: Sheet, fields: dict[str, Any]) -> None:
    subject = sheet.subject
    sheet.date(subject, DCT.issued, fields.pop("issued", ""), "issued")
    modified = line_of(fields.pop("modified", ""))
    if modified.startswith("R/"):
        # The profile allows a repetition here, for data that is renewed all the time.
        sheet.frequency([modified], "modified")
    else:
        sheet.date(subject, DCT.modified, modified, "modified")
    sheet.frequency(words_of(fields.pop("accrualPeriodicity", None)), "accrualPeriodicity")
    _temporal(sheet, fields)


def _temporal(sheet: Sheet, fields: dict[str, Any]) -> None:
    said = fields.pop("temporal", None)
    ends = map_of(said)
    start, end = (ends.get("startDate"), ends.get("endDate")) if ends else span_of(line_of(said))
    if start or end:
        sheet.period(sheet.subject, start, end, "temporal")
    else:
        sheet.carry(sheet.subject, "temporal", said)
    first, last = fields.pop("temporalCoverageStart", ""), fields.pop("temporalCoverageEnd", "")
    if first or last:
        sheet.period(sheet.subject, first, last, "temporalCoverage")


def _who(sheet: Sheet, fields: dict[str, Any]) -> None:
    publisher = fields.pop("publisher", None)
    name = _owner({"publisher": publisher})
    _publisher(sheet, sheet.subject, DCT.publisher, publisher, depth=6)
    contacts = fields.pop("contactPoint", None)
    for contact in contacts if isinstance(contacts, list) else [contacts]:
        _contact(sheet, contact, name)


_ON_A_CARD = names("@type @context @id fn hasEmail email mbox hasURL hasTelephone")


def _contact(sheet: Sheet, contact: object, publisher: str) -> None:
    card = map_of(contact)
    mail = card.get("hasEmail") or card.get("email") or card.get("mbox")
    rest = {key: value for key, value in card.items() if key not in _ON_A_CARD and value}
    sheet.contact(
        name=card.get("fn") if card else contact,
        mail=map_of(mail).get("@id") if isinstance(mail, dict) else mail,
        url=card.get("hasURL"),
        phone=line_of(card.get("hasTelephone")).removeprefix("tel:"),
        note=dumps(rest) if rest else "",
        type_=_card_type(card, publisher),
    )


def _card_type(card: dict[str, Any], publisher: str) -> str:
    said = line_of(card.get("@type")).rpartition(":")[2]
    if said in {"Individual", "Organization", "Group"}:
        return VCARD[said]
    return VCARD.Organization if publisher and line_of(card.get("fn")) == publisher else VCARD.Kind


def _publisher(sheet: Sheet, subject: str, predicate: str, value: object, *, depth: int) -> None:
    """Write an organisation and, above it, those it belongs to."""
    said = map_of(value)
    name = line_of(said.get("name") if said else value)
    iri = line_of(said.get("@id"))
    if name.startswith(("http://", "https://")) and not iri and address_of(name):
        # USMART writes the organisation's page as its name.
        iri = name
        sheet.find("name-is-address", "recommended", FOAF.name, "The publisher's name is an address. Write its name.")
    node = sheet.agent(subject, predicate, name, iri=iri)
    if not node:
        return
    sheet.page(node, FOAF.homepage, said.get("homepage") or said.get("url"), "homepage")
    if (mail := line_of(said.get("mbox"))) and (box := address_of("mailto:" + mail.removeprefix("mailto:"))):
        sheet.put(node, FOAF.mbox, f"<{box}>")
    if said.get("subOrganizationOf") and depth:
        _publisher(sheet, node, ORG.subOrganizationOf, said["subOrganizationOf"], depth=depth - 1)


def _what(sheet: Sheet, fields: dict[str, Any]) -> None:
    sheet.keywords(words_of(fields.pop("keyword", None)), {})
    for theme in words_of(fields.pop("theme", None)):
        sheet.theme(theme)
    for tag in words_of(fields.pop("language", None)):
        if known := lists.language_iri(tag):
            sheet.put(sheet.subject, DCT.language, f"<{known}>")
        else:
            sheet.carry(sheet.subject, "language", tag)
    for note in words_of(fields.pop("lineage", None)):
        sheet.text(sheet.blank(sheet.subject, DCT.provenance, DCT.ProvenanceStatement), RDFS.label, note)
    if note := line_of(fields.pop("versionNotes", "")):
        sheet.text(sheet.subject, ADMS.versionNotes, note)


def _where(sheet: Sheet, fields: dict[str, Any]) -> None:
    spatial = fields.pop("spatial", None)
    for each in spatial if isinstance(spatial, list) and not _is_box(spatial) else [spatial]:
        if isinstance(each, (dict, list)) or _is_box(each) or line_of(each)[:1] == "{":
            sheet.geometry(each, "spatial")
        elif line_of(each).startswith(("http://", "https://")):
            sheet.page(sheet.subject, DCT.spatial, each, "spatial")
        else:
            sheet.place(each)
    sheet.place(fields.pop("coverageArea", ""))
    if all(name in fields for name in _BOX) and (wkt := box_of([fields[name] for name in _BOX])):
        sheet.put(sheet.blank(sheet.subject, DCT.spatial, DCT.Location), DCAT.bbox, wkt_term(wkt))
        for name in _BOX:
            fields.pop(name)
    for standard in crs_of(line_of(fields.get("spatialReferenceSystem"))):
        sheet.put(sheet.subject, DCT.conformsTo, f"<{standard}>")


def _is_box(value: object) -> bool:
    numbers = value.split(",") if isinstance(value, str) else value
    return isinstance(numbers, list) and len(numbers) == 4 and bool(box_of(numbers))


def _rights(sheet: Sheet, fields: dict[str, Any]) -> tuple[str, str]:
    level = line_of(fields.pop("accessLevel", ""))
    if code := _LEVELS.get(level.lower()):
        sheet.put(sheet.subject, DCT.accessRights, f"<{ACCESS_RIGHTS}{code}>")
    else:
        sheet.carry(sheet.subject, "accessLevel", level)
    if statement := line_of(fields.pop("rights", "")):
        sheet.text(sheet.blank(sheet.subject, DCT.rights, DCT.RightsStatement), RDFS.label, statement)
    licence = sheet.licence(fields.pop("license", "") or fields.get("licence"), "", "")
    fields.pop("licence", None)
    sheet.rights(sheet.subject, licence)
    return licence


def _parts(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the distributions, each once: entries without an identifier that are all alike say nothing new."""
    found = fields.pop("distribution", None)
    parts = [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]
    own = {key: fields.pop(key) for key in ("downloadURL", "accessURL", "format", "mediaType") if key in fields}
    if own:
        parts.append(own)  # version 1.0 wrote them on the dataset itself
    return list({dumps(_fields(part)): part for part in parts}.values())


def _distribution(sheet: Sheet, part: dict[str, Any], licence: tuple[str, str]) -> None:
    node, fields = sheet.distribution(), _fields(part)
    title = line_of(fields.pop("title", ""))
    sheet.text(node, DCT.title, title)
    sheet.text(node, DCT.description, fields.pop("description", ""))
    download, access = line_of(fields.pop("downloadURL", "")), line_of(fields.pop("accessURL", ""))
    address = sheet.link(node, DCAT.accessURL, access or download)
    if access and download and download != access:
        address = sheet.link(node, DCAT.downloadURL, download) or address
    elif address and (download or ending_of(address)):
        sheet.put(node, DCAT.downloadURL, f"<{address}>")
    sheet.format(node, fields.pop("format", ""), fields.pop("mediaType", ""), title, address)
    for address in words_of(fields.pop("conformsTo", None)):
        sheet.page(node, DCT.conformsTo, address, "conformsTo")
    sheet.page(node, FOAF.page, fields.pop("describedBy", ""), "describedBy")
    sheet.size(node, fields.pop("byteSize", ""), "byteSize")
    sheet.date(node, DCT.issued, fields.pop("issued", ""), "issued")
    sheet.date(node, DCT.modified, fields.pop("modified", ""), "modified")
    own = fields.pop("license", "")
    sheet.rights(node, sheet.licence(own, "", "") if own else licence)
    sheet.rest(node, fields.items())
