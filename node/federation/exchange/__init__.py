"""Mirroring: visits to peers, pages brought in through numbered checks, heads compared, gaps and losses mended.

`visits` begins, `exchange` pulls, `intake` checks and writes. `notices` tell of news. `erasures` and `blanking` end
what may no longer be held; `recover` and `epochs` bring a city back that lost history.
"""
