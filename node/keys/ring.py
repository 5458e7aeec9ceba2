"""The node's keys: which one signs what, and how it hands over to the next.

The private keys are files named by purpose; `keys.json` beside them says which are in use and keeps the public side of
all that ever were. Reading takes no lock: a rotation puts every file in place before the one step that makes it happen,
and whoever reads across that step reads again. A running process sees by one `stat` that there was one. Nothing here
reads a clock; a private key that was published is never replaced by a new one because its file is gone.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from node.errors import AlreadyRunning, Conflict, Malformed, Misconfigured, NotFound
from node.keys import files, history
from node.keys.history import History, Mark
from node.keys.jwt import signed_jwt
from node.keys.public import ALGORITHM, PURPOSES, PublicKey, Purpose
from node.keys.rotation import endorsement
from node.keys.signer import FileSigner, PrivateKey, Signer, generated

DAY_MS = 24 * 3600 * 1000
OVERLAP_MS = 7 * DAY_MS
MAX_OVERLAP_MS = 366 * DAY_MS
_MAX_PASSPHRASE_BYTES = 1023  # what the library under us takes
_TRIES = 5


@dataclass(frozen=True, slots=True)
class _State:
    """What the folder said when it was last read; `signers` by the thumbprint of their key."""

    mark: Mark | None
    history: History
    signers: Mapping[str, Signer]


class Keyring:
    """The keys of one node; safe to use from several threads and processes."""

    def __init__(self, folder: Path, passphrase: str = "") -> None:
        """Read the keys.

        Raises:
            Misconfigured: A key is missing or broken, somebody else on the host may read it, or the passphrase does
                not open it.
        """
        self._folder = folder
        self._passphrase = passphrase
        self._state = _load(folder, passphrase)

    @classmethod
    def create(cls, folder: Path, passphrase: str = "", *, now_ms: int = 0) -> "Keyring":
        """Make the folder and the keys that are missing, never touching one that exists, and read them all."""
        files.make_folder(folder)
        with files.held(folder):
            _complete(folder, passphrase, now_ms)
        return cls(folder, passphrase)

    @classmethod
    def opened(cls, folder: Path, passphrase: str = "", *, now_ms: int) -> "Keyring":
        """Read the keys of a node that was made before, with what has become due.

        Purposes that an older program did not know get their keys, and a rotation that was broken off is ended. Unlike
        `create` it makes nothing where nothing is: a node whose keys are lost must not start with others.
        """
        if _is_unfinished(folder):
            with files.held(folder):
                _complete(folder, passphrase, now_ms)
        return cls(folder, passphrase)

    @property
    def fingerprint(self) -> str:
        """Give the city's fingerprint: the thumbprint of the key that signs its statement."""
        return self.current("entity").kid

    def current(self, purpose: Purpose) -> PublicKey:
        """Give the key in use."""
        return _current(self._fresh().history, purpose)

    def published(self, purpose: Purpose | None = None) -> list[PublicKey]:
        """List every key there ever was: those in use first, then those that sign for a while yet, then the others."""
        return self._fresh().history.published(purpose)

    def public_key(self, purpose: Purpose) -> bytes:
        """Give the 32 bytes of an Ed25519 key in use."""
        return self.current(purpose).raw

    def sign(self, purpose: Purpose, message: bytes) -> bytes:
        """Give the 64 bytes of the signature by the key in use."""
        state = self._fresh()
        return state.signers[_current(state.history, purpose).kid].sign(message)

    def signers(self, purpose: Purpose, at_ms: int) -> list[tuple[PublicKey, Signer]]:
        """List the keys that sign at this time, the one in use first: during an overlap there are several."""
        state = self._fresh()
        keys = [key for key in state.history.published(purpose) if key.is_in_force(at_ms)]
        return [(key, state.signers[key.kid]) for key in keys if key.kid in state.signers]

    def verify(self, purpose: Purpose, message: bytes, signature: bytes) -> bool:
        """Tell whether one of our keys of this purpose, of now or before, made the signature."""
        return any(key.verifies(message, signature) for key in self.published(purpose))

    def jwt(self, purpose: Purpose, typ: str, claims: Mapping[str, object]) -> str:
        """Sign claims as a compact JWS of the given type with the key in use."""
        state = self._fresh()
        key = _current(state.history, purpose)
        return signed_jwt(claims, typ=typ, alg=key.alg, kid=key.kid, sign=state.signers[key.kid].sign)

    def rotate(self, purpose: Purpose, *, now_ms: int, overlap_ms: int = OVERLAP_MS, issuer: str = "") -> PublicKey:
        """Put a new key into use, endorsed by the old one, which signs beside it until the overlap is over.

        A crash leaves the old key in use or the new one, never none and never both.

        Args:
            purpose: Whose key.
            now_ms: Milliseconds since the epoch.
            overlap_ms: How long the old key goes on; 0 ends it at once, for a key that somebody else may have.
            issuer: The city's base URL, which the endorsement then names.

        Raises:
            AlreadyRunning: Somebody else is rotating a key.
            Malformed: The overlap is negative or longer than a year.
        """
        if not 0 <= overlap_ms <= MAX_OVERLAP_MS:
            raise Malformed("An overlap lasts from 0 days to a year.").on_page("no.key.overlap")
        with files.held(self._folder, wait=False):
            state = _load(self._folder, self._passphrase)
            _finish(self._folder, state.history, self._passphrase)
            old = _current(state.history, purpose)
            at_ms = max(now_ms, old.since_ms)
            private = generated(ALGORITHM[purpose])
            new = _endorsed(FileSigner(private), old, state.signers[old.kid], issuer=issuer, at_ms=at_ms)
            after = state.history.with_key(new, until_ms=at_ms + overlap_ms)
            self._put_into_use(private, old, after)
            _forget(self._folder, after, now_ms)
            self._state = _load(self._folder, self._passphrase)
        return new

    def _put_into_use(self, private: PrivateKey, old: PublicKey, after: History) -> None:
        purpose = old.purpose
        # 1 Both private keys lie where they are found under the old history and under the new one.
        files.write_key(_next(self._folder, purpose), private, self._passphrase)
        with suppress(FileExistsError):  # left by a rotation that was broken off here
            _replaced(self._folder, old).hardlink_to(_file(self._folder, purpose))
        files.sync(self._folder)
        # 2 This makes it happen.
        history.write(self._folder, after)
        # 3 The new key takes its plain name; `_finish` does it if we do not come so far.
        _settle(self._folder, purpose)

    def end(self, kid: str, *, now_ms: int) -> PublicKey:
        """End the overlap of a key that was replaced now, and destroy its private half.

        Raises:
            NotFound: There is no key of that thumbprint.
            Conflict: It is in use, or its time is over already.
            AlreadyRunning: Somebody else is rotating a key.
        """
        with files.held(self._folder, wait=False):
            state = _load(self._folder, self._passphrase)
            key = next((each for each in state.history.keys if each.kid == kid), None)
            if key is None:
                raise NotFound(f"There is no key {kid[:80]!r}.", fix="List them: citynode keys list").on_page("no.key")
            if key.until_ms is None:
                raise Conflict(
                    f"This {key.purpose} key is in use.",
                    fix=f"citynode keys rotate {key.purpose}",
                ).on_page("no.key.in_use")
            if not key.is_in_force(now_ms):
                raise Conflict(f"This {key.purpose} key signs no longer already.").on_page("no.key.over")
            after = state.history.ended(kid, at_ms=now_ms)
            history.write(self._folder, after)
            _forget(self._folder, after, now_ms)
            self._state = _load(self._folder, self._passphrase)
        return replace(key, until_ms=now_ms)

    def retire(self, now_ms: int) -> list[PublicKey]:
        """Destroy the private keys whose overlap is over; give those that went. Cheap if there are none."""
        known = self._fresh().history
        if not _expired(self._folder, known, now_ms):
            return []
        with files.held(self._folder):
            return _forget(self._folder, known, now_ms)

    def lost(self, at_ms: int) -> list[PublicKey]:
        """List keys that should sign beside the one in use and whose private files are gone."""
        state = self._fresh()
        return [key for key in state.history.keys if key.is_in_force(at_ms) and key.kid not in state.signers]

    def _fresh(self) -> _State:
        if history.mark(self._folder) != self._state.mark:
            self._state = _load(self._folder, self._passphrase)
        return self._state


