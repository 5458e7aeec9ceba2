"""Payloads at rest: compressed by zstd with a trained dictionary, and given back bit for bit.

One row per digest, whoever refers to it. The first batch of 200 payloads trains a dictionary; its id comes from
what it was trained with, is written into every frame, and no dictionary is ever dropped. Small records shrink to a
third of what zstd alone gives. The checksum guards the few bits of a frame that decoding ignores.
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
TRAIN_FROM = 200
_MIN_DICTIONARY_BYTES = 1024
_DICTIONARY_BYTES = 64 * 1024
_SAMPLES = 240
_SAMPLE_BYTES = 16 * 1024
_SEGMENT, _DMER = 200, 8  # fixed, since searching for better ones costs seconds and gains 2 %
_CHUNK = 500
_INSERT = "INSERT INTO payload (digest, dictionary_id, crc, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"

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
        dictionary = self._current(tx)
        if dictionary is None and len(payloads) >= TRAIN_FROM:
            dictionary = self._trained(tx, list(payloads.values()), at_ms)
        compress = self._compressor(tx, dictionary).compress
        # In order of digest, so that two transactions on PostgreSQL never wait for each other in a circle.
        rows = []
        for digest in sorted(payloads):
            body = compress(payloads[digest])
            rows.append((digest, dictionary, zlib.crc32(body), body))
        tx.many(_INSERT, rows)

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

    def _current(self, tx: Tx) -> int | None:
        row = tx.row("SELECT id FROM dictionary ORDER BY trained_at DESC, id LIMIT 1")
        return row[0] if row else None

    def _trained(self, tx: Tx, payloads: Sequence[bytes], at_ms: int) -> int | None:
        step = max(1, len(payloads) // _SAMPLES)
        samples: list[_Sample] = [payload[:_SAMPLE_BYTES] for payload in payloads[::step][:_SAMPLES]]
        # A dictionary as large as what it was trained with would only remember those samples.
        size = min(_DICTIONARY_BYTES, sum(map(len, samples)) // 8)
        if size < _MIN_DICTIONARY_BYTES:
            return None
        number = _dictionary_id(samples)
        try:
            trained = zstandard.train_dictionary(size, samples, dict_id=number, k=_SEGMENT, d=_DMER)
        except zstandard.ZstdError:
            return None  # too much alike to learn from
        body = trained.as_bytes()
        sql = "INSERT INTO dictionary (id, trained_at, digest, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        tx.run(sql, number, at_ms, _seal(number, at_ms, body), body)
        self._remember(number, body)
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
        sql = "SELECT trained_at, body, digest FROM dictionary WHERE id = ?"
        row = tx.row(sql, number) if tx else self._hot.row(sql, (number,))
        if row is None or _seal(number, row[0], row[1]) != row[2]:
            raise Refuted(f"The payload dictionary {number} is missing or damaged.", fix="Restore a backup.")
        return self._remember(number, row[1])

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


def _dictionary_id(samples: Sequence[_Sample]) -> int:
    # Ids below 32768 and from 2**31 are reserved by the format.
    seed = sha256(b"".join(sha256(sample).digest() for sample in samples)).digest()
    return 32768 + int.from_bytes(seed[:4], "big") % (2**31 - 32768)


def _seal(number: int, trained_at_ms: int, body: bytes) -> bytes:
    return sha256(f"{number} {trained_at_ms}\n".encode() + body).digest()


def _select(columns: str, count: int) -> str:
    return f"SELECT {columns} FROM payload WHERE digest IN ({', '.join('?' * count)})"  # noqa: S608 - names, no values
