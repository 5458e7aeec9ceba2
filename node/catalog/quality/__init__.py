"""Quality: how well a dataset is described, by the 23 metrics and 405 points of the European assessment.

`metrics` names what is measured, `assess` measures one record (pure), `store` keeps what was found, `keeper` keeps it
level with the shelf. `links` and what stands beside it try the addresses of files, politely and one by one, so that a
link is known to answer, known to fail, or not known. `dqv` says all of it as linked data. The rule by which points of
records become points of a collection is ours and published: `docs/quality.md`.
"""
