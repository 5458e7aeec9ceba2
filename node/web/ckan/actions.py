"""CKAN's reading actions over the search and the list of packages, own and mirrored; each gives plain JSON values.

Whoever asks, only what is public is seen: the sight has nothing restricted in it, and packages are looked up in public
collections alone. `package_search` pages by the index, or by the lasting list where a harvester walks everything. All
of it blocks, so it is called beside the event loop; the clock comes in.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from node.catalog.packages import KINDS, name_of
from node.catalog.search.query import MAX_DEPTH, MAX_LIMIT, Query, Sight
from node.catalog.search.reader import MAX_TEXT, MAX_WORDS
from node.catalog.search.results import Count, Results
from node.catalog.shelf import Held
from node.errors import Malformed, NotFound
from node.records import slug_of
from node.vocab import lists
from node.web.ckan import query as ckan_query
from node.web.ckan.help import SCOPE, TEXTS
from node.web.ckan.package import Json, Packager, cities_of, group_of, licence_id, organisation_of
from node.web.ckan.params import Params, Wrong
from node.web.ckan.query import Asked
from node.web.parts import Parts
from node.web.ports.find import Finders
from node.web.wire.parameters import numbers_in

MAX_NAMES = 100_000
MAX_VALUES = 1_000
CKAN_VERSION = "2.11"  # the version whose answers these are like
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_FACET_TITLES = {"organization": "Organizations", "groups": "Groups", "tags": "Tags", "res_format": "Formats",
                 "license_id": "Licenses", "city": "Cities"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """What one call sees: the names of the public collections, and the sight of the search."""

    collections: tuple[str, ...]
    sight: Sight


class Actions:
    """Answers actions by name."""

    def __init__(self, parts: Parts, finders: Finders) -> None:
        """Answer from a site's shelf and search."""
        self._parts = parts
        self._finders = finders
        self._site = parts.site
        self.known: Mapping[str, Callable[[Params, int], object]] = {
            "package_search": self.package_search,
            "package_show": self.package_show,
            "package_list": self.package_list,
            "current_package_list_with_resources": self.current_package_list_with_resources,
            "organization_list": self.organization_list,
            "organization_show": self.organization_show,
            "group_list": self.group_list,
            "group_show": self.group_show,
            "tag_list": self.tag_list,
            "license_list": self.license_list,
            "site_read": self.site_read,
            "status_show": self.status_show,
            "help_show": self.help_show,
        }

    # ------------------------------------------------------------ packages

    def package_search(self, params: Params, now_ms: int) -> Json:
        """Search. Raises Malformed for what cannot be asked, Wrong for parameters that are none."""
        rows, start = params.number("rows", 10, most=MAX_LIMIT), params.number("start", 0)
        fqs = [*params.texts("fq"), *params.words("fq_list")]
        asked = ckan_query.read(params.text("q"), [fq for fq in fqs if fq.strip()], now_ms=now_ms)
        field, order, turned = ckan_query.order_of(params.text("sort"))
        facets = self._facets_of(params)
        query = Query(
            sort=order,
            reverse=turned,
            bbox=_box_of(params.text("ext_bbox")),
            facet_limit=MAX_VALUES if facets else 20,
            language=self._site.languages[0],
            highlight=False,
            grouped=False,
            loosen=not asked.strict,
        )
        count, helds, counts = self._found(asked, query, field, start, rows, facets, now_ms)
        results = self._packages(helds)
        if only := params.words("fl"):
            results = [{name: value for name, value in package.items() if name in only} for package in results]
        return {
            "count": count,
            "sort": params.text("sort") or "score desc, metadata_modified desc",
            "results": results,
            **self._told_facets(facets, counts, params),
        }

    def _found(
        self, asked: Asked, query: Query, field: str, start: int, rows: int, facets: Mapping[str, str], now_ms: int
    ) -> tuple[int, Sequence[Held], Mapping[str, Sequence[Count]]]:
        shown = self._shown()
        asked.filters["kind"] = tuple(kind for kind in asked.filters.get("kind", KINDS) if kind in KINDS)
        if asked.nothing or not asked.filters["kind"]:
            return 0, (), {}
        if asked.called is not None:
            called = self._called(asked.called, shown, now_ms)
            if not called:
                return 0, (), {}
            query = replace(query, iris=tuple(dict.fromkeys(held.iri for held in called)))
        query = _with(query, asked)
        collections = _listable(asked, query, shown, slug_of(self._site.city))
        if collections is not None and self._is_listed(field, collections, start + rows, asked.since_ms):
            packages = self._finders.packages
            count = packages.count(collections, since_ms=asked.since_ms)
            helds = packages.page(collections, offset=start, limit=rows, since_ms=asked.since_ms)
            query = replace(query, limit=0, facets=tuple(facets.values()))
            return count, helds, self._find(query, shown, now_ms).facets if facets else {}
        if start + rows > MAX_DEPTH:
            raise Malformed(
                f"This order reaches the first {MAX_DEPTH} datasets.",
                fix="Narrow the search, or ask without words and with sort=id asc, which reaches all of them.",
            )
        found = self._find(replace(query, offset=start, limit=rows, facets=tuple(facets.values())), shown, now_ms)
        if found.cut:
            raise Malformed(
                f"More words are asked for than this search reads: {MAX_WORDS}, in {MAX_TEXT:,} characters.",
                fix="Write fewer words in q, or narrow by fq: organization, tags, res_format.",
            )
        return found.total, [hit.held for hit in found.hits], found.facets

    def _is_listed(self, field: str, collections: Sequence[str], depth: int, since_ms: int) -> bool:
        """Tell whether the lasting list answers: when its order is asked for, or none and there is too much to sort."""
        if field in ckan_query.LISTED or (since_ms and not field):
            return True
        return not field and depth > 0 and self._finders.packages.count(collections, since_ms=since_ms) > MAX_DEPTH

    def _called(self, names: Sequence[str], shown: Shown, now_ms: int) -> list[Held]:
        found = (self._find_called(name, shown, now_ms) for name in names)
        return [held for held in found if held is not None]

    def _find_called(self, called: str, shown: Shown, now_ms: int) -> Held | None:
        """Find a package by id, name or IRI here, else by the id it has at its city's portal."""
        held = self._finders.packages.find(called, shown.collections)
        if held is not None or not _UUID.match(called):
            return held
        query = Query(text=called, filters={"kind": KINDS}, limit=5, highlight=False, grouped=False)
        for hit in self._find(query, shown, now_ms).hits:
            package = next(iter(self._packages([hit.held])), {})
            extras = package.get("extras")
            values = [str(extra["value"]) for extra in extras] if isinstance(extras, list) else []
            if any(called.lower() in value.lower() for value in values):
                return hit.held
        return None

    def package_show(self, params: Params, now_ms: int) -> Json:
        """Give one package. Raises NotFound."""
        called = params.needed("id", "name_or_id")
        held = self._find_called(called, self._shown(), now_ms)
        packages = self._packages([held] if held else [])
        if not packages:
            raise NotFound(f"There is no dataset {called[:100]!r} here.")
        return packages[0]

    def package_list(self, params: Params, now_ms: int) -> list[str]:  # noqa: ARG002
        """List names."""
        return [name_of(held) for held in self._listed(params, most=MAX_NAMES)]

    def current_package_list_with_resources(self, params: Params, now_ms: int) -> list[Json]:  # noqa: ARG002
        """List packages."""
        return self._packages(self._listed(params, most=MAX_LIMIT))

    def _listed(self, params: Params, *, most: int) -> Sequence[Held]:
        limit, offset = params.number("limit", most, most=most), params.number("offset", 0)
        return self._finders.packages.page(self._shown().collections, offset=offset, limit=limit)

    # ------------------------------------------------------------ organisations, groups, tags

    def organization_list(self, params: Params, now_ms: int) -> list[object]:
        """List publishers."""
        counts = self._counted("publisher", now_ms)
        return self._list_of(params, "organizations", [(organisation_of(c.value, c.label), c.count) for c in counts])

    def organization_show(self, params: Params, now_ms: int) -> Json:
        """Give one publisher. Raises NotFound."""
        name = params.needed("id").strip().lower()
        found = self._of("publisher", name, params, now_ms)
        label = next((count.label for count in found.facets.get("publisher", ()) if count.value == name), "")
        if not found.total:
            raise NotFound(f"There is no organization {name[:100]!r} here.")
        return self._shown_with(organisation_of(name, label), found, params) | {"users": [], "groups": [], "extras": []}

    def group_list(self, params: Params, now_ms: int) -> list[object]:
        """List themes."""
        language = self._site.languages[0]
        counts = self._counted("theme", now_ms)
        return self._list_of(params, "groups", [(group_of(c.value, language), c.count) for c in counts])

    def group_show(self, params: Params, now_ms: int) -> Json:
        """Give one theme, whether or not any dataset has it. Raises NotFound."""
        code = ckan_query.theme_value(params.needed("id"))
        if lists.DATA_THEMES.by_code(code) is None:
            raise NotFound(f"There is no group {params.text('id')[:100]!r} here.")
        found = self._of("theme", code, params, now_ms)
        more: Json = {"type": "group", "is_organization": False, "state": "active", "users": [], "extras": []}
        return self._shown_with(group_of(code, self._site.languages[0]) | more, found, params)

    def tag_list(self, params: Params, now_ms: int) -> list[object]:
        """List keywords; there is no vocabulary of tags here."""
        wanted = params.text("query").strip().lower()
        if params.text("vocabulary_id"):
            return []
        names = sorted(count.value for count in self._counted("keyword", now_ms) if wanted in count.value)
        if not params.flag("all_fields"):
            return list(names)
        return [{"id": name, "name": name, "display_name": name, "vocabulary_id": None} for name in names]

    def license_list(self, params: Params, now_ms: int) -> list[Json]:  # noqa: ARG002
        """List licences."""
        found: list[Json] = []
        for count in self._counted("licence", now_ms):
            known = lists.LICENCES.by_code(count.value)
            facts = lists.facts(known.iri if known else "")
            is_open = facts.commercial == "yes" and facts.changes == "yes"
            title, url = facts.title.get("en", count.label), known.iri if known else ""
            found.append({"id": licence_id(count.value), "title": title, "url": url, "is_okd_compliant": is_open})
        return found

    def _counted(self, facet: str, now_ms: int) -> Sequence[Count]:
        query = Query(filters={"kind": KINDS}, limit=0, facets=(facet,), facet_limit=MAX_VALUES, highlight=False)
        query = replace(query, language=self._site.languages[0], grouped=False)
        return self._find(query, self._shown(), now_ms).facets.get(facet, ())

    def _list_of(self, params: Params, chosen: str, found: Sequence[tuple[Json, int]]) -> list[object]:
        """List what was counted, by name unless told otherwise."""
        limit, offset = params.number("limit", MAX_VALUES, most=MAX_VALUES), params.number("offset", 0)
        only = set(params.words(chosen))
        rows = [told | {"package_count": count} for told, count in found if not only or told["name"] in only]
        field, _, direction = (params.text("sort") or params.text("order_by") or "name asc").partition(" ")
        if field not in ("name", "title", "package_count", "packages"):
            raise Wrong({"sort": ["Sort by name, title or package_count."]})
        key = "package_count" if field.startswith("package") else field
        rows.sort(key=lambda row: (row[key], row["name"]), reverse=direction.strip().lower() == "desc")
        rows = rows[offset : offset + limit]
        return list(rows) if params.flag("all_fields") else [row["name"] for row in rows]

    def _of(self, facet: str, value: str, params: Params, now_ms: int) -> Results:
        limit = MAX_LIMIT if params.flag("include_datasets") else 0
        query = Query(filters={"kind": KINDS, facet: (value,)}, limit=limit, facets=(facet,), sort="title")
        query = replace(query, highlight=False, grouped=False, language=self._site.languages[0])
        return self._find(query, self._shown(), now_ms)

    def _shown_with(self, told: Json, found: Results, params: Params) -> Json:
        told = told | {"package_count": found.total}
        if params.flag("include_datasets"):
            told["packages"] = self._packages([hit.held for hit in found.hits])
        return told

    # ------------------------------------------------------------ the site

    def site_read(self, params: Params, now_ms: int) -> bool:  # noqa: ARG002
        """Say that the site may be read."""
        return True

    def status_show(self, params: Params, now_ms: int) -> Json:  # noqa: ARG002
        """Say what this is."""
        return {
            "site_title": self._site.city,
            "site_description": SCOPE,
            "site_url": self._site.base_url,
            "ckan_version": CKAN_VERSION,
            "software": f"citynode {self._site.software}",
            "error_emails_to": None,
            "locale_default": self._site.languages[0],
            "extensions": [],
        }

    def help_show(self, params: Params, now_ms: int) -> str:  # noqa: ARG002
        """Give the help of an action. Raises NotFound."""
        name = params.needed("name")
        if name not in TEXTS:
            raise NotFound(f"There is no action {name[:100]!r} here. There are: {', '.join(TEXTS)}.")
        return TEXTS[name]

    # ------------------------------------------------------------ what all of them use

    def _shown(self) -> Shown:
        federation = self._site.federation
        hidden = federation.view.hidden() if federation else frozenset[str]()
        return Shown(tuple(self._parts.reading.collections()), Sight(hidden))

    def _find(self, query: Query, shown: Shown, now_ms: int) -> Results:
        return self._finders.search.find(query, shown.sight, now_ms=now_ms)

    def packager(self) -> Packager:
        """Give what writes packages, with the cities' matches as they are now."""
        mapped = self._finders.vocabularies.book().code
        return Packager(self._site.base_url, self._site.languages, mapped, cities_of(self._parts))

    def _packages(self, helds: Sequence[Held]) -> list[Json]:
        """Write packages; one that was erased meanwhile is left out."""
        packager = self.packager()
        payloads = self._parts.reading.payloads(helds)
        return [packager.package(held, payload) for held, payload in zip(helds, payloads, strict=True) if payload]

    def _facets_of(self, params: Params) -> dict[str, str]:
        """Give the facets to count: our name by the one that was asked for."""
        if not params.flag("facet", default=True):
            return {}
        wanted = params.words("facet.field")
        unknown = [name for name in wanted if name not in ckan_query.FACETS]
        if unknown:
            known = ", ".join(ckan_query.FACETS)
            raise Malformed(f"facet.field={unknown[0][:60]!r} is not counted here.", fix=f"Facets: {known}.")
        return {name: ckan_query.FACETS[name][0] for name in wanted}

    def _told_facets(
        self, facets: Mapping[str, str], counts: Mapping[str, Sequence[Count]], params: Params
    ) -> dict[str, Json]:
        limit = params.number("facet.limit", 50, least=-1)
        least = params.number("facet.mincount", 1)
        told: dict[str, Json] = {"facets": {}, "search_facets": {}}
        for name, facet in facets.items():
            found = [count for count in counts.get(facet, ()) if count.count >= least]
            items = [_item(name, count) for count in (found if limit < 0 else found[:limit])]
            told["facets"][name] = {str(item["name"]): item["count"] for item in items}
            told["search_facets"][name] = {"title": _FACET_TITLES.get(name, name), "items": items}
        return told


