"""One CKAN package as a DCAT-AP dataset: what each known field says, and everything else as plain values.

Reads stock CKAN, both schemas of Helsinki Region Infoshare (language maps; extras whose keys end in `_en`, `_se`),
the Finnish national schema and ckanext-dcat's extras; `ckanfields` says which keys are one. Contacts are written in
full here and reduced later, in one place. No I/O.
"""

from typing import Any

from node.catalog.portals.base import Description, Head, Named
from node.catalog.portals.ckanfields import Fields, fields_of, members_of
from node.catalog.portals.jsonmap import Sheet
from node.catalog.portals.jsonvalues import crs_of, ending_of, line_of, list_of, loads, map_of, names, span_of, words_of
from node.vocab import lists
from node.vocab.terms import ADMS, DCAT, DCATAP, DCT, FOAF, RDF, RDFS, VCARD

# The kind word of a package (`type`) -> our kind. What is not here and not in `NOT_DATASETS` is a dataset.
KINDS = {"dataset_series": "dataset-series", "dataset-series": "dataset-series", "series": "dataset-series"}
NOT_DATASETS = names("harvest showcase application page blog news")

_ACTIVE = (None, "", "active")
_OPEN = {"open data", "avoin data", "öppna data"}
_LICENCE = names("license_url license_id license_title")
_PERIOD = names("temporal temporal_start temporal_end")
_STATES = (
    ("status", ADMS.status, lists.DISTRIBUTION_STATUSES),
    ("availability", DCATAP.availability, lists.AVAILABILITIES),
)
_CLASSES = {"dataset-series": DCAT.DatasetSeries, "dataset": DCAT.Dataset}


def title_of(package: dict[str, Any]) -> str:
    """Give the title to show: the plain one, else the first of the languages."""
    if title := line_of(package.get("title")):
        return title
    for key in ("title_translated", "title_en", "title_fi", "title_sv"):
        value = package.get(key)
        for each in value.values() if isinstance(value, dict) else (value,):
            if title := line_of(each):
                return title
    return ""


def owner_of(package: dict[str, Any]) -> str:
    """Give the name of the organisation a package belongs to."""
    organisation = map_of(package.get("organization"))
    return line_of(organisation.get("title")) or line_of(organisation.get("name"))


def describe(package: dict[str, Any], head: Head, named: Named, *, language: str, portal: str) -> Description:
    """Describe one package.

    Args:
        package: As the Action API gives it.
        head: Its head.
        named: The IRI, slug and kind that were settled.
        language: For free text that names none.
        portal: The root of the portal's pages, or empty if it is not known.
    """
    sheet = Sheet(named.iri, language=language, base=portal)
    fields = fields_of(members_of(package))
    month_first = _is_old_hri(package)
    sheet.put(sheet.subject, RDF.type, f"<{_CLASSES.get(named.kind, DCAT.Dataset)}>")
    _names(sheet, fields, portal)
    _dates(sheet, fields, month_first=month_first)
    _who(sheet, fields)
    collections = words_of(fields.take("collection_type"))
    _what(sheet, fields, collections)
    _where(sheet, fields)
    _links(sheet, fields)
    licence = _rights(sheet, fields, collections)
    for resource in _resources(fields.take("resources")):
        _distribution(sheet, resource, licence, month_first=month_first)
    _rest(sheet, sheet.subject, fields)
    return Description(
        head.key, named.iri, named.kind, named.slug, sheet.triples, head.title, owner_of(package), sheet.findings
    )


def _is_old_hri(package: dict[str, Any]) -> bool | None:
    """Dates with slashes are month first in the old schema of HRI, and unreadable anywhere else."""
    extras = package.get("extras")
    keys = extras if isinstance(extras, dict) else {e.get("key") for e in list_of(extras) if isinstance(e, dict)}
    return True if "title_se" in keys or "notes_se" in keys else None


