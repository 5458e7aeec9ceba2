"""Submitting something as a person does: a form without an account, and the page that tells its sender how it stands.

The same door, bounds and words as for programs; what is wrong is said beside the field it concerns, in the reader's
language, and nothing that was typed is lost. The page of a submission has its secret in its address and is kept by
nobody.
"""

import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.catalog.submissions import KINDS, Standing
from node.errors import Conflict, Malformed, Unavailable
from node.vocab.kinds import TABLES
from node.web.forms.forms import Form
from node.web.forms.own import once, own_form, put_off, sender_of
from node.web.parts import Parts
from node.web.portal.submission_form import Wrong, described_in, groups_of, wrong_in
from node.web.ports.knowledge import Submissions
from node.web.wire import answer
from node.web.wire.limits import Limits
from node.web.wire.problems import Problem, problem_of
from node.web.wording.words import LANGUAGES, words

_MOST_ADDRESSES = 10


class SubmissionPages:
    """Shows the form, takes it, and tells how a submission stands."""

    def __init__(self, parts: Parts, submissions: Submissions, limits: Limits | None) -> None:
        """Submit to this queue."""
        self._parts, self._submissions, self._limits = parts, submissions, limits

    def empty(self, request: Request) -> Response:
        """Show the form; `about=` in the address names records that it was made with."""
        named = [each for each in request.query_params.getlist("about") if each.startswith(("http://", "https://"))]
        started = {"datasets": ["\n".join(named[:_MOST_ADDRESSES])[:4_000]]} if named else {}
        return self._form(request, Form(started))

    async def submit(self, request: Request) -> Response:
        """Take a form that was sent; show it again with what is wrong, or lead to the submission's page."""
        sent = await own_form(request, self._parts.site.base_url)
        caller = sender_of(request, self._limits)
        return await self._parts.thread(lambda: self._submit(request, sent, caller))

    def _submit(self, request: Request, sent: Form, caller: str) -> Response:
        kind, visitor = self._kind(sent), self._parts.pages.visitor(request)
        body = {
            "kind": kind,
            "language": sent.typed("language") or "en",
            "email": sent.typed("email"),
            "described": described_in(TABLES[kind], sent),
        }
        try:
            receipt = self._submissions.submit(body, caller=caller)
        except Malformed as error:
            if not error.places:
                raise
            wrong = wrong_in(TABLES[kind], error.places, error.place_codes)
            return self._form(request, sent, problem_of(error), [words(visitor.language, "submit.flawed")], wrong)
        except Conflict as error:
            return self._form(request, sent, problem_of(error), [words(visitor.language, "submit.same")])
        except Unavailable as error:
            notes = put_off(error, visitor.language, time.time_ns() // 1_000_000)
            return self._form(request, sent, problem_of(error), notes)
        query = f"?secret={receipt.secret}" + (f"&lang={visitor.language}" if visitor.chosen else "")
        where = f"{self._parts.pages.prefix}/submissions/{receipt.id}{query}"
        return RedirectResponse(where, status_code=303, headers={"cache-control": answer.NOT_KEPT})

    @staticmethod
    def _kind(sent: Form) -> str:
        kind = sent.typed("kind")
        return kind if kind in KINDS else KINDS[0]

    def _form(
        self,
        request: Request,
        sent: Form,
        no: Problem | None = None,
        notes: Sequence[str] = (),
        wrong: dict[str, Wrong] | None = None,
    ) -> Response:
        visitor, wrong, kind = self._parts.pages.visitor(request), wrong or {}, self._kind(sent)
        asked = sent.typed("language")
        body = self._parts.pages.render(
            "submission_form.html",
            visitor,
            nav="knowledge",
            kind=kind,
            groups=groups_of(TABLES[kind], visitor.language, sent=sent, wrong=wrong),
            written=asked if asked in LANGUAGES else visitor.language,
            email=sent.typed("email"),
            email_wrong="email" in wrong or any(one.key == "submit.wrong.email" for one in wrong.values()),
            general=None if "" not in wrong or wrong[""].key == "submit.wrong.email" else wrong[""],
            notes=notes,
            flawed_form=bool(wrong),
        )
        return once(request, body, visitor, no)

    def standing(self, request: Request, found: Standing) -> Response:
        """Tell the sender how it stands."""
        visitor = self._parts.pages.visitor(request)
        body = self._parts.pages.render("submission_standing.html", visitor, nav="knowledge", found=found)
        return once(request, body, visitor)
