"""A city's node: a set of journals and their readers.

A *record* is one thing a city describes (a dataset, a service), its *payload* the canonical, blank-node-free
N-Quads that say it. Records stand in *collections*; each collection owns one append-only *journal* whose *entries*
form a Merkle tree with signed *checkpoints*. Everything that is shown or served is a reading of journals: it can be
thrown away and read again.

The tree, top floor first. Imports go downward only; rooms on one line never import each other. The floors are a
contract of import-linter (`pyproject.toml`), so a new room without a floor fails `make check`.

    __main__                        python -m node
    cli/                            typer commands, one file per audience; logging of processes
    app.py                          the web application, put together
    web/ | jobs/                    how readers reach us | processes, timetable, lease
    assembly.py                     settings in, the whole node out
    catalog/ | federation/ | settings.py
                                    what this city publishes and finds | whom it exchanges with (later) | all settings
    journal/ | vocab/               entries, tree, notes, followers | how a record is said in linked data
    records.py | keys.py | db.py | outbound.py
                                    values | signatures over bytes | transactions | the only way out
    migrations/                     the tables, step by step
    errors.py                       what can go wrong, and who must act

The flows:

    In     jobs -> harvest -> a portal adapter (bytes parsed in a child process) -> vocab: mend, translate, canon,
           check -> journal.append -> followers (shelf) catch up. An incomplete walk never withdraws anything.
    Out    web -> shelf (newest state) -> stored bytes -> serialise to the form asked for; strong ETag from the digest.
    Proof  journal -> tiles, checkpoint, inclusion proof; `citynode journal verify` recomputes all of it.

Why it is so: `DECISIONS.md` beside this file, cited by number.
"""

__version__ = "0.1.0"