def _names(sheet: Sheet, fields: Fields, portal: str) -> None:
    subject = sheet.subject
    sheet.texts(subject, DCT.title, fields.line("title"), _trimmed(fields.spoken("title")))
    notes = fields.take("notes") or fields.take("description")
    sheet.texts(subject, DCT.description, notes, fields.spoken("notes") or fields.spoken("description"))
    sheet.name(subject, DCT.identifier, fields.take("id"))
    name = fields.line("name")
    if portal and name:
        sheet.link(subject, DCAT.landingPage, f"{portal}/dataset/{name}")
    elif name:
        sheet.name(subject, DCT.identifier, name)
    for other in words_of(fields.take("other_identifier")):
        sheet.name(subject, DCT.identifier, other)
    sheet.name(subject, DCAT.version, fields.take("version"))
    fields.take("uri")


def _trimmed(tongues: dict[str, Any]) -> dict[str, Any]:
    return {language: value.strip() if isinstance(value, str) else value for language, value in tongues.items()}


def _dates(sheet: Sheet, fields: Fields, *, month_first: bool | None) -> None:
    subject = sheet.subject
    issued, created = fields.take("issued"), fields.take("metadata_created")
    # The day a record came to the portal is when its data was issued there, if nobody says better.
    if not sheet.date(subject, DCT.issued, issued, "issued", month_first=month_first):
        sheet.date(subject, DCT.issued, created, "metadata_created")
    sheet.date(subject, DCT.modified, fields.take("modified"), "modified", month_first=month_first)
    _period(sheet, subject, fields, month_first=month_first)
    frequency = fields.take("update_frequency")
    if isinstance(frequency, dict):
        sheet.frequency((word for each in frequency.values() for word in words_of(each)), "update_frequency")
    else:
        sheet.frequency(words_of(frequency), "update_frequency")


def _period(sheet: Sheet, subject: str, fields: Fields, *, month_first: bool | None) -> None:
    start, end = fields.take("temporal_start"), fields.take("temporal_end")
    if start or end:
        sheet.period(subject, start, end, "temporal", month_first=month_first)
    if said := fields.take("temporal"):
        first, last = span_of(line_of(said))
        if first or last:
            sheet.period(subject, first, last, "temporal")
        else:
            sheet.carry(subject, "temporal", said)


def _who(sheet: Sheet, fields: Fields) -> None:
    organisation = map_of(fields.take("organization"))
    publisher = _publisher(sheet, fields, organisation)
    sheet.agent(sheet.subject, DCT.creator, fields.line("agency"), tongues=fields.spoken("agency"))
    name, mail = fields.line("maintainer"), fields.line("maintainer_email")
    if not (name or mail):
        name, mail = publisher["name"] if publisher["mail"] else "", publisher["mail"]
    kind = VCARD.Organization if name and name == publisher["name"] else VCARD.Kind
    url, phone = fields.take("maintainer_website"), fields.take("maintainer_phone")
    sheet.contact(name=name, mail=mail, url=url, phone=phone, type_=kind)
    author, author_mail = fields.line("author"), fields.line("author_email")
    if (author, author_mail) not in ((name, mail), (name, ""), ("", mail)):
        sheet.contact(name=author, mail=author_mail, role="author")
    sheet.contact(name=fields.line("metadata_contact"), role="metadata contact")
    sheet.contact(phone=fields.line("department_phone"), role="department", type_=VCARD.Organization)


def _publisher(sheet: Sheet, fields: Fields, organisation: dict[str, Any]) -> dict[str, str]:
    """Write the publisher: what the fields name, else the organisation that owns the package."""
    named, mail = fields.line("publisher_name"), fields.line("publisher_email")
    iri = fields.line("publisher_uri") or line_of(organisation.get("uri"))
    name = named or line_of(organisation.get("title")) or line_of(organisation.get("name"))
    tongues = {} if named else map_of(organisation.get("title_translated"))
    node = sheet.agent(sheet.subject, DCT.publisher, name, iri=iri, tongues=tongues)
    page = fields.line("publisher_url")
    if node:
        if page:
            sheet.page(node, FOAF.homepage, page, "publisher_url")
        if not named and line_of(organisation.get("name")) != name:
            sheet.name(node, DCT.identifier, organisation.get("name"))
    return {"name": name, "mail": mail}


