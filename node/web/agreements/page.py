"""The page of one agreement, put together: how it stands, who signed, what would be allowed, what changed, its course.

Everything comes from the record, from the public journal it stands in and from what the federation tells everyone
(`Register`); nothing is looked up that the reader of the record may not see. Signatures are checked whenever the page
is made. Slow enough to be made beside the event loop.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from node.errors import NodeError
from node.federation.agreement_desk.register import Checked, Kept, Step
from node.federation.policy.redline import Change, redline
from node.web.addresses import is_mirror
from node.web.agreements.allowed import Trial, trial_of
from node.web.agreements.found import Found, every_public, view_in, word_of
from node.web.agreements.named import Place, places_of
from node.web.agreements.view import AgreementView
from node.web.pages import Visitor
from node.web.parts import Parts
from node.web.ports.ports import Held

DAY_MS = 86_400_000
# States in which nothing more is to come.
_OVER = frozenset({"revoked", "superseded", "expired"})


@dataclass(frozen=True, slots=True)
class Mark:
    """One point in the course: `said` is a key of the words with `values`, `style` of the sheet: done, held, off."""

    at_ms: int
    said: str
    style: str
    values: Mapping[str, object]
    reason: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Keeping:
    """How one collection is shared: its title, where it is shown here, how many records, what was refused by code."""

    title: str
    local: str
    mirrored: bool
    records: int
    refused: Sequence[tuple[str, int]]

    @property
    def refusals(self) -> int:
        """Count what was refused."""
        return sum(count for _, count in self.refused)


@dataclass(frozen=True, slots=True)
class Told:
    """All that the page says. `by` names the city whose word the state is, if it is the word of one.

    `exportable`: whether anybody may take the file that proves it. `places` is what it covers and the reader
    may see, by IRI.
    """

    view: AgreementView
    state: str
    by: str
    reason: str
    days: int
    checked: Checked | None
    unknown: Sequence[str]
    trial: Trial
    changes: Sequence[Change]
    before: Found | None
    after: Found | None
    course: Sequence[Mark]
    kept: Sequence[Keeping]
    exportable: bool
    places: Mapping[str, Place]

    @property
    def refusals(self) -> int:
        """Count what was refused of all that it opens."""
        return sum(each.refusals for each in self.kept)


def told_of(parts: Parts, held: Held, visitor: Visitor, now_ms: int) -> Told | None:
    """Put the page together; None for a record that holds no agreement this node can read."""
    view = view_in(parts, held, visitor.language, now_ms)
    if view is None:
        return None
    register = parts.site.federation.agreeing.register if parts.site.federation else None
    standing = word_of(parts, held, register.standing(view.iri) if register else None, view.state, view.reason)
    checked = register.check(view.text.signed) if register else None
    before, after = _neighbours(parts, view, standing.state, now_ms)
    old = view_in(parts, before.held, visitor.language, now_ms) if before else None
    steps = register.course(held.collection, held.iri) if register else ()
    titles = _titles(parts)
    return Told(
        view=view,
        state=standing.state,
        by=standing.by,
        reason=standing.reason,
        days=max(0, (view.ends_at_ms - now_ms) // DAY_MS),
        checked=checked,
        unknown=[parts.city_at(url) for url in checked.unknown] if checked else (),
        trial=trial_of(view, dict(visitor.query), now_ms, _naming(titles), state=standing.state),
        changes=_changes(old, view),
        before=before,
        after=after,
        course=_course(steps, view, standing.state, now_ms),
        kept=_kept(parts, register.kept(view.iri) if register else (), titles),
        exportable=register is not None and _is_everyones(parts, held, view),
        places=places_of(parts, view),
    )


def _is_everyones(parts: Parts, held: Held, view: AgreementView) -> bool:
    """Tell whether its cities publish it and everybody may see this record of it."""
    public = parts.reading.collections()[held.collection].visibility == "public"
    return public and bool(view.text.about.get("public"))


def _titles(parts: Parts) -> dict[str, str]:
    return {info.iri: info.title for info in parts.reading.collections().values()}


def _naming(titles: Mapping[str, str]) -> Callable[[str], str]:
    return lambda iri: titles.get(iri) or iri.rstrip("/").rpartition("/")[2] or iri


def _neighbours(parts: Parts, view: AgreementView, state: str, now_ms: int) -> tuple[Found | None, Found | None]:
    """Find the public agreement that this one replaced, and the one that took its place, where there may be one."""
    found = every_public(parts, now_ms) if view.replaces or state == "superseded" else []
    before = next((each for each in found if view.replaces and each.text.iri == view.replaces), None)
    after = next((each for each in found if each.replaces == view.iri), None)
    return before, after


def _changes(old: AgreementView | None, new: AgreementView) -> list[Change]:
    if old is None:
        return []
    try:
        found = redline(old.terms, new.terms, new.language)
    except NodeError:
        return []
    # That it replaces the other one is what the heading says.
    return [each for each in found if each.kind != "same" and not _is_about(each, "about-replaces")]


def _is_about(change: Change, clause: str) -> bool:
    one = change.new or change.old
    return one is not None and one.clause == clause


def _course(steps: Sequence[Step], view: AgreementView, state: str, now_ms: int) -> list[Mark]:
    """Give what happened and what is to come, the newest first; of one moment what was done later."""
    found = [
        Mark(each.at_ms, f"agreement.step.{each.order}", "done", {"city": each.city})
        for each in view.signatures
        if each.at_ms
    ]
    begun = False
    for step in steps:
        said = "again" if begun and step.state == "in-force" else step.state
        style = "held" if step.state in ("suspended", "withdrawn") else "done"
        found.append(Mark(step.at_ms, f"agreement.step.{said}", style, {}, step.reason, step.seq))
        begun = True
    if view.ends_at_ms and (view.ends_at_ms <= now_ms or state not in _OVER):
        style = "done" if view.ends_at_ms <= now_ms else "off"
        found.append(Mark(view.ends_at_ms, "agreement.step.ends", style, {}))
    return sorted(found, key=lambda each: each.at_ms)[::-1]


def _kept(parts: Parts, kept: Sequence[Kept], titles: Mapping[str, str]) -> list[Keeping]:
    shown = parts.reading.collections()
    return [
        Keeping(
            title=titles.get(each.iri) or each.local,
            local=each.local,
            mirrored=is_mirror(each.local),
            records=parts.reading.count(each.local),
            refused=each.refused,
        )
        for each in kept
        if each.local in shown
    ]
