"""The desk of pulls: what a person, a program or the worker does with data that this city gets.

Behind the command line, the staff's API and the desk's pages alike. What is begun here for a program or a page is done
by the worker, into the node's own folder or an S3 store, never to a path that came over the network; a command does its
own, wherever its user may write.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from node.errors import AlreadyRunning, Conflict, Malformed, NodeError, NotFound, Stopped
from node.federation.agreement_desk.view import moment
from node.federation.moved import PullTold, PullWish
from node.federation.moving import checked_part
from node.federation.pulls.agreeing import Terms, purpose_of
from node.federation.pulls.files import checked_target, is_remote
from node.federation.pulls.finding import Finder, Found
from node.federation.pulls.ports import Tell, tell_nobody
from node.federation.pulls.runner import Runner
from node.federation.pulls.store import MAX_LIST, WORKER, Progress, Pull, PullStore, Wanted, holder

_logger = logging.getLogger("citynode.pulls")
MAX_MESSAGE = 2_000
_LEASE_LOOK_S = 0.5
_WORKER_WAIT_S = 1.0  # the next round asks again


class PullOffice:
    """The desk. Safe to share by threads; methods block, those that speak with a city as long as it takes."""

    def __init__(
        self,
        store: PullStore,
        runner: Runner,
        finder: Finder,
        terms: Terms,
        *,
        received: Path,
        clock_ms: Callable[[], int],
    ) -> None:
        """Work with these; `received` is the folder for what nobody names a place for."""
        self._store, self._runner, self._finder, self._terms = store, runner, finder, terms
        self._received, self._clock_ms = received, clock_ms

    # ---------------------------------------------------------------- reading

    def list(self, *, ended: bool = False, limit: int = MAX_LIST) -> Sequence[Pull]:
        """Give pulls, the newest first."""
        return self._store.list(ended=ended, limit=limit)

    def show(self, number: int) -> Pull:
        """Give one. Raises NotFound."""
        return self._store.get(number)

    def find(self, dataset: str, peer: str = "") -> Found:
        """Say which dataset is meant. Raises NotFound, Conflict, PeerUnreachable."""
        return self._finder.find(dataset, peer)

    # ---------------------------------------------------------------- beginning

    def begin(self, wanted: Wanted) -> Pull:
        """Write down what the worker shall get; the same wish again gives the same pull.

        Raises:
            NotFound, Conflict, PeerUnreachable: It is not known which dataset is meant.
            NotAgreed: No agreement permits it, and none may be asked for; or the one that is named is none of it.
            Malformed: The target is a path, or a purpose or part is none.
        """
        if wanted.target and not is_remote(wanted.target):
            raise Malformed(
                "A path of this machine can only be named on its command line.", fix="Name s3://BUCKET/KEY."
            ).on_page("no.data.target", field="target")
        whole, found = self._whole(wanted)
        if not whole.ask and not self._terms.auto_templates:
            self._terms.under(found, whole.purpose, self._clock_ms(), named=whole.agreement)
        held = self._store.same(whole)
        return held or self._store.add(whole, state="waiting", now_ms=self._clock_ms())

    def fetch(self, wanted: Wanted, *, stop: threading.Event, tell: Tell = tell_nobody, wait_s: float = 0) -> Pull:
        """Get data now, in this process; the same wish again goes on where it stopped.

        Raises what `begin` and `Runner.run` raise.
        """
        whole, _ = self._whole(wanted)
        held = self._store.same(whole)
        pull = held or self._store.add(whole, state="stopped", now_ms=self._clock_ms())
        until = time.monotonic() + wait_s
        while True:
            try:
                return self._runner.run(pull.id, holder("command"), stop=stop, tell=tell, wait_s=wait_s)
            except AlreadyRunning as error:
                # The worker is at it, another command, or nobody any more: a lease outlives whoever was killed.
                if time.monotonic() >= until or stop.wait(_LEASE_LOOK_S):
                    raise
                tell(0, 0, error.message)
            except Conflict:
                if self._store.get(pull.id).state != "done":
                    raise
                return self._store.get(pull.id)

    def _whole(self, wanted: Wanted) -> tuple[Wanted, Found]:
        """Read a wish strictly: the dataset by its IRI, the purpose by its IRI, the target absolute."""
        found = self._finder.find(wanted.dataset, wanted.peer)
        part = checked_part(wanted.part) if wanted.part else ""
        purpose = purpose_of(wanted.purpose)
        named = self._terms.called(found, wanted.agreement, self._clock_ms()) if wanted.agreement else ""
        target = checked_target(wanted.target) if wanted.target else f"{self._received}/{_folder(found, purpose)}/"
        return (
            Wanted(
                dataset=found.dataset,
                purpose=purpose,
                part=part,
                peer=found.peer,
                target=target,
                format=wanted.format,
                by=wanted.by,
                ask=wanted.ask and not named,
                agreement=named,
            ),
            found,
        )

    def request(self, wanted: Wanted, message: str = "") -> str:
        """Ask a city for access to a dataset for a purpose; give the negotiation.

        Nothing is agreed by it: the other city answers with its terms, and persons of both approve them.
        """
        if not wanted.purpose:
            raise Malformed(
                "Access is asked for a purpose.",
                fix="Name it: --purpose AcademicResearch",
            ).on_page("no.data.purpose_needed", field="purpose")
        if len(message) > MAX_MESSAGE or not message.replace("\n", " ").isprintable():
            raise Malformed(
                f"A message has at most {MAX_MESSAGE} printable letters.",
            ).on_page("no.data.message", field="message", most=MAX_MESSAGE)
        found = self._finder.find(wanted.dataset, wanted.peer)
        purpose = purpose_of(wanted.purpose)
        return self._terms.asked(found, purpose, message, by=wanted.by, now_ms=self._clock_ms())

    # ---------------------------------------------------------------- going on and ending

    def resume(self, number: int) -> Pull:
        """Let the worker go on with a pull, a failed one from its beginning. Raises NotFound, Conflict."""
        return self._store.hand_over(number, self._clock_ms())

    def cancel(self, number: int) -> Pull:
        """End a pull and its transfer; what is not whole of it is removed. Raises NotFound, Conflict."""
        was_held = self._store.get(number).held(self._clock_ms())
        gone = self._store.cancel(number, self._clock_ms())
        if not was_held:  # whoever is at it does it when they stop
            self._runner.give_up(gone, "cancelled")
        return gone

    # ---------------------------------------------------------------- the worker

    def due(self, now_ms: int) -> Sequence[tuple[int, str]]:
        """Give number and city of those that the worker may go on with now.

        What a command left lying ends here with its agreement: nobody may go on with it, nor keep what came of it.
        """
        for number, agreement in self._store.left_lying(now_ms):
            if error := self._terms.over(agreement, now_ms):
                self._end(number, error)
        return self._store.due(now_ms)

    def _end(self, number: int, error: NodeError) -> None:
        try:
            self._runner.end(number, holder(WORKER), error)
        except NodeError as trouble:  # somebody is at it, or the database is busy: the next look sees
            _logger.debug("pull %s is not ended now: %s", number, trouble)

    def go_on(self, number: int, stop: threading.Event) -> None:
        """Go on with one, as the worker; nothing but a fault of ours gets out."""
        try:
            found = self._runner.run(number, holder(WORKER), stop=stop, wait_s=_WORKER_WAIT_S)
            _logger.info("pull %s is %s: %s", number, found.state, found.said or "all of it is here")
        except Stopped:
            _logger.info("pull %s was stopped", number)
        except NodeError as error:
            _logger.warning("pull %s: %s", number, error, extra={"code": error.code})


class PullDesk:
    """What the desk's pages do with pulls, in their words."""

    def __init__(self, office: PullOffice) -> None:
        """Work with the office."""
        self._office = office

    def pulls(self, *, ended: bool = False) -> Sequence[PullTold]:
        """List what we asked for, the newest first."""
        return [told(each) for each in self._office.list(ended=ended)]

    def pull(self, number: int) -> PullTold:
        """Tell of one. Raises NotFound."""
        return told(self._office.show(number))

    def get(self, wish: PullWish, *, by: str) -> PullTold:
        """Ask for data; the worker does it. Raises NotFound, NotAgreed, Malformed, Conflict."""
        wanted = Wanted(wish.dataset, wish.purpose, wish.part, wish.peer, by=by)
        return told(self._office.begin(wanted))

    def ask_access(self, wish: PullWish, *, message: str, by: str) -> str:
        """Ask the other city for an agreement; give the negotiation. Raises NotFound, Malformed."""
        return self._office.request(Wanted(wish.dataset, wish.purpose, peer=wish.peer, by=by), message)

    def resume_pull(self, number: int) -> None:
        """Go on where one stopped. Raises NotFound, Conflict."""
        self._office.resume(number)

    def cancel_pull(self, number: int) -> None:
        """End one. Raises NotFound, Conflict."""
        self._office.cancel(number)