def _what(sheet: Sheet, fields: Fields, collections: list[str]) -> None:
    plain, tongues = _words(fields.take("tags")), fields.take("keywords")
    if isinstance(tongues, dict):
        tongues = {**tongues, **fields.spoken("keywords")}
    else:
        plain = [*plain, *_words(tongues)]
        tongues = fields.spoken("keywords")
    sheet.keywords(plain, tongues)
    for group in list_of(fields.take("groups")):
        if isinstance(group, dict):
            tongues = map_of(group.get("title_translated")) or map_of(group.get("display_name_translated"))
            sheet.theme(group.get("title") or group.get("display_name"), group.get("name"), tongues=tongues)
        else:
            sheet.theme(group)
    for category in words_of(fields.take("categories")):
        sheet.theme(category)
    for kind in collections:
        known = lists.DATASET_TYPES.find(kind)
        if known:
            sheet.put(sheet.subject, DCT.type, f"<{known.iri}>")
        else:
            sheet.concept(sheet.subject, DCT.type, kind)
    for tag in words_of(fields.take("language")):
        if known_language := lists.language_iri(tag):
            sheet.put(sheet.subject, DCT.language, f"<{known_language}>")
        else:
            sheet.carry(sheet.subject, "language", tag)


def _words(value: object) -> list[str]:
    """Read tags: objects with a name, or plain words."""
    found = value if isinstance(value, list) else words_of(value)
    return [
        line_of(each.get("display_name") or each.get("name")) if isinstance(each, dict) else line_of(each)
        for each in found
    ]


def _where(sheet: Sheet, fields: Fields) -> None:
    coverage = fields.take("geographical_coverage")
    for name in words_of(coverage):
        if name[:1] == "{":
            sheet.geometry(name, "geographical_coverage")
        else:
            sheet.place(name)
    if isinstance(coverage, dict):
        sheet.carry(sheet.subject, "geographical_coverage", coverage)
    if spatial := fields.take("spatial"):
        text = line_of(spatial)
        if text and text[:1] not in "{[" and text.count(",") != 3:
            sheet.place(text)
        else:
            sheet.geometry(spatial, "spatial")
    for address in words_of(fields.take("spatial_uri")):
        sheet.page(sheet.subject, DCT.spatial, address, "spatial_uri")


def _links(sheet: Sheet, fields: Fields) -> None:
    subject = sheet.subject
    sheet.page(subject, FOAF.page, fields.take("url"), "url")
    spoken = [word for value in fields.spoken("external_urls").values() for word in words_of(value)]
    for address in dict.fromkeys([*words_of(fields.take("external_urls")), *spoken]):
        sheet.page(subject, FOAF.page, address, "external_urls")
    sheet.page(subject, DCT.relation, fields.take("taxonomy_url"), "taxonomy_url")
    for address in words_of(fields.take("conforms_to")):
        sheet.page(subject, DCT.conformsTo, address, "conforms_to")
    for name in ("source", "provenance"):
        said, tongues = fields.line(name), fields.spoken(name)
        if said or tongues:
            sheet.texts(sheet.blank(subject, DCT.provenance, DCT.ProvenanceStatement), RDFS.label, said, tongues)
    for category in words_of(fields.take("hvd_category")):
        known = lists.HVD_CATEGORIES.find(category)
        if known:
            sheet.put(subject, DCATAP.hvdCategory, f"<{known.iri}>")
        else:
            sheet.carry(subject, "hvd_category", category)
    for address in words_of(fields.take("applicable_legislation")):
        sheet.page(subject, DCATAP.applicableLegislation, address, "applicable_legislation")


def _rights(sheet: Sheet, fields: Fields, collections: list[str]) -> tuple[str, str]:
    # HRI says in `collection_type` which entries are open data; that an entry is shown says nothing of its data.
    said_open = ["PUBLIC"] if any(kind.casefold() in _OPEN for kind in collections) else []
    for right in words_of(fields.take("access_rights")) or said_open:
        known = lists.ACCESS_RIGHTS.find(right)
        if known:
            sheet.put(sheet.subject, DCT.accessRights, f"<{known.iri}>")
        else:
            sheet.text(sheet.blank(sheet.subject, DCT.accessRights, DCT.RightsStatement), RDFS.label, right)
    said, tongues = fields.line("rights"), fields.spoken("rights")
    if said or tongues:
        sheet.texts(sheet.blank(sheet.subject, DCT.rights, DCT.RightsStatement), RDFS.label, said, tongues)
    return _licence(sheet, fields, sheet.subject)


