"""Payloads at rest: compressed by zstd with a trained dictionary, and given back bit for bit.

One row per digest, whoever refers to it. A batch of 50 payloads that no dictionary fits trains one of its own, since
the words of one portal do little for another's; its id comes from what it was trained with and is written into every
frame. Small records shrink to a half of what zstd alone gives. A dictionary holds pieces of its samples, so it goes
only when one of those is erased. The checksum guards the few bits of a frame that decoding ignores.
"""

import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

import zstandard

from node.db import Database, Row, Tx
from node.errors import NotFound, Refuted
from node.journal.entry import digest_bytes, digest_text

LEVEL = 3
TRAIN_FROM = 50
_DICTIONARY_BYTES = 110 * 1024
_SHARE = 20  # a dictionary is at most a 20th of its samples: it has to pay for its own room
_SAMPLES = 240
_SAMPLE_BYTES = 16 * 1024
_SEGMENT, _DMER = 1000, 8  # fixed, since searching for better ones costs seconds and gains 2 %
_PROBES = 12  # payloads of a batch that the newest dictionaries are tried on
_CANDIDATES = 6
_WORSE = 1.25  # beyond what a dictionary promised by this factor, a batch is of another kind
_NAME_BYTES = 8  # of each sample's digest
_CHUNK = 500
_NEWEST = f"SELECT id, per_mille FROM dictionary WHERE id <> ? ORDER BY trained_at DESC, id LIMIT {_CANDIDATES}"  # noqa: S608
_INSERT_DICTIONARY = (
    "INSERT INTO dictionary (id, trained_at, per_mille, learnt_from, digest, body) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_INSERT = "INSERT INTO payload (dictionary_id, crc, body, digest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"

_Sample = bytes | bytearray | memoryview  # as the trainer's invariant list wants it
Rows = Callable[[str, Sequence[object]], list[Row]]


class PayloadStore:
    """Reads and writes payloads. Safe to share by threads: what cannot be shared is kept per thread."""

    def __init__(self, db: Database) -> None:
        self._hot = db.hot()
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        self._local = threading.local()

    def one(self, digest: str) -> bytes:
        """Give one payload by a hot read, outside any transaction; NotFound if it is not (or no longer) here."""
        row = self._hot.row("SELECT dictionary_id, body FROM payload WHERE digest = ?", (digest_bytes(digest),))
        if row is None:
            raise NotFound(f"There is no payload {digest}.")
        return self._unpacked(row[0], row[1])

    def some(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Like `read`, by hot reads outside any transaction."""
        return self._read(digests, self._hot.rows)

    def read(self, tx: Tx, digests: Iterable[str]) -> dict[str, bytes]:
        """Give the payloads that are here, by digest; erased ones are missing."""
        return self._read(digests, lambda sql, params: tx.rows(sql, *params), tx)

    def write(self, tx: Tx, payloads: Mapping[bytes, bytes], *, at_ms: int) -> None:
        """Keep payloads by their raw digests; one that is here already is left alone."""
        if not payloads:
            return
        tx.many(_INSERT, self._packed(tx, payloads, self._fitting(tx, payloads, at_ms)))

    def verified(self, tx: Tx, digests: Sequence[str]) -> set[str]:
        """Give those of the digests whose payload is here and proves right: checksum, dictionary and SHA-256."""
        right: set[str] = set()
        for start in range(0, len(digests), _CHUNK):
            raw = [digest_bytes(digest) for digest in digests[start : start + _CHUNK]]
            rows = tx.rows(_select("digest, dictionary_id, crc, body", len(raw)), *raw)
            right.update(digest_text(row[0]) for row in rows if self._is_right(tx, row))
        return right

    def _is_right(self, tx: Tx, row: Row) -> bool:
        digest, dictionary, crc, body = row
        try:
            named = zstandard.get_frame_parameters(body).dict_id or None
            if zlib.crc32(body) != crc or named != dictionary:
                return False
            return sha256(self._unpacked(dictionary, body, tx)).digest() == bytes(digest)
        except (zstandard.ZstdError, Refuted):
            return False

    def _read(self, digests: Iterable[str], rows: Rows, tx: Tx | None = None) -> dict[str, bytes]:
        wanted, found = [digest_bytes(digest) for digest in set(digests)], {}
        for start in range(0, len(wanted), _CHUNK):
            raw = wanted[start : start + _CHUNK]
            for digest, dictionary, body in rows(_select("digest, dictionary_id, body", len(raw)), raw):
                found[digest_text(digest)] = self._unpacked(dictionary, body, tx)
        return found

    def _unpacked(self, dictionary: int | None, body: bytes, tx: Tx | None = None) -> bytes:
        try:
            return self._decompressor(dictionary, tx).decompress(body)
        except zstandard.ZstdError as error:
            raise Refuted("A stored payload is damaged.", fix="Run citynode journal verify.") from error

    def forget(self, tx: Tx, digest: bytes, *, at_ms: int) -> None:
        """Retire every dictionary that an erased payload was a sample of; call it once the payload is gone.

        What such a dictionary had compressed is compressed anew: some 10,000 payloads a second, in this transaction.
        """
        name = digest[:_NAME_BYTES]
        for number, learnt in tx.rows("SELECT id, learnt_from FROM dictionary"):
            if name in _names(learnt):
                self._retire(tx, number, at_ms)

    def _retire(self, tx: Tx, number: int, at_ms: int) -> None:
        rows = tx.rows("SELECT digest FROM payload WHERE dictionary_id = ? ORDER BY digest", number)
        digests = [bytes(row[0]) for row in rows]
        for start in range(0, len(digests), _CHUNK):
            part = digests[start : start + _CHUNK]
            held = tx.rows(_select("digest, body", len(part)), *part)
            payloads = {bytes(row[0]): self._unpacked(number, row[1], tx) for row in held}
            sql = "UPDATE payload SET dictionary_id = ?, crc = ?, body = ? WHERE digest = ?"
            tx.many(sql, self._packed(tx, payloads, self._fitting(tx, payloads, at_ms, without=number)))
        tx.run("DELETE FROM dictionary WHERE id = ?", number)

    def _packed(self, tx: Tx, payloads: Mapping[bytes, bytes], dictionary: int | None) -> list[Row]:
        compress = self._compressor(tx, dictionary).compress
        rows = []
        # In order of digest, so that two transactions on PostgreSQL never wait for each other in a circle.
        for digest in sorted(payloads):
            body = compress(payloads[digest])
            rows.append((dictionary, zlib.crc32(body), body, digest))
        return rows

    def _fitting(self, tx: Tx, payloads: Mapping[bytes, bytes], at_ms: int, *, without: int = 0) -> int | None:
        """Choose the dictionary that shrinks a batch best, or train one if all do badly and it is worth it."""
        known = tx.rows(_NEWEST, without)
        many = len(payloads) >= TRAIN_FROM
        if len(known) == 1 and not many:
            return int(known[0][0])
        probes = list(payloads.values())[:: max(1, len(payloads) // _PROBES)][:_PROBES]
        best = min(
            ((self._per_mille(tx, number, probes), number, promised) for number, promised in known), default=None
        )
        if many and (best is None or best[0] > best[2] * _WORSE):
            trained = self._trained(tx, payloads, at_ms)
            if trained is not None:
                return trained
        return best[1] if best else None

    def _per_mille(self, tx: Tx, number: int | None, payloads: Sequence[bytes]) -> int:
        """Measure what a dictionary leaves of payloads."""
        compress = self._compressor(tx, number).compress
        return 1000 * sum(len(compress(payload)) for payload in payloads) // max(1, sum(map(len, payloads)))

    def _trained(self, tx: Tx, payloads: Mapping[bytes, bytes], at_ms: int) -> int | None:
        """Train a dictionary with three quarters of some samples, and note how well it does on the last one."""
        digests = list(payloads)[:: max(1, len(payloads) // _SAMPLES)][:_SAMPLES]
        learnt = [digest for index, digest in enumerate(digests) if index % 4]
        samples: list[_Sample] = [payloads[digest][:_SAMPLE_BYTES] for digest in learnt]
        room = min(_DICTIONARY_BYTES, sum(map(len, samples)) // _SHARE)
        number = _dictionary_id(samples, room)
        try:
            trained = zstandard.train_dictionary(room, samples, dict_id=number, k=_SEGMENT, d=_DMER)
        except zstandard.ZstdError:
            return None  # too little, or too much alike, to learn from
        body = trained.as_bytes()
        self._remember(number, body)
        promised = self._per_mille(tx, number, [payloads[digest] for digest in digests[::4]])
        names = b"".join(digest[:_NAME_BYTES] for digest in learnt)
        row = (number, at_ms, promised, names)
        tx.run(_INSERT_DICTIONARY, *row, _seal(row, body), body)
        return number

    def _remember(self, number: int, body: bytes) -> zstandard.ZstdCompressionDict:
        # Kept by an id that stands for its content: a transaction that is rolled back leaves nothing false here.
        dictionary = zstandard.ZstdCompressionDict(body)
        dictionary.precompute_compress(level=LEVEL)
        self._dictionaries[number] = dictionary
        return dictionary

    def _dictionary(self, number: int, tx: Tx | None) -> zstandard.ZstdCompressionDict:
        if number in self._dictionaries:
            return self._dictionaries[number]
        sql = "SELECT id, trained_at, per_mille, learnt_from, digest, body FROM dictionary WHERE id = ?"
        row = tx.row(sql, number) if tx else self._hot.row(sql, (number,))
        if row is None or _seal(row[:4], row[5]) != row[4]:
            raise Refuted(f"The payload dictionary {number} is missing or damaged.", fix="Restore a backup.")
        return self._remember(number, row[5])

    def _compressor(self, tx: Tx, number: int | None) -> zstandard.ZstdCompressor:
        if number is None:
            return zstandard.ZstdCompressor(level=LEVEL)
        return zstandard.ZstdCompressor(level=LEVEL, dict_data=self._dictionary(number, tx))

    def _decompressor(self, number: int | None, tx: Tx | None) -> zstandard.ZstdDecompressor:
        held: dict[int | None, zstandard.ZstdDecompressor] | None = getattr(self._local, "held", None)
        if held is None:
            held = self._local.held = {}
        if number not in held:
            data = None if number is None else self._dictionary(number, tx)
            held[number] = zstandard.ZstdDecompressor(dict_data=data)
        return held[number]


def _dictionary_id(samples: Sequence[_Sample], room: int) -> int:
    # Of all that training depends on. Ids below 32768 and from 2**31 are reserved by the format.
    seed = b"".join(sha256(sample).digest() for sample in samples) + f"{room} {_SEGMENT} {_DMER}".encode()
    return 32768 + int.from_bytes(sha256(seed).digest()[:4], "big") % (2**31 - 32768)


def _seal(row: Row, body: bytes) -> bytes:
    number, trained_at_ms, promised, learnt = row
    return sha256(f"{number} {trained_at_ms} {promised} {bytes(learnt).hex()}\n".encode() + body).digest()


def _names(learnt: bytes) -> set[bytes]:
    return {bytes(learnt[at : at + _NAME_BYTES]) for at in range(0, len(learnt), _NAME_BYTES)}


def _select(columns: str, count: int) -> str:
    return f"SELECT {columns} FROM payload WHERE digest IN ({', '.join('?' * count)})"  # noqa: S608 - names, no values