def _item(field: str, count: Count) -> Json:
    name = count.value
    if field == "license_id":
        name = licence_id(name)
    elif field == "groups":
        name = name.lower()
    elif field in ("type", "dataset_type"):
        name = name.replace("-", "_")
    return {"name": name, "display_name": count.label or name, "count": count.count}


def _with(query: Query, asked: Asked) -> Query:
    return replace(
        query,
        text=" ".join(asked.texts),
        filters=asked.filters,
        excluded=asked.excluded,
        entered_ms=(asked.since_ms or None, asked.until_ms),
    )


def _listable(asked: Asked, query: Query, shown: Shown, own: str) -> tuple[str, ...] | None:
    """Give the collections that hold all that is asked for and nothing else; None where the index has to be asked."""
    filters = {name for name in asked.filters if name not in ("kind", "city", "collection")}
    beside = filters or asked.texts or asked.excluded or asked.until_ms is not None or query.iris or query.bbox
    if beside or set(asked.filters["kind"]) != set(KINDS):
        return None
    cities, named = asked.filters.get("city"), asked.filters.get("collection")
    return tuple(
        name
        for name in shown.collections
        if (cities is None or (name.rpartition("/")[0] or own) in cities) and (named is None or name in named)
    )


def _box_of(text: str) -> tuple[float, float, float, float] | None:
    if not text.strip():
        return None
    numbers = numbers_in(text)
    if len(numbers) != 4:
        raise Malformed(f"ext_bbox={text[:60]!r} is no box.", fix="Write west,south,east,north in degrees.")
    west, south, east, north = numbers
    return west, south, east, north
