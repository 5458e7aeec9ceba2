"""The door itself: what the rest of the node calls to reach another machine.

`download` fetches a portal's document into a file, `ask` puts one question to a peer and `save` keeps a long answer of
one in a file; `stream` reads a long body as it comes; `look` asks whether a stranger's address answers. All share the
guard of addresses and the certificates, and every one is bounded in bytes and time.
"""

import threading
import time
from collections.abc import Collection, Container, Mapping
from pathlib import Path

from node.errors import PeerUnreachable
from node.outbound import probe
from node.outbound.addresses import Guard, Resolver, parsed, shown, system_resolver
from node.outbound.ask import CODINGS, Asker, Question, Reply, question_of
from node.outbound.download import Answer, Downloader, Progress, Wanted
from node.outbound.jobs import Job, awaited
from node.outbound.lanes import Lanes
from node.outbound.look import Looked, Looker
from node.outbound.send import Body, Sender, parcel_of
from node.outbound.stream import Span, Stream, Streamer, opening_of
from node.outbound.tls import Certificates

EVERYTHING = Span()


class Outbound:
    """The door. Safe to use from several threads; keeps connections to peers for some seconds."""

    def __init__(
        self,
        *,
        loopback_allowed: bool,
        private_origins: frozenset[str],
        user_agent: str,
        child_ports: Container[int] = frozenset(),
        resolver: Resolver = system_resolver,
    ) -> None:
        """Fix what may be fetched.

        Args:
            loopback_allowed: Our own base URL is loopback, so other nodes of this machine may be fetched.
            private_origins: Origins (`http://10.0.0.5:8080`) that may be fetched although their address is private.
            user_agent: Sent with every request.
            child_ports: Ports of our own child processes, never fetched at a private or loopback address.
            resolver: Host and port to addresses; may block, raises OSError.
        """
        self._user_agent = user_agent
        self._guard = Guard(
            loopback_allowed=loopback_allowed,
            private_origins=private_origins,
            child_ports=child_ports,
            resolver=resolver,
        )
        self._certificates = Certificates()
        self._downloader = Downloader(self._guard, self._certificates)
        self._lanes = Lanes(self._guard, self._certificates)
        self._asker = Asker(self._lanes)
        self._looker = Looker(self._guard, self._certificates)
        self._sender = Sender(self._guard, self._certificates)
        self._streamer = Streamer(self._guard, self._certificates)

    def download(  # noqa: PLR0913  (conditions and limits of one request)
        self,
        url: str,
        to: Path,
        *,
        accept: str = "",
        etag: str = "",
        last_modified: str = "",
        max_bytes: int,
        deadline_s: float,
        stop: threading.Event,
        progress: Progress | None = None,
        same_origin: bool = False,
    ) -> Answer:
        """Get a document into the file `to`, which appears whole or not at all.

        Only an answer of 200 is given back, or 304 to a conditional request (then `to` is not touched). A web page
        with status 200 is an answer like any other: look at `media_type`.

        Args:
            url: http or https, without user name.
            to: Replaced when the whole body is there.
            accept: Media types wanted; empty for any.
            etag: As the source gave it last time, for If-None-Match.
            last_modified: Likewise, for If-Modified-Since.
            max_bytes: Of the body, as sent and as decoded.
            deadline_s: For everything together, name lookup and redirects included.
            stop: Checked at least every 0.1 s, whatever blocks.
            progress: Called in another thread with bytes so far and the announced total or None.
            same_origin: Whether a redirect to another origin is forbidden.

        Raises:
            ForbiddenAddress: This node never fetches this URL, or what it redirects to.
            SourceUnreachable: No good answer in time; the message says what to wait for. Safe to retry.
            TooLarge: More than `max_bytes`.
            Stopped: `stop` was set.
        """
        self._guard.check(parsed(url))
        headers = {"Accept": accept or "*/*", "Accept-Encoding": "gzip", "User-Agent": self._user_agent}
        headers |= {"If-None-Match": etag} if etag else {}
        headers |= {"If-Modified-Since": last_modified} if last_modified else {}
        job: Job[Answer] = Job(time.monotonic() + deadline_s, deadline_s)
        wanted = Wanted(to, headers, max_bytes, progress, job, same_origin)
        threading.Thread(target=self._downloader.work, args=(wanted, url), name="outbound", daemon=True).start()
        return awaited(job, stop)

    def ask(  # noqa: PLR0913  (conditions and limits of one request)
        self,
        url: str,
        *,
        method: str = "GET",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        max_bytes: int,
        deadline_s: float,
        accept: str = "",
        etag: str = "",
        stop: threading.Event | None = None,
        statuses: Collection[int] | None = None,
    ) -> Reply:
        """Put one question to a peer and give its whole answer; follows no redirect and keeps no cookie.

        Args:
            url: http or https, without user name.
            method: GET, HEAD, POST or DELETE.
            body: Sent as it is.
            headers: Further headers, such as a token's; ours (Accept-Encoding, User-Agent, Host) win.
            max_bytes: Of the body, as sent and as decoded.
            deadline_s: For everything together, name lookup and waiting for a turn included.
            accept: Media types wanted; empty for any.
            etag: As the peer gave it last time, for If-None-Match.
            stop: Checked at least every 0.1 s, whatever blocks.
            statuses: What is taken for an answer; None means any.

        Raises:
            ForbiddenAddress: This node never fetches this URL.
            PeerUnreachable: No good answer in time. Safe to retry if the question is.
            TooLarge: More than `max_bytes`.
            Stopped: `stop` was set.
        """
        job: Job[Reply] = Job(time.monotonic() + deadline_s, deadline_s, PeerUnreachable)
        said = self._headers(headers or {}, accept, etag)
        question = question_of(url, method=method, body=body, headers=said, max_bytes=max_bytes, job=job)
        return self._answered(question, stop, statuses)

    def save(
        self,
        url: str,
        to: Path,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int,
        deadline_s: float,
        accept: str = "",
        stop: threading.Event | None = None,
    ) -> Reply:
        """Like `ask`, but the body of a 200 goes into the file `to`, which appears whole or not at all.

        With `accept`, only a body of exactly that media type goes there. Any other answer is in the reply, with a body
        of at most 64 KiB. Raises what `ask` raises.
        """
        job: Job[Reply] = Job(time.monotonic() + deadline_s, deadline_s, PeerUnreachable)
        said = self._headers(headers or {}, accept, "")
        question = question_of(
            url, method="GET", body=b"", headers=said, max_bytes=max_bytes, job=job, to=to, only=accept
        )
        return self._answered(question, stop, None)

    def stream(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        span: Span = EVERYTHING,
        max_bytes: int,
        open_s: float = 30.0,
        stall_s: float = 30.0,
        stop: threading.Event | None = None,
        follow: bool = False,
    ) -> Stream:
        """Open a long answer and give it as soon as its headers are there; the caller reads and closes it.

        Any status is an answer. A body of 200 or 206 always shows where it ends: an early end is an error of `read`.

        Args:
            url: http or https, without user name.
            headers: Further headers, such as a token's; ours (Accept-Encoding, User-Agent, Host, Range) win.
            span: Which bytes of which version; an answer of 200 begins at 0 all the same, so look at `start`.
            max_bytes: Of the body.
            open_s: Until the headers are there, name lookup and redirects included.
            stall_s: How long a read may wait for the next byte.
            stop: Wakes a read within 0.2 s, and an opening within 0.1 s.
            follow: Whether redirects within the origin are followed.

        Raises:
            ForbiddenAddress: This node never fetches this URL, or it redirects to another origin.
            SourceUnreachable: No answer in time, or one of which a part could be taken for the whole. Safe to retry.
            TooLarge: It says that it is longer than `max_bytes`.
            Stopped: `stop` was set.
        """
        self._guard.check(parsed(url))
        ours = {"Accept-Encoding": "identity", "User-Agent": self._user_agent, "Connection": "close"}
        taken = {name.lower() for name in ours} | {"host", "range", "if-range"}
        more = {name: value for name, value in (headers or {}).items() if name.lower() not in taken}
        opening = opening_of(
            url, more | ours, span=span, max_bytes=max_bytes, open_s=open_s, stall_s=stall_s, stop=stop, follow=follow
        )
        return self._streamer.open(opening)

    def send(
        self,
        url: str,
        body: Body,
        *,
        method: str,
        length: int | None,
        headers: Mapping[str, str] | None = None,
        silence_s: float,
        answer_s: float = 120.0,
        stop: threading.Event | None = None,
    ) -> Reply:
        """Send a body of any length and give the answer, whatever and however early it says; follows no redirect.

        Args:
            url: http or https, without user name.
            body: Read in another thread while it is sent, a piece at a time.
            method: PUT or PATCH.
            length: Of the body in bytes; None sends until its source ends.
            headers: Further headers, such as a token's; ours (framing, Host, User-Agent) win.
            silence_s: How long the other side may take nothing.
            answer_s: How long it may take to answer after the last byte: it may have to check all of them.
            stop: Checked at least every 0.1 s; cuts the connection wherever it is.

        Raises:
            ForbiddenAddress: This node never sends to this URL.
            PeerUnreachable: It could not be sent whole, or no answer came; the other side may have any part of it.
            Stopped: `stop` was set.
        """
        said = {**(headers or {}), "User-Agent": self._user_agent}
        parcel = parcel_of(
            url, method=method, headers=said, body=body, length=length, silence_s=silence_s, answer_s=answer_s
        )
        return self._sender.send(parcel, stop)

    def look(
        self,
        url: str,
        *,
        method: str = "HEAD",
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 0,
        deadline_s: float,
        stop: threading.Event,
    ) -> Looked:
        """Look whether a stranger's address answers; never raises for what is wrong with it.

        One request over one connection, which is closed as soon as the headers are there; redirects are only told.

        Args:
            url: Anything: what this node never fetches has no address.
            method: HEAD or GET.
            headers: Further headers, such as Range; ours win.
            max_bytes: How much of the body of a GET is read, undecoded; the rest is cut off.
            deadline_s: For everything together, name lookup included.
            stop: Checked at least every 0.1 s, whatever blocks.

        Raises:
            Stopped: `stop` was set.
        """
        job: Job[Looked] = Job(time.monotonic() + deadline_s, deadline_s)
        ours = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": self._user_agent, "Connection": "close"}
        return self._looker.look(
            url, method=method, headers=dict(headers or {}) | ours, max_bytes=max_bytes, job=job, stop=stop
        )

    def check(self, url: str) -> None:
        """Refuse by its spelling what this node never fetches; asks for no name. Raises ForbiddenAddress."""
        self._guard.check(parsed(url))

    def look_up(self, url: str, *, deadline_s: float) -> list[str]:
        """Give the checked addresses of a host. Raises ForbiddenAddress, PeerUnreachable."""
        here = parsed(url)
        self._guard.check(here)
        found = probe.addresses(self._guard, here, Job(time.monotonic() + deadline_s, deadline_s, PeerUnreachable))
        return [str(address) for address in found]

    def shake_hands(self, url: str, *, deadline_s: float) -> str:
        """Connect, check the certificate, and give the version of TLS; empty for plain http.

        Raises:
            ForbiddenAddress: This node never fetches this URL.
            PeerUnreachable: Nobody listens, or the certificate does not hold; the message says which.
        """
        here = parsed(url)
        self._guard.check(here)
        deadline = time.monotonic() + deadline_s
        found = probe.addresses(self._guard, here, Job(deadline, deadline_s, PeerUnreachable))
        job: Job[str] = Job(deadline, deadline_s, PeerUnreachable)
        version = probe.shake_hands(self._certificates, here, found, job)
        return "" if version == "none" else version

    def close(self) -> None:
        """Close kept connections; the door may be used again afterwards."""
        self._lanes.close()

    def _headers(self, more: Mapping[str, str], accept: str, etag: str) -> dict[str, str]:
        ours = {
            "Accept": accept or "*/*",
            "Accept-Encoding": ", ".join(CODINGS),
            "User-Agent": self._user_agent,
            "Connection": "keep-alive",
        }
        ours |= {"If-None-Match": etag} if etag else {}
        taken = {name.lower() for name in ours}
        return {name: value for name, value in more.items() if name.lower() not in taken} | ours

    def _answered(self, question: Question, stop: threading.Event | None, statuses: Collection[int] | None) -> Reply:
        self._guard.check(question.url)
        reply = self._asker.ask(question, stop)
        if statuses is not None and reply.status not in statuses:
            raise PeerUnreachable(f"{shown(question.url)} answered {reply.status}.", fix="Try again later.")
        return reply
