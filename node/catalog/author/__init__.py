"""Authoring: what this city writes itself, from files in a folder or from its staff over HTTP, into records.

`front` reads one file, `folder` those of a kind, `lint` says what a reader elsewhere will miss, `office` checks and
publishes, `watch` publishes again as files change. Nothing here fetches anything.
"""
