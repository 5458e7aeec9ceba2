"""What a clause names, as readers know it: by its title with a link, marked where that is in another language.

The address stays beside the title, as the sentence has it: it is what was agreed. The desk shows the same sentences to
staff, without links.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from node.web.addresses import At, is_mirror
from node.web.agreements.view import AgreementView
from node.web.parts import Parts
from node.web.ports.ports import CollectionInfo
from node.web.wording import text
from node.web.wording.words import title_language, title_said


@dataclass(frozen=True, slots=True)
class Place:
    """What a clause names: what it is called for the reader, and the path of its page, if it has one.

    `lang` and `mark` say that the title is in another language; `written` is the name in the sentence, if it is not
    the title.
    """

    title: str
    path: str = ""
    lang: str = ""
    mark: str = ""
    written: str = ""

    def shown(self, link: Callable[[str], str]) -> Markup:
        """Write the title."""
        lang = Markup(' lang="{}"').format(self.lang) if self.lang else ""
        if self.path:
            made = Markup('<a href="{}"{}>{}</a>').format(link(self.path), lang, self.title)
        else:
            made = Markup("<span{}>{}</span>").format(lang, self.title) if lang else escape(self.title)
        return made + (Markup(' <span class="lang">{}</span>').format(self.mark) if self.mark else "")


def linked(said: str, places: Mapping[str, Place], link: Callable[[str], str]) -> Markup:
    """Write a sentence with what each thing that it names is called; the address stays beside it."""
    made = escape(said)
    for iri, place in places.items():
        exact = escape(f"<{iri}>")
        named = Markup("{} {}").format(place.shown(link), exact)
        full = escape(f"{place.written or place.title} ") + exact
        made = Markup(str(made).replace(str(full if full in made else exact), str(named)))  # noqa: S704 (of escaped parts)
    return made


def title_of(info: CollectionInfo, reader: str, city: str) -> text.Said:
    """Give a collection's title for a reader; `city` is the language that the city writes its own in."""
    title = title_said(info.title, reader)
    # In which language another city named it, it does not say.
    return text.told(title, reader if is_mirror(info.name) else title_language(title, city), reader)


def places_of(parts: Parts, view: AgreementView) -> dict[str, Place]:
    """Give what an agreement covers and is shown here, by IRI; of a collection that is held twice, ours."""
    by_iri: dict[str, CollectionInfo] = {}
    for info in sorted(parts.reading.collections().values(), key=lambda each: (is_mirror(each.name), each.name)):
        by_iri.setdefault(info.iri, info)
    found: dict[str, Place] = {}
    for iri in view.covers:
        if iri in by_iri:
            info = by_iri[iri]
            said, path = title_of(info, view.language, parts.site.languages[0]), f"/collections/{info.name}"
            found[iri] = Place(said.text or info.name, path, said.lang, said.mark(view.language))
        elif held := parts.reading.find_iri(iri):
            found[iri] = Place(iri.rstrip("/").rpartition("/")[2] or iri, At("", held).page)
    return found
