"""What the search answers: hits, counts and where to go on. Values only; scores and term statistics are never told.

A `Hit` names records as the shelf holds them at the time of the answer, so that whoever shows it reads the same bytes
as everybody else. Restricted records stand in an answer only if its `Sight` showed them, also in counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from node.catalog.search.said import Where
from node.catalog.shelf import Held

Reason = Literal["publisher", "landing-page", "identifier"]


@dataclass(frozen=True, slots=True)
class Similar:
    """A record that looks like the same thing: the same title, and the same of what `reason` names.

    `tag` is the language of its title.
    """

    held: Held
    title: str
    reason: Reason
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One record found. `why_*` are escaped HTML with `<mark>` around what was asked for, or empty.

    `why_in` says of what `why_text` is a part: of the description (`text`), or, where that has none of the words, of a
    title in another language, a keyword, the publisher's name or a file's title. `why_tag` is the language of that.

    `also_via` are other collections in which the same record stands, best first.
    """

    held: Held
    title: str
    why_title: str = ""
    why_text: str = ""
    why_in: Where = ""
    why_tag: str = ""
    also_via: tuple[Held, ...] = ()
    similar: tuple[Similar, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """How many records there would be with this value of a facet added; `label` is the value where it has no name.

    `tag` is the language of a label that is the record's own words; empty where they name none, and for all others.
    """

    value: str
    label: str
    count: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """One answer. `facets` keep the order asked for.

    `total` counts records, each once however many routes it came by, near-duplicates each, and is a lower bound where
    not `exact`.

    `cursor` goes on after this page, empty at the end. `fuzzy` tells that nothing had all the words as they were
    typed, so that these are records with similar or with most of the words. `renewed` tells that the index changed
    since the page before, so that records may come again. `cut` tells that the text was too long to be read whole.
    """

    total: int
    exact: bool
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[Count, ...]] = field(default_factory=dict)
    cursor: str = ""
    did_you_mean: str = ""
    fuzzy: bool = False
    generation: str = ""
    renewed: bool = False
    cut: bool = False