def _licence(sheet: Sheet, fields: Fields, subject: str) -> tuple[str, str]:
    address, code, title = (fields.line(name) for name in ("license_url", "license_id", "license_title"))
    found = sheet.licence(address, code, title)
    sheet.rights(subject, found)
    return found


def _resources(value: object) -> list[dict[str, Any]]:
    if isinstance(value, str):
        value = loads(value)
    found = [each for each in list_of(value) if isinstance(each, dict)]
    return [each for each in found if each.get("state") in _ACTIVE or line_of(each["state"]).lower() == "active"]


def _distribution(
    sheet: Sheet, resource: dict[str, Any], licence: tuple[str, str], *, month_first: bool | None
) -> None:
    fields = fields_of(resource.items())
    take, node = fields.one.pop, sheet.distribution()
    title = line_of(take("title", None) or take("name", None))
    tongues = _trimmed(fields.spoken("name") or fields.spoken("title")) if fields.tongues else {}
    sheet.texts(node, DCT.title, title, tongues)
    notes, spoken = take("description", None) or take("notes", None), fields.spoken("description")
    sheet.texts(node, DCT.description, notes, spoken or fields.spoken("notes"))
    sheet.name(node, DCT.identifier, take("id", None))
    said = take("url", None) or take("access_url", None) or take("download_url", None)
    address = sheet.link(node, DCAT.accessURL, said)
    if address and (resource.get("url_type") == "upload" or ending_of(address)):
        sheet.put(node, DCAT.downloadURL, f"<{address}>")
    label = " ".join([title, *map(line_of, tongues.values())])
    sheet.format(node, take("format", None), take("mimetype", None), label, address)
    if "size" in fields.one:
        sheet.size(node, take("size"), "size")
    if "hash" in fields.one:
        sheet.checksum(node, take("hash"), "hash")
    _stamps(sheet, node, fields, month_first=month_first)
    if fields.empty:
        sheet.rights(node, licence)
    else:
        _rarely(sheet, node, fields, licence, address)


def _stamps(sheet: Sheet, node: str, fields: Fields, *, month_first: bool | None) -> None:
    for predicate, name, stamp in ((DCT.issued, "issued", "created"), (DCT.modified, "modified", "last_modified")):
        said, stamped = fields.take(name), fields.take(stamp)
        if not (said and sheet.date(node, predicate, said, name, month_first=month_first)) and stamped:
            sheet.date(node, predicate, stamped, stamp)
    if not fields.one.keys().isdisjoint(_PERIOD):
        _period(sheet, node, fields, month_first=month_first)


def _rarely(sheet: Sheet, node: str, fields: Fields, licence: tuple[str, str], address: str) -> None:
    """Write what few resources say: a licence of their own, a state, a position, a second address."""
    if fields.one.keys().isdisjoint(_LICENCE):
        sheet.rights(node, licence)
    else:
        _licence(sheet, fields, node)
    for name, predicate, table in _STATES:
        said = fields.line(name)
        if known := table.find(said):
            sheet.put(node, predicate, f"<{known.iri}>")
        else:
            sheet.carry(node, name, said)
    if (download := fields.line("download_url")) != address:
        sheet.link(node, DCAT.downloadURL, download)
    for standard in crs_of(line_of(fields.one.get("position_info"))):
        sheet.put(node, DCT.conformsTo, f"<{standard}>")
    _rest(sheet, node, fields)


def _rest(sheet: Sheet, subject: str, fields: Fields) -> None:
    """Let everything that was not taken travel along."""
    fields.one.pop("extras", None)
    sheet.rest(subject, [*fields.one.items(), *fields.tongues.items(), *fields.spare])
