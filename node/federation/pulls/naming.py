"""How parts that are whole get their names: what is anybody else's is never replaced, and nothing signed for is lost.

A receipt is signed first and names are given then: whoever watches the folder finds no data that nobody has signed for,
and an earlier version stays until the new one is acknowledged. So whatever can stand in the way of a name is looked at
before the first byte and once more before the signature; what goes wrong after it leaves the parts beside their places,
says why, and is tried again. Which parts have their names is written down, and never guessed.
"""

import logging
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from node.errors import Conflict, NodeError, Refused, Unavailable
from node.federation.moving import PUSH
from node.federation.pulls.files import Lost, Places, is_remote, is_there, mark_of, sync_folder, unwritable
from node.federation.pulls.store import Progress, Pull, PullStore

_logger = logging.getLogger("citynode.pulls")
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Naming:
    """Gives parts their names. `stop` ends the reading of what lies there."""

    store: PullStore
    clock_ms: Callable[[], int]

    # ---------------------------------------------------------------- before anything is signed

    def check(self, pull: Pull, places: Places, stop: Stop) -> None:
        """See that nothing is in the way of any name.

        Raises:
            Conflict: There is a folder of that name or what is no plain file, or a file that is not as an earlier pull
                of the same left it.
        """
        self._check(pull, [places.final(name) for name in places.names], stop)

    def prepare(self, pull: Pull, places: Places, stop: Stop) -> None:
        """See that each part lies there as it was proven, and that it can be named.

        Raises:
            Lost: A part is not here any more as it was proven.
            Refused, Conflict: It cannot be named.
        """
        waiting = {name: part for name, part in pull.parts.items() if not part.named}
        for name, part in waiting.items():
            if mark_of(places.unfinished(name)) != part.mark:
                raise Lost(places.unfinished(name))
        finals = [] if is_remote(pull.target) else [places.final(name) for name in waiting]
        self._check(pull, finals, stop)
        for final in finals:
            _make_way(final, places.folder)

    def _check(self, pull: Pull, finals: Sequence[Path], stop: Stop) -> None:
        for final in finals:
            above = next(each for each in final.parents if os.path.lexists(each))
            if not above.is_dir() or (final.is_dir() and not final.is_symlink()):
                what = f"{final} is a folder" if above.is_dir() else f"{above} is a file, and no folder"
                raise Conflict(f"{what}.", fix="Name another place with --to.")
            if _is_no_file(final):
                what = f"{final} is there already, and is a link, a pipe or a device"
                raise Conflict(f"{what}.", fix="Name another place with --to.")
        if is_remote(pull.target) or not pull.target.endswith("/"):
            return  # whoever names a file wants it there
        standing = [each for each in finals if os.path.lexists(each)]
        left = self.store.left(pull.dataset, pull.purpose) if standing else {}
        for final in standing:
            if not any(_is_as(final, each, stop) for each in left.get(str(final), ())):
                raise Conflict(
                    f"{final} is there already, and not as an earlier pull of this dataset left it.",
                    fix="Move it away, or name another place with --to.",
                )

    # ---------------------------------------------------------------- once all of it is signed for

    def appear(self, pull: Pull, places: Places, stop: Stop) -> None:
        """Give every part that is whole its name, and write down which have it; repeatable.

        Raises:
            Unavailable: Something stands in the way; what has no name yet waits beside.
            Refused: A part is not here any more.
        """
        parts, troubles = self._given(pull, places, stop)
        if parts != pull.parts:
            self.store.keep(pull, self.clock_ms(), parts=parts)
        for trouble in troubles:
            raise trouble

    def rescue(self, pull: Pull, places: Places) -> None:
        """Give names to what was signed for, of a pull that is over; what cannot have one stays beside its place."""
        parts, troubles = self._given(pull, places, lambda: False)
        self.store.record(pull.id, parts)
        for trouble in troubles:
            _logger.warning("pull %s: %s", pull.id, trouble)

    def _given(self, pull: Pull, places: Places, stop: Stop) -> tuple[Mapping[str, Progress], list[NodeError]]:
        parts, troubles = dict(pull.parts), []
        for name, part in pull.parts.items():
            if part.is_whole and not part.named and not is_remote(pull.target):
                try:
                    parts[name] = self._named(pull, places, name, stop)
                except NodeError as error:
                    troubles.append(error)
        return parts, troubles

    def _named(self, pull: Pull, places: Places, name: str, stop: Stop) -> Progress:
        part, unfinished, final = pull.parts[name], places.unfinished(name), places.final(name)
        if _is_as(unfinished, part, stop):
            try:
                self._check(pull, [final], stop)
                _make_way(final, places.folder)
                unfinished.replace(final)
            except (OSError, Refused) as error:
                why = error.message if isinstance(error, Refused) else f"{final}: {error.strerror}."
                fix = f"What was signed for waits in {places.folder}. Mend that, then resume."
                raise Unavailable(why, fix=fix) from error
            sync_folder(final.parent)
        elif not is_there(final, part.got, part.digest, stop):  # unless a kill came before it was written down
            raise Refused(f"{name} is not here any more as it came.", fix="Get it again.")
        return replace(part, named=True, mark=mark_of(final), file=str(final))


def place_of(pull: Pull, own: Path) -> str:
    """Say where what a pull brought was put, or lies without a name; empty where nothing of it is left.

    `own` is the node's own folder for what goes elsewhere. Where somebody moved or copied it since is not known here.
    """
    parts = pull.parts.values()
    is_there = pull.state == "done" or any(each.named for each in parts)
    # To a store elsewhere it goes before anybody signs; a push lies at our door until all of it is there.
    is_sent = is_remote(pull.target) and bool(parts) and all(each.is_whole for each in parts)
    if is_there or is_sent or (pull.format == PUSH and not pull.is_over):
        return pull.target
    beside = Places(pull.target, own / str(pull.id), pull.transfer, ()).folder
    return str(beside) if pull.transfer and beside.exists() else ""


def lying(pull: Pull, own: Path) -> Sequence[str]:
    """Name the files of this machine that stand where a pull put them, or lie without a name; whosever they are now.

    `own` is as in `place_of`. What was sent to a store elsewhere is not looked at.
    """
    named = () if is_remote(pull.target) else pull.parts.values()
    finals = [each.file for each in named if each.file and (each.named or pull.state == "done")]
    found = [file for file in finals if os.path.lexists(file)]
    beside = Places(pull.target, own / str(pull.id), pull.transfer, ()).folder
    if pull.transfer and beside.is_dir():
        found += sorted(str(each) for each in beside.iterdir())
    return found


def _is_as(path: Path, part: Progress, stop: Stop) -> bool:
    """Tell whether a file is as a part was proven: untouched since then, or else by its very bytes."""
    return bool(part.mark and mark_of(path) == part.mark) or is_there(path, part.got, part.digest, stop)


def _is_no_file(path: Path) -> bool:
    """Tell whether something stands there that is no plain file, such as a link: to replace it is nobody's wish."""
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _make_way(final: Path, beside: Path) -> None:
    """Make the folder of a name, and see that a file can be put there in one step. Raises Refused, Unavailable."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.parent.stat().st_dev != beside.stat().st_dev:
            raise Refused(
                f"{final.parent} is on another disk than {beside.parent}.", fix="Name another place with --to."
            )
    except OSError as error:
        raise unwritable(final, error) from error
    if not os.access(final.parent, os.W_OK | os.X_OK):
        raise Refused(f"Nothing can be written into {final.parent}.", fix="Name another place with --to.")
