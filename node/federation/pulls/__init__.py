"""Data of other cities that this city gets: found, agreed on, requested, downloaded, proven and acknowledged.

A *pull* is one wish of a person, a program or the desk: a dataset, a purpose, and where it shall go. It is kept in the
table `pull` and moved on in steps that can each be repeated, so that it goes on after any cut, kill or restart, by the
command that began it or by the worker. `finding` says which dataset of which city is meant, `searching` asks
one city by words, `agreeing` under what it may be had, `door` how its bytes are asked for, `files` where they go,
`runner` does one, `office` is the desk of all.
Stands on transfers and evidence by what it names in `ports`; nothing here imports them.
"""
