"""Where a "no" is mended at the desk: the page to which one goes on, by the key of what is said.

The keys of the words name their area (`no.peer…`), and an area begins at a page; where something of another area is
to be done first, the key has a way of its own. Pure.
"""

AREAS = {
    "collection": ("/desk/collections", "desk.collections"),
    "source": ("/desk/sources", "desk.nav.sources"),
    "run": ("/desk/runs", "nav.runs"),
    "peer": ("/desk/peers", "desk.nav.peers"),
    "agreement": ("/desk/agreements", "desk.nav.agreements"),
    "offer": ("/desk/agreements/offers", "desk.agr.offers"),
    "data": ("/desk/data", "desk.nav.data"),
    "transfer": ("/desk/data", "desk.nav.data"),
    "pull": ("/desk/data", "desk.nav.data"),
    "origin": ("/desk/data/origins", "desk.data.tab.origins"),
    "consent": ("/desk/data/origins", "desk.data.tab.origins"),
    "withdrawal": ("/desk/data/withdrawals", "desk.data.tab.withdrawals"),
    "deletion": ("/desk/data/deletions", "desk.data.tab.deletions"),
    "evidence": ("/desk/data/evidence", "desk.data.tab.evidence"),
    "draft": ("/desk/records", "desk.nav.records"),
    "record": ("/desk/records", "desk.nav.records"),
    "correction": ("/desk/corrections", "desk.corrections.title"),
    "report": ("/desk/inbox", "desk.nav.inbox"),
    "submission": ("/desk/submissions", "desk.submissions.title"),
    "key": ("/desk/keys", "desk.nav.keys"),
    "staff": ("/desk/people", "desk.nav.people"),
}
ELSEWHERE = {
    "no.data.peer": AREAS["peer"],
    "no.data.peerless": AREAS["peer"],
    "no.data.refused": AREAS["agreement"],
    "no.data.unknown": AREAS["peer"],
    "no.peer.exchange": AREAS["peer"],
    "no.correction.record": AREAS["record"],
    "no.correction.unnamed": AREAS["record"],
    "no.correction.own": AREAS["record"],
}


def elsewhere_first(key: str) -> bool:
    """Tell whether something is to be done on another page first, so that a form leads there."""
    return key in ELSEWHERE


def way_on(key: str) -> tuple[str, str] | None:
    """Give the page where one goes on after what was said by this key, and the key of what it is called."""
    _, _, rest = key.partition("no.")
    return ELSEWHERE.get(key) or (AREAS.get(rest.partition(".")[0]) if key.startswith("no.") else None)
