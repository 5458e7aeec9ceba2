"""DataPress (the London Datastore): export v3, the CKAN-like answer, or single datasets in its native form.

Not CKAN: no change filter, so every walk is whole; ids of five characters; resources are a list in one answer and an
object keyed by id in another, or stand under the organisation; the same dataset may come twice and private ones may be
listed. Descriptions are HTML and stay as they are. What a link check found is the portal's own and is left out.
"""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from node.catalog.portals.base import Description, Desk, Head, Named, Refusal, Walk
from node.catalog.portals.jsonmap import Sheet
from node.catalog.portals.jsonvalues import ending_of, line_of, list_of, map_of, words_of
from node.catalog.portals.jsonwalk import JsonWalk, count_of, envelope_of, raise_if_no_answer, refusal_for_want
from node.vocab.terms import DCAT, DCT, FOAF, RDF, RDFS, VCARD

_PUBLIC = "<http://publications.europa.eu/resource/authority/access-right/PUBLIC>"
LEFT_OUT: dict[str, str] = {
    "shares": "who may see it",
    "readonly": "who may change it",
    "sharing": "only public ones are published, and said to be",
    "private": "only public ones are published",
    "state": "only active ones are published",
    "isopen": "follows from the licence",
    "order": "order of the files",
    "position": "order of the files",
    "dataset": "the dataset's own identifier",
    "package_id": "the dataset's own identifier",
    "owner_org": "the organisation's row",
    "creator_user_id": "an account",
    "check_http_status": "link check",
    "check_size": "link check",
    "check_timestamp": "link check",
    "check_mimetype": "link check",
    "check_hash": "link check",
    "tracking_summary": "view counts",
    "views": "view counts",
    "downloads": "download counts",
    "ratings_average": "ratings",
    "ratings_count": "ratings",
    "revision_id": "revision",
    "revision_timestamp": "revision",
    "metadata_modified": "stamp of the catalogue's row, not of the data",
    "num_resources": "count of what is there",
    "num_tags": "count of what is there",
    "notes_rendered": "the notes, rendered",
    "image": "a picture of the page",
    "type": "the kind of record",
}

_JSON = "application/json"
_EXPORT = "/api/v3/datasets/export.json"
_IN_AN_ANSWER = "result.results|results|result|datasets|"


class DataPressWalk(JsonWalk):
    """The datasets that were read."""

    portal = ""

    def head_of(self, record: dict[str, Any], row: int) -> Head | Refusal:
        """Name a dataset by its id."""
        identifier, name = line_of(record.get("id")), line_of(record.get("name") or record.get("slug"))
        key, title, owner = identifier or name, line_of(record.get("title")), _owner(record)
        sharing = line_of(record.get("sharing") or "public").lower()
        private = str(record.get("private", False)).lower() == "true"
        if sharing != "public" or private or line_of(record.get("state") or "active").lower() != "active":
            shown = "private" if private else sharing if sharing != "public" else line_of(record.get("state"))
            message = f"It is {shown[:40]!r}, not public. Share it at the source if it should be seen."
            return Refusal(key or f"#{row}", title, "not-public", message, owner)
        return refusal_for_want(key, row, title, owner) or Head(key, "dataset", "", name or _slug(record) or key, title)

    def description_of(self, record: dict[str, Any], head: Head, named: Named) -> Description:
        """Describe a dataset."""
        sheet = Sheet(named.iri, language=self._source.language, base=self.portal)
        fields = _fields(record)
        sheet.put(sheet.subject, RDF.type, f"<{DCAT.Dataset}>")
        _names(sheet, fields, head)
        _who(sheet, fields)
        _what(sheet, fields)
        licence = _licence(sheet, fields)
        sheet.rights(sheet.subject, licence)
        if line_of(record.get("sharing")).lower() == "public":  # whom the files are shared with, not only the page
            sheet.put(sheet.subject, DCT.accessRights, _PUBLIC)
        page = line_of(record.get("webpage"))
        for identifier, resource in _resources(record):
            _distribution(sheet, identifier, resource, licence, page)
        _rest(sheet, sheet.subject, fields)
        triples, owner = sheet.triples, _owner(record)
        return Description(head.key, named.iri, named.kind, named.slug, triples, head.title, owner, sheet.findings)


class DataPressPortal:
    """The adapter for DataPress."""

    kind: ClassVar[str] = "datapress"
    title: ClassVar[str] = "DataPress (London Datastore: export v3, or its CKAN-like answer)"
    version: ClassVar[int] = 1

    def open(self, desk: Desk) -> Walk:
        """Read the whole catalogue in one document."""
        document = desk.fetch_main(_export_of(desk), accept=_JSON)
        spill = desk.json_to_lines(document, records=_IN_AN_ANSWER)
        raise_if_no_answer(spill)
        envelope, total = envelope_of(spill), count_of(spill)
        claimed = map_of(envelope.get("result")).get("count", envelope.get("count"))
        if isinstance(claimed, int) and claimed != total:
            desk.incomplete(f"The document says that there are {claimed} datasets and holds {total}.")
        elif not total:
            desk.incomplete("The document holds no dataset.")
        desk.progress("read", total, total)
        walk = DataPressWalk(desk, [spill])
        walk.portal = "" if desk.source.is_file else "{0.scheme}://{0.netloc}".format(urlsplit(document.url))
        return walk