def replace_lost(folder: Path, purpose: Purpose, passphrase: str = "", *, now_ms: int) -> PublicKey:
    """Put a new key into use in the place of one whose private half is lost for good; nothing vouches for it.

    Every peer holds the node apart until a person there approves it again by the fingerprint. What the lost key signed
    stays published and holds.

    Raises:
        Conflict: A file of the key is there, readable or not.
    """
    with files.held(folder):
        known = history.read(folder)
        old = _current(known, purpose)
        for path in (_file(folder, purpose), _next(folder, purpose), _replaced(folder, old)):
            if path.exists():
                fix = f"Replace it with citynode keys rotate {purpose}, or move {path} away if it is of no use."
                raise Conflict(f"The {purpose} key is not lost: {path} is there.", fix=fix)
        private = generated(ALGORITHM[purpose])
        signer = FileSigner(private)
        new = PublicKey(purpose, signer.kid, signer.alg, signer.jwk, max(now_ms, old.since_ms))
        files.write_key(_next(folder, purpose), private, passphrase)
        history.write(folder, known.with_key(new, until_ms=new.since_ms))
        _settle(folder, purpose)
    return new


def encrypt(folder: Path, passphrase: str, *, old: str = "") -> int:
    """Encrypt every private key with a passphrase; give how many there are. Safe to repeat after a crash.

    Args:
        folder: Where they are.
        passphrase: The new one.
        old: The one they were encrypted with until now, if they were.

    Raises:
        Misconfigured: There is no new passphrase, or a key opens with neither.
    """
    if not 0 < len(passphrase.encode()) <= _MAX_PASSPHRASE_BYTES:
        raise Misconfigured(
            f"A passphrase has 1 to {_MAX_PASSPHRASE_BYTES} bytes.",
            fix="Set key_passphrase: CITYNODE_KEY_PASSPHRASE_FILE names a file that holds it.",
        )
    with files.held(folder):
        paths = sorted(path for path in folder.glob("*.pem") if not path.name.startswith("."))
        for path in paths:
            _encrypt(path, passphrase, old)
    return len(paths)


