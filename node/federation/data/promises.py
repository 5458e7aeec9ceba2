"""What a record promises of its files: the checksums (`spdx:checksum`) that its distributions carry.

A promise is kept with the part whose address or file name its distribution has; a dataset of one file and one
distribution needs no name. Pure: a payload in, algorithm and hex out. Algorithms that nobody here can work out promise
nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from node.federation.data.places import Registered
from node.vocab.ntriples import value_of
from node.vocab.subjects import Subjects, subjects_of
from node.vocab.terms import DCAT, SPDX

ALGORITHMS = ("sha512", "sha384", "sha256", "sha3_512", "sha3_384", "sha3_256", "sha224", "sha1", "md5")
_CHECKSUM, _VALUE, _ALGORITHM = f"<{SPDX.checksum}>", f"<{SPDX.checksumValue}>", f"<{SPDX.algorithm}>"
_ADDRESSES = (f"<{DCAT.downloadURL}>", f"<{DCAT.accessURL}>")
_DISTRIBUTION = f"<{DCAT.distribution}>"
_BEGINS = SPDX.NS + "checksumAlgorithm_"
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Promise:
    """What one distribution promises: the addresses it has, and `algorithm:hex` of its bytes, or nothing."""

    addresses: tuple[str, ...]
    checksum: str


def promises_in(dataset: str, payload: bytes) -> list[Promise]:
    """Give what each distribution of a dataset promises, in the payload's order."""
    subjects = subjects_of(payload)
    files = subjects.get(f"<{dataset}>", {}).get(_DISTRIBUTION, [])
    return [_promise(subjects, file) for file in files]


def promised(origin: Registered, part: str, promises: Sequence[Promise]) -> str:
    """Give what is promised of a part, as `algorithm:hex`; nothing if nothing is."""
    exact = [each for each in promises if origin.location in each.addresses]
    named = [each for each in promises if part.rpartition("/")[2] in map(_file_of, each.addresses)]
    alone = list(promises) if len(promises) == 1 and not origin.is_folder else []
    found = exact or named or alone
    # Two files of one name promise nothing that could be held against either.
    return found[0].checksum if len({each.checksum for each in found}) == 1 else ""


def summary(origin: Registered, promises: Sequence[Promise]) -> str:
    """Give what is promised of an origin in one value: of a folder one that changes when any of it does."""
    if not origin.is_folder:
        return promised(origin, origin.name, promises)
    told = sorted(each.checksum for each in promises if each.checksum)
    return "folder:" + hashlib.sha256("\n".join(told).encode()).hexdigest()[:32] if told else ""


def algorithm_of(checksum: str) -> str:
    """Give the name of a checksum's algorithm."""
    return checksum.partition(":")[0]


def _promise(subjects: Subjects, file: str) -> Promise:
    facts = subjects.get(file, {})
    addresses = tuple(value_of(term) for name in _ADDRESSES for term in facts.get(name, ()))
    told = [_checksum(subjects, node) for node in facts.get(_CHECKSUM, ())]
    good = sorted((each for each in told if each), key=lambda each: ALGORITHMS.index(algorithm_of(each)))
    return Promise(addresses, good[0] if good else "")


def _checksum(subjects: Subjects, node: str) -> str:
    facts = subjects.get(node, {})
    algorithm = next((value_of(each) for each in facts.get(_ALGORITHM, ())), "").removeprefix(_BEGINS)
    value = next((value_of(each) for each in facts.get(_VALUE, ())), "").strip().lower()
    if algorithm not in ALGORITHMS or len(value) != 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size:
        return ""
    return f"{algorithm}:{value}" if _HEX.issuperset(value) else ""


def _file_of(address: str) -> str:
    return unquote(urlsplit(address).path.rpartition("/")[2])