def _export_of(desk: Desk) -> str:
    """Give the address of the export; empty (the location itself) if the location already names a document."""
    location = desk.source.location
    if desk.source.is_file or "/api/" in location or urlsplit(location).path.endswith(".json"):
        return ""
    return location.split("?", 1)[0].rstrip("/") + _EXPORT


def _owner(record: dict[str, Any]) -> str:
    for name in ("team", "organization", "masthead"):
        value = record.get(name)
        found = map_of(value).get("title") or map_of(value).get("name") if isinstance(value, dict) else value
        if owner := line_of(found):
            return owner
    return ""


def _slug(record: dict[str, Any]) -> str:
    """Take the name from the dataset's page: `…/dataset/{name}`."""
    path = urlsplit(line_of(record.get("webpage"))).path if "[" not in line_of(record.get("webpage")) else ""
    return path.rstrip("/").rsplit("/", 1)[-1] if "/dataset/" in path else ""


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    """Give what a dataset or resource says, `custom` and `extras` laid flat, without what is left out."""
    flat = {key: value for key, value in record.items() if key not in ("custom", "extras")}
    for name in ("custom", "extras"):
        for key, value in _pairs(record.get(name)):
            taken = flat.get(key) not in (None, "", value)
            flat[f"{name}.{key}" if taken else key] = value
    return {key: value for key, value in flat.items() if key not in LEFT_OUT and value not in (None, "", [], {})}


def _pairs(inner: object) -> list[tuple[str, Any]]:
    """Give the pairs of an object, or of a list of key and value."""
    if isinstance(inner, dict):
        return list(inner.items())
    each_of = (each for each in list_of(inner) if isinstance(each, dict) and isinstance(each.get("key"), str))
    return [(each["key"], each.get("value")) for each in each_of]


def _first(fields: dict[str, Any], *names: str) -> Any:  # noqa: ANN401  (JSON is what it is)
    """Take the first of several fields away; the others stay, to travel along."""
    for name in names:
        if name in fields:
            return fields.pop(name)
    return None


def _names(sheet: Sheet, fields: dict[str, Any], head: Head) -> None:
    subject = sheet.subject
    sheet.text(subject, DCT.title, line_of(fields.pop("title", "")))
    sheet.text(subject, DCT.description, _first(fields, "description", "notes"))
    sheet.name(subject, DCT.identifier, head.key)
    fields.pop("id", None)
    if (name := line_of(_first(fields, "name", "slug"))) not in ("", head.key):
        sheet.name(subject, DCT.identifier, name)
    sheet.page(subject, DCAT.landingPage, fields.pop("webpage", ""), "webpage")
    sheet.page(subject, FOAF.page, fields.pop("url", ""), "url")
    sheet.date(subject, DCT.issued, _first(fields, "createdAt", "metadata_created"), "createdAt")
    sheet.date(subject, DCT.modified, fields.pop("updatedAt", ""), "updatedAt")
    _period(sheet, subject, fields)
    frequency = _first(fields, "update_frequency", "updateFrequency")
    if isinstance(frequency, dict):
        sheet.carry(subject, "update_frequency", frequency)
    else:
        sheet.frequency(words_of(frequency), "update_frequency")


def _period(sheet: Sheet, subject: str, fields: dict[str, Any]) -> None:
    start = _first(fields, "timeframeFrom", "temporal_coverage_from")
    end = _first(fields, "timeframeTo", "temporal_coverage_to")
    frame = map_of(fields.pop("timeframe", None))
    start, end = start or frame.get("from"), end or frame.get("to")
    if start or end:
        sheet.period(subject, start, end, "timeframe")


def _who(sheet: Sheet, fields: dict[str, Any]) -> None:
    masthead, team = fields.pop("masthead", None), _first(fields, "team", "organization")
    node = _agent(sheet, team) or _agent(sheet, masthead)
    above, own = _title(masthead), _title(team)
    if node and own and above and above != own:
        sheet.parent(node, above)
    contact = fields.pop("contact", None)
    card = map_of(contact)
    name = (card.get("name") or card.get("title")) if card else contact
    mail = card.get("email") or card.get("mail") or fields.pop("maintainer_email", "")
    name = name or fields.pop("maintainer", "")
    kind = VCARD.Organization if line_of(name) and line_of(name) == own else VCARD.Kind
    sheet.contact(name=name, mail=mail, url=card.get("url"), phone=card.get("phone"), type_=kind)
    author, author_mail = line_of(fields.pop("author", "")), line_of(fields.pop("author_email", ""))
    if (author, author_mail) not in ((line_of(name), line_of(mail)), (line_of(name), "")):
        sheet.contact(name=author, mail=author_mail, role="author")