def _encrypt(path: Path, passphrase: str, old: str) -> None:
    pem = path.read_bytes()
    if not files.is_encrypted(pem):
        files.write_key(path, files.key_in(path, pem, ""), passphrase)
        return
    try:
        files.key_in(path, pem, passphrase)
    except Misconfigured:
        files.write_key(path, _unlocked(path, pem, old), passphrase)


def _unlocked(path: Path, pem: bytes, old: str) -> PrivateKey:
    try:
        return files.key_in(path, pem, old)
    except Misconfigured as error:
        fix = "Give that one: --old-passphrase-file FILE."
        raise Misconfigured(f"The key {path} is encrypted with another passphrase.", fix=fix) from error


def _file(folder: Path, purpose: Purpose) -> Path:
    return folder / f"{purpose}.pem"


def _next(folder: Path, purpose: Purpose) -> Path:
    return folder / f"{purpose}.next.pem"


def _replaced(folder: Path, key: PublicKey) -> Path:
    return folder / f"{key.purpose}.{key.kid}.pem"


def _current(known: History, purpose: Purpose) -> PublicKey:
    key = known.current(purpose)
    if key is None:
        raise Misconfigured(f"This node has no {purpose} key yet.", fix="Start it once: citynode run makes the key.")
    return key


def _load(folder: Path, passphrase: str) -> _State:
    """Read history and keys as one moment had them: again if a rotation happened in between."""
    for _ in range(_TRIES):
        mark = history.mark(folder)
        try:
            files.check_folder(folder)
            known = history.read(folder)
            return _State(mark, known, _signers(folder, passphrase, known))
        except Misconfigured:
            if history.mark(folder) == mark:
                raise
    raise AlreadyRunning("The keys change faster than they can be read.", fix="Try again.").on_page("no.key.busy")


