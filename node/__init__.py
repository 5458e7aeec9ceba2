"""A city's node: a set of journals and their readers.

A *record* is one thing a city describes (a dataset, a service), its *payload* the canonical, blank-node-free
N-Quads that say it. Records stand in *collections*; each collection owns one append-only *journal* whose *entries*
form a Merkle tree with signed *checkpoints*. Everything that is shown or served is a reading of journals: it can be
thrown away and read again.

The tree, top floor first. Imports go downward only; rooms on one line never import each other. The floors are a
contract of import-linter (`pyproject.toml`), so a new room without a floor fails `make check`.

    __main__                        python -m node
    cli/ | testing/                 typer commands, one file per audience | a rig of real cities for anyone's tests
    app.py                          the web application, put together
    web/ | jobs/                    how readers reach us | processes, timetable, the federation's rounds
    assembly/                       settings in, the whole node out
    catalog/ | federation/ | staff/ | settings/
                                    what this city publishes and finds | whom it exchanges with | who works at the
                                    desk | all settings
    journal/ | vocab/ | lease.py | copies.py
                                    entries, tree, notes, mirrors, followers | records in linked data | one at a time |
                                    the database as one file, and back
    records.py | cells.py | stale.py | keys/ | db.py | outbound/ | children.py
                                    values | what spreadsheets open | what was shown and what stands | signatures over
                                    bytes | transactions | the only way out | limited processes
    migrations/                     the tables, step by step
    errors.py | client/ | ends.py   what can go wrong, and who must act | for programs elsewhere, apart from all this |
                                    the day that an end is said as

The flows:

    In      jobs -> harvest -> a portal adapter (bytes parsed in a child process) -> vocab: mend, translate, canon,
            check -> journal.append -> followers (shelf) catch up. An incomplete walk never withdraws anything.
    Across  jobs -> visits -> exchange: a peer's heads (one conditional request), then pages over `client` -> intake,
            nine numbered checks -> journal.mirror and followers in one transaction. Then heads are compared with other
            cities', refusals and erasures told, stubs asked for again.
    Out     web -> shelf (newest state) -> stored bytes -> serialise to the form asked for; strong ETag from the digest.
            Feeds: web -> rights -> federation.feed (pages, snapshot, tiles) or ldes; notices tell peers of new heads.
            What is restricted: web -> seen, door -> rights -> decisions (agreements in force, compiled) -> yes or no.
    Find    shelf -> touched -> readings in the worker: quality, then search (catalog/search, tantivy), the triple
            stores (catalog/graph -> outbound.engine -> oxigraph). web: portal, search, ckan, ogc -> sight (what
            this caller may see) -> search; what one may ask but not copy -> federation.asking -> its city, live.
    Know    a file, an import, a submission or a model's own bytes -> a description (plain values) -> vocab.kinds: the
            table of its kind checks and writes it -> catalog.author.office -> journal -> shelf and relations. web: what
            touches a record is asked of relations, of all cities whose collections the caller may see.
    Agree   office or web/dsp -> negotiations (stored, then decided by approvals) -> outbox -> the other. Finalized:
            one entry in each city's journal of the pair -> agreements (a follower) -> decisions.
    Move    web/dsp or pulls -> transfers (stored, then decided by agreements) -> outbox -> the other. Bytes:
            web/data, the door -> data.serving -> an origin, watched and counted piece by piece; or pushes bring them.
            Completed: a receipt signed by both ends, in each city's journal of evidence.
    Desk    a browser -> web/desk: session, form, right, audit trail -> the office that the API and the command ask too.
    Proof   journal -> tiles, checkpoint, inclusion proof; witnesses cosign; `citynode journal verify` recomputes all of
            it, and `citynode verify` needs nothing of this node.

Why it is so: `DECISIONS.md` beside this file, cited by number.
"""

__version__ = "0.1.0"