def told(pull: Pull) -> PullTold:
    """Tell of a pull to whoever looks on."""
    return PullTold(
        number=pull.id,
        dataset=pull.dataset,
        part=pull.part,
        peer=pull.peer,
        purpose=pull.purpose,
        format=pull.format,
        target=pull.target,
        agreement=pull.agreement,
        transfer=pull.transfer,
        state=pull.state,
        said=pull.said,
        got=pull.got,
        total=pull.total,
        by=pull.by,
        at_ms=pull.at,
        changed_ms=pull.changed_at,
    )


def shown(pull: Pull) -> dict[str, object]:
    """Say a pull in JSON values."""
    return {
        "id": pull.id,
        "state": pull.state,
        "said": pull.said,
        "dataset": pull.dataset,
        "part": pull.part,
        "peer": pull.peer,
        "purpose": pull.purpose,
        "format": pull.format,
        "to": pull.target,
        "agreement": pull.agreement,
        "negotiation": pull.negotiation,
        "transfer": pull.transfer,
        "got": pull.got,
        "total": pull.total,
        "parts": [_part(name, each, here=not is_remote(pull.target)) for name, each in sorted(pull.parts.items())],
        "by": pull.by,
        "at": moment(pull.at),
        "changed_at": moment(pull.changed_at),
    }


def _part(name: str, progress: Progress, *, here: bool) -> dict[str, object]:
    return {
        "part": name,
        "got": progress.got,
        "size": progress.size if progress.size >= 0 else None,
        "digest": progress.digest,
        "type": progress.media_type,
        "filtered": progress.filtered,
        "file": progress.file if here else "",
    }


def _folder(found: Found, purpose: str) -> str:
    """Give the folder for a dataset and a purpose among what was received.

    By its city and the end of its address, and a mark, since another dataset may end so; and what may be used for one
    purpose never replaces what was had for another.
    """
    end = found.dataset.rstrip("/").rpartition("/")[2]
    kept = "".join(each if each.isalnum() or each in "._-" else "-" for each in end).strip(".-")[:80]
    if not kept:
        raise NotFound("The dataset's address has no end that names it.").on_page("no.data.unnamed", field="dataset")
    mark = hashlib.sha256(f"{found.dataset} {purpose}".encode()).hexdigest()[:8]
    return f"{found.peer}/{kept}-{mark}"
