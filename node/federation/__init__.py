"""Whom this city exchanges with, and under which agreement: an empty room until peers arrive (issue 2 of 7).

It stands here so that its floor is fixed: beside `catalog`, never importing it; the two meet only in the journal.
Doors to strangers in here will reach them through `outbound` and will not reach the store.
"""
