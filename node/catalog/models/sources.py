"""Where a tileset's further files come from: a folder, an archive that was unpacked, or whoever fetches for the child.

A source gives a file by its address relative to the tileset, or says why not; it never leaves its folder, its archive
or its origin. Contents (meshes, point clouds) are never read, at most looked for by name.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from node.errors import Forbidden, NotFound
from node.vocab.notes import shorten


class Source(Protocol):
    """Gives the files of one tileset."""

    def join(self, base: str, uri: str) -> str:
        """Resolve an address that stands in the file `base`."""
        ...

    def open(self, address: str) -> Path:
        """Give the file at a resolved address.

        Raises:
            NotFound: It is not there, or could not be fetched.
            Forbidden: It lies elsewhere, where this source does not go.
        """
        ...

    def lacks(self, address: str) -> bool:
        """Tell that a file is surely missing; False also where nobody can know without fetching it."""
        ...


class Folder:
    """Files below one folder. `names` are further ones that exist but were not unpacked."""

    def __init__(self, root: Path, names: Collection[str] = frozenset()) -> None:
        """Open nothing yet."""
        self._root = root.resolve()
        self._names = names

    def join(self, base: str, uri: str) -> str:
        """Resolve an address; one that names a scheme, a host or a root stays as it is."""
        try:
            parts = urlsplit(uri)
        except ValueError:
            return uri
        return uri if parts.scheme or parts.netloc or uri.startswith("/") else _joined(base, uri)

    def open(self, address: str) -> Path:
        """Give the file at a resolved address."""
        path = self._path(address)
        if not _is_file(path):
            raise NotFound(f"{shorten(address)} is not there.")
        return path

    def lacks(self, address: str) -> bool:
        """Tell that a file is missing; what lies outside the folder is not looked for."""
        if address in self._names:
            return False
        try:
            return not _is_file(self._path(address))
        except NotFound:
            return True
        except Forbidden:
            return False

    def _path(self, address: str) -> Path:
        if _parts(address).scheme or address.startswith("/"):
            raise Forbidden(f"{shorten(address)} lies elsewhere.")
        try:
            path = (self._root / address).resolve()
        except (OSError, ValueError) as error:  # its message would name a folder of this machine
            raise NotFound(f"{shorten(address)} cannot be the name of a file.") from error
        if not path.is_relative_to(self._root):
            raise Forbidden(f"{shorten(address)} lies outside the tileset's folder.")
        return path


class Asked:
    """Files of one web origin, fetched by somebody else: `ask` gives the path of a fetched file or raises NotFound."""

    def __init__(self, base: str, ask: Callable[[str], Path]) -> None:
        """Ask for nothing yet."""
        self._origin = _origin(base)
        self._ask = ask

    def join(self, base: str, uri: str) -> str:
        """Resolve an address."""
        try:
            return urljoin(base, uri)
        except ValueError:
            return uri

    def open(self, address: str) -> Path:
        """Have the file fetched."""
        if _origin(address) != self._origin:
            raise Forbidden(f"{shorten(address)} lies at another origin.")
        return self._ask(address)

    def lacks(self, address: str) -> bool:  # noqa: ARG002  (the protocol's)
        """Nobody knows without asking, and contents are not asked for."""
        return False


def _is_file(path: Path) -> bool:
    """Tell whether a file is there; one whose name is longer than a name may be is not."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _parts(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError as error:
        raise Forbidden(f"{shorten(address)} is no address.") from error


def _origin(url: str) -> tuple[str, str]:
    parts = _parts(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _joined(base: str, uri: str) -> str:
    """Resolve an address against a file's, both within one folder; more dots than folders stay in front."""
    steps = base.split("/")[:-1]
    for step in unquote(urlsplit(uri).path).split("/"):
        if step == ".." and steps and steps[-1] != "..":
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)
