"""What `help_show` says: one text for each action that this node answers, in the manner of CKAN's own.

Programs show these to people, so they say what differs from a stock CKAN: which fields and orders there are, how far
pages reach, and whose datasets they are. Texts only; what they promise is kept in `ckan_actions`.
"""

from node.web.ckan.query import FIELDS

SCOPE = (
    "This is a city node that speaks CKAN's Action API for reading. It answers for its own public datasets and for"
    " those it mirrors of other cities."
)
_PAGE = """:param limit: how many to give (default and most: {most})
:param offset: how many to leave out first (default: 0)"""

TEXTS: dict[str, str] = {
    "package_search": f"""Search for datasets.

{SCOPE}

:param q: words as people type them, or fields as in fq
:param fq: conditions, for example city:london AND res_format:CSV
:param fq_list: several of them, as a list
:param sort: score, metadata_modified, title_string, name, id or quality, with asc or desc; several are joined by
    commas, of which the first counts. name asc and id asc give a lasting order in which any number of datasets can be
    paged through; every other order reaches the first 10,000.
:param rows: how many datasets to give, at most 1000 (default: 10)
:param start: how many to leave out first (default: 0)
:param fl: fields to give of each dataset, as a list (default: all)
:param facet: false leaves facets out (default: true)
:param facet.field: facets to count, as a list, for example ["organization", "tags", "city"]
:param facet.limit: values of each facet, -1 for as many as there can be, 1000 (default: 50)
:param facet.mincount: the smallest count to give (default: 1)
:param ext_bbox: west,south,east,north in degrees

Fields: {", ".join(FIELDS)}. Clauses are joined by AND, OR, NOT, + and -; values may be "quoted", grouped as (a OR b),
and in title, notes and text end in *. metadata_modified takes a range: [2026-01-01T00:00:00Z TO *], [NOW-7DAYS TO NOW].
""",
    "package_show": f"""Give one dataset.

{SCOPE}

:param id: its id or name, the IRI under which its city publishes it, or the id it has at its city's portal""",
    "package_list": f"""List the names of all datasets: this city's own, then those of other cities.

{_PAGE.format(most="100000")}""",
    "current_package_list_with_resources": f"""List datasets whole, in the order of package_list.

{_PAGE.format(most="1000")}""",
    "organization_list": f"""List the publishers of datasets, at most 1000, those with most datasets first.

:param all_fields: give objects instead of names (default: false)
:param organizations: only these names, as a list
:param sort: name, title or package_count, with asc or desc
{_PAGE.format(most="1000")}""",
    "organization_show": """Give one publisher of datasets.

:param id: its name, which is its id too
:param include_datasets: give its datasets, at most 1000 (default: false)""",
    "group_list": f"""List the themes of datasets: those of the European Union, whatever a city's own are called.

:param all_fields: give objects instead of names (default: false)
:param groups: only these names, as a list
:param sort: name, title or package_count, with asc or desc
{_PAGE.format(most="1000")}""",
    "group_show": """Give one theme.

:param id: its name, the EU's code in lower case: tran
:param include_datasets: give its datasets, at most 1000 (default: false)""",
    "tag_list": """List keywords of datasets, at most the 1000 that are used most.

:param query: only those that hold these letters
:param all_fields: give objects instead of names (default: false)""",
    "license_list": """List the licences under which datasets are published here.""",
    "site_read": """Say whether this site may be read: always.""",
    "status_show": """Say what this site is.""",
    "help_show": """Give the help of an action.

:param name: the action's name""",
}
