"""The book of other cities: how they enter, what is pinned of them, how they stand.

`store` owns the book's tables and `peers` the life of a peer; `states`, `review` and `namespaces` say what may follow,
and what a person must see before a yes. `health` and `days` tell how the exchange goes, `office` is the one desk behind
commands, API and pages.
"""
