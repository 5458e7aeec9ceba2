"""How CKAN portals call their fields: which key means what, and which are left out, with the reason.

CKAN lets every portal add fields, at the top level or as "extras"; they are compared without case, blanks and hyphens.
Known keys of HRI (both its schemas), the Finnish national schema, ckanext-dcat and stock CKAN are here under one name;
an unknown key keeps its own. Tables only, no I/O.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from node.catalog.portals.jsonvalues import line_of, names

# What changes by itself would append an entry every night; what is said elsewhere would be said twice.
LEFT_OUT: dict[str, str] = {
    # changes by itself
    "tracking_summary": "view counts",
    "total_views": "view counts",
    "recent_views": "view counts",
    "ratings_average": "ratings",
    "ratings_count": "ratings",
    "rating": "ratings",
    "num_followers": "followers",
    "metadata_modified": "stamp of the catalogue's row, not of the data",
    "revision_id": "revision",
    "revision_timestamp": "revision",
    "latest_revision": "revision",
    "harvest_object_id": "harvest stamp",
    "harvest_source_id": "harvest stamp",
    "harvest_source_title": "harvest stamp",
    "harvest_url": "harvest stamp",
    "harvested_at": "harvest stamp",
    "metadata_harvested": "harvest stamp",
    "last_harvested": "harvest stamp",
    "import_source": "harvest stamp",
    "archiver": "link check",
    "qa": "link check",
    "cache_last_updated": "cache",
    "cache_url": "cache",
    "cache_filepath": "cache",
    "webstore_last_updated": "cache",
    "webstore_url": "cache",
    "datastore_active": "state of the portal's own store",
    "datastore_contains_all_records_of_source_file": "state of the portal's own store",
    "metadata_timestamp": "stamp",
    "score": "rank in a search",
    "validated_data_dict": "search index",
    "data_dict": "search index",
    "index_id": "search index",
    "site_id": "search index",
    # said elsewhere, or of the portal's own working
    "state": "only active ones are published",
    "private": "only public ones are published",
    "capacity": "only public ones are published",
    "isopen": "follows from the licence",
    "num_resources": "count of what is there",
    "num_tags": "count of what is there",
    "notes_rendered": "the notes, rendered",
    "creator_user_id": "an account",
    "owner_org": "the organisation's row",
    "package_id": "the dataset's own identifier",
    "resource_group_id": "the dataset's own row",
    "position": "order of the files",
    "url_type": "how the file is kept",
    "on_same_domain": "follows from the address",
    "has_views": "the portal's previews",
    "ckan_url": "the page of the dataset",
    "type": "the kind of record",
    "_refused": "our own mark",
}

# Other names -> the name under which the adapter asks.
_ALIASES = {
    "geographic_coverage": "geographical_coverage",
    "area_of_interest": "geographical_coverage",
    "spatial_coverage": "geographical_coverage",
    "spatial_text": "geographical_coverage",
    "temporal_coverage_from": "temporal_start",
    "temporal_coverage_to": "temporal_end",
    "time_series_start": "temporal_start",
    "time_series_end": "temporal_end",
    "valid_from": "temporal_start",
    "valid_till": "temporal_end",
    "time_period": "temporal",
    "temporal_coverage": "temporal",
    "frequency": "update_frequency",
    "accrual_periodicity": "update_frequency",
    "date_released": "issued",
    "release_date": "issued",
    "date_updated": "modified",
    "last_updated": "modified",
    "department": "agency",
    "deparment": "agency",
    "maintainer_link": "maintainer_website",
    "maintainer_url": "maintainer_website",
    "contact_name": "maintainer",
    "contact_email": "maintainer_email",
    "contact_uri": "maintainer_website",
    "contact_phone": "maintainer_phone",
    "agency_phone": "department_phone",
    "department_telephone": "department_phone",
    "owner": "author",
    "owner_email": "author_email",
    "documentation": "external_urls",
    "external_reference": "external_urls",
    "external_url": "external_urls",
    "search_info": "external_urls",
    "license": "license_title",
    "licence": "license_title",
    "licence_id": "license_id",
    "licence_url": "license_url",
    "licence_title": "license_title",
    "category": "categories",
    "theme": "categories",
    "highvalue_category": "hvd_category",
    "sha256": "hash",
    "file_size": "size",
    "filesize": "size",
    "mime_type": "mimetype",
    "identifier": "other_identifier",
    "guid": "other_identifier",
    "alternate_identifier": "other_identifier",
    "dcat_type": "collection_type",
    "maintainer_phone_number": "maintainer_phone",
    "copyright_notice": "rights",
    "maturity": "status",
}

# Names that the adapter asks for; a key that is none of them, nor an alias, travels as it is.
_ASKED = names(
    "id name title notes description url version version_notes author author_email maintainer maintainer_email"
    " maintainer_website maintainer_phone metadata_contact department_phone license_id license_title license_url"
    " tags keywords groups categories organization resources extras issued modified metadata_created temporal"
    " temporal_start temporal_end geographical_coverage spatial spatial_uri update_frequency collection_type language"
    " external_urls taxonomy_url agency source uri other_identifier publisher_name publisher_email publisher_uri"
    " publisher_url access_rights conforms_to provenance rights hvd_category applicable_legislation format mimetype"
    " size hash created last_modified position_info download_url access_url status availability"
) | frozenset(LEFT_OUT)

# Fields that portals write once per language: `title_en`, `notes_se`, `name_translated`.
_SPOKEN = names("title notes name description external_urls agency source rights url license_title")
_LANGUAGES = names("en fi sv se de fr nl it es da nb nn no is et lv lt pl cs sk hu ro bg hr sl el pt ga ru uk")


def key_of(key: str) -> tuple[str, str]:
    """Give the name a key is asked by (empty: left out) and the language it names (`*`: a map of languages).

    `se` in a key's end is Sweden's country code and means Swedish (the portals of the Helsinki region write so).
    """
    plain = re.sub(r"[\s-]+", "_", key.strip().lower())
    base, _, tail = plain.rpartition("_")
    base = _ALIASES.get(base, base)
    if tail == "translated" and base:
        return base, "*"
    if tail in _LANGUAGES and base in _SPOKEN:
        return base, "sv" if tail == "se" else tail
    name = _ALIASES.get(plain, plain)
    if name in LEFT_OUT:
        return "", ""
    return (name if name in _ASKED else key), ""


class _Keys(dict[str, tuple[str, str]]):
    """The keys that occurred, remembered; a portal has a few dozen, and a hostile one must not grow us."""

    def __missing__(self, key: str) -> tuple[str, str]:
        if len(self) > 10_000:
            self.clear()
        found = self[key] = key_of(key)
        return found


_KEYS = _Keys()


@dataclass(slots=True)
class Fields:
    """A package's or resource's fields under their asked names; what is taken is gone, the rest travels along."""

    one: dict[str, Any] = field(default_factory=dict)
    tongues: dict[str, dict[str, Any]] = field(default_factory=dict)
    spare: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Tell whether everything was taken."""
        return not (self.one or self.tongues or self.spare)

    def take(self, name: str) -> Any:  # noqa: ANN401  (JSON is what it is)
        """Take a field's value away; None if there is none."""
        return self.one.pop(name, None)

    def line(self, name: str) -> str:
        """Take a field away as one trimmed line."""
        return line_of(self.one.pop(name, None))

    def spoken(self, name: str) -> dict[str, Any]:
        """Take what a field says per language."""
        return self.tongues.pop(name, {})


def fields_of(members: Iterable[tuple[str, Any]]) -> Fields:
    """Sort members under their asked names; empty values go, a second value of a name is spare."""
    out = Fields()
    one = out.one
    for key, value in members:
        if not value and (value is None or isinstance(value, (str, list, dict))):
            continue
        name, language = _KEYS[key]
        if not name:
            continue
        if language:
            _speak(out, name, language, value)
        elif name not in one:
            one[name] = value
        elif one[name] != value:
            out.spare.append((key, value))
    return out


def _speak(out: Fields, name: str, language: str, value: Any) -> None:  # noqa: ANN401
    tongues = out.tongues.setdefault(name, {})
    if language != "*":
        tongues.setdefault(language, value)
    elif isinstance(value, dict):
        tongues.update(value)
    else:
        out.spare.append((f"{name}_translated", value))


def members_of(record: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Give a package's members, then its extras (a list of key and value, or an object)."""
    yield from record.items()
    extras = record.get("extras")
    if isinstance(extras, dict):
        yield from extras.items()
    elif isinstance(extras, list):
        for each in extras:
            if isinstance(each, dict) and isinstance(each.get("key"), str) and each.get("state", "active") == "active":
                yield each["key"], each.get("value")