def _signers(folder: Path, passphrase: str, known: History) -> dict[str, Signer]:
    found: dict[str, Signer] = {}
    for purpose in PURPOSES:
        current, plain = _current(known, purpose), _file(folder, purpose)
        # In this order a key that is being moved from the first to the second is met in one of them.
        for path in (_next(folder, purpose), plain, *(_replaced(folder, key) for key in known.published(purpose))):
            private = files.read_key(path, passphrase)
            if private is not None:
                signer = FileSigner(private)
                found[signer.kid] = signer
                if path == plain:
                    _check_known(path, signer, known)
        if current.kid not in found:
            raise Misconfigured(f"The private {purpose} key in {plain} is gone.", fix=files.BACKUP)
    return found


def _check_known(path: Path, signer: Signer, known: History) -> None:
    if signer.kid not in {key.kid for key in known.keys}:
        # One of the two is older: going on would bring a key back that was replaced, or lose the one in use.
        fix = "Put the folder keys/ back from one backup, the newest."
        raise Misconfigured(f"{path.with_name(history.FILE_NAME)} does not know the key in {path}.", fix=fix)


def _endorsed(signer: Signer, old: PublicKey, by: Signer, *, issuer: str, at_ms: int) -> PublicKey:
    new = PublicKey(old.purpose, signer.kid, signer.alg, signer.jwk, at_ms, endorsed_by=old.kid)
    return replace(new, endorsement=endorsement(old, new, by.sign, issuer=issuer, now_ms=at_ms))


def _is_unfinished(folder: Path) -> bool:
    """Tell whether the keys of a node that was made before want something that only a holder of the lock may do."""
    if not (folder / history.FILE_NAME).exists():
        return _file(folder, "checkpoint").exists()
    known = history.read(folder)
    return any(known.current(purpose) is None or _next(folder, purpose).exists() for purpose in PURPOSES)


def _complete(folder: Path, passphrase: str, now_ms: int) -> None:
    """Give every purpose its key, and end a rotation that was broken off."""
    files.check_folder(folder)
    known = _history(folder)
    whole = known
    for purpose in PURPOSES:
        if whole.current(purpose) is None:
            whole = whole.with_key(_first(folder, purpose, passphrase, now_ms))
    if whole != known:
        history.write(folder, whole)
    _finish(folder, whole, passphrase)


def _history(folder: Path) -> History:
    """Read the history, or begin one: of a new node, or of one whose program knew checkpoint keys alone."""
    if (folder / history.FILE_NAME).exists():
        return history.read(folder)
    others = [_file(folder, purpose) for purpose in PURPOSES if purpose != "checkpoint"]
    if any(path.exists() for path in others):
        raise Misconfigured(f"{folder / history.FILE_NAME} is gone.", fix=history.FIX)
    # Before the first key, so that a start that is broken off can be told from a history that was lost.
    history.write(folder, History())
    return History()


def _first(folder: Path, purpose: Purpose, passphrase: str, now_ms: int) -> PublicKey:
    path, since_ms = _file(folder, purpose), now_ms
    private = files.read_key(path, passphrase)
    if private is None:
        private = generated(ALGORITHM[purpose])
        files.write_key(path, private, passphrase)
    else:
        # Of an older program, or of a start that was broken off: it is as old as its file.
        since_ms = path.stat().st_mtime_ns // 1_000_000
    signer = FileSigner(private)
    if signer.alg != ALGORITHM[purpose]:
        raise Misconfigured(f"The key {path} is no {ALGORITHM[purpose]} key.", fix="Put it back from a backup.")
    return PublicKey(purpose, signer.kid, signer.alg, signer.jwk, since_ms)


def _finish(folder: Path, known: History, passphrase: str) -> None:
    """Give keys their plain names where a rotation was broken off after it had happened."""
    for purpose in PURPOSES:
        private = files.read_key(_next(folder, purpose), passphrase)
        if private is not None and FileSigner(private).kid == _current(known, purpose).kid:
            _settle(folder, purpose)


def _settle(folder: Path, purpose: Purpose) -> None:
    _next(folder, purpose).replace(_file(folder, purpose))
    files.sync(folder)


def _expired(folder: Path, known: History, now_ms: int) -> list[PublicKey]:
    return [key for key in known.keys if not key.is_in_force(now_ms) and _replaced(folder, key).exists()]


def _forget(folder: Path, known: History, now_ms: int) -> list[PublicKey]:
    gone = _expired(folder, known, now_ms)
    for key in gone:
        _replaced(folder, key).unlink()
    files.sync(folder)
    return gone
