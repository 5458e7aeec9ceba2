"""S3-compatible stores as origins: one object (`s3://bucket/key`) or all below a beginning (`s3://bucket/folder/`).

The store is the one that the origin's credential names; an object is read like a file on a web server, each request
signed. Answers of a store are a stranger's: bounded, read by plain patterns and never as XML with its declarations.
"""

import html
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from node.errors import ForbiddenAddress, Malformed, NotFound, SourceUnreachable, TooLarge
from node.federation.data.credentials import Credentials, Keys
from node.federation.data.places import MAX_LEFT_OUT, Registered, etag_of, media_type_of, takeable, too_many
from node.federation.data.remote import Asked, Remote, RemoteBytes, modified_of
from node.federation.data.sigv4 import Request, signed
from node.federation.moving import MAX_PARTS, Part
from node.outbound import Outbound

_MAX_LIST = 4 * 1024 * 1024
_LIST_S = 30.0
_PAGE = 1_000
_MAX_PAGES = 200
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_CONTENTS = re.compile(r"<Contents>(.*?)</Contents>", re.DOTALL)
_MAX_KEY = 1_024
_SIZE = re.compile(r"[0-9]{1,15}\Z")  # not isdigit, which takes digits of every script


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a store: with a slash at its end, or nothing, the beginning of keys."""

    bucket: str
    key: str

    @property
    def path(self) -> str:
        """Give the path of its address, unencoded."""
        return f"/{self.bucket}/{self.key}"


def location_of(text: str) -> Location:
    """Read `s3://bucket/key`.

    >>> location_of("s3://city/noise/2025.csv")
    Location(bucket='city', key='noise/2025.csv')

    Raises:
        Malformed: It is none.
    """
    bucket, _, key = text.removeprefix("s3://").partition("/")
    wrong = any(step in (".", "..") for step in key.split("/")) or any(char < " " or char == "\x7f" for char in key)
    if not text.startswith("s3://") or not _BUCKET.match(bucket) or ".." in bucket or wrong or len(key) > _MAX_KEY:
        raise Malformed(
            f"{text[:200]!r} is no place in a store.", fix="Write s3://BUCKET/KEY, or s3://BUCKET/FOLDER/."
        ).on_page("no.origin.s3", field="location")
    return Location(bucket, key)


def location_in(text: str, keys: Keys) -> Location:
    """Read `s3://bucket/key` of a store. Raises Malformed, also where the bucket cannot be a host of that store."""
    place = location_of(text)
    if keys.is_virtual and "." in place.bucket:
        raise Malformed(
            f"The bucket {place.bucket} has a dot, so no certificate could be for it as a host.",
            fix="Set a credential for this store with addressing path.",
        ).on_page("no.origin.dots", field="location", name=place.bucket)
    return place


class S3Place:
    """Opens objects. Safe to share by threads."""

    def __init__(
        self, outbound: Outbound, remote: Remote, credentials: Credentials, *, clock_ms: Callable[[], int]
    ) -> None:
        """Read through this, with these credentials; requests are signed with the time of this clock."""
        self._outbound = outbound
        self._remote = remote
        self._credentials = credentials
        self._clock_ms = clock_ms

    def parts(self, origin: Registered) -> Sequence[Part]:
        """Give what lies there; names that no part can have are left out.

        Raises:
            SourceUnreachable: The store cannot be asked, refuses, or has nothing there.
            TooLarge: More objects than a dataset has parts.
            Conflict: Two names differ by capitals alone, or one is that of a folder in which another lies.
        """
        try:
            if not origin.is_folder:
                return [self._remote.look(self._asked(origin, origin.name))]
            return takeable(list(self._listed(origin)), origin.location)
        except NotFound as error:
            raise SourceUnreachable(error.message, fix=error.fix) from error

    def left_out(self, origin: Registered) -> Sequence[str]:
        """Name the objects there that can be no part by their keys; what is hidden, or stands for a folder, is none."""
        if not origin.is_folder:
            return ()
        keys = self._credentials.keys(origin.credential)
        place, left = location_in(origin.location, keys), list[str]()
        for page in self._pages(keys, place):
            below = (_key_in(found).removeprefix(place.key) for found in _CONTENTS.findall(page))
            left += [each for each in below if each and not each.endswith("/") and not origin.takes(each)]
            if len(left) >= MAX_LEFT_OUT:
                break
        return [each for each in left if not any(step.startswith(".") for step in each.split("/"))][:MAX_LEFT_OUT]

    def open(self, origin: Registered, part: str, *, start: int, stop: threading.Event | None = None) -> RemoteBytes:
        """Open a part from a byte on. Raises NotFound, SourceUnreachable."""
        return self._remote.open(self._asked(origin, part), start=start, stop=stop)

    def _asked(self, origin: Registered, part: str) -> Asked:
        keys = self._credentials.keys(origin.credential)
        place = location_in(origin.location, keys)
        below = origin.below(part) if origin.is_folder else ""
        request = Request("GET", place.path + below, {})
        return Asked(origin, part, request.url(keys), lambda: signed(request, keys, now_ms=self._clock_ms()))

    def _listed(self, origin: Registered) -> Iterator[Part]:
        keys, count = self._credentials.keys(origin.credential), 0
        place = location_in(origin.location, keys)
        for page in self._pages(keys, place):
            for found in _CONTENTS.findall(page):
                part = _part(keys, origin, place, found)
                count += part is not None
                if count > MAX_PARTS:
                    raise too_many(origin.location)
                if part is not None:
                    yield part

    def _pages(self, keys: Keys, place: Location) -> Iterator[str]:
        """Give a list page by page to its very end, however many a store puts on one. Raises SourceUnreachable."""
        token, where = "", f"s3://{place.bucket}"
        for _ in range(_MAX_PAGES):
            page = self._page(keys, place, token)
            if "<ListBucketResult" not in page:
                raise SourceUnreachable(f"{where} answered no list of objects.", fix="A page for signing in?")
            yield page
            before, token = token, element(page, "NextContinuationToken")
            if not token and element(page, "IsTruncated") != "true":
                return
            if token in ("", before):
                raise SourceUnreachable(
                    f"{where} gives a part of its list and not how the list goes on (ListObjectsV2).",
                    fix="Register its objects one by one.",
                )
        raise SourceUnreachable(
            f"The list of {where} has more than {_MAX_PAGES} pages.", fix="Register a longer beginning."
        )

    def _page(self, keys: Keys, place: Location, token: str) -> str:
        query = {"list-type": "2", "prefix": place.key, "encoding-type": "url", "max-keys": str(_PAGE)}
        query |= {"continuation-token": token} if token else {}
        request = Request("GET", f"/{place.bucket}", query)
        try:
            reply = self._outbound.ask(
                request.url(keys),
                headers=signed(request, keys, now_ms=self._clock_ms()),
                max_bytes=_MAX_LIST,
                deadline_s=_LIST_S,
            )
        except (ForbiddenAddress, TooLarge) as error:
            raise SourceUnreachable(error.message, fix=error.fix) from error
        return answered(reply.status, reply.body, f"s3://{place.bucket}")


def answered(status: int, body: bytes, where: str) -> str:
    """Give what a store answered, if that is no refusal; some stand under a status of 200.

    Raises:
        NotFound: There is no such bucket or object.
        SourceUnreachable: It does not take our keys, or refuses otherwise.
    """
    text = body.decode("utf-8", "replace")
    if status in (200, 204) and "<Error>" not in text:
        return text
    code = re.sub(r"[^A-Za-z0-9]", "", element(text, "Code"))[:60] or str(status)
    if status in (401, 403):
        raise SourceUnreachable(
            f"{where} does not take our keys: {code}.", fix="Set them anew; look at their rights."
        ).on_page("no.origin.refused", field="credential", where=where, status=code)
    if status == 404:
        raise NotFound(
            f"{where} is not there: {code}.",
            fix="Check the names of bucket and key.",
        ).on_page("no.origin.gone", field="location", where=where, status=code)
    raise SourceUnreachable(
        f"{where} answered {code}.",
        fix="Try again later; look at that store.",
    ).on_page("no.origin.answered", field="location", where=where, status=code)


def _part(keys: Keys, origin: Registered, place: Location, found: str) -> Part | None:
    key, size = _key_in(found), element(found, "Size")
    below = key.removeprefix(place.key)
    if not below or below.endswith("/") or not origin.takes(below):
        return None
    if not _SIZE.match(size):
        # Not left out: what a store does not tell rightly of one object may be wrong of all.
        raise SourceUnreachable(
            f"The list of s3://{place.bucket} gives {below[:200]} no size that a file can have.",
            fix="Look at that store, or register its objects one by one.",
        ).on_page("no.origin.size", field="location", name=below[:200])
    name, mark = origin.name_of(below), html.unescape(element(found, "ETag"))
    url = Request("GET", f"/{place.bucket}/{key}", {}).url(keys)
    media_type = origin.media_type or media_type_of(below)
    etag = etag_of(url, mark, int(size))
    return Part(origin.dataset, name, media_type, int(size), "", etag, modified_of(element(found, "LastModified")))


def _key_in(found: str) -> str:
    return unquote_plus(element(found, "Key"))


def element(text: str, name: str) -> str:
    """Give what stands in the first element of this name; nothing if there is none."""
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return found[1] if found else ""