def _title(value: object) -> str:
    return line_of(map_of(value).get("title") or map_of(value).get("name") if isinstance(value, dict) else value)


def _agent(sheet: Sheet, value: object) -> str:
    node = sheet.agent(sheet.subject, DCT.publisher, _title(value))
    if node:
        sheet.name(node, DCT.identifier, map_of(value).get("id"))
    return node


def _what(sheet: Sheet, fields: dict[str, Any]) -> None:
    tags = list_of(fields.pop("tags", None))
    sheet.keywords((_tag(each) for each in tags), {})
    for topic in [*list_of(fields.pop("topics", None)), *list_of(fields.pop("groups", None))]:
        if isinstance(topic, dict):
            sheet.theme(_title(topic), topic.get("id") if "title" in topic else topic.get("name"))
        else:
            sheet.theme(topic)
    for link in list_of(fields.pop("links", None)):
        _link(sheet, link)
    sheet.place(fields.pop("london_bounding_area", ""))
    if spatial := fields.pop("spatial", None):
        sheet.geometry(spatial, "spatial")


def _tag(value: object) -> str:
    return line_of(map_of(value).get("title") or map_of(value).get("name") if isinstance(value, dict) else value)


def _link(sheet: Sheet, link: object) -> None:
    """Write a link that editors put beside the data, with its title."""
    said = map_of(link)
    address = sheet.address(said.get("url") or said.get("href") if said else link, FOAF.page)
    if not address:
        sheet.carry(sheet.subject, "links", link)
        return
    sheet.put(sheet.subject, FOAF.page, address)
    if title := line_of(said.get("title")):
        sheet.put(address, RDF.type, f"<{FOAF.Document}>")
        sheet.text(address, DCT.title, title)
        sheet.text(address, DCT.description, said.get("description"))


def _licence(sheet: Sheet, fields: dict[str, Any]) -> tuple[str, str]:
    said = _first(fields, "licence", "license")
    if isinstance(said, dict):
        return sheet.licence(said.get("url"), said.get("id"), said.get("title"))
    codes = (fields.pop("license_url", ""), fields.pop("license_id", ""), fields.pop("license_title", ""))
    return sheet.licence(codes[0], said or codes[1], codes[2])


def _resources(record: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Give the resources with their ids: a list, an object keyed by id, or either under the organisation."""
    found = record.get("resources") or map_of(record.get("organization")).get("resources")
    pairs = found.items() if isinstance(found, dict) else (("", each) for each in list_of(found))
    return [
        (line_of(each.get("id")) or identifier, each)
        for identifier, each in sorted(pairs, key=_order)
        if isinstance(each, dict)
    ]


def _order(pair: tuple[str, Any]) -> str:
    return pair[0]


def _distribution(sheet: Sheet, identifier: str, resource: dict[str, Any], licence: tuple[str, str], page: str) -> None:
    node, fields = sheet.distribution(), _fields(resource)
    title = line_of(_first(fields, "title", "name"))
    sheet.text(node, DCT.title, title)
    sheet.text(node, DCT.description, fields.pop("description", ""))
    sheet.name(node, DCT.identifier, identifier)
    fields.pop("id", None)
    address, filename = sheet.link(node, DCAT.accessURL, fields.pop("url", "")), line_of(fields.pop("filename", ""))
    if ending_of(address) or "/download/" in address:
        sheet.put(node, DCAT.downloadURL, f"<{address}>")
    named = f"https://file.invalid/x/{filename}" if filename and not ending_of(address) else address
    sheet.format(node, fields.pop("format", ""), fields.pop("mimetype", ""), f"{title} {filename}", named)
    sheet.size(node, fields.pop("size", ""), "size")
    if said := fields.pop("hash", ""):
        sheet.checksum(node, said, "hash")
    sheet.date(node, DCT.issued, _first(fields, "created", "createdAt"), "created")
    sheet.date(node, DCT.modified, _first(fields, "timestamp", "last_modified", "updatedAt"), "timestamp")
    _period(sheet, node, fields)
    sheet.rights(node, licence)
    if line_of(fields.get("webpage")) == page:
        fields.pop("webpage", None)
    sheet.page(node, FOAF.page, fields.pop("webpage", ""), "webpage")
    if filename not in ("", title):
        fields["filename"] = filename
    _rest(sheet, node, fields)


def _rest(sheet: Sheet, subject: str, fields: dict[str, Any]) -> None:
    """Let everything that was not taken travel along."""
    fields.pop("resources", None)
    if statement := line_of(fields.pop("rights", "")):
        sheet.text(sheet.blank(subject, DCT.rights, DCT.RightsStatement), RDFS.label, statement)
    sheet.rest(subject, fields.items())
